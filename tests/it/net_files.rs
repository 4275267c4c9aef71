//! Files that are fetched before they are read: OneRoster packages and delimited files over SFTP and HTTPS, whole or not at
//! all. The SFTP server is a real one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::{ErrorChain, Instant, Secret, SourceId};
use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::service::Feed;
use rosterd::source::{
    BulkWithStatus, CsvSourceSettings, DropKind, FetchSettings, FileAuth, HttpSettings, MemoryPages, Network, PageStore,
    Pattern, Place, RosterSource, Seen, SftpAuth, SftpSettings, SourceError, SourceSettings, open_source,
};
use rosterd::store::{RunRow, RunState};

use crate::fake_http::{FakeServer, Reply};
use crate::fake_sftp::{Proxy, Sshd, once};
use crate::net_http::{fast_network, quick};
use crate::world::World;

/// 30 people with a seat each; whoever is missing is gone at once, so that half a file would show.
pub fn district() -> World {
    let mut world = World::new("north")
        .school("s1")
        .product("p", ProductKind::Module, SeatModel::Role)
        .role_rule("student", "p")
        .pool("p", "d", Some(40), OnFull::Wait);
    for at in 0..30 {
        world.hire(&format!("u{at:02}"), "student", "s1");
    }
    world.policy.absence_confirmations = 1;
    world
}

/// What the world has now as a zip.
pub fn package(world: &mut World) -> Vec<u8> {
    world.write_package();
    let drop = world.dir.path().join("drop");
    let folder = fs::read_dir(&drop).expect("listed").map(|entry| entry.expect("an entry").path()).max().expect("a package");
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for entry in fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        writer.start_file(path.file_name().expect("a name").to_string_lossy(), options).expect("started");
        writer.write_all(&fs::read(&path).expect("bytes")).expect("written");
    }
    // So that it takes more than a few reads.
    writer.start_file("notes.txt", options).expect("started");
    writer.write_all(&vec![b'x'; 3 << 20]).expect("written");
    fs::remove_dir_all(&folder).expect("removed");
    writer.finish().expect("a zip").into_inner()
}

/// How files are fetched from a place, with a folder of their own.
pub fn fetch(place: Place, pattern: Option<&str>, work: PathBuf) -> FetchSettings {
    FetchSettings {
        pull: "north/sis".into(),
        place,
        pattern: pattern.map(|text| Pattern::parse(text).expect("a pattern")),
        newest_only: false,
        work,
        settle: Duration::from_secs(60),
        marker: false,
        companions: vec!["sha256".into()],
        age_hours_max: None,
        file_bytes_max: 1 << 30,
        http: HttpSettings { read: Duration::from_secs(10), ..quick() },
    }
}

pub fn packages(fetch: FetchSettings) -> SourceSettings {
    let kind = if fetch.pattern.is_some() { DropKind::Drop } else { DropKind::Package };
    let mut csv = CsvSourceSettings::new(SourceId::from("sis"), "", kind);
    csv.courses_optional = true;
    csv.bulk_with_status = BulkWithStatus::Full;
    SourceSettings::OneRosterFetched(Box::new(fetch), csv)
}

pub fn open(settings: SourceSettings, network: &Network) -> Box<dyn RosterSource> {
    let pages: Arc<dyn PageStore> = Arc::new(MemoryPages { bytes_max: 1 << 30 });
    open_source(settings, network, &pages)
}

/// Makes this the source of the world.
pub fn feeds(world: &mut World, settings: SourceSettings) -> Arc<Mutex<Vec<Duration>>> {
    let (network, waits) = fast_network();
    feeds_on(world, &network, settings);
    waits
}

/// The same on a network that others may share.
pub fn feeds_on(world: &mut World, network: &Network, settings: SourceSettings) {
    let intake = settings.intake();
    let source: Arc<dyn RosterSource> = Arc::from(open(settings, network));
    world.adjust = Box::new(move |customer| {
        customer.sources = vec![Feed { source: source.clone(), intake, watched: false, activity_column: None }];
    });
}

pub fn work(world: &World) -> PathBuf {
    world.dir.path().join("files")
}

