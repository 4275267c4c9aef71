use crate::license::clauses::{AutoUpgrade, Clauses};
use crate::license::timeline::tests::sim::{Event, FRI, MON, THU, TUE, WED, check, contract};

#[test]
fn r67_the_window_ends_in_an_upgrade_or_is_discarded() {
    use Event::{Deliver, Run};
    let tiers = || contract(&[100, 150, 200]);
    let opened = "2026-03-02T09:00:00Z 1 major band";
    check(vec![
        (
            "delivered, not cured",
            tiers(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), (TUE, Run(110))],
            TUE,
            &[opened, "2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973", "2026-03-03T09:00:00Z 1 upgraded on day 1"],
        ),
        ("a millisecond before", tiers(), 100, vec![(MON, Run(110)), (MON, Deliver)], "2026-03-03T08:59:59.999Z", &[opened]),
        (
            "the band is left in time: the episode goes on by time (R71)",
            tiers(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-03T08:00:00Z", Run(106))],
            WED,
            &[opened, "2026-03-03T08:00:00Z 1 minor band_left"],
        ),
        (
            "cured in time",
            tiers(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-03T08:00:00Z", Run(100))],
            WED,
            &[opened, "2026-03-03T08:00:00Z 1 cured on day 1"],
        ),
        (
            "back in the band: another window from another delivery",
            tiers(),
            100,
            vec![
                (MON, Run(110)),
                (MON, Deliver),
                ("2026-03-03T08:00:00Z", Run(105)),
                ("2026-03-03T08:30:00Z", Run(110)),
                (WED, Deliver),
                ("2026-03-05T02:30:00Z", Run(110)),
            ],
            THU,
            &[
                opened,
                "2026-03-03T08:00:00Z 1 minor band_left",
                "2026-03-03T08:30:00Z 1 major band",
                "2026-03-04T08:30:00Z 1 withheld undelivered",
                "2026-03-05T09:00:00Z 1 upgraded 100 to 150 for 49644",
                "2026-03-05T09:00:00Z 1 upgraded on day 3",
            ],
        ),
        // Major by time: leaving no band helps, only u ≤ a does.
        (
            "by time, not cured",
            tiers(),
            100,
            vec![(MON, Run(103)), ("2026-03-31T09:00:00Z", Run(101)), ("2026-03-31T10:00:00Z", Deliver)],
            "2026-04-02T00:00:00Z",
            &[
                "2026-03-02T09:00:00Z 1 minor opened",
                "2026-03-17T00:00:00Z 1 minor_overdue time",
                "2026-03-30T23:00:00Z 1 major time",
                "2026-04-01T10:00:00Z 1 upgraded 100 to 150 for 45205",
                "2026-04-01T10:00:00Z 1 upgraded on day 22",
            ],
        ),
        (
            "by time, cured",
            tiers(),
            100,
            vec![
                (MON, Run(103)),
                ("2026-03-31T09:00:00Z", Run(103)),
                ("2026-03-31T10:00:00Z", Deliver),
                ("2026-04-01T09:59:00Z", Run(100)),
            ],
            "2026-04-02T00:00:00Z",
            &[
                "2026-03-02T09:00:00Z 1 minor opened",
                "2026-03-17T00:00:00Z 1 minor_overdue time",
                "2026-03-30T23:00:00Z 1 major time",
                "2026-04-01T09:59:00Z 1 cured on day 22",
            ],
        ),
        // A purchase that begins in the window cures it at its own instant, though nobody looks.
        (
            "bought in time",
            tiers(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-02T10:00:00Z", Event::Buy(10, 5))],
            FRI,
            &[opened, "2026-03-02T15:00:00Z 1 allowance_raised on day 0"],
        ),
        (
            "bought too late: the tier is taken before",
            tiers(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-02T10:00:00Z", Event::Buy(10, 48))],
            FRI,
            &[opened, "2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973", "2026-03-03T09:00:00Z 1 upgraded on day 1"],
        ),
    ]);
}

#[test]
fn r69_interlocks_say_once_why_and_let_go_at_their_instant() {
    use Event::{Approve, Deliver, Freeze, Hold, Provisional, Run};
    let tiers = || contract(&[100, 150, 200]);
    let propose = || Clauses { auto_upgrade: AutoUpgrade::Propose, ..tiers() };
    let opened = "2026-03-02T09:00:00Z 1 major band";
    check(vec![
        (
            "no tiers at all",
            contract(&[]),
            100,
            vec![(MON, Run(110)), (MON, Deliver)],
            TUE,
            &[opened, "2026-03-03T09:00:00Z 1 withheld no_higher_tier"],
        ),
        (
            "the top of the ladder",
            contract(&[50, 100]),
            100,
            vec![(MON, Run(110)), (MON, Deliver)],
            TUE,
            &[opened, "2026-03-03T09:00:00Z 1 withheld no_higher_tier"],
        ),
        (
            "not delivered; a reason that joins later is told by itself",
            tiers(),
            100,
            vec![(MON, Run(110))],
            FRI,
            &[opened, "2026-03-03T09:00:00Z 1 withheld undelivered", "2026-03-03T21:00:00.001Z 1 withheld stale_snapshot"],
        ),
        (
            "delivered late: its own 24 hours",
            tiers(),
            100,
            vec![(MON, Run(110)), ("2026-03-03T20:00:00Z", Run(110)), (WED, Run(110)), (WED, Deliver)],
            FRI,
            &[
                opened,
                "2026-03-03T09:00:00Z 1 withheld undelivered",
                "2026-03-05T09:00:00Z 1 upgraded 100 to 150 for 49644",
                "2026-03-05T09:00:00Z 1 upgraded on day 3",
            ],
        ),
        // 36 hours after Monday 9:00 the snapshot is stale; the one of Thursday lets the upgrade happen that instant.
        (
            "stale",
            Clauses { major_cure_hours: 48, ..tiers() },
            100,
            vec![(MON, Run(110)), (MON, Deliver), (THU, Run(110))],
            FRI,
            &[
                opened,
                "2026-03-04T09:00:00Z 1 withheld stale_snapshot",
                "2026-03-05T09:00:00Z 1 upgraded 100 to 150 for 49644",
                "2026-03-05T09:00:00Z 1 upgraded on day 3",
            ],
        ),
        (
            "exactly 36 hours are not stale",
            Clauses { major_cure_hours: 36, ..tiers() },
            100,
            vec![(MON, Run(110)), (MON, Deliver)],
            FRI,
            &[opened, "2026-03-03T21:00:00Z 1 upgraded 100 to 150 for 49973", "2026-03-03T21:00:00Z 1 upgraded on day 1"],
        ),
        (
            "an overage of another pool is provisional, until it is none",
            tiers(),
            100,
            vec![
                (MON, Run(110)),
                (MON, Deliver),
                ("2026-03-02T10:00:00Z", Provisional(true)),
                ("2026-03-03T12:00:00Z", Provisional(false)),
            ],
            FRI,
            &[
                opened,
                "2026-03-03T09:00:00Z 1 withheld provisional_overage",
                "2026-03-03T12:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T12:00:00Z 1 upgraded on day 1",
            ],
        ),
        (
            "a hold, until its deadline",
            tiers(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-02T10:00:00Z", Hold(26))],
            FRI,
            &[
                opened,
                "2026-03-03T09:00:00Z 1 withheld open_hold",
                "2026-03-03T12:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T12:00:00Z 1 upgraded on day 1",
            ],
        ),
        (
            "frozen, and let go",
            tiers(),
            100,
            vec![
                (MON, Run(110)),
                (MON, Deliver),
                ("2026-03-02T10:00:00Z", Freeze(true)),
                ("2026-03-03T09:00:00Z", Run(110)),
                ("2026-03-03T15:00:00Z", Freeze(false)),
            ],
            FRI,
            &[
                opened,
                "2026-03-03T09:00:00Z 1 withheld billing_frozen",
                "2026-03-03T15:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T15:00:00Z 1 upgraded on day 1",
            ],
        ),
        (
            "several at once, told together; what joins later is told by itself",
            Clauses { major_cure_hours: 48, ..propose() },
            100,
            vec![(MON, Run(110)), (MON, Deliver), (WED, Run(110)), ("2026-03-04T10:00:00Z", Freeze(true))],
            FRI,
            &[
                opened,
                "2026-03-04T09:00:00Z 1 withheld stale_snapshot awaits_approval",
                "2026-03-04T10:00:00Z 1 withheld billing_frozen",
            ],
        ),
        (
            "proposed, nobody approves",
            propose(),
            100,
            vec![(MON, Run(110)), (MON, Deliver)],
            "2026-03-03T20:00:00Z",
            &[opened, "2026-03-03T09:00:00Z 1 withheld awaits_approval"],
        ),
        (
            "approved after the window: from then on",
            propose(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-03T20:00:00Z", Approve)],
            FRI,
            &[
                opened,
                "2026-03-03T09:00:00Z 1 withheld awaits_approval",
                "2026-03-03T20:00:00Z 1 approved",
                "2026-03-03T20:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T20:00:00Z 1 upgraded on day 1",
            ],
        ),
        (
            "approved in the window: at its end",
            propose(),
            100,
            vec![(MON, Run(110)), (MON, Deliver), ("2026-03-02T20:00:00Z", Approve)],
            FRI,
            &[
                opened,
                "2026-03-02T20:00:00Z 1 approved",
                "2026-03-03T09:00:00Z 1 upgraded 100 to 150 for 49973",
                "2026-03-03T09:00:00Z 1 upgraded on day 1",
            ],
        ),
        (
            "off",
            Clauses { auto_upgrade: AutoUpgrade::Off, ..tiers() },
            100,
            vec![(MON, Run(110)), (MON, Deliver)],
            FRI,
            &[opened],
        ),
    ]);
}
