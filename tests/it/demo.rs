//! A copy of `config/` in a folder of its own, and the real program run on it, so that state and packages stay there.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rosterd::base::Secret;
use rosterd::store::{Opening, PostgresChoice, SharedStore, StoreChoice, open};
use serde_json::Value;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// See the module.
pub struct Demo {
    dir: TempDir,
    /// The PostgreSQL its books are in, instead of a file.
    url: Option<String>,
}

/// What a command came to.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Demo {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config"), &dir.path().join("config"));
        Self { dir, url: None }
    }

    /// The same with its books in PostgreSQL.
    pub fn shared(url: String) -> Self {
        Self { url: Some(url), ..Self::new() }
    }

    /// Its books, as another process would open them.
    pub fn books(&self) -> SharedStore {
        let choice = match &self.url {
            Some(url) => StoreChoice::Postgres(PostgresChoice::at(Secret::new(url.clone()))),
            None => StoreChoice::Sqlite { path: self.store() },
        };
        open(&choice, Opening::Existing).expect("a store")
    }

    /// The folder that holds `config/` and, later, `state/`.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn settings_file(&self) -> PathBuf {
        self.dir.path().join("config/demo.toml")
    }

    /// Where the books are.
    pub fn store(&self) -> PathBuf {
        self.dir.path().join("state/demo/rosterd.db")
    }

    /// Replaces the first occurrence of a text in the settings.
    pub fn set(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.settings_file()).expect("settings");
        assert!(text.contains(from), "the demo's settings do not say {from:?}");
        fs::write(self.settings_file(), text.replacen(from, to, 1)).expect("written");
    }

    /// Where a customer's packages are dropped.
    pub fn drops(&self, customer: &str) -> PathBuf {
        self.dir.path().join("config/demo").join(customer)
    }

    /// Takes a package away until [`Demo::bring`] puts it back.
    pub fn hold_back(&self, customer: &str, package: &str) {
        fs::rename(self.drops(customer).join(package), self.aside(customer, package)).expect("moved");
    }

    pub fn bring(&self, customer: &str, package: &str) {
        fs::rename(self.aside(customer, package), self.drops(customer).join(package)).expect("moved");
    }

    fn aside(&self, customer: &str, package: &str) -> PathBuf {
        self.dir.path().join(format!("{customer}-{package}"))
    }

    /// The same package once more, under another name.
    pub fn again(&self, customer: &str, package: &str, name: &str) {
        copy(&self.drops(customer).join(package), &self.drops(customer).join(name));
    }

    /// Zips a package of changes for Northfield that brings these new students of Birch. It lies there as a whole, or not
    /// at all: it gets its name when it is complete.
    pub fn drop_students(&self, name: &str, students: &[String]) {
        let part = self.drops("northfield").join(format!("{name}.part"));
        fs::write(&part, self.students(students)).expect("written");
        fs::rename(&part, self.drops("northfield").join(name)).expect("moved");
    }

    /// The bytes of such a package.
    pub fn students(&self, students: &[String]) -> Vec<u8> {
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/demo/northfield/2026-09-02");
        let header = |file: &str| {
            let text = fs::read_to_string(model.join(file)).expect("the demo's second night");
            text.lines().next().expect("a header").to_owned()
        };
        let (mut users, mut roles, mut enrollments) = (header("users.csv"), header("roles.csv"), header("enrollments.csv"));
        let changed = "active,2026-09-03T01:15:00.000Z";
        for key in students {
            users += &format!("\n{key},{changed},true,{key},,New,Student,,,{key}@northfield.example,,,,01,,,,,,nf-birch,");
            roles += &format!("\nr-{key},{changed},{key},primary,student,,,nf-birch,");
            enrollments += &format!("\ne-{key},{changed},cl-bmat1,nf-birch,{key},student,,,");
        }
        let manifest = fs::read_to_string(model.join("manifest.csv")).expect("a manifest");
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (file, text) in
            [("manifest.csv", manifest), ("users.csv", users), ("roles.csv", roles), ("enrollments.csv", enrollments)]
        {
            zip.start_file(file, SimpleFileOptions::default()).expect("a file");
            zip.write_all(text.as_bytes()).expect("written");
        }
        zip.finish().expect("a zip").into_inner()
    }

    /// The program on this copy, with nothing of the caller's environment.
    pub fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_rosterd"));
        program.env_clear().env("USER", "ann").env("COLUMNS", "100").env("ROSTERD_CONFIG", self.settings_file());
        if let Some(url) = &self.url {
            program.env("ROSTERD__STORE__KIND", "postgres").env("ROSTERD__STORE__URL", url);
            program.env("ROSTERD__STORE__LEASE_SECS", "3");
        }
        program.stdin(Stdio::null());
        program
    }

    /// Runs a command, split at spaces, to its end.
    pub fn run(&self, command: &str) -> Outcome {
        let done = self.program().args(command.split(' ')).output().expect("it runs");
        Outcome {
            code: done.status.code().unwrap_or_else(|| panic!("{command} was killed: {done:?}")),
            out: String::from_utf8(done.stdout).expect("text"),
            err: String::from_utf8(done.stderr).expect("text"),
        }
    }

    /// The answer to a command that has to succeed.
    pub fn told(&self, command: &str) -> String {
        let Outcome { code, out, err } = self.run(command);
        assert_eq!((code, err.as_str()), (0, ""), "{command}: {out}");
        out
    }

    /// The same, as JSON.
    pub fn json(&self, command: &str) -> Value {
        let out = self.told(&format!("{command} --json"));
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{command}: {error}: {out}"))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("copied");
        }
    }
}
