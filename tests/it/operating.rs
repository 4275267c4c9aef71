//! What somebody does who keeps the daemon running: start it whatever its customers do, watch it, back it up, restore it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rosterd::plan::NoticeKind;
use rosterd::store::{Opening, RunState, SqliteStore, StoreError};

use crate::daemon::{Daemon, assert_sound, lively, student, until, until_settled, until_used};
use crate::demo::Demo;

fn page(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a page")
}

#[test]
fn one_customers_trouble_keeps_no_daemon_down() {
    let demo = lively();
    fs::write(demo.drops("northfield").join("2026-09-03.zip"), "no zip at all").expect("written");
    let gone = demo.path().join("larkspur-away");
    fs::rename(demo.drops("larkspur"), &gone).expect("its share is lost");
    assert_eq!(demo.run("check").code, 75, "the whole check tells of it");
    let settings = demo.json("check --settings");
    assert_eq!(settings["ok"], true, "{settings}");
    let checked = settings["checks"].as_array().expect("checks");
    assert!(
        checked.iter().all(|check| ["settings", "advice", "secret"].iter().any(|what| check["what"] == *what)),
        "{settings}"
    );
    let daemon = Daemon::start(&demo);
    until_used(&demo, "northfield", "access-district", 667);
    fs::rename(&gone, demo.drops("larkspur")).expect("it is back");
    until_used(&demo, "larkspur", "lxp", 18);
    daemon.stop();
}

#[test]
fn a_source_without_its_secret_is_its_customers_trouble_alone() {
    let demo = lively();
    let settings = fs::read_to_string(demo.settings_file()).expect("settings");
    let rest = r#"
[[customer]]
id = "brook"
name = "Brook"
profile = "school"
time_zone = "UTC"

[[customer.source]]
id = "sis"
kind = "oneroster_rest"
address = "https://sis.brook.example/ims/oneroster/v1p1"
version = "1.1"
auth = "bearer"
token_file = "no-such-file"

[[customer.product]]
id = "learn"

[[customer.pool]]
id = "learn"
product = "learn"
owner = "d"
"#;
    fs::write(demo.settings_file(), settings + rest).expect("written");
    assert_eq!(demo.run("check").code, 78);
    let settings = demo.told("check --settings");
    assert!(settings.contains("no-such-file"), "it is told all the same: {settings}");
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    daemon.stop();
}

/// A unit that checks everything before it starts stays down for one customer's trouble.
#[test]
fn the_units_say_what_is_true() {
    for unit in ["systemd/rosterd.service", "systemd/rosterd-backup.service", "systemd/rosterd-backup.timer"] {
        let text = page(unit);
        let value = |key: &str| text.lines().filter_map(|line| line.strip_prefix(key)).collect::<Vec<_>>().join(" ");
        assert_eq!(value("ExecStartPre="), "", "{unit}");
        for place in value("Documentation=").split(' ') {
            let installed = match place.strip_prefix("man:") {
                Some(name) => format!("/usr/share/man/man1/{}.1", name.trim_end_matches("(1)")),
                None => place.trim_start_matches("file://").to_owned(),
            };
            assert!(page("docs/OPERATING.md").contains(&installed), "{unit}: nobody is told to install {installed}");
        }
    }
    assert!(page("systemd/rosterd.service").contains("RestartPreventExitStatus=78"));
}

