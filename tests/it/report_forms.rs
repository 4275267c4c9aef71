//! The forms of each report from outside: tables, JSON, CSV to the byte, and the same bytes again once the instant has
//! passed (R147, R148, I12).

use std::fs;

use serde_json::Value;

use crate::demo::{Demo, Outcome};

const FIRST: &str = "2026-09-02T08:30:00Z";
const SECOND: &str = "2026-09-03T08:30:00Z";
const LATER: &str = "2026-09-04T12:00:00Z";

/// Each report of Northfield and the header of its CSV.
const REPORTS: [(&str, &str); 9] = [
    ("report licenses northfield", "Name,User Limit,Used,Remaining,Percentage Used"),
    (
        "report claims northfield",
        "Claim,Org Path,Product,Pool,Person,State,Reasons,Since,Released,Because,Run,Last Activity,Activity",
    ),
    (
        "report dashboard northfield",
        "Product,Total Licensed,Currently Assigned,Available,Usage Percentage,Pending,Held,Waiting,Suspended,Stage,Status,\
         Next Expiry,As Of,Snapshot,Stale",
    ),
    ("report compliance northfield", "Pool,Product,Status,Limit,Used,Available,Stage,Next Expiry"),
    ("report usage northfield", "Pool,Product,Assigned,Recently Active,Quiet,Inactive,Utilization"),
    ("report advice northfield", "Pool,Recommendation,Seats,From,To,By,Cost"),
    ("report high-water northfield", "Pool,Day,Max Used,Min Available,Close Used,Close Available"),
    ("pool requests northfield", "Pool,Seats,Asked,By,Limit,Used,Available,Waiting,Note"),
    ("report reuse northfield", "Pool,Product,Year From,Most Seats,Most Used,Distinct People,Replacements,Allowed,Level"),
];

/// Those that name people or teams, and hence look at a roster.
const OF_ROSTERS: [(&str, &str); 2] = [
    ("report consumption northfield", "Pool,Team,Title,Org,Purchased,Active,Pending,Held,Unused,Distinct in Teams"),
    ("report unseated northfield", "Person,Name,Product,Pool,Reason,Position,Since,Home"),
];

fn at(demo: &Demo, command: &str, instant: &str) -> Outcome {
    demo.run(&format!("{command} --as-of {instant}"))
}

#[test]
fn every_report_has_its_forms_and_says_the_same_again_of_the_past() {
    let demo = Demo::new();
    demo.hold_back("northfield", "2026-09-02");
    at(&demo, "sync northfield --here", FIRST);
    at(&demo, "pool request-seats northfield learn-educators --seats 4 --note =SUM(A1)", FIRST);
    let all = || REPORTS.iter().chain(&OF_ROSTERS);
    let csv = |instant: &str| -> Vec<String> {
        all().map(|(command, _)| at(&demo, &format!("{command} --csv"), instant).out).collect()
    };
    let then = csv(FIRST);
    for ((command, header), text) in all().zip(&then) {
        assert_eq!(text.split("\r\n").next(), Some(*header), "{command}");
        assert!(text.ends_with("\r\n"), "{command}");
        let rows = text.matches("\r\n").count() - 1;
        let json: Value = serde_json::from_str(&at(&demo, &format!("{command} --json"), FIRST).out).expect("JSON");
        let told = json["rows"].as_array().map_or(0, Vec::len) + json["combined"].as_array().map_or(0, Vec::len);
        assert_eq!(told, rows, "{command}");
        assert_eq!((&json["customer"], &json["as_of"], &json["stale"]), (&"northfield".into(), &FIRST.into(), &false.into()));
        let table = at(&demo, command, FIRST);
        assert_eq!((table.code, table.err.as_str()), (0, ""), "{command}");
        assert!(table.out.contains("as of 2026-09-02T08:30:00Z; newest package taken in at"), "{command}: {}", table.out);
        let both = at(&demo, &format!("{command} --csv --json"), FIRST);
        assert_eq!((both.code, both.out.as_str()), (2, ""), "{command}");
    }
    assert!(then[7].contains(",'=SUM(A1)\r\n"), "texts are neutralized: {}", then[7]);

    demo.bring("northfield", "2026-09-02");
    at(&demo, "sync northfield --here", SECOND);
    at(&demo, "pool grant northfield learn-educators --seats 9 --from 2026-09-01 --reference PO-9", SECOND);
    let now = csv(SECOND);
    assert_ne!(now, then);
    for (again, said) in [(csv(FIRST), then), (csv(SECOND), now)] {
        for (((command, _), again), said) in all().zip(again).zip(said) {
            assert_eq!(again, said, "{command}: byte for byte as it was");
        }
    }
    for command in ["status northfield", "pool list northfield", "pool show northfield learn-educators --since 2026-09-01"] {
        let done = at(&demo, command, FIRST);
        assert_eq!(done.code, 0, "{command}");
        assert!(!done.out.contains("PO-9"), "what was recorded later is not told: {}", done.out);
    }
    let why = at(&demo, "explain northfield --pool learn-educators --since 2026-09-03", SECOND).out;
    assert!(why.contains("PO-9") && why.contains("seats held for"), "{why}");
    let why: Value =
        serde_json::from_str(&at(&demo, "explain northfield --pool learn-educators --json", SECOND).out).expect("JSON");
    let held: u64 = why["seats_by_reason"].as_object().expect("an object").values().filter_map(Value::as_u64).sum();
    assert_eq!(Some(held), why["used"].as_u64(), "the reasons add up");
    assert_eq!(at(&demo, "explain northfield", SECOND).code, 2);
    assert_eq!(at(&demo, "explain northfield t-001 --pool learn-educators", SECOND).code, 2);
    assert_eq!(demo.run("audit verify").code, 0);
}

