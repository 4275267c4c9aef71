//! The outbox: notices leave the house. Whatever was written is given to the channels that carry it, and each of them is tried
//! until it took it, or for so long that somebody has to look (R153, R154).
//!
//! At least once: a process that dies between sending and writing it down sends again, under the same id. What a customer's
//! contact took is written into the books, at the instant it was taken: that starts the contract's clocks (R66). Until the books
//! say so a delivery is `accepted`, and is not sent again.

use std::sync::Arc;

use crate::base::{Actor, ErrorChain, Instant, most_similar};
use crate::notify::{Answer, Message, Notifier, NotifyError, Party, pause_millis};
use crate::plan::NoticeKind;
use crate::service::core::Service;
use crate::service::error::ServiceError;
use crate::service::notices::DeliveryAnswer;
use crate::store::{AlertRow, AlertState, NoticeRow, Routed};
use crate::telemetry::{AlertDead, AlertDelayed, AlertDelivered, AlertUnwritten};

/// So many notices are given to channels in one transaction.
const ROUTED_MAX: u32 = 500;
/// So many deliveries are under way at once, …
const TAKEN_MAX: u32 = 32;
/// … and so many of one channel, so that one that is slow leaves room for others.
const CHANNEL_MAX: u32 = 4;
/// How long a delivery may take beyond its own limit before somebody else gets it, in milliseconds.
const LEASE_MILLIS: i64 = 10_000;
/// How long a delivery waits whose channel is not in the settings any more, or that the books cannot take yet.
const LATER_MILLIS: i64 = 60_000;

/// How often and how long deliveries are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxPolicy {
    /// `outbox.max_tries`: after so many a delivery is dead.
    pub tries_max: u32,
    /// `outbox.first_pause_secs`: the pause after the first one that failed; it doubles each time.
    pub pause_first_secs: u32,
    /// `outbox.timeout_secs`: how long one may take.
    pub timeout_secs: u32,
    /// `outbox.keep_days`: how long one that arrived is listed.
    pub keep_days: u32,
    /// `outbox.keep_dead_days`: how long one that was given up is listed and can be repeated.
    pub keep_dead_days: u32,
}

/// See the module.
pub struct Outbox {
    service: Arc<Service>,
    channels: Vec<Notifier>,
    policy: OutboxPolicy,
}

/// A delivery that is due.
pub struct Due {
    row: AlertRow,
    channel: usize,
    message: Message,
}

impl Due {
    /// Whether it is still to be sent; else the receiver took it, and only the books do not say so.
    pub fn is_unsent(&self) -> bool {
        self.row.state == AlertState::Waiting
    }
}

impl Outbox {
    /// The outbox of a service with these channels.
    pub fn new(service: Arc<Service>, channels: Vec<Notifier>, policy: OutboxPolicy) -> Self {
        Self { service, channels, policy }
    }

    /// The service it is of.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// A channel by name.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] with a suggestion.
    pub fn channel(&self, name: &str) -> Result<&Notifier, ServiceError> {
        Self::channel_of(&self.channels, name)
    }

