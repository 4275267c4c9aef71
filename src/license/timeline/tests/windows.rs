use crate::license::clauses::{Clauses, CureCalendar, CureFrom, GapBand};
use crate::license::tier::Jump;
use crate::license::timeline::tests::sim::{Event, FRI, MON, THU, TUE, WED, check, contract, ladder, play};

#[test]
fn a7_what_starts_the_window_and_how_it_runs() {
    use Event::{Deliver, Run};
    let from = |from| Clauses { major_cure_from: from, ..contract(&[100, 150]) };
    let opened = "2026-03-06T09:00:00Z 1 major band";
    let saturday = "2026-03-07T09:00:00Z 1 upgraded 100 to 150 for 49315";
    check(vec![
        (
            "from the start of the stage, delivered meanwhile",
            from(CureFrom::MajorStart),
            100,
            vec![(FRI, Run(110)), ("2026-03-06T20:00:00Z", Deliver)],
            "2026-03-08T00:00:00Z",
            &[opened, saturday, "2026-03-07T09:00:00Z 1 upgraded on day 0"],
        ),
        (
            "from the start of the stage, delivered after the window: no earlier than that",
            from(CureFrom::MajorStart),
            100,
            vec![(FRI, Run(110)), ("2026-03-07T12:00:00Z", Deliver)],
            "2026-03-08T00:00:00Z",
            &[
                opened,
                "2026-03-07T09:00:00Z 1 withheld undelivered",
                "2026-03-07T12:00:00Z 1 upgraded 100 to 150 for 49315",
                "2026-03-07T12:00:00Z 1 upgraded on day 0",
            ],
        ),
        (
            "from the notice",
            from(CureFrom::NoticeIssued),
            100,
            vec![(FRI, Run(110)), ("2026-03-06T20:00:00Z", Deliver)],
            "2026-03-08T00:00:00Z",
            &[opened, saturday, "2026-03-07T09:00:00Z 1 upgraded on day 0"],
        ),
        // Friday 9:00 and 24 business hours: Monday 9:00. The snapshot must be fresh then.
        (
            "business hours",
            Clauses { major_cure_calendar: CureCalendar::Business, ..from(CureFrom::NoticeDelivered) },
            100,
            vec![(FRI, Run(110)), (FRI, Deliver), ("2026-03-09T02:30:00Z", Run(110))],
            "2026-03-10T00:00:00Z",
            &[opened, "2026-03-09T09:00:00Z 1 upgraded 100 to 150 for 48986", "2026-03-09T09:00:00Z 1 upgraded on day 1"],
        ),
        // T18: 18:00 on Saturday before the clocks change is 19:00 on Sunday.
        (
            "T18",
            from(CureFrom::NoticeDelivered),
            100,
            vec![("2026-03-28T17:00:00Z", Run(110)), ("2026-03-28T18:00:00Z", Deliver)],
            "2026-03-30T00:00:00Z",
            &[
                "2026-03-28T17:00:00Z 1 major band",
                "2026-03-29T18:00:00Z 1 upgraded 100 to 150 for 45699",
                "2026-03-29T18:00:00Z 1 upgraded on day 0",
            ],
        ),
    ]);
}

