//! The queue: who gets the seats there are, always in the same order (R42), and who waits.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::mem::take;

use crate::base::{ClaimId, Instant, Text, TextArena};
use crate::license::{
    Because, Channel, Claim, ClaimChange, ClaimState, Gate, OrgNameIx, PoolIx, Product, ReasonsIx, SeatAnswer, TermState, Wait,
    admit, queue_order,
};
use crate::plan::action::Withheld;
use crate::plan::catalog::Catalog;
use crate::plan::pools::PoolWork;

/// One way to a seat: a pool, and whether only the reserved part of it is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Position in the list of pools at work.
    pub pool: u16,
    /// The reservation the person draws from, if any.
    pub nearest: Option<u16>,
    /// Only what is reserved; the open part of the pool comes later in the order (R20).
    pub reserved_only: bool,
}

/// Position of a list of candidates, nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way(pub u32);

/// Somebody who wants a seat of a product.
#[derive(Clone, Debug)]
pub struct Contender {
    /// Who, in the plan's people.
    pub person: Text,
    /// Which product.
    pub product: u16,
    /// Weight in the queue.
    pub priority: i32,
    /// Waiting since.
    pub since: Instant,
    /// Home org of the claim.
    pub home: OrgNameIx,
    /// Its reasons.
    pub reasons: ReasonsIx,
    /// Where a seat may come from.
    pub way: Way,
    /// The claim that waits already.
    pub existing: Option<Box<Claim>>,
    /// The claim that the person's removal released; it comes back rather than that a new one is made (R130).
    pub former: Option<Box<Claim>>,
    /// Comes back in no team: seat model `named`, and no rule asks (R33, R93).
    pub as_held: bool,
    /// Holds a seat of the required product whatever this plan does.
    pub has_required: bool,
    /// Why a new claim is made, where it is not simply asked for.
    pub because: Because,
    /// Whether the claim comes by hand (pins) or by sync.
    pub channel: Channel,
}

/// A seat of a product whose required product may be lost in this plan (R12).
#[derive(Clone, Debug)]
pub struct Dependent {
    /// Who.
    pub person: Text,
    /// Of which product.
    pub product: u16,
    /// The claim as it was.
    pub before: Claim,
    /// The claim as it is if the required product is kept.
    pub after: Claim,
    /// Why `after` differs from `before`.
    pub because: Because,
    /// The reservation it draws from.
    pub nearest: Option<u16>,
}

/// A bundle seat to be tried before its members (R14).
#[derive(Clone, Debug)]
pub struct BundleTry {
    /// The bundle.
    pub bundle: Contender,
    /// What is wanted if there is no bundle seat.
    pub members: Vec<Contender>,
}

/// Somebody who takes part. Of a first night there are millions: what comes of it takes the place of what was wanted.
#[derive(Debug)]
enum Entrant {
    /// Before it was played.
    Wants(Contender),
    /// What changes.
    Gets(ClaimChange),
    /// Nothing does.
    Stays,
}

/// Everything that takes part.
#[derive(Debug, Default)]
pub struct Contest {
    /// Lists of candidates by [`Way`].
    pub ways: Vec<Vec<Candidate>>,
    /// Bundles, tried first.
    pub bundles: Vec<BundleTry>,
    /// All others entered person by person, each with a product after the one it requires.
    pub is_by_person: bool,
    /// All others.
    entrants: Vec<Entrant>,
    /// By product, who of these want it.
    queues: Vec<Queue>,
    /// Seats that hang on another product.
    pub dependents: Vec<Dependent>,
}

/// Who wants a product, by their places among all who take part.
#[derive(Debug, Default)]
struct Queue {
    places: Vec<u32>,
    /// They did not enter in the order in which they are served.
    is_mixed: bool,
}

impl Contest {
    /// Lets somebody take part, who is named in `people`.
    pub fn enter(&mut self, contender: Contender, people: &TextArena) {
        let product = usize::from(contender.product);
        if self.queues.len() <= product {
            self.queues.resize_with(product + 1, Queue::default);
        }
        let queue = &mut self.queues[product];
        // While both are at hand: later they lie far apart.
        if let Some(Entrant::Wants(last)) = queue.places.last().and_then(|&last| self.entrants.get(last as usize)) {
            queue.is_mixed |= order(&Place::of(last, people), &Place::of(&contender, people)).is_gt();
        }
        queue.places.push(self.entrants.len() as u32);
        self.entrants.push(Entrant::Wants(contender));
    }
}

