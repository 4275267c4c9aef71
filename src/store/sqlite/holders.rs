//! Which processes hold locks on a file, as far as the system tells.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Other processes that hold a lock on a file, by number and name. Empty also where the system does not tell.
pub(in crate::store::sqlite) fn of(file: &Path) -> Vec<String> {
    let (Ok(found), Ok(locks)) = (file.metadata(), fs::read_to_string("/proc/locks")) else { return Vec::new() };
    let mut holders: Vec<u32> = locks.lines().filter_map(|line| holder(line, found.dev(), found.ino())).collect();
    holders.retain(|pid| *pid != std::process::id());
    holders.sort_unstable();
    holders.dedup();
    let named = |pid: u32| match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => format!("process {pid} ({})", name.trim()),
        Err(_) => format!("process {pid}"),
    };
    holders.into_iter().map(named).collect()
}

/// The process of a line such as `1: POSIX  ADVISORY  READ 1234 08:01:5678 1073741826 1073742335`, if it is about the file.
fn holder(line: &str, device: u64, inode: u64) -> Option<u32> {
    let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "POSIX").skip(3);
    let (pid, place) = (words.next()?, words.next()?);
    let (told, number) = place.rsplit_once(':')?;
    let (major, minor) = told.split_once(':')?;
    let (major, minor) = (u64::from_str_radix(major, 16).ok()?, u64::from_str_radix(minor, 16).ok()?);
    // How the numbers of a device are put together.
    let is_it =
        number.parse() == Ok(inode) && (major, minor) == ((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
    pid.parse().ok().filter(|_| is_it)
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::holders::holder;

    #[test]
    fn a_line_tells_its_process_and_file() {
        let line = "7: POSIX  ADVISORY  READ 1234 08:01:5678 1073741826 1073742335";
        assert_eq!(holder(line, 0x801, 5678), Some(1234));
        assert_eq!(holder("7: -> POSIX  ADVISORY  WRITE 99 08:01:5678 0 EOF", 0x801, 5678), Some(99));
        for (device, inode) in [(0x802, 5678), (0x801, 5679)] {
            assert_eq!(holder(line, device, inode), None);
        }
        for other in ["", "1: FLOCK  ADVISORY  WRITE 5 08:01:5678 0 EOF", "1: POSIX  ADVISORY  READ", "1: POSIX x y z w"] {
            assert_eq!(holder(other, 0x801, 5678), None, "{other}");
        }
    }
}
