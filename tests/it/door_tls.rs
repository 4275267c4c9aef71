//! What hangs on whether the door speaks TLS itself: cookies that are for TLS alone, and the warning where nobody hides what is said.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rosterd::base::AccessRole;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

use crate::daemon::{Daemon, until};
use crate::demo::Demo;
use crate::door::Open;

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls")
}

fn certificate() -> String {
    format!("tls_cert = {:?}\ntls_key_file = {:?}\n", files().join("server.pem"), files().join("server-key.pem"))
}

/// What is answered to a request, head and body.
fn exchange(address: &str, tls: bool, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a door");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time limit");
    let mut answer = Vec::new();
    if tls {
        let mut roots = RootCertStore::empty();
        for cert in CertificateDer::pem_file_iter(files().join("ca.pem")).expect("PEM") {
            roots.add(cert.expect("a certificate")).expect("an authority");
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
        let config = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        let client = ClientConnection::new(config, ServerName::try_from("localhost").expect("a name")).expect("a client");
        let mut stream = StreamOwned::new(client, stream);
        stream.write_all(request.as_bytes()).expect("asked");
        let _ = stream.read_to_end(&mut answer);
    } else {
        stream.write_all(request.as_bytes()).expect("asked");
        let _ = stream.read_to_end(&mut answer);
    }
    String::from_utf8(answer).expect("text")
}

/// The cookies that an answer sets, whole.
fn cookies(answer: &str) -> Vec<&str> {
    let head = answer.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, cookie)| cookie).collect()
}

#[test]
fn cookies_are_for_tls_alone_where_the_door_speaks_it() {
    for tls in [true, false] {
        let more = if tls { certificate() } else { String::new() };
        let open = Open::with(&more, |_| ());
        let token = open.token(AccessRole::ReadOnly, "");
        let host = format!("Host: {}\r\nConnection: close\r\n", open.address);
        let page = exchange(&open.address, tls, &format!("GET /login HTTP/1.1\r\n{host}\r\n"));
        let visit = cookies(&page).first().map(|cookie| (*cookie).to_owned()).unwrap_or_else(|| panic!("no cookie: {page}"));
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
        let (form, sent) = (format!("csrf={csrf}&token={token}"), visit.split(';').next().expect("a pair"));
        let length = form.len();
        let signed_in = exchange(
            &open.address,
            tls,
            &format!(
                "POST /login HTTP/1.1\r\n{host}Cookie: {sent}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
            ),
        );
        assert!(signed_in.starts_with("HTTP/1.1 303"), "{signed_in}");
        let session = cookies(&signed_in).into_iter().find(|cookie| cookie.contains("rosterd_session=")).expect("a session");
        for cookie in [visit.as_str(), session] {
            let is_secure = cookie.split("; ").any(|word| word == "Secure");
            assert_eq!((is_secure, cookie.starts_with("__Host-")), (tls, tls), "{cookie}");
            assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
        }
        // It is good: the page behind it is there.
        let sent = session.split(';').next().expect("a pair");
        let overview = exchange(&open.address, tls, &format!("GET /c/northfield HTTP/1.1\r\n{host}Cookie: {sent}\r\n\r\n"));
        assert!(overview.starts_with("HTTP/1.1 200"), "{overview}");
        let foreign = exchange(&open.address, tls, &format!("GET /c/northfield HTTP/1.1\r\n{host}\r\n"));
        assert!(foreign.starts_with("HTTP/1.1 303"), "{foreign}");
        open.daemon.stop();
    }
}

/// The event of a door that was opened like this.
fn opened(listen: &str, more: &str) -> Value {
    let demo = Demo::new();
    let text = fs::read_to_string(demo.settings_file()).expect("settings");
    fs::write(demo.settings_file(), format!("[http]\nlisten = \"{listen}\"\n{more}\n{text}")).expect("written");
    let daemon = Daemon::ready(&demo);
    let mut event = Value::Null;
    until("the door is open", || {
        event = daemon.events("door_opened").first().cloned().ok_or("not yet")?;
        Ok(())
    });
    daemon.stop();
    event
}

#[test]
fn a_door_to_the_network_without_tls_is_warned_of() {
    for (listen, more, level, tls) in [
        ("0.0.0.0:0", String::new(), "WARN", false),
        ("0.0.0.0:0", certificate(), "INFO", true),
        ("127.0.0.1:0", String::new(), "INFO", false),
    ] {
        let event = opened(listen, &more);
        assert_eq!((&event["level"], &event["tls"]), (&level.into(), &tls.into()), "{listen}: {event}");
        assert_eq!(event["loopback"], listen.starts_with("127."), "{event}");
        let message = event["message"].as_str().expect("a message");
        assert_eq!(message.contains("without TLS: tokens and names can be read on the way"), level == "WARN", "{event}");
    }
}
