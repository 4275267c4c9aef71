//! ClassLink: how one gets in, what a revision is worth, and that nothing that goes wrong there removes anybody.

use std::sync::Arc;
use std::time::Duration;

use rosterd::base::{Day, Instant, Secret};
use rosterd::roster::digest_of;
use rosterd::service::Service;
use rosterd::source::{ClassLinkAccess, ClassLinkSettings, RestVersion, Signature};
use rosterd::store::{NoticeRow, RunRow, RunState};
use serde_json::json;

use crate::fake_classlink::{ClassLink, PATH, application};
use crate::fake_http::{Asked, Reply};
use crate::fake_oneroster::{Provider, segment};
use crate::net_http::{DRIP, PATIENCE};
use crate::net_oneroster::{cut_list, district, roster, with_total};
use crate::net_outage::reminded;
use crate::world::{World, succeeded};

/// A district that was read once, with a seat for everybody.
fn seated() -> (ClassLink, World) {
    let classlink = ClassLink::start();
    let mut world = district("north");
    classlink.has(&world);
    classlink.feeds(&mut world, |_| ());
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 30);
    (classlink, world)
}

pub fn notices(world: &World, kind: &str) -> Vec<NoticeRow> {
    let all = world.service().store().notices(Some(&world.policy.customer), 500).expect("notices");
    all.into_iter().filter(|notice| notice.kind == kind).collect()
}

/// The run failed, said so without a secret, and nobody lost anything.
fn kept(world: &World, run: &RunRow, told: &str) {
    assert_eq!(run.state, RunState::Failed, "{}", run.message);
    assert!(run.message.contains(told), "{told}: {}", run.message);
    for secret in ["hunter2", "Test", "north.example", "555-0199"] {
        assert!(!run.message.contains(secret), "{}", run.message);
    }
    assert_eq!((world.seated("p").len(), run.version), (30, None));
}

#[test]
fn the_same_district_by_every_access_is_the_same_roster() {
    let plain = Provider::start();
    let mut world = district("north");
    plain.has(&world, RestVersion::V1_1);
    plain.feeds(&mut world, RestVersion::V1_1, |_| ());
    assert!(succeeded(&world.quiet_night()));
    let by_rest = digest_of(&roster(&world));
    let classlink = ClassLink::start();
    classlink.has(&world);
    let direct = ClassLinkAccess::Direct {
        address: classlink.provider.server.url("/own/"),
        key: Secret::new("key-1"),
        secret: Secret::new("s-hunter2"),
        signature: Signature::Sha1,
        version: true,
    };
    for (access, first) in [
        (classlink.settings().access, vec!["applications", "applications", "orgs"]),
        (classlink.served(), vec!["applications", "applications", "server", "orgs"]),
        (direct, vec!["orgs"]),
    ] {
        let mut world = district("north");
        let before = classlink.count();
        classlink.feeds(&mut world, move |settings| settings.access = access.clone());
        let run = world.quiet_night();
        assert_eq!((run.state, run.message.as_str(), run.tally.findings), (RunState::Succeeded, "", 0));
        assert_eq!((world.seated("p").len(), digest_of(&roster(&world))), (30, by_rest));
        assert_eq!(classlink.asked_since(before)[..first.len()], first);
        assert!(succeeded(&world.quiet_night()));
        world.verify();
    }
    let asked = classlink.provider.server.asked();
    assert!(asked.iter().any(|asked| asked.path() == format!("/{PATH}/ims/oneroster/v1p1/orgs")), "the path goes in verbatim");
    assert!(asked.iter().all(|asked| !asked.target.contains("%25")));
    let with_fields = |asked: &&Asked| segment(asked) == "users";
    assert!(asked.iter().filter(with_fields).all(|asked| asked.param("fields").is_some_and(|f| !f.contains("phone"))));
}

#[test]
fn an_unchanged_revision_is_one_request_and_a_full_sync_reads_all_the_same() {
    let (classlink, mut world) = seated();
    let before = classlink.count();
    let run = world.quiet_night();
    assert!(succeeded(&run) && run.version.is_none(), "{}", run.message);
    assert_eq!(classlink.asked_since(before), ["orgs"], "the list of applications is not old yet");
    // A day later the list is asked for, too.
    *classlink.provider.now.lock().expect("no panic") = Instant::parse("2026-03-03T02:30:00Z").expect("a moment");
    let before = classlink.count();
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(classlink.asked_since(before), ["applications", "applications", "orgs"]);
    // Something is new behind the same revision: only a full read finds it.
    world.hire("new", "teacher", "s1");
    classlink.has(&world);
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 30);
    let service = world.service();
    service.forget_cursors(&service.customers()[0], Some(&"other".into())).expect("forgets");
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 30, "another source was meant");
    service.forget_cursors(&service.customers()[0], Some(&"sis".into())).expect("forgets");
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 31);
    world.verify();
}

