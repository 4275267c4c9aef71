//! What must not be anywhere: keys, tokens and what providers tell although nobody asked, in logs, errors, spool and books.

use std::fs;
use std::sync::{Arc, Mutex};

use rosterd::source::{CleverAuth, MemoryPages, NoRoom, PageStore, RestVersion, Shelf};

use crate::fake_classlink::ClassLink;
use crate::fake_clever::Clever;
use crate::fake_hr::{Kind, Office, PERSONAL};
use crate::fake_http::{FakeServer, Reply};
use crate::fake_oneroster::Provider;
use crate::fake_sftp::Sshd;
use crate::net_clever::word;
use crate::net_hr::staffed;
use crate::net_oneroster::district;
use crate::net_program::{all_of, write_secret, write_settings};
use crate::world::succeeded;

/// Keys, tokens, and what is in records and used by nobody: passwords, phone numbers, birth dates.
const SECRETS: [&str; 5] = ["hunter2", "\"555-0199\"", "1/2/2010", "student_relationships", "elsewhere.example"];

/// Pages in memory, and all bytes that were ever kept.
struct Watched {
    pages: MemoryPages,
    kept: Arc<Mutex<Vec<u8>>>,
}

struct WatchedShelf {
    shelf: Box<dyn Shelf>,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl PageStore for Watched {
    fn shelf(&self, pull: &str) -> Box<dyn Shelf> {
        Box::new(WatchedShelf { shelf: self.pages.shelf(pull), kept: self.kept.clone() })
    }
}

impl Shelf for WatchedShelf {
    fn page(&mut self, number: u32) -> Option<Vec<u8>> {
        self.shelf.page(number)
    }
    fn put(&mut self, number: u32, page: &[u8]) -> Result<(), NoRoom> {
        self.kept.lock().expect("no panic").extend_from_slice(page);
        self.shelf.put(number, page)
    }
    fn cut(&mut self, from: u32) {
        self.shelf.cut(from);
    }
}

#[test]
fn pages_that_are_kept_hold_nothing_that_nobody_uses() {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let pages: Arc<dyn PageStore> = Arc::new(Watched { pages: MemoryPages { bytes_max: 64 << 20 }, kept: kept.clone() });
    let mut world = district("north");
    let mut clever = Clever::start();
    clever.pages = pages.clone();
    clever.has(&world);
    clever.feeds(&mut world, |settings| settings.events = true);
    assert!(succeeded(&world.quiet_night()));
    world.people.get_mut("u01").expect("known").name = "Renamed".into();
    clever.has(&world);
    assert!(succeeded(&world.quiet_night()));
    let mut classlink = ClassLink::start();
    classlink.provider.pages = pages;
    classlink.has(&world);
    classlink.feeds(&mut world, |_| ());
    assert!(succeeded(&world.quiet_night()));
    let text = String::from_utf8_lossy(&kept.lock().expect("no panic")).into_owned();
    assert!(text.contains("u01") && text.contains("Renamed") && text.contains("district_username"), "they hold the rest");
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} in pages");
    }
}

/// The head of settings under which everything is logged.
const LOUD: &str = "[log]\nformat = \"json\"\nlevel = \"trace\"";

/// Nothing that must not be anywhere is there.
fn clean(what: &str, all: &str, secrets: &[&str]) {
    for secret in secrets {
        if let Some(at) = all.find(secret) {
            let from = all[..at].char_indices().rev().nth(200).map_or(0, |(at, _)| at);
            panic!("{what}: {secret} in …{}…", &all[from..at + secret.len()]);
        }
    }
}

