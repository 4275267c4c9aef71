//! Numbers, dates and words as people read them. Instants are told in the customer's zone, with the exact one beside.

use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::base::{Day, Instant, percent_used};
use crate::license::{Charge, ClockFact, ClockStep, Cure, Episode, Quote, Stage, TermState};
use crate::plan::{Candidate, CandidateWhy, MoveAhead};
use crate::service::{ClockView, Customer, PoolView, TermView};
use crate::shape::scope_words;
use crate::store::{RunRow, RunState, Trigger};

/// With a comma every three digits; a true minus sign.
pub fn number(number: impl Into<i64>) -> String {
    let number: i64 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 3);
    if number < 0 {
        text.push('\u{2212}');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same of what is never negative.
pub fn count(count: impl TryInto<i64>) -> String {
    number(count.try_into().unwrap_or(i64::MAX))
}

/// `1 person`, `2 people`.
pub fn counted(many: impl TryInto<i64>, one: &str, more: &str) -> String {
    let many = many.try_into().unwrap_or(i64::MAX);
    format!("{} {}", number(many), if many == 1 { one } else { more })
}

/// A share in percent with one decimal; nothing if it is unlimited.
pub fn percent(view: &PoolView) -> Option<String> {
    percent_used(view.used(), view.allowance.seats).map(|text| format!("{text} %"))
}

/// `succeeded_with_errors` as `Succeeded with errors`.
pub fn sentence(word: &str) -> String {
    begun(&word.replace('_', " "))
}

/// A text with its first letter as sentences have it; the rest may hold ids and stays as it is.
pub fn begun(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A text that begins with a word of the program: `org_removal of org a_b` as `Org removal of org a_b`.
pub fn told(text: &str) -> String {
    let end = text.find([' ', ':']).unwrap_or(text.len());
    format!("{}{}", sentence(&text[..end]), &text[end..])
}

/// A date: `5 Dec 2026`.
pub fn date(day: Day) -> String {
    match day {
        Day::MIN => "ever".to_owned(),
        Day::MAX => "no end".to_owned(),
        day => day.date().strftime("%-d %b %Y").to_string(),
    }
}

/// A date where a customer is.
pub fn date_of(customer: &Customer, at: Instant) -> String {
    match at {
        Instant::MIN => "ever".to_owned(),
        Instant::MAX => "no end".to_owned(),
        at => date(customer.day_of(at)),
    }
}

/// An instant in a zone: `5 Dec 2026, 00:00 CST`.
pub fn moment(zone: &TimeZone, at: Instant) -> String {
    if at == Instant::MIN || at == Instant::MAX {
        return "never".to_owned();
    }
    at.timestamp().to_zoned(zone.clone()).strftime("%-d %b %Y, %H:%M %Z").to_string()
}

/// An instant where a customer is.
pub fn when(customer: &Customer, at: Instant) -> Markup {
    let text = moment(customer.policy.calendar.zone(), at);
    html! { time datetime=(at) title=(at) { (text) } }
}

/// How far an instant is from now: `2 hours ago`, `in 13 days`.
pub fn far(now: Instant, at: Instant) -> String {
    let (away, ahead) = (now.0.abs_diff(at.0) / 1000, at > now);
    let (many, unit) = match away {
        0..60 => return if ahead { "in a moment" } else { "just now" }.to_owned(),
        60..5_400 => ((away + 30) / 60, "minute"),
        5_400..129_600 => ((away + 1800) / 3600, "hour"),
        _ => ((away + 43_200) / 86_400, "day"),
    };
    let s = if many == 1 { "" } else { "s" };
    if ahead { format!("in {many} {unit}{s}") } else { format!("{many} {unit}{s} ago") }
}

/// Why a run was made; for somebody who may not see people, without whom it was for.
pub fn trigger(trigger: &Trigger, sees_people: bool) -> String {
    let scope = scope_words(trigger, sees_people).map_or_else(String::new, |scope| format!(" for {scope}"));
    let what = match trigger {
        Trigger::Nightly(day) => format!("Nightly of {}", date(*day)),
        Trigger::SameDay(_) => "Same-day".to_owned(),
        Trigger::Drop => "A package arrived".to_owned(),
        Trigger::Dates(day) => format!("{} began", date(*day)),
        Trigger::Revert(run, _) => format!("Revert of run {run}"),
        Trigger::Import(_) => "File of people".to_owned(),
    };
    format!("{what}{scope}")
}

/// How long a run took, or takes.
pub fn took(run: &RunRow, now: Instant) -> String {
    let millis = run.ended.unwrap_or(now).0.saturating_sub(run.began.0).max(0);
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{} s", millis / 1000),
        _ => format!("{} min", millis / 60_000),
    }
}

/// What a run in this state does or did.
pub fn state_sentence(state: RunState) -> &'static str {
    match state {
        RunState::Fetching => "It reads its sources.",
        RunState::Planning => "It works out what has to change.",
        RunState::Planned => "It was planned on request; nothing was changed.",
        RunState::Held => "A guard wants a decision. What it does not cover was done.",
        RunState::Committing => "It writes.",
        RunState::Succeeded => "All was done.",
        RunState::SucceededWithErrors => "It was done, but somebody or something was left out.",
        RunState::Failed => "Nothing was changed.",
        RunState::Cancelled => "It was stopped before it changed anything.",
        RunState::Reverted => "It was undone later.",
    }
}

