//! The command line from outside: the real program, its output and its exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use rosterd::cli::Exit;
use rosterd::store::SqliteStore;
use serde_json::Value;
use tempfile::TempDir;

/// Settings of one customer without packages, and a store of their own.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().expect("a folder") };
        fs::create_dir(place.dir.path().join("drop")).expect("a folder");
        place.write(
            r#"
[store]
path = "books/rosterd.db"

[guard]
bootstrap_approval = false

[[customer]]
id = "north"
name = "North District"
profile = "school"
nightly = "30 2 * * *"
time_zone = "America/Chicago"

[[customer.source]]
id = "sis"
kind = "oneroster_csv"
path = "drop"

[[customer.product]]
id = "learn"

[[customer.pool]]
id = "learn-main"
product = "learn"
owner = "d"

[[customer.rule]]
id = "teachers"
product = "learn"
when = { role = ["teacher"] }
"#,
        );
        place
    }

    /// With a store in which nothing was written yet.
    fn started() -> Self {
        let place = Self::new();
        drop(SqliteStore::open(&place.books()).expect("a store"));
        place
    }

    fn file(&self) -> std::path::PathBuf {
        self.dir.path().join("rosterd.toml")
    }

    fn write(&self, settings: &str) {
        fs::write(self.file(), settings).expect("it can be written");
    }

    fn books(&self) -> std::path::PathBuf {
        self.dir.path().join("books/rosterd.db")
    }

    /// Runs the program on this place. `command` is split at spaces.
    fn run(&self, command: &str) -> Outcome {
        outcome(program().args(command.split(' ')).arg("--config").arg(self.file()))
    }

    fn json(&self, command: &str) -> Value {
        let outcome = self.run(&format!("{command} --json"));
        serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{command}: {error}: {outcome:?}"))
    }
}

#[derive(Debug)]
struct Outcome {
    code: i32,
    out: String,
    err: String,
}

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    program.env_clear().env("USER", "ann").env("COLUMNS", "100");
    program
}

fn outcome(command: &mut Command) -> Outcome {
    let done = command.output().expect("it runs");
    Outcome {
        code: done.status.code().expect("it exits"),
        out: String::from_utf8(done.stdout).expect("text"),
        err: String::from_utf8(done.stderr).expect("text"),
    }
}

fn run(command: &str) -> Outcome {
    outcome(program().args(command.split(' ').filter(|word| !word.is_empty())))
}

/// All verbs, out of the program's own help.
fn verbs(of: &str) -> Vec<String> {
    let help = run(&format!("{of} --help")).out;
    let Some((_, commands)) = help.split_once("Commands:\n") else { return Vec::new() };
    let names = commands.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
        // A description that is too long goes on in the next line, farther to the right.
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' '))?;
        name.split(' ').next()
    });
    let names: Vec<String> = names.map(|name| format!("{of} {name}").trim().to_owned()).collect();
    names.iter().flat_map(|name| std::iter::once(name.clone()).chain(verbs(name))).collect()
}

#[test]
fn help_of_every_verb_has_an_example() {
    let verbs = verbs("");
    for known in ["serve", "check", "pool transfer", "report licenses", "audit export", "runs show", "completions", "man"] {
        assert!(verbs.iter().any(|verb| verb == known), "{known} is not in {verbs:?}");
    }
    assert!(verbs.len() >= 28, "{verbs:?}");
    for verb in verbs {
        let Outcome { code, out, err } = run(&format!("{verb} --help"));
        assert_eq!((code, err.as_str()), (0, ""), "{verb}");
        assert!(out.contains(&format!("\n  rosterd {verb}")), "help of {verb} has no example: {out}");
    }
}

#[test]
fn help_tells_the_exit_codes() {
    let help = run("--help").out;
    for exit in Exit::ALL {
        assert!(help.contains(&format!("{:>4}  {}\n", exit.code(), exit.meaning())), "{exit:?}: {help}");
    }
}

#[test]
fn completions_and_manual_pages_need_no_settings() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let done = run(&format!("completions {shell}"));
        assert_eq!((done.code, done.err.as_str()), (0, ""));
        assert!(done.out.contains("transfer"), "{shell} does not know verbs of verbs");
    }
    let page = run("man");
    assert_eq!(page.code, 0);
    assert!(page.out.contains(".TH rosterd 1") && page.out.contains("Exit codes"), "{}", page.out);
    let page = run("man pool grant");
    assert!(page.out.contains("\\-\\-seats") && page.out.contains("PO 4802"), "{}", page.out);
    let wrong = run("man pool gramt");
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (2, "rosterd: could not understand the command: there is no verb gramt; did you mean grant?\n")
    );
}

