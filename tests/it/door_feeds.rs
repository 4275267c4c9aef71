//! What the HTTP door tells as it happens, what it sends while it is read, how much it may be asked, and its certificate.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rosterd::base::AccessRole;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::door::{Open, Reply};

const JSON: &str = "Content-Type: application/json\r\n";

fn next(reply: &Reply) -> String {
    let next = reply.head.lines().find_map(|line| line.strip_prefix("rosterd-next: "));
    next.unwrap_or_else(|| panic!("no cursor: {}", reply.head)).to_owned()
}

/// The lines of a body that may have come in chunks.
fn lines(reply: &Reply) -> Vec<Value> {
    let json = reply.body.lines().filter(|line| line.starts_with('{'));
    json.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn the_feed_tells_every_commit_once_and_in_order() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    open.until_runs("larkspur", 1);
    let token = open.token(AccessRole::ReadOnly, "");
    let operator = open.token(AccessRole::Operator, "");
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = open.get(&format!("/api/v1/changes?limit=1{after}"), &token);
        assert_eq!(page.status, 200, "{}", page.body);
        let commits = lines(&page);
        after = format!("&after={}", next(&page));
        if commits.is_empty() {
            break;
        }
        assert_eq!(commits.len(), 1);
        seen.extend(commits);
    }
    let exported = |customer: &str| {
        let text = open.demo.told(&format!("audit export {customer}"));
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Value>>()
    };
    assert_eq!(seen, [exported("larkspur"), exported("northfield")].concat(), "as `audit export` tells them");
    // What happens from now on.
    let grant = json!({"seats": 7, "from": "2026-09-01", "reference": "PO 1"}).to_string();
    let path = "/api/v1/customers/northfield/pools/learn-educators/grants";
    assert_eq!(open.post(path, &operator, JSON, &grant).status, 200);
    let news = open.get(&format!("/api/v1/changes?{}", &after[1..]), &token);
    let told: Vec<_> = lines(&news).iter().map(|commit| (commit["customer"].clone(), commit["verb"].clone())).collect();
    assert_eq!(told, [(json!("northfield"), json!("grant"))]);
    assert!(lines(&open.get(&format!("/api/v1/changes?after={}", next(&news)), &token)).is_empty());
    // Only what the token may see.
    let bound = open.token(AccessRole::SystemAdmin, " --customer larkspur");
    let own = lines(&open.get("/api/v1/changes", &bound));
    assert!(!own.is_empty() && own.iter().all(|commit| commit["customer"] == "larkspur"));
    let foreign = open.get(&format!("/api/v1/changes?after={}", next(&news)), &bound);
    assert!(lines(&foreign).is_empty(), "somebody else's cursor shows nothing of them");
    assert_eq!(open.get("/api/v1/changes?customer=northfield", &bound).status, 404);
    assert_eq!(open.get("/api/v1/changes?after=nonsense", &bound).status, 400);
    assert_eq!(open.get("/api/v1/changes", &open.token(AccessRole::OrgAdmin, "")).status, 403);
    open.daemon.stop();
}

#[test]
fn a_run_is_followed_until_it_is_over() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::Reporter, "");
    let reply = open.get("/api/v1/runs/2/events", &token);
    assert!(reply.head.contains("content-type: text/event-stream"), "{}", reply.head);
    let data = reply.body.lines().find_map(|line| line.strip_prefix("data: ")).expect("data");
    let data: Value = serde_json::from_str(data).expect("JSON");
    assert_eq!((reply.body.contains("event: over"), &data["run"], &data["ended"]), (true, &json!(2), &data["ended"]));
    assert_eq!(open.get("/api/v1/runs/999/events", &token).status, 404);
    // One that is made now.
    let operator = open.token(AccessRole::Operator, "");
    let asked = open.post("/api/v1/customers/northfield/requests", &operator, JSON, "{}").json();
    let request = asked["request"].as_u64().expect("a number");
    let mut run = None;
    crate::daemon::until("the request has a run", || {
        run = open.get(&format!("/api/v1/requests/{request}"), &token).json()["run"].as_u64();
        run.map(|_| ()).ok_or_else(|| "not yet".to_owned())
    });
    let told = open.get(&format!("/api/v1/runs/{}/events", run.expect("a run")), &token);
    assert!(told.body.contains("event: over"), "{}", told.body);
    open.daemon.stop();
}

