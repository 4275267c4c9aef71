//! Terms that follow one of whose end somebody was told: that closes what they were told (R151).

use crate::base::Instant;
use crate::license::{Phase, Pool, Term, TermState, chain_of, last_day, phase_at};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::{Policy, Standing};
use crate::plan::remind::reminder_key;

/// What is to be told of a renewal that was recorded while the term before it ran.
pub struct Renewal {
    /// The notice; once told, it is not told again.
    pub notice: Notice,
    /// It is told if a notice with one of these keys was.
    pub told: Vec<String>,
}

/// The renewals of pools that are to be told if a reminder was that they were due: of the term that runs, and of the one before
/// it, for whoever recorded it may have died before he told.
pub fn renewals(policy: &Policy, standing: &Standing, now: Instant) -> Vec<Renewal> {
    let of_pool = |pool| {
        let phase = phase_at(&standing.chain, pool, now);
        let chain = chain_of(&standing.chain, &pool.id);
        let at = chain.iter().position(|term| phase.state == TermState::Current && Some(&term.id) == phase.term.as_ref());
        let pairs = chain.windows(2).enumerate().filter(move |(first, _)| at == Some(*first) || at == Some(first + 1));
        pairs.filter_map(|(_, pair)| renewal(pool, pair[0], pair[1])).collect::<Vec<_>>()
    };
    policy.pools.iter().flat_map(of_pool).collect()
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

/// A pool that was in grace, of which it was told, and is no longer: a term runs again, or none bounds it any more.
pub fn renewed_in_grace(pool: &Pool, before: &Phase, now: &Phase) -> Option<Notice> {
    let ended = before.term.as_ref().filter(|_| before.state == TermState::InGrace)?;
    let text = match (now.state, &now.term) {
        (TermState::Current, Some(term)) => {
            format!("Pool {} is renewed: term {term} runs and ends on {}.", pool.id, last_day(pool, now.term_end))
        }
        (TermState::Unbound, _) => format!("Pool {} is no longer in grace: no term bounds it any more.", pool.id),
        _ => return None,
    };
    let last = last_day(pool, before.term_end);
    Some(notice(pool, format!("{}/{}/{ended}/grace/{last}", NoticeKind::Renewed.word(), pool.id), text))
}

fn notice(pool: &Pool, key: String, text: String) -> Notice {
    Notice { key, kind: NoticeKind::Renewed, pool: Some(pool.id.clone()), source: None, text }
}
