use crate::base::{Actor, Calendar, Day, Digest, Instant, PersonKey, RunId, SourceId};
use crate::license::{Hold, HoldState};
use crate::plan::guard::{GuardKind, Trip, Verdict};
use crate::plan::hold::{Judged, Others, Sight, approval, next_holds};
use crate::plan::judge::Judgment;

const HOUR: i64 = 3_600_000;

fn package(source: &str) -> (SourceId, (Digest, String)) {
    (SourceId::from(source), (Digest::of(source.as_bytes()), format!("{source}.zip")))
}

/// The first snapshot of source `b`, held on Monday 2 March 2026 at nine.
fn held() -> Hold {
    let opened = Instant(i64::from(monday().0) * 24 * HOUR + 9 * HOUR);
    Hold {
        run: RunId(7),
        plan: Digest::of(b"plan"),
        opened,
        deadline: Instant(opened.0 + 72 * HOUR),
        trips: vec!["bootstrap".into()],
        removals: Vec::new(),
        additions: Vec::new(),
        packages: vec![package("b")],
        empty: false,
        state: HoldState::Open,
        by: None,
        at: None,
        exceptions: Vec::new(),
        used: None,
        told: monday(),
    }
}

fn monday() -> Day {
    Day::parse("2026-03-02").expect("a day")
}

fn run(newest: &Hold, judgment: &Judgment, sources: &[&str]) -> Vec<Hold> {
    let packages = sources.iter().map(|source| package(source)).collect();
    let now = Instant(newest.opened.0 + HOUR);
    let calendar = &Calendar::utc();
    let others = Others::default();
    let judged = Some(Judged { judgment, covered: &judgment.held, stopped: &[], packages, others: &others, hints: Vec::new() });
    next_holds(&Sight { run: RunId(8), now, calendar, ttl_hours: 72, newest: Some(newest), used: false, judged }).0
}

fn tripped(people: &[&str]) -> Judgment {
    let removed = u32::try_from(people.len()).expect("few");
    let trip = Trip { guard: GuardKind::Removal, org: None, collection: None, base: 9, removed, limit_percent: 10 };
    let held: Vec<PersonKey> = people.iter().map(|key| PersonKey::from(*key)).collect();
    Judgment { verdict: Verdict { trips: vec![trip] }, removals: held.clone(), held, ..Judgment::default() }
}

#[test]
fn a_package_of_one_source_waits_on_while_another_source_goes_on() {
    let hold = held();
    assert_eq!(run(&hold, &Judgment::default(), &["a"]), []);
    // The other source's removals trip: one hold of a customer is open, and it has both.
    let holds = run(&hold, &tripped(&["x", "y"]), &["a"]);
    assert_eq!((holds[0].run, holds[0].state), (RunId(7), HoldState::Superseded));
    assert_eq!((holds[1].run, holds[1].state, holds[1].opened), (RunId(8), HoldState::Open, hold.opened));
    assert_eq!((&holds[1].packages, holds[1].removals.len(), holds[1].trips.len()), (&hold.packages, 2, 2));
    // Its own next package has nothing to hold.
    let holds = run(&hold, &Judgment::default(), &["b"]);
    assert_eq!(holds.iter().map(|hold| hold.state).collect::<Vec<_>>(), [HoldState::ResolvedAtSource]);
}

#[test]
fn an_approval_works_for_what_was_shown_until_its_deadline_and_once() {
    let hold = Hold { state: HoldState::Approved, by: Some(Actor::operator("o")), ..held() };
    let works = |hold: &Hold, hours: i64, fresh: &[&str]| {
        let fresh: Vec<_> = fresh.iter().map(|source| package(source)).collect();
        approval(Some(hold), Instant(hold.opened.0 + hours * HOUR), &fresh)
    };
    let whole = |fresh: &[&str]| {
        let approved = works(&hold, 71, fresh).expect("it works");
        ["a", "b"].map(|source| approved.of(&SourceId::from(source)).whole)
    };
    assert_eq!(whole(&["b"]), [false, true]);
    assert_eq!(whole(&["a", "b"]), [false, true], "the other one is judged as ever");
    assert_eq!(works(&hold, 72, &["b"]), None, "it ran out");
    assert_eq!(works(&hold, 1, &["a"]), None, "another package");
    let both = Hold { packages: vec![package("a"), package("b")], ..hold.clone() };
    assert_eq!(works(&both, 1, &["b"]), None, "one of them is not there, and it works once");
    assert_eq!(works(&hold, 1, &[]), None, "the package is not there");
    assert_eq!(works(&Hold { used: Some(RunId(9)), ..hold.clone() }, 1, &["b"]), None, "it was used");
    assert_eq!(works(&held(), 1, &["b"]), None, "nobody approved it");
    let people = |keys: &[&str]| keys.iter().map(|key| PersonKey::from(*key)).collect::<Vec<_>>();
    let partly = Hold {
        state: HoldState::PartlyApproved,
        removals: people(&["x", "y", "z"]),
        exceptions: people(&["y"]),
        packages: Vec::new(),
        ..hold
    };
    let granted = works(&partly, 1, &[]).expect("it works");
    assert_eq!((granted.removals, granted.sources), (people(&["x", "z"]), Vec::new()));
}
