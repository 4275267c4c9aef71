//! Questions about the past over HTTP (R159, ADR 13): each says what the command line says with `--as-of`, and is not taken for
//! an answer about now.

use std::collections::BTreeSet;
use std::fs;

use rosterd::base::{AccessRole, Calendar, Day, Instant};
use rosterd::clock::{Clock, SystemClock};
use rosterd::http::openapi_json;
use serde_json::{Value, json};

use crate::door::Open;

const FIRST: &str = "2026-09-02T08:30:00Z";
const SECOND: &str = "2026-09-03T08:30:00Z";

/// A question, what its query says, and the verb that answers it with the part of the verb's answer.
type Asked = (&'static str, &'static str, Option<(&'static str, &'static str)>);

/// Each question that takes another instant for now, and the verb that does. Where no verb
/// tells it by itself: none.
const ASKED: [Asked; 30] = [
    ("/api/v1/customers", "", None),
    ("/api/v1/customers/{customer}", "", Some(("status northfield", "/customers/0"))),
    ("/api/v1/customers/{customer}/orgs", "", None),
    ("/api/v1/customers/{customer}/pools", "", Some(("pool list northfield", ""))),
    (
        "/api/v1/customers/{customer}/pools/{pool}",
        "since=2026-09-01",
        Some(("pool show northfield {pool} --since 2026-09-01", "")),
    ),
    ("/api/v1/customers/{customer}/pools/{pool}", "reasons=true", Some(("explain northfield --pool {pool}", ""))),
    ("/api/v1/customers/{customer}/queue", "pool={pool}", Some(("queue northfield {pool}", ""))),
    ("/api/v1/customers/{customer}/grants", "pool={pool}", None),
    ("/api/v1/customers/{customer}/terms", "pool={pool}", Some(("pool show northfield {pool}", "/terms"))),
    ("/api/v1/customers/{customer}/pins", "pool=observe-educators", Some(("pool show northfield observe-educators", "/pins"))),
    ("/api/v1/customers/{customer}/seat-requests", "", Some(("pool requests northfield", ""))),
    ("/api/v1/customers/{customer}/people", "text=t-05", Some(("people northfield t-05 --limit 1000", ""))),
    ("/api/v1/customers/{customer}/people/{person}/explain", "product=learn", Some(("explain northfield {person} learn", ""))),
    ("/api/v1/customers/{customer}/people/{person}/access", "", Some(("access northfield {person}", ""))),
    ("/api/v1/customers/{customer}/access", "", None),
    ("/api/v1/customers/{customer}/episodes", "", Some(("episode list northfield", ""))),
    ("/api/v1/customers/{customer}/episodes/{episode}", "", Some(("episode show northfield {episode}", ""))),
    ("/api/v1/customers/{customer}/episodes/{episode}/export", "", Some(("episode export northfield {episode}", ""))),
    (
        "/api/v1/customers/{customer}/reports/licenses",
        "product=learn",
        Some(("report licenses northfield --product learn", "")),
    ),
    ("/api/v1/customers/{customer}/reports/claims", "pool={pool}", Some(("report claims northfield --pool {pool}", ""))),
    ("/api/v1/customers/{customer}/reports/dashboard", "", Some(("report dashboard northfield", ""))),
    ("/api/v1/customers/{customer}/reports/consumption", "", Some(("report consumption northfield", ""))),
    ("/api/v1/customers/{customer}/reports/compliance", "", Some(("report compliance northfield", ""))),
    ("/api/v1/customers/{customer}/reports/usage", "", Some(("report usage northfield", ""))),
    ("/api/v1/customers/{customer}/reports/advice", "", Some(("report advice northfield", ""))),
    ("/api/v1/customers/{customer}/reports/reuse", "", Some(("report reuse northfield", ""))),
    ("/api/v1/customers/{customer}/reports/unseated", "", Some(("report unseated northfield", ""))),
    ("/api/v1/customers/{customer}/reports/high-water", "", Some(("report high-water northfield", ""))),
    ("/api/v1/renewals", "all=true", Some(("renewals --all", ""))),
    ("/api/v1/customers/{customer}/renewals", "all=true", Some(("renewals northfield --all", ""))),
];

/// The date so many days from now, whenever that is.
fn in_days(days: i32) -> Day {
    Calendar::utc().day_of(SystemClock.now()).plus(days)
}

