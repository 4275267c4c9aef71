use proptest::prelude::{any, proptest};

use crate::base::{Calendar, Day, EpisodeId, Instant, Seats};
use crate::license::band::band;
use crate::license::books::{Cause, Episode, Sample};
use crate::license::clauses::{Clauses, GapBand};
use crate::license::pool::OverageLimits;
use crate::license::stage::{Course, Stage, StageDates, Turn, day_of_count, elapsed};

const UK: [&str; 7] = ["2026-04-03", "2026-04-06", "2026-05-04", "2026-05-25", "2026-12-25", "2026-12-28", "2027-01-01"];
const US: [&str; 6] = ["2026-05-25", "2026-06-19", "2026-07-03", "2026-11-26", "2026-12-25", "2027-01-01"];

fn day(text: &str) -> Day {
    Day::parse(text).expect("a date")
}

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

fn calendar(holidays: &[&str], weekend: &[usize]) -> Calendar {
    let zone = Calendar::in_zone("Europe/London").expect("a zone");
    zone.with_days_off(weekend, holidays.iter().map(|text| day(text)))
}

#[test]
fn t3_business_days() {
    let weekend = [5, 6];
    type Row<'a> = (&'a str, &'a [&'a str], &'a [usize], &'a str, [&'a str; 5]);
    // Case, holidays, weekend, opened, and the first dates with 1, 10, 11, 20 and 21 business days elapsed.
    let rows: [Row<'_>; 14] = [
        ("C1", &[], &weekend, "2026-03-02", ["2026-03-03", "2026-03-16", "2026-03-17", "2026-03-30", "2026-03-31"]),
        ("C2", &[], &weekend, "2026-03-27", ["2026-03-30", "2026-04-10", "2026-04-13", "2026-04-24", "2026-04-27"]),
        ("C3", &[], &weekend, "2026-03-28", ["2026-03-30", "2026-04-10", "2026-04-13", "2026-04-24", "2026-04-27"]),
        ("C3", &[], &weekend, "2026-03-29", ["2026-03-30", "2026-04-10", "2026-04-13", "2026-04-24", "2026-04-27"]),
        ("C4", &UK, &weekend, "2026-03-27", ["2026-03-30", "2026-04-14", "2026-04-15", "2026-04-28", "2026-04-29"]),
        ("C5", &UK, &weekend, "2026-04-02", ["2026-04-07", "2026-04-20", "2026-04-21", "2026-05-05", "2026-05-06"]),
        ("C6", &UK, &weekend, "2026-04-03", ["2026-04-07", "2026-04-20", "2026-04-21", "2026-05-05", "2026-05-06"]),
        ("C7", &US, &weekend, "2026-06-18", ["2026-06-22", "2026-07-06", "2026-07-07", "2026-07-20", "2026-07-21"]),
        ("C8", &US, &weekend, "2026-06-15", ["2026-06-16", "2026-06-30", "2026-07-01", "2026-07-15", "2026-07-16"]),
        ("C9", &UK, &weekend, "2026-12-14", ["2026-12-15", "2026-12-30", "2026-12-31", "2027-01-14", "2027-01-15"]),
        ("C10", &US, &weekend, "2026-12-14", ["2026-12-15", "2026-12-29", "2026-12-30", "2027-01-13", "2027-01-14"]),
        ("C11", &UK, &weekend, "2026-12-24", ["2026-12-29", "2027-01-12", "2027-01-13", "2027-01-26", "2027-01-27"]),
        ("C12", &[], &[4, 5], "2026-03-05", ["2026-03-08", "2026-03-19", "2026-03-22", "2026-04-02", "2026-04-05"]),
        // Every day is one: no weekend, no holidays.
        ("C13", &[], &[], "2026-03-05", ["2026-03-06", "2026-03-15", "2026-03-16", "2026-03-25", "2026-03-26"]),
    ];
    for (case, holidays, weekend, opened, dates) in rows {
        let calendar = calendar(holidays, weekend);
        for (count, date) in [1, 10, 11, 20, 21].into_iter().zip(dates) {
            assert_eq!(day_of_count(&Clauses::CONTRACT, &calendar, day(opened), count), day(date), "{case}, day {count}");
            assert_eq!(elapsed(&Clauses::CONTRACT, &calendar, day(opened), day(date)), count, "{case}, {date}");
            let eve = elapsed(&Clauses::CONTRACT, &calendar, day(opened), day(date).plus(-1));
            assert_eq!(eve, count - 1, "{case}, the day before {date}");
        }
    }
}

