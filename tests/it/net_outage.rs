//! An upstream that fails: left alone ever longer, over restarts and for all who read from it; told once and reminded of.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Moment};

use rosterd::base::Instant;
use rosterd::clock::Clock;
use rosterd::service::StoredOutages;
use rosterd::source::{Network, Pace, RestVersion};
use rosterd::store::{OutageRow, RunState, Store};

use crate::fake_http::Reply;
use crate::fake_oneroster::Provider;
use crate::net_classlink::notices;
use crate::net_oneroster::district;
use crate::world::{World, succeeded};

/// A new process: a network that knows nothing but what the store keeps, at the world's own time.
pub fn process(world: &World) -> Network {
    let clock = world.clock.clone();
    let elapsed = Arc::new(Mutex::new(Duration::ZERO));
    let (start, waits, of) = (Clock::now(&*clock), elapsed.clone(), clock.clone());
    let network = Network::new(Pace::of(
        move || Clock::now(&*of),
        move || {
            let passed = Clock::now(&*clock).0 - start.0;
            *elapsed.lock().expect("no panic") + Duration::from_millis(u64::try_from(passed).unwrap_or(0))
        },
        move |time| *waits.lock().expect("no panic") += time,
    ));
    network.keep_outages(Arc::new(StoredOutages::new(Arc::new(world.store()))));
    network
}

/// The world's customer is reminded of what goes on, as `alerts.remind_business_days` says by default.
pub fn reminded(world: &mut World) {
    let adjust = std::mem::replace(&mut world.adjust, Box::new(|_| ()));
    world.adjust = Box::new(move |customer| {
        adjust(customer);
        customer.reports.remind_business_days = 5;
    });
}

fn restart(provider: &Provider, world: &mut World) -> Network {
    let network = process(world);
    provider.feeds_on(world, network.clone(), RestVersion::V1_1, |_| ());
    reminded(world);
    network
}

fn outages(world: &World) -> u32 {
    world.raw().query_row("SELECT count(*) FROM outages", [], |row| row.get(0)).expect("a number")
}

#[test]
fn it_is_left_alone_told_once_and_tried_daily_over_restarts() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_1);
    restart(&provider, &mut world);
    assert!(succeeded(&world.run()));
    provider.lies(|_, _, _| Reply::html(503));
    // Five processes fail once each; the fifth failure opens the circuit, whoever counted the others.
    for failed in 1..=5 {
        restart(&provider, &mut world);
        assert!(notices(&world, "source_down").is_empty(), "{failed}");
        assert_eq!(world.run().state, RunState::Failed);
    }
    let told = notices(&world, "source_down");
    assert_eq!(told.len(), 1);
    for word in
        ["failed 5 times in a row since 2026-03-02T02:30:00Z", "it failed (503), 3 times", "everybody keeps what they have"]
    {
        assert!(told[0].text.contains(word), "{}", told[0].text);
    }
    // A new process asks nobody, and knows why.
    restart(&provider, &mut world);
    let before = provider.server.asked().len();
    let run = world.run();
    assert!(run.message.contains("failed 5 times in a row and is left alone for"), "{}", run.message);
    let service = world.service();
    let states = service.status(&service.customers()[0]).expect("states").sources;
    let state = &states[0];
    assert_eq!((state.source.as_str(), state.looked.is_some(), states.len()), ("sis", true, 1));
    assert!(state.trouble.as_ref().is_some_and(|trouble| trouble.contains("failed 5 times in a row")), "{state:?}");
    assert_eq!(provider.server.asked().len(), before);
    // One try a night, in a process of its own; a reminder five business days later: on Monday.
    let mut tries = Vec::new();
    for _ in 0..7 {
        world.next_day();
        restart(&provider, &mut world);
        let before = provider.server.asked().len();
        for _ in 0..3 {
            assert_eq!(world.run().state, RunState::Failed);
        }
        let ticked = world.service().tick();
        assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
        tries.push(provider.server.asked().len() - before);
    }
    assert_eq!(tries, [3; 7], "one request a night, which is tried three times");
    assert_eq!((notices(&world, "source_down").len(), world.seated("p").len()), (2, 30));
    // It is back.
    provider.is_honest();
    world.next_day();
    restart(&provider, &mut world);
    assert!(succeeded(&world.run()));
    assert_eq!((notices(&world, "source_back").len(), outages(&world)), (1, 0));
    let service = world.service();
    assert_eq!(service.status(&service.customers()[0]).expect("states").sources[0].trouble, None);
    world.next_day();
    assert!(succeeded(&world.run()));
    assert_eq!(notices(&world, "source_back").len(), 1);
    // How sources stand is told of the present alone.
    let sources = |world: &World| {
        let service = world.service();
        service.status(&service.customers()[0]).expect("an answer").sources.len()
    };
    assert_eq!(sources(&world), 1);
    world.set_day(crate::world::day("2026-03-01"));
    assert_eq!(sources(&world), 0);
    world.verify();
}

#[test]
fn pages_for_people_instead_of_answers_are_an_outage() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_1);
    restart(&provider, &mut world);
    provider.lies(|_, _, _| Reply::html(200));
    for _ in 0..5 {
        assert!(world.run().message.contains("a web page or XML instead of JSON"));
    }
    let before = provider.server.asked().len();
    let run = world.run();
    assert!(run.message.contains("failed 5 times in a row and is left alone for"), "{}", run.message);
    assert_eq!((provider.server.asked().len(), notices(&world, "source_down").len()), (before, 1));
}