#[test]
fn everybody_is_told_while_somebody_reads() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::ReadOnly, "");
    let path = "/api/v1/customers/northfield/access";
    let people = lines(&open.get(path, &token));
    let shown: Vec<Value> =
        open.demo.told("access northfield").lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(people.len() > 600);
    assert_eq!(people, shown);
    let one = open.get("/api/v1/customers/northfield/people/t-058/access", &token).json();
    assert_eq!(one["products"], open.demo.json("access northfield t-058")["products"]);
    // Somebody who asks and does not read holds nobody up.
    let mut idle = TcpStream::connect(&open.address).expect("a door");
    write!(idle, "GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n").expect("asked");
    assert_eq!(open.get("/livez", &token).status, 200);
    open.daemon.stop();
}

#[test]
fn lists_are_the_same_page_by_page() {
    let open = Open::new(|_| ());
    open.until_runs("northfield", 2);
    let token = open.token(AccessRole::ReadOnly, "");
    let api = "/api/v1/customers/northfield";
    for (path, field, limit) in [
        ("orgs", "orgs", 2),
        ("queue", "waiting", 3),
        ("grants", "grants", 2),
        ("people", "people", 500),
        ("notices", "notices", 1),
        ("episodes", "episodes", 1),
        ("reports/licenses", "rows", 2),
        ("reports/unseated", "rows", 5),
    ] {
        let whole = open.all(&format!("{api}/{path}"), &token, field, 1000);
        assert!(!whole.is_empty(), "{path}");
        assert_eq!(open.all(&format!("{api}/{path}"), &token, field, limit), whole, "{path}");
    }
    assert_eq!(open.all("/api/v1/customers", &token, "customers", 1).len(), 2);
    let runs = open.demo.json("runs northfield");
    let run =
        runs["runs"].as_array().and_then(|runs| runs.iter().find(|run| run["findings"] != 0)).expect("a run with findings");
    let found = open.all(&format!("/api/v1/runs/{}/findings", run["run"]), &token, "findings", 1);
    assert_eq!(Some(found.len() as u64), run["findings"].as_u64());
    open.daemon.stop();
}

#[test]
fn a_token_that_asks_too_much_waits() {
    let open = Open::with("requests_per_minute = 5\n", |_| ());
    let (one, two) = (open.token(AccessRole::ReadOnly, ""), open.token(AccessRole::ReadOnly, "2"));
    let statuses: Vec<u16> = (0..6).map(|_| open.get("/api/v1/customers", &one).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
    let refused = open.get("/api/v1/customers", &one);
    assert_eq!((refused.status, refused.json()["type"].clone()), (429, json!("urn:rosterd:problem:rate")));
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    assert_eq!(open.get("/api/v1/customers", &two).status, 200, "others are others");
    assert_eq!(open.get("/livez", &one).status, 200);
    open.daemon.stop();
}

#[test]
fn with_a_certificate_it_speaks_tls_alone() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
    let more = format!("tls_cert = {:?}\ntls_key_file = {:?}\n", files.join("server.pem"), files.join("server-key.pem"));
    let open = Open::with(&more, |_| ());
    let opened = open.daemon.events("door_opened");
    assert_eq!((&opened[0]["tls"], &opened[0]["level"]), (&json!(true), &json!("INFO")));
    let token = open.token(AccessRole::ReadOnly, "");
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_file_iter(files.join("ca.pem")).expect("PEM") {
        roots.add(cert.expect("a certificate")).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let client = ClientConnection::new(config, ServerName::try_from("localhost").expect("a name")).expect("a client");
    let stream = TcpStream::connect(&open.address).expect("a door");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    let mut stream = StreamOwned::new(client, stream);
    write!(stream, "GET /api/v1/customers HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n")
        .expect("asked");
    let mut reader = BufReader::new(stream);
    let mut status = String::new();
    reader.read_line(&mut status).expect("a status");
    assert_eq!(status.trim(), "HTTP/1.1 200 OK");
    let mut rest = Vec::new();
    let _ = reader.read_to_end(&mut rest);
    assert!(String::from_utf8_lossy(&rest).to_ascii_lowercase().contains("strict-transport-security"));
    // Without TLS it says nothing that could be read on the way.
    let mut plain = TcpStream::connect(&open.address).expect("a door");
    plain.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    write!(plain, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").expect("asked");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP/"));
    open.daemon.stop();
}

