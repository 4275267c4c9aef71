//! How long a night takes: `cargo bench --bench night -- [--people N] [--dir D] [--keep]`.
//!
//! Writes a made-up district, runs `rosterd sync bench --here` over it three times (first night, nothing changed, 1 %
//! changed) and prints seconds, the ratio to a plain parse of the same bytes, peak memory and store size. Exits with 1
//! if a night failed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod data;
mod measure;

const USAGE: &str = "usage: cargo bench --bench night -- [--people N] [--dir D] [--keep]";

struct Options {
    people: u64,
    dir: PathBuf,
    keep: bool,
}

fn options() -> Result<Option<Options>, String> {
    let default_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench-data");
    // Without `--bench` this was started by a test runner, which only wants to know that it runs.
    let mut options = Options { people: 20_000, dir: default_dir, keep: false };
    let mut people = None;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value; {USAGE}"));
        match argument.as_str() {
            "--bench" => options.people = 1_000_000,
            "--people" => {
                let text = value()?.replace('_', "");
                people = Some(text.parse::<u64>().map_err(|_| format!("--people {text} is not a number; {USAGE}"))?);
            }
            "--dir" => options.dir = value()?.into(),
            "--keep" => options.keep = true,
            "--list" => return Ok(None),
            other => return Err(format!("unknown argument {other}; {USAGE}")),
        }
    }
    options.people = people.unwrap_or(options.people).max(1_000);
    Ok(Some(options))
}

fn main() -> ExitCode {
    let Options { people, dir, keep } = match options() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let measured = std::fs::create_dir_all(&dir)
        .and_then(|()| measure::nights(people, &dir, Path::new(env!("CARGO_BIN_EXE_rosterd")), |line| println!("{line}")));
    let nights = match measured {
        Ok(nights) => nights,
        Err(problem) => {
            eprintln!("could not run the nights in {}: {problem}", dir.display());
            return ExitCode::FAILURE;
        }
    };
    println!("\n{}", measure::table(&nights));
    let mut failed = false;
    for night in nights.iter().filter(|night| !night.status.success()) {
        failed = true;
        let log = std::fs::read_to_string(&night.log).unwrap_or_default();
        eprintln!("{} ended with {}; its output:\n{log}", night.label, night.status);
    }
    if keep || failed {
        println!("kept: {}", dir.display());
    } else if let Err(problem) = clear(&dir) {
        eprintln!("could not clear {}: {problem}", dir.display());
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Removes what a run wrote, and the folder if nothing else is in it.
fn clear(dir: &Path) -> std::io::Result<()> {
    std::fs::remove_dir_all(dir.join("drop"))?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name == "bench.toml" || name.starts_with("rosterd.db") || name.ends_with("night.log") {
            std::fs::remove_file(entry.path())?;
        }
    }
    if std::fs::read_dir(dir)?.next().is_none() { std::fs::remove_dir(dir) } else { Ok(()) }
}
