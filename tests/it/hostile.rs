//! A bad week: damaged packages, wrong settings, full or closed stores, hostile names. Each through the real program, on
//! a copy of the demonstration: the message says what and where, the exit code is the documented one, and nothing changed.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rosterd::license::{OnFull, ProductKind, SeatModel};
use rosterd::store::{RequestState, Trigger};
use serde_json::Value;
use tempfile::TempDir;

use crate::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rosterd");
const SECRETS: [&str; 4] = ["hunter2-secret", "+44-secret-phone", "+44-secret-sms", "1987-03-14"];

/// A copy of the demonstration with books of its own.
struct Demo {
    dir: TempDir,
}

#[derive(Debug)]
struct Done {
    code: i32,
    out: String,
    err: String,
}

fn done(command: &mut Command) -> Done {
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("copied");
        }
    }
}

impl Demo {
    /// The first night's package alone is there, or both.
    fn new(nights: usize) -> Self {
        let demo = Self { dir: tempfile::tempdir().expect("a folder") };
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        copy(&config.join("demo"), &demo.path("demo"));
        let settings = fs::read_to_string(config.join("demo.toml")).expect("settings");
        fs::write(demo.path("demo.toml"), settings.replace("../state/demo/", "books/")).expect("written");
        if nights == 1 {
            fs::remove_dir_all(demo.path("demo/northfield/2026-09-02")).expect("removed");
        }
        demo
    }

    /// With the first night taken in and a second package, of the same files, ready to be damaged.
    fn with_copy() -> (Self, PathBuf) {
        let demo = Self::new(1);
        assert_eq!(demo.run("sync northfield --here").code, 6);
        let package = demo.path("demo/northfield/2026-09-03");
        copy(&demo.path("demo/northfield/2026-09-01"), &package);
        (demo, package)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, words: &str) -> Command {
        let mut command = Command::new(PROGRAM);
        command.env_clear().env("USER", "ann").env("ROSTERD_CONFIG", self.path("demo.toml")).args(words.split(' '));
        command
    }

    fn run(&self, words: &str) -> Done {
        done(&mut self.command(words))
    }

    fn json(&self, words: &str) -> Value {
        let done = self.run(&format!("{words} --json"));
        serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{words}: {error}: {done:?}"))
    }

    fn edit(&self, from: &str, to: &str) {
        edit(&self.path("demo.toml"), |text| {
            assert!(text.contains(from), "{from}");
            text.replacen(from, to, 1)
        });
    }

    fn serve(&self) -> Daemon {
        let log = fs::File::create(self.path("log")).expect("a log");
        let child = self.command("serve").stderr(log).stdout(Stdio::null()).spawn().expect("it starts");
        let daemon = Daemon { child, log: self.path("log") };
        daemon.until("daemon_started");
        daemon
    }
}