/// What the walk collects.
#[derive(Debug, Default)]
pub struct Walked {
    /// Seats and waits that end.
    pub frees: Vec<ClaimChange>,
    /// Claims that change without asking for a seat.
    pub updates: Vec<ClaimChange>,
    /// What is not done, and why.
    pub withheld: Vec<Withheld>,
    /// Who competes.
    pub contest: Contest,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Seats lost because a required product was lost.
    pub frees: Vec<ClaimChange>,
    /// Seats given, claims that wait, claims that changed, of bundles and of those whose seats hang on another product. New
    /// claims have the id 0.
    pub seats: Vec<ClaimChange>,
    /// The same of all others, in the order in which they entered.
    pub entered: Vec<ClaimChange>,
    /// What nobody serves.
    pub withheld: Vec<Withheld>,
}

/// Plays the contest: bundles first, then each product after the one it requires, each in queue order.
pub fn play(
    mut contest: Contest,
    products: &[Product],
    catalog: &Catalog,
    pools: &mut [PoolWork<'_>],
    people: &TextArena,
    now: Instant,
) -> Outcome {
    let mut out = Outcome::default();
    let mut won: BTreeSet<(Text, u16)> = BTreeSet::new();
    let requires = &catalog.requires;
    let needed: Vec<bool> = (0u16..).take(products.len()).map(|at| requires.contains(&Some(at))).collect();

    contest.bundles.sort_by(|a, b| order(&Place::of(&a.bundle, people), &Place::of(&b.bundle, people)));
    let had_bundles = !contest.bundles.is_empty();
    for BundleTry { bundle, members } in take(&mut contest.bundles) {
        match seat_for(&bundle, &contest.ways, pools, people) {
            Some(candidate) => {
                for member in &members {
                    if needed[member.product as usize] {
                        won.insert((bundle.person, member.product));
                    }
                    leave_other_queue(member, pools[candidate.pool as usize].ix, pools, now, &mut out);
                }
                let change = seated(&bundle, candidate, products, pools, (people, now), &mut out);
                out.seats.push(change);
            }
            None => members.into_iter().for_each(|member| contest.enter(member, people)),
        }
    }

    // Where everybody came in the order in which each product is served, all are served as they came, and lie: no pool is of
    // two products, and somebody's wait for one depends on nobody else's for another.
    let came_in_order = contest.is_by_person && !had_bundles && contest.queues.iter().all(|queue| !queue.is_mixed);
    let Contest { ways, mut entrants, mut queues, dependents, .. } = contest;
    queues.resize_with(products.len(), Queue::default);
    if came_in_order
        && dependents.is_empty()
        && let Some(&first) = catalog.order.first()
    {
        queues.fill_with(Queue::default);
        queues[usize::from(first)].places = (0..entrants.len() as u32).collect();
    }
    for &product in &catalog.order {
        for dependent in dependents.iter().filter(|d| d.product == product) {
            let kept = requires[product as usize].is_none_or(|r| won.contains(&(dependent.person, r)));
            if kept && needed[product as usize] {
                won.insert((dependent.person, product));
            }
            settle(dependent, kept, pools, now, &mut out);
        }
        for at in in_order(take(&mut queues[usize::from(product)]), &entrants, people) {
            let entrant = &mut entrants[at as usize];
            let Entrant::Wants(contender) = &*entrant else { continue };
            let product = contender.product;
            if ways[contender.way.0 as usize].is_empty() {
                out.withheld.push(Withheld {
                    person: contender.person,
                    product: Some(product),
                    pool: None,
                    because: Because::NoPool,
                });
                leave_queue(contender, Because::NoPool, pools, now, &mut out);
                *entrant = Entrant::Stays;
                continue;
            }
            let ready = match requires[product as usize] {
                Some(required) => contender.has_required || won.contains(&(contender.person, required)),
                None => true,
            };
            let change = match seat_for(contender, &ways, pools, people).filter(|_| ready) {
                Some(candidate) => {
                    if needed[product as usize] {
                        won.insert((contender.person, product));
                    }
                    Some(seated(contender, candidate, products, pools, (people, now), &mut out))
                }
                None => queued(contender, ready, &ways, pools, (people, now), &mut out),
            };
            *entrant = change.map_or(Entrant::Stays, Entrant::Gets);
        }
    }
    // One is as large as the other: the list stays where it is.
    let gets = |entrant| if let Entrant::Gets(change) = entrant { Some(change) } else { None };
    out.entered = entrants.into_iter().filter_map(gets).collect();
    out
}

/// What a contender's place in the queue depends on.
struct Place<'a> {
    /// Had a seat until it was suspended.
    returns: bool,
    priority: i32,
    since: Instant,
    person: &'a str,
}

impl<'a> Place<'a> {
    fn of(contender: &Contender, people: &'a TextArena) -> Self {
        let &Contender { priority, since, person, .. } = contender;
        let returns = contender.existing.as_deref().is_some_and(|claim| claim.state == ClaimState::Suspended);
        Self { returns, priority, since, person: people.get(person) }
    }
}

