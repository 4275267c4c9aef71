//! Dates at the edges: deadlines on holidays, changes of the clocks inside windows, the last days of years, tiny allowances.

use crate::base::{Calendar, Day};
use crate::license::clauses::{Clauses, CureCalendar, CureFrom};
use crate::license::timeline::tests::sim::{Event, MON, Sim, TUE, at, contract};

const UK: [&str; 7] = ["2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-12-25", "2026-12-28", "2027-01-01"];
const WEEKEND: [usize; 2] = [5, 6];

fn calendar(zone: &str, weekend: &[usize], holidays: &[&str]) -> Calendar {
    let holidays = holidays.iter().map(|day| Day::parse(day).expect("a date"));
    Calendar::in_zone(zone).expect("a zone").with_days_off(weekend, holidays)
}

fn london(holidays: &[&str]) -> Calendar {
    calendar("Europe/London", &WEEKEND, holidays)
}

fn play(calendar: Calendar, anchor: &str, clauses: Clauses, seats: u32, events: &[(&str, Event)], end: &str) -> Vec<String> {
    let mut sim = Sim::new(clauses, seats).where_days_are(calendar, anchor);
    for (when, event) in events {
        sim.happen(at(when), event);
    }
    sim.look(at(end));
    sim.history()
}

/// When an overage of one seat of 100 becomes overdue and major, by where and when it opened.
#[test]
fn r61_r63_stages_begin_with_the_day_that_counts() {
    let dates = |calendar: Calendar, opened: &str| {
        let overage = [(opened, Event::Run(101))];
        // Two months are enough for every stage; the withheld upgrade that follows is no date.
        let end = at(opened).plus_millis(60 * 86_400_000).to_string();
        let told = play(calendar, "2026-01-01", contract(&[100]), 100, &overage, &end);
        let of = |stage: &str| {
            let line = told.iter().find(|line| line.ends_with(&format!(" 1 {stage} time")));
            line.and_then(|line| line.split(' ').next()).unwrap_or("never").to_owned()
        };
        (of("minor_overdue"), of("major"))
    };
    let new_york = || calendar("America/New_York", &WEEKEND, &[]);
    for (case, calendar, opened, overdue, major) in [
        ("the day before Good Friday", london(&UK), "2026-04-02T09:00:00Z", "2026-04-20T23:00:00Z", "2026-05-05T23:00:00Z"),
        ("on Good Friday", london(&UK), "2026-04-03T09:00:00Z", "2026-04-20T23:00:00Z", "2026-05-05T23:00:00Z"),
        ("on Easter Sunday", london(&UK), "2026-04-05T10:00:00Z", "2026-04-20T23:00:00Z", "2026-05-05T23:00:00Z"),
        (
            "the last instant of Easter Monday",
            london(&UK),
            "2026-04-06T22:59:59Z",
            "2026-04-20T23:00:00Z",
            "2026-05-05T23:00:00Z",
        ),
        ("the first of Tuesday", london(&UK), "2026-04-06T23:00:00Z", "2026-04-21T23:00:00Z", "2026-05-06T23:00:00Z"),
        ("on a Monday off", london(&UK), "2026-05-04T09:00:00Z", "2026-05-18T23:00:00Z", "2026-06-02T23:00:00Z"),
        ("two weeks before New Year", london(&UK), "2026-12-14T09:00:00Z", "2026-12-31T00:00:00Z", "2027-01-15T00:00:00Z"),
        (
            "the last Friday before Christmas",
            london(&UK),
            "2026-12-18T09:00:00Z",
            "2027-01-07T00:00:00Z",
            "2027-01-21T00:00:00Z",
        ),
        (
            "the day before the clocks go back",
            london(&[]),
            "2026-10-24T09:00:00Z",
            "2026-11-09T00:00:00Z",
            "2026-11-23T00:00:00Z",
        ),
        ("Friday in UTC, Saturday here", london(&[]), "2026-10-23T23:30:00Z", "2026-11-09T00:00:00Z", "2026-11-23T00:00:00Z"),
        ("the Monday after", london(&[]), "2026-10-26T00:00:00Z", "2026-11-10T00:00:00Z", "2026-11-24T00:00:00Z"),
        ("two days before they go forward", new_york(), "2026-03-06T09:00:00Z", "2026-03-23T04:00:00Z", "2026-04-06T04:00:00Z"),
        ("Saturday in UTC, Friday here", new_york(), "2026-03-07T03:00:00Z", "2026-03-23T04:00:00Z", "2026-04-06T04:00:00Z"),
        ("on 29 February", london(&[]), "2028-02-29T09:00:00Z", "2028-03-15T00:00:00Z", "2028-03-28T23:00:00Z"),
        ("the day before", london(&[]), "2028-02-28T09:00:00Z", "2028-03-14T00:00:00Z", "2028-03-27T23:00:00Z"),
        (
            "every day counts",
            calendar("Europe/London", &[], &[]),
            "2026-03-01T09:00:00Z",
            "2026-03-12T00:00:00Z",
            "2026-03-22T00:00:00Z",
        ),
        (
            "Friday and Saturday are off",
            calendar("Asia/Riyadh", &[4, 5], &[]),
            "2026-03-05T09:00:00Z",
            "2026-03-21T21:00:00Z",
            "2026-04-04T21:00:00Z",
        ),
    ] {
        assert_eq!(dates(calendar, opened), (overdue.to_owned(), major.to_owned()), "{case}");
    }
}

