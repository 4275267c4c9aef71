//! What is done through the HTTP door: decisions, purchases, files of people, each as the command line does it; on condition,
//! and once.

use rosterd::base::AccessRole;
use serde_json::{Value, json};

use crate::door::{Open, Reply};

const API: &str = "/api/v1/customers/northfield";
const JSON: &str = "Content-Type: application/json\r\n";
const CSV: &str = "Content-Type: text/csv\r\n";

fn opened() -> (Open, String) {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let operator = open.token(AccessRole::Operator, "");
    (open, operator)
}

fn version(open: &Open) -> u64 {
    open.demo.json("status northfield")["customers"][0]["version"].as_u64().expect("a version")
}

fn tag(reply: &Reply) -> Option<&str> {
    reply.head.lines().find_map(|line| line.strip_prefix("etag: "))
}

#[test]
fn seats_are_bought_and_decided_as_the_command_line_does_it() {
    let (open, token) = opened();
    let post = |path: &str, body: Value| open.post(&format!("{API}/{path}"), &token, JSON, &body.to_string());
    let pool = "pools/learn-educators";
    // Seven wait for 45 seats.
    let full = post(&format!("{pool}/pins"), json!({"person": "t-058", "decision": "assign", "reason": "substitute"}));
    assert_eq!((full.status, full.json()["answer"].clone()), (409, json!("pool_exhausted")), "{}", full.body);
    let bought = post(&format!("{pool}/grants"), json!({"seats": 7, "from": "2026-09-01", "reference": "PO 1"}));
    assert_eq!((bought.status, bought.json()["answer"].clone()), (200, json!("done")), "{}", bought.body);
    assert_eq!(bought.json()["actions"].as_array().map(Vec::len), Some(7), "the queue is seated in that commit");
    let grants = open.get(&format!("{API}/grants?pool=learn-educators"), &token).json();
    let ids: Vec<&str> = grants["grants"].as_array().into_iter().flatten().filter_map(|grant| grant["id"].as_str()).collect();
    assert_eq!(ids.len(), 2);
    let shown = open.demo.json("pool show northfield learn-educators");
    let told = open.get(&format!("{API}/{pool}"), &token).json();
    assert_eq!((&told["grants"], &told["available"]), (&shown["grants"], &json!(0)));
    let named = json!({"seats": 1, "from": "2026-09-01", "reference": "PO 2", "id": ids[1]});
    let taken = post(&format!("{pool}/grants"), named);
    assert_eq!((taken.status, taken.json()["answer"].clone()), (409, json!("grant_taken")), "{}", taken.body);
    // A seat goes to somebody else, and the pin is lifted again.
    let moved = post(&format!("{pool}/transfers"), json!({"from": "t-058", "to": "t-001", "reason": "new class teacher"}));
    assert!([200, 409].contains(&moved.status), "{}", moved.body);
    let denied = post(&format!("{pool}/pins"), json!({"person": "t-058", "decision": "deny", "reason": "left"}));
    assert_eq!(denied.status, 200, "{}", denied.body);
    let pins = open.get(&format!("{API}/pins"), &token).json();
    assert!(pins["pins"].as_array().is_some_and(|pins| pins.iter().any(|pin| pin["person"] == "t-058")), "{pins}");
    let lifted = open.ask("DELETE", &format!("{API}/{pool}/pins/t-058"), Some(&token), "*/*", "");
    assert_eq!((lifted.status, lifted.json()["answer"].clone()), (200, json!("done")), "{}", lifted.body);
    let by = open.demo.told("audit list northfield");
    assert!(by.contains("operator (token 1)") && by.contains("grant"), "{by}");
    // Money and terms.
    let agreed = json!({"seats": 2, "from": "2026-09-01", "to": "2027-09-01", "reference": "Letter"});
    assert_eq!(post("pools/content-district/agreements", agreed).status, 200);
    let term = json!({"seats": 50, "last_day": "2028-08-31", "reference": "PO 3"});
    let term = post("pools/observe-educators/terms", term);
    assert_eq!((term.status, term.json()["term"]["seats"].clone()), (200, json!(50)), "{}", term.body);
    let id = term.json()["term"]["id"].as_str().expect("an id").to_owned();
    let fixed = post(&format!("pools/observe-educators/terms/{id}/correct"), json!({"seats": 40, "reference": "Letter 2"}));
    assert_eq!((fixed.status, fixed.json()["term"]["seats"].clone()), (200, json!(40)), "{}", fixed.body);
    let frozen = post("pools/content-district/billing", json!({"frozen": true, "reason": "in talks"}));
    assert_eq!(frozen.json()["billing_frozen"], true, "{}", frozen.body);
    assert_eq!(post("episodes/1/approve-upgrade", json!({"reason": "agreed"})).status, 409, "it is minor");
    let asked = post(&format!("{pool}/seat-requests"), json!({"seats": 5, "note": "new campus"}));
    assert_eq!((asked.status, asked.json()["request"]["seats"].clone()), (200, json!(5)), "{}", asked.body);
    let rows = open.get(&format!("{API}/seat-requests"), &token).json();
    assert_eq!(rows["rows"], open.demo.json("pool requests northfield")["rows"]);
    for bad in [
        json!({"seats": 0, "from": "2026-09-01", "reference": "x"}),
        json!({"seats": 1, "from": "2026-09-31", "reference": "x"}),
        json!({"seats": 1, "from": "2026-09-02", "to": "2026-09-01", "reference": "x"}),
        json!({"seats": 1, "from": "2026-09-01", "reference": ""}),
        json!({"seats": 1, "from": "2026-09-01", "reference": "x\ny"}),
        json!({"seats": 1_000_000_000_000_u64, "from": "2026-09-01", "reference": "x"}),
        json!({"seats": 1, "from": "2026-09-01", "reference": "x", "id": "a b"}),
    ] {
        let refused = post(&format!("{pool}/grants"), bad.clone());
        assert_eq!(refused.status, 400, "{bad}: {}", refused.body);
    }
    assert_eq!(open.demo.json("audit verify")["ok"], true);
    open.daemon.stop();
}

