//! Overages in a plan: a pool's timeline as the books have it, and what is told of it.

use std::fmt::Write;

use crate::base::{Instant, PoolId, Seats};
use crate::license::{
    AgreedExcess, AutoUpgrade, Band, Case, Charge, ClockFact, ClockStep, CureFrom, Episode, Facts, Former, Grant, Interlock,
    Outcome, Phase, Pool, Quote, Settled, Stage, StageFact, StageWhy, Timeline, Told, band, year_anchor,
};
use crate::plan::action::{Notice, NoticeKind};
use crate::plan::input::Standing;

/// The timeline of a pool from what the books say; what was bought and agreed is at least the pool's.
pub fn timeline<'a>(
    pool: &'a Pool,
    standing: &'a Standing,
    (grants, agreed): (&'a [Grant], &'a [AgreedExcess]),
    phase: &'a Phase,
    now: Instant,
) -> Timeline<'a> {
    let episode = standing.pools.get(&pool.id).and_then(|books| books.episode.clone());
    let of_episode = episode.as_ref().map(|episode| episode.id);
    let facts = of_episode.and_then(|id| standing.clock.get(&Some(id))).cloned().unwrap_or_default();
    let deliveries = of_episode.and_then(|id| standing.deliveries.get(&id)).map_or(&[][..], Vec::as_slice);
    let former = standing.former.get(&pool.id).and_then(|former| {
        let facts = standing.clock.get(&Some(former.id)).map_or(&[][..], Vec::as_slice);
        let day0 = Facts(facts).continues().map_or(former.opened_day, |(_, day0)| day0);
        Some(Former { episode: former.id, day0, closed: former.closed? })
    });
    let anchor = year_anchor(pool, &standing.chain);
    let case = Case { pool, grants, agreed, taken: &standing.grants, deliveries, former, phase, anchor, now };
    Timeline::new(case, episode, facts)
}

/// The notice that tells a fact; `None` if nothing is told.
pub fn notice(pool: &Pool, told: &Told) -> Option<Notice> {
    let Told { fact, episode } = told;
    let key = fact.notice()?.to_owned();
    let (kind, text) = match &fact.step {
        ClockStep::Stage(stage) => stage_text(pool, episode, fact, stage),
        ClockStep::GapEntered { .. } => {
            let text = format!("{} That is above the minor band; it counts as minor.", numbers(pool, episode));
            (NoticeKind::OverageGap, text)
        }
        ClockStep::CureEnded { .. } => {
            let text = format!("The deadline to cure has passed. {} An upgrade is proposed.", numbers(pool, episode));
            (NoticeKind::CureEnded, text)
        }
        ClockStep::Withheld { reasons, offer, .. } => withheld_text(pool, episode, reasons, offer.as_ref()),
        ClockStep::Upgraded { grant, from, to, charge, .. } => {
            let charge = charge.as_ref().map_or("The charge is agreed by hand.".to_owned(), charge_text);
            let text =
                format!("Pool {} was raised from {from} to {to} seats at {} (grant {grant}). {charge}", pool.id, fact.at);
            (NoticeKind::Upgraded, text)
        }
        ClockStep::Settled(settled) => (NoticeKind::OverageClosed, closed_text(&pool.id, episode, settled)),
        ClockStep::Voided { .. } => (NoticeKind::OverageVoid, void_text(&pool.id, episode)),
        ClockStep::Continues { .. } | ClockStep::Approved { .. } | ClockStep::Frozen { .. } | ClockStep::Unfrozen { .. } => {
            return None;
        }
    };
    let late = if fact.is_late() { format!("Late, as of {}: ", fact.at) } else { String::new() };
    Some(Notice { key, kind, pool: Some(pool.id.clone()), source: None, text: format!("{late}{text}") })
}

fn stage_text(pool: &Pool, episode: &Episode, fact: &ClockFact, stage: &StageFact) -> (NoticeKind, String) {
    let mut text = numbers(pool, episode);
    let last_day = |deadline: Instant| pool.calendar.day_of(deadline.plus_millis(-1));
    let kind = match stage.stage {
        Stage::Minor => {
            if let Some(deadline) = stage.deadline {
                let _ = write!(text, " Cure it by the end of {}.", last_day(deadline));
            }
            NoticeKind::OverageMinor
        }
        Stage::MinorOverdue => {
            if let Some(deadline) = stage.deadline {
                let day = pool.calendar.day_of(deadline);
                let _ = write!(text, " It was not cured in time; from {day} on it is major. An upgrade is proposed.");
            }
            NoticeKind::OverageOverdue
        }
        Stage::Major => {
            let _ = write!(text, " {}", major_text(pool, episode, fact, stage));
            NoticeKind::OverageMajor
        }
    };
    let used = episode.samples.last().map_or(Seats(0), |sample| sample.used);
    let _ = write!(text, " {}", candidates_text(used));
    if let Some(offer) = &stage.offer {
        let _ = write!(text, " {}", offer_text(offer));
    }
    (kind, text)
}

