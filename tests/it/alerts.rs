//! Notices leave the house: over real sockets from the real program, to receivers that take them, fail, ask for time, vanish; what
//! arrived is in the books and starts the contract's clocks (R66, R151, R153, R154, R156).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant as Stopwatch};

use rosterd::base::{CustomerId, Secret};
use rosterd::notify::{ChannelSettings, Form, Party, Way, open};
use rosterd::plan::{NoticeKind, Severity};
use rosterd::service::{Outbox, OutboxPolicy};
use rosterd::store::AlertState;
use serde_json::{Value, json};

use crate::clocks::{at, history, look_at, pool_of, run_at};
use crate::daemon::{Daemon, assert_sound, until, until_settled};
use crate::demo::Demo;
use crate::fake_http::{Asked, FakeServer, Reply};
use crate::python::{python_with, script};

const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The demo with this before its first customer, and this within it.
pub fn told(global: &str, northfield: &str) -> Demo {
    let demo = Demo::new();
    demo.set("[[customer]]\nid = \"northfield\"", &format!("{global}\n\n[[customer]]\nid = \"northfield\""));
    demo.set("[[customer.source]]\nid = \"sis\"", &format!("{northfield}\n\n[[customer.source]]\nid = \"sis\""));
    demo
}

fn hook(table: &str, id: &str, kind: &str, address: &str, more: &str) -> String {
    let key = if kind == "webhook" { format!("secret = \"{KEY}\"\n") } else { String::new() };
    format!("[[{table}]]\nid = \"{id}\"\nkind = \"{kind}\"\naddress = \"{address}\"\n{key}{more}\n")
}

fn id(asked: &Asked) -> String {
    asked.header("webhook-id").expect("an id").to_owned()
}

pub fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).expect("JSON")
}

