//! How long a night takes: `cargo bench --bench night -- [--people N] [--dir D] [--keep] [--only-folder | --only-person]`.
//!
//! Writes a made-up district, runs `rosterd sync bench --here` over it three times (first night, nothing changed, 1 %
//! changed), as folders and as zips, runs a district of a hundredth of the size, one night of many small customers, and one
//! person on demand out of a hundred thousand, and prints seconds, memory, store size, and all of it held against the goals. Exits with 1 if a night failed; a goal
//! that is not reached is told and is no failure, as a busy machine misses some.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod data;
mod goals;
mod many;
mod measure;
mod person;

const USAGE: &str = "usage: cargo bench --bench night -- [--people N] [--dir D] [--keep] [--only-folder | --only-person]";

struct Options {
    people: u64,
    dir: PathBuf,
    keep: bool,
    only_folder: bool,
    only_person: bool,
}

/// So many people are in the source that is asked for one of them.
const PEOPLE_BESIDE_ONE: u64 = 100_000;

fn options() -> Result<Option<Options>, String> {
    let default_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench-data");
    // Without `--bench` this was started by a test runner, which only wants to know that it runs.
    let mut options = Options { people: 20_000, dir: default_dir, keep: false, only_folder: true, only_person: false };
    let mut people = None;
    let mut only_folder = false;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value; {USAGE}"));
        match argument.as_str() {
            "--bench" => (options.people, options.only_folder) = (1_000_000, false),
            "--people" => {
                let text = value()?.replace('_', "");
                people = Some(text.parse::<u64>().map_err(|_| format!("--people {text} is not a number; {USAGE}"))?);
            }
            "--dir" => options.dir = value()?.into(),
            "--keep" => options.keep = true,
            "--only-folder" => only_folder = true,
            "--only-person" => options.only_person = true,
            "--list" => return Ok(None),
            other => return Err(format!("unknown argument {other}; {USAGE}")),
        }
    }
    options.people = people.unwrap_or(options.people).max(1_000);
    options.only_folder |= only_folder;
    Ok(Some(options))
}

fn measured(options: &Options) -> io::Result<goals::Runs> {
    let Options { people, dir, keep: _, only_folder, only_person: _ } = options;
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    std::fs::create_dir_all(dir)?;
    let nights = |people, zipped| measure::nights(people, dir, rosterd, zipped, |line| println!("{line}"));
    let more = !only_folder;
    // The large folders last: they are what `--keep` keeps.
    let many = more.then(|| many::night(2_000, 500, dir, rosterd)).transpose()?;
    let person = more.then(|| person::on_demand(PEOPLE_BESIDE_ONE, dir, rosterd)).transpose()?;
    let zip = more.then(|| nights(*people, true)).transpose()?;
    let small = more.then(|| nights((people / 100).max(1_000), false)).transpose()?;
    Ok(goals::Runs { folder: nights(*people, false)?, zip, small, many, person })
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let dir = &options.dir;
    if options.only_person {
        return only_person(dir);
    }
    let runs = match measured(&options) {
        Ok(runs) => runs,
        Err(problem) => {
            eprintln!("could not run the nights in {}: {problem}", dir.display());
            return ExitCode::FAILURE;
        }
    };
    let all = [Some(&runs.folder), runs.zip.as_ref(), runs.small.as_ref()];
    let nights: Vec<_> = all.into_iter().flatten().flat_map(|nights| &nights.nights).collect();
    println!("\n{}\n{}", measure::table(&nights), goals::table(&runs));
    let mut failed = false;
    for night in nights.iter().filter(|night| !night.status.success()) {
        failed = true;
        let log = std::fs::read_to_string(&night.log).unwrap_or_default();
        eprintln!("{} ended with {}; its output:\n{log}", night.label, night.status);
    }
    if options.keep || failed {
        println!("kept: {}", dir.display());
    } else if let Err(problem) = clear(dir) {
        eprintln!("could not clear {}: {problem}", dir.display());
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn only_person(dir: &Path) -> ExitCode {
    let person = std::fs::create_dir_all(dir)
        .and_then(|()| person::on_demand(PEOPLE_BESIDE_ONE, dir, Path::new(env!("CARGO_BIN_EXE_rosterd"))));
    match person {
        Ok(person) => {
            let runs: Vec<_> = person.runs.iter().collect();
            println!("{}\n{}", measure::table(&runs), goals::one_person(&person));
            let failed = person.runs.iter().find(|run| !run.status.success());
            failed.map_or(ExitCode::SUCCESS, |run| {
                eprintln!("{} ended with {}; see {}", run.label, run.status, run.log.display());
                ExitCode::FAILURE
            })
        }
        Err(problem) => {
            eprintln!("could not run in {}: {problem}", dir.display());
            ExitCode::FAILURE
        }
    }
}

/// Removes what a run wrote, and the folder if nothing else is in it.
fn clear(dir: &Path) -> io::Result<()> {
    measure::clear(dir)?;
    if std::fs::read_dir(dir)?.next().is_none() { std::fs::remove_dir(dir) } else { Ok(()) }
}
