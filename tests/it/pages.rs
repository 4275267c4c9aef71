//! The dashboard without a script: signing in, who sees what, forms that only our pages can send, names that mean harm.

use std::fs;

use rosterd::base::AccessRole;
use rosterd::http::{Deed, PAGES, may};
use serde_json::Value;

use crate::daemon::until;
use crate::site::{Browser, Reply, Site};

/// A path with everything filled in.
fn filled(path: &str, customer: &str) -> String {
    path.replace("{customer}", customer)
        .replace("{pool}", "content-district")
        .replace("{run}", "999")
        .replace("{request}", "1")
        .replace("{episode}", "1")
        .replace("{report}", "advice")
        .replace("{commit}", "1")
}

#[test]
fn signing_in_and_out() {
    let site = Site::open("");
    let token = site.token(AccessRole::ReadOnly, "");
    let mut browser = site.browser();
    let first = browser.get("/");
    assert_eq!((first.status, first.to()), (303, "/login"));
    let deep = browser.get("/c/northfield/queue?pool=learn-educators");
    assert_eq!(deep.to(), "/login?next=%2Fc%2Fnorthfield%2Fqueue%3Fpool%3Dlearn-educators");
    let page = browser.page(deep.to());
    assert_eq!(page.hidden("next"), "/c/northfield/queue?pool=learn-educators");
    let visit = page.header("set-cookie").expect("a cookie");
    assert!(visit.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{visit}");

    // Without what the page gave along, or with another's, nothing is looked at.
    for csrf in ["", "0", &"0".repeat(64)] {
        let refused = browser.ask("POST", "/login", &[("csrf", csrf), ("token", &token)]);
        assert_eq!((refused.status, refused.header("location")), (403, None), "{csrf}");
    }
    browser.more = "Sec-Fetch-Site: cross-site\r\n".to_owned();
    let csrf = page.hidden("csrf");
    assert_eq!(browser.ask("POST", "/login", &[("csrf", &csrf), ("token", &token)]).status, 403);
    browser.more.clear();
    let wrong = browser.ask("POST", "/login", &[("csrf", &csrf), ("token", &format!("{token}0"))]);
    assert_eq!(wrong.status, 403);
    assert!(wrong.body.contains("role=\"alert\">This token is not good"), "{}", wrong.body);
    assert!(!wrong.body.contains(&token), "a token is never said back");

    let form = [("csrf", csrf.as_str()), ("token", &format!(" {token}\n")), ("next", &page.hidden("next"))];
    let done = browser.ask("POST", "/login", &form);
    assert_eq!((done.status, done.to()), (303, "/c/northfield/queue?pool=learn-educators"), "{}", done.body);
    let cookie = done.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.starts_with("rosterd_session=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(browser.page("/c/northfield/queue").body.contains("7 people wait"));

    // Out again, and only by our own form.
    let page = browser.page("/c/northfield");
    assert_eq!(browser.ask("POST", "/logout", &[]).status, 403);
    let kept = browser.cookies.clone();
    let out = browser.send(&page, "/logout", &[]);
    assert_eq!((out.status, out.to(), browser.cookies.contains_key("rosterd_session")), (303, "/login", false));
    browser.cookies = kept;
    assert_eq!(browser.get("/c/northfield").status, 303, "the session itself is over, whoever kept its cookie");

    // A token that is revoked ends what was begun with it.
    let mut browser = site.signed_in(&token);
    assert_eq!(browser.get("/c/northfield").status, 200);
    site.demo.told("token revoke 1");
    assert_eq!(browser.get("/c/northfield").status, 303);
    assert_eq!(browser.sign_in(&token).status, 403);
    // A link on another site brings no cookie along: the page asks once more from here.
    browser.cookies.clear();
    browser.more = "Sec-Fetch-Site: cross-site\r\n".to_owned();
    assert!(browser.page("/c/northfield").body.contains("http-equiv=\"refresh\""));
    site.daemon.stop();
}

#[test]
fn whoever_guesses_is_not_heard_for_a_while() {
    let site = Site::open("");
    let token = site.token(AccessRole::ReadOnly, "");
    let mut browser = site.browser();
    for at in 0..10 {
        // What somebody claims to be counts for nothing where no proxy is.
        browser.more = format!("X-Forwarded-For: 192.0.2.{at}\r\n");
        assert_eq!(browser.sign_in("rosterd_1_0").status, 403, "{at}");
    }
    let late = browser.sign_in(&token);
    assert_eq!(late.status, 429, "also with a good token");
    assert!(late.header("retry-after").and_then(|secs| secs.parse().ok()).is_some_and(|secs: u32| secs > 0 && secs <= 900));
    assert!(late.body.contains("Too many tries"));
    site.daemon.stop();
}

#[test]
fn behind_a_proxy_cookies_are_for_tls_and_tries_count_for_the_client() {
    let site = Site::open("behind_proxy = true");
    let token = site.token(AccessRole::ReadOnly, "");
    let mut guesser = site.browser();
    guesser.more = "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n".to_owned();
    for _ in 0..10 {
        assert_eq!(guesser.sign_in("rosterd_1_0").status, 403);
    }
    // What the client itself wrote into the list counts for nothing: the proxy adds to its end.
    guesser.more = "X-Forwarded-For: 203.0.113.77, 192.0.2.1\r\n".to_owned();
    assert_eq!(guesser.sign_in("rosterd_1_0").status, 429);
    let mut other = site.browser();
    other.more = "X-Forwarded-For: 192.0.2.2\r\n".to_owned();
    let done = other.sign_in(&token);
    let cookie = done.header("set-cookie").expect("a cookie");
    assert!(cookie.starts_with("__Host-rosterd_session=") && cookie.ends_with("; SameSite=Strict; Secure"), "{cookie}");
    assert_eq!(other.get("/c/northfield").status, 200);
    site.daemon.stop();
}

#[test]
fn r157_every_role_at_every_page() {
    let site = Site::open("");
    let mut outside = site.browser();
    for page in &PAGES {
        let path = filled(page.path, "northfield");
        let reply = outside.ask(page.method, &path, &[]);
        assert_eq!((reply.status, reply.to().split('?').next()), (303, Some("/login")), "{path}");
    }
    for (_, role) in AccessRole::WORDS {
        let mut browser = site.signed_in(&site.token(role, ""));
        let csrf = browser.page("/c/northfield/orgs").hidden("csrf");
        for page in PAGES.iter().filter(|page| page.path != "/logout") {
            let path = filled(page.path, "northfield");
            let allowed = page.deed.is_none_or(|deed| may(role, deed));
            let reply = match page.method {
                "POST" => {
                    assert_eq!(browser.ask("POST", &path, &[]).status, 403, "{role} {path} without what our page gives");
                    assert_eq!(browser.ask("POST", &path, &[("csrf", &csrf[1..])]).status, 403, "{role} {path}");
                    // What exactly is asked for does not matter here; it must not be done by the way.
                    browser.ask("POST", &path, &[("csrf", &csrf), ("person", "a"), ("org", "b")])
                }
                _ => browser.get(&path),
            };
            safe(&reply, &path);
            match allowed {
                false => assert_eq!(reply.status, 403, "{role} {path}: {}", reply.body),
                // Who is bound to one org is told no more than that.
                true if role.is_of_org() => assert!([200, 303, 403, 404].contains(&reply.status), "{role} {path}"),
                true => assert!([200, 303, 404].contains(&reply.status), "{role} {path}: {} {}", reply.status, reply.body),
            }
        }
        // A page shows no form and no way that the role cannot go.
        let start = browser.get("/");
        let home = match start.status {
            303 => browser.page(start.to()),
            _ => browser.page("/c/northfield"),
        };
        assert_eq!(home.body.contains("action=\"/c/northfield/sync\""), may(role, Deed::Sync) && !role.is_of_org(), "{role}");
        assert_eq!(home.body.contains("href=\"/c/northfield/audit\""), may(role, Deed::LookAtPeople) && !role.is_of_org());
        assert_eq!(home.body.contains("href=\"/c/northfield/reports\""), may(role, Deed::Report), "{role}");
    }
    site.daemon.stop();
}

/// Nothing inline, nothing of anybody else, nothing kept, nothing framed.
fn safe(reply: &Reply, path: &str) {
    let policy = reply.header("content-security-policy").unwrap_or_else(|| panic!("{path}: {}", reply.head));
    assert!(policy.starts_with("default-src 'none'; style-src 'self'; script-src 'self';"), "{path}: {policy}");
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"), "{path}: {policy}");
    let headers = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
    ];
    for (name, value) in headers {
        assert_eq!(reply.header(name), Some(value), "{path}");
    }
    for inline in ["<script>", " style=\"", " onclick=", "<style", "javascript:", "http://", "https://"] {
        assert!(!reply.body.contains(inline), "{path} has {inline}: {}", reply.body);
    }
}

#[test]
fn what_belongs_to_another_customer_is_not_there() {
    let site = Site::open("");
    let mut browser = site.signed_in(&site.token(AccessRole::SystemAdmin, " --customer larkspur"));
    let start = browser.get("/");
    assert_eq!((start.status, start.to()), (303, "/c/larkspur"));
    let run = site.demo.json("runs northfield")["runs"][0]["run"].as_u64().expect("a run");
    let csrf = browser.page("/c/larkspur").hidden("csrf");
    for page in PAGES.iter().filter(|page| page.path.starts_with("/c/") && page.deed != Some(Deed::DecideHold)) {
        let form = if page.method == "POST" { vec![("csrf", csrf.as_str())] } else { Vec::new() };
        let foreign = browser.ask(page.method, &filled(page.path, "northfield"), &form);
        let none = browser.ask(page.method, &filled(page.path, "nowhere"), &form);
        assert_eq!((foreign.status, none.status), (404, 404), "{}", page.path);
        assert_eq!(foreign.body.replace("northfield", "nowhere"), none.body, "{}", page.path);
    }
    for what in ["runs", "holds", "requests"] {
        let foreign = browser.get(&format!("/c/larkspur/{what}/{run}"));
        let none = browser.get(&format!("/c/larkspur/{what}/99999"));
        if what == "requests" && foreign.status != 404 {
            continue;
        }
        assert_eq!((foreign.status, none.status), (404, 404), "{what}: {}", foreign.body);
        assert_eq!(foreign.body.replace(&format!(" {run}."), " 99999."), none.body, "{what}");
    }
    assert!(!browser.page("/c/larkspur").body.contains("northfield"));
    // Of one org: the report of the org and of those below, and people of it one by one.
    let mut office = site.signed_in(&site.token(AccessRole::OrgAdmin, ""));
    assert_eq!(office.get("/").to(), "/c/northfield/orgs");
    assert!(office.page("/c/northfield/orgs").body.contains("Cedar Academy"));
    assert!(!office.page("/c/northfield/orgs").body.contains("Ash Primary"));
    for beyond in ["orgs?org=nf", "orgs?org=nf-ash", "orgs.csv?org=nf", "person?key=s-0001"] {
        assert_eq!(office.get(&format!("/c/northfield/{beyond}")).status, 404, "{beyond}");
    }
    let own = site.demo.json("report claims northfield --org nf-cedar")["rows"][0]["person"].clone();
    let own = own.as_str().expect("a person");
    assert!(office.page(&format!("/c/northfield/person?key={own}")).body.contains("Has a seat in access-district"));
    assert!(!office.page("/c/northfield/people").body.contains("s-0001"), "nobody is listed");
    site.daemon.stop();
}

#[test]
fn names_that_mean_harm_are_text() {
    let site = Site::open("");
    let users = fs::read_to_string(site.demo.drops("northfield").join("2026-09-02/users.csv")).expect("the second night");
    let header = users.lines().next().expect("a header");
    let given = "\"<script>alert(1)</script>\"";
    let family = "\"\"\"><img src=x onerror=alert(1)>&'\"";
    let changed = "active,2026-09-03T01:15:00.000Z,true";
    site.drop_users(&format!("{header}\ns/9@x,{changed},eve,,{given},{family},,,eve@northfield.example,,,,01,,,,,,nf-birch,"));
    let mut run = None;
    until("the third package is taken in", || {
        let all = site.demo.json("runs northfield");
        let took =
            |run: &&Value| run["packages"].as_array().is_some_and(|packages| packages.contains(&"sis:2026-09-03".into()));
        let found = all["runs"].as_array().and_then(|runs| runs.iter().find(took));
        run = found.filter(|run| !run["ended"].is_null()).and_then(|run| run["run"].as_u64());
        run.map(drop).ok_or_else(|| all.to_string())
    });
    let run = run.expect("a run");
    let mut browser = site.signed_in(&site.token(AccessRole::Operator, ""));
    let link = "/c/northfield/person?key=s%2F9%40x";
    for path in ["/c/northfield/people?q=onerror", &format!("/c/northfield/runs/{run}"), link, "/", "/c/larkspur"] {
        let page = browser.page(path);
        safe(&page, path);
        assert!(!page.body.contains("<img") && !page.body.contains("<script>alert"), "{path}: {}", page.body);
    }
    let people = browser.page("/c/northfield/people?q=onerror");
    let told = "&lt;script&gt;alert(1)&lt;/script&gt; &quot;&gt;&lt;img src=x onerror=alert(1)&gt;&amp;";
    assert!(people.body.contains(told) && people.body.contains(&format!("href=\"{link}\"")), "{}", people.body);
    assert!(browser.page(link).body.contains("Has a seat in access-district"));
    assert!(browser.page("/").body.contains("Larkspur &lt;script&gt;alert(1)&lt;/script&gt; &amp; Co"));
    // Also where it comes back from a query, and where it is not there.
    for path in ["/c/northfield/people?q=%22%3E%3Cscript%3E", "/c/northfield/person?key=%3Cscript%3E", "/c/%3Cscript%3E"] {
        let page = browser.get(path);
        assert!(!page.body.contains("<script>"), "{path}: {}", page.body);
    }
    site.daemon.stop();
}

#[test]
fn pages_say_what_the_command_line_says() {
    let site = Site::open("");
    let mut browser = site.signed_in(&site.token(AccessRole::ReadOnly, ""));
    let page = browser.page("/c/northfield");
    assert!(page.body.contains("<span class=\"num neg\">\u{2212}3</span>"), "{}", page.body);
    assert!(page.body.contains("456 of 453 seats used") && page.body.contains("Minor overage"));
    assert!(page.body.contains("Below zero because of 3 sync overdraw"));
    assert!(browser.page("/c/larkspur").body.contains("Major overage"));
    let new = browser.page("/c/aspen");
    assert!(new.body.contains("Stale") && new.body.contains("No source was taken in yet"), "{}", new.body);
    let why = browser.page("/c/northfield/person?key=t-058");
    assert!(why.body.contains("Waits at position 1 of 7 for a seat in learn-educators."), "{}", why.body);
    assert!(browser.page("/c/northfield/episodes/1").body.contains("456 of 453"));
    assert!(browser.page("/c/northfield/forecast?pool=content-district").body.contains("Major overage"));
    assert!(browser.page("/c/northfield/audit").body.contains("Commit 1"));
    assert!(browser.page("/c/northfield/notices").body.contains("Overage minor"));
    for (path, command) in [
        ("/c/northfield/orgs.csv", "report licenses northfield --csv"),
        (
            "/c/northfield/orgs.csv?org=nf-ash&product=content",
            "report licenses northfield --org nf-ash --product content --csv",
        ),
        ("/c/northfield/reports/compliance/csv", "report compliance northfield --csv"),
        ("/c/northfield/reports/claims/csv", "report claims northfield --csv"),
        ("/c/northfield/reports/unseated/csv", "report unseated northfield --csv"),
        ("/c/northfield/reports/high-water/csv", "report high-water northfield --csv"),
        ("/c/northfield/reports/consumption/csv", "report consumption northfield --csv"),
    ] {
        let csv = browser.page(path);
        assert_eq!(csv.body, site.demo.told(command), "{path}");
        assert!(csv.header("content-disposition").is_some_and(|name| name.starts_with("attachment; ")), "{}", csv.head);
    }
    // A list has 100 rows on a page.
    let first = browser.page("/c/northfield/people");
    assert_eq!(first.body.matches("<th scope=\"row\">").count(), 100);
    assert!(
        first.body.contains("1\u{2013}100 of 670") && first.body.contains("href=\"/c/northfield/people?page=2\""),
        "{}",
        first.body
    );
    let last = browser.page("/c/northfield/people?page=7");
    assert_eq!((last.body.matches("<th scope=\"row\">").count(), last.body.contains("rel=\"next\"")), (70, false));
    assert!(browser.page("/c/northfield/people?page=99").body.contains("Nobody is called that."));
    // What never changes is kept for good.
    let style = first.body.split('"').find(|part| part.starts_with("/assets/style-")).expect("a style").to_owned();
    let style = browser.page(&style);
    assert_eq!(style.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(browser.get("/assets/style-0.css").status, 404);
    site.daemon.stop();
}

#[test]
fn a_same_day_run_without_a_script() {
    let site = Site::open("");
    let mut browser = site.signed_in(&site.token(AccessRole::SystemAdmin, ""));
    let sources = browser.page("/c/northfield/sources");
    assert!(sources.body.contains("2026-09-02") && sources.body.contains("Last success"), "{}", sources.body);
    let both = browser.send(&sources, "/c/northfield/sync", &[("person", "a"), ("org", "b")]);
    assert_eq!((both.status, both.to()), (303, "/c/northfield/sources"));
    assert!(browser.page("/c/northfield/sources").body.contains("role=\"alert\">Name a person or an org, not both."));
    assert!(!browser.page("/c/northfield/sources").body.contains("not both"), "it is said once");
    let asked = browser.send(&sources, "/c/northfield/sync", &[("source", "sis")]);
    assert_eq!(asked.status, 303, "{}", asked.body);
    let (request, mut run) = (asked.to().to_owned(), String::new());
    assert!(request.starts_with("/c/northfield/requests/"), "{request}");
    until("the request came to a run", || {
        let page = browser.get(&request);
        run = page.to().to_owned();
        if page.status == 303 { Ok(()) } else { Err(page.body) }
    });
    let page = browser.page(&run);
    assert!(page.body.contains("Same-day") && page.body.contains("(token 1)"), "{}", page.body);
    let part = browser.page(&format!("{run}/progress"));
    assert!(part.body.contains(&format!("data-over=\"{run}\"")) && !part.body.contains("<html"), "{}", part.body);
    let mut last = asked;
    for _ in 0..7 {
        last = browser.send(&sources, "/c/northfield/sync", &[]);
    }
    assert_eq!(last.to(), "/c/northfield/sources");
    assert!(browser.page("/c/northfield/sources").body.contains("role=\"alert\">All 6 same-day runs of today were asked for"));
    site.daemon.stop();
}

/// The people who are ticked or carried along on a page.
fn kept(page: &Reply) -> Vec<String> {
    let inputs = page.body.split("<input ").skip(1).filter_map(|input| input.split('>').next());
    let kept = inputs
        .filter(|input| input.contains("name=\"keep\"") && (input.contains(" checked") || input.contains("type=\"hidden\"")));
    kept.filter_map(|input| Some(input.split_once("value=\"")?.1.split('"').next()?.to_owned())).collect()
}

#[test]
fn a_hold_is_decided_person_by_person_without_a_script() {
    let site = Site::open("");
    site.end_students(100..240);
    let run = site.held_run();
    let path = format!("/c/northfield/holds/{run}");
    let mut reader = site.signed_in(&site.token(AccessRole::SystemAdmin, ""));
    let seen = reader.page(&path);
    assert!(seen.body.contains("Would go") && !seen.body.contains("type=\"checkbox\""), "who may not decide sees no box");
    let csrf = seen.hidden("csrf");
    assert_eq!(reader.ask("POST", &format!("{path}/approve"), &[("csrf", &csrf)]).status, 403);

    let mut browser: Browser<'_> = site.signed_in(&site.token(AccessRole::Operator, ""));
    assert!(browser.page("/c/northfield").body.contains(&format!("A guard holds run {run}: 140 people wait")));
    let first = browser.page(&path);
    assert_eq!(first.body.matches("type=\"checkbox\"").count(), 100);
    assert!(first.body.contains("access-district, content-district"), "what each would lose: {}", first.body);
    let approve = format!("{path}/approve");
    // On to the second page and back: who was ticked stays ticked, and nothing was decided.
    let second = browser.send(&first, &approve, &[("keep", "s-0101"), ("go", "2")]);
    assert_eq!((second.status, second.body.matches("type=\"checkbox\"").count()), (200, 40));
    assert_eq!(kept(&second), ["s-0101"]);
    let back = browser.send(&second, &approve, &[("keep", "s-0101"), ("keep", "s-0239"), ("go", "1")]);
    assert_eq!(kept(&back), ["s-0239", "s-0101"]);
    assert_eq!(site.demo.json("hold list northfield")["holds"][0]["state"], "open");
    // Somebody whom the hold does not cover.
    let wrong = browser.send(&back, &approve, &[("keep", "t-001")]);
    assert_eq!((wrong.status, wrong.to()), (303, path.as_str()));
    assert!(browser.page(&path).body.contains("does not cover t-001"));
    let done = browser.send(&back, &approve, &[("keep", "s-0101"), ("keep", "s-0239")]);
    assert_eq!((done.status, done.to()), (303, path.as_str()), "{}", done.body);
    let page = browser.page(&path);
    assert!(page.body.contains("role=\"status\">Hold ") && page.body.contains("partly approved"), "{}", page.body);
    let hold = site.demo.json(&format!("hold show {run}"));
    assert_eq!(
        (&hold["exceptions"], &hold["by"]),
        (&serde_json::json!(["s-0101", "s-0239"]), &serde_json::json!("operator:operator (token 2)"))
    );
    assert!(browser.page("/c/northfield/person?key=s-0101").body.contains("access-district active"));
    let gone = browser.page("/c/northfield/person?key=s-0102").body;
    assert!(!gone.contains("access-district active") && gone.contains("Removed until"), "{gone}");
    // A page that answered a form is not asked for without it; the path of a form alone says so.
    assert_eq!(browser.get(&approve).to(), path);
    let alone = browser.get(&format!("{path}/reject"));
    assert_eq!((alone.status, alone.body.contains("This path is not asked that way.")), (405, true), "{}", alone.body);
    // Once is once.
    let again = browser.ask("POST", &approve, &[("csrf", &page.hidden("csrf"))]);
    assert_eq!(again.status, 303);
    let told = browser.page(&path).body;
    assert!(told.contains(&format!("role=\"alert\">Hold {run} is partly approved already.")), "{told}");
    site.demo.told("audit verify northfield");
    site.daemon.stop();
}

#[test]
fn forms_are_bounded() {
    let site = Site::open("");
    let mut browser = site.signed_in(&site.token(AccessRole::Operator, ""));
    let page = browser.page("/c/northfield/sources");
    let long = "x".repeat(2 << 20);
    let reply = browser.send(&page, "/c/northfield/sync", &[("person", &long)]);
    assert_eq!(reply.status, 413);
    site.daemon.stop();
}
