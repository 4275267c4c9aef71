//! OneRoster over REST: the same district as by packages, lies that remove nobody, reads of changes, tokens, resumed pulls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock};

use rosterd::base::{Instant, Secret};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::roster::{RecordHash, Roster, digest_of};
use rosterd::source::{ClientAuth, OAuth2Settings, RestAuth, RestVersion};
use rosterd::store::RunState;

use crate::fake_http::{FakeServer, Reply};
use crate::fake_oneroster::{Provider, segment};
use crate::net_http::{DRIP, PATIENCE};
use crate::world::{World, succeeded};

/// Two schools, three classes, 30 people, a seat for each; whoever is missing is gone at once, so that a lie would show.
pub fn district(customer: &str) -> World {
    let mut world = World::new(customer)
        .school("s1")
        .school("s2")
        .class("c1", "s1", "Art")
        .class("c2", "s2", "Science")
        .product("p", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "p")
        .role_rule("student", "p")
        .pool("p", "d", Some(40), OnFull::Wait);
    for at in 0..30 {
        let (key, school) = (format!("u{at:02}"), if at % 2 == 0 { "s1" } else { "s2" });
        world.hire(&key, if at % 5 == 0 { "teacher" } else { "student" }, school);
        world.enroll(&key, if at % 2 == 0 { "c1" } else { "c2" }, Some("2025-09-01"), Some("2026-07-31"));
        world.people.get_mut(&key).expect("hired").email = format!("{key}@north.example");
    }
    world.policy.absence_confirmations = 1;
    world
}

pub fn roster(world: &World) -> Roster {
    let service = world.service();
    let standing = service.store().standing(&world.policy.customer).expect("books");
    service.roster(&service.customers()[0], &standing).expect("a roster")
}

#[test]
fn the_same_district_by_packages_and_by_rest_is_the_same_roster() {
    let locked = |mut world: World| {
        world.people.get_mut("u07").expect("hired").locked = true;
        world
    };
    let mut packages = locked(district("north"));
    assert!(succeeded(&packages.night()));
    let mut by_packages = roster(&packages);
    for version in [RestVersion::V1_1, RestVersion::V1_2] {
        let provider = Provider::start();
        let mut world = locked(district("north"));
        provider.has(&world, version);
        provider.feeds(&mut world, version, |_| ());
        let run = world.run();
        assert_eq!((run.state, run.message.as_str(), run.tally.findings), (RunState::Succeeded, "", 0));
        assert_eq!(world.seated("p"), packages.seated("p"));
        // Roles have ids of their own in packages, and none over the wire; in 1.1 they are not called primary either.
        let mut by_rest = roster(&world);
        for roster in [&mut by_packages, &mut by_rest] {
            for role in &mut roster.roles {
                (role.id, role.primary) = (RecordHash::default(), false);
            }
        }
        assert_eq!(digest_of(&by_rest), digest_of(&by_packages), "{version:?}");
        assert!(provider.server.asked().iter().all(|asked| {
            let header = asked.header("authorization").expect("signed");
            header.starts_with("OAuth oauth_consumer_key=\"key-1\"") && !header.contains("hunter2")
        }));
        world.verify();
    }
}

#[test]
fn an_unchanged_district_is_an_empty_plan() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_2);
    provider.feeds(&mut world, RestVersion::V1_2, |_| ());
    assert!(succeeded(&world.quiet_night()));
    let version = |world: &World| world.service().store().version(&world.policy.customer).expect("a version");
    let first = version(&world);
    for rows in [7, 3, 50] {
        provider.feeds(&mut world, RestVersion::V1_2, move |settings| settings.read.page_rows = rows);
        // Another order of the same records is no news either.
        for list in provider.lists.lock().expect("no panic").values_mut() {
            list.reverse();
        }
        let run = world.quiet_night();
        assert!(succeeded(&run) && run.version.is_none(), "{}", run.message);
        assert_eq!(version(&world), first, "nothing was written");
    }
    let service = world.service();
    let freshness = service.freshness(&service.customers()[0]).expect("a time");
    assert!(!freshness.stale && freshness.snapshot > Some(Instant::parse("2026-03-05T00:00:00Z").expect("a moment")));
}

