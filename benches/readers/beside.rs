//! Nights of a district alone and beside readers: the real daemon, real sockets, one process for both.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::crowd::{Crowd, Door, Reads};
use crate::data::{District, Night, customer, head};

/// The customer whose pools are read; its own night is over before anything is measured.
const READ: &str = "c0";
/// How long a night may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is measured.
pub struct Plan {
    /// People of a district.
    pub people: u64,
    /// How often a night is measured alone, and as often beside readers.
    pub times: u32,
    /// How many readers.
    pub readers: u32,
    /// Each of them asks once in this time.
    pub pace: Duration,
}

/// A kind of night: how long it took alone, and beside readers.
#[derive(Debug, Default)]
pub struct Nights {
    /// Alone.
    pub alone: Vec<Duration>,
    /// Beside readers that keep their pace.
    pub beside: Vec<Duration>,
    /// Beside readers that ask again as soon as they have their answer.
    pub pressed: Vec<Duration>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    /// First nights.
    pub first: Nights,
    /// Nights on which 1 % of the people changed.
    pub changed: Nights,
    /// What readers saw that kept their pace.
    pub paced: Reads,
    /// What those saw that did not.
    pub unpaced: Reads,
}

/// A daemon; ended when dropped.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs all nights in an empty folder.
///
/// # Errors
/// When a file cannot be written, the program cannot be started, or a night or a reader failed.
pub fn measure(plan: &Plan, folder: &Path, rosterd: &Path) -> io::Result<Figures> {
    let district = District::of(plan.people);
    let (first, changed) = (folder.join("first"), folder.join("changed"));
    district.write(Night::First, &first)?;
    district.write(Night::Changed, &changed)?;
    let customers = 2 * plan.times;
    let mut settings =
        format!("[http]\nlisten = \"127.0.0.1:0\"\nrequests_per_minute = 0\n\n[daemon]\ndrop_poll_secs = 86400\n\n{}", head());
    for number in 0..=customers {
        fs::create_dir_all(folder.join(format!("drops/c{number}")))?;
        settings.push_str(&customer(&format!("c{number}"), &format!("drops/c{number}"), plan.people));
    }
    let file = folder.join("readers.toml");
    fs::write(&file, settings)?;
    let log = folder.join("daemon.log");
    let serve = Command::new(rosterd)
        .args(["serve", "--config"])
        .arg(&file)
        .stdin(Stdio::null())
        .stderr(File::create(&log)?)
        .spawn()?;
    let daemon = Daemon(serve);
    let address = until(|| {
        let text = fs::read_to_string(&log)?;
        let opened = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .find(|line| line["event"] == "door_opened");
        Ok(opened.and_then(|line| line["address"].as_str().map(str::to_owned)))
    })?;
    let made =
        Command::new(rosterd).args(["token", "create", "bench", "--role", "operator", "--config"]).arg(&file).output()?;
    let token = String::from_utf8_lossy(&made.stdout).lines().next().unwrap_or_default().to_owned();
    let door = Door { address, token };
    let night = |id: &str, package: &Path| night(&door, id, package, &folder.join("drops").join(id));
    night(READ, &first)?;

    let path = format!("/api/v1/customers/{READ}/pools");
    let mut figures = Figures::default();
    for (package, nights) in [(&first, &mut figures.first), (&changed, &mut figures.changed)] {
        for time in 0..plan.times {
            nights.alone.push(night(&format!("c{}", 2 * time + 1), package)?);
            let crowd = Crowd::gather(plan.readers, Some(plan.pace), &door, &path);
            nights.beside.push(night(&format!("c{}", 2 * time + 2), package)?);
            figures.paced = figures.paced.with(crowd.disperse()?);
        }
    }
    // And back again: 1 % of the people change once more.
    for time in 0..plan.times {
        let crowd = Crowd::gather(plan.readers, None, &door, &path);
        figures.changed.pressed.push(night(&format!("c{}", 2 * time + 1), &first)?);
        figures.unpaced = figures.unpaced.with(crowd.disperse()?);
    }
    drop(daemon);
    Ok(figures)
}

/// Delivers a package, asks for a run and waits for it; how long the run took by its own row.
fn night(door: &Door, id: &str, package: &Path, drop_folder: &Path) -> io::Result<Duration> {
    let number = fs::read_dir(drop_folder)?.count() + 1;
    deliver(package, &drop_folder.join(format!("night-{number}")))?;
    let mut way = door.connect()?;
    let mut ask = |method: &str, path: &str, body: &str| -> io::Result<Value> {
        let (status, answer) = door.ask(&mut way, method, path, body)?;
        let told = || io::Error::other(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&answer)));
        if (200..300).contains(&status) { serde_json::from_slice(&answer).map_err(|_| told()) } else { Err(told()) }
    };
    let asked = ask("POST", &format!("/api/v1/customers/{id}/requests"), "{}")?;
    let request = format!("/api/v1/requests/{}", asked["request"]);
    let run = until(|| {
        let request = ask("GET", &request, "")?;
        Ok((request["state"] == "done").then(|| request["run"].clone()))
    })?;
    let run = ask("GET", &format!("/api/v1/runs/{run}"), "")?;
    let instant = |field: &str| run[field].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    match (run["state"].as_str(), instant("began"), instant("ended")) {
        (Some("succeeded"), Some(began), Some(ended)) => {
            Duration::try_from(began.until(ended).map_err(io::Error::other)?).map_err(io::Error::other)
        }
        _ => Err(io::Error::other(format!("the night failed: {run}"))),
    }
}

/// The same files under another name, without a copy of them.
fn deliver(package: &Path, to: &Path) -> io::Result<()> {
    let part = PathBuf::from(format!("{}.part", to.display()));
    fs::create_dir(&part)?;
    for entry in fs::read_dir(package)? {
        let entry = entry?;
        fs::hard_link(entry.path(), part.join(entry.file_name()))?;
    }
    fs::rename(part, to)
}

/// Asks again and again until there is an answer.
fn until<T>(mut ask: impl FnMut() -> io::Result<Option<T>>) -> io::Result<T> {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if began.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        sleep(Duration::from_millis(20));
    }
}
