//! The description of the door against the door: schemathesis makes up questions from it, sound and unsound ones, and holds
//! every answer to it: no status that is not told, no body of another shape, nothing that goes wrong inside.

use std::fs;
use std::process::Command;

use rosterd::base::AccessRole;

use crate::door::Open;

/// So many questions are made up an operation and phase.
const EXAMPLES: &str = "5";

/// The Python that has schemathesis: the system's, or that of the folder which the build machine makes.
fn python() -> Option<String> {
    let local = format!("{}/target/schemathesis/bin/python", env!("CARGO_MANIFEST_DIR"));
    let has = |python: &String| {
        Command::new(python).args(["-c", "import schemathesis"]).output().is_ok_and(|done| done.status.success())
    };
    [local, "python3".to_owned()].into_iter().find(has)
}

#[test]
fn every_answer_is_one_that_the_description_tells() {
    let Some(python) = python() else {
        eprintln!("left out: schemathesis is not installed (pip install schemathesis)");
        return;
    };
    let open = Open::with("requests_per_minute = 0\n", |_| ());
    open.until_runs("northfield", 2);
    open.until_runs("larkspur", 1);
    let token = open.token(AccessRole::Operator, "");
    let settings = open.demo.path().join("schemathesis.toml");
    // Things that are there, so that questions get further than that there is no such thing.
    let known = "[parameters]\n\"path.customer\" = \"northfield\"\n\"path.pool\" = \"content-district\"\n\"path.person\" = \"t-058\"\n\
                 \"path.run\" = 2\n\"path.request\" = 1\n\"path.episode\" = 1\n\"path.source\" = \"sis\"\n\
                 \"path.token\" = 999\n";
    fs::write(&settings, known).expect("written");
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                  unsupported_method,ignored_auth";
    let done = Command::new(python)
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(&settings)
        .args(["run", &format!("http://{}/api/v1/openapi.json", open.address)])
        .args(["-H", &format!("Authorization: Bearer {token}")])
        .args(["--phases", "coverage,fuzzing", "-n", EXAMPLES, "--seed", "1", "--checks", checks, "--no-color"])
        .current_dir(open.demo.path())
        .output()
        .expect("it runs");
    let told = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{told}\n{}", String::from_utf8_lossy(&done.stderr));
    // Nothing passed because nothing was asked.
    let cases = told.lines().find_map(|line| line.trim().split_once(" generated, ")?.0.parse::<u32>().ok());
    assert!(cases.is_some_and(|cases| cases > 1000), "{told}");
    let wrong = open.daemon.events("question_failed");
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(open.demo.json("audit verify")["ok"], true, "whatever was asked, the books are proved");
    open.daemon.stop();
}
