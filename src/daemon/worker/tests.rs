use std::io::Write;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::base::{Calendar, Digest, Instant, SourceId};
use crate::clock::SetClock;
use crate::daemon::worker::work;
use crate::plan::{GuardLimits, Policy};
use crate::roster::{IntakePolicy, RosterIntake};
use crate::service::{ByHandPolicy, Customer, Feed, ReportPolicy, Service};
use crate::source::{Package, Read, RosterSource, Seen, SourceError};
use crate::store::{RequestState, RunState, SqliteStore, Trigger};

/// A source with a bug.
struct Broken(SourceId);

impl RosterSource for Broken {
    fn id(&self) -> &SourceId {
        &self.0
    }

    fn pending(&self, _: &Seen) -> Result<Vec<Package>, SourceError> {
        panic!("a bug")
    }

    fn pull(&self, _: &Package, _: &mut RosterIntake) -> Result<Read, SourceError> {
        panic!("a bug")
    }

    fn is_incremental(&self, _: &Package) -> Result<bool, SourceError> {
        panic!("a bug")
    }

    fn check(&self) -> Result<String, SourceError> {
        panic!("a bug")
    }
}

fn customer() -> Customer {
    let policy = Policy {
        customer: "north".into(),
        products: Vec::new(),
        pools: Vec::new(),
        rules: Vec::new(),
        limits: GuardLimits::STANDARD,
        guard_windows: Vec::new(),
        absence_confirmations: 2,
        pending_expire_days: 0,
        purge_after_days: None,
        calendar: Calendar::utc(),
        digest: Digest::default(),
    };
    let intake = IntakePolicy { lenient: false, courses_optional: true };
    Customer {
        name: "North".into(),
        policy,
        sources: vec![Feed { source: Arc::new(Broken("sis".into())), intake, watched: true, activity_column: None }],
        same_person: Vec::new(),
        grants: Vec::new(),
        agreed: Vec::new(),
        terms: Vec::new(),
        bad_percent_max: 5,
        nightly: None,
        catchup_window_hours: 12,
        stale_after_hours: 36,
        full_every_days: 7,
        same_day_max: 6,
        latency_target_secs: 300,
        pauses: Vec::new(),
        quiet: Vec::new(),
        by_hand: ByHandPolicy::default(),
        reports: ReportPolicy::default(),
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_run_that_breaks_off_is_told_with_its_customer() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
    let _logs = tracing::subscriber::set_default(subscriber);
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("rosterd.db")).unwrap());
    let service = Arc::new(Service::new(store, Arc::new(SetClock::at(Instant(1000))), vec![customer()]));
    let (request, _) = service.request_sync(&service.customers()[0], &Trigger::Drop).unwrap();
    let (stop, stopped) = watch::channel(false);
    let worker = tokio::spawn(work(Arc::clone(&service), stopped, Arc::new(AtomicUsize::new(0))));
    while service.store().request_row(request).unwrap().unwrap().state != RequestState::Done {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    stop.send(true).unwrap();
    worker.await.unwrap();
    let run = service.store().runs(None, 9).unwrap().remove(0);
    assert_eq!((run.state, run.ended), (RunState::Failed, Some(Instant(1000))), "{}", run.message);
    let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let failed: Vec<&str> = log.lines().filter(|line| line.contains("run_failed")).collect();
    assert_eq!(failed.len(), 1, "{log}");
    assert!(failed[0].contains("\"customer.id\":\"north\"") && failed[0].contains("broke off"), "{log}");
}
