//! Clocks of overages from outside: the commands, the document for a dispute, one history however often somebody looks,
//! and ten thousand overages at once.

use std::time::Instant as Stopwatch;

use rosterd::base::{Actor, Calendar, Day, EpisodeId, Instant, OrgId, PoolId, ProductId, Seats, TextArena};
use rosterd::license::{
    Allowance, Audience, Band, Cause, Clauses, Entry, Episode, Names, OnFull, OverageLimits, Pool, PoolBooks, PoolTerms,
    Sample, StateCounts,
};
use rosterd::plan::Sweep;
use rosterd::store::{Batch, Store};
use serde_json::Value;

use crate::clocks::{at, deliver_at, history, look_at, pool_of, run_at, staff};
use crate::demo::Demo;
use crate::world::{World, grant};

#[test]
fn overages_from_the_command_line() {
    let demo = Demo::new();
    demo.run("sync northfield --here --as-of 2026-11-20T03:00:00Z");
    demo.run("sync northfield --here --as-of 2026-11-21T03:00:00Z");
    let listed = demo.json("episode list northfield --as-of 2026-11-23T12:00:00Z");
    assert_eq!((&listed["as_of"], &listed["stale"]), (&"2026-11-23T12:00:00Z".into(), &true.into()), "{listed}");
    let episode = &listed["episodes"][0];
    assert_eq!((&episode["clock"]["stage"], &episode["nth"]), (&Value::from("minor"), &Value::from(1)), "{listed}");
    let id = episode["episode"]["episode"].as_u64().expect("an id");
    let pool = episode["episode"]["pool"].as_str().expect("a pool").to_owned();
    let shown = demo.told(&format!("episode show northfield {id} --as-of 2026-11-23T12:00:00Z"));
    assert!(shown.contains("minor (opened)") && shown.contains(&format!("overage_minor/{pool}/{id}")), "{shown}");
    assert!(demo.told("status northfield --as-of 2026-11-23T12:00:00Z").contains("minor on business day"));

    let key = format!("overage_minor/{pool}/{id}");
    let done = demo.json(&format!("notices delivered northfield {key} --channel phone --as-of 2026-11-23T12:00:00Z"));
    assert_eq!(done["answer"], "done", "{done}");
    let again = demo.json(&format!("notices delivered northfield {key} --channel phone --as-of 2026-11-23T12:00:00Z"));
    assert_eq!(again["answer"], "already_so", "{again}");
    let early = format!("notices delivered northfield {key} --channel mail --at 2020-01-01 --as-of 2026-11-23T12:00:00Z");
    assert_eq!(demo.run(&early).code, 1);
    assert_eq!(demo.run("notices delivered northfield nothing/at/all --channel phone").code, 66);
    let notices = demo.json("notices list northfield --limit 50");
    let told = notices["notices"].as_array().expect("a list").iter().find(|notice| notice["key"] == *key).expect("told");
    assert_eq!(told["deliveries"][0]["channel"], "phone");

    let frozen = demo.json(&format!("pool freeze-billing northfield {pool} --reason talks --as-of 2026-11-23T12:00:00Z"));
    assert_eq!((&frozen["answer"], &frozen["billing_frozen"]), (&Value::from("done"), &Value::from(true)));
    let refused = demo.run(&format!("episode approve-upgrade northfield {id} --reason yes --as-of 2026-11-23T12:00:00Z"));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(demo.run("episode show northfield 99").code, 66);

    let document: Value = serde_json::from_str(&demo.told(&format!("episode export northfield {id}"))).expect("JSON");
    for part in ["episode", "facts", "billing", "notices", "grants", "calendar", "clauses", "trail", "clock"] {
        assert!(!document[part].is_null(), "{part} is missing");
    }
    assert_eq!(document["facts"][0]["step"], "stage");
    assert_eq!(document["billing"][0]["step"], "billing_frozen");
    let trail = document["trail"].as_array().expect("a list");
    assert!(trail.iter().all(|commit| commit["hash"].as_str().is_some_and(|hash| hash.len() == 64)));
    let kinds: Vec<&str> =
        trail.iter().flat_map(|c| c["entries"].as_array().expect("entries")).filter_map(|e| e["kind"].as_str()).collect();
    for kind in ["episode", "clock", "notice_delivered", "granted"] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
    assert_eq!(demo.run("audit verify northfield").code, 0);

    // Seats are bought, and it is over: the document of a closed one tells by what its clock ran.
    let bought =
        format!("pool grant northfield {pool} --seats 90 --from 2026-11-24 --reference PO-9 --as-of 2026-11-24T12:00:00Z");
    assert_eq!(demo.run(&bought).code, 0);
    let document: Value =
        serde_json::from_str(&demo.told(&format!("episode export northfield {id} --as-of 2026-11-26T12:00:00Z")))
            .expect("JSON");
    let settled = document["facts"].as_array().expect("facts").last().expect("a fact");
    assert_eq!((&settled["step"], &settled["outcome"]), (&Value::from("settled"), &Value::from("allowance_raised")));
    assert!(settled["calendar"]["time_zone"].is_string() && settled["clauses"]["minor_business_days"].is_number(), "{settled}");
    let trail = document["trail"].as_array().expect("a list");
    let mut told = 0;
    for books in trail.iter().flat_map(|c| c["entries"].as_array().expect("entries")).filter(|e| e["kind"] == "pool") {
        let allowed = books["limit"].as_i64().expect("a limit") + books["agreed"].as_i64().expect("agreed");
        let short = (books["used"].as_i64().expect("used") - allowed).max(0);
        let causes: i64 = books["causes"].as_object().expect("causes").values().filter_map(Value::as_i64).sum();
        assert_eq!(causes, short, "{books}");
        told += usize::from(short > 0);
    }
    assert!(told > 0, "no shortfall is told, cause by cause");
    let chain = document["chain"].as_array().expect("a chain");
    for commit in trail {
        let at = |version: u64| chain.iter().find(|link| link["version"] == version).map(|link| &link["hash"]);
        let version = commit["version"].as_u64().expect("a version");
        let before_it = chain[0]["version"].as_u64().is_some_and(|first| version < first);
        assert!(before_it || at(version) == Some(&commit["hash"]), "{version} is not in its place");
        assert!(before_it || at(version - 1).is_none_or(|hash| *hash == commit["parent_hash"]));
    }
    let all: Vec<Value> =
        demo.told("audit export northfield").lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    for link in chain {
        assert!(all.iter().any(|commit| (&commit["version"], &commit["hash"]) == (&link["version"], &link["hash"])), "{link}");
    }

    // The list of then is told as it was then.
    let then = demo.json("episode list northfield --as-of 2026-11-23T12:00:00Z");
    assert_eq!(then["episodes"][0]["episode"]["closed"], Value::Null, "{then}");
    assert_eq!(then["episodes"][0]["clock"]["stage"], "minor", "{then}");
    let now = demo.json("episode list northfield --as-of 2026-11-26T12:00:00Z");
    assert_eq!(now["episodes"][0]["episode"]["outcome"], "allowance_raised", "{now}");
}

