//! Being on time: which nights and dates are due, same-day runs with their limit and their deadline (R95 to R98, R132).
//!
//! Nothing here waits or rings: whoever calls [`Service::tick`] once a minute gets every night and every date once.

use crate::base::{Actor, CustomerId, Day, Instant, RequestId, most_similar};
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Feed, Service};
use crate::service::error::ServiceError;
use crate::service::nightly::Nightly;
use crate::service::writing::Writing;
use crate::store::{Asked, Minute, RequestPlace, RunRow, RunState, SameDayRow, SameDayTaken, SameDayWish, Trigger};

/// How long after a night that came to nothing the next try is made; twice as long each time.
const AGAIN_MILLIS: i64 = 10 * 60_000;
/// So many runs hold all of a date's.
const RUNS_LOOKED_AT: u32 = 100;

/// The trail's verb for a same-day run that was refused.
const REFUSED: &str = "same_day_refused";

/// What a tick did.
#[derive(Debug, Default)]
pub struct Ticked {
    /// The requests that it wrote or joined, and what for.
    pub asked: Vec<(CustomerId, RequestId, Trigger)>,
    /// The same-day runs that it found to be late, as their notices say it.
    pub missed: Vec<(CustomerId, String)>,
    /// What came due in overages, as it is told.
    pub told: Vec<(CustomerId, Notice)>,
    /// The requests that it found to be slow, as their notices say it.
    pub delayed: Vec<(CustomerId, String)>,
    /// What went wrong; other customers were looked at all the same (R99).
    pub errors: Vec<ServiceError>,
}

/// How many same-day runs a customer may still ask for on its local date (R98).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SameDayQuota {
    /// How many were asked for.
    pub used: u32,
    /// How many may be: `same_day.max_per_day`.
    pub max: u32,
    /// When one may be asked for next: now, or the next local midnight.
    pub next: Instant,
}

impl SameDayQuota {
    /// After so many of a customer's local date.
    pub(crate) fn of(customer: &Customer, now: Instant, used: u32) -> Self {
        let (max, day) = (customer.same_day_max, customer.day_of(now));
        Self { used, max, next: if used < max { now } else { customer.policy.calendar.end_of(day) } }
    }
}

/// The answer to a wish for a same-day run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameDayAnswer {
    /// It is in line.
    Taken {
        /// Where.
        place: RequestPlace,
        /// By when it is to be over: the end of the customer's local date.
        deadline: Instant,
        /// What is left of the day's number.
        quota: SameDayQuota,
    },
    /// The day's number is used up; nothing was put in line.
    Refused {
        /// With the time from which it is worth asking again.
        quota: SameDayQuota,
    },
}

impl Service {
    /// Writes the requests that are due now, for all customers: a night whose time has come (R95, R100), a local date that
    /// began (R132); writes down what came due in overages (R68); and tells of same-day runs that are late (R96) and of
    /// requests that are slow (R107). Calling it too often, late or after a restart does no harm: each local date is
    /// scheduled once, whatever the clock does.
    pub fn tick(&self) -> Ticked {
        let now = self.now();
        let mut ticked = Ticked::default();
        // What a dead process left in the middle would keep snapshots for ever.
        if let Err(error) = self.store.close_orphans(now, false) {
            ticked.errors.push(error.into());
        }
        if let Err(error) = self.store.drop_once(now) {
            ticked.errors.push(error.into());
        }
        // Most customers rest: that is seen for all of them at once.
        let minutes = match self.store.minutes() {
            Ok(minutes) => minutes,
            Err(error) => {
                ticked.errors.push(error.into());
                return ticked;
            }
        };
        for customer in self.customers() {
            let minute = minutes.get(customer.id()).copied().unwrap_or_default();
            match self.sweep_since(customer, minute.version) {
                Ok(told) => ticked.told.extend(told.into_iter().map(|notice| (customer.id().clone(), notice))),
                Err(error) => ticked.errors.push(error),
            }
            if let Err(error) = self.tick_customer(customer, &minute, now, &mut ticked) {
                ticked.errors.push(error);
            }
        }
        ticked
    }

    fn tick_customer(
        &self,
        customer: &Customer,
        minute: &Minute,
        now: Instant,
        ticked: &mut Ticked,
    ) -> Result<(), ServiceError> {
        if minute.names_purged {
            self.drop_purged(customer.id(), None)?;
        }
        let today = customer.day_of(now);
        let dates = Trigger::Dates(today);
        // Without books there is nothing that a date could change.
        if minute.version.0 > 0 && minute.date != Some(today) && !self.store.is_scheduled(customer.id(), &dates)? {
            self.schedule(customer, dates, now, ticked)?;
            self.archive_due(customer, now)?;
        }
        // A pool's own date may begin at another hour than the customer's.
        if self.terms_tick(customer, minute.version, now)? {
            let (request, fresh) = self.store.request(customer.id(), &Trigger::Dates(customer.day_of(now)), now)?;
            if fresh {
                ticked.asked.push((customer.id().clone(), request, Trigger::Dates(customer.day_of(now))));
            }
        }
        self.tell_troubles(customer)?;
        let nightly = customer.nightly.as_deref().and_then(|pattern| Nightly::new(pattern, &customer.policy.calendar));
        self.tell_course(customer, minute, nightly.as_ref(), now)?;
        if let Some(day) = nightly.and_then(|nightly| nightly.due(now, customer.catchup_window_hours)) {
            let night = Trigger::Nightly(day);
            if minute.night != Some(day) && !self.store.is_scheduled(customer.id(), &night)? {
                self.schedule(customer, night, now, ticked)?;
            } else if self.came_to_nothing(customer, day, now)? {
                let (request, _) = self.store.request(customer.id(), &night, now)?;
                ticked.asked.push((customer.id().clone(), request, night));
            }
        }
        let wishes = if minute.wishes_open { self.store.same_day_open(customer.id())? } else { Vec::new() };
        for wish in wishes {
            self.tell_slow_wish(customer, &wish, ticked)?;
            if wish.is_late(now) {
                ticked.missed.extend(self.tell_missed(customer, &wish)?.map(|text| (customer.id().clone(), text)));
                self.store.settle_same_day(wish.number)?;
            } else if wish.ended.is_some() {
                self.store.settle_same_day(wish.number)?;
            }
        }
        if minute.drops_open { self.tell_slow_drops(customer, ticked) } else { Ok(()) }
    }