#[test]
fn misunderstood_commands_exit_2() {
    for command in ["", "sink", "pool", "sync", "sync north --wait --here", "apply x", "pool pin north p x"] {
        assert_eq!(run(command).code, 2, "{command}");
    }
    let place = Place::new();
    for (command, word) in [
        ("serve --as-of 2026-03-01", "--as-of"),
        ("pool grant north learn-main --seats 0 --from 2026-03-01 --reference x", "0 seats"),
        ("pool grant north learn-main --seats 5 --from 2026-03-01 --to 2026-03-01 --reference x", "--to 2026-03-01"),
        ("pool pin north learn-main p deny --reason x --override", "--override"),
        ("pool pin north learn-main p deny --reason x --until 2026-01-01 --as-of 2026-03-01", "--until 2026-01-01"),
        ("pool transfer north learn-main p p --reason x", "from one person to another"),
        ("report licenses north --csv --json", "--csv and --json"),
    ] {
        let done = place.run(command);
        assert_eq!(done.code, 2, "{command}: {done:?}");
        assert!(done.err.starts_with("rosterd: could not understand the command: "), "{done:?}");
        assert!(done.err.contains(word), "{done:?}");
    }
}

#[test]
fn unknown_things_exit_66_with_what_was_meant_and_what_to_do() {
    let place = Place::started();
    for command in [
        "status nort",
        "sync nort",
        "plan nort",
        "runs nort",
        "people nort",
        "people forget nort p --reason x",
        "pool list nort",
        "pool show nort learn-main",
        "pool grant nort learn-main --seats 1 --from 2026-03-01 --reference x",
        "pool unpin nort learn-main p",
        "queue nort",
        "explain nort p",
        "report licenses nort",
        "report claims nort",
        "audit list nort",
        "audit verify nort",
        "audit export nort",
    ] {
        let done = place.run(command);
        assert_eq!(done.code, 66, "{command}: {done:?}");
        assert_eq!(
            done.err,
            "rosterd: could not find customer nort; did you mean north?\n  next: `rosterd status` lists what there is\n",
            "{command}"
        );
        assert_eq!(done.out, "", "{command}");
    }
    for command in [
        "pool show north learn-mian",
        "queue north learn-mian",
        "report claims north --pool learn-mian",
        "pool unpin north learn-mian p",
        "pool accept north learn-mian p",
        "pool transfer north learn-mian p q --reason x",
        "pool agree north learn-mian --seats 1 --from 2026-03-01 --to 2026-04-01 --reference x",
    ] {
        let done = place.run(command);
        assert_eq!(done.code, 66, "{command}: {done:?}");
        assert!(done.err.contains("could not find pool learn-mian; did you mean learn-main?"), "{command}: {done:?}");
    }
    for command in ["runs show 77", "findings 77", "apply 77"] {
        let done = place.run(command);
        assert_eq!((done.code, done.out.as_str()), (66, ""), "{command}: {done:?}");
        assert!(done.err.contains("could not find run 77"), "{command}: {done:?}");
    }
    let done = place.run("explain north p lern");
    assert_eq!(done.code, 66, "{done:?}");
    assert!(done.err.contains("did you mean learn?"), "{done:?}");
    let done = place.run("report licenses north --product lern");
    assert!(done.code == 66 && done.err.contains("did you mean learn?"), "{done:?}");
}

#[test]
fn wrong_settings_exit_78_with_all_mistakes() {
    let place = Place::new();
    place.write("[guard]\nremoval_percent = 140\n[store]\npth = \"x\"\n");
    let done = place.run("check");
    assert_eq!((done.code, done.out.as_str()), (78, ""), "{done:?}");
    assert!(done.err.contains("guard.removal_percent") && done.err.contains("store.pth"), "{done:?}");
    let done = run("status --config /nowhere/rosterd.toml");
    assert_eq!(done.code, 78);
    assert!(done.err.contains("/nowhere/rosterd.toml") && done.err.contains("--config FILE"), "{done:?}");
    assert_eq!(done.err.matches("could not").count(), 1, "an error is told once: {done:?}");
}

#[test]
fn the_settings_file_can_be_named_in_the_environment() {
    let place = Place::started();
    let done = outcome(program().args(["status", "north"]).env("ROSTERD_CONFIG", place.file()));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert!(done.out.contains("north (North District)"), "{done:?}");
}

#[test]
fn check_tells_everything_and_makes_nothing() {
    let place = Place::new();
    let done = place.run("check");
    assert_eq!((done.code, done.err.as_str()), (0, ""), "{done:?}");
    assert!(done.out.contains("30 2 * * *, in America/Chicago"), "{done:?}");
    assert!(done.out.contains("the first start makes it"), "{done:?}");
    assert!(!place.books().exists(), "a check must not make a store that then belongs to whoever checked");

    fs::remove_dir(place.dir.path().join("drop")).expect("it is empty");
    fs::create_dir(place.dir.path().join("books")).expect("a folder");
    fs::write(place.books(), "this is no database, and it is long enough to have a header".repeat(40)).expect("written");
    let checked = place.json("check");
    assert_eq!(checked["ok"], false);
    let wrong = |what: &str| {
        let list = checked["checks"].as_array().expect("a list");
        list.iter().any(|check| check["what"] == what && check["ok"] == false)
    };
    assert!(wrong("source") && wrong("store"), "both are told at once: {checked}");
    let done = place.run("check");
    assert_eq!(done.code, 74, "the store is worse than the source: {done:?}");
    fs::remove_file(place.books()).expect("removed");
    assert_eq!(place.run("check").code, 75);
}