/// All deliveries, by channel and notice.
fn deliveries(demo: &Demo) -> BTreeMap<(String, String), Value> {
    let listed = demo.json("alert list --limit 10000");
    let word = |row: &Value, key: &str| row[key].as_str().expect("a word").to_owned();
    listed["alerts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| ((word(row, "channel"), word(row, "notice")), row.clone()))
        .collect()
}

fn until_none_waits(demo: &Demo) {
    until("nothing waits to be delivered", || {
        let waiting: Vec<_> =
            deliveries(demo).into_values().filter(|row| row["state"] == "waiting" || row["state"] == "accepted").collect();
        if waiting.is_empty() { Ok(()) } else { Err(format!("{waiting:?}")) }
    });
}

/// What came in verifies by the library of Standard Webhooks.
fn assert_verified(asked: &[Asked]) {
    let Some(mut python) = python_with(&["standardwebhooks"], "webhook signatures verified by an independent library") else {
        return;
    };
    let requests: Vec<Value> = asked
        .iter()
        .map(|asked| json!({"body": asked.body, "headers": asked.headers.iter().cloned().collect::<BTreeMap<_, _>>()}))
        .collect();
    let mut child = python.arg(script("verify_webhooks.py")).arg(KEY).spawn().expect("it starts");
    let text = serde_json::to_string(&requests).expect("JSON");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    let done = child.wait_with_output().expect("it ends");
    assert!(done.status.success(), "a signature does not verify: {}", String::from_utf8_lossy(&done.stderr));
    let types = String::from_utf8(done.stdout).expect("text");
    assert_eq!(types.lines().count(), asked.len(), "{types}");
}

#[test]
fn r153_notices_arrive_signed_and_are_written_into_the_books() {
    let vendor = FakeServer::start(|_, _| Reply::new(200, ""));
    let tries = Mutex::new(BTreeMap::<String, u32>::new());
    // Fails twice for each message.
    let office = FakeServer::start(move |asked, _| {
        let mut tries = tries.lock().expect("no panic");
        let tried = tries.entry(id(asked)).or_default();
        *tried += 1;
        if *tried <= 2 { Reply::new(500, "sorry") } else { Reply::new(202, "") }
    });
    let all = hook("channel", "all", "webhook", &vendor.url("/in"), "");
    let own = hook("customer.channel", "office", "webhook", &office.url("/hunter2"), "");
    let demo = told(&format!("[outbox]\nfirst_pause_secs = 1\n{all}"), &own);
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let mut expected = BTreeSet::new();
    until("all of the vendor's came", || {
        until_none_waits(&demo);
        expected.clear();
        for customer in ["northfield", "larkspur"] {
            let notices = demo.json(&format!("notices list {customer} --limit 1000"));
            for notice in notices["notices"].as_array().expect("notices") {
                expected.insert((customer.to_owned(), notice["key"].as_str().expect("a key").to_owned()));
            }
        }
        let come: BTreeSet<_> = vendor.asked().iter().map(|asked| key_of(&body(asked))).collect();
        if come == expected { Ok(()) } else { Err(format!("{come:?} instead of {expected:?}")) }
    });
    // Whatever the vendor's channel took was sent out by all channels.
    until_none_waits(&demo);
    let customers: BTreeSet<&str> = expected.iter().map(|(customer, _)| customer.as_str()).collect();
    assert_eq!(customers.len(), 2, "both customers have notices: {expected:?}");
    assert_eq!(vendor.asked().len(), expected.len(), "who takes a message gets it once");

    // The customer's channel: its own notices, what is its business, each three times under one id.
    let asked = office.asked();
    let mut times = BTreeMap::<String, Vec<Value>>::new();
    for asked in &asked {
        assert!(!asked.body.to_lowercase().contains("larkspur"), "{}", asked.body);
        times.entry(id(asked)).or_default().push(body(asked));
    }
    for bodies in times.values() {
        assert_eq!(bodies.len(), 3, "{bodies:?}");
        assert!(bodies.iter().all(|body| *body == bodies[0] && body["data"]["customer"] == "northfield"), "{bodies:?}");
        let kind = bodies[0]["data"]["kind"].as_str().and_then(NoticeKind::of_word).expect("a kind");
        assert!(kind.concerns_customer(), "{bodies:?}");
    }
    let own: BTreeSet<_> = times.values().map(|bodies| key_of(&bodies[0])).collect();
    assert!(!own.is_empty() && own.is_subset(&expected), "{own:?}");
    assert_verified(&[vendor.asked(), asked].concat());

    // What the customer's contact took is in the books; what the vendor's own people read is not.
    let notices = demo.json("notices list northfield --limit 1000");
    for notice in notices["notices"].as_array().expect("notices") {
        let channels: Vec<&str> = notice["deliveries"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|delivery| delivery["channel"].as_str())
            .collect();
        let key = ("northfield".to_owned(), notice["key"].as_str().expect("a key").to_owned());
        assert_eq!(channels, if own.contains(&key) { vec!["northfield/office"] } else { vec![] }, "{notice}");
    }
    for ((channel, notice), row) in deliveries(&demo) {
        let tries = if channel == "all" { 1 } else { 3 };
        assert_eq!((&row["state"], &row["tries"]), (&"delivered".into(), &tries.into()), "{channel} {notice}: {row}");
    }
    assert_sound(&demo);
    let log = daemon.stop();
    let is_secret = |line: &&Value| line.to_string().contains("whsec_") || line.to_string().contains("hunter2");
    assert_eq!(log.iter().find(is_secret), None);
    assert!(log.iter().any(|line| line["event"] == "alert_delayed" && line["level"] == "WARN"));
}

/// Customer and key of what came.
fn key_of(body: &Value) -> (String, String) {
    let word = |key: &str| body["data"][key].as_str().unwrap_or_default().to_owned();
    (word("customer"), word("key"))
}

#[test]
fn r154_who_asks_for_time_gets_it_and_who_never_answers_is_given_up_and_replayed() {
    let asked_at = Arc::new(Mutex::new(Vec::<Stopwatch>::new()));
    let seen = Arc::clone(&asked_at);
    let busy = FakeServer::start(move |_, before| {
        seen.lock().expect("no panic").push(Stopwatch::now());
        if before == 0 { Reply::new(429, "").with("Retry-After", 3) } else { Reply::new(200, "") }
    });
    let works = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&works);
    let broken =
        FakeServer::start(move |_, _| if switch.load(Ordering::SeqCst) { Reply::new(200, "") } else { Reply::new(500, "") });
    let gone = FakeServer::start(|_, _| Reply::new(410, ""));
    let only = "notices = [\"negative_balance\"]";
    let channels = [
        "[outbox]\nfirst_pause_secs = 1\nmax_tries = 2\n".to_owned(),
        hook("channel", "busy", "webhook", &busy.url("/"), only),
        hook("channel", "broken", "slack", &broken.url("/hook/hunter2"), only),
        hook("channel", "gone", "teams", &gone.url("/"), only),
    ];
    let demo = told(&channels.concat(), "");
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    until("three deliveries are over", || {
        let over = deliveries(&demo).into_values().filter(|row| !row["ended"].is_null()).count();
        if over == 3 { Ok(()) } else { Err(format!("{:?}", deliveries(&demo))) }
    });
    let times = asked_at.lock().expect("no panic").clone();
    assert_eq!(times.len(), 2);
    assert!(times[1] - times[0] >= Duration::from_secs(3), "{:?}", times[1] - times[0]);
    assert_eq!((broken.asked().len(), gone.asked().len()), (2, 1));

    let dead = demo.json("alert list --dead");
    let told: Vec<(&str, u64, &str)> = dead["alerts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| {
            (
                row["channel"].as_str().expect("a name"),
                row["tries"].as_u64().expect("a number"),
                row["error"].as_str().expect("why"),
            )
        })
        .collect();
    let origin = |server: &FakeServer| server.url("");
    let expected = [
        ("gone", 1, format!("deliver to {}: it answered with 410", origin(&gone))),
        ("broken", 2, format!("deliver to {}: it answered with 500", origin(&broken))),
    ];
    for (channel, tries, error) in &expected {
        assert!(told.contains(&(channel, *tries, error)), "{channel} is not in {told:?}");
    }
    assert_eq!(told.len(), 2);
    let log = daemon.events("alert_dead");
    assert!(log.len() == 2 && log.iter().all(|line| line["level"] == "ERROR"), "{log:?}");
    assert!(!format!("{:?}{}", daemon.log(), demo.told("alert list")).contains("hunter2"));
    assert!(demo.told("status").contains("2 notices were given up"), "{}", demo.told("status"));
    assert_eq!(demo.json("status")["alerts"]["dead"], 2);

    works.store(true, Ordering::SeqCst);
    assert_eq!(demo.json("alert replay --dead --channel broken"), json!({"replayed": 1, "channels": [], "daemon": true}));
    until("it is delivered after all", || if broken.asked().len() == 3 { Ok(()) } else { Err(String::new()) });
    until_none_waits(&demo);
    assert_eq!(demo.json("alert list --dead")["alerts"].as_array().map(Vec::len), Some(1));

    // One notice again, where it arrived, under the same id.
    let key = key_of(&body(&busy.asked()[0]));
    let said = demo.told(&format!("alert replay {} {} --channel busy", key.0, key.1));
    assert_eq!(said, "one delivery is made again by busy\n");
    until("it comes again", || if busy.asked().len() == 3 { Ok(()) } else { Err(String::new()) });
    let ids: BTreeSet<String> = busy.asked().iter().map(id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(demo.run("alert replay northfield no-such-notice").code, 66);
    assert_eq!(demo.run("alert replay --dead --channel bussy").code, 66);
    daemon.stop();
}