/// The demo's two nights as they would have been, with something bought, pinned and asked for between them, and then the daemon.
/// Two teachers of Ash teach at Cedar, too: one since ever, the other in a week from now.
fn past() -> (Open, String) {
    let open = Open::new(|demo| {
        let roles = demo.drops("northfield").join("2026-09-01/roles.csv");
        let text = fs::read_to_string(&roles).expect("roles");
        let later = in_days(7);
        let both = format!("r-a,,,t-001,secondary,teacher,,,nf-cedar,\nr-b,,,t-010,secondary,teacher,{later},,nf-cedar,\n");
        fs::write(&roles, format!("{}\n{both}", text.trim_end())).expect("written");
        demo.hold_back("northfield", "2026-09-02");
        demo.run(&format!("sync northfield --here --as-of {FIRST}"));
        demo.bring("northfield", "2026-09-02");
        let pool = "northfield learn-educators";
        for done in [
            format!("pool request-seats {pool} --seats 4"),
            format!("pool grant {pool} --seats 1 --from 2026-09-03 --reference PO-7"),
            "pool pin northfield observe-educators t-058 assign --reason visits".to_owned(),
            "sync northfield --here".to_owned(),
        ] {
            let done = demo.run(&format!("{done} --as-of {SECOND}"));
            assert!([0, 6].contains(&done.code), "{done:?}");
        }
    });
    let token = open.token(AccessRole::Operator, "");
    (open, token)
}

fn filled(text: &str) -> String {
    text.replace("{customer}", "northfield")
        .replace("{pool}", "learn-educators")
        .replace("{person}", "t-058")
        .replace("{episode}", "1")
}

