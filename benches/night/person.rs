//! One person on demand, at noon, from a local source: the run that an administrator waits for (R107).

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::data::{District, Night, arrival, settings};
use crate::measure::{Measured, clear, run};

/// What it came to.
pub struct OnDemand {
    /// How many people the source tells of.
    pub people: u64,
    /// The runs, one for each of some people who are new in the package that waits.
    pub runs: Vec<Measured>,
}

/// Takes a district in, lays the next package down, and asks for some of the people who are new in it, one by one.
///
/// # Errors
/// When a file cannot be written or the program cannot be started.
pub fn on_demand(people: u64, folder: &Path, rosterd: &Path) -> io::Result<OnDemand> {
    clear(folder)?;
    let drop_folder = folder.join("drop");
    fs::create_dir_all(&drop_folder)?;
    fs::write(folder.join("bench.toml"), settings(people))?;
    let sync = |more: &[&str], label: &str| {
        let mut command = Command::new(rosterd);
        command.args(["sync", "bench", "--here", "--config"]).arg(folder.join("bench.toml")).args(more);
        let log = folder.join(format!("{}.log", label.replace(' ', "-")));
        run(label, folder, command, log, |_| false)
    };
    let district = District::of(people);
    district.write(Night::First, &drop_folder.join("night-1"))?;
    let first = sync(&[], "the night before")?;
    if !first.status.success() {
        return Ok(OnDemand { people, runs: vec![first] });
    }
    district.write(Night::Changed, &drop_folder.join("night-2"))?;
    let runs = (0..3).map(|number| sync(&["--person", &arrival(people, number)], &format!("one person {number}")));
    Ok(OnDemand { people, runs: runs.collect::<io::Result<_>>()? })
}
