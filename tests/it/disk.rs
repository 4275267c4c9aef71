//! The disk fails under a running daemon: it is told, nothing is lost, and work goes on when the disk is good again.

use std::fs;
use std::process::Command;

use crate::daemon::{Daemon, assert_sound, lively, student, until, until_settled, until_used};
use crate::demo::Demo;

/// A disk of its own, in a namespace of its own. At its first error the kernel makes it read-only, whoever has files open on
/// it; this way it can be had without one (`mount -o remount,ro` refuses while a file is open for writing).
const READ_ONLY: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
{ truncate -s 64M disk && mkfs.ext4 -q -F disk && mkdir state && mount -o loop,errors=remount-ro disk state; } || exit 99
fail=/sys/fs/ext4/$(basename "$(findmnt -no SOURCE state)")/trigger_fs_error
[ -w "$fail" ] || { echo "the kernel makes no errors on request" >&2; exit 99; }
"$P" serve 2> log & D=$!
until "$P" pool list northfield 2> /dev/null | grep -q 'access-district .* 667 '; do sleep 0.2; done
taken=$(grep -c request_taken log)
mv one.zip config/demo/northfield/2026-10-001.zip
until [ "$(grep -c request_taken log)" -gt "$taken" ]; do sleep 0.01; done
echo 1 > "$fail"
# If the run was faster, the next package meets the disk.
mv two.zip config/demo/northfield/2026-10-002.zip
until grep -q 'it is read-only for this user' log; do sleep 0.1; done
"$P" sync larkspur; echo "asked $?"
kill -0 $D && echo "the daemon lives"
kill $D; wait $D; echo "stopped $?"
umount state; e2fsck -fy disk > /dev/null 2>&1; mount -o loop disk state || exit 98
"$P" audit verify > /dev/null; echo "verified $?"
"$P" serve 2>> log & D=$!
until "$P" pool list northfield | grep -q 'access-district .* 669 '; do sleep 0.2; done
kill $D; wait $D; echo "stopped again $?"
"$P" audit verify > /dev/null; echo "verified again $?"
"$P" check > /dev/null; echo "checked $?"
"$P" audit export northfield > trail
umount state
"#;

#[test]
fn a_disk_that_becomes_read_only_is_told_and_loses_nothing() {
    let demo = lively();
    fs::write(demo.path().join("one.zip"), demo.students(&student(1).1)).expect("written");
    fs::write(demo.path().join("two.zip"), demo.students(&student(2).1)).expect("written");
    let mut shell = Command::new("timeout");
    shell.args(["100", "unshare", "--mount", "sh", "-c", READ_ONLY]);
    shell.current_dir(demo.path()).env("P", env!("CARGO_BIN_EXE_rosterd")).env("ROSTERD_CONFIG", demo.settings_file());
    let done = shell.output().expect("it runs");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    let log = fs::read_to_string(demo.path().join("log")).unwrap_or_default();
    if done.status.code() == Some(99) || err.contains("unshare failed") || err.contains("Operation not permitted") {
        println!("no disk that fails is to be had here, so only a limit of file sizes is met: {err}");
        return meets_a_limit(&lively());
    }
    assert_eq!(done.status.code(), Some(0), "{out}{err}{log}");
    for line in [
        "asked 74\n",
        "the daemon lives\n",
        "stopped 0\n",
        "verified 0\n",
        "stopped again 0\n",
        "verified again 0\n",
        "checked 0\n",
    ] {
        assert!(out.contains(line), "{line}: {out}{err}{log}");
    }
    assert!(log.contains("it is read-only for this user (check owner and mount of the folder)"), "{log}");
    // Whatever was cut off by the error was done again, once.
    let trail = fs::read_to_string(demo.path().join("trail")).expect("the trail");
    for n in [1, 2] {
        let seated = format!("\"person\":\"{}\",\"because\":\"entitled\"", student(n).1[0]);
        assert_eq!(trail.matches(&seated).count(), 2, "access and content of {}", student(n).1[0]);
    }
}

#[test]
fn a_limit_that_a_running_daemon_meets_is_told_and_passes() {
    meets_a_limit(&lively());
}

/// No file may grow any more, then it may again; the daemon is the same all the time.
fn meets_a_limit(demo: &Demo) {
    let daemon = Daemon::ready(demo);
    until_settled(demo);
    let limit = |bytes: &str| {
        let pid = daemon.child.id().to_string();
        let done = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status();
        assert!(done.expect("there is a prlimit").success(), "prlimit --fsize={bytes}");
    };
    limit("1");
    let (name, students) = student(1);
    demo.drop_students(&name, &students);
    until("the limit is told", || {
        let told = daemon.log().iter().any(|line| line.to_string().contains("the limit of file sizes (ulimit -f)"));
        if told { Ok(()) } else { Err(format!("{:?}", daemon.log())) }
    });
    // Whoever asks gets answers, and another process, which has no limit, may write.
    demo.told("status northfield");
    limit("unlimited");
    until_used(demo, "northfield", "access-district", 668);
    until("no run is under way", || {
        let runs = demo.told("runs");
        if ["fetching", "planning", "committing"].iter().any(|state| runs.contains(state)) { Err(runs) } else { Ok(()) }
    });
    assert_eq!(daemon.events("daemon_started").len(), 1);
    daemon.stop();
    assert_sound(demo);
}
