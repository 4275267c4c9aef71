//! The HTTP client against servers that behave and misbehave, on real sockets. Waiting takes no time here.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::base::{ErrorChain, Instant, Secret};
use rosterd::source::{
    Authorize, Basic, Bearer, Header, Http, HttpError, HttpSettings, Network, Nobody, Outgoing, Pace, RetrySettings,
};

use crate::fake_http::{FakeServer, Reply};

/// A network at whose pace waiting takes no time, and what was waited for.
pub fn fast_network() -> (Network, Arc<Mutex<Vec<Duration>>>) {
    let waits = Arc::new(Mutex::new(Vec::<Duration>::new()));
    let (all, add) = (waits.clone(), waits.clone());
    let pace = Pace::of(
        || Instant(1_700_000_000_000),
        move || all.lock().expect("no panic").iter().sum(),
        move |time| add.lock().expect("no panic").push(time),
    );
    (Network::new(pace), waits)
}

/// Between two pieces of an answer that comes too slowly: less than may be silent, and a second of it is more than may be.
pub const DRIP: Duration = Duration::from_millis(40);

/// So long an answer may take in all where one drips.
pub const PATIENCE: Duration = Duration::from_millis(800);

/// Settings for a server on this machine: nothing takes long, except what hangs.
pub fn quick() -> HttpSettings {
    HttpSettings {
        connect: Duration::from_secs(5),
        read: Duration::from_millis(300),
        per_second_max: 1_000_000,
        retry: RetrySettings { tries_max: 3, ..RetrySettings::default() },
        ..HttpSettings::default()
    }
}

fn get(http: &Http, auth: &dyn Authorize) -> Result<String, String> {
    let url = http.base().clone();
    http.get(auth, |_| url.clone())
        .map(|answer| String::from_utf8(answer.body).expect("UTF-8"))
        .map_err(|error| format!("could not {}", ErrorChain(&error)))
}

fn fetch(server: &FakeServer, settings: &HttpSettings) -> Result<String, String> {
    get(&Http::new(&fast_network().0, &server.url("/x"), settings).expect("a client"), &Nobody)
}

