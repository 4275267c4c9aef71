//! Tokens of an org with orgs below it (R157, R163): they see and act on that part of the tree, and on nothing beside or above it.

use std::collections::BTreeSet;
use std::fs;

use rosterd::base::AccessRole;
use serde_json::{Value, json};

use crate::door::Open;

const API: &str = "/api/v1/customers/northfield";
const JSON: &str = "Content-Type: application/json\r\n";

/// The demo with a deeper tree: Ash below the district, Birch below Ash, an annex below Birch; Cedar stands beside Ash. Birch
/// has a pool of its own.
fn deep() -> Open {
    let open = Open::new(|demo| {
        let file = demo.drops("northfield").join("2026-09-01/orgs.csv");
        let orgs = fs::read_to_string(&file).expect("orgs");
        let deep = orgs.replace("NF-02,nf", "NF-02,nf-ash");
        assert_ne!(deep, orgs);
        fs::write(&file, format!("{}\nnf-annex,,,Birch Annex,school,NF-04,nf-birch\n", deep.trim_end())).expect("written");
        // Somebody teaches at the annex who taught at Birch, and of whom the second night tells nothing.
        let later = fs::read_to_string(demo.drops("northfield").join("2026-09-02/roles.csv")).expect("roles");
        let [roles, users] = ["roles.csv", "users.csv"].map(|name| demo.drops("northfield").join("2026-09-01").join(name));
        let mut text = fs::read_to_string(&roles).expect("roles");
        let line = text.lines().find(|line| {
            let key = line.split(',').nth(3).unwrap_or_default();
            line.contains(",teacher,,,nf-birch,") && !later.contains(key)
        });
        let line = line.expect("a teacher").to_owned();
        text = text.replace(&line, &line.replace("nf-birch", "nf-annex"));
        fs::write(&roles, text).expect("written");
        let key = format!("{},", line.split(',').nth(3).expect("a key"));
        let text = fs::read_to_string(&users).expect("users");
        let moved = text
            .lines()
            .map(|line| if line.starts_with(&key) { line.replace("nf-birch", "nf-annex") } else { line.to_owned() });
        fs::write(&users, moved.collect::<Vec<_>>().join("\n") + "\n").expect("written");
        demo.set(
            "[[customer.pool]]\nid = \"observe-educators\"",
            "[[customer.pool]]\nid = \"observe-birch\"\nproduct = \"observe\"\nowner = \"nf-birch\"\n\n\
             [[customer.pool.grant]]\nid = \"observe-b\"\nseats = 50\nfrom = \"2020-08-01\"\n\n\
             [[customer.pool]]\nid = \"observe-educators\"",
        );
    });
    open.until_runs("northfield", 2);
    open
}

/// Somebody whose one role is this one, and who has a seat of the product learn.
fn one_of(open: &Open, role: &str) -> String {
    let people = open.demo.json("people northfield --limit 1000");
    let fits = |person: &&Value| {
        let claims = person["claims"].as_array().expect("claims");
        person["roles"] == json!([role]) && claims.contains(&json!("learn-educators active"))
    };
    let found = people["people"].as_array().expect("people").iter().find(fits);
    found.unwrap_or_else(|| panic!("nobody is {role}"))["person"].as_str().expect("a key").to_owned()
}

