//! Faults that pass, each for each protocol: the pull waits as long as it is asked to, goes on, and leads where an undisturbed one
//! leads. What does not pass removes nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rosterd::source::RestVersion;
use rosterd::store::RunState;

use crate::fake_classlink::ClassLink;
use crate::fake_clever::Clever;
use crate::fake_hr::{Kind, Office};
use crate::fake_http::{Asked, Reply};
use crate::fake_oneroster::Provider;
use crate::net_hr::{company, staffed};
use crate::net_oneroster::district;
use crate::world::{World, succeeded};

type Twist = Box<dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync>;

/// A source with its world, whatever it speaks.
struct Upstream {
    name: &'static str,
    world: World,
    people: usize,
    lies: Box<dyn Fn(Twist)>,
    waited: Box<dyn Fn() -> Duration>,
}

/// All of them, each behind a network of its own.
fn upstreams() -> Vec<Upstream> {
    let mut all = Vec::new();
    let mut world = district("north");
    let provider = Arc::new(Provider::start());
    provider.has(&world, RestVersion::V1_2);
    provider.feeds(&mut world, RestVersion::V1_2, |_| ());
    let (lies, waited) = (provider.clone(), provider);
    all.push(Upstream {
        name: "oneroster",
        world,
        people: 30,
        lies: Box::new(move |twist| lies.lies(twist)),
        waited: Box::new(move || waited.waited()),
    });
    let mut world = district("north");
    let classlink = Arc::new(ClassLink::start());
    classlink.has(&world);
    classlink.feeds(&mut world, |_| ());
    let (lies, waited) = (classlink.clone(), classlink);
    all.push(Upstream {
        name: "classlink",
        world,
        people: 30,
        lies: Box::new(move |twist| lies.lies(twist)),
        waited: Box::new(move || waited.provider.waited()),
    });
    let mut world = district("north");
    let clever = Arc::new(Clever::start());
    clever.has(&world);
    clever.feeds(&mut world, |_| ());
    let (lies, waited) = (clever.clone(), clever);
    all.push(Upstream {
        name: "clever",
        world,
        people: 30,
        lies: Box::new(move |twist| lies.lies(twist)),
        waited: Box::new(move || *waited.waited.lock().expect("no panic")),
    });
    for (kind, name) in [(Kind::Scim, "scim"), (Kind::Report, "bamboohr"), (Kind::WorkdayJson, "workday")] {
        let mut world = company();
        let office = Arc::new(Office::start(kind));
        staffed(&office);
        office.feeds(&mut world, |_| ());
        let (lies, waited) = (office.clone(), office);
        all.push(Upstream {
            name,
            world,
            people: 20,
            lies: Box::new(move |twist| lies.lies(twist)),
            waited: Box::new(move || *waited.waited.lock().expect("no panic")),
        });
    }
    all
}

/// The first of each two answers is this one, up to so many times in all.
fn now_and_then(reply: impl Fn() -> Reply + Send + Sync + 'static, times: usize) -> (Twist, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let twist = move |_: &Asked, before: usize, honest: Reply| {
        if before.is_multiple_of(2) && count.load(Ordering::SeqCst) < times {
            count.fetch_add(1, Ordering::SeqCst);
            return reply();
        }
        honest
    };
    (Box::new(twist), told)
}

#[test]
fn what_passes_is_waited_for_and_the_pull_goes_on() {
    /// What is answered, and for how long that asks to wait, in seconds.
    type Fault = (&'static str, fn() -> Reply, u64);
    let faults: [Fault; 9] = [
        ("429, seconds", || Reply::html(429).with("Retry-After", 17), 17),
        (
            "429, a date",
            || {
                Reply::new(429, "")
                    .with("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
                    .with("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT")
            },
            30,
        ),
        ("429, nothing said", || Reply::html(429), 0),
        ("429, no time to be understood", || Reply::new(429, "").with("Retry-After", "soon"), 0),
        ("503, seconds", || Reply::new(503, "").with("Retry-After", 120), 120),
        ("500", || Reply::html(500), 0),
        ("502", || Reply::html(502), 0),
        ("503", || Reply::new(503, ""), 0),
        ("504", || Reply::new(504, ""), 0),
    ];
    for (what, fault, secs) in faults {
        for Upstream { name, world, people, lies, waited } in upstreams() {
            let (twist, told) = now_and_then(fault, 2);
            let before = waited();
            lies(twist);
            let run = world.run();
            assert!(succeeded(&run), "{name}, {what}: {}", run.message);
            assert_eq!(world.seated("p").len(), people, "{name}, {what}");
            let times = told.load(Ordering::SeqCst) as u64;
            assert!(times >= 1, "{name}, {what}: it was never told");
            let took = (waited() - before).as_secs();
            assert!((secs * times..secs * times + 4 * times + 1).contains(&took), "{name}, {what}: {took} s, {times} times");
        }
    }
}

#[test]
fn a_pause_that_is_too_long_is_not_waited_for() {
    for Upstream { name, mut world, people, lies, waited } in upstreams() {
        assert!(succeeded(&world.quiet_night()), "{name}");
        for reply in [
            || Reply::new(429, "").with("Retry-After", 7_200),
            || {
                Reply::new(503, "")
                    .with("Date", "Sun, 06 Nov 1994 08:00:00 GMT")
                    .with("Retry-After", "Sun, 06 Nov 1994 10:00:00 GMT")
            },
        ] {
            let before = waited();
            lies(Box::new(move |_, _, _| reply()));
            let run = world.quiet_night();
            assert_eq!((run.state, world.seated("p").len()), (RunState::Failed, people), "{name}: {}", run.message);
            assert!(run.message.contains("come back in 7200 s"), "{name}: {}", run.message);
            assert!(waited() - before < Duration::from_secs(5), "{name}");
        }
    }
}

#[test]
fn a_good_answer_under_a_wrong_kind_of_content_is_a_good_answer() {
    for Upstream { name, world, people, lies, .. } in upstreams() {
        lies(Box::new(|_, _, mut reply| {
            reply.headers.retain(|(name, _)| name != "Content-Type");
            reply.with("Content-Type", "text/html; charset=utf-8")
        }));
        let run = world.run();
        assert!(succeeded(&run), "{name}: {}", run.message);
        assert_eq!(world.seated("p").len(), people, "{name}");
    }
}
