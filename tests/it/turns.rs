//! One reader at a time of a customer's sources (R99, R103), and what is left of what was fetched: nothing.

use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::{Actor, ErrorChain, Instant};
use rosterd::clock::Clock;
use rosterd::license::{Hold, HoldState};
use rosterd::service::{HoldAnswer, ImportAnswer, ImportRequest, Service, ServiceError};
use rosterd::source::{FileAuth, Network, Pace, Place, Seen, SourceSettings};
use rosterd::store::{RequestState, RunRow, RunState, Trigger};

use crate::fake_http::{FakeServer, Reply};
use crate::fake_sftp::Sshd;
use crate::net_delimited::{company, files, rows};
use crate::net_files::{feeds, fetch, nothing_left, open};
use crate::world::{World, succeeded};

/// What a server has to say.
type Answer = Arc<Mutex<String>>;

/// A server with one file; before it answers the question of this number it waits until it is told to go on.
fn server(answer: &Answer, held_back: usize) -> (FakeServer, Sender<()>) {
    let (go, goes): (_, Receiver<()>) = channel();
    let (answer, goes) = (answer.clone(), Mutex::new(goes));
    let server = FakeServer::start(move |_, before| {
        if before == held_back {
            goes.lock().expect("no panic").recv_timeout(Duration::from_secs(60)).expect("told to go on");
        }
        Reply::new(200, answer.lock().expect("no panic").clone()).with("Content-Type", "text/csv")
    });
    (server, go)
}

fn over_https(world: &World, server: &FakeServer) -> SourceSettings {
    let place = Place::Https { address: server.url("/people.csv"), auth: FileAuth::None };
    SourceSettings::DelimitedFetched(Box::new(fetch(place, None, world.dir.path().join("files"))), Box::new(files("", None)))
}

/// Twenty people were taken in from a server, the last one of them made by hand before; then ten are gone, 0019 among them,
/// and the package is held.
fn held(held_back: usize) -> (World, FakeServer, Sender<()>, Hold) {
    let answer: Answer = Arc::new(Mutex::new(rows(19)));
    let mut world = company();
    let (server, go) = server(&answer, held_back);
    let settings = over_https(&world, &server);
    feeds(&mut world, settings);
    world.policy.limits.removal_percent = 10;
    world.policy.limits.trip_stops_all = true;
    assert_eq!((world.quiet_night().state, world.seated("p").len()), (RunState::Succeeded, 19));
    let text = "key,given_name,family_name,email,username,identifier,enabled,grades,primary_org,roles,status,source\r\n\
                0019,Ana,Müller,,,,true,,,ext:employee@d,,\r\n";
    let (file, bytes, actor) = ("p.csv", text.as_bytes(), Actor::operator("ann"));
    let request = ImportRequest { file, bytes, synchronize: false, org: None, by: None, actor };
    let service = world.service();
    let customer = &service.customers()[0];
    let preview = service.preview_import(customer, &request).expect("a preview");
    let token = preview.token.unwrap_or_else(|| panic!("{} {:?}", preview.run.message, preview.report));
    assert!(matches!(service.confirm_import(customer, &request, &token), Ok(ImportAnswer::Done(_))));
    *answer.lock().expect("no panic") = rows(20);
    assert_eq!((world.quiet_night().state, world.seated("p").len()), (RunState::Succeeded, 20));
    *answer.lock().expect("no panic") = rows(10);
    assert_eq!((world.quiet_night().state, world.seated("p").len()), (RunState::Held, 20));
    let hold = world.service().store().holds(&world.policy.customer).expect("holds").remove(0);
    assert_eq!((hold.packages.len(), server.asked().len()), (1, 3));
    (world, server, go, hold)
}

fn next(service: &Service) -> RunRow {
    let request = service.take_request().expect("the store").expect("a request");
    service.fulfil(&request, &|_| ()).expect("fulfilled").expect("a run")
}

