//! The daemon as a process: what it does by itself, beside others, when it is stopped and when it is killed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, sleep};
use std::time::{Duration, Instant, SystemTime};

use rosterd::store::{SqliteStore, Store};
use serde_json::Value;

use crate::demo::Demo;
use crate::postgres_doors::shared;

/// How long anything may take on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A running `rosterd serve`; killed when dropped.
pub struct Daemon {
    pub child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Starts it; what it logs is read all the time. The first one makes the store: until then nobody can be asked.
    pub fn start(demo: &Demo) -> Self {
        let daemon = Self::start_with(demo, |_| ());
        if !demo.store().exists() {
            until("there is a store", || if demo.run("runs").code == 0 { Ok(()) } else { Err(format!("{:?}", daemon.log())) });
        }
        daemon
    }

    pub fn start_with(demo: &Demo, more: impl FnOnce(&mut Command)) -> Self {
        let mut serve = demo.program();
        serve.arg("serve").stdout(Stdio::null()).stderr(Stdio::piped());
        more(&mut serve);
        let mut child = serve.spawn().expect("it starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (log, kept) = (child.stderr.take().expect("a pipe"), Arc::clone(&lines));
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { child, lines, reader: Some(reader) }
    }

    /// Starts it and waits until it is ready.
    pub fn ready(demo: &Demo) -> Self {
        let daemon = Self::start(demo);
        daemon.until_logged("daemon_started", 1);
        daemon
    }

    /// All that was logged: each line is JSON.
    pub fn log(&self) -> Vec<Value> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let parsed = lines.iter().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
        parsed.collect()
    }

    pub fn events(&self, event: &str) -> Vec<Value> {
        self.log().into_iter().filter(|line| line["event"] == event).collect()
    }

    pub fn until_logged(&self, event: &str, times: usize) {
        until(&format!("{event} is logged {times} times"), || {
            let seen = self.events(event).len();
            if seen >= times { Ok(()) } else { Err(format!("{:?}", self.log())) }
        });
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let done = Command::new("kill").args(["-s", signal, &pid]).status().expect("there is a kill");
        assert!(done.success(), "kill -s {signal} {pid}");
    }

    fn ended(&mut self) -> ExitStatus {
        let mut ended = None;
        until("the daemon ends", || {
            ended = self.child.try_wait().expect("it can be asked");
            if ended.is_some() { Ok(()) } else { Err(String::new()) }
        });
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the log is read to its end");
        }
        ended.expect("it ended")
    }

    /// Stops it the way a supervisor does; it has to be gone in time, in good order.
    pub fn stop(mut self) -> Vec<Value> {
        let asked = Instant::now();
        self.signal("TERM");
        let ended = self.ended();
        assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
        assert_eq!(ended.code(), Some(0), "{ended:?}: {:?}", self.log());
        assert_eq!(self.events("daemon_stopping").len(), 1);
        self.log()
    }

    /// Waits for the end that was asked for. Returns what was logged.
    pub fn ended_by_itself(mut self) -> Vec<Value> {
        let ended = self.ended();
        assert_eq!(ended.code(), Some(0), "{ended:?}: {:?}", self.log());
        self.log()
    }

    pub fn kill(mut self) {
        self.signal("KILL");
        self.ended();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the daemon's log: {:#?}", self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Looks again and again until it is so.
pub fn until(what: &str, mut look: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(()) => return,
            Err(last) => assert!(Instant::now() < deadline, "waited in vain until {what}; last: {last}"),
        }
        sleep(POLL);
    }
}

/// The demo, with drop folders looked at every second.
pub fn lively() -> Demo {
    let demo = Demo::new();
    demo.set("drop_poll_secs = 2", "drop_poll_secs = 1");
    demo
}

fn pool(demo: &Demo, customer: &str, pool: &str) -> Value {
    let pools = demo.json(&format!("pool list {customer}"));
    let found = pools["pools"].as_array().expect("pools").iter().find(|row| row["pool"] == pool).cloned();
    found.unwrap_or_else(|| panic!("{pool} is not in {pools}"))
}

pub fn until_used(demo: &Demo, customer: &str, id: &str, used: u64) {
    until(&format!("{used} seats of {id} are used"), || {
        let now = pool(demo, customer, id);
        if now["used"] == used { Ok(()) } else { Err(now.to_string()) }
    });
}

