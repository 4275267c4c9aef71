//! PostgreSQL servers of the tests' own: one for all tests of a run, which the first that needs it starts and which ends with the
//! process that runs the tests; and servers of one test, which may be stopped and restarted.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};
use rosterd::base::Secret;
use rosterd::store::PostgresChoice;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres.sh");
const PORT: u16 = 5432;

/// A database for one test.
pub struct Database {
    folder: PathBuf,
    port: u16,
    name: String,
}

/// A server of one test.
pub struct Server {
    folder: PathBuf,
    pub port: u16,
}

/// The folder of the shared server's socket; `None`: none is installed.
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
    if folder.join(format!(".s.PGSQL.{PORT}")).exists() {
        return Some(folder);
    }
    // What a start that failed left behind.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).expect("a folder");
    is_started(&folder, script(&folder, PORT).arg(runner.to_string()).status().expect("a shell")).then_some(folder)
}

fn script(folder: &Path, port: u16) -> Command {
    let mut script = Command::new(SCRIPT);
    script.env("PGPORT", port.to_string()).arg(folder);
    script
}

fn is_started(folder: &Path, started: ExitStatus) -> bool {
    match started.code() {
        Some(0) => true,
        Some(3) => {
            fs::remove_dir_all(folder).expect("it is ours");
            false
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

impl Server {
    /// Starts one with these settings more, `name=value`; `None`: none is installed.
    pub fn start(settings: &[String]) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("rosterd-pg-own-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder");
        // Nobody else listens there, at least until now.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let started = script(&folder, port).arg(std::process::id().to_string()).args(settings).status();
        is_started(&folder, started.expect("a shell")).then_some(Self { folder, port })
    }

    /// `start`, `stop` or `restart`, in a mode: `fast` cuts all connections, `immediate` is a crash.
    pub fn control(&self, what: &str, mode: &str) {
        let done = script(&self.folder, self.port).args([what, mode]).status().expect("a shell");
        assert!(done.success(), "{what} {mode}: {done}");
    }

    /// A new, empty database.
    pub fn database(&self) -> Database {
        Database::made(&self.folder, self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It goes with the process in any case.
        let _ = script(&self.folder, self.port).args(["stop", "immediate"]).status();
    }
}

impl Database {
    /// A new, empty one.
    ///
    /// # Panics
    /// Where no server is installed; ask [`is_installed`] first.
    pub fn fresh() -> Self {
        Self::made(folder().expect("a server"), PORT)
    }

    fn made(folder: &Path, port: u16) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let made = connect(folder, port, "postgres").batch_execute(&format!("CREATE DATABASE {name}"));
        made.unwrap_or_else(|error| panic!("{error:?}"));
        Self { folder: folder.to_owned(), port, name }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> String {
        let folder = self.folder.to_string_lossy().replace('/', "%2F");
        format!("postgres://rosterd@{folder}:{}/{}", self.port, self.name)
    }

    pub fn choice(&self) -> PostgresChoice {
        PostgresChoice::at(Secret::new(self.url()))
    }

    /// A connection that knows nothing of the store's rules.
    pub fn raw(&self) -> Client {
        connect(&self.folder, self.port, &self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // It goes with the cluster in any case.
        if let Ok(mut client) = config(&self.folder, self.port, "postgres").connect(NoTls) {
            let _ = client.batch_execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

fn config(folder: &Path, port: u16, database: &str) -> postgres::Config {
    let mut config = postgres::Config::new();
    config.host(&folder.to_string_lossy()).port(port).user("rosterd").dbname(database);
    config
}

fn connect(folder: &Path, port: u16, database: &str) -> Client {
    config(folder, port, database).connect(NoTls).unwrap_or_else(|error| panic!("{error:?}"))
}