#[test]
fn r154_a_process_killed_between_sending_and_writing_sends_again_under_the_same_id() {
    let server = FakeServer::start(|_, before| if before == 0 { Reply::hang() } else { Reply::new(200, "") });
    let only = "notices = [\"negative_balance\"]\naudience = \"customer\"";
    let channel = hook("channel", "crm", "webhook", &server.url("/"), only);
    let demo = told(&format!("[outbox]\ntimeout_secs = 5\n{channel}"), "");
    let daemon = Daemon::start(&demo);
    until("the receiver has it", || if server.asked().is_empty() { Err(String::new()) } else { Ok(()) });
    daemon.kill();
    let daemon = Daemon::ready(&demo);
    until("it comes again", || if server.asked().len() > 1 { Ok(()) } else { Err(String::new()) });
    until_none_waits(&demo);
    daemon.stop();
    let asked = server.asked();
    assert_eq!((id(&asked[0]), &asked[0].body), (id(&asked[1]), &asked[1].body));
    assert_ne!(asked[0].header("webhook-timestamp"), asked[1].header("webhook-timestamp"), "a try is signed when it is made");
    assert_verified(&asked);
    // Once more, and nothing is sent again.
    let daemon = Daemon::ready(&demo);
    until_settled(&demo);
    daemon.stop();
    assert_eq!(server.asked().len(), 2);
    assert_sound(&demo);
}

