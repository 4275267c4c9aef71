//! Runs nights through the `rosterd` program as a child process, and takes time, peak memory and store size.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::data::{District, Night, Written, settings};

/// One night as measured.
#[derive(Debug)]
pub struct Measured {
    /// Which night.
    pub label: &'static str,
    /// From start to exit of the process.
    pub wall: Duration,
    /// A plain parse of the same bytes, in this process.
    pub parse: Duration,
    /// The process's largest resident set, in KiB; told by the kernel, asked every few milliseconds.
    pub peak_kib: u64,
    /// The store's files after the night.
    pub store_bytes: u64,
    /// How the process ended.
    pub status: ExitStatus,
    /// What it printed: standard output and errors.
    pub log: PathBuf,
}

/// Writes two nights into `folder` and runs three: the first, the same package once more, the changed one.
///
/// # Errors
/// When a file cannot be written or the program cannot be started. A night that fails is told in its `status`.
pub fn nights(people: u64, folder: &Path, rosterd: &Path, mut say: impl FnMut(&str)) -> io::Result<Vec<Measured>> {
    let drop_folder = folder.join("drop");
    let package = |number: u32| drop_folder.join(format!("night-{number}"));
    if drop_folder.exists() {
        fs::remove_dir_all(&drop_folder)?;
    }
    for file in store_files(folder)? {
        fs::remove_file(file)?;
    }
    fs::create_dir_all(&drop_folder)?;
    fs::write(folder.join("bench.toml"), settings(people))?;

    let district = District::of(people);
    let written = district.write(Night::First, &package(1))?;
    say(&describe("first night", &written));
    let parse = parse(&package(1))?;
    let first = night("first night", folder, rosterd, parse)?;

    // The same bytes under the next name: what a source that exports every night delivers when nothing changed.
    fs::rename(package(1), package(2))?;
    let unchanged = night("unchanged night", folder, rosterd, parse)?;

    // The earlier package may be gone by now; it goes, to spare the disk.
    fs::remove_dir_all(package(2))?;
    let written = district.write(Night::Changed, &package(3))?;
    say(&describe("1 % night", &written));
    let changed = night("1 % night", folder, rosterd, self::parse(&package(3))?)?;
    Ok(vec![first, unchanged, changed])
}

/// The measurements as a table.
pub fn table(nights: &[Measured]) -> String {
    let mut text = format!(
        "{:<16} {:>9} {:>9} {:>8} {:>10} {:>9}  {}\n",
        "night", "seconds", "parse P", "ratio/P", "peak MiB", "store MB", "exit"
    );
    for night in nights {
        let Measured { label, wall, parse, peak_kib, store_bytes, status, log: _ } = night;
        let ratio = wall.as_millis() * 100 / parse.as_millis().max(1);
        text.push_str(&format!(
            "{label:<16} {:>9} {:>9} {:>8} {:>10} {:>9}  {}\n",
            seconds(*wall),
            seconds(*parse),
            hundredths(ratio),
            peak_kib.div_ceil(1024),
            store_bytes.div_ceil(1_000_000),
            status.code().map_or_else(|| status.to_string(), |code| code.to_string()),
        ));
    }
    text
}

fn describe(label: &str, written: &Written) -> String {
    let Written { people, enrollments, classes, bytes, learn, lxp, reader, new, left } = written;
    format!(
        "{label}: {people} people ({new} new, {left} gone), {classes} classes, {enrollments} enrollments, {} MB; \
         asks for {learn} learn, {lxp} lxp, {reader} reader",
        bytes.div_ceil(1_000_000)
    )
}

fn seconds(time: Duration) -> String {
    hundredths(time.as_millis() / 10)
}

fn hundredths(number: u128) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

fn night(label: &'static str, folder: &Path, rosterd: &Path, parse: Duration) -> io::Result<Measured> {
    let log = folder.join(format!("{}.log", label.replace(' ', "-").replace('%', "percent")));
    let out = File::create(&log)?;
    let mut command = Command::new(rosterd);
    command.args(["sync", "bench", "--here", "--config"]).arg(folder.join("bench.toml"));
    command.stdin(std::process::Stdio::null()).stdout(out.try_clone()?).stderr(out);

    let began = Instant::now();
    let mut child = command.spawn()?;
    let status_file = PathBuf::from(format!("/proc/{}/status", child.id()));
    let ended = AtomicBool::new(false);
    let (status, wall, peak_kib) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch(&status_file, &ended));
        let status = child.wait();
        let wall = began.elapsed();
        ended.store(true, Ordering::Release);
        (status, wall, watch.join().unwrap_or_default())
    });
    let mut store_bytes = 0;
    for file in store_files(folder)? {
        store_bytes += file.metadata()?.len();
    }
    Ok(Measured { label, wall, parse, peak_kib, store_bytes, status: status?, log })
}

/// Asks for the high-water mark until the process has ended. What it gains in the last few milliseconds is not seen.
fn watch(status_file: &Path, ended: &AtomicBool) -> u64 {
    let mut peak_kib = 0;
    while !ended.load(Ordering::Acquire) {
        let text = fs::read_to_string(status_file).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(mark.unwrap_or(0));
        thread::sleep(Duration::from_millis(5));
    }
    peak_kib
}

fn store_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("rosterd.db") && entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Reads every record of every file and does nothing with it; the better of two times, so that the files are in memory
/// for this as for the night that follows.
fn parse(package: &Path) -> io::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..2 {
        let began = Instant::now();
        let mut records = 0_u64;
        for entry in fs::read_dir(package)? {
            let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_path(entry?.path())?;
            let mut record = csv::ByteRecord::new();
            while reader.read_byte_record(&mut record)? {
                records += u64::from(!std::hint::black_box(&record).is_empty());
            }
        }
        std::hint::black_box(records);
        best = best.min(began.elapsed());
    }
    Ok(best)
}
