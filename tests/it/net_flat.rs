//! The bench of memory, small: what a whole run takes grows by the rows that are kept of enrollments, and by nothing else. Pages
//! are not kept in memory.

use std::path::Path;

use crate::pull_memory::{bytes_per_enrollment, peak};

/// A page's record of an enrollment has about so many bytes: whoever kept pages would be seen.
const RECORD_BYTES: u64 = 480;
/// An enrollment as a row on its way into a roster (28 bytes, and room to grow), the hashes of its id that tell whether it
/// came before, and the compact row of the roster (16 bytes).
const ROW_BYTES_MAX: u64 = 110;

#[test]
fn memory_grows_by_compact_rows_and_not_by_pages() {
    let rosterd = Path::new(env!("CARGO_BIN_EXE_rosterd"));
    let (few, many) = (60_000, 300_000);
    let (smaller, larger) = (peak(rosterd, few, 1_000), peak(rosterd, many, 1_000));
    let bytes = bytes_per_enrollment((&smaller, few), (&larger, many));
    println!(
        "{few}: {} KiB in {:?}; {many}: {} KiB in {:?}; {bytes} bytes an enrollment",
        smaller.kib, smaller.wall, larger.kib, larger.wall
    );
    assert!(bytes <= ROW_BYTES_MAX && bytes * 3 < RECORD_BYTES, "{bytes} bytes an enrollment");
}