#[test]
fn a_store_that_cannot_be_used_exits_74() {
    let place = Place::new();
    fs::write(place.dir.path().join("books"), "a file where a folder should be").expect("written");
    let done = place.run("status");
    assert_eq!((done.code, done.out.as_str()), (74, ""), "{done:?}");
    assert!(done.err.contains("rosterd: could not use the store: ") && done.err.contains("rosterd check"), "{done:?}");
}

#[test]
fn a_request_is_a_row_and_a_second_one_joins_it() {
    let place = Place::new();
    let first = place.json("sync north");
    assert_eq!((&first["joined"], &first["daemon"], &first["run"]), (&Value::Bool(false), &Value::Bool(false), &Value::Null));
    let done = place.run("sync north");
    assert_eq!(done.code, 0);
    assert!(done.out.contains(&format!("request {} of north was still in line", first["request"])), "{done:?}");
    assert!(done.out.contains("no daemon runs") && done.out.contains("--here"), "{done:?}");
    let done = place.run("sync north --wait");
    assert_eq!(done.code, 1, "nobody will take it: {done:?}");
    assert!(done.err.contains("no daemon works on this store") && done.err.contains("rosterd serve"), "{done:?}");
}

#[test]
fn a_fresh_customer_can_be_looked_at_from_all_sides() {
    let place = Place::started();
    let at = "--as-of 2026-03-02T09:00:00Z";
    let status = place.json(&format!("status {at}"));
    assert_eq!(status["daemon"], Value::Null);
    let north = &status["customers"][0];
    assert_eq!((&north["customer"], &north["version"], &north["stale"]), (&"north".into(), &0.into(), &true.into()));
    assert_eq!(north["as_of"], "2026-03-02T09:00:00Z");
    let pool = &north["pools"][0];
    assert_eq!((&pool["pool"], &pool["limit"], &pool["available"]), (&"learn-main".into(), &0.into(), &0.into()));
    for command in ["pool list north", "pool show north learn-main", "queue north", "runs", "runs north", "audit list north"] {
        let done = place.run(&format!("{command} {at}"));
        assert_eq!((done.code, done.err.as_str()), (0, ""), "{command}");
        assert!(!done.out.is_empty(), "{command}");
    }
    let proof = place.json("audit verify");
    assert_eq!((&proof["ok"], &proof["customers"][0]["commits"]), (&true.into(), &0.into()));
    assert_eq!(place.run("audit export north").out, "");
    let csv = place.run("report claims north --csv").out;
    assert_eq!(csv, "Claim,Org Path,Product,Pool,Person,State,Reasons,Since,Released,Because,Run,Last Activity,Activity\r\n");
    let csv = place.run("report licenses north --csv").out;
    assert_eq!(csv, "Name,User Limit,Used,Remaining,Percentage Used\r\n");
}

