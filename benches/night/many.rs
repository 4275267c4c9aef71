//! A night of many small customers in one process: the daemon, until it has told of a run of each.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::books::Books;
use crate::data::{District, Night, customer, head};
use crate::measure::{Measured, clear, run};

/// What it came to.
pub struct Many {
    /// How many customers.
    pub customers: u64,
    /// How many people each has.
    pub people_each: u64,
    /// The daemon from its start to the last run.
    pub measured: Measured,
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
    fs::write(folder.join("bench.toml"), settings)?;
    let mut command = Command::new(rosterd);
    command.args(["serve", "--config"]).arg(folder.join("bench.toml"));
    let is_done = |log: &Path| {
        let text = fs::read_to_string(log).unwrap_or_default();
        let is_run = |line: &&str| line.contains(&format!(": {people_each} people, "));
        text.lines().filter(is_run).count() as u64 >= customers
    };
    let label = format!("{customers} small customers");
    let measured = run(&label, folder, books, command, folder.join("many.log"), is_done)?;
    Ok(Many { customers, people_each, measured })
}
