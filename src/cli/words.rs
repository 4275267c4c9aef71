//! Sentences that several verbs share, and cells of pool tables.

use crate::base::{Day, Instant, TextArena};
use crate::cli::output::{Cell, balance, flagged, number, text};
use crate::license::{Band, ClaimChange, Hold, Names, Stage, TermState};
use crate::plan::causes_text;
use crate::service::{ClockView, Freshness, PoolView, SameDayQuota, TermView};
use crate::store::{Asked, RunRow, RunState, RunTally, Trigger};

/// A date of a command line.
///
/// # Errors
/// How to write it.
pub fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| "write a date as 2026-03-01".to_owned())
}

/// The header of [`pool_cells`].
pub const POOL_HEADER: [&str; 9] =
    ["pool", "product", "limit", "used", "available", "waiting", "band", "below zero because", "overage"];

/// A pool as cells (R46, R141).
pub fn pool_cells(view: &PoolView) -> Vec<Cell> {
    let limit = match (view.allowance.seats, view.allowance.agreed.0) {
        (None, _) => "unlimited".to_owned(),
        (Some(seats), 0) => seats.to_string(),
        (Some(seats), agreed) => format!("{seats} (+{agreed} agreed)"),
    };
    let episode = view.episode.as_ref().map_or_else(String::new, |episode| {
        let clock = view.clock.as_ref().map_or_else(String::new, |clock| format!(", {}", clock_text(clock)));
        format!("episode {} since {}, peak {}{clock}", episode.id, episode.opened_day, episode.peak)
    });
    // While removals are held, both numbers are told (R123).
    let held = view.balance_if_approved.map(|balance| {
        let what = if view.provisional.is_some() { "provisional, " } else { "" };
        format!("{what}{balance} if the hold is approved")
    });
    let episode = [episode].into_iter().chain(held).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ");
    vec![
        text(view.pool.as_str()),
        text(view.product.as_str()),
        number(limit),
        number(view.used()),
        balance(view.balance),
        number(view.waiting()),
        flagged(text(view.band.word()), view.band != Band::Within),
        text(causes_text(&view.causes)),
        text(episode),
    ]
}

/// How an open overage stands by its clock (R61, R63).
pub fn clock_text(clock: &ClockView) -> String {
    let ClockView { stage, since: _, elapsed, day0: _, deadline, offer: _, frozen } = clock;
    let until = match (stage, deadline) {
        (Stage::Minor, Some(deadline)) => format!("cure before {}", when(*deadline)),
        (Stage::MinorOverdue, Some(deadline)) => format!("major from {}", when(*deadline)),
        (Stage::Major, Some(deadline)) => format!("cure window until {}", when(*deadline)),
        (_, None) => "notice not delivered".to_owned(),
    };
    let frozen = if *frozen { ", billing frozen" } else { "" };
    format!("{} on business day {elapsed}, {until}{frozen}", stage.word())
}

/// Where a pool is in its terms, in a line (R87, R90).
pub fn term_line(view: &TermView) -> Option<String> {
    let TermView { phase, last_day, access_until, next, renewal_due } = view;
    let term = phase.term.as_ref().map_or("", |term| term.as_str());
    let next = match next {
        Some(next) => format!("term {next} follows"),
        None if *renewal_due => "no renewal is recorded (`rosterd pool renew`)".to_owned(),
        None => "no term follows yet".to_owned(),
    };
    let (last, until) = (last_day.unwrap_or(Day::MAX), access_until.unwrap_or(Day::MAX));
    Some(match phase.state {
        TermState::Unbound => return None,
        TermState::NotStarted => format!("not started; {next}"),
        TermState::Current => format!("term {term} runs until {last}; {next}"),
        TermState::InGrace => format!("IN GRACE: term {term} ended on {last}, access until {until}; {next}"),
        TermState::Expired => format!("EXPIRED: term {term} ended on {last}, claims are suspended; {next}"),
    })
}

/// An instant for people: without fractions of a second.
pub fn when(at: Instant) -> String {
    let whole = if at == Instant::MIN || at == Instant::MAX { at } else { Instant(at.0 - at.0.rem_euclid(1000)) };
    whole.to_string()
}