    /// The same among channels without an outbox.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] with a suggestion.
    pub fn channel_of<'c>(channels: &'c [Notifier], name: &str) -> Result<&'c Notifier, ServiceError> {
        let names = channels.iter().map(|channel| channel.settings().name.as_str());
        let hint = || most_similar(name, names);
        let found = channels.iter().find(|channel| channel.settings().name == name);
        found.ok_or_else(|| ServiceError::Unknown { what: "channel", id: name.to_owned(), hint: hint() })
    }

    /// Gives new notices to their channels, and takes what is due: nobody else gets that for some time. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn due(&self) -> Result<Vec<Due>, ServiceError> {
        let (store, now) = (&self.service.store, self.service.now());
        loop {
            let new = store.unrouted_notices(ROUTED_MAX)?;
            if new.is_empty() {
                break;
            }
            let routed: Vec<Routed> = new.iter().map(|notice| self.routed(notice)).collect();
            store.route_notices(&routed, now, false)?;
        }
        let until = now.plus_millis(i64::from(self.policy.timeout_secs) * 1_000 + LEASE_MILLIS);
        let mut due = Vec::new();
        for mut row in store.take_alerts(now, until, CHANNEL_MAX, TAKEN_MAX)? {
            let channel = self.channels.iter().position(|channel| channel.settings().name == row.channel);
            let told = channel.zip(NoticeKind::of_word(&row.notice.kind));
            let Some((channel, kind)) = told else {
                row.error = "the channel is not in the settings".to_owned();
                row.next = now.plus_millis(LATER_MILLIS);
                store.save_alert(&row)?;
                continue;
            };
            let message = self.message(&row, kind);
            due.push(Due { row, channel, message });
        }
        Ok(due)
    }

    /// The channels that carry a notice.
    fn routed(&self, notice: &NoticeRow) -> Routed {
        let kind = NoticeKind::of_word(&notice.kind);
        let settings = self.channels.iter().map(Notifier::settings);
        let carry = settings.filter(|channel| kind.is_some_and(|kind| channel.carries(&notice.customer, kind)));
        let channels = carry.map(|channel| channel.name.clone()).collect();
        Routed { customer: notice.customer.clone(), key: notice.key.clone(), channels }
    }

    fn message(&self, row: &AlertRow, kind: NoticeKind) -> Message {
        let NoticeRow { customer, key, kind: _, at, text } = &row.notice;
        // A customer that left the settings is told of by its id.
        let name = self.service.customer(customer.as_str()).map_or(customer.as_str(), |known| &known.name);
        let about = (row.pool.as_ref().map(|pool| pool.as_str()), row.source.as_ref().map(|source| source.as_str()));
        Message::of(&row.channel, (customer, name), (kind, key, *at), about, text)
    }

    /// Sends what is due, once.
    ///
    /// # Errors
    /// When it was not taken, or nobody knows.
    pub async fn send(&self, due: &Due) -> Result<Answer, NotifyError> {
        self.channels[due.channel].send(&due.message, self.service.now()).await
    }

    /// Writes down what came of it. Blocks.
    ///
    /// # Errors
    /// When the store or the books cannot be written; what was taken is then written into the books later, without being sent
    /// again.
    pub fn settle(&self, due: Due, sent: Option<Result<Answer, NotifyError>>) -> Result<(), ServiceError> {
        let now = self.service.now();
        let Due { mut row, channel, message } = due;
        let party = self.channels[channel].settings().party;
        match sent {
            Some(Ok(answer)) => {
                row.tries += 1;
                row.ended = Some(now);
                row.error = String::new();
                row.state = if party == Party::Customer { AlertState::Accepted } else { AlertState::Delivered };
                self.service.store.save_alert(&row)?;
                let (channel, customer, key) = (&row.channel, &row.notice.customer, &row.notice.key);
                AlertDelivered { channel, customer, key, tries: row.tries, status: &answer.status }.emit();
            }
            Some(Err(error)) => {
                self.failed(&mut row, &message, &error, now);
                return Ok(self.service.store.save_alert(&row)?);
            }
            None => {}
        }
        if row.state == AlertState::Accepted { self.record(row) } else { Ok(()) }
    }

    fn failed(&self, row: &mut AlertRow, message: &Message, error: &NotifyError, now: Instant) {
        row.tries += 1;
        row.error = ErrorChain(error).to_string();
        let is_dead = error.is_final() || row.tries >= self.policy.tries_max;
        let asked = error.after().map(|after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
        let pause = pause_millis(&message.id, row.tries, self.policy.pause_first_secs, asked);
        let (channel, customer, key) = (row.channel.as_str(), &row.notice.customer, row.notice.key.as_str());
        if is_dead {
            AlertDead { channel, customer, key, tries: row.tries, error }.emit();
            (row.state, row.ended) = (AlertState::Dead, Some(now));
        } else {
            AlertDelayed { channel, customer, key, tries: row.tries, pause_secs: pause.div_euclid(1_000), error }.emit();
            row.next = now.plus_millis(pause);
        }
    }

    /// Writes into the books that a notice arrived, at the instant it did. Clocks of nodes differ, and may be set back: it did
    /// not before it was written, nor after it is written down.
    fn record(&self, mut row: AlertRow) -> Result<(), ServiceError> {
        row.state = AlertState::Delivered;
        // Nobody writes in the books of a customer that left the settings.
        if let Ok(customer) = self.service.customer(row.notice.customer.as_str()) {
            let written = |at| self.service.deliver(customer, &row.notice.key, &row.channel, Some(at), &Actor::system());
            let at = row.ended.unwrap_or(row.notice.at).max(row.notice.at);
            let answer = match written(at)? {
                DeliveryAnswer::NotThen { written: since, now } if since <= now => written(now)?,
                answer => answer,
            };
            if let DeliveryAnswer::NotThen { written, now } = answer {
                let (channel, customer, key) = (row.channel.as_str(), &row.notice.customer, row.notice.key.as_str());
                AlertUnwritten { channel, customer, key, written, now }.emit();
                row.state = AlertState::Accepted;
                row.next = self.service.now().plus_millis(LATER_MILLIS);
            }
        }
        Ok(self.service.store.save_alert(&row)?)
    }

    /// Forgets deliveries that are over for long. Returns how many. The notices stay.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn prune(&self) -> Result<usize, ServiceError> {
        let before = |days: u32| self.service.now().plus_millis(-86_400_000 * i64::from(days));
        let OutboxPolicy { keep_days, keep_dead_days, .. } = self.policy;
        Ok(self.service.store.prune_alerts(before(keep_days), before(keep_dead_days))?)
    }

    /// Deliveries, newest first, in one state or in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn list(&self, state: Option<AlertState>, limit: u32) -> Result<Vec<AlertRow>, ServiceError> {
        Ok(self.service.store.alerts(state, limit)?)
    }

    /// Has everything that was given up delivered anew, or what one channel gave up. Returns how many.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such channel; when the store cannot be read or written.
    pub fn replay_dead(&self, channel: Option<&str>) -> Result<usize, ServiceError> {
        if let Some(name) = channel {
            self.channel(name)?;
        }
        let (store, now) = (&self.service.store, self.service.now());
        let dead = store.alerts(Some(AlertState::Dead), u32::MAX)?;
        let mut count = 0;
        for row in dead.into_iter().filter(|row| channel.is_none_or(|channel| channel == row.channel)) {
            store.save_alert(&AlertRow { state: AlertState::Waiting, tries: 0, next: now, ended: None, ..row })?;
            count += 1;
        }
        Ok(count)
    }

    /// Has one notice delivered anew, also where it arrived: by one channel, or by all that carry it. Returns their names.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such notice, or if the channel is another customer's; when the store cannot be
    /// read or written.
    pub fn replay(&self, customer: &str, key: &str, channel: Option<&str>) -> Result<Vec<String>, ServiceError> {
        let customer = self.service.customer(customer)?;
        let unknown = |what, id: &str| ServiceError::Unknown { what, id: id.to_owned(), hint: None };
        let notice = self.service.store.notice(customer.id(), key)?.ok_or_else(|| unknown("notice", key))?;
        let mut routed = self.routed(&notice);
        if let Some(name) = channel {
            // By name also what the channel would not carry by itself, but never another customer's notice (R156).
            let own = self.channel(name)?.settings().customer.as_ref();
            if own.is_some_and(|own| own != customer.id()) {
                return Err(unknown("channel", name));
            }
            routed.channels = vec![name.to_owned()];
        }
        self.service.store.route_notices(std::slice::from_ref(&routed), self.service.now(), true)?;
        Ok(routed.channels)
    }
}