/// What comes next for an open overage, and by when.
pub fn clock_text(clock: &ClockView, zone: &TimeZone) -> String {
    let by = |at| moment(zone, at);
    match (clock.stage, clock.deadline) {
        (Stage::Minor, Some(at)) => format!("cure before {}", by(at)),
        (Stage::MinorOverdue, Some(at)) => format!("major from {}", by(at)),
        (Stage::Major, Some(at)) => format!("cure window until {}", by(at)),
        (_, None) => "the notice was not delivered yet".to_owned(),
    }
}

/// A stage.
pub fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Minor => "Minor overage",
        Stage::MinorOverdue => "Minor overage, overdue",
        Stage::Major => "Major overage",
    }
}

/// Where a pool is in its terms; nothing if it has none.
pub fn term(view: &TermView) -> Option<String> {
    let TermView { phase, last_day, access_until, next, renewal_due } = view;
    let next = match next {
        Some(next) => format!("term {next} follows"),
        None if *renewal_due => "no renewal is recorded".to_owned(),
        None => "no term follows yet".to_owned(),
    };
    let (last, until) = (date(last_day.unwrap_or(Day::MAX)), date(access_until.unwrap_or(Day::MAX)));
    match phase.state {
        TermState::Unbound => None,
        TermState::NotStarted => Some(format!("not started; {next}")),
        TermState::Current => Some(format!("until {last}; {next}")),
        TermState::InGrace => Some(format!("ended {last}, access until {until}; {next}")),
        TermState::Expired => Some(format!("ended {last}, seats are suspended; {next}")),
    }
}

/// A fact of an overage's clock in a few words.
pub fn fact(fact: &ClockFact, zone: &TimeZone) -> String {
    match &fact.step {
        ClockStep::Continues { of, day0 } => format!("Goes on with the clock of episode {of} (day 0: {})", date(*day0)),
        ClockStep::Stage(begun) => {
            let until = begun.deadline.map_or_else(String::new, |at| format!(", until {}", moment(zone, at)));
            format!("{} ({}){until}", stage(begun.stage), sentence(begun.why.word()).to_lowercase())
        }
        ClockStep::GapEntered { .. } => "Above the minor band".to_owned(),
        ClockStep::CureEnded { .. } => "The deadline to cure passed".to_owned(),
        ClockStep::Withheld { reasons, .. } => {
            let reasons: Vec<String> = reasons.iter().map(|reason| reason.word().replace('_', " ")).collect();
            format!("Upgrade withheld: {}", reasons.join(", "))
        }
        ClockStep::Approved { reason, .. } => format!("Upgrade approved: {reason}"),
        ClockStep::Upgraded { from, to, charge, .. } => {
            format!("Upgraded from {from} to {to} seats, {}", price(charge.as_ref()))
        }
        ClockStep::Settled(settled) => {
            let days = counted(i64::from(settled.elapsed), "business day", "business days");
            format!("{} after {days}", sentence(settled.outcome.word()))
        }
        ClockStep::Voided { .. } => "Void: its notices are superseded".to_owned(),
        ClockStep::Frozen { reason } => format!("Billing frozen: {reason}"),
        ClockStep::Unfrozen { reason } => format!("Billing goes on: {reason}"),
    }
}

