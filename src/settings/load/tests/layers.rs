use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::base::Day;
use crate::settings::load::{known_keys, load_with, merge, reference};
use crate::settings::tree::Node;
use crate::settings::trial::{EVERYONE, district, env, good, load_text, wrong_with};
use crate::source::{BulkWithStatus, DropKind, SourceSettings};

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let text = format!("[guard]\nremoval_percent = 20\nremoval_min = 7\n{}", district("", "", "", EVERYONE));
    let settings = load_text(
        &text,
        &[
            ("ROSTERD__GUARD__REMOVAL_PERCENT", "30"),
            ("ROSTERD__GUARD__ON_TRIP", "all"),
            ("ROSTERD__CALENDAR__WEEKEND", "fri, sat"),
            ("ROSTERD__STORE__PATH", "state/x.db"),
            ("ROSTERD_CONFIG", "not ours"),
            ("PATH", "/bin"),
        ],
    )
    .expect("settings");
    let policy = &settings.customers[0].policy;
    assert_eq!(policy.limits.removal_percent, 30);
    assert_eq!(policy.limits.removal_min, 7);
    assert_eq!(policy.limits.org_removal_percent, 50);
    assert!(policy.limits.trip_stops_all);
    assert_eq!(settings.store.path, Path::new("state/x.db"), "relative to the working folder");
    let business = |day: &str| policy.calendar.is_business_day(Day::parse(day).expect("day"));
    assert!(!business("2026-03-06") && !business("2026-03-07") && business("2026-03-08"));

    let lines = wrong_with(
        &text,
        &[
            ("ROSTERD__GUARD__REMOVAL_PERCENT", "many"),
            ("ROSTERD__GARD__REMOVAL_MIN", "5"),
            ("ROSTERD__CUSTOMER__NORTH__NAME", "x"),
            ("ROSTERD__STORE__", "x"),
        ],
    );
    assert_eq!(
        lines,
        [
            "ROSTERD__CUSTOMER__NORTH__NAME cannot be set in the environment: customers are a list, which has no names",
            "ROSTERD__STORE__ names no key (write ROSTERD__SECTION__KEY)",
            "gard unknown key (set in the environment); did you mean `guard`?",
            "guard.removal_percent = many is not a whole number",
        ]
    );
}

#[test]
fn relative_paths_start_at_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("demo.toml");
    let text = "[store]\npath = \"../state/x.db\"\n[[customer]]\nid = \"a\"\n[[customer.source]]\nid = \"sis\"\n\
                kind = \"oneroster_csv\"\npath = \"demo/a\"\nbulk_with_status = \"full\"\ncourses = \"optional\"\ndrop = false";
    std::fs::write(&file, text).expect("write");
    let settings = load_with(Some(&file), env(&[])).expect("settings");
    assert_eq!(settings.store.path, folder.path().join("../state/x.db"));
    let SourceSettings::OneRosterCsv(source) = &settings.customers[0].sources[0] else { panic!("packages") };
    assert_eq!(source.path, folder.path().join("demo/a"));
    assert_eq!(
        (source.bulk_with_status, source.courses_optional, source.kind),
        (BulkWithStatus::Full, true, DropKind::Package)
    );
    assert_eq!((source.settle_secs, source.lenient), (60, false));
}

/// The reference with all its examples switched on: a line `#key = value` without its `#`.
fn reference_switched_on() -> String {
    let on = |line: &'static str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c == '[' || c.is_ascii_alphabetic()) => rest,
        _ => line,
    };
    reference().lines().map(on).collect::<Vec<_>>().join("\n")
}

/// Every key of a tree as [`known_keys`] spells it.
fn keys_of(node: &Node<'_>, path: &str, keys: &mut BTreeSet<String>) {
    match node {
        Node::Table(table) => {
            for (key, below) in table.iter() {
                let key = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                keys.insert(key.clone());
                // Tables inside a `when` table are `when` tables themselves.
                let nested = ["all", "any", "not"].iter().any(|word| key == format!("customer.rule.when.{word}"));
                keys_of(below, if nested { "customer.rule.when" } else { &key }, keys);
            }
        }
        Node::List(items) => items.iter().for_each(|item| keys_of(item, path, keys)),
        Node::Text(_) | Node::Env(_) | Node::Number(_) | Node::Flag(_) | Node::Fraction(_) => {}
    }
}

