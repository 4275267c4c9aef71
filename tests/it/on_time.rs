//! Being on time: nights and dates by the clock, same-day runs with their limit and deadline, pauses.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rosterd::base::{Actor, Calendar, CustomerId, Day, Instant, PersonKey, RequestId, SourceId, Version};
use rosterd::clock::SetClock;
use rosterd::license::{ClaimState, OnFull, ProductKind, SeatModel};
use rosterd::roster::{IntakePolicy, RosterIntake};
use rosterd::service::{Feed, SameDayAnswer, SameDayQuota, Service, Ticked};
use rosterd::source::{Package, Read, RosterSource, Seen, SourceError};
use rosterd::store::{Asked, NoticeRow, Pause, RequestPlace, RequestState, RunRow, RunState, Trigger};

use crate::world::{World, day, succeeded};

/// A source that cannot be reached.
struct Down(SourceId);

impl RosterSource for Down {
    fn id(&self) -> &SourceId {
        &self.0
    }

    fn pending(&self, _: &Seen) -> Result<Vec<Package>, SourceError> {
        Err(SourceError::Unreachable { what: "the folder".into(), cause: std::io::Error::other("unplugged") })
    }

    fn pull(&self, _: &Package, _: &mut RosterIntake) -> Result<Read, SourceError> {
        unreachable!("nothing is pending")
    }

    fn is_incremental(&self, _: &Package) -> Result<bool, SourceError> {
        unreachable!("nothing is pending")
    }

    fn check(&self) -> Result<String, SourceError> {
        unreachable!("nobody asks")
    }
}

fn at(text: &str) -> Instant {
    Instant::parse(text).expect("an instant")
}

fn ann() -> Asked {
    Asked::by(Actor::operator("ann"))
}

fn teachers(zone: &str, nightly: &'static str) -> World {
    let mut world = World::new("north");
    world.policy.calendar = Calendar::in_zone(zone).expect("a zone");
    world.adjust = Box::new(move |customer| customer.nightly = Some(nightly.to_owned()));
    world
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(100), OnFull::Overdraw)
        .person("a", "teacher", "ash")
}

/// What a tick asked for, in words.
fn asked(ticked: &Ticked) -> Vec<String> {
    assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
    let text = |trigger: &Trigger| match trigger {
        Trigger::Nightly(day) => format!("nightly {day}"),
        Trigger::Dates(day) => format!("dates {day}"),
        other => panic!("nobody scheduled {other:?}"),
    };
    ticked.asked.iter().map(|(_, _, trigger)| text(trigger)).collect()
}

/// Does all that is in line; the runs.
fn work(service: &Service) -> Vec<RunRow> {
    let mut runs = Vec::new();
    while let Some(request) = service.take_request().expect("a store") {
        runs.extend(service.fulfil(&request, &|_| ()).expect("a run"));
    }
    runs
}

fn taken(answer: SameDayAnswer) -> (RequestPlace, Instant, SameDayQuota) {
    match answer {
        SameDayAnswer::Taken { place, deadline, quota } => (place, deadline, quota),
        SameDayAnswer::Refused { quota } => panic!("refused: {quota:?}"),
    }
}

fn missed(service: &Service) -> Vec<NoticeRow> {
    let mut all = service.store().notices(None, 100).expect("notices");
    all.retain(|notice| notice.kind == "same_day_missed");
    all
}

#[test]
fn t12_nights_when_the_clocks_change() {
    type Ticks = &'static [(&'static str, &'static [&'static str])];
    let rows: [(&str, Ticks); 3] = [
        (
            "30 2 * * *",
            &[
                ("2026-03-08T06:59:59Z", &[]),
                ("2026-03-08T07:00:00Z", &["nightly 2026-03-08"]),
                ("2026-03-08T07:30:00Z", &[]),
                ("2026-03-09T06:29:00Z", &[]),
                ("2026-03-09T06:30:00Z", &["nightly 2026-03-09"]),
            ],
        ),
        (
            "30 1 * * *",
            &[
                ("2026-11-01T05:29:00Z", &[]),
                ("2026-11-01T05:30:00Z", &["nightly 2026-11-01"]),
                ("2026-11-01T06:30:00Z", &[]),
                ("2026-11-02T06:30:00Z", &["nightly 2026-11-02"]),
            ],
        ),
        // Missed nights (R100): one that is less than 12 hours late is made up for, several become one.
        (
            "0 3 * * *",
            &[
                ("2026-06-01T07:00:00Z", &["nightly 2026-06-01"]),
                ("2026-06-02T19:00:00Z", &[]),
                ("2026-06-05T18:59:00Z", &["nightly 2026-06-05"]),
                ("2026-06-05T19:00:00Z", &[]),
            ],
        ),
    ];
    for (nightly, ticks) in rows {
        let world = teachers("America/New_York", nightly);
        for (now, due) in ticks {
            world.clock.set(at(now));
            // Each tick may be another process; and a second one in the same minute finds nothing to do.
            assert_eq!(asked(&world.service().tick()), *due, "{nightly} at {now}");
            assert!(asked(&world.service().tick()).is_empty(), "{nightly} at {now}");
        }
    }
}

