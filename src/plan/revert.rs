//! Undoing a run: the inverse of what it did to claims and absences, against the present books (R126, I15).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Instant, OrgId, PersonKey, PoolId, Text, TextArena, Version};
use crate::license::{
    Absence, Because, Claim, ClaimChange, ClaimState, Entry, Gate, Hold, HoldState, Names, PoolBooks, SeatAnswer, Wait, admit,
    queue_order, seat_moves,
};
use crate::plan::action::{AbsenceChange, Plan, Withheld};
use crate::plan::catalog::Catalog;
use crate::plan::guard::{GuardKind, Trip, Verdict};
use crate::plan::input::{Policy, Standing};
use crate::plan::judge::passes_limit;
use crate::plan::name::plan_id;
use crate::plan::pins::{Pins, is_denied, pins_in_force};
use crate::plan::planner::{pools_at_work, with_retired_pools};
use crate::plan::pools::{PoolWork, close};
use crate::plan::reuse::reuse;
use crate::plan::terms::phases_recorded;
use crate::plan::ways::Ways;
use crate::roster::{OrgTree, Roster};

/// What a committed run did, as the trail tells it.
#[derive(Debug, Default)]
pub struct Undone {
    /// The version it made.
    pub version: Version,
    /// The keys of the people in `changes`.
    pub people: TextArena,
    /// Its changes of claims.
    pub changes: Vec<ClaimChange>,
    /// Whose absence it changed: before and after.
    pub absences: BTreeMap<PersonKey, (Option<Absence>, Option<Absence>)>,
    /// The books of all pools just before it.
    pub books_before: BTreeMap<PoolId, PoolBooks>,
    /// People deleted for good by it or since: nothing of theirs comes back.
    pub purged: BTreeSet<PersonKey>,
}

/// What an inverse plan is made from.
pub struct RevertInput<'a> {
    /// When.
    pub now: Instant,
    /// The settings.
    pub policy: &'a Policy,
    /// The present books.
    pub standing: &'a Standing,
    /// The roster they rest on; it stays as it is.
    pub roster: &'a Roster,
    /// What is undone.
    pub undone: &'a Undone,
    /// Claims that are released now, of people from whom the run released something, as last released.
    pub released: &'a BTreeMap<String, Vec<Claim>>,
}

/// A change to be made: the claim as it is, and as it should be.
struct Undo {
    before: Claim,
    after: Claim,
}

struct Work<'a> {
    input: &'a RevertInput<'a>,
    catalog: Catalog,
    ways: Ways<'a>,
    pools: Vec<PoolWork<'a>>,
    names: Names,
    people: TextArena,
    texts: BTreeMap<String, Text>,
    /// Open claims of everybody concerned, as the plan has them.
    claims: BTreeMap<String, Vec<Claim>>,
    pins: Pins<'a>,
    frees: Vec<ClaimChange>,
    seats: Vec<ClaimChange>,
    withheld: Vec<Withheld>,
}

/// Plans the inverse of a run: what it seated is released, what it released comes back as the same claim, other changes
/// are taken back. A claim that changed since is left alone and listed. What comes back passes admission, in the order of
/// the queue, except that a pool may be as full again as it was before the run, provided that it has as many seats.
///
/// Who is new and waits for a decision gets nothing back before it, and whom an open hold covers stays covered (I10).
///
/// Where anything was committed since the run, seats that appear are given to the queue (R43), though not in pools in
/// which somebody is put back into the queue: that was the run's doing. Right after the run the books become what they were.
pub fn revert(input: &RevertInput<'_>) -> Plan {
    let tree = OrgTree::new(input.roster);
    let extended = with_retired_pools(input.policy, input.standing);
    let policy = extended.as_ref();
    let mut names = input.standing.book.names.clone();
    for pool in &policy.pools {
        names.pool(&pool.id);
    }
    let ways = Ways::new(policy, input.roster, &tree);
    let catalog = Catalog::new(policy, &names);
    let phases = phases_recorded(policy, input.standing);
    let pools = pools_at_work(policy, input.standing, &names, &catalog, &ways, phases, input.now);
    let mut work = Work {
        input,
        catalog,
        ways,
        pools,
        names,
        people: TextArena::default(),
        texts: BTreeMap::new(),
        claims: BTreeMap::new(),
        pins: pins_in_force(policy, &input.standing.pins, input.now),
        frees: Vec::new(),
        seats: Vec::new(),
        withheld: Vec::new(),
    };
    work.play();
    let absences = work.absences();
    work.hold_back(&absences);
    let verdict = work.judge();
    let Work { pools, names, people, mut frees, mut seats, mut withheld, .. } = work;
    let key = |c: &ClaimChange| (c.person, c.after.pool, c.after.id);
    frees.sort_by_key(key);
    seats.sort_by_key(key);
    frees.append(&mut seats);
    withheld.sort_unstable_by_key(|w| (w.person, w.product, w.pool, w.because));
    withheld.dedup();
    let closing = close(&pools, policy, input.standing, input.now);
    let mut entries: Vec<Entry> = absences.iter().filter_map(entry).collect();
    entries.extend(closing.entries);
    let (counted, crossed) = reuse(&pools, input.standing, (&names, &people), &frees, input.now, false);
    entries.extend(counted);
    let mut plan = Plan {
        id: Default::default(),
        customer: policy.customer.clone(),
        parent: input.standing.version,
        at: input.now,
        snapshots: Vec::new(),
        names,
        people,
        changes: frees,
        withheld,
        absences,
        pools: closing.outlooks,
        entries,
        notices: closing.notices.into_iter().chain(crossed).collect(),
        verdict,
    };
    plan.id = plan_id(&plan, policy);
    plan
}

