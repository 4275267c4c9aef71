//! The demo's story: two customers, their nights, and every word the program says about them.
//!
//! The program's answers are compared byte for byte with the files in `tests/golden/demo`. After a change that is meant
//! to alter them, write them anew and read the difference before it is committed:
//!
//! ```text
//! ROSTERD_BLESS=1 cargo test --test it story && git diff tests/golden
//! ```
//!
//! The numbers are besides read out of `config/demo/EXPECTED.md`, which was worked out without the program, and compared
//! with what it says: a golden file that was written anew with wrong numbers does not pass.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::demo::Demo;

const FIRST: &str = "2026-03-02T08:30:00Z";
const SECOND: &str = "2026-03-03T08:30:00Z";
const THIRD: &str = "2026-03-04T08:30:00Z";
const FOURTH: &str = "2026-03-05T08:30:00Z";

struct Story {
    demo: Demo,
    golden: PathBuf,
    bless: bool,
    told: RefCell<BTreeSet<String>>,
    wrong: RefCell<Vec<String>>,
}

impl Story {
    fn new() -> Self {
        Self {
            demo: Demo::new(),
            golden: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/demo"),
            bless: std::env::var_os("ROSTERD_BLESS").is_some_and(|value| !value.is_empty()),
            told: RefCell::default(),
            wrong: RefCell::default(),
        }
    }

    /// Runs a command at an instant; it has to exit with `code` and to answer with the bytes of the golden file.
    fn tell(&self, file: &str, code: i32, command: &str, at: &str) -> String {
        let command = format!("{command} --as-of {at}");
        let done = self.demo.run(&command);
        assert_eq!((done.code, done.err.as_str()), (code, ""), "{command}: {}", done.out);
        assert!(self.told.borrow_mut().insert(file.to_owned()), "{file} is told twice");
        let path = self.golden.join(file);
        if self.bless {
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, &done.out).expect("written");
        }
        let expected = fs::read(&path).unwrap_or_default();
        if expected != done.out.as_bytes() {
            self.wrong.borrow_mut().push(format!("{file}: {}", difference(&String::from_utf8_lossy(&expected), &done.out)));
        }
        done.out
    }

    fn json(&self, command: &str, at: &str) -> Value {
        self.demo.json(&format!("{command} --as-of {at}"))
    }

    /// The numbers of one table of EXPECTED.md against those of the books.
    fn count(&self, customer: &str, heading: &str, at: &str) {
        let expected = expected(heading);
        let status = self.json(&format!("status {customer}"), at);
        let pools = status["customers"][0]["pools"].as_array().expect("pools");
        assert_eq!(pools.len(), expected.len(), "{heading}");
        for pool in pools {
            let id = pool["pool"].as_str().expect("an id");
            let row = &expected[id];
            let number = |field: &str| pool[field].as_i64().unwrap_or_else(|| panic!("{id}: {field} of {pool}"));
            assert_eq!(number("used"), row.used, "used of {id}, {heading}");
            assert_eq!(number("limit"), row.limit, "limit of {id}, {heading}");
            assert_eq!(number("available"), row.balance, "balance of {id}, {heading}");
            assert_eq!(number("waiting"), row.waiting, "waiting of {id}, {heading}");
            if !row.homes.is_empty() {
                let shown = self.json(&format!("pool show {customer} {id}"), at);
                let homes: BTreeMap<String, i64> = serde_json::from_value(shown["used_by_org"].clone()).expect("counts");
                assert_eq!(homes, row.homes, "homes of {id}, {heading}");
                assert_eq!(homes.values().sum::<i64>(), row.used, "homes of {id}, {heading}");
            }
        }
    }

    fn report(&self, customer: &str, night: &str, products: &[&str], at: &str) {
        self.tell(&format!("{night}/licenses.csv"), 0, &format!("report licenses {customer} --csv"), at);
        for product in products {
            let file = format!("{night}/licenses-{product}.csv");
            let csv = self.tell(&file, 0, &format!("report licenses {customer} --product {product} --csv"), at);
            // R136, R140, R147: CRLF, and a percentage with one decimal wherever there is a limit.
            assert!(csv.starts_with("Name,User Limit,Used,Remaining,Percentage Used\r\n"), "{csv}");
            for line in csv.split_inclusive('\n') {
                assert!(line.ends_with("\r\n") && line.matches('\r').count() == 1, "{line:?}");
            }
            for cells in csv.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>()) {
                let (limit, used): (i64, i64) = match (cells[1].parse(), cells[2].parse()) {
                    (Ok(limit), Ok(used)) => (limit, used),
                    _ => {
                        assert_eq!((cells[1], cells[3], cells[4]), ("", "", ""), "{csv}");
                        continue;
                    }
                };
                let tenths = (2000 * used + limit) / (2 * limit);
                assert_eq!(cells[3], (limit - used).to_string(), "{csv}");
                assert_eq!(cells[4], format!("{}.{}", tenths / 10, tenths % 10), "{csv}");
            }
        }
    }

    /// All differences at once, and no golden file of the customer that nothing compares itself with.
    fn end(self, customer: &str) {
        let mut files = BTreeSet::new();
        for entry in fs::read_dir(&self.golden).expect("the golden files") {
            let night = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            if night.starts_with(&format!("{customer}-")) {
                let files_of_night = fs::read_dir(self.golden.join(&night)).expect("a night");
                let name =
                    |file: std::io::Result<fs::DirEntry>| file.expect("an entry").file_name().into_string().expect("UTF-8");
                files.extend(files_of_night.map(|file| format!("{night}/{}", name(file))));
            }
        }
        let told = self.told.into_inner();
        for stray in files.difference(&told) {
            if self.bless {
                fs::remove_file(self.golden.join(stray)).expect("removed");
            } else {
                self.wrong.borrow_mut().push(format!("{stray}: nothing tells it any more"));
            }
        }
        let wrong = self.wrong.into_inner();
        assert!(wrong.is_empty(), "ROSTERD_BLESS=1 writes the golden files anew; they differ:\n{}", wrong.join("\n"));
    }
}

