//! The planner: from everything that matters to the exact list of changes (R110). Pure and total: the only thing that
//! can go wrong is a setting that names an org the roster does not have.

use std::borrow::Cow;

use crate::base::{ClaimId, Day, Digest, OrgId, Seats, parts};
use crate::license::{
    Audience, AutoUpgrade, ClaimChange, ClaimState, Clauses, Draws, Entry, Names, OnFull, Phase, Pool, StateCounts,
};
use crate::plan::action::{AbsenceChange, Plan};
use crate::plan::catalog::Catalog;
use crate::plan::contest::play;
use crate::plan::demand::{Demand, UnknownOrg};
use crate::plan::fate::fates;
use crate::plan::input::{PlanInput, Policy, Standing};
use crate::plan::name::plan_id;
use crate::plan::org_marks::org_changes;
use crate::plan::pools::{PoolWork, allowance_now, close};
use crate::plan::reconcile::Walk;
use crate::plan::reuse::reuse;
use crate::plan::terms::{moves, phases_at};
use crate::plan::ways::Ways;
use crate::roster::{OrgTree, Roster};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
#[error("plan with these settings: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct PlanError(pub Vec<UnknownOrg>);

/// Whether the orgs that the settings name are all in a roster, as of a day.
///
/// # Errors
/// [`PlanError`] names those that are not.
pub fn fit(policy: &Policy, roster: &Roster, today: Day) -> Result<(), PlanError> {
    Demand::new(policy, roster, &OrgTree::new(roster), today).map(|_| ()).map_err(PlanError)
}