#[test]
fn absences_are_confirmed_by_looking_again_also_if_nothing_changed() {
    let provider = Provider::start();
    let mut world = district("north");
    world.policy.absence_confirmations = 2;
    provider.has(&world, RestVersion::V1_1);
    provider.feeds(&mut world, RestVersion::V1_1, |settings| settings.read.delta = true);
    assert!(succeeded(&world.quiet_night()));
    world.vanish("u03");
    provider.has(&world, RestVersion::V1_1);
    provider.feeds(&mut world, RestVersion::V1_1, |settings| settings.read.delta = true);
    // A read of changes cannot notice who is missing; the full one after a week does.
    let mut nights = 0;
    while world.seated("p").len() == 30 {
        nights += 1;
        assert!(nights < 12, "the absence was never noticed");
        assert!(succeeded(&world.quiet_night()));
    }
    assert_eq!(nights, 8, "seven days after the first read a full one, and the next night another look");
    assert!(!world.seated("p").contains(&"u03".to_owned()));
    world.verify();
}

type Lie = Arc<dyn Fn(&crate::fake_http::Asked, usize, Reply) -> Reply + Send + Sync>;

fn users(twist: impl Fn(&crate::fake_http::Asked, Reply) -> Reply + Send + Sync + 'static) -> Lie {
    Arc::new(move |asked, _, reply| if segment(asked) == "users" { twist(asked, reply) } else { reply })
}

pub fn with_total(mut reply: Reply, total: impl ToString) -> Reply {
    reply.headers.retain(|(name, _)| name != "X-Total-Count");
    reply.with("X-Total-Count", total)
}

fn without_total(mut reply: Reply) -> Reply {
    reply.headers.retain(|(name, _)| name != "X-Total-Count");
    reply
}

pub fn cut_list(reply: Reply, keep: usize) -> Reply {
    let mut body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
    if let Some(list) = body.as_object_mut().and_then(|body| body.values_mut().next()?.as_array_mut()) {
        list.truncate(keep);
    }
    Reply { body: body.to_string().into_bytes(), ..reply }
}

