//! The planner: from everything that matters to the exact list of changes (R110). Pure and total: the only thing that
//! can go wrong is a setting that names an org the roster does not have.

use std::borrow::Cow;

use crate::base::{ClaimId, Day, Digest, Instant, OrgId, merged, parts};
use crate::license::{
    Audience, AutoUpgrade, ClaimChange, ClaimState, Clauses, Entry, Names, OnFull, Phase, Pool, StateCounts, seat_moves,
};
use crate::plan::action::{AbsenceChange, Plan};
use crate::plan::catalog::Catalog;
use crate::plan::check::{Flaw, check};
use crate::plan::contest::play;
use crate::plan::demand::{Demand, PlanError};
use crate::plan::fate::fates;
use crate::plan::input::{PlanInput, Policy, Standing};
use crate::plan::license_year::YearGate;
use crate::plan::name::plan_id;
use crate::plan::needs::Needs;
use crate::plan::org_marks::org_changes;
use crate::plan::pools::{PoolWork, Stock, close};
use crate::plan::purchase::{purchases, shortfall_ahead, voided};
use crate::plan::reconcile::Walk;
use crate::plan::reuse::reuse;
use crate::plan::roles::roles_changed;
use crate::plan::round::go_round;
use crate::plan::terms::{moves, phases_at};
use crate::plan::ways::Ways;
use crate::roster::{OrgTree, Roster};

/// Plans of so many changes are looked at beside their naming.
const CHANGES_LARGE: usize = 1 << 14;

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
    let plan = nameless(input, &Needs::new(input.policy, input.roster, input.today)?);
    let id = plan_id(&plan, input.policy);
    Ok(named(plan, id))
}

/// The same, and what is wrong with it. Where the needs are known, they are those of the roster's people under the policy on
/// that day; then of the roster only orgs are looked at, and of its people keys and whether they ended or are quarantined.
///
/// # Errors
/// Those of [`plan()`].
pub fn plan_checked(input: &PlanInput<'_>, needs: Option<&Needs>) -> Result<(Plan, Vec<Flaw>), PlanError> {
    let plan = match needs {
        Some(needs) => nameless(input, needs),
        None => nameless(input, &Needs::new(input.policy, input.roster, input.today)?),
    };
    let look = || check(&plan, input.standing, input.held);
    let name = || plan_id(&plan, input.policy);
    let (flaws, id) = if plan.changes.len() < CHANGES_LARGE { (look(), name()) } else { parts::both(look, name) };
    Ok((named(plan, id), flaws))
}

/// A plan without its name.
fn nameless(input: &PlanInput<'_>, needs: &Needs) -> Plan {
    let tree = OrgTree::new(input.roster);
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
    let mut pools = pools_at_work(policy, input.standing, &names, &catalog, &ways, phases, input.now);
    let (fates, roles) = parts::both(|| fates(input), || roles_changed(input));

    let mut walk = Walk::new(input, needs, ways, &mut pools, names);
    go_round(&mut walk, needs, &fates.by_person);
    for (known, new) in input.conflicts {
        walk.conflict(known.as_str(), new.as_str());
    }

    let Walk { people, names, mut out, ways, .. } = walk;
    out.contest.ways = ways.lists;
    out.contest.is_by_person = true;
    pools.iter_mut().for_each(PoolWork::frees_done);
    for work in pools.iter_mut().filter(|work| work.year.is_some()) {
        let ix = work.ix;
        let mine = out.frees.iter().filter(|change| change.after.pool == ix && seat_moves(change) == Some(false));
        mine.for_each(|change| work.leaves(people.get(change.person)));
    }
    let played = play(out.contest, &policy.products, &catalog, &mut pools, &people, input.now);

    let seats = vec![out.updates, played.seats, played.entered];
    let changes = numbered(vec![out.frees, played.frees], seats, input.standing.next_claim);
    let mut withheld = joined(out.withheld, played.withheld);
    withheld.sort_unstable_by_key(|w| (w.person, w.product, w.pool, w.because));
    let (moved, told) = moves(&pools, input.standing, input.now);
    let closing = close(&pools, policy, input.standing, input.now);
    // The queue was served by now: what is bought for some time only is given out, too (R54).
    let bought = purchases(input.new_grants, input.new_terms);
    let (past, superseded) = voided(&bought, policy, input.standing, input.episodes, input.now);
    let ahead = bought.iter().filter_map(|bought| shortfall_ahead(bought, &pools, input.standing, input.now));

    let mut entries: Vec<Entry> = input.new_terms.iter().cloned().map(Entry::Term).collect();
    entries.extend(input.new_grants.iter().cloned().map(Entry::Granted));
    entries.extend(input.new_agreed.iter().cloned().map(Entry::ExcessAgreed));
    let amended = input.amended.iter();
    entries.extend(input.fresh.iter().chain(amended).chain(input.repeated).chain(input.remade).cloned().map(Entry::Adopted));
    entries.extend((!roles.is_empty()).then_some(Entry::RolesChanged(roles)));
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
    entries.extend(past);
    let mut notices = closing.notices;
    notices.extend(superseded);
    notices.extend(ahead);
    notices.extend(crossed);
    notices.extend(told);
    notices.extend(input.holding.notices.iter().cloned());

    Plan {
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
    }
}

