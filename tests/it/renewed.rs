//! What was told of the end of a term is closed when another one follows it: once, and to whoever was told (R89, R151).

use rosterd::base::GrantId;
use rosterd::license::{OnFull, Term};
use rosterd::notify::{ChannelSettings, Party};
use rosterd::plan::{Answer, Decision, NoticeKind, Severity};
use rosterd::store::NoticeRow;

use crate::alerts::{body, channel, outbox, rounds};
use crate::fake_http::{FakeServer, Reply};
use crate::terms::{town, wish};
use crate::world::{World, day};

const ENDS: [&str; 6] = ["renewal_due", "term_ended", "grace_ends", "suspended", "reinstated", "renewed"];

/// A school year until 31 August 2026, with two teachers.
fn school_year() -> World {
    let mut world = town("UTC", OnFull::Wait, &["a", "b"]);
    world.night();
    world.renew(Some(3), Some("2025-09-01"), "2026-08-31");
    world
}

/// What was told of terms, oldest first, each kind once in a row.
fn course(world: &World) -> Vec<String> {
    let mut kinds: Vec<(String, i64)> =
        ENDS.iter().flat_map(|kind| world.told(kind)).map(|NoticeRow { kind, at, .. }| (kind, at.0)).collect();
    kinds.sort_by_key(|(_, at)| *at);
    let mut kinds: Vec<String> = kinds.into_iter().map(|(kind, _)| kind).collect();
    kinds.dedup();
    kinds
}

/// When the renewal was recorded, and what was told in all.
#[test]
fn r151_a_renewal_closes_what_was_told_of_the_end() {
    for (renewed, told) in [
        // Before anybody was told: nothing to close.
        ("2026-06-01T12:00:00Z", vec![]),
        ("2026-06-02T12:00:00Z", vec!["renewal_due", "renewed"]),
        ("2026-08-31T23:00:00Z", vec!["renewal_due", "renewed"]),
        ("2026-09-01T12:00:00Z", vec!["renewal_due", "term_ended", "renewed"]),
        ("2026-09-14T12:00:00Z", vec!["renewal_due", "term_ended", "grace_ends", "renewed"]),
        // Grace was over: that access is back says it all.
        ("2026-09-20T12:00:00Z", vec!["renewal_due", "term_ended", "grace_ends", "suspended", "reinstated"]),
    ] {
        let world = school_year();
        let until = crate::clocks::at(renewed);
        let mut today = day("2026-05-30");
        while world.policy.calendar.start_of(today) < until {
            world.clock.set(world.policy.calendar.start_of(today));
            world.dates();
            today = today.plus(1);
        }
        world.now(renewed);
        world.dates();
        let due = world.told("renewal_due").len() + world.told("grace_ends").len();
        let term = world.renew(Some(3), None, "2027-08-31");
        assert_eq!(course(&world), told, "{renewed}: at once");
        // Ticks, another process, runs and days later it is still told once, and nobody is reminded.
        for later in ["2026-09-25T12:00:00Z", "2026-11-02T12:00:00Z"] {
            world.now(later);
            world.dates();
            world.run();
            world.dates();
        }
        assert_eq!(course(&world), told, "{renewed}: and never again");
        assert_eq!(world.told("renewal_due").len() + world.told("grace_ends").len(), due, "{renewed}: reminders stop");
        let ends = world.told("renewed");
        assert_eq!(ends.len(), usize::from(told.last() == Some(&"renewed")), "{renewed}");
        for end in ends {
            assert!(end.text.contains(term.id.as_str()) && end.text.ends_with("ends on 2027-08-31."), "{}", end.text);
        }
        world.verify();
    }
}

