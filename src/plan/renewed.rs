//! Terms that follow one of whose end somebody was told: that closes what they were told (R151).

use crate::base::{GrantId, Instant};
use crate::license::{Phase, Pool, Term, TermState, chain_of, last_day, phase_at};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::{Policy, Standing};
use crate::plan::remind::reminder_key;

/// What is to be told of a renewal that was recorded while a term ran.
pub struct Renewal {
    /// The notice; once told, it is not told again.
    pub notice: Notice,
    /// It is told if a notice with one of these keys was.
    pub told: Vec<String>,
}

/// The renewals of pools that are to be told if a reminder was that they were due: of the term that runs, and of the one before
/// it, for whoever recorded it may have died before he told. A term that runs and was made longer renews itself.
pub fn renewals(policy: &Policy, standing: &Standing, now: Instant) -> Vec<Renewal> {
    let of_pool = |pool: &Pool| {
        let phase = phase_at(&standing.chain, pool, now);
        let chain = chain_of(&standing.chain, &pool.id);
        let at = chain.iter().position(|term| phase.state == TermState::Current && Some(&term.id) == phase.term.as_ref());
        let pairs = chain.windows(2).enumerate().filter(move |(first, _)| at == Some(*first) || at == Some(first + 1));
        let longer = chain.last().filter(|_| at.is_some_and(|at| at + 1 == chain.len()));
        let longer = longer.and_then(|term| extension(pool, standing.phases.get(&pool.id)?, term));
        pairs.filter_map(|(_, pair)| renewal(pool, pair[0], pair[1])).chain(longer).collect::<Vec<_>>()
    };
    policy.pools.iter().flat_map(of_pool).collect()
}

/// Of the last term of a pool, which runs, if it ends later than was last written down.
fn extension(pool: &Pool, before: &Phase, term: &Term) -> Option<Renewal> {
    let runs = before.state == TermState::Current && before.term.as_ref() == Some(&term.id);
    if !runs || term.to <= before.term_end {
        return None;
    }
    let last = last_day(pool, before.term_end);
    let told =
        pool.renewal.remind_days.iter().map(|days| reminder_key(NoticeKind::RenewalDue, pool, term, last, *days)).collect();
    // Each time that it was made longer is told.
    let key = format!("{}/{}/{}/longer/{}", NoticeKind::Renewed.word(), pool.id, term.id, term.recorded);
    Some(Renewal { notice: notice(pool, key, runs_until(pool, &term.id, term.to)), told })
}

fn renewal(pool: &Pool, term: &Term, next: &Term) -> Option<Renewal> {
    let last = last_day(pool, term.to);
    let could_be_told = |days: &&u32| {
        let due = pool.calendar.start_of(last.plus(-i32::try_from(**days).unwrap_or(i32::MAX)));
        term.recorded < due && due <= next.recorded && next.recorded < term.to
    };
    let days = pool.renewal.remind_days.iter().filter(could_be_told);
    let told: Vec<String> = days.map(|days| reminder_key(NoticeKind::RenewalDue, pool, term, last, *days)).collect();
    let text =
        format!("Pool {} is renewed: term {} follows {} and ends on {}.", pool.id, next.id, term.id, last_day(pool, next.to));
    // Who takes the renewal back and records another is told of that, too.
    let key = format!("{}/{}/{}/{}", NoticeKind::Renewed.word(), pool.id, term.id, next.id);
    (!told.is_empty()).then(|| Renewal { notice: notice(pool, key, text), told })
}

/// A pool that was in grace, of which it was told, and at an instant is so no longer: a term runs again, or none bounds it any
/// more. It may fall back into grace and leave it again: each time is told.
pub fn renewed_in_grace(pool: &Pool, before: &Phase, phase: &Phase, now: Instant) -> Option<Notice> {
    let ended = before.term.as_ref().filter(|_| before.state == TermState::InGrace)?;
    let text = match (phase.state, &phase.term) {
        (TermState::Current, Some(term)) => runs_until(pool, term, phase.term_end),
        (TermState::Unbound, _) => format!("Pool {} is no longer in grace: no term bounds it any more.", pool.id),
        _ => return None,
    };
    Some(notice(pool, format!("{}/{}/{ended}/grace/{now}", NoticeKind::Renewed.word(), pool.id), text))
}

fn runs_until(pool: &Pool, term: &GrantId, to: Instant) -> String {
    format!("Pool {} is renewed: term {term} runs and ends on {}.", pool.id, last_day(pool, to))
}

fn notice(pool: &Pool, key: String, text: String) -> Notice {
    Notice { key, kind: NoticeKind::Renewed, pool: Some(pool.id.clone()), source: None, text }
}
