//! Notices: what was told, and that it arrived (R153). A delivery is part of the books: it starts clocks (R66).

use crate::base::{Actor, EpisodeId, Instant};
use crate::license::{ClockFact, Delivery, Entry, Outcome};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::writing::Writing;
use crate::store::NoticeRow;

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
        let void = |id: EpisodeId| episodes.iter().any(|episode| episode.id == id && episode.outcome == Some(Outcome::Void));
        // What says that it is void stays true.
        let superseded = |fact: &ClockFact| !fact.says_void() && fact.episode.is_some_and(void);
        let view = |notice: NoticeRow| NoticeView {
            deliveries: deliveries.iter().filter(|delivery| delivery.key == notice.key).cloned().collect(),
            superseded: told_by(&clock, &notice.key).is_some_and(superseded),
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
        self.settled(customer)?;
        let (answer, _) = self.write(customer, by, &|standing, now| {
            let unknown = || ServiceError::Unknown { what: "notice", id: key.to_owned(), hint: None };
            let notice = self.store.notice(customer.id(), key)?.ok_or_else(unknown)?;
            let known = self.store.deliveries(customer.id())?.into_iter().find(|d| d.key == key && d.channel == channel);
            if let Some(known) = known {
                return Ok((DeliveryAnswer::AlreadySo(known), None));
            }
            let at = at.unwrap_or(now);
            if at < notice.at || at > now {
                return Ok((DeliveryAnswer::NotThen { written: notice.at, now }, None));
            }
            let delivery = Delivery {
                key: key.to_owned(),
                episode: standing.clock.values().find_map(|facts| told_by(facts, key)?.episode),
                channel: channel.to_owned(),
                at,
                recorded: now,
                by: by.clone(),
            };
            let entries = vec![Entry::NoticeDelivered(delivery.clone())];
            Ok((DeliveryAnswer::Done(delivery), Some(Writing { verb: "notice_delivered", entries, ..Writing::default() })))
        })?;
        Ok(answer)
    }
}

/// The fact that a notice tells.
fn told_by<'a>(facts: &'a [ClockFact], key: &str) -> Option<&'a ClockFact> {
    facts.iter().find(|fact| fact.notice() == Some(key))
}