/// Nothing of a file is left on this machine.
pub fn nothing_left(world: &World) {
    let left: Vec<String> = fs::read_dir(work(world))
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| !name.ends_with(".known"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

fn failed(run: &RunRow, why: &str) {
    assert_eq!(run.state, RunState::Failed, "{}", run.message);
    assert!(run.message.contains(why), "{}", run.message);
}

fn over_sftp(world: &mut World, sftp: SftpSettings, pattern: Option<&str>) -> Arc<Mutex<Vec<Duration>>> {
    let settings = packages(fetch(Place::Sftp(sftp), pattern, work(world)));
    feeds(world, settings)
}

#[test]
fn packages_over_sftp_are_taken_in_the_order_of_their_names() {
    let Some(server) = Sshd::start() else { return };
    let mut world = district();
    over_sftp(&mut world, server.settings(""), Some("*.zip"));
    let run = world.run();
    assert_eq!((run.state, run.tally.people), (RunState::Succeeded, 0), "nothing there yet: {}", run.message);
    fs::write(server.folder().join("1.zip"), package(&mut world)).expect("written");
    world.hire("new", "student", "s1");
    fs::write(server.folder().join("2.zip"), package(&mut world)).expect("written");
    fs::write(server.folder().join("3.zip.part"), "half").expect("written");
    for people in [30, 31, 31] {
        let run = world.run();
        assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, people), "{}", run.message);
        nothing_left(&world);
    }
    assert_eq!(server.log().matches("Accepted publickey").count(), 4, "one connection a run");
    world.verify();
}

#[test]
fn a_package_that_is_replaced_in_place_is_fetched_only_when_it_changed() {
    let Some(server) = Sshd::start() else { return };
    let mut world = district();
    let file = server.folder().join("roster.zip");
    let proxy = Proxy::before(server.socket(), |_, _| true);
    let mut sftp = server.settings("roster.zip");
    sftp.at.port = proxy.port;
    sftp.auth = SftpAuth::Key { key: server.key("locked"), passphrase: Some(Secret::new("hunter2")) };
    over_sftp(&mut world, sftp, None);
    failed(&world.run(), "find it");
    fs::write(&file, package(&mut world)).expect("written");
    let run = world.run();
    assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 30), "{}", run.message);
    let before = proxy.passed();
    assert_eq!(world.run().state, RunState::Succeeded);
    assert!(proxy.passed() - before < 100_000, "an unchanged package is not fetched again");
    world.vanish("u07");
    fs::write(&file, package(&mut world)).expect("written");
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 29));
    nothing_left(&world);
    world.verify();
}

#[test]
fn a_server_with_another_key_is_told_nothing() {
    for kind in ["ed25519", "ecdsa"] {
        let Some(server) = Sshd::start_with(kind) else { return };
        let mut world = district();
        fs::write(server.folder().join("1.zip"), package(&mut world)).expect("written");
        let mut sftp = server.settings("");
        let trusted = std::mem::replace(&mut sftp.host_keys, vec!["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()]);
        over_sftp(&mut world, sftp.clone(), Some("*.zip"));
        let run = world.run();
        failed(&run, "trust the server");
        assert!(run.message.contains(&trusted[0]) && run.message.contains("not configured"), "{}", run.message);
        let log = server.log();
        assert!(!log.contains("Accepted") && !log.contains("Failed") && !log.contains("Postponed"), "{log}");
        // One of several keys is enough: they are exchanged one after the other.
        sftp.host_keys.extend(trusted);
        over_sftp(&mut world, sftp, Some("*.zip"));
        assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 30));
    }
    // RSA is not among what we have, and that is said.
    let Some(server) = Sshd::start_with("rsa") else { return };
    let mut world = district();
    over_sftp(&mut world, server.settings(""), Some("*.zip"));
    failed(&world.run(), "RSA keys are not taken");
}

#[test]
fn keys_that_do_not_open_are_told_without_a_word_of_them() {
    let Some(server) = Sshd::start() else { return };
    let mut world = district();
    let sign_in = |key: &str, passphrase: Option<&str>| SftpAuth::Key {
        key: if key == "none" { Secret::new("-----BEGIN hunter2-----") } else { server.key(key) },
        passphrase: passphrase.map(Secret::new),
    };
    for (auth, told) in [
        (sign_in("stranger", None), "the server does not accept this user"),
        (sign_in("locked", Some("wrong")), "its passphrase is another one"),
        (sign_in("locked", None), "its passphrase is another one"),
        (sign_in("none", None), "it is no ed25519 or ECDSA key"),
        (SftpAuth::Password(Secret::new("hunter2")), "the server does not accept this user"),
    ] {
        over_sftp(&mut world, SftpSettings { auth, ..server.settings("") }, Some("*.zip"));
        let run = world.run();
        failed(&run, told);
        assert!(!run.message.contains("hunter2") && !run.message.contains("wrong"), "{}", run.message);
    }
}

