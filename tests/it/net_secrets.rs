//! What must not be anywhere: keys, tokens and what providers tell although nobody asked, in logs, errors, spool and books.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rosterd::source::{CleverAuth, MemoryPages, NoRoom, PageStore, Shelf};

use crate::fake_classlink::{ClassLink, PARTNER};
use crate::fake_clever::Clever;
use crate::fake_http::Reply;
use crate::net_clever::word;
use crate::net_oneroster::district;
use crate::world::succeeded;

/// Keys, tokens, and what is in records and used by nobody: passwords, phone numbers, birth dates.
const SECRETS: [&str; 5] = ["hunter2", "\"555\"", "1/2/2010", "student_relationships", "elsewhere.example"];

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

fn settings(folder: &Path, source: &str) {
    let text = format!(
        r#"
[store]
path = "rosterd.db"
[spool]
path = "spool"
[log]
format = "json"
level = "trace"
[guard]
bootstrap_approval = false
[[customer]]
id = "north"
[[customer.source]]
id = "sis"
max_per_second = 1000
{source}
[[customer.product]]
id = "p"
[[customer.pool]]
id = "p"
product = "p"
owner = "d"
[[customer.pool.grant]]
id = "g"
seats = 40
from = "2020-01-01"
[[customer.rule]]
id = "all"
product = "p"
when = {{ everyone = true }}
"#
    );
    fs::write(folder.join("rosterd.toml"), text).expect("settings");
    for (name, secret) in [("api_key", PARTNER), ("client_id", "id"), ("client_secret", "hunter2")] {
        fs::write(folder.join(name), secret).expect("a secret");
    }
}

fn rosterd(folder: &Path, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.args(verb.split(' ')).arg("--config").arg(folder.join("rosterd.toml")).stdin(Stdio::null());
    command
}

/// What a command says.
fn told(folder: &Path, verb: &str) -> String {
    let done = rosterd(folder, verb).output().expect("rosterd starts");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    format!("\n== {verb}: {}\n{out}{err}", done.status.code().unwrap_or(-1))
}

/// A night by the daemon: everything that commands say, that the log says, and that lies about afterwards, without the
/// files of secrets.
fn all_of(folder: &Path) -> String {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
    let mut daemon = rosterd(folder, "serve").stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
    while !told(folder, "status --json").contains("\"pid\"") {
        std::thread::sleep(Duration::from_millis(100));
    }
    let verbs = [
        "check",
        "sync north --wait --full --json",
        "status --json",
        "status",
        "findings 1",
        "notices list north",
        "audit export north",
    ];
    let mut all: String = verbs.iter().map(|verb| told(folder, verb)).collect();
    daemon.kill().expect("it is killed");
    daemon.wait().expect("it is gone");
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if !["api_key", "client_id", "client_secret"].contains(&name.as_str()) {
                all.push_str(&String::from_utf8_lossy(&fs::read(path).expect("a file")));
            }
        }
    }
    all
}

#[test]
fn secrets_show_nowhere_whatever_happens() {
    let mut world = district("north");
    world.people.get_mut("u01").expect("known").email.clear();
    let clean = |what: &str, all: &str| {
        for secret in SECRETS {
            if let Some(at) = all.find(secret) {
                let from = all[..at].char_indices().rev().nth(200).map_or(0, |(at, _)| at);
                panic!("{what}: {secret} in …{}…", &all[from..at + secret.len()]);
            }
        }
    };
    let folder = tempfile::tempdir().expect("a folder");
    let classlink = ClassLink::start();
    classlink.has(&world);
    let source = format!(
        "kind = \"classlink\"\ntenant = 8841\naddress = \"{}\"\napi_key_file = \"api_key\"\npage_rows = 7",
        classlink.provider.server.url("")
    );
    settings(folder.path(), &source);
    let all = all_of(folder.path());
    assert!(all.contains("ok     source north/sis: http://127.0.0.1") && all.contains("answers, revision r1"), "{all}");
    assert!(all.contains("pull_read") && all.contains("run_finished") && all.contains("\"succeeded\""), "{all}");
    clean("a good night at ClassLink", &all);
    for (what, twist) in [
        ("refused", (|_: Reply| Reply::json(r#"{"password":"hunter2"}"#).status(401)) as fn(Reply) -> Reply),
        ("broken", |reply| Reply { body: reply.body[..reply.body.len() / 2].to_vec(), ..reply }),
        ("strange", |_| Reply::json(r#"{"imsx_description":"hunter2","imsx_CodeMinor":"hunter2 "}"#)),
    ] {
        classlink.set(|state| state.revision = Some(what.to_owned()));
        classlink.lies(move |_, before, reply| if before < 3 { reply } else { twist(reply) });
        clean(what, &all_of(folder.path()));
    }

    let folder = tempfile::tempdir().expect("a folder");
    let clever = Clever::start();
    clever.has(&world);
    let CleverAuth::Client { token_address, .. } = clever.settings().auth else { panic!("a client") };
    let source = format!(
        "kind = \"clever\"\ndistrict = \"d\"\naddress = \"{}\"\ntoken_address = \"{token_address}\"\nevents = true\n\
         client_id_file = \"client_id\"\nclient_secret_file = \"client_secret\"\npage_rows = 7",
        clever.server.url("")
    );
    settings(folder.path(), &source);
    let all = all_of(folder.path());
    assert!(all.contains("district d (Nord), state running") && all.contains("\"succeeded\""), "{all}");
    clean("a good night at Clever", &all);
    for (what, twist) in [
        ("refused", (|_: Reply| Reply::json(r#"{"error":"hunter2"}"#).status(401)) as fn(Reply) -> Reply),
        ("broken", |reply| Reply { body: reply.body[..reply.body.len() / 2].to_vec(), ..reply }),
        ("strange", |_| Reply::json(r#"{"message":"hunter2"}"#)),
    ] {
        clever.lies(move |asked, _, reply| if word(asked) == "users" { twist(reply) } else { reply });
        clean(what, &all_of(folder.path()));
    }
}
