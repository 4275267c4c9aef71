//! Where the books of a benchmark are: in a file beside the packages, or in a PostgreSQL of its own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postgres::{Client, Config, NoTls};

/// The scratch server is as durable as one in earnest, and as large as fits beside what is measured.
const SERVER_OPTIONS: [&str; 3] = ["fsync=on", "shared_buffers=256MB", "max_wal_size=4GB"];
const DATABASE: &str = "bench";

/// See the module.
pub enum Books {
    /// SQLite.
    File,
    /// A scratch server: the folder of its socket. It ends with this process.
    Server(PathBuf),
}

impl Books {
    /// Starts a server.
    ///
    /// # Errors
    /// When none is installed, or it does not start.
    pub fn server() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("rosterd-bench-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/postgres.sh");
        let mut command = Command::new(script);
        command.arg(&folder).arg(std::process::id().to_string());
        let started = command.args(SERVER_OPTIONS).status()?;
        if started.success() {
            return Ok(Books::Server(folder));
        }
        Err(io::Error::other(format!("PostgreSQL did not start ({started}); is it installed?")))
    }

    /// Nothing is in them any more.
    ///
    /// # Errors
    /// As the server says.
    pub fn fresh(&self) -> io::Result<()> {
        let Books::Server(folder) = self else { return Ok(()) };
        let mut client = connect(folder, "postgres")?;
        let again = [
            format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)"),
            format!("CREATE DATABASE {DATABASE}"),
            "CHECKPOINT".to_owned(),
        ];
        again.iter().try_for_each(|sql| client.batch_execute(sql)).map_err(io::Error::other)
    }

    /// Lets a command work on them; without a server the settings name the file.
    pub fn lend(&self, command: &mut Command) {
        if let Books::Server(folder) = self {
            let folder = folder.to_string_lossy().replace('/', "%2F");
            command.env("ROSTERD__STORE__KIND", "postgres");
            command.env("ROSTERD__STORE__URL", format!("postgres://rosterd@{folder}/{DATABASE}"));
        }
    }

    /// How large they are.
    ///
    /// # Errors
    /// As the server or the file system says.
    pub fn bytes(&self, folder: &Path) -> io::Result<u64> {
        if let Books::Server(server) = self {
            let mut client = connect(server, DATABASE)?;
            let size = client.query_one("SELECT pg_database_size(current_database())", &[]).map_err(io::Error::other)?;
            return Ok(size.get::<_, i64>(0).unsigned_abs());
        }
        let mut bytes = 0;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with("rosterd.db") && entry.file_type()?.is_file() {
                bytes += entry.metadata()?.len();
            }
        }
        Ok(bytes)
    }

    /// Processor time of the server so far, all of its processes together.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn server_cpu(&self) -> io::Result<Duration> {
        let Some(server) = self.server_process()? else { return Ok(Duration::ZERO) };
        let mut ticks = 0;
        for entry in fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
            // A process that ended meanwhile is counted by its parent.
            let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
            let fields: Vec<u64> = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .map(|field| field.parse().unwrap_or(0))
                .collect();
            let (parent, own, with_children) = (fields.get(1), fields.get(11..13), fields.get(11..15));
            if pid == server {
                ticks += with_children.map_or(0, |ticks| ticks.iter().sum::<u64>());
            } else if parent == Some(&u64::from(server)) {
                ticks += own.map_or(0, |ticks| ticks.iter().sum::<u64>());
            }
        }
        Ok(Duration::from_millis(ticks * 10))
    }

    /// The server's first process.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn server_process(&self) -> io::Result<Option<u32>> {
        let Books::Server(folder) = self else { return Ok(None) };
        let text = fs::read_to_string(folder.join("data/postmaster.pid"))?;
        Ok(text.lines().next().and_then(|pid| pid.trim().parse().ok()))
    }
}

fn connect(folder: &Path, database: &str) -> io::Result<Client> {
    let mut config = Config::new();
    config.host(&folder.to_string_lossy()).user("rosterd").dbname(database).connect(NoTls).map_err(io::Error::other)
}