/// Plans a run.
///
/// # Errors
/// [`PlanError`] names every org that the settings mention and the roster does not know. Nothing is planned then: a
/// rule over an unknown org would quietly free everybody it used to seat.
pub fn plan(input: &PlanInput<'_>) -> Result<Plan, PlanError> {
    let tree = OrgTree::new(input.roster);
    let demand = Demand::new(input.policy, input.roster, &tree, input.today).map_err(PlanError)?;
    let extended = with_retired_pools(input.policy, input.standing);
    let input = &PlanInput { policy: extended.as_ref(), ..input.clone() };
    let policy = input.policy;
    let ways = Ways::new(policy, input.roster, &tree);
    let mut names = input.standing.book.names.clone();
    for pool in &policy.pools {
        names.pool(&pool.id);
    }
    let catalog = Catalog::new(policy, &names);
    let phases = phases_at(policy, input.standing, input.now);
    let mut pools = pools_at_work(input, &names, &catalog, &ways, &phases);
    let fates = fates(input);

    let mut walk = Walk::new(input, &demand, ways, &mut pools, names);
    let (roster, book) = (input.roster, &input.standing.book);
    let mut at = 0;
    for person in &roster.people {
        let key = roster.text(person.key);
        while at < book.people.len() && book.key(at) < key {
            walk.missing(book.key(at), book.claims_at(at), fates.by_person.get(book.key(at)).copied());
            at += 1;
        }
        let known = at < book.people.len() && book.key(at) == key;
        let claims = if known { book.claims_at(at) } else { &[] };
        at += usize::from(known);
        if person.ended {
            walk.missing(key, claims, fates.by_person.get(key).copied());
        } else {
            walk.present(person, claims);
        }
    }
    for at in at..book.people.len() {
        walk.missing(book.key(at), book.claims_at(at), fates.by_person.get(book.key(at)).copied());
    }
    for (known, new) in input.conflicts {
        walk.conflict(known.as_str(), new.as_str());
    }

    let Walk { people, names, mut out, ways, .. } = walk;
    out.contest.ways = ways.lists;
    pools.iter_mut().for_each(PoolWork::frees_done);
    let played = play(out.contest, &policy.products, &catalog, &mut pools, &people, input.now);

    let mut frees = out.frees;
    frees.extend(played.frees);
    let mut seats = out.updates;
    seats.extend(played.seats);
    let changes = numbered(frees, seats, input.standing.next_claim);
    let mut withheld = out.withheld;
    withheld.extend(played.withheld);
    withheld.sort_unstable_by_key(|w| (w.person, w.product, w.pool, w.because));
    let (moved, told) = moves(&pools, input.standing, input.now);
    let closing = close(&pools, policy, input.standing, input.now);

    let mut entries: Vec<Entry> = input.new_terms.iter().cloned().map(Entry::Term).collect();
    entries.extend(input.new_grants.iter().cloned().map(Entry::Granted));
    entries.extend(input.new_agreed.iter().cloned().map(Entry::ExcessAgreed));
    let amended = input.amended.iter();
    entries.extend(input.fresh.iter().chain(amended).chain(input.repeated).chain(input.remade).cloned().map(Entry::Adopted));
    if !input.fresh.is_empty() {
        entries.extend(
            input.conflicts.iter().map(|(known, new)| Entry::IdentityConflict { known: known.clone(), new: new.clone() }),
        );
    }
    entries.extend(fates.changes.iter().map(|change| match change {
        AbsenceChange::Absent(absence) => Entry::Absent(absence.clone()),
        AbsenceChange::Returned(person) => Entry::Returned(person.clone()),
        AbsenceChange::Purged(person) => Entry::Purged { person: person.clone(), reason: None },
    }));
    // Before the first snapshot the orgs are those of a package that is held.
    if !input.fresh.is_empty() || !input.standing.sources.is_empty() {
        let orgs = org_changes(&input.standing.orgs, input.roster);
        entries.extend((!orgs.is_empty()).then_some(Entry::Orgs(orgs)));
    }
    entries.extend(input.holding.days.iter().cloned().map(Entry::GuardDay));
    entries.extend(input.holding.holds.iter().cloned().map(Entry::Hold));
    entries.extend(moved);
    entries.extend(closing.entries);
    let (counted, crossed) = reuse(&pools, input.standing, (&names, &people), &changes, input.now, true);
    entries.extend(counted);
    let mut notices = closing.notices;
    notices.extend(crossed);
    notices.extend(told);
    notices.extend(input.holding.notices.iter().cloned());

    let mut plan = Plan {
        id: Default::default(),
        customer: policy.customer.clone(),
        parent: input.standing.version,
        at: input.now,
        snapshots: input.fresh.iter().chain(input.amended).cloned().collect(),
        names,
        people,
        changes,
        withheld,
        absences: fates.changes,
        pools: closing.outlooks,
        entries,
        notices,
        verdict: input.verdict.clone(),
    };
    plan.id = plan_id(&plan, policy);
    // A hold is bound to the plan it opens with, whose name it cannot be part of (R120).
    for entry in &mut plan.entries {
        if let Entry::Hold(hold) = entry
            && hold.plan == Digest::default()
        {
            hold.plan = plan.id;
        }
    }
    Ok(plan)
}

/// The policy, and pools that are gone from the settings but still have claims: their books must be closed too.
pub fn with_retired_pools<'a>(policy: &'a Policy, standing: &Standing) -> Cow<'a, Policy> {
    let retired = standing.terms.values().filter(|terms| {
        policy.pools.iter().all(|p| p.id != terms.pool)
            && standing.pools.get(&terms.pool).is_some_and(|books| books.counts != StateCounts::default())
    });
    let pools: Vec<Pool> = retired
        .map(|terms| Pool {
            id: terms.pool.clone(),
            product: terms.product.clone(),
            owner: OrgId::from(""),
            audience: Audience::Any,
            unlimited: terms.unlimited,
            on_full: OnFull::Wait,
            overage: terms.overage,
            // Its clauses are gone with its settings: the contract's text counts, and nothing is upgraded.
            clauses: Clauses { auto_upgrade: AutoUpgrade::Off, ..Clauses::CONTRACT },
            reservations: Vec::new(),
            calendar: policy.calendar.clone(),
            anchor: None,
            renewal: Default::default(),
            reuse: Default::default(),
        })
        .collect();
    if pools.is_empty() {
        return Cow::Borrowed(policy);
    }
    let mut extended = policy.clone();
    extended.pools.extend(pools);
    Cow::Owned(extended)
}