#[test]
fn an_org_admin_decides_about_people_of_the_org_alone() {
    let (open, operator) = opened();
    let office = open.token(AccessRole::OrgAdmin, "");
    let grant = json!({"seats": 20, "from": "2026-09-01", "reference": "PO 1"}).to_string();
    assert_eq!(open.post(&format!("{API}/pools/learn-educators/grants"), &operator, JSON, &grant).status, 200);
    let claims = open.demo.json("report claims northfield --org nf-cedar --pool learn-educators");
    let own = claims["rows"][0]["person"].as_str().expect("a person").to_owned();
    let claims = open.demo.json("report claims northfield --org nf-birch --pool learn-educators");
    let other = claims["rows"][0]["person"].as_str().expect("a person").to_owned();
    let pin = |person: &str| {
        let body = json!({"person": person, "decision": "assign", "reason": "asked"}).to_string();
        open.post(&format!("{API}/pools/learn-educators/pins"), &office, JSON, &body).status
    };
    assert_eq!((pin(&own), pin(&other), pin("nobody")), (200, 404, 404));
    let hand = json!({"from": own, "to": other, "reason": "x"}).to_string();
    assert_eq!(open.post(&format!("{API}/pools/learn-educators/transfers"), &office, JSON, &hand).status, 404);
    assert_eq!(open.post(&format!("{API}/pools/learn-educators/grants"), &office, JSON, &grant).status, 403);
    let more = json!({"seats": 1}).to_string();
    assert_eq!(open.post(&format!("{API}/pools/learn-educators/seat-requests"), &office, JSON, &more).status, 403);
    open.daemon.stop();
}