/// Both customers are where their packages lead.
pub fn until_settled(demo: &Demo) {
    until_used(demo, "northfield", "access-district", 667);
    until_used(demo, "larkspur", "lxp", 18);
    until("no run is under way", || {
        let runs = runs(demo, "");
        if runs.iter().all(is_over) { Ok(()) } else { Err(format!("{runs:?}")) }
    });
}

pub fn runs(demo: &Demo, customer: &str) -> Vec<Value> {
    let command = format!("runs {customer} --limit 1000");
    let answer = demo.json(&command.replace("  ", " "));
    answer["runs"].as_array().expect("runs").clone()
}

pub fn is_over(run: &Value) -> bool {
    !["fetching", "planning", "committing"].iter().any(|state| run["state"] == *state)
}

/// The trail proves the books, and the store is sound.
pub fn assert_sound(demo: &Demo) {
    let proof = demo.json("audit verify");
    assert_eq!(proof["ok"], true, "{proof}");
    let checked = demo.json("check");
    assert_eq!(checked["ok"], true, "{checked}");
}

/// A new student under a key of its own, in a package that is named after it.
pub fn student(n: usize) -> (String, Vec<String>) {
    (format!("2026-10-{n:03}.zip"), vec![format!("z-{n:03}")])
}

#[test]
fn the_demo_comes_to_its_numbers_by_itself() {
    let demo = Demo::new();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let status = demo.json("status");
    assert_eq!(status["daemon"]["pid"], daemon.child.id());
    let content = pool(&demo, "northfield", "content-district");
    assert_eq!((&content["used"], &content["available"]), (&456.into(), &(-3).into()));
    assert_eq!(content["causes"], serde_json::json!({"sync_overdraw": 3}));
    assert_eq!((&content["episode"]["episode"], &content["episode"]["closed"]), (&1.into(), &Value::Null));
    let queue = demo.json("queue northfield learn-educators");
    assert_eq!(queue["waiting"].as_array().map(Vec::len), Some(7), "{queue}");
    assert_sound(&demo);
    // Nobody asked for anything.
    for customer in ["northfield", "larkspur"] {
        let commits = demo.json(&format!("audit list {customer}"));
        for commit in commits["commits"].as_array().expect("commits") {
            assert_eq!(commit["actor"], "system:rosterd", "{commit}");
        }
    }
    daemon.until_logged("run_finished", 3);
    let below = daemon.events("negative_balance");
    assert!(!below.is_empty());
    for event in below {
        assert_eq!((&event["pool.id"], &event["balance"]), (&"content-district".into(), &(-3).into()), "{event}");
        assert_eq!((&event["causes"], &event["customer.id"]), (&"3 sync_overdraw".into(), &"northfield".into()), "{event}");
    }
    for event in daemon.log() {
        assert!(event["timestamp"].is_string() && event["level"].is_string() && event["message"].is_string(), "{event}");
    }
    let log = daemon.stop();
    assert!(!log.iter().any(|line| line["level"] == "ERROR"), "{log:?}");
    assert_eq!(demo.json("status")["daemon"], Value::Null);
    assert_sound(&demo);
}

#[test]
fn others_work_beside_the_daemon_and_a_second_one_is_refused() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let pid = daemon.child.id();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a host has a name");

    let second = demo.run("serve");
    assert_eq!(second.code, 74, "{second:?}");
    assert!(second.err.contains(&format!("process {pid} on {} is", host.trim())), "{second:?}");
    assert!(second.err.contains("next: `rosterd status`"), "{second:?}");

    for command in [
        "status",
        "pool list northfield",
        "queue northfield",
        "explain northfield t-058",
        "report claims northfield --csv",
        "audit verify",
        "plan northfield --limit 1",
        "pool pin northfield observe-educators t-058 assign --reason visits",
    ] {
        demo.told(command);
    }
    assert_eq!(pool(&demo, "northfield", "observe-educators")["used"], 14);

    let waited = demo.json("sync larkspur --wait");
    assert_eq!(
        (&waited["joined"], &waited["daemon"], &waited["run"]["state"]),
        (&false.into(), &true.into(), &"succeeded".into())
    );
    assert_eq!((&waited["run"]["trigger"], &waited["run"]["by"]), (&"same_day".into(), &"operator:ann".into()));
    // The exit code is that of the run: somebody waits in Northfield.
    assert_eq!(demo.run("sync northfield --wait").code, 6);

    // While nobody takes it, a second request joins the first, and one run answers both (R97).
    // Dates may turn meanwhile; their runs are not what is counted.
    let wished = || runs(&demo, "northfield").into_iter().filter(|run| run["trigger"] == "same_day").collect::<Vec<_>>();
    let before = wished().len();
    daemon.signal("STOP");
    let (first, second) = (demo.json("sync northfield"), demo.json("sync northfield"));
    daemon.signal("CONT");
    assert_eq!((&first["joined"], &second["joined"]), (&false.into(), &true.into()));
    assert_eq!(first["request"], second["request"]);
    until("the request is answered", || {
        let runs = wished();
        if runs.len() > before && is_over(&runs[0]) { Ok(()) } else { Err(format!("{runs:?}")) }
    });
    let third = demo.run("sync northfield --wait --json");
    let third: Value = serde_json::from_str(&third.out).expect("JSON");
    assert_eq!(third["joined"], false, "the first request is done");
    assert_eq!(wished().len(), before + 2, "one run for two requests, one for the third");
    daemon.stop();
    assert_sound(&demo);
}