#[test]
fn answers_away_from_a_terminal_have_neither_color_nor_borders() {
    let place = Place::started();
    let done = outcome(program().args(["pool", "list", "north", "--config"]).arg(place.file()).env("CLICOLOR_FORCE", "1"));
    assert!(!done.out.contains('\u{1b}') && !done.out.contains('│') && !done.out.contains('|'), "{done:?}");
    assert!(done.out.starts_with("pool        product  limit"), "{done:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::started();
    for arguments in [&["completions", "bash"][..], &["--help"], &["status"]] {
        let mut process = Process::new(env!("CARGO_BIN_EXE_rosterd"));
        process.args(arguments).env("ROSTERD_CONFIG", place.file()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = process.spawn().expect("it starts");
        // Closed before the program has written anything.
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("it ends");
        assert_eq!(done.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(done.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
}

#[test]
fn a_forecast_tells_the_stages_and_their_cures_and_changes_nothing() {
    let place = demo();
    assert_eq!(place.demo("sync northfield --here").code, 6);
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let trail = place.demo("audit export northfield").out;
    // 456 of 453 on Thursday 3 September 2026: ten business days later, on the 17th, the deadline; major after twenty.
    let told = place.demo_json("forecast northfield content-district --days 40");
    let pool = &told["pools"][0];
    assert_eq!((pool["pool"].as_str(), pool["days"].as_array().map(Vec::len)), (Some("content-district"), Some(41)));
    let days: Vec<&str> = pool["stages"].as_array().into_iter().flatten().filter_map(|stage| stage["day"].as_str()).collect();
    assert_eq!(days, ["2026-09-03", "2026-09-18", "2026-10-02"]);
    assert_eq!((&pool["stages"][0]["is_on"], &pool["stages"][0]["excess"]), (&true.into(), &3.into()));
    let text = place.demo("forecast northfield content-district --days 40");
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    for words in ["456 of 453 seats used", "minor_overdue", "withheld: no_higher_tier", "If no new roster arrives"] {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }
    assert_eq!(place.demo("audit export northfield").out, trail);
    assert_eq!(place.demo("forecast northfield content-dstrict").code, 66);
    assert_eq!(place.demo("forecast northfield --days 0").code, 2);
}

#[test]
fn what_if_proves_the_record_first_and_tells_both_sides() {
    let place = demo();
    for _ in 0..2 {
        assert_eq!(place.demo("sync northfield --here").code, 6);
    }
    let trail = place.demo("audit export northfield").out;
    let as_it_was = place.demo_json("what-if northfield");
    assert_eq!((&as_it_was["exact"], &as_it_was["pools"][1]["would"]), (&true.into(), &Value::Null), "{as_it_was}");
    // 456 people in 453 seats: three more, and there is no overage.
    let told = place.demo_json("what-if northfield --pool content-district --seats 3@2026-09-01");
    let pool = &told["pools"][0];
    assert_eq!((&told["exact"], told["pools"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    let overages = |side: &str| pool[side]["episodes"].as_array().map(Vec::len);
    assert_eq!((overages("was"), overages("would")), (Some(1), Some(0)));
    let text = place.demo("what-if northfield --pool content-district --set gap_band=major --seats -10");
    assert_eq!((text.code, text.err.as_str()), (0, ""));
    for words in ["gives exactly what was recorded", "pool content-district", "People are taken as recorded"] {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }
    assert_eq!(place.demo("audit export northfield").out, trail);
    for (command, code) in [
        ("what-if northfield --set gap_bnd=major", 2),
        ("what-if northfield --seats 5", 2),
        ("what-if northfield --pool content-dstrict", 66),
        ("what-if northfield --without conten-1", 66),
    ] {
        assert_eq!(place.demo(command).code, code, "{command}");
    }
}

#[test]
fn the_page_tells_every_verb() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CLI.md")).expect("it is there");
    for verb in verbs("") {
        let told = page.contains(&format!("`rosterd {verb}`")) || page.contains(&format!("`rosterd {verb} "));
        assert!(told, "docs/CLI.md does not tell `rosterd {verb}`");
    }
}

/// The demo's settings and packages, in a folder of their own.
fn demo() -> Place {
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).expect("a folder");
        for entry in fs::read_dir(from).expect("it is there") {
            let entry = entry.expect("it can be listed");
            let (path, to) = (entry.path(), to.join(entry.file_name()));
            if path.is_dir() {
                copy(&path, &to);
            } else {
                fs::copy(&path, &to).expect("it can be copied");
            }
        }
    }
    let dir = tempfile::tempdir().expect("a folder");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), &dir.path().join("config"));
    fs::copy(dir.path().join("config/demo.toml"), dir.path().join("config/rosterd.toml")).expect("copied");
    Place { dir }
}

impl Place {
    /// As [`Place::run`], for the demo; at a set time, so that nothing depends on today.
    fn demo(&self, command: &str) -> Outcome {
        self.demo_with(command, &[])
    }

    fn demo_with(&self, command: &str, env: &[(&str, &str)]) -> Outcome {
        let settings = self.dir.path().join("config/rosterd.toml");
        let mut program = program();
        program.args(command.split(' ')).args(["--as-of", "2026-09-03T12:00:00Z", "--config"]).arg(settings);
        outcome(program.envs(env.iter().copied()))
    }

    fn demo_json(&self, command: &str) -> Value {
        let outcome = self.demo(&format!("{command} --json"));
        serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{command}: {error}: {outcome:?}"))
    }
}

/// The pools by id, as `status` tells them: used, available, waiting.
fn pools(place: &Place) -> Vec<(String, i64, i64, i64)> {
    let status = place.demo_json("status northfield");
    let pools = status["customers"][0]["pools"].as_array().expect("pools").clone();
    let number = |pool: &Value, field: &str| pool[field].as_i64().expect("a number");
    pools
        .iter()
        .map(|pool| {
            let id = pool["pool"].as_str().expect("an id").to_owned();
            (id, number(pool, "used"), number(pool, "available"), number(pool, "waiting"))
        })
        .collect()
}

#[test]
fn a_plan_changes_nothing_is_applied_once_and_goes_stale() {
    let place = demo();
    let first = place.demo_json("plan northfield --limit 5");
    let plan = &first["plan"];
    assert_eq!((&first["run"]["state"], &plan["verdict"]["proceeds"]), (&"planned".into(), &true.into()));
    assert_eq!(plan["actions"].as_array().map(Vec::len), Some(5));
    assert!(plan["totals"]["actions"].as_u64() > Some(1000), "{}", plan["totals"]);
    for listed in plan["actions"].as_array().into_iter().chain(plan["withheld"].as_array()).flatten() {
        assert!(listed["because"].as_str().is_some_and(|because| !because.is_empty()), "{listed}");
    }
    let learn = plan["pools"].as_array().into_iter().flatten().find(|pool| pool["pool"] == "learn-educators").expect("it");
    assert_eq!((&learn["used_before"], &learn["used"], &learn["waiting"]), (&0.into(), &45.into(), &4.into()));
    assert!(pools(&place).iter().all(|(_, used, ..)| *used == 0), "a plan changes nothing");

    let second = place.demo_json("plan northfield");
    assert_eq!(second["plan"]["plan"], plan["plan"], "the same input makes the same plan");
    let applied = place.demo(&format!("apply {}", first["run"]["run"]));
    assert_eq!(applied.code, 6, "four teachers wait, so it is no plain success: {applied:?}");
    assert!(applied.out.contains("succeeded_with_errors") && applied.out.contains("next: `rosterd runs show"), "{applied:?}");
    let stale = place.demo(&format!("apply {}", second["run"]["run"]));
    assert_eq!((stale.code, stale.out.as_str()), (4, ""), "{stale:?}");
    assert!(stale.err.contains("planned on version 0, the books are at 1"), "{stale:?}");

    // EXPECTED.md, both nights.
    let expect = |rows: &[(&str, i64, i64, i64)]| {
        let mut expected: Vec<_> = rows.iter().map(|(id, u, a, w)| ((*id).to_owned(), *u, *a, *w)).collect();
        let mut found = pools(&place);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    };
    expect(&[
        ("access-district", 660, 40, 0),
        ("content-district", 451, 2, 0),
        ("content-cedar", 195, 5, 0),
        ("learn-educators", 45, 0, 4),
        ("observe-educators", 13, 7, 0),
    ]);
    let night = place.demo("sync northfield --here");
    assert_eq!(night.code, 6, "{night:?}");
    expect(&[
        ("access-district", 667, 33, 0),
        ("content-district", 456, -3, 0),
        ("content-cedar", 197, 3, 0),
        ("learn-educators", 45, 0, 7),
        ("observe-educators", 13, 7, 0),
    ]);
    let run = place.demo("runs --limit 1 --json");
    let run: Value = serde_json::from_str(&run.out).expect("JSON");
    let findings = place.demo_json(&format!("findings {} --rule bad_date", run["runs"][0]["run"]));
    assert_eq!((&findings["total"], &findings["findings"][0]["record"]), (&1.into(), &"e-9001".into()));
    let other = place.demo_json(&format!("findings {} --rule bad_role", run["runs"][0]["run"]));
    assert_eq!((&other["total"], other["findings"].as_array().map(Vec::len)), (&1.into(), Some(0)));
    // A run with nothing new is a plain success for whom nobody waits, and still none where somebody does.
    assert_eq!(place.demo("sync larkspur --here").code, 0);
    assert_eq!(place.demo("audit verify").code, 0);
}

#[test]
fn decisions_by_hand_are_answered_and_written_down() {
    let place = demo();
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let queue = place.demo_json("queue northfield learn-educators");
    let people: Vec<&str> = queue["waiting"].as_array().into_iter().flatten().filter_map(|w| w["person"].as_str()).collect();
    assert_eq!(people, ["t-057", "t-058", "t-059", "t-060"]);
    let why = place.demo_json("explain northfield t-058 learn");
    assert_eq!(why["answers"][0]["answer"], "waiting");
    assert!(why["answers"][0]["text"].as_str().is_some_and(|text| text.contains('2') && text.contains('4')), "{why}");
    assert_eq!(place.demo("explain northfield nobody learn").code, 66);

    let refused = place.demo("pool pin northfield learn-educators t-058 assign --reason exam");
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.starts_with("pool_exhausted: 45 of 45 seats are used"), "{refused:?}");
    assert_eq!(refused.err, "", "a refusal is an answer, not an error");
    let insisted = place.demo_json("pool pin northfield learn-educators t-058 assign --reason exam --override");
    assert_eq!((&insisted["answer"], &insisted["pools"][0]["balance"]), (&"done".into(), &(-1).into()));
    assert_eq!(insisted["pools"].as_array().map(Vec::len), Some(1), "only pools that changed are told");
    assert_eq!(insisted["actions"][0]["person"], "t-058");

    let bought = place.demo("pool grant northfield learn-educators --seats 3 --from 2026-09-01 --reference PO-9 --json");
    let bought: Value = serde_json::from_str(&bought.out).expect("JSON");
    let seated: Vec<&str> = bought["actions"].as_array().into_iter().flatten().filter_map(|a| a["person"].as_str()).collect();
    assert_eq!(seated, ["t-057", "t-059"], "the overage first, then the queue in order: {bought}");
    let less =
        place.demo("pool grant northfield learn-educators --seats -1 --from 2026-09-01 --kind correction --reference PO-9");
    assert!(less.code == 0 && less.out.contains("allowance_reduced"), "{less:?}");
    let taken = place.demo("pool grant northfield learn-educators --seats 1 --from 2026-09-01 --reference x --id learn-1");
    assert!(taken.code == 1 && taken.out.starts_with("grant_taken: "), "{taken:?}");

    let handed = place.demo("pool transfer northfield learn-educators t-058 t-060 --reason swap");
    assert_eq!(handed.code, 0, "{handed:?}");
    assert!(handed.out.contains("t-058 learn-educators: active -> released because transferred"), "{handed:?}");
    let unpinned = place.demo("pool unpin northfield learn-educators t-060");
    assert_eq!(unpinned.code, 0, "{unpinned:?}");
    assert_eq!(place.demo("pool accept northfield learn-educators s-0001").code, 1, "there is nothing to accept");

    let shown = place.demo_json("pool show northfield learn-educators --since 2026-09-03");
    let grants: Vec<(&str, i64)> = shown["grants"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|grant| (grant["grant_kind"].as_str().expect("a kind"), grant["seats"].as_i64().expect("seats")))
        .collect();
    assert_eq!(grants, [("purchase", 45), ("purchase", 3), ("correction", -1)]);
    assert_eq!(shown["grants"][1]["from"], "2026-09-01T05:00:00Z", "midnight in Chicago");
    assert_eq!(shown["grants"][1]["by"], "operator:ann");
    assert_eq!((&shown["used"], &shown["available"]), (&48.into(), &(-1).into()));
    assert_eq!(shown["pins"].as_array().into_iter().flatten().map(|pin| &pin["decision"]).collect::<Vec<_>>(), ["deny"]);
    assert_eq!(shown["moves"]["seated"]["seat_freed"], 2);
    assert_eq!(shown["moves"]["freed"]["transferred"], 1);

    let export = place.demo("audit export northfield").out;
    let commits: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert!(commits.len() >= 7);
    for pair in commits.windows(2) {
        assert_eq!(pair[0]["hash"], pair[1]["parent_hash"]);
    }
    let listed = place.demo_json("audit list northfield --after 1 --limit 2");
    let versions: Vec<u64> = listed["commits"].as_array().into_iter().flatten().filter_map(|c| c["version"].as_u64()).collect();
    assert_eq!(versions, [2, 3]);
    let newest = place.demo_json("audit list northfield --limit 1");
    assert_eq!(newest["commits"][0]["hash"], commits.last().expect("one")["hash"]);
    assert!(export.contains(r#""answer":"pool_exhausted""#), "a refusal is in the trail");
    assert!(!export.contains('@'), "no address is in the trail");
    assert_eq!(place.demo("audit verify northfield").code, 0);
}

#[test]
fn a_guard_makes_plan_and_sync_exit_3() {
    let place = demo();
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let strict = [("ROSTERD__GUARD__REMOVAL_PERCENT", "0"), ("ROSTERD__GUARD__REMOVAL_MIN", "0")];
    let plan = place.demo_with("plan northfield", &strict);
    assert_eq!(plan.code, 3, "{plan:?}");
    assert!(plan.out.contains("HELD by guard removal: 3 of 660 people would go"), "{plan:?}");
    let run = place.demo_with("sync northfield --here", &strict);
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.out.contains("held by guard removal"), "{run:?}");
    assert!(run.out.contains("rosterd hold show 3"), "{run:?}");

    // What waits is listed, shown with what it would do, approved once.
    let listed = place.demo_json("hold list northfield");
    assert_eq!(listed["holds"].as_array().map(Vec::len), Some(1));
    assert_eq!((&listed["holds"][0]["run"], &listed["holds"][0]["state"]), (&Value::from(3), &Value::from("open")));
    assert!(place.demo("status northfield").out.contains("HELD since"));
    let shown = place.demo("hold show 3");
    assert!(shown.code == 0 && shown.out.contains("would go (3): ") && shown.out.contains("if approved"), "{shown:?}");
    assert_eq!(place.demo_json("hold show 3")["if_approved"]["released"], 8);
    assert_eq!(place.demo("hold approve 3 --except nobody").code, 1);
    let approved = place.demo("hold approve 3");
    assert_eq!(approved.code, 6, "{approved:?}");
    assert!(approved.out.contains("hold 3 is approved") && approved.out.contains("8 released"), "{approved:?}");
    assert_eq!(place.demo("hold approve 3").code, 1);
    assert!(place.demo("hold list").out.contains("0 open holds"));
    assert!(place.demo("hold list --all").out.contains("approved"));
    assert_eq!(place.demo("hold show 2").code, 66);
    assert_eq!(place.demo("audit verify northfield").code, 0);
}

#[test]
fn a_run_is_undone_and_who_left_is_forgotten() {
    let place = demo();
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let before = pools(&place);
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let after = pools(&place);
    assert_ne!(before, after);
    // Who left: removed, and the name still known until the purge.
    let removed = place.demo_json("people northfield --limit 1000");
    let removed = removed["people"].as_array().into_iter().flatten().find(|person| person["state"] == "removed");
    let removed = removed.expect("somebody left").clone();
    assert_eq!(removed["until"], "2026-10-03");
    let key = removed["person"].as_str().expect("a key");

    let dry = place.demo("revert 2 --dry-run");
    assert!(dry.out.contains("because reverted") && dry.out.contains("`rosterd apply 3` does it"), "{dry:?}");
    assert_eq!(pools(&place), after, "a dry run changes nothing");
    let done = place.demo("revert 2");
    assert!([0, 6].contains(&done.code) && done.out.contains("undoes run 2, by operator:"), "{done:?}");
    assert!(done.out.contains("the next run does the same again unless the source is corrected first"), "{done:?}");
    assert_eq!(pools(&place), before);
    assert!(place.demo("runs show 2").out.contains("reverted"));
    let again = place.demo("revert 2");
    assert!(again.code == 1 && again.out.starts_with("already_reverted:"), "{again:?}");
    assert_eq!(place.demo("audit verify northfield").code, 0);
    assert_eq!(place.demo("sync northfield --here").code, 6);
    assert_eq!(pools(&place), after, "the roster says what it said");

    let refused = place.demo("people forget northfield t-001 --reason asked");
    assert!(refused.code == 1 && refused.out.starts_with("still_delivered: source"), "{refused:?}");
    let forgotten = place.demo(&format!("people forget northfield {key} --reason asked"));
    assert!(forgotten.code == 0 && forgotten.out.starts_with("forgotten:"), "{forgotten:?}");
    let found = place.demo_json(&format!("people northfield {key}"));
    assert!(found["people"].as_array().into_iter().flatten().all(|person| person["person"] != key), "{found}");
    assert_eq!(place.demo("people forget northfield nobody --reason asked").code, 66);
    assert_eq!(place.demo("audit verify northfield").code, 0);
}

#[test]
fn books_that_were_altered_behind_the_trail_exit_70() {
    let place = demo();
    assert_eq!(place.demo("sync larkspur --here").code, 0);
    let books = rusqlite::Connection::open(place.dir.path().join("state/demo/rosterd.db")).expect("it opens");
    // The first person of the first page of claims becomes somebody else.
    let altered = books.execute("UPDATE claims SET first = 'lk-01' WHERE first = (SELECT min(first) FROM claims)", []);
    assert_eq!(altered.expect("updated"), 1);
    drop(books);
    let proof = place.demo("audit verify larkspur");
    assert_eq!(proof.code, 70, "{proof:?}");
    let difference = "NOT PROVED: at version 1, the next person with claims: the trail says \"lk-02\", stored is \"lk-01\"";
    assert!(proof.out.contains(difference), "{proof:?}");
}

#[test]
fn a_source_that_is_gone_fails_the_run_and_exits_5() {
    let place = demo();
    fs::remove_dir_all(place.dir.path().join("config/demo/larkspur")).expect("removed");
    let run = place.demo("sync larkspur --here");
    assert_eq!(run.code, 5, "{run:?}");
    assert!(run.out.contains("failed") && run.out.contains("nothing was changed"), "{run:?}");
    assert_eq!(place.demo("check").code, 75);
}

#[test]
fn reports_tell_the_same_numbers_in_every_form() {
    let place = demo();
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let csv = place.demo("report licenses northfield --product learn --csv").out;
    let mut lines = csv.split("\r\n");
    assert_eq!(lines.next(), Some("Name,User Limit,Used,Remaining,Percentage Used"));
    assert_eq!(lines.next(), Some("Northfield District,45,45,0,100.0"));
    let json = place.demo_json("report licenses northfield --product learn");
    let rows = json["rows"].as_array().expect("rows");
    assert_eq!(rows.len() + 2, csv.split("\r\n").count(), "a header, the rows, and an end");
    let sum: u64 = rows[1..].iter().filter_map(|row| row["used"].as_u64()).sum();
    assert_eq!(sum, 45, "the children come to their parent");
    let claims = place.demo("report claims northfield --pool learn-educators --csv").out;
    assert_eq!(claims.matches(",active,").count(), 45);
    assert_eq!(claims.matches(",waiting,").count(), 4);
    assert_eq!(place.demo("report licenses northfield --org nf-ahs").code, 66);
    let people = place.demo("people northfield --limit 3");
    assert!(people.code == 0 && people.out.contains("3 of 660 people shown"), "{people:?}");
    let found = place.demo("people northfield mia.mckay@northfield.example");
    assert!(found.out.contains("t-001") && found.out.contains("1 of 1 people shown"), "an e-mail finds its person: {found:?}");
    let all = place.demo("people northfield --limit 1000 --json").out + &place.demo("people northfield --limit 1000").out;
    assert!(!all.contains(".example"), "no address is ever shown");
    let found = place.demo_json("people northfield T-057");
    assert_eq!((&found["total"], &found["people"][0]["person"]), (&1.into(), &"t-057".into()));
}

#[test]
fn the_daemon_takes_requests_and_those_who_wait_see_the_run() {
    let place = demo();
    let settings = place.dir.path().join("config/rosterd.toml");
    let mut daemon = Process::new(env!("CARGO_BIN_EXE_rosterd"))
        .args(["serve", "--config"])
        .arg(&settings)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let up = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let status = outcome(program().args(["status", "--json", "--config"]).arg(&settings));
        serde_json::from_str::<Value>(&status.out).is_ok_and(|status| status["daemon"]["pid"] == daemon.id())
    });
    let second = outcome(program().args(["serve", "--config"]).arg(&settings));
    let waited = outcome(program().args(["sync", "larkspur", "--wait", "--json", "--config"]).arg(&settings));
    daemon.kill().expect("it ends");
    daemon.wait().expect("it ends");
    assert!(up, "the daemon never showed");
    assert_eq!(second.code, 74, "one daemon per store: {second:?}");
    assert!(second.err.contains("become the daemon"), "{second:?}");
    assert_eq!(waited.code, 0, "{waited:?}");
    let waited: Value = serde_json::from_str(&waited.out).expect("JSON");
    assert_eq!((&waited["daemon"], &waited["run"]["state"]), (&true.into(), &"succeeded".into()));
}

#[test]
fn same_day_syncs_are_numbered_and_the_seventh_is_refused() {
    let place = Place::new();
    let at = "--as-of 2026-03-02T09:00:00Z";
    let first = place.json(&format!("sync north {at}"));
    assert_eq!((&first["position"], &first["deadline"]), (&1.into(), &"2026-03-03T06:00:00Z".into()));
    assert_eq!(first["quota"], serde_json::json!({"used": 1, "max": 6, "next": "2026-03-02T09:00:00Z"}));
    let told = place.run(&format!("sync north --source sis --confirm-absences {at}"));
    assert_eq!(told.code, 0, "{told:?}");
    assert!(told.out.contains("request 2 of north is in line, at place 2, to be over by 2026-03-03T06:00:00Z"), "{told:?}");
    assert!(told.out.contains("2 of 6 same-day syncs used today, next possible now"), "{told:?}");
    (3..=6).for_each(|used| assert_eq!(place.json(&format!("sync north {at}"))["quota"]["used"], used));
    let refused = place.run(&format!("sync north {at}"));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("refused: 6 of 6 same-day syncs used today, next possible at 2026-03-03T06:00:00Z"));
    let refused = place.json(&format!("sync north {at}"));
    assert_eq!((&refused["refused"], &refused["request"]), (&true.into(), &Value::Null));
    assert_eq!(place.json(&format!("status {at}"))["customers"][0]["same_day"]["used"], 6);
    let trail = place.run("audit list north").out;
    assert_eq!(trail.matches("same_day_refused").count(), 1, "once for a date and an actor: {trail}");
    assert_eq!(place.json("sync north --as-of 2026-03-03T06:00:00Z")["quota"]["used"], 1, "a new day");
    let wrong = place.run("sync north --source sos");
    assert_eq!(wrong.code, 66, "{wrong:?}");
}