/// Who had a seat until it was suspended comes before who only waits (R40, R93).
fn order(a: &Place<'_>, b: &Place<'_>) -> Ordering {
    let in_queue = || queue_order((a.priority, a.since, a.person), (b.priority, b.since, b.person));
    b.returns.cmp(&a.returns).then_with(in_queue)
}

/// Puts a queue in the order in which it is served. Most enter in that order.
fn in_order(queue: Queue, entrants: &[Entrant], people: &TextArena) -> Vec<u32> {
    if !queue.is_mixed {
        return queue.places;
    }
    let place = |at: u32| match &entrants[at as usize] {
        Entrant::Wants(contender) => Some(Place::of(contender, people)),
        Entrant::Gets(_) | Entrant::Stays => None,
    };
    // They lie far apart: each is looked at once.
    let mut places: Vec<(Place<'_>, u32)> = queue.places.into_iter().filter_map(|at| Some((place(at)?, at))).collect();
    places.sort_by(|(a, _), (b, _)| order(a, b));
    places.into_iter().map(|(_, at)| at).collect()
}

/// The first candidate with a seat; where there is none, the first whose policy goes over (R48).
fn seat_for(contender: &Contender, ways: &[Vec<Candidate>], pools: &[PoolWork<'_>], people: &TextArena) -> Option<Candidate> {
    let person = people.get(contender.person);
    let way = &ways[contender.way.0 as usize];
    let nearest = |c: &Candidate| c.nearest.map(usize::from);
    let room = |c: &Candidate| {
        let pool = &pools[c.pool as usize];
        if returns_to(contender, pool) { pool.room_again(person, nearest(c)) } else { pool.room(person, nearest(c)) }
    };
    let is_free =
        |c: &&Candidate| room(c).is_free() && (!c.reserved_only || pools[c.pool as usize].has_reserved_seat(nearest(c)));
    let former = contender.former.as_deref();
    let same = former.and_then(|f| way.iter().filter(|c| f.pool == pools[c.pool as usize].ix).find(is_free));
    same.or_else(|| way.iter().find(is_free))
        .or_else(|| {
            way.iter()
                .find(|c| admit(contender.channel, false, &room(c), pools[c.pool as usize].pool.on_full) == SeatAnswer::Seat)
        })
        .copied()
}

/// Whether it is the contender's own suspended claim that a seat of the pool would bring back.
fn returns_to(contender: &Contender, work: &PoolWork<'_>) -> bool {
    contender.existing.as_deref().is_some_and(|claim| claim.state == ClaimState::Suspended && claim.pool == work.ix)
}

fn seated(
    contender: &Contender,
    candidate: Candidate,
    products: &[Product],
    pools: &mut [PoolWork<'_>],
    (people, now): (&TextArena, Instant),
    out: &mut Outcome,
) -> ClaimChange {
    let pending = products[contender.product as usize].needs_acceptance;
    let work = &mut pools[candidate.pool as usize];
    let returns = returns_to(contender, work);
    let state = match contender.existing.as_deref() {
        _ if contender.as_held => ClaimState::Held,
        // Who had accepted is not invited again.
        Some(claim) if returns && claim.wait != Wait::Acceptance => ClaimState::Active,
        _ if pending => ClaimState::Pending,
        _ => ClaimState::Active,
    };
    let nearest = candidate.nearest.map(usize::from);
    let same_pool = contender.existing.as_deref().filter(|claim| claim.pool == work.ix);
    work.takes(people.get(contender.person));
    work.shift(same_pool.map(|claim| (claim.state, nearest)), Some((state, nearest)));
    let pool = work.ix;
    let former = contender.former.as_deref().filter(|claim| claim.pool == pool);
    let because = match (&contender.existing, former) {
        (Some(_), _) if returns => Because::Reinstated,
        (Some(_), _) => Because::SeatFreed,
        (None, Some(_)) => Because::Returned,
        (None, None) => contender.because,
    };
    leave_other_queue(contender, pool, pools, now, out);
    change(contender, same_pool.or(former), pool, state, Wait::Nothing, because, now)
}

/// A wait in one pool ends when the person is served, or waits, in another.
fn leave_other_queue(contender: &Contender, pool: PoolIx, pools: &mut [PoolWork<'_>], now: Instant, out: &mut Outcome) {
    if contender.existing.as_deref().is_some_and(|claim| claim.pool != pool) {
        leave_queue(contender, Because::PoolMoved, pools, now, out);
    }
}

/// The person stops waiting where the person waits.
fn leave_queue(contender: &Contender, because: Because, pools: &mut [PoolWork<'_>], now: Instant, out: &mut Outcome) {
    let Some(existing) = contender.existing.as_deref() else { return };
    if let Some(work) = pools.iter_mut().find(|work| work.ix == existing.pool) {
        work.shift(Some((existing.state, None)), None);
    }
    out.frees.push(ClaimChange {
        person: contender.person,
        because,
        before: Some(Box::new(*existing)),
        after: Claim { state: ClaimState::Released, wait: Wait::Nothing, changed: now, ..*existing },
    });
}

fn queued(
    contender: &Contender,
    ready: bool,
    ways: &[Vec<Candidate>],
    pools: &mut [PoolWork<'_>],
    (people, now): (&TextArena, Instant),
    out: &mut Outcome,
) -> Option<ClaimChange> {
    let person = people.get(contender.person);
    // A wait stays where it is as long as that pool is on the way: moving it would gain nobody anything.
    let way = &ways[contender.way.0 as usize];
    let waits_in = |c: &&Candidate| contender.existing.as_deref().is_some_and(|claim| claim.pool == pools[c.pool as usize].ix);
    let place = way.iter().find(waits_in).unwrap_or(&way[0]);
    let work = &mut pools[place.pool as usize];
    let again = returns_to(contender, work);
    let gate = if again { work.room_again(person, None).gate } else { work.room(person, None).gate };
    let (wait, because) = match gate {
        _ if !ready => (Wait::Access, Because::NeedsAccess),
        Gate::Open => (Wait::Seat, Because::PoolFull),
        Gate::YearFull => (Wait::Seat, Because::ReuseExceeded),
        Gate::NoNew(TermState::InGrace) => (Wait::Seat, Because::InGrace),
        Gate::NoNew(_) | Gate::Shut => (Wait::Seat, Because::NoTerm),
    };
    out.withheld.push(Withheld { person: contender.person, product: Some(contender.product), pool: Some(work.ix), because });
    // Suspended stays suspended as long as the pool has no term for it, or if only the seat itself is wanted back.
    if again && (gate != Gate::Open || contender.as_held) {
        return None;
    }
    let same_pool = contender.existing.as_deref().filter(|claim| claim.pool == work.ix);
    match same_pool {
        Some(claim) if claim.state == ClaimState::Waiting => {}
        other => work.shift(other.map(|claim| (claim.state, None)), Some((ClaimState::Waiting, None))),
    }
    let former = contender.former.as_deref().filter(|claim| claim.pool == work.ix);
    let changed = change(contender, same_pool.or(former), work.ix, ClaimState::Waiting, wait, because, now);
    let pool = work.ix;
    leave_other_queue(contender, pool, pools, now, out);
    Some(changed).filter(|changed| changed.before.as_deref() != Some(&changed.after))
}

fn change(
    contender: &Contender,
    before: Option<&Claim>,
    pool: PoolIx,
    state: ClaimState,
    wait: Wait,
    because: Because,
    now: Instant,
) -> ClaimChange {
    let changed = before.filter(|b| b.state == state).map_or(now, |b| b.changed);
    ClaimChange {
        person: contender.person,
        because,
        before: before.map(|b| Box::new(*b)),
        after: Claim {
            id: before.map_or(ClaimId(0), |b| b.id),
            since: contender.since,
            changed,
            home: contender.home,
            reasons: contender.reasons,
            priority: contender.priority,
            pool,
            state,
            channel: before.map_or(contender.channel, |b| b.channel),
            wait,
        },
    }
}

/// Keeps a seat whose required product is kept; turns it into a wait for access otherwise.
fn settle(dependent: &Dependent, kept: bool, pools: &mut [PoolWork<'_>], now: Instant, out: &mut Outcome) {
    let Dependent { person, product, before, after, because, nearest } = dependent;
    let before_box = Some(Box::new(*before));
    if kept {
        if before != after {
            out.seats.push(ClaimChange { person: *person, because: *because, before: before_box, after: *after });
        }
        return;
    }
    // Whoever loses it is told of, as in every run after this one (R109).
    let (product, pool, because) = (Some(*product), Some(before.pool), Because::NeedsAccess);
    out.withheld.push(Withheld { person: *person, product, pool, because });
    let waiting = Claim { state: ClaimState::Waiting, wait: Wait::Access, changed: now, ..*after };
    let nearest = nearest.map(usize::from);
    if let Some(work) = pools.iter_mut().find(|work| work.ix == before.pool) {
        work.shift(Some((after.state, nearest)), Some((ClaimState::Waiting, None)));
    }
    out.frees.push(ClaimChange { person: *person, because: Because::NeedsAccess, before: before_box, after: waiting });
}

#[cfg(test)]
mod tests;