#[test]
fn t12_same_day_requests() {
    let mut world = teachers("America/New_York", "30 2 * * *");
    world.write_package();
    // 23:58 on 10 March, local.
    world.clock.set(at("2026-03-11T03:58:00Z"));
    let service = world.service();
    let customer = &service.customers()[0];
    let midnight = at("2026-03-11T04:00:00Z");
    let (place, deadline, quota) = taken(service.request_same_day(customer, &ann()).unwrap());
    assert_eq!((place.joined, place.position, deadline), (false, 1, midnight));
    assert_eq!((quota.used, quota.max, quota.next), (1, 6, at("2026-03-11T03:58:00Z")));
    // Three requests while one is in line: one run.
    for used in [2, 3] {
        let (again, _, quota) = taken(service.request_same_day(customer, &ann()).unwrap());
        assert_eq!((again.request, again.joined, quota.used), (place.request, true, used));
    }
    assert!(service.tick().missed.is_empty());
    let running = service.take_request().unwrap().unwrap();
    assert_eq!(running.request, place.request);
    assert!(service.take_request().unwrap().is_none());
    // One is running that began earlier: exactly one follow-up.
    let (follow_up, _, _) = taken(service.request_same_day(customer, &ann()).unwrap());
    assert!(!follow_up.joined && follow_up.request != place.request);
    let (joins, _, _) = taken(service.request_same_day(customer, &ann()).unwrap());
    assert_eq!((joins.request, joins.joined), (follow_up.request, true));
    assert!(succeeded(&service.fulfil(&running, &|_| ()).unwrap().unwrap()));
    // The sixth is the last, the seventh is refused until the next local midnight, and the trail says so.
    taken(service.request_same_day(customer, &ann()).unwrap());
    let refused = service.request_same_day(customer, &ann()).unwrap();
    let used_up = SameDayQuota { used: 6, max: 6, next: midnight };
    assert_eq!(refused, SameDayAnswer::Refused { quota: used_up });
    assert_eq!(service.status(customer).unwrap().same_day, used_up);
    let mut verbs = Vec::new();
    let mut each = |commit: rosterd::store::AuditCommit| {
        verbs.push((commit.verb, commit.actor));
        Ok(())
    };
    service.store().audit(customer.id(), Version(0), &mut each).unwrap();
    assert_eq!(verbs.last().unwrap(), &("same_day_refused".to_owned(), "operator:ann".to_owned()));

    // Midnight: the follow-up is late, the first was in time. It is told once, whoever asks and however often.
    world.clock.set(midnight);
    let ticked = world.service().tick();
    assert_eq!(ticked.missed.len(), 1);
    assert!(ticked.missed[0].1.contains(&format!("request {}", follow_up.request)), "{:?}", ticked.missed);
    world.clock.set(at("2026-03-11T04:01:00Z"));
    assert!(world.service().tick().missed.is_empty());
    assert_eq!(missed(&service).len(), 1);
    // A new day, a new number.
    assert_eq!(service.same_day_quota(customer).unwrap().used, 0);
    // The date and the follow-up are done, each once.
    let runs: Vec<&str> = work(&service).iter().map(|run| run.trigger.word()).collect();
    assert_eq!(runs, ["same_day", "dates"]);
    world.verify();
}

