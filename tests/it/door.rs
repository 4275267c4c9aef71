//! The HTTP door from outside: the real program, real sockets; who may ask what, and that it answers as the command line does
//! (R157).

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rosterd::base::AccessRole;
use rosterd::http::{Deed, may, routes};
use serde_json::{Value, json};

use crate::daemon::{Daemon, until};
use crate::demo::Demo;

/// A daemon on the demo whose door is open.
pub struct Open {
    pub demo: Demo,
    pub daemon: Daemon,
    pub address: String,
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }
}

impl Open {
    pub fn new(settings: impl FnOnce(&Demo)) -> Self {
        Self::with("", settings)
    }

    /// The same with more settings of the door.
    pub fn with(more: &str, settings: impl FnOnce(&Demo)) -> Self {
        let demo = Demo::new();
        let text = fs::read_to_string(demo.settings_file()).expect("settings");
        fs::write(demo.settings_file(), format!("[http]\nlisten = \"127.0.0.1:0\"\n{more}\n{text}")).expect("written");
        settings(&demo);
        let daemon = Daemon::ready(&demo);
        let mut address = String::new();
        until("the door is open", || {
            let opened = daemon.events("door_opened");
            let first = opened.first().ok_or("not yet")?;
            address = first["address"].as_str().ok_or("no address")?.to_owned();
            Ok(())
        });
        Self { demo, daemon, address }
    }

    pub fn token(&self, role: AccessRole, more: &str) -> String {
        let org = if role.is_of_org() { " --customer northfield --org nf-cedar" } else { "" };
        let made = self.demo.json(&format!("token create {role}{more} --role {role}{org}"));
        made["text"].as_str().expect("a text").to_owned()
    }

    pub fn raw(&self, request: &str) -> Reply {
        raw_at(&self.address, request)
    }

    pub fn ask(&self, method: &str, path: &str, token: Option<&str>, accept: &str, body: &str) -> Reply {
        ask_at(&self.address, method, path, token, accept, body)
    }

    /// A POST with headers of its own, each with its line end.
    pub fn post(&self, path: &str, token: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.raw(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    /// All rows of a list, page by page.
    pub fn all(&self, path: &str, token: &str, field: &str, limit: usize) -> Vec<Value> {
        let (mut rows, mut next) = (Vec::new(), None::<String>);
        loop {
            // What the path itself says of where to begin holds for the first page.
            let path = if next.is_some() { path.split("?after=").next().unwrap_or(path) } else { path };
            let after = next.map_or(String::new(), |next| format!("&after={next}"));
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{sign}limit={limit}{after}"), token).json();
            let found = page[field].as_array().unwrap_or_else(|| panic!("{path}: {page}"));
            assert!(found.len() <= limit);
            rows.extend(found.iter().cloned());
            next = page["next"].as_str().map(str::to_owned);
            if next.is_none() {
                return rows;
            }
            assert_eq!(found.len(), limit, "only the last page is short");
        }
    }

    pub fn get(&self, path: &str, token: &str) -> Reply {
        self.ask("GET", path, Some(token), "application/json", "")
    }

    pub fn until_runs(&self, customer: &str, runs: usize) {
        until("the packages are taken in", || {
            let all = self.demo.json(&format!("runs {customer}"));
            let over = all["runs"].as_array().map_or(0, |runs| runs.iter().filter(|run| !run["ended"].is_null()).count());
            if over >= runs { Ok(()) } else { Err(all.to_string()) }
        });
    }
}

/// Asks a door as it is told to.
pub fn raw_at(address: &str, request: &str) -> Reply {
    let (status, head, body) = exchange(address, request, Duration::from_secs(60));
    Reply { status, head: head.to_ascii_lowercase(), body }
}

/// What a door answers, for as long as one is patient: the status, the head as it is, the body.
pub fn exchange(address: &str, request: &str, patience: Duration) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).expect("a door");
    stream.set_read_timeout(Some(patience)).expect("a time limit");
    // A door that refuses may close before it heard all.
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an answer");
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {request}: {text}"));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head.to_owned(), body.to_owned())
}

