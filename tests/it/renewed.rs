//! What was told of the end of a term is closed when another one follows it: once, and to whoever was told (R89, R151).

use rosterd::base::{Actor, PoolId};
use rosterd::license::OnFull;
use rosterd::notify::{ChannelSettings, Party};
use rosterd::plan::{NoticeKind, Severity};
use rosterd::service::TermFix;
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
    let service = world.service();
    let gone =
        TermFix { id: first.id.clone(), from: None, to: Some(day("2026-09-01")), seats: None, reference: "letter".into() };
    let done =
        service.correct_term(&service.customers()[0], &Actor::operator("test"), &PoolId::from("learn"), &gone).expect("done");
    println!("{:?}", done.decided.answer);
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
