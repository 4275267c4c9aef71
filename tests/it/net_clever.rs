//! Clever: everything is read or nothing, who is in the roster, how the district stands, and how one gets in.

use std::sync::Arc;
use std::time::Duration;

use rosterd::plan::GuardLimits;
use rosterd::source::{CleverAuth, CleverVersion, StaffRole};
use rosterd::store::{RunRow, RunState};
use serde_json::{Value, json};

use crate::fake_clever::Clever;
use crate::fake_http::{Asked, FakeServer, Reply};
use crate::net_classlink::{minute, notices};
use crate::net_http::{DRIP, PATIENCE};
use crate::net_oneroster::{district, roster};
use crate::world::{World, succeeded};

fn seated() -> (Clever, World) {
    let clever = Clever::start();
    let mut world = district("north");
    clever.has(&world);
    clever.feeds(&mut world, |_| ());
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 30);
    (clever, world)
}

pub fn word(asked: &Asked) -> &str {
    asked.path().rsplit('/').next().unwrap_or_default()
}

/// The answer with a change in its body.
pub fn changed(reply: Reply, change: impl FnOnce(&mut Value)) -> Reply {
    let mut body: Value = serde_json::from_slice(&reply.body).expect("JSON");
    change(&mut body);
    Reply { body: body.to_string().into_bytes(), ..reply }
}

fn kept(world: &World, run: &RunRow, told: &str) {
    assert_eq!(run.state, RunState::Failed, "{told}: {}", run.message);
    assert!(run.message.contains(told), "{told}: {}", run.message);
    for secret in ["hunter2", "Test", "north.example", "555-0199", "1/2/2010"] {
        assert!(!run.message.contains(secret), "{}", run.message);
    }
    assert_eq!((world.seated("p").len(), run.version), (30, None));
}

#[test]
fn the_same_people_by_clever_in_both_versions() {
    let mut packages = district("north");
    assert!(succeeded(&packages.night()));
    for version in [CleverVersion::V3_0, CleverVersion::V3_1] {
        let clever = Clever::start();
        let mut world = district("north");
        world.people.get_mut("u00").expect("hired").roles.push(("aide".into(), "s2".into()));
        clever.has(&world);
        clever.feeds(&mut world, move |settings| settings.version = version);
        let run = world.quiet_night();
        assert_eq!((run.state, run.message.as_str(), run.tally.findings), (RunState::Succeeded, "", 0));
        assert_eq!(world.seated("p"), packages.seated("p"));
        let (clevers, files) = (roster(&world), roster(&packages));
        assert_eq!(clevers.people.len(), 30, "contacts are nobody");
        let described = |roster: &rosterd::roster::Roster| {
            let person = |person: &rosterd::roster::Person| {
                let text = |text| roster.text(text).to_owned();
                let home = person.primary_org.map(|org| text(roster.orgs[org.0 as usize].id));
                let classes = roster.enrollments_of(person).map(|e| text(roster.class(e.class).id));
                let classes: Vec<String> = classes.collect();
                (text(person.key), text(person.given), text(person.email), text(person.username), home.is_some(), classes)
            };
            roster.people.iter().map(person).collect::<Vec<_>>()
        };
        for (ours, theirs) in described(&clevers).iter().zip(described(&files)) {
            assert_eq!((&ours.0, &ours.1, &ours.2, &ours.3, &ours.5), (&theirs.0, &theirs.1, &theirs.2, &theirs.3, &theirs.5));
            assert!(ours.4, "everybody has a home");
        }
        let words: Vec<String> = clevers.role_words.iter().map(|word| clevers.text(*word).to_owned()).collect();
        assert_eq!(words, ["aide", "student", "teacher"]);
        let grades: Vec<&str> = clevers.people.iter().map(|person| clevers.text(person.grades)).collect();
        assert!(grades.iter().all(|grade| *grade == "09"), "{grades:?}");
        world.verify();
        // What staff are is a matter of the settings.
        clever.feeds(&mut world, move |settings| {
            settings.version = version;
            settings.staff = StaffRole::SiteAdministrator;
        });
        assert!(succeeded(&world.quiet_night()));
        assert!(roster(&world).role_words.iter().any(|word| roster(&world).text(*word) == "siteAdministrator"));
        let root = format!("/{}/", version.word());
        assert!(clever.server.asked().iter().all(|asked| asked.path().starts_with(&root) || asked.path() == "/oauth/tokens"));
        // Events speak of the same version.
        clever.feeds(&mut world, move |settings| (settings.version, settings.events) = (version, true));
        assert!(succeeded(&world.quiet_night()));
        world.people.get_mut("u03").expect("known").name = "Renamed".into();
        clever.has(&world);
        let before = clever.count();
        assert!(succeeded(&world.quiet_night()));
        assert_eq!(clever.asked_since(before), ["districts", "events"], "{version:?}");
        let read = roster(&world);
        assert_eq!(read.text(read.person(read.find_person("u03").expect("there")).given), "Renamed");
    }
}