/// When a delivered window of 24 hours ends, and what the upgrade from 100 to 150 costs then (60 000 a year).
#[test]
fn r66_r78_windows_end_where_clocks_and_years_change() {
    let new_york = || calendar("America/New_York", &WEEKEND, &[]);
    for (case, calendar, anchor, opened, delivered, upgraded, amount) in [
        (
            "clocks go back",
            london(&[]),
            "2026-01-01",
            "2026-10-24T16:00:00Z",
            "2026-10-24T17:00:00Z",
            "2026-10-25T17:00:00Z",
            11_178,
        ),
        (
            "clocks go forward",
            new_york(),
            "2026-01-01",
            "2026-03-07T17:00:00Z",
            "2026-03-07T18:00:00Z",
            "2026-03-08T18:00:00Z",
            49_151,
        ),
        (
            "over a holiday",
            london(&UK),
            "2026-01-01",
            "2026-04-03T09:00:00Z",
            "2026-04-03T10:00:00Z",
            "2026-04-04T10:00:00Z",
            44_712,
        ),
        (
            "the last day of a leap year",
            london(&[]),
            "2028-01-01",
            "2028-12-30T09:00:00Z",
            "2028-12-30T10:00:00Z",
            "2028-12-31T10:00:00Z",
            164,
        ),
        (
            "the first instant of a year",
            london(&[]),
            "2026-01-01",
            "2026-12-30T23:00:00Z",
            "2026-12-31T00:00:00Z",
            "2027-01-01T00:00:00Z",
            60_000,
        ),
        (
            "the last of one",
            london(&[]),
            "2026-01-01",
            "2026-12-30T23:00:00Z",
            "2026-12-30T23:59:59Z",
            "2026-12-31T23:59:59Z",
            164,
        ),
        (
            "the last day of a year from 29 February",
            london(&[]),
            "2024-02-29",
            "2028-02-27T09:00:00Z",
            "2028-02-27T10:00:00Z",
            "2028-02-28T10:00:00Z",
            164,
        ),
        (
            "the first of the next",
            london(&[]),
            "2024-02-29",
            "2028-02-28T09:00:00Z",
            "2028-02-28T10:00:00Z",
            "2028-02-29T10:00:00Z",
            60_000,
        ),
        (
            "a year from 29 February where there is none",
            london(&[]),
            "2024-02-29",
            "2026-02-26T09:00:00Z",
            "2026-02-26T10:00:00Z",
            "2026-02-27T10:00:00Z",
            164,
        ),
        (
            "its 28 February",
            london(&[]),
            "2024-02-29",
            "2026-02-27T09:00:00Z",
            "2026-02-27T10:00:00Z",
            "2026-02-28T10:00:00Z",
            60_000,
        ),
    ] {
        let events = [(opened, Event::Run(110)), (delivered, Event::Deliver)];
        let end = at(upgraded).plus_millis(-1).to_string();
        let before = play(calendar.clone(), anchor, contract(&[100, 150]), 100, &events, &end);
        assert_eq!(before, [format!("{opened} 1 major band")], "{case}, before");
        let told = play(calendar, anchor, contract(&[100, 150]), 100, &events, upgraded);
        assert_eq!(told[1], format!("{upgraded} 1 upgraded 100 to 150 for {amount}"), "{case}");
        assert!(told[2].starts_with(&format!("{upgraded} 1 upgraded on day ")), "{case}: {told:?}");
    }
}