/// A daemon of this test; it ends with it.
struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Waits for a word in the log.
    fn until(&self, word: &str) {
        let began = Instant::now();
        while !self.log().contains(word) {
            assert!(began.elapsed() < Duration::from_secs(60), "no {word} in {}", self.log());
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn edit(file: &Path, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(file).expect("text");
    fs::write(file, change(text)).expect("written");
}

fn append(file: &Path, line: &str) {
    edit(file, |text| text + line + "\n");
}

/// Packs a folder; `more` files are added.
fn zip(package: &Path, more: &[(&str, &[u8])]) {
    let to = fs::File::create(package.with_extension("zip")).expect("a file");
    let mut writer = zip::ZipWriter::new(to);
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for entry in fs::read_dir(package).expect("a folder") {
        let path = entry.expect("an entry").path();
        writer.start_file(path.file_name().expect("a name").to_string_lossy(), options).expect("started");
        writer.write_all(&fs::read(&path).expect("bytes")).expect("written");
    }
    for (name, bytes) in more {
        writer.start_file(*name, options).expect("started");
        writer.write_all(bytes).expect("written");
    }
    writer.finish().expect("a zip");
    fs::remove_dir_all(package).expect("removed");
}

type Damage = fn(&Path);

/// What is wrong with the package, the exit code, the rule that finds it, and a word of the message.
const DAMAGED: [(Damage, i32, &str, &str); 12] = [
    (|p| edit(&p.join("users.csv"), |t| t.lines().next().expect("a header").to_owned() + "\n"), 5, "no_rows", "users.csv"),
    (|p| edit(&p.join("manifest.csv"), |t| t.replace("orgs,bulk", "orgs,absent")), 5, "file_present_but_absent", "orgs.csv"),
    (|p| fs::remove_file(p.join("courses.csv")).expect("removed"), 5, "file_declared_but_missing", "courses.csv"),
    (|p| edit(&p.join("users.csv"), |t| t[..t.len() - 20].to_owned()), 5, "row_width", "cut off"),
    (
        |p| {
            let text = fs::read_to_string(p.join("users.csv")).expect("text");
            let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
            fs::write(p.join("users.csv"), wide).expect("written");
        },
        5,
        "not_utf8",
        "save it as UTF-8",
    ),
    (|p| zip(p, &[("../evil.csv", b"x")]), 5, "zip_unsafe_entry", "leads out of the package"),
    (|p| zip(p, &[("demographics.csv", &vec![0; 64 << 20])]), 5, "zip_too_large", "zip bomb"),
    (|p| edit(&p.join("orgs.csv"), |t| t.replace("district,,\n", "district,,nf-ash\n")), 3, "parent_cycle", "2 of 4 orgs"),
    (|p| append(&p.join("users.csv"), "t-001,,,true,x,,X,Y,,,,,,,,,,,,,nf-ash,"), 6, "duplicate_sourced_id", "withheld"),
    (|p| append(&p.join("enrollments.csv"), "e-x,,,cl-amat1,nf-ash,nobody,teacher,true,,"), 6, "missing_reference", "took in"),
    (
        |p| edit(&p.join("enrollments.csv"), |t| t.replacen("teacher,true,,", "teacher,true,1/05/2023,", 1)),
        6,
        "bad_date",
        "took in",
    ),
    (|p| edit(&p.join("orgs.csv"), |t| t.replacen("Ash Primary", &"A".repeat(2 << 20), 1)), 5, "zip_too_large", "orgs.csv"),
];

#[test]
fn a_damaged_package_is_told_and_frees_nobody() {
    for (damage, code, rule, word) in DAMAGED {
        let (demo, package) = Demo::with_copy();
        let before = demo.json("status northfield")["customers"][0]["pools"].clone();
        damage(&package);
        let ran = demo.run("sync northfield --here");
        assert_eq!(ran.code, code, "{rule}: {ran:?}");
        assert!(ran.out.contains(word), "{rule}: {ran:?}");
        let found = demo.json("findings 2");
        let rules: Vec<&str> =
            found["findings"].as_array().expect("a list").iter().filter_map(|f| f["rule"].as_str()).collect();
        assert!(rules.contains(&rule), "{rule}: {found}");
        assert_eq!(demo.json("status northfield")["customers"][0]["pools"], before, "{rule}");
        assert_eq!(demo.run("audit verify").code, 0, "{rule}");
    }
}

#[test]
fn a_byte_order_mark_is_forgiven() {
    let (demo, package) = Demo::with_copy();
    edit(&package.join("users.csv"), |text| format!("\u{feff}{text}"));
    assert_eq!(demo.run("sync northfield --here").code, 6);
    assert_eq!(demo.json("findings 2")["total"], 0);
}

#[test]
fn very_many_bad_rows_stay_bounded() {
    let (demo, package) = Demo::with_copy();
    edit(&package.join("enrollments.csv"), |mut text| {
        (0..100_000).for_each(|n| text.push_str(&format!("x-{n},,,cl-amat1,nf-ash,t-001,teacher,true,1/05/2023,\n")));
        text
    });
    let ran = demo.run("sync northfield --here");
    assert_eq!(ran.code, 3, "{ran:?}");
    let found = demo.json("findings 2 --limit 1000000");
    assert_eq!(found["total"], 100_000);
    assert_eq!(found["findings"].as_array().expect("a list").len(), 10_000, "kept: enough to see what is wrong");
    assert!(fs::metadata(demo.path("books/rosterd.db")).expect("a file").len() < 8 << 20);
}

#[test]
fn three_mistakes_are_told_at_once() {
    let demo = Demo::new(2);
    demo.edit("workers = 2", "workrs = 2");
    demo.edit("seat_model = \"role\"", "seat_model = \"rol\"");
    demo.edit("time_zone = \"America/Chicago\"", "time_zone = \"America/Chicgo\"");
    let checked = demo.run("check");
    assert_eq!((checked.code, checked.out.as_str()), (78, ""), "{checked:?}");
    for word in ["3 problems", "did you mean `workers`", "did you mean `role`", "did you mean `America/Chicago`"] {
        assert!(checked.err.contains(word), "{word}: {checked:?}");
    }
}

#[test]
fn settings_that_contradict_the_books_fail_the_run_and_the_check() {
    for (from, to, words) in [
        ("seats = 400", "seats = 500", ["grant content-1 was recorded", "with 400 seats"]),
        ("seats = 9\n", "seats = 99\n", ["agreed excess exams was recorded", "with 9 seats"]),
        ("owner = \"nf-cedar\"", "owner = \"nf-cedr\"", ["pool content-cedar names org nf-cedr", "did you mean nf-cedar?"]),
        ("role = [\"principal\"]", "role = [\"principal\"], org = [\"nf-asch\"]", ["principals-learn", "did you mean nf-ash?"]),
    ] {
        let demo = Demo::new(1);
        let excess = "[[customer.pool.agreed_excess]]\nid = \"exams\"\nseats = 9\nfrom = \"2024-01-01\"\nto = \"2099-01-01\"\n";
        demo.edit("# Cedar bought its own.", &format!("{excess}reference = \"letter\"\n# Cedar"));
        assert_eq!(demo.run("check").code, 0);
        assert_eq!(demo.run("sync northfield --here").code, 6);
        demo.edit(from, to);
        let ran = demo.run("sync northfield --here");
        assert_eq!(ran.code, 5, "{ran:?}");
        let checked = demo.run("check");
        assert_eq!(checked.code, 78, "{checked:?}");
        assert!(checked.out.contains("WRONG  books northfield: could not "), "{checked:?}");
        for word in words {
            assert!(ran.out.contains(word) && checked.out.contains(word), "{word}: {ran:?} {checked:?}");
        }
        assert!(ran.out.contains("next: correct what the message names"), "there are no findings to point at: {ran:?}");
        demo.edit(to, from);
        assert_eq!((demo.run("check").code, demo.run("sync northfield --here").code), (0, 6));
    }
}

#[test]
fn a_pool_taken_out_of_the_settings_is_told_as_what_it_is() {
    let demo = Demo::new(1);
    demo.run("sync northfield --here");
    edit(&demo.path("demo.toml"), |text| {
        let (before, rest) = text.split_once("# Cedar bought its own.").expect("a pool");
        let (_, after) = rest.split_once("# Fewer seats").expect("the next");
        format!("{before}# Fewer seats{after}")
    });
    let plan = demo.json("plan northfield --limit 100000");
    let actions = plan["plan"]["actions"].as_array().expect("a list");
    let freed: Vec<&Value> = actions.iter().filter(|a| a["pool"] == "content-cedar" && a["to"] == "released").collect();
    assert!(freed.len() > 100, "{}", freed.len());
    assert!(freed.iter().all(|action| action["because"] == "pool_moved"), "nobody denied them anything: {:?}", freed[0]);
    demo.run("sync northfield --here");
    assert_eq!(demo.run("audit verify").code, 0);
}

#[test]
fn a_request_of_a_customer_that_is_gone_is_dropped_and_told() {
    let demo = Demo::new(1);
    assert_eq!(demo.run("sync larkspur").code, 0);
    edit(&demo.path("demo.toml"), |text| text.split_once("[[customer]]\nid = \"larkspur\"").expect("it").0.to_owned());
    let daemon = demo.serve();
    daemon.until("Dropped request 1: customer larkspur is not in the settings any more");
    let second = demo.run("serve");
    assert_eq!(second.code, 74, "{second:?}");
    assert!(second.err.contains(&format!("process {}", daemon.child.id())), "{second:?}");
}

#[test]
fn two_runs_here_at_once_are_one_after_the_other() {
    let demo = Demo::new(1);
    let start = || demo.command("sync northfield --here").stdout(Stdio::null()).spawn().expect("it starts");
    let mut both = [start(), start()];
    for child in &mut both {
        assert_eq!(child.wait().expect("it ends").code(), Some(6));
    }
    let seated = demo.json("runs")["runs"].as_array().expect("runs").iter().filter_map(|r| r["seated"].as_u64()).sum::<u64>();
    assert_eq!(seated, 1364, "everybody was seated once");
    assert_eq!(demo.run("audit verify").code, 0);
}

#[test]
fn a_limit_of_file_sizes_is_an_error_and_not_an_end_without_a_word() {
    let demo = Demo::new(2);
    assert_eq!(demo.run("sync northfield --here").code, 6);
    let mut shell = Command::new("sh");
    shell.env_clear().env("ROSTERD_CONFIG", demo.path("demo.toml"));
    shell.args(["-c", &format!("ulimit -f 100; exec {PROGRAM} sync northfield --here")]);
    let limited = done(&mut shell);
    assert_eq!(limited.code, 74, "{limited:?}");
    assert!(limited.err.contains("ulimit -f"), "{limited:?}");
    assert_eq!(demo.run("audit verify").code, 0);
    assert_eq!(demo.run("sync northfield --here").code, 6, "it works again");
    assert_eq!(demo.json("status northfield")["customers"][0]["version"], 2);
}

/// Runs the program as somebody who may not write there, whoever runs this test.
fn as_nobody(demo: &Demo, words: &str) -> Done {
    let program = demo.path("rosterd");
    if !program.exists() {
        fs::copy(PROGRAM, &program).expect("copied");
    }
    let mut command = Command::new(&program);
    if done(Command::new("id").arg("-u")).out.trim() == "0" {
        command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program);
    }
    done(command.env("ROSTERD_CONFIG", demo.path("demo.toml")).args(words.split(' ')))
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let demo = Demo::new(1);
    assert_eq!(demo.run("sync northfield --here").code, 6);
    let mode = |name: &str, mode| fs::set_permissions(demo.path(name), PermissionsExt::from_mode(mode)).expect("set");
    mode("", 0o755);
    mode("books/rosterd.db", 0o444);
    mode("books", 0o555);
    for words in ["status", "sync northfield --here", "serve", "check"] {
        let refused = as_nobody(&demo, words);
        assert_eq!(refused.code, 74, "{words}: {refused:?}");
        let told = refused.out + &refused.err;
        assert!(told.contains("it is read-only for this user (check owner and mount of the folder)"), "{words}: {told}");
    }
    mode("books", 0o755);
    mode("books/rosterd.db", 0o644);
    mode("demo/northfield", 0o000);
    let checked = as_nobody(&demo, "check");
    assert!(checked.out.contains("Permission denied"), "{checked:?}");
    mode("demo/northfield", 0o755);
}

#[test]
fn junk_in_a_drop_folder_does_not_stop_the_packages() {
    let demo = Demo::new(2);
    let drop_folder = demo.path("demo/northfield");
    fs::write(drop_folder.join(".DS_Store"), "junk").expect("written");
    fs::write(drop_folder.join("readme.txt"), "junk").expect("written");
    fs::write(drop_folder.join("2026-08-01.zip"), "no zip").expect("written");
    fs::create_dir(drop_folder.join("2026-08-02")).expect("a folder");
    let codes: Vec<i32> = (0..4).map(|_| demo.run("sync northfield --here").code).collect();
    assert_eq!(codes, [5, 5, 6, 6], "each piece of junk is told once");
    fs::remove_dir_all(&drop_folder).expect("removed");
    let gone = demo.run("sync northfield --here");
    assert_eq!(gone.code, 5);
    assert!(gone.out.contains("could not reach") && gone.out.contains("demo/northfield"), "{gone:?}");
}

/// Names in all scripts, formulas, terminal sequences, and secrets in every cell that may hold one.
fn hostile() -> Demo {
    let demo = Demo::new(1);
    let package = demo.path("demo/northfield/2026-09-01");
    edit(&package.join("users.csv"), |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[1] = lines[1].replace("Mia,McKay", "\u{1b}[31mMia\u{9b}2J,=cmd('x')\u{202e}");
        lines[2] = "t-002,,,true,w,{AD:hunter2-secret-id},王小明,مدرسة,,S1002,w@x.example,+44-secret-sms,+44-secret-phone,,,\
                    hunter2-secret,,,,,nf-cedar,"
            .to_owned();
        // A row shifted by one cell: the password stands where a boolean is expected.
        lines[3] = lines[3].replacen("true", "hunter2-secret", 1);
        lines.join("\n") + "\n"
    });
    edit(&package.join("orgs.csv"), |text| {
        text.replace("Ash Primary", "\"=HYPERLINK(\"\"http://x\"\")\u{1b}]0;pwn\u{7}\"")
            .replace("Birch High", "\"北京, \"\"小学\"\"\"")
    });
    edit(&package.join("manifest.csv"), |text| text.replace("demographics,absent", "demographics,bulk"));
    fs::write(
        package.join("demographics.csv"),
        "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,\
         nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity,countryOfBirthCode,\
         stateOfBirthAbbreviation,cityOfBirth,publicSchoolResidenceStatus\nt-001,,,1987-03-14,female,,,,,,,,,,,\n",
    )
    .expect("written");
    demo
}

