//! How much memory a whole run takes: the `rosterd` program as a child process, and a provider that makes its enrollments up
//! while it sends them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Moment};

use crate::fake_http::{FakeServer, Reply};
use crate::pull_provider::page;

/// What it came to.
pub struct Peak {
    /// The child's largest resident memory as the kernel counts it, in KiB.
    pub kib: u64,
    /// How long it ran.
    pub wall: Duration,
}

/// Runs `rosterd sync` over so many enrollments in pages of so many.
pub fn peak(rosterd: &Path, enrollments: usize, rows: usize) -> Peak {
    let server = FakeServer::start(move |asked, _| {
        let key = asked.path().rsplit('/').next().unwrap_or_default();
        let (body, total) = page(key, asked.number("offset").unwrap_or(0), rows, enrollments);
        Reply::json(body).with("X-Total-Count", total)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!(
        "[store]\npath = \"rosterd.db\"\n[spool]\npath = \"spool\"\nmax_mib = 4096\n[guard]\nbootstrap_approval = false\n\
         [[customer]]\nid = \"north\"\n[[customer.source]]\nid = \"sis\"\nkind = \"oneroster_rest\"\naddress = \"{}\"\n\
         version = \"1.1\"\nauth = \"bearer\"\ntoken_file = \"token\"\npage_rows = {rows}\nmax_per_second = 1000\n\
         [[customer.product]]\nid = \"p\"\n[[customer.pool]]\nid = \"p\"\nproduct = \"p\"\nowner = \"school-1\"\nunlimited = true\n\
         [[customer.rule]]\nid = \"all\"\nproduct = \"p\"\nwhen = {{ everyone = true }}\n",
        server.url("/x")
    );
    fs::write(folder.path().join("rosterd.toml"), text).expect("settings");
    fs::write(folder.path().join("token"), "t").expect("a token");
    let log = fs::File::create(folder.path().join("log")).expect("a log");
    let began = Moment::now();
    let mut child = Command::new(rosterd)
        .args(["sync", "north", "--here", "--config"])
        .arg(folder.path().join("rosterd.toml"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a twin"))
        .stderr(log)
        .spawn()
        .expect("it starts");
    let status = format!("/proc/{}/status", child.id());
    let mut kib = 0;
    // What it gains in its last milliseconds is not seen.
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("a state") {
            break ended;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        kib = kib.max(mark.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    };
    let told = fs::read_to_string(folder.path().join("log")).unwrap_or_default();
    assert!(ended.success(), "{told}");
    let asked = server.asked();
    let pages = asked.iter().filter(|asked| asked.path().ends_with("/enrollments")).count();
    assert!(pages >= enrollments.div_ceil(rows), "{pages} pages were asked for");
    Peak { kib, wall: began.elapsed() }
}

/// By how many bytes the larger run's peak is higher, for each enrollment that it has more.
pub fn bytes_per_enrollment(smaller: (&Peak, usize), larger: (&Peak, usize)) -> u64 {
    let more = u64::try_from(larger.1 - smaller.1).unwrap_or(u64::MAX).max(1);
    larger.0.kib.saturating_sub(smaller.0.kib) * 1024 / more
}