#[test]
fn i9_hourly_daily_and_once_through_the_whole_path() {
    let story = |hours: i64| {
        let mut world = pool_of(10);
        let begin = at("2026-03-02T02:30:00Z");
        let mut look = 0;
        let mut until = |world: &World, end: Instant| {
            while hours > 0 && begin.plus_millis(look * hours * 3_600_000) < end {
                let now = begin.plus_millis(look * hours * 3_600_000);
                look_at(world, &now.to_string());
                look += 1;
            }
        };
        run_at(&mut world, "2026-03-02T02:30:00Z", 11);
        until(&world, at("2026-03-05T10:00:00Z"));
        deliver_at(&world, "2026-03-05T10:00:00Z", "overage_major/learn/1/1");
        until(&world, at("2026-03-05T23:00:00Z"));
        run_at(&mut world, "2026-03-05T23:00:00Z", 16);
        until(&world, at("2026-03-10T23:00:00Z"));
        run_at(&mut world, "2026-03-10T23:00:00Z", 16);
        deliver_at(&world, "2026-03-11T08:00:00Z", "overage_major/learn/1/2");
        until(&world, at("2026-05-01T00:00:00Z"));
        look_at(&world, "2026-05-01T00:00:00Z");
        world.verify();
        let lines = history(&world).iter().map(|line| line.replace(" (late)", "")).collect::<Vec<_>>();
        (lines, world.balance("learn"))
    };
    let once = story(0);
    assert_eq!(
        once.0,
        [
            "2026-03-02T02:30:00Z 1 major",
            "2026-03-03T02:30:00Z 1 withheld undelivered",
            "2026-03-06T10:00:00Z 1 upgraded 10 to 15 for 4948",
            "2026-03-06T10:00:00Z 1 major",
            "2026-03-07T10:00:00Z 1 withheld undelivered",
            "2026-03-12T08:00:00Z 1 upgraded 15 to 20 for 4849",
            "2026-03-12T08:00:00Z 1 upgraded on day 8",
        ]
    );
    assert_eq!(story(1), once);
    assert_eq!(story(24), once);
}

#[test]
fn an_episode_that_is_closed_stays_as_it_is() {
    let mut world = pool_of(100);
    run_at(&mut world, "2026-03-02T02:30:00Z", 103);
    run_at(&mut world, "2026-03-03T02:30:00Z", 100);
    let file = |world: &World| {
        let service = world.service();
        let file = service.episode_file(&service.customers()[0], EpisodeId(1)).expect("an episode");
        format!("{file:?}")
    };
    let before = file(&world);
    world.policy.pools[0].clauses = Clauses { minor_business_days: 1, ..Clauses::CONTRACT };
    staff(&mut world, 110);
    run_at(&mut world, "2026-03-20T02:30:00Z", 110);
    look_at(&world, "2026-05-20T02:30:00Z");
    assert_eq!(file(&world), before);
}

