//! One person on demand: a run for that person alone, from a package of everybody that was not taken in yet.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::Command;

use crate::books::Books;
use crate::data::{District, Night};
use crate::measure::{Measured, clear, run, settings};

/// What it came to.
pub struct OnDemand {
    /// How many people the source has.
    pub people: u64,
    /// The process that takes the one in.
    pub measured: Measured,
}

/// Takes in a district, and of its next night one person.
///
/// # Errors
/// When a file cannot be written or the program cannot be started.
pub fn on_demand(people: u64, folder: &Path, rosterd: &Path, books: &Books) -> io::Result<OnDemand> {
    clear(folder)?;
    books.fresh()?;
    let (district, drop_folder) = (District::of(people), folder.join("drop"));
    fs::create_dir_all(&drop_folder)?;
    fs::write(folder.join("bench.toml"), settings(people))?;
    district.write(Night::First, &drop_folder.join("night-1"))?;
    let sync = |more: &[&str]| {
        let mut command = Command::new(rosterd);
        command.args(["sync", "bench", "--here"]).args(more).arg("--config").arg(folder.join("bench.toml"));
        command
    };
    let first = run("before one person", folder, books, sync(&[]), folder.join("before-one-person.log"), |_| false)?;
    if !first.status.success() {
        return Ok(OnDemand { people, measured: first });
    }
    district.write(Night::Changed, &drop_folder.join("night-2"))?;
    let users = BufReader::new(fs::File::open(drop_folder.join("night-2").join("users.csv"))?);
    let row = users.lines().nth(usize::try_from(people / 2).unwrap_or(usize::MAX)).transpose()?.unwrap_or_default();
    let key = row.split(',').next().unwrap_or_default().to_owned();
    let log = folder.join("one-person.log");
    let measured = run("one person on demand", folder, books, sync(&["--person", &key]), log, |_| false)?;
    Ok(OnDemand { people, measured })
}