/// A package of 30 people was taken in; then a second one, without most of them, comes in a bad way.
fn bad_way(keep: impl Fn(&Path) -> Box<dyn Fn(u32, u64) -> bool + Send + Sync>) -> Option<(World, RunRow, u64)> {
    let server = Sshd::start()?;
    let mut world = district();
    let file = server.folder().join("roster.zip");
    fs::write(&file, package(&mut world)).expect("written");
    over_sftp(&mut world, server.settings("roster.zip"), None);
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 30));
    for at in 0..25 {
        world.vanish(&format!("u{at:02}"));
    }
    fs::write(&file, package(&mut world)).expect("written");
    let proxy = Proxy::before(server.socket(), keep(&file));
    let mut sftp = server.settings("roster.zip");
    sftp.at.port = proxy.port;
    over_sftp(&mut world, sftp, None);
    let run = world.run();
    nothing_left(&world);
    world.verify();
    Some((world, run, proxy.passed()))
}

#[test]
fn connections_that_break_are_gone_on_from_and_in_the_end_given_up() {
    const HALF: u64 = 1_500_000;
    let Some((world, run, passed)) = bad_way(|_| Box::new(|number, bytes| number > 0 || bytes < HALF)) else { return };
    assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 5), "{}", run.message);
    // 3 MiB, and not twice the half that was there; reads under way when it broke are lost.
    assert!((3 << 20..(3 << 20) + HALF * 4 / 5 + 200_000).contains(&passed), "{passed}");

    let Some((world, run, _)) = bad_way(|_| Box::new(|_, bytes| bytes < 600_000)) else { return };
    failed(&run, "read it to its end");
    assert_eq!(world.seated("p").len(), 30, "nobody left");
}

#[test]
fn files_that_change_vanish_or_shrink_while_they_are_read_remove_nobody() {
    /// What becomes of the file in mid-read, and what is told.
    type Fate = (fn(&Path), &'static str);
    let fates: [Fate; 4] = [
        (|file| fs::remove_file(file).expect("removed"), "find it"),
        (
            |file| {
                let other = file.with_extension("new");
                fs::write(&other, vec![b'y'; 4 << 20]).expect("written");
                fs::rename(&other, file).expect("replaced");
            },
            "changed while it was read",
        ),
        (|file| fs::OpenOptions::new().write(true).open(file).and_then(|f| f.set_len(2 << 20)).expect("cut"), "changed while"),
        (
            |file| {
                let mut file = fs::OpenOptions::new().append(true).open(file).expect("opened");
                file.write_all(&[b'z'; 1_000]).expect("grown");
            },
            "changed while it was read",
        ),
    ];
    for (fate, told) in fates {
        let keep = |file: &Path| -> Box<dyn Fn(u32, u64) -> bool + Send + Sync> {
            let file = file.to_owned();
            let act = once(move || fate(&file));
            Box::new(move |_, bytes| {
                if bytes > 1_000_000 {
                    act();
                }
                true
            })
        };
        let Some((world, run, _)) = bad_way(keep) else { return };
        failed(&run, told);
        assert_eq!(world.seated("p").len(), 30, "nobody left");
    }
}

#[test]
fn a_file_that_still_grows_waits_and_markers_and_digests_say_more() {
    let Some(server) = Sshd::start() else { return };
    let mut world = district();
    let bytes = package(&mut world);
    let file = server.folder().join("1.zip");
    let settings = fetch(Place::Sftp(server.settings("")), Some("*.zip"), work(&world));

    // It grows while we wait for it to rest.
    fs::write(&file, &bytes[..1_000]).expect("written");
    let growing = file.clone();
    let grow = once(move || fs::write(&growing, [b'x'; 2_000]).expect("written"));
    let pace = rosterd::source::Pace::of(
        || Instant(i64::MAX / 2),
        || Duration::ZERO,
        move |time| {
            if time >= Duration::from_secs(60) {
                grow();
            }
        },
    );
    // A clock far ahead would call anything old; this one is behind.
    let behind = rosterd::source::Pace::of(|| Instant(0), || Duration::ZERO, move |time| pace.wait(time));
    let source = open(packages(settings.clone()), &Network::new(behind));
    let error = source.pending(&Seen::default()).expect_err("it grows");
    assert!(ErrorChain(&error).to_string().contains("is still being written"), "{}", ErrorChain(&error));

    // Old enough: no waiting. Young and marked: none either.
    fs::write(&file, &bytes).expect("written");
    let pending = |settings: &FetchSettings, world: &mut World| {
        let waits = feeds(world, packages(settings.clone()));
        let customer = world.customer();
        let found = customer.sources[0].source.pending(&Seen::default());
        customer.sources[0].source.done();
        let waited = waits.lock().expect("no panic").iter().any(|wait| *wait >= Duration::from_secs(60));
        (found.map(|found| found.len()).map_err(|error| ErrorChain(&error).to_string()), waited)
    };
    assert_eq!(pending(&settings, &mut world), (Ok(1), true));
    let hour_ago = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_699_990_000);
    fs::File::open(&file).and_then(|file| file.set_modified(hour_ago)).expect("set");
    assert_eq!(pending(&settings, &mut world), (Ok(1), false));
    let marked = FetchSettings { marker: true, ..settings.clone() };
    let (found, _) = pending(&marked, &mut world);
    assert!(found.expect_err("no marker").contains("no `.done` beside it"));
    fs::write(server.folder().join("1.zip.done"), "").expect("written");
    assert_eq!(pending(&marked, &mut world), (Ok(1), false));

    // A digest that was sent along counts.
    fs::write(server.folder().join("1.sha256"), "0".repeat(64)).expect("written");
    let (found, _) = pending(&settings, &mut world);
    assert!(found.expect_err("another digest").contains("SHA-256 is not the one"));
    fs::write(server.folder().join("1.sha256"), rosterd::base::Digest::of(&bytes).to_string()).expect("written");
    assert_eq!(pending(&settings, &mut world).0, Ok(1));

    // Whoever writes them has stopped; what is too large is not even begun.
    let (found, _) = pending(&FetchSettings { age_hours_max: Some(1), ..settings.clone() }, &mut world);
    assert!(found.expect_err("stale").contains("more than max_age_hours = 1"));
    let (found, _) = pending(&FetchSettings { file_bytes_max: 1_000, ..settings }, &mut world);
    assert!(found.expect_err("large").contains("more than max_mib allows"));
}

