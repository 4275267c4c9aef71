//! Changes lead where full reads lead (I6), over the network as well: two providers of the same district, one that is asked for
//! changes, one that is asked for everything; and two folders, one with files of changes, one with complete files.

use std::collections::BTreeMap;
use std::fs;

use rosterd::base::Instant;
use rosterd::source::{DelimitedSettings, FeedKind, RestVersion, SourceSettings, StatusMapping};
use rosterd::store::RunState;
use serde_json::Value;

use crate::fake_oneroster::{Lists, Provider, lists};
use crate::net_clever_events::{Dice, happens, living};
use crate::net_delimited;
use crate::net_files::feeds;
use crate::net_oneroster::{district, roster};
use crate::world::{World, succeeded};

/// What the world has now; what differs from before is stamped with the moment, and the rest keeps its stamp.
fn stamp(provider: &Provider, world: &World, version: RestVersion, moment: &str) {
    let mut new = lists(world, version);
    let mut lists = provider.lists.lock().expect("no panic");
    let known = |lists: &Lists| -> BTreeMap<(String, String), Value> {
        let rows = lists.iter().flat_map(|(list, rows)| rows.iter().map(move |row| (list, row)));
        rows.map(|(list, row)| (((*list).to_owned(), row["sourcedId"].to_string()), row.clone())).collect()
    };
    let before = known(&lists);
    for (list, rows) in &mut new {
        for row in rows {
            let was = before.get(&((*list).to_owned(), row["sourcedId"].to_string()));
            let stamped = was.and_then(|was| was.get("dateLastModified")).cloned();
            let plain = was.cloned().map(|mut was| {
                was.as_object_mut().expect("a record").remove("dateLastModified");
                was
            });
            row["dateLastModified"] = if plain.as_ref() == Some(&*row) { stamped.into() } else { moment.into() };
        }
    }
    *lists = new;
}

#[test]
fn any_split_into_changes_leads_where_full_reads_lead() {
    let mut by_changes = 0;
    for (seed, version) in (0..3).flat_map(|seed| [(seed, RestVersion::V1_1), (seed, RestVersion::V1_2)]) {
        let mut dice = Dice(seed);
        let (changes, full) = (Provider::start(), Provider::start());
        let (mut first, mut second) = (district("north"), district("north"));
        for (provider, world, delta) in [(&changes, &mut first, true), (&full, &mut second, false)] {
            // A read of changes sees nobody who is missing: two looks are needed, whoever looks.
            world.policy.absence_confirmations = 2;
            provider.feeds(world, version, move |settings| settings.read.delta = delta);
            stamp(provider, world, version, "2026-03-01T12:00:00Z");
        }
        assert!(succeeded(&first.quiet_night()) && succeeded(&second.quiet_night()));
        for night in 0..5 {
            let now = Instant::parse(&format!("{}T02:30:00Z", first.today)).expect("a moment");
            let day_before = format!("{}T12:00:00Z", first.today.plus(-1));
            for steps in 0..=u64::from(dice.roll(3) == 0) {
                let mut again = Dice(dice.0);
                happens(&mut first, &mut dice, 100 * steps + night, true);
                happens(&mut second, &mut again, 100 * steps + night, true);
            }
            for (provider, world) in [(&changes, &first), (&full, &second)] {
                *provider.now.lock().expect("no panic") = now;
                stamp(provider, world, version, &day_before);
            }
            let before = changes.server.asked().len();
            let (one, other) = (first.quiet_night(), second.quiet_night());
            assert!(one.state != RunState::Failed && other.state != RunState::Failed, "{} {}", one.message, other.message);
            by_changes += usize::from(changes.server.asked()[before..].iter().all(|asked| asked.param("filter").is_some()));
            let at = format!("seed {seed} night {night} {version:?}");
            assert_eq!(living(&roster(&first)), living(&roster(&second)), "{at}");
            assert_eq!(first.seated("p"), second.seated("p"), "{at}");
        }
        if seed > 0 {
            continue;
        }
        // Whoever is not told of any more is missed by a full read alone, and is gone after two of them, like everywhere.
        let gone: Vec<String> = first.people.keys().step_by(7).cloned().collect();
        for (provider, world) in [(&changes, &mut first), (&full, &mut second)] {
            gone.iter().for_each(|key| world.vanish(key));
            stamp(provider, world, version, "2026-03-08T12:00:00Z");
            for _ in 0..9 {
                *provider.now.lock().expect("no panic") =
                    Instant::parse(&format!("{}T02:30:00Z", world.today)).expect("a moment");
                assert!(world.quiet_night().state != RunState::Failed);
            }
            world.verify();
        }
        assert_eq!(living(&roster(&first)), living(&roster(&second)), "seed {seed} {version:?}, at the end");
        assert!(first.seated("p") == second.seated("p") && !gone.iter().any(|key| first.seated("p").contains(key)));
    }
    assert!(by_changes > 25, "changes were enough on {by_changes} of 30 nights");
}