fn entry(change: &AbsenceChange) -> Option<Entry> {
    match change {
        AbsenceChange::Absent(absence) => Some(Entry::Absent(absence.clone())),
        AbsenceChange::Returned(person) => Some(Entry::Returned(person.clone())),
        AbsenceChange::Purged(_) => None,
    }
}

impl Work<'_> {
    fn play(&mut self) {
        let mut back: Vec<(String, Undo)> = Vec::new();
        let mut put_back: BTreeSet<usize> = BTreeSet::new();
        for (key, undo) in self.inverse() {
            if undo.after.state.consumes() && !undo.before.state.consumes() {
                back.push((key, undo));
                continue;
            }
            if undo.before.state.consumes() && undo.after.state == ClaimState::Waiting {
                put_back.extend(self.catalog.pool(undo.after.pool));
            }
            self.make(&key, undo.before, undo.after, Because::Reverted);
        }
        for change in self.frees.iter().filter(|change| seat_moves(change) == Some(false)) {
            if let Some(at) = self.catalog.pool(change.after.pool) {
                self.pools[at].leaves(self.people.get(change.person));
            }
        }
        self.pools.iter_mut().for_each(PoolWork::frees_done);
        let place = |claim: &Claim| {
            let product = self.catalog.product(claim.pool);
            self.catalog.order.iter().position(|&at| Some(at) == product)
        };
        back.sort_by(|(a_key, a), (b_key, b)| {
            let order = |key, claim: &Claim| (claim.priority, claim.since, key);
            let ((ap, as_, ak), (bp, bs, bk)) = (order(a_key.clone(), &a.after), order(b_key.clone(), &b.after));
            place(&a.after).cmp(&place(&b.after)).then_with(|| queue_order((ap, as_, &ak), (bp, bs, &bk)))
        });
        for (key, undo) in back {
            self.seat_again(&key, undo);
        }
        self.settle_dependents();
        if self.input.standing.version != self.input.undone.version {
            self.fill(&put_back);
        }
    }

    /// What is to be undone, the last change first within each person; what changed since is noted as left alone.
    fn inverse(&mut self) -> Vec<(String, Undo)> {
        let undone = self.input.undone;
        let withheld = self.input.standing.hold.as_ref().map_or(Vec::new(), Hold::withheld);
        let mut by_person: BTreeMap<&str, Vec<&ClaimChange>> = BTreeMap::new();
        for change in &undone.changes {
            by_person.entry(undone.people.get(change.person)).or_default().push(change);
        }
        let mut all = Vec::new();
        for (key, changes) in by_person {
            let mut open = self.input.standing.book.claims_of(key).to_vec();
            self.claims.insert(key.to_owned(), open.clone());
            let gone = self.input.released.get(key).map_or(&[][..], Vec::as_slice);
            for change in changes.into_iter().rev() {
                let id = change.after.id;
                let now = open.iter().chain(gone).find(|claim| claim.id == id);
                let target = match change.before.as_deref() {
                    Some(before) => *before,
                    None => Claim { state: ClaimState::Released, wait: Wait::Nothing, changed: self.input.now, ..change.after },
                };
                let comes_back = change.after.state == ClaimState::Released;
                let taken = comes_back && open.iter().any(|claim| claim.pool == target.pool);
                let purged = comes_back && undone.purged.iter().any(|person| person.as_str() == key);
                if now != Some(&change.after) || taken || purged || self.catalog.pool(target.pool).is_none() {
                    self.leave(key, &change.after, Because::ChangedSince);
                    continue;
                }
                // Who was kept out since then stays out (R9).
                if comes_back && self.is_denied(key, &target) {
                    self.leave(key, &change.after, Because::Denied);
                    continue;
                }
                // New people get nothing before somebody decides, not even what they once had (R117, I10).
                if comes_back && withheld.binary_search_by(|person| person.as_str().cmp(key)).is_ok() {
                    self.leave(key, &change.after, Because::HeldByGuard);
                    continue;
                }
                open.retain(|claim| claim.id != id);
                if target.state != ClaimState::Released {
                    open.push(target);
                }
                all.push((key.to_owned(), Undo { before: change.after, after: target }));
            }
        }
        all
    }

    fn is_denied(&self, key: &str, claim: &Claim) -> bool {
        self.catalog.pool(claim.pool).is_some_and(|at| is_denied(&self.pins, key, at))
    }

    fn nearest(&self, claim: &Claim) -> Option<usize> {
        let at = self.catalog.pool(claim.pool)?;
        self.ways.nearest_by_name(at, self.names.home_of(claim)).map(usize::from)
    }

    fn text(&mut self, key: &str) -> Text {
        if let Some(&text) = self.texts.get(key) {
            return text;
        }
        // All keys of a customer fit: the books hold them beside everything else.
        let text = self.people.push(key).unwrap_or_default();
        self.texts.insert(key.to_owned(), text);
        text
    }

    fn leave(&mut self, key: &str, claim: &Claim, because: Because) {
        let person = self.text(key);
        let product = self.catalog.product(claim.pool);
        self.withheld.push(Withheld { person, product, pool: Some(claim.pool), because });
    }

    /// Makes one change, in the pool's numbers too.
    fn make(&mut self, key: &str, before: Claim, after: Claim, because: Because) {
        let there = |claim: &Claim, nearest| (claim.state != ClaimState::Released).then_some((claim.state, nearest));
        let (from, to) = (there(&before, self.nearest(&before)), there(&after, self.nearest(&after)));
        if let Some(at) = self.catalog.pool(after.pool) {
            self.pools[at].shift(from, to);
        }
        let open = self.claims.entry(key.to_owned()).or_default();
        open.retain(|claim| claim.id != after.id);
        if after.state != ClaimState::Released {
            open.push(after);
        }
        let person = self.text(key);
        let change = ClaimChange { person, because, before: Some(Box::new(before)), after };
        if after.state.consumes() { self.seats.push(change) } else { self.frees.push(change) }
    }

    /// The person is about to take a seat of the claim's pool.
    fn takes(&mut self, key: &str, claim: &Claim) {
        if let Some(at) = self.catalog.pool(claim.pool) {
            self.pools[at].takes(key);
        }
    }

    /// Whether the person holds what the product of a claim requires (R12).
    fn is_ready(&self, key: &str, claim: &Claim) -> bool {
        let Some(product) = self.catalog.product(claim.pool) else { return true };
        let Some(required) = self.catalog.requires[usize::from(product)] else { return true };
        let holds = |claim: &&Claim| claim.state.consumes() && self.catalog.gives(claim.pool, required);
        self.claims.get(key).is_some_and(|claims| claims.iter().any(|claim| holds(&claim)))
    }

    fn seat_again(&mut self, key: &str, undo: Undo) {
        let Undo { before, after } = undo;
        let ready = self.is_ready(key, &after);
        if self.catalog.pool(after.pool).is_some_and(|at| self.pools[at].is_shut()) {
            // Suspended stays suspended: that seat is not to be had at this time (R93).
            return self.leave(key, &after, Because::NoTerm);
        }
        let mut gate = Gate::Open;
        let seat = self.catalog.pool(after.pool).is_some_and(|at| {
            let work = &self.pools[at];
            let room = work.room(key, self.nearest(&after));
            gate = room.gate;
            let admitted = admit(after.channel, false, &room, work.pool.on_full) == SeatAnswer::Seat;
            // As full as it was before the run is never too full: those people had their seats (R40). Where others came
            // since, what is reserved is still nobody else's (R20).
            let reserved = !work.pool.reservations.is_empty() && !room.draw_free;
            let kept = !reserved || self.input.standing.version == self.input.undone.version;
            let was = self.input.undone.books_before.get(&work.pool.id);
            let as_it_was = was.is_some_and(|was| {
                let (then, now) = (was.allowance.effective(), work.allowance.effective());
                let seats = now.is_none_or(|now| then.is_some_and(|then| now >= then));
                seats && work.counts.used() < was.counts.used()
            });
            admitted || as_it_was && kept
        });
        if ready && seat {
            self.takes(key, &after);
            self.make(key, before, after, Because::Reverted);
            return;
        }
        let (wait, because) = match gate {
            _ if !ready => (Wait::Access, Because::NeedsAccess),
            Gate::YearFull => (Wait::Seat, Because::ReuseExceeded),
            Gate::Open | Gate::NoNew(_) | Gate::Shut => (Wait::Seat, Because::PoolFull),
        };
        self.leave(key, &after, because);
        let queued = Claim { state: ClaimState::Waiting, wait, changed: self.input.now, ..after };
        if before.state == ClaimState::Waiting && before.wait == wait {
            return;
        }
        self.make(key, before, queued, Because::Reverted);
    }

    /// A seat whose required product the revert takes away waits for access (R12).
    fn settle_dependents(&mut self) {
        let held: Vec<(String, Claim)> = self
            .claims
            .iter()
            .flat_map(|(key, claims)| claims.iter().map(|claim| (key.clone(), *claim)))
            .filter(|(key, claim)| claim.state.consumes() && !self.is_ready(key, claim))
            .collect();
        for (key, claim) in held {
            let person = self.text(&key);
            let mine = |change: &ClaimChange| change.person == person && change.after.id == claim.id;
            // A claim changes once in a plan: what was to be done with it is taken back first.
            let before = match self.seats.iter().position(mine) {
                Some(at) => {
                    let planned = self.seats.remove(at);
                    planned.before.map_or(claim, |before| *before)
                }
                None => claim,
            };
            let nearest = self.nearest(&claim);
            if let Some(at) = self.catalog.pool(claim.pool) {
                self.pools[at].shift(Some((claim.state, nearest)), Some((ClaimState::Waiting, None)));
            }
            let after = Claim { state: ClaimState::Waiting, wait: Wait::Access, changed: self.input.now, ..claim };
            if let Some(open) = self.claims.get_mut(&key) {
                open.iter_mut().filter(|open| open.id == claim.id).for_each(|open| *open = after);
            }
            let change = ClaimChange { person, because: Because::NeedsAccess, before: Some(Box::new(before)), after };
            self.frees.push(change);
        }
    }

    /// Gives the seats that appeared to whoever waits for them and is there (R43, R131).
    fn fill(&mut self, put_back: &BTreeSet<usize>) {
        let freed: BTreeSet<usize> = self.frees.iter().filter_map(|change| self.catalog.pool(change.after.pool)).collect();
        let book = &self.input.standing.book;
        let mut waiting: Vec<(&str, Claim)> = Vec::new();
        for at in 0..book.people.len() {
            let key = book.key(at);
            if self.input.roster.active(key).is_none() {
                continue;
            }
            waiting.extend(book.claims_at(at).iter().filter_map(|claim| {
                let pool = self.catalog.pool(claim.pool)?;
                let waits = claim.state == ClaimState::Waiting && claim.wait == Wait::Seat;
                let touched = self.claims.get(key).is_some_and(|claims| !claims.contains(claim));
                (waits && !touched && freed.contains(&pool) && !put_back.contains(&pool)).then_some((key, *claim))
            }));
        }
        waiting.sort_by(|(a_key, a), (b_key, b)| queue_order((a.priority, a.since, a_key), (b.priority, b.since, b_key)));
        for (key, claim) in waiting {
            self.claims.entry(key.to_owned()).or_insert_with(|| book.claims_of(key).to_vec());
            let Some(at) = self.catalog.pool(claim.pool) else { continue };
            let may = !self.is_denied(key, &claim) && self.is_ready(key, &claim);
            if !may || !self.pools[at].has_seat(key, self.nearest(&claim)) {
                continue;
            }
            let product = self.catalog.product(claim.pool).map(|product| &self.input.policy.products[usize::from(product)]);
            let pending = product.is_some_and(|product| product.needs_acceptance);
            let state = if pending { ClaimState::Pending } else { ClaimState::Active };
            let after = Claim { state, wait: Wait::Nothing, changed: self.input.now, ..claim };
            self.takes(key, &after);
            self.make(key, claim, after, Because::SeatFreed);
        }
    }

    /// Absences as they were before the run. Somebody whom it saw missing for the first time stays noted, one count less:
    /// the roster still lacks the person, and the next complete snapshot counts again. What an open hold covers stays held:
    /// a revert does not decide it (I10).
    fn absences(&self) -> Vec<AbsenceChange> {
        let Undone { absences, purged, .. } = self.input.undone;
        let open = self.open_hold();
        let covers = |person: &PersonKey| open.is_some_and(|hold| hold.removals.binary_search(person).is_ok());
        let now = &self.input.standing.absences;
        let mut changes = Vec::new();
        for (person, (before, after)) in absences {
            let present = now.binary_search_by(|absence| absence.person.cmp(person)).ok().map(|at| &now[at]);
            if present != after.as_ref() || purged.contains(person) {
                continue;
            }
            let mut next = match (before, after) {
                (Some(before), _) => before.clone(),
                (None, Some(after)) => Absence {
                    count: after.count.saturating_sub(1),
                    held: false,
                    removed: false,
                    removed_at: None,
                    ..after.clone()
                },
                (None, None) => continue,
            };
            next.held |= !next.removed && covers(person);
            changes.push(AbsenceChange::Absent(next));
        }
        changes
    }

    fn open_hold(&self) -> Option<&Hold> {
        self.input.standing.hold.as_ref().filter(|hold| hold.state == HoldState::Open)
    }

    /// Counts the seats that an open hold would free, as the plan leaves them: an overage that only they make stays
    /// provisional (R123).
    fn hold_back(&mut self, changes: &[AbsenceChange]) {
        self.pools.iter_mut().for_each(|pool| pool.held_back = 0);
        if self.open_hold().is_none() {
            return;
        }
        let standing = self.input.standing;
        let mut held: BTreeMap<&PersonKey, bool> = standing.absences.iter().map(|a| (&a.person, a.held)).collect();
        for change in changes {
            if let AbsenceChange::Absent(absence) = change {
                held.insert(&absence.person, absence.held);
            }
        }
        for (person, _) in held.into_iter().filter(|(_, held)| *held) {
            let known = self.claims.get(person.as_str()).map(Vec::as_slice);
            let claims = known.unwrap_or_else(|| standing.book.claims_of(person.as_str()));
            for at in claims.iter().filter(|c| c.state.consumes()).filter_map(|c| self.catalog.pool(c.pool)) {
                self.pools[at].held_back += 1;
            }
        }
    }

    /// The removal guard over the people who would lose a seat (R115).
    fn judge(&self) -> Verdict {
        let (book, policy) = (&self.input.standing.book, self.input.policy);
        let limits = policy.limits_on(policy.calendar.day_of(self.input.now));
        let seats = |claims: &[Claim]| claims.iter().filter(|claim| claim.state.consumes()).count();
        let mut base = 0u32;
        let mut removed = 0u32;
        let mut by_org: BTreeMap<&OrgId, (u32, u32)> = BTreeMap::new();
        for at in 0..book.people.len() {
            let claims = book.claims_at(at);
            let Some(first) = claims.iter().find(|claim| claim.state.consumes()) else { continue };
            let loses = self.claims.get(book.key(at)).is_some_and(|after| seats(after) < seats(claims));
            base += 1;
            removed += u32::from(loses);
            let org = by_org.entry(book.names.home_of(first)).or_default();
            org.0 += 1;
            org.1 += u32::from(loses);
        }
        let trip =
            |guard, org, base, removed, limit_percent| Trip { guard, org, collection: None, base, removed, limit_percent };
        if passes_limit(removed.into(), base.into(), limits.removal_percent, limits.removal_min) {
            return Verdict { trips: vec![trip(GuardKind::Removal, None, base, removed, limits.removal_percent)] };
        }
        let trips = by_org.into_iter().filter(|&(_, (base, removed))| {
            base >= limits.org_base_min
                && passes_limit(removed.into(), base.into(), limits.org_removal_percent, limits.removal_min)
        });
        let trips = trips
            .map(|(org, (base, removed))| {
                trip(GuardKind::OrgRemoval, Some(org.clone()), base, removed, limits.org_removal_percent)
            })
            .collect();
        Verdict { trips }
    }
}