#[test]
fn a_revision_that_changes_in_the_middle_starts_the_pull_over() {
    let (classlink, mut world) = seated();
    world.hire("new", "teacher", "s1");
    classlink.has(&world);
    // The data set is exchanged twice while it is read.
    let revision = |reply: Reply, revision: usize| {
        let mut reply = reply;
        reply.headers.retain(|(name, _)| name != "x-perm-rev");
        reply.with("x-perm-rev", format!("s{revision}"))
    };
    classlink.lies(move |_, before, reply| revision(reply, usize::from(before >= 6) + usize::from(before >= 9)));
    let run = world.quiet_night();
    assert!(succeeded(&run) && world.seated("p").contains(&"new".to_owned()), "{}", run.message);
    // Again and again: nothing of it counts.
    world.end("new");
    world.vanish("u03");
    classlink.has(&world);
    classlink.lies(move |_, before, reply| revision(reply, 7 + before / 3));
    let before = classlink.count();
    let run = world.quiet_night();
    assert_eq!(run.state, RunState::Failed);
    assert!(run.message.contains("exchanged while it was read, 3 times in a row"), "{}", run.message);
    assert_eq!((world.seated("p").len(), classlink.count() - before < 20), (31, true));
    // A host that tells no revision is read like any other provider.
    classlink.is_honest();
    classlink.set(|state| state.revision = None);
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 29);
    world.verify();
}

#[test]
fn a_bearer_that_was_exchanged_is_asked_for_once() {
    let (classlink, mut world) = seated();
    classlink.set(|state| state.revision = Some("r2".into()));
    world.hire("new", "teacher", "s1");
    classlink.has(&world);
    // It dies in the middle of the pull; the list tells another one by then.
    classlink.set(|state| {
        state.applications = vec![application("b-2-hunter2")];
        state.dies = Some((4, "b-2-hunter2".to_owned()));
    });
    classlink.is_honest();
    let before = classlink.count();
    let run = world.quiet_night();
    assert!(succeeded(&run) && world.seated("p").contains(&"new".to_owned()), "{}", run.message);
    let lists = classlink.asked_since(before).iter().filter(|word| *word == "applications").count();
    assert_eq!(lists, 2, "one list of two pages, once");
    world.verify();
}

#[test]
fn a_district_that_does_not_let_us_in_is_told_once_a_day_and_nobody_goes() {
    let (classlink, mut world) = seated();
    let connect = |world: &mut World| classlink.feeds(world, |_| ());
    type Change = fn(&mut serde_json::Value);
    let changes: [(&str, Change); 4] = [
        ("the application of tenant 8841 is not enabled", |a| a["enabled"] = json!("false")),
        ("belongs to a district that is not active", |a| a["tenant_status"] = json!("Suspended")),
        ("tenant 8841 has no bearer", |a| a["bearer"] = json!(null)),
        ("the partner's key lists no application of tenant 8841", |a| a["tenant_id"] = json!(9)),
    ];
    for (told, change) in changes {
        classlink.set(|state| change(&mut state.applications[0]));
        connect(&mut world);
        let run = world.run();
        kept(&world, &run, told);
        assert!(run.message.contains("district_not_authorised"), "{}", run.message);
        classlink.set(|state| state.applications = vec![application("b-1-hunter2")]);
    }
    // The bearer is withdrawn, and the list still tells it: asked for again once, then it ends.
    classlink.set(|state| state.bearer = "another".to_owned());
    connect(&mut world);
    let before = classlink.count();
    let run = world.run();
    kept(&world, &run, "district_not_authorised");
    assert_eq!(classlink.asked_since(before), ["applications", "applications", "orgs", "applications", "applications"]);
    let told = notices(&world, "source_disconnected");
    assert_eq!(told.len(), 1, "five runs of one day, one notice: {told:?}");
    assert!(told[0].text.starts_with("Source sis: district_not_authorised") && told[0].text.contains("was last read at"));
    // Tuesday is the first day of it; a reminder follows after five business days.
    reminded(&mut world);
    let days: Vec<usize> = (0..7)
        .map(|_| {
            world.next_day();
            world.run();
            world.run();
            notices(&world, "source_disconnected").len()
        })
        .collect();
    assert_eq!((world.today, days), (Day::parse("2026-03-10").expect("a day"), vec![1, 1, 1, 1, 1, 1, 2]));
    assert!(notices(&world, "source_back").is_empty());
    // It lets us in again.
    classlink.set(|state| state.bearer = "b-1-hunter2".to_owned());
    world.next_day();
    assert!(succeeded(&world.run()));
    assert_eq!(notices(&world, "source_back").len(), 1);
    world.next_day();
    assert!(succeeded(&world.run()));
    assert_eq!(notices(&world, "source_back").len(), 1);
    // The partner's own key is no district's doing.
    connect(&mut world);
    world.next_day();
    classlink.feeds(&mut world, |settings| {
        let ClassLinkAccess::Proxy { key, .. } = &mut settings.access else { panic!("the proxy") };
        *key = Secret::new("wrong-hunter2");
    });
    let run = world.run();
    kept(&world, &run, "it does not accept the credentials (401)");
    assert!(
        !run.message.contains("district_not_authorised") && run.message.contains("read applications of"),
        "{}",
        run.message
    );
    world.verify();
}

