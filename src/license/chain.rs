//! Terms of a pool: a chain of half-open periods that never overlap, and where in it an instant lies (R18, R87, R90).
//!
//! A term says how long; grants say how many. A term with seats is recorded together with a grant of the same id over the
//! same period. When a term ends without a successor, the allowance stays what it was at the term's last moment until
//! grace is over: people keep their seats, and nothing that only ended with the term makes them an overage. After grace a
//! pool has no seats at all.

use crate::base::{Actor, Day, GrantId, Instant, PoolId, Seats};
use crate::license::allowance::allowance_at;
use crate::license::books::Allowance;
use crate::license::grant::{AgreedExcess, Grant, GrantKind};
use crate::license::pool::Pool;
use crate::license::renewal::TermRules;
use crate::license::term::{license_year, overlaps};
use crate::license::tier::Quote;

/// One contract period of a pool. The newest record of an id counts; the trail keeps those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Its id, unique among the customer's terms; the grant of its seats has the same.
    pub id: GrantId,
    /// The pool.
    pub pool: PoolId,
    /// Its first instant …
    pub from: Instant,
    /// … and the first after it: its last day ends where the pool is (R87). A term with `to == from` was withdrawn.
    pub to: Instant,
    /// How many seats it brings; `None`: what ends with the term before it carries over (R80).
    pub seats: Option<Seats>,
    /// When this was written down.
    pub recorded: Instant,
    /// By whom.
    pub by: Actor,
    /// The order or letter it rests on; no personal data.
    pub reference: String,
}

/// Where a pool is in its chain of terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TermState {
    /// It has no terms and never expires.
    Unbound,
    /// Its first term is still to come: who has a seat keeps it, nobody gets one.
    NotStarted,
    /// A term runs.
    Current,
    /// A term ended without a successor; access continues for some days (R90).
    InGrace,
    /// Grace is over, or the next term has not started yet: claims are suspended (R93).
    Expired,
}

impl TermState {
    /// All states, in the order of their codes.
    pub const ALL: [TermState; 5] =
        [TermState::Unbound, TermState::NotStarted, TermState::Current, TermState::InGrace, TermState::Expired];

    /// The state's word.
    pub fn word(self) -> &'static str {
        match self {
            TermState::Unbound => "unbound",
            TermState::NotStarted => "not_started",
            TermState::Current => "current",
            TermState::InGrace => "in_grace",
            TermState::Expired => "expired",
        }
    }
}

/// Who may be given a seat, as far as terms go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anybody.
    Open,
    /// Nobody new; who has a seat, or had one until it was suspended, may have it (R91).
    NoNew(TermState),
    /// Nobody (R93).
    Shut,
}

/// The stretch of the chain that an instant lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// What it is.
    pub state: TermState,
    /// The term that runs, or ended last.
    pub term: Option<GrantId>,
    /// Since when.
    pub since: Instant,
    /// When that term ends, or ended; [`Instant::MAX`] without one.
    pub term_end: Instant,
}

impl Phase {
    /// Of a pool without terms.
    pub const UNBOUND: Phase = Phase { state: TermState::Unbound, term: None, since: Instant::MIN, term_end: Instant::MAX };

    /// The instant whose grants count for what happens at `at`; `None`: none do. A pool stays at its term's last moment
    /// until somebody writes down that it moved on, so that nothing is an overage that only ended with the term.
    pub fn counting(&self, at: Instant) -> Option<Instant> {
        match self.state {
            TermState::Unbound | TermState::NotStarted => Some(at),
            TermState::Current | TermState::InGrace => Some(at.min(self.term_end.plus_millis(-1))),
            TermState::Expired => None,
        }
    }

    /// Who may be given a seat.
    pub fn gate(&self, rules: &TermRules) -> Gate {
        match self.state {
            TermState::Unbound | TermState::Current => Gate::Open,
            TermState::InGrace if rules.grace_allows_new => Gate::Open,
            TermState::NotStarted | TermState::InGrace => Gate::NoNew(self.state),
            TermState::Expired => Gate::Shut,
        }
    }
}

/// The terms of a pool in their order; those that were withdrawn are left out.
pub fn chain_of<'a>(terms: &'a [Term], pool: &PoolId) -> Vec<&'a Term> {
    let mut chain: Vec<&Term> = terms.iter().filter(|term| term.pool == *pool && term.from < term.to).collect();
    chain.sort_by_key(|term| (term.from, term.to));
    chain
}