/// What something costs.
pub fn price(charge: Option<&Charge>) -> String {
    charge.map_or("at a price to be agreed".to_owned(), |charge| format!("for {}", charge.text(charge.amount)))
}

/// An upgrade on offer.
pub fn offer(quote: &Quote) -> String {
    format!("{} seats {}, computed for {}", count(quote.to.0), price(quote.charge.as_ref()), date(quote.day))
}

/// A way to cure an overage.
pub fn cure(cure: &Cure) -> String {
    let Cure { remove, buy, tier, charge, suffices } = cure;
    let parts = [
        (remove.0 > 0).then(|| format!("remove {}", counted(remove.0, "person", "people"))),
        (buy.0 > 0).then(|| format!("buy {}", counted(buy.0, "seat", "seats"))),
        tier.map(|tier| format!("upgrade to {} seats", count(tier.0))),
    ];
    let what = parts.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let costs = match (charge, cure.cost()) {
        (None, Some(_)) => String::new(),
        (charge, _) => format!(" {}", price(charge.as_ref())),
    };
    format!("{what}{costs}{}", if *suffices { "" } else { " (not enough)" })
}

/// Why somebody could be removed.
pub fn candidate(candidate: &Candidate) -> String {
    match candidate.why {
        CandidateWhy::Leaves(day) => format!("{} (leaves {})", candidate.person, date(day)),
        why => format!("{} ({})", candidate.person, why.word()),
    }
}

/// Something else that will happen to a pool.
pub fn ahead(what: &MoveAhead, zone: &TimeZone) -> String {
    match what {
        MoveAhead::Fact(told) => fact(told, zone),
        MoveAhead::Phase(phase) => {
            let term = phase.term.as_ref().map_or_else(String::new, |term| format!(" (term {term})"));
            format!("{}{term}", sentence(phase.state.word()))
        }
    }
}

/// The numbers of an episode now, or when it closed.
pub fn episode_numbers(episode: &Episode) -> String {
    let last = episode.samples.last();
    last.map_or_else(String::new, |last| format!("{} of {}", count(last.used.0), count(last.effective.0)))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use crate::base::{Day, Instant};
    use crate::http::pages::words::{begun, counted, date, far, moment, number, sentence, told};

    #[test]
    fn numbers_and_words() {
        for (given, text) in [(0, "0"), (-3, "\u{2212}3"), (999, "999"), (1000, "1,000"), (-1_234_567, "\u{2212}1,234,567")] {
            assert_eq!(number(given), text);
        }
        assert_eq!((counted(1, "seat", "seats"), counted(0, "seat", "seats")), ("1 seat".into(), "0 seats".into()));
        assert_eq!((sentence("succeeded_with_errors"), sentence("")), ("Succeeded with errors".into(), String::new()));
        assert_eq!(told("org_removal of org a_b-c: 7"), "Org removal of org a_b-c: 7");
        assert_eq!((told("empty: 1"), begun("source x-1 is_down")), ("Empty: 1".into(), "Source x-1 is_down".into()));
    }

    #[test]
    fn dates_are_told_where_the_customer_is() {
        let at = Instant::parse("2026-12-05T06:00:00Z").expect("an instant");
        let zone = TimeZone::get("America/Chicago").expect("a zone");
        assert_eq!(moment(&zone, at), "5 Dec 2026, 00:00 CST");
        assert_eq!((moment(&zone, Instant::MAX), date(Day::MAX)), ("never".into(), "no end".into()));
        assert_eq!(date(Day::parse("2026-02-03").expect("a day")), "3 Feb 2026");
    }

    #[test]
    fn distances_are_told_in_the_unit_that_fits() {
        for (secs, text) in [
            (0, "just now"),
            (-59, "just now"),
            (30, "in a moment"),
            (-60, "1 minute ago"),
            (-5_399, "90 minutes ago"),
            (-5_400, "2 hours ago"),
            (-129_599, "36 hours ago"),
            (-129_600, "2 days ago"),
            (13 * 86_400, "in 13 days"),
        ] {
            assert_eq!(far(Instant(0), Instant(secs * 1000)), text, "{secs}");
        }
    }
}
