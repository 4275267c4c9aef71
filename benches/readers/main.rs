//! How long a pool read takes while a night runs, and what readers cost the night:
//! `cargo bench --bench readers -- [--people N] [--readers N] [--times N]`.
//!
//! One daemon, its HTTP door, and clients on connections of their own: nights of a made-up district alone and beside readers, in
//! turn, each reader asking for a customer's pools once a second as a dashboard would; then nights beside readers that ask again
//! as soon as they have their answer, which is told and has no goal. Exits with 1 if something failed, or if a goal is missed:
//! 99 of 100 reads within 50 ms, a night at most 20 % slower.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

mod beside;
mod crowd;
#[path = "../night/data.rs"]
mod data;

use crate::beside::{Figures, Nights, Plan, measure};
use crate::crowd::Reads;

const USAGE: &str = "usage: cargo bench --bench readers -- [--people N] [--readers N] [--times N]";
const READ_MAX: Duration = Duration::from_millis(50);
const SLOWER_PERCENT_MAX: u128 = 20;

fn plan() -> Result<Option<Plan>, String> {
    // Without `--bench` this was started by a test runner, which only wants to know that it runs.
    let mut plan = Plan { people: 2_000, times: 1, readers: 20, pace: Duration::from_secs(1) };
    let mut arguments = std::env::args().skip(1).collect::<Vec<_>>();
    if arguments.iter().any(|argument| argument == "--bench") {
        plan = Plan { people: 200_000, times: 5, readers: 200, ..plan };
        arguments.retain(|argument| argument != "--bench");
    }
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        if argument == "--list" {
            return Ok(None);
        }
        let value = arguments.next().ok_or(format!("{argument} needs a value; {USAGE}"))?.replace('_', "");
        let number = value.parse::<u32>().ok().filter(|number| *number > 0);
        let number = number.ok_or(format!("{argument} {value} is not a number; {USAGE}"))?;
        match argument.as_str() {
            "--people" => plan.people = u64::from(number.max(1_000)),
            "--readers" => plan.readers = number,
            "--times" => plan.times = number,
            other => return Err(format!("unknown argument {other}; {USAGE}")),
        }
    }
    Ok(Some(plan))
}

fn main() -> ExitCode {
    let plan = match plan() {
        Ok(Some(plan)) => plan,
        Ok(None) => return ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    let measured = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .and_then(|folder| measure(&plan, folder.path(), Path::new(env!("CARGO_BIN_EXE_rosterd"))));
    match measured {
        Ok(figures) if told(&plan, &figures) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("could not run the nights: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the figures; whether all goals are reached.
fn told(plan: &Plan, figures: &Figures) -> bool {
    let Plan { people, times: _, readers, pace } = plan;
    let Figures { first, changed, paced, unpaced } = figures;
    println!("{readers} readers of a customer's pools, each once in {} ms; nights of {people} people, in ms", pace.as_millis());
    println!("{:<14} {:<40} {:<40} slower, by the medians", "", "alone", "beside them");
    let first = night("first night", &first.alone, &first.beside);
    let Nights { alone, beside, pressed } = changed;
    let changed = night("1 % night", alone, beside);
    let reads = reads("reads", paced);
    println!("the same readers, each again as soon as it has its answer (no goal):");
    night("1 % night", alone, pressed);
    self::reads("reads", unpaced);
    let goals = [
        ("99 of 100 reads within 50 ms", reads),
        ("the first night at most 20 % slower", first),
        ("the 1 % night at most 20 % slower", changed),
        ("no read refused", paced.refused == 0),
    ];
    for (goal, is_reached) in goals {
        println!("goal: {goal}: {}", if is_reached { "reached" } else { "MISSED" });
    }
    goals.iter().all(|(_, is_reached)| *is_reached)
}

fn night(label: &str, alone: &[Duration], beside: &[Duration]) -> bool {
    let list = |nights: &[Duration]| nights.iter().map(|night| night.as_millis().to_string()).collect::<Vec<_>>().join(" ");
    let (base, other) = (median(alone).as_millis().max(1), median(beside).as_millis());
    println!("{label:<14} {:<40} {:<40} {} %", list(alone), list(beside), (other * 100 / base).saturating_sub(100));
    other * 100 <= base * (100 + SLOWER_PERCENT_MAX)
}

fn median(nights: &[Duration]) -> Duration {
    let mut nights = nights.to_vec();
    nights.sort_unstable();
    nights.get(nights.len() / 2).copied().unwrap_or_default()
}

fn reads(label: &str, reads: &Reads) -> bool {
    let millis = |time: Duration| format!("{}.{} ms", time.as_micros() / 1000, time.as_micros() / 100 % 10);
    let (half, most) = (reads.percentile(50), reads.percentile(99));
    println!(
        "{label:<14} {} answered, p50 {}, p99 {}, slowest {}, refused {}",
        reads.took.len(),
        millis(half),
        millis(most),
        millis(reads.percentile(100)),
        reads.refused
    );
    !reads.took.is_empty() && most < READ_MAX
}