#[test]
fn a_deadline_missed_while_the_daemon_was_away_is_told() {
    let mut world = teachers("UTC", "30 2 * * *");
    world.night();
    world.clock.set(at("2026-03-05T12:00:00Z"));
    let service = world.service();
    taken(service.request_same_day(&service.customers()[0], &ann()).unwrap());
    world.clock.set(at("2026-03-07T00:10:00Z"));
    // The daemon is back, and a worker is faster than the first tick.
    let request = service.take_request().unwrap().unwrap();
    service.fulfil(&request, &|_| ()).unwrap();
    let told = service.tick().missed;
    assert_eq!(told.len(), 1);
    assert!(told[0].1.contains("was over at 2026-03-07T00:10:00Z"), "{told:?}");
    assert!(service.tick().missed.is_empty());
    world.verify();
}

#[test]
fn a_wish_joins_only_what_does_as_much() {
    let source = |id: &str| Asked { source: Some(SourceId::from(id)), ..ann() };
    let confirming = Asked { confirm_absences: true, ..ann() };
    let all = Trigger::SameDay(ann());
    let (sis, hr) = (Trigger::SameDay(source("sis")), Trigger::SameDay(source("hr")));
    let confirm = Trigger::SameDay(confirming);
    let (night, dates) = (Trigger::Nightly(Day(1)), Trigger::Dates(Day(1)));
    let rows = [
        (&all, &night, true),
        (&night, &all, true),
        (&all, &Trigger::Drop, true),
        (&night, &sis, true),
        (&sis, &sis, true),
        (&sis, &hr, false),
        (&sis, &night, false),
        (&night, &confirm, false),
        (&confirm, &night, true),
        (&confirm, &sis, true),
        (&night, &dates, false),
        (&dates, &night, false),
        (&dates, &Trigger::Dates(Day(2)), true),
    ];
    for (waiting, wish, joins) in rows {
        assert_eq!(waiting.covers(wish), joins, "{wish:?} joins {waiting:?}");
    }
}

#[test]
fn dates_act_at_midnight_with_the_source_down() {
    let mut world = World::new("north")
        .school("ash")
        .class("c", "ash", "math")
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .pool("lxp", "d", Some(100), OnFull::Overdraw);
    world.set_day(day("2026-03-09"));
    for (key, first, last) in
        [("last-day", Some("2026-03-01"), Some("2026-03-10")), ("starts", Some("2026-03-11"), None), ("open", None, None)]
    {
        world.hire(key, "student", "ash");
        world.enroll(key, "c", first, last);
    }
    world.night();
    let states = |world: &World| ["last-day", "starts", "open"].map(|key| world.state(key, "lxp") == Some(ClaimState::Active));
    assert_eq!(states(&world), [true, false, true]);
    world.adjust = Box::new(|customer| {
        customer.nightly = Some("30 2 * * *".to_owned());
        customer.sources[0].source = Arc::new(Down(SourceId::from("sis")));
    });
    let service = world.service();
    // The expiry date itself is still live (R25).
    world.clock.set(at("2026-03-10T23:59:00Z"));
    assert_eq!(asked(&service.tick()), ["dates 2026-03-10"]);
    let newest = service.status(&service.customers()[0]).unwrap().last_run.unwrap().run;
    assert!(work(&service).iter().all(|run| run.version.is_none()), "nothing changed (R102)");
    let last = service.status(&service.customers()[0]).unwrap().last_run.unwrap().run;
    assert_eq!(last, newest, "a date on which nothing happens hides no night");
    assert_eq!(states(&world), [true, false, true]);
    world.clock.set(at("2026-03-11T00:00:00Z"));
    assert_eq!(asked(&service.tick()), ["dates 2026-03-11"]);
    let runs = work(&service);
    assert_eq!((runs[0].state, runs[0].tally.seated, runs[0].tally.released), (RunState::Succeeded, 1, 1));
    assert_eq!(states(&world), [false, true, true]);
    // The night itself fails with its source and changes nothing (T21).
    world.clock.set(at("2026-03-11T02:30:00Z"));
    assert_eq!(asked(&service.tick()), ["nightly 2026-03-11"]);
    assert_eq!(work(&service)[0].state, RunState::Failed);
    assert_eq!(states(&world), [false, true, true]);
    // A night that waits does not swallow the next date.
    world.clock.set(at("2026-03-12T02:29:00Z"));
    assert_eq!(asked(&service.tick()), ["dates 2026-03-12"]);
    world.clock.set(at("2026-03-12T02:30:00Z"));
    assert_eq!(asked(&service.tick()), ["nightly 2026-03-12"]);
    assert_eq!(work(&service).iter().map(|run| run.trigger.word()).collect::<Vec<_>>(), ["dates", "nightly"]);
    world.verify();
}

