//! The worked tables of the domain rules, played through the whole path: files, intake, plan, store, trail.

use rosterd::base::{Instant, PersonKey, PoolId};
use rosterd::license::{Cause, ClaimState, OnFull, PinKind, ProductKind, SeatModel};
use rosterd::plan::{Answer, Decision, Predicate};
use rosterd::store::RunState;

use crate::world::{World, day, succeeded};

fn school_world(seats: Option<u32>, on_full: OnFull) -> World {
    World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", seats, on_full)
}

#[test]
fn t8_free_before_assign() {
    let mut world = school_world(Some(100), OnFull::Overdraw);
    world.policy.limits.removal_min = 5;
    for at in 0..100 {
        world.hire(&format!("old{at:03}"), "teacher", "ash");
    }
    assert!(succeeded(&world.night()));
    assert_eq!(world.used("learn"), 100);
    for at in 0..5 {
        world.end(&format!("old{at:03}"));
        world.hire(&format!("new{at:03}"), "teacher", "ash");
    }
    let run = world.night();
    assert_eq!((run.tally.released, run.tally.seated, run.tally.waiting), (5, 5, 0));
    assert_eq!(run.state, RunState::Succeeded);
    let view = world.view("learn");
    assert_eq!((view.used().0, view.episode, view.causes.len()), (100, None, 0));
    assert!(world.service().store().episodes(&world.policy.customer).unwrap().is_empty());
    assert!(world.events().is_empty());
    world.verify();
}

#[test]
fn t8_with_the_removals_held_the_overage_is_provisional() {
    let mut world = school_world(Some(100), OnFull::Overdraw);
    for at in 0..100 {
        world.hire(&format!("old{at:03}"), "teacher", "ash");
    }
    world.night();
    world.policy.limits.removal_min = 0;
    world.policy.limits.removal_percent = 4;
    for at in 0..5 {
        world.end(&format!("old{at:03}"));
        world.hire(&format!("new{at:03}"), "teacher", "ash");
    }
    let run = world.night();
    assert_eq!(run.state, RunState::Held);
    let plan = world.service().store().plan(&world.policy.customer, &run.plan.unwrap()).unwrap().unwrap();
    let outlook = &plan.pools[0];
    assert_eq!((outlook.after.used().0, outlook.balance.unwrap().0, outlook.balance_if_approved.unwrap().0), (105, -5, 0));
    assert_eq!(world.view("learn").episode, None);
    assert_eq!(world.view("learn").causes.get(&Cause::SyncOverdraw), Some(&5));
    // Nothing new arrives: what is held stays held.
    assert_eq!(world.quiet_night().tally.released, 0);
    assert_eq!(world.used("learn"), 105);
    // The threshold is no longer passed: the removals go through, and nothing ever was an episode.
    world.policy.limits.removal_percent = 10;
    assert_eq!(world.night().tally.released, 0, "the same bytes are no second look");
    world.people.get_mut("old050").unwrap().name = "Renamed".into();
    assert_eq!(world.night().tally.released, 5);
    assert_eq!((world.used("learn"), world.balance("learn")), (100, 0));
    assert!(world.service().store().episodes(&world.policy.customer).unwrap().is_empty());
    world.verify();
}