/// An outbox in this process.
pub fn outbox(world: &crate::world::World, channels: Vec<ChannelSettings>) -> Outbox {
    let policy = OutboxPolicy { tries_max: 3, pause_first_secs: 10, timeout_secs: 5, keep_days: 90, keep_dead_days: 365 };
    Outbox::new(Arc::new(world.service()), open(channels, Duration::from_secs(5)), policy)
}

pub fn channel(name: &str, customer: Option<&str>, party: Party, server: &FakeServer) -> ChannelSettings {
    let way =
        Way::Hook { form: Form::Standard, address: Secret::new(server.url("/")), keys: vec![Secret::new(KEY)], ca_file: None };
    let customer = customer.map(CustomerId::from);
    ChannelSettings { name: name.to_owned(), customer, party, kinds: None, severity_min: Severity::Info, way }
}

/// What the clocks wrote down, whenever somebody looked.
fn timeline(world: &crate::world::World) -> Vec<String> {
    history(world).iter().map(|line| line.replace(" (late)", "")).collect()
}

/// One round: all that is due is sent and written down. Says how much was due.
fn round(outbox: &Outbox) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let due = outbox.due().expect("a store");
    let count = due.len();
    for due in due {
        let sent = if due.is_unsent() { Some(runtime.block_on(outbox.send(&due))) } else { None };
        outbox.settle(due, sent).expect("written");
    }
    count
}

pub fn rounds(outbox: &Outbox) {
    while round(outbox) > 0 {}
}

#[test]
fn r66_what_a_contact_took_starts_the_24_hours_and_what_the_vendor_reads_does_not() {
    let server = FakeServer::start(|_, _| Reply::new(200, ""));
    let mut world = pool_of(10);
    run_at(&mut world, "2026-03-02T02:30:00Z", 11);
    look_at(&world, "2026-03-02T02:30:00Z");
    rounds(&outbox(&world, vec![channel("ops", None, Party::Vendor, &server)]));
    assert!(!server.asked().is_empty());
    look_at(&world, "2026-03-04T00:00:00Z");
    assert_eq!(timeline(&world), ["2026-03-02T02:30:00Z 1 major", "2026-03-03T02:30:00Z 1 withheld undelivered"]);

    // The customer's contact is told two days later: by hand, for the notice had been given to its channels before.
    world.clock.set(at("2026-03-05T10:00:00.250Z"));
    let contact = channel("north/office", Some("north"), Party::Customer, &server);
    let outbox = outbox(&world, vec![contact]);
    assert_eq!(outbox.replay("north", "overage_major/learn/1/1", None).expect("a store"), ["north/office"]);
    rounds(&outbox);
    let notices = world.service().notices(&world.customer(), 100).expect("notices");
    let major = notices.iter().find(|view| view.notice.key == "overage_major/learn/1/1").expect("told");
    let told: Vec<_> =
        major.deliveries.iter().map(|delivery| (delivery.channel.as_str(), delivery.at, delivery.by.to_string())).collect();
    assert_eq!(told, [("north/office", at("2026-03-05T10:00:00.250Z"), "system:rosterd".to_owned())]);
    look_at(&world, "2026-03-06T10:00:00Z");
    assert_eq!(timeline(&world).len(), 2, "a moment is missing");
    look_at(&world, "2026-03-06T12:00:00Z");
    assert!(timeline(&world)[2].starts_with("2026-03-06T10:00:00.25Z 1 upgraded 10 to 15"), "{:?}", timeline(&world));
    world.verify();
}

