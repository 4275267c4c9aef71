//! HR systems over sockets: the same staff by SCIM, BambooHR and Workday, lies that remove nobody, dates, manners, resumed
//! pulls, and nothing personal anywhere.

use std::sync::{Arc, Mutex, OnceLock};

use rosterd::base::Secret;
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::plan::Predicate;
use rosterd::roster::Roster;
use rosterd::source::{HrAuth, OAuth2Settings, PageStore, Shelf};
use rosterd::store::{RunRow, RunState, Trigger};
use serde_json::Value;

use crate::fake_hr::{Kind, Office, PERSONAL};
use crate::fake_http::{Asked, FakeServer, Reply};
use crate::net_http::{DRIP, PATIENCE};
use crate::world::{World, succeeded};

/// A company with a seat for everybody; whoever is missing is gone at once, so that a lie would show.
pub fn company() -> World {
    let mut world = World::new("nord").product("p", ProductKind::Module, SeatModel::Role).role_rule("ext:employee", "p").pool(
        "p",
        "nord",
        Some(40),
        OnFull::Wait,
    );
    world.policy.absence_confirmations = 1;
    world
}

/// 20 people in two divisions.
pub fn staffed(office: &Office) {
    for at in 0..20 {
        office.put(&format!("w{at:02}"), |one| {
            one.number = format!("N{at:03}");
            one.email = format!("w{at:02}@nord.example");
            one.division = if at % 2 == 0 { "North" } else { "South" };
            one.ends = if at == 19 { "2030-12-31" } else { "" };
        });
    }
}

pub fn roster(world: &World) -> Roster {
    let service = world.service();
    let standing = service.store().standing(&world.policy.customer).expect("books");
    service.roster(&service.customers()[0], &standing).expect("a roster")
}

fn rules(world: &World, run: &RunRow) -> Vec<String> {
    let findings = world.service().store().findings(run.run, 0, 50).expect("findings");
    findings
        .iter()
        .map(|found| format!("{}:{} {} {} {}", found.file, found.row, found.rule, found.field, found.record))
        .collect()
}

#[test]
fn the_same_staff_by_every_system() {
    for kind in Kind::ALL {
        let office = Office::start(kind);
        staffed(&office);
        office.put("w05", |one| one.active = false);
        let mut world = company();
        office.feeds(&mut world, |_| ());
        let run = world.quiet_night();
        assert_eq!((run.state, run.message.as_str(), run.tally.findings), (RunState::Succeeded, "", 0), "{kind:?}");
        assert_eq!(world.seated("p").len(), 19, "{kind:?}");
        let roster = roster(&world);
        let orgs: Vec<&str> = roster.orgs.iter().map(|org| roster.text(org.id)).collect();
        assert_eq!(orgs, ["nord", "nord/North", "nord/South"], "{kind:?}");
        let one = roster.person(roster.find_person("w03").expect("there"));
        assert_eq!((roster.text(one.given), roster.text(one.email)), ("w03", "w03@nord.example"), "{kind:?}");
        assert_eq!(roster.text(one.identifier), "N003", "{kind:?}");
        // The same again is no news, in pages of another size.
        office.feeds(&mut world, |settings| settings.page_rows = 3);
        let run = world.quiet_night();
        assert!(succeeded(&run) && run.version.is_none(), "{kind:?}: {}", run.message);
        // Who is not told any more is gone; who comes is seated.
        office.remove("w07");
        office.put("w77", |one| one.title = "Instructor");
        assert!(succeeded(&world.quiet_night()));
        let seated = world.seated("p");
        assert!(!seated.contains(&"w07".to_owned()) && seated.contains(&"w77".to_owned()), "{kind:?}");
        let asked = office.server.asked();
        assert!(asked.iter().all(|asked| asked.header("authorization") == Some("Basic aXN1Omh1bnRlcjI=")));
        assert!(asked.iter().all(|asked| asked.header("accept") == Some("application/json")));
        world.verify();
    }
}

