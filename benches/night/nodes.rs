//! One night of many customers on one node and on two over one PostgreSQL (docs/SCALING.md).
//!
//! A machine of two cores cannot give two nodes and a database a core each. So there are two ways to hold a node: to a core, which
//! it then shares with the database; and to a share of that core's time by a control group, so that what is left is more than the
//! database needs and two nodes stand to one as they do on machines of their own. The second takes the rights to make groups.
//!
//! Of a small customer's night most is the database's work, of a larger one's the node's. So there are nights of both, each held
//! either way: small customers are taken in for the first time, larger ones have their 1 % nights.
//!
//! One night differs from the next: so there are several of each kind by turns, now on one node first and now on two, and the
//! medians count. No short one goes over the turn of a minute, when nodes look at what is due for all customers.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use crate::books::Books;
use crate::data::{District, Night, customer, head};
use crate::measure::{clear, hundredths, seconds};

const CUSTOMERS: u64 = 500;
const WORKERS: u32 = 4;
/// No night takes longer; it begins where so much is left of a minute.
const NIGHT_MAX: Duration = Duration::from_secs(30);
/// How many times as much as one node two are to do, in hundredths.
const TIMES_MIN: u128 = 170;
/// How long a night may take before something is taken to be wrong.
const PATIENCE: Duration = Duration::from_secs(600);
/// Where control groups of the processor are: version 1, version 2.
const GROUPS: [(&str, &str); 2] = [("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us"), ("/sys/fs/cgroup", "cpu.max")];

/// How a node is held.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// To a core, which it shares with the server.
    Core,
    /// To so many hundredths of a core's time, and the server to so many of one.
    Share { node: u32, server: u32 },
}

/// Nights that are held against each other.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Kind {
    /// People a customer.
    people: u64,
    night: Night,
    hold: Hold,
    /// So many on one node, and as many on two.
    repeats: u32,
}

/// Nights of the same customers stand side by side, those held to a share last: not everybody may do that. A node gets as much
/// of its core as leaves the server more than it needs: of a small customer's night most is the server's.
const KINDS: [[Kind; 2]; 2] = [
    [
        Kind { people: 20_000, night: Night::Changed, hold: Hold::Core, repeats: 3 },
        Kind { people: 20_000, night: Night::Changed, hold: Hold::Share { node: 70, server: 60 }, repeats: 3 },
    ],
    [
        Kind { people: 500, night: Night::First, hold: Hold::Core, repeats: 3 },
        Kind { people: 500, night: Night::First, hold: Hold::Share { node: 20, server: 110 }, repeats: 7 },
    ],
];

impl Kind {
    fn name(self) -> String {
        let night = if self.night == Night::First { "first" } else { "1 %" };
        let held = match self.hold {
            Hold::Core => "a core each".to_owned(),
            Hold::Share { node, .. } => format!("{node} % of a core each"),
        };
        format!("{}, {night} night, {held}", self.people)
    }
}

/// One night.
pub struct Shared {
    kind: Kind,
    nodes: u32,
    /// How busy the machine was with anything else when it began: the load of the last minute, as the system tells it.
    load: String,
    /// From the start to the last run.
    wall: Duration,
    /// Processor time of all nodes.
    cpu: Duration,
    /// Of the server.
    server_cpu: Duration,
}

/// Nights of all customers, on one node and on two by turns.
///
/// # Errors
/// When a file cannot be written, a program cannot be started, or a night does not come to its end.
pub fn nights(folder: &Path, rosterd: &Path, books: &Books) -> io::Result<Vec<Shared>> {
    let mut shared = Vec::new();
    for kinds in KINDS {
        let [first, _] = kinds;
        let plain = packages(folder, first.people)?;
        let mut number = 1;
        deliver(folder, &plain, Night::First, number)?;
        if first.night == Night::Changed {
            books.fresh()?;
            // Who left for the first time is waited for, so what follows the first night is another kind of night, too.
            night(folder, rosterd, books, first, 2)?;
            for _ in 0..2 {
                number += 1;
                deliver(folder, &plain, there_or_back(number), number)?;
                night(folder, rosterd, books, first, 2)?;
            }
        }
        let all = kinds.into_iter().flat_map(|kind| (0..kind.repeats * 2).map(move |turn| (kind, turn)));
        for (kind, turn) in all {
            // One and two, two and one.
            let nodes = if matches!(turn % 4, 0 | 3) { 1 } else { 2 };
            if kind.night == Night::First {
                books.fresh()?;
            } else {
                number += 1;
                deliver(folder, &plain, there_or_back(number), number)?;
            }
            let night = match night(folder, rosterd, books, kind, nodes) {
                Err(error) if kind.hold != Hold::Core && error.kind() == io::ErrorKind::PermissionDenied => break,
                night => night?,
            };
            let Shared { wall, cpu, server_cpu, .. } = &night;
            let [wall, cpu, server] = [*wall, *cpu, *server_cpu].map(seconds);
            println!("{}: on {nodes} in {wall} s, {cpu} s of processor time, {server} s of the server", kind.name());
            shared.push(night);
        }
    }
    Ok(shared)
}

