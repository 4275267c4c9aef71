//! Mail to a real mail server on this machine that wants a login, over STARTTLS or over TLS from the first byte on.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::alerts::told;
use crate::daemon::{Daemon, until, until_settled};
use crate::demo::Demo;
use crate::python::{python_with, script};

const TLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls");

/// The server; it ends when this is dropped.
struct MailServer {
    child: Child,
    stdin: Option<ChildStdin>,
    port: u64,
    mails: Receiver<Value>,
}

impl MailServer {
    /// `security`: `starttls` or `tls`.
    fn start(security: &str) -> Option<Self> {
        let mut python = python_with(&["aiosmtpd"], &format!("mail to a real server over {security}"))?;
        python.arg(script("smtp_server.py")).args([format!("{TLS}/server.pem"), format!("{TLS}/server-key.pem")]);
        let mut child = python.args(["rosterd", "hunter2", security]).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut next = move || serde_json::from_str::<Value>(&lines.next()?.ok()?).ok();
        let port = next().expect("it tells its port")["port"].as_u64().expect("a port");
        let (tell, mails) = channel();
        std::thread::spawn(move || while next().is_some_and(|mail| tell.send(mail).is_ok()) {});
        Some(Self { stdin: child.stdin.take(), child, port, mails })
    }

    fn mail(&self) -> Value {
        self.mails.recv_timeout(Duration::from_secs(60)).expect("a mail")
    }