#[test]
fn several_applications_and_several_tenants() {
    let classlink = ClassLink::start();
    let mut world = district("north");
    classlink.has(&world);
    let mut second = application("b-1-hunter2");
    second["oneroster_application_id"] = json!("other");
    classlink.set(|state| state.applications = vec![application("b-1-hunter2"), second]);
    classlink.feeds(&mut world, |_| ());
    let run = world.run();
    assert_eq!(run.state, RunState::Failed);
    assert!(run.message.contains(&format!("set application to one of {PATH}, other")), "{}", run.message);
    classlink.feeds(&mut world, |settings| settings.application = Some(PATH.to_owned()));
    assert!(succeeded(&world.quiet_night()));
    // Ids of one tenant are told from those of another, whoever they refer to.
    let mut world = district("north");
    world.policy.pools[0].owner = "8841:d".into();
    classlink.feeds(&mut world, |settings| {
        settings.application = Some(PATH.to_owned());
        settings.read.id_prefix = "8841:".to_owned();
    });
    let run = world.quiet_night();
    assert_eq!((run.state, run.tally.findings), (RunState::Succeeded, 0), "{}", run.message);
    let seated = world.seated("p");
    assert!(seated.len() == 30 && seated.iter().all(|key| key.starts_with("8841:u")), "{seated:?}");
    world.verify();
}

/// Patience and memory for lies.
fn bounded(settings: &mut ClassLinkSettings) {
    (settings.read.http.body_bytes_max, settings.read.http.total) = (100_000, PATIENCE);
}