/// Whether a client that trusts one authority alone comes to terms with the door.
fn trusts(address: &str, authority: &Path) -> bool {
    let mut roots = RootCertStore::empty();
    for cert in CertificateDer::pem_file_iter(authority).expect("PEM") {
        roots.add(cert.expect("a certificate")).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
    let client = ClientConnection::new(config, ServerName::try_from("localhost").expect("a name")).expect("a client");
    let stream = TcpStream::connect(address).expect("a door");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    let mut stream = StreamOwned::new(client, stream);
    if write!(stream, "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").is_err() {
        return false;
    }
    let mut status = String::new();
    BufReader::new(stream).read_line(&mut status).expect("a status");
    assert_eq!(status.trim(), "HTTP/1.1 200 OK");
    true
}

#[test]
fn a_new_certificate_is_shown_without_a_restart() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
    let own = tempfile::tempdir().expect("a folder");
    let (cert, key) = (own.path().join("cert.pem"), own.path().join("key.pem"));
    // As tools that renew certificates do it: a new file takes the old one's name.
    let lay = |from: &str, to: &Path| {
        std::fs::copy(files.join(from), own.path().join("new")).expect("copied");
        std::fs::rename(own.path().join("new"), to).expect("in its place");
    };
    lay("server.pem", &cert);
    lay("server-key.pem", &key);
    let open = Open::with(&format!("tls_cert = {cert:?}\ntls_key_file = {key:?}\n"), |_| ());
    let (before, after) = (files.join("ca.pem"), files.join("renewed-ca.pem"));
    assert!(trusts(&open.address, &before) && !trusts(&open.address, &after));
    // A certificate without its key yet, or none at all: the one before goes on being shown.
    lay("renewed.pem", &cert);
    open.daemon.until_logged("certificate_refused", 1);
    assert!(trusts(&open.address, &before) && !trusts(&open.address, &after));
    lay("renewed-key.pem", &key);
    open.daemon.until_logged("certificate_read", 1);
    assert!(trusts(&open.address, &after) && !trusts(&open.address, &before));
    std::fs::remove_file(&cert).expect("removed");
    open.daemon.until_logged("certificate_refused", 2);
    assert!(trusts(&open.address, &after));
    let log = open.daemon.stop();
    let events = |event: &str| log.iter().filter(|line| line["event"] == event).count();
    assert_eq!((events("certificate_read"), events("certificate_refused")), (1, 2), "each is told once: {log:?}");
    assert!(!format!("{log:?}").contains("PRIVATE KEY"));
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_before_anything_starts() {
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls");
    let (cert, key) = (files.join("server.pem"), files.join("server-key.pem"));
    for (more, told) in [
        (format!("tls_cert = {key:?}\ntls_key_file = {key:?}\n"), "not a chain of certificates"),
        (format!("tls_cert = {cert:?}\ntls_key_file = {cert:?}\n"), "not a private key"),
        (format!("tls_cert = \"/nowhere.pem\"\ntls_key_file = {key:?}\n"), "/nowhere.pem"),
        (format!("tls_cert = {cert:?}\n"), "has no key"),
        (format!("tls_key_file = {key:?}\n"), "has no certificate"),
    ] {
        let demo = crate::demo::Demo::new();
        let text = std::fs::read_to_string(demo.settings_file()).expect("settings");
        let door = format!("[http]\nlisten = \"127.0.0.1:0\"\n{more}\n");
        std::fs::write(demo.settings_file(), format!("{door}{text}")).expect("written");
        let done = demo.run("serve");
        assert_eq!(done.code, 78, "{more}: {}", done.err);
        assert!(done.err.contains(told), "{more}: {}", done.err);
        assert!(!done.err.contains("PRIVATE"), "{}", done.err);
    }
}
