//! Sources that cannot be read: upstreams that failed again and again, and customers or vendors who withdrew what it takes.
//! Told once for each time, again after `alerts.remind_business_days`, and once more when the source was read again (R151).
//!
//! A time is named by the last good look before it: so it needs no state of its own.

use crate::base::{Actor, Instant, SourceId};
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Feed, Service};
use crate::service::error::ServiceError;
use crate::service::pauses::quiet_hours;
use crate::source::{Outage, Outages, Trouble};
use crate::store::{OutageRow, SharedStore, SourceLook};
use crate::telemetry::NoticeWritten;

/// So many notices are looked through for one that tells of an end.
const NOTICES_LOOKED_AT: u32 = 200;

/// Keeps outages in the store. What it cannot keep is known to this process alone.
pub struct StoredOutages(SharedStore);

impl StoredOutages {
    /// In this store.
    pub fn new(store: SharedStore) -> Self {
        Self(store)
    }
}

impl Outages for StoredOutages {
    fn outage(&self, upstream: &str) -> Option<Outage> {
        let OutageRow { upstream, failures, since, opened, rest_secs, error } = self.0.outage(upstream).ok().flatten()?;
        Some(Outage { upstream, failures, since, opened, rest_secs, error })
    }

    fn keep(&self, outage: &Outage) {
        let Outage { upstream, failures, since, opened, rest_secs, error } = outage.clone();
        let _ = self.0.save_outage(&OutageRow { upstream, failures, since, opened, rest_secs, error });
    }

    fn forget(&self, upstream: &str) {
        let _ = self.0.drop_outage(upstream);
    }
}

/// How a source that is asked over the network stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub source: SourceId,
    /// When it was last looked at and was as the books have it, or was taken in.
    pub looked: Option<Instant>,
    /// When everything was last read (R106).
    pub read_in_full: Option<Instant>,
    /// What keeps it from being read, as far as that is known without asking.
    pub trouble: Option<String>,
}

/// How sources over the network stand, from looks that were read before.
pub(crate) fn states_of(customer: &Customer, looks: &[SourceLook]) -> Vec<SourceState> {
    let far = customer.sources.iter().filter(|feed| feed.source.is_far());
    far.map(|feed| {
        let look = looks.iter().find(|look| look.source == *feed.source.id());
        SourceState {
            source: feed.source.id().clone(),
            looked: look.map(|look| look.at),
            read_in_full: look.map(|look| look.full_at).filter(|at| *at > Instant::MIN),
            trouble: feed.source.trouble().map(|trouble| text(&trouble)),
        }
    })
    .collect()
}

impl Service {
    /// Tells of sources that cannot be read, as far as that is known without asking.
    pub(crate) fn tell_troubles(&self, customer: &Customer) -> Result<(), ServiceError> {
        for feed in &customer.sources {
            if quiet_hours(customer, feed.source.id(), self.now()).is_some() {
                continue;
            }
            if let Some(trouble) = feed.source.trouble() {
                self.tell_trouble(customer, feed, &trouble)?;
            }
        }
        Ok(())
    }

    fn tell_trouble(&self, customer: &Customer, feed: &Feed, trouble: &Trouble) -> Result<(), ServiceError> {
        let source = feed.source.id();
        let kind = match trouble {
            Trouble::Down(_) => NoticeKind::SourceDown,
            Trouble::Disconnected(_) => NoticeKind::SourceDisconnected,
        };
        let looks = self.store.looks(customer.id())?;
        let look = looks.iter().find(|look| look.source == *source);
        let last = look.map(|look| look.at);
        // Who was not let in reads everything when they are again (R106).
        if kind == NoticeKind::SourceDisconnected && look.is_some_and(|look| look.cursor.is_some()) {
            self.forget_cursors(customer, Some(source))?;
        }
        let key = format!("{}{}", prefix(kind, source), last.map_or(0, |last| last.0));
        let key = match self.store.notice(customer.id(), &key)? {
            None => key,
            Some(told) => {
                let (from, to) = (customer.day_of(told.at), customer.day_of(self.now()));
                let days = customer.policy.calendar.business_days_between(from, to);
                match days.checked_div(customer.reports.remind_business_days) {
                    Some(times) if times > 0 => format!("{key}/{times}"),
                    _ => return Ok(()),
                }
            }
        };
        let since = last.map_or("it was never read".to_owned(), |last| format!("it was last read at {last}"));
        let text = format!("Source {source}: {}; {since}, everybody keeps what they have.", text(trouble));
        self.tell(customer, Notice { key, kind, pool: None, source: Some(source.clone()), text })
    }

    /// Tells of sources that were read again after it was told that they could not be.
    pub(crate) fn tell_recoveries(&self, customer: &Customer) -> Result<(), ServiceError> {
        if !customer.sources.iter().any(|feed| feed.source.is_far()) {
            return Ok(());
        }
        let looks = self.store.looks(customer.id())?;
        let notices = self.store.notices(Some(customer.id()), NOTICES_LOOKED_AT)?;
        for look in looks {
            let downs = [NoticeKind::SourceDown, NoticeKind::SourceDisconnected].map(|kind| prefix(kind, &look.source));
            let back = prefix(NoticeKind::SourceBack, &look.source);
            let told =
                notices.iter().find(|notice| downs.iter().chain([&back]).any(|prefix| notice.key.starts_with(prefix.as_str())));
            if told.is_none_or(|told| told.key.starts_with(&back) || told.at >= look.at) {
                continue;
            }
            let source = look.source;
            let text = format!("Source {source} was read again at {}.", look.at);
            let key = format!("{back}{}", look.at.0);
            self.tell(customer, Notice { key, kind: NoticeKind::SourceBack, pool: None, source: Some(source), text })?;
        }
        Ok(())
    }

    /// Writes a notice, if nobody did yet, and logs it.
    fn tell(&self, customer: &Customer, notice: Notice) -> Result<(), ServiceError> {
        if self.store.has_notice(customer.id(), &notice.key)? {
            return Ok(());
        }
        let (kind, text) = (notice.kind.word(), notice.text.clone());
        self.note(customer, &Actor::system(), kind, &[notice])?;
        NoticeWritten { customer: customer.id(), kind, text: &text }.emit();
        Ok(())
    }
}

fn prefix(kind: NoticeKind, source: &SourceId) -> String {
    format!("{}/{source}/", kind.word())
}

fn text(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Disconnected(why) => why.clone(),
        Trouble::Down(outage) => {
            let Outage { upstream, failures, since, error, .. } = outage;
            format!(
                "{upstream} failed {failures} times in a row since {since} and is tried again at {}; the last time it could not {error}",
                outage.until()
            )
        }
    }
}