#[test]
fn hostile_names_neither_steer_a_terminal_nor_a_spreadsheet() {
    let demo = hostile();
    assert_eq!(demo.run("sync northfield --here").code, 6);
    for words in [
        "people northfield",
        "people northfield --json",
        "report licenses northfield",
        "report licenses northfield --csv",
        "report licenses northfield --json",
        "report claims northfield --csv",
        "findings 1",
        "status",
        "explain northfield t-001",
        "runs show 1",
    ] {
        let shown = demo.run(words);
        assert_eq!(shown.code, 0, "{words}: {shown:?}");
        let steers = |c: char| (c.is_control() && !"\r\n".contains(c)) || c == '\u{202e}';
        assert!(!shown.out.contains(steers), "{words}: {:?}", shown.out);
    }
    let csv = demo.run("report licenses northfield --csv").out;
    assert!(csv.contains("\r\n\"'=HYPERLINK(\"\"http://x\"\")"), "{csv}");
    assert!(csv.contains("\r\n\"北京, \"\"小学\"\"\","), "{csv}");
    let table = demo.run("report licenses northfield").out;
    assert!(table.contains("北京, \"小学\""), "{table}");
    assert_eq!(demo.json("people northfield t-002")["people"][0]["name"], "王小明 مدرسة");
}