/// A renewal that was taken back leaves the end where it was; the next one closes it anew.
#[test]
fn r151_a_renewal_that_is_taken_back_is_told_of_anew() {
    let world = school_year();
    world.now("2026-06-02T12:00:00Z");
    world.dates();
    let first = world.renew(Some(3), None, "2027-08-31");
    // Corrected, it is the same renewal.
    world.fix(&first.id, Some("2027-07-01"), None);
    world.dates();
    assert_eq!(world.told("renewed").len(), 1);
    let gone = world.fix(&first.id, Some("2026-09-01"), None);
    assert_eq!((gone.decided.answer, gone.term.from), (Answer::Done, gone.term.to), "it is withdrawn");
    world.now("2026-07-02T12:00:00Z");
    world.dates();
    assert_eq!(world.told("renewal_due").len(), 2, "reminders go on");
    let second =
        world.renewed(&rosterd::service::TermWish { id: Some("again".to_owned()), ..wish(Some(3), None, "2027-08-31") });
    assert_eq!(second.term.id.as_str(), "again");
    world.dates();
    let keys: Vec<String> = world.told("renewed").into_iter().map(|notice| notice.key).collect();
    assert_eq!(keys.len(), 2, "{keys:?}");
    world.verify();
}

/// The same where the term before it has ended: each time the pool falls back into grace, that is told, and so is its end.
#[test]
fn r151_a_renewal_in_grace_that_is_taken_back_is_told_of_anew() {
    let world = school_year();
    let mut counts = Vec::new();
    for (at, id) in [("2026-09-01T12:00:00Z", "first"), ("2026-09-03T12:00:00Z", "second"), ("2026-09-05T12:00:00Z", "third")] {
        world.now(at);
        world.dates();
        assert_eq!(world.told("term_ended").len(), counts.len() + 1, "{at}: in grace");
        let wish = rosterd::service::TermWish { id: Some(id.to_owned()), ..wish(Some(3), None, "2027-08-31") };
        let next = world.renewed(&wish).term;
        world.dates();
        let told = world.told("renewed");
        assert!(told.last().is_some_and(|notice| notice.text.contains(id)), "{at}: {told:?}");
        counts.push(told.len());
        if id != "third" {
            assert_eq!(world.fix(&next.id, Some("2026-09-01"), None).decided.answer, Answer::Done);
        }
    }
    assert_eq!(counts, [1, 2, 3]);
    world.verify();
}

/// A term that is made longer after it was told that it ends: the same as if another one followed.
#[test]
fn r151_a_running_term_that_is_extended_closes_what_was_told_of_its_end() {
    let world = school_year();
    let (term, longer) = (GrantId::new("learn-2025-09-01"), Some("2027-09-01"));
    let extend = |to| assert_eq!(world.fix(&term, to, None).decided.answer, Answer::Done);
    // Nobody was told of the end yet.
    world.now("2026-05-20T12:00:00Z");
    world.dates();
    extend(Some("2026-09-02"));
    world.dates();
    assert_eq!(course(&world), [""; 0]);
    world.now("2026-06-04T12:00:00Z");
    world.dates();
    world.now("2026-06-10T12:00:00Z");
    extend(longer);
    assert_eq!(course(&world), ["renewal_due", "renewed"], "at once");
    let told = world.told("renewed");
    assert_eq!(told[0].text, "Pool learn is renewed: term learn-2025-09-01 runs and ends on 2027-08-31.");
    // Ticks, runs and days later it is still told once, and nobody is reminded, until the new end is near.
    world.dates();
    world.now("2026-08-30T12:00:00Z");
    world.dates();
    world.run();
    extend(Some("2027-09-02"));
    world.dates();
    assert_eq!((world.told("renewed").len(), world.told("renewal_due").len()), (1, 1), "no end was told that this closes");
    // Taken back, it ends again; extended again, that is told again.
    world.now("2026-08-30T13:00:00Z");
    extend(Some("2026-09-02"));
    world.now("2026-08-31T12:00:00Z");
    world.dates();
    assert_eq!(world.told("renewal_due").len(), 2, "a day is left");
    // Whoever extends it dies before anything else is done: the night finds it.
    let service = world.service();
    let chain = service.read_standing(&service.customers()[0], |standing| standing.chain.clone()).expect("terms");
    let extended = chain.into_iter().find(|known| known.id == term).expect("it");
    let extended =
        Term { to: crate::clocks::at("2027-09-01T00:00:00Z"), recorded: crate::clocks::at("2026-08-31T12:00:00Z"), ..extended };
    assert_eq!(world.decide(Decision::Term { term: extended, grants: Vec::new() }), Answer::Done);
    assert_eq!(world.told("renewed").len(), 1);
    world.run();
    assert_eq!(world.told("renewed").len(), 2, "{:?}", world.told("renewed"));
    world.verify();
}