/// The first line that differs.
fn difference(expected: &str, found: &str) -> String {
    let (mut left, mut right) = (expected.split('\n'), found.split('\n'));
    for line in 1.. {
        match (left.next(), right.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => return format!("line {line}\n  expected {a:?}\n     found {b:?}"),
        }
    }
    "the same".to_owned()
}

struct Expected {
    used: i64,
    limit: i64,
    balance: i64,
    waiting: i64,
    homes: BTreeMap<String, i64>,
}

/// The table under the heading of EXPECTED.md that begins so.
fn expected(heading: &str) -> BTreeMap<String, Expected> {
    let page = include_str!("../../config/demo/EXPECTED.md");
    let (_, section) = page.split_once(&format!("\n## {heading}")).unwrap_or_else(|| panic!("there is no heading {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let number = |text: &str| -> i64 {
        let plain = text.trim_matches('*').replace('\u{2212}', "-");
        plain.parse().unwrap_or_else(|_| panic!("{text} is no number, under {heading}"))
    };
    let rows = section.lines().filter(|line| line.starts_with("| ")).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        cells
    });
    let mut table = BTreeMap::new();
    for cells in rows.filter(|cells| cells[0] != "pool") {
        let (used, limit) = cells[1].split_once('/').expect("used/allowance");
        let homes = ["nf", "nf-ash", "nf-birch", "nf-cedar"].into_iter().zip(cells.iter().skip(4));
        let homes = homes.filter(|(_, cell)| **cell != "\u{2013}").map(|(org, cell)| (org.to_owned(), number(cell)));
        let row = Expected {
            used: number(used),
            limit: number(limit),
            balance: number(cells[2]),
            waiting: number(cells[3]),
            homes: homes.collect(),
        };
        table.insert(cells[0].to_owned(), row);
    }
    assert!(!table.is_empty(), "{heading}");
    table
}

