//! `cargo bench --bench pull [-- PAGES ROWS]`: what a pull over the network costs beside the fetching, at several speeds of a
//! provider. The goal: at most 15 percent more than fetching alone.

#[path = "../../tests/it/fake_http.rs"]
#[allow(dead_code, reason = "it serves many tests; a bench needs little of it")]
#[allow(clippy::allow_attributes, reason = "what is unused differs from one user of the file to the next")]
mod fake_http;
mod measure;

use std::time::Duration;

use crate::measure::measure;

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (pages, rows) = (numbers.first().copied().unwrap_or(1_000), numbers.get(1).copied().unwrap_or(1_000));
    println!("{pages} pages of {rows} enrollments, one request at a time");
    for millis in [0, 20, 100] {
        let cost = measure(pages, rows, Duration::from_millis(millis));
        println!(
            "a page takes {millis:3} ms: fetching alone {:?}, the pull {:?} ({} % more; goal 15), the roster of it {:?}",
            cost.plain,
            cost.pulled,
            cost.overhead_percent(),
            cost.finished,
        );
        assert_eq!(cost.enrollments, pages * rows);
    }
}