#[test]
fn a_package_that_arrives_is_taken_in() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    // Half of it, under a name that says so, for at least one look at the folder: another customer's package is taken.
    let (name, students) = student(1);
    let bytes = demo.students(&students);
    let part = demo.drops("northfield").join(format!("{name}.part"));
    fs::write(&part, &bytes[..bytes.len() / 2]).expect("written");
    // Dates may turn meanwhile; their runs are not what is counted.
    let taken = |customer: &str| runs(&demo, customer).into_iter().filter(|run| run["trigger"] == "drop").collect::<Vec<_>>();
    let northfield = taken("northfield").len();
    demo.again("larkspur", "2026-09-01", "2026-09-02");
    until("the other package is taken", || {
        let runs = taken("larkspur");
        let is_it = |run: &Value| run["packages"] == serde_json::json!(["hr:2026-09-02"]) && is_over(run);
        // What came first may have been taken by its night.
        if runs.first().is_some_and(is_it) { Ok(()) } else { Err(format!("{runs:?}")) }
    });
    assert_eq!(taken("northfield").len(), northfield, "nothing is read before it has its name");
    fs::write(&part, &bytes).expect("written");
    fs::rename(&part, demo.drops("northfield").join(&name)).expect("renamed");
    until_used(&demo, "northfield", "access-district", 668);
    let newest = &taken("northfield")[0];
    assert_eq!(newest["by"], "system:rosterd", "{newest}");
    daemon.stop();
    assert_sound(&demo);
}

#[test]
fn a_companion_says_that_a_package_is_complete() {
    let demo = lively();
    // Northfield's packages would have to lie still for an hour; Larkspur's count at once.
    demo.set("settle_secs = 0", "settle_secs = 3600");
    let daemon = Daemon::start(&demo);
    until_used(&demo, "larkspur", "lxp", 18);
    assert_eq!(demo.json("status northfield")["customers"][0]["version"], 0);
    fs::write(demo.drops("northfield").join("2026-09-01.done"), "").expect("written");
    until_used(&demo, "northfield", "access-district", 660);
    // The second night is not complete, so that what comes after it waits, however complete it is.
    let (name, students) = student(1);
    demo.drop_students(&name, &students);
    fs::write(demo.drops("northfield").join(format!("{name}.done")), "").expect("written");
    fs::write(demo.drops("northfield").join("2026-09-02.done"), "").expect("written");
    until_used(&demo, "northfield", "access-district", 668);
    let taken: Vec<Value> = runs(&demo, "northfield").iter().map(|run| run["packages"].clone()).rev().collect();
    let taken: Vec<&Value> = taken.iter().filter(|packages| packages.as_array().is_some_and(|list| !list.is_empty())).collect();
    let one = |name: &str| serde_json::json!([format!("sis:{name}")]);
    assert_eq!(taken, [&one("2026-09-01"), &one("2026-09-02"), &one(&name)]);
    daemon.stop();
    assert_sound(&demo);
}