#[test]
fn t3_the_first_day_may_count() {
    let clauses = Clauses { count_first_day: true, ..Clauses::CONTRACT };
    let calendar = calendar(&[], &[5, 6]);
    for (opened, count, date) in [
        ("2026-03-02", 1, "2026-03-02"),
        ("2026-03-02", 10, "2026-03-13"),
        ("2026-03-02", 20, "2026-03-27"),
        ("2026-03-02", 21, "2026-03-30"),
        // A Saturday counts for nothing.
        ("2026-03-28", 1, "2026-03-30"),
        ("2026-03-28", 10, "2026-04-10"),
    ] {
        assert_eq!(day_of_count(&clauses, &calendar, day(opened), count), day(date), "{opened}, day {count}");
        assert_eq!(elapsed(&clauses, &calendar, day(opened), day(date)), count, "{opened}, {date}");
    }
}

#[test]
fn the_dates_start_where_the_pool_is() {
    let dates = StageDates::new(&Clauses::CONTRACT, &calendar(&[], &[5, 6]), day("2026-03-02"));
    assert_eq!(dates, StageDates { overdue: at("2026-03-17T00:00:00Z"), major: at("2026-03-31T00:00:00+01:00") });
    // In Beirut the day of a clock change begins at one o'clock.
    let beirut = Calendar::in_zone("Asia/Beirut").expect("a zone").with_days_off(&[], []);
    let clauses = Clauses { minor_business_days: 0, ..Clauses::CONTRACT };
    let dates = StageDates::new(&clauses, &beirut, day("2026-03-28"));
    assert_eq!(dates.overdue, at("2026-03-29T01:00:00+03:00"));
}

/// An episode of a pool with `effective` seats, from `(instant, used)`.
fn episode(effective: u32, course: &[(&str, u32)]) -> Episode {
    let sample = |(when, used): &(&str, u32)| Sample {
        at: at(when),
        used: Seats(*used),
        effective: Seats(effective),
        band: band(Seats(*used), Some(Seats(effective)), &OverageLimits::CONTRACT),
    };
    let samples: Vec<Sample> = course.iter().map(sample).collect();
    let calendar = calendar(&[], &[5, 6]);
    Episode {
        id: EpisodeId(1),
        pool: "learn".into(),
        opened: samples[0].at,
        opened_day: calendar.day_of(samples[0].at),
        cause: Cause::SyncOverdraw,
        peak: samples.iter().map(|sample| sample.used).max().unwrap_or_default(),
        samples,
        closed: None,
        outcome: None,
    }
}

fn history(clauses: &Clauses, episode: &Episode, until: &str) -> Vec<String> {
    let calendar = calendar(&[], &[5, 6]);
    let dates = StageDates::new(clauses, &calendar, episode.opened_day);
    let course = Course { clauses, episode, dates, last: None, upgraded: None };
    course.turns(at(until)).iter().map(told).collect()
}

fn told(turn: &Turn) -> String {
    format!("{} {} {}", turn.at, turn.stage.word(), turn.why.word())
}

