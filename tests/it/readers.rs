//! The benchmark of readers beside a night at a small size: it measures what it says, and nobody is turned away.

use std::path::Path;
use std::time::Duration;

use crate::beside::{Nights, Plan, measure};

#[test]
fn readers_beside_a_night_are_all_answered() {
    let folder = tempfile::tempdir().unwrap();
    // More at once than questions are worked on.
    let plan = Plan { people: 2_000, times: 1, readers: 48, pace: Duration::from_millis(500) };
    let figures = measure(&plan, folder.path(), Path::new(env!("CARGO_BIN_EXE_rosterd"))).unwrap();
    println!("{figures:?}");
    for Nights { alone, beside, pressed: _ } in [&figures.first, &figures.changed] {
        assert!([alone, beside].iter().all(|nights| nights.len() == 1 && nights[0] > Duration::ZERO), "{figures:?}");
    }
    assert_eq!(figures.changed.pressed.len(), 1);
    for reads in [&figures.paced, &figures.unpaced] {
        assert_eq!(reads.refused, 0, "{figures:?}");
        assert!(!reads.took.is_empty() && reads.took.is_sorted(), "{figures:?}");
        assert!(reads.percentile(50) <= reads.percentile(99) && reads.percentile(99) <= reads.percentile(100));
    }
}
