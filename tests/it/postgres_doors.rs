//! The real program on PostgreSQL: it says what it says on SQLite, its books move from one to the other, and several nodes
//! share its work while they are killed and stopped.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rosterd::store::{Opening, StoreChoice, open};
use serde_json::Value;

use crate::cluster::{self, Database, Server};
use crate::daemon::{Daemon, assert_sound, assert_told_once, is_over, runs, until, until_settled};
use crate::demo::Demo;

/// The demo on a database of its own, unless there is no server.
pub fn shared() -> Option<(Database, Demo)> {
    cluster::is_installed().then(|| shared_on(Database::fresh()))
}

fn shared_on(database: Database) -> (Database, Demo) {
    let demo = Demo::shared(database.url());
    demo.set("drop_poll_secs = 2", "drop_poll_secs = 1");
    (database, demo)
}

/// What anybody may ask.
const QUESTIONS: [&str; 16] = [
    "status",
    "pool list northfield",
    "pool show northfield content-district",
    "queue northfield",
    "explain northfield t-058 learn",
    "people northfield t- --limit 200",
    "findings 3",
    "notices",
    "runs northfield",
    "hold list",
    "episode list northfield",
    "report licenses northfield --csv",
    "report claims northfield --csv",
    "report dashboard northfield --csv",
    "audit list northfield",
    "audit verify",
];

/// Without the name of the store, which alone may differ.
fn answers(demo: &Demo) -> Vec<String> {
    let ask = |question: &&str| {
        let done = demo.run(&format!("--as-of 2026-09-04T12:00:00Z {question}"));
        let out: Vec<&str> = done.out.lines().filter(|line| !line.starts_with("daemon of ")).collect();
        format!("{question}: {} {}\n{}", done.code, done.err, out.join("\n"))
    };
    QUESTIONS.iter().map(ask).collect()
}

/// Two nights, a purchase and a decision.
fn live(demo: &Demo) {
    for command in [
        "--as-of 2026-09-03T06:00:00Z sync northfield --here",
        "--as-of 2026-09-03T07:00:00Z sync northfield --here",
        "--as-of 2026-09-03T07:00:00Z sync larkspur --here",
        "--as-of 2026-09-03T08:00:00Z pool grant northfield learn-educators --seats 2 --from 2026-09-01 --reference PO-1 --id po-1",
        "--as-of 2026-09-03T09:00:00Z pool pin northfield observe-educators t-058 assign --reason visits",
    ] {
        let done = demo.run(command);
        assert!([0, 6].contains(&done.code), "{command}: {done:?}");
    }
}

#[test]
fn both_databases_say_the_same() {
    let Some((database, shared)) = shared() else { return };
    let lite = Demo::new();
    live(&lite);
    live(&shared);
    let (said, says) = (answers(&lite), answers(&shared));
    for (lite, shared) in said.iter().zip(&says) {
        assert_eq!(lite, shared);
    }
    assert!(said.iter().any(|answer| answer.contains("the books are what the trail says")));

    // There and back again: the third store says what the first said.
    let (northfield, source) = ("northfield".into(), "a-source".into());
    let open = || open(&StoreChoice::Sqlite { path: lite.store() }, Opening::Existing).expect("opens");
    let content = [vec![1; 3], vec![2; 70_000]];
    open().save_trace(&northfield, &source, &mut content.iter().cloned()).expect("saves");
    let other = Database::fresh();
    let file = lite.path().join("again.db");
    for (from, to) in
        [(format!("sqlite:{}", lite.store().display()), other.url()), (other.url(), format!("sqlite:{}", file.display()))]
    {
        let copied = lite.json(&format!("store copy --from {from} --to {to}"));
        let customers = copied["customers"].as_array().expect("customers");
        assert!(customers.len() == 2 && customers.iter().all(|customer| customer["ok"] == true), "{copied}");
    }
    let full = lite.run(&format!("store copy --from sqlite:{} --to {}", file.display(), other.url()));
    assert!(full.code != 0 && full.err.contains("it is not empty"), "{full:?}");
    std::fs::rename(&file, lite.store()).expect("moved");
    for beside in ["rosterd.db-wal", "rosterd.db-shm"] {
        let _ = std::fs::remove_file(lite.store().with_file_name(beside));
    }
    assert_eq!(answers(&lite), said);
    let mut trace = Vec::new();
    let mut take = |chunk| {
        trace.push(chunk);
        Ok(())
    };
    open().trace(&northfield, &source, &mut take).expect("reads");
    assert!(trace == content, "what is no part of the books came along");
    // Books that were copied go on: numbers are not given twice.
    let copy = Demo::shared(other.url());
    copy.told("--as-of 2026-09-05T09:00:00Z pool pin northfield observe-educators t-057 assign --reason visits");
    let run = copy.run("--as-of 2026-09-05T10:00:00Z sync northfield --here");
    assert!([0, 6].contains(&run.code), "{run:?}");
    assert!(copy.told("audit verify").contains("the books are what the trail says"));
    drop(database);
}

#[test]
fn a_copy_whose_books_are_not_what_the_trail_says_is_told() {
    if !cluster::is_installed() {
        return;
    }
    let (lite, other) = (Demo::new(), Database::fresh());
    live(&lite);
    let books = rusqlite::Connection::open(lite.store()).expect("opens");
    books.execute("DELETE FROM claims WHERE first = (SELECT min(first) FROM claims)", []).expect("deleted");
    drop(books);
    let copy = format!("store copy --from sqlite:{} --to {}", lite.store().display(), other.url());
    let done = lite.run(&copy);
    let said = "the proofs of the two differ: do not use the copy";
    assert!(done.code == 70 && done.out.contains("DIFFERENT") && done.out.contains(said), "{done:?}");
}