pub fn ask_at(address: &str, method: &str, path: &str, token: Option<&str>, accept: &str, body: &str) -> Reply {
    let bearer = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let length = body.len();
    raw_at(
        address,
        &format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept: {accept}\r\n{bearer}{kind}Content-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// What a role that may ask is answered to a bare question, with no body and about things that are not there where it says so;
/// 200 wherever nothing else is said.
const TOLD: [(&str, u16); 29] = [
    // The body is missing, or says too little.
    ("POST /api/v1/customers/{customer}/pools/{pool}/pins", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/transfers", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/acceptances", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/seat-requests", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/grants", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/agreements", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/terms", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/terms/{term}/correct", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/billing", 422),
    ("POST /api/v1/customers/{customer}/episodes/{episode}/approve-upgrade", 422),
    ("POST /api/v1/customers/{customer}/notices/delivered", 422),
    ("POST /api/v1/customers/{customer}/people/{person}/forget", 422),
    ("POST /api/v1/customers/{customer}/pauses", 422),
    ("POST /api/v1/alerts/test", 422),
    ("POST /api/v1/customers/{customer}/people/bulk", 400),
    ("POST /api/v1/alerts/replay", 400),
    ("POST /api/v1/customers/{customer}/people/import", 415),
    ("POST /api/v1/customers/{customer}/activity", 415),
    // It is written down.
    ("POST /api/v1/customers/{customer}/requests", 202),
    // There is no run 999, nor a token.
    ("GET /api/v1/runs/{run}", 404),
    ("GET /api/v1/runs/{run}/events", 404),
    ("GET /api/v1/runs/{run}/plan", 404),
    ("GET /api/v1/runs/{run}/findings", 404),
    ("POST /api/v1/runs/{run}/apply", 404),
    ("POST /api/v1/runs/{run}/revert", 404),
    ("GET /api/v1/holds/{run}", 404),
    ("POST /api/v1/holds/{run}/approve", 404),
    ("POST /api/v1/holds/{run}/reject", 404),
    ("DELETE /api/v1/tokens/{token}", 404),
];

/// What roles of one org are answered, where it is not that they do not reach that far.
const OF_ORG: [(&str, u16); 7] = [
    ("GET /api/v1/customers/{customer}/people/{person}/explain", 200),
    ("GET /api/v1/customers/{customer}/people/{person}/access", 200),
    ("GET /api/v1/customers/{customer}/reports/licenses", 200),
    ("POST /api/v1/customers/{customer}/pools/{pool}/pins", 422),
    ("DELETE /api/v1/customers/{customer}/pools/{pool}/pins/{person}", 200),
    ("POST /api/v1/customers/{customer}/pools/{pool}/transfers", 422),
    ("POST /api/v1/customers/{customer}/pools/{pool}/acceptances", 422),
];

/// What is of no customer: a token of one does not reach that far. So is a channel, which is looked at when the body is there.
const OF_ALL: [&str; 3] = ["GET /api/v1/tokens", "GET /api/v1/nodes", "DELETE /api/v1/tokens/{token}"];

/// Whom a token is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// Of all customers.
    None,
    /// Of the customer that is asked about.
    Here,
    /// Of another one.
    Elsewhere,
}

/// The one status that a question has.
fn told(method: &str, path: &str, role: AccessRole, deed: Deed, bound: Bound) -> u16 {
    let question = format!("{method} {path}");
    let of = |table: &[(&str, u16)]| table.iter().find(|(known, _)| *known == question).map(|(_, status)| *status);
    match of(&TOLD).unwrap_or(200) {
        _ if !may(role, deed) => 403,
        _ if role.is_of_org() => of(&OF_ORG).unwrap_or(403),
        _ if bound != Bound::None && OF_ALL.contains(&question.as_str()) => 403,
        // Its customer is not there, whatever is said of it; only of what type the body is, is looked at before.
        status if bound == Bound::Elsewhere && (path.contains("{customer}") || path.contains("{request}")) => {
            if status == 415 {
                415
            } else {
                404
            }
        }
        status => status,
    }
}

#[test]
fn r157_every_role_at_every_route() {
    let open = Open::with("requests_per_minute = 0\n", |_| ());
    open.until_runs("northfield", 2);
    let paths: Vec<String> = routes().into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let named = TOLD.iter().chain(&OF_ORG).map(|(question, _)| *question).chain(OF_ALL);
    named.for_each(|question| assert!(paths.iter().any(|path| path == question), "{question} is not asked"));
    let mut tokens: Vec<(AccessRole, Bound, String)> =
        AccessRole::WORDS.map(|(_, role)| (role, Bound::None, open.token(role, ""))).into();
    for (_, role) in AccessRole::WORDS.into_iter().filter(|(_, role)| !role.is_of_org()) {
        tokens.push((role, Bound::Here, open.token(role, " --customer northfield")));
        tokens.push((role, Bound::Elsewhere, open.token(role, " --customer larkspur")));
    }
    let operator = tokens.iter().find(|(role, ..)| *role == AccessRole::Operator).expect("one").2.clone();
    let asked = open.post("/api/v1/customers/northfield/requests", &operator, "Content-Type: application/json\r\n", "{}");
    let request = asked.json()["request"].as_u64().expect("a number").to_string();
    for (method, path, deed) in routes() {
        let at = path
            .replace("{customer}", "northfield")
            .replace("{person}", "t-058")
            .replace("{pool}", "learn-educators")
            .replace("{source}", "sis")
            .replace("{term}", "t")
            .replace("{episode}", "1")
            .replace("{request}", &request)
            .replace("{token}", "999")
            .replace("{run}", "999");
        let bare = open.ask(method, &at, None, "*/*", "");
        let Some(deed) = deed else {
            assert_eq!(bare.status, 200, "{path}: {}", bare.body);
            continue;
        };
        assert_eq!((bare.status, bare.json()["type"].as_str()), (401, Some("urn:rosterd:problem:unauthenticated")), "{path}");
        for (role, bound, token) in &tokens {
            let mut reply = open.ask(method, &at, Some(token), "*/*", "");
            // What was asked for above is being done: it reads the sources.
            until("nobody reads the sources", || {
                if reply.status == 409 && reply.body.contains("run_under_way") {
                    reply = open.ask(method, &at, Some(token), "*/*", "");
                    return Err(reply.body.clone());
                }
                Ok(())
            });
            assert!(reply.head.contains("cache-control: no-store") && reply.head.contains("nosniff"), "{path}: {}", reply.head);
            let wanted = told(method, path, *role, deed, *bound);
            assert_eq!(reply.status, wanted, "{role} ({bound:?}) {method} {path}: {}", reply.body);
        }
    }
    open.daemon.stop();
}

#[test]
fn what_the_roles_are_for() {
    let all = |role| Deed::ALL.into_iter().filter(|deed| may(role, *deed)).collect::<Vec<_>>();
    use AccessRole::{Operator, OrgAdmin, ReadOnly, Reporter, SystemAdmin, UserManager};
    use Deed::{Administer, LicenseReport, Look, LookAtPeople, Report, Seats, Sync};
    assert_eq!(all(Operator), Deed::ALL);
    assert_eq!(all(SystemAdmin), [Look, LookAtPeople, Report, LicenseReport, Sync, Seats, Administer]);
    assert_eq!(all(Reporter), [Look, Report, LicenseReport]);
    assert_eq!(all(OrgAdmin), [LookAtPeople, LicenseReport, Seats]);
    assert_eq!(all(UserManager), all(OrgAdmin));
    assert_eq!(all(ReadOnly), [Look, LookAtPeople, Report, LicenseReport]);
}

#[test]
fn it_answers_as_the_command_line_does() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::ReadOnly, "");
    let api = "/api/v1/customers/northfield";
    let mut status = open.get(api, &token).json();
    let mut told = open.demo.json("status northfield")["customers"][0].clone();
    // Asked at two instants.
    for answer in [&mut status, &mut told] {
        answer["as_of"] = Value::Null;
        answer["same_day"]["next"] = Value::Null;
    }
    assert_eq!(status, told);
    let csv = open.ask("GET", &format!("{api}/reports/licenses"), Some(&token), "text/csv", "");
    assert_eq!((csv.status, csv.body), (200, open.demo.told("report licenses northfield --csv")));
    assert!(csv.head.contains("content-type: text/csv"), "{}", csv.head);
    let queue = open.get(&format!("{api}/queue?pool=learn-educators"), &token).json();
    assert_eq!(queue["waiting"], open.demo.json("queue northfield learn-educators")["waiting"]);
    let why = open.get(&format!("{api}/people/t-058/explain?product=learn"), &token).json();
    assert_eq!(why["answers"], open.demo.json("explain northfield t-058 learn")["answers"]);
    for report in ["compliance", "usage", "advice", "reuse", "consumption", "unseated", "claims", "dashboard", "high-water"] {
        let mut rows = open.all(&format!("{api}/reports/{report}"), &token, "rows", 1000);
        let mut told = open.demo.json(&format!("report {report} northfield"));
        // Asked at two instants.
        let told = told["rows"].as_array_mut().expect("rows");
        rows.iter_mut().chain(told.iter_mut()).filter_map(|row| row.get_mut("as_of")).for_each(|at| *at = Value::Null);
        assert_eq!(rows, *told, "{report}");
        let csv = open.ask("GET", &format!("{api}/reports/{report}"), Some(&token), "text/csv", "");
        assert_eq!(csv.body.lines().count(), open.demo.told(&format!("report {report} northfield --csv")).lines().count());
    }
    let numbers = open.get("/metrics", &token);
    assert!(
        numbers.body.contains("rosterd_pool_used{customer=\"northfield\",pool=\"content-district\"} 456\n"),
        "{}",
        numbers.body
    );
    assert!(numbers.body.contains("rosterd_pool_balance{customer=\"northfield\",pool=\"content-district\"} -3\n"));
    assert!(!numbers.body.contains("t-058"), "no people");
    open.daemon.stop();
}