#[test]
fn stages_by_time_and_by_band() {
    let contract = Clauses::CONTRACT;
    let gap_major = Clauses { gap_band: GapBand::Major, ..contract.clone() };
    let minor = "2026-03-02T02:30:00Z minor opened";
    let overdue = "2026-03-17T00:00:00Z minor_overdue time";
    let by_time = "2026-03-30T23:00:00Z major time";
    type Row<'a> = (&'a str, &'a Clauses, u32, &'a [(&'a str, u32)], &'a str, &'a [&'a str]);
    let rows: [Row<'_>; 17] = [
        ("day 0", &contract, 1000, &[("2026-03-02T02:30:00Z", 1030)], "2026-03-02T02:30:00Z", &[minor]),
        ("day 10", &contract, 1000, &[("2026-03-02T02:30:00Z", 1030)], "2026-03-16T23:59:59.999Z", &[minor]),
        ("day 11", &contract, 1000, &[("2026-03-02T02:30:00Z", 1030)], "2026-03-17T00:00:00Z", &[minor, overdue]),
        ("day 20", &contract, 1000, &[("2026-03-02T02:30:00Z", 1030)], "2026-03-30T22:59:59.999Z", &[minor, overdue]),
        ("day 21", &contract, 1000, &[("2026-03-02T02:30:00Z", 1030)], "2026-03-30T23:00:00Z", &[minor, overdue, by_time]),
        // T4: the gap changes nothing.
        (
            "T4",
            &contract,
            1000,
            &[("2026-03-02T02:30:00Z", 1030), ("2026-03-04T02:30:00Z", 1055), ("2026-03-05T02:30:00Z", 1045)],
            "2026-05-01T00:00:00Z",
            &[minor, overdue, by_time],
        ),
        (
            "the gap as major",
            &gap_major,
            1000,
            &[("2026-03-02T02:30:00Z", 1030), ("2026-03-04T02:30:00Z", 1055), ("2026-03-05T02:30:00Z", 1045)],
            "2026-03-10T00:00:00Z",
            &[minor, "2026-03-04T02:30:00Z major band", "2026-03-05T02:30:00Z minor band_left"],
        ),
        (
            "major at once",
            &contract,
            1000,
            &[("2026-03-02T02:30:00Z", 1061)],
            "2026-05-01T00:00:00Z",
            &["2026-03-02T02:30:00Z major band"],
        ),
        (
            "no seats at all",
            &contract,
            0,
            &[("2026-03-02T02:30:00Z", 1)],
            "2026-03-03T00:00:00Z",
            &["2026-03-02T02:30:00Z major band"],
        ),
        (
            "one seat",
            &contract,
            1,
            &[("2026-03-02T02:30:00Z", 2)],
            "2026-03-03T00:00:00Z",
            &["2026-03-02T02:30:00Z major band"],
        ),
        // 20 of 19 is the gap, 21 is major; 21 of 20 is minor.
        ("19 seats", &contract, 19, &[("2026-03-02T02:30:00Z", 20)], "2026-03-03T00:00:00Z", &[minor]),
        (
            "19 seats, gap major",
            &gap_major,
            19,
            &[("2026-03-02T02:30:00Z", 20)],
            "2026-03-03T00:00:00Z",
            &["2026-03-02T02:30:00Z major band"],
        ),
        ("20 seats", &gap_major, 20, &[("2026-03-02T02:30:00Z", 21)], "2026-03-03T00:00:00Z", &[minor]),
        // R71: leaving the band on day 15 goes on by time: overdue at once.
        (
            "left on day 15",
            &contract,
            1000,
            &[("2026-03-02T02:30:00Z", 1061), ("2026-03-23T10:00:00Z", 1040)],
            "2026-05-01T00:00:00Z",
            &["2026-03-02T02:30:00Z major band", "2026-03-23T10:00:00Z minor_overdue band_left", by_time],
        ),
        // R71: leaving it after day 21 stops that clock; by time it is major, and another one begins.
        (
            "left on day 22",
            &contract,
            1000,
            &[("2026-03-02T02:30:00Z", 1061), ("2026-04-01T10:00:00Z", 1040)],
            "2026-05-01T00:00:00Z",
            &["2026-03-02T02:30:00Z major band", "2026-04-01T10:00:00Z major time"],
        ),
        // Major by time stays major by time, whatever the band does.
        (
            "in and out after day 21",
            &contract,
            1000,
            &[("2026-03-02T02:30:00Z", 1030), ("2026-04-01T10:00:00Z", 1070), ("2026-04-02T10:00:00Z", 1040)],
            "2026-05-01T00:00:00Z",
            &[minor, overdue, by_time],
        ),
        // The band is entered twice: two windows.
        (
            "twice in the band",
            &contract,
            1000,
            &[("2026-03-02T02:30:00Z", 1070), ("2026-03-03T02:30:00Z", 1040), ("2026-03-04T02:30:00Z", 1070)],
            "2026-03-10T00:00:00Z",
            &["2026-03-02T02:30:00Z major band", "2026-03-03T02:30:00Z minor band_left", "2026-03-04T02:30:00Z major band"],
        ),
    ];
    for (case, clauses, effective, course, until, expected) in rows {
        assert_eq!(history(clauses, &episode(effective, course), until), expected, "{case}");
    }
}

