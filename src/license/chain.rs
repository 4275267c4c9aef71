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
use crate::license::term::overlaps;

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

/// Who may be given a seat, as far as terms and license years go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Anybody.
    Open,
    /// Nobody new; who has a seat, or had one until it was suspended, may have it (R91).
    NoNew(TermState),
    /// Nobody new to the license year, whose seats went to other people as often as they may (R85).
    YearFull,
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

/// Seats that a term without a number takes over: those of grants that were in force when the term before it ended and
/// are no longer when it starts (R80). Also tells whether a tier upgrade is among them: the renewal is flagged then.
pub fn carried_over(terms: &[Term], grants: &[Grant], term: &Term) -> (Seats, bool) {
    let chain = chain_of(terms, &term.pool);
    let before = chain.iter().rev().find(|other| other.to <= term.from && other.id != term.id);
    let Some(last) = before.map(|before| before.to.plus_millis(-1)) else { return (Seats(0), false) };
    let runs_out = |g: &&Grant| g.pool == term.pool && g.from <= last && last < g.to && g.to <= term.from;
    let seats: i128 = grants.iter().filter(runs_out).map(|grant| i128::from(grant.seats)).sum();
    let upgraded = grants.iter().filter(runs_out).any(|grant| grant.kind == GrantKind::TierUpgrade && grant.seats > 0);
    (Seats(u32::try_from(seats.max(0)).unwrap_or(u32::MAX)), upgraded && seats > 0)
}

/// The grants that a term brings, or that a correction of it brings beside those it had: `before` is the term as it was
/// recorded, with the seats it has had. Ids are the term's own, then numbered ones that `is_taken` does not know.
pub fn term_grants(
    before: Option<(&Term, Seats)>,
    term: &Term,
    kind: GrantKind,
    is_taken: impl Fn(&GrantId) -> bool,
) -> Vec<Grant> {
    let had = |at: Instant| before.filter(|(old, _)| old.from <= at && at < old.to).map_or(0, |(_, seats)| i64::from(seats.0));
    let seats = term.seats.or(before.map(|(_, seats)| seats)).unwrap_or_default();
    let has = |at: Instant| if term.from <= at && at < term.to { i64::from(seats.0) } else { 0 };
    let mut edges: Vec<Instant> = before.iter().flat_map(|(old, _)| [old.from, old.to]).chain([term.from, term.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut number = 1;
    let mut id = || {
        loop {
            let id = if number == 1 { term.id.clone() } else { GrantId::new(format!("{}-{number}", term.id)) };
            number += 1;
            if !is_taken(&id) {
                return id;
            }
        }
    };
    let changes = edges.windows(2).map(|pair| (has(pair[0]) - had(pair[0]), pair[0], pair[1]));
    let changes: Vec<_> = changes.filter(|(seats, ..)| *seats != 0).collect();
    let grant = |(seats, from, to)| Grant {
        id: id(),
        pool: term.pool.clone(),
        seats,
        from,
        to,
        recorded: term.recorded,
        by: term.by.clone(),
        kind: if before.is_some() { GrantKind::Correction } else { kind },
        reference: term.reference.clone(),
    };
    changes.into_iter().map(grant).collect()
}

#[cfg(test)]
mod tests;