#[test]
fn whoever_approves_while_a_run_reads_takes_no_file_from_under_it() {
    let (world, server, go, hold) = held(3);
    let service = world.service();
    let customer = &service.customers()[0];
    let before = service.store().standing(customer.id()).expect("books").absences;
    let (run, done) = std::thread::scope(|scope| {
        let night = scope.spawn(|| service.sync(customer, &Trigger::Nightly(world.today), &|_| ()).expect("a run"));
        while server.asked().len() < 4 {
            std::thread::sleep(Duration::from_millis(5));
        }
        // Its file is on the way: nobody else asks for it meanwhile, neither to look at it nor to do what was approved.
        let refused = service.hold_preview(customer, &hold).expect_err("a run is under way");
        assert!(matches!(refused, ServiceError::UnderWay { .. }), "{refused:?}");
        let refused = service.plan_now(customer, &Trigger::Drop).map(drop).expect_err("a run is under way");
        assert!(matches!(refused, ServiceError::UnderWay { .. }), "{refused:?}");
        let done = service.approve_hold(hold.run, &Actor::operator("ops"), &[], false, &|_| ()).expect("approved");
        go.send(()).expect("it waits");
        (night.join().expect("no panic"), done)
    });
    assert!(succeeded(&run), "{} {}", run.state, run.message);
    assert_eq!((&done.answer, done.hold.state), (&HoldAnswer::Done, HoldState::Approved));
    assert!(done.run.is_none(), "not while another run reads");
    assert_eq!((world.seated("p").len(), service.store().standing(customer.id()).expect("books").absences), (20, before));
    // The next run does it.
    let request = done.request.expect("a request");
    let run = next(&service);
    assert_eq!((run.state, run.tally.released, world.seated("p").len()), (RunState::Succeeded, 9, 11), "{}", run.message);
    let row = service.store().request_row(request).expect("the store").expect("it is there");
    assert_eq!((row.state, row.run), (RequestState::Done, Some(run.run)));
    assert_eq!(service.hold(hold.run).expect("it is there").1.used, Some(run.run));
    nothing_left(&world);
    world.verify();
}

#[test]
fn what_approving_would_do_is_what_it_does_also_with_people_made_by_hand() {
    let (world, _server, _go, hold) = held(usize::MAX);
    let service = world.service();
    let customer = &service.customers()[0];
    let shown = service.hold_preview(customer, &hold).expect("a preview").expect("its package is there");
    nothing_left(&world);
    assert_eq!(shown.pools[0].released.0, 9);
    let done =
        service.approve_hold(hold.run, &Actor::operator("ann"), &[], false, &|_| ()).expect("approved").run.expect("a run");
    let plan = service.run_plan(&done).expect("the store").expect("a plan");
    let changes = |plan: &rosterd::plan::Plan| -> Vec<_> {
        plan.changes.iter().map(|c| (plan.people.get(c.person).to_owned(), c.because, c.after.state)).collect()
    };
    assert_eq!((changes(&shown), shown.pools), (changes(&plan), plan.pools));
    assert_eq!(world.seated("p").len(), 11);
    nothing_left(&world);
    world.verify();
}

#[test]
fn one_night_asks_for_a_file_once_and_leaves_nothing_of_it() {
    let answer: Answer = Arc::new(Mutex::new(rows(20)));
    let mut world = company();
    let (server, _go) = server(&answer, usize::MAX);
    let settings = over_https(&world, &server);
    feeds(&mut world, settings);
    let service = world.service();
    for (people, asked) in [(20, 1), (25, 2)] {
        *answer.lock().expect("no panic") = rows(people);
        // Within a minute the night would be the same one.
        world.clock.set(world.clock.now().plus_millis(120_000));
        service.request_sync(&service.customers()[0], &Trigger::Nightly(world.today)).expect("asked for");
        let run = next(&service);
        assert_eq!((run.state, world.seated("p").len(), server.asked().len()), (RunState::Succeeded, people, asked));
        nothing_left(&world);
        assert!(service.take_request().expect("the store").is_none(), "one file has nothing behind it");
    }
}

