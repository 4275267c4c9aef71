//! Nights that read of a package no more than what the night before did not know come to what nights that read all of it come
//! to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rosterd::base::{Digest, PersonKey, SourceId};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::roster::{RosterIntake, Trace};
use rosterd::service::Feed;
use rosterd::source::{Package, Read, Reread, RosterSource, Seen, SourceError};
use rosterd::store::Store;

use crate::world::{World, succeeded};

/// Counts how often its source is read whole.
struct Counted {
    source: Arc<dyn RosterSource>,
    pulls: Arc<AtomicUsize>,
    /// Nothing is read beside a trace.
    is_whole: bool,
}

impl RosterSource for Counted {
    fn id(&self) -> &SourceId {
        self.source.id()
    }

    fn pending(&self, seen: &Seen) -> Result<Vec<Package>, SourceError> {
        self.source.pending(seen)
    }

    fn named(&self, package: Package) -> Result<Package, SourceError> {
        self.source.named(package)
    }

    fn pull(&self, package: &Package, intake: &mut RosterIntake) -> Result<Read, SourceError> {
        self.pulls.fetch_add(1, Ordering::Relaxed);
        self.source.pull(package, intake)
    }

    fn reread<'r>(&'r self, package: &'r Package, known: &'r Trace) -> Option<Box<dyn Reread + 'r>> {
        if self.is_whole { None } else { self.source.reread(package, known) }
    }

    fn is_incremental(&self, package: &Package) -> Result<bool, SourceError> {
        self.source.is_incremental(package)
    }

    fn check(&self) -> Result<String, SourceError> {
        self.source.check()
    }
}

/// Eighty people in four classes, and how often their packages were read whole.
fn district(is_whole: bool) -> (World, Arc<AtomicUsize>) {
    let mut world = World::new("north").school("ash").school("elm");
    world = world.product("learn", ProductKind::Module, SeatModel::Role).role_rule("teacher", "learn");
    world = world.product("read", ProductKind::Module, SeatModel::Role).role_rule("student", "read");
    world = world.pool("learn", "d", Some(30), OnFull::Wait).pool("read", "d", Some(50), OnFull::Overdraw);
    for (class, school) in [("k1", "ash"), ("k2", "ash"), ("k3", "elm"), ("k4", "elm")] {
        world = world.class(class, school, "maths");
    }
    for n in 0..80 {
        let (key, school) = (format!("p{n:02}"), ["ash", "elm"][n % 2]);
        world.hire(&key, ["student", "student", "teacher"][n % 3], school);
        world.enroll(&key, ["k1", "k3"][n % 2], None, None);
    }
    let pulls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&pulls);
    world.adjust = Box::new(move |customer| {
        for Feed { source, .. } in &mut customer.sources {
            let (own, pulls) = (Arc::clone(source), Arc::clone(&counted));
            *source = Arc::new(Counted { source: own, pulls, is_whole });
        }
    });
    (world, pulls)
}

/// One after the other; what each may change.
fn nights() -> Vec<fn(&mut World)> {
    vec![
        |world| world.people.get_mut("p07").expect("a person").name = "Other".into(),
        |world| {
            world.hire("p90", "teacher", "elm");
            world.enroll("p90", "k4", None, None);
        },
        |world| world.vanish("p11"),
        |world| {
            let p20 = world.people.get_mut("p20").expect("a person");
            p20.roles[0].0 = "principal".into();
            p20.enrollments.clear();
        },
        |world| world.enroll("p30", "k2", Some("2026-03-01"), Some("2026-06-30")),
        |world| world.people.get_mut("p30").expect("a person").email = "p30@north.example".into(),
        // A new key claims the e-mail of somebody known (R5).
        |world| {
            world.vanish("p30");
            world.hire("p91", "student", "ash");
            world.people.get_mut("p91").expect("a person").email = "p30@north.example".into();
        },
        |world| {
            world.vanish("p91");
            world.hire("p30", "student", "ash");
        },
        |world| world.people.get_mut("p40").expect("a person").broken = true,
        |world| world.people.get_mut("p40").expect("a person").broken = false,
        |world| world.classes[3].2 = "physics".into(),
        |world| world.people.get_mut("p41").expect("a person").locked = true,
    ]
}

fn trace(world: &World) -> bool {
    let mut bytes = 0;
    let each = &mut |chunk: Vec<u8>| {
        bytes += chunk.len();
        Ok(())
    };
    world.store().trace(&world.policy.customer, &"sis".into(), each).expect("a store");
    bytes > 0
}

fn snapshot(world: &World) -> Digest {
    let standing = world.store().standing_light(&world.policy.customer).expect("a standing");
    standing.sources[&SourceId::from("sis")].snapshot
}