/// How many are too many.
fn numbers(pool: &Pool, episode: &Episode) -> String {
    let Some(sample) = episode.samples.last() else { return String::new() };
    let over = sample.used.0.saturating_sub(sample.effective.0);
    format!(
        "Pool {} uses {} of {} seats since {}: {over} to remove, or as many to buy.",
        pool.id, sample.used, sample.effective, episode.opened_day
    )
}

fn major_text(pool: &Pool, episode: &Episode, fact: &ClockFact, stage: &StageFact) -> String {
    let clauses = &pool.clauses;
    let why = match stage.why {
        StageWhy::Time => format!("It is major: more than {} business days have passed.", clauses.major_after_business_days),
        StageWhy::Band | StageWhy::Opened | StageWhy::BandLeft => match to_leave_band(pool, episode) {
            Some(leave) => format!("It is major by its size; {leave} to remove stop this window."),
            None => "It is major by its size.".to_owned(),
        },
    };
    let then = match clauses.auto_upgrade {
        AutoUpgrade::Apply => "Then the next tier is taken.",
        AutoUpgrade::Propose => "Then an operator is asked to approve the next tier.",
        AutoUpgrade::Off => "Nothing is upgraded by itself.",
    };
    let window = match (stage.deadline, clauses.major_cure_from) {
        (Some(deadline), _) => format!("Cure it by {deadline}."),
        (None, CureFrom::NoticeDelivered) => {
            format!("Cure it within {} hours of the delivery of this notice.", clauses.major_cure_hours)
        }
        (None, CureFrom::NoticeIssued | CureFrom::MajorStart) => format!("Cure it; it is major since {}.", fact.at),
    };
    format!("{why} {window} {then}")
}

/// How many have to go for the band to be no longer major (R71).
fn to_leave_band(pool: &Pool, episode: &Episode) -> Option<u32> {
    let sample = episode.samples.last()?;
    let stays = |used: u32| crate::license::is_major(band(Seats(used), Some(sample.effective), &pool.overage), &pool.clauses);
    // Bands are in the order of used: the border is found by halving.
    let (mut out, mut within) = (sample.used.0, sample.effective.0);
    if !stays(out) || band(Seats(within), Some(sample.effective), &pool.overage) != Band::Within {
        return None;
    }
    while out - within > 1 {
        let middle = within + (out - within) / 2;
        if stays(middle) { out = middle } else { within = middle }
    }
    Some(sample.used.0 - within)
}

/// Who could be removed (R64). Until logins are known, everybody who has a seat is a candidate (R144).
fn candidates_text(used: Seats) -> String {
    format!("Candidates to remove: {used} people with seats, their activity unknown.")
}

fn offer_text(offer: &Quote) -> String {
    let Quote { from: _, to, day, until, charge } = offer;
    let price = charge.as_ref().map_or("at a price to be agreed".to_owned(), |charge| {
        let (amount, left, year) = (charge.text(charge.amount), charge.days_left, charge.days_in_year);
        format!("for {amount} until {} ({left} of {year} days)", until.plus(-1))
    });
    format!("On offer: {to} seats, {price}, computed for {day}.")
}

fn charge_text(charge: &Charge) -> String {
    let Charge { price_old, price_new, days_left, days_in_year, amount, currency: _ } = charge;
    let money = |amount: u64| charge.text(amount);
    format!(
        "The charge is {}: {} instead of {} a year, {days_left} of {days_in_year} days.",
        money(*amount),
        money(*price_new),
        money(*price_old)
    )
}

fn withheld_text(pool: &Pool, episode: &Episode, reasons: &[Interlock], offer: Option<&Quote>) -> (NoticeKind, String) {
    let offer = offer.map_or(String::new(), |offer| format!(" {}", offer_text(offer)));
    if reasons == [Interlock::AwaitsApproval] {
        let text =
            format!("The upgrade of pool {} is due and awaits approval (`rosterd episode approve-upgrade`).{offer}", pool.id);
        return (NoticeKind::UpgradeProposed, text);
    }
    let words: Vec<&str> = reasons.iter().map(|reason| reason.word()).collect();
    let text = format!("The upgrade is due and withheld: {}. {}{offer}", words.join(", "), numbers(pool, episode));
    (NoticeKind::UpgradeWithheld, text)
}

fn closed_text(pool: &PoolId, episode: &Episode, settled: &Settled) -> String {
    let id = episode.id;
    if settled.outcome == Outcome::Void {
        return format!(
            "Overage {id} of pool {pool} is void: what was bought explains it. Notices of it are superseded; nothing is due."
        );
    }
    format!("Overage {id} of pool {pool} is over: {} after {} business days.", settled.outcome.word(), settled.elapsed)
}

fn void_text(pool: &PoolId, episode: &Episode) -> String {
    format!(
        "Overage {} of pool {pool}, closed before, is void: what was bought explains it. Its notices are superseded; an \
         upgrade that rests on it needs a correction by hand.",
        episode.id
    )
}
