//! Random damage: nothing panics, and what is read is either rows or findings.

use proptest::prelude::*;

use crate::source::api::SourceError;
use crate::source::csv::tests::build::{PackageBuilder, Recorder, pull_path, zip_of};

/// Each change puts a byte somewhere: on the place of another, before it, or instead of it and what follows.
fn damaged(mut bytes: Vec<u8>, changes: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    for (place, how, byte) in changes {
        if bytes.is_empty() {
            return bytes;
        }
        let at = place.index(bytes.len());
        match how {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn is_sane(outcome: Result<Recorder, SourceError>) -> bool {
    match outcome {
        Ok(recorder) => recorder.rows.iter().any(|row| row.starts_with("begin")),
        Err(SourceError::Rejected { findings, .. }) => !findings.is_empty(),
        // Some damage to a zip looks to the unpacking like a failing disk.
        Err(SourceError::Unreachable { .. }) => true,
        Err(SourceError::Upstream { .. } | SourceError::Unusable { .. } | SourceError::Disconnected { .. }) => false,
    }
}

fn changes(how_max: u8) -> impl Strategy<Value = Vec<(prop::sample::Index, u8, u8)>> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b",\"\n\r 0aZ".to_vec())];
    prop::collection::vec((any::<prop::sample::Index>(), 0..=how_max, byte), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files(version in any::<bool>(), file in any::<prop::sample::Index>(), lenient in any::<bool>(), changes in changes(3)) {
        let mut files = if version { PackageBuilder::v1_1() } else { PackageBuilder::v1_2() }.files();
        let file = file.index(files.len());
        let bytes = std::mem::take(&mut files[file].1);
        files[file].1 = damaged(bytes, &changes);
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("p.zip");
        std::fs::write(&path, zip_of(&files)).expect("write");
        let outcome = pull_path(&path, |settings| settings.lenient = lenient);
        prop_assert!(is_sane(outcome));
    }

    #[test]
    fn damaged_zips(changes in changes(3)) {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("p.zip");
        std::fs::write(&path, damaged(zip_of(&PackageBuilder::v1_1().files()), &changes)).expect("write");
        let outcome = pull_path(&path, |_| {});
        prop_assert!(is_sane(outcome));
    }
}