#[test]
fn one_person_or_one_org_is_taken_in_by_itself() {
    let place = demo();
    assert_eq!(place.demo("sync northfield --here").code, 6);
    let plan = place.demo_json("plan northfield --person s-0023 --limit 10");
    assert_eq!((&plan["run"]["scope"], &plan["plan"]["snapshots"][0]["amended"]), (&"person s-0023".into(), &true.into()));
    assert!(place.demo("plan northfield --person s-0023").out.contains("takes in some people later than 2026-09-01 from"));
    let run = place.demo("sync northfield --person s-0023 --here");
    assert!(run.out.contains("same day, by operator:ann, person s-0023 only"), "{run:?}");
    assert!(run.out.contains("of package 2026-09-02 only person s-0023 is taken in"), "{run:?}");
    let again = place.demo_json("sync northfield --source sis --person s-0023 --here");
    assert_eq!((&again["run"]["version"], &again["run"]["packages"]), (&Value::Null, &serde_json::json!([])));
    assert_eq!(place.demo("explain northfield s-0601").code, 66, "nobody else came");
    let nobody = place.demo("sync northfield --person s-9601 --here");
    assert_eq!(nobody.code, 5, "{nobody:?}");
    assert!(nobody.out.contains("could not find person s-9601; did you mean s-"), "{nobody:?}");
    assert_eq!(place.demo("sync northfield --person s-0023 --org d --here").code, 2);
    // The whole afterwards is what it would have been without.
    let whole = place.demo("sync northfield --here");
    assert!(whole.out.contains("took in") && whole.out.contains("2026-09-02"), "{whole:?}");
    assert_eq!(place.demo("explain northfield s-0601").code, 0);
    assert_eq!(place.demo("audit verify northfield").code, 0);
}