/// The last day of a period that ends before `to`, where the pool is.
pub fn last_day(pool: &Pool, to: Instant) -> Day {
    pool.calendar.day_of(to.plus_millis(-1))
}

/// The instant at which grace ends after a term that ended at `to`: at the end of the last of its days (R90).
pub fn grace_end(pool: &Pool, to: Instant) -> Instant {
    let days = i32::try_from(pool.renewal.grace_days).unwrap_or(i32::MAX);
    pool.calendar.end_of(last_day(pool, to).plus(days))
}

/// The phase that `at` lies in, by the terms given; those of other pools are left out.
pub fn phase_at(terms: &[Term], pool: &Pool, at: Instant) -> Phase {
    let chain = chain_of(terms, &pool.id);
    let Some(first) = chain.first() else { return Phase::UNBOUND };
    if at < first.from {
        return Phase { state: TermState::NotStarted, ..Phase::UNBOUND };
    }
    let begun = chain.partition_point(|term| term.from <= at);
    let term = chain[begun - 1];
    let phase = |state, since| Phase { state, term: Some(term.id.clone()), since, term_end: term.to };
    let suspends = grace_end(pool, term.to);
    if at < term.to {
        phase(TermState::Current, term.from)
    } else if at < suspends {
        phase(TermState::InGrace, term.to)
    } else {
        phase(TermState::Expired, suspends)
    }
}

/// The first instant in `(after, until]` at which a pool's phase changes.
pub fn next_phase_change(terms: &[Term], pool: &Pool, after: Instant, until: Instant) -> Option<Instant> {
    let chain = chain_of(terms, &pool.id);
    let edges = chain.iter().flat_map(|term| [term.from, term.to, grace_end(pool, term.to)]);
    let mut edges: Vec<Instant> = edges.filter(|edge| after < *edge && *edge <= until).collect();
    edges.sort_unstable();
    edges.into_iter().find(|&edge| phase_at(terms, pool, edge) != phase_at(terms, pool, edge.plus_millis(-1)))
}

/// The first two terms of a pool that overlap, by position in its chain (R18).
pub fn overlapping_terms(terms: &[Term], pool: &PoolId) -> Option<(GrantId, GrantId)> {
    let chain = chain_of(terms, pool);
    let periods: Vec<(Instant, Instant)> = chain.iter().map(|term| (term.from, term.to)).collect();
    overlaps(&periods).map(|(one, other)| (chain[one].id.clone(), chain[other].id.clone()))
}

/// The allowance of a pool in a phase: what the grants give at the instant that counts (R16, R90).
pub fn allowance_in(phase: &Phase, pool: &Pool, grants: &[Grant], agreed: &[AgreedExcess], at: Instant) -> Allowance {
    match phase.counting(at) {
        Some(at) => allowance_at(pool, grants, agreed, at),
        None => Allowance { seats: (!pool.unlimited).then_some(Seats(0)), agreed: Seats(0) },
    }
}

/// From where the license years of a pool are counted: its anchor, or else where its first term starts (R18).
pub fn year_anchor(pool: &Pool, chain: &[Term]) -> Option<Day> {
    pool.anchor.or_else(|| chain_of(chain, &pool.id).first().map(|term| pool.calendar.day_of(term.from)))
}

/// The step on a pool's ladder that is on offer at an instant, in a phase of its terms and with license years counted
/// from `anchor` (R78, R79).
pub fn tier_on_offer(
    pool: &Pool,
    (phase, anchor): (&Phase, Option<Day>),
    (allowance, used): (Seats, Seats),
    at: Instant,
) -> Option<Quote> {
    let day = pool.calendar.day_of(at);
    let term_end = if phase.term_end == Instant::MAX { Day::MAX } else { pool.calendar.day_of(phase.term_end) };
    let year = anchor.map(|anchor| license_year(anchor, day));
    pool.clauses.ladder.quote(allowance, used, year, term_end, day)
}

