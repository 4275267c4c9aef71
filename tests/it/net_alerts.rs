//! HR systems and files elsewhere that fail are told of like any other source: once, and once more when they were
//! read again, also where the file is the known one.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rosterd::base::{Instant, Secret};
use rosterd::service::SourceState;
use rosterd::source::{
    ClientAuth, FileAuth, HrAuth, OAuth2Settings, Place, RestAuth, RestVersion, SftpAddress, SftpAuth, SftpSettings,
};
use rosterd::store::RunState;

use crate::fake_hr::{Kind, Office};
use crate::fake_http::{FakeServer, Reply};
use crate::fake_oneroster::Provider;
use crate::fake_sftp::{Proxy, Sshd};
use crate::net_classlink::notices;
use crate::net_files::{self, feeds_on, fetch, package, packages, work};
use crate::net_hr::{company, staffed};
use crate::net_oneroster;
use crate::net_outage::process;
use crate::world::{World, succeeded};

fn state(world: &World) -> SourceState {
    let service = world.service();
    let mut states = service.status(&service.customers()[0]).expect("states").sources;
    assert_eq!(states.len(), 1);
    states.remove(0)
}

/// A source that was read fails in five processes, is left alone, told of once, and comes back. `connect` makes
/// a new process; `answers` switches the upstream.
fn is_told(world: &mut World, connect: &dyn Fn(&mut World), answers: &dyn Fn(bool), words: &str) {
    connect(world);
    assert!(succeeded(&world.run()));
    let seated = world.seated("p");
    assert!(!seated.is_empty());
    assert!(state(world).looked.is_some() && state(world).read_in_full.is_some());
    answers(false);
    for failed in 1..=5 {
        connect(world);
        assert!(notices(world, "source_down").is_empty(), "{failed}");
        assert_eq!(world.run().state, RunState::Failed);
    }
    let told = notices(world, "source_down");
    assert_eq!(told.len(), 1, "{told:?}");
    let text = &told[0].text;
    for word in ["failed 5 times in a row since 2026-03-02T02:30:00Z", words, "everybody keeps what they have"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(text.contains("it was last read at 2026-03-02") && !text.contains("hunter2"), "{text}");
    // A new process asks nobody, and knows why.
    connect(world);
    let run = world.run();
    assert!(run.message.contains("failed 5 times in a row and is left alone for"), "{}", run.message);
    assert!(state(world).trouble.is_some_and(|trouble| trouble.contains("failed 5 times in a row")));
    for _ in 0..2 {
        world.next_day();
        connect(world);
        assert_eq!(world.run().state, RunState::Failed);
        assert!(world.service().tick().errors.is_empty());
    }
    assert_eq!(notices(world, "source_down").len(), 1, "reminders come after five business days");
    assert_eq!(world.seated("p"), seated);
    // It is back, with what the books have already.
    answers(true);
    for _ in 0..2 {
        world.next_day();
        connect(world);
        assert!(succeeded(&world.run()));
        assert_eq!(notices(world, "source_back").len(), 1);
    }
    assert_eq!((state(world).trouble, world.seated("p")), (None, seated));
    world.verify();
}

#[test]
fn an_hr_system_that_fails_is_told_of() {
    for kind in [Kind::Scim, Kind::WorkdayCsv] {
        let office = Office::start(kind);
        staffed(&office);
        let answers = |answers: bool| match answers {
            true => office.is_honest(),
            false => office.lies(|_, _, _| Reply::html(503)),
        };
        let connect = |world: &mut World| {
            let network = process(world);
            office.feeds_on(world, network, |_| ());
        };
        is_told(&mut company(), &connect, &answers, "it failed (503), 3 times");
    }
}

#[test]
fn a_web_server_with_a_file_that_fails_is_told_of_and_the_same_file_ends_it() {
    let mut world = net_files::district();
    let bytes = package(&mut world);
    let fails = Arc::new(AtomicBool::new(false));
    let server = FakeServer::start({
        let fails = fails.clone();
        move |_, _| if fails.load(Ordering::SeqCst) { Reply::html(502) } else { Reply::new(200, bytes.clone()) }
    });
    let auth = FileAuth::Basic { user: Secret::new("u"), password: Secret::new("hunter2") };
    let place = Place::Https { address: server.url("/roster.zip"), auth };
    let connect = |world: &mut World| {
        let settings = packages(fetch(place.clone(), None, work(world)));
        feeds_on(world, &process(world), settings);
    };
    is_told(&mut world, &connect, &|answers| fails.store(!answers, Ordering::SeqCst), "it failed (502), 3 times");
    // That the file is the known one says nothing of how old the roster is.
    let service = world.service();
    let freshness = service.freshness(&service.customers()[0]).expect("a time");
    assert!(freshness.snapshot < Some(Instant::parse("2026-03-03T00:00:00Z").expect("a moment")), "{freshness:?}");
}

#[test]
fn an_sftp_server_that_hangs_up_is_told_of() {
    let Some(server) = Sshd::start() else { return };
    let mut world = net_files::district();
    std::fs::write(server.folder().join("1.zip"), package(&mut world)).expect("written");
    let answers = Arc::new(AtomicBool::new(true));
    let proxy = Proxy::before(server.socket(), {
        let answers = answers.clone();
        move |_, _| answers.load(Ordering::SeqCst)
    });
    let mut sftp = server.settings("");
    sftp.at.port = proxy.port;
    let connect = |world: &mut World| {
        let settings = packages(fetch(Place::Sftp(sftp.clone()), Some("*.zip"), work(world)));
        feeds_on(world, &process(world), settings);
    };
    is_told(&mut world, &connect, &|on| answers.store(on, Ordering::SeqCst), "could not connect");
}

#[test]
fn an_sftp_address_that_nobody_answers_is_told_of_though_it_was_never_read() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let mut world = net_files::district();
    let sftp = SftpSettings {
        at: SftpAddress { host: "127.0.0.1".into(), port, path: "/out".into() },
        user: Secret::new("ana"),
        host_keys: vec!["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()],
        auth: SftpAuth::Password(Secret::new("hunter2")),
    };
    for _ in 0..5 {
        assert!(notices(&world, "source_down").is_empty());
        let settings = packages(fetch(Place::Sftp(sftp.clone()), Some("*.zip"), work(&world)));
        let network = process(&world);
        feeds_on(&mut world, &network, settings);
        assert_eq!(world.run().state, RunState::Failed);
    }
    let told = notices(&world, "source_down");
    assert_eq!(told.len(), 1);
    let text = &told[0].text;
    assert!(text.contains(&format!("sftp://127.0.0.1:{port} failed 5 times")) && text.contains("it was never read"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains("ana "), "{text}");
    assert_eq!(state(&world).looked, None);
}

#[test]
fn a_token_service_that_fails_is_told_of_with_the_sources_that_need_it() {
    let fails = Arc::new(AtomicBool::new(false));
    let tokens = FakeServer::start({
        let fails = fails.clone();
        move |_, _| match fails.load(Ordering::SeqCst) {
            true => Reply::html(503),
            false => Reply::json(r#"{"access_token":"t","expires_in":3600}"#),
        }
    });
    let service = OAuth2Settings {
        token_address: tokens.url("/token?app=x"),
        client_id: Secret::new("id"),
        client_secret: Secret::new("hunter2"),
        scopes: Vec::new(),
        client_auth: ClientAuth::Basic,
        cookies: false,
    };
    let answers = |on: bool| fails.store(!on, Ordering::SeqCst);
    let provider = Provider::start();
    let mut world = net_oneroster::district("north");
    provider.has(&world, RestVersion::V1_2);
    let connect = |world: &mut World| {
        let (network, auth) = (process(world), RestAuth::OAuth2(service.clone()));
        provider.feeds_on(world, network, RestVersion::V1_2, move |settings| settings.auth = auth.clone());
    };
    is_told(&mut world, &connect, &answers, "it failed (503), 3 times");
    let office = Office::start(Kind::Scim);
    staffed(&office);
    let connect = |world: &mut World| {
        let (network, auth) = (process(world), HrAuth::OAuth2(service.clone()));
        office.feeds_on(world, network, |settings| settings.auth = auth);
    };
    is_told(&mut company(), &connect, &answers, "it failed (503), 3 times");
}
