//! What is told beside a refusal, and what providers want besides a signature: clocks that differ, scopes that lack, words of
//! token services, request ids, cookies; and e-mail addresses that are not real.

use std::sync::{Arc, Mutex};

use rosterd::base::Secret;
use rosterd::source::{ClientAuth, OAuth2Settings, RestAuth, RestVersion};
use rosterd::store::RunState;

use crate::fake_classlink::ClassLink;
use crate::fake_clever::Clever;
use crate::fake_hr::{Kind, Office};
use crate::fake_http::{FakeServer, Reply};
use crate::fake_oneroster::{Provider, segment};
use crate::net_hr::{company, staffed};
use crate::net_oneroster::{district, roster};
use crate::world::{World, succeeded};

fn message(world: &World) -> String {
    let run = world.run();
    assert_eq!(run.state, RunState::Failed, "{}", run.message);
    assert!(!run.message.contains("hunter2"), "{}", run.message);
    run.message
}

#[test]
fn a_clock_that_differs_is_told_where_requests_are_signed() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_1);
    // Our clock says 2 March 2026, 02:30.
    for (date, told) in [
        ("Mon, 02 Mar 2026 02:40:00 GMT", "(401); its clock is 600 s ahead of ours, and signatures carry the time"),
        ("Mon, 02 Mar 2026 01:30:00 GMT", "(401); its clock is 3600 s behind ours, and signatures carry the time"),
        ("Mon, 02 Mar 2026 02:30:30 GMT", "(401)"),
        ("yesterday", "(401)"),
    ] {
        provider.feeds(&mut world, RestVersion::V1_1, |_| ());
        provider.lies(move |_, _, _| Reply::new(401, "").with("Date", date));
        let told_of_it = message(&world);
        assert!(told_of_it.ends_with(&format!("{told}; nothing was changed")), "{told_of_it}");
    }
    // A fixed token says nothing of the time.
    provider.feeds(&mut world, RestVersion::V1_1, |settings| settings.auth = RestAuth::Bearer(Secret::new("hunter2")));
    provider.lies(|_, _, _| Reply::new(401, "").with("Date", "Mon, 02 Mar 2026 02:40:00 GMT"));
    assert!(!message(&world).contains("clock"));
    // The district's own keys at ClassLink are exchanged once, and then it is told.
    let classlink = ClassLink::start();
    classlink.has(&world);
    let served = classlink.served();
    classlink.feeds(&mut world, move |settings| settings.access = served.clone());
    classlink.lies(|_, _, _| Reply::new(401, "").with("Date", "Mon, 02 Mar 2026 02:40:00 GMT"));
    assert!(message(&world).contains("its clock is 600 s ahead of ours"));
}

fn service(tokens: &FakeServer, scopes: &[&str]) -> OAuth2Settings {
    OAuth2Settings {
        token_address: tokens.url("/token?tenant=hunter2"),
        client_id: Secret::new("id"),
        client_secret: Secret::new("hunter2"),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        client_auth: ClientAuth::Query,
        cookies: false,
    }
}