#[test]
fn a_write_on_condition_is_done_on_the_version_that_was_seen_alone() {
    let (open, token) = opened();
    let seen = open.get(&format!("{API}/pools"), &token);
    let seen = tag(&seen).expect("a tag").to_owned();
    assert_eq!(seen, format!("\"{}\"", version(&open)));
    let grant = |condition: &str, seats: u32| {
        let body = json!({"seats": seats, "from": "2026-09-01", "reference": "PO 1"}).to_string();
        open.post(&format!("{API}/pools/learn-educators/grants"), &token, &format!("{JSON}If-Match: {condition}\r\n"), &body)
    };
    let stale = grant("\"1\"", 1);
    assert_eq!((stale.status, stale.json()["type"].clone()), (412, json!("urn:rosterd:problem:moved")), "{}", stale.body);
    let done = grant(&seen, 1);
    assert_eq!((done.status, tag(&done).map(str::to_owned)), (200, Some(format!("\"{}\"", version(&open)))), "{}", done.body);
    assert_eq!(grant(&seen, 1).status, 412);
    assert_eq!(grant(&format!("\"1\", {}", tag(&done).expect("a tag")), 1).status, 200, "one of several");
    assert_eq!(grant("*", 1).status, 200);
    assert_eq!(grant("nonsense", 1).status, 412);
    // Of many who saw the same, one is let in.
    let seen = format!("\"{}\"", version(&open));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let (grant, seen) = (&grant, &seen);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(move || grant(seen, 1).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 412].contains(status)), "{statuses:?}");
    open.daemon.stop();
}

#[test]
fn what_is_asked_twice_under_one_key_is_done_once() {
    let (open, token) = opened();
    let other = open.token(AccessRole::Operator, "2");
    let body = |seats: i64| json!({"seats": seats, "from": "2026-09-01", "reference": "PO 1"}).to_string();
    let path = format!("{API}/pools/learn-educators/grants");
    let ask = |token: &str, key: &str, body: &str| open.post(&path, token, &format!("{JSON}Idempotency-Key: {key}\r\n"), body);
    let first = ask(&token, "a-1", &body(1));
    assert_eq!(first.status, 200, "{}", first.body);
    let then = version(&open);
    let again = ask(&token, "a-1", &body(1));
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert!(again.head.contains("idempotency-replayed: true") && !first.head.contains("idempotency-replayed"));
    assert_eq!(version(&open), then, "done once");
    let changed = ask(&token, "a-1", &body(2));
    assert_eq!((changed.status, changed.json()["type"].clone()), (422, json!("urn:rosterd:problem:idempotency_key")));
    assert_eq!(ask(&other, "a-1", &body(1)).status, 200, "a key is its token's own");
    // What failed may be asked again; a refusal is an answer and is kept.
    assert_eq!(ask(&token, "a-2", &body(0)).status, 400);
    assert_eq!(ask(&token, "a-2", &body(1)).status, 200);
    let refused = json!({"seats": 1, "from": "2026-09-01", "reference": "x", "id": "cli-6"}).to_string();
    let (one, two) = (ask(&token, "a-3", &refused), ask(&token, "a-3", &refused));
    assert_eq!((one.status, &one.body), (two.status, &two.body));
    assert_eq!(ask(&token, &"k".repeat(256), &body(1)).status, 400);
    // Many at once under one key: one is let in, the others hear its answer or that it is under way.
    let then = version(&open);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let (ask, body, token) = (&ask, &body, &token);
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(move || ask(token, "b", &body(1)).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it ends")).collect()
    });
    assert!(statuses.iter().all(|status| [200, 409].contains(status)), "{statuses:?}");
    assert_eq!(version(&open), then + 1);
    open.daemon.stop();
}