/// Seats that a term without a number takes over: those of grants that were in force when the term before it ended and
/// are no longer when it starts, or are taken back from its end on because it was cut short (R80). Also tells whether a
/// tier upgrade is among them: the renewal is flagged then.
pub fn carried_over(terms: &[Term], grants: &[Grant], term: &Term) -> (Seats, bool) {
    let chain = chain_of(terms, &term.pool);
    let Some(before) = chain.iter().rev().find(|other| other.to <= term.from && other.id != term.id) else {
        return (Seats(0), false);
    };
    let last = before.to.plus_millis(-1);
    let own = || grants.iter().filter(|g| g.pool == term.pool);
    let in_force = |g: &&Grant| g.from <= last && last < g.to;
    let is_cut = |g: &&Grant| g.is_correction_of(&before.id) && last < g.from && g.from <= term.from && term.from < g.to;
    let ended: i128 = own().filter(in_force).filter(|g| g.to <= term.from).map(|g| i128::from(g.seats)).sum();
    let cut: i128 = own().filter(is_cut).map(|g| i128::from(g.seats)).sum();
    let seats = (ended - cut).max(0);
    // One that was prolonged with its term goes on as a correction of the term.
    let lasts = |g: &Grant| last < g.to || own().filter(in_force).any(|c| c.is_correction_of(&before.id) && c.from == g.to);
    let is_upgrade = |g: &&Grant| g.kind == GrantKind::TierUpgrade && g.seats > 0;
    let upgraded = own().filter(is_upgrade).any(|g| before.from <= g.from && g.from <= last && lasts(g));
    (Seats(u32::try_from(seats).unwrap_or(u32::MAX)), upgraded && seats > 0)
}

/// The grant that a new term brings; `None` if it says nothing of seats, or zero.
pub fn term_grant(term: &Term, kind: GrantKind) -> Option<Grant> {
    let seats = i64::from(term.seats.unwrap_or_default().0);
    let has_any = seats != 0 && term.from < term.to;
    has_any.then(|| granted(term, term.id.clone(), kind, (seats, term.from, term.to)))
}

/// The grants that a correction of a term brings beside those it had: `old` is the term as it was recorded, with the seats
/// it has had. Tiers that were taken in it last as long as it does (R80). `grants`: all of the customer.
pub fn term_corrections((old, had): (&Term, Seats), term: &Term, grants: &[Grant]) -> Vec<Grant> {
    let is_of_term = |g: &Grant| g.id == old.id || g.is_correction_of(&old.id);
    let of_pool = || grants.iter().filter(|g| g.pool == old.pool);
    // As long as it ever was: a tier may have been taken where it was cut away later.
    let end = of_pool().filter(|g| is_of_term(g)).map(|g| g.to).fold(old.to, Instant::max);
    let in_term = |g: &Grant| old.from <= g.from && g.from < end;
    let is_taken = |g: &Grant| g.kind == GrantKind::TierUpgrade && g.by == Actor::system() && in_term(g);
    let own: Vec<&Grant> = of_pool().filter(|g| is_of_term(g) || is_taken(g)).collect();
    let sum = |at: Instant| own.iter().filter(|g| g.from <= at && at < g.to).map(|g| g.seats).sum::<i64>();
    let seats = i64::from(term.seats.unwrap_or(had).0);
    let wanted = |at: Instant| {
        let tiers = if old.from <= at { sum(at.min(old.to.plus_millis(-1))) - i64::from(had.0) } else { 0 };
        if term.from <= at && at < term.to { seats + tiers } else { 0 }
    };
    let edges = own.iter().flat_map(|g| [g.from, g.to]).chain([old.from, old.to, term.from, term.to]);
    let mut edges: Vec<Instant> = edges.collect();
    edges.sort_unstable();
    edges.dedup();
    let mut changes: Vec<(i64, Instant, Instant)> = Vec::new();
    for pair in edges.windows(2) {
        let change = wanted(pair[0]) - sum(pair[0]);
        match changes.last_mut() {
            Some((seats, _, to)) if *seats == change && *to == pair[0] => *to = pair[1],
            _ => changes.push((change, pair[0], pair[1])),
        }
    }
    let ids = (2u32..).map(|number| GrantId::new(format!("{}-{number}", term.id)));
    let mut free = ids.filter(|id| !grants.iter().any(|grant| grant.id == *id));
    let changes = changes.into_iter().filter(|(seats, ..)| *seats != 0);
    changes.filter_map(|change| Some(granted(term, free.next()?, GrantKind::Correction, change))).collect()
}

fn granted(term: &Term, id: GrantId, kind: GrantKind, (seats, from, to): (i64, Instant, Instant)) -> Grant {
    let Term { pool, recorded, by, reference, .. } = term.clone();
    Grant { id, pool, seats, from, to, recorded, by, kind, reference }
}

#[cfg(test)]
mod tests;
