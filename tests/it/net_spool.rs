//! The spool is bounded in size and in age: a pull that does not fit fails without harm, what is old is cleared away, and pages of
//! a pull that broke off are used as long as the settings say.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::Instant;
use rosterd::service::SpoolPages;
use rosterd::source::{Network, Pace, RestVersion};
use rosterd::spool::Spool;
use rosterd::store::RunState;

use crate::fake_clever::Clever;
use crate::fake_hr::{Kind, Office};
use crate::fake_http::Reply;
use crate::fake_oneroster::Provider;
use crate::net_hr::{Kept, company, staffed};
use crate::net_oneroster::district;
use crate::world::{World, succeeded};

/// Bytes in a folder, with all that is below it.
fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_in(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[test]
fn a_pull_that_does_not_fit_fails_without_harm() {
    let mut world = district("north");
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join("spool");
    let mut provider = Provider::start();
    provider.has(&world, RestVersion::V1_1);
    provider.feeds(&mut world, RestVersion::V1_1, |_| ());
    assert!(succeeded(&world.quiet_night()));
    world.hire("new", "teacher", "s1");
    world.vanish("u07");
    provider.has(&world, RestVersion::V1_1);
    for round in 0..3 {
        provider.pages = Arc::new(SpoolPages::new(spool.clone(), 1_500));
        provider.feeds(&mut world, RestVersion::V1_1, |_| ());
        let run = world.quiet_night();
        assert_eq!((run.state, run.version), (RunState::Failed, None), "{}", run.message);
        let told = "packed it is more than 1500 bytes, the bound of spool.max_mib";
        assert!(run.message.contains(told), "{}", run.message);
        assert_eq!(world.seated("p").len(), 30, "nobody came, nobody left");
        // What lies there does not grow from try to try; sled has an overhead of its own.
        assert!(bytes_in(&spool) < 2 << 20, "round {round}: {} bytes", bytes_in(&spool));
    }
    // The process that had it gives it back.
    provider.pages = Arc::new(SpoolPages::new(folder.path().join("other"), 1));
    provider.feeds(&mut world, RestVersion::V1_1, |_| ());
    provider.pages = Arc::new(SpoolPages::new(spool.clone(), 1 << 20));
    provider.feeds(&mut world, RestVersion::V1_1, |_| ());
    let run = world.quiet_night();
    assert!(succeeded(&run) && world.seated("p").contains(&"new".to_owned()), "{}", run.message);
    assert!(!spool.exists(), "emptied when the run was over");
    world.verify();
}

#[test]
fn pages_of_another_day_are_cleared_away_when_the_spool_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("spool");
    let age = |hours: u64| {
        for entry in fs::read_dir(&path).expect("listed") {
            let entry = fs::File::open(entry.expect("an entry").path()).expect("opened");
            let modified = entry.metadata().and_then(|metadata| metadata.modified()).expect("a time");
            entry.set_modified(modified - Duration::from_secs(hours * 3_600)).expect("set");
        }
    };
    {
        let spool = Spool::open(&path).expect("a spool");
        assert!(spool.put("a", 0, b"page"));
    }
    age(23);
    {
        let spool = Spool::open(&path).expect("a spool");
        assert_eq!(spool.page("a", 0).as_deref(), Some(&b"page"[..]), "23 hours are not too many");
    }
    age(26);
    let spool = Spool::open(&path).expect("a spool");
    assert!(!path.exists(), "26 hours are");
    assert_eq!(spool.page("a", 0), None);
}

/// A network so many minutes after half past two.
fn network(minutes: i64) -> Network {
    let waited = Arc::new(Mutex::new(Duration::ZERO));
    let add = waited.clone();
    Network::new(Pace::of(
        move || Instant::parse("2026-03-02T02:30:00Z").expect("a moment").plus_millis(minutes * 60_000),
        move || *waited.lock().expect("no panic"),
        move |time| *add.lock().expect("no panic") += time,
    ))
}

/// A pull breaks off and is made again after so many minutes; `connect` makes the source, `breaks` lets it fail after some pages,
/// `count` tells how many requests there were. What the second pull asked for.
fn asked_again(
    world: &mut World,
    minutes: i64,
    connect: &dyn Fn(&mut World, Network),
    breaks: &dyn Fn(bool),
    count: &dyn Fn() -> usize,
) -> usize {
    connect(world, network(0));
    breaks(true);
    assert_eq!(world.run().state, RunState::Failed);
    breaks(false);
    connect(world, network(minutes));
    let before = count();
    let run = world.run();
    assert!(succeeded(&run), "{}", run.message);
    count() - before
}

#[test]
fn what_a_broken_off_pull_left_is_used_for_as_long_as_the_settings_say() {
    let cases: [(i64, bool); 4] = [(0, true), (59, true), (61, false), (-1, false)];
    // How many requests a pull takes that goes on, and one that starts over.
    let check = |what: &str, asked: &dyn Fn(i64) -> usize| {
        let told: Vec<usize> = cases.iter().map(|(minutes, _)| asked(*minutes)).collect();
        for ((minutes, goes_on), count) in cases.iter().zip(&told) {
            let like = if *goes_on { told[0] } else { told[2] };
            assert!(*count == like && told[0] + 4 <= told[2], "{what}, {minutes} minutes: {told:?}");
        }
    };
    let breaks_after = 8;
    check("oneroster", &|minutes| {
        let mut world = district("north");
        let mut provider = Provider::start();
        provider.pages = Arc::new(Kept::default());
        provider.has(&world, RestVersion::V1_1);
        let connect = |world: &mut World, network: Network| provider.feeds_on(world, network, RestVersion::V1_1, |_| ());
        let breaks = |on: bool| {
            provider.lies(move |_, before, reply| if on && before >= breaks_after { Reply::html(500) } else { reply });
        };
        asked_again(&mut world, minutes, &connect, &breaks, &|| provider.server.asked().len())
    });
    check("clever", &|minutes| {
        let mut world = district("north");
        let mut clever = Clever::start();
        clever.pages = Arc::new(Kept::default());
        clever.has(&world);
        let connect = |world: &mut World, network: Network| clever.feeds_on(world, network, |_| ());
        let breaks = |on: bool| {
            clever.lies(move |_, before, reply| if on && before >= breaks_after { Reply::html(500) } else { reply });
        };
        asked_again(&mut world, minutes, &connect, &breaks, &|| clever.count())
    });
    check("scim", &|minutes| {
        let mut world = company();
        let mut office = Office::start(Kind::Scim);
        office.pages = Arc::new(Kept::default());
        staffed(&office);
        let connect = |world: &mut World, network: Network| office.feeds_on(world, network, |settings| settings.page_rows = 2);
        let breaks = |on: bool| {
            office.lies(move |_, before, reply| if on && before >= breaks_after { Reply::html(500) } else { reply });
        };
        asked_again(&mut world, minutes, &connect, &breaks, &|| office.server.asked().len())
    });
}