/// Bands of tiny pools, and the steps that help them (R58, R72, R73).
#[test]
fn r73_tiny_allowances() {
    let (minor, major) = ("2026-03-02T09:00:00Z 1 minor opened", "2026-03-02T09:00:00Z 1 major band");
    for (seats, used, opened) in [
        (0, 1, Some(major)),
        (0, 0, None),
        (1, 1, None),
        (1, 2, Some(major)),
        (19, 19, None),
        (19, 20, Some(minor)),
        (19, 21, Some(major)),
        (20, 20, None),
        (20, 21, Some(minor)),
        (20, 22, Some(major)),
    ] {
        let told = play(london(&[]), "2026-01-01", contract(&[]), seats, &[(MON, Event::Run(used))], MON);
        assert_eq!(told.first().map(String::as_str), opened, "{used} of {seats}");
    }
    let upgraded = |seats: u32, used: u32, tiers: &[u32]| {
        play(london(&[]), "2026-01-01", contract(tiers), seats, &[(MON, Event::Run(used)), (MON, Event::Deliver)], TUE)
    };
    // Of nothing there is no price: the charge is agreed by hand.
    assert_eq!(
        upgraded(0, 1, &[10, 20])[1..],
        ["2026-03-03T09:00:00Z 1 upgraded 0 to 10 for 0", "2026-03-03T09:00:00Z 1 upgraded on day 1"]
    );
    assert_eq!(
        upgraded(1, 2, &[1, 2])[1..],
        ["2026-03-03T09:00:00Z 1 upgraded 1 to 2 for 999", "2026-03-03T09:00:00Z 1 upgraded on day 1"]
    );
    // One seat more leaves one too many, which is minor.
    assert_eq!(
        upgraded(19, 21, &[19, 20, 40])[1..],
        ["2026-03-03T09:00:00Z 1 upgraded 19 to 20 for 999", "2026-03-03T09:00:00Z 1 minor band_left"]
    );
    assert_eq!(
        upgraded(20, 22, &[20, 21])[1..],
        ["2026-03-03T09:00:00Z 1 upgraded 20 to 21 for 999", "2026-03-03T09:00:00Z 1 minor band_left"]
    );
}

/// What happens at the very instant of a deadline, and a moment before it.
#[test]
fn r68_the_instant_of_a_deadline() {
    let overage = (MON, Event::Run(101));
    let begun = ["2026-03-02T09:00:00Z 1 minor opened", "2026-03-17T00:00:00Z 1 minor_overdue time"];
    let cured =
        |when: &str| play(london(&[]), "2026-01-01", contract(&[100]), 100, &[overage.clone(), (when, Event::Run(100))], when);
    assert_eq!(cured("2026-03-30T22:59:59Z"), [begun[0], begun[1], "2026-03-30T22:59:59Z 1 cured on day 20"]);
    assert_eq!(
        cured("2026-03-30T23:00:00Z"),
        [begun[0], begun[1], "2026-03-30T23:00:00Z 1 major time", "2026-03-30T23:00:00Z 1 cured on day 21"]
    );
    // Who cures at the instant at which the window ends is too late.
    let events = [(MON, Event::Run(110)), (MON, Event::Deliver), (TUE, Event::Run(100))];
    assert_eq!(
        play(london(&[]), "2026-01-01", contract(&[100, 150]), 100, &events, TUE)[1..],
        ["2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973", "2026-03-03T09:00:00Z 1 upgraded on day 1"]
    );
}

/// Deadlines to cure that are shorter than the stage, and windows by other clocks (R64, R66).
#[test]
fn r64_r66_other_deadlines() {
    let opened = "2026-03-30T09:00:00Z";
    for (days, ended) in
        [(2, "2026-04-01T23:00:00Z"), (3, "2026-04-02T23:00:00Z"), (4, "2026-04-07T23:00:00Z"), (5, "2026-04-08T23:00:00Z")]
    {
        let clauses = Clauses { cure_business_days: days, ..contract(&[100]) };
        let told = play(london(&UK), "2026-01-01", clauses, 100, &[(opened, Event::Run(101))], "2026-04-10T00:00:00Z");
        assert_eq!(told, [format!("{opened} 1 minor opened"), format!("{ended} 1 cure ended")], "{days}");
    }
    let business = Clauses { major_cure_calendar: CureCalendar::Business, ..contract(&[100, 150]) };
    let at_once = Clauses { major_cure_hours: 0, ..contract(&[100, 150]) };
    let from_start = Clauses { major_cure_from: CureFrom::MajorStart, ..contract(&[100, 150]) };
    let thursday = "2026-04-02T11:00:00Z";
    for (case, clauses, events, upgraded, amount) in [
        (
            "24 business hours over Easter",
            business,
            vec![(thursday, Event::Run(110)), (thursday, Event::Deliver), ("2026-04-07T02:30:00Z", Event::Run(110))],
            "2026-04-07T11:00:00Z",
            44_219,
        ),
        (
            "no hours at all: with the delivery",
            at_once,
            vec![(MON, Event::Run(110)), ("2026-03-02T10:00:00Z", Event::Deliver)],
            "2026-03-02T10:00:00Z",
            50_137,
        ),
        (
            "from the start of the stage",
            from_start,
            vec![(MON, Event::Run(110)), ("2026-03-02T20:00:00Z", Event::Deliver)],
            TUE,
            49_973,
        ),
    ] {
        let told = play(london(&UK), "2026-01-01", clauses, 100, &events, "2026-04-07T12:00:00Z");
        let line = told.iter().find(|line| line.contains(" upgraded 100 to 150 "));
        assert_eq!(line, Some(&format!("{upgraded} 1 upgraded 100 to 150 for {amount}")), "{case}: {told:?}");
    }
}