#[test]
fn no_lie_and_no_failure_removes_anybody() {
    let failure = r#"{"imsx_codeMajor":"failure","imsx_severity":"error","imsx_description":"u05 Test is odd",
        "imsx_CodeMinor":{"imsx_codeMinorField":[{"imsx_codeMinorFieldName":"T","imsx_codeMinorFieldValue":"server_busy"}]}}"#;
    let other = FakeServer::start(|_, _| Reply::json(r#"{"users":[]}"#));
    let away = other.url("/users");
    let lies: Vec<(&str, &str, Lie)> = vec![
        ("a server error", "it failed (500), 3 times", users(|_, _| Reply::html(500))),
        ("too heavy for ever", "it failed (502), 3 times", users(|_, _| Reply::html(502))),
        ("no more requests", "fewer requests (429), 3 times", users(|_, _| Reply::html(429))),
        ("a long pause", "come back in 7200 s", users(|_, _| Reply::new(503, "").with("Retry-After", 7200))),
        ("a withdrawn key", "does not accept the credentials (401)", Arc::new(|_, _, _| Reply::html(401))),
        ("a key withdrawn in the middle", "does not accept the credentials (401)", users(|_, _| Reply::new(401, ""))),
        ("a missing scope", "credentials do not allow it (403)", users(|_, _| Reply::new(403, ""))),
        ("a missing collection", "nothing at this address (404)", users(|_, _| Reply::new(404, ""))),
        ("a log-in page", "a web page or XML instead of JSON", users(|_, _| Reply::html(200))),
        ("an empty body", "empty instead of JSON", users(|_, _| Reply::json(""))),
        ("success with an error in it", "an error (server_busy) instead of users", users(move |_, _| Reply::json(failure))),
        ("another shape", "something else instead of users", users(|_, _| Reply::json(r#"{"orgs":[]}"#))),
        ("a list that is none", "something else instead of users", users(|_, _| Reply::json(r#"{"users":{}}"#))),
        ("records that are none", "JSON of another shape", users(|_, _| Reply::json(r#"{"users":[null]}"#))),
        ("a body cut off", "to its end", users(|_, reply| reply.cut(40))),
        ("JSON cut off", "cut-off JSON", users(|_, reply| Reply { body: reply.body[..40].to_vec(), ..reply })),
        ("a dropped connection", "to its end", users(|_, _| Reply::drop())),
        ("a silent server", "no answer within", users(|_, _| Reply::hang())),
        ("a body that stops coming", "no answer within", users(|_, reply| reply.stall(40))),
        ("a body that comes too slowly", "not all of the answer came within", users(|_, reply| reply.drip(8, DRIP))),
        ("another host", "never sent to another host", users(move |_, _| Reply::new(302, "").with("Location", &away))),
        ("a larger total", "there should be 31 records, and only 30 came", users(|_, reply| with_total(reply, 31))),
        ("a smaller total", "more records than the 20", users(|_, reply| with_total(reply, 20))),
        (
            "a total that changes",
            "the total changed",
            users(|asked, reply| {
                let total = if asked.number("offset") == Some(0) { 30 } else { 29 };
                with_total(reply, total)
            }),
        ),
        (
            "an empty page too early",
            "there should be 30 records, and only 14 came",
            users(|asked, reply| if asked.number("offset") >= Some(14) { cut_list(reply, 0) } else { reply }),
        ),
        (
            "totals of pages, and no second page",
            "its total may be its size",
            users(|asked, reply| match (asked.number("offset"), asked.number("limit")) {
                (Some(0), Some(limit)) => with_total(reply, limit),
                _ => Reply::new(404, ""),
            }),
        ),
        (
            "totals of pages that heed no limit, and no second page",
            "its total may be its size",
            users({
                let first = OnceLock::new();
                move |asked, reply| match asked.number("offset").expect("it") {
                    0 => with_total(first.get_or_init(|| reply).clone(), 7),
                    7 => Reply::new(404, ""),
                    _ => with_total(reply, 7),
                }
            }),
        ),
        (
            "an empty page that names a next one",
            "a page is empty and names a next one",
            users(|asked, reply| {
                let reply = if asked.number("offset") >= Some(14) { cut_list(reply, 0) } else { reply };
                without_total(reply).with("Link", "</users?offset=99>; rel=\"next\"")
            }),
        ),
        (
            "a field that is not known",
            "does not know a field that was asked for (invalid_selection_field); set fields = false",
            Arc::new(|asked, _, reply| {
                let refused = r#"{"imsx_codeMajor":"failure","imsx_codeMinor":"invalid_selection_field"}"#;
                if asked.param("fields").is_some() { Reply::new(400, refused) } else { reply }
            }),
        ),
        ("a list that is empty at once", "there should be 30 records, and only 0 came", users(|_, reply| cut_list(reply, 0))),
        (
            "a page with fewer records than it says",
            "says that they are 7",
            users(|_, reply| cut_list(reply, 5).with("x-count", 7)),
        ),
        (
            "offsets without effect",
            "nothing but records of earlier pages",
            users(|_, _| Reply::json(r#"{"users":[{"sourcedId":"u00","status":"active"}]}"#)),
        ),
        (
            "records that move",
            "records came twice",
            users(|asked, reply| {
                if asked.number("offset") < Some(28) {
                    return without_total(reply);
                }
                let body = if asked.number("offset") >= Some(30) {
                    "[]".to_owned()
                } else {
                    r#"[{"sourcedId":"u01","status":"active"},{"sourcedId":"v01","status":"active"}]"#.to_owned()
                };
                Reply::json(body)
            }),
        ),
        (
            "a data set that is exchanged again and again",
            "exchanged while it was read, 3 times in a row",
            Arc::new(|_, before, reply: Reply| reply.with("x-perm-rev", before)),
        ),
        ("an answer without end", "longer than 100000 bytes", users(|_, _| Reply::json(" ".repeat(100_001)))),
        (
            "pages without end",
            "the bound of max_pages is passed",
            users(|asked, _| {
                let offset = asked.number("offset").expect("an offset");
                Reply::json(format!(r#"{{"users":[{{"sourcedId":"w{offset}","status":"active"}}]}}"#))
            }),
        ),
    ];
    for version in [RestVersion::V1_1, RestVersion::V1_2] {
        let provider = Provider::start();
        let mut world = district("north");
        provider.has(&world, version);
        // With a network of its own each time: a circuit that is open would tell nothing of the next lie.
        let connect = |world: &mut World| {
            provider.feeds(world, version, |settings| {
                settings.read.pages_max = 200;
                settings.read.fields = true;
                settings.read.http.body_bytes_max = 100_000;
                settings.read.http.total = PATIENCE;
            });
        };
        connect(&mut world);
        assert!(succeeded(&world.quiet_night()));
        let seated = world.seated("p");
        assert_eq!(seated.len(), 30);
        for (at, (what, told, lie)) in lies.iter().enumerate() {
            if version == RestVersion::V1_2 && at % 4 > 0 {
                continue;
            }
            connect(&mut world);
            let lie = lie.clone();
            provider.lies(move |asked, before, reply| lie(asked, before, reply));
            let run = world.quiet_night();
            assert_eq!(run.state, RunState::Failed, "{what}: {}", run.message);
            assert!(run.message.starts_with("source sis: could not ") && run.message.contains(told), "{what}: {}", run.message);
            for secret in ["hunter2", "Test", "north.example"] {
                assert!(!run.message.contains(secret), "{what}: {}", run.message);
            }
            assert_eq!((world.seated("p"), run.version), (seated.clone(), None), "{what}");
        }
        provider.is_honest();
        connect(&mut world);
        world.hire("zed", "teacher", "s1");
        provider.has(&world, version);
        assert!(succeeded(&world.quiet_night()));
        assert_eq!(world.seated("p").len(), 31);
        world.verify();
    }
    assert!(other.asked().is_empty(), "another host was never asked");
}

#[test]
fn odd_manners_are_understood() {
    let manners: Vec<(&str, u32, Lie)> = vec![
        ("no headers at all", 7, Arc::new(|_, _, reply| without_total(reply))),
        ("a clamp", 1_000, Arc::new(|_, _, reply| without_total(cut_list(reply, 4)))),
        ("a clamp with a total", 1_000, Arc::new(|_, _, reply| cut_list(reply, 4))),
        (
            "totals of pages",
            7,
            Arc::new(|_, _, reply| {
                let rows = String::from_utf8_lossy(&reply.body).matches("\"status\"").count();
                with_total(reply, rows)
            }),
        ),
        (
            "totals of pages, clamped",
            1_000,
            Arc::new(|_, _, reply| {
                let reply = cut_list(reply, 10);
                let rows = String::from_utf8_lossy(&reply.body).matches("\"status\"").count();
                with_total(reply, rows)
            }),
        ),
        (
            "a bare list",
            7,
            Arc::new(|asked, _, reply| {
                let body: serde_json::Value = serde_json::from_slice(&reply.body).expect("JSON");
                Reply { body: body[segment(asked)].to_string().into_bytes(), ..reply }
            }),
        ),
        (
            "a status on success",
            7,
            Arc::new(|_, _, reply| {
                let body = String::from_utf8(reply.body).expect("text");
                let body = body.replacen('{', r#"{"statusInfoSet":[{"imsx_codeMajor":"success"}],"#, 1);
                Reply { body: body.into_bytes(), ..reply }
            }),
        ),
        (
            "links to an internal host",
            7,
            Arc::new(|asked, _, reply| {
                let total: usize =
                    reply.headers.iter().find(|(name, _)| name == "X-Total-Count").expect("it").1.parse().expect("it");
                let next = asked.number("offset").expect("it") + asked.number("limit").expect("it");
                let rel = if next < total { "next" } else { "last" };
                without_total(reply).with("Link", format!("http://10.0.0.1/x?offset={next}; rel=\"{rel}\""))
            }),
        ),
        (
            "an error behind the end",
            10,
            Arc::new(|asked, _, reply| if asked.number("offset") >= Some(30) { Reply::new(404, "") } else { reply }),
        ),
        (
            "an error behind the end of a collection of one page",
            400,
            Arc::new(|asked, _, reply| if asked.number("offset") > Some(0) { Reply::new(404, "") } else { reply }),
        ),
        ("an error behind the end of a collection of one page, and limits without effect", 400, {
            let whole = Mutex::new(BTreeMap::new());
            Arc::new(move |asked, _, reply| match asked.number("offset") {
                Some(0) => whole.lock().expect("no panic").entry(segment(asked).to_owned()).or_insert(reply).clone(),
                _ if reply.body.ends_with(b"[]}") => Reply::new(404, ""),
                _ => reply,
            })
        }),
        (
            "large pages are too heavy",
            400,
            Arc::new(
                |asked, _, reply| {
                    if segment(asked) == "users" && asked.number("limit") > Some(100) { Reply::html(502) } else { reply }
                },
            ),
        ),
        (
            "an answer in two pieces now and then",
            7,
            Arc::new(|_, before, reply| if before % 4 == 1 { reply.cut(3) } else { reply }),
        ),
        ("one swap of the data set", 7, Arc::new(|_, before, reply| reply.with("x-perm-rev", if before < 5 { 1 } else { 2 }))),
    ];
    for (what, page_rows, manner) in manners {
        let provider = Provider::start();
        let mut world = district("north");
        provider.has(&world, RestVersion::V1_1);
        provider.feeds(&mut world, RestVersion::V1_1, move |settings| settings.read.page_rows = page_rows);
        provider.lies(move |asked, before, reply| manner(asked, before, reply));
        let run = world.quiet_night();
        assert!(succeeded(&run) && world.seated("p").len() == 30, "{what}: {}", run.message);
    }
}

#[test]
fn records_that_cannot_be_used_keep_their_people() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_2);
    provider.feeds(&mut world, RestVersion::V1_2, |_| ());
    assert!(succeeded(&world.quiet_night()));
    {
        let mut lists = provider.lists.lock().expect("no panic");
        let users = lists.get_mut("users").expect("users");
        users[3].as_object_mut().expect("an object").remove("status");
        users[4]["enabledUser"] = "perhaps".into();
        users[5]["roles"] = serde_json::json!([{"roleType": "primary", "role": "student", "org": {"sourcedId": "s1"}, "endDate": "31.12.2026"}]);
        users[6]["roles"] = serde_json::json!([]);
        users[8]["roles"][0]["org"] = serde_json::json!({"sourcedId": "nowhere"});
        let object = users[9].as_object_mut().expect("an object");
        object.remove("sourcedId");
    }
    let run = world.quiet_night();
    assert_eq!((run.state, world.seated("p").len()), (RunState::SucceededWithErrors, 30), "{}", run.message);
    let service = world.service();
    let findings = service.store().findings(run.run, 0, 100).expect("findings");
    let told: BTreeSet<(&str, &str)> = findings.iter().map(|found| (found.rule.as_str(), found.field.as_str())).collect();
    for expected in [
        ("required_blank", "status"),
        ("bad_boolean", "enabledUser"),
        ("bad_date", "endDate"),
        ("required_blank", "roles"),
        ("required_blank", "sourcedId"),
    ] {
        assert!(told.contains(&expected), "{expected:?} is not among {told:?}");
    }
    for found in findings {
        assert!(!found.detail.contains("perhaps") && !found.detail.contains("hunter2"), "{found:?}");
    }
}

#[test]
fn reads_of_changes_lead_where_full_reads_lead() {
    for version in [RestVersion::V1_1, RestVersion::V1_2] {
        let provider = Provider::start();
        let mut world = district("north");
        provider.has(&world, version);
        provider.feeds(&mut world, version, |settings| settings.read.delta = true);
        assert!(succeeded(&world.quiet_night()));
        let stamp = |provider: &Provider, keys: &[&str], at: &str| {
            for row in provider.lists.lock().expect("no panic").values_mut().flatten() {
                let id = row["sourcedId"].as_str().expect("an id").to_owned();
                if keys.iter().any(|key| id == *key || id.starts_with(&format!("e-{key}-"))) {
                    row["dateLastModified"] = at.into();
                }
            }
        };
        *provider.now.lock().expect("no panic") = Instant::parse("2026-03-03T02:30:00Z").expect("a moment");
        world.hire("new", "teacher", "s1");
        world.people.get_mut("u01").expect("known").roles =
            vec![("teacher".into(), "s1".into()), ("teacher".into(), "s2".into())];
        world.people.get_mut("u02").expect("known").roles.truncate(1);
        world.end("u04");
        provider.has(&world, version);
        stamp(&provider, &["new", "u01", "u04"], "2026-03-02T12:00:00Z");
        let asked = provider.server.asked().len();
        let run = world.quiet_night();
        assert!(succeeded(&run), "{}", run.message);
        let asked = &provider.server.asked()[asked..];
        let filter = "dateLastModified>'2026-03-02T02:15:00Z'".to_owned();
        assert!(asked.iter().all(|asked| asked.param("filter") == Some(filter.clone())), "only changes were asked for");
        assert!(world.seated("p").contains(&"new".to_owned()) && !world.seated("p").contains(&"u04".to_owned()));
        // One role less: the place behind the last one is ended.
        *provider.now.lock().expect("no panic") = Instant::parse("2026-03-04T02:30:00Z").expect("a moment");
        world.people.get_mut("u01").expect("known").roles = vec![("teacher".into(), "s2".into())];
        provider.has(&world, version);
        stamp(&provider, &["u01"], "2026-03-03T12:00:00Z");
        assert!(succeeded(&world.quiet_night()));
        let by_changes = roster(&world);
        let live = |roster: &Roster, key: &str| {
            let person = roster.person(roster.find_person(key).expect("there"));
            let roles = &roster.roles[person.roles.0 as usize..][..person.roles.1 as usize];
            roles
                .iter()
                .filter(|role| !role.ended)
                .map(|role| roster.text(roster.orgs[role.org.0 as usize].id).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(live(&by_changes, "u01"), ["s2"], "{version:?}");
        let service = world.service();
        service.forget_cursors(&service.customers()[0], None).expect("forgets");
        let seated = world.seated("p");
        let asked = provider.server.asked().len();
        assert!(succeeded(&world.quiet_night()));
        assert!(provider.server.asked()[asked..].iter().all(|asked| asked.param("filter").is_none()), "a full read");
        assert_eq!((world.seated("p"), live(&roster(&world), "u01")), (seated, vec!["s2".to_owned()]));
        world.verify();
    }
}

#[test]
fn a_refused_filter_becomes_a_full_read() {
    let refused = r#"{"imsx_codeMajor":"failure","imsx_codeMinor":"invalid_filter_field"}"#;
    for refusal in [Reply::new(400, ""), Reply::new(422, ""), Reply::new(501, ""), Reply::json(refused)] {
        let provider = Provider::start();
        let mut world = district("north");
        provider.has(&world, RestVersion::V1_1);
        provider.feeds(&mut world, RestVersion::V1_1, |settings| settings.read.delta = true);
        assert!(succeeded(&world.quiet_night()));
        world.hire("new", "teacher", "s1");
        provider.has(&world, RestVersion::V1_1);
        let what = format!("{refusal:?}");
        provider.lies(move |asked, _, reply| if asked.param("filter").is_some() { refusal.clone() } else { reply });
        let run = world.quiet_night();
        assert!(world.seated("p").contains(&"new".to_owned()), "{what}: {}", run.message);
        let service = world.service();
        let findings = service.store().findings(run.run, 0, 10).expect("findings");
        assert!(findings.iter().any(|found| found.rule == "delta_refused"), "{what}");
    }
}

#[test]
fn tokens_are_fetched_renewed_in_the_middle_and_never_told() {
    for place in [ClientAuth::Basic, ClientAuth::Body, ClientAuth::Query] {
        let provider = Provider::start();
        let issued = Arc::new(Mutex::new(0u32));
        let tokens = FakeServer::start({
            let issued = issued.clone();
            move |asked, _| {
                let known = match place {
                    ClientAuth::Basic => asked.header("authorization") == Some("Basic aWQ6aHVudGVyMg=="),
                    ClientAuth::Body => asked.body.contains("client_id=id&client_secret=hunter2"),
                    ClientAuth::Query => asked.param("client_secret").as_deref() == Some("hunter2"),
                };
                assert_eq!(asked.param("appName").as_deref(), Some("x"));
                assert!(asked.body.starts_with("grant_type=client_credentials&scope=a+b"));
                if !known {
                    return Reply::json(r#"{"error":"invalid_client"}"#).with("X", 1);
                }
                let mut issued = issued.lock().expect("no panic");
                *issued += 1;
                Reply::json(format!(r#"{{"access_token":"t-{issued}","token_type":"Bearer","expires_in":3600}}"#))
            }
        });
        let mut world = district("north");
        provider.has(&world, RestVersion::V1_2);
        // Each token is good for nine requests.
        let used = Mutex::new(0u32);
        let last = issued.clone();
        provider.lies(move |asked, _, reply| {
            let mut used = used.lock().expect("no panic");
            let current = format!("Bearer t-{}", last.lock().expect("no panic"));
            if asked.header("authorization") != Some(&current) || *used >= 9 {
                *used = 0;
                return Reply::new(401, "");
            }
            *used += 1;
            reply
        });
        let token_address = tokens.url("/oauth2/token?appName=x");
        let auth = RestAuth::OAuth2(OAuth2Settings {
            token_address,
            client_id: Secret::new("id"),
            client_secret: Secret::new("hunter2"),
            scopes: vec!["a".into(), "b".into()],
            client_auth: place,
            cookies: false,
        });
        provider.feeds(&mut world, RestVersion::V1_2, move |settings| {
            settings.auth = auth.clone();
            settings.read.page_rows = 3;
        });
        let run = world.quiet_night();
        assert!(succeeded(&run) && world.seated("p").len() == 30, "{}", run.message);
        let count = *issued.lock().expect("no panic");
        assert!((3..=6).contains(&count), "one token for nine requests, not for each: {count}");
        // The service itself refuses.
        drop(tokens);
        let run = world.quiet_night();
        assert_eq!(run.state, RunState::Failed);
        assert!(run.message.contains("connect to") && !run.message.contains("hunter2"), "{}", run.message);
    }
}

#[test]
fn a_token_that_lasts_half_a_minute_is_fetched_once() {
    let provider = Provider::start();
    let tokens = FakeServer::start(|_, _| Reply::json(r#"{"access_token":"t","token_type":"Bearer","expires_in":30}"#));
    let auth = RestAuth::OAuth2(OAuth2Settings {
        token_address: tokens.url("/token"),
        client_id: Secret::new("id"),
        client_secret: Secret::new("hunter2"),
        scopes: Vec::new(),
        client_auth: ClientAuth::Basic,
        cookies: false,
    });
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_2);
    provider.feeds(&mut world, RestVersion::V1_2, move |settings| {
        settings.auth = auth.clone();
        settings.read.page_rows = 3;
    });
    let run = world.quiet_night();
    assert!(succeeded(&run) && provider.server.asked().len() > 20, "{}", run.message);
    assert_eq!(tokens.asked().len(), 1, "no clock moved while it was read");
}

#[test]
fn an_unchanged_revision_costs_one_request() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_1);
    provider.lies(|_, _, reply| reply.with("x-perm-rev", "r1"));
    provider.feeds(&mut world, RestVersion::V1_1, |_| ());
    assert!(succeeded(&world.quiet_night()));
    let asked = provider.server.asked().len();
    let run = world.quiet_night();
    assert!(succeeded(&run) && run.version.is_none(), "{}", run.message);
    assert_eq!(provider.server.asked().len(), asked + 1);
    provider.lies(|_, _, reply| reply.with("x-perm-rev", "r2"));
    world.hire("new", "teacher", "s1");
    provider.has(&world, RestVersion::V1_1);
    assert!(succeeded(&world.quiet_night()));
    assert!(world.seated("p").contains(&"new".to_owned()));
}