#[test]
fn a_file_of_people_goes_in_in_two_steps() {
    let (open, _) = opened();
    let admin = open.token(AccessRole::SystemAdmin, " --customer northfield");
    let header = open.ask("GET", &format!("{API}/people/export"), Some(&admin), "*/*", "");
    assert!(header.head.contains("content-type: text/csv"), "{}", header.head);
    let header = header.body.lines().next().expect("a header").to_owned();
    let cells: Vec<&str> = header
        .split(',')
        .map(|column| match column {
            "key" => "x-1",
            "given_name" => "New",
            "family_name" => "Person",
            "enabled" => "true",
            "primary_org" => "nf-cedar",
            "roles" => "teacher@nf-cedar",
            "status" => "active",
            "source" => "manual",
            _ => "",
        })
        .collect();
    let file = format!("{header}\r\n{}\r\n", cells.join(","));
    let before = version(&open);
    let preview = open.post(&format!("{API}/people/import"), &admin, CSV, &file);
    assert_eq!(preview.status, 200, "{}", preview.body);
    let preview = preview.json();
    assert_eq!((&preview["report"]["created"], &preview["run"]["state"]), (&json!(["x-1"]), &json!("planned")), "{preview}");
    assert!(preview["findings"]["findings"].is_array() && preview["plan"]["actions"].is_array(), "{preview}");
    assert_eq!(version(&open), before, "a preview changes nothing");
    // Without the file and its token nobody does what it says (R134).
    let applied = open.ask("POST", &format!("/api/v1/runs/{}/apply", preview["run"]["run"]), Some(&admin), "*/*", "");
    assert_eq!((applied.status, version(&open)), (409, before), "{}", applied.body);
    assert!(applied.body.contains("confirmed by sending it again with its token"), "{}", applied.body);
    let token = preview["token"].as_str().expect("a token");
    let other = open.post(&format!("{API}/people/import?confirm={token}&synchronize=true"), &admin, CSV, &file);
    assert_eq!((other.status, other.json()["refused"].clone()), (409, json!("token_of_another_file")), "{}", other.body);
    let done = open.post(&format!("{API}/people/import?confirm={token}"), &admin, CSV, &file);
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(version(&open) > before);
    let again = open.post(&format!("{API}/people/import?confirm={token}"), &admin, CSV, &file);
    assert_eq!((again.status, again.json()["refused"].clone()), (409, json!("token_used")));
    let found = open.get(&format!("{API}/people?text=x-1"), &admin).json();
    assert_eq!(found["people"], open.demo.json("people northfield x-1")["people"]);
    // The same for many at once.
    let bulk = json!({"people": ["x-1"], "archive": true}).to_string();
    let preview = open.post(&format!("{API}/people/bulk"), &admin, JSON, &bulk);
    assert_eq!(preview.status, 200, "{}", preview.body);
    let token = preview.json()["token"].as_str().expect("a token").to_owned();
    assert_eq!(open.post(&format!("{API}/people/bulk?confirm={token}"), &admin, JSON, &bulk).status, 200);
    for (body, status) in [("{}", 400), ("{\"people\":[\"x-1\"]}", 400), ("{\"people\":[\"nobody\"],\"archive\":true}", 404)] {
        assert_eq!(open.post(&format!("{API}/people/bulk"), &admin, JSON, body).status, status, "{body}");
    }
    let kept = open.post(&format!("{API}/people/x-1/forget"), &admin, JSON, "{\"reason\":\"asked\"}");
    assert_eq!(kept.status, 409, "{}", kept.body);
    assert_eq!(open.post(&format!("{API}/people/import"), &admin, JSON, "{}").status, 415);
    // Log-ins.
    let log_ins = open.post(&format!("{API}/activity"), &admin, CSV, "person,last_login\nt-058,2026-11-20\n");
    assert_eq!((log_ins.status, log_ins.json()["news"].clone()), (200, json!(1)), "{}", log_ins.body);
    open.daemon.stop();
}

