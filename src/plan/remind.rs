//! Reminders of terms that end, and of grace that ends (R89), and of overages that go on (R151). Which one is due is a
//! function of the date alone: whoever was away for several of them is told the latest.

use crate::base::{Day, Instant};
use crate::license::{Facts, Pool, Term, TermState, chain_of, grace_end, last_day, phase_at};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::{Policy, Standing};

/// The reminders that are due now, of each pool one of its terms and one of its overage at most. Each has a key of its own:
/// once told, it is not told again. `overage_days`: an overage is told of again after so many business days; 0: never.
pub fn reminders(policy: &Policy, standing: &Standing, now: Instant, overage_days: u32) -> Vec<Notice> {
    let of_pool = |pool| reminder(pool, standing, now).into_iter().chain(overage(pool, standing, now, overage_days));
    policy.pools.iter().flat_map(of_pool).collect()
}

/// An overage that goes on in a stage that was told of business days ago.
fn overage(pool: &Pool, standing: &Standing, now: Instant, days: u32) -> Option<Notice> {
    let episode = standing.pools.get(&pool.id)?.episode.as_ref()?;
    let facts = standing.clock.get(&Some(episode.id)).map_or(&[][..], Vec::as_slice);
    let (fact, stage) = Facts(facts).stages().next_back()?;
    let calendar = &pool.calendar;
    let elapsed = calendar.business_days_between(calendar.day_of(fact.at), calendar.day_of(now));
    let times = elapsed.checked_div(days).filter(|times| *times > 0)?;
    let last = episode.samples.last()?;
    let over = last.used.0.saturating_sub(last.effective.0);
    let kind = NoticeKind::OverageReminder;
    let told = fact.notice().unwrap_or_default();
    Some(Notice {
        key: format!("{}/{}/{}/{told}/{times}", kind.word(), pool.id, episode.id),
        kind,
        pool: Some(pool.id.clone()),
        source: None,
        text: format!(
            "Pool {} still uses {} of {} seats; {} since {}: {over} to remove, or as many to buy (`rosterd episode show`).",
            pool.id,
            last.used,
            last.effective,
            stage.stage.word(),
            calendar.day_of(fact.at)
        ),
    })
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
    let key = reminder_key(kind, pool, term, last, days);
    Some(Notice { key, kind, pool: Some(pool.id.clone()), source: None, text })
}

/// What a reminder of a term is known by: so many days before its last day, or before the last one of its grace.
pub fn reminder_key(kind: NoticeKind, pool: &Pool, term: &Term, last: Day, days: u32) -> String {
    format!("{}/{}/{}/{last}/{days}", kind.word(), pool.id, term.id)
}