    fn smtp(&self, more: &str) -> String {
        let port = self.port;
        format!("[smtp]\nserver = \"127.0.0.1:{port}\"\nfrom = \"Licenses <licenses@vendor.example>\"\n{more}\n")
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

const OFFICE: &str = "[[customer.channel]]\nid = \"office\"\nkind = \"mail\"\nto = [\"it@northfield.example\", \"Head <head@northfield.example>\"]\n";

fn trusted(login: &str) -> String {
    format!("{login}\nca_file = \"{TLS}/ca.pem\"")
}

#[test]
fn r153_mail_goes_over_tls_in_two_forms_and_is_written_into_the_books() {
    let Some(server) = MailServer::start("starttls") else { return };
    let login = "user = \"rosterd\"\npassword_file = \"smtp-password\"";
    let demo = told(&server.smtp(&trusted(login)), OFFICE);
    fs::write(demo.path().join("config/smtp-password"), "hunter2\n").expect("written");
    let said = demo.told("alert test northfield/office");
    assert!(said.starts_with("ok     northfield/office: it answered with 250"), "{said}");
    let tried = server.mail();
    assert_eq!(tried["headers"]["subject"], "A test");

    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let mail = loop {
        let mail = server.mail();
        if mail["headers"]["x-rosterd-kind"] == "negative_balance" {
            break mail;
        }
    };
    assert_eq!(
        (&mail["tls"], &mail["user"], &mail["type"]),
        (&true.into(), &"rosterd".into(), &"multipart/alternative".into())
    );
    assert_eq!(mail["from"], "licenses@vendor.example");
    assert_eq!(mail["to"], serde_json::json!(["it@northfield.example", "head@northfield.example"]));
    let header = |name: &str| mail["headers"][name].as_str().unwrap_or_else(|| panic!("no {name}: {mail}")).to_owned();
    assert_eq!(header("subject"), "Northfield School District: A pool is below zero");
    assert_eq!(header("auto-submitted"), "auto-generated");
    assert!(header("message-id").starts_with("<msg_") && header("message-id").ends_with("@vendor.example>"), "{mail}");
    assert!(!header("date").is_empty());
    let (text, html) = (mail["text"].as_str().expect("a text"), mail["html"].as_str().expect("a text"));
    assert!(text.contains("Pool content-district") && text.contains("Customer: northfield"), "{text}");
    assert!(html.contains("<h1") && html.contains("Pool content-district") && html.contains(">northfield</td>"), "{html}");
    assert!(!mail.to_string().to_lowercase().contains("larkspur"), "{mail}");
    let key = |notice: &Value| notice["key"].as_str().is_some_and(|key| key.starts_with("negative_balance"));
    until("the books have it", || {
        let notices = demo.json("notices list northfield --limit 100");
        let told = notices["notices"].as_array().expect("a list").iter().find(|notice| key(notice)).cloned().expect("told");
        if told["deliveries"][0]["channel"] == "northfield/office" { Ok(()) } else { Err(told.to_string()) }
    });
    let log = daemon.stop();
    let shown = format!("{log:?}{}", demo.told("alert list --limit 1000"));
    assert!(!shown.contains("hunter2") && !shown.contains("@northfield.example"), "no secret, no mailbox");
}

#[test]
fn mail_is_never_sent_in_clear_and_what_is_wrong_is_told() {
    let Some(server) = MailServer::start("starttls") else { return };
    let test = |smtp: &str, office: &str| {
        let demo: Demo = told(smtp, office);
        let tried = demo.run("alert test");
        assert_eq!((tried.code, tried.err.as_str()), (1, ""), "{tried:?}");
        assert!(!tried.out.contains("hunter3"), "{tried:?}");
        tried.out
    };
    let place = format!("127.0.0.1:{}", server.port);
    let good = "user = \"rosterd\"\npassword = \"hunter2\"";
    let wrong = test(&server.smtp(&trusted("user = \"rosterd\"\npassword = \"hunter3\"")), OFFICE);
    assert!(
        wrong.starts_with(&format!("WRONG  northfield/office: could not deliver to {place}: it answered with 535")),
        "{wrong}"
    );
    let nobody = test(&server.smtp(&trusted(good)), &OFFICE.replace("it@", "nobody@"));
    assert!(nobody.contains("it answered with 550, and said: permanent error (550): no such mailbox"), "{nobody}");
    let untrusted = test(&server.smtp(good), OFFICE);
    assert!(untrusted.contains(&format!("could not connect to {place}: ")) && untrusted.contains("certificate"), "{untrusted}");
    let clear = test(&server.smtp(&format!("{}\nsecurity = \"none\"", trusted(good))), OFFICE);
    assert!(clear.contains("WRONG"), "the server wants TLS: {clear}");
    let wrapped = test(&server.smtp(&format!("{}\nsecurity = \"tls\"", trusted(good))), OFFICE);
    assert!(wrapped.contains(&format!("could not connect to {place}: ")), "{wrapped}");
    let absent = test(&server.smtp(&trusted("user = \"rosterd\"\npassword_file = \"no-such-file\"")), OFFICE);
    assert!(absent.contains("could not use the channel: find the secret smtp.password"), "{absent}");
    assert!(server.mails.try_recv().is_err(), "nothing was sent");
}

/// `security = "tls"`: port 465, as many hosts want it.
#[test]
fn r153_mail_goes_over_tls_from_the_first_byte_on() {
    let Some(server) = MailServer::start("tls") else { return };
    let login = "user = \"rosterd\"\npassword = \"hunter2\"";
    let demo = told(&server.smtp(&format!("{}\nsecurity = \"tls\"", trusted(login))), OFFICE);
    let said = demo.told("alert test northfield/office");
    assert!(said.starts_with("ok     northfield/office: it answered with 250"), "{said}");
    let tried = server.mail();
    assert_eq!(
        (&tried["headers"]["subject"], &tried["tls"], &tried["user"]),
        (&"A test".into(), &true.into(), &"rosterd".into())
    );
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let mail = loop {
        let mail = server.mail();
        assert_eq!(mail["tls"], true, "{mail}");
        if mail["headers"]["x-rosterd-kind"] == "negative_balance" {
            break mail;
        }
    };
    assert!(mail["text"].as_str().is_some_and(|text| text.contains("Pool content-district")), "{mail}");
    until("the books have it", || {
        let notices = demo.json("notices list northfield --limit 100").to_string();
        if notices.contains("\"northfield/office\"") { Ok(()) } else { Err(notices) }
    });
    daemon.stop();
    // Who cannot be proved, or is spoken to otherwise, gets nothing.
    for (smtp, why) in [
        (server.smtp(&format!("{login}\nsecurity = \"tls\"")), "certificate"),
        (server.smtp(&trusted(login)), "127.0.0.1"),
        (server.smtp(&format!("{}\nsecurity = \"none\"", trusted(login))), "127.0.0.1"),
    ] {
        let tried = told(&format!("[outbox]\ntimeout_secs = 3\n{smtp}"), OFFICE).run("alert test");
        assert!(tried.code == 1 && tried.out.contains("WRONG") && tried.out.contains(why), "{tried:?}");
        assert!(!tried.out.contains("hunter2"), "{tried:?}");
    }
}