#[test]
fn r77_one_step_after_the_other() {
    use Event::{Deliver, Run};
    let opened = "2026-03-02T09:00:00Z 1 major band";
    check(vec![
        (
            "still major after a step: another notice, another 24 hours",
            contract(&[100, 150, 200, 300]),
            100,
            vec![
                (MON, Run(250)),
                (MON, Deliver),
                (TUE, Run(250)),
                (WED, Run(250)),
                (WED, Deliver),
                (THU, Run(250)),
                (FRI, Deliver),
            ],
            "2026-03-07T09:00:00Z",
            &[
                opened,
                "2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T09:00:00Z 1 major band",
                "2026-03-04T09:00:00Z 1 withheld undelivered",
                "2026-03-05T09:00:00Z 1 upgraded 150 to 200 for 49644",
                "2026-03-05T09:00:00Z 1 major band",
                "2026-03-06T09:00:00Z 1 withheld undelivered",
                "2026-03-07T09:00:00Z 1 withheld stale_snapshot",
            ],
        ),
        (
            "minor after a step: it goes on by time",
            contract(&[100, 150, 200]),
            100,
            vec![(MON, Run(155)), (MON, Deliver)],
            "2026-03-18T00:00:00Z",
            &[
                opened,
                "2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T09:00:00Z 1 minor band_left",
                "2026-03-17T00:00:00Z 1 minor_overdue time",
            ],
        ),
        (
            "covering",
            Clauses { ladder: ladder(&[100, 150, 200, 300], Jump::Covering), ..Clauses::CONTRACT },
            100,
            vec![(MON, Run(250)), (MON, Deliver)],
            WED,
            &[opened, "2026-03-03T09:00:00Z 1 upgraded 100 to 300 for 199890", "2026-03-03T09:00:00Z 1 upgraded on day 1"],
        ),
        (
            "major by time after a step: again by time",
            contract(&[100, 102, 104]),
            100,
            vec![(MON, Run(105)), ("2026-03-31T09:00:00Z", Run(105)), ("2026-03-31T09:00:00Z", Deliver)],
            "2026-04-01T10:00:00Z",
            &[
                "2026-03-02T09:00:00Z 1 minor opened",
                "2026-03-17T00:00:00Z 1 minor_overdue time",
                "2026-03-30T23:00:00Z 1 major time",
                "2026-04-01T09:00:00Z 1 upgraded 100 to 102 for 1808",
                "2026-04-01T09:00:00Z 1 major time",
            ],
        ),
        (
            "the last day of a leap year: the tier goes on, no overage opens on day one",
            contract(&[100, 150]),
            100,
            vec![("2028-12-30T09:00:00Z", Run(110)), ("2028-12-30T09:00:00Z", Deliver)],
            "2029-01-01T12:00:00Z",
            &[
                "2028-12-30T09:00:00Z 1 major band",
                "2028-12-31T09:00:00Z 1 upgraded 100 to 150 for 164",
                "2028-12-31T09:00:00Z 1 upgraded on day 0",
            ],
        ),
    ]);
}

#[test]
fn r62_each_crossing_has_its_own_clock_unless_they_are_merged() {
    use Event::Run;
    let merging = |days| Clauses { merge_gap_business_days: days, ..contract(&[]) };
    // Over on Monday 2 March, within from Friday 13 March, over again on a later day.
    let course = |again: &'static str| vec![(MON, Run(103)), ("2026-03-13T09:00:00Z", Run(100)), (again, Run(103))];
    let first = ["2026-03-02T09:00:00Z 1 minor opened", "2026-03-13T09:00:00Z 1 cured on day 9"];
    let rows: [(&str, u32, &str, &[&str]); 6] = [
        ("not merged", 0, "2026-03-13T15:00:00Z", &["2026-03-13T15:00:00Z 2 minor opened"]),
        (
            "the same day",
            1,
            "2026-03-13T15:00:00Z",
            &[
                "2026-03-13T15:00:00Z 2 continues 1 from 2026-03-02",
                "2026-03-13T15:00:00Z 2 minor opened",
                "2026-03-17T00:00:00Z 2 minor_overdue time",
            ],
        ),
        ("over a weekend, one business day later", 1, "2026-03-16T09:00:00Z", &["2026-03-16T09:00:00Z 2 minor opened"]),
        (
            "over a weekend, still within",
            2,
            "2026-03-16T09:00:00Z",
            &[
                "2026-03-16T09:00:00Z 2 continues 1 from 2026-03-02",
                "2026-03-16T09:00:00Z 2 minor opened",
                "2026-03-17T00:00:00Z 2 minor_overdue time",
            ],
        ),
        (
            "on a Sunday no business day has passed",
            1,
            "2026-03-15T09:00:00Z",
            &[
                "2026-03-15T09:00:00Z 2 continues 1 from 2026-03-02",
                "2026-03-15T09:00:00Z 2 minor opened",
                "2026-03-17T00:00:00Z 2 minor_overdue time",
            ],
        ),
        (
            "overdue at once",
            5,
            "2026-03-18T09:00:00Z",
            &["2026-03-18T09:00:00Z 2 continues 1 from 2026-03-02", "2026-03-18T09:00:00Z 2 minor_overdue time"],
        ),
    ];
    for (case, days, again, expected) in rows {
        let told = play(merging(days), 100, &course(again), "2026-03-20T00:00:00Z");
        assert_eq!(told[..2], first, "{case}");
        assert_eq!(told[2..], *expected, "{case}");
    }
    // A chain keeps day 0 of its first.
    let chain = vec![(MON, Run(103)), (TUE, Run(100)), (WED, Run(103)), (THU, Run(100)), (FRI, Run(103))];
    let told = play(merging(2), 100, &chain, FRI);
    assert_eq!(told.last().map(String::as_str), Some("2026-03-06T09:00:00Z 3 minor opened"));
    assert!(told.contains(&"2026-03-06T09:00:00Z 3 continues 2 from 2026-03-02".to_owned()));
}