#[test]
fn r159_each_question_about_the_past_is_answered_as_the_command_line_does() {
    let (open, token) = past();
    let document = openapi_json();
    let of_past = |(path, operations): (&String, &Value)| {
        let takes = |one: &Value| one["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == "as_of"));
        takes(&operations["get"]).then(|| path.clone())
    };
    let told: BTreeSet<String> = document["paths"].as_object().expect("paths").iter().filter_map(of_past).collect();
    let asked = ASKED.map(|(path, ..)| path).into_iter().chain(["/api/v1/customers/{customer}/forecast"]);
    assert_eq!(told, asked.map(str::to_owned).collect(), "every one of them is looked at here");
    let (mut moved, mut known) = (BTreeSet::new(), BTreeSet::new());
    for (path, more, verb) in ASKED {
        let whole = if lists(&document, path) { "limit=1000" } else { "" };
        let asked = |as_of: &str| {
            let query: Vec<&str> = [whole, more, as_of].into_iter().filter(|part| !part.is_empty()).collect();
            filled(&format!("{path}?{}", query.join("&")))
        };
        let at = filled(path);
        let now = open.get(&asked(""), &token);
        assert_eq!((now.status, now.head.contains("\netag: ")), (200, path.contains("{customer}")), "{at}: {}", now.head);
        let far = open.get(&asked("as_of=9999-12-30"), &token);
        assert_eq!(far.status, 400, "{at}: {}", far.body);
        let never = open.get(&asked("as_of=0001-01-01"), &token);
        let gone = path.contains("{episode}") || path.contains("unseated") || path.contains("explain");
        assert!(never.status == 200 || (gone && never.status == 404), "{at}: {} {}", never.status, never.body);
        for instant in [FIRST, SECOND] {
            let reply = open.get(&asked(&format!("as_of={instant}")), &token);
            assert!(!reply.head.contains("\netag: "), "{at}: an answer about the past is not what a write may rely on");
            let Some((verb, part)) = verb else {
                assert_eq!(reply.status, 200, "{at}: {}", reply.body);
                continue;
            };
            let said = open.demo.run(&format!("{} --json --as-of {instant}", filled(verb)));
            if said.code != 0 {
                // The roster of then, or the overage, is not there: for neither door.
                let told = reply.json();
                assert_eq!((reply.status, &told["type"]), (404, &json!("urn:rosterd:problem:unknown")), "{at}: {}", reply.body);
                let detail = told["detail"].as_str().expect("a detail");
                assert!(said.err.contains(detail.trim_start_matches("could not ")), "{at}: {detail}: {}", said.err);
                continue;
            }
            let said: Value = serde_json::from_str(&said.out).expect("JSON");
            let mut told = reply.json();
            let own = told.as_object_mut().expect("an object");
            if own.remove("next").is_some_and(|next| !next.is_null()) {
                panic!("{at} is longer than a page");
            }
            // Both doors ask one service: what it says has happened is no later than that.
            let happened = instants(&told);
            assert!(happened.iter().all(|at| *at <= instants(&json!({"at": instant}))[0]), "{at} as of {instant}: {told}");
            known.extend(Some(path).filter(|_| !happened.is_empty()));
            let wanted = said.pointer(part).unwrap_or_else(|| panic!("{verb}: {said}"));
            let all = told.clone();
            let told = if wanted.is_array() { told[part.trim_start_matches('/')].clone() } else { told };
            assert_eq!(&told, wanted, "{at} as of {instant}");
            // Not by the instant alone that is told with it.
            let bare = |mut told: Value| {
                let fields = told.as_object_mut().expect("an object");
                fields.retain(|field, _| !["as_of", "snapshot", "stale", "exported", "next"].contains(&field.as_str()));
                told
            };
            if bare(all) != bare(now.json()) {
                moved.insert(path);
            }
        }
    }
    for must in ["", "/queue", "/pins", "/episodes/{episode}", "/episodes/{episode}/export"] {
        assert!(known.contains(format!("/api/v1/customers/{{customer}}{must}").as_str()), "{must} tells instants: {known:?}");
    }
    for must in
        ["/pools", "/pools/{pool}", "/queue", "/pins", "/episodes", "/seat-requests", "/reports/licenses", "/reports/claims"]
    {
        assert!(
            moved.contains(format!("/api/v1/customers/{{customer}}{must}").as_str()),
            "{must} was otherwise then: {moved:?}"
        );
    }
    let seats =
        |as_of: &str| open.get(&format!("/api/v1/customers/northfield/grants?pool=learn-educators{as_of}"), &token).json();
    let count = |told: Value| told["grants"].as_array().map_or(0, Vec::len);
    assert_eq!(
        count(seats(&format!("&as_of={FIRST}"))) + 1,
        count(seats(&format!("&as_of={SECOND}"))),
        "what was bought between"
    );
    open.daemon.stop();
}

/// All instants at which something is said to have happened, wherever in an answer.
fn instants(told: &Value) -> Vec<Instant> {
    match told {
        Value::Object(fields) => {
            let happened = ["at", "began", "ended", "recorded", "opened", "told", "since"];
            let own = fields.iter().filter(|(field, _)| happened.contains(&field.as_str()));
            let own = own.filter_map(|(_, at)| Instant::parse(at.as_str()?));
            own.chain(fields.values().flat_map(instants)).collect()
        }
        Value::Array(items) => items.iter().flat_map(instants).collect(),
        _ => Vec::new(),
    }
}

/// Whether a question is answered in pages.
fn lists(document: &Value, path: &str) -> bool {
    let parameters = document["paths"][path]["get"]["parameters"].as_array().expect("parameters");
    parameters.iter().any(|one| one["name"] == "limit")
}

#[test]
fn r159_forms_dates_and_what_cannot_be_asked_of_the_past() {
    let (open, token) = past();
    let api = "/api/v1/customers/northfield";
    let csv = open.ask("GET", &format!("{api}/reports/licenses?as_of={FIRST}"), Some(&token), "text/csv", "");
    let said = open.demo.run(&format!("report licenses northfield --csv --as-of {FIRST}"));
    assert_eq!((csv.status, &csv.body), (200, &said.out));
    assert_ne!(csv.body, open.ask("GET", &format!("{api}/reports/licenses"), Some(&token), "text/csv", "").body);
    // A date is its midnight in UTC, an offset counts.
    let pools = |as_of: &str| open.get(&format!("{api}/pools?as_of={as_of}"), &token).json();
    assert_eq!(pools("2026-09-03"), pools("2026-09-03T00:00:00Z"));
    assert_eq!(pools("2026-09-03T02:30:00%2B02:00"), pools("2026-09-03T00:30:00Z"));
    let none = pools("2020-01-01");
    assert_eq!((&none["pools"][0]["used"], &none["snapshot"]), (&json!(0), &Value::Null), "before there was anything");
    // Everybody, for another system; a forecast; what would have been.
    let everybody = open.get(&format!("{api}/access?as_of={SECOND}"), &token);
    // It comes in chunks, each of whole lines.
    let people = |text: &str| text.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect::<Vec<_>>();
    let said = people(&open.demo.run(&format!("access northfield --as-of {SECOND}")).out);
    assert!(people(&everybody.body) == said && said.len() > 100, "{} people", said.len());
    assert!(said.iter().all(|line| line.contains("\"date\":\"2026-09-03\"")), "on the date that was asked about");
    let ahead = open.get(&format!("{api}/forecast?pool=learn-educators&days=9&as_of={SECOND}"), &token);
    let said = open.demo.run(&format!("forecast northfield learn-educators --days 9 --json --as-of {SECOND}"));
    match said.code {
        0 => assert_eq!(ahead.json(), serde_json::from_str::<Value>(&said.out).expect("JSON")),
        _ => assert_eq!(ahead.status, 404, "{}", ahead.body),
    }
    let otherwise = open.post(&format!("{api}/what-if?as_of={SECOND}"), &token, "Content-Type: application/json\r\n", "{}");
    assert_eq!(otherwise.status, 200, "{}", otherwise.body);
    assert_eq!(otherwise.json(), open.demo.json(&format!("what-if northfield --as-of {SECOND}")));
    assert!(!otherwise.head.contains("\netag: "), "{}", otherwise.head);
    // Pages of one instant are of one instant, whatever is done between them.
    let claims = format!("{api}/reports/claims?as_of={SECOND}&limit=7");
    let first = open.get(&claims, &token).json();
    let pin = "{\"person\":\"t-058\",\"decision\":\"assign\",\"reason\":\"visits\"}";
    let kind = "Content-Type: application/json\r\n";
    let pinned = open.post(&format!("{api}/pools/learn-educators/pins"), &token, kind, pin);
    assert_eq!(pinned.status, 200, "{}", pinned.body);
    let mut rows = first["rows"].as_array().cloned().expect("rows");
    let mut next = first["next"].as_str().map(str::to_owned);
    while let Some(after) = next {
        let page = open.get(&format!("{claims}&after={after}"), &token).json();
        rows.extend(page["rows"].as_array().cloned().expect("rows"));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(json!(rows), open.demo.json(&format!("report claims northfield --as-of {SECOND}"))["rows"]);
    // What is asked otherwise.
    for (method, path, status) in [
        ("GET", "/pools?as_of=yesterday", 400),
        ("GET", "/pools?as_of=2026-02-30", 400),
        ("GET", "/pools?as_of=", 400),
        ("GET", "/pools?as_of=2026-09-02&as_of=2026-09-03", 400),
        ("GET", "/runs?as_of=2026-09-02", 400),
        ("GET", "/holds?as_of=2026-09-02", 400),
        ("POST", "/requests?as_of=2026-09-02", 400),
        ("POST", "/pools/learn-educators/pins?as_of=2026-09-02", 400),
    ] {
        let reply = open.ask(method, &format!("{api}{path}"), Some(&token), "*/*", "");
        assert_eq!(
            (reply.status, reply.json()["type"].as_str()),
            (status, Some("urn:rosterd:problem:bad_request")),
            "{path}: {}",
            reply.body
        );
    }
    // Who may ask is of today: a token made now asks about a time before there was one, and no further than else.
    let office = open.token(AccessRole::OrgAdmin, "");
    let report = open.get(&format!("{api}/reports/licenses?as_of={FIRST}"), &office);
    assert_eq!((report.status, report.json()["rows"][0]["org"].clone()), (200, json!("nf-cedar")), "{}", report.body);
    assert_eq!(open.get(&format!("{api}/reports/licenses?org=nf&as_of={FIRST}"), &office).status, 404);
    assert_eq!(open.get(&format!("{api}/pools?as_of={FIRST}"), &office).status, 403);
    assert_eq!(open.get(&format!("{api}/pools?as_of={FIRST}"), "rosterd_1_no").status, 401);
    // So is whose affair a person is, whenever its roles begin and end.
    for (person, status) in [("t-001", 200), ("t-010", 404)] {
        for when in [String::new(), format!("?as_of={}", in_days(14))] {
            let reply = open.get(&format!("{api}/people/{person}/access{when}"), &office);
            assert_eq!(reply.status, status, "{person} {when}: {}", reply.body);
        }
    }
    assert_eq!(open.demo.json("audit verify")["ok"], true);
    open.daemon.stop();
}
