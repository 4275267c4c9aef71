//! A PostgreSQL of the tests' own, one for all tests of a run: the first that needs it starts it, and it ends with the process
//! that runs the tests.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use rosterd::base::Secret;
use rosterd::store::PostgresChoice;

/// A database for one test.
pub struct Database {
    name: String,
}

/// The folder of the socket; `None`: no server is installed.
fn folder() -> Option<&'static PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER.get_or_init(start).as_ref()
}

fn start() -> Option<PathBuf> {
    // Each test may be a process of its own; they share the one that started them.
    let runner = std::os::unix::process::parent_id();
    let began = fs::metadata(format!("/proc/{runner}")).expect("it runs").ctime();
    let name = format!("rosterd-pg-{runner}-{began}");
    let lock = File::create(std::env::temp_dir().join(format!("{name}.lock"))).expect("a lock");
    lock.lock().expect("a turn");
    let folder = std::env::temp_dir().join(&name);
    if folder.join(".s.PGSQL.5432").exists() {
        return Some(folder);
    }
    // What a start that failed left behind.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres.sh");
    let started = Command::new(script).arg(&folder).arg(runner.to_string()).status().expect("a shell");
    match started.code() {
        Some(0) => Some(folder),
        Some(3) => {
            fs::remove_dir_all(&folder).expect("it is ours");
            None
        }
        _ => panic!("PostgreSQL is installed, but could not be started: {started}"),
    }
}

/// Whether there is a server. Says so if there is not.
pub fn is_installed() -> bool {
    let installed = folder().is_some();
    if !installed {
        eprintln!("left out: PostgreSQL is not installed (Debian: postgresql)");
    }
    installed
}

/// Waits until somebody waits for a lock.
pub fn until_blocked(raw: &mut Client) {
    let ask = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')";
    while !raw.query_one(ask, &[]).expect("asks").get::<_, bool>(0) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

impl Database {
    /// A new, empty one.
    ///
    /// # Panics
    /// Where no server is installed; ask [`is_installed`] first.
    pub fn fresh() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let made = connect("postgres").batch_execute(&format!("CREATE DATABASE {name}"));
        made.unwrap_or_else(|error| panic!("{error:?}"));
        Self { name }
    }

    pub fn url(&self) -> String {
        let folder = folder().expect("a server").to_string_lossy().replace('/', "%2F");
        format!("postgres://rosterd@{folder}/{}", self.name)
    }

    pub fn choice(&self) -> PostgresChoice {
        PostgresChoice::at(Secret::new(self.url()))
    }

    /// A connection that knows nothing of the store's rules.
    pub fn raw(&self) -> Client {
        connect(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // It goes with the cluster in any case.
        let _ = connect("postgres").batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn connect(database: &str) -> Client {
    let folder = folder().expect("a server").display().to_string();
    let mut config = postgres::Config::new();
    config.host(&folder).user("rosterd").dbname(database).connect(NoTls).unwrap_or_else(|error| panic!("{error:?}"))
}