#[test]
fn r59_r65_the_gap_is_told_and_so_is_a_short_deadline() {
    use Event::Run;
    let warn = Clauses { gap_band: GapBand::Warn, ..contract(&[]) };
    let short = Clauses { cure_business_days: 3, ..contract(&[]) };
    let long = Clauses { cure_business_days: 15, ..contract(&[]) };
    let opened = "2026-03-02T09:00:00Z 1 minor opened";
    let overdue = "2026-03-17T00:00:00Z 1 minor_overdue time";
    check(vec![
        (
            "warned once",
            warn,
            100,
            vec![(MON, Run(103)), (TUE, Run(106)), (WED, Run(105)), (THU, Run(106))],
            FRI,
            &[opened, "2026-03-03T09:00:00Z 1 gap"],
        ),
        (
            "the end of the third business day",
            short.clone(),
            100,
            vec![(MON, Run(103))],
            "2026-03-18T00:00:00Z",
            &[opened, "2026-03-06T00:00:00Z 1 cure ended", overdue],
        ),
        (
            "cured in time",
            short,
            100,
            vec![(MON, Run(103)), (THU, Run(100))],
            "2026-03-18T00:00:00Z",
            &[opened, "2026-03-05T09:00:00Z 1 cured on day 3"],
        ),
        ("overdue says it first", long, 100, vec![(MON, Run(103))], "2026-03-28T00:00:00Z", &[opened, overdue]),
        // The tenth business day is a Friday: overdue on Monday says it, nothing is told on Saturday.
        (
            "a Friday",
            contract(&[]),
            100,
            vec![("2026-03-13T09:00:00Z", Run(103))],
            "2026-04-01T00:00:00Z",
            &["2026-03-13T09:00:00Z 1 minor opened", "2026-03-29T23:00:00Z 1 minor_overdue time"],
        ),
    ]);
}

#[test]
fn allowances_that_begin_and_end_move_episodes_at_their_own_instants() {
    use Event::{Buy, Run};
    check(vec![
        // Ten seats end on Wednesday, though nobody looks until Friday.
        (
            "reduced",
            contract(&[]),
            100,
            vec![(MON, Run(100)), (MON, Buy(-3, 48))],
            FRI,
            &["2026-03-04T09:00:00Z 1 minor opened"],
        ),
        (
            "reduced and bought again meanwhile",
            contract(&[]),
            100,
            vec![(MON, Run(100)), (MON, Buy(-3, 48)), (MON, Buy(3, 72))],
            FRI,
            &["2026-03-04T09:00:00Z 1 minor opened", "2026-03-05T09:00:00Z 1 allowance_raised on day 1"],
        ),
        (
            "reduced twice: one episode, another band",
            contract(&[]),
            100,
            vec![(MON, Run(100)), (MON, Buy(-3, 48)), (MON, Buy(-7, 72))],
            FRI,
            &[
                "2026-03-04T09:00:00Z 1 minor opened",
                "2026-03-05T09:00:00Z 1 major band",
                "2026-03-06T09:00:00Z 1 withheld no_higher_tier undelivered stale_snapshot",
            ],
        ),
    ]);
}
