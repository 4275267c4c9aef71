//! `rosterd pull --save`: everything that came is kept, nothing that is secret or too personal is, and the books are not
//! touched.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

use crate::fake_http::{FakeServer, Reply};
use crate::fake_sftp::Sshd;

const SECRETS: [&str; 5] = ["hunter2", "2010-05-06", "+49 123", "f2m", "s3cret"];

fn settings(sources: &str) -> String {
    format!(
        "[store]\npath = \"rosterd.db\"\n[spool]\npath = \"spool\"\n[[customer]]\nid = \"north\"\n{sources}\n\
         [[customer.product]]\nid = \"learn\"\n[[customer.pool]]\nid = \"learn\"\nproduct = \"learn\"\nowner = \"d\"\n\
         [[customer.rule]]\nid = \"all\"\nproduct = \"learn\"\nwhen = {{ everyone = true }}\n"
    )
}

fn pull(dir: &TempDir, sources: &str, more: &[&str], code: i32) -> (Value, String) {
    fs::write(dir.path().join("rosterd.toml"), settings(sources)).expect("written");
    let saved = dir.path().join("saved");
    let _ = fs::remove_dir_all(&saved);
    let done = Command::new(env!("CARGO_BIN_EXE_rosterd"))
        .args(["pull", "north", "--json", "--config"])
        .arg(dir.path().join("rosterd.toml"))
        .arg("--save")
        .arg(&saved)
        .args(more)
        .assert()
        .code(code);
    let out = done.get_output();
    for name in ["rosterd.db", "spool", "spool.files"] {
        assert!(!dir.path().join(name).exists(), "{name} was made");
    }
    let told = String::from_utf8_lossy(&out.stderr).into_owned();
    (serde_json::from_slice(&out.stdout).unwrap_or(Value::Null), told)
}

fn index(dir: &TempDir, source: &str) -> Value {
    let text = fs::read_to_string(dir.path().join("saved").join(source).join("index.json")).expect("an index");
    serde_json::from_str(&text).expect("JSON")
}

/// All that is in a folder, as one text.
fn all(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("listed") {
        let path = entry.expect("an entry").path();
        text += &format!("{}\n", path.display());
        text +=
            &if path.is_dir() { all(&path) } else { String::from_utf8_lossy(&fs::read(&path).expect("bytes")).into_owned() };
    }
    text
}

fn nothing_secret(dir: &TempDir) -> String {
    let text = all(&dir.path().join("saved"));
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
    text
}