#[test]
fn a_broken_package_harms_its_customer_only_and_is_turned_away_once() {
    let demo = lively();
    fs::write(demo.drops("northfield").join("2026-09-03.zip"), "PK\u{3}\u{4} this is no zip").expect("written");
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let failed = || runs(&demo, "northfield").into_iter().filter(|run| run["state"] == "failed").collect::<Vec<_>>();
    until("the broken package is told", || if failed().len() == 1 { Ok(()) } else { Err(format!("{:?}", failed())) });
    // Two more looks at the folders, as the other customer shows.
    for name in ["2026-09-02", "2026-09-03"] {
        demo.again("larkspur", "2026-09-01", name);
        until_taken(&demo, "larkspur", &format!("hr:{name}"));
    }
    let told = failed();
    assert_eq!(told.len(), 1, "it is not tried again until it changes: {told:?}");
    assert!(told[0]["message"].as_str().is_some_and(|text| text.contains("2026-09-03.zip")), "{told:?}");
    assert_eq!(pool(&demo, "northfield", "access-district")["used"], 667);
    let sorry = daemon.events("run_finished").into_iter().filter(|event| event["state"] == "failed");
    assert!(sorry.map(|event| event["customer.id"].clone()).eq(["northfield"]));
    // The right one under the same name is taken.
    demo.drop_students("2026-09-03.zip", &student(1).1);
    until_used(&demo, "northfield", "access-district", 668);
    daemon.stop();
    assert_sound(&demo);
}

fn until_taken(demo: &Demo, customer: &str, package: &str) {
    until(&format!("{package} is taken"), || {
        let runs = runs(demo, customer);
        let taken = runs.iter().any(|run| run["packages"] == serde_json::json!([package]) && is_over(run));
        if taken { Ok(()) } else { Err(format!("{runs:?}")) }
    });
}

#[test]
fn a_package_that_cannot_be_taken_for_another_reason_is_not_tried_every_second() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    daemon.stop();
    // A grant that was edited: each run of the customer fails until the settings are right again, whatever it reads.
    demo.set("seats = 700", "seats = 701");
    let (name, students) = student(1);
    demo.drop_students(&name, &students);
    let before = runs(&demo, "northfield").len();
    let daemon = Daemon::start(&demo);
    let failed =
        || runs(&demo, "northfield").into_iter().filter(|run| run["state"] == "failed" && run["trigger"] == "drop").count();
    until("a run fails", || if failed() > 0 { Ok(()) } else { Err(format!("{:?}", runs(&demo, "northfield"))) });
    for n in 2..=4 {
        let name = format!("2026-09-{n:02}");
        demo.again("larkspur", "2026-09-01", &name);
        until_taken(&demo, "larkspur", &format!("hr:{name}"));
    }
    assert_eq!(failed(), 1, "{before} runs were there before: {:?}", runs(&demo, "northfield"));
    daemon.stop();
    demo.set("seats = 701", "seats = 700");
    let daemon = Daemon::start(&demo);
    until_used(&demo, "northfield", "access-district", 668);
    daemon.stop();
    assert_sound(&demo);
}

/// A process that died beside the daemon leaves a run in the middle; the daemon still takes packages in.
#[test]
fn somebody_elses_dead_run_does_not_hold_up_packages() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let store = SqliteStore::open(&demo.store()).expect("a store");
    let by = rosterd::store::Trigger::SameDay(rosterd::store::Asked::by(rosterd::base::Actor::operator("ann")));
    let dead = Store::begin_run(&store, &"northfield".into(), &by, rosterd::base::Instant(0)).expect("begun");
    let raw = rusqlite::Connection::open(demo.path().join("state/demo/rosterd.db")).expect("opens");
    raw.execute("UPDATE runs SET process = 'another-boot pid:[1] 1 1' WHERE id = ?1", [dead.0.cast_signed()]).expect("written");
    let (name, students) = student(1);
    demo.drop_students(&name, &students);
    until_used(&demo, "northfield", "access-district", 668);
    // Nor does it stand in anybody's way, once the daemon's own request is ended.
    until("a run here is not refused", || {
        let here = demo.run("sync northfield --here");
        if here.code == 6 { Ok(()) } else { Err(format!("{here:?}")) }
    });
    // The daemon was there all the time, and whatever commits closes it: left as it is, it would keep snapshots for ever.
    let row = Store::run(&store, dead).expect("asks").expect("kept");
    assert_eq!(row.state, rosterd::store::RunState::Failed);
    assert!(row.message.starts_with("its process ended while it was fetching"), "{}", row.message);
    daemon.stop();
}

