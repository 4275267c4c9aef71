//! A run that is followed while it goes: its source waits before a gate, so that it is under way for as long as the test wants.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rosterd::base::AccessRole;
use rosterd::source::RestVersion;
use serde_json::{Value, json};

use crate::daemon::until;
use crate::door::Open;
use crate::fake_oneroster::Provider;
use crate::gate::{Gate, Opened};
use crate::world::World;

/// Server-sent events as they arrive.
struct Followed(BufReader<TcpStream>);

impl Followed {
    fn new(open: &Open, run: u64, token: &str, more: &str) -> Self {
        let mut stream = TcpStream::connect(&open.address).expect("a door");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
        let asked = format!(
            "GET /api/v1/runs/{run}/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n"
        );
        stream.write_all(asked.as_bytes()).expect("asked");
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).expect("a status");
        assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
        Self(lines)
    }

    /// The next event, and its run; `None`: there is none any more.
    fn next(&mut self) -> Option<(String, Value)> {
        let mut event = None;
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("a line") == 0 {
                return None;
            }
            let line = line.trim_end();
            if let Some(name) = line.strip_prefix("event: ") {
                event = Some(name.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((event.expect("an event has a name"), serde_json::from_str(data).expect("JSON")));
            }
        }
    }

    fn rest(mut self) -> Vec<(String, Value)> {
        std::iter::from_fn(move || self.next()).collect()
    }
}

#[test]
fn a_run_is_followed_while_it_goes_by_whoever_comes_whenever() {
    let provider = Provider::start();
    let mut world = World::new("birch").school("ash");
    for person in 0..12 {
        world = world.person(&format!("p-{person:02}"), "teacher", "ash");
    }
    provider.has(&world, RestVersion::V1_1);
    let gate = Arc::new(Gate::default());
    let before = Arc::clone(&gate);
    provider.slow(move |begins| {
        if begins {
            before.pass();
        }
    });
    let open = Open::new(|demo| {
        let mut text = fs::read_to_string(demo.settings_file()).expect("settings");
        text += &format!(
            "\n[[customer]]\nid = \"birch\"\nname = \"Birch Hill\"\n\n[[customer.product]]\nid = \"p\"\n\n[[customer.pool]]\nid = \"p\"\n\
             product = \"p\"\nowner = \"d\"\n\n[[customer.pool.grant]]\nid = \"g\"\nseats = 40\nfrom = \"2020-01-01\"\n\n\
             [[customer.rule]]\nid = \"all\"\nproduct = \"p\"\nwhen = {{ everyone = true }}\n\n[[customer.source]]\nid = \"sis\"\n\
             kind = \"oneroster_rest\"\naddress = \"{}\"\nversion = \"1.1\"\nauth = \"bearer\"\ntoken = \"word\"\npage_rows = 5\n\
             max_per_second = 1000\n",
            provider.server.url("/ims/oneroster/v1p1")
        );
        fs::write(demo.settings_file(), text).expect("written");
    });
    let closed = Opened(&gate);
    let (operator, token) = (open.token(AccessRole::Operator, ""), open.token(AccessRole::Reporter, ""));
    let asked = open.post("/api/v1/customers/birch/requests", &operator, "Content-Type: application/json\r\n", "{}");
    assert_eq!(asked.status, 202, "{}", asked.body);
    let request = asked.json()["request"].as_u64().expect("a number");
    let mut run = None;
    until("the request has a run while that goes", || {
        let told = open.get(&format!("/api/v1/requests/{request}"), &token).json();
        run = told["run"].as_u64();
        run.map(|_| assert_eq!(told["state"], "running")).ok_or_else(|| told.to_string())
    });
    let run = run.expect("a run");
    // From the beginning: what there is at once, before anything was read.
    let mut first = Followed::new(&open, run, &token, "");
    let (event, began) = first.next().expect("an event at once");
    assert_eq!((event.as_str(), &began["run"], &began["state"]), ("run", &json!(run), &json!("fetching")), "{began}");
    assert_eq!((&began["people"], &began["seated"], &began["ended"]), (&json!(0), &json!(0), &Value::Null), "{began}");
    gate.until_come(1);
    // Some of it is read; whoever comes late, or comes back, is told all there is at once, and not what was before.
    gate.let_pass(3);
    gate.until_come(4);
    let mut late = Followed::new(&open, run, &token, "");
    let mut again = Followed::new(&open, run, &operator, "Last-Event-ID: 7\r\n");
    assert_eq!(late.next(), Some(("run".to_owned(), began.clone())));
    let (event, seen) = again.next().expect("an event at once");
    assert_eq!((event.as_str(), &seen["state"], &seen["people"]), ("run", &json!("fetching"), &json!(0)));
    // What a source is read for is nobody else's affair meanwhile.
    let busy = open.ask("POST", "/api/v1/customers/birch/sources/sis/check", Some(&operator), "*/*", "");
    assert_eq!((busy.status, busy.json()["type"].clone()), (409, json!("urn:rosterd:problem:run_under_way")), "{}", busy.body);
    let other = open.ask("POST", "/api/v1/customers/northfield/sources/sis/check", Some(&operator), "*/*", "");
    assert!(other.status == 200 || other.status == 409, "of another customer it is: {}", other.body);
    drop(closed);
    for (who, events) in [("first", first.rest()), ("late", late.rest()), ("again", again.rest())] {
        let (end, mut before) = (events.last().expect("an end").clone(), began.clone());
        assert_eq!(end.0, "over", "{who}: {events:?}");
        for (at, (event, data)) in events.iter().enumerate() {
            let is_end = at + 1 == events.len();
            assert_eq!((event == "over", data["ended"].is_null()), (is_end, !is_end), "{who}: {events:?}");
            // Each is news, and goes on from the one before.
            assert_ne!(*data, before, "{who}: {events:?}");
            for number in ["people", "seated", "findings"] {
                assert!(data[number].as_u64() >= before[number].as_u64(), "{who}: {number}: {events:?}");
            }
            before = data.clone();
        }
        let end = end.1;
        assert_eq!(
            (&end["state"], &end["people"], &end["seated"]),
            (&json!("succeeded"), &json!(12), &json!(12)),
            "{who}: {end}"
        );
    }
    // Whoever comes when it is over is told that, at once.
    let ended = open.get(&format!("/api/v1/runs/{run}"), &token).json();
    assert_eq!(Followed::new(&open, run, &token, "Last-Event-ID: 1\r\n").rest(), [("over".to_owned(), ended)]);
    open.daemon.stop();
}