#[test]
fn secrets_reach_neither_store_nor_log_nor_answer() {
    let demo = hostile();
    let daemon = demo.serve();
    daemon.until("run_finished");
    demo.run("sync northfield --wait");
    let mut told = daemon.log();
    drop(daemon);
    for words in [
        "findings 1 --json",
        "runs show 1 --json --limit 100000",
        "people northfield --json --limit 100000",
        "audit export northfield",
        "explain northfield t-002 --json",
        "report claims northfield --json",
    ] {
        told.push_str(&demo.run(words).out);
    }
    for word in SECRETS {
        assert!(!told.contains(word), "{word} was told");
    }
    assert!(!demo.run("audit export northfield").out.contains("王小明"), "the trail holds no names");
    let books = rusqlite::Connection::open(demo.path("books/rosterd.db")).expect("books");
    let mut chunks = books.prepare("SELECT body FROM snapshot_chunk UNION ALL SELECT body FROM plan_chunk").expect("asked");
    let mut kept = fs::read(demo.path("books/rosterd.db")).expect("bytes");
    let mut count = 0;
    for body in chunks.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("asked") {
        let body = body.expect("a chunk");
        let frame = body.windows(4).position(|four| four == [0x28, 0xb5, 0x2f, 0xfd]).expect("it is compressed");
        kept.extend(zstd::decode_all(&body[frame..]).expect("whole"));
        count += 1;
    }
    let kept = String::from_utf8_lossy(&kept);
    assert!(count > 1 && kept.contains("王小明"), "what was read is what the roster is in");
    for word in SECRETS {
        assert!(!kept.contains(word), "{word} is kept");
    }
}