#[test]
fn a_version_that_the_application_has_not_is_told() {
    for (has, asks) in [(CleverVersion::V3_0, CleverVersion::V3_1), (CleverVersion::V3_1, CleverVersion::V3_0)] {
        let (clever, mut world) = seated();
        clever.set(|state| state.versions = vec![has]);
        clever.feeds(&mut world, move |settings| settings.version = asks);
        kept(&world, &world.run(), "nothing at this address (404); set api_version");
    }
}

type Lie = Arc<dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync>;

fn on(list: &'static str, twist: impl Fn(&Asked, Reply) -> Reply + Send + Sync + 'static) -> Lie {
    Arc::new(move |asked, _, reply| if word(asked) == list { twist(asked, reply) } else { reply })
}

#[test]
fn no_lie_and_no_failure_removes_anybody() {
    let other = FakeServer::start(|_, _| Reply::json(r#"{"data":[],"links":[]}"#));
    let (away, redirect) = (other.url("/v3.0/users"), other.url("/v3.0/users"));
    let links = |to: String| json!([{"rel": "next", "uri": to}]);
    let lies: Vec<(&str, Lie)> = vec![
        ("it failed (500), 3 times", on("users", |_, _| Reply::html(500))),
        ("it failed (503), 3 times", on("sections", |_, _| Reply::html(503))),
        ("it asks for fewer requests (429), 3 times", on("users", |_, _| Reply::html(429))),
        ("nothing at this address (404)", on("terms", |_, _| Reply::new(404, ""))),
        ("set api_version", on("courses", |_, _| Reply::new(501, ""))),
        ("a web page or XML instead of JSON", on("users", |_, _| Reply::html(200))),
        ("empty instead of JSON", on("users", |_, _| Reply::json(""))),
        ("something else instead of users", on("users", |_, _| Reply::json(r#"{"message":"u05 Test"}"#))),
        ("JSON of another shape", on("users", |_, _| Reply::json(r#"{"data":{}}"#))),
        ("to its end", on("users", |_, reply| reply.cut(40))),
        ("cut-off JSON", on("users", |_, reply| Reply { body: reply.body[..40].to_vec(), ..reply })),
        ("no answer within", on("users", |_, _| Reply::hang())),
        ("no answer within", on("users", |_, reply| reply.stall(40))),
        ("not all of the answer came within", on("users", |_, reply| reply.drip(8, DRIP))),
        ("never sent to another host", on("users", move |_, _| Reply::new(302, "").with("Location", &redirect))),
        (
            "never sent to another host",
            on("users", move |_, reply| changed(reply, |body| body["links"] = json!([{"rel": "next", "uri": away}]))),
        ),
        (
            "leads to another list",
            on("users", move |_, reply| changed(reply, |body| body["links"] = links("/v3.0/schools?limit=7".into()))),
        ),
        (
            "there should be 34 records, and 33 came",
            on("users", |_, reply| {
                changed(reply, |body| {
                    if body["count"].is_number() {
                        body["count"] = json!(34)
                    }
                })
            }),
        ),
        (
            "and 21 came",
            on("users", |asked, reply| {
                // The walk ends too early.
                let at_end = asked.param("starting_after").is_some_and(|after| after.as_str() >= "u13");
                if at_end { changed(reply, |body| body["links"] = json!([])) } else { reply }
            }),
        ),
        (
            "a page does not say whether there is a next one",
            on("users", |_, reply| changed(reply, |body| _ = body.as_object_mut().expect("an object").remove("links"))),
        ),
        (
            "a record came twice",
            on("users", |asked, reply| match asked.param("starting_after") {
                // Where it starts has no effect.
                Some(after) => changed(reply, |body| {
                    body["data"] = json!([{"data": {"id": "u00"}}]);
                    body["links"] = json!([{"rel": "next", "uri": format!("/v3.0/users?starting_after={after}x")}]);
                }),
                None => reply,
            }),
        ),
        (
            "the bound of max_pages is passed",
            on("users", |asked, _| {
                let at = asked.param("starting_after").unwrap_or_default();
                Reply::json(
                    json!({"data": [], "links": [{"rel": "next", "uri": format!("/v3.0/users?starting_after={at}x")}]})
                        .to_string(),
                )
            }),
        ),
        (
            "took in the district's data while it was read, 3 times in a row",
            Arc::new(|asked, before, reply| {
                if word(asked) != "districts" {
                    return reply;
                }
                changed(reply, |body| body["data"][0]["data"]["last_sync"] = json!(format!("2026-03-02T05:00:00Z {before}")))
            }),
        ),
        (
            "the token is not for district d; it is for x",
            on("districts", |_, reply| changed(reply, |body| body["data"][0]["data"]["id"] = json!("x"))),
        ),
        ("it is for none", on("districts", |_, reply| changed(reply, |body| body["data"] = json!([])))),
        ("longer than 100000 bytes", on("users", |_, _| Reply::json(" ".repeat(100_001)))),
        ("disconnected: ", on("users", |_, _| Reply::new(403, ""))),
    ];
    let (clever, mut world) = seated();
    for (told, lie) in lies {
        clever.feeds(&mut world, |settings| {
            settings.pages_max = 80;
            settings.http.body_bytes_max = 100_000;
            settings.http.total = PATIENCE;
        });
        clever.lies(move |asked, before, reply| lie(asked, before, reply));
        let run = world.quiet_night();
        kept(&world, &run, told);
    }
    assert!(other.asked().is_empty(), "another host was never asked");
    clever.is_honest();
    clever.feeds(&mut world, |_| ());
    world.hire("zed", "teacher", "s1");
    clever.has(&world);
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 31);
    world.verify();
}

#[test]
fn odd_manners_are_understood() {
    let manners: Vec<(&str, u32, Lie)> = vec![
        ("a clamp", 1_000, Arc::new(|_, _, reply| reply)),
        ("a limit that is too large", 20_000, Arc::new(|_, _, reply| reply)),
        (
            "an empty page at the end",
            7,
            on("users", |asked, reply| {
                changed(reply, |body| {
                    let after = asked.param("starting_after").unwrap_or_default();
                    let is_last = body["links"].as_array().is_some_and(|links| links.len() == 1);
                    if is_last && after != "~" {
                        body["links"] = json!([{"rel": "next", "uri": "/v3.0/users?limit=7&starting_after=~"}]);
                    }
                })
            }),
        ),
        (
            "large pages are too heavy",
            400,
            on("users", |asked, reply| if asked.number("limit") > Some(100) { Reply::html(502) } else { reply }),
        ),
        (
            "an answer in two pieces now and then",
            7,
            Arc::new(|_, before, reply| if before % 4 == 1 { reply.cut(3) } else { reply }),
        ),
        (
            "the district's data comes in once in the middle",
            7,
            Arc::new(|asked, before, reply| {
                if word(asked) != "districts" || before < 5 {
                    return reply;
                }
                changed(reply, |body| body["data"][0]["data"]["last_sync"] = json!("2026-03-02T05:00:00Z"))
            }),
        ),
        (
            "fields that are missing, null or empty",
            7,
            Arc::new(|asked, _, reply| {
                if !["users", "sections", "terms"].contains(&word(asked)) {
                    return reply;
                }
                changed(reply, |body| {
                    for row in body["data"].as_array_mut().into_iter().flatten() {
                        let row = row["data"].as_object_mut().expect("an object");
                        if word(asked) == "sections" {
                            (row["course"], row["term_id"], row["subject"]) = (json!(null), json!(""), json!(null));
                            row.remove("name");
                        }
                        if word(asked) == "users" {
                            (row["name"], row["email"]) = (json!(""), json!(null));
                        }
                        if word(asked) == "terms" {
                            row.remove("end_date");
                        }
                        row.insert("lms_status".into(), json!({"synced_in_lms": true}));
                    }
                })
            }),
        ),
    ];
    for (what, page_rows, manner) in manners {
        for tells_count in [true, false] {
            let clever = Clever::start();
            let mut world = district("north");
            clever.has(&world);
            clever.set(|state| state.tells_count = tells_count);
            clever.feeds(&mut world, move |settings| settings.page_rows = page_rows);
            let manner = manner.clone();
            clever.lies(move |asked, before, reply| manner(asked, before, reply));
            let run = world.quiet_night();
            assert!(succeeded(&run) && world.seated("p").len() == 30, "{what}: {}", run.message);
        }
    }
}

#[test]
fn records_that_cannot_be_used_keep_their_people_and_what_is_not_shared_is_counted() {
    let (clever, mut world) = seated();
    clever.set(|state| {
        let users = state.lists.get_mut("users").expect("users");
        users.get_mut("u03").expect("a user")["roles"] = json!({});
        users.get_mut("u04").expect("a user")["roles"] = json!(null);
        users.get_mut("u07").expect("a user")["roles"]["student"]["school"] = json!("not-shared");
        let sections = state.lists.get_mut("sections").expect("sections");
        let students = sections.get_mut("c1").expect("a section")["students"].as_array_mut().expect("a list");
        students.extend([json!("nobody-1"), json!("nobody-2"), json!("zz-contact-1")]);
        sections.get_mut("c2").expect("a section")["school"] = json!(null);
    });
    clever.lies(|asked, _, reply| {
        if word(asked) != "users" {
            return reply;
        }
        changed(reply, |body| {
            for row in body["data"].as_array_mut().expect("a list") {
                if row["uri"].as_str().is_some_and(|uri| uri.ends_with("/u08")) {
                    row["data"].as_object_mut().expect("an object").remove("id");
                }
            }
        })
    });
    let run = world.quiet_night();
    assert_eq!((run.state, world.seated("p").len()), (RunState::SucceededWithErrors, 30), "{}", run.message);
    let service = world.service();
    let findings = service.store().findings(run.run, 0, 100).expect("findings");
    let told: Vec<String> = findings.iter().map(|found| format!("{} {} {}", found.rule, found.field, found.record)).collect();
    for expected in ["required_blank roles u03", "required_blank roles u04", "required_blank id ", "required_blank school c2"] {
        assert!(told.iter().any(|told| told == expected), "{expected} is not among {told:?}");
    }
    let left_out = findings.iter().find(|found| found.rule == "not_shared" && found.field == "users").expect("it is counted");
    assert!(left_out.detail.starts_with("3 users are named and not shared"), "{}", left_out.detail);
    world.verify();
}

#[test]
fn how_the_district_stands_is_told_and_is_no_failure() {
    let (clever, mut world) = seated();
    let state = |state: Value| {
        clever.set(|clever| {
            for (key, value) in state.as_object().expect("an object") {
                clever.district[key] = value.clone();
            }
        });
    };
    state(json!({"state": "paused", "pause_start": "2026-02-20T00:00:00Z", "pause_end": "2026-08-01T00:00:00Z"}));
    let run = world.quiet_night();
    assert!(succeeded(&run) && run.version.is_none());
    assert_eq!(
        run.message,
        "source sis: the district is paused at Clever since 2026-02-20T00:00:00Z until 2026-08-01T00:00:00Z; its data is of \
         2026-03-01T05:00:00.000Z"
    );
    let freshness = world.service().freshness(&world.service().customers()[0]).expect("a time");
    assert!(!freshness.stale, "a paused district is no stale source");
    state(json!({"state": "error", "error": "SFTP key expired", "pause_start": null, "pause_end": null}));
    let run = world.quiet_night();
    assert!(
        succeeded(&run) && run.message.contains("cannot read the district's own system (SFTP key expired)"),
        "{}",
        run.message
    );
    // The same data at Clever, and other people in it: the sharing was changed. A guard asks, and both is told.
    state(json!({"state": "running", "error": null}));
    world.policy.limits = GuardLimits { bootstrap_approval: false, ..GuardLimits::STANDARD };
    let half: Vec<String> = world.people.keys().step_by(2).cloned().collect();
    half.iter().for_each(|key| world.vanish(key));
    clever.has(&world);
    let run = world.quiet_night();
    assert_eq!((run.state, world.seated("p").len()), (RunState::Held, 30), "{}", run.message);
    for told in [
        "what the district shares was changed: its own data is the same as last time",
        "at Clever a change of what the district shares",
    ] {
        assert!(run.message.contains(told), "{told}: {}", run.message);
    }
    // The district's own data is another one: then it may be anything.
    state(json!({"last_sync": "2026-03-05T05:00:00.000Z"}));
    let run = world.quiet_night();
    assert!(!run.message.contains("its own data is the same"), "{}", run.message);
    world.verify();
}

#[test]
fn tokens_are_listed_once_and_a_district_without_one_is_disconnected() {
    let (clever, mut world) = seated();
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    assert!(!clever.asked_since(before).contains(&"tokens".to_owned()), "the list is not old yet");
    clever.at("2026-03-03T02:30:00Z");
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(clever.asked_since(before)[0], "tokens");
    // It is exchanged in the middle of a pull.
    world.hire("new", "teacher", "s1");
    clever.has(&world);
    clever.is_honest();
    clever.set(|state| {
        state.listed = Some("t-2-hunter2".to_owned());
        state.dies = Some((5, "t-2-hunter2".to_owned()));
    });
    let before = clever.count();
    let run = world.quiet_night();
    assert!(succeeded(&run) && world.seated("p").len() == 31, "{}", run.message);
    assert_eq!(clever.asked_since(before).iter().filter(|word| *word == "tokens").count(), 1);
    clever.is_honest();
    world.vanish("new");
    clever.has(&world);
    assert!(succeeded(&world.quiet_night()));
    // It is gone from the list: nobody else is.
    clever.set(|state| (state.listed, state.token) = (None, "another".to_owned()));
    let run = world.quiet_night();
    kept(&world, &run, "disconnected: ");
    clever.at("2026-03-05T02:30:00Z");
    let run = world.quiet_night();
    kept(&world, &run, "Clever has no token of district d");
    let run = world.quiet_night();
    kept(&world, &run, "Clever has no token of district d");
    assert_eq!(notices(&world, "source_disconnected").len(), 1, "told on Saturday, and not again on Sunday and Monday");
    clever.set(|state| (state.listed, state.token) = (Some("another".to_owned()), "another".to_owned()));
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(notices(&world, "source_back").len(), 1);
    // With the district's own token there is no list to ask.
    let before = clever.count();
    clever.feeds(&mut world, |settings| settings.auth = CleverAuth::Token(rosterd::base::Secret::new("another")));
    assert!(succeeded(&world.quiet_night()));
    assert!(!clever.asked_since(before).contains(&"tokens".to_owned()));
    // The application's own secret is no district's doing.
    clever.feeds(&mut world, |settings| {
        let CleverAuth::Client { secret, .. } = &mut settings.auth else { panic!("a client") };
        *secret = rosterd::base::Secret::new("wrong-hunter2");
    });
    let run = world.quiet_night();
    kept(&world, &run, "it does not accept the credentials (401)");
    assert!(run.message.contains("read tokens of") && !run.message.contains("disconnected"), "{}", run.message);
    world.verify();
}

#[test]
fn limits_that_answers_tell_are_kept() {
    let (clever, mut world) = seated();
    let waited = || *clever.waited.lock().expect("no panic");
    // Nothing is left for nine seconds: nobody fails first.
    for limits in [
        |reply: Reply| reply.with("Date", "Wed, 26 Jun 2019 04:38:20 GMT").with("X-Ratelimit-Reset", 1_561_523_909),
        |reply: Reply| reply.with("x-ratelimit-reset", 9),
    ] {
        clever.feeds(&mut world, |_| ());
        let before = waited();
        clever.lies(move |_, before, mut reply| {
            if before != 3 {
                return reply;
            }
            reply.headers.retain(|(name, _)| name != "X-Ratelimit-Remaining");
            limits(reply).with("X-Ratelimit-Remaining", 0)
        });
        assert!(succeeded(&world.quiet_night()));
        let took = waited() - before;
        assert!((Duration::from_secs(9)..Duration::from_secs(10)).contains(&took), "{took:?}");
    }
    // A refusal says when.
    clever.feeds(&mut world, |_| ());
    let before = waited();
    clever.lies(|_, before, reply| {
        if before == 3 {
            Reply::json("{}").status(429).with("X-Ratelimit-Reset", 30).with("X-Ratelimit-Bucket", "bearer")
        } else {
            reply
        }
    });
    assert!(succeeded(&world.quiet_night()));
    let took = waited() - before;
    assert!((Duration::from_secs(30)..Duration::from_secs(31)).contains(&took), "{took:?}");
}

#[test]
fn a_rollover_by_the_daemons_minutes() {
    let clever = Clever::start();
    let mut world = district("north");
    clever.has(&world);
    clever.feeds(&mut world, |settings| settings.events = true);
    let adjust = std::mem::replace(&mut world.adjust, Box::new(|_| ()));
    world.adjust = Box::new(move |customer| {
        adjust(customer);
        customer.nightly = Some("0 2 * * *".to_owned());
    });
    let night = |world: &mut World| {
        let runs = minute(&world.service());
        world.next_day();
        runs.into_iter().find(|run| run.trigger.word() == "nightly").expect("a nightly run")
    };
    assert!(succeeded(&night(&mut world)));
    assert_eq!(world.seated("p").len(), 30);
    // Somebody comes by events, somebody goes: one look is not enough, the next one is.
    world.policy.absence_confirmations = 2;
    world.hire("new", "student", "s1");
    world.enroll("new", "c1", None, None);
    clever.has(&world);
    let before = clever.count();
    let run = night(&mut world);
    assert_eq!((run.tally.seated, world.seated("p").len()), (1, 31), "{}", run.message);
    assert!(!clever.asked_since(before).contains(&"users".to_owned()), "events were enough");
    world.vanish("u07");
    clever.has(&world);
    let run = night(&mut world);
    assert_eq!((run.tally.released, world.seated("p").len()), (0, 31), "{}", run.message);
    let run = night(&mut world);
    assert_eq!((run.tally.released, world.seated("p").len()), (1, 30), "{}", run.message);
    let before = clever.count();
    assert!(succeeded(&night(&mut world)));
    assert_eq!(clever.asked_since(before), ["districts", "events"]);
    world.verify();
}
