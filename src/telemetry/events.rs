//! One struct per event. Its message can be read alone, its fields can be searched; both carry ids and counts only.
//! Failures are logged once, by whoever decides what happens next.

use std::error::Error;

use tracing::{error, info, warn};

use crate::base::{Balance, CustomerId, Day, ErrorChain, PoolId, RequestId, RunId};

/// The daemon is ready to work.
pub struct DaemonStarted<'a> {
    /// The program's version.
    pub version: &'a str,
    /// Where the books are kept.
    pub store: &'a str,
    /// How many customers are configured.
    pub customers: usize,
    /// How many of them are worked on at the same time.
    pub workers: u32,
}

/// The HTTP door stands open.
pub struct DoorOpened<'a> {
    /// Where it listens.
    pub address: &'a str,
    /// Only who is on this machine can come.
    pub loopback: bool,
    /// Nobody can read on the way.
    pub tls: bool,
}

impl DoorOpened<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let DoorOpened { address, loopback, tls } = *self;
        if tls {
            info!(event = "door_opened", address, loopback, tls, "The HTTP door listens on {address}, with TLS.");
        } else if loopback {
            info!(event = "door_opened", address, loopback, tls, "The HTTP door listens on {address}.");
        } else {
            warn!(
                event = "door_opened",
                address,
                loopback,
                tls,
                "The HTTP door listens on {address}, without TLS: tokens and names can be read on the way. Give it a certificate (http.tls_cert), or listen on loopback and put a proxy in front."
            );
        }
    }
}

/// A question over HTTP could not be answered, through no fault of whoever asked.
pub struct QuestionFailed<'a> {
    /// The problem's stable code.
    pub code: &'a str,
    /// What could not be done, and why.
    pub why: &'a str,
}

impl QuestionFailed<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let QuestionFailed { code, why } = *self;
        error!(event = "question_failed", code, why, "Could not {why}, for somebody who asked over HTTP.");
    }
}

impl DaemonStarted<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let DaemonStarted { version, store, customers, workers } = *self;
        info!(
            event = "daemon_started",
            version,
            store,
            customers,
            workers,
            "Daemon {version} started on {store}: {customers} customers, {workers} workers."
        );
    }
}

/// The daemon was asked to stop.
pub struct DaemonStopping<'a> {
    /// By what: a signal, a lost lease.
    pub reason: &'a str,
    /// Runs that are under way.
    pub running: usize,
}

impl DaemonStopping<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let DaemonStopping { reason, running } = *self;
        info!(event = "daemon_stopping", reason, running, "Daemon is stopping ({reason}): {running} runs under way.");
    }
}

/// A request for a run was taken up.
pub struct RequestTaken<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which.
    pub request: RequestId,
    /// What asked for it: a schedule, a drop, a person.
    pub trigger: &'a str,
}

impl RequestTaken<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let RequestTaken { customer, request, trigger } = *self;
        info!(
            event = "request_taken",
            customer.id = %customer,
            request.id = request.0,
            trigger,
            "Took up request {request} of {customer} ({trigger})."
        );
    }
}

/// A request came to nothing: its customer is not in the settings any more.
pub struct RequestDropped<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which.
    pub request: RequestId,
}

impl RequestDropped<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let RequestDropped { customer, request } = *self;
        warn!(
            event = "request_dropped",
            customer.id = %customer,
            request.id = request.0,
            "Dropped request {request}: customer {customer} is not in the settings any more; its books stay as they are."
        );
    }
}

/// A run came to its end: the one line per run an operator can act on.
pub struct RunFinished<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which.
    pub run: RunId,
    /// Its state's word (R109). Anything but `succeeded` is a warning.
    pub state: &'a str,
    /// People of the roster.
    pub people: u64,
    /// Seats given.
    pub seated: u64,
    /// Seats freed.
    pub released: u64,
    /// People in queues now.
    pub waiting: u64,
    /// Changes that were not made.
    pub withheld: u64,
    /// Findings in the sources.
    pub findings: u64,
    /// How long it took.
    pub millis: u64,
    /// What an operator should know: guards, negative balances, sources in trouble; may be empty.
    pub message: &'a str,
}

impl RunFinished<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let RunFinished { customer, run, state, people, seated, released, waiting, withheld, findings, millis, message } =
            *self;
        let gap = if message.is_empty() { "" } else { " " };
        macro_rules! log {
            ($level:ident) => {
                $level!(
                    event = "run_finished",
                    customer.id = %customer,
                    run.id = run.0,
                    state,
                    people,
                    seated,
                    released,
                    waiting,
                    withheld,
                    findings,
                    millis,
                    "Run {run} of {customer} {state} in {millis} ms: {people} people, {seated} seated, {released} released, \
                     {waiting} waiting, {withheld} withheld, {findings} findings.{gap}{message}"
                )
            };
        }
        if state == "succeeded" { log!(info) } else { log!(warn) }
    }
}

/// A run could not even be begun or ended.
pub struct RunFailed<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// The request it was made for.
    pub request: RequestId,
    /// Why; says what could not be done.
    pub error: &'a dyn Error,
}

impl RunFailed<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let RunFailed { customer, request, error } = *self;
        let chain = ErrorChain(error);
        error!(
            event = "run_failed",
            customer.id = %customer,
            request.id = request.0,
            error = %chain,
            "The run for request {request} of {customer} could not {chain}. `rosterd runs {customer}` says how far it came."
        );
    }
}

/// A notice was written with the facts it tells.
pub struct NoticeWritten<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Its kind's word.
    pub kind: &'a str,
    /// Its text: numbers and ids.
    pub text: &'a str,
}

impl NoticeWritten<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let NoticeWritten { customer, kind, text } = *self;
        warn!(event = "notice_written", customer.id = %customer, kind, "Notice to {customer}: {text}");
    }
}

/// A pool has more seats in use than it has, as a run left it (R49, R50).
pub struct NegativeBalance<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which.
    pub pool: &'a PoolId,
    /// Its balance, below zero.
    pub balance: Balance,
    /// Its causes with their counts, in words.
    pub causes: &'a str,
    /// Its band's word.
    pub band: &'a str,
    /// Since when its overage is open; `None`: no episode.
    pub overage_since: Option<Day>,
}

impl NegativeBalance<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let NegativeBalance { customer, pool, balance, causes, band, overage_since } = *self;
        let since = overage_since.map_or_else(|| "no overage".to_owned(), |day| format!("overage open since {day}, {band}"));
        warn!(
            event = "negative_balance",
            customer.id = %customer,
            pool.id = %pool,
            balance = balance.0,
            causes,
            band,
            "Pool {pool} of {customer} is at {balance} ({causes}); {since}."
        );
    }
}

/// The store did not do what it should; the daemon goes on or stops, as `doing` says.
pub struct StoreTrouble<'a> {
    /// Which store.
    pub store: &'a str,
    /// What happens next, as a sentence without its period.
    pub doing: &'a str,
    /// Why; says what could not be done.
    pub error: &'a dyn Error,
}

impl StoreTrouble<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let StoreTrouble { store, doing, error } = *self;
        let chain = ErrorChain(error);
        error!(event = "store_trouble", store, doing, error = %chain, "Could not {chain}. {doing}.");
    }
}

#[cfg(test)]
mod tests;