#[test]
fn pages_at_the_address_of_one_customer_hold_up_no_other() {
    let provider = Provider::start();
    let (mut wrong, mut right) = (district("south"), district("north"));
    provider.has(&right, RestVersion::V1_1);
    let network = process(&right);
    let astray = provider.server.url("/portal");
    provider.feeds_on(&mut wrong, network.clone(), RestVersion::V1_1, move |settings| settings.address = astray.clone());
    provider.feeds_on(&mut right, network, RestVersion::V1_1, |_| ());
    provider.lies(|asked, _, reply| if asked.path().starts_with("/portal") { Reply::html(200) } else { reply });
    for _ in 0..2 {
        for _ in 0..5 {
            assert!(wrong.run().message.contains("a web page or XML instead of JSON"));
        }
        assert!(wrong.run().message.contains("failed 5 times in a row and is left alone for"));
        let service = right.service();
        assert_eq!(service.status(&service.customers()[0]).expect("states").sources[0].trouble, None);
        // An answer at another address closes the circuit: the first one is asked again, and told the same again.
        assert!(succeeded(&right.run()));
    }
    // When pages come everywhere, everybody rests, after one look each.
    for _ in 0..5 {
        assert_eq!(wrong.run().state, RunState::Failed);
    }
    provider.lies(|_, _, _| Reply::html(200));
    assert!(right.run().message.contains("a web page or XML instead of JSON"));
    assert!(right.run().message.contains("failed 6 times in a row and is left alone for"));
    assert!(notices(&right, "source_down").len() == 1 && wrong.run().message.contains("left alone"));
}

#[test]
fn an_outage_is_kept_replaced_and_dropped() {
    let world = district("north");
    let store = world.store();
    let row = OutageRow {
        upstream: "https://sis.example".into(),
        failures: 3,
        since: Instant(1),
        opened: Instant(2),
        rest_secs: 0,
        error: "read it".into(),
    };
    assert_eq!(store.outage(&row.upstream).expect("a store"), None);
    store.save_outage(&row).expect("written");
    let newer = OutageRow { failures: 7, rest_secs: 82_800, ..row.clone() };
    store.save_outage(&newer).expect("written");
    assert_eq!(world.store().outage(&row.upstream).expect("a store"), Some(newer));
    assert_eq!(store.outage("https://other.example").expect("a store"), None);
    store.drop_outage(&row.upstream).expect("written");
    assert_eq!(store.outage(&row.upstream).expect("a store"), None);
}

#[test]
fn an_operator_who_insists_is_answered_and_the_others_know() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_1);
    restart(&provider, &mut world);
    provider.lies(|_, _, _| Reply::html(503));
    for _ in 0..5 {
        assert_eq!(world.run().state, RunState::Failed);
    }
    assert!(world.run().message.contains("left alone"));
    provider.is_honest();
    // The daemon's network goes on resting until somebody else, in another process, gets an answer.
    let daemon = std::mem::replace(&mut world.adjust, Box::new(|_| ()));
    let checks = restart(&provider, &mut world);
    checks.insist();
    let told = world.customer().sources[0].source.check().expect("an answer");
    assert!(told.ends_with("answers"), "{told}");
    world.adjust = daemon;
    assert!(succeeded(&world.run()));
    world.verify();
}

#[test]
fn customers_of_one_upstream_share_its_limits_and_the_strictest_counts() {
    let provider = Provider::start();
    let mut worlds = [district("north"), district("south")];
    provider.has(&worlds[0], RestVersion::V1_1);
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let starts = Arc::new(Mutex::new(Vec::<Moment>::new()));
    provider.slow({
        let (running, most, starts) = (running.clone(), most.clone(), starts.clone());
        move |is_begin| {
            if is_begin {
                starts.lock().expect("no panic").push(Moment::now());
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(15));
            } else {
                running.fetch_sub(1, Ordering::SeqCst);
            }
        }
    });
    let network = Network::new(Pace::machine(|| Instant(1_700_000_000_000)));
    for (world, (parallel, per_second)) in worlds.iter_mut().zip([(8, 50), (1, 1_000)]) {
        provider.feeds_on(world, network.clone(), RestVersion::V1_1, move |settings| {
            settings.read.http.parallel_max = parallel;
            settings.read.http.per_second_max = per_second;
        });
    }
    // Both are known to the network before the first request.
    worlds.iter().for_each(|world| assert!(world.customer().sources[0].source.check().is_ok()));
    starts.lock().expect("no panic").clear();
    std::thread::scope(|scope| {
        for world in &worlds {
            scope.spawn(|| assert!(succeeded(&world.run())));
        }
    });
    let starts = starts.lock().expect("no panic");
    assert!(starts.len() > 30, "{}", starts.len());
    assert_eq!(most.load(Ordering::SeqCst), 1, "one at a time, as the second customer wants it");
    let took = starts[starts.len() - 1] - starts[0];
    let least = Duration::from_millis(20) * (u32::try_from(starts.len()).expect("few") - 1);
    assert!(
        took + Duration::from_millis(20) >= least,
        "fifty a second, as the first one wants it: {took:?} for {}",
        starts.len()
    );
}
