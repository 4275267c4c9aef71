//! Questions about all customers at once, the check of a source, and pages of lists whose rows come and go.

use std::fs;

use rosterd::base::AccessRole;
use serde_json::{Value, json};

use crate::daemon::until;
use crate::door::Open;

/// The value of a field of each row.
fn each(rows: &[Value], field: &str) -> Vec<Value> {
    rows.iter().map(|row| row[field].clone()).collect()
}

#[test]
fn runs_holds_and_proofs_of_all_customers_as_far_as_the_token_sees() {
    let open = Open::new(|demo| demo.set("bootstrap_approval = false", "bootstrap_approval = true"));
    open.until_runs("northfield", 2);
    open.until_runs("larkspur", 1);
    let all = open.token(AccessRole::Operator, "");
    let bound = open.token(AccessRole::Operator, " --customer larkspur");
    let counts = open.token(AccessRole::Reporter, "");
    // As the command line lists them, page by page. A run of a date may come between two questions: then they are asked again.
    let mut runs = Vec::new();
    until("all say the same", || {
        runs = open.all("/api/v1/runs", &all, "runs", 1);
        let own: Vec<Value> = runs.iter().filter(|run| run["customer"] == "larkspur").cloned().collect();
        let said = [
            json!(runs) == open.demo.json("runs --limit 1000")["runs"],
            open.all("/api/v1/runs", &bound, "runs", 1) == own,
            open.all("/api/v1/customers/larkspur/runs", &all, "runs", 1) == own,
            each(&open.all("/api/v1/runs", &counts, "runs", 100), "run") == each(&runs, "run"),
        ];
        if said == [true; 4] { Ok(()) } else { Err(format!("{said:?}: {runs:?}")) }
    });
    assert!(runs.len() >= 3 && each(&runs, "run").is_sorted_by(|a, b| a.as_u64() > b.as_u64()), "{runs:?}");
    let bad = open.get(&format!("/api/v1/runs?after={}", "30203a"), &all);
    assert_eq!(bad.status, 400, "a cursor of another list: {}", bad.body);

    let holds = open.all("/api/v1/holds?all=true", &all, "holds", 1);
    let mut said = open.demo.json("hold list --all")["holds"].as_array().cloned().expect("holds");
    said.sort_by_key(|hold| std::cmp::Reverse(hold["run"].as_u64()));
    assert_eq!(holds, said, "newest first, whosever they are");
    assert!(each(&holds, "customer").contains(&json!("northfield")) && each(&holds, "customer").contains(&json!("larkspur")));
    assert_eq!(each(&open.all("/api/v1/holds", &bound, "holds", 100), "customer"), ["larkspur"]);
    let run = holds.iter().find(|hold| hold["customer"] == "larkspur").expect("one")["run"].clone();
    assert_eq!(open.demo.run(&format!("hold reject {run}")).code, 0);
    assert_eq!(open.all("/api/v1/holds", &bound, "holds", 100), Vec::<Value>::new(), "decided");
    assert_eq!(open.all("/api/v1/holds?all=true", &bound, "holds", 100).len(), 1);

    let proofs = |token: &str| open.get("/api/v1/audit/verify", token);
    until("both prove the same", || {
        let (told, said) = (proofs(&all).json(), open.demo.json("audit verify"));
        if told == said { Ok(()) } else { Err(format!("{told}: {said}")) }
    });
    assert_eq!(each(proofs(&bound).json()["customers"].as_array().expect("proofs"), "customer"), ["larkspur"]);
    assert!(!proofs(&all).head.contains("\netag: "), "there is no one version of all books");
    open.daemon.stop();
}

#[test]
fn books_whose_customer_left_the_settings_are_proved_for_who_sees_all() {
    let open = Open::new(|demo| {
        demo.run("sync larkspur --here");
        demo.set("id = \"larkspur\"", "id = \"larkspur-2\"");
    });
    open.until_runs("northfield", 2);
    open.until_runs("larkspur-2", 1);
    let (all, bound) = (open.token(AccessRole::Operator, ""), open.token(AccessRole::Operator, " --customer larkspur-2"));
    let told = open.get("/api/v1/audit/verify", &all).json();
    let row = told["customers"].as_array().expect("rows").iter().find(|row| row["customer"] == "larkspur").expect("a row");
    assert_eq!((&row["configured"], &row["ok"]), (&json!(false), &json!(true)), "{told}");
    let own = open.get("/api/v1/audit/verify", &bound).json();
    assert_eq!(each(own["customers"].as_array().expect("rows"), "customer"), ["larkspur-2"]);
    // Its runs are the command line's affair; those of others are listed whole around them.
    until("all others are listed", || {
        let (seen, said) = (open.all("/api/v1/runs", &all, "runs", 2), open.demo.json("runs --limit 1000"));
        let mut said = said["runs"].as_array().cloned().expect("runs");
        let count = said.len();
        said.retain(|run| run["customer"] != "larkspur");
        assert!(said.len() < count, "the command line tells of the stranger, too");
        if each(&seen, "run") == each(&said, "run") { Ok(()) } else { Err(format!("{seen:?}: {said:?}")) }
    });
    open.daemon.stop();
}

