//! `cargo bench --bench pull [-- PAGES ROWS]`: what a pull over the network costs beside the fetching, at several speeds of a
//! provider. The goal: at most 15 percent more than fetching alone, from a provider that takes 20 ms or more for a page; beyond
//! it, the bench exits with 1.
//!
//! `cargo bench --bench pull -- --memory [ENROLLMENTS]`: the largest memory of a whole run of the program, for a seventh of the
//! enrollments and for all of them (7 000 000). What it grows by an enrollment has a goal, too.

#[path = "../../tests/it/fake_http.rs"]
#[allow(dead_code, reason = "it serves many tests; a bench needs little of it")]
#[allow(clippy::allow_attributes, reason = "what is unused differs from one user of the file to the next")]
mod fake_http;
mod measure;
mod memory;
#[path = "provider.rs"]
mod pull_provider;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::measure::measure;
use crate::memory::{bytes_per_enrollment, peak};

/// At most so much longer than fetching alone, in percent …
const OVERHEAD_PERCENT_MAX: u128 = 15;
/// … where a page takes at least so long, in milliseconds. One that takes no time at all says what the processor does.
const GOAL_FROM_MILLIS: u64 = 20;
/// At most so many bytes of memory more for each enrollment more: rows and ids that lay in it would be 50.
const BYTES_EACH_MAX: u64 = 12;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.replace('_', "").parse().ok()).collect();
    if words.iter().any(|word| word == "--memory") {
        return memory(numbers.first().copied().unwrap_or(7_000_000));
    }
    let (pages, rows) = (numbers.first().copied().unwrap_or(1_000), numbers.get(1).copied().unwrap_or(1_000));
    println!("{pages} pages of {rows} enrollments, one request at a time");
    let mut reached = true;
    for millis in [0, GOAL_FROM_MILLIS, 50] {
        let cost = measure(pages, rows, Duration::from_millis(millis));
        let percent = cost.overhead_percent();
        let verdict = match percent {
            _ if millis < GOAL_FROM_MILLIS => "no goal",
            percent if percent <= OVERHEAD_PERCENT_MAX => "reached",
            _ => "NOT REACHED",
        };
        println!(
            "a page takes {millis:3} ms: fetching alone {:?}, the pull {:?} ({percent} % more; goal {OVERHEAD_PERCENT_MAX}: \
             {verdict}), the roster of it {:?}",
            cost.plain, cost.pulled, cost.finished,
        );
        assert_eq!(cost.enrollments, pages * rows);
        reached &= verdict != "NOT REACHED";
    }
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn memory(enrollments: usize) -> ExitCode {
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    let few = (enrollments / 7).max(1);
    let runs = [few, enrollments].map(|count| {
        let peak = peak(rosterd, count, 1_000);
        println!("{count:>9} enrollments: {:>4} MiB at most, {:?}", peak.kib.div_ceil(1024), peak.wall);
        (peak, count)
    });
    let [(smaller, few), (larger, many)] = &runs;
    let each = bytes_per_enrollment((smaller, *few), (larger, *many));
    let reached = each <= BYTES_EACH_MAX;
    println!("{each} bytes an enrollment (goal {BYTES_EACH_MAX}: {})", if reached { "reached" } else { "NOT REACHED" });
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