/// Ten thousand pools with an open overage each: what is due at midnight is found and written down at once.
#[test]
fn ten_thousand_overages_are_swept_in_no_time() {
    const POOLS: usize = 10_000;
    let mut world = World::new("north");
    let zone = Calendar::in_zone("Europe/London").expect("a zone");
    let opened = at("2026-03-02T02:30:00Z");
    let mut names = Names::default();
    let mut entries = Vec::new();
    for at in 0..POOLS {
        let id = PoolId::from(format!("p{at:05}").as_str());
        names.pool(&id);
        world.policy.pools.push(Pool {
            id: id.clone(),
            product: ProductId::from("learn"),
            owner: OrgId::from("d"),
            audience: Audience::Any,
            unlimited: false,
            on_full: OnFull::Overdraw,
            overage: OverageLimits::CONTRACT,
            clauses: Clauses::CONTRACT,
            reservations: Vec::new(),
            calendar: zone.clone(),
            anchor: Day::parse("2026-01-01"),
            renewal: Default::default(),
            reuse: Default::default(),
        });
        let mut counts = StateCounts::default();
        counts.set(rosterd::license::ClaimState::Active, Seats(103));
        let sample = Sample { at: opened, used: Seats(103), effective: Seats(100), band: Band::Minor };
        let episode = Episode {
            id: EpisodeId(at as u64 + 1),
            pool: id.clone(),
            opened,
            opened_day: zone.day_of(opened),
            cause: Cause::SyncOverdraw,
            peak: Seats(103),
            samples: vec![sample],
            closed: None,
            outcome: None,
        };
        let terms = PoolTerms {
            pool: id.clone(),
            product: "learn".into(),
            owner: "d".into(),
            unlimited: false,
            overage: OverageLimits::CONTRACT,
            reservations: Vec::new(),
        };
        let seats = grant(&format!("g{at:05}"), id.as_str(), 100, Instant::MIN, Instant::MAX);
        let books = PoolBooks {
            counts,
            allowance: Allowance { seats: Some(Seats(100)), agreed: Seats(0) },
            causes: [(Cause::SyncOverdraw, 3)].into(),
            band: Band::Minor,
            episode: Some(episode.clone()),
            held_back: Seats(0),
            provisional: None,
        };
        entries.extend([
            Entry::PoolDefined(terms),
            Entry::Granted(seats),
            Entry::Episode(episode),
            Entry::Pool { pool: id, books },
        ]);
    }
    let store = world.store();
    let batch = Batch {
        customer: &world.policy.customer,
        parent: rosterd::base::Version(0),
        at: opened,
        actor: Actor::system(),
        run: None,
        plan: None,
        verb: "seed",
        names: &names,
        people: &TextArena::default(),
        changes: &[],
        entries: &entries,
        notices: &[],
    };
    store.commit(&batch).expect("written");
    world.clock.set(at("2026-03-02T03:00:00Z"));
    let service = world.service();
    let customer = &service.customers()[0];
    assert_eq!(service.sweep(customer).expect("a sweep").len(), POOLS, "the minor stages");
    let standing = service.store().standing_light(customer.id()).expect("books");
    let sweep = |now: &str| Sweep {
        policy: &customer.policy,
        standing: &standing,
        newest_snapshot: None,
        stale_after_hours: 36,
        now: at(now),
    };
    assert_eq!(sweep("2026-03-02T04:00:00Z").swept().next, at("2026-03-17T00:00:00Z"));
    let watch = Stopwatch::now();
    let swept = sweep("2026-03-17T00:00:00Z").swept();
    let planned = watch.elapsed();
    assert_eq!(swept.notices.len(), POOLS);
    world.clock.set(at("2026-03-17T00:00:00Z"));
    let watch = Stopwatch::now();
    assert_eq!(service.sweep(customer).expect("a sweep").len(), POOLS);
    let written = watch.elapsed();
    let watch = Stopwatch::now();
    assert!(service.sweep(customer).expect("a sweep").is_empty());
    let first = watch.elapsed();
    let watch = Stopwatch::now();
    assert!(service.sweep(customer).expect("a sweep").is_empty());
    println!(
        "{POOLS} overages: worked out in {planned:?}, read, worked out and written in {written:?}, looked at in {first:?}, \
         rested in {:?}",
        watch.elapsed()
    );
    // Optimized it is a fraction of that; a busy machine and no optimization are allowed for.
    assert!(written.as_secs() < if cfg!(debug_assertions) { 60 } else { 2 }, "{written:?}");
}