/// A folder that nobody can look at is told when it begins and when it ends, and nobody else waits for it.
#[test]
fn a_drop_folder_that_is_gone_is_told() {
    let demo = lively();
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    let (folder, away) = (demo.drops("northfield"), demo.path().join("away"));
    fs::rename(&folder, &away).expect("moved");
    daemon.until_logged("drops_unreadable", 1);
    demo.again("larkspur", "2026-09-01", "2026-09-02");
    until_taken(&demo, "larkspur", "hr:2026-09-02");
    assert!(daemon.events("drops_readable").is_empty());
    fs::rename(&away, &folder).expect("moved back");
    daemon.until_logged("drops_readable", 1);
    let told = daemon.events("drops_unreadable");
    assert_eq!(told.len(), 1, "once: {told:?}");
    assert_eq!((&told[0]["customer.id"], &told[0]["source.id"]), (&"northfield".into(), &"sis".into()));
    daemon.stop();
}

#[test]
fn a_daemon_that_is_stopped_in_the_middle_leaves_whole_books() {
    stopped(&lively());
}

#[test]
fn a_node_that_is_stopped_in_the_middle_leaves_whole_books() {
    let Some((database, demo)) = shared() else { return };
    stopped(&demo);
    drop(database);
}

fn stopped(demo: &Demo) {
    let mut running = 0;
    for round in 1..=3 {
        let daemon = Daemon::ready(demo);
        let (name, students) = student(round);
        demo.drop_students(&name, &students);
        demo.told("sync northfield");
        // At once: a run of at least one customer is just beginning.
        daemon.until_logged("request_taken", 1);
        let log = daemon.stop();
        running += log
            .iter()
            .filter(|line| line["event"] == "daemon_stopping")
            .filter_map(|line| line["running"].as_u64())
            .sum::<u64>();
        assert!(!log.iter().any(|line| line["level"] == "ERROR"), "{log:?}");
        assert_sound(demo);
        assert!(runs(demo, "").iter().all(is_over), "a run that is under way is ended before the daemon goes");
    }
    assert!(running >= 1, "no stop met a run");
    let daemon = Daemon::start(demo);
    until_used(demo, "northfield", "access-district", 670);
    daemon.stop();
    assert_sound(demo);
}

#[expect(clippy::disallowed_methods, reason = "the daemon goes by the machine's clock, and so must who tests it")]
fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970")
}

/// A small generator of numbers that look random, after Marsaglia.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn a_daemon_that_is_killed_leaves_whole_books() {
    let seed: u64 = match std::env::var("ROSTERD_SEED") {
        Ok(seed) => seed.parse().expect("ROSTERD_SEED is a number"),
        Err(_) => since_1970().subsec_nanos().into(),
    };
    println!("ROSTERD_SEED={seed}");
    killed(&lively(), Dice(seed | 1), kills(100), false);
}

/// The same over a database that others may share: what a dead process began is closed when its lease is over.
#[test]
fn a_node_that_is_killed_leaves_whole_books() {
    let Some((database, demo)) = shared() else { return };
    killed(&demo, Dice(u64::from(since_1970().subsec_nanos()) | 1), kills(12), true);
    drop(database);
}

fn kills(otherwise: usize) -> usize {
    std::env::var("ROSTERD_KILLS").map_or(otherwise, |kills| kills.parse().expect("ROSTERD_KILLS is a number"))
}

