//! What nobody can take from others at the HTTP door: places, turns, the sight of people, another org's seats (R51, R157, R163).

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rosterd::base::AccessRole;
use rosterd::http::{Deed, PAGES, routes};
use rosterd::store::{OnceAnswer, SqliteStore, Store};
use serde_json::{Value, json};

use crate::door::{Open, ask_at};
use crate::site::Site;

const API: &str = "/api/v1/customers/northfield";
const JSON: &str = "Content-Type: application/json\r\n";

/// Sends the head of a question whose body does not come.
fn begun(address: &str, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("a door");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    write!(stream, "POST {head}Content-Length: 1000000\r\n\r\n").expect("sent");
    stream
}

/// The status of its answer; `None`: it is waited for the body.
fn status(mut stream: &TcpStream, patience: Duration) -> Option<u16> {
    stream.set_read_timeout(Some(patience)).expect("a time limit");
    let mut line = [0; 12];
    stream.read_exact(&mut line).ok()?;
    std::str::from_utf8(&line[9..]).ok()?.parse().ok()
}

#[test]
fn nobody_unknown_has_a_form_read() {
    let site = Site::open("");
    let started = Instant::now();
    let form = "HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for (path, cookie, expected) in [
        ("/login", "", 403),
        ("/login", "Cookie: rosterd_visit=made-up\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("/c/northfield/sync", "", 303),
        ("/c/northfield/sync", "Cookie: rosterd_session=made-up\r\n", 303),
        ("/logout", "Cookie: rosterd_session=made-up\r\n", 303),
    ] {
        let stream = begun(&site.address, &format!("{path} {form}{cookie}"));
        assert_eq!(status(&stream, Duration::from_secs(10)), Some(expected), "{path} {cookie}");
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    site.daemon.stop();
}

#[test]
fn long_files_are_taken_a_few_at_a_time_and_whoever_sends_none_is_heard_meanwhile() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let admin = open.token(AccessRole::SystemAdmin, "");
    let head =
        format!("{API}/people/import HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\nContent-Type: text/csv\r\n");
    let mut slow: Vec<TcpStream> = Vec::new();
    let busy = |body: &str| open.post(&format!("{API}/people/import"), &admin, "Content-Type: text/csv\r\n", body);
    let started = Instant::now();
    while busy("key\r\n").status != 503 {
        assert!(started.elapsed() < Duration::from_secs(20), "four files are on their way");
        // One that meets the others' last place is turned away itself.
        slow.push(begun(&open.address, &head));
    }
    assert_eq!(busy("key\r\n").json()["type"], "urn:rosterd:problem:busy");
    assert_eq!(open.get(API, &admin).status, 200);
    drop(slow);
    let started = Instant::now();
    while busy("key\r\n").status == 503 {
        assert!(started.elapsed() < Duration::from_secs(20), "they were given up");
    }
    open.daemon.stop();
}

#[test]
fn pages_and_questions_of_a_token_are_counted_together() {
    let site = Site::open("requests_per_minute = 30");
    let token = site.token(AccessRole::ReadOnly, "");
    let mut browser = site.signed_in(&token);
    let seen: Vec<u16> = (0..60).map(|_| browser.get("/c/northfield").status).collect();
    let heard = seen.iter().take_while(|status| **status == 200).count();
    assert!((28..60).contains(&heard) && seen[heard] == 429, "{seen:?}");
    assert!(browser.get("/c/northfield").body.contains("Too often"));
    assert_eq!(ask_at(&site.address, "GET", API, Some(&token), "application/json", "").status, 429, "one purse for both");
    site.daemon.stop();
}

#[test]
fn a_question_with_a_body_is_one_question() {
    let open = Open::with("requests_per_minute = 4", |_| ());
    let operator = open.token(AccessRole::Operator, "");
    let asked: Vec<u16> =
        (0..5).map(|_| open.post(&format!("{API}/pools/none/grants"), &operator, JSON, "{}").status).collect();
    assert!(asked[..4].iter().all(|status| (400..429).contains(status)) && asked[4] == 429, "{asked:?}");
    open.daemon.stop();
}

