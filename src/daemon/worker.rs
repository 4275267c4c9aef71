//! A worker: takes one request after the other and does what it asks for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::base::RequestId;
use crate::plan::causes_text;
use crate::service::{Service, ServiceError};
use crate::store::{RequestRow, RunRow};
use crate::telemetry::{NegativeBalance, NoticeWritten, RequestDropped, RequestTaken, RunFailed, RunFinished, StoreTrouble};

/// How long a worker with nothing to do waits before it looks again: requests come from other processes too.
const IDLE: Duration = Duration::from_millis(500);
/// How long it waits after a run for which the store had no space: each try reads the package anew.
const FULL: Duration = Duration::from_secs(30);
/// How long it waits when the store is in trouble.
const TROUBLED: Duration = Duration::from_secs(5);

/// Works until told to stop. One customer's failure is that customer's alone (R99).
pub async fn work(service: Arc<Service>, mut stopped: watch::Receiver<bool>, running: Arc<AtomicUsize>) {
    while !*stopped.borrow() {
        let taker = Arc::clone(&service);
        let taken = tokio::task::spawn_blocking(move || taker.take_request()).await;
        let pause = match taken {
            Ok(Ok(Some(request))) => {
                running.fetch_add(1, Ordering::SeqCst);
                let (worker, taken) = (Arc::clone(&service), request.clone());
                let done = tokio::task::spawn_blocking(move || fulfil(&worker, &taken)).await;
                running.fetch_sub(1, Ordering::SeqCst);
                match done {
                    Ok(true) => continue,
                    Ok(false) => FULL,
                    Err(_) => {
                        report(&request, Err(ServiceError::BrokeOff));
                        give_up(&service, request.request).await;
                        TROUBLED
                    }
                }
            }
            Ok(Ok(None)) => IDLE,
            Ok(Err(error)) => {
                StoreTrouble { store: &service.store().place(), doing: "requests wait", error: &error }.emit();
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

/// Ends a request whose run panicked: one that nobody ends keeps its customer from being worked on.
async fn give_up(service: &Arc<Service>, request: RequestId) {
    let giver = Arc::clone(service);
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || giver.give_up(request)).await {
        StoreTrouble { store: &service.store().place(), doing: "the request is ended later", error: &error }.emit();
    }
}

/// Makes the run that was asked for, and tells of it. Whether to go on at once: not if the request went back in line.
fn fulfil(service: &Service, request: &RequestRow) -> bool {
    RequestTaken { customer: &request.customer, request: request.request, trigger: request.trigger.word() }.emit();
    let done = service.fulfil(request, &|_| ());
    if let Ok(Some(run)) = &done {
        tell(service, run);
    }
    let goes_on = !done.as_ref().is_err_and(ServiceError::passes);
    report(request, done);
    goes_on
}

/// What a run left behind that somebody should know: its notices, and pools below zero.
fn tell(service: &Service, run: &RunRow) {
    if run.version.is_none() {
        return;
    }
    let told = service.customer(run.customer.as_str()).and_then(|customer| {
        for notice in service.notices_of(run)?.iter().filter(|notice| notice.kind != "negative_balance") {
            NoticeWritten { customer: &run.customer, kind: &notice.kind, text: &notice.text }.emit();
        }
        for view in service.pools(customer)? {
            let Some(balance) = view.balance.filter(|b| b.0 < 0) else { continue };
            NegativeBalance {
                customer: &run.customer,
                pool: &view.pool,
                balance,
                causes: &causes_text(&view.causes),
                band: view.band.word(),
                overage_since: view.episode.as_ref().map(|e| e.opened_day),
            }
            .emit();
        }
        Ok(())
    });
    if let Err(error) = told {
        StoreTrouble { store: &service.store().place(), doing: "the run itself is done", error: &error }.emit();
    }
}

fn report(request: &RequestRow, done: Result<Option<RunRow>, ServiceError>) {
    match done {
        Ok(Some(run)) => {
            let millis = run.ended.map_or(0, |ended| ended.0 - run.began.0);
            RunFinished {
                customer: &run.customer,
                run: run.run,
                state: run.state.word(),
                people: run.tally.people,
                seated: run.tally.seated,
                released: run.tally.released,
                waiting: run.tally.waiting,
                withheld: run.tally.withheld,
                findings: run.tally.findings,
                millis: u64::try_from(millis).unwrap_or(0),
                message: &run.message,
            }
            .emit();
        }
        Ok(None) => RequestDropped { customer: &request.customer, request: request.request }.emit(),
        Err(error) => RunFailed { customer: &request.customer, request: request.request, error: &error }.emit(),
    }
}

#[cfg(test)]
mod tests;