#[test]
fn nights_come_to_the_same_however_much_is_read() {
    let ((mut renewed, pulls), (mut whole, all)) = (district(false), district(true));
    renewed.night();
    whole.night();
    assert!(trace(&renewed));
    let mut read_whole = Vec::new();
    for (night, change) in nights().into_iter().enumerate() {
        let before = pulls.load(Ordering::Relaxed);
        let runs = [&mut renewed, &mut whole].map(|world| {
            change(world);
            world.night()
        });
        let [one, other] = runs.map(|run| (run.state, run.tally, run.message));
        assert_eq!(one, other, "night {night}");
        assert_eq!(snapshot(&renewed), snapshot(&whole), "night {night}");
        for pool in ["learn", "read"] {
            assert_eq!(renewed.seated(pool), whole.seated(pool), "night {night}");
        }
        if pulls.load(Ordering::Relaxed) > before {
            read_whole.push(night);
        }
    }
    assert!(all.load(Ordering::Relaxed) > nights().len());
    // Where a key claims an e-mail and the night after it, where a row is bad and the night after it, and where a class changed.
    assert_eq!(read_whole, [6, 7, 8, 9, 10]);
    renewed.verify();
}

#[test]
fn who_did_not_change_needs_the_same_until_a_day_comes_or_the_rules_change() {
    let worlds = [false, true].map(|is_whole| {
        let (world, pulls) = district(is_whole);
        let world = world.product("lab", ProductKind::Module, SeatModel::ActiveUser).pool("lab", "d", Some(99), OnFull::Wait);
        (world, pulls)
    });
    let [(mut renewed, pulls), (mut whole, _)] = worlds;
    for world in [&mut renewed, &mut whole] {
        // Nobody else has a day on which something begins or ends.
        for n in 0..80 {
            world.people.get_mut(&format!("p{n:02}")).expect("a person").enrollments.clear();
        }
        world.enroll("p10", "k1", Some("2026-03-04"), Some("2026-03-06"));
        world.enroll("p11", "k1", Some("2026-03-05"), None);
    }
    let mut seated = Vec::new();
    for night in 0..7 {
        let runs = [&mut renewed, &mut whole].map(|world| {
            world.people.get_mut("p40").expect("a person").name = format!("Name {night}");
            match night {
                1 => world.enroll("p12", "k1", Some("2026-03-07"), None),
                6 => world.policy.rules.retain(|rule| rule.id.as_str() != "teacher-learn"),
                _ => {}
            }
            world.night()
        });
        let [one, other] = runs.map(|run| (run.state, run.tally, run.message));
        assert_eq!(one, other, "night {night}");
        for pool in ["learn", "read", "lab"] {
            assert_eq!(renewed.seated(pool), whole.seated(pool), "night {night}");
        }
        seated.push((renewed.seated("lab").len(), renewed.seated("learn").len()));
    }
    assert_eq!(pulls.load(Ordering::Relaxed), 1, "all but the first beside a trace");
    assert_eq!(
        seated,
        [(0, 26), (0, 26), (1, 26), (2, 26), (2, 26), (2, 26), (2, 0)],
        "from the fourth on, the fifth, up to the sixth, from the seventh"
    );
    renewed.verify();
}

#[test]
fn who_is_purged_leaves_no_trace_and_the_next_night_leaves_another() {
    let (mut world, pulls) = district(false);
    world.night();
    world.vanish("p05");
    world.night();
    world.people.get_mut("p07").expect("a person").name = "Other".into();
    world.night();
    assert_eq!(pulls.load(Ordering::Relaxed), 1);
    let forgotten = {
        let service = world.service();
        let (key, by) = (PersonKey::from("p05"), rosterd::base::Actor::operator("test"));
        service.forget(&service.customers()[0], &by, &key, "asked to").expect("an answer")
    };
    assert!(!trace(&world), "{forgotten:?}");
    for name in ["Another", "Third", "Fourth"] {
        world.people.get_mut("p07").expect("a person").name = name.into();
        assert!(succeeded(&world.night()));
    }
    assert!(trace(&world));
    assert_eq!(pulls.load(Ordering::Relaxed), 2, "once whole, then no more");
}

#[test]
fn a_trace_that_cannot_be_read_is_as_good_as_none() {
    let (mut world, pulls) = district(false);
    world.night();
    for (bytes, whole) in [("x'00'", 2), ("zeroblob(9)", 3)] {
        let raw = world.raw();
        assert_eq!(raw.execute(&format!("UPDATE traces SET body = {bytes}"), []).expect("a row"), 1);
        drop(raw);
        for name in ["Another", "Third"] {
            world.people.get_mut("p07").expect("a person").name = format!("{name} {whole}");
            assert!(succeeded(&world.night()));
        }
        assert_eq!(pulls.load(Ordering::Relaxed), whole, "once whole, then beside another");
    }
}

#[test]
fn a_run_that_commits_nothing_leaves_no_trace() {
    let (mut world, _) = district(false);
    world.write_package();
    let service = world.service();
    service.plan_sync(&service.customers()[0], &rosterd::store::Trigger::Nightly(world.today), &|_| ()).expect("a plan");
    assert!(!trace(&world));
}