#[test]
fn t9_live_enrollments_and_the_first_day_without_one() {
    let mut world = World::new("north")
        .school("ash")
        .class("c", "ash", "math")
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .pool("lxp", "d", Some(100), OnFull::Overdraw);
    world.set_day(day("2026-03-10"));
    type Row = (&'static str, Option<&'static str>, Option<&'static str>, bool, bool);
    let rows: [Row; 6] = [
        ("open", None, None, false, true),
        ("starts-today", Some("2026-03-10"), None, false, true),
        ("starts-tomorrow", Some("2026-03-11"), None, false, false),
        ("last-day", Some("2026-03-01"), Some("2026-03-10"), false, true),
        ("yesterday", Some("2026-03-01"), Some("2026-03-09"), false, false),
        ("ended", Some("2026-03-01"), Some("2026-03-31"), true, false),
    ];
    for (key, first, last, ended, _) in rows {
        world.hire(key, "student", "ash");
        world.enroll(key, "c", first, last);
        world.people.get_mut(key).unwrap().enrollments[0].ended = ended;
    }
    world.hire("three", "student", "ash");
    for last in ["2026-03-08", "2026-03-09", "2026-03-10"] {
        world.enroll("three", "c", Some("2026-03-01"), Some(last));
    }
    world.night();
    for (key, _, _, _, live) in rows {
        assert_eq!(world.state(key, "lxp") == Some(ClaimState::Active), live, "{key}");
    }
    assert_eq!(world.state("three", "lxp"), Some(ClaimState::Active));
    // 11 March: the date acts without any new package.
    world.quiet_night();
    assert_eq!(world.state("three", "lxp"), None);
    assert_eq!(world.state("last-day", "lxp"), None);
    assert_eq!(world.state("starts-tomorrow", "lxp"), Some(ClaimState::Active));
    world.verify();
}

/// (name, source limits (percent, min), org limits (percent, base min), people by school, gone by school, trips)
type GuardRow = (&'static str, (u32, u32), (u32, u32), &'static [u32], &'static [u32], &'static [&'static str]);

#[test]
fn t11_removal_guards() {
    let rows: [GuardRow; 7] = [
        ("source, 50 of 501", (10, 5), (100, 10), &[501], &[50], &[]),
        ("source, 51 of 501", (10, 5), (100, 10), &[501], &[51], &["removal"]),
        ("source, 5 of 30: min", (10, 5), (100, 10), &[30], &[5], &[]),
        ("source, 6 of 30", (10, 5), (100, 10), &[30], &[6], &["removal"]),
        ("one school of 40 in a district", (10, 5), (50, 10), &[40, 800], &[40, 10], &["org_removal"]),
        ("school of 8: the source decides", (10, 5), (50, 10), &[8, 200], &[8, 0], &[]),
        ("school of 8: and holds", (1, 5), (50, 10), &[8, 200], &[8, 0], &["removal"]),
    ];
    for (name, source, org, people, gone, trips) in rows {
        let mut world = school_world(None, OnFull::Wait).school("birch");
        (world.policy.limits.removal_percent, world.policy.limits.removal_min) = source;
        (world.policy.limits.org_removal_percent, world.policy.limits.org_base_min) = org;
        for (school, count) in ["ash", "birch"].into_iter().zip(people) {
            (0..*count).for_each(|at| world.hire(&format!("{school}{at:04}"), "teacher", school));
        }
        world.night();
        let total: u32 = people.iter().sum();
        assert_eq!(world.used("learn"), total, "{name}");
        for (school, count) in ["ash", "birch"].into_iter().zip(gone) {
            (0..*count).for_each(|at| world.end(&format!("{school}{at:04}")));
        }
        let run = world.night();
        let plan = world.service().store().plan(&world.policy.customer, &run.plan.unwrap()).unwrap().unwrap();
        let tripped: Vec<&str> = plan.verdict.trips.iter().map(|t| t.guard.word()).collect();
        assert_eq!(tripped, trips, "{name}");
        // A school's hold is that school's alone: the other schools' removals proceed.
        let removed: u32 = match trips {
            [] => gone.iter().sum(),
            ["org_removal"] => gone[1],
            _ => 0,
        };
        assert_eq!(world.used("learn"), total - removed, "{name}");
        assert_eq!(run.state == RunState::Held, !trips.is_empty(), "{name}");
        world.verify();
    }
}

#[test]
fn t11_an_empty_collection_is_always_held() {
    let mut world = World::new("north")
        .school("ash")
        .class("c", "ash", "math")
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .pool("lxp", "d", None, OnFull::Wait);
    for at in 0..12 {
        world.hire(&format!("p{at:02}"), "student", "ash");
        world.enroll(&format!("p{at:02}"), "c", None, None);
    }
    world.night();
    // Every enrollment comes back ended: 100 % pass every threshold, and still nobody loses a seat.
    for person in world.people.values_mut() {
        person.enrollments[0].ended = true;
    }
    let run = world.night();
    assert_eq!(run.state, RunState::Held, "{}", run.message);
    assert!(run.message.contains("empty"), "{}", run.message);
    assert_eq!(world.used("lxp"), 12);
    world.verify();
}

#[test]
fn t11_a_source_without_anybody_left_is_held_whatever_the_thresholds() {
    let mut world = school_world(None, OnFull::Wait);
    (world.policy.limits.removal_percent, world.policy.limits.removal_min) = (100, 1_000);
    (0..12).for_each(|at| world.hire(&format!("p{at:02}"), "teacher", "ash"));
    world.night();
    (0..12).for_each(|at| world.end(&format!("p{at:02}")));
    let run = world.night();
    assert_eq!(run.state, RunState::Held);
    assert!(run.message.contains("empty: 12 of 12 people would go"), "{}", run.message);
    assert_eq!(world.used("learn"), 12);
    world.verify();
}

#[test]
fn a_package_that_is_held_whole_is_not_offered_again() {
    let mut world = World::new("north")
        .school("ash")
        .class("c", "ash", "math")
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .pool("lxp", "d", None, OnFull::Wait)
        .person("a", "student", "ash");
    world.enroll("a", "c", None, None);
    world.night();
    world.people.get_mut("a").unwrap().enrollments[0].ended = true;
    let service = world.service();
    let customer = &service.customers()[0];
    assert!(service.arrivals(customer).unwrap().is_empty());
    assert_eq!(world.night().state, RunState::Held);
    assert!(service.arrivals(customer).unwrap().is_empty(), "else the daemon would run it again and again");
    world.people.get_mut("a").unwrap().enrollments[0].ended = false;
    assert_eq!(world.night().state, RunState::Succeeded);
    world.verify();
}

#[test]
fn t14_roll_up_and_the_pool_behind_it() {
    let mut world = World::new("northfield")
        .school("ash")
        .school("birch")
        .school("cedar")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("student", "learn")
        .pool("learn", "d", Some(700), OnFull::Overdraw)
        .pool_named("cedar-learn", "learn", "cedar", Some(300), OnFull::Overdraw);
    world.policy.pools[0].reservations.push(("ash".into(), crate::world::seats(300)));
    for (org, count) in [("d", 20), ("ash", 280), ("birch", 410), ("cedar", 290)] {
        (0..count).for_each(|at| world.hire(&format!("{org}{at:03}"), "student", org));
    }
    world.night();
    let service = world.service();
    let rows = service.license_report(&service.customers()[0], None, None).unwrap().rows;
    let shown: Vec<_> = rows.iter().map(|r| (r.name.as_str(), r.limit, r.used, r.remaining(), r.percent())).collect();
    let text = |t: &str| Some(t.to_owned());
    assert_eq!(
        shown,
        [
            ("Org d", Some(1000), 1000, Some(0), text("100.0")),
            ("Org ash", Some(300), 280, Some(20), text("93.3")),
            ("Org birch", None, 410, None, None),
            ("Org cedar", Some(300), 290, Some(10), text("96.7")),
        ]
    );
    let district = world.view("learn");
    assert_eq!((district.used().0, district.balance.unwrap().0, district.band.word()), (710, -10, "minor"));
    assert_eq!(district.causes.get(&Cause::SyncOverdraw), Some(&10));
    assert!(district.episode.is_some());
    assert_eq!(world.view("cedar-learn").episode, None);
    world.verify();
}

#[test]
fn t15_a_named_pool_with_invitations() {
    let mut world = World::new("studio")
        .school("ash")
        .class("t1", "ash", "")
        .class("t2", "ash", "")
        .product("tool", ProductKind::Module, SeatModel::Named)
        .rule("in-team", "tool", 0, Predicate::LiveEnrollment(Default::default()))
        .pool("tool", "d", Some(10), OnFull::Wait);
    world.policy.products[0].needs_acceptance = true;
    for key in ["a", "b", "c", "x", "y"] {
        world.hire(key, "student", "ash");
        world.enroll(key, "t1", None, None);
    }
    world.night();
    let accept = |world: &World, person: &str| {
        world.decide(Decision::Accept { person: PersonKey::from(person), pool: PoolId::from("tool") })
    };
    for key in ["a", "b"] {
        assert_eq!(accept(&world, key), Answer::Done);
    }
    let counts = |world: &World| {
        let view = world.view("tool");
        let of = |state| view.counts.of(state).0;
        (of(ClaimState::Active), of(ClaimState::Pending), of(ClaimState::Held), view.balance.unwrap().0)
    };
    assert_eq!(counts(&world), (2, 3, 0, 5));
    assert_eq!(accept(&world, "c"), Answer::Done);
    assert_eq!(counts(&world), (3, 2, 0, 5));
    assert_eq!(accept(&world, "c"), Answer::AlreadySo);
    let claim = |world: &World| {
        let service = world.service();
        let (_, claims) = service.store().claims_of(&world.policy.customer, "a").unwrap();
        claims.first().map(|c| (c.id, c.state))
    };
    let first = claim(&world).unwrap().0;
    // A second team changes nothing; leaving both holds the seat; joining again takes the same claim.
    world.enroll("a", "t2", None, None);
    world.night();
    assert_eq!(counts(&world), (3, 2, 0, 5));
    world.people.get_mut("a").unwrap().enrollments.iter_mut().for_each(|e| e.ended = true);
    world.night();
    assert_eq!(counts(&world), (2, 2, 1, 5));
    world.people.get_mut("a").unwrap().enrollments[1].ended = false;
    world.night();
    assert_eq!(claim(&world), Some((first, ClaimState::Active)));
    // Locking the account does not free a named seat; deleting the person does, at once.
    world.people.get_mut("a").unwrap().locked = true;
    world.night();
    assert_eq!(counts(&world), (3, 2, 0, 5));
    world.end("a");
    world.night();
    assert_eq!(counts(&world), (2, 2, 0, 6));
    world.verify();
}

#[test]
fn r45_an_invitation_lapses_only_where_the_settings_say_so() {
    let mut world = World::new("studio")
        .school("ash")
        .product("tool", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "tool")
        .pool("tool", "d", Some(1), OnFull::Wait)
        .person("a", "teacher", "ash")
        .person("b", "teacher", "ash");
    world.policy.products[0].needs_acceptance = true;
    world.night();
    world.set_day(day("2027-03-02"));
    assert_eq!(world.quiet_night().version, None, "forever, by default");
    world.policy.pending_expire_days = 30;
    world.quiet_night();
    assert_eq!(world.seated("tool"), ["b"], "the seat went to the queue");
    world.quiet_night();
    assert_eq!(world.state("a", "tool"), Some(ClaimState::Waiting), "and the next run asks again");
    world.verify();
}

#[test]
fn t16_access_and_content() {
    let mut world = World::new("academy")
        .school("ash")
        .product("access", ProductKind::Access, SeatModel::Role)
        .product("content", ProductKind::Content, SeatModel::Role)
        .role_rule("teacher", "access")
        .role_rule("teacher", "content")
        .pool("access", "d", Some(100), OnFull::Wait)
        .pool("content", "d", Some(1), OnFull::Overdraw)
        .person("first", "teacher", "ash");
    world.night();
    for key in ["n1", "n2", "n3"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    let content = world.view("content");
    assert_eq!((content.balance.unwrap().0, content.causes.get(&Cause::SyncOverdraw)), (-3, Some(&3)));
    let told = world.service().store().notices(None, 10).unwrap();
    assert_eq!(told.iter().filter(|n| n.kind == "negative_balance").count(), 1, "one alert");
    world.hire("late", "student", "ash");
    world.hire("later", "student", "ash");
    world.night();
    for key in ["late", "later"] {
        assert_eq!(world.assign(key, "access"), Answer::Done);
    }
    assert!(matches!(world.assign("late", "content"), Answer::PoolExhausted { .. }));
    assert_eq!(world.buy("po-2", "content", 2, "2026-03-01"), Answer::Done);
    assert_eq!(world.balance("content"), -1);
    assert!(matches!(world.assign("late", "content"), Answer::PoolExhausted { .. }), "still refused below zero");
    assert_eq!(world.buy("po-3", "content", 2, "2026-03-01"), Answer::Done);
    assert_eq!(world.balance("content"), 1);
    assert_eq!(world.assign("late", "content"), Answer::Done);
    assert!(matches!(world.assign("later", "content"), Answer::PoolExhausted { .. }), "exactly one");
    world.verify();
}

#[test]
fn content_without_access_waits_for_it() {
    let mut world = World::new("academy")
        .school("ash")
        .product("access", ProductKind::Access, SeatModel::Role)
        .product("content", ProductKind::Content, SeatModel::Role)
        .role_rule("teacher", "access")
        .role_rule("teacher", "content")
        .pool("access", "d", Some(1), OnFull::Wait)
        .pool("content", "d", Some(10), OnFull::Wait)
        .person("a", "teacher", "ash")
        .person("b", "teacher", "ash");
    world.night();
    assert_eq!(world.state("a", "content"), Some(ClaimState::Active));
    assert_eq!(world.state("b", "access"), Some(ClaimState::Waiting));
    assert_eq!(world.state("b", "content"), Some(ClaimState::Waiting));
    // Access is bought: both seats come in one commit.
    assert_eq!(world.buy("more", "access", 1, "2026-03-01"), Answer::Done);
    assert_eq!(world.state("b", "access"), Some(ClaimState::Active));
    assert_eq!(world.state("b", "content"), Some(ClaimState::Active));
    // Access is denied by hand: content falls back to waiting for it (R12).
    let deny = Decision::Pin { pin: world.pin("a", "access", PinKind::Deny), insist: false };
    assert_eq!(world.decide(deny), Answer::Done);
    assert_eq!(world.state("a", "access"), None);
    assert_eq!(world.state("a", "content"), Some(ClaimState::Waiting));
    world.night();
    assert_eq!(world.state("a", "content"), Some(ClaimState::Waiting));
    assert_eq!(world.state("a", "access"), None, "a pin is never overridden (R9)");
    world.verify();
}

#[test]
fn t20_the_last_seat_and_the_same_person() {
    let mut world = school_world(Some(10), OnFull::Wait);
    for at in 0..9 {
        world.hire(&format!("t{at}"), "teacher", "ash");
    }
    for at in 0..50 {
        world.hire(&format!("s{at:02}"), "student", "ash");
    }
    world.night();
    assert_eq!(world.used("learn"), 9);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let world = &world;
        let threads: Vec<_> = (0..50).map(|at| scope.spawn(move || world.assign(&format!("s{at:02}"), "learn"))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(answers.iter().filter(|a| **a == Answer::Done).count(), 1);
    assert_eq!(answers.iter().filter(|a| matches!(a, Answer::PoolExhausted { .. })).count(), 49);
    assert_eq!(world.used("learn"), 10);
    let (mut allocations, mut refusals) = (0, 0);
    world
        .service()
        .store()
        .audit(&world.policy.customer, rosterd::base::Version(1), &mut |commit| {
            allocations += commit.changes.iter().filter(|c| c.after.state.consumes()).count();
            refusals += commit.entries.iter().filter(|e| matches!(e, rosterd::license::Entry::Refused { .. })).count();
            Ok(())
        })
        .unwrap();
    assert_eq!((allocations, refusals), (1, 49));
    // The same person fifty times: one claim, fifty successes.
    assert_eq!(world.buy("more", "learn", 5, "2026-03-01"), Answer::Done);
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let world = &world;
        let lucky = world.seated("learn").into_iter().find(|k| k.starts_with('s')).unwrap();
        let other = (0..50).map(|at| format!("s{at:02}")).find(|k| *k != lucky).unwrap();
        let threads: Vec<_> = (0..50)
            .map(|_| {
                let other = other.clone();
                scope.spawn(move || world.assign(&other, "learn"))
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|a| matches!(a, Answer::Done | Answer::AlreadySo)), "{answers:?}");
    assert_eq!(world.used("learn"), 11);
    world.verify();
}

#[test]
fn t21_one_bad_row_costs_nobody_and_many_hold_the_run() {
    let mut world = school_world(None, OnFull::Wait);
    world.bad_percent_max = 5;
    for at in 0..500 {
        world.hire(&format!("t{at:03}"), "teacher", "ash");
    }
    world.night();
    assert_eq!(world.used("learn"), 500);
    world.people.get_mut("t007").unwrap().broken = true;
    world.hire("new", "teacher", "ash");
    let run = world.night();
    assert_eq!(run.state, RunState::SucceededWithErrors);
    assert_eq!(world.used("learn"), 501);
    assert_eq!(world.state("t007", "learn"), Some(ClaimState::Active), "the person of the bad record keeps the seat");
    let mut findings = world.service().store().findings(run.run, 0, 10).unwrap();
    findings.retain(|f| f.level != "warning");
    assert_eq!(findings.len(), 1);
    assert_eq!(
        (findings[0].file.as_str(), findings[0].rule.as_str(), findings[0].field.as_str()),
        ("roles.csv", "bad_date", "beginDate")
    );
    for at in 0..30 {
        world.people.get_mut(&format!("t{at:03}")).unwrap().broken = true;
    }
    world.end("t400");
    let run = world.night();
    assert_eq!(run.state, RunState::Held, "{}", run.message);
    assert_eq!(world.used("learn"), 501, "nothing is applied");
    world.verify();
}

#[test]
fn r49_a_seat_an_operator_insisted_on_says_so() {
    let mut world = school_world(Some(1), OnFull::Wait).person("a", "teacher", "ash").person("s", "student", "ash");
    world.night();
    let insist = |person: &str| Decision::Pin { pin: world.pin(person, "learn", PinKind::Assign), insist: true };
    assert_eq!(world.decide(insist("s")), Answer::Done);
    let view = world.view("learn");
    assert_eq!((view.balance.unwrap().0, view.causes), (-1, [(Cause::ManualOverride, 1)].into()));
    world.verify();
}

#[test]
fn t22_the_queue() {
    let mut world =
        school_world(Some(3), OnFull::Wait).rule("principals", "learn", 10, Predicate::Role(vec!["principal".into()]));
    for key in ["a", "b", "e"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    world.hire("d", "teacher", "ash");
    world.night();
    assert_eq!(world.state("d", "learn"), Some(ClaimState::Waiting));
    // Priority first: C comes later than D and goes first.
    world.hire("c", "principal", "ash");
    world.end("e");
    world.night();
    assert_eq!(world.seated("learn"), ["a", "b", "c"]);
    // Freed by hand: the other is seated in that commit.
    let deny = Decision::Pin { pin: world.pin("a", "learn", PinKind::Deny), insist: false };
    assert_eq!(world.decide(deny), Answer::Done);
    assert_eq!(world.seated("learn"), ["b", "c", "d"]);
    world.verify();
}

#[test]
fn t22_without_priorities_the_older_wait_goes_first() {
    let mut world = school_world(Some(1), OnFull::Wait);
    world.hire("holder", "teacher", "ash");
    world.night();
    world.hire("z-older", "teacher", "ash");
    world.night();
    world.hire("a-younger", "teacher", "ash");
    world.end("holder");
    world.night();
    assert_eq!(world.seated("learn"), ["z-older"]);
    let service = world.service();
    let queue = service.queue(&service.customers()[0], None).unwrap();
    assert_eq!(queue.iter().map(|r| (r.person.as_str(), r.position)).collect::<Vec<_>>(), [("a-younger", 1)]);
    world.verify();
}

#[test]
fn r131_absence_needs_its_confirmations_and_ends_act_at_once() {
    let mut world = school_world(Some(10), OnFull::Wait);
    for key in ["stays", "ends", "fades", "returns"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    world.end("ends");
    world.vanish("fades");
    world.vanish("returns");
    world.night();
    assert_eq!(world.seated("learn"), ["fades", "returns", "stays"]);
    // The same package again is no second look.
    world.quiet_night();
    assert_eq!(world.seated("learn"), ["fades", "returns", "stays"]);
    world.hire("returns", "teacher", "ash");
    world.night();
    assert_eq!(world.seated("learn"), ["returns", "stays"]);
    world.verify();
}

#[test]
fn t13_a_late_allowance_voids_what_it_explains() {
    let mut world = school_world(Some(100), OnFull::Overdraw);
    for at in 0..100 {
        world.hire(&format!("t{at:03}"), "teacher", "ash");
    }
    world.night();
    for at in 100..104 {
        world.hire(&format!("t{at:03}"), "teacher", "ash");
    }
    world.night();
    let view = world.view("learn");
    assert_eq!((view.balance.unwrap().0, view.episode.as_ref().map(|e| e.cause)), (-4, Some(Cause::SyncOverdraw)));
    world.set_day(day("2026-03-05"));
    assert_eq!(world.buy("late", "learn", 10, "2026-03-01"), Answer::Done);
    assert_eq!(world.balance("learn"), 6);
    assert_eq!(world.view("learn").episode, None);
    let episodes = world.service().store().episodes(&world.policy.customer).unwrap();
    assert_eq!(episodes.len(), 1);
    assert_eq!(episodes[0].outcome.map(|o| o.word()), Some("void"));
    assert_eq!(episodes[0].cause, Cause::StaleAllowance);
    assert_eq!(episodes[0].samples[0].used.0, 104, "the history still shows both");
    world.verify();
}

#[test]
fn r54_a_lower_allowance_frees_nobody_and_is_told_when_recorded() {
    let mut world = school_world(Some(5), OnFull::Wait);
    for at in 0..5 {
        world.hire(&format!("t{at}"), "teacher", "ash");
    }
    world.night();
    assert_eq!(world.buy("fewer", "learn", -2, "2026-03-10"), Answer::Done);
    let told = world.service().store().notices(None, 10).unwrap();
    assert!(told.iter().any(|n| n.kind == "shortfall_ahead" && n.text.contains("2 too few")), "{told:?}");
    assert_eq!(world.balance("learn"), 0);
    world.set_day(day("2026-03-10"));
    world.quiet_night();
    let view = world.view("learn");
    assert_eq!((view.used().0, view.balance.unwrap().0), (5, -2));
    assert_eq!(view.causes.get(&Cause::AllowanceReduced), Some(&2));
    assert_eq!(view.episode.map(|e| e.cause), Some(Cause::AllowanceReduced));
    world.verify();
}

#[test]
fn r37_a_transfer_leaves_no_gap_for_the_queue() {
    let mut world = school_world(Some(1), OnFull::Wait);
    for key in ["giver", "waiter"] {
        world.hire(key, "teacher", "ash");
    }
    world.hire("taker", "student", "ash");
    world.night();
    assert_eq!(world.seated("learn"), ["giver"]);
    let decision = Decision::Transfer {
        give: world.pin("giver", "learn", PinKind::Deny),
        take: world.pin("taker", "learn", PinKind::Assign),
    };
    assert_eq!(world.decide(decision), Answer::Done);
    assert_eq!(world.seated("learn"), ["taker"]);
    world.night();
    assert_eq!(world.seated("learn"), ["taker"], "the next night does not undo it");
    assert_eq!(world.state("waiter", "learn"), Some(ClaimState::Waiting));
    world.verify();
}

#[test]
fn r5_a_new_key_with_a_known_e_mail_is_a_conflict_and_r7_a_freed_e_mail_is_not() {
    let mut world = school_world(None, OnFull::Wait);
    for (key, email, name) in [("old", "ana@north.example", "Ana"), ("leaver", "js@north.example", "John")] {
        world.hire(key, "teacher", "ash");
        let person = world.people.get_mut(key).unwrap();
        (person.email, person.name) = (email.into(), name.into());
    }
    world.night();
    world.vanish("old");
    world.hire("new", "teacher", "ash");
    world.end("leaver");
    world.hire("jane", "teacher", "ash");
    for (key, email, name) in [("new", "ANA@north.example", "Ana"), ("jane", "js@north.example", "Jane")] {
        let person = world.people.get_mut(key).unwrap();
        (person.email, person.name) = (email.into(), name.into());
    }
    for _ in 0..3 {
        let run = world.night();
        assert_eq!(run.state, RunState::SucceededWithErrors);
        assert_eq!(world.seated("learn"), ["jane", "old"]);
    }
    world.verify();
}

#[test]
fn r102_the_same_night_again_changes_nothing() {
    let mut world = school_world(Some(2), OnFull::Wait);
    for key in ["a", "b", "c"] {
        world.hire(key, "teacher", "ash");
    }
    let first = world.night();
    let again = world.quiet_night();
    assert!(first.version.is_some());
    assert_eq!(again.version, None, "nothing to commit");
    let plan = world.service().store().plan(&world.policy.customer, &again.plan.unwrap()).unwrap().unwrap();
    assert!(plan.is_empty());
}

#[test]
fn r14_a_bundle_seat_is_drawn_first_and_satisfies_both() {
    let mut world = World::new("modules")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .product("observe", ProductKind::Module, SeatModel::Role)
        .product("both", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .role_rule("teacher", "observe")
        .pool("learn", "d", Some(10), OnFull::Wait)
        .pool("observe", "d", Some(10), OnFull::Wait)
        .pool("both", "d", Some(1), OnFull::Wait)
        .person("a", "teacher", "ash")
        .person("b", "teacher", "ash");
    world.policy.products[2].bundle_of = vec!["learn".into(), "observe".into()];
    world.night();
    assert_eq!(world.seated("both"), ["a"]);
    assert_eq!((world.seated("learn"), world.seated("observe")), (vec!["b".to_owned()], vec!["b".to_owned()]));
    world.quiet_night();
    assert_eq!((world.used("both"), world.used("learn"), world.used("observe")), (1, 1, 1));
    world.verify();
}

#[test]
fn r39_moving_between_orgs_keeps_the_wait() {
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool_named("ash-learn", "learn", "ash", Some(5), OnFull::Wait)
        .pool_named("birch-learn", "learn", "birch", Some(5), OnFull::Wait)
        .person("a", "teacher", "ash");
    world.night();
    let since = |world: &World| {
        let service = world.service();
        service.store().claims_of(&world.policy.customer, "a").unwrap().1[0].since
    };
    let first: Instant = since(&world);
    world.people.get_mut("a").unwrap().roles = vec![("teacher".into(), "birch".into())];
    world.night();
    assert_eq!((world.used("ash-learn"), world.used("birch-learn")), (0, 1));
    assert_eq!(since(&world), first);
    world.verify();
}

#[test]
fn a_pool_that_leaves_the_settings_closes_its_books() {
    let mut world = school_world(Some(5), OnFull::Wait).person("a", "teacher", "ash");
    world.night();
    world.policy.pools.clear();
    world.grants.clear();
    world.night();
    world.quiet_night();
    world.verify();
    assert_eq!(world.seated("learn"), Vec::<String>::new());
}

#[test]
fn r104_a_person_with_an_unreadable_row_keeps_everything_even_an_end() {
    let mut world = school_world(Some(5), OnFull::Wait).person("a", "teacher", "ash").person("b", "teacher", "ash");
    world.night();
    world.end("a");
    world.people.get_mut("a").unwrap().broken = true;
    world.night();
    assert_eq!(world.seated("learn"), ["a", "b"], "the end counts once the rows can be read");
    world.people.get_mut("a").unwrap().broken = false;
    world.night();
    assert_eq!(world.seated("learn"), ["b"]);
    world.verify();
}

#[test]
fn r43_seats_bought_in_any_pool_on_the_way_fill_the_queue_at_once() {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool_named("ash-learn", "learn", "ash", Some(0), OnFull::Wait)
        .pool_named("learn", "learn", "d", Some(0), OnFull::Wait)
        .person("a", "teacher", "ash");
    world.night();
    assert_eq!(world.state("a", "ash-learn"), Some(ClaimState::Waiting));
    assert_eq!(world.buy("po", "learn", 1, "2026-03-01"), Answer::Done);
    assert_eq!((world.state("a", "learn"), world.state("a", "ash-learn")), (Some(ClaimState::Active), None));
    assert_eq!(world.quiet_night().version, None, "the night has nothing to add");
    world.verify();
}

#[test]
fn r12_a_transfer_and_a_purchase_never_give_content_without_access() {
    let mut world = World::new("academy")
        .school("ash")
        .product("access", ProductKind::Access, SeatModel::Role)
        .product("content", ProductKind::Content, SeatModel::Role)
        .role_rule("teacher", "access")
        .role_rule("teacher", "content")
        .pool("access", "d", Some(2), OnFull::Wait)
        .pool("content", "d", Some(1), OnFull::Wait)
        .person("a", "teacher", "ash")
        .person("b", "teacher", "ash")
        .person("s", "student", "ash");
    world.night();
    assert_eq!(world.state("b", "content"), Some(ClaimState::Waiting));
    let transfer = |take: &str| Decision::Transfer {
        give: world.pin("a", "content", PinKind::Deny),
        take: world.pin(take, "content", PinKind::Assign),
    };
    assert_eq!(world.decide(transfer("s")), Answer::NeedsAccess);
    // b loses access while waiting for content; then content is bought.
    let deny = Decision::Pin { pin: world.pin("b", "access", PinKind::Deny), insist: false };
    assert_eq!(world.decide(deny), Answer::Done);
    assert_eq!(world.buy("po", "content", 1, "2026-03-01"), Answer::Done);
    assert_eq!(world.state("b", "content"), Some(ClaimState::Waiting), "without access no content");
    world.verify();
}

#[test]
fn r131_nobody_who_ended_is_given_a_seat_by_hand() {
    let mut world = school_world(Some(5), OnFull::Wait).person("a", "teacher", "ash").person("b", "teacher", "ash");
    world.night();
    world.end("a");
    world.night();
    assert_eq!(world.assign("a", "learn"), Answer::UnknownPerson);
    let transfer =
        Decision::Transfer { give: world.pin("b", "learn", PinKind::Deny), take: world.pin("a", "learn", PinKind::Assign) };
    assert_eq!(world.decide(transfer), Answer::UnknownPerson);
    assert_eq!(world.seated("learn"), ["b"]);
}

#[test]
fn r20_a_transfer_does_not_reach_into_another_schools_reservation() {
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(1), OnFull::Wait)
        .person("a", "teacher", "ash")
        .person("s", "student", "birch");
    world.policy.pools[0].reservations.push(("ash".into(), crate::world::seats(1)));
    world.night();
    let transfer =
        Decision::Transfer { give: world.pin("a", "learn", PinKind::Deny), take: world.pin("s", "learn", PinKind::Assign) };
    assert!(matches!(world.decide(transfer), Answer::PoolExhausted { .. }));
    assert_eq!(world.seated("learn"), ["a"]);
    world.verify();
}

#[test]
fn r20_whoever_moves_out_of_every_pools_reach_waits_nowhere() {
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "ash", Some(0), OnFull::Wait)
        .person("a", "teacher", "ash");
    world.night();
    assert_eq!(world.state("a", "learn"), Some(ClaimState::Waiting));
    world.people.get_mut("a").unwrap().roles = vec![("teacher".into(), "birch".into())];
    world.night();
    assert_eq!(world.state("a", "learn"), None);
    assert_eq!(world.buy("po", "learn", 1, "2026-03-01"), Answer::Done);
    assert_eq!(world.state("a", "learn"), None);
    world.verify();
}

#[test]
fn r121_whoever_is_back_is_no_removal_any_more() {
    let mut world = school_world(None, OnFull::Wait);
    (world.policy.limits.removal_percent, world.policy.limits.removal_min) = (20, 1);
    for key in ["a", "b", "c", "e"] {
        world.hire(key, "teacher", "ash");
    }
    world.night();
    world.end("a");
    world.end("b");
    assert_eq!(world.night().state, RunState::Held);
    // a is back; what is left passes.
    world.people.get_mut("a").unwrap().ended = false;
    assert!(succeeded(&world.night()));
    assert_eq!(world.seated("learn"), ["a", "c", "e"]);
    world.verify();
}
