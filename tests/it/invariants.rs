//! Invariants over random histories that need whole worlds: I6, I16, I17.

use std::thread;

use proptest::prelude::*;
use rosterd::base::{Actor, Calendar, Day, Digest, Instant, Seats, Version};
use rosterd::license::{
    Absence, Clauses, ClockStep, Entry, GuardDay, Hold, Jump, Ladder, OnFull, ProductKind, SeatModel, Tier,
};
use rosterd::plan::GuardLimits;
use rosterd::roster::{Roster, diff};
use rosterd::service::Service;
use rosterd::store::{Asked, AuditCommit, RunRow, Trigger};

use crate::cluster::{self, Database};
use crate::leaving::change_package;
use crate::world::World;

fn school_world(seats: Option<u32>, on_full: OnFull) -> World {
    let mut world = World::new("north")
        .school("ash")
        .school("birch")
        .class("c", "ash", "math")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", seats, on_full)
        .product("lxp", ProductKind::Module, SeatModel::ActiveUser)
        .pool("lxp", "d", seats, on_full)
        .person("constant", "student", "ash");
    world.enroll("constant", "c", None, None);
    world
}

fn roster(world: &World) -> Roster {
    let service = world.service();
    let customer = &service.customers()[0];
    let standing = service.store().standing(customer.id()).expect("books");
    service.roster(customer, &standing).expect("a roster")
}

fn trail(world: &World) -> Vec<AuditCommit> {
    let mut commits = Vec::new();
    let mut each = |commit: AuditCommit| {
        commits.push(commit);
        Ok(())
    };
    world.service().store().audit(&world.policy.customer, Version(0), &mut each).expect("a trail");
    commits
}

fn work(service: &Service) -> Vec<RunRow> {
    let mut runs = Vec::new();
    while let Some(request) = service.take_request().expect("a store") {
        runs.extend(service.fulfil(&request, &|_| ()).expect("a run"));
    }
    runs
}

/// What a source tells of one of six people.
#[derive(Clone, Copy, Debug)]
enum Change {
    Hire,
    Move,
    Enroll(i32),
    End,
    Vanish,
}

fn change(world: &mut World, who: usize, change: Change) {
    let key = format!("p{who}");
    match change {
        Change::Hire | Change::Move => {
            world.people.remove(&key);
            world.hire(&key, "teacher", if matches!(change, Change::Move) { "birch" } else { "ash" });
        }
        Change::Enroll(days) => {
            world.hire(&key, "student", "ash");
            let last = world.today.plus(days).to_string().leak();
            world.enroll(&key, "c", None, Some(last));
        }
        Change::End if world.people.contains_key(&key) => world.end(&key),
        Change::Vanish => world.vanish(&key),
        Change::End => {}
    }
}

fn changes() -> impl Strategy<Value = Vec<(usize, Change)>> {
    let one = prop_oneof![
        Just(Change::Hire),
        Just(Change::Move),
        (0i32..5).prop_map(Change::Enroll),
        Just(Change::End),
        Just(Change::Vanish)
    ];
    prop::collection::vec((0usize..6, one), 0..4)
}

/// The newest notice of a major stage arrives now.
fn deliver_major(world: &World) {
    let service = world.service();
    let customer = &service.customers()[0];
    let newest = world.events().into_iter().find(|notice| notice.kind == "overage_major");
    if let Some(notice) = newest {
        service.deliver(customer, &notice.key, "phone", None, &Actor::operator("ann")).expect("an answer");
    }
}

/// 28 years: the same weekdays, and as many leap days wherever one begins.
const DAYS: i32 = 28 * 365 + 7;