impl Plan {
    /// Whether committing it would write nothing (R102).
    pub fn is_empty(&self) -> bool {
        let Self {
            id: _,
            customer: _,
            parent: _,
            at: _,
            snapshots,
            names: _,
            people: _,
            changes,
            withheld: _,
            absences,
            pools: _,
            entries,
            notices,
            verdict: _,
        } = self;
        snapshots.is_empty() && changes.is_empty() && absences.is_empty() && entries.is_empty() && notices.is_empty()
    }
}

/// The pools as the books say, each in its phase, with what each of their parts may still give.
pub fn pools_at_work<'a>(
    input: &PlanInput<'a>,
    names: &Names,
    catalog: &Catalog,
    ways: &Ways<'_>,
    phases: &[Phase],
) -> Vec<PoolWork<'a>> {
    let (policy, book) = (input.policy, &input.standing.book);
    let mut counts = vec![StateCounts::default(); policy.pools.len()];
    let mut reserved: Vec<Vec<u32>> = policy.pools.iter().map(|p| vec![0; p.reservations.len()]).collect();
    let mut direct = vec![0u32; policy.pools.len()];
    for claim in &book.claims {
        let Some(at) = catalog.pool(claim.pool) else { continue };
        counts[at].enter(claim.state);
        if claim.state.consumes() {
            match ways.nearest_by_name(at, names.home_of(claim)) {
                Some(reservation) => reserved[at][usize::from(reservation)] += 1,
                None => direct[at] += 1,
            }
        }
    }
    let mut works = Vec::with_capacity(policy.pools.len());
    for ((at, pool), phase) in policy.pools.iter().enumerate().zip(phases) {
        let allowance = allowance_now(pool, phase, input.standing, input.now);
        let taken: Vec<Seats> = reserved[at].iter().map(|&n| Seats(n)).collect();
        let draws =
            Draws::new(&pool.reservations, &ways.reservation_parents(at), &taken, Seats(direct[at]), allowance.effective());
        let Some(ix) = names.find_pool(&pool.id) else { continue };
        let mut work = PoolWork::new(pool, ix, input.standing, counts[at], allowance, draws, phase.clone());
        work.provisional_days_max = policy.limits.provisional_business_days_max;
        works.push(work);
    }
    works
}

/// Frees before seats (R55), by person, pool and claim within each; new claims get their numbers in that order.
fn numbered(mut frees: Vec<ClaimChange>, mut seats: Vec<ClaimChange>, next: ClaimId) -> Vec<ClaimChange> {
    in_order(&mut frees);
    in_order(&mut seats);
    let mut next = next.0;
    for change in &mut seats {
        if change.before.is_none() {
            change.after.id = ClaimId(next);
            next += 1;
        }
    }
    // Of a first night there are millions, and nothing is freed: no second list of them.
    if frees.is_empty() {
        return seats;
    }
    frees.append(&mut seats);
    frees
}

/// Sorts by positions: changes are large, and come in few runs, of which an ordinary sort would copy half.
fn in_order(changes: &mut [ClaimChange]) {
    let key = |c: &ClaimChange| (c.person, c.after.pool, c.after.id, c.after.state == ClaimState::Waiting);
    let mut order: Vec<u32> = (0..changes.len() as u32).collect();
    order.sort_by_key(|&at| key(&changes[at as usize]));
    let mut rank = vec![0u32; changes.len()];
    for (to, at) in (0u32..).zip(order) {
        rank[at as usize] = to;
    }
    parts::permute(changes, &mut rank);
}