#[test]
fn a_token_reaches_as_far_as_it_says_and_as_long() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    open.until_runs("larkspur", 1);
    let bound = open.token(AccessRole::SystemAdmin, " --customer larkspur");
    assert_eq!(open.get("/api/v1/customers/larkspur", &bound).status, 200);
    let other = open.get("/api/v1/customers/northfield", &bound);
    let none = open.get("/api/v1/customers/nowhere", &bound);
    assert_eq!((other.status, none.status), (404, 404));
    assert_eq!(other.body.replace("northfield", "nowhere"), none.body, "what it may not see is not there");
    let listed = open.get("/api/v1/customers", &bound).json();
    assert_eq!(listed["customers"].as_array().map(Vec::len), Some(1));
    let run = open.demo.json("runs northfield")["runs"][0]["run"].as_u64().expect("a run");
    for what in ["runs", "holds"] {
        let foreign = open.get(&format!("/api/v1/{what}/{run}"), &bound);
        let none = open.get(&format!("/api/v1/{what}/999"), &bound);
        assert_eq!((foreign.status, foreign.body.replace(&format!(" {run}\""), " 999\"")), (404, none.body), "{what}");
    }
    assert!(!open.get("/metrics", &bound).body.contains("northfield"));
    // Of one org.
    let office = open.token(AccessRole::OrgAdmin, "");
    let report = open.get("/api/v1/customers/northfield/reports/licenses", &office).json();
    assert_eq!(report["rows"][0]["org"], "nf-cedar");
    assert_eq!(open.get("/api/v1/customers/northfield/reports/licenses?org=nf-cedar", &office).status, 200);
    for org in ["nf", "nf-birch", "nowhere"] {
        let beyond = open.get(&format!("/api/v1/customers/northfield/reports/licenses?org={org}"), &office);
        assert_eq!(beyond.status, 404, "{org}: {}", beyond.body);
    }
    let claims = open.demo.json("report claims northfield --org nf-cedar");
    let own = claims["rows"][0]["person"].as_str().expect("a person");
    assert_eq!(open.get(&format!("/api/v1/customers/northfield/people/{own}/explain"), &office).status, 200);
    assert_eq!(open.get("/api/v1/customers/northfield/people/nobody/explain", &office).status, 404);
    // Revoked, made up, cut short.
    let number = bound.split('_').nth(1).expect("a number");
    open.demo.told(&format!("token revoke {number}"));
    for bad in [bound.as_str(), "rosterd_1_", "rosterd_x_y", "", &office[..office.len() - 1], &format!("{office}0")] {
        assert_eq!(open.get("/api/v1/customers", bad).status, 401, "{bad}");
    }
    assert_eq!(open.demo.run("token revoke 99").code, open.demo.run("runs show 99").code, "unknown is unknown");
    let kept = fs::read(open.demo.store()).expect("the store");
    let secret = office.rsplit('_').next().expect("a secret").as_bytes();
    assert!(!kept.windows(secret.len()).any(|bytes| bytes == secret), "the store keeps a digest alone");
    open.daemon.stop();
}

