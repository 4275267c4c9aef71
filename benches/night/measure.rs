//! Runs nights through the `rosterd` program as a child process, and takes time, peak memory and store size.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use crate::books::Books;
use crate::data::{District, Night, Written, customer, head};

/// One night as measured.
#[derive(Debug)]
pub struct Measured {
    /// Which night.
    pub label: String,
    /// From start to exit of the process.
    pub wall: Duration,
    /// Processor time of the process, all threads together.
    pub cpu: Duration,
    /// Processor time of the database server meanwhile; nothing if the books are in a file.
    pub server_cpu: Duration,
    /// The process's largest resident set, in KiB; told by the kernel, asked every few milliseconds.
    pub peak_kib: u64,
    /// The store after the night: its files, or its database.
    pub store_bytes: u64,
    /// How the process ended.
    pub status: ExitStatus,
    /// What it printed: standard output and errors.
    pub log: PathBuf,
}

/// Three nights of one district, and what they are compared with.
#[derive(Debug)]
pub struct Nights {
    /// How many people the district has.
    pub people: u64,
    /// A plain parse of the bytes of a night by the csv crate, on one thread: the best of several, in this process.
    pub parse: Duration,
    /// Reading the package's entries to their ends, if it is a zip.
    pub unzip: Duration,
    /// The first night, the same package again, and the night on which 1 % changed.
    pub nights: [Measured; 3],
}

/// Writes two nights into `folder` and runs three: the first, the same package once more, the changed one.
///
/// # Errors
/// When a file cannot be written or the program cannot be started. A night that fails is told in its `status`.
pub fn nights(
    people: u64,
    folder: &Path,
    rosterd: &Path,
    books: &Books,
    zipped: bool,
    mut say: impl FnMut(&str),
) -> io::Result<Nights> {
    let form = if zipped { "zip" } else { "folder" };
    let (plain, drop_folder) = (folder.join("plain"), folder.join("drop"));
    let name = |number: u32| drop_folder.join(if zipped { format!("night-{number}.zip") } else { format!("night-{number}") });
    clear(folder)?;
    books.fresh()?;
    fs::create_dir_all(&drop_folder)?;
    fs::write(folder.join("bench.toml"), settings(people))?;

    let district = District::of(people);
    let mut parse = Duration::MAX;
    let mut unzip = Duration::ZERO;
    let mut deliver = |night: Night, number: u32| -> io::Result<()> {
        let written = district.write(night, &plain)?;
        say(&describe(&format!("{night:?} night, {people} people, {form}"), &written));
        parse = parse.min(self::parse(&plain)?);
        if zipped {
            pack(&plain, &name(number))?;
            fs::remove_dir_all(&plain)?;
            unzip = unzip.max(self::unzip(&name(number))?);
        } else {
            fs::rename(&plain, name(number))?;
        }
        Ok(())
    };
    deliver(Night::First, 1)?;
    let first = night(&format!("first night, {form}"), folder, rosterd, books)?;
    // The same bytes under the next name: what a source that exports every night delivers when nothing changed.
    fs::rename(name(1), name(2))?;
    let unchanged = night(&format!("same again, {form}"), folder, rosterd, books)?;
    // The earlier package may be gone by now; it goes, to spare the disk.
    if zipped {
        fs::remove_file(name(2))?
    } else {
        fs::remove_dir_all(name(2))?
    }
    deliver(Night::Changed, 3)?;
    let changed = night(&format!("1 % night, {form}"), folder, rosterd, books)?;
    Ok(Nights { people, parse, unzip, nights: [first, unchanged, changed] })
}

/// The settings of the customer `bench`: packages are dropped into `drop/` beside the settings file.
pub fn settings(people: u64) -> String {
    format!("{}{}", head(), customer("bench", "drop", people))
}

/// Removes what a run wrote into the folder.
///
/// # Errors
/// As the file system says.
pub fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() && ["plain", "drop", "drops"].contains(&name.as_str()) {
            fs::remove_dir_all(entry.path())?;
        } else if name == "bench.toml" || name.starts_with("rosterd.db") || name.ends_with(".log") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The measurements as a table.