/// A count with its noun: `1 commit`, `2 commits`.
pub fn counted(count: impl Into<u64>, noun: &str) -> String {
    let count = count.into();
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What the numbers rest on (R148).
pub fn freshness_text(freshness: Freshness) -> String {
    let Freshness { as_of, snapshot, stale } = freshness;
    let as_of = when(as_of);
    match snapshot {
        None => format!("as of {as_of}; no package was taken in yet"),
        Some(at) => format!("as of {as_of}; newest package taken in at {}{}", when(at), if stale { " (STALE)" } else { "" }),
    }
}

/// A run in a few lines.
pub fn run_text(row: &RunRow) -> String {
    let why = match &row.trigger {
        Trigger::Nightly(day) => format!("nightly of {day}"),
        Trigger::SameDay(asked) => asked_text(asked),
        Trigger::Drop => "a package arrived".to_owned(),
        Trigger::Dates(day) => format!("dates of {day}"),
        Trigger::Revert(run, by) => format!("undoes run {run}, by {by}"),
        Trigger::Import(by) => format!("import, by {by}"),
    };
    let RunTally { people, seated, released, waiting, changed, withheld, findings } = row.tally;
    let ended = row.ended.map_or("not over".to_owned(), when);
    let mut text = format!(
        "run {} of {}: {} ({why})\n  began {}, ended {ended}\n  {people} people, {seated} seated, {released} released, \
         {changed} changed, {waiting} waiting, {withheld} withheld, {}\n",
        row.run,
        row.customer,
        row.state,
        when(row.began),
        counted(findings, "finding")
    );
    if !row.packages.is_empty() {
        text.push_str(&format!("  took in {}\n", row.packages.join(", ")));
    }
    if let Some(version) = row.version {
        text.push_str(&format!("  committed version {version}\n"));
    }
    if !row.message.is_empty() {
        text.push_str(&format!("  {}\n", row.message));
    }
    text
}

/// An open hold in a line (R122).
pub fn hold_line(hold: &Hold) -> String {
    format!(
        "HELD since {} by {}: {}, {}; decide until {} (`rosterd hold show {}`)",
        when(hold.opened),
        hold.trips.join("; "),
        counted(hold.removals.len() as u64, "removal"),
        counted(hold.additions.len() as u64, "addition"),
        when(hold.deadline),
        hold.run
    )
}

fn asked_text(asked: &Asked) -> String {
    let Asked { by, source, confirm_absences, scope } = asked;
    let scope = scope.as_ref().map_or(String::new(), |scope| format!(", {scope} only"));
    let source = source.as_ref().map_or(String::new(), |source| format!(", source {source} only"));
    let confirmed = if *confirm_absences { ", absences confirmed" } else { "" };
    format!("same day, by {by}{scope}{source}{confirmed}")
}

/// How many same-day syncs are left today (R98).
pub fn quota_text(quota: SameDayQuota) -> String {
    let SameDayQuota { used, max, next } = quota;
    let next = if used < max { "now".to_owned() } else { format!("at {}", when(next)) };
    format!("{used} of {max} same-day syncs used today, next possible {next}")
}

/// What to read next after a run that is not simply done.
pub fn run_next(row: &RunRow) -> Option<String> {
    match row.state {
        RunState::Held if row.trigger.scope().is_some() => Some(format!(
            "`rosterd runs show {}` tells what a guard keeps back; `rosterd sync {}` reads the whole, and opens a hold to decide",
            row.run, row.customer
        )),
        RunState::Held if row.version.is_some() || row.plan.is_some() => Some(format!(
            "`rosterd hold show {0}` tells who waits for a decision; `rosterd runs show {0}` the rest of the run",
            row.run
        )),
        RunState::Held | RunState::SucceededWithErrors => Some(format!(
            "`rosterd runs show {0}` tells who and why; `rosterd findings {0}` what was wrong in the sources",
            row.run
        )),
        RunState::Failed if row.tally.findings == 0 => {
            Some("correct what the message names; `rosterd check` tells when all is well".to_owned())
        }
        RunState::Failed => {
            Some(format!("`rosterd findings {}` tells what was wrong in the sources; `rosterd check` the rest", row.run))
        }
        _ => None,
    }
}

/// A change of a claim in one line.
pub fn change_text(names: &Names, people: &TextArena, change: &ClaimChange) -> String {
    let ClaimChange { person, because, before, after } = change;
    let before = before.as_deref().map_or(String::new(), |before| format!("{} -> ", before.state.word()));
    format!("{} {}: {before}{} because {}", people.get(*person), names.pool_of(after), after.state.word(), because.word())
}