#[test]
fn a_same_day_run_is_asked_for_and_a_hold_is_decided() {
    let open = Open::new(|demo| demo.set("bootstrap_approval = false", "bootstrap_approval = true"));
    let operator = open.token(AccessRole::Operator, "");
    let admin = open.token(AccessRole::SystemAdmin, " --customer larkspur");
    let holds = "/api/v1/customers/larkspur/holds";
    let mut held = Value::Null;
    until("the first package is held", || {
        held = open.get(holds, &admin).json();
        if held["holds"].as_array().is_some_and(|holds| !holds.is_empty()) { Ok(()) } else { Err(held.to_string()) }
    });
    let run = held["holds"][0]["run"].as_u64().expect("a run");
    // The run that found it is over in the books a moment before it gives the sources back.
    let mut shown = Value::Null;
    until("the sources are read by nobody else", || {
        let reply = open.get(&format!("/api/v1/holds/{run}"), &admin);
        shown = reply.json();
        if reply.status == 409 { Err(reply.body) } else { Ok(()) }
    });
    assert_eq!(shown["if_approved"]["seated"], 18, "{shown}");
    let refused = open.ask("POST", &format!("/api/v1/holds/{run}/approve"), Some(&admin), "*/*", "{}");
    assert_eq!(refused.status, 403, "holds are the vendor's");
    for (body, status) in [("{\"exept\":[]}", 422), ("{", 400), ("\"x\"", 422)] {
        let reply = open.ask("POST", &format!("/api/v1/holds/{run}/approve"), Some(&operator), "*/*", body);
        assert_eq!((reply.status, reply.head.contains("application/problem+json")), (status, true), "{body}: {}", reply.body);
    }
    let done = open.ask("POST", &format!("/api/v1/holds/{run}/approve"), Some(&operator), "*/*", "");
    assert_eq!((done.status, done.json()["run"]["seated"].clone()), (200, json!(18)), "{}", done.body);
    let again = open.ask("POST", &format!("/api/v1/holds/{run}/approve"), Some(&operator), "*/*", "");
    assert_eq!((again.status, again.json()["answer"].clone()), (409, json!("not_open")));
    let by = open.demo.told("audit list larkspur");
    assert!(by.contains("operator (token 1)"), "the trail names the token: {by}");
    // A same-day run.
    let wish = "/api/v1/customers/larkspur/requests";
    let both = open.ask("POST", wish, Some(&admin), "*/*", "{\"person\":\"a\",\"org\":\"b\"}");
    assert_eq!(both.status, 400);
    let taken = open.ask("POST", wish, Some(&admin), "*/*", "{\"confirm_absences\":false}");
    assert_eq!(taken.status, 202, "{}", taken.body);
    let request = taken.json()["request"].as_u64().expect("a number");
    let mut over = Value::Null;
    until("the request is done", || {
        over = open.get(&format!("/api/v1/requests/{request}"), &admin).json();
        if over["state"] == "done" { Ok(()) } else { Err(over.to_string()) }
    });
    let run = over["run"].as_u64().expect("a run");
    assert_eq!(open.get(&format!("/api/v1/runs/{run}"), &admin).json()["trigger"], "same_day");
    assert_eq!(open.get(&format!("/api/v1/requests/{request}"), &operator).status, 200);
    open.daemon.stop();
}