#[test]
fn r51_whoever_takes_a_pool_over_its_limit_is_the_vendor() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let pin = |token: &str, pool: &str, person: &str, more: Value| {
        let mut body = json!({"person": person, "decision": "assign", "reason": "asked"});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        open.post(&format!("{API}/pools/{pool}/pins"), token, JSON, &body.to_string())
    };
    // Who waits for a seat of the full pool, at Cedar and elsewhere.
    let queue = open.demo.json("queue northfield learn-educators");
    let waiting: Vec<(&str, &str)> = queue["waiting"]
        .as_array()
        .expect("a queue")
        .iter()
        .map(|row| (row["person"].as_str().expect("a key"), row["home"].as_str().expect("an org")))
        .collect();
    let (person, home) = waiting[0];
    // The operator last: then the seat is taken.
    for (_, role) in AccessRole::WORDS.into_iter().rev() {
        if !rosterd::http::may(role, Deed::Seats) {
            continue;
        }
        let org = if role.is_of_org() { format!(" --customer northfield --org {home}") } else { String::new() };
        let made = open.demo.json(&format!("token create {role} --role {role}{org}"));
        let token = made["text"].as_str().expect("a text");
        let full = pin(token, "learn-educators", person, json!({}));
        assert_eq!((full.status, full.json()["answer"].clone()), (409, json!("pool_exhausted")), "{role}: {}", full.body);
        let over = pin(token, "learn-educators", person, json!({"override": true}));
        assert_eq!(over.status, if role == AccessRole::Operator { 200 } else { 403 }, "{role}: {}", over.body);
    }
    open.daemon.stop();
}

#[test]
fn r163_an_orgs_admin_gives_away_no_seats_of_others_and_takes_back_what_it_did() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let of = |org: &str| {
        let made = open.demo.json(&format!("token create {org} --role org-admin --customer northfield --org {org}"));
        made["text"].as_str().expect("a text").to_owned()
    };
    let (cedar, birch, operator) = (of("nf-cedar"), of("nf-birch"), open.token(AccessRole::Operator, ""));
    let pin = |token: &str, person: &str, decision: &str, more: bool| {
        let body = json!({"person": person, "decision": decision, "reason": "asked", "override": more}).to_string();
        open.post(&format!("{API}/pools/content-cedar/pins"), token, JSON, &body)
    };
    let claims = |org: &str, pool: &str| {
        let claims = open.demo.json(&format!("report claims northfield --org {org} --pool {pool}"));
        claims["rows"][0]["person"].as_str().expect("a person").to_owned()
    };
    let (own, other) = (claims("nf-cedar", "content-cedar"), claims("nf-birch", "content-district"));
    // Another org's pool is not there, for people of one's own neither.
    let beyond = pin(&birch, &other, "assign", false);
    assert_eq!((beyond.status, beyond.json()["detail"].clone()), (404, json!("there is no pool content-cedar")));
    let none = open.post(
        &format!("{API}/pools/none/pins"),
        &birch,
        JSON,
        &json!({"person": other, "decision": "assign", "reason": "x"}).to_string(),
    );
    assert_eq!((none.status, none.json()["detail"].clone()), (404, json!("there is no pool none")));
    let refused = pin(&operator, &other, "assign", false);
    assert_eq!((refused.status, refused.json()["answer"].clone()), (409, json!("not_served")), "{}", refused.body);
    let insisted = pin(&operator, &other, "assign", true);
    assert_eq!((insisted.status, insisted.json()["answer"].clone()), (200, json!("done")), "{}", insisted.body);
    // What one denied one may undo, though no seat is left to tell whose the person is.
    assert_eq!(pin(&birch, &own, "deny", false).status, 404);
    assert_eq!(pin(&cedar, &own, "deny", false).status, 200);
    let path = format!("{API}/pools/content-cedar/pins/{own}");
    assert_eq!(open.ask("DELETE", &path, Some(&birch), "*/*", "").status, 404);
    let lifted = open.ask("DELETE", &path, Some(&cedar), "*/*", "");
    assert_eq!((lifted.status, lifted.json()["answer"].clone()), (200, json!("done")), "{}", lifted.body);
    assert_eq!(open.demo.json("audit verify")["ok"], true);
    open.daemon.stop();
}

/// Every word of an answer that could be somebody.
fn named<'t>(text: &'t str, people: &'t BTreeSet<String>) -> Option<&'t str> {
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '@' | '.')));
    words.find(|word| people.contains(*word))
}