#[test]
fn two_nights_of_a_district() {
    let story = Story::new();
    let products = ["access", "content", "learn", "observe"];
    story.demo.hold_back("northfield", "2026-09-02");

    let plan = story.tell("northfield-1/plan.txt", 0, "plan northfield --limit 20", FIRST);
    assert!(plan.contains("nothing was changed"), "{plan}");
    assert_eq!(story.json("status northfield", FIRST)["customers"][0]["version"], 0, "a plan changes nothing");
    // Somebody waits for a seat, so success is not claimed (R109).
    story.tell("northfield-1/sync.txt", 6, "sync northfield --here", FIRST);
    story.count("northfield", "Northfield, night 1", FIRST);
    story.tell("northfield-1/status.json", 0, "status northfield --json", FIRST);
    story.tell("northfield-1/queue.txt", 0, "queue northfield", FIRST);
    story.report("northfield", "northfield-1", &products, FIRST);
    story.tell("northfield-1/claims-learn.csv", 0, "report claims northfield --pool learn-educators --csv", FIRST);
    assert_eq!(waiting(&story, FIRST), ["t-057", "t-058", "t-059", "t-060"]);

    story.demo.bring("northfield", "2026-09-02");
    let plan = story.tell("northfield-2/plan.txt", 0, "plan northfield --limit 1000", SECOND);
    for line in [
        "  + t-057 learn-educators: waiting -> active because seat_freed (rule:teachers-learn; home nf-birch)\n",
        "  - t-013 learn-educators: active -> released because ended_in_source\n",
        "  s-0007: quarantined\n",
        "456 used of 453 (minor)",
    ] {
        assert!(plan.contains(line), "{line:?} is not in {plan}");
    }
    assert!(!plan.contains("t-019") && !plan.contains("s-0451"), "a new name or grade changes no seat: {plan}");
    story.tell("northfield-2/sync.txt", 6, "sync northfield --here", SECOND);
    story.count("northfield", "Northfield, night 2", SECOND);
    let status = story.tell("northfield-2/status.json", 0, "status northfield --json", SECOND);
    let status: Value = serde_json::from_str(&status).expect("JSON");
    let pool = &status["customers"][0]["pools"][1];
    assert_eq!((&pool["pool"], &pool["band"]), (&"content-district".into(), &"minor".into()));
    assert_eq!(pool["causes"], serde_json::json!({"sync_overdraw": 3}));
    assert_eq!((&pool["episode"]["episode"], &pool["episode"]["closed"]), (&1.into(), &Value::Null), "one episode is open");
    assert_eq!(pool["episode"]["opened_day"], "2026-03-03");
    let run = status["customers"][0]["last_run"]["run"].as_u64().expect("a run");
    let findings = story.tell("northfield-2/findings.txt", 0, &format!("findings {run}"), SECOND);
    assert!(findings.contains("bad_date") && findings.contains("e-9001"), "{findings}");
    assert!(findings.ends_with(&format!("1 finding shown; run {run} has 1 in all\n")), "one row is quarantined: {findings}");
    story.tell("northfield-2/queue.txt", 0, "queue northfield", SECOND);
    assert_eq!(waiting(&story, SECOND), ["t-058", "t-059", "t-060", "t-061", "t-062", "t-063", "t-064"]);
    story.report("northfield", "northfield-2", &products, SECOND);
    story.tell("northfield-2/claims-learn.csv", 0, "report claims northfield --pool learn-educators --csv", SECOND);
    // Keeps everything in spite of a bad row, got the freed seat, left, is not observed any more, waits.
    for person in ["s-0007", "t-057", "t-013", "t-054", "t-061"] {
        story.tell(&format!("northfield-2/explain-{person}.txt"), 0, &format!("explain northfield {person}"), SECOND);
    }
    story.tell("northfield-2/trail.ndjson", 0, "audit export northfield --after 1", SECOND);
    ids_only(&story, "northfield", &["2026-09-01", "2026-09-02"], SECOND);
    assert_eq!(commits(&story, SECOND), 2);

    // A third night without a package, and a fourth with the same package once more, change nothing (R102).
    story.tell("northfield-3/plan.txt", 0, "plan northfield", THIRD);
    story.tell("northfield-3/sync.txt", 6, "sync northfield --here", THIRD);
    assert_eq!(commits(&story, THIRD), 2, "an empty plan leaves nothing in the trail");
    story.count("northfield", "Northfield, night 2", THIRD);
    story.demo.again("northfield", "2026-09-02", "2026-09-04");
    story.tell("northfield-4/plan.txt", 0, "plan northfield", FOURTH);
    story.tell("northfield-4/sync.txt", 6, "sync northfield --here", FOURTH);
    story.count("northfield", "Northfield, night 2", FOURTH);
    let trail = story.tell("northfield-4/trail.ndjson", 0, "audit export northfield --after 2", FOURTH);
    let adopted: Value = serde_json::from_str(&trail).expect("one line: that the package came");
    assert_eq!(adopted["changes"], serde_json::json!([]));
    assert_eq!(adopted["entries"].as_array().map(Vec::len), Some(1), "{adopted}");
    assert_eq!((&adopted["entries"][0]["kind"], &adopted["entries"][0]["name"]), (&"adopted".into(), &"2026-09-04".into()));

    story.tell("northfield-4/commits.txt", 0, "audit list northfield", FOURTH);
    story.tell("northfield-4/runs.txt", 0, "runs northfield", FOURTH);
    story.tell("northfield-4/verify.txt", 0, "audit verify northfield", FOURTH);
    story.end("northfield");
}