#[test]
fn failures_that_pass_are_tried_again() {
    for failure in [
        Reply::html(500),
        Reply::html(502),
        Reply::new(503, ""),
        Reply::new(504, ""),
        Reply::html(429),
        Reply::new(408, ""),
        Reply::drop(),
        Reply::hang(),
        Reply::json(r#"{"users":[]}"#).cut(5),
        Reply::new(200, "no gzip at all").with("Content-Encoding", "gzip"),
    ] {
        let server = FakeServer::start({
            let failure = failure.clone();
            move |_, before| if before < 2 { failure.clone() } else { Reply::json("{}") }
        });
        assert_eq!(fetch(&server, &quick()).as_deref(), Ok("{}"), "{failure:?}");
        assert!(server.asked().len() >= 3);
    }
}

#[test]
fn failures_that_stay_are_told_clearly() {
    let cases: Vec<(Reply, &str, usize)> = vec![
        (Reply::new(400, ""), "it refused the request (400)", 1),
        (Reply::html(401), "it does not accept the credentials (401)", 1),
        (Reply::new(403, ""), "the credentials do not allow it (403)", 1),
        (Reply::new(404, ""), "there is nothing at this address (404)", 1),
        (Reply::new(422, ""), "it answered with status 422", 1),
        (Reply::new(501, ""), "it failed (501)", 1),
        (Reply::new(503, ""), "it failed (503), 3 times", 3),
        (Reply::html(429), "it asks for fewer requests (429), 3 times", 3),
        (Reply::new(429, "").with("Retry-After", 601), "the server asks to come back in 601 s", 1),
        (Reply::new(302, ""), "it answered with status 302", 1),
        (Reply::hang(), "no answer within 1 s", 3),
        (Reply::json("{}".repeat(100)).cut(3), "to its end", 3),
    ];
    for (reply, told, tries) in cases {
        let server = FakeServer::start(move |_, _| reply.clone());
        let error = fetch(&server, &quick()).expect_err("a failure");
        assert!(error.starts_with(&format!("could not read {}", server.url("/x"))) && error.contains(told), "{error}");
        assert_eq!(server.asked().len(), tries, "{told}");
    }
    let server = FakeServer::start(|_, _| Reply::json("{}"));
    let url = server.url("/x");
    drop(server);
    let http = Http::new(&fast_network().0, &url, &quick()).expect("a client");
    let error = get(&http, &Nobody).expect_err("nobody there");
    assert!(error.contains("connect to http://127.0.0.1:") && error.to_lowercase().contains("refused"), "{error}");
}

#[test]
fn an_answer_that_drips_is_given_up_when_it_took_too_long_in_all() {
    // Never silent for as long as may be, and still never at its end.
    let server = FakeServer::start(|_, _| Reply::json(" ".repeat(4_000)).drip(10, DRIP));
    let settings = HttpSettings { total: PATIENCE, ..quick() };
    let began = std::time::Instant::now();
    let error = fetch(&server, &settings).expect_err("too slow");
    assert!(error.ends_with("not all of the answer came within 1 s"), "{error}");
    assert!((2..8).contains(&began.elapsed().as_secs()), "three tries of 0.8 s each: {:?}", began.elapsed());
    assert_eq!(server.asked().len(), 3);
    // One that is slow and comes to its end in time is an answer.
    let server = FakeServer::start(|_, _| Reply::json("[1, 2, 3]").drip(3, DRIP));
    assert_eq!(fetch(&server, &settings).as_deref(), Ok("[1, 2, 3]"));
}

#[test]
fn a_connection_that_nobody_takes_is_given_up() {
    let settings = HttpSettings { connect: Duration::from_millis(400), ..quick() };
    // An address for documents: nobody has it, and no network leads there.
    let http = Http::new(&fast_network().0, "https://192.0.2.1:9/x", &settings).expect("a client");
    let began = std::time::Instant::now();
    let error = get(&http, &Nobody).expect_err("nobody there");
    assert!(error.contains("connect to https://192.0.2.1:9"), "{error}");
    if began.elapsed() < Duration::from_millis(400) {
        eprintln!("LEFT OUT: this network refuses a connection at once that should be waited for in vain ({error})");
        return;
    }
    assert!(began.elapsed() < Duration::from_secs(6), "three tries of 0.4 s each: {:?}", began.elapsed());
}

#[test]
fn what_is_no_json_is_told_as_such() {
    for (body, found) in [
        ("<html>log in</html>", "a web page or XML"),
        ("  ", "empty"),
        ("OK", "something else (application/json)"),
        (r#"{"users":[{"name":"Ana"#, "cut-off JSON (line 1, column 22)"),
        (r#"{"users":[},"#, "broken JSON (line 1, column 11)"),
        (r#"{"user":[]}"#, "JSON of another shape (line 1, column 11)"),
    ] {
        let server = FakeServer::start(move |_, _| Reply::json(body));
        let http = Http::new(&fast_network().0, &server.url("/x"), &quick()).expect("a client");
        let url = http.base().clone();
        let answer = http.get(&Nobody, |_| url.clone()).expect("an answer");
        #[derive(serde::Deserialize, Debug)]
        struct Shape {
            #[expect(dead_code, reason = "only its presence counts")]
            users: Vec<serde::de::IgnoredAny>,
        }
        let error = answer.json::<Shape>().expect_err("no JSON").to_string();
        assert_eq!(error, format!("read {}: the answer is {found} instead of JSON", server.url("/x")));
        assert!(!error.contains("Ana"));
    }
}

#[test]
fn pauses_are_those_the_server_asks_for_and_ours_otherwise() {
    let server = FakeServer::start(|_, before| match before {
        0 => Reply::new(503, "").with("Retry-After", 120),
        1 => Reply::new(429, "")
            .with("Date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .with("Retry-After", "Sun, 06 Nov 1994 08:52:37 GMT"),
        2 => Reply::new(500, ""),
        _ => Reply::json("{}"),
    });
    let (network, waits) = fast_network();
    let settings = HttpSettings { retry: RetrySettings::default(), ..quick() };
    let http = Http::new(&network, &server.url("/x"), &settings).expect("a client");
    get(&http, &Nobody).expect("an answer");
    let waits = waits.lock().expect("no panic");
    let long: Vec<u64> = waits.iter().map(Duration::as_secs).filter(|secs| *secs > 0).collect();
    assert_eq!(long[..2], [120, 180]);
    assert!((2..=6).contains(&long[2]), "the third pause is ours, 4 s give or take a half: {long:?}");
}

#[test]
fn redirects_stay_at_home_and_are_bounded() {
    let other = FakeServer::start(|_, _| Reply::json("{}"));
    let away = other.url("/x");
    let server = FakeServer::start(move |asked, _| match asked.path() {
        "/x" => Reply::new(307, "").with("Location", "/y?z=1"),
        "/y" => Reply::new(302, "").with("Location", "w"),
        "/w" => Reply::json("\"there\""),
        "/away" => Reply::new(302, "").with("Location", &away),
        "/round" => Reply::new(301, "").with("Location", "/round"),
        path => panic!("{path}"),
    });
    let token = Bearer(Secret::new("hunter2"));
    let ask = |path: &str| {
        let http = Http::new(&fast_network().0, &server.url(path), &quick()).expect("a client");
        get(&http, &token)
    };
    assert_eq!(ask("/x").as_deref(), Ok("\"there\""));
    assert!(server.asked().iter().all(|asked| asked.header("authorization") == Some("Bearer hunter2")));
    let error = ask("/away").expect_err("elsewhere");
    assert!(error.contains("credentials are never sent to another host") && !error.contains("hunter2"), "{error}");
    assert!(other.asked().is_empty(), "the other host was never asked");
    assert!(ask("/round").expect_err("round").contains("more than 3 redirects"));
    // A source that made up another host by itself would be refused as well.
    let http = Http::new(&fast_network().0, &server.url("/x"), &quick()).expect("a client");
    let foreign = reqwest::Url::parse(&other.url("/x")).expect("a URL");
    assert!(matches!(http.get(&Nobody, |_| foreign.clone()), Err(HttpError::Elsewhere { .. })));
    assert!(other.asked().is_empty());
}

#[test]
fn long_answers_are_refused_packed_or_not() {
    let mut packed = Vec::new();
    {
        let mut bytes = vec![b' '; 4 << 20];
        bytes.extend_from_slice(b"{}");
        packed.write_all(&gzip(&bytes)).expect("memory");
    }
    assert!(packed.len() < 64 << 10, "packed it is small: {}", packed.len());
    let body = packed.clone();
    let server = FakeServer::start(move |asked, _| {
        assert!(asked.header("accept-encoding").is_some_and(|codings| codings.contains("gzip")));
        Reply::new(200, body.clone()).with("Content-Encoding", "gzip")
    });
    let fits = HttpSettings { body_bytes_max: 5 << 20, ..quick() };
    assert_eq!(fetch(&server, &fits).map(|body| body.trim().to_owned()).as_deref(), Ok("{}"));
    let bomb = HttpSettings { body_bytes_max: 1 << 20, ..quick() };
    let asked = server.asked().len();
    let error = fetch(&server, &bomb).expect_err("too long");
    assert!(error.contains("longer than 1048576 bytes"), "{error}");
    assert_eq!(server.asked().len(), asked + 1, "asking for the same again would not help");
    // A source that asks for less after it gets another chance.
    let http = Http::new(&fast_network().0, &server.url("/x"), &bomb).expect("a client");
    let (base, mut seen) = (http.base().clone(), Vec::new());
    let smaller = |attempt: rosterd::source::Attempt<'_>| {
        seen.push(attempt.because.is_some_and(HttpError::is_heavy));
        let mut url = base.clone();
        url.set_query(Some(&format!("limit={}", attempt.failed)));
        url
    };
    assert!(http.get(&Nobody, smaller).is_err());
    assert_eq!(seen, [false, true, true]);
}

/// Packs with stored and repeated blocks only, by the library that unpacks zips.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::{Cursor, Read, Seek, SeekFrom};
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("x", zip::write::SimpleFileOptions::default()).expect("a file");
    zip.write_all(bytes).expect("memory");
    let mut zip = zip::ZipArchive::new(zip.finish().expect("a zip")).expect("a zip");
    let (start, length, crc) = {
        let entry = zip.by_index(0).expect("an entry");
        (entry.data_start().expect("a place"), entry.compressed_size(), entry.crc32())
    };
    let mut inner = zip.into_inner();
    inner.seek(SeekFrom::Start(start)).expect("memory");
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    inner.take(length).read_to_end(&mut packed).expect("memory");
    packed.extend_from_slice(&crc.to_le_bytes());
    packed.extend_from_slice(&u32::try_from(bytes.len()).expect("small").to_le_bytes());
    packed
}

#[test]
fn certificates_are_verified() {
    let server = FakeServer::start_tls(|_, _| Reply::json("{}"));
    let error = fetch(&server, &quick()).expect_err("unknown issuer");
    assert!(error.contains("connect to https://127.0.0.1:") && error.contains("UnknownIssuer"), "{error}");
    let authority = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls/ca.pem");
    let trusting = HttpSettings { ca_file: Some(authority), ..quick() };
    assert_eq!(fetch(&server, &trusting).as_deref(), Ok("{}"));
    // Vouched for, but for two other names of this machine.
    let other = server.url("/x").replace("127.0.0.1", "127.0.0.2");
    let http = Http::new(&fast_network().0, &other, &trusting).expect("a client");
    let error = get(&http, &Nobody).expect_err("another name");
    assert!(error.contains("connect to https://127.0.0.2:") && error.contains("not valid for name"), "{error}");
    for (file, told) in [("nowhere.pem", "No such file"), ("net_http.rs", "no PEM certificate in it")] {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(file);
        let settings = HttpSettings { ca_file: Some(file), ..quick() };
        let error = Http::new(&fast_network().0, &server.url("/x"), &settings).err().expect("no certificates");
        let error = ErrorChain(&error).to_string();
        assert!(error.contains("trust the certificates in") && error.contains(told), "{error}");
    }
}

/// A credential that expires.
struct Expiring(Mutex<u32>);

impl Authorize for Expiring {
    fn headers(&self, request: &Outgoing<'_>) -> Result<Vec<Header>, HttpError> {
        let token = *self.0.lock().expect("no panic");
        Ok(vec![Header::secret("authorization", &format!("Bearer {token}"), request)?])
    }

    fn renew(&self) -> Result<bool, HttpError> {
        *self.0.lock().expect("no panic") += 1;
        Ok(true)
    }
}

#[test]
fn a_credential_is_renewed_once() {
    let server = FakeServer::start(|asked, _| match (asked.path(), asked.header("authorization")) {
        ("/x", Some("Bearer 2")) => Reply::json("{}"),
        _ => Reply::new(401, ""),
    });
    let (network, _) = fast_network();
    let auth = Expiring(Mutex::new(1));
    let http = Http::new(&network, &server.url("/x"), &quick()).expect("a client");
    assert_eq!(get(&http, &auth).as_deref(), Ok("{}"));
    assert_eq!(server.asked().len(), 2);
    let http = Http::new(&network, &server.url("/never"), &quick()).expect("a client");
    assert!(get(&http, &auth).expect_err("refused").contains("(401)"));
    assert_eq!(server.asked().len(), 4, "renewed once, then told");
}

#[test]
fn credentials_are_sent_and_shown_nowhere() {
    let server = FakeServer::start(|_, _| Reply::new(401, "hunter2"));
    let http = Http::new(&fast_network().0, &server.url("/x"), &quick()).expect("a client");
    let basic = Basic { user: Secret::new("me"), password: Secret::new("hunter2") };
    let error = get(&http, &basic).expect_err("refused");
    assert_eq!(server.asked()[0].header("authorization"), Some("Basic bWU6aHVudGVyMg=="));
    assert!(server.asked()[0].header("user-agent").is_some_and(|agent| agent.starts_with("rosterd/")));
    assert!(!error.contains("hunter2") && !format!("{basic:?}").contains("hunter2"));
    let absent = Bearer(Secret::absent("customer.north.source.sis.token", "is empty"));
    let error = get(&http, &absent).expect_err("absent");
    assert_eq!(error, "could not sign in: find the secret customer.north.source.sis.token: is empty");
    let broken = Bearer(Secret::new("two\nlines"));
    let error = get(&http, &broken).expect_err("unsendable");
    assert!(error.contains("cannot be sent") && !error.contains("two"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_form_arrives() {
    let server = FakeServer::start(|_, _| Reply::json("{}"));
    let http = Http::new(&fast_network().0, &server.url("/token"), &quick()).expect("a client");
    let url = http.base().clone();
    http.post_form(&Nobody, &url, &[("grant_type", "client_credentials"), ("scope", "a b&c")]).expect("an answer");
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/token"));
    assert_eq!(asked.body, "grant_type=client_credentials&scope=a+b%26c");
    assert_eq!(asked.header("content-type"), Some("application/x-www-form-urlencoded"));
}

#[test]
fn a_failing_upstream_is_left_alone_by_all_who_share_it() {
    let server = FakeServer::start(|_, before| if before < 15 { Reply::new(503, "") } else { Reply::json("{}") });
    let (network, waits) = fast_network();
    let clients: Vec<Http> = (0..3).map(|_| Http::new(&network, &server.url("/x"), &quick()).expect("a client")).collect();
    for round in 0..5 {
        assert!(get(&clients[round % 3], &Nobody).expect_err("down").contains("(503), 3 times"));
    }
    let told = get(&clients[2], &Nobody).expect_err("resting");
    assert!(told.contains("failed 5 times in a row and is left alone for"), "{told}");
    assert_eq!(server.asked().len(), 15, "it was not asked any more");
    waits.lock().expect("no panic").push(Duration::from_secs(60));
    assert_eq!(get(&clients[0], &Nobody).as_deref(), Ok("{}"));
    assert_eq!(get(&clients[1], &Nobody).as_deref(), Ok("{}"));
    // Another upstream was never concerned, and a customer without the right key does not make the upstream rest.
    let picky = FakeServer::start(|_, _| Reply::new(403, ""));
    let http = Http::new(&network, &picky.url("/x"), &quick()).expect("a client");
    for _ in 0..9 {
        assert!(get(&http, &Nobody).expect_err("forbidden").contains("(403)"));
    }
}