#[test]
fn runs_are_planned_done_and_undone() {
    let (open, operator) = opened();
    let admin = open.token(AccessRole::SystemAdmin, "");
    let runs = open.all(&format!("{API}/runs"), &operator, "runs", 1);
    assert_eq!(runs.len(), 2, "page by page");
    let newest = runs[0]["run"].as_u64().expect("a run");
    let shown = open.get(&format!("/api/v1/runs/{newest}/plan?limit=1000"), &admin).json();
    assert_eq!(shown, open.demo.json(&format!("runs show {newest} --limit 1000")));
    let planned = open.post(&format!("{API}/plans"), &admin, JSON, "{}").json();
    assert_eq!((&planned["run"]["state"], &planned["plan"]["empty"]), (&json!("planned"), &json!(true)), "{planned}");
    // To undo is the vendor's, and so is to apply the plan that undoes.
    let wish = "{\"dry_run\":true}";
    assert_eq!(open.post(&format!("/api/v1/runs/{newest}/revert"), &admin, JSON, wish).status, 403);
    let undo = open.post(&format!("/api/v1/runs/{newest}/revert"), &operator, JSON, wish).json();
    let run = undo["run"]["run"].as_u64().expect("a run");
    assert_eq!(open.post(&format!("/api/v1/runs/{run}/apply"), &admin, "", "").status, 403);
    let done = open.post(&format!("/api/v1/runs/{run}/apply"), &operator, "", "");
    assert_eq!(done.status, 200, "{}", done.body);
    let again = open.post(&format!("/api/v1/runs/{newest}/revert"), &operator, JSON, "{}");
    assert_eq!((again.status, again.json()["answer"].clone()), (409, json!("already_reverted")), "{}", again.body);
    let stale = open.post(&format!("/api/v1/runs/{run}/apply"), &operator, "", "");
    assert_eq!((stale.status, stale.json()["type"].clone()), (409, json!("urn:rosterd:problem:plan_stale")));
    // Pauses.
    let pause = json!({"source": "sis", "to": "2099-01-01", "reason": "rollover"}).to_string();
    assert_eq!(open.post(&format!("{API}/pauses"), &admin, JSON, &pause).status, 200);
    assert_eq!(open.get(&format!("{API}/pauses"), &admin).json()["pauses"].as_array().map(Vec::len), Some(1));
    let lifted = open.ask("DELETE", &format!("{API}/pauses/sis"), Some(&admin), "*/*", "").json();
    assert_eq!(lifted["lifted"], 1);
    assert_eq!(open.ask("DELETE", &format!("{API}/pauses/none"), Some(&admin), "*/*", "").status, 404);
    open.daemon.stop();
}

#[test]
fn what_is_coming_and_what_would_have_been() {
    let (open, token) = opened();
    let mut told = open.get(&format!("{API}/forecast?pool=content-district&days=30"), &token).json();
    let mut shown = open.demo.json("forecast northfield content-district --days 30");
    (told["as_of"], shown["as_of"]) = (Value::Null, Value::Null);
    assert_eq!(told, shown);
    let body = json!({"pools": ["content-district"], "set": [{"key": "gap_band", "value": "major"}], "seats": [{"seats": 3, "from": "2026-09-01"}]});
    let would = open.post(&format!("{API}/what-if"), &token, JSON, &body.to_string()).json();
    assert_eq!((&would["exact"], &would["pools"][0]["would"]["over_max"]), (&json!(true), &json!(0)), "{would}");
    for (body, status) in [
        (json!({"pools": ["none"]}), 404),
        (json!({"set": [{"key": "none", "value": "1"}]}), 400),
        (json!({"seats": [{"seats": 1}]}), 400),
        (json!({"from": "never"}), 400),
        (json!({"without": ["none"]}), 404),
        (json!({"nonsense": 1}), 422),
    ] {
        let reply = open.post(&format!("{API}/what-if"), &token, JSON, &body.to_string());
        assert_eq!(reply.status, status, "{body}: {}", reply.body);
    }
    assert_eq!(open.get("/api/v1/renewals?all=true", &token).json(), open.demo.json("renewals --all"));
    open.daemon.stop();
}