fn killed(demo: &Demo, mut dice: Dice, rounds: usize, is_shared: bool) {
    // More wishes than an admin has on one day.
    let settings = fs::read_to_string(demo.settings_file()).expect("settings");
    let roomy = settings.replacen("seats = 700", "seats = 100000", 1);
    assert_ne!(roomy, settings, "seats for everybody whom the rounds bring");
    fs::write(demo.settings_file(), roomy + "\n[same_day]\nmax_per_day = 1000\n").expect("written");
    let mut in_the_middle = 0;
    let mut bought: Vec<i64> = Vec::new();
    for round in 1..=rounds {
        let daemon = Daemon::start(demo);
        let (name, students) = student(round);
        sleep(Duration::from_millis(dice.up_to(120)));
        demo.drop_students(&name, &students);
        demo.told("sync larkspur");
        // Anywhere, or in the first moments of a run. Among nodes that is the first thing that happens: what the one before
        // worked on is taken up two leases later.
        let hit = if is_shared { 1 } else { dice.up_to(3) };
        let patience = Duration::from_secs(if is_shared { 20 } else { 2 });
        if hit > 0 {
            let before = daemon.events("request_taken").len();
            let deadline = Instant::now() + patience;
            while daemon.events("request_taken").len() == before && Instant::now() < deadline {
                sleep(Duration::from_millis(1));
            }
        }
        sleep(Duration::from_millis(dice.up_to(if hit > 0 { 50 } else { 400 })));
        daemon.kill();
        let left = runs(demo, "");
        in_the_middle += left.iter().filter(|run| !is_over(run)).count();
        assert_sound(demo);
        // Now and then somebody buys what is missing: the pool is back at zero, and the next student takes it below again.
        let available = pool(demo, "northfield", "content-district")["available"].as_i64().unwrap_or_default();
        if round % 4 == 0 && round < rounds && available < 0 {
            let seats = -available;
            demo.told(&format!(
                "pool grant northfield content-district --seats {seats} --from 2026-09-01 --reference PO-{round}"
            ));
            bought.push(seats);
        }
    }
    println!("{in_the_middle} runs were found in the middle, {} times seats were bought", bought.len());
    assert!(in_the_middle >= (rounds / 10).max(1), "only {in_the_middle} of {rounds} kills met a run");
    let daemon = Daemon::ready(demo);
    let closed = runs(demo, "").into_iter().filter(|run| !is_over(run) && run["trigger"] == "same_day").count();
    assert!(closed <= 1 || is_shared, "only what it has begun since");
    until_used(demo, "northfield", "access-district", 667 + rounds as u64);
    until_settled_with(demo, rounds);
    // Each was seated once, however often a run was begun for it. The trail comes page by page, without a gap.
    let export = demo.told("audit export northfield");
    let versions = export.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["version"].clone());
    assert!(versions.eq(1..=export.lines().count()), "{} commits", export.lines().count());
    for n in 1..=rounds {
        let seated = format!("\"person\":\"{}\",\"because\":\"entitled\"", student(n).1[0]);
        assert_eq!(export.matches(&seated).count(), 2, "access and content of {}", student(n).1[0]);
    }
    assert_eq!(pool(demo, "northfield", "content-district")["available"], -3 - rounds as i64 + bought.iter().sum::<i64>());
    daemon.stop();
    assert_told_once(demo, bought.len());
    assert!(runs(demo, "").iter().all(is_over));
    assert_sound(demo);
}

/// Every fact is told once, also if the run that told it was begun again: a pool that falls below zero and comes back tells
/// the one and the other by turns, as often as it did (R50, R151).
pub fn assert_told_once(demo: &Demo, restored: usize) {
    let mut notices = demo.books().notices(None, 10_000).expect("notices");
    notices.reverse();
    let keys: BTreeSet<_> = notices.iter().map(|notice| (&notice.customer, &notice.key)).collect();
    assert_eq!(keys.len(), notices.len(), "{notices:#?}");
    let balance = |kind: &str| ["negative_balance", "balance_restored"].contains(&kind);
    let told = notices.iter().map(|notice| (notice.customer.as_str(), notice.kind.as_str())).filter(|(_, kind)| balance(kind));
    let told: Vec<(&str, &str)> = told.collect();
    let by_turns =
        (0..=2 * restored).map(|at| ("northfield", if at % 2 == 0 { "negative_balance" } else { "balance_restored" }));
    assert_eq!(told, by_turns.collect::<Vec<_>>(), "{notices:#?}");
    // No two of them tell of the same seats.
    let below: BTreeSet<&str> = notices.iter().filter(|n| n.kind == "negative_balance").map(|n| n.text.as_str()).collect();
    assert_eq!(below.len(), restored + 1, "{notices:#?}");
}

fn until_settled_with(demo: &Demo, students: usize) {
    until("no run is under way", || {
        let runs = runs(demo, "");
        let taken = runs.iter().any(|run| run["packages"] == serde_json::json!([format!("sis:{}", student(students).0)]));
        if taken && runs.iter().all(is_over) { Ok(()) } else { Err(format!("{runs:?}")) }
    });
}

