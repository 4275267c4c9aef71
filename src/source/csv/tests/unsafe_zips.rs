//! Packages that mean harm.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::source::csv::tests::build::{PackageBuilder, read_path, zip_of};

/// What a zip of these bytes is rejected for.
fn rejected(bytes: &[u8]) -> Vec<String> {
    let dir = tempfile::tempdir().expect("dir");
    let path = dir.path().join("p.zip");
    fs::write(&path, bytes).expect("write");
    read_path(&path, |_| {}).expect_err("a rejection").iter().map(ToString::to_string).collect()
}

fn with(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = PackageBuilder::v1_1().files();
    files.push((name.to_owned(), bytes.to_vec()));
    files
}

/// The sound package with every place of a name exchanged for another one of the same length.
fn renamed(from: &str, to: &str) -> Vec<u8> {
    exchanged(zip_of(&with(from, b"x")), from.as_bytes(), to.as_bytes())
}

fn exchanged(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..=bytes.len() - from.len()).filter(|&at| bytes[at..].starts_with(from)).collect();
    assert_eq!(places.len(), 2, "in the local and in the central header");
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for (name, told) in [
        ("/abs.csv", "/abs.csv zip_unsafe_entry: the name is an absolute path"),
        ("\\abs.csv", "\\abs.csv zip_unsafe_entry: the name is an absolute path"),
        ("C:abs.csv", "C:abs.csv zip_unsafe_entry: the name is an absolute path"),
        ("../up.csv", "../up.csv zip_unsafe_entry: the name leads out of the package"),
        ("a/../u.csv", "a/../u.csv zip_unsafe_entry: the name leads out of the package"),
        ("d/in.csv", "d/in.csv zip_unsafe_entry: it lies in a folder; all files must lie at the root"),
        ("folder/", "folder/ zip_unsafe_entry: it is a folder; all files must lie at the root"),
        ("a\nb.csv", "a\u{fffd}b.csv zip_unsafe_entry: the name is empty or has control characters"),
        ("ORGS.csv", "orgs.csv zip_unsafe_entry: it is the same file as `ORGS.csv`"),
    ] {
        let placeholder = "q".repeat(name.len());
        assert_eq!(rejected(&renamed(&placeholder, name)), [told], "{name}");
    }
    let twice = exchanged(zip_of(&with("qqqq.csv", b"x")), b"qqqq.csv", b"orgs.csv");
    assert_eq!(rejected(&twice), ["zip_unsafe_entry: two entries have the same name"]);
}

#[test]
fn encrypted_and_oddly_packed_entries_are_refused() {
    let mut bytes = zip_of(&PackageBuilder::v1_1().files());
    let central = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"PK\x01\x02")).nth(1).expect("entry");
    bytes[central + 8] |= 1;
    let told = rejected(&bytes);
    assert!(told.len() == 1 && told[0].ends_with("zip_unsafe_entry: it is encrypted"), "{told:?}");
    let mut bytes = zip_of(&PackageBuilder::v1_1().files());
    bytes[central + 10] = 12;
    let told = rejected(&bytes);
    assert!(told.len() == 1 && told[0].ends_with("zip_invalid: it is packed by another method than DEFLATE"), "{told:?}");
}

#[test]
fn what_is_no_zip_is_refused() {
    assert!(rejected(b"not a zip")[0].starts_with("zip_invalid: it cannot be read as a zip"));
    assert!(rejected(b"")[0].starts_with("zip_invalid"));
    let bytes = zip_of(&PackageBuilder::v1_1().files());
    assert!(rejected(&bytes[..bytes.len() / 2])[0].starts_with("zip_invalid"));
}

#[test]
fn a_zip_bomb_is_refused_at_once() {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in PackageBuilder::v1_1().without("users").mode("users", "bulk").files() {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("entry");
        zip.write_all(&bytes).expect("bytes");
    }
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1));
    zip.start_file("users.csv", options).expect("entry");
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..64 {
        zip.write_all(&zeros).expect("bytes");
    }
    let bomb = zip.finish().expect("zip").into_inner();
    let started = Instant::now();
    let told = rejected(&bomb);
    assert!(told.len() == 1 && told[0].starts_with("users.csv zip_too_large: "), "{told:?}");
    // The same with a length that lies: what is declared passes, and no more than that is unpacked.
    let size = (64u32 << 20).to_le_bytes();
    let lie = |length: u32| {
        let mut bytes = bomb.clone();
        let places: Vec<usize> = (0..bytes.len() - 4).filter(|&at| bytes[at..at + 4] == size).collect();
        for at in places {
            bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
        }
        rejected(&bytes)
    };
    let told = lie(1000);
    assert!(told.len() == 1 && told[0].starts_with("users.csv zip_invalid: "), "{told:?}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn lengths_and_sums_that_lie_are_found() {
    let text = PackageBuilder::v1_1().text("enrollments");
    let bytes = zip_of(&PackageBuilder::v1_1().files());
    let central = |name: &[u8]| {
        (0..bytes.len() - 46)
            .find(|&at| bytes[at..].starts_with(b"PK\x01\x02") && bytes[at + 46..].starts_with(name))
            .expect("entry")
    };
    let at = central(b"enrollments.csv");
    for length in [text.len() - 1, text.len() + 1, 10] {
        let mut lying = bytes.clone();
        lying[at + 24..at + 28].copy_from_slice(&(length as u32).to_le_bytes());
        let told = rejected(&lying);
        assert!(told.len() == 1 && told[0].starts_with("enrollments.csv zip_invalid: "), "{told:?}");
    }
    let mut lying = bytes.clone();
    lying[at + 16] ^= 1;
    let told = rejected(&lying);
    assert!(told[0].starts_with("enrollments.csv zip_invalid: the entry cannot be unpacked"), "{told:?}");
}

#[test]
fn folders_are_held_to_the_same_rules() {
    let dir = tempfile::tempdir().expect("dir");
    PackageBuilder::v1_1().folder(dir.path());
    fs::create_dir(dir.path().join("more")).expect("folder");
    fs::remove_file(dir.path().join("orgs.csv")).expect("remove");
    std::os::unix::fs::symlink("/etc/passwd", dir.path().join("orgs.csv")).expect("link");
    fs::write(dir.path().join("USERS.csv"), "x").expect("write");
    let told: Vec<String> = read_path(dir.path(), |_| {}).expect_err("unsafe").iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "more zip_unsafe_entry: it is not a file; all files must lie directly in the package",
            "orgs.csv zip_unsafe_entry: it is a symbolic link",
            "users.csv zip_unsafe_entry: it is the same file as `USERS.csv`",
        ]
    );
}
