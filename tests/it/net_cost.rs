//! The bench of pulls, small.

use std::time::Duration;

use crate::pull_cost::measure;

#[test]
fn a_pull_reads_what_fetching_alone_would_throw_away() {
    let cost = measure(20, 50, Duration::from_millis(5));
    println!(
        "fetching alone {:?}, the pull {:?} ({} % more), the roster of it {:?}",
        cost.plain,
        cost.pulled,
        cost.overhead_percent(),
        cost.finished
    );
    assert_eq!(cost.enrollments, 1_000);
    assert!(cost.pulled > cost.plain / 2, "the server took its time for both");
}