fn over_https(world: &mut World, address: &str) {
    let place = Place::Https { address: address.to_owned(), auth: FileAuth::Bearer(Secret::new("hunter2")) };
    let mut fetch = fetch(place, None, work(world));
    fetch.http.read = Duration::from_millis(500);
    feeds(world, packages(fetch));
}

#[test]
fn a_package_over_https_is_asked_for_on_condition() {
    let mut world = district();
    let now: Arc<Mutex<(Vec<u8>, &'static str)>> = Arc::new(Mutex::new((package(&mut world), "\"one\"")));
    let server = FakeServer::start_tls({
        let now = now.clone();
        move |asked, _| {
            let (bytes, tag) = now.lock().expect("no panic").clone();
            if asked.header("if-none-match") == Some(tag) {
                return Reply { status: 304, ..Reply::default() };
            }
            let since = "Sun, 01 Mar 2026 08:49:37 GMT";
            Reply::new(200, bytes).with("ETag", tag).with("Last-Modified", since).with("Content-Type", "application/zip")
        }
    });
    let place = Place::Https { address: server.url("/roster.zip"), auth: FileAuth::Bearer(Secret::new("hunter2")) };
    let mut settings = fetch(place, None, work(&world));
    settings.http.ca_file = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls/ca.pem"));
    feeds(&mut world, packages(settings.clone()));
    let conditions = |at: usize| {
        let asked = &server.asked()[at];
        assert_eq!(asked.header("authorization"), Some("Bearer hunter2"));
        assert_eq!(asked.header("accept-encoding"), Some("identity"));
        (asked.header("if-none-match").map(str::to_owned), asked.header("if-modified-since").map(str::to_owned))
    };
    let run = world.run();
    assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 30), "{}", run.message);
    assert_eq!(conditions(0), (None, None));
    // Another process knows it, too.
    feeds(&mut world, packages(settings));
    let run = world.run();
    assert_eq!((run.state, world.seated("p").len(), server.asked().len()), (RunState::Succeeded, 30, 2), "{}", run.message);
    assert_eq!(conditions(1), (Some("\"one\"".into()), Some("Sun, 01 Mar 2026 08:49:37 GMT".into())));
    // The tag changed, the bytes did not: an empty plan. Then both change.
    now.lock().expect("no panic").1 = "\"two\"";
    let run = world.run();
    assert_eq!((run.state, run.tally.seated, run.tally.released), (RunState::Succeeded, 0, 0), "{}", run.message);
    world.vanish("u07");
    *now.lock().expect("no panic") = (package(&mut world), "\"three\"");
    assert_eq!((world.run().state, world.seated("p").len()), (RunState::Succeeded, 29));
    assert_eq!(conditions(3).0, Some("\"two\"".into()));
    assert_eq!(world.run().state, RunState::Succeeded);
    assert_eq!(server.asked().len(), 5);
    nothing_left(&world);
    world.verify();
}