/// Whoever recorded the renewal died before it was told: the next tick tells it, even if the new term runs already. Several
/// processes at once tell it once.
#[test]
fn r151_a_renewal_is_told_after_a_death_and_by_one_of_many() {
    for seen_at in ["2026-08-24T12:01:00Z", "2026-10-01T12:00:00Z"] {
        let world = school_year();
        world.now("2026-08-24T12:00:00Z");
        world.dates();
        assert_eq!(course(&world), ["renewal_due"]);
        world.renew(Some(3), None, "2027-08-31");
        // As if it had died in between: no process that asks the store's tables sees it.
        let raw = world.raw();
        assert_eq!(raw.execute("DELETE FROM notices WHERE key LIKE 'renewed/%'", []).expect("deleted"), 1);
        drop(raw);
        world.now(seen_at);
        let services: Vec<_> = (0..4).map(|_| world.service()).collect();
        std::thread::scope(|scope| {
            for service in &services {
                scope.spawn(|| service.tick());
            }
        });
        world.dates();
        assert_eq!(world.told("renewed").len(), 1, "{seen_at}");
        world.verify();
    }
}

/// Who got the notice gets its end, whatever kinds and severity they asked for, and nobody else does: over real sockets.
#[test]
fn r151_the_end_goes_to_whom_the_beginning_went() {
    let world = school_year();
    let server = || FakeServer::start(|_, _| Reply::new(200, ""));
    let servers = [server(), server(), server(), server()];
    let settings = |at: usize, name: &str, kinds: Option<Vec<NoticeKind>>, severity_min: Severity| ChannelSettings {
        kinds,
        severity_min,
        ..channel(name, Some("north"), Party::Customer, &servers[at])
    };
    let channels = || {
        vec![
            settings(0, "all", None, Severity::Info),
            settings(1, "grave", None, Severity::Warning),
            settings(2, "due", Some(vec![NoticeKind::RenewalDue]), Severity::Info),
            settings(3, "else", Some(vec![NoticeKind::NearLimit, NoticeKind::HoldOpened]), Severity::Info),
        ]
    };
    let outgoing = outbox(&world, channels());
    rounds(&outgoing);
    world.now("2026-08-24T12:00:00Z");
    world.dates();
    rounds(&outgoing);
    world.renew(Some(3), None, "2027-08-31");
    rounds(&outgoing);
    // Another process with the same channels, later.
    world.now("2026-08-25T12:00:00Z");
    world.dates();
    rounds(&outbox(&world, channels()));
    let got = |at: usize| -> Vec<String> {
        let kinds = servers[at]
            .asked()
            .iter()
            .map(|asked| body(asked)["data"]["kind"].as_str().expect("a kind").to_owned())
            .collect::<Vec<_>>();
        kinds.into_iter().filter(|kind| ENDS.contains(&kind.as_str())).collect()
    };
    for (at, wanted) in [(0, 2), (1, 2), (2, 2), (3, 0)] {
        assert_eq!(got(at), ["renewal_due", "renewed"][..wanted], "channel {at}");
    }
    let told = servers[2].asked().iter().map(body).find(|body| body["data"]["kind"] == "renewed").expect("told");
    assert_eq!((&told["type"], &told["data"]["severity"]), (&"notice.renewed".into(), &"info".into()), "{told}");
    assert_eq!((&told["data"]["title"], &told["data"]["pool"]), (&"A pool is renewed".into(), &"learn".into()), "{told}");
    world.verify();
}