/// The first daemon makes the tables; until then nobody can be asked.
pub fn until_made(demo: &Demo, daemon: &Daemon) {
    until("there is a store", || if demo.run("runs").code == 0 { Ok(()) } else { Err(format!("{:?}", daemon.log())) });
}

/// Which of the nodes took a request up, of all that took none since `before` requests each.
fn taker(nodes: &[Daemon], before: &[usize]) -> Option<usize> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        let took = nodes.iter().zip(before).position(|(node, before)| node.events("request_taken").len() > *before);
        if took.is_some() {
            return took;
        }
        sleep(Duration::from_millis(1));
    }
    None
}

/// The runs that are under way, by their numbers.
fn under_way(demo: &Demo) -> Vec<Value> {
    runs(demo, "").into_iter().filter(|run| !is_over(run)).map(|run| run["run"].clone()).collect()
}

#[test]
fn three_nodes_do_every_request_once_while_they_and_the_database_are_killed_and_stopped() {
    // One that may be restarted.
    let Some(server) = Server::start(&[]) else { return };
    let (database, demo) = shared_on(server.database());
    demo.set("seats = 700", "seats = 100000");
    let start = || Daemon::start_with(&demo, |_| ());
    let mut nodes = vec![start()];
    until_made(&demo, &nodes[0]);
    nodes.extend([start(), start()]);
    until_settled(&demo);
    let seen = demo.json("nodes");
    assert_eq!(seen["nodes"].as_array().map(Vec::len), Some(3), "{seen}");

    // Fewer or more rounds on request: each takes some seconds.
    let rounds: usize = std::env::var("ROSTERD_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(50);
    let (mut in_the_middle, mut stopped) = (0, Vec::new());
    for round in 0..rounds {
        let before: Vec<usize> = nodes.iter().map(|node| node.events("request_taken").len()).collect();
        demo.drop_students(&format!("2026-10-{round:03}.zip"), &[format!("z-{round:03}")]);
        // Whoever works on it is struck, and the database while somebody does.
        let struck = taker(&nodes, &before).unwrap_or_default();
        match round % 7 {
            0 => nodes.remove(struck).kill(),
            1 => {
                nodes[struck].signal("STOP");
                let open = under_way(&demo);
                if open.is_empty() {
                    // Longer than a lease.
                    sleep(Duration::from_millis(4_500));
                }
                until("the others closed what it worked on", || {
                    let still = under_way(&demo);
                    if open.iter().any(|run| still.contains(run)) { Err(format!("{still:?}")) } else { Ok(()) }
                });
                nodes[struck].signal("CONT");
                stopped.extend(open);
            }
            2 => drop(nodes.remove(struck).stop()),
            3 => {
                let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND pid <> pg_backend_pid()";
                database.raw().query(cut, &[]).expect("cut");
            }
            4 => server.control("restart", "fast"),
            5 => server.control("restart", "immediate"),
            _ => {
                let mut asked = demo.program();
                asked.args(["sync", "northfield"]).stdout(Stdio::null());
                // Refused once all of the date are used; with as many rounds as usual they are not.
                let asked = asked.status().expect("it runs");
                assert!(asked.success() || round >= 35, "{asked}");
            }
        }
        if round % 7 == 0 {
            in_the_middle += under_way(&demo).len();
        }
        while nodes.len() < 3 {
            nodes.push(start());
        }
        until("the student is there", || {
            let found = demo.run(&format!("explain northfield z-{round:03}"));
            if found.code == 0 { Ok(()) } else { Err(format!("{found:?}")) }
        });
    }
    until("nothing is under way", || {
        let work =
            demo.json("nodes")["nodes"].as_array().is_some_and(|nodes| nodes.iter().any(|n| n["work"] != Value::Array(vec![])));
        if work || !under_way(&demo).is_empty() { Err(format!("{:?}", runs(&demo, ""))) } else { Ok(()) }
    });
    println!("{in_the_middle} runs were killed and {} stopped in the middle", stopped.len());
    assert!(in_the_middle + stopped.len() >= rounds / 14, "too few: {in_the_middle} and {stopped:?} of {rounds} rounds");
    // Each package was taken in by one run, and none by a node that slept over its lease.
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for run in runs(&demo, "northfield").iter().filter(|run| !run["version"].is_null()) {
        assert!(!stopped.contains(&run["run"]), "{run}");
        for package in run["packages"].as_array().expect("packages") {
            *taken.entry(package.to_string()).or_default() += 1;
        }
    }
    assert!(taken.len() >= rounds && taken.values().all(|times| *times == 1), "{taken:?}");
    // Each request was done, and no two by one run.
    let open_or_shared = "SELECT (SELECT count(*) FROM requests WHERE state < 2)
        + (SELECT count(*) - count(DISTINCT run) FROM requests WHERE run IS NOT NULL)";
    let left: i64 = database.raw().query_one(open_or_shared, &[]).expect("an answer").get(0);
    assert_eq!(left, 0);
    assert_told_once(&demo, 0);
    assert_sound(&demo);
    drop(nodes);
    drop(database);
}