#[test]
fn a_closed_episode_has_no_stages_from_its_end_on() {
    let mut closed = episode(1000, &[("2026-03-02T02:30:00Z", 1030)]);
    closed.closed = Some(at("2026-03-17T00:00:00Z"));
    assert_eq!(history(&Clauses::CONTRACT, &closed, "2027-01-01T00:00:00Z"), ["2026-03-02T02:30:00Z minor opened"]);
}

#[test]
fn numbers_of_the_same_instant_count_with_the_last() {
    let course = [("2026-03-02T02:30:00Z", 1030), ("2026-03-02T02:30:00Z", 1070)];
    let episode = episode(1000, &course);
    let first = Turn { stage: Stage::Minor, why: crate::license::stage::StageWhy::Opened, at: episode.opened };
    let dates = StageDates::new(&Clauses::CONTRACT, &calendar(&[], &[5, 6]), episode.opened_day);
    let course = Course { clauses: &Clauses::CONTRACT, episode: &episode, dates, last: Some(first), upgraded: None };
    let turns: Vec<String> = course.turns(at("2026-03-02T02:30:00Z")).iter().map(told).collect();
    assert_eq!(turns, ["2026-03-02T02:30:00Z major band"]);
}

#[test]
fn r77_whatever_is_still_major_after_an_upgrade_begins_anew() {
    let clauses = Clauses::CONTRACT;
    let mut open = episode(1000, &[("2026-03-02T02:30:00Z", 1900)]);
    let dates = StageDates::new(&clauses, &calendar(&[], &[5, 6]), open.opened_day);
    let upgraded = at("2026-03-03T08:00:00Z");
    let first = Turn { stage: Stage::Major, why: crate::license::stage::StageWhy::Band, at: open.opened };
    for (effective, expected) in [(1500, "2026-03-03T08:00:00Z major band"), (1850, "2026-03-03T08:00:00Z minor band_left")] {
        open.samples.truncate(1);
        open.samples.push(Sample {
            at: upgraded,
            used: Seats(1900),
            effective: Seats(effective),
            band: band(Seats(1900), Some(Seats(effective)), &OverageLimits::CONTRACT),
        });
        let course = Course { clauses: &clauses, episode: &open, dates, last: Some(first), upgraded: Some(upgraded) };
        let turns: Vec<String> = course.turns(upgraded).iter().map(told).collect();
        assert_eq!(turns, [expected], "{effective}");
    }
}