/// There and back: both ways the same people change.
fn there_or_back(number: u32) -> Night {
    if number.is_multiple_of(2) { Night::Changed } else { Night::First }
}

/// The settings of all customers of a size, and the packages of each night, which they have in common.
fn packages(folder: &Path, people: u64) -> io::Result<PathBuf> {
    clear(folder)?;
    // Whatever the time of day, a package asks for a night and nothing else does.
    let mut settings = format!(
        "{}\n[daemon]\nworkers = {WORKERS}\n\n[sync]\ncatchup_window_hours = 0\n\n[alerts]\nsync_overdue_hours = 0\n",
        head()
    );
    (0..CUSTOMERS).for_each(|number| settings.push_str(&customer(&format!("c{number}"), &format!("drops/{number}"), people)));
    fs::write(folder.join("bench.toml"), settings)?;
    let plain = folder.join("plain");
    for night in [Night::First, Night::Changed] {
        District::of(people).write(night, &plain.join(format!("{night:?}")))?;
    }
    Ok(plain)
}

/// Puts a package where each customer's are waited for, instead of the one before it. Its files are there once: the bytes come
/// out of the system's memory however many customers there are.
fn deliver(folder: &Path, plain: &Path, night: Night, number: u32) -> io::Result<()> {
    let package = plain.join(format!("{night:?}"));
    let files = fs::read_dir(&package)?.map(|listed| listed.map(|l| l.file_name())).collect::<io::Result<Vec<_>>>()?;
    for customer in 0..CUSTOMERS {
        let drops = folder.join("drops").join(customer.to_string());
        if drops.exists() {
            fs::remove_dir_all(&drops)?;
        }
        let own = drops.join(format!("night-{number:03}"));
        fs::create_dir_all(&own)?;
        files.iter().try_for_each(|name| fs::hard_link(package.join(name), own.join(name)))?;
    }
    Ok(())
}

fn night(folder: &Path, rosterd: &Path, books: &Books, kind: Kind, nodes: u32) -> io::Result<Shared> {
    let load = load()?;
    while kind.night == Night::First && Duration::from_secs(60) - into_minute() < NIGHT_MAX {
        sleep(Duration::from_millis(200));
    }
    let (node_percent, server_percent) = match kind.hold {
        Hold::Core => (None, None),
        Hold::Share { node, server } => (Some(node), Some(server)),
    };
    let server = Group::of("server", server_percent)?;
    for process in server_processes(books)? {
        server.take(process)?;
    }
    let group = |n| Group::of(&format!("node-{n}"), node_percent);
    let groups = (0..nodes).map(group).collect::<io::Result<Vec<_>>>()?;
    let server_before = books.server_cpu()?;
    let began = Instant::now();
    let mut running = Nodes(Vec::new());
    for (n, group) in groups.iter().enumerate() {
        let mut command = Command::new("taskset");
        command.args(["-c", &n.to_string()]).arg(rosterd);
        let log = folder.join(format!("node-{n}.log"));
        let out = File::create(&log)?;
        command.args(["serve", "--config"]).arg(folder.join("bench.toml"));
        command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out);
        books.lend(&mut command);
        let child = command.spawn()?;
        group.take(child.id())?;
        running.0.push((child, log));
    }
    while running.done() < CUSTOMERS {
        if began.elapsed() > PATIENCE {
            return Err(io::Error::other(format!("only {} of {CUSTOMERS} customers were done", running.done())));
        }
        sleep(Duration::from_millis(50));
    }
    let wall = began.elapsed();
    let server_cpu = books.server_cpu()?.saturating_sub(server_before);
    let cpu = running.0.iter().map(|(child, _)| cpu_of(child.id())).sum::<io::Result<Duration>>()?;
    drop(running);
    for process in server_processes(books)? {
        server.release(process)?;
    }
    Ok(Shared { kind, nodes, load, wall, cpu, server_cpu })
}

#[expect(clippy::disallowed_methods, reason = "nodes that are measured go by the system's clock")]
fn into_minute() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(u64::try_from(now.as_millis() % 60_000).unwrap_or(0))
}

fn load() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/loadavg")?.split(' ').next().unwrap_or_default().to_owned())
}

/// Daemons; they end with it.
struct Nodes(Vec<(Child, PathBuf)>);

impl Nodes {
    /// Of so many customers a run was told.
    fn done(&self) -> u64 {
        let mut told = BTreeSet::new();
        for (_, log) in &self.0 {
            let text = fs::read_to_string(log).unwrap_or_default();
            let runs = text.lines().filter(|line| line.contains(" people, "));
            let whose = runs.filter_map(|line| line.split_once(" of ")?.1.split(' ').next());
            told.extend(whose.map(str::to_owned));
        }
        told.len() as u64
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            let _ = child.kill().and_then(|()| child.wait());
        }
    }
}

