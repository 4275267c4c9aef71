//! Reports as tables: what they say now, and that they say the same of an instant once it has passed (R136 to R150, R155,
//! R159, R165).

use std::collections::BTreeMap;

use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::{collection::vec, prop_oneof};
use rosterd::base::{Actor, Day, Digest, Instant, OrgId, PersonKey, PoolId, ProductId, Seats};
use rosterd::clock::Clock;
use rosterd::license::{Activity, Advice, ClaimState, Compliance, OnFull, PinKind, ProductKind, SeatModel, Stage};
use rosterd::plan::{Decision, Predicate};
use rosterd::service::{ClaimFilter, Customer, LicenseRow, SeatUse, Service};
use rosterd::shape::report::{LICENSES, license};
use rosterd::shape::{csv_of, csv_row};
use rosterd::source::{BulkWithStatus, CsvSource, CsvSourceSettings, DropKind};
use rosterd::store::Trigger;

use crate::world::{World, day, seats, succeeded};

/// A district with two schools, two products and a pool of each.
fn district(learn: u32, observe: u32) -> World {
    World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .product("observe", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .role_rule("student", "learn")
        .role_rule("teacher", "observe")
        .pool("learn", "d", Some(learn), OnFull::Overdraw)
        .pool("observe", "d", Some(observe), OnFull::Wait)
}

fn with<T>(world: &World, ask: impl Fn(&Service, &Customer) -> T) -> T {
    let service = world.service();
    ask(&service, &service.customers()[0])
}

fn notices(world: &World, kind: &str) -> Vec<String> {
    let service = world.service();
    let all = service.store().notices(Some(&world.policy.customer), 1000).expect("it is there");
    all.into_iter().rev().filter(|notice| notice.kind == kind).map(|notice| notice.text).collect()
}

#[test]
fn r141_the_dashboard_of_each_product_and_of_both() {
    let mut world = district(10, 1);
    for (key, role) in [("ann", "teacher"), ("bob", "teacher"), ("cid", "student"), ("dan", "student")] {
        world.hire(key, role, "ash");
    }
    world.night();
    let board = with(&world, |service, customer| service.dashboard(customer, None).unwrap());
    let shown: Vec<_> = board
        .products
        .iter()
        .map(|row| {
            let seats = (row.total.unwrap().0, row.assigned.0, row.available.unwrap().0, row.percent().unwrap());
            (row.product.as_str(), seats, row.waiting.0, row.compliance)
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("learn", (10, 4, 6, "40.0".to_owned()), 0, Compliance::Compliant),
            ("observe", (1, 1, 0, "100.0".to_owned()), 1, Compliance::AtRisk)
        ]
    );
    let both = |pair: Option<(ProductId, ProductId)>| {
        with(&world, |service, customer| service.dashboard(customer, pair.clone()).unwrap().combined)
    };
    let expected = vec![("learn".into(), "observe".into(), 1)];
    assert_eq!(both(None), expected, "one holds seats of both (R14)");
    assert_eq!(both(Some(("observe".into(), "learn".into()))), [("observe".into(), "learn".into(), 1)]);
    assert!(!board.freshness.stale);
    world.set_day(day("2026-03-05"));
    let board = with(&world, |service, customer| service.dashboard(customer, None).unwrap());
    assert!(board.freshness.stale, "no snapshot for more than 36 hours (R148)");
    assert_eq!(board.products[0].compliance, Compliance::AtRisk);
}

#[test]
fn r14_a_bundle_seat_counts_for_both() {
    let mut world = district(10, 10).product("both", ProductKind::Module, SeatModel::Role);
    world.policy.products[2].bundle_of = vec!["learn".into(), "observe".into()];
    world = world.pool("both", "d", Some(1), OnFull::Wait).person("ann", "teacher", "ash").person("bob", "teacher", "ash");
    world.night();
    assert_eq!((world.used("both"), world.used("learn")), (1, 1), "the bundle is drawn first");
    let board = with(&world, |service, customer| service.dashboard(customer, None).unwrap());
    assert_eq!(board.combined, [("learn".into(), "observe".into(), 2)]);
}

#[test]
fn t15_consumption_by_team() {
    let mut world = World::new("studio")
        .school("ash")
        .class("t1", "ash", "")
        .class("t2", "ash", "")
        .product("tool", ProductKind::Module, SeatModel::Named)
        .rule("in-team", "tool", 0, Predicate::LiveEnrollment(Default::default()))
        .pool("tool", "d", Some(10), OnFull::Wait);
    world.policy.products[0].needs_acceptance = true;
    for key in ["a", "b", "x", "y", "z"] {
        world.hire(key, "student", "ash");
        world.enroll(key, "t1", None, None);
    }
    world.night();
    for key in ["a", "b"] {
        world.decide(Decision::Accept { person: PersonKey::from(key), pool: PoolId::from("tool") });
    }
    let rows = |world: &World| -> Vec<_> {
        let report = with(world, |service, customer| service.consumption(customer, None).unwrap());
        report
            .rows
            .into_iter()
            .map(|row| {
                let team = row.team.map_or(String::new(), |team| team.id);
                let pool = (row.purchased.map(|seats| seats.0), row.unused.map(|unused| unused.0));
                (team, pool, row.active.0, row.pending.0, row.held.0, row.people_in_teams.0)
            })
            .collect()
    };
    let bar = |active, pending, held, people| (String::new(), (Some(10), Some(5)), active, pending, held, people);
    let team = |id: &str, active, pending| (id.to_owned(), (None, None), active, pending, 0, active + pending);
    assert_eq!(rows(&world), [bar(2, 3, 0, 5), team("t1", 2, 3)]);
    world.decide(Decision::Accept { person: PersonKey::from("x"), pool: PoolId::from("tool") });
    world.enroll("a", "t2", None, None);
    world.night();
    assert_eq!(rows(&world), [bar(3, 2, 0, 5), team("t1", 3, 2), team("t2", 1, 0)], "in both teams, and distinct once");
    world.people.get_mut("a").unwrap().enrollments.iter_mut().for_each(|e| e.ended = true);
    world.night();
    assert_eq!(rows(&world), [bar(2, 2, 1, 4), team("t1", 2, 2)], "held, and still not unused (A23)");
    world.end("a");
    world.night();
    assert_eq!(rows(&world)[0].1, (Some(10), Some(6)), "deleted");
}

#[test]
fn r143_claims_by_every_filter_and_of_past_dates() {
    let mut world = district(10, 1);
    world.hire("ann", "teacher", "ash");
    world.hire("bob", "teacher", "birch");
    world.hire("cid", "student", "birch");
    world.night(); // 2 March
    world.end("bob");
    world.night(); // 3 March
    world.next_day();
    let claims = |filter: ClaimFilter| -> Vec<String> {
        let report = with(&world, |service, customer| service.claims_report(customer, &filter).unwrap());
        report.rows.iter().map(|r| format!("{} {} {} {}", r.person, r.pool, r.state, r.because.unwrap())).collect()
    };
    let all = ["ann learn active entitled", "ann observe active entitled", "bob learn released ended_in_source"];
    let cid = "cid learn active entitled";
    let bob = "bob observe released ended_in_source";
    assert_eq!(claims(ClaimFilter::default()), [all[0], all[1], all[2], bob, cid]);
    let filter = ClaimFilter::default;
    for (name, filter, expected) in [
        ("pool", ClaimFilter { pool: Some("observe".into()), ..filter() }, vec![all[1], bob]),
        ("product", ClaimFilter { product: Some("observe".into()), ..filter() }, vec![all[1], bob]),
        ("org", ClaimFilter { org: Some("birch".into()), ..filter() }, vec![all[2], bob, cid]),
        (
            "org above",
            ClaimFilter { org: Some("d".into()), state: Some(ClaimState::Active), ..filter() },
            vec![all[0], all[1], cid],
        ),
        ("role", ClaimFilter { role: Some("student".into()), ..filter() }, vec![cid]),
        ("state", ClaimFilter { state: Some(ClaimState::Released), ..filter() }, vec![all[2], bob]),
        ("since", ClaimFilter { since: Some(day("2026-03-04")), ..filter() }, vec![all[0], all[1], cid]),
        (
            "since the day",
            ClaimFilter { since: Some(day("2026-03-03")), pool: Some("learn".into()), ..filter() },
            vec![all[0], all[2], cid],
        ),
        (
            "on a past date",
            ClaimFilter { on: Some(day("2026-03-02")), ..filter() },
            vec![all[0], all[1], "bob learn active entitled", "bob observe waiting pool_full", cid],
        ),
        ("on the next", ClaimFilter { on: Some(day("2026-03-03")), ..filter() }, vec![all[0], all[1], cid]),
        ("before there was anything", ClaimFilter { on: Some(day("2026-03-01")), ..filter() }, vec![]),
        ("today", ClaimFilter { on: Some(day("2026-03-05")), ..filter() }, vec![all[0], all[1], cid]),
    ] {
        assert_eq!(claims(filter), expected, "{name}");
    }
    let ask = |filter: ClaimFilter| with(&world, |service, customer| service.claims_report(customer, &filter).map(|_| ()));
    let error = ask(ClaimFilter { org: Some("birhc".into()), ..filter() }).unwrap_err();
    assert!(error.to_string().contains("did you mean birch"), "{error}");
    let first = with(&world, |service, customer| service.claims_report(customer, &filter()).unwrap().rows.remove(0));
    assert_eq!((first.org_path.as_str(), first.run.is_some(), first.last_activity), ("d/ash", true, None));
    assert_eq!(first.activity, Some(Activity::Unknown), "no feed: never inactive (R144)");
}

#[test]
fn r144_log_ins_make_seats_recent_quiet_or_inactive() {
    let mut world = district(10, 10);
    for key in ["ann", "bob", "cid", "dan"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    world.set_day(day("2026-06-30"));
    let usage = |world: &World| -> Vec<_> {
        let report = with(world, |service, customer| service.usage(customer).unwrap());
        report.rows.into_iter().map(|row| (row.pool.to_string(), row.by_activity, row.utilization())).collect()
    };
    assert_eq!(usage(&world)[0], ("learn".to_owned(), None, None), "unknown without a feed");
    let import = |world: &World, text: &str| {
        with(world, |service, customer| service.import_activity(customer, "log.csv", text.as_bytes()).unwrap())
    };
    let answer = import(
        &world,
        "person,product,last_login\r\nann,learn,2026-06-29T08:00:00Z\r\nbob,learn,2026-05-01\r\ncid,observe,2026-06-01\r\n\
         nobody,learn,2026-06-01\r\nann,lern,2026-06-01\r\nann,learn,yesterday\r\nann,learn,2027-01-01\r\n,learn,2026-06-01\r\nann\r\n",
    );
    assert_eq!((answer.taken, answer.rows, answer.news, answer.bad), (true, 3, 3, 6));
    let told: Vec<String> = answer.findings.iter().map(|f| format!("{}:{} {} {}", f.file, f.row, f.field, f.rule)).collect();
    assert_eq!(
        told,
        [
            "log.csv:5 person unknown_person",
            "log.csv:6 product unknown_product",
            "log.csv:7 last_login bad_instant",
            "log.csv:8 last_login in_the_future",
            "log.csv:9 person empty_key",
            "log.csv:10  bad_cell_count"
        ]
    );
    let by = |recent, quiet, inactive, unused| {
        Some(SeatUse { recent: Seats(recent), quiet: Seats(quiet), inactive: Seats(inactive), unused: Seats(unused) })
    };
    let percent = |text: &str| Some(text.to_owned());
    assert_eq!(
        usage(&world),
        [
            // ann lately, bob 60 days ago, cid never here but elsewhere, dan never anywhere.
            ("learn".to_owned(), by(1, 1, 2, 1), percent("25.0")),
            ("observe".to_owned(), by(1, 0, 3, 2), percent("25.0"))
        ]
    );
    assert_eq!(import(&world, "last_login,person\n2026-06-01,ann\n").news, 1, "of all products, beside the one of one");
    assert_eq!(import(&world, "last_login,person\n2026-05-01,ann\n").news, 0, "the newest wins");
    assert_eq!(usage(&world)[1].1, by(2, 0, 2, 1), "ann's log-in counts for observe too");
    for (bad, rule) in [
        ("", "no_header"),
        ("person,when\n", "bad_header"),
        ("person,last_login,person\n", "bad_header"),
        ("person,last_login,age\n", "bad_header"),
        ("person,last_login\n\"ann,2026-06-01\n", "unbalanced_quote"),
    ] {
        let answer = import(&world, bad);
        assert_eq!((answer.taken, answer.findings[0].rule), (false, rule), "{bad:?}");
    }
    let inactive = ClaimFilter { activity: Some(Activity::Inactive), pool: Some("learn".into()), ..ClaimFilter::default() };
    let rows = with(&world, |service, customer| service.claims_report(customer, &inactive).unwrap().rows);
    assert_eq!(rows.iter().map(|r| r.person.as_str()).collect::<Vec<_>>(), ["cid", "dan"]);
    // A feed that has not told for long says nothing any more.
    world.set_day(day("2026-07-31"));
    assert_eq!(usage(&world)[0].1, None);
}

#[test]
fn r144_a_column_of_the_source_tells_log_ins_and_is_no_fact_of_the_roster() {
    let mut world = district(10, 10).person("ann", "teacher", "ash").person("bob", "teacher", "ash");
    let column = "metadata.lastLogin";
    let dir = world.dir.path().join("drop");
    world.adjust = Box::new(move |customer| {
        let mut settings = CsvSourceSettings::new("sis".into(), &dir, DropKind::Drop);
        (settings.settle_secs, settings.courses_optional) = (0, true);
        settings.bulk_with_status = BulkWithStatus::Full;
        settings.keep_metadata = vec![column.into()];
        customer.sources[0].source = std::sync::Arc::new(CsvSource::new(settings));
        customer.sources[0].activity_column = Some(column.into());
    });
    let write = |world: &mut World, ann: &str, bob: &str| {
        world.write_package();
        let newest = std::fs::read_dir(world.dir.path().join("drop")).unwrap().map(|e| e.unwrap().path()).max().unwrap();
        let users = newest.join("users.csv");
        let text = std::fs::read_to_string(&users).unwrap();
        let lines = text.lines().map(|line| match line.split(',').next() {
            Some("sourcedId") => format!("{line},{column}"),
            Some("ann") => format!("{line},{ann}"),
            _ => format!("{line},{bob}"),
        });
        std::fs::write(&users, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    };
    let night = |world: &mut World, ann: &str, bob: &str| {
        write(world, ann, bob);
        let run = world.run();
        world.next_day();
        run
    };
    let known = |world: &World| -> Vec<_> {
        let rows = world.service().store().activity(&world.policy.customer).unwrap();
        rows.into_iter().map(|row| format!("{} {}", row.person, row.at)).collect()
    };
    let snapshot = |world: &World| {
        let standing = world.service().store().standing_light(&world.policy.customer).unwrap();
        standing.sources.values().next().unwrap().snapshot
    };
    night(&mut world, "2026-03-01T08:00:00Z", "2026-02-01");
    assert_eq!(known(&world), ["ann 2026-03-01T08:00:00Z", "bob 2026-02-01T00:00:00Z"]);
    let before = snapshot(&world);
    let run = night(&mut world, "2026-03-02T09:00:00Z", "soon");
    assert_eq!(snapshot(&world), before, "the roster is the same");
    assert_eq!((run.tally.changed, run.tally.findings > 0), (0, true));
    assert_eq!(known(&world), ["ann 2026-03-02T09:00:00Z", "bob 2026-02-01T00:00:00Z"], "the newest, and no guess");
    let told = world.service().store().findings(run.run, 0, 100).unwrap();
    let bad = told.iter().find(|f| f.rule == "bad_instant").unwrap();
    assert_eq!((bad.record.as_str(), bad.field.as_str()), ("bob", column));
    // A dry run takes nothing in; whoever applies its plan takes in the log-ins as well.
    write(&mut world, "2026-03-03T10:00:00Z", "2026-03-03");
    let plan = with(&world, |service, customer| service.plan_sync(customer, &Trigger::Drop, &|_| ()).unwrap()).run;
    assert_eq!(known(&world), ["ann 2026-03-02T09:00:00Z", "bob 2026-02-01T00:00:00Z"]);
    let applied = world.service().apply_plan(plan.run, &Actor::operator("test")).unwrap();
    assert!(succeeded(&applied), "{}", applied.message);
    assert_eq!(known(&world), ["ann 2026-03-03T10:00:00Z", "bob 2026-03-03T00:00:00Z"]);
    world.verify();
}

#[test]
fn r130_log_ins_of_people_who_are_deleted_for_good_leave() {
    let mut world = district(10, 10).person("ann", "teacher", "ash").person("bob", "teacher", "ash");
    world.night();
    let file = b"person,last_login\nann,2026-03-01\nbob,2026-03-01\n";
    with(&world, |service, customer| service.import_activity(customer, "f", file).unwrap());
    let people = |world: &World| -> Vec<String> {
        let rows = world.service().store().activity(&world.policy.customer).unwrap();
        rows.into_iter().map(|row| row.person).collect()
    };
    assert_eq!(people(&world), ["ann", "bob"]);
    world.end("ann");
    world.night();
    assert_eq!(people(&world), ["ann", "bob"], "removed is not deleted");
    world.set_day(day("2026-05-01"));
    world.night();
    assert_eq!(people(&world), ["bob"], "purged after 30 days");
    let answer = with(&world, |service, customer| service.import_activity(customer, "f", file).unwrap());
    assert_eq!((answer.rows, answer.bad), (1, 1), "and a file does not bring her back");
    world.verify();
}

#[test]
fn r145_the_status_changes_once_and_the_worst_stands_first() {
    let mut world = district(20, 100);
    (0..18).for_each(|at| world.hire(&format!("t{at:02}"), "student", "ash"));
    world.night(); // 2 March
    let status = |world: &World| -> Vec<_> {
        let report = with(world, |service, customer| service.compliance(customer).unwrap());
        report.rows.into_iter().map(|r| (r.view.pool.to_string(), r.compliance, r.conditions.stage)).collect()
    };
    let fine = |pool: &str| (pool.to_owned(), Compliance::Compliant, None);
    assert_eq!(status(&world), [fine("learn"), fine("observe")]);
    assert_eq!(notices(&world, "compliance_changed"), [""; 0]);
    world.hire("u", "student", "ash");
    world.night(); // 3 March: 19 of 20
    let told = |world: &World| notices(world, "compliance_changed");
    assert_eq!(told(&world), ["Pool learn is at_risk; it was compliant."]);
    world.night();
    assert_eq!(told(&world).len(), 1, "once per change");
    world.hire("v", "student", "ash");
    world.hire("w", "student", "ash");
    world.night(); // 5 March: 21 of 20
    let over = |stage| ("learn".to_owned(), Compliance::OverageMinor, Some(stage));
    assert_eq!(status(&world), [over(Stage::Minor), fine("observe")], "worst first");
    world.set_day(day("2026-03-19")); // the 10th business day after the 5th
    world.write_package();
    world.run();
    assert_eq!(status(&world)[0].1, Compliance::OverageMinor);
    world.set_day(day("2026-03-20"));
    world.write_package();
    world.run();
    assert_eq!(status(&world)[0], ("learn".to_owned(), Compliance::OverageMinorOverdue, Some(Stage::MinorOverdue)));
    world.next_day();
    world.end("v");
    world.end("w");
    world.end("u");
    world.night();
    assert_eq!(
        told(&world)[1..],
        [
            "Pool learn is overage_minor; it was at_risk.",
            "Pool learn is overage_minor_overdue; it was overage_minor.",
            "Pool learn is compliant; it was overage_minor_overdue."
        ]
    );
    world.verify();
}

#[test]
fn r152_few_seats_are_told_once_per_crossing() {
    let mut world = district(100, 10);
    (0..91).for_each(|at| world.hire(&format!("s{at:02}"), "student", "ash"));
    world.night();
    let told = |world: &World| notices(world, "near_limit");
    assert_eq!(told(&world), [""; 0], "9 left, 8 is the mark");
    world.hire("u", "student", "ash");
    world.night();
    assert_eq!(told(&world), ["Pool learn has 8 of 100 seats left; 92 are used, 0 wait."]);
    world.hire("v", "student", "ash");
    world.night();
    assert_eq!(told(&world).len(), 1, "told already");
    world.end("v");
    world.night();
    assert_eq!(told(&world).len(), 1, "back at the mark is not over it");
    world.end("u");
    world.night();
    assert_eq!(told(&world).len(), 1, "9 left: armed again");
    // By hand counts as well.
    world.hire("w", "aide", "ash");
    world.night();
    world.assign("w", "learn");
    assert_eq!(told(&world).len(), 2);
    assert_eq!(told(&world)[1], "Pool learn has 8 of 100 seats left; 92 are used, 0 wait.");
    let mut quiet = district(1, 1).person("a", "student", "ash");
    quiet.adjust = Box::new(|customer| customer.reports.near_limit = false);
    quiet.night();
    assert_eq!(told(&quiet), [""; 0], "alerts.near_limit = \"off\"");
}

#[test]
fn r146_advice_with_numbers() {
    let mut world = district(2, 1);
    world = world.pool_named("learn-spare", "learn", "birch", Some(5), OnFull::Overdraw);
    world.policy.products[1].needs_acceptance = true;
    for key in ["a", "b", "c"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    let advice = |world: &World| -> Vec<_> {
        let report = with(world, |service, customer| service.advice(customer).unwrap());
        report.rows.into_iter().map(|row| (row.pool.to_string(), row.advice)).collect()
    };
    let of = |pool: &str, advice| (pool.to_owned(), advice);
    assert_eq!(
        advice(&world),
        [
            of("learn", Advice::Transfer { seats: Seats(1), from: "learn-spare".into() }),
            of("learn", Advice::Buy(Seats(1))),
            of("observe", Advice::Buy(Seats(2))),
            of("observe", Advice::AcceptPending(Seats(1))),
        ]
    );
    let file = b"person,product,last_login\na,learn,2026-03-01\na,observe,2026-03-01\nb,observe,2026-03-01\n";
    with(&world, |service, customer| service.import_activity(customer, "f", file).unwrap());
    let first: Vec<_> =
        advice(&world).into_iter().filter(|(pool, _)| pool == "learn").map(|(_, advice)| advice).take(2).collect();
    assert_eq!(first, [Advice::RemoveInactive(Seats(1)), Advice::AdjustRoles(Seats(1))], "c logs in nowhere, b elsewhere");
    world.buy("more", "learn", 10, "2026-03-01");
    world.buy("more-o", "observe", 10, "2026-03-01");
    world.night();
    let left: Vec<_> = advice(&world).into_iter().map(|(pool, advice)| (pool, advice.word())).collect();
    assert_eq!(
        left,
        [
            ("learn".to_owned(), "REMOVE_INACTIVE"),
            ("learn".to_owned(), "ADJUST_ROLES"),
            ("observe".to_owned(), "REMOVE_INACTIVE"),
            ("observe".to_owned(), "ACCEPT_PENDING")
        ]
    );
}

#[test]
fn r149_high_water_marks_are_what_a_replay_says() {
    let mut world = district(5, 5);
    for (at, key) in ["a", "b", "c", "d", "e", "f"].into_iter().enumerate() {
        world.hire(key, "student", "ash");
        if at % 2 == 1 {
            world.night();
        }
    }
    world.end("f");
    world.end("e");
    world.night(); // 5 March
    world.set_day(day("2026-03-07"));
    world.assign("e", "observe");
    world.set_day(day("2026-03-08"));
    let marks = |from: Option<Day>, to: Option<Day>| -> Vec<String> {
        let pool = PoolId::from("learn");
        let report = with(&world, |service, customer| service.high_water(customer, Some(&pool), from, to).unwrap());
        let row = |(_, m): &(PoolId, rosterd::license::HighWater)| {
            let left = |b: Option<rosterd::base::Balance>| b.unwrap().0;
            format!("{} {} {} {} {}", m.day, m.used_max, left(m.available_min), m.used_close, left(m.available_close))
        };
        report.rows.iter().map(row).collect()
    };
    let all = [
        "2026-03-02 2 3 2 3",
        "2026-03-03 4 1 4 1",
        "2026-03-04 6 -1 6 -1",
        // It began the date with six.
        "2026-03-05 6 -1 4 1",
        "2026-03-06 4 1 4 1",
        "2026-03-07 4 1 4 1",
        "2026-03-08 4 1 4 1",
    ];
    assert_eq!(marks(None, None), all);
    assert_eq!(marks(Some(day("2026-03-03")), Some(day("2026-03-04"))), all[1..3]);
    world.verify();
}

#[test]
fn r150_people_without_a_seat_by_name() {
    let mut world = district(10, 1);
    for (key, org) in [("ann", "ash"), ("bob", "ash"), ("cid", "birch")] {
        world.hire(key, "teacher", org);
        world.people.get_mut(key).unwrap().name = key.to_uppercase();
    }
    world.policy.pools[0].owner = OrgId::from("ash");
    world.night();
    let rows = with(&world, |service, customer| service.unseated(customer, None).unwrap().rows);
    let shown: Vec<_> = rows
        .iter()
        .map(|r| (r.person.as_str(), r.name.as_str(), r.product.as_ref().unwrap().as_str(), r.because, r.position))
        .collect();
    assert_eq!(
        shown,
        [
            ("bob", "BOB Test", "observe", "pool_full", Some(1)),
            ("cid", "CID Test", "observe", "pool_full", Some(2)),
            ("cid", "CID Test", "learn", "no_pool", None)
        ]
    );
    assert!(rows.iter().all(|r| r.since.is_some()));
    let of_pool = with(&world, |service, customer| service.unseated(customer, Some(&"observe".into())).unwrap().rows);
    assert_eq!(of_pool, rows[..2]);
}

#[test]
fn r155_asking_for_more_is_recorded_and_told() {
    let mut world = district(2, 1);
    ["a", "b", "c"].into_iter().for_each(|key| world.hire(key, "teacher", "ash"));
    world.night();
    let ask = |world: &World, pool: &str, seats, note: &str| {
        with(world, |service, customer| {
            service.request_seats(customer, &pool.into(), Seats(seats), note, &Actor::operator("ann"))
        })
    };
    assert!(ask(&world, "lern", 5, "").unwrap_err().to_string().contains("did you mean learn"));
    let asked = ask(&world, "learn", 5, "new campus").unwrap();
    assert_eq!(
        asked.text,
        "north (north) asks for 5 more seats of learn in pool learn of org d: 3 of 2 seats are used, -1 are available, \
         0 people wait. Asked by operator:ann. Note: new campus"
    );
    world.next_day();
    let later = ask(&world, "observe", 3, "").unwrap();
    assert!(later.text.ends_with("1 of 1 seats are used, 0 are available, 2 people wait. Asked by operator:ann."));
    let list = with(&world, |service, customer| service.seat_requests(customer).unwrap().rows);
    assert_eq!(list, [later.request, asked.request.clone()], "newest first");
    assert_eq!(notices(&world, "seats_requested"), [asked.text, later.text]);
    world.set_day(day("2026-03-03"));
    assert_eq!(with(&world, |service, customer| service.seat_requests(customer).unwrap().rows), [asked.request]);
    world.verify();
}

#[test]
fn an_org_that_is_gone_keeps_its_place_in_the_sum() {
    let mut world = district(10, 10).person("ann", "student", "ash").person("bob", "student", "birch");
    world.night();
    let rows = |world: &World| -> Vec<(String, u64)> {
        let report = with(world, |service, customer| service.license_report(customer, None, None).unwrap());
        report.rows.into_iter().map(|row| (row.org.to_string(), row.used)).collect()
    };
    let all = |list: &[(&str, u64)]| list.iter().map(|(org, used)| ((*org).to_owned(), *used)).collect::<Vec<_>>();
    assert_eq!(rows(&world), all(&[("d", 2), ("ash", 1), ("birch", 1)]));
    // The school and its only person are not delivered any more; the person stays until that is confirmed (R131).
    world.orgs.retain(|(id, _)| id != "birch");
    world.vanish("bob");
    world.night();
    assert_eq!(rows(&world), all(&[("d", 2), ("ash", 1), ("birch", 1)]), "the rows still add up (I11)");
    world.people.get_mut("ann").unwrap().email = "ann@example.org".into();
    world.night();
    assert_eq!(rows(&world), all(&[("d", 1), ("ash", 1)]));
    world.set_day(day("2026-03-02"));
    assert_eq!(rows(&world), all(&[("d", 2), ("ash", 1), ("birch", 1)]), "as it was");
    world.verify();
}

#[test]
fn a_pool_that_is_gone_from_the_settings_no_longer_counts_as_bought() {
    let mut world = district(10, 10).person("ann", "student", "ash");
    world.night();
    let limit =
        |world: &World| with(world, |service, customer| service.license_report(customer, None, None).unwrap().rows[0].limit);
    assert_eq!(limit(&world), Some(20));
    world.policy.pools.remove(1);
    world.policy.products.remove(1);
    world.policy.rules.retain(|rule| rule.product.as_str() == "learn");
    world.grants.remove(1);
    world.quiet_night();
    assert_eq!(limit(&world), Some(10));
    assert_eq!(world.quiet_night().version, None, "told once");
    world.set_day(day("2026-03-02"));
    assert_eq!(limit(&world), Some(20), "as it was then");
    world.verify();
}

#[test]
fn questions_about_people_of_a_roster_that_is_gone_are_refused() {
    let mut world = district(100, 10);
    for at in 0..12 {
        world.hire(&format!("s{at}"), "student", "ash");
        world.night();
    }
    world.set_day(day("2026-03-02"));
    let ask = |world: &World, role: Option<String>| {
        let filter = ClaimFilter { role, ..ClaimFilter::default() };
        with(world, |service, customer| service.claims_report(customer, &filter).map(|report| report.rows.len()))
    };
    assert_eq!(ask(&world, None).unwrap(), 1, "the books of the first night are kept");
    let error = ask(&world, Some("student".into())).unwrap_err().to_string();
    assert!(error.contains("no longer kept"), "{error}");
    world.set_day(day("2026-03-12"));
    assert_eq!(ask(&world, Some("student".into())).unwrap(), 11, "newer rosters are kept");
}

#[test]
fn a_clock_that_was_put_back_is_no_question_about_the_past() {
    let mut world = district(10, 10).person("ann", "student", "ash");
    world.night();
    world.hire("bob", "student", "ash");
    world.night();
    world.set_day(day("2026-03-02"));
    assert_eq!(world.used("learn"), 1, "somebody asked for that instant");
    let service = Service::new(std::sync::Arc::new(world.store()), world.clock.clone(), vec![world.customer()]);
    let customer = &service.customers()[0];
    assert_eq!(service.pools(customer).unwrap()[0].used(), Seats(2), "the machine's clock is wrong, the books are not");
    assert!(service.status(customer).unwrap().last_run.is_some_and(|run| run.version.is_some_and(|v| v.0 == 2)));
}

#[test]
fn r159_a_customer_at_a_glance_is_as_it_was_then() {
    let mut world = district(2, 10).person("ann", "student", "ash").person("bob", "student", "ash");
    world.write_package();
    world.run();
    let glance = |world: &World| with(world, |service, customer| service.status(customer).map(|told| format!("{told:#?}")));
    let (then, first) = (glance(&world).unwrap(), world.today);
    world.next_day();
    // More runs than are looked at in one go, and more notices than are told.
    for at in 0..55 {
        world.hire(&format!("s{at}"), "student", "ash");
        let run = if at < 3 { world.night() } else { world.quiet_night() };
        assert!(run.is_more_than_a_look());
    }
    assert_ne!(glance(&world).unwrap(), then);
    world.set_day(first);
    assert_eq!(glance(&world).unwrap(), then);
}

// ---- I12: what a report says of an instant is what it said at that instant ----

#[derive(Clone, Debug)]
enum Step {
    Hire(u8, bool, u8),
    End(u8),
    Vanish(u8),
    School(u8),
    Rename(u8),
    Assign(u8, bool),
    Deny(u8),
    Buy(i8),
    Ask(u8),
    Night,
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<u8>(), any::<bool>(), any::<u8>()).prop_map(|(who, teaches, org)| Step::Hire(who, teaches, org)),
        2 => any::<u8>().prop_map(Step::End),
        1 => any::<u8>().prop_map(Step::Vanish),
        1 => any::<u8>().prop_map(Step::School),
        1 => any::<u8>().prop_map(Step::Rename),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(who, learn)| Step::Assign(who, learn)),
        1 => any::<u8>().prop_map(Step::Deny),
        1 => any::<i8>().prop_map(Step::Buy),
        1 => any::<u8>().prop_map(Step::Ask),
        6 => proptest::prelude::Just(Step::Night),
        2 => (1u32..40_000_000).prop_map(Step::Wait),
    ]
}

/// Everything that reports say now, without what needs the names of people.
fn told(world: &World) -> String {
    with(world, |service, customer| {
        let filter = ClaimFilter::default();
        let mut text = format!(
            "{:#?}\n{:#?}\n",
            service.pools(customer).expect("it is there"),
            service.queue(customer, None).expect("it is there")
        );
        for org in [None, Some("ash"), Some("birch")] {
            text += &format!("{:#?}\n", service.license_report(customer, org.map(OrgId::from).as_ref(), None).ok());
        }
        for product in ["learn", "observe"] {
            text += &format!("{:#?}\n", service.license_report(customer, None, Some(&product.into())).expect("it is there"));
        }
        text += &format!("{:#?}\n", service.claims_report(customer, &filter).expect("it is there"));
        text += &format!("{:#?}\n", service.dashboard(customer, None).expect("it is there"));
        text += &format!("{:#?}\n", service.high_water(customer, None, None, None).expect("it is there"));
        text += &format!("{:#?}\n", service.advice(customer).expect("it is there"));
        text += &format!("{:#?}\n", service.compliance(customer).expect("it is there"));
        text += &format!("{:#?}\n", service.seat_requests(customer).expect("it is there"));
        text += &format!("{:#?}\n", service.pool_detail(customer, &"learn".into()).expect("it is there"));
        text += &format!("{:#?}\n", service.pool_moves(customer, &"learn".into(), Instant(0)).expect("it is there"));
        text += &format!("{:?}\n", service.freshness(customer).expect("it is there"));
        text
    })
}

fn play(steps: &[Step]) {
    let mut world = district(4, 2).person("first", "teacher", "ash");
    world.write_package();
    world.run();
    let key = |who: u8| format!("p{}", who % 12);
    let school = |org: u8| ["ash", "birch", "d", "elm"][usize::from(org) % 4];
    let mut said: Vec<(Instant, String)> = Vec::new();
    let mut grants = 0;
    let mut now = world.clock.now();
    for step in steps {
        now = Instant(now.0 + 1);
        match step {
            Step::Hire(who, teaches, org) => {
                let org = school(*org).to_owned();
                if !world.orgs.iter().any(|(id, _)| *id == org) {
                    continue;
                }
                let person = world.people.entry(key(*who)).or_default();
                person.roles = vec![(if *teaches { "teacher" } else { "student" }.to_owned(), org)];
                person.ended = false;
                continue;
            }
            Step::End(who) => {
                world.people.entry(key(*who)).and_modify(|person| person.ended = true);
                continue;
            }
            Step::Vanish(who) => {
                world.people.remove(&key(*who));
                continue;
            }
            Step::School(org) => {
                let org = ["birch", "elm"][usize::from(*org) % 2];
                let used = world.people.values().any(|p| p.roles.iter().any(|(_, at)| at == org));
                if world.orgs.iter().any(|(id, _)| id == org) && !used {
                    world.orgs.retain(|(id, _)| id != org);
                } else if !world.orgs.iter().any(|(id, _)| id == org) {
                    world.orgs.push((org.into(), Some("ash".into())));
                }
                continue;
            }
            Step::Rename(org) => {
                // A school moves below another.
                let at = usize::from(*org) % world.orgs.len();
                if world.orgs[at].0 == "birch" {
                    let parent = if world.orgs[at].1.as_deref() == Some("d") { "ash" } else { "d" };
                    world.orgs[at].1 = Some(parent.into());
                }
                continue;
            }
            Step::Wait(millis) => {
                now = Instant(now.0 + i64::from(*millis));
                world.clock.set(now);
            }
            Step::Assign(who, learn) => {
                world.clock.set(now);
                world.assign(&key(*who), if *learn { "learn" } else { "observe" });
            }
            Step::Deny(who) => {
                world.clock.set(now);
                world.decide(Decision::Pin { pin: world.pin(&key(*who), "learn", PinKind::Deny), insist: false });
            }
            Step::Buy(seats) if *seats != 0 => {
                world.clock.set(now);
                grants += 1;
                // Some of them count from later on, so that an allowance changes while nobody commits.
                let from = Instant(now.0 + i64::from(*seats) * 3_600_000);
                let grant = crate::world::grant(&format!("g{grants}"), "learn", i64::from(*seats) % 5, from, Instant::MAX);
                world.decide(Decision::Grant(rosterd::license::Grant { recorded: now, ..grant }));
            }
            Step::Buy(_) => continue,
            Step::Ask(seats) => {
                world.clock.set(now);
                with(&world, |service, customer| {
                    service.request_seats(customer, &"learn".into(), Seats(u32::from(*seats)), "", &Actor::system()).map(|_| ())
                })
                .expect("it is there");
            }
            Step::Night => {
                world.clock.set(now);
                world.today = world.policy.calendar.day_of(now);
                world.write_package();
                world.run();
            }
        }
        said.push((now, told(&world)));
    }
    for (at, text) in said {
        world.clock.set(at);
        let again = told(&world);
        if again != text {
            let differs = text.lines().zip(again.lines()).position(|(a, b)| a != b).unwrap_or(0);
            let near = |t: &str| t.lines().skip(differs.saturating_sub(8)).take(20).collect::<Vec<_>>().join("\n");
            panic!("as of {at}, then:\n{}\nnow:\n{}", near(&text), near(&again));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 60, ..ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u32>().ok()).map_or(8, |n| (n / 30).max(1))
    ) })]

    /// I12: replaying the trail up to any past instant gives every report as it was given then.
    #[test]
    fn a_report_of_the_past_is_the_report_of_then(steps in vec(step(), 1..40)) {
        play(&steps);
    }
}

