//! What keeps the program itself running, over HTTP: deliveries that are listed, tried and made again, tokens that are revoked,
//! nodes; each as the command line tells it, for the vendor alone.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rosterd::base::AccessRole;
use serde_json::{Value, json};

use crate::daemon::until;
use crate::door::Open;
use crate::fake_http::{FakeServer, Reply};

const JSON: &str = "Content-Type: application/json\r\n";

/// The demo with a channel of the vendor's own, whose receiver fails for good until it is told to work.
fn with_channel(address: &str) -> Open {
    Open::with("", |demo| {
        let text = fs::read_to_string(demo.settings_file()).expect("settings");
        let channel = format!(
            "[outbox]\nmax_tries = 1\n\n[[channel]]\nid = \"crm\"\nkind = \"slack\"\naddress = \"{address}\"\nnotices = [\"negative_balance\"]\n\n"
        );
        let first = text.find("[[customer]]").expect("a customer");
        fs::write(demo.settings_file(), format!("{}{channel}{}", &text[..first], &text[first..])).expect("written");
    })
}

#[test]
fn deliveries_are_listed_tried_and_made_again() {
    let works = Arc::new(AtomicBool::new(false));
    let does = Arc::clone(&works);
    let server = FakeServer::start(move |_, _| Reply::new(if does.load(Ordering::SeqCst) { 200 } else { 500 }, ""));
    let open = with_channel(&server.url("/"));
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::Operator, "");
    until("it was given up", || {
        let dead = open.demo.json("alert list --dead");
        if dead["alerts"].as_array().is_some_and(|all| !all.is_empty()) { Ok(()) } else { Err(dead.to_string()) }
    });
    let all = |state: &str| open.all(&format!("/api/v1/alerts{state}"), &token, "alerts", 1);
    assert_eq!(
        json!(all("")),
        open.demo.json("alert list --limit 1000")["alerts"],
        "page by page as the command line lists them"
    );
    let dead = all("?state=dead");
    assert_eq!(json!(dead), open.demo.json("alert list --dead")["alerts"]);
    let (customer, key) = (dead[0]["customer"].as_str().expect("whose"), dead[0]["notice"].as_str().expect("a key"));
    // A token of one customer sees that customer's.
    let other = if customer == "northfield" { "larkspur" } else { "northfield" };
    let (own, foreign) = (
        open.token(AccessRole::Operator, &format!(" --customer {customer}")),
        open.token(AccessRole::Operator, &format!(" --customer {other}")),
    );
    assert_eq!(open.all("/api/v1/alerts?state=dead", &own, "alerts", 100), dead);
    assert_eq!(open.all("/api/v1/alerts?state=dead", &foreign, "alerts", 100), Vec::<Value>::new());

    let number = |name: &str| {
        let metrics = open.get("/metrics", &token).body;
        let wanted = format!("{name}{{customer=\"{customer}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&wanted)?.parse::<i64>().ok())
    };
    assert_eq!((number("rosterd_alerts_dead"), number("rosterd_alerts_waiting")), (Some(1), Some(0)));
    assert_eq!(number("rosterd_alerts_oldest_seconds"), None, "nothing waits");

    let post = |path: &str, token: &str, body: Value| open.post(path, token, JSON, &body.to_string());
    let tried = post("/api/v1/alerts/test", &token, json!({"channel": "crm"}));
    assert_eq!((tried.status, &tried.json()["ok"]), (200, &json!(false)), "{}", tried.body);
    assert!(tried.json()["channels"][0]["error"].as_str().is_some_and(|why| why.contains("500")), "{}", tried.body);
    assert_eq!(post("/api/v1/alerts/test", &token, json!({"channel": "crn"})).status, 404);
    assert_eq!(post("/api/v1/alerts/test", &token, json!({})).status, 422);

    let replay = "/api/v1/alerts/replay";
    for nothing in [json!({}), json!({"dead": true, "customer": customer, "key": key}), json!({"key": key})] {
        assert_eq!(post(replay, &token, nothing.clone()).status, 400, "{nothing}");
    }
    assert_eq!(post(replay, &token, json!({"dead": true, "channel": "crn"})).status, 404);
    assert_eq!(post(replay, &token, json!({"customer": customer, "key": "no such"})).status, 404);
    assert_eq!(post(replay, &foreign, json!({"customer": customer, "key": key})).status, 404);
    assert_eq!(post(replay, &own, json!({"dead": true})).status, 403, "that is everybody's");
    works.store(true, Ordering::SeqCst);
    let asked = server.asked().len();
    let again = post(replay, &token, json!({"dead": true}));
    assert_eq!((again.status, again.json()), (200, json!({"replayed": 1, "channels": [], "daemon": true})));
    until("it arrives", || {
        if number("rosterd_alerts_dead") == Some(0) && server.asked().len() > asked { Ok(()) } else { Err(String::new()) }
    });
    let once_more = post(replay, &own, json!({"customer": customer, "key": key}));
    assert_eq!(once_more.json(), json!({"replayed": 1, "channels": ["crm"], "daemon": true}));
    until("it comes again", || if server.asked().len() == asked + 2 { Ok(()) } else { Err(String::new()) });
    assert_eq!(post("/api/v1/alerts/test", &token, json!({"channel": "crm"})).json()["ok"], true);
    open.daemon.stop();
}

#[test]
fn tokens_are_listed_and_revoked_and_nodes_are_told() {
    let open = Open::new(|_| ());
    let (token, gone) = (open.token(AccessRole::Operator, ""), open.token(AccessRole::ReadOnly, ""));
    let bound = open.token(AccessRole::Operator, " --customer northfield");
    let listed = open.all("/api/v1/tokens", &token, "tokens", 2);
    assert_eq!(json!(listed), open.demo.json("token list")["tokens"]);
    assert!(
        [&token, &gone].iter().all(|text| !json!(listed).to_string().contains(text.rsplit('_').next().expect("its secret")))
    );
    let revoke = |number: &str, by: &str| open.ask("DELETE", &format!("/api/v1/tokens/{number}"), Some(by), "*/*", "");
    let number = gone.split('_').nth(1).expect("its number");
    assert_eq!(revoke(number, &bound).status, 403, "who is bound to a customer reaches no token");
    assert_eq!(open.get("/api/v1/customers", &gone).status, 200);
    assert_eq!(revoke(number, &token).json(), json!({"token": number.parse::<u64>().expect("a number"), "was_good": true}));
    assert_eq!(open.get("/api/v1/customers", &gone).status, 401);
    assert_eq!(revoke(number, &token).json()["was_good"], false);
    assert_eq!((revoke("999", &token).status, revoke("x", &token).status), (404, 400));

    let nodes = open.get("/api/v1/nodes", &token).json();
    assert_eq!(nodes["nodes"][0]["daemon"], true, "{nodes}");
    assert_eq!(nodes["nodes"][0]["pid"], open.daemon.child.id());
    for path in ["/api/v1/nodes", "/api/v1/tokens"] {
        assert_eq!(open.get(path, &bound).status, 403, "{path}");
    }
    open.daemon.stop();
}