pub fn table(nights: &[&Measured]) -> String {
    let mut text = format!(
        "{:<22} {:>9} {:>9} {:>9} {:>10} {:>9}  {}\n",
        "night", "seconds", "cpu s", "server s", "peak MiB", "store MB", "exit"
    );
    for Measured { label, wall, cpu, server_cpu, peak_kib, store_bytes, status, log: _ } in nights {
        text.push_str(&format!(
            "{label:<22} {:>9} {:>9} {:>9} {:>10} {:>9}  {}\n",
            seconds(*wall),
            seconds(*cpu),
            seconds(*server_cpu),
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

/// A time in seconds with two decimals.
pub fn seconds(time: Duration) -> String {
    hundredths(time.as_millis() / 10)
}

/// A number of hundredths as a decimal.
pub fn hundredths(number: u128) -> String {
    format!("{}.{:02}", number / 100, number % 100)
}

fn night(label: &str, folder: &Path, rosterd: &Path, books: &Books) -> io::Result<Measured> {
    let log = folder.join(format!("{}.log", label.replace([' ', ','], "-").replace('%', "percent")));
    let mut command = Command::new(rosterd);
    command.args(["sync", "bench", "--here", "--config"]).arg(folder.join("bench.toml"));
    // As `systemd/rosterd.service` has it.
    command.envs([("MALLOC_TRIM_THRESHOLD_", "131072"), ("MALLOC_MMAP_THRESHOLD_", "1200000")]);
    run(label, folder, books, command, log, |_| false)
}

/// Runs a command to its end, or until `is_done` says of its log that it has done its work; then it is ended.
///
/// # Errors
/// If it cannot be started.
pub fn run(
    label: &str,
    folder: &Path,
    books: &Books,
    mut command: Command,
    log: PathBuf,
    is_done: impl Fn(&Path) -> bool + Sync,
) -> io::Result<Measured> {
    let out = File::create(&log)?;
    command.stdin(std::process::Stdio::null()).stdout(out.try_clone()?).stderr(out);
    books.lend(&mut command);
    let (cpu_before, server_before) = (children_cpu()?, books.server_cpu()?);
    let began = Instant::now();
    let mut child = command.spawn()?;
    let status_file = PathBuf::from(format!("/proc/{}/status", child.id()));
    let ended = AtomicBool::new(false);
    let done = AtomicBool::new(false);
    let (status, wall, peak_kib) = thread::scope(|scope| {
        let watch = scope.spawn(|| {
            watch(&status_file, &ended, || {
                if is_done(&log) {
                    done.store(true, Ordering::Release);
                }
            })
        });
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Ok(status),
                Ok(None) if done.load(Ordering::Acquire) => break child.kill().and_then(|()| child.wait()),
                Ok(None) => thread::sleep(Duration::from_millis(2)),
                Err(error) => break Err(error),
            }
        };
        let wall = began.elapsed();
        ended.store(true, Ordering::Release);
        (status, wall, watch.join().unwrap_or_default())
    });
    let store_bytes = books.bytes(folder)?;
    let cpu = children_cpu()?.saturating_sub(cpu_before);
    let server_cpu = books.server_cpu()?.saturating_sub(server_before);
    Ok(Measured { label: label.to_owned(), wall, cpu, server_cpu, peak_kib, store_bytes, status: status?, log })
}

/// Processor time of all children that were waited for. The kernel counts in hundredths of a second.
///
/// # Errors
/// When the kernel does not tell.
pub fn children_cpu() -> io::Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// Asks for the high-water mark until the process has ended. What it gains in the last few milliseconds is not seen.
fn watch(status_file: &Path, ended: &AtomicBool, mut look: impl FnMut()) -> u64 {
    let mut peak_kib = 0;
    while !ended.load(Ordering::Acquire) {
        let text = fs::read_to_string(status_file).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(mark.unwrap_or(0));
        look();
        thread::sleep(Duration::from_millis(5));
    }
    peak_kib
}

/// Reads every record of every file and does nothing with it; the best of three times, so that the files are in memory
/// for this as for the night that follows.
fn parse(package: &Path) -> io::Result<Duration> {
    best_of_three(|| {
        let mut records = 0_u64;
        for entry in fs::read_dir(package)? {
            let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 18).from_path(entry?.path())?;
            let mut record = csv::ByteRecord::new();
            while reader.read_byte_record(&mut record)? {
                records += u64::from(!std::hint::black_box(&record).is_empty());
            }
        }
        std::hint::black_box(records);
        Ok(())
    })
}

fn best_of_three(mut work: impl FnMut() -> io::Result<()>) -> io::Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let began = Instant::now();
        work()?;
        best = best.min(began.elapsed());
    }
    Ok(best)
}

/// Makes a zip of a folder's files.
fn pack(folder: &Path, zip: &Path) -> io::Result<()> {
    let mut out = ZipWriter::new(io::BufWriter::new(File::create(zip)?));
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        out.start_file(entry.file_name().to_string_lossy(), SimpleFileOptions::default().compression_level(Some(1)))?;
        io::copy(&mut File::open(entry.path())?, &mut out)?;
    }
    out.finish()?.into_inner()?;
    Ok(())
}

/// How long it takes to read all entries of a zip, one after the other.
fn unzip(zip: &Path) -> io::Result<Duration> {
    best_of_three(|| {
        let mut archive = ZipArchive::new(io::BufReader::new(File::open(zip)?))?;
        for index in 0..archive.len() {
            io::copy(&mut archive.by_index(index)?, &mut io::sink())?;
        }
        Ok(())
    })
}
