//! How long a night takes: `cargo bench --bench night -- [--people N] [--dir D] [--keep] [--only PART] [--store STORE]`.
//!
//! Writes a made-up district, runs `rosterd sync bench --here` over it three times (first night, nothing changed, 1 %
//! changed), as folders and as zips, and a district of a hundredth of the size; takes in one person of a large source; runs
//! one night of many small customers; and prints seconds, memory, store size, and all of it held against the goals. A part
//! is one of `folder`, `zip`, `small`, `person` and `many`, and `nodes`, which runs alone when it is asked for: the customers
//! of one night on one node and on two (docs/SCALING.md). A store is `sqlite` or `postgres`: a server of the benchmark's own.
//! Exits with 1 if a night failed; a goal that is not reached is
//! told and is no failure, as a busy machine misses some.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::books::Books;

mod books;
mod data;
mod goals;
mod many;
mod measure;
mod nodes;
mod person;

const USAGE: &str = "usage: cargo bench --bench night -- [--people N] [--dir D] [--keep] [--only PART] [--store STORE]";
const PARTS: [&str; 6] = ["folder", "zip", "small", "person", "many", "nodes"];

struct Options {
    people: u64,
    dir: PathBuf,
    keep: bool,
    /// The one part that is run; `None`: all.
    only: Option<String>,
    /// The books are in a PostgreSQL.
    postgres: bool,
}

fn options() -> Result<Option<Options>, String> {
    let default_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench-data");
    // Without `--bench` this was started by a test runner, which only wants to know that it runs.
    let mut options =
        Options { people: 20_000, dir: default_dir, keep: false, only: Some("folder".to_owned()), postgres: false };
    let (mut people, mut only) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value; {USAGE}"));
        match argument.as_str() {
            "--bench" => (options.people, options.only) = (1_000_000, None),
            "--people" => {
                let text = value()?.replace('_', "");
                people = Some(text.parse::<u64>().map_err(|_| format!("--people {text} is not a number; {USAGE}"))?);
            }
            "--dir" => options.dir = value()?.into(),
            "--keep" => options.keep = true,
            "--only" => {
                let part = value()?;
                if !PARTS.contains(&part.as_str()) {
                    return Err(format!("--only {part}: there are {}; {USAGE}", PARTS.join(", ")));
                }
                only = Some(part);
            }
            "--store" => {
                options.postgres = match value()?.as_str() {
                    "sqlite" => false,
                    "postgres" => true,
                    store => return Err(format!("--store {store}: there are sqlite, postgres; {USAGE}")),
                };
            }
            "--list" => return Ok(None),
            other => return Err(format!("unknown argument {other}; {USAGE}")),
        }
    }
    options.people = people.unwrap_or(options.people).max(1_000);
    options.only = only.or(options.only);
    Ok(Some(options))
}

fn measured(options: &Options) -> io::Result<goals::Runs> {
    let Options { people, dir, keep: _, only, postgres } = options;
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    std::fs::create_dir_all(dir)?;
    let books = if *postgres { Books::server()? } else { Books::File };
    let nights = |people, zipped| measure::nights(people, dir, rosterd, &books, zipped, |line| println!("{line}"));
    let runs = |part| only.as_ref().is_none_or(|only| only == part);
    // The large folders last: they are what `--keep` keeps.
    let many = runs("many").then(|| many::night(2_000, 500, dir, rosterd, &books)).transpose()?;
    let person = runs("person").then(|| person::on_demand((people / 10).max(1_000), dir, rosterd, &books)).transpose()?;
    let zip = runs("zip").then(|| nights(*people, true)).transpose()?;
    let small = runs("small").then(|| nights((people / 100).max(1_000), false)).transpose()?;
    let folder = runs("folder").then(|| nights(*people, false)).transpose()?;
    Ok(goals::Runs { folder, zip, small, person, many })
}

/// The customers of one night on one node and on two.
fn shared(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let shared = nodes::nights(dir, Path::new(env!("CARGO_BIN_EXE_rosterd")), &Books::server()?)?;
    println!("{}", nodes::table(&shared));
    clear(dir)
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
    if options.only.as_deref() == Some("nodes") {
        return match shared(dir) {
            Ok(()) => ExitCode::SUCCESS,
            Err(problem) => {
                eprintln!("could not run the nodes in {}: {problem}", dir.display());
                ExitCode::FAILURE
            }
        };
    }
    let runs = match measured(&options) {
        Ok(runs) => runs,
        Err(problem) => {
            eprintln!("could not run the nights in {}: {problem}", dir.display());
            return ExitCode::FAILURE;
        }
    };
    let all = [runs.folder.as_ref(), runs.zip.as_ref(), runs.small.as_ref()];
    let nights = all.into_iter().flatten().flat_map(|nights| &nights.nights);
    let nights: Vec<_> = nights.chain(runs.person.iter().map(|person| &person.measured)).collect();
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

/// Removes what a run wrote, and the folder if nothing else is in it.
fn clear(dir: &Path) -> io::Result<()> {
    measure::clear(dir)?;
    if std::fs::read_dir(dir)?.next().is_none() { std::fs::remove_dir(dir) } else { Ok(()) }
}