#[test]
fn secrets_show_nowhere_whatever_happens() {
    let mut world = district("north");
    world.people.get_mut("u01").expect("known").email.clear();
    let folder = tempfile::tempdir().expect("a folder");
    let classlink = ClassLink::start();
    classlink.has(&world);
    let source = format!(
        "kind = \"classlink\"\ntenant = 8841\naddress = \"{}\"\napi_key_file = \"partner.secret\"\npage_rows = 7",
        classlink.provider.server.url("")
    );
    write_settings(folder.path(), LOUD, &[("north", &source)]);
    let all = all_of(folder.path(), &["north"]);
    assert!(all.contains("ok     source north/sis: http://127.0.0.1") && all.contains("answers, revision r1"), "{all}");
    assert!(all.contains("pull_read") && all.contains("run_finished") && all.contains("\"succeeded\""), "{all}");
    clean("a good night at ClassLink", &all, &SECRETS);
    for (what, twist) in [
        ("refused", (|_: Reply| Reply::json(r#"{"password":"hunter2"}"#).status(401)) as fn(Reply) -> Reply),
        ("broken", |reply| Reply { body: reply.body[..reply.body.len() / 2].to_vec(), ..reply }),
        ("strange", |_| Reply::json(r#"{"imsx_description":"hunter2","imsx_CodeMinor":"hunter2 "}"#)),
    ] {
        classlink.set(|state| state.revision = Some(what.to_owned()));
        classlink.lies(move |_, before, reply| if before < 3 { reply } else { twist(reply) });
        clean(what, &all_of(folder.path(), &["north"]), &SECRETS);
    }

    let folder = tempfile::tempdir().expect("a folder");
    let clever = Clever::start();
    clever.has(&world);
    let CleverAuth::Client { token_address, .. } = clever.settings().auth else { panic!("a client") };
    let source = format!(
        "kind = \"clever\"\ndistrict = \"d\"\naddress = \"{}\"\ntoken_address = \"{token_address}\"\nevents = true\n\
         client_id_file = \"id.secret\"\nclient_secret_file = \"word.secret\"\npage_rows = 7",
        clever.server.url("")
    );
    write_settings(folder.path(), LOUD, &[("north", &source)]);
    let all = all_of(folder.path(), &["north"]);
    assert!(all.contains("district d (Nord), state running") && all.contains("\"succeeded\""), "{all}");
    clean("a good night at Clever", &all, &SECRETS);
    for (what, twist) in [
        ("refused", (|_: Reply| Reply::json(r#"{"error":"hunter2"}"#).status(401)) as fn(Reply) -> Reply),
        ("broken", |reply| Reply { body: reply.body[..reply.body.len() / 2].to_vec(), ..reply }),
        ("strange", |_| Reply::json(r#"{"message":"hunter2"}"#)),
    ] {
        clever.lies(move |asked, _, reply| if word(asked) == "users" { twist(reply) } else { reply });
        clean(what, &all_of(folder.path(), &["north"]), &SECRETS);
    }
}

/// The columns of an HR system, in the words of the settings.
fn people(kind: Kind) -> String {
    let mapping = crate::fake_hr::mapping(kind);
    let line = |key: &str, value: Option<String>| value.map(|value| format!("{key} = \"{value}\"\n")).unwrap_or_default();
    let named = [("given_name", mapping.given), ("family_name", mapping.family), ("email", mapping.email)];
    let named: String = named.into_iter().map(|(key, value)| line(key, value)).collect();
    let status = line("status", mapping.status.map(|status| status.column));
    let orgs = mapping.orgs.levels.join("\", \"");
    format!(
        "[customer.source.people]\nperson_id = \"{}\"\n{named}{status}orgs = [\"{orgs}\"]\norg_root = \"d\"\n",
        mapping.person_id
    )
}

#[test]
fn secrets_of_every_other_source_show_nowhere_either() {
    let mut world = district("any");
    world.people.get_mut("u01").expect("known").email.clear();
    let rest = [RestVersion::V1_1, RestVersion::V1_2].map(|version| {
        let provider = Provider::start();
        provider.has(&world, version);
        provider
    });
    let tokens = FakeServer::start(|asked, _| {
        assert_eq!(asked.param("client_secret").as_deref(), Some("hunter2"));
        Reply::json(r#"{"access_token":"token-hunter2","expires_in":3600}"#).with("Set-Cookie", "s=hunter2")
    });
    let offices = [Kind::Scim, Kind::Report, Kind::WorkdayJson].map(Office::start);
    offices.iter().for_each(staffed);
    let table = "UID,First,Last,Unit,Phone\n1,Ana,Test,North,555-0199\n2,Bea,Test,South,hunter2\n";
    let fails = Arc::new(Mutex::new(None::<Reply>));
    let files = FakeServer::start({
        let fails = fails.clone();
        move |_, _| fails.lock().expect("no panic").clone().unwrap_or_else(|| Reply::new(200, table).with("ETag", "\"1\""))
    });
    let basic = "auth = \"basic\"\nuser_file = \"word.secret\"\npassword_file = \"word.secret\"";
    let of_file = "[customer.source.people]\nperson_id = \"UID\"\norg_root = \"d\"\norgs = [\"Unit\"]\n";
    let mut sources = vec![
        (
            "rest-one",
            format!(
                "kind = \"oneroster_rest\"\nversion = \"1.1\"\naddress = \"{}\"\nauth = \"oauth1\"\n\
                 key_file = \"id.secret\"\nsecret_file = \"word.secret\"\npage_rows = 7",
                rest[0].server.url("/x")
            ),
        ),
        (
            "rest-two",
            format!(
                "kind = \"oneroster_rest\"\nversion = \"1.2\"\naddress = \"{}\"\nauth = \"oauth2\"\ntoken_address = \"{}\"\n\
                 client_id_file = \"id.secret\"\nclient_secret_file = \"word.secret\"\nclient_auth = \"query\"\n\
                 cookies = true\nscopes = [\"core\"]",
                rest[1].server.url("/x"),
                tokens.url("/token")
            ),
        ),
        (
            "scim",
            format!("kind = \"scim\"\naddress = \"{}\"\n{basic}\n{}", offices[0].server.url("/scim/v2"), people(Kind::Scim)),
        ),
        (
            "bamboo",
            format!(
                "kind = \"bamboohr\"\naddress = \"{}\"\nauth = \"key\"\nkey_file = \"word.secret\"\nreport = \"12\"\n{}",
                offices[1].server.url("/api/v1"),
                people(Kind::Report)
            ),
        ),
        (
            "workday",
            format!(
                "kind = \"workday\"\naddress = \"{}\"\n{basic}\nprompts = [\"Who=hunter2\"]\n{}",
                offices[2].server.url("/report/Roster"),
                people(Kind::WorkdayJson)
            ),
        ),
        (
            "https",
            format!(
                "kind = \"delimited\"\naddress = \"{}\"\nuser_file = \"word.secret\"\npassword_file = \"word.secret\"\n{of_file}",
                files.url("/people.csv")
            ),
        ),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let sshd = Sshd::start();
    let mut key = String::new();
    if let Some(sshd) = &sshd {
        fs::write(sshd.folder().join("people.csv"), table).expect("written");
        write_secret(folder.path(), "user", sshd.user());
        key = sshd.key("locked").expose().expect("a key").to_owned();
        write_secret(folder.path(), "key", &key);
        sources.push((
            "sftp",
            format!(
                "kind = \"delimited\"\naddress = \"{}\"\ndrop = false\nsettle_secs = 0\nhost_keys = [\"{}\"]\n\
                 user_file = \"user.secret\"\nprivate_key_file = \"key.secret\"\npassphrase_file = \"word.secret\"\n{of_file}",
                sshd.address("people.csv"),
                sshd.host_key
            ),
        ));
    }
    let customers: Vec<&str> = sources.iter().map(|(customer, _)| *customer).collect();
    let sources: Vec<(&str, &str)> = sources.iter().map(|(customer, source)| (*customer, source.as_str())).collect();
    write_settings(folder.path(), LOUD, &sources);
    // The middle of the private key stands for all of it.
    let middle = key.lines().nth(2).unwrap_or("hunter2");
    let secrets: Vec<&str> = SECRETS.into_iter().chain(PERSONAL).chain([middle]).collect();
    let all = all_of(folder.path(), &customers);
    for customer in &customers {
        assert!(all.contains(&format!("ok     source {customer}/sis: ")), "{customer}: {all}");
    }
    assert!(all.matches("\"state\":\"succeeded\"").count() >= customers.len(), "{all}");
    clean("a good night", &all, &secrets);
    for (what, twist) in [
        ("refused", (|_: Reply| Reply::json(r#"{"password":"hunter2"}"#).status(401)) as fn(Reply) -> Reply),
        ("broken", |reply| Reply { body: [&b"{\"hunter2\":"[..], &reply.body[..reply.body.len() / 2]].concat(), ..reply }),
    ] {
        rest.iter().for_each(|provider| provider.lies(move |_, _, reply| twist(reply)));
        offices.iter().for_each(|office| office.lies(move |_, _, reply| twist(reply)));
        *fails.lock().expect("no panic") = Some(twist(Reply::new(200, table)));
        if let (Some(sshd), "broken") = (&sshd, what) {
            fs::write(sshd.folder().join("people.csv"), "hunter2,\"").expect("written");
        }
        let all = all_of(folder.path(), &customers);
        assert!(all.contains("\"failed\""), "{all}");
        clean(what, &all, &secrets);
    }
}