#[test]
fn r163_a_token_of_an_inner_org_reaches_its_subtree_and_no_further() {
    let open = deep();
    let [ash, birch, cedar, annex] =
        ["nf-ash", "nf-birch", "nf-cedar", "nf-annex"].map(|org| one_of(&open, &format!("teacher@{org}")));
    let district = {
        let people = open.demo.json("people northfield --limit 1000");
        let at_top = |person: &&Value| {
            person["roles"].as_array().is_some_and(|roles| {
                roles.iter().all(|role| role.as_str().is_some_and(|role| role.ends_with("@nf"))) && !roles.is_empty()
            })
        };
        people["people"]
            .as_array()
            .expect("people")
            .iter()
            .find(at_top)
            .map(|person| person["person"].as_str().expect("a key").to_owned())
    };
    for role in [AccessRole::OrgAdmin, AccessRole::UserManager] {
        let made = open.demo.json(&format!("token create {role} --role {role} --customer northfield --org nf-ash"));
        let token = made["text"].as_str().expect("a text");
        // What it sees of orgs.
        let report = open.get(&format!("{API}/reports/licenses"), token).json();
        let rows = report["rows"].as_array().expect("rows");
        let mut orgs: Vec<&str> = rows.iter().filter_map(|row| row["org"].as_str()).collect();
        orgs.sort_unstable();
        orgs.dedup();
        assert_eq!(orgs, ["nf-ash", "nf-birch"], "{role}: its own org and those right below, none else");
        let below = open.get(&format!("{API}/reports/licenses?org=nf-birch"), token).json();
        let below: BTreeSet<&str> =
            below["rows"].as_array().expect("rows").iter().filter_map(|row| row["org"].as_str()).collect();
        assert_eq!(below, BTreeSet::from(["nf-annex", "nf-birch"]), "{role}");
        let whole = open.demo.json("report licenses northfield --org nf-ash");
        assert_eq!(rows, whole["rows"].as_array().expect("rows"), "{role}");
        for (org, status) in
            [("nf-ash", 200), ("nf-birch", 200), ("nf-annex", 200), ("nf-cedar", 404), ("nf", 404), ("nowhere", 404)]
        {
            let reply = open.get(&format!("{API}/reports/licenses?org={org}"), token);
            assert_eq!(reply.status, status, "{role} {org}: {}", reply.body);
        }
        // Whom it sees.
        let mut people =
            vec![(ash.as_str(), 200), (birch.as_str(), 200), (annex.as_str(), 200), (cedar.as_str(), 404), ("nobody", 404)];
        people.extend(district.as_deref().map(|person| (person, 404)));
        for (person, status) in people {
            for what in ["explain", "access"] {
                let reply = open.get(&format!("{API}/people/{person}/{what}"), token);
                assert_eq!(reply.status, status, "{role} {person} {what}: {}", reply.body);
                if status == 404 {
                    let none = open.get(&format!("{API}/people/nobody/{what}"), token);
                    assert_eq!(reply.body.replace(person, "nobody"), none.body, "what it may not see is not there");
                }
            }
        }
        // Whose seats it gives and takes: by the pool, and by the person. Who is kept out takes no seat, whosever pool it is.
        let acts: [(&str, &str, &str, &str, u16); 13] = [
            ("assign", "learn-educators", &ash, "the district's pool serves it", 200),
            ("assign", "learn-educators", &birch, "of an org below", 200),
            ("assign", "learn-educators", &annex, "of an org below one below", 200),
            ("assign", "learn-educators", &cedar, "of the org beside it", 404),
            ("assign", "observe-birch", &birch, "a pool of an org below", 200),
            ("assign", "observe-birch", &cedar, "somebody else's person", 404),
            ("assign", "content-cedar", &ash, "a pool of the org beside it", 404),
            ("assign", "content-cedar", &cedar, "nothing of it is there", 404),
            ("assign", "learn-educators", "nobody", "nobody", 404),
            ("assign", "nothing", &ash, "no such pool", 404),
            ("deny", "content-cedar", &ash, "its own person", 200),
            ("deny", "content-cedar", &cedar, "somebody else's person", 404),
            ("deny", "observe-birch", &cedar, "somebody else's person", 404),
        ];
        for (decision, pool, person, why, status) in acts {
            let pin = json!({"person": person, "decision": decision, "reason": "visits"}).to_string();
            let done = open.post(&format!("{API}/pools/{pool}/pins"), token, JSON, &pin);
            assert_eq!(done.status, status, "{role}: {decision} {pool} {person}, {why}: {}", done.body);
            if (person, pool) == (ash.as_str(), "content-cedar") && status == 404 {
                continue;
            }
            let lifted = open.ask("DELETE", &format!("{API}/pools/{pool}/pins/{person}"), Some(token), "*/*", "");
            assert_eq!(lifted.status, status, "{role}: {decision} {pool} {person}, {why}: {}", lifted.body);
        }
        // A seat is handed on within its reach alone, from and to.
        for (from, to) in [(&birch, &cedar), (&cedar, &birch)] {
            let hand = json!({"from": from, "to": to, "reason": "visits"}).to_string();
            let done = open.post(&format!("{API}/pools/learn-educators/transfers"), token, JSON, &hand);
            assert_eq!(done.status, 404, "{role}: {from} to {to}: {}", done.body);
        }
        // Nothing of the whole customer.
        for path in
            ["", "/pools", "/queue", "/people?text=t-05", "/runs", "/holds", "/audit", "/people/export", "/reports/claims"]
        {
            let reply = open.get(&format!("{API}{path}"), token);
            assert_eq!(reply.status, 403, "{role} {path}: {}", reply.body);
        }
        let asked = open.post(&format!("{API}/pools/observe-birch/seat-requests"), token, JSON, "{\"seats\":1}");
        assert_eq!(asked.status, 403, "the vendor is asked by the customer: {}", asked.body);
    }
    assert!(district.is_some(), "the demo has somebody of the district alone");
    // A token of the leaf sees less, one of the root sees all.
    let of = |org: &str| {
        let made = open.demo.json(&format!("token create at-{org} --role org-admin --customer northfield --org {org}"));
        let token = made["text"].as_str().expect("a text").to_owned();
        [&ash, &birch, &annex, &cedar].map(|person| open.get(&format!("{API}/people/{person}/explain"), &token).status)
    };
    assert_eq!(
        [of("nf-annex"), of("nf-birch"), of("nf-cedar")],
        [[404, 404, 200, 404], [404, 200, 200, 404], [404, 404, 404, 200]]
    );
    assert_eq!(of("nf"), [200; 4]);
    assert_eq!(open.demo.json("audit verify")["ok"], true);
    open.daemon.stop();
}