#[test]
fn what_was_written_down_stays_and_open_dates_move() {
    // A holiday is added for 10 March: day 11 is now the 18th, day 21 the 1st of April.
    let open = episode(1000, &[("2026-03-02T02:30:00Z", 1030)]);
    let moved = StageDates::new(&Clauses::CONTRACT, &calendar(&["2026-03-10"], &[5, 6]), open.opened_day);
    assert_eq!(moved, StageDates { overdue: at("2026-03-18T00:00:00Z"), major: at("2026-03-31T23:00:00Z") });
    let course = Course { clauses: &Clauses::CONTRACT, episode: &open, dates: moved, last: None, upgraded: None };
    assert_eq!(course.turns(at("2026-03-17T12:00:00Z")).len(), 1, "still minor");
}

proptest! {
    /// I8 and I9: stages rise with time while nothing else changes, and looking in between changes nothing.
    #[test]
    fn i8_i9_stages_do_not_depend_on_when_somebody_looks(
        changes in proptest::collection::vec((0i64..60 * 24, 1001u32..1100), 1..12),
        mut looks in proptest::collection::vec(0i64..70 * 24, 0..40),
        gap in 0u8..3,
        first_day in any::<bool>(),
    ) {
        let gap_band = [GapBand::Minor, GapBand::Major, GapBand::Warn][usize::from(gap)];
        let clauses = Clauses { gap_band, count_first_day: first_day, ..Clauses::CONTRACT };
        let begin = at("2026-03-02T02:30:00Z");
        let mut changes = changes;
        changes.sort_by_key(|(hour, _)| *hour);
        let mut whole = episode(1000, &[("2026-03-02T02:30:00Z", changes[0].1)]);
        for (hour, used) in &changes[1..] {
            let band = band(Seats(*used), Some(Seats(1000)), &OverageLimits::CONTRACT);
            let at = begin.plus_millis(hour * 3_600_000);
            whole.samples.push(Sample { at, used: Seats(*used), effective: Seats(1000), band });
        }
        let dates = StageDates::new(&clauses, &calendar(&[], &[5, 6]), whole.opened_day);
        let end = begin.plus_millis(80 * 24 * 3_600_000);
        let at_once = Course { clauses: &clauses, episode: &whole, dates, last: None, upgraded: None }.turns(end);

        // Step by step: at each look only the samples so far are known.
        looks.extend(changes.iter().map(|(hour, _)| *hour));
        looks.push(80 * 24);
        looks.sort_unstable();
        let mut steps: Vec<Turn> = Vec::new();
        for hour in looks {
            let now = begin.plus_millis(hour * 3_600_000);
            let mut known = whole.clone();
            known.samples.retain(|sample| sample.at <= now);
            if known.samples.is_empty() {
                continue;
            }
            let course = Course { clauses: &clauses, episode: &known, dates, last: steps.last().copied(), upgraded: None };
            steps.extend(course.turns(now));
        }
        assert_eq!(steps, at_once);
        let last_change = begin.plus_millis(changes.last().map_or(0, |(hour, _)| *hour) * 3_600_000);
        let after: Vec<Stage> = at_once.iter().filter(|turn| turn.at > last_change).map(|turn| turn.stage).collect();
        assert!(after.is_sorted(), "by time alone stages only rise");
    }

    /// I17: 28 years have the same weekdays and the same leap years.
    #[test]
    fn i17_shifting_by_28_years_shifts_every_deadline(offset in 0i32..3650, count in 0u32..60, first_day in any::<bool>()) {
        const SHIFT: i32 = 10_227;
        let clauses = Clauses { count_first_day: first_day, ..Clauses::CONTRACT };
        let calendar = Calendar::utc();
        let day0 = day("2026-01-01").plus(offset);
        let date = day_of_count(&clauses, &calendar, day0, count);
        assert_eq!(day_of_count(&clauses, &calendar, day0.plus(SHIFT), count), date.plus(SHIFT));
        let millis = |at: Instant| at.plus_millis(i64::from(SHIFT) * 86_400_000);
        let (one, other) = (StageDates::new(&clauses, &calendar, day0), StageDates::new(&clauses, &calendar, day0.plus(SHIFT)));
        assert_eq!((millis(one.overdue), millis(one.major)), (other.overdue, other.major));
    }
}
