//! Terms at work: when a pool moves on in its chain, and what that does to claims, books and notices (R90 to R94).

use crate::base::{Actor, Instant};
use crate::license::{
    Claim, ClaimState, Entry, Grant, GrantKind, Phase, PoolIx, Term, TermState, Wait, carried_over, grace_end, last_day,
    next_phase_change, phase_at, term_grant,
};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::{Policy, Standing};
use crate::plan::license_year::reuse_rolls;
use crate::plan::pools::PoolWork;
use crate::plan::renewed::renewed_in_grace;

/// The phase of each pool of the policy as last written down.
pub fn phases_recorded(policy: &Policy, standing: &Standing) -> Vec<Phase> {
    policy.pools.iter().map(|pool| standing.phases.get(&pool.id).cloned().unwrap_or(Phase::UNBOUND)).collect()
}

/// The phase of each pool of the policy at an instant.
pub fn phases_at(policy: &Policy, standing: &Standing, at: Instant) -> Vec<Phase> {
    policy.pools.iter().map(|pool| phase_at(&standing.chain, pool, at)).collect()
}

/// The earliest instant up to `now` at which a pool moved on and nobody wrote it down: the true instant, however late it
/// is noticed. What somebody recorded about the past counts from its recording.
pub fn phase_due(policy: &Policy, standing: &Standing, now: Instant) -> Option<Instant> {
    let due = policy.pools.iter().filter_map(|pool| {
        let chain = || standing.chain.iter().filter(|term| term.pool == pool.id);
        let recorded = standing.phases.get(&pool.id).unwrap_or(&Phase::UNBOUND);
        let newest = chain().map(|term| term.recorded).max()?;
        let settled = recorded.since.max(newest);
        next_phase_change(&standing.chain, pool, settled, now)
            .or_else(|| (phase_at(&standing.chain, pool, now) != *recorded).then_some(now))
    });
    let rolls = policy.pools.iter().filter_map(|pool| reuse_rolls(pool, standing)).filter(|rolls| *rolls <= now);
    due.chain(rolls).min()
}

/// Claims that lose their seat because the pool's grace is over: as they were, and suspended. An open invitation is
/// remembered.
pub fn suspended(claims: &[Claim], is_shut: impl Fn(PoolIx) -> bool, now: Instant) -> Vec<(Claim, Claim)> {
    let lost = claims.iter().filter(|claim| claim.state.consumes() && is_shut(claim.pool));
    lost.map(|claim| {
        let wait = if claim.state == ClaimState::Pending { Wait::Acceptance } else { Wait::Nothing };
        (*claim, Claim { state: ClaimState::Suspended, wait, changed: now, ..*claim })
    })
    .collect()
}

/// What to write down and to tell of pools that moved on.
pub fn moves(pools: &[PoolWork<'_>], standing: &Standing, now: Instant) -> (Vec<Entry>, Vec<Notice>) {
    let (mut entries, mut notices) = (Vec::new(), Vec::new());
    for work in pools {
        let before = standing.phases.get(&work.pool.id).unwrap_or(&Phase::UNBOUND);
        if *before == work.phase {
            continue;
        }
        entries.push(Entry::Phase { pool: work.pool.id.clone(), phase: work.phase.clone() });
        if (before.state, &before.term) != (work.phase.state, &work.phase.term) {
            notices.extend(notice(work, before, now));
            notices.extend(renewed_in_grace(work.pool, before, &work.phase, now));
            notices.extend(carried(work, standing));
        }
    }
    (entries, notices)
}

/// A renewal that says nothing of seats and starts with a tier upgrade of the term before it is flagged (R80).
fn carried(work: &PoolWork<'_>, standing: &Standing) -> Option<Notice> {
    let pool = &work.pool.id;
    let running = |term: &&Term| work.phase.state == TermState::Current && Some(&term.id) == work.phase.term.as_ref();
    let term = standing.chain.iter().find(running).filter(|term| term.seats.is_none())?;
    let (seats, upgraded) = carried_over(&standing.chain, &standing.grants, term);
    upgraded.then(|| Notice {
        key: format!("{}/{pool}/{}", NoticeKind::RenewalCarriedOver.word(), term.id),
        kind: NoticeKind::RenewalCarriedOver,
        pool: Some(pool.clone()),
        source: None,
        text: format!(
            "The renewal {} of pool {pool} names no seats: the {seats} it ended with carry over, a tier upgrade among them.",
            term.id
        ),
    })
}

fn notice(work: &PoolWork<'_>, before: &Phase, now: Instant) -> Option<Notice> {
    let (pool, phase) = (work.pool, &work.phase);
    let counts = |state| work.counts.of(state);
    let ended = last_day(pool, phase.term_end);
    let (kind, text) = match (before.state, phase.state) {
        (_, TermState::InGrace) => (
            NoticeKind::TermEnded,
            format!(
                "The term of pool {} ended on {ended} and has no successor: its {} people keep access until the end of {}; nobody new gets a seat.",
                pool.id,
                work.counts.used(),
                last_day(pool, grace_end(pool, phase.term_end))
            ),
        ),
        (_, TermState::Expired) => (
            NoticeKind::Suspended,
            format!(
                "Pool {} has no term any more (the last one ended on {ended}): {} claims are suspended; a renewal brings them back.",
                pool.id,
                counts(ClaimState::Suspended)
            ),
        ),
        (TermState::Expired, TermState::Current | TermState::Unbound) => (
            NoticeKind::Reinstated,
            format!(
                "Pool {} has a term again: {} seats are in use, {} people wait.",
                pool.id,
                work.counts.used(),
                counts(ClaimState::Waiting)
            ),
        ),
        _ => return None,
    };
    let term = phase.term.as_ref().map_or("", |term| term.as_str());
    let key = format!("{}/{}/{term}/{now}", kind.word(), pool.id);
    Some(Notice { key, kind, pool: Some(pool.id.clone()), source: None, text })
}

/// Grants of renewals that said nothing of seats and whose time has come (R80).
pub fn carried_grants(policy: &Policy, standing: &Standing, now: Instant) -> Vec<Grant> {
    let carried = policy.pools.iter().filter_map(|pool| {
        let phase = phase_at(&standing.chain, pool, now);
        let silent = |term: &&Term| Some(&term.id) == phase.term.as_ref() && term.seats.is_none();
        let term = standing.chain.iter().find(silent).filter(|_| phase.state == TermState::Current)?;
        if standing.grants.iter().any(|grant| grant.id == term.id) {
            return None;
        }
        let (seats, _) = carried_over(&standing.chain, &standing.grants, term);
        let told = Term { seats: Some(seats), recorded: now, by: Actor::system(), ..term.clone() };
        term_grant(&told, GrantKind::Renewal)
    });
    carried.collect()
}
