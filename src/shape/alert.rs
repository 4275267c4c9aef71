//! Deliveries of notices, in JSON (R153, R154).

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::ErrorChain;
use crate::notify::{Answer, NotifyError, Party};
use crate::service::Outbox;
use crate::shape::common::at;
use crate::store::{AlertRow, AlertState};

/// Deliveries.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertsJson {
    alerts: Vec<AlertJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlertJson {
    alert: u64,
    channel: String,
    /// `vendor` or `customer`; `null`: the channel is not in the settings.
    audience: Option<&'static str>,
    customer: String,
    /// The notice's key.
    notice: String,
    kind: String,
    written: Option<String>,
    /// `waiting`, `accepted`, `delivered` or `dead`.
    state: &'static str,
    tries: u32,
    /// When it is tried next, while it waits.
    next: Option<String>,
    ended: Option<String>,
    /// Why the last try came to nothing.
    error: Option<String>,
}

impl AlertsJson {
    /// Some deliveries of an outbox.
    pub fn new(outbox: &Outbox, rows: &[AlertRow]) -> Self {
        let party = |row: &AlertRow| outbox.channel(&row.channel).ok().map(|channel| channel.settings().party);
        Self { alerts: rows.iter().map(|row| alert(row, party(row))).collect() }
    }
}

fn alert(row: &AlertRow, party: Option<Party>) -> AlertJson {
    let AlertRow { id, notice, pool: _, source: _, channel, state, tries, next, ended, error } = row;
    AlertJson {
        alert: *id,
        channel: channel.clone(),
        audience: party.map(|party| if party == Party::Customer { "customer" } else { "vendor" }),
        customer: notice.customer.to_string(),
        notice: notice.key.clone(),
        kind: notice.kind.clone(),
        written: at(notice.at),
        state: state.word(),
        tries: *tries,
        next: if *state == AlertState::Waiting { at(*next) } else { None },
        ended: ended.and_then(at),
        error: (!error.is_empty()).then(|| error.clone()),
    }
}

/// What came back of test messages.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TriedJson {
    /// Whether all of them were taken.
    ok: bool,
    channels: Vec<TryJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TryJson {
    channel: String,
    /// The message's id.
    id: String,
    ok: bool,
    status: Option<String>,
    /// The beginning of what the receiver said.
    said: String,
    error: Option<String>,
}

impl TriedJson {
    /// By which channel, under which id, and what came back.
    pub fn new<'t>(tried: impl IntoIterator<Item = (&'t str, &'t str, &'t Result<Answer, NotifyError>)>) -> Self {
        let channels: Vec<TryJson> = tried.into_iter().map(|(channel, id, sent)| one(channel, id, sent)).collect();
        Self { ok: channels.iter().all(|channel| channel.ok), channels }
    }
}

fn one(channel: &str, id: &str, sent: &Result<Answer, NotifyError>) -> TryJson {
    let (status, said, error) = match sent {
        Ok(Answer { status, said }) => (Some(status.clone()), said.as_str(), None),
        Err(error) => (None, error.said(), Some(ErrorChain(error).to_string())),
    };
    TryJson { channel: channel.to_owned(), id: id.to_owned(), ok: sent.is_ok(), status, said: said.to_owned(), error }
}

/// What is delivered again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplayedJson {
    /// How many deliveries.
    pub replayed: usize,
    /// By which channels, if it is one notice.
    pub channels: Vec<String>,
    /// Whether a daemon runs that does it.
    pub daemon: bool,
}
