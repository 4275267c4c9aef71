//! Reminders of terms that end, and of grace that ends (R89). Which one is due is a function of the date alone: whoever
//! was away for several of them is told the latest.

use crate::base::Instant;
use crate::license::{Pool, TermState, chain_of, grace_end, last_day, phase_at};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::{Policy, Standing};

/// The reminders that are due now, one a pool at most. Each has a key of its own: once told, it is not told again.
pub fn reminders(policy: &Policy, standing: &Standing, now: Instant) -> Vec<Notice> {
    policy.pools.iter().filter_map(|pool| reminder(pool, standing, now)).collect()
}

fn reminder(pool: &Pool, standing: &Standing, now: Instant) -> Option<Notice> {
    let phase = phase_at(&standing.chain, pool, now);
    let chain = chain_of(&standing.chain, &pool.id);
    let at = chain.iter().position(|term| Some(&term.id) == phase.term.as_ref())?;
    let (term, next) = (chain[at], chain.get(at + 1));
    let (ends, kind, what) = match phase.state {
        TermState::Current if next.is_none() => (term.to, NoticeKind::RenewalDue, "The term"),
        TermState::InGrace if next.is_none() => (grace_end(pool, term.to), NoticeKind::GraceEnds, "Grace"),
        _ => return None,
    };
    let last = last_day(pool, ends);
    let due = |days: &u32| {
        let at = pool.calendar.start_of(last.plus(-i32::try_from(*days).unwrap_or(i32::MAX)));
        // What was over before anybody wrote the term down was not missed.
        let since = if kind == NoticeKind::GraceEnds { phase.since } else { term.recorded };
        since < at && at <= now
    };
    let days = pool.renewal.remind_days.iter().copied().filter(due).min()?;
    let text = format!("{what} of pool {} ends on {last}, and no renewal is recorded.", pool.id);
    let key = format!("{}/{}/{}/{last}/{days}", kind.word(), pool.id, term.id);
    Some(Notice { key, kind, pool: Some(pool.id.clone()), source: None, text })
}