#[test]
fn a_clock_set_back_breaks_nothing() {
    let demo = Demo::new(2);
    for day in ["2026-10-02", "2026-10-01", "2026-10-03"] {
        assert_eq!(demo.run(&format!("sync northfield --here --as-of {day}T03:00:00Z")).code, 6, "{day}");
        assert_eq!(demo.run(&format!("status --as-of {day}")).code, 0, "{day}");
        assert_eq!(demo.run("audit verify").code, 0, "{day}");
    }
    assert_eq!(demo.json("status northfield")["customers"][0]["pools"][1]["available"], -3);
}

#[test]
fn every_answer_of_filled_books_is_json() {
    let demo = Demo::new(2);
    demo.run("sync northfield --here");
    demo.run("sync northfield --here");
    for words in [
        "check",
        "status",
        "runs",
        "runs show 2",
        "findings 2",
        "people northfield",
        "pool list northfield",
        "pool show northfield content-district",
        "queue northfield",
        "explain northfield s-0007",
        "report licenses northfield",
        "report claims northfield",
        "audit list northfield",
        "audit verify",
        "plan northfield",
        "pool grant northfield learn-educators --seats 1 --from 2026-01-01 --reference x",
        "pool agree northfield learn-educators --seats 1 --from 2026-01-01 --to 2099-01-01 --reference x",
        "pool pin northfield learn-educators t-060 assign --reason x",
        "pool unpin northfield learn-educators t-060",
        "pool accept northfield learn-educators t-001",
        "pool transfer northfield learn-educators t-001 t-062 --reason x",
        "sync northfield",
        "sync larkspur --here",
    ] {
        assert!(demo.json(words).is_object(), "{words}");
    }
}