#[test]
fn whatever_goes_wrong_where_applications_are_listed_removes_nobody() {
    type Lie = fn(Reply) -> Reply;
    let (classlink, mut world) = seated();
    let lies: [(&str, Lie); 14] = [
        ("it failed (500), 3 times", |_| Reply::html(500)),
        ("it failed (502), 3 times", |_| Reply::html(502)),
        ("it asks for fewer requests (429), 3 times", |_| Reply::html(429)),
        ("come back in 7200 s", |_| Reply::new(503, "").with("Retry-After", 7200)),
        ("do not allow it (403)", |_| Reply::new(403, "")),
        ("to its end", |reply| reply.cut(10)),
        ("to its end", |_| Reply::drop()),
        ("no answer within", |_| Reply::hang()),
        ("no answer within", |reply| reply.stall(10)),
        ("not all of the answer came within", |reply| reply.drip(4, DRIP)),
        ("a web page or XML instead of JSON", |_| Reply::html(200)),
        ("empty instead of JSON", |_| Reply::json("")),
        ("longer than 100000 bytes", |_| Reply::json(" ".repeat(100_001))),
        ("never sent to another host", |_| Reply::new(302, "").with("Location", "https://elsewhere.example/x")),
    ];
    for (told, lie) in lies {
        // Where the list is asked for, and where the district's own address is.
        for by_server in [false, true] {
            let access = if by_server { classlink.served() } else { classlink.settings().access };
            classlink.feeds(&mut world, move |settings| {
                bounded(settings);
                settings.access = access.clone();
            });
            classlink.set(|state| {
                state.door = Box::new(
                    move |asked, reply| {
                        if asked.path().ends_with("/server") == by_server { lie(reply) } else { reply }
                    },
                );
            });
            let run = world.quiet_night();
            kept(&world, &run, told);
            assert!(!run.message.contains("district_not_authorised") || told.contains("(403)"), "{}", run.message);
        }
    }
    // An answer that says something else, and a list that is empty all of a sudden.
    for (told, body) in [
        ("something else instead of applications", r#"{"status":0,"message":"u05 Test"}"#),
        ("the partner's key lists no application of tenant 8841", r#"{"status":1,"applications":[]}"#),
    ] {
        classlink.feeds(&mut world, bounded);
        classlink.set(|state| state.door = Box::new(move |_, _| Reply::json(body)));
        let run = world.quiet_night();
        kept(&world, &run, told);
    }
    classlink.set(|state| state.door = Box::new(|_, reply| reply));
    classlink.feeds(&mut world, bounded);
    assert!(succeeded(&world.quiet_night()) && world.seated("p").len() == 30);
    world.verify();
}

#[test]
fn whatever_goes_wrong_behind_the_proxy_removes_nobody() {
    type Lie = Arc<dyn Fn(&Asked, usize, Reply) -> Reply + Send + Sync>;
    const ONE_USER: &str = r#"{"users":[{"sourcedId":"u00","status":"active"}]}"#;
    let users = |twist: fn(&Asked, Reply) -> Reply| -> Lie {
        Arc::new(move |asked, _, reply| if segment(asked) == "users" { twist(asked, reply) } else { reply })
    };
    let (classlink, mut world) = seated();
    // A second's date and what is asked for by it.
    let lies: Vec<(&str, Lie)> = vec![
        ("it failed (500), 3 times", users(|_, _| Reply::html(500))),
        ("it failed (502), 3 times", users(|_, _| Reply::html(502))),
        ("it asks for fewer requests (429), 3 times", users(|_, _| Reply::html(429))),
        ("come back in 7200 s", users(|_, _| Reply::new(429, "").with("Retry-After", 7200))),
        (
            "come back in 3600 s",
            users(|_, _| {
                let late = Reply::new(429, "").with("Date", "Sun, 06 Nov 1994 08:00:00 GMT");
                late.with("Retry-After", "Sun, 06 Nov 1994 09:00:00 GMT")
            }),
        ),
        ("it failed (503), 3 times", users(|_, _| Reply::html(503))),
        ("it failed (504), 3 times", users(|_, _| Reply::html(504))),
        ("to its end", users(|_, reply| reply.cut(40))),
        ("to its end", users(|_, _| Reply::drop())),
        ("no answer within", users(|_, _| Reply::hang())),
        ("no answer within", users(|_, reply| reply.stall(40))),
        ("not all of the answer came within", users(|_, reply| reply.drip(8, DRIP))),
        ("longer than 100000 bytes", users(|_, _| Reply::json(" ".repeat(100_001)))),
        ("never sent to another host", users(|_, _| Reply::new(302, "").with("Location", "https://elsewhere.example/x"))),
        ("empty instead of JSON", users(|_, _| Reply::json(""))),
        ("cut-off JSON", users(|_, reply| Reply { body: reply.body[..40].to_vec(), ..reply })),
        ("JSON of another shape", users(|_, _| Reply::json(r#"{"users":[null]}"#))),
        ("nothing but records of earlier pages", users(|_, reply| Reply { body: ONE_USER.into(), ..reply })),
        ("more records than the 20", users(|_, reply| with_total(reply, 20))),
        ("the total changed", users(|asked, reply| with_total(reply, if asked.number("offset") == Some(0) { 30 } else { 29 }))),
        ("only 0 came", users(|_, reply| cut_list(reply, 0))),
        ("a web page or XML instead of JSON", users(|_, _| Reply::html(200))),
        ("an error", users(|_, _| Reply::json(r#"{"imsx_codeMajor":"failure","imsx_CodeMinor":"server_busy"}"#))),
        ("something else instead of users", users(|_, _| Reply::json(r#"{"status":0}"#))),
        ("there should be 31 records", users(|_, reply| with_total(reply, 31))),
        ("says that they are 7", users(|_, reply| cut_list(reply, 5).with("x-count", 7))),
        (
            "there should be 30 records, and only 7 came",
            users(|asked, reply| if asked.number("offset") >= Some(7) { cut_list(reply, 0) } else { reply }),
        ),
    ];
    for (told, lie) in lies {
        classlink.feeds(&mut world, bounded);
        classlink.set(|state| state.revision = Some(format!("for {told}")));
        classlink.lies(move |asked, before, reply| lie(asked, before, reply));
        let run = world.quiet_night();
        kept(&world, &run, told);
    }
    classlink.is_honest();
    // What passes is waited for.
    for manner in [
        Reply::new(429, "").with("Retry-After", 9),
        Reply::new(429, "").with("Date", "Sun, 06 Nov 1994 08:00:00 GMT").with("Retry-After", "Sun, 06 Nov 1994 08:00:09 GMT"),
        Reply::new(429, "").with("X-RateLimit-Reset", 9),
        Reply::new(503, "").with("Retry-After", 9),
    ] {
        let waited = |classlink: &ClassLink| classlink.provider.waited();
        classlink.feeds(&mut world, |_| ());
        let before = waited(&classlink);
        classlink.set(|state| state.revision = Some(format!("{manner:?}")));
        classlink.lies(move |_, before, reply| if before == 5 { manner.clone() } else { reply });
        let run = world.quiet_night();
        assert!(succeeded(&run) && world.seated("p").len() == 30, "{}", run.message);
        let waited = waited(&classlink) - before;
        assert!((Duration::from_secs(9)..Duration::from_secs(10)).contains(&waited), "{waited:?}");
    }
    world.verify();
}

/// What the daemon does in a minute: looks at the clock, then takes requests.
pub fn minute(service: &Service) -> Vec<RunRow> {
    let ticked = service.tick();
    assert!(ticked.errors.is_empty(), "{:?}", ticked.errors);
    let mut runs = Vec::new();
    while let Some(request) = service.take_request().expect("a request") {
        runs.extend(service.fulfil(&request, &|_| ()).expect("a run"));
    }
    runs
}

#[test]
fn a_school_week_by_the_daemons_minutes() {
    let classlink = ClassLink::start();
    let mut world = district("north");
    world.policy.absence_confirmations = 2;
    classlink.has(&world);
    classlink.feeds(&mut world, |_| ());
    let adjust = std::mem::replace(&mut world.adjust, Box::new(|_| ()));
    world.adjust = Box::new(move |customer| {
        adjust(customer);
        customer.nightly = Some("0 2 * * *".to_owned());
    });
    let night = |world: &mut World| {
        let service = world.service();
        let runs = minute(&service);
        assert!(minute(&service).iter().all(|run| run.trigger.word() != "nightly"), "once a night");
        world.next_day();
        runs.into_iter().find(|run| run.trigger.word() == "nightly").expect("a nightly run")
    };
    assert!(succeeded(&night(&mut world)));
    assert_eq!(world.seated("p").len(), 30);
    // A quiet night, …
    let before = classlink.count();
    assert_eq!(night(&mut world).version, None);
    assert_eq!(classlink.asked_since(before), ["orgs"]);
    // … somebody comes and somebody loses the last class, which looks as if they had left, …
    world.hire("new", "teacher", "s2");
    world.vanish("u07");
    classlink.has(&world);
    classlink.set(|state| state.revision = Some("r2".into()));
    let run = night(&mut world);
    assert!(run.message.contains("source sis: ClassLink shares only people who are enrolled in a class"), "{}", run.message);
    assert_eq!((run.tally.seated, world.seated("p").len()), (1, 31));
    // … ClassLink is away for a night, which is no second look, …
    classlink.lies(|_, _, _| Reply::html(503));
    let run = night(&mut world);
    assert_eq!((run.state, world.seated("p").len()), (RunState::Failed, 31));
    // … and the next look, at the same revision, reads everything to confirm it.
    classlink.is_honest();
    let run = night(&mut world);
    assert_eq!((run.state, run.tally.released, world.seated("p").len()), (RunState::Succeeded, 1, 30), "{}", run.message);
    // Permissions were changed: half of the people are not shared any more. A guard asks, and says what it may be.
    world.policy.limits = rosterd::plan::GuardLimits { bootstrap_approval: false, ..rosterd::plan::GuardLimits::STANDARD };
    let half: Vec<String> = world.people.keys().step_by(2).cloned().collect();
    half.iter().for_each(|key| world.vanish(key));
    classlink.has(&world);
    classlink.set(|state| state.revision = Some("r3".into()));
    let run = night(&mut world);
    assert_eq!((run.state, world.seated("p").len()), (RunState::Held, 30), "{}", run.message);
    // Whoever decides reads it, too: in the hold, and in what is told of it.
    let service = world.service();
    let hold = service.holds(&service.customers()[0]).expect("holds").remove(0);
    let told = notices(&world, "hold_opened").remove(0).text;
    for text in [&run.message, &hold.trips.join("; "), &told] {
        assert!(text.contains("a change of what the district permits"), "{text}");
    }
    world.verify();
}