/// A commit in words, with every date and instant moved back by so many days.
fn told(commit: &AuditCommit, days: i32) -> Vec<String> {
    let at =
        |at: Instant| if at == Instant::MIN || at == Instant::MAX { at } else { Instant(at.0 - i64::from(days) * 86_400_000) };
    let on = |day: Day| day.plus(-days);
    let mut lines = vec![format!("{} {} {} {:?}", commit.version, at(commit.at), commit.verb, commit.run)];
    for change in &commit.changes {
        let (person, pool) = (commit.people.get(change.person), commit.names.pool_of(&change.after));
        let claim = &change.after;
        let (since, changed) = (at(claim.since), at(claim.changed));
        lines.push(format!("{person} {pool} {:?} {:?} since {since} changed {changed}", claim.state, change.because));
    }
    for entry in &commit.entries {
        lines.push(match entry {
            Entry::Absent(Absence { person, count, since, ended, held, removed, removed_at, .. }) => {
                let (since, gone) = (on(*since), removed_at.map(at));
                format!("{person} missing {count} since {since} {ended} {held} {removed} {gone:?}")
            }
            Entry::Hold(Hold { run, opened, deadline, told, state, removals, additions, used, at: decided, .. }) => format!(
                "hold {run} {} {} {} {state:?} {removals:?} {additions:?} {used:?} {:?}",
                at(*opened),
                at(*deadline),
                on(*told),
                decided.map(at)
            ),
            Entry::GuardDay(GuardDay { source, day, base, removed }) => format!("{source} {} {base} {removed}", on(*day)),
            Entry::Episode(episode) => {
                let samples: Vec<_> = episode.samples.iter().map(|s| (at(s.at), s.used, s.effective, s.band)).collect();
                let (opened, day) = (at(episode.opened), on(episode.opened_day));
                format!("episode {} {opened} {day} {:?} {samples:?} {:?}", episode.id, episode.peak, episode.closed.map(at))
            }
            Entry::Pool { pool, books } => {
                format!("{pool} {:?} {:?} {:?} {:?}", books.counts, books.allowance, books.causes, books.provisional.map(at))
            }
            Entry::Adopted(mark) => format!("{} at {}", mark.source, at(mark.at)),
            Entry::Purged { person, .. } => format!("purged {person}"),
            Entry::Returned(person) => format!("returned {person}"),
            Entry::Clock(fact) => {
                let step = match &fact.step {
                    ClockStep::Stage(stage) => format!("{:?} {:?} {:?}", stage.stage, stage.why, stage.deadline.map(at)),
                    ClockStep::Continues { of, day0 } => format!("continues {of} {}", on(*day0)),
                    ClockStep::Settled(done) => {
                        format!("{:?} {} {} {}", done.outcome, on(done.day0), on(done.day), done.elapsed)
                    }
                    ClockStep::Upgraded { from, to, charge, .. } => {
                        format!("{from} {to} {:?}", charge.as_ref().map(|c| c.amount))
                    }
                    ClockStep::Withheld { reasons, .. } => format!("{reasons:?}"),
                    other => format!("{:?}", std::mem::discriminant(other)),
                };
                format!("clock {} {:?} {} {} {step}", fact.pool, fact.episode, at(fact.at), at(fact.recorded))
            }
            Entry::NoticeDelivered(told) => format!("{} {} {}", told.channel, at(told.at), at(told.recorded)),
            Entry::Reuse(year) => format!("{} {} {} {}", year.pool, on(year.year), year.distinct, year.used_max),
            Entry::Granted(grant) => format!("{} {} {} {}", grant.id, at(grant.from), at(grant.to), at(grant.recorded)),
            other => format!("{:?}", std::mem::discriminant(other)),
        });
    }
    lines
}

/// Packages that come on a day, and what is asked for on it.
type Busy = (Vec<Vec<(usize, Change)>>, Vec<usize>);