#[test]
fn starts_and_ends_act_on_their_days() {
    for kind in [Kind::Report, Kind::WorkdayJson, Kind::WorkdayCsv] {
        let office = Office::start(kind);
        staffed(&office);
        office.put("w01", |one| one.hired = "2026-03-05");
        office.put("w02", |one| one.ends = "2026-03-04");
        office.put("w03", |one| one.ends = "2026-03-01");
        // One product by role, and one for everybody.
        let mut world = company()
            .product("all", ProductKind::Module, SeatModel::Role)
            .rule("everybody", "all", 0, Predicate::Everyone)
            .pool("all", "nord", Some(40), OnFull::Wait);
        office.feeds(&mut world, |_| ());
        let has = |world: &World, key: &str| {
            let has = |pool: &str| world.seated(pool).contains(&key.to_owned());
            assert_eq!(has("p"), has("all"), "{key}");
            has("p")
        };
        let day_begins = |world: &World| {
            let service = world.service();
            service.sync(&service.customers()[0], &Trigger::Dates(world.today), &|_| ()).expect("a run")
        };
        assert!(succeeded(&world.quiet_night()));
        assert!(!has(&world, "w01") && has(&world, "w02") && !has(&world, "w03"), "2 March, {kind:?}");
        world.next_day();
        // From here on nobody answers: first and last days act all the same (R132).
        office.lies(|_, _, _| Reply::html(503));
        assert!(succeeded(&day_begins(&world)));
        assert!(!has(&world, "w01") && has(&world, "w02"), "4 March: the last day is worked, {kind:?}");
        world.next_day();
        assert!(succeeded(&day_begins(&world)));
        assert!(
            world.seated("p").contains(&"w01".to_owned()) && !world.seated("p").contains(&"w02".to_owned()),
            "5 March, {kind:?}"
        );
        assert_eq!(world.run().state, RunState::Failed);
        office.is_honest();
        office.feeds(&mut world, |_| ());
        assert!(succeeded(&world.quiet_night()));
        assert!(has(&world, "w01") && !has(&world, "w02"), "the night of 5 March, {kind:?}");
        world.verify();
    }
}

type Lie = Arc<dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync>;

fn lie(lie: impl Fn(&Asked, usize, Reply) -> Reply + Send + Sync + 'static) -> Lie {
    Arc::new(lie)
}

/// The answer with its JSON changed.
fn changed(reply: Reply, change: impl FnOnce(&mut Value)) -> Reply {
    let mut body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    change(&mut body);
    Reply { body: body.to_string().into_bytes(), ..reply }
}

/// The answer without one key in any record.
fn without(kind: Kind, reply: Reply, key: &'static str) -> Reply {
    changed(reply, |body| {
        for row in body[kind.list()].as_array_mut().expect("a list") {
            row.as_object_mut().expect("a record").remove(key);
        }
    })
}