#[test]
fn pages_of_a_provider_with_what_was_asked_and_answered() {
    let server = FakeServer::start(|asked, _| {
        if asked.path() == "/token" {
            return Reply::json(r#"{"access_token":"s3cret","expires_in":3600}"#);
        }
        let key = asked.path().rsplit('/').next().expect("a name").to_owned();
        let record = match key.as_str() {
            "users" => {
                r#"{"sourcedId":"u1","status":"active","givenName":"Ana","familyName":"B","phone":"+49 123","birthDate":"2010-05-06","password":"f2m","role":"student","orgs":[{"sourcedId":"d"}],"enabledUser":true}"#
            }
            "orgs" => r#"{"sourcedId":"d","status":"active","name":"D","type":"district"}"#,
            _ => return Reply::json(format!("{{\"{key}\":[]}}")).with("X-Total-Count", 0),
        };
        let body = if asked.number("offset") == Some(0) { record } else { "" };
        Reply::json(format!("{{\"{key}\":[{body}]}}")).with("X-Total-Count", 1).with("Set-Cookie", "sid=hunter2")
    });
    let dir = tempfile::tempdir().expect("a folder");
    let source = format!(
        "[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_rest\"\naddress = \"{}\"\nversion = \"1.1\"\nauth = \"oauth2\"\n\
         token_address = \"{}\"\nclient_id = \"rosterd\"\nclient_secret = \"hunter2\"\nclient_auth = \"query\"\ncourses = \"optional\"",
        server.url("/v1p1"),
        server.url("/token")
    );
    let (told, _) = pull(&dir, &source, &[], 0);
    assert_eq!((told["sources"][0]["people"].as_u64(), &told["sources"][0]["error"]), (Some(1), &Value::Null), "{told}");
    let text = nothing_secret(&dir);
    assert!(text.contains("Ana") && text.contains("\"phone\":\"[redacted]\""));
    let index = index(&dir, "sis");
    assert_eq!(index["redacted"]["birthDate"], 1);
    let entries = index["entries"].as_array().expect("entries");
    assert_eq!(told["sources"][0]["entries"].as_u64(), Some(entries.len() as u64));
    let token = &entries[0];
    assert_eq!(
        (&token["method"], &token["file"], &token["query"]["client_secret"]),
        (&"POST".into(), &Value::Null, &"[redacted]".into())
    );
    let users = entries.iter().find(|entry| entry["path"] == "/v1p1/users").expect("users");
    assert_eq!(
        (&users["status"], &users["headers"]["x-total-count"], &users["query"]["offset"]),
        (&200.into(), &"1".into(), &"0".into())
    );
    assert!(users["sha256"].as_str().is_some_and(|digest| digest.len() == 64) && users["headers"]["set-cookie"].is_null());
    let page = fs::read_to_string(dir.path().join("saved/sis").join(users["file"].as_str().expect("a file"))).expect("a page");
    assert!(page.starts_with(r#"{"users":[{"sourcedId":"u1","status":"active","givenName":"Ana""#), "{page}");

    // One that fails is kept as far as it came; a folder that is there is not touched.
    let broken = source.replace("/v1p1", "/nowhere").replace(&server.url("/nowhere"), "http://127.0.0.1:9/v1p1");
    let (told, _) = pull(&dir, &broken, &[], 75);
    assert!(told["sources"][0]["error"].as_str().is_some_and(|error| error.contains("127.0.0.1:9")), "{told}");
    fs::create_dir_all(dir.path().join("there")).expect("made");
    let (_, told) = pull(&dir, &source, &["--source", "sos"], 66);
    assert!(told.contains("did you mean `sis`") || told.contains("sis"), "{told}");
}

#[test]
fn files_from_everywhere() {
    let dir = tempfile::tempdir().expect("a folder");
    let drop = dir.path().join("drop/1");
    fs::create_dir_all(&drop).expect("made");
    fs::write(drop.join("users.csv"), "sourcedId,givenName,phone,password\nu1,Ana,\"+49 123\",f2m\nu2,Bea,,\n")
        .expect("written");
    fs::write(drop.join("demographics.csv"), "sourcedId,birthDate,sex\nu1,2010-05-06,female\n").expect("written");
    fs::write(drop.join("notes.txt"), "hunter2").expect("written");
    fs::create_dir_all(dir.path().join("hr")).expect("made");
    let rows = b"UID;Name;Date of Birth;Pay\n1;Zo\xeb;2010-05-06;7\n";
    fs::write(dir.path().join("hr/p_1.csv"), rows).expect("written");
    let here = "[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\npath = \"drop\"\n\
                [[customer.source]]\nid = \"hr\"\nkind = \"delimited\"\npath = \"hr\"\npattern = \"p_*.csv\"\nencoding = \"windows-1252\"\n\
                separator = \";\"\n[customer.source.people]\nperson_id = \"UID\"\nfull_name = \"Name\"";
    let (told, _) = pull(&dir, here, &["--redact", "pay"], 75);
    assert!(told["sources"][0]["error"].as_str().is_some_and(|error| error.contains("manifest_missing")), "{told}");
    assert_eq!((&told["sources"][1]["package"], &told["sources"][1]["people"]), (&"p_1.csv".into(), &1.into()));
    let text = nothing_secret(&dir);
    assert!(text.contains("u1,Ana,[redacted],[redacted]\nu2,Bea,,\n") && text.contains("u1,[redacted],[redacted]"), "{text}");
    assert!(text.contains("UID;Name;Date of Birth;Pay\n1;Zoë;[redacted];[redacted]\n"), "{text}");
    let sis = index(&dir, "sis");
    let notes = sis["entries"].as_array().expect("entries").iter().find(|entry| entry["path"] == "notes.txt").expect("notes");
    assert!(notes["file"].is_null() && notes["withheld"].as_str().is_some_and(|why| why.contains("cannot be redacted")));
    assert_eq!(sis["outcome"]["findings"]["manifest_missing"], 1);

    let Some(server) = Sshd::start() else { return };
    fs::write(server.folder().join("p_1.csv"), rows).expect("written");
    let key = dir.path().join("key");
    fs::write(&key, server.key("user").expose().expect("a key")).expect("written");
    let there = format!(
        "[[customer.source]]\nid = \"hr\"\nkind = \"delimited\"\naddress = \"{}\"\nuser = \"{}\"\nhost_keys = [\"{}\"]\n\
         private_key_file = \"key\"\npattern = \"p_*.csv\"\nsettle_secs = 0\nencoding = \"windows-1252\"\nseparator = \";\"\n\
         [customer.source.people]\nperson_id = \"UID\"\nfull_name = \"Name\"",
        server.address("").trim_end_matches('/'),
        server.user(),
        server.host_key
    );
    let (told, errors) = pull(&dir, &there, &[], 0);
    assert_eq!(
        (&told["sources"][0]["package"], &told["sources"][0]["people"]),
        (&"p_1.csv".into(), &1.into()),
        "{told} {errors}"
    );
    let text = nothing_secret(&dir);
    assert!(text.contains("1;Zoë;[redacted];7") && text.contains("\"method\": \"SFTP\""), "{text}");
    assert!(!text.contains("PRIVATE KEY") && !dir.path().join("saved/hr/.work").exists());

    // And `check` says the same of it as it does of a folder.
    let checked = Command::new(env!("CARGO_BIN_EXE_rosterd"))
        .args(["check", "--config"])
        .arg(dir.path().join("rosterd.toml"))
        .assert()
        .success();
    let out = String::from_utf8_lossy(&checked.get_output().stdout).into_owned();
    assert!(out.contains("newest file p_1.csv, 4 columns, among them all 2 that are configured"), "{out}");
}