/// What so many processes that take requests at the same time commit.
fn history(days: &[Busy], processes: usize, database: Option<Database>) -> Vec<(Version, Digest)> {
    let mut world = school_world(Some(2), OnFull::Overdraw);
    world.database = database;
    for (packages, asked) in days {
        for package in packages {
            package.iter().for_each(|&(who, what)| change(&mut world, who, what));
            world.write_package();
        }
        let service = world.service();
        for asked in asked {
            let trigger = match asked {
                0 => Trigger::Nightly(world.today),
                1 => Trigger::Dates(world.today),
                2 => Trigger::Drop,
                _ => Trigger::SameDay(Asked::by(Actor::operator("ann"))),
            };
            service.request_sync(&service.customers()[0], &trigger).expect("a store");
        }
        let services: Vec<Service> = (0..processes).map(|_| world.service()).collect();
        thread::scope(|scope| {
            let workers: Vec<_> = services.iter().map(|service| scope.spawn(|| work(service))).collect();
            workers.into_iter().for_each(|worker| drop(worker.join().expect("no panic")));
        });
        // Whoever found nothing to take while the other one was at work, has gone home: what is left is done.
        work(&service);
        world.next_day();
    }
    world.verify();
    trail(&world).into_iter().map(|commit| (commit.version, commit.hash)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// I6: complete packages, and any split of the same changes into files of changes, lead to the same people and seats.
    #[test]
    fn i6_complete_reads_and_changes_lead_to_the_same(
        nights in prop::collection::vec(prop::collection::vec((0usize..6, any::<bool>()), 0..4), 1..5),
    ) {
        let start = || {
            let mut world = school_world(None, OnFull::Overdraw);
            (0..3).for_each(|at| world.hire(&format!("p{at}"), "teacher", "ash"));
            world.night();
            world
        };
        let (mut whole, mut split) = (start(), start());
        let mut packages = 90_000;
        for changes in nights {
            for (who, comes) in changes {
                let key = format!("p{who}");
                if comes {
                    change(&mut whole, who, Change::Hire);
                } else if whole.people.contains_key(&key) {
                    whole.end(&key);
                } else {
                    continue;
                }
                packages += 1;
                change_package(&split, &packages.to_string(), &key, if comes { "active" } else { "tobedeleted" });
            }
            whole.night();
            let service = split.service();
            service.request_sync(&service.customers()[0], &Trigger::Nightly(split.today)).expect("a store");
            work(&service);
            split.next_day();
            prop_assert!(diff(&roster(&whole), &roster(&split)).is_empty());
            prop_assert_eq!(whole.seated("learn"), split.seated("learn"));
            prop_assert_eq!(whole.seated("lxp"), split.seated("lxp"));
            split.verify();
        }
    }

    /// I16: two processes that share a store write the history that one alone writes, hash by hash.
    #[test]
    fn i16_two_processes_and_one_write_the_same_history(
        days in prop::collection::vec((prop::collection::vec(changes(), 0..3), prop::collection::vec(0usize..4, 1..4)), 1..4),
    ) {
        let alone = history(&days, 1, None);
        prop_assert_eq!(&alone, &history(&days, 2, None));
        // On a server they wait for each other's rows instead of for the one writer.
        if cluster::is_installed() {
            prop_assert_eq!(&alone, &history(&days, 2, Some(Database::fresh())));
        }
    }

    /// I17: everything 28 years later, and every deadline is 28 years later.
    #[test]
    fn i17_a_history_28_years_later_has_its_deadlines_28_years_later(
        nights in prop::collection::vec((changes(), 1i32..4), 1..6),
        ended_days in 5u32..12,
    ) {
        let histories = [0, DAYS].map(|days| {
            let mut world = school_world(Some(2), OnFull::Overdraw);
            world.policy.calendar = Calendar::in_zone("America/New_York").expect("a zone");
            world.policy.pools.iter_mut().for_each(|pool| pool.calendar = world.policy.calendar.clone());
            world.policy.purge_after_days = Some(ended_days);
            let limits = GuardLimits { removal_min: 1, growth_min: 3, bootstrap_approval: false, ..GuardLimits::STANDARD };
            world.policy.limits = GuardLimits { change_percent: 100, ..limits };
            world.set_day(world.today.plus(days));
            let tiers = [2, 4, 8].map(|seats| Tier { seats: Seats(seats), price: Some(u64::from(seats) * 1200) });
            let ladder = Ladder { tiers: tiers.to_vec(), jump: Jump::Next, currency: "EUR".into() };
            let clauses = Clauses { ladder, minor_business_days: 3, major_after_business_days: 5, ..Clauses::CONTRACT };
            for pool in &mut world.policy.pools {
                (pool.clauses, pool.anchor) = (clauses.clone(), Some(world.today.plus(-2)));
            }
            (0..6).for_each(|at| world.hire(&format!("p{at}"), "teacher", "ash"));
            world.night();
            for (changes, pause) in &nights {
                changes.iter().for_each(|&(who, what)| change(&mut world, who, what));
                world.night();
                world.buy(&format!("g{}", world.today.plus(-days)), "learn", 1, &world.today.plus(2).to_string());
                deliver_major(&world);
                (1..*pause).for_each(|_| drop(world.quiet_night()));
            }
            // Until everybody who is gone is deleted for good.
            (0..13).for_each(|_| drop(world.quiet_night()));
            world.verify();
            trail(&world).iter().flat_map(|commit| told(commit, days)).collect::<Vec<_>>()
        });
        prop_assert_eq!(&histories[0], &histories[1]);
    }
}
