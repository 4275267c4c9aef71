//! Which process works on a run, and whether it still lives. A process id alone says little: it is given again, and means
//! another process in another container; so the mark also names the boot, the space of ids and the start.

use std::fs;
use std::sync::OnceLock;

/// This process, as it is written beside the runs that it begins. Empty where the system does not tell.
pub(in crate::store::sql) fn mark() -> &'static str {
    static MARK: OnceLock<String> = OnceLock::new();
    MARK.get_or_init(|| {
        let pid = std::process::id();
        let mark = || Some(format!("{} {} {pid} {}", boot()?, space()?, started(pid)?));
        mark().unwrap_or_default()
    })
}

/// What is known of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Lives,
    /// It does not run any more.
    Dead,
    /// It cannot be seen from here: it is, or was, in another container.
    Unknown,
}

/// Whether the process of a mark lives.
pub(in crate::store::sql) fn life(of: &str) -> Life {
    if of == mark() && !of.is_empty() {
        return Life::Lives;
    }
    let (Some(boot), Some(space)) = (boot(), space()) else { return Life::Unknown };
    let mut words = of.split(' ');
    let (Some(its_boot), Some(its_space), Some(pid), Some(start)) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Life::Unknown;
    };
    if its_boot != boot {
        return Life::Dead;
    }
    if its_space != space {
        return Life::Unknown;
    }
    let lives = pid.parse().is_ok_and(|pid| started(pid).as_deref() == Some(start));
    if lives { Life::Lives } else { Life::Dead }
}

fn boot() -> Option<String> {
    Some(fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?.trim().to_owned())
}

/// The space of process ids this process lives in.
fn space() -> Option<String> {
    Some(fs::read_link("/proc/self/ns/pid").ok()?.to_string_lossy().into_owned())
}

/// When a process started, in clock ticks since the boot; `None`: there is none, or it is only waited for by its parent.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the state is the first word after it, the start the twentieth.
    let mut words = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = words.next()?;
    let start = words.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| start.to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use crate::store::sql::process::{Life, boot, life, mark, space, started};

    #[test]
    fn a_process_lives_until_it_ends() {
        assert_eq!(life(mark()), Life::Lives);
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("there is a cat");
        let start = started(child.id()).expect("it runs");
        let its = format!("{} {} {} {start}", boot().unwrap(), space().unwrap(), child.id());
        assert_eq!(life(&its), Life::Lives);
        assert_eq!(life(&format!("{its}1")), Life::Dead, "another one under its id");
        assert_eq!(life(&format!("x{its}")), Life::Dead, "before the machine was started");
        assert_eq!(life(&its.replace("pid:", "pid:1")), Life::Unknown, "in another container");
        assert_eq!(life(""), Life::Unknown);
        child.kill().expect("killed");
        while started(child.id()).is_some() {
            std::thread::yield_now();
        }
        assert_eq!(life(&its), Life::Dead, "nobody asked yet how it ended");
        child.wait().expect("ended");
        assert_eq!(life(&its), Life::Dead);
    }
}
