//! The command line from outside: the real program, its output and its exit codes.

use std::fs;
use std::path::Path;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use rosterd::cli::Exit;
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
    let place = Place::new();
    for command in [
        "status nort",
        "sync nort",
        "plan nort",
        "runs nort",
        "people nort",
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
    let place = Place::new();
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
    assert!([70, 74].contains(&done.code), "the store is worse than the source: {done:?}");
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
    let place = Place::new();
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
    assert_eq!(csv, "Claim,Org Path,Product,Pool,Person,State,Reasons,Since,Released,Because,Run\r\n");
    let csv = place.run("report licenses north --csv").out;
    assert_eq!(csv, "Name,User Limit,Used,Remaining,Percentage Used\r\n");
}

#[test]
fn answers_away_from_a_terminal_have_neither_color_nor_borders() {
    let place = Place::new();
    let done = outcome(program().args(["pool", "list", "north", "--config"]).arg(place.file()).env("CLICOLOR_FORCE", "1"));
    assert!(!done.out.contains('\u{1b}') && !done.out.contains('│') && !done.out.contains('|'), "{done:?}");
    assert!(done.out.starts_with("pool        product  limit"), "{done:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let place = Place::new();
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
fn the_page_tells_every_verb() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/CLI.md")).expect("it is there");
    for verb in verbs("") {
        let told = page.contains(&format!("`rosterd {verb}`")) || page.contains(&format!("`rosterd {verb} "));
        assert!(told, "docs/CLI.md does not tell `rosterd {verb}`");
    }
}