#[test]
fn a_supervisor_is_told() {
    let demo = Demo::new();
    let place = demo.path().join("notify");
    let socket = UnixDatagram::bind(&place).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    let mut daemon = Daemon::start_with(&demo, |serve| {
        serve.env("NOTIFY_SOCKET", &place).env("WATCHDOG_USEC", "1000000");
    });
    let mut told = Vec::new();
    let mut listen = |enough: &dyn Fn(&[String]) -> bool| {
        let deadline = Instant::now() + PATIENCE;
        while !enough(&told) {
            assert!(Instant::now() < deadline, "{told:?}");
            let mut bytes = [0; 4096];
            let length = socket.recv(&mut bytes).expect("something is told");
            let text = std::str::from_utf8(&bytes[..length]).expect("text");
            told.extend(text.lines().map(str::to_owned));
        }
        told.clone()
    };
    let count = |told: &[String], what: &str| told.iter().filter(|line| line.starts_with(what)).count();
    let asked = Instant::now();
    let told = listen(&|told| count(told, "READY=1") == 1 && count(told, "WATCHDOG=1") >= 4 && count(told, "STATUS=") >= 4);
    // Half of the limit between two signs of life: four take at least one and a half seconds.
    assert!(asked.elapsed() >= Duration::from_millis(1400), "{:?}", asked.elapsed());
    assert_eq!(count(&told, "STOPPING"), 0);
    assert!(told.iter().any(|line| line == "STATUS=0 runs under way"), "{told:?}");
    daemon.signal("TERM");
    let told = listen(&|told| count(told, "STOPPING=1") == 1);
    assert_eq!(count(&told, "READY=1"), 1);
    assert_eq!(daemon.ended().code(), Some(0));
}

#[test]
fn a_stop_that_comes_with_readiness_is_heard() {
    let demo = Demo::new();
    let place = demo.path().join("notify");
    let socket = UnixDatagram::bind(&place).expect("a socket");
    socket.set_read_timeout(Some(PATIENCE)).expect("set");
    for _ in 0..5 {
        let mut daemon = Daemon::start_with(&demo, |serve| {
            serve.env("NOTIFY_SOCKET", &place);
        });
        let mut bytes = [0; 4096];
        while socket.recv(&mut bytes).map(|length| !bytes[..length].starts_with(b"READY=1")).expect("something is told") {}
        daemon.signal("TERM");
        assert_eq!(daemon.ended().code(), Some(0), "{:?}", daemon.log());
    }
}

#[test]
fn a_night_that_is_due_is_run_once() {
    let demo = lively();
    // Due five minutes ago, whatever the time is now; the next one is a day away.
    let minutes = (since_1970().as_secs() - 300) / 60 % 1440;
    demo.set("time_zone = \"America/Chicago\"", "time_zone = \"UTC\"");
    demo.set("nightly = \"30 2 * * *\"", &format!("nightly = \"{} {} * * *\"", minutes % 60, minutes / 60));
    // Without packages, only the schedule asks.
    demo.hold_back("northfield", "2026-09-01");
    demo.hold_back("northfield", "2026-09-02");
    for start in 1..=3 {
        let daemon = Daemon::start(&demo);
        until("the night is run", || {
            let runs = runs(&demo, "northfield");
            if runs.iter().any(|run| run["trigger"] == "nightly" && is_over(run)) { Ok(()) } else { Err(format!("{runs:?}")) }
        });
        // Two looks at the folders later, the schedule was long looked at.
        for look in 1..=2 {
            let name = format!("2026-09-{:02}", 10 * start + look);
            demo.again("larkspur", "2026-09-01", &name);
            until_taken(&demo, "larkspur", &format!("hr:{name}"));
        }
        daemon.stop();
        let nights: Vec<Value> = runs(&demo, "northfield");
        assert_eq!(nights.len(), 1, "start {start}: {nights:?}");
        assert_eq!((&nights[0]["trigger"], &nights[0]["by"]), (&"nightly".into(), &"system:rosterd".into()));
    }
    // The night is run, and the packages that came late are taken all the same.
    demo.bring("northfield", "2026-09-01");
    demo.bring("northfield", "2026-09-02");
    let daemon = Daemon::start(&demo);
    until_settled(&demo);
    daemon.stop();
    let nights = runs(&demo, "northfield").into_iter().filter(|run| run["trigger"] == "nightly").count();
    assert_eq!(nights, 1);
    assert_sound(&demo);
}

#[test]
fn settings_that_are_wrong_are_told_before_anything_starts() {
    let demo = Demo::new();
    demo.set("workers = 2", "workers = 0");
    let mut serve = demo.program();
    let mut child = serve.arg("serve").stderr(Stdio::piped()).spawn().expect("it starts");
    let mut told = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut told).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(78), "{told}");
    assert!(told.contains("daemon.workers"), "{told}");
    assert!(!demo.path().join("state").exists());
}
