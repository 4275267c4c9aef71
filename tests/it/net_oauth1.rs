//! OAuth 1 signatures as they go over the wire, checked by an implementation that is not ours: Python's oauthlib. Where it is not
//! installed, that is said and nothing is tested.

use std::io::Write;
use std::process::{Command, Stdio};

use rosterd::base::Secret;
use rosterd::source::{Http, OAuth1, Signature};
use serde_json::json;

use crate::fake_http::{FakeServer, Reply};
use crate::net_clever_events::Dice;
use crate::net_http::{fast_network, quick};

/// Reads a request a line and prints the signature that belongs to it, from the parameters that were sent.
const CHECK: &str = r#"
import json, sys
from urllib.parse import urlparse
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature as s
by = {"HMAC-SHA1": s.sign_hmac_sha1_with_client, "HMAC-SHA256": s.sign_hmac_sha256_with_client}
for line in sys.stdin:
    one = json.loads(line)
    sent = s.collect_parameters(uri_query=urlparse(one["url"]).query, headers={"Authorization": one["authorization"]})
    names = dict(sent)
    assert names["oauth_consumer_key"] == one["key"], (names, one)
    assert ("oauth_version" in names) == one["version"]
    base = s.signature_base_string("GET", s.base_string_uri(one["url"]), s.normalize_parameters(sent))
    print(by[names["oauth_signature_method"]](base, Client(one["key"], client_secret=one["secret"])))
"#;

/// A Python that has oauthlib: Debian's first, since that is where Debian's package puts it.
fn python() -> Option<&'static str> {
    let has = |python: &&str| {
        let asked = Command::new(python).args(["-c", "import oauthlib"]).stderr(Stdio::null()).stdin(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let found = ["/usr/bin/python3", "python3"].into_iter().find(has);
    if found.is_none() {
        eprintln!("LEFT OUT: no python3 has oauthlib (Debian: python3-oauthlib), OAuth 1 signatures are not checked by it");
    }
    found
}

/// Any text, with what has to be escaped and what must not be.
fn text(dice: &mut Dice, letters: &[char], longest: u64) -> String {
    (0..=dice.roll(longest)).map(|_| letters[dice.roll(letters.len() as u64) as usize]).collect()
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
            if is_plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
        })
        .collect()
}

fn signature_of(authorization: &str) -> String {
    let (_, rest) = authorization.split_once("oauth_signature=\"").expect("a signature");
    let url = reqwest::Url::parse(&format!("http://x/?s={}", rest.split('"').next().expect("its end"))).expect("escaped");
    url.query_pairs().next().expect("it").1.into_owned()
}

#[test]
fn signatures_are_those_of_another_implementation() {
    let Some(python) = python() else { return };
    let any: Vec<char> = "aZ09-._~ !\"#$%&'()*+,/:;<=>?@[]^`{|}éß語".chars().collect();
    let plain: Vec<char> = "abcXYZ019-._~".chars().collect();
    let server = FakeServer::start(|_, _| Reply::json("{}"));
    let (network, _) = fast_network();
    let mut dice = Dice(7);
    let mut cases = Vec::new();
    for at in 0..240 {
        let (key, secret) = (text(&mut dice, &any, 12), text(&mut dice, &any, 20));
        let segments: Vec<String> = (0..=dice.roll(3)).map(|_| escaped(&text(&mut dice, &any, 6))).collect();
        let mut query: Vec<String> = (0..dice.roll(5))
            .map(|_| format!("{}={}", text(&mut dice, &plain, 4), escaped(&text(&mut dice, &any, 9))))
            .collect();
        if dice.roll(4) == 0 {
            // The same name twice, and nothing for a value.
            query.extend(["same=b".to_owned(), "same=a".to_owned(), "empty=".to_owned()]);
        }
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        let version = at % 2 == 0;
        let auth = OAuth1 {
            key: Secret::new(key.clone()),
            secret: Secret::new(secret.clone()),
            signature: if at % 4 < 2 { Signature::Sha1 } else { Signature::Sha256 },
            version,
        };
        let http = Http::new(&network, &server.url("/x"), &quick()).expect("a client");
        let url = http.link(&format!("/p/{}{query}", segments.join("/"))).expect("an address");
        http.get(&auth, |_| url.clone()).expect("an answer");
        let asked = server.asked().pop().expect("a request");
        let authorization = asked.header("authorization").expect("signed").to_owned();
        cases.push((
            signature_of(&authorization),
            json!({"url": server.url(&asked.target), "authorization": authorization, "key": key, "secret": secret, "version": version}),
        ));
    }
    let mut child = Command::new(python)
        .args(["-c", CHECK])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines: String = cases.iter().map(|(_, case)| format!("{case}\n")).collect();
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let done = child.wait_with_output().expect("it ends");
    writer.join().expect("no panic").expect("it reads all");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told = String::from_utf8(done.stdout).expect("text");
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(told.len(), cases.len());
    for ((ours, case), theirs) in cases.iter().zip(told) {
        assert_eq!(ours, theirs, "{case}");
    }
}