    /// Whether the night of a date failed, as when its source was not to be reached, and another try is worth it by now: ever
    /// later ones, as long as the night would be made up for if it had been missed (R100). What was turned away would be
    /// turned away again.
    fn came_to_nothing(&self, customer: &Customer, day: Day, now: Instant) -> Result<bool, ServiceError> {
        let runs = self.store.runs(Some(customer.id()), RUNS_LOOKED_AT)?;
        let is_of = |run: &&RunRow| run.trigger == Trigger::Nightly(day);
        let tries = runs.iter().filter(is_of).count();
        let reads = |run: &&RunRow| matches!(run.trigger, Trigger::Nightly(_) | Trigger::SameDay(_) | Trigger::Drop);
        let Some((last, ended)) = runs.iter().find(reads).and_then(|run| Some((run, run.ended?))) else { return Ok(false) };
        let failed = tries > 0 && last.state == RunState::Failed && last.rejected.is_empty();
        let doubled = u32::try_from(tries).unwrap_or(u32::MAX).saturating_sub(1).min(10);
        Ok(failed && now.0.saturating_sub(ended.0) >= AGAIN_MILLIS << doubled)
    }

    fn schedule(&self, customer: &Customer, trigger: Trigger, now: Instant, ticked: &mut Ticked) -> Result<(), ServiceError> {
        // Another node may have been faster.
        if let Some(request) = self.store.schedule(customer.id(), &trigger, now)? {
            ticked.asked.push((customer.id().clone(), request, trigger));
        }
        Ok(())
    }

    /// Writes the notice of a late request, if nobody did yet.
    fn tell_missed(&self, customer: &Customer, wish: &SameDayRow) -> Result<Option<String>, ServiceError> {
        let SameDayRow { number: _, request, at, deadline, ended } = wish;
        let key = format!("same_day_missed:{request}:{deadline}");
        if self.store.has_notice(customer.id(), &key)? {
            return Ok(None);
        }
        let state = ended.map_or("is not over yet".to_owned(), |ended| format!("was over at {ended}"));
        let text = format!("same-day sync of {at} (request {request}) missed its deadline of {deadline}: it {state}");
        let notice = Notice { key, kind: NoticeKind::SameDayMissed, pool: None, source: None, text: text.clone() };
        self.note(customer, &Actor::system(), "same_day_missed", &[notice])?;
        Ok(Some(text))
    }

    /// Asks for a same-day run (R96). The answer is immediate; a refusal is an answer and is written to the trail, once
    /// for a date and an actor (R98).
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such source; when the store cannot be written.
    pub fn request_same_day(&self, customer: &Customer, asked: &Asked) -> Result<SameDayAnswer, ServiceError> {
        if let Some(source) = &asked.source {
            customer.source(source.as_str())?;
        }
        let now = self.now();
        let (day, max) = (customer.day_of(now), customer.same_day_max);
        let deadline = customer.policy.calendar.end_of(day);
        let wish = SameDayWish { asked: asked.clone(), day, deadline, day_max: max };
        let SameDayTaken { used, place } = self.store.ask_same_day(customer.id(), &wish, now)?;
        let quota = SameDayQuota { used, max, next: if used < max { now } else { deadline } };
        match place {
            Some(place) => Ok(SameDayAnswer::Taken { place, deadline, quota }),
            None => {
                // Once a date: whoever asks again and again must not keep the books from standing still for a run.
                let since = customer.policy.calendar.start_of(day);
                if !self.store.has_done(customer.id(), &asked.by, REFUSED, since)? {
                    self.note(customer, &asked.by, REFUSED, &[])?;
                }
                Ok(SameDayAnswer::Refused { quota })
            }
        }
    }

    /// What is left of the day's number of same-day runs (R98).
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn same_day_quota(&self, customer: &Customer) -> Result<SameDayQuota, ServiceError> {
        let now = self.now();
        Ok(SameDayQuota::of(customer, now, self.store.same_day_used(customer.id(), customer.day_of(now))?))
    }

    /// Writes to the trail that something was done or refused that changes no seat.
    pub(crate) fn note(
        &self,
        customer: &Customer,
        actor: &Actor,
        verb: &'static str,
        notices: &[Notice],
    ) -> Result<(), ServiceError> {
        let writing = || Writing { verb, notices: notices.to_vec(), ..Writing::default() };
        self.write(customer, actor, &|_, _| Ok(((), Some(writing()))))?;
        Ok(())
    }
}

impl Customer {
    /// Finds one of its sources.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] with a suggestion.
    pub fn source(&self, id: &str) -> Result<&Feed, ServiceError> {
        let ids = || self.sources.iter().map(|feed| feed.source.id().as_str());
        self.sources.iter().find(|feed| feed.source.id().as_str() == id).ok_or_else(|| ServiceError::Unknown {
            what: "source",
            id: id.to_owned(),
            hint: most_similar(id, ids()),
        })
    }
}