#[test]
fn r154_what_was_taken_and_not_written_into_the_books_is_written_without_being_sent_again() {
    let server = FakeServer::start(|_, _| Reply::new(200, ""));
    let mut world = pool_of(10);
    run_at(&mut world, "2026-03-02T02:30:00Z", 11);
    let outbox = outbox(&world, vec![channel("north/office", Some("north"), Party::Customer, &server)]);
    rounds(&outbox);
    let sent = server.asked().len();
    // As a process leaves it that dies between the two writes.
    let store = outbox.service().store();
    let rows = outbox.list(None, 100).expect("a store");
    assert!(rows.iter().all(|row| row.state == AlertState::Delivered && row.ended.is_some()) && rows.len() == sent);
    for row in &rows {
        store.save_alert(&rosterd::store::AlertRow { state: AlertState::Accepted, ..row.clone() }, None).expect("written");
    }
    world.clock.set(at("2026-03-02T03:30:00Z"));
    rounds(&outbox);
    assert_eq!(server.asked().len(), sent);
    assert_eq!(outbox.list(None, 100).expect("a store").len(), sent);
    assert!(outbox.list(None, 100).expect("a store").iter().all(|row| row.state == AlertState::Delivered));
    for view in world.service().notices(&world.customer(), 100).expect("notices") {
        assert!(view.deliveries.iter().all(|delivery| delivery.at == at("2026-03-02T02:30:00Z")), "{view:?}");
    }
}

#[test]
fn r66_clocks_of_nodes_may_differ_and_be_set_back() {
    let server = FakeServer::start(|_, _| Reply::new(200, ""));
    let mut world = pool_of(10);
    run_at(&mut world, "2026-03-02T02:30:00Z", 11);
    let outbox = outbox(&world, vec![channel("north/office", Some("north"), Party::Customer, &server)]);
    let states = || {
        let rows = outbox.list(None, 100).expect("a store");
        assert!(!rows.is_empty());
        rows.iter().map(|row| row.state.word()).collect::<BTreeSet<_>>()
    };
    let arrived = || {
        let notices = world.service().notices(&world.customer(), 100).expect("notices");
        notices.iter().flat_map(|view| view.deliveries.iter().map(|delivery| delivery.at)).collect::<BTreeSet<_>>()
    };
    // Half an hour before it was written, by the clock of who sent it.
    world.clock.set(at("2026-03-02T02:00:00Z"));
    round(&outbox);
    assert_eq!(states(), ["accepted"].into());
    let sent = server.asked().len();
    world.clock.set(at("2026-03-02T02:40:00Z"));
    rounds(&outbox);
    assert_eq!((states(), arrived(), server.asked().len()), (["delivered"].into(), [at("2026-03-02T02:30:00Z")].into(), sent));
    // It starts the 24 hours.
    look_at(&world, "2026-03-04T00:00:00Z");
    assert!(timeline(&world).iter().any(|line| line.starts_with("2026-03-03T02:30:00Z 1 upgraded")), "{:?}", timeline(&world));
    world.verify();
}

#[test]
fn r66_who_sent_it_with_a_fast_clock_is_taken_at_the_word_of_who_writes_it_down() {
    let server = FakeServer::start(|_, _| Reply::new(200, ""));
    let mut world = pool_of(10);
    run_at(&mut world, "2026-03-02T02:30:00Z", 11);
    let outbox = outbox(&world, vec![channel("north/office", Some("north"), Party::Customer, &server)]);
    // Sent by one whose clock is hours ahead, and who died before it wrote that down.
    let store = outbox.service().store();
    for due in outbox.due().expect("a store") {
        drop(due);
    }
    for row in outbox.list(None, 100).expect("a store") {
        let (state, ended) = (AlertState::Accepted, Some(at("2026-03-02T09:00:00Z")));
        store.save_alert(&rosterd::store::AlertRow { state, ended, ..row }, None).expect("written");
    }
    world.clock.set(at("2026-03-02T03:00:00Z"));
    rounds(&outbox);
    assert!(outbox.list(None, 100).expect("a store").iter().all(|row| row.state == AlertState::Delivered));
    let notices = world.service().notices(&world.customer(), 100).expect("notices");
    let at_all: BTreeSet<_> = notices.iter().flat_map(|view| view.deliveries.iter().map(|delivery| delivery.at)).collect();
    assert_eq!(at_all, [at("2026-03-02T03:00:00Z")].into());
    world.verify();
}