#[test]
fn a_source_can_be_read_alone_and_absences_confirmed_at_once() {
    let mut world = teachers("UTC", "30 2 * * *").person("b", "teacher", "ash").person("c", "teacher", "ash");
    world.night();
    world.adjust = Box::new(|customer| {
        customer.sources.push(Feed {
            source: Arc::new(Down(SourceId::from("hr"))),
            intake: IntakePolicy { lenient: false, courses_optional: true },
            watched: false,
            activity_column: None,
        });
    });
    world.vanish("b");
    world.write_package();
    let sync = |world: &World, asked: Asked| {
        let service = world.service();
        service.sync(&service.customers()[0], &Trigger::SameDay(asked), &|_| ()).unwrap()
    };
    let sis = Asked { source: Some(SourceId::from("sis")), ..ann() };
    let run = sync(&world, sis.clone());
    assert_eq!((run.state, run.message.as_str()), (RunState::Succeeded, ""), "hr is not looked at");
    assert_eq!(world.state("b", "learn"), Some(ClaimState::Active), "a first absence is kept (R131)");
    // Of a source that could not be read nothing is confirmed; b is absent from sis, which is not asked for.
    let hr = Asked { source: Some(SourceId::from("hr")), confirm_absences: true, ..ann() };
    assert_eq!(sync(&world, hr).state, RunState::Failed);
    assert_eq!(world.state("b", "learn"), Some(ClaimState::Active));
    let run = sync(&world, Asked { confirm_absences: true, ..sis.clone() });
    assert_eq!((run.tally.released, world.state("b", "learn")), (1, None));
    // In one step: absent from the new package and confirmed.
    world.vanish("c");
    world.write_package();
    let run = sync(&world, Asked { confirm_absences: true, ..sis });
    assert_eq!((run.tally.released, world.state("c", "learn")), (1, None));
    // All sources: the one that is down is told, the rest is done.
    world.hire("d", "teacher", "ash");
    world.write_package();
    let run = sync(&world, ann());
    assert_eq!(run.state, RunState::SucceededWithErrors);
    assert!(run.message.contains("source hr: could not reach the folder"), "{}", run.message);
    let service = world.service();
    let wrong = Asked { source: Some(SourceId::from("sos")), ..ann() };
    let error = service.request_same_day(&service.customers()[0], &wrong).unwrap_err();
    assert_eq!(error.to_string(), "find source sos; did you mean sis?");
    world.verify();
}

#[test]
fn a_guard_still_holds_what_was_confirmed() {
    let mut world = teachers("UTC", "30 2 * * *");
    (world.policy.limits.removal_percent, world.policy.limits.removal_min) = (10, 2);
    (0..20).for_each(|at| world.hire(&format!("t{at:02}"), "teacher", "ash"));
    world.night();
    (0..5).for_each(|at| world.vanish(&format!("t{at:02}")));
    world.write_package();
    let service = world.service();
    let confirm = Asked { confirm_absences: true, ..ann() };
    let run = service.sync(&service.customers()[0], &Trigger::SameDay(confirm), &|_| ()).unwrap();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 21));
    world.verify();
}

