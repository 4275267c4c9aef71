//! Notices: what was told, and that it arrived (R153). A delivery is part of the books: it starts clocks (R66).

use crate::base::{Actor, EpisodeId, Instant};
use crate::license::{ClockFact, Delivery, Entry};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::store::{Batch, NoticeRow, StoreError};

/// How often a delivery is written anew when somebody else commits in between.
const TRIES_MAX: u32 = 200;

/// A notice with what became of it.
#[derive(Clone, Debug)]
pub struct NoticeView {
    /// The notice.
    pub notice: NoticeRow,
    /// Its deliveries, by channel.
    pub deliveries: Vec<Delivery>,
    /// The overage it is about turned out to be void (R53).
    pub superseded: bool,
}

/// What came of a report that a notice arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryAnswer {
    /// It is written down.
    Done(Delivery),
    /// This channel delivered it before.
    AlreadySo(Delivery),
    /// It says that the notice arrived before it was written, or that it will arrive.
    NotThen {
        /// When the notice was written.
        written: Instant,
        /// Now.
        now: Instant,
    },
}

impl Service {
    /// Notices of a customer, newest first.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn notices(&self, customer: &Customer, limit: u32) -> Result<Vec<NoticeView>, ServiceError> {
        let deliveries = self.store.deliveries(customer.id())?;
        let clock = self.store.clock(customer.id(), None)?;
        let episodes = self.store.episodes(customer.id())?;
        let void = |id: EpisodeId| {
            episodes.iter().any(|episode| episode.id == id && episode.outcome == Some(crate::license::Outcome::Void))
        };
        let view = |notice: NoticeRow| NoticeView {
            deliveries: deliveries.iter().filter(|delivery| delivery.key == notice.key).cloned().collect(),
            superseded: told_by(&clock, &notice.key).is_some_and(void) && notice.kind != "overage_void",
            notice,
        };
        Ok(self.store.notices(Some(customer.id()), limit)?.into_iter().map(view).collect())
    }

    /// Writes down that a notice arrived by a channel at an instant.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such notice; when the books cannot be read or written.
    pub fn deliver(
        &self,
        customer: &Customer,
        key: &str,
        channel: &str,
        at: Option<Instant>,
        by: &Actor,
    ) -> Result<DeliveryAnswer, ServiceError> {
        for attempt in 1.. {
            let now = self.now();
            self.sweep(customer)?;
            let Some(notice) = self.store.notice(customer.id(), key)? else { break };
            if let Some(known) =
                self.store.deliveries(customer.id())?.into_iter().find(|d| d.key == key && d.channel == channel)
            {
                return Ok(DeliveryAnswer::AlreadySo(known));
            }
            let at = at.unwrap_or(now);
            if at < notice.at || at > now {
                return Ok(DeliveryAnswer::NotThen { written: notice.at, now });
            }
            let standing = self.store.standing_light(customer.id())?;
            let delivery = Delivery {
                key: key.to_owned(),
                episode: standing.clock.values().find_map(|facts| told_by(facts, key)),
                channel: channel.to_owned(),
                at,
                recorded: now,
                by: by.clone(),
            };
            let batch = Batch {
                customer: customer.id(),
                parent: standing.version,
                at: now,
                actor: by.clone(),
                run: None,
                plan: None,
                verb: "notice_delivered",
                names: &standing.book.names,
                people: &Default::default(),
                changes: &[],
                entries: &[Entry::NoticeDelivered(delivery.clone())],
                notices: &[],
            };
            match self.store.commit(&batch) {
                Err(StoreError::VersionMoved { .. }) if attempt < TRIES_MAX => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(DeliveryAnswer::Done(delivery)),
            }
        }
        Err(ServiceError::Unknown { what: "notice", id: key.to_owned(), hint: None })
    }
}

/// The episode that a notice is about.
fn told_by(facts: &[ClockFact], key: &str) -> Option<EpisodeId> {
    facts.iter().find(|fact| fact.notice() == Some(key)).and_then(|fact| fact.episode)
}