fn named(mut plan: Plan, id: Digest) -> Plan {
    plan.id = id;
    // A hold is bound to the plan it opens with, whose name it cannot be part of (R120).
    for entry in &mut plan.entries {
        if let Entry::Hold(hold) = entry
            && hold.plan == Digest::default()
        {
            hold.plan = plan.id;
        }
    }
    plan
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
    policy: &'a Policy,
    standing: &'a Standing,
    names: &Names,
    catalog: &Catalog,
    ways: &Ways<'_>,
    phases: Vec<Phase>,
    now: Instant,
) -> Vec<PoolWork<'a>> {
    let pools = 0..policy.pools.len();
    let mut stocks: Vec<Stock> = pools.clone().map(|at| Stock::empty(ways.reservation_parents(at))).collect();
    let none = stocks.clone();
    // By pool and home: homes are few, claims are not.
    let nearest: Vec<Vec<Option<u16>>> =
        pools.map(|at| names.orgs.iter().map(|org| ways.nearest_by_name(at, org)).collect()).collect();
    let counted = parts::each_part(standing.book.claims.len(), |own| {
        let mut stocks = none.clone();
        for claim in &standing.book.claims[own] {
            let Some(at) = catalog.pool(claim.pool) else { continue };
            stocks[at].counts.enter(claim.state);
            if claim.state.consumes() {
                stocks[at].take(nearest[at][claim.home.0 as usize], 1);
            }
        }
        stocks
    });
    for more in &counted {
        stocks.iter_mut().zip(more).for_each(|(stock, more)| stock.join(more));
    }
    let works = phases.into_iter().zip(&stocks).enumerate();
    let works = works.filter_map(|(at, work)| {
        let mut work = PoolWork::new((policy, at), standing, names, work, now)?;
        work.year = YearGate::at(work.pool, standing, now);
        Some(work)
    });
    works.collect()
}

/// Frees before seats (R55), by person, pool and claim within each; new claims get their numbers in that order.
fn numbered(frees: Vec<Vec<ClaimChange>>, mut seats: Vec<Vec<ClaimChange>>, next: ClaimId) -> Vec<ClaimChange> {
    let key = |c: &ClaimChange| (c.person, c.after.pool, c.after.id, c.after.state == ClaimState::Waiting);
    // Somebody's changes stand together by product; by pool, as they belong, a whole list is in order most often.
    let together = |list: &mut Vec<ClaimChange>| {
        list.chunk_by_mut(|a, b| a.person == b.person).for_each(|own| own.sort_by_key(key));
    };
    seats.iter_mut().for_each(together);
    let mut seats = merged(seats, key);
    let mut next = next.0;
    for change in &mut seats {
        if change.before.is_none() {
            change.after.id = ClaimId(next);
            next += 1;
        }
    }
    joined(merged(frees, key), seats)
}

/// Two lists as one. Of a first night one is empty and the other holds millions: it is not copied.
fn joined<T>(mut first: Vec<T>, mut then: Vec<T>) -> Vec<T> {
    if first.is_empty() {
        return then;
    }
    first.append(&mut then);
    first
}