#[test]
fn two_nights_of_a_company() {
    let story = Story::new();
    story.tell("larkspur-1/plan.txt", 0, "plan larkspur", FIRST);
    story.tell("larkspur-1/sync.txt", 0, "sync larkspur --here", FIRST);
    story.count("larkspur", "Larkspur", FIRST);
    story.tell("larkspur-1/status.json", 0, "status larkspur --json", FIRST);
    story.tell("larkspur-1/queue.txt", 0, "queue larkspur", FIRST);
    story.report("larkspur", "larkspur-1", &["lxp"], FIRST);
    let claims = story.tell("larkspur-1/claims.csv", 0, "report claims larkspur --pool lxp --csv", FIRST);
    let without = ["lk-01", "lk-09", "lk-14", "lk-19", "lk-22", "lk-24", "lk-25"];
    for person in (1..=25).map(|n| format!("lk-{n:02}")) {
        let seated = claims.lines().any(|line| line.split(',').nth(4) == Some(&person));
        assert_eq!(seated, !without.contains(&person.as_str()), "{person}");
    }
    // No enrollment, all expired, one of two live, one that begins in the future, one live.
    for person in ["lk-01", "lk-09", "lk-07", "lk-24", "lk-02"] {
        story.tell(&format!("larkspur-1/explain-{person}.txt"), 0, &format!("explain larkspur {person}"), FIRST);
    }
    // The next night nothing is new.
    story.tell("larkspur-2/plan.txt", 0, "plan larkspur", SECOND);
    story.tell("larkspur-2/sync.txt", 0, "sync larkspur --here", SECOND);
    story.count("larkspur", "Larkspur", SECOND);
    story.tell("larkspur-2/trail.ndjson", 0, "audit export larkspur", SECOND);
    ids_only(&story, "larkspur", &["2026-09-01"], SECOND);
    story.tell("larkspur-2/commits.txt", 0, "audit list larkspur", SECOND);
    story.tell("larkspur-2/verify.txt", 0, "audit verify larkspur", SECOND);
    story.end("larkspur");
}

fn waiting(story: &Story, at: &str) -> Vec<String> {
    let queue = story.json("queue northfield learn-educators", at);
    let rows = queue["waiting"].as_array().expect("a queue");
    rows.iter().map(|row| row["person"].as_str().expect("a key").to_owned()).collect()
}

fn commits(story: &Story, at: &str) -> usize {
    story.json("audit list northfield", at)["commits"].as_array().map_or(0, Vec::len)
}

/// Nothing in the trail says who somebody is: neither an e-mail address, a user name nor a person's name (R159).
fn ids_only(story: &Story, customer: &str, packages: &[&str], at: &str) {
    let trail = story.demo.told(&format!("audit export {customer} --as-of {at}"));
    let mut looked = 0;
    for package in packages {
        let users = story.demo.drops(customer).join(package).join("users.csv");
        let mut reader = csv::Reader::from_path(users).expect("users");
        let header = reader.headers().expect("a header").clone();
        let at = |name: &str| header.iter().position(|column| column == name).expect("the column");
        let columns = ["email", "username", "identifier"].map(at);
        let (given, family) = (at("givenName"), at("familyName"));
        for row in reader.records() {
            let row = row.expect("a row");
            let names = [format!("{} {}", &row[given], &row[family]), format!("{}, {}", &row[family], &row[given])];
            let personal = columns.iter().map(|&at| row[at].to_owned()).chain(names);
            for text in personal.filter(|text| text.len() > 6) {
                assert!(!trail.contains(&text), "{text:?} of {} is in the trail of {customer}", &row[0]);
                looked += 1;
            }
        }
    }
    assert!(looked > 20, "{looked}");
}