#[test]
fn filters_and_files_of_log_ins_from_outside() {
    let demo = Demo::new();
    demo.hold_back("northfield", "2026-09-02");
    at(&demo, "sync northfield --here", FIRST);
    for (command, code, told) in [
        ("report claims northfield --org bich", 66, "did you mean"),
        ("report claims northfield --pool nope", 66, "find pool nope"),
        ("report claims northfield --product lern", 66, "did you mean learn"),
        ("report claims northfield --state gone", 2, "invalid value"),
        ("report dashboard northfield --combined learn", 2, "two products"),
        ("report dashboard northfield --combined learn,lern", 66, "did you mean learn"),
        ("pool request-seats northfield nope --seats 1", 66, "find pool nope"),
        ("pool request-seats northfield learn-educators --seats 0", 2, "invalid value"),
        ("activity import northfield nowhere.csv", 2, "nowhere.csv"),
    ] {
        let done = at(&demo, command, FIRST);
        assert_eq!(done.code, code, "{command}: {done:?}");
        assert!(done.err.contains(told), "{command}: {done:?}");
    }
    let waiting = at(&demo, "report claims northfield --state waiting --pool learn-educators --csv", FIRST).out;
    assert_eq!(waiting.matches(",waiting,").count(), 4, "{waiting}");
    let file = demo.path().join("log-ins.csv");
    let import = |text: &str, code: i32| {
        fs::write(&file, text).expect("written");
        let done = at(&demo, &format!("activity import northfield {}", file.display()), LATER);
        assert_eq!(done.code, code, "{done:?}");
        done.out
    };
    assert!(
        import("person,last_login\nt-001,2026-09-03T07:00:00Z\n", 0).contains("1 log-in taken in, 1 of them news; 0 bad rows")
    );
    let bad = import("person,last_login\nt-001,2026-09-03T07:00:00Z\nt-002,soon\n", 6);
    assert!(bad.contains("log-ins.csv") && bad.contains("bad_instant") && bad.contains("0 of them news; 1 bad row"), "{bad}");
    assert!(import("person\n", 1).contains("nothing was taken in"));
    let recent = at(&demo, "report claims northfield --activity recent --csv", LATER).out;
    assert!(recent.lines().skip(1).all(|row| row.contains(",t-001,")), "{recent}");
    assert!(recent.contains("2026-09-03T07:00:00Z,recent\r\n"), "{recent}");
}
