//! The program itself, with customers whose sources are fakes: settings as files, commands, and all that it says and leaves.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fake_classlink::PARTNER;

/// The end of the names of files that hold secrets.
const SECRET_FILE: &str = ".secret";

/// The settings of a customer with one source and a seat for everybody.
pub fn customer_with(customer: &str, source: &str) -> String {
    format!(
        r#"
[[customer]]
id = "{customer}"
[[customer.product]]
id = "p"
[[customer.pool]]
id = "p"
product = "p"
owner = "d"
[[customer.pool.grant]]
id = "g"
seats = 40
from = "2020-01-01"
[[customer.rule]]
id = "all"
product = "p"
when = {{ everyone = true }}
[[customer.source]]
id = "sis"
max_per_second = 1000
{source}
"#
    )
}

/// Writes settings for these customers, each with one source, a seat for everybody, and `head` before them.
pub fn write_settings(folder: &Path, head: &str, customers: &[(&str, &str)]) {
    let mut text =
        format!("[store]\npath = \"rosterd.db\"\n[spool]\npath = \"spool\"\n[guard]\nbootstrap_approval = false\n{head}\n");
    text.extend(customers.iter().map(|(customer, source)| customer_with(customer, source)));
    fs::write(folder.join("rosterd.toml"), text).expect("settings");
    for (name, secret) in [("partner", PARTNER), ("id", "id"), ("word", "hunter2")] {
        write_secret(folder, name, secret);
    }
}

/// Writes a secret, as `NAME.secret`.
pub fn write_secret(folder: &Path, name: &str, secret: &str) {
    fs::write(folder.join(format!("{name}{SECRET_FILE}")), secret).expect("a secret");
}

/// A command with these settings.
pub fn rosterd(folder: &Path, verb: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rosterd"));
    command.args(verb.split(' ')).arg("--config").arg(folder.join("rosterd.toml")).stdin(Stdio::null());
    command
}

/// What a command says.
fn told(folder: &Path, verb: &str) -> String {
    let done = rosterd(folder, verb).output().expect("rosterd starts");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    format!("\n== {verb}: {}\n{out}{err}", done.status.code().unwrap_or(-1))
}

/// A night of these customers by the daemon: everything that commands say, that the log says, and that lies about afterwards,
/// without the settings and the secrets.
pub fn all_of(folder: &Path, customers: &[&str]) -> String {
    let log = fs::OpenOptions::new().create(true).append(true).open(folder.join("log")).expect("a log");
    let mut daemon = rosterd(folder, "serve").stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
    while !told(folder, "status --json").contains("\"pid\"") {
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut all = told(folder, "check");
    for customer in customers {
        for verb in [format!("sync {customer} --wait --full --json"), format!("notices list {customer}")] {
            all.push_str(&told(folder, &verb));
        }
    }
    for verb in ["status --json", "status", "findings 1"] {
        all.push_str(&told(folder, verb));
    }
    for customer in customers {
        all.push_str(&told(folder, &format!("audit export {customer}")));
    }
    daemon.kill().expect("it is killed");
    daemon.wait().expect("it is gone");
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name != "rosterd.toml" && !name.ends_with(SECRET_FILE) {
                all.push_str(&String::from_utf8_lossy(&fs::read(path).expect("a file")));
            }
        }
    }
    all
}
