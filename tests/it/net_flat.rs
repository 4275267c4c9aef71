//! The bench of memory, small: neither pages nor rows nor ids of enrollments are kept in memory, nor the time of its own at which
//! each of them last changed, however many there are.

use std::path::Path;

use crate::pull_memory::{bytes_per_enrollment, peak};

/// By so much the largest memory may grow for each enrollment. Two bytes of it tell that its id is new; the others are
/// caches of the spool and the store, which are bounded and fill for some two million; with its time, one that lay in memory would
/// take eighty.
const BYTES_MAX: u64 = 40;

#[test]
fn memory_does_not_grow_with_enrollments() {
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    let (few, many) = (700_000, 1_500_000);
    let smaller = peak(rosterd, few, 1_000);
    let mut larger = peak(rosterd, many, 1_000);
    let mut bytes = bytes_per_enrollment((&smaller, few), (&larger, many));
    if bytes > BYTES_MAX {
        // On a busy machine a thread that gives memory back may come late; what is kept is kept every time.
        larger = peak(rosterd, many, 1_000);
        bytes = bytes_per_enrollment((&smaller, few), (&larger, many));
    }
    println!(
        "{few}: {} KiB in {:?}; {many}: {} KiB in {:?}; {bytes} bytes an enrollment",
        smaller.kib, smaller.wall, larger.kib, larger.wall
    );
    assert!(bytes <= BYTES_MAX, "{bytes} bytes an enrollment");
}