#[test]
fn a_source_is_checked_from_afar() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::SystemAdmin, " --customer northfield");
    let ask = |customer: &str, source: &str| {
        let path = format!("/api/v1/customers/{customer}/sources/{source}/check");
        let mut reply = open.ask("POST", &path, Some(&token), "*/*", "");
        until("nobody reads the sources", || {
            if reply.status == 409 {
                reply = open.ask("POST", &path, Some(&token), "*/*", "");
                return Err(reply.body.clone());
            }
            Ok(())
        });
        reply
    };
    let said = |source: &str| {
        let out = open.demo.run("check --json").out;
        let checks: Value = serde_json::from_str(&out).expect("JSON");
        let checks = checks["checks"].as_array().cloned().expect("checks");
        checks.into_iter().find(|check| check["what"] == "source" && check["subject"] == source).expect("a check")
    };
    let told = ask("northfield", "sis");
    assert_eq!((told.status, told.head.contains("\netag: ")), (200, true), "{}", told.body);
    let (told, wanted) = (told.json(), said("northfield/sis"));
    assert_eq!((&told["customer"], &told["source"]), (&json!("northfield"), &json!("sis")));
    assert_eq!((&told["ok"], &told["detail"]), (&json!(true), &wanted["detail"]), "{told}");
    // Nothing is there: that is the answer, not a failure to answer.
    let away = open.demo.path().join("away");
    fs::rename(open.demo.drops("northfield"), &away).expect("its share is lost");
    let (told, wanted) = (ask("northfield", "sis").json(), said("northfield/sis"));
    assert_eq!((&told["ok"], &told["detail"]), (&json!(false), &wanted["detail"]), "{told}");
    assert!(told["detail"].as_str().is_some_and(|detail| detail.starts_with("could not ")), "{told}");
    fs::rename(&away, open.demo.drops("northfield")).expect("it is back");
    assert_eq!(ask("northfield", "sis").json()["ok"], true);
    let unknown = ask("northfield", "siss");
    assert_eq!((unknown.status, unknown.json()["type"].clone()), (404, json!("urn:rosterd:problem:unknown")));
    assert!(unknown.body.contains("sis"), "{}", unknown.body);
    assert_eq!(ask("larkspur", "sis").status, 404, "of another customer");
    open.daemon.stop();
}

#[test]
fn pages_leave_nothing_out_and_tell_nothing_twice_while_rows_come_and_go() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::Operator, "");
    let api = "/api/v1/customers/northfield";
    let kind = "Content-Type: application/json\r\n";
    // The queue: whoever ended a page is let in before the next one is asked for, and so is who stood first.
    let queue = format!("{api}/queue?pool=learn-educators");
    let before = each(&open.all(&queue, &token, "waiting", 100), "person");
    assert!(before.len() >= 6, "{before:?}");
    let page = |after: Option<&str>| {
        let after = after.map_or(String::new(), |after| format!("&after={after}"));
        let told = open.get(&format!("{queue}&limit=2{after}"), &token).json();
        (each(told["waiting"].as_array().expect("rows"), "person"), told["next"].as_str().map(str::to_owned))
    };
    let (mut told, mut next) = page(None);
    assert_eq!(told, before[..2]);
    let bought = "{\"seats\":2,\"from\":\"2026-09-01\",\"reference\":\"PO-8\"}";
    for person in &told.clone() {
        let denied = json!({"person": person, "decision": "deny", "reason": "elsewhere"}).to_string();
        let reply = open.post(&format!("{api}/pools/learn-educators/pins"), &token, kind, &denied);
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let now = each(&open.all(&queue, &token, "waiting", 100), "person");
    assert_eq!(now, before[2..], "both are gone");
    while let Some(after) = next {
        let (more, end) = page(Some(&after));
        told.extend(more);
        next = end;
    }
    assert_eq!(told, before, "whoever stood all the time is told once");
    // Purchases: one is added before the place where the first page ended.
    let grants = format!("{api}/grants");
    let before = each(&open.all(&grants, &token, "grants", 100), "id");
    let first = open.get(&format!("{grants}?limit=2"), &token).json();
    let reply =
        open.post(&format!("{api}/pools/learn-educators/grants"), &token, kind, &bought.replace("2026-09-01", "2020-01-01"));
    assert_eq!(reply.status, 200, "{}", reply.body);
    let rest = open.all(&format!("{grants}?after={}", first["next"].as_str().expect("more")), &token, "grants", 100);
    let told: Vec<Value> = each(first["grants"].as_array().expect("rows"), "id").into_iter().chain(each(&rest, "id")).collect();
    assert_eq!(told, before);
    // Runs: new ones come in front of the first page.
    let first = open.get("/api/v1/runs?limit=1", &token).json();
    let before = each(&open.all("/api/v1/runs", &token, "runs", 100), "run");
    let asked = open.ask("POST", &format!("{api}/requests"), Some(&token), "*/*", "{}");
    assert_eq!(asked.status, 202, "{}", asked.body);
    open.until_runs("northfield", 3);
    let rest = open.all(&format!("/api/v1/runs?after={}", first["next"].as_str().expect("more")), &token, "runs", 1);
    let told: Vec<Value> = each(first["runs"].as_array().expect("rows"), "run").into_iter().chain(each(&rest, "run")).collect();
    assert!(before.ends_with(&told), "{told:?} of {before:?}");
    open.daemon.stop();
}