#[test]
fn scopes_that_lack_are_named() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_2);
    for (granted, scopes, told) in [
        ("", &["core", "demographics"][..], "(403); the scopes of its token are core demographics"),
        (r#","scope":"core""#, &["core", "demographics"], "(403); its token lacks the scopes demographics"),
        (r#","scope":"demographics core""#, &["core"], "(403); the scopes of its token are core"),
        (r#","scope":7"#, &["core"], "(403); the scopes of its token are core"),
        (r#","scope":"core""#, &[], "(403)"),
    ] {
        let tokens =
            FakeServer::start(move |_, _| Reply::json(format!(r#"{{"access_token":"hunter2","expires_in":60{granted}}}"#)));
        let auth = RestAuth::OAuth2(service(&tokens, scopes));
        provider.feeds(&mut world, RestVersion::V1_2, move |settings| settings.auth = auth.clone());
        provider.lies(|_, _, _| Reply::new(403, "hunter2"));
        let message = message(&world);
        assert!(message.ends_with(&format!("{told}; nothing was changed")), "{message}");
    }
}

#[test]
fn the_word_of_a_token_service_is_told_and_nothing_else_it_says() {
    let provider = Provider::start();
    let mut world = district("north");
    provider.has(&world, RestVersion::V1_2);
    for (status, body, told) in [
        (400, r#"{"error":"invalid_scope","error_description":"hunter2"}"#, "(400); it says invalid_scope"),
        (401, r#"{"error":"invalid_client"}"#, "(401); it says invalid_client"),
        (403, r#"{"error":"access_denied"}"#, "/token: the credentials do not allow it (403)"),
        (401, r#"{"error":"hunter2"}"#, "/token: it does not accept the credentials (401)"),
        (400, "<html>hunter2</html>", "/token: it refused the request (400)"),
        (200, r#"{"error":"invalid_client"}"#, "/token: it says invalid_client"),
        (200, r#"{"error":"hunter2"}"#, "JSON of another shape"),
    ] {
        let tokens = FakeServer::start(move |_, _| Reply::json(body).status(status));
        let auth = RestAuth::OAuth2(service(&tokens, &["core"]));
        provider.feeds(&mut world, RestVersion::V1_2, move |settings| settings.auth = auth.clone());
        let message = message(&world);
        assert!(message.contains(told) && message.contains(": sign in: "), "{status} {body}: {message}");
        assert!(!message.contains("scopes of its token") && provider.server.asked().is_empty(), "{message}");
    }
}

#[test]
fn the_id_of_a_refused_request_is_told_if_it_is_plain() {
    let clever = Clever::start();
    let mut world = district("north");
    clever.has(&world);
    let long = "x".repeat(65);
    for (id, told) in [("4f-2.b_9", true), ("<b>", false), (long.as_str(), false), ("", false)] {
        clever.feeds(&mut world, |_| ());
        let sent = id.to_owned();
        clever.lies(move |_, _, _| Reply::new(500, "").with("X-Request-Id", &sent));
        let message = message(&world);
        assert_eq!(message.contains("; its request id is 4f-2.b_9"), told, "{message}");
        assert!(told || !message.contains("request id"), "{message}");
    }
}

#[test]
fn cookies_of_a_token_service_go_back_to_its_host_alone() {
    // The token service and the provider are one server, or two that have other names.
    for (same_host, wanted) in [(true, true), (false, true), (true, false)] {
        let cookies = Arc::new(Mutex::new(Vec::new()));
        let tokens = FakeServer::start(|_, before| {
            Reply::json(format!(r#"{{"access_token":"t{before}","expires_in":3600}}"#))
                .with("Set-Cookie", format!("ASP.NET_SessionId=s{before}; path=/; HttpOnly"))
                .with("Set-Cookie", "lb=1")
                .with("Set-Cookie", "nonsense")
        });
        let provider = Provider::start();
        let mut world = district("north");
        provider.has(&world, RestVersion::V1_2);
        provider.lies({
            let cookies = cookies.clone();
            move |asked, before, reply| {
                cookies.lock().expect("no panic").push(asked.header("cookie").map(str::to_owned));
                // The session ends in the middle: another token brings another one.
                if before == 5 { Reply::new(401, "") } else { reply }
            }
        });
        let token_address = tokens.url("/token");
        let auth = OAuth2Settings {
            token_address: if same_host { token_address } else { token_address.replace("127.0.0.1", "localhost") },
            client_auth: ClientAuth::Body,
            cookies: wanted,
            ..service(&tokens, &[])
        };
        provider.feeds(&mut world, RestVersion::V1_2, move |settings| settings.auth = RestAuth::OAuth2(auth.clone()));
        let run = world.run();
        assert!(succeeded(&run), "{}", run.message);
        let cookies = cookies.lock().expect("no panic");
        if same_host && wanted {
            assert_eq!(cookies[0].as_deref(), Some("ASP.NET_SessionId=s0; lb=1"));
            assert_eq!(cookies.last().and_then(Option::as_deref), Some("ASP.NET_SessionId=s1; lb=1"));
            assert!(cookies.iter().all(Option::is_some));
        } else {
            assert!(cookies.iter().all(Option::is_none), "{cookies:?}");
        }
    }
}

#[test]
fn masked_addresses_are_left_out_and_told() {
    let classlink = ClassLink::start();
    let mut world = district("north");
    classlink.has(&world);
    let mail = |world: &World| {
        let roster = roster(world);
        roster.people.iter().filter(|person| !roster.text(person.email).is_empty()).count()
    };
    for (revision, header, addresses) in
        [("m1", "true", 0), ("m2", "false", 30), ("m3", "email,sms", 0), ("m4", "sms", 30), ("m5", "", 30)]
    {
        classlink.set(|state| state.revision = Some(revision.to_owned()));
        classlink.feeds(&mut world, |_| ());
        classlink.lies(move |asked, _, reply| match segment(asked) {
            "users" if !header.is_empty() => reply.with("X-Obfuscated", header),
            _ => reply,
        });
        let run = world.quiet_night();
        assert!(succeeded(&run), "{}", run.message);
        assert_eq!((mail(&world), world.seated("p").len()), (addresses, 30), "{header}");
        assert_eq!(run.message.contains("the provider masks e-mail addresses"), addresses == 0, "{header}: {}", run.message);
    }
    world.verify();
}

#[test]
fn a_report_of_workday_may_be_as_long_as_the_settings_say() {
    let office = Office::start(Kind::WorkdayJson);
    staffed(&office);
    let mut world = company();
    office.feeds(&mut world, |settings| settings.http.body_bytes_max = 4_000);
    assert!(message(&world).contains("longer than 4000 bytes"));
    office.feeds(&mut world, |settings| settings.http.body_bytes_max = 40_000);
    assert!(succeeded(&world.run()));
}
