//! The daemon: takes requests, makes them when a night is due or a package arrives, and stops between commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::daemon::drops::Drops;
use crate::daemon::schedule::Bell;
use crate::daemon::stop::StopSignals;
use crate::daemon::worker::work;
use crate::plan::NoticeKind;
use crate::service::{Service, Ticked};
use crate::store::DaemonMark;
use crate::telemetry::{DaemonStarted, DaemonStopping, NoticeWritten, StoreTrouble};

/// How the daemon works.
#[derive(Clone, Copy, Debug)]
pub struct DaemonOptions {
    /// How many customers are worked on at once.
    pub workers: u32,
    /// How often drop folders are looked at, in seconds.
    pub drop_poll_secs: u32,
    /// How long a stop waits for commits under way, in seconds.
    pub stop_secs_max: u32,
}

/// Why the daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The store is not to be had.
    #[error("take the store")]
    Store(#[from] crate::store::StoreError),
    /// The runtime could not be started.
    #[error("start the runtime")]
    Runtime(#[from] std::io::Error),
    /// The clock that rings could not be started.
    #[error("start the schedule: {0}")]
    Schedule(String),
}

/// Runs the daemon until it is told to stop (SIGTERM, SIGINT). Blocks.
///
/// # Errors
/// When it cannot start; a daemon that runs survives what befalls single customers.
pub fn serve(service: Arc<Service>, options: DaemonOptions) -> Result<(), ServeError> {
    let mark = DaemonMark { pid: std::process::id(), host: host(), since: service.now() };
    let lease = service.store().become_daemon(&mark)?;
    service.recover(service.now())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let served = runtime.block_on(run(service, options));
    // A run that still reads or plans is given up: it has written nothing, or all of it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    drop(lease);
    served
}

async fn run(service: Arc<Service>, options: DaemonOptions) -> Result<(), ServeError> {
    // Before anybody is told that it is ready: from then on a supervisor may stop it.
    let mut signals = StopSignals::listen()?;
    let (stop, stopped) = watch::channel(false);
    let (rings, rung) = mpsc::channel(1);
    let _ = rings.try_send(());
    let bell = Bell::start(rings).await.map_err(|error| ServeError::Schedule(error.to_string()))?;
    let running = Arc::new(AtomicUsize::new(0));

    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..options.workers.max(1) {
        tasks.spawn(work(Arc::clone(&service), stopped.clone(), Arc::clone(&running)));
    }
    tasks.spawn(minutes(Arc::clone(&service), rung, stopped.clone()));
    tasks.spawn(arrivals(Arc::clone(&service), options.drop_poll_secs, stopped.clone()));
    tasks.spawn(heartbeat(Arc::clone(&running), stopped.clone()));

    DaemonStarted {
        version: env!("CARGO_PKG_VERSION"),
        store: &service.store().place(),
        customers: service.customers().len(),
        workers: options.workers,
    }
    .emit();
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    let reason = signals.heard().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    DaemonStopping { reason, running: running.load(Ordering::SeqCst) }.emit();
    let _ = stop.send(true);
    drop(bell);
    let patience = Duration::from_secs(options.stop_secs_max.max(1).into());
    let _ = tokio::time::timeout(patience, async { while tasks.join_next().await.is_some() {} }).await;
    Ok(())
}

/// Does what the minute asks for whenever the bell rings, and once at the start.
async fn minutes(service: Arc<Service>, mut rung: mpsc::Receiver<()>, mut stopped: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            ring = rung.recv() => if ring.is_none() { return },
        }
        let service = Arc::clone(&service);
        let _ = tokio::task::spawn_blocking(move || tick(&service)).await;
    }
}

fn tick(service: &Service) {
    let Ticked { asked: _, missed, delayed, told, errors } = service.tick();
    for (customer, notice) in &told {
        NoticeWritten { customer, kind: notice.kind.word(), text: &notice.text }.emit();
    }
    for (customer, text) in &missed {
        NoticeWritten { customer, kind: NoticeKind::SameDayMissed.word(), text }.emit();
    }
    for (customer, text) in &delayed {
        NoticeWritten { customer, kind: NoticeKind::AssignmentDelay.word(), text }.emit();
    }
    for error in &errors {
        trouble(service, error);
    }
}

/// Looks at the drop folders again and again.
async fn arrivals(service: Arc<Service>, poll_secs: u32, mut stopped: watch::Receiver<bool>) {
    let mut drops = Drops::default();
    let mut ticks = tokio::time::interval(Duration::from_secs(poll_secs.max(1).into()));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        let service = Arc::clone(&service);
        let looked = tokio::task::spawn_blocking(move || {
            request_arrivals(&service, &mut drops);
            drops
        });
        drops = looked.await.unwrap_or_default();
    }
}

fn request_arrivals(service: &Service, drops: &mut Drops) {
    for customer in service.customers() {
        if let Err(error) = drops.look(service, customer, Instant::now()) {
            trouble(service, &error);
        }
    }
}

/// Tells the supervisor that the daemon lives and what it does.
async fn heartbeat(running: Arc<AtomicUsize>, mut stopped: watch::Receiver<bool>) {
    let every = sd_notify::watchdog_enabled().map_or(Duration::from_secs(30), |limit| limit / 2);
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(100)));
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        let status = format!("{} runs under way", running.load(Ordering::SeqCst));
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog, sd_notify::NotifyState::Status(&status)]);
    }
}

fn trouble(service: &Service, error: &dyn std::error::Error) {
    StoreTrouble { store: &service.store().place(), doing: "the schedule is looked at again in a minute", error }.emit();
}

/// Where a machine says its name. The first is hidden from a service that may see processes only.
const HOST_FILES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];

/// The machine's name, for people.
fn host() -> String {
    host_of(&HOST_FILES)
}

fn host_of(files: &[&str]) -> String {
    let read = |file| std::fs::read_to_string(file).ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    files.iter().find_map(read).unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::daemon::run::{HOST_FILES, host_of};

    #[test]
    fn a_machine_has_a_name_where_the_kernels_is_hidden() {
        assert!(HOST_FILES.len() > 1);
        assert_eq!(
            host_of(&["/nowhere/hostname", "/proc/self/comm"]),
            std::fs::read_to_string("/proc/self/comm").unwrap().trim()
        );
        assert_eq!(host_of(&["/nowhere/hostname"]), "localhost");
    }
}