#[test]
fn before_the_first_package_nobody_is_known_and_no_setting_is_blamed() {
    let demo = Demo::new(2);
    assert_eq!(demo.run("sync northfield").code, 0, "a wish, which makes the store");
    let asked = demo.run("explain northfield t-001 learn");
    assert_eq!((asked.code, asked.err.as_str()), (66, ""), "{asked:?}");
    assert!(asked.out.starts_with("learn: unknown_person\n  No package was taken in yet"), "{asked:?}");
}

/// What cannot be written at the end of a run is written when it can be; until then nothing of the customer is taken up.
#[test]
fn ends_that_could_not_be_written_are_written_later() {
    let mut world = World::new("north")
        .school("ash")
        .product("learn", ProductKind::Module, SeatModel::Role)
        .role_rule("teacher", "learn")
        .pool("learn", "d", Some(5), OnFull::Wait)
        .person("ann", "teacher", "ash");
    assert_eq!(world.night().state.word(), "succeeded");
    let service = world.service();
    let customer = &service.customers()[0];
    let (request, _) = service.request_sync(customer, &Trigger::Drop).expect("asked");
    let taken = service.take_request().expect("asked").expect("one in line");
    let raw = rusqlite::Connection::open(world.dir.path().join("rosterd.db")).expect("books");
    let close = |table: &str, column: &str| {
        format!("CREATE TRIGGER no_{table} BEFORE UPDATE OF {column} ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END;")
    };
    raw.execute_batch(&(close("requests", "ended") + &close("runs", "ended"))).expect("closed");
    assert!(service.fulfil(&taken, &|_| ()).is_err());
    assert!(service.is_running(customer).expect("asked"), "the row of the run could not be ended");
    assert!(service.take_request().is_err(), "what is left over comes first");
    raw.execute_batch("DROP TRIGGER no_requests; DROP TRIGGER no_runs").expect("opened");
    assert!(service.take_request().expect("asked").is_none());
    assert!(!service.is_running(customer).expect("asked"));
    let row = service.store().request_row(request).expect("asked").expect("there");
    assert_eq!(row.state, RequestState::Done);
    let newest = service.store().runs(Some(customer.id()), 1).expect("asked").remove(0);
    assert_eq!(newest.state.word(), "failed", "{}", newest.message);
}