#[test]
fn the_reference_has_every_key_and_no_other() {
    let text = reference_switched_on();
    let tree = merge(&text, BTreeMap::new()).expect("TOML");
    let mut written = BTreeSet::new();
    keys_of(&Node::Table(tree), "", &mut written);
    let known: BTreeSet<String> = known_keys().into_iter().collect();
    assert_eq!(written.difference(&known).collect::<Vec<_>>(), [""; 0], "in the reference, unknown to the reader");
    assert_eq!(known.difference(&written).collect::<Vec<_>>(), [""; 0], "known to the reader, not in the reference");
    assert!(known.contains("customer.pool.grant.seats") && known.contains("customer.rule.when.live_enrollment.grade"));
    // The examples of the reference are settings that work.
    assert_eq!(good(&text).customers[0].policy.rules.iter().filter(|rule| !rule.is_shipped()).count(), 4);
}

#[test]
fn every_sample_loads() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("config");
    let mut samples = 0;
    for entry in std::fs::read_dir(folder).expect("config folder") {
        let path = entry.expect("entry").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let settings = load_with(Some(&path), env(&[])).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let sample = path.file_name().is_some_and(|name| name != "default.toml");
            assert_eq!(sample, !settings.customers.is_empty(), "{}", path.display());
            samples += usize::from(sample);
        }
    }
    assert!(samples >= 1);
}

#[test]
fn many_customers_come_to_what_they_come_to_with_the_rest() {
    // A section behind them can only be read with all.
    let together = |text: &str| format!("{text}\n[spool]\nmax_mib = 100\n");
    let apart = |text: &str| format!("[spool]\nmax_mib = 100\n{text}");
    let customer = |at: usize| match at {
        3 | 70 | 128 => format!("[[customer]]\nid = \"c{at}\"\noops = {at}\n"),
        100 => "[[customer]]\nnightly = \"tonight\"\n".to_owned(),
        101 => "[[customer]]\nid = \"c3\"\n[customer.overage]\nminor_percent = [120]\n".to_owned(),
        _ => format!(
            "[[customer]]\nid = \"c{at}\"\nMixed.Case = 2026-01-02\n[[customer.pool]]\nid = \"p\"\nn = [0x1f, {{ a = 1 }}]\n"
        ),
    };
    let wrong: String = (0..130).map(customer).collect();
    let lines = wrong_with(&apart(&wrong), &[]);
    assert_eq!(lines, wrong_with(&together(&wrong), &[]));
    assert!(lines.iter().any(|line| line.starts_with("customer.#101.nightly = \"tonight\" is not a cron pattern")));
    assert!(lines.iter().any(|line| line.starts_with("customer.c128.oops unknown key")), "{lines:?}");

    let right = |at: usize| {
        format!(
            "[[customer]]\nid = \"c{at}\"\nnightly = \"{} 2 * * *\"\n[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_csv\"\n\
             path = \"/drops/{at}\"\n[[customer.product]]\nid = \"p\"\n[[customer.pool]]\nid = \"p\"\nproduct = \"p\"\nowner = \"d\"\n\
             [[customer.pool.grant]]\nid = \"g\"\nseats = {at}0\nfrom = \"2026-01-02\"\n",
            at % 60
        )
    };
    let right: String = (1..130).map(right).collect();
    let [apart, together] = [apart(&right), together(&right)].map(|text| load_text(&text, &[]).expect("settings"));
    assert_eq!(apart.customers.len(), 129);
    for (apart, together) in apart.customers.iter().zip(&together.customers) {
        assert_eq!(format!("{apart:?}"), format!("{together:?}"));
    }
}
