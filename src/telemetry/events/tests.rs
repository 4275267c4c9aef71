use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::base::{Balance, CustomerId, Day, PoolId, RequestId, RunId};
use crate::telemetry::events::{
    DaemonStarted, DaemonStopping, NegativeBalance, NoticeWritten, RequestDropped, RequestTaken, RunFailed, RunFinished,
    StoreTrouble,
};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The one line that `emit` logs, as JSON without its time.
fn logged(emit: impl FnOnce()) -> Value {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, emit);
    let bytes = lines.0.lock().expect("not poisoned").clone();
    let mut line: Value = serde_json::from_slice(&bytes).expect("one JSON line");
    line.as_object_mut().expect("an object").remove("timestamp").expect("a time");
    line
}

#[derive(Debug, thiserror::Error)]
#[error("read page 3 of sis")]
struct Outer(#[source] Inner);

#[derive(Debug, thiserror::Error)]
#[error("connection reset")]
struct Inner;

#[test]
fn a_finished_run_is_one_line_to_act_on() {
    let customer = CustomerId::from("north");
    let run = RunFinished {
        customer: &customer,
        run: RunId(7),
        state: "succeeded",
        people: 1000,
        seated: 41,
        released: 3,
        waiting: 2,
        withheld: 1,
        findings: 5,
        millis: 812,
        message: "pool learn at -2",
    };
    assert_eq!(
        logged(|| run.emit()),
        json!({
            "level": "INFO", "event": "run_finished", "customer.id": "north", "run.id": 7, "state": "succeeded",
            "people": 1000, "seated": 41, "released": 3, "waiting": 2, "withheld": 1, "findings": 5, "millis": 812,
            "message": "Run 7 of north succeeded in 812 ms: 1000 people, 41 seated, 3 released, 2 waiting, 1 withheld, \
                        5 findings. pool learn at -2",
        })
    );
    for state in ["held", "succeeded_with_errors"] {
        assert_eq!(logged(|| RunFinished { state, ..run }.emit())["level"], "WARN", "{state}");
    }
}

#[test]
fn a_failure_tells_its_whole_chain_once() {
    let line = logged(|| RunFailed { customer: &"north".into(), request: RequestId(7), error: &Outer(Inner) }.emit());
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["error"], "read page 3 of sis: connection reset");
    assert_eq!(
        line["message"],
        "The run for request 7 of north could not read page 3 of sis: connection reset. `rosterd runs north` says how far it \
         came."
    );
    let line = logged(|| StoreTrouble { store: "sqlite:x.db", doing: "Trying again in 5 s", error: &Outer(Inner) }.emit());
    assert_eq!(line["message"], "Could not read page 3 of sis: connection reset. Trying again in 5 s.");
    assert_eq!(line["store"], "sqlite:x.db");
}

#[test]
fn every_message_can_be_read_alone() {
    let (customer, pool) = (&CustomerId::from("north"), &PoolId::from("learn"));
    let started = DaemonStarted { version: "1.2.3", store: "sqlite:x.db", customers: 2, workers: 4 };
    let negative = NegativeBalance {
        customer,
        pool,
        balance: Balance(-3),
        causes: "3 sync_overdraw",
        band: "minor",
        overage_since: Day::parse("2026-03-02"),
    };
    for (line, event, message) in [
        (logged(|| started.emit()), "daemon_started", "Daemon 1.2.3 started on sqlite:x.db: 2 customers, 4 workers."),
        (
            logged(|| DaemonStopping { reason: "SIGTERM", running: 1 }.emit()),
            "daemon_stopping",
            "Daemon is stopping (SIGTERM): 1 runs under way.",
        ),
        (
            logged(|| RequestTaken { customer, request: RequestId(9), trigger: "drop" }.emit()),
            "request_taken",
            "Took up request 9 of north (drop).",
        ),
        (
            logged(|| RequestDropped { customer, request: RequestId(9) }.emit()),
            "request_dropped",
            "Dropped request 9: customer north is not in the settings any more; its books stay as they are.",
        ),
        (
            logged(|| NoticeWritten { customer, kind: "hold_opened", text: "Run 7 is held." }.emit()),
            "notice_written",
            "Notice to north: Run 7 is held.",
        ),
        (
            logged(|| negative.emit()),
            "negative_balance",
            "Pool learn of north is at -3 (3 sync_overdraw); overage open since 2026-03-02, minor.",
        ),
    ] {
        assert_eq!(line["event"], event);
        assert_eq!(line["message"], message);
    }
}
