//! The name of a package: a digest of its bytes.
//!
//! Of a zip it is the file's SHA-256, which is what a companion tells. Of a folder nobody else makes a digest: it is BLAKE3
//! over names, lengths and the digests of all files' pieces, so that all cores can work on one large file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;

use crate::base::{BulkDigester, Digest, Digester};
use crate::source::csv::package::{is_ignored, open_regular};
use crate::source::csv::pieces::{PIECE_BYTES, Told, piece};

/// How much is read at once, in bytes.
const STEP_BYTES: usize = 256 << 10;

/// The digest of a package's bytes: of the zip itself, or of the sorted names, lengths and bytes of a folder's files.
pub(crate) fn digest_of(path: &Path) -> io::Result<Digest> {
    if fs::metadata(path)?.is_dir() { folder_digest(path, &Told::new()) } else { file_digest(File::open(path)?) }
}

fn file_digest(mut file: File) -> io::Result<Digest> {
    let mut buffer = vec![0; STEP_BYTES];
    let mut digester = Digester::default();
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(digester.finish()),
            count => digester.stream(&buffer[..count]),
        };
    }
}

/// A file with its length, and the digests of its pieces where they are known.
type Listed = (File, u64, Option<Vec<Digest>>);

/// A piece of a file: which file, and where the piece begins.
struct Piece {
    file: usize,
    start: u64,
}

/// Of the files of which something is told nothing is read.
pub(crate) fn folder_digest(path: &Path, told: &Told) -> io::Result<Digest> {
    let mut names: Vec<_> = fs::read_dir(path)?.map(|listed| listed.map(|l| l.file_name())).collect::<io::Result<_>>()?;
    names.retain(|name| !is_ignored(&name.to_string_lossy()));
    names.sort();
    let mut files = Vec::new();
    let mut pieces = Vec::new();
    for name in &names {
        let path = path.join(name);
        // What is no file makes the package unsafe, which the reading tells; here it only has to count as something.
        let file = if fs::symlink_metadata(&path)?.is_file() {
            let file = open_regular(&path)?;
            let length = file.metadata()?.len();
            let known = told.get(name).and_then(|told| told.of_length(length));
            if known.is_none() {
                pieces.extend((0..length.div_ceil(PIECE_BYTES)).map(|at| Piece { file: files.len(), start: at * PIECE_BYTES }));
            }
            Some((file, length, known))
        } else {
            None
        };
        files.push(file);
    }
    let digests = piece_digests(&files, &pieces)?;
    let mut digester = BulkDigester::new("folder package");
    let mut next = digests.iter();
    for (name, file) in names.iter().zip(&files) {
        let name = name.as_encoded_bytes();
        digester.number(name.len() as u64).stream(name);
        let Some((_, length, known)) = file else {
            digester.number(u64::MAX);
            continue;
        };
        digester.number(*length);
        let count = if known.is_some() { 0 } else { usize::try_from(length.div_ceil(PIECE_BYTES)).unwrap_or(usize::MAX) };
        for digest in known.iter().flatten().chain(next.by_ref().take(count)) {
            digester.stream(&digest.0);
        }
    }
    Ok(digester.finish())
}

/// The digests of all pieces, in their order, made by as many threads as there are cores.
fn piece_digests(files: &[Option<Listed>], pieces: &[Piece]) -> io::Result<Vec<Digest>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(pieces.len().max(1));
    let queue = Mutex::new(pieces.iter().enumerate());
    let work = || -> io::Result<Vec<(usize, Digest)>> {
        let mut buffer = vec![0; STEP_BYTES];
        let mut done = Vec::new();
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((at, Piece { file, start })) = next else { return Ok(done) };
            if let Some((file, ..)) = &files[*file] {
                done.push((at, piece_digest(file, *start, &mut buffer)?));
            }
        }
    };
    let mut digests = vec![Digest::default(); pieces.len()];
    let parts: Vec<_> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined = others.into_iter().map(|other| other.join().unwrap_or_else(|_| Err(io::Error::other("a thread died"))));
        joined.chain([own]).collect()
    });
    for part in parts {
        for (at, digest) in part? {
            digests[at] = digest;
        }
    }
    Ok(digests)
}

/// A file that became shorter meanwhile has another digest, and whoever asks looks at its stamp again.
fn piece_digest(file: &File, start: u64, buffer: &mut [u8]) -> io::Result<Digest> {
    let mut digester = piece();
    let (mut at, end) = (start, start + PIECE_BYTES);
    while at < end {
        let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
        match file.read_at(&mut buffer[..wanted], at)? {
            0 => break,
            count => {
                digester.stream(&buffer[..count]);
                at += count as u64;
            }
        }
    }
    Ok(digester.finish())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::source::csv::digest::{STEP_BYTES, digest_of, folder_digest};
    use crate::source::csv::pieces::{PIECE_BYTES, Pieces, Told};

    #[test]
    fn a_folder_is_named_by_names_and_bytes_alone() {
        let place = tempfile::tempdir().expect("tempdir");
        let folder = |name: &str, files: &[(&str, &[u8])]| {
            let path = place.path().join(name);
            fs::create_dir(&path).expect("mkdir");
            files.iter().for_each(|(name, bytes)| fs::write(path.join(name), bytes).expect("write"));
            digest_of(&path).expect("digest")
        };
        let long = vec![b'x'; PIECE_BYTES as usize + 3];
        let mut longer = long.clone();
        longer[PIECE_BYTES as usize] = b'y';
        let first = folder("a", &[("one.csv", b"1"), ("two.csv", &long)]);
        assert_eq!(folder("b", &[("two.csv", &long), ("one.csv", b"1"), (".hidden", b"h"), ("one.part", b"p")]), first);
        for (name, files) in [
            ("c", [("one.csv", &b"2"[..]), ("two.csv", &long)]),
            ("d", [("one.csv", b"1"), ("two.csv", &longer)]),
            ("e", [("one.csv", b"1"), ("two.csv", &long[1..])]),
            ("f", [("one.csv", b""), ("two.csv", &long)]),
            ("g", [("uno.csv", b"1"), ("two.csv", &long)]),
        ] {
            assert_ne!(folder(name, &files), first, "{name}");
        }
        // The same is told of bytes that pass by, in steps of any length.
        let told = |step: usize, of: &[u8]| {
            let mut pieces = Pieces::default();
            of.chunks(step).for_each(|bytes| pieces.stream(bytes));
            folder_digest(&place.path().join("a"), &Told::from([("two.csv".into(), pieces)])).expect("digest")
        };
        for step in [STEP_BYTES, STEP_BYTES + 1, PIECE_BYTES as usize, usize::MAX] {
            assert_eq!(told(step, &long), first, "{step}");
            assert_ne!(told(step, &longer), first, "it is not read again");
            assert_eq!(told(step, &long[1..]), first, "not all of it passed by");
        }
        let zip = place.path().join("a.zip");
        fs::write(&zip, b"abc").expect("write");
        assert!(digest_of(&zip).expect("digest").to_string().starts_with("ba7816bf"));
    }
}