/// A small disk of its own, in a namespace of its own: full before a run, and in the middle of a daemon's.
const FULL_DISK: &str = r#"
mkdir books && mount -t tmpfs -o size=2m tmpfs books || exit 99
echo 'has a disk'
"$P" sync northfield --here; echo "first $?"
cat /dev/zero > books/fill 2>/dev/null
"$P" sync northfield --here; echo "full $?"
rm books/fill
"$P" audit verify > /dev/null; echo "verified $?"
"$P" serve 2> log & D=$!
until grep -q 'of larkspur succeeded' log; do sleep 0.1; done
# The night and the dates of a running northfield come first, whatever the hour.
until [ "$("$P" runs northfield | grep -c succeeded)" -ge 2 ] && ! "$P" runs | grep -q 'fetching\|planning\|committing'; do sleep 0.1; done
# A daemon that starts anew has an empty log beside its books, which has to grow for the next commit.
kill $D; wait $D
"$P" serve 2>> log & D=$!
until [ "$(grep -c 'started on' log)" -ge 2 ]; do sleep 0.1; done
before=$(grep -c 'of northfield succeeded' log)
head -c $(( ($(df --output=avail -k books | tail -1) - 40) * 1024 )) /dev/zero > books/fill
mv later demo/northfield/2026-09-02
until grep -q 'the disk is full' log; do sleep 0.1; done
rm books/fill
until [ "$(grep -c 'of northfield succeeded' log)" -gt "$before" ]; do sleep 0.1; done
kill $D; wait $D
"$P" audit verify > /dev/null; echo "again $?"
"$P" runs northfield
"#;

#[test]
fn a_full_disk_is_told_and_a_wish_outlives_it() {
    let demo = Demo::new(1);
    let package = demo.path("later");
    copy(&demo.path("demo/northfield/2026-09-01"), &package);
    edit(&package.join("roles.csv"), |text| text.replace("primary,teacher", "primary,principal"));
    let mut shell = Command::new("timeout");
    shell.args(["100", "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", FULL_DISK]);
    shell.current_dir(demo.path("")).env("P", PROGRAM).env("ROSTERD_CONFIG", demo.path("demo.toml"));
    let done = done(&mut shell);
    // Only where there is no namespace or no mount in it; whatever fails later is a failure.
    if !done.out.contains("has a disk") && (done.code == 99 || done.err.contains("unshare")) {
        println!("SKIPPED: no disk of its own is to be had here: {}", done.err);
        return;
    }
    assert_eq!(done.code, 0, "{done:?}");
    for line in ["first 6\n", "full 74\n", "verified 0\n", "again 0\n"] {
        assert!(done.out.contains(line), "{line}: {done:?}");
    }
    assert!(done.err.contains("the disk is full (nothing was changed; free space and try again)"), "{done:?}");
    assert!(!done.out.contains("fetching") && !done.out.contains("planning"), "no run seems to go on for ever: {done:?}");
    // Where not even the beginning of the run could be written, there is no row of the failed try.
    assert!(done.out.contains("  drop      "), "{done:?}");
}

#[test]
fn a_run_whose_process_died_does_not_keep_arrivals_out() {
    let world = World::new("north");
    let service = world.service();
    let customer = &service.customers()[0];
    let began = service.now();
    service.store().begin_run(customer.id(), &Trigger::Drop, began).expect("begun");
    world.all_die();
    assert!(!service.is_running(customer).expect("asked"), "the daemon does not work on it");
    service.recover(service.now()).expect("closed");
    let row = service.store().runs(Some(customer.id()), 1).expect("asked").remove(0);
    assert_eq!(row.message, "its process ended while it was fetching; nothing was changed, run it again");
}