#[test]
fn it_is_bounded_and_says_what_is_wrong() {
    let open = Open::new(|_| ());
    let token = open.token(AccessRole::Operator, "");
    for (method, path, status) in [
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/nothing", 404),
        ("DELETE", "/api/v1/customers", 405),
        ("GET", "/api/v1/runs/abc", 400),
        ("GET", "/api/v1/runs/999", 404),
        ("GET", "/api/v1/customers/northfield/runs?limit=x", 400),
        ("GET", "/api/v1/customers/northfield/runs?nonsense=1", 400),
        ("GET", "/api/v1/customers/northfield/queue?pool=none", 404),
        ("GET", "/api/v1/customers/northfield/reports/none", 404),
        ("GET", "/api/v1/customers/..%2f..%2fetc/pools", 404),
    ] {
        let reply = open.ask(method, path, Some(&token), "*/*", "");
        assert_eq!((reply.status, reply.json()["status"].as_u64()), (status, Some(status.into())), "{path}: {}", reply.body);
        assert!(reply.head.contains("content-type: application/problem+json"), "{path}: {}", reply.head);
        assert!(reply.json()["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{path}");
    }
    let long = format!("{{\"person\":\"{}\"}}", "x".repeat(2 << 20));
    let reply = open.ask("POST", "/api/v1/customers/northfield/requests", Some(&token), "*/*", &long);
    assert_eq!(reply.status, 413);
    // Somebody who never says what they want is not waited for.
    let began = Instant::now();
    let mut slow = TcpStream::connect(&open.address).expect("a door");
    slow.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost:").expect("half a request");
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(began.elapsed() < Duration::from_secs(50), "{:?}", began.elapsed());
    open.daemon.stop();
}

#[test]
fn an_address_that_cannot_be_had_is_told_before_anything_starts() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address");
    let demo = Demo::new();
    let text = fs::read_to_string(demo.settings_file()).expect("settings");
    fs::write(demo.settings_file(), format!("[http]\nlisten = \"{at}\"\n\n{text}")).expect("written");
    let done = demo.run("serve");
    assert_eq!(done.code, 78, "{}", done.err);
    assert!(done.err.contains(&format!("listen on {at}")), "{}", done.err);
}