#[test]
fn a_source_is_paused_and_read_again() {
    let place = Place::new();
    let at = "--as-of 2026-07-10T09:00:00Z";
    let done = place.run(&format!("pause north sis --to 2026-08-15 --reason rollover {at}"));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("source sis of north is not read from 2026-07-10T09:00:00Z until 2026-08-15T05:00:00Z"));
    let run = place.run(&format!("sync north --here {at}"));
    assert!(run.out.contains("source sis: paused until 2026-08-15T05:00:00Z (rollover)"), "{run:?}");
    let status = place.json(&format!("status {at}"));
    assert_eq!(status["customers"][0]["paused"][0]["reason"], "rollover");
    let later = "--as-of 2026-07-11T09:00:00Z";
    let resumed = place.json(&format!("resume north sis {later}"));
    assert_eq!((&resumed["lifted"], &resumed["still"]), (&1.into(), &Value::Null));
    assert_eq!(place.json(&format!("status {later}"))["customers"][0]["paused"], serde_json::json!([]));
    let again = place.run(&format!("resume north sis {later}"));
    assert!(again.code == 0 && again.out.contains("no pause made by hand was left to lift"), "{again:?}");
    assert_eq!(place.run(&format!("pause north sis --to 2026-07-01 --reason x {at}")).code, 2);
    assert_eq!(place.run(&format!("pause north sos --to 2026-08-01 --reason x {at}")).code, 66);
}