/// A control group that holds its processes to a share of a core's time; or none.
struct Group(Option<PathBuf>);

impl Group {
    fn of(name: &str, percent: Option<u32>) -> io::Result<Self> {
        let Some(percent) = percent else { return Ok(Self(None)) };
        let (root, file) = GROUPS.into_iter().find(|(root, _)| Path::new(root).exists()).unwrap_or(GROUPS[1]);
        let folder = Path::new(root).join(format!("rosterd-bench-{name}"));
        // One that was broken off may have left it.
        let _ = fs::remove_dir(&folder);
        fs::create_dir(&folder)?;
        let group = Self(Some(folder.clone()));
        // Small slices: a group that has used up its time waits for the next one.
        let (period, quota) = (50_000, 500 * percent);
        if file == "cpu.max" {
            fs::write(folder.join(file), format!("{quota} {period}"))?;
        } else {
            fs::write(folder.join("cpu.cfs_period_us"), period.to_string())?;
            fs::write(folder.join(file), quota.to_string())?;
        }
        Ok(group)
    }

    fn take(&self, process: u32) -> io::Result<()> {
        self.0.as_deref().map_or(Ok(()), |folder| put(folder, process))
    }

    fn release(&self, process: u32) -> io::Result<()> {
        self.0.as_deref().and_then(Path::parent).map_or(Ok(()), |root| put(root, process))
    }
}

/// Puts a process into a group. One that ended since it was listed, such as a worker of the server, needs none.
fn put(folder: &Path, process: u32) -> io::Result<()> {
    const NO_SUCH_PROCESS: i32 = 3;
    match fs::write(folder.join("cgroup.procs"), process.to_string()) {
        Err(error) if error.raw_os_error() == Some(NO_SUCH_PROCESS) => Ok(()),
        put => put,
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // A process that was killed may take a moment to leave.
        for _ in 0..50 {
            match &self.0 {
                Some(folder) if fs::remove_dir(folder).is_err() => sleep(Duration::from_millis(20)),
                _ => return,
            }
        }
    }
}

/// All processes of the server.
fn server_processes(books: &Books) -> io::Result<Vec<u32>> {
    let Some(server) = books.server_process()? else { return Ok(Vec::new()) };
    let children = fs::read_to_string(format!("/proc/{server}/task/{server}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    Ok(std::iter::once(server).chain(children).collect())
}

fn cpu_of(process: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    Ok(Duration::from_millis(fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10))
}

/// The measurements as a table, and how two nodes stand to one by the medians.
pub fn table(shared: &[Shared]) -> String {
    let mut text = format!("{CUSTOMERS} customers, {WORKERS} workers a node\n");
    text += &format!(
        "{:<42} {:>5} {:>9} {:>12} {:>9} {:>12} {:>6}\n",
        "people each, held to", "nodes", "seconds", "nodes' cpu s", "server s", "customers/s", "load"
    );
    for kind in KINDS.into_iter().flatten() {
        let name = kind.name();
        let of_kind = || shared.iter().filter(move |night| night.kind == kind);
        for Shared { nodes, load, wall, cpu, server_cpu, .. } in of_kind() {
            let per_second = u128::from(CUSTOMERS) * 100_000_000 / wall.as_micros().max(1);
            text += &format!(
                "{name:<42} {nodes:>5} {:>9} {:>12} {:>9} {:>12} {load:>6}\n",
                seconds(*wall),
                seconds(*cpu),
                seconds(*server_cpu),
                hundredths(per_second)
            );
        }
        let median = |nodes, of: fn(&Shared) -> u128| {
            let mut all: Vec<u128> = of_kind().filter(|night| night.nodes == nodes).map(of).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied()
        };
        let each = |nodes| {
            let a_customer = |micros: Option<u128>| hundredths(micros.unwrap_or(0) / 10 / u128::from(CUSTOMERS));
            let (own, server) =
                (median(nodes, |night| night.cpu.as_micros()), median(nodes, |night| night.server_cpu.as_micros()));
            format!("{} ms of the nodes and {} ms of the server a customer", a_customer(own), a_customer(server))
        };
        let wall = |nodes| median(nodes, |night| night.wall.as_micros());
        if let (Some(one), Some(two)) = (wall(1), wall(2)) {
            text += &format!("{name}: on one node {}; on two {}\n", each(1), each(2));
            let times = one * 100 / two.max(1);
            let (goal, verdict) = (hundredths(TIMES_MIN), if times >= TIMES_MIN { "reached" } else { "NOT REACHED" });
            let times = hundredths(times);
            text += &format!("{name}: two nodes do {times} times what one does, by the medians; goal {goal}: {verdict}\n");
        }
    }
    text
}
