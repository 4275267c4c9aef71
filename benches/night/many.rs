//! A night of many small customers in one process: the daemon, until it has told of a run of each.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::books::Books;
use crate::data::{District, Night, customer, head};
use crate::measure::{Measured, children_cpu, clear, run};

/// So often `rosterd status` is asked.
const ASKED: u32 = 21;

/// What it came to.
pub struct Many {
    /// How many customers.
    pub customers: u64,
    /// How many people each has.
    pub people_each: u64,
    /// The daemon from its start to the last run.
    pub measured: Measured,
    /// What it takes to ask how all of them stand afterwards.
    pub status: Status,
}

/// The whole command `rosterd status`.
pub struct Status {
    /// From start to exit of the process: the median of several.
    pub wall: Duration,
    /// Processor time of all its threads: the mean of the same.
    pub cpu: Duration,
    /// Lines of the settings that it reads.
    pub settings_lines: usize,
    /// Lines that it writes.
    pub lines: usize,
}

/// Writes a package for each customer and lets the daemon take them all in.
///
/// # Errors
/// When a file cannot be written or the program cannot be started.
pub fn night(customers: u64, people_each: u64, folder: &Path, rosterd: &Path, books: &Books) -> io::Result<Many> {
    clear(folder)?;
    books.fresh()?;
    let district = District::of(people_each);
    let mut settings = head();
    for number in 0..customers {
        let drop_folder = format!("drops/{number}");
        district.write(Night::First, &folder.join(&drop_folder).join("night-1"))?;
        settings.push_str(&customer(&format!("c{number}"), &drop_folder, people_each));
    }
    fs::write(folder.join("bench.toml"), &settings)?;
    let mut command = Command::new(rosterd);
    command.args(["serve", "--config"]).arg(folder.join("bench.toml"));
    let is_done = |log: &Path| {
        let text = fs::read_to_string(log).unwrap_or_default();
        let is_run = |line: &&str| line.contains(&format!(": {people_each} people, "));
        text.lines().filter(is_run).count() as u64 >= customers
    };
    let label = format!("{customers} small customers");
    let measured = run(&label, folder, books, command, folder.join("many.log"), is_done)?;
    let status = status(folder, rosterd, books, settings.lines().count())?;
    Ok(Many { customers, people_each, measured, status })
}

/// Asks how all stand, once to clear up after the daemon, then as often as it is measured.
fn status(folder: &Path, rosterd: &Path, books: &Books, settings_lines: usize) -> io::Result<Status> {
    let ask = || {
        let mut command = Command::new(rosterd);
        command.args(["status", "--config"]).arg(folder.join("bench.toml"));
        books.lend(&mut command);
        let began = Instant::now();
        let answer = command.output()?;
        let wall = began.elapsed();
        if !answer.status.success() {
            let told = String::from_utf8_lossy(&answer.stderr).into_owned();
            return Err(io::Error::other(format!("`rosterd status` ended with {}: {told}", answer.status)));
        }
        Ok((wall, String::from_utf8_lossy(&answer.stdout).lines().count()))
    };
    let (_, lines) = ask()?;
    let cpu_before = children_cpu()?;
    let mut walls = (0..ASKED).map(|_| Ok(ask()?.0)).collect::<io::Result<Vec<Duration>>>()?;
    let cpu = children_cpu()?.saturating_sub(cpu_before) / ASKED;
    walls.sort_unstable();
    Ok(Status { wall: walls[walls.len() / 2], cpu, settings_lines, lines })
}