#[test]
fn a_pause_leaves_a_source_unread_and_dates_act() {
    let mut world = teachers("UTC", "30 2 * * *");
    let limits = &mut world.policy.limits;
    (limits.removal_percent, limits.removal_min, limits.org_removal_percent) = (10, 5, 50);
    world = world.class("c", "ash", "math").product("lxp", ProductKind::Module, SeatModel::ActiveUser).pool(
        "lxp",
        "d",
        Some(100),
        OnFull::Overdraw,
    );
    world.enroll("a", "c", None, Some("2026-03-03"));
    (0..19).for_each(|at| world.hire(&format!("t{at:02}"), "teacher", "ash"));
    // Once more, so that the collection of enrollments is never empty.
    world.hire("s", "student", "ash");
    world.enroll("s", "c", None, None);
    world.night();
    assert_eq!((world.used("learn"), world.used("lxp")), (20, 2));
    // From 3 to 5 March, by the settings.
    let pause = Pause {
        source: SourceId::from("sis"),
        from: at("2026-03-03T00:00:00Z"),
        to: at("2026-03-06T00:00:00Z"),
        reason: "rollover".into(),
    };
    let paused = pause.clone();
    world.adjust = Box::new(move |customer| customer.pauses = vec![paused.clone()]);
    (0..8).for_each(|at| world.end(&format!("t{at:02}")));
    let run = world.night();
    assert_eq!((run.state, run.packages.len()), (RunState::Succeeded, 0));
    assert!(run.message.contains("source sis: paused until 2026-03-06T00:00:00Z (rollover)"), "{}", run.message);
    let service = world.service();
    let customer = &service.customers()[0];
    assert!(service.arrivals(customer).unwrap().is_empty(), "a drop waits as well");
    assert_eq!(service.status(customer).unwrap().paused, [pause]);
    assert_eq!(world.quiet_night().tally.released, 1, "a date acts");
    assert_eq!((world.used("learn"), world.used("lxp")), (20, 1));
    // A same-day wish waits for the pause as well.
    let run = service.sync(customer, &Trigger::SameDay(ann()), &|_| ()).unwrap();
    assert!(run.message.contains("paused until") && run.packages.is_empty(), "{}", run.message);
    // 6 March: 8 of 21 would be held on any other night.
    world.set_day(day("2026-03-06"));
    assert!(!world.service().arrivals(customer).unwrap().is_empty());
    let run = world.quiet_night();
    assert!(succeeded(&run), "{} {}", run.state, run.message);
    assert!(run.message.contains("first run after a pause"), "{}", run.message);
    assert_eq!(world.used("learn"), 12);
    // The night after it is like any other night.
    (8..14).for_each(|at| world.end(&format!("t{at:02}")));
    let run = world.night();
    assert_eq!((run.state, world.used("learn")), (RunState::Held, 12));
    assert!(!run.message.contains("pause"), "{}", run.message);
    world.verify();
}

#[test]
fn a_pause_by_hand_is_lifted_by_hand() {
    let mut world = teachers("UTC", "30 2 * * *");
    world.night();
    let service = world.service();
    let (customer, sis, by) = (&service.customers()[0], SourceId::from("sis"), Actor::operator("ann"));
    let now = service.now();
    let window = |from: Instant, to: Instant| Pause { source: sis.clone(), from, to, reason: "move".into() };
    service.pause(customer, &window(now, now.plus_millis(86_400_000)), &by).unwrap();
    service.pause(customer, &window(now.plus_millis(86_400_000), now.plus_millis(2 * 86_400_000)), &by).unwrap();
    assert_eq!(service.paused(customer).unwrap().len(), 1);
    world.hire("b", "teacher", "ash");
    world.write_package();
    assert!(world.run().message.contains("paused"));
    assert_eq!(world.state("b", "learn"), None);
    world.clock.set(now.plus_millis(3_600_000));
    assert_eq!(service.resume(customer, &sis, &by).unwrap(), (2, None));
    assert_eq!(service.resume(customer, &sis, &by).unwrap(), (0, None), "nothing is left");
    assert!(service.paused(customer).unwrap().is_empty());
    assert!(world.run().message.contains("first run after a pause"));
    assert_eq!(world.state("b", "learn"), Some(ClaimState::Active));
    world.verify();
}

/// A store, a clock and several customers, each in its zone.
struct Towns {
    worlds: Vec<World>,
    clock: Arc<SetClock>,
    now: Instant,
    dice: u64,
}

const NIGHTS: [(&str, &str, &str); 3] = [
    ("east", "America/New_York", "30 2 * * *"),
    ("isle", "Europe/London", "30 1 * * *"),
    ("howe", "Australia/Lord_Howe", "15 2 * * *"),
];
const MINUTE: i64 = 60_000;

impl Towns {
    fn new() -> Self {
        let worlds = NIGHTS.map(|(id, zone, nightly)| {
            let mut world = teachers(zone, nightly);
            world.policy.customer = CustomerId::from(id);
            world.write_package();
            world
        });
        let now = at("2026-01-01T00:00:00Z");
        Self { worlds: worlds.into(), clock: Arc::new(SetClock::at(now)), now, dice: 7 }
    }