fn lies_of(kind: Kind) -> Vec<(&'static str, &'static str, Lie)> {
    let mut lies: Vec<(&str, &str, Lie)> = vec![
        ("a server error", "it failed (500), 3 times", lie(|_, _, _| Reply::html(500))),
        ("a burst of 503", "it failed (503), 3 times", lie(|_, _, _| Reply::html(503))),
        ("no more requests", "fewer requests (429), 3 times", lie(|_, _, _| Reply::html(429))),
        (
            "a pause in seconds that is too long",
            "come back in 7200 s",
            lie(|_, _, _| Reply::new(429, "").with("Retry-After", 7200)),
        ),
        (
            "a pause until a date that is too far",
            "come back in 7200 s",
            lie(|_, _, _| {
                let dates = [("Date", "Sun, 06 Nov 1994 08:00:00 GMT"), ("Retry-After", "Sun, 06 Nov 1994 10:00:00 GMT")];
                dates.into_iter().fold(Reply::new(503, ""), |reply, (name, value)| reply.with(name, value))
            }),
        ),
        ("a withdrawn key", "(401)", lie(|_, _, _| Reply::html(401))),
        ("a missing right", "(403)", lie(|_, _, _| Reply::new(403, ""))),
        ("nothing there", "(404)", lie(|_, _, _| Reply::new(404, ""))),
        ("a maintenance page with 200", "a web page", lie(|_, _, _| Reply::html(200))),
        ("an empty body", "empty instead of", lie(|_, _, _| Reply::json(""))),
        ("a cut body", "to its end", lie(|_, _, reply| reply.cut(60))),
        ("a dropped connection", "to its end", lie(|_, _, _| Reply::drop())),
        ("silence", "no answer within", lie(|_, _, _| Reply::hang())),
        ("a body that stops coming", "no answer within", lie(|_, _, reply| reply.stall(60))),
        ("an answer without end", "longer than 100000 bytes", lie(|_, _, _| Reply::json(" ".repeat(100_001)))),
        (
            "another host",
            "never sent to another host",
            lie(|_, _, _| Reply::new(302, "").with("Location", "https://elsewhere.example/x")),
        ),
    ];
    if matches!(kind, Kind::Scim | Kind::WorkdayJson) {
        let slow = lie(|_, _, reply| reply.drip(8, DRIP));
        lies.push(("a body that comes too slowly", "not all of the answer came within", slow));
    }
    if kind != Kind::WorkdayCsv {
        let list = kind.list();
        let other: (&str, Lie) = ("something else", lie(|_, _, _| Reply::json(r#"{"other":[]}"#)));
        lies.extend([
            ("another shape", if kind == Kind::WorkdayJson { "never taken for nobody" } else { other.0 }, other.1),
            (
                "records that are none",
                "JSON of another shape",
                lie(move |_, _, reply| changed(reply, |body| body[list] = serde_json::json!([1]))),
            ),
            ("JSON cut off", "cut-off JSON", lie(|_, _, reply| Reply { body: reply.body[..60].to_vec(), ..reply })),
            (
                "a body of more",
                "broken JSON",
                lie(|_, _, reply| Reply { body: [reply.body, b"{}".to_vec()].concat(), ..reply }),
            ),
        ]);
    }
    match kind {
        Kind::Scim => lies.extend([
            (
                "no total",
                "does not say totalResults",
                lie(|_, _, reply| changed(reply, |body| _ = body["totalResults"].take())),
            ),
            (
                "a larger total",
                "should be 21 records, and only 20",
                lie(|_, _, reply| changed(reply, |body| body["totalResults"] = 21.into())),
            ),
            (
                "an empty page too early",
                "should be 20 records, and only 14",
                lie(|asked, _, reply| {
                    let early = asked.number("startIndex") == Some(15);
                    if early { changed(reply, |body| body["Resources"] = Value::Null) } else { reply }
                }),
            ),
            (
                "totals of pages, and no second page",
                "nothing at this address (404)",
                lie(|asked, _, reply| {
                    if asked.number("startIndex") > Some(1) {
                        return Reply::new(404, "");
                    }
                    changed(reply, |body| body["totalResults"] = body["Resources"].as_array().map_or(0, Vec::len).into())
                }),
            ),
            (
                "totals of pages that heed no count, and no second page",
                "nothing at this address (404)",
                lie({
                    let first = OnceLock::new();
                    move |asked, _, reply| {
                        let reply = match asked.number("startIndex").expect("it") {
                            1 => first.get_or_init(|| reply).clone(),
                            8 => return Reply::new(404, ""),
                            _ => reply,
                        };
                        changed(reply, |body| body["totalResults"] = 7.into())
                    }
                }),
            ),
            (
                "startIndex without effect",
                "nothing but records of earlier pages",
                lie(|_, _, _| Reply::json(r#"{"totalResults":9,"Resources":[{"id":"w00","active":true}]}"#)),
            ),
            (
                "somebody is removed while it is read",
                "did not add up, 3 times",
                lie(|asked, _, reply| {
                    changed(reply, |body| {
                        if asked.number("startIndex") > Some(1) {
                            body["totalResults"] = 19.into();
                            if let Some(rows) = body["Resources"].as_array_mut() {
                                rows.remove(0);
                            }
                        }
                    })
                }),
            ),
            (
                "pages without end",
                "the bound of max_pages is passed",
                lie(|asked, _, _| {
                    let at = asked.number("startIndex").expect("it");
                    Reply::json(format!(r#"{{"totalResults":1,"Resources":[{{"id":"x{at}"}}]}}"#))
                }),
            ),
            (
                "a filter that is refused",
                "invalidFilter",
                lie(|_, _, _| Reply::new(400, r#"{"status":"400","scimType":"invalidFilter","detail":"w05 Test"}"#)),
            ),
        ]),
        Kind::Directory | Kind::Report => {
            lies.extend([
                (
                    "a reason in a header",
                    "it answered with status 401: API key not provided or invalid",
                    lie(|_, _, _| Reply::new(401, "").with("X-BambooHR-Error-Message", "API key not provided or invalid"))
                        as Lie,
                ),
                (
                    "a column that may not be seen any more",
                    "does not tell division",
                    lie(move |_, _, reply| {
                        changed(without(kind, reply, "division"), |body| {
                            if kind == Kind::Directory {
                                body["fields"] = serde_json::json!([]);
                            }
                        })
                    }),
                ),
            ]);
            if kind == Kind::Report {
                let page = |asked: &Asked| asked.number("page").unwrap_or_default();
                lies.extend([
                    (
                        "no termination date",
                        "does not tell terminationDate",
                        lie(move |_, _, reply| without(kind, reply, "terminationDate")) as Lie,
                    ),
                    (
                        "no paging",
                        "something else instead of employees",
                        lie(|_, _, reply| changed(reply, |body| _ = body["pagination"].take())),
                    ),
                    (
                        "no total",
                        "does not say how many",
                        lie(|_, _, reply| changed(reply, |body| _ = body["pagination"]["total_records"].take())),
                    ),
                    (
                        "a larger total",
                        "should be 21 records, and only 20",
                        lie(|_, _, reply| changed(reply, |body| body["pagination"]["total_records"] = 21.into())),
                    ),
                    (
                        "the end too early",
                        "should be 20 records, and only 7",
                        lie(|_, _, reply| {
                            changed(reply, |body| {
                                body["pagination"]["next_page"] = Value::Null;
                                body["pagination"]["total_pages"] = 1.into();
                            })
                        }),
                    ),
                    (
                        "another page",
                        "another one came",
                        lie(|_, _, reply| changed(reply, |body| body["pagination"]["current_page"] = 9.into())),
                    ),
                    (
                        "records that move",
                        "came twice",
                        lie(move |asked, _, reply| {
                            let second = page(asked) == 2;
                            changed(reply, |body| {
                                if second {
                                    body["data"][0]["id"] = "w00".into();
                                }
                            })
                        }),
                    ),
                    (
                        "a total that changes",
                        "the total changed",
                        lie(move |asked, _, reply| {
                            let total = 20 + page(asked);
                            changed(reply, |body| body["pagination"]["total_records"] = total.into())
                        }),
                    ),
                ]);
            }
        }
        Kind::WorkdayJson => {}
        Kind::WorkdayCsv => {
            let text = |reply: &Reply| String::from_utf8(reply.body.clone()).expect("text");
            lies.extend([
                (
                    "JSON instead of CSV",
                    "XML or JSON instead of CSV",
                    lie(|_, _, _| Reply::json(r#"{"Report_Entry":[]}"#)) as Lie,
                ),
                (
                    "no termination date",
                    "no column Termination_Date",
                    lie(move |_, _, reply| Reply {
                        body: text(&reply).replace("Termination_Date", "Terminated").into_bytes(),
                        ..reply
                    }),
                ),
                ("not UTF-8", "not UTF-8", lie(|_, _, reply| Reply { body: [reply.body, vec![0xff, 0xfe]].concat(), ..reply })),
            ]);
        }
    }
    lies
}

#[test]
fn no_lie_and_no_failure_removes_anybody() {
    for kind in Kind::ALL {
        let office = Office::start(kind);
        staffed(&office);
        let mut world = company();
        // With a network of its own each time: a circuit that is open would tell nothing of the next lie.
        let connect = |world: &mut World| {
            office.feeds(world, |settings| (settings.http.body_bytes_max, settings.http.total) = (100_000, PATIENCE));
        };
        connect(&mut world);
        assert!(succeeded(&world.quiet_night()));
        let seated = world.seated("p");
        assert_eq!(seated.len(), 20);
        for (what, told, lie) in lies_of(kind) {
            connect(&mut world);
            office.lies(move |asked, before, reply| lie(asked, before, reply));
            let run = world.quiet_night();
            assert_eq!(run.state, RunState::Failed, "{kind:?}, {what}: {}", run.message);
            let message = &run.message;
            assert!(message.starts_with("source hris: could not ") && message.contains(told), "{kind:?}, {what}: {message}");
            for personal in PERSONAL.into_iter().chain(["Test", "nord.example", "isu"]) {
                assert!(!message.contains(personal), "{kind:?}, {what}: {message}");
            }
            assert_eq!((world.seated("p"), run.version), (seated.clone(), None), "{kind:?}, {what}");
        }
        office.is_honest();
        connect(&mut world);
        office.put("zed", |_| ());
        assert!(succeeded(&world.quiet_night()));
        assert_eq!(world.seated("p").len(), 21);
        world.verify();
    }
}

#[test]
fn odd_manners_are_understood() {
    let count = |body: &Value| body["Resources"].as_array().map_or(0, Vec::len);
    let manners: Vec<(&str, Kind, u32, Lie)> = vec![
        (
            "a clamp",
            Kind::Scim,
            1_000,
            lie(|_, _, reply| {
                changed(reply, |body| body["Resources"].as_array_mut().into_iter().for_each(|rows| rows.truncate(4)))
            }),
        ),
        (
            "totals of pages",
            Kind::Scim,
            7,
            lie(move |_, _, reply| changed(reply, |body| body["totalResults"] = count(body).into())),
        ),
        (
            "startIndex off by one: one comes twice",
            Kind::Scim,
            7,
            lie({
                move |asked, _, reply| {
                    let start = asked.number("startIndex").expect("it");
                    if start == 1 {
                        return reply;
                    }
                    changed(reply, |body| {
                        if let Some(rows) = body["Resources"].as_array_mut() {
                            let id = format!("w{:02}", start - 2);
                            rows.insert(
                                0,
                                serde_json::json!({"id": id, "externalId": format!("N{:03}", start - 2), "active": true,
                                "name": {"givenName": id, "familyName": "Test"}, "title": "Clerk",
                                "emails": [{"value": format!("{id}@nord.example"), "primary": true}],
                                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                                    {"division": if start % 2 == 0 { "North" } else { "South" }}}),
                            );
                        }
                    })
                }
            }),
        ),
        (
            "an error behind the end",
            Kind::Scim,
            10,
            lie(|asked, _, reply| if asked.number("startIndex") > Some(20) { Reply::new(404, "") } else { reply }),
        ),
        (
            "an error behind the end of a list of one page",
            Kind::Scim,
            200,
            lie(|asked, _, reply| if asked.number("startIndex") > Some(20) { Reply::new(400, "") } else { reply }),
        ),
        (
            "an error behind the end of a list of one page, and starts in the middle",
            Kind::Scim,
            200,
            lie(|asked, _, reply| if asked.number("startIndex") > Some(1) { Reply::new(404, "") } else { reply }),
        ),
        (
            "an error behind the end of a list of one page, and counts without effect",
            Kind::Scim,
            200,
            lie({
                let whole = OnceLock::new();
                move |asked, _, reply| match asked.number("startIndex").expect("it") {
                    1 => whole.get_or_init(|| reply).clone(),
                    21 => Reply::new(416, ""),
                    _ => reply,
                }
            }),
        ),
        (
            "names in another case",
            Kind::Scim,
            7,
            lie(|_, _, reply| {
                let text = String::from_utf8(reply.body)
                    .expect("text")
                    .replace("Resources", "resources")
                    .replace("totalResults", "TotalResults");
                Reply { body: text.replace("\"active\"", "\"Active\"").replace("givenName", "GivenName").into_bytes(), ..reply }
            }),
        ),
        (
            "words for booleans",
            Kind::Scim,
            7,
            lie(|_, _, reply| Reply {
                body: String::from_utf8(reply.body)
                    .expect("text")
                    .replace("\"active\":true", "\"active\":\"True\"")
                    .into_bytes(),
                ..reply
            }),
        ),
        (
            "too many at once",
            Kind::Scim,
            80,
            lie(|asked, _, reply| {
                let many = asked.number("count") > Some(20);
                if many { Reply::new(400, r#"{"status":"400","scimType":"tooMany"}"#) } else { reply }
            }),
        ),
        (
            "large pages are too heavy",
            Kind::Scim,
            80,
            lie(|asked, _, reply| if asked.number("count") > Some(20) { Reply::html(504) } else { reply }),
        ),
        (
            "a token of 429 with each form of a pause",
            Kind::Scim,
            20,
            lie(|_, before, reply| match before {
                0 => Reply::new(429, "").with("Retry-After", 17),
                1 => Reply::new(429, "")
                    .with("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT")
                    .with("Date", "Sun, 06 Nov 1994 08:49:37 GMT"),
                2 => reply,
                3 => Reply::new(429, "").with("X-RateLimit-Reset", 42),
                4 => Reply::new(429, ""),
                _ => reply,
            }),
        ),
        ("a burst of failures", Kind::Report, 7, lie(|_, before, reply| if before % 3 < 2 { Reply::html(502) } else { reply })),
        (
            "a clamp of pages",
            Kind::Report,
            5_000,
            lie(|asked, _, reply| {
                assert_eq!(asked.number("page_size"), Some(1_000));
                reply
            }),
        ),
        (
            "a wrong kind of content",
            Kind::WorkdayJson,
            7,
            lie(|_, _, mut reply| {
                reply.headers.clear();
                reply.with("Content-Type", "text/plain")
            }),
        ),
        (
            "a wrong kind of content",
            Kind::WorkdayCsv,
            7,
            lie(|_, _, mut reply| {
                reply.headers.clear();
                reply.with("Content-Type", "text/html")
            }),
        ),
        (
            "a mark at the beginning",
            Kind::WorkdayCsv,
            7,
            lie(|_, _, reply| Reply { body: [b"\xef\xbb\xbf".to_vec(), reply.body].concat(), ..reply }),
        ),
        (
            "nested values",
            Kind::WorkdayJson,
            7,
            lie(|_, _, reply| {
                changed(reply, |body| {
                    for row in body["Report_Entry"].as_array_mut().expect("a list") {
                        row["Unit"] = serde_json::json!([row["Unit"].clone()]);
                    }
                })
            }),
        ),
    ];
    for (what, kind, rows, manner) in manners {
        let office = Office::start(kind);
        staffed(&office);
        let mut world = company();
        office.feeds(&mut world, |settings| settings.page_rows = rows);
        office.lies(move |asked, before, reply| manner(asked, before, reply));
        let run = world.quiet_night();
        assert!(succeeded(&run) && world.seated("p").len() == 20, "{kind:?}, {what}: {}", run.message);
        assert_eq!(rules(&world, &run), [""; 0], "{kind:?}, {what}");
        // And it is the roster that an honest system tells.
        office.is_honest();
        let run = world.quiet_night();
        assert!(succeeded(&run) && run.version.is_none(), "{kind:?}, {what}: {}", run.message);
        if what.contains("429") {
            let waited = office.waited.lock().expect("no panic").as_secs();
            assert!((17 + 30 + 42..200).contains(&waited), "{waited} s were waited");
        }
    }
}

#[test]
fn bad_rows_are_told_and_their_people_keep_everything() {
    for kind in [Kind::Report, Kind::WorkdayJson, Kind::WorkdayCsv] {
        let office = Office::start(kind);
        staffed(&office);
        let mut world = company();
        office.feeds(&mut world, |_| ());
        assert!(succeeded(&world.quiet_night()));
        let seated = world.seated("p");
        office.put("w04", |one| one.ends = "01/03/2026");
        office.put("w06", |one| one.ends = "2019-01-01");
        let run = world.quiet_night();
        assert!(succeeded(&run), "{}", run.message);
        let file = match kind {
            Kind::Report => "employees",
            _ => "Report_Entry",
        };
        let end = office.settings().mapping.end.expect("a column");
        let told = [format!("{file}:5 bad_date {end} w04"), format!("{file}:7 end_before_start {end} w06")];
        assert_eq!((rules(&world, &run), world.seated("p")), (told.to_vec(), seated), "{kind:?}");
        assert!(roster(&world).people[4].quarantined && !roster(&world).people[5].quarantined);
        world.verify();
    }
    // A line with another number of cells is nobody's: nobody is absent while it is there.
    let office = Office::start(Kind::WorkdayCsv);
    staffed(&office);
    let mut world = company();
    office.feeds(&mut world, |_| ());
    assert!(succeeded(&world.quiet_night()));
    office.lies(|_, _, reply| {
        let text = String::from_utf8(reply.body).expect("text");
        let lines: Vec<&str> = text.lines().filter(|line| !line.contains("w08")).collect();
        Reply { body: (lines.join("\r\n") + "\r\n\"w09\",\"x\"\r\n").into_bytes(), ..reply }
    });
    let run = world.quiet_night();
    assert_eq!(rules(&world, &run), ["Report_Entry:20 bad_row  "]);
    assert_eq!(world.seated("p").len(), 20);
}

#[test]
fn a_column_that_no_record_has_is_told_where_it_may_be_empty() {
    let office = Office::start(Kind::WorkdayJson);
    staffed(&office);
    let mut world = company();
    office.feeds(&mut world, |settings| settings.mapping.end = Some("Termination_Day".into()));
    let run = world.quiet_night();
    assert_eq!(rules(&world, &run), ["Report_Entry:0 column_unseen Termination_Day "]);
    assert!(succeeded(&run) && world.seated("p").len() == 20);
}

#[test]
fn tokens_die_in_the_middle_and_are_renewed() {
    let issued = Arc::new(Mutex::new(0u32));
    let tokens = FakeServer::start({
        let issued = issued.clone();
        move |_, _| {
            let mut issued = issued.lock().expect("no panic");
            *issued += 1;
            Reply::json(format!(r#"{{"access_token":"t-{issued}","expires_in":3600}}"#))
        }
    });
    let office = Office::start(Kind::Scim);
    staffed(&office);
    let used = Mutex::new(0u32);
    let last = issued.clone();
    office.lies(move |asked, _, reply| {
        let mut used = used.lock().expect("no panic");
        let current = format!("Bearer t-{}", last.lock().expect("no panic"));
        if asked.header("authorization") != Some(&current) || *used >= 2 {
            *used = 0;
            return Reply::new(401, "");
        }
        *used += 1;
        reply
    });
    let mut world = company();
    let auth = HrAuth::OAuth2(OAuth2Settings {
        token_address: tokens.url("/token"),
        client_id: Secret::new("id"),
        client_secret: Secret::new("hunter2"),
        scopes: Vec::new(),
        client_auth: Default::default(),
        cookies: false,
    });
    office.feeds(&mut world, |settings| {
        settings.auth = auth;
        settings.page_rows = 3;
    });
    let run = world.quiet_night();
    assert!(succeeded(&run) && world.seated("p").len() == 20, "{}", run.message);
    assert!(*issued.lock().expect("no panic") >= 4);
}

/// Pages that stay when a pull is given up, as in the spool; and all that was ever put there.
#[derive(Clone, Default)]
pub struct Kept {
    pages: Arc<Mutex<Vec<Vec<u8>>>>,
    ever: Arc<Mutex<Vec<u8>>>,
}

impl PageStore for Kept {
    fn shelf(&self, _: &str) -> Box<dyn Shelf> {
        Box::new(self.clone())
    }
}

impl Shelf for Kept {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        self.pages.lock().expect("no panic").get(number as usize).cloned()
    }

    fn put(&mut self, number: u32, page: &[u8]) -> Result<(), rosterd::source::NoRoom> {
        self.ever.lock().expect("no panic").extend_from_slice(page);
        let mut pages = self.pages.lock().expect("no panic");
        pages.truncate(number as usize);
        pages.push(page.to_vec());
        Ok(())
    }

    fn cut(&mut self, from: u32) {
        self.pages.lock().expect("no panic").truncate(from as usize);
    }
}

#[test]
fn a_broken_off_pull_goes_on_where_it_was() {
    for kind in [Kind::Scim, Kind::Report] {
        let kept = Kept::default();
        let mut office = Office::start(kind);
        office.pages = Arc::new(kept.clone());
        staffed(&office);
        let mut world = company();
        let connect = |world: &mut World| office.feeds(world, |settings| settings.page_rows = 3);
        connect(&mut world);
        // Four pages come, then nobody answers.
        office.lies(|_, before, reply| if before < 4 { reply } else { Reply::html(500) });
        assert_eq!(world.run().state, RunState::Failed);
        office.is_honest();
        connect(&mut world);
        let asked = office.server.asked().len();
        assert!(succeeded(&world.run()));
        assert_eq!(world.seated("p").len(), 20);
        let all = if kind == Kind::Scim { 8 } else { 7 };
        assert_eq!(
            office.server.asked().len() - asked,
            all - 3,
            "{kind:?}: of four of {all} pages the last is looked at again"
        );
        assert!(kept.pages.lock().expect("no panic").is_empty(), "done with");
        // A pull with other columns does not use them.
        office.lies(|_, before, reply| if before < 4 { reply } else { Reply::html(500) });
        assert_eq!(world.run().state, RunState::Failed);
        office.is_honest();
        office.feeds(&mut world, |settings| {
            settings.page_rows = 3;
            settings.mapping.username = settings.mapping.email.clone().map(|_| settings.mapping.person_id.clone());
            settings.mapping.roles.columns.clear();
        });
        let asked = office.server.asked().len();
        assert!(succeeded(&world.run()));
        assert_eq!(office.server.asked().len() - asked, all, "{kind:?}");
    }
}

#[test]
fn nothing_personal_is_stored_logged_or_spooled() {
    for kind in Kind::ALL {
        let kept = Kept::default();
        let mut office = Office::start(kind);
        office.pages = Arc::new(kept.clone());
        staffed(&office);
        let mut world = company();
        office.feeds(&mut world, |_| ());
        assert!(succeeded(&world.quiet_night()));
        office.put("w04", |one| one.hired = "unknown");
        let run = world.quiet_night();
        let pages = kept.ever.lock().expect("no panic").clone();
        let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(holds(&pages, "w05@nord.example"), "{kind:?}: what a column asks for is there");
        let snapshot = format!("{:?}", roster(&world).texts);
        assert!(snapshot.contains("w05@nord.example"));
        let mut files = Vec::new();
        for entry in std::fs::read_dir(world.dir.path()).expect("a folder").flatten() {
            if entry.path().is_file() {
                files.extend(std::fs::read(entry.path()).expect("a file"));
            }
        }
        for personal in PERSONAL {
            assert!(!holds(&pages, personal), "{kind:?}: {personal} lies on the shelf");
            assert!(!holds(&files, personal), "{kind:?}: {personal} lies in the store");
            assert!(!snapshot.contains(personal) && !run.message.contains(personal), "{kind:?}");
        }
    }
}

#[test]
fn check_says_whether_it_answers_and_what_is_wrong() {
    for kind in Kind::ALL {
        let office = Office::start(kind);
        staffed(&office);
        let feed = office.feed(office.settings(), &office.network());
        let told = feed.source.check().expect("answers");
        assert!(told.contains("answers, 20 "), "{told}");
        let mut settings = office.settings();
        settings.mapping.given = Some("Nickname".into());
        settings.mapping.orgs.levels.clear();
        let checked = office.feed(settings, &office.network()).source.check();
        assert_eq!(checked.is_err(), matches!(kind, Kind::Directory | Kind::Report | Kind::WorkdayCsv), "{kind:?}");
        office.lies(|_, _, _| Reply::html(200));
        assert!(office.feed(office.settings(), &office.network()).source.check().is_err(), "{kind:?}");
    }
}