#[test]
fn r154_two_who_deliver_at_once_send_each_message_once_and_a_channel_waits_for_its_settings() {
    let server = FakeServer::start(|_, _| Reply::new(200, ""));
    let mut world = pool_of(10);
    run_at(&mut world, "2026-03-02T02:30:00Z", 11);
    let channels = || vec![channel("ops", None, Party::Vendor, &server)];
    let (one, two) = (outbox(&world, channels()), outbox(&world, channels()));
    let (first, second) = (one.due().expect("a store"), two.due().expect("a store"));
    assert!(!first.is_empty() && first.len() <= 4, "a slow channel leaves room for others");
    let others = first.len() + second.len();
    assert!(one.due().expect("a store").is_empty() || others < 8);
    // Nobody wrote anything down: after a while somebody else gets them.
    world.clock.set(at("2026-03-02T02:31:00Z"));
    // A channel that left the settings keeps what it has until it is back.
    assert_eq!(round(&outbox(&world, Vec::new())), 0);
    assert!(one.list(None, 100).expect("a store").iter().all(|row| row.state == AlertState::Waiting));
    world.clock.set(at("2026-03-02T03:31:00Z"));
    rounds(&one);
    let ids: BTreeSet<String> = server.asked().iter().map(id).collect();
    assert_eq!(ids.len(), server.asked().len());
    assert!(one.list(None, 100).expect("a store").iter().all(|row| row.state == AlertState::Delivered));
    // A channel that is new gets what is written from now on, and nothing of the past.
    let new = outbox(&world, vec![channel("ops", None, Party::Vendor, &server), channel("new", None, Party::Vendor, &server)]);
    assert_eq!(round(&new), 0);
}

#[test]
fn a_test_tells_what_came_back() {
    let good = FakeServer::start_tls(|_, _| Reply::new(200, "welcome\r\n\x1b[31mnow"));
    let bad = FakeServer::start(|_, _| Reply::new(403, "invalid_token"));
    let slow = FakeServer::start(|_, _| Reply::hang());
    let elsewhere = FakeServer::start(|_, _| Reply::new(200, ""));
    let target = elsewhere.url("/");
    let redirects = FakeServer::start(move |_, _| Reply::new(302, "").with("Location", &target));
    let ca = concat!("ca_file = \"", env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/ca.pem\"");
    let channels = [
        "[outbox]\ntimeout_secs = 1\n".to_owned(),
        hook("channel", "good", "webhook", &good.url("/in"), ca),
        hook("channel", "chat", "slack", &bad.url("/hunter2"), ""),
        hook("channel", "untrusted", "teams", &good.url("/in"), ""),
        hook("channel", "slow", "teams", &slow.url("/"), ""),
        hook("channel", "redirects", "webhook", &redirects.url("/"), ""),
    ];
    let demo = told(&channels.concat(), &hook("customer.channel", "office", "teams", &good.url("/card"), ca));
    assert_eq!(demo.told("alert test good"), "ok     good: it answered with 200, and said: welcome [31mnow\n");
    let asked = good.asked();
    assert_eq!(body(&asked[0])["type"], "test");
    assert_verified(&asked);
    let tried = demo.run("alert test");
    assert_eq!(tried.code, 1, "{tried:?}");
    let said: Vec<&str> = tried.out.lines().collect();
    assert!(said[1].starts_with(&format!(
        "WRONG  chat: could not deliver to {}: it answered with 403, and said: invalid_token",
        bad.url("")
    )));
    assert!(said[2].starts_with(&format!("WRONG  untrusted: could not connect to {}: ", good.url(""))), "{said:?}");
    assert_eq!(said[3], format!("WRONG  slow: could not deliver to {}: no answer within 1 s", slow.url("")));
    assert_eq!(said[4], format!("WRONG  redirects: could not deliver to {}: it answered with 302", redirects.url("")));
    assert_eq!(said[5], "ok     northfield/office: it answered with 200, and said: welcome [31mnow");
    assert!(!tried.out.contains("hunter2") && elsewhere.asked().is_empty());
    let card = body(good.asked().last().expect("a card"));
    assert_eq!(card["attachments"][0]["contentType"], "application/vnd.microsoft.card.adaptive");
    assert_eq!(body(&bad.asked()[0])["blocks"][0]["type"], "section");
    let told = demo.run("alert test chat --json");
    let answer: Value = serde_json::from_str(&told.out).expect("JSON");
    assert_eq!((told.code, &answer["ok"], &answer["channels"][0]["said"]), (1, &false.into(), &"invalid_token".into()));
    assert_eq!(demo.run("alert test chats").code, 66);
    assert!(!demo.store().exists(), "a test needs no store");
    let _ = fs::remove_dir_all(demo.path().join("state"));
}