    /// A daemon that just started: whatever the one before left is taken up.
    fn service(&self) -> Service {
        let customers = self.worlds.iter().map(World::customer).collect();
        let service = Service::new(Arc::new(self.worlds[0].store()), self.clock.clone(), customers);
        service.recover(self.now).expect("a store");
        service
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn go(&mut self, minutes: i64) {
        self.now = self.now.plus_millis(minutes * MINUTE);
        self.clock.set(self.now);
    }

    /// One tick and the work that it makes; the daemon may die anywhere in between.
    fn minute(&mut self, service: &mut Service) {
        let ticked = service.tick();
        assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
        if self.roll(40) == 0 {
            *service = self.service();
        }
        while let Some(request) = service.take_request().expect("a store") {
            if self.roll(25) == 0 {
                // Dead before the work began: the request is still there.
                *service = self.service();
                continue;
            }
            service.fulfil(&request, &|_| ()).expect("a run");
        }
    }

    /// Runs that ended by customer, kind and local date.
    fn runs(&self, service: &Service) -> BTreeMap<(String, &'static str, Day), Vec<Instant>> {
        let mut found: BTreeMap<_, Vec<Instant>> = BTreeMap::new();
        for run in service.store().runs(None, 100_000).expect("runs") {
            assert!(succeeded(&run), "{} {}", run.state, run.message);
            let (word, day) = (run.trigger.word(), run.trigger.scheduled_day().expect("nothing else is asked for"));
            found.entry((run.customer.to_string(), word, day)).or_default().push(run.began);
        }
        found
    }
}

#[test]
fn a_year_has_one_night_and_one_date_for_each_local_date() {
    let mut towns = Towns::new();
    let mut service = towns.service();
    while towns.now < at("2027-01-01T12:00:00Z") {
        let minutes = 20 + towns.roll(120) as i64;
        towns.go(minutes);
        towns.minute(&mut service);
    }
    let runs = towns.runs(&service);
    for (id, zone, _) in NIGHTS {
        let calendar = Calendar::in_zone(zone).unwrap();
        for date in 0..365 {
            let date = day("2026-01-01").plus(date);
            let nights = runs.get(&(id.to_owned(), "nightly", date)).map_or(&[][..], Vec::as_slice);
            assert_eq!(nights.len(), 1, "{id} {date}: {nights:?}");
            let dates = runs.get(&(id.to_owned(), "dates", date)).map_or(&[][..], Vec::as_slice);
            assert_eq!(dates.len(), 1, "{id} {date}: {dates:?}");
            if date > day("2026-01-01") {
                let late = dates[0].0 - calendar.start_of(date).0;
                assert!((0..140 * MINUTE).contains(&late), "{id} {date}: {late}");
            }
        }
    }
    // The nights on which the clocks change: the time that is skipped runs at the next instant there is, the one that
    // is repeated runs the first time.
    let clock_changes = [
        ("east", "2026-03-08", "2026-03-08T07:00:00Z"),
        ("east", "2026-11-01", "2026-11-01T07:30:00Z"),
        ("isle", "2026-03-29", "2026-03-29T01:00:00Z"),
        ("isle", "2026-10-25", "2026-10-25T00:30:00Z"),
        ("howe", "2026-04-05", "2026-04-04T15:45:00Z"),
        ("howe", "2026-10-04", "2026-10-03T15:30:00Z"),
    ];
    for (id, date, fires) in clock_changes {
        let late = runs[&(id.to_owned(), "nightly", day(date))][0].0 - at(fires).0;
        assert!((0..140 * MINUTE).contains(&late), "{id} {date}: {late} ms after {fires}");
    }
}

#[test]
fn downtime_and_a_clock_that_jumps_never_double_a_night() {
    let mut towns = Towns::new();
    let mut service = towns.service();
    // Days near which the daemon was away or the clock jumped: they may be without a night, but not have two.
    let mut disturbed: BTreeSet<i64> = BTreeSet::new();
    let until = at("2026-05-01T12:00:00Z");
    while towns.now < until {
        let minutes = 30 + towns.roll(120) as i64;
        towns.go(minutes);
        let (from, jump) = (towns.now, 60 * 24);
        match towns.roll(700) {
            0 | 1 => {
                let hours = 1 + towns.roll(70) as i64;
                towns.go(hours * 60);
            }
            2 => towns.go(jump),
            3 => towns.go(-jump),
            _ => {}
        }
        if towns.now != from {
            service = towns.service();
            let (first, last) = (from.min(towns.now).0, from.max(towns.now).0);
            disturbed.extend((first / 86_400_000 - 1)..=(last / 86_400_000 + 1));
        }
        towns.minute(&mut service);
    }
    let runs = towns.runs(&service);
    let twice: Vec<_> = runs.iter().filter(|(_, began)| began.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let all = (0..119).map(|n| day("2026-01-02").plus(n));
    let calm: Vec<Day> = all.filter(|date| !disturbed.contains(&i64::from(date.0))).collect();
    assert!((20..100).contains(&calm.len()), "{} of 119", calm.len());
    for date in calm {
        for (id, _, _) in NIGHTS {
            for word in ["nightly", "dates"] {
                assert!(runs.contains_key(&(id.to_owned(), word, date)), "{id} {word} {date}");
            }
        }
    }
}

#[test]
fn one_customer_that_fails_does_not_keep_the_others_from_their_night() {
    let mut broken = teachers("UTC", "30 2 * * *");
    broken.write_package();
    let mut fine = teachers("UTC", "30 2 * * *");
    fine.policy.customer = CustomerId::from("south");
    fine.write_package();
    broken.adjust = Box::new(|customer| {
        customer.nightly = Some("30 2 * * *".to_owned());
        customer.sources[0].source = Arc::new(Down(SourceId::from("sis")));
    });
    broken.clock.set(at("2026-03-02T02:30:00Z"));
    let service = Service::new(Arc::new(broken.store()), broken.clock.clone(), vec![broken.customer(), fine.customer()]);
    assert_eq!(service.tick().asked.len(), 2);
    let runs: Vec<RunState> = work(&service).iter().map(|run| run.state).collect();
    assert_eq!(runs, [RunState::Failed, RunState::Succeeded]);
    let row = service.store().request_row(RequestId(1)).unwrap().unwrap();
    assert_eq!((row.state, row.run.is_some()), (RequestState::Done, true));
    let (_, claims) = service.store().claims_of(&CustomerId::from("south"), PersonKey::from("a").as_str()).unwrap();
    assert_eq!(claims.len(), 1);
}

/// A night whose source was not to be reached is tried again, ever later, while it would be made up for (R100).
#[test]
fn a_night_that_came_to_nothing_is_tried_again() {
    let mut world = teachers("UTC", "30 2 * * *");
    world.write_package();
    let open = |is_down: bool| {
        let mut customer = world.customer();
        if is_down {
            let source = Arc::new(Down(SourceId::from("sis")));
            customer.sources = vec![Feed {
                source,
                intake: IntakePolicy { lenient: false, courses_optional: true },
                watched: true,
                activity_column: None,
            }];
        }
        Service::new(Arc::new(world.store()), world.clock.clone(), vec![customer])
    };
    let minutes = |from: &str, count: i64, is_down: bool| {
        let mut tried = Vec::new();
        for minute in 0..count {
            let now = at(from).plus_millis(minute * 60_000);
            world.clock.set(now);
            let service = open(is_down);
            if !asked(&service.tick()).iter().any(|wish| wish.starts_with("nightly")) {
                continue;
            }
            // That nights fail is told in the books, and where there are books dates act, too.
            let runs = work(&service);
            let run = runs.iter().find(|run| matches!(run.trigger, Trigger::Nightly(_))).expect("it is in line");
            assert_eq!(run.state == RunState::Failed, is_down, "{}", run.message);
            tried.push(minute);
        }
        tried
    };
    // By the window of twelve hours the night of 10 March is over at 14:30.
    let tried = minutes("2026-03-10T02:30:00Z", 1440, true);
    assert_eq!(tried, [0, 10, 30, 70, 150, 310, 630]);
    let tried = minutes("2026-03-11T02:30:00Z", 5, true);
    assert_eq!(tried, [0]);
    let tried = minutes("2026-03-11T02:35:00Z", 1400, false);
    assert_eq!(tried, [5], "a night that succeeded is over");
    assert_eq!(world.used("learn"), 1);
    world.verify();
}