#[test]
fn r157_whoever_looks_at_numbers_sees_nobody() {
    let site = Site::open("");
    let open = Open { demo: site.demo, daemon: site.daemon, address: site.address };
    open.until_runs("northfield", 2);
    let (operator, reporter) = (open.token(AccessRole::Operator, ""), open.token(AccessRole::Reporter, ""));
    let all = open.all(&format!("{API}/people"), &operator, "people", 1000);
    let mut people = BTreeSet::new();
    for person in &all {
        for field in ["person", "key", "username", "email", "name"] {
            people.extend(person[field].as_str().filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    assert!(people.len() > 600, "{:?}", all.first());
    // Somebody is the only one of a run, a hold is open, and notices name who could go.
    let wish = "{\"person\":\"t-058\"}";
    let asked = open.post(&format!("{API}/requests"), &operator, JSON, wish).json();
    let request = asked["request"].as_u64().expect("a number");
    let mut run = None;
    crate::daemon::until("the run is over", || {
        let told = open.get(&format!("/api/v1/requests/{request}"), &operator).json();
        run = told["run"].as_u64().filter(|_| told["state"] == "done");
        if run.is_some() { Ok(()) } else { Err(told.to_string()) }
    });
    let run = run.expect("a run");
    assert_eq!(open.get(&format!("/api/v1/runs/{run}"), &operator).json()["scope"], "person t-058");
    assert_eq!(open.get(&format!("/api/v1/runs/{run}"), &reporter).json()["scope"], "person");
    let episode = open.get(&format!("{API}/episodes/1"), &operator);
    let status = open.get(API, &operator);
    assert!(named(&episode.body, &people).is_some() || named(&status.body, &people).is_some(), "the operator sees people");
    let filled = |path: &str| {
        path.replace("{customer}", "northfield")
            .replace("{pool}", "content-district")
            .replace("{source}", "sis")
            .replace("{term}", "t")
            .replace("{episode}", "1")
            .replace("{request}", &request.to_string())
            .replace("{run}", &run.to_string())
    };
    let mut seen = 0;
    for (method, path, deed) in routes() {
        if method != "GET" || !matches!(deed, None | Some(Deed::Look | Deed::LicenseReport)) {
            continue;
        }
        let reply = open.get(&filled(path), &reporter);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        assert_eq!(named(&reply.body, &people), None, "{path}: {}", reply.body);
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
    let site = Site { demo: open.demo, daemon: open.daemon, address: open.address };
    let mut browser = site.signed_in(&reporter);
    for page in
        PAGES.iter().filter(|page| page.method == "GET" && matches!(page.deed, None | Some(Deed::Look | Deed::LicenseReport)))
    {
        let reply = browser.get(&filled(page.path));
        assert!([200, 303].contains(&reply.status), "{}: {}", page.path, reply.body);
        assert_eq!(named(&reply.body, &people), None, "{}: {}", page.path, reply.body);
    }
    site.daemon.stop();
}

#[test]
fn an_answer_too_long_to_keep_is_said_to_have_been_given() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let operator = open.token(AccessRole::Operator, "");
    let ask = |key: &str| {
        let body = json!({"seats": 1, "from": "2026-09-01", "reference": "PO 1"}).to_string();
        open.post(
            &format!("{API}/pools/learn-educators/grants"),
            &operator,
            &format!("{JSON}Idempotency-Key: {key}\r\n"),
            &body,
        )
    };
    assert_eq!(ask("a").status, 200);
    let version = open.demo.json("status northfield")["customers"][0]["version"].clone();
    let store = SqliteStore::open(&open.demo.store()).expect("a store");
    store.end_once(1, "a", Some(&OnceAnswer { status: 200, body: None })).expect("written");
    let again = ask("a");
    assert_eq!((again.status, again.json()["type"].clone()), (409, json!("urn:rosterd:problem:not_kept")), "{}", again.body);
    assert!(again.json()["detail"].as_str().is_some_and(|why| why.contains("answered with 200")), "{}", again.body);
    assert_eq!(open.demo.json("status northfield")["customers"][0]["version"], version, "it is not done again");
    open.daemon.stop();
}
