//! The daemon: takes requests, makes them when a night is due or a package arrives, and stops between commits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};

use crate::base::{CustomerId, Digest};
use crate::daemon::arrivals::{Arrivals, PATIENCE};
use crate::daemon::drops::Drops;
use crate::daemon::schedule::Bell;
use crate::daemon::stop::StopSignals;
use crate::daemon::worker::work;
use crate::plan::NoticeKind;
use crate::service::{Service, ServiceError, Ticked};
use crate::store::DaemonMark;
use crate::telemetry::{DaemonStarted, DaemonStopping, NoticeWritten, StoreTrouble};

/// A daemon whose last minute was over longer ago than this hangs.
const MINUTE_MAX: Duration = Duration::from_secs(600);

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

/// Something else that runs as long as the daemon does: told to stop by what it gets.
pub type Beside = Box<dyn FnOnce(watch::Receiver<bool>) -> Pin<Box<dyn Future<Output = ()> + Send>>>;

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
pub fn serve(service: Arc<Service>, options: DaemonOptions, beside: Vec<Beside>) -> Result<(), ServeError> {
    let mark = DaemonMark { pid: std::process::id(), host: host(), since: service.now() };
    let lease = service.store().become_daemon(&mark)?;
    service.recover(service.now())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        // A look at folders that hang keeps its thread.
        .max_blocking_threads(512 + service.customers().len())
        .enable_all()
        .build()?;
    let served = runtime.block_on(run(service, options, beside));
    // A run that still reads or plans is given up: it has written nothing, or all of it.
    runtime.shutdown_timeout(Duration::from_millis(100));
    drop(lease);
    served
}

async fn run(service: Arc<Service>, options: DaemonOptions, beside: Vec<Beside>) -> Result<(), ServeError> {
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
    let (over, minute) = watch::channel(Instant::now());
    tasks.spawn(minutes(Arc::clone(&service), rung, over, stopped.clone()));
    tasks.spawn(arrivals(Arc::clone(&service), options.drop_poll_secs, stopped.clone()));
    for beside in beside {
        tasks.spawn(beside(stopped.clone()));
    }
    tasks.spawn(heartbeat(Arc::clone(&running), minute, stopped.clone()));

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

/// Does what the minute asks for whenever the bell rings, and once at the start; says when it was over.
async fn minutes(
    service: Arc<Service>,
    mut rung: mpsc::Receiver<()>,
    over: watch::Sender<Instant>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut is_first = true;
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            ring = rung.recv() => if ring.is_none() { return },
        }
        let service = Arc::clone(&service);
        let is_due = move || {
            // Whoever just started looks for itself; after that one of all nodes does each minute.
            match service.store().take_minute() {
                Ok(is_own) if is_own || is_first => tick(&service),
                Ok(_) => {}
                Err(error) => trouble(&service, &[error.into()]),
            }
        };
        let _ = tokio::task::spawn_blocking(is_due).await;
        is_first = false;
        let _ = over.send(Instant::now());
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
    trouble(service, &errors);
}

/// Looks at the drop folders again and again.
async fn arrivals(service: Arc<Service>, poll_secs: u32, mut stopped: watch::Receiver<bool>) {
    let mut customers: Vec<CustomerId> = service.customers().iter().map(|customer| customer.id().clone()).collect();
    // Nodes that start together begin at different customers: who comes second finds that they were asked for.
    let [first, second, ..] = Digest::of(format!("{}/{}", host(), std::process::id()).as_bytes()).0;
    let begin = usize::from(u16::from_be_bytes([first, second])) * customers.len() / 0x1_0000;
    customers.rotate_left(begin);
    let mut arrivals = Arrivals::new(customers.into_iter());
    let mut ticks = tokio::time::interval(Duration::from_secs(poll_secs.max(1).into()));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let looker = Arc::clone(&service);
    let look = move |customer: &CustomerId, mut drops: Drops| {
        let done = looker.customer(customer.as_str()).and_then(|customer| drops.look(&looker, customer, Instant::now()));
        (drops, done)
    };
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            _ = stopped.changed() => return,
            errors = arrivals.look(look.clone(), PATIENCE) => trouble(&service, &errors),
        }
    }
}

/// Tells the supervisor that the daemon lives and what it does. A daemon whose minutes do not come to their end does not.
async fn heartbeat(running: Arc<AtomicUsize>, minute: watch::Receiver<Instant>, mut stopped: watch::Receiver<bool>) {
    let every = sd_notify::watchdog_enabled().map_or(Duration::from_secs(30), |limit| limit / 2);
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(100)));
    loop {
        tokio::select! {
            _ = stopped.changed() => return,
            _ = ticks.tick() => {}
        }
        let status = format!("{} runs under way", running.load(Ordering::SeqCst));
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(&status)]);
        if minute.borrow().elapsed() < MINUTE_MAX {
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

/// One line, however many customers the same trouble meets.
fn trouble(service: &Service, errors: &[ServiceError]) {
    let Some(error) = errors.first() else { return };
    let more = if errors.len() > 1 { format!(" (and {} more like it)", errors.len() - 1) } else { String::new() };
    let doing = format!("It is looked at again in a minute{more}");
    StoreTrouble { store: &service.store().place(), doing: &doing, error }.emit();
}

/// Where a machine says its name. The first is hidden from a service that may see processes only.
const HOST_FILES: [&str; 2] = ["/proc/sys/kernel/hostname", "/etc/hostname"];

/// The machine's name, for people.
pub fn host() -> String {
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