#[test]
fn answers_that_are_no_whole_file_remove_nobody() {
    let mut world = district();
    let whole = package(&mut world);
    for at in 0..25 {
        world.vanish(&format!("u{at:02}"));
    }
    let half = package(&mut world);
    let zip = move |bytes: &[u8]| Reply::new(200, bytes).with("Content-Type", "application/zip");
    let cases: Vec<(Reply, &str)> = vec![
        (zip(&half).cut(1_000_000), "to its end"),
        (Reply { stall: true, ..zip(&half).cut(1_000_000) }, "no answer within"),
        (Reply { unsized_body: true, ..zip(&half) }, "does not say how long it is"),
        (zip(&half).with("Content-Encoding", "gzip"), "packed, though asked not to"),
        (Reply::html(200), "a web page or a message"),
        (Reply::new(200, "{}").with("Content-Type", "application/json; charset=utf-8"), "a web page or a message"),
        (Reply::new(200, "<html>sign in</html>").with("Content-Type", "application/zip"), "zip_invalid"),
        (zip(&half[..half.len() - 30]), "zip_invalid"),
        (Reply::new(200, ""), "zip_invalid"),
        (Reply::new(403, ""), "do not allow it (403)"),
        (Reply::html(503), "it failed (503)"),
        (Reply::new(302, "").with("Location", "https://elsewhere.example/x.zip"), "credentials are never sent to another host"),
        // Not asked on condition: then this is no answer.
        (Reply { status: 304, ..Reply::default() }, "status 304"),
    ];
    for (reply, told) in cases {
        let mut world = district();
        let (first, answer) = (whole.clone(), reply.clone());
        let server = FakeServer::start(move |_, before| if before == 0 { zip(&first) } else { answer.clone() });
        over_https(&mut world, &server.url("/roster.zip"));
        let run = world.run();
        assert_eq!((run.state, world.seated("p").len()), (RunState::Succeeded, 30), "{}", run.message);
        let run = world.run();
        if told != "status 304" {
            failed(&run, told);
        }
        assert!(!run.message.contains("hunter2"), "{}", run.message);
        assert_eq!(world.seated("p").len(), 30, "nobody left: {told}");
        nothing_left(&world);
    }
}

#[test]
fn check_looks_at_the_beginning_and_writes_nothing() {
    let mut world = district();
    let bytes = package(&mut world);
    let server = FakeServer::start({
        let bytes = bytes.clone();
        move |asked, _| if asked.path() == "/roster.zip" { Reply::new(200, bytes.clone()) } else { Reply::new(200, "no zip") }
    });
    let check = |place: Place, pattern: Option<&str>| {
        let work = world.dir.path().join("untouched");
        let checked = open(packages(fetch(place, pattern, work.clone())), &fast_network().0).check();
        assert!(!work.exists());
        checked.map_err(|error: SourceError| ErrorChain(&error).to_string())
    };
    let https = |path: &str| Place::Https { address: server.url(path), auth: FileAuth::None };
    let good = check(https("/roster.zip"), None).expect("good");
    assert!(good.ends_with("/roster.zip: newest file roster.zip, a zip"), "{good}");
    assert!(check(https("/other.zip"), None).expect_err("no zip").contains("it is no zip"));
    let Some(sshd) = Sshd::start() else { return };
    let good = check(Place::Sftp(sshd.settings("")), Some("*.zip")).expect("good");
    assert!(good.ends_with("reachable, no file there yet"), "{good}");
    fs::write(sshd.folder().join("1.zip"), &bytes).expect("written");
    let good = check(Place::Sftp(sshd.settings("")), Some("*.zip")).expect("good");
    assert!(good.starts_with("sftp://127.0.0.1:") && good.ends_with("newest file 1.zip, a zip"), "{good}");
}