// ---- ten thousand orgs ----

fn lies_within(parents: &BTreeMap<&str, Option<&str>>, at: &str, top: &str) -> bool {
    at == top || parents[at].is_some_and(|parent| lies_within(parents, parent, top))
}

/// The license report of one org, worked out the slow way from the facts alone: for each row every person and every pool
/// is looked at.
fn naive(world: &World, top: &str) -> Vec<LicenseRow> {
    let parents: BTreeMap<&str, Option<&str>> = world.orgs.iter().map(|(id, up)| (id.as_str(), up.as_deref())).collect();
    let within = |at: &str, top: &str| lies_within(&parents, at, top);
    let row = |org: &str| {
        let used = world.people.values().filter(|p| within(&p.roles[0].1, org)).count() as u64;
        let mut limit = None;
        for (pool, grant) in world.policy.pools.iter().zip(&world.grants) {
            if within(pool.owner.as_str(), org) {
                *limit.get_or_insert(0) += grant.seats.unsigned_abs();
            } else {
                for (reserved, seats) in pool.reservations.iter().filter(|(reserved, _)| within(reserved.as_str(), org)) {
                    assert!(!reserved.as_str().is_empty());
                    *limit.get_or_insert(0) += u64::from(seats.0);
                }
            }
        }
        LicenseRow { org: org.into(), name: world.org_name(org), limit, used }
    };
    let mut children: Vec<&str> = parents.iter().filter(|(_, up)| **up == Some(top)).map(|(id, _)| *id).collect();
    children.sort_by_key(|id| (world.org_name(id).to_lowercase(), *id));
    std::iter::once(top).chain(children).map(row).collect()
}