#[test]
fn every_alert_and_state_is_told() {
    let told = page("docs/OPERATING.md");
    let rows: Vec<&str> = told.lines().filter(|line| line.starts_with("| `")).collect();
    let is_told =
        |word: &str| rows.iter().any(|row| row.split('|').nth(1).is_some_and(|cell| cell.contains(&format!("`{word}`"))));
    let words = NoticeKind::ALL.map(NoticeKind::word).into_iter().chain(RunState::ALL.map(RunState::word));
    for word in words {
        assert!(is_told(word), "{word} has no row");
    }
    let rules = page("docs/monitoring/rules.yml");
    let rules: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(rules.len() >= 9, "{rules:?}");
    for alert in rules {
        assert!(is_told(alert), "{alert} has no row");
    }
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/telemetry")).expect("a folder");
    let files = files.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    let events: String = files.map(|path| fs::read_to_string(path).expect("a file")).collect();
    let events: Vec<&str> = events.split("event = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(events.len() >= 10, "{events:?}");
    for event in events {
        assert!(is_told(event), "{event} has no row");
    }
}

#[test]
fn a_backup_made_beside_the_daemon_brings_the_books_back() {
    let demo = lively();
    let backups = demo.path().join("backups");
    fs::create_dir(&backups).expect("a folder");
    assert_eq!(demo.run(&format!("backup {}", backups.display())).code, 74, "there is nothing yet");
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    // While it works on the next package.
    let (name, students) = student(1);
    demo.drop_students(&name, &students);
    demo.told("sync larkspur");
    let made = demo.json(&format!("backup {}", backups.display()));
    let copy = Path::new(made["file"].as_str().expect("a file")).to_owned();
    let meta = fs::metadata(&copy).expect("it is there");
    assert_eq!((meta.len(), meta.permissions().mode() & 0o777), (made["bytes"].as_u64().expect("bytes"), 0o600));
    let beside: Vec<_> = fs::read_dir(&backups).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    assert!(beside.iter().eq([&copy]), "one file, no log beside it");
    let again = demo.run(&format!("backup {}", copy.display()));
    assert_eq!(again.code, 74, "{again:?}");
    assert!(again.err.contains("exists"), "nothing is written over: {again:?}");
    until_used(&demo, "northfield", "access-district", 668);
    let (name, students) = student(2);
    demo.drop_students(&name, &students);
    until_used(&demo, "northfield", "access-district", 669);
    daemon.stop();

    // The disk loses the middle of the file.
    let mut bytes = fs::read(demo.store()).expect("books");
    let half = bytes.len() / 2;
    bytes[4096..half].fill(0xa5);
    fs::write(demo.store(), &bytes).expect("written");
    let damaged = demo.run("status");
    assert_eq!(damaged.code, 74, "{damaged:?}");
    assert!(damaged.err.contains("restore the newest backup"), "{damaged:?}");
    assert_eq!(demo.run("check").code, 74);

    demo.told(&format!("restore {} --yes", copy.display()));
    assert_sound(&demo);
    assert!(demo.json("pool list northfield").to_string().contains("\"used\":66"));
    let daemon = Daemon::start(&demo);
    until_used(&demo, "northfield", "access-district", 669);
    daemon.stop();
    assert_sound(&demo);
}

#[test]
fn who_only_asks_makes_no_store() {
    let demo = Demo::new();
    for command in ["status", "runs", "queue northfield", "audit verify", "hold list", "people northfield", "findings 1"] {
        let asked = demo.run(command);
        assert_eq!(asked.code, 74, "{command}: {asked:?}");
        assert!(asked.err.contains("there is no store yet"), "{command}: {asked:?}");
        assert!(asked.err.contains("next: start the daemon"), "{command}: {asked:?}");
    }
    assert!(!demo.store().exists());
    // A file that somebody is just making is no store either.
    fs::create_dir_all(demo.store().parent().expect("a folder")).expect("made");
    fs::write(demo.store(), "").expect("written");
    assert!(matches!(SqliteStore::open_for(&demo.store(), Opening::Existing), Err(StoreError::Absent { .. })));
    assert_eq!(fs::metadata(demo.store()).expect("there").len(), 0, "it is left alone");
    assert_eq!(demo.run("sync larkspur --here").code, 0);
    assert!(SqliteStore::open_for(&demo.store(), Opening::Existing).is_ok());
}

#[test]
fn a_day_that_is_not_today_is_not_written_into_books_that_a_daemon_served() {
    let demo = lively();
    assert_eq!(demo.run("sync larkspur --here --as-of 2026-09-02").code, 0, "a replay");
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let grant = "pool grant larkspur lxp --seats 1 --from 2026-09-01 --reference x --as-of 2031-01-01";
    let assert_refused = || {
        let refused = demo.run(grant);
        assert_eq!(refused.code, 2, "{refused:?}");
        assert!(refused.err.contains("a daemon worked on"), "{refused:?}");
    };
    assert_refused();
    daemon.stop();
    assert_refused();
    demo.told("status --as-of 2031-01-01");
    demo.told(grant.split(" --as-of").next().expect("a command"));
}

#[test]
fn a_monitor_gets_the_worst() {
    let demo = lively();
    let exit = |demo: &Demo| demo.run("status --fail").code;
    demo.run("sync larkspur --here");
    assert_eq!((exit(&demo), demo.run("status").code), (69, 0));
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    assert_eq!(exit(&demo), 0, "{:?}", demo.run("status --fail"));
    fs::write(demo.drops("northfield").join("2026-09-03.zip"), "no zip at all").expect("written");
    until("the run fails", || if exit(&demo) == 5 { Ok(()) } else { Err(format!("{:?}", demo.run("status --fail --json"))) });
    daemon.stop();
    assert_eq!(exit(&demo), 69);
}

#[test]
fn books_of_a_customer_who_left_the_settings_are_named_and_proved() {
    let demo = Demo::new();
    demo.run("sync larkspur --here");
    demo.set("id = \"larkspur\"", "id = \"larkspur-2\"");
    let checked = demo.run("check");
    assert!(checked.out.contains("ok     customers larkspur: in the books, but not in the settings"), "{checked:?}");
    let proved = demo.json("audit verify");
    let row = proved["customers"].as_array().expect("rows").iter().find(|row| row["customer"] == "larkspur").expect("a row");
    assert_eq!((&row["configured"], &row["ok"]), (&false.into(), &true.into()), "{proved}");
    assert!(demo.told("audit verify larkspur").starts_with("larkspur (not in the settings): "));
    assert_eq!(demo.run("status larkspur").code, 66);
}

/// What is kept beside the claims is compared with the trail as well: the queue, the license report and returns read it.
#[test]
fn a_list_that_was_altered_is_found() {
    for (what, alter) in [
        ("the queue", "DELETE FROM waiting WHERE person = (SELECT min(person) FROM waiting)"),
        ("seats used by org", "UPDATE used_by_org SET used = used + 1"),
        ("released claims", "DROP TRIGGER released_kept; DELETE FROM released"),
    ] {
        let demo = Demo::new();
        demo.run("sync northfield --here");
        let left = demo.run("sync northfield --here");
        assert_eq!(left.code, 6, "{left:?}");
        assert_sound(&demo);
        let raw = rusqlite::Connection::open(demo.store()).expect("books");
        let rows: i64 = raw
            .query_row("SELECT (SELECT count(*) FROM waiting) * (SELECT count(*) FROM released)", [], |row| row.get(0))
            .expect("counted");
        assert!(rows > 0, "somebody waits, and somebody left");
        raw.execute_batch(alter).expect("altered");
        drop(raw);
        let proved = demo.run("audit verify northfield");
        assert_eq!(proved.code, 70, "{proved:?}");
        assert!(proved.out.contains(what), "{what}: {proved:?}");
    }
}

/// Rules and dashboard ask for numbers that there are, and Prometheus itself takes the rules.
#[test]
fn monitoring_asks_for_numbers_that_are_told() {
    let told = page("src/http/metrics.rs");
    let names = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_lowercase() && c != '_');
        words.filter(|word| word.starts_with("rosterd_")).map(str::to_owned).collect()
    };
    let known = names(&told);
    for file in ["docs/monitoring/rules.yml", "docs/monitoring/grafana.json"] {
        let asked = names(&page(file));
        assert!(asked.len() > 5, "{file}: {asked:?}");
        let unknown: Vec<&String> = asked.difference(&known).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    let _: serde_json::Value = serde_json::from_str(&page("docs/monitoring/grafana.json")).expect("JSON");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring");
    for words in [["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]] {
        match Command::new("promtool").args(words).current_dir(&folder).output() {
            Ok(done) => assert!(done.status.success(), "{done:?}"),
            Err(_) => eprintln!("LEFT OUT: promtool is not installed (Debian: prometheus); it does not {} the rules", words[0]),
        }
    }
}

/// Each alert has a story in which it fires.
#[test]
fn every_alert_is_tried() {
    let (rules, tried) = (page("docs/monitoring/rules.yml"), page("docs/monitoring/rules_test.yml"));
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(tried.contains(&format!("alertname=\"{alert}\", alertstate=\"firing\"")), "{alert} is never seen firing");
    }
}