#[test]
fn a_folder_on_another_machine_is_looked_at_again_and_left_alone_in_the_end() {
    let Some(server) = Sshd::start() else { return };
    let mut world = company();
    let mut how = fetch(Place::Sftp(server.settings("")), Some("p_*.csv"), world.dir.path().join("files"));
    how.newest_only = true;
    feeds(&mut world, SourceSettings::DelimitedFetched(Box::new(how), Box::new(files("", Some("p_*.csv")))));
    fs::write(server.folder().join("p_1.csv"), rows(20)).expect("written");
    let service = world.service();
    let customer = &service.customers()[0];
    service.request_sync(customer, &Trigger::Nightly(world.today)).expect("asked for");
    // A newer file arrives while the first one is taken in.
    let request = service.take_request().expect("the store").expect("a request");
    let newer = std::sync::Once::new();
    let watch = |_| newer.call_once(|| fs::write(server.folder().join("p_2.csv"), rows(22)).expect("written"));
    let run = service.fulfil(&request, &|phase| {
        if phase == rosterd::service::Phase::Committing {
            watch(phase)
        }
    });
    assert!(succeeded(&run.expect("fulfilled").expect("a run")));
    assert_eq!(world.seated("p").len(), 20);
    assert!(succeeded(&next(&service)));
    assert_eq!(world.seated("p").len(), 22);
    assert!(service.take_request().expect("the store").is_none());
    nothing_left(&world);
}

#[test]
fn a_file_that_nobody_writes_any_more_is_told_though_it_is_the_same() {
    const HOUR: i64 = 3_600_000;
    let written = Instant::parse("2026-03-01T08:00:00Z").expect("an instant");
    let server = FakeServer::start(|asked, _| match asked.header("if-none-match") {
        Some("\"one\"") => Reply { status: 304, ..Reply::default() },
        _ => Reply::new(200, rows(3))
            .with("Content-Type", "text/csv")
            .with("ETag", "\"one\"")
            .with("Last-Modified", "Sun, 01 Mar 2026 08:00:00 GMT"),
    });
    let world = company();
    let mut how =
        fetch(Place::Https { address: server.url("/people.csv"), auth: FileAuth::None }, None, world.dir.path().join("files"));
    how.age_hours_max = Some(48);
    let clock = Arc::new(AtomicI64::new(written.0 + HOUR));
    let now = clock.clone();
    let pace = Pace::of(move || Instant(now.load(Ordering::SeqCst)), || Duration::ZERO, |_| ());
    let source = open(SourceSettings::DelimitedFetched(Box::new(how), Box::new(files("", None))), &Network::new(pace));
    let found = source.pending(&Seen::default()).expect("fresh");
    let seen = Seen { digest: found[0].digest, ..Seen::default() };
    source.done();
    clock.store(written.0 + 48 * HOUR, Ordering::SeqCst);
    assert_eq!(source.pending(&seen).expect("two days are allowed"), []);
    clock.store(written.0 + 73 * HOUR, Ordering::SeqCst);
    let error = source.pending(&seen).expect_err("whoever writes it has stopped");
    assert!(ErrorChain(&error).to_string().contains("the file is 73 h old, more than max_age_hours = 48"), "{error}");
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn what_lies_beside_a_file_is_not_taken_for_one() {
    let Some(server) = Sshd::start() else { return };
    let put = |name: &str, text: &str| fs::write(server.folder().join(name), text).expect("written");
    put("people_1.csv", &rows(20));
    put("people_1.csv.sha256", &rosterd::base::Digest::of(rows(20).as_bytes()).to_string());
    put("people_1.csv.done", "");
    put("people_1.csv.count", "20");
    put("people_2.csv.part", &rows(2));
    put("people_3.csv.TMP", &rows(2));
    for marker in [false, true] {
        let mut world = company();
        let mut how = fetch(Place::Sftp(server.settings("")), Some("people_*"), world.dir.path().join("files"));
        (how.newest_only, how.marker, how.companions) = (true, marker, vec!["sha256".into(), "count".into()]);
        let mut settings = files("", Some("people_*"));
        settings.count_ending = Some("count".into());
        feeds(&mut world, SourceSettings::DelimitedFetched(Box::new(how), Box::new(settings)));
        let run = world.run();
        assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 20), "{}", run.message);
        assert_eq!(run.packages, ["hr:people_1.csv"]);
    }
}