#[test]
fn the_golden_report_of_ten_thousand_orgs() {
    let mut world = World::new("large")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("student", "learn")
        .pool("learn", "d", Some(6000), OnFull::Overdraw);
    for region in 0..100 {
        world.orgs.push((format!("r{region:02}"), Some("d".into())));
        for school in 0..99 {
            world.orgs.push((format!("r{region:02}-{school:02}"), Some(format!("r{region:02}"))));
        }
        if region % 3 == 0 {
            let owner = format!("r{region:02}");
            world = world.pool_named(&format!("learn-{owner}"), "learn", &owner, Some(50 + region), OnFull::Overdraw);
            let school = OrgId::from(format!("r{region:02}-07").as_str());
            world.policy.pools.last_mut().unwrap().reservations.push((school, seats(3)));
        }
        world.policy.pools[0]
            .reservations
            .push((OrgId::from(format!("r{region:02}-{:02}", region % 99).as_str()), seats(region + 1)));
    }
    let mut state = 7u64;
    for person in 0..6000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let org = world.orgs[(state >> 33) as usize % world.orgs.len()].0.clone();
        world.hire(&format!("p{person:04}"), "student", &org);
    }
    // Names that differ in nothing or in case alone, and some that CSV has to quote or a spreadsheet would obey.
    for (org, name) in
        [("r10", "org R09"), ("r11", "ORG r09"), ("r50", "Zoë's"), ("r51", "=SUM(A1)"), ("r52", "Two, \"Old\" Hall")]
    {
        world.org_names.insert(org.into(), name.into());
    }
    for school in ["r07-50", "r07-03", "r07-98"] {
        world.org_names.insert(school.into(), "Twin School".into());
    }
    assert_eq!(world.orgs.len(), 10_001);
    world.night();
    let report = |org: Option<&str>| {
        with(&world, |service, customer| service.license_report(customer, org.map(OrgId::from).as_ref(), None).unwrap().rows)
    };
    let top = report(None);
    assert_eq!(top, naive(&world, "d"));
    assert_eq!((top.len(), top[0].used), (101, 6000));
    for region in ["r00", "r07", "r42", "r99"] {
        assert_eq!(report(Some(region)), naive(&world, region));
    }
    // Byte for byte, over all orgs.
    let mut csv = csv_of(&LICENSES);
    let mut plain = "Name,User Limit,Used,Remaining,Percentage Used\r\n".to_owned();
    let regions = top.iter().skip(1).map(|row| row.org.clone());
    for row in top.iter().cloned().chain(regions.flat_map(|region| report(Some(region.as_str())))) {
        let number = |n: Option<i64>| n.map_or(String::new(), |n| n.to_string());
        let limit = row.limit.and_then(|limit| i64::try_from(limit).ok());
        csv_row(&mut csv, &LICENSES, &license(&row));
        let name = match row.name.as_str() {
            "=SUM(A1)" => "'=SUM(A1)".to_owned(),
            "Two, \"Old\" Hall" => "\"Two, \"\"Old\"\" Hall\"".to_owned(),
            name => name.to_owned(),
        };
        plain += &format!(
            "{name},{},{},{},{}\r\n",
            number(limit),
            row.used,
            number(row.remaining()),
            row.percent().unwrap_or_default()
        );
    }
    let bytes = csv.take();
    assert_eq!(bytes, plain);
    assert_eq!(
        Digest::of(bytes.as_bytes()).to_string(),
        "214ceb24dbae0afa3773f2a5627f4df86bf47e2bfd33ec8897978bf3353f30dc",
        "{}",
        bytes.len()
    );
}
