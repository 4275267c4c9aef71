//! Python as an independent second opinion: libraries that somebody else wrote. Where they are not to be had, a test says what it
//! leaves out.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The interpreter with these modules; `None`, said aloud, where there is none.
pub fn python_with(modules: &[&str], what: &str) -> Option<Command> {
    let program = std::env::var_os("ROSTERD_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let mut python = Command::new(program);
    let imports: Vec<String> = modules.iter().map(|module| format!("import {module}")).collect();
    let tried = Command::new(python.get_program()).args(["-c", &imports.join(";")]).stderr(Stdio::null()).status();
    if !tried.is_ok_and(|status| status.success()) {
        println!("LEFT OUT: {what}: there is no Python with {} (ROSTERD_TEST_PYTHON names one)", modules.join(", "));
        return None;
    }
    python.stdin(Stdio::piped()).stdout(Stdio::piped());
    Some(python)
}

/// One of the scripts.
pub fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/python").join(name)
}