/// A person of a delimited file: name, division, whether they are there.
type Rows = BTreeMap<String, (String, &'static str, bool)>;

fn line(action: &str, key: &str, (name, unit, _): &(String, &'static str, bool)) -> String {
    format!("{action},{key},{name},Test,{key}@nord.example,{unit}\n")
}

#[test]
fn any_split_into_files_of_changes_leads_where_complete_files_lead() {
    const HEADER: &str = "Action,UID,First,Last,Mail,Unit\n";
    for seed in 0..4 {
        let mut dice = Dice(seed);
        let (mut first, mut second) = (net_delimited::company(), net_delimited::company());
        let connect = |world: &mut World, feed: FeedKind| {
            let mut settings = net_delimited::files(world.dir.path().join("hr"), Some("hr_YYYY-MM-DD.csv"));
            let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            let (active, inactive) = (words(&["A", "U", "AU"]), words(&["D"]));
            settings.mapping.status = Some(StatusMapping { column: "Action".into(), active, inactive, empty: None });
            (settings.mapping.start, settings.mapping.end) = (None, None);
            feeds(world, SourceSettings::Delimited(Box::new(DelimitedSettings { feed, ..settings })));
        };
        connect(&mut first, FeedKind::Full);
        connect(&mut second, FeedKind::Full);
        let mut rows = Rows::new();
        let mut told = Rows::new();
        for night in 0..8u64 {
            for turn in 0..=dice.roll(6) + if night == 0 { 12 } else { 0 } {
                let unit = ["North", "South/Sales", "South"][dice.roll(3) as usize];
                let keys: Vec<String> = rows.keys().cloned().collect();
                let one = keys.get(dice.roll(keys.len().max(1) as u64) as usize).cloned();
                match (dice.roll(4), one) {
                    (1, Some(one)) => rows.get_mut(&one).expect("known").0 = format!("Renamed {night} {turn}"),
                    (2, Some(one)) => rows.get_mut(&one).expect("known").1 = unit,
                    (3, Some(one)) => rows.get_mut(&one).expect("known").2 ^= true,
                    _ => _ = rows.insert(format!("p{night}-{turn}"), ("New".to_owned(), unit, true)),
                }
            }
            let name = format!("hr/hr_{}.csv", first.today);
            let is_news = |key: &String, row: &(String, &str, bool)| row.2 || told.contains_key(key);
            let changed = rows.iter().filter(|(key, row)| told.get(*key) != Some(*row) && is_news(key, row));
            let action = |key: &String, row: &(String, &str, bool)| match (row.2, told.contains_key(key)) {
                (false, _) => "D",
                (true, true) => "U",
                (true, false) => "AU",
            };
            let changes: String = changed.map(|(key, row)| line(action(key, row), key, row)).collect();
            let complete: String = rows.iter().filter(|(_, row)| row.2).map(|(key, row)| line("A", key, row)).collect();
            // The first file says everything in both ways.
            let changes = if night == 0 { complete.clone() } else { changes };
            // A file without a row is not believed: on a night without news there is none.
            if !changes.is_empty() {
                fs::write(first.dir.path().join(&name), format!("{HEADER}{changes}")).expect("written");
            }
            fs::write(second.dir.path().join(&name), format!("{HEADER}{complete}")).expect("written");
            told.clone_from(&rows);
            let (one, other) = (first.quiet_night(), second.quiet_night());
            assert!(succeeded(&one) && succeeded(&other), "{} {}", one.message, other.message);
            assert_eq!(living(&roster(&first)), living(&roster(&second)), "seed {seed} night {night}");
            assert_eq!(first.seated("p"), second.seated("p"), "seed {seed} night {night}");
            if night == 0 {
                connect(&mut first, FeedKind::Changes);
            }
        }
        first.verify();
        second.verify();
    }
}
