//! Delivers what is due, round after round: what was taken together is sent together, so that a receiver that is slow holds
//! up one round and not the house.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_blocking};

use crate::daemon::run::Beside;
use crate::service::{Due, Outbox, ServiceError};
use crate::telemetry::StoreTrouble;

/// How long it waits when nothing is due before it looks again: notices come from other processes too.
const IDLE: Duration = Duration::from_secs(1);
/// How often deliveries that are over for long are forgotten.
const PRUNED_EVERY: Duration = Duration::from_secs(3_600);
/// How long it waits when the store is in trouble.
const TROUBLED: Duration = Duration::from_secs(5);
/// How long a stop waits for answers. What is given up then is sent again under the same id.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the outbox as long as the daemon runs.
pub fn deliver(outbox: Arc<Outbox>) -> Beside {
    Box::new(|stopped| Box::pin(rounds(outbox, stopped)))
}

async fn rounds(outbox: Arc<Outbox>, mut stopped: watch::Receiver<bool>) {
    let mut pruned: Option<Instant> = None;
    while !*stopped.borrow() {
        if pruned.is_none_or(|at| at.elapsed() >= PRUNED_EVERY) {
            pruned = Some(Instant::now());
            let pruner = Arc::clone(&outbox);
            if let Ok(Err(error)) = spawn_blocking(move || pruner.prune()).await {
                trouble(&outbox, &error);
            }
        }
        let asked = Arc::clone(&outbox);
        let due = spawn_blocking(move || asked.due()).await;
        let pause = match due {
            Ok(Ok(due)) if due.is_empty() => IDLE,
            Ok(Ok(due)) => {
                let mut sending = send(&outbox, due);
                let all = async { while sending.join_next().await.is_some() {} };
                tokio::pin!(all);
                tokio::select! {
                    () = &mut all => {}
                    _ = stopped.changed() => {
                        let _ = tokio::time::timeout(PATIENCE, all).await;
                        return;
                    }
                }
                continue;
            }
            Ok(Err(error)) => {
                trouble(&outbox, &error);
                TROUBLED
            }
            Err(_) => TROUBLED,
        };
        tokio::select! {
            _ = stopped.changed() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Sends all of them at once; each is written down as it ends.
fn send(outbox: &Arc<Outbox>, due: Vec<Due>) -> JoinSet<()> {
    let mut sending = JoinSet::new();
    for due in due {
        let outbox = Arc::clone(outbox);
        sending.spawn(async move {
            let sent = if due.is_unsent() { Some(outbox.send(&due).await) } else { None };
            let settler = Arc::clone(&outbox);
            if let Ok(Err(error)) = spawn_blocking(move || settler.settle(due, sent)).await {
                trouble(&outbox, &error);
            }
        });
    }
    sending
}

fn trouble(outbox: &Outbox, error: &ServiceError) {
    let store = outbox.service().store().place();
    StoreTrouble { store: &store, doing: "Notices wait to be delivered", error }.emit();
}
