//! From a request to the service and back: who asks, whether they may, and the question on a thread of its own, because the
//! service blocks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::base::{Digest, Instant as Moment, OrgId, PersonKey, PoolId, RunId};
use crate::http::access::{Deed, may};
use crate::http::each::{Each, Place};
use crate::http::problem::Problem;
use crate::http::rate::Rates;
use crate::license::Hold;
use crate::service::{Caller, Customer, ErrorKind, Outbox, Service, ServiceError};
use crate::store::RunRow;
use crate::telemetry::QuestionFailed;

/// So many questions are worked on at once; more wait for their turn, first come, first served.
const QUESTIONS_MAX: usize = 32;

/// So many of them of one token.
const QUESTIONS_EACH_MAX: usize = 8;

/// Who waited so long for its turn is turned away.
const TURN_TIME_MAX: Duration = Duration::from_secs(5);

/// So many looks at whether the books can be read are taken at once, beside questions: a question that waits says nothing of
/// that.
const PROBES_MAX: usize = 1;

/// So many answers are written while they are read at once, each for as long as its reader takes.
const STREAMS_MAX: usize = 8;

/// So many of them of one token.
const STREAMS_EACH_MAX: usize = 4;

/// So many long bodies are held at once.
const UPLOADS_MAX: usize = 4;

/// So many runs are watched at once.
const WATCHES_MAX: usize = 64;

/// So many of them by one token.
const WATCHES_EACH_MAX: usize = 16;

/// What all handlers share.
#[derive(Clone)]
pub struct Door {
    outbox: Arc<Outbox>,
    turns: Arc<Semaphore>,
    turns_each: Arc<Each<Digest>>,
    probes: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    streams_each: Arc<Each<u64>>,
    uploads: Arc<Semaphore>,
    watches: Arc<Semaphore>,
    watches_each: Arc<Each<u64>>,
    rates: Arc<Rates>,
    stopped: watch::Receiver<bool>,
}

impl Door {
    /// A door to an outbox and its service, where a token may ask so many questions a minute (0: any number), and so many
    /// questions are worked on at once, whoever asks whatever, until it is told to stop.
    pub fn new(outbox: Arc<Outbox>, per_minute: u32, questions_max: u32, stopped: watch::Receiver<bool>) -> Self {
        Self {
            outbox,
            turns: Arc::new(Semaphore::new(QUESTIONS_MAX.min(questions_max as usize).max(1))),
            probes: Arc::new(Semaphore::new(PROBES_MAX)),
            turns_each: Arc::new(Each::new(QUESTIONS_EACH_MAX)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            streams_each: Arc::new(Each::new(STREAMS_EACH_MAX)),
            uploads: Arc::new(Semaphore::new(UPLOADS_MAX)),
            watches: Arc::new(Semaphore::new(WATCHES_MAX)),
            watches_each: Arc::new(Each::new(WATCHES_EACH_MAX)),
            rates: Arc::new(Rates::new(per_minute)),
            stopped,
        }
    }

    /// Asks a question in the name of whoever's token the request bears, if that role may do the deed.
    pub async fn ask<T, F>(&self, headers: &HeaderMap, deed: Deed, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Asking<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let door = self.clone();
        let counted = move |asking: &Asking<'_>| {
            door.count(asking.caller.token)?;
            question(asking)
        };
        self.ask_on(headers, deed, counted).await
    }

    /// The same as part of a question that was counted.
    pub async fn ask_on<T, F>(&self, headers: &HeaderMap, deed: Deed, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Asking<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let token = bearer(headers).ok_or_else(Problem::unauthenticated)?.to_owned();
        let own = self.enter(Digest::of(token.as_bytes())).await?;
        self.work_with(own, move |outbox| {
            let service = outbox.service();
            let caller = service.caller(&token).map_err(|error| Problem::from(error).hidden())?;
            let caller = caller.ok_or_else(Problem::unauthenticated)?;
            if !may(caller.role, deed) {
                return Err(Problem::forbidden());
            }
            question(&Asking { service, today: service, outbox, caller })
        })
        .await
    }

    /// Asks a question that anybody may ask.
    pub async fn work<T, F>(&self, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Service) -> Result<T, Problem> + Send + 'static,
    {
        self.work_with((), move |outbox| question(outbox.service())).await
    }

    /// Asks a question in its turn, beside what is held until it is answered.
    pub async fn work_with<T, P, F>(&self, own: P, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        P: Send + 'static,
        F: FnOnce(&Outbox) -> Result<T, Problem> + Send + 'static,
    {
        let turn = self.turn().await?;
        self.work_in((own, turn), question).await
    }

    /// A turn among all who ask the books, when it is there.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, Problem> {
        in_time(&self.turns).await
    }

    /// Asks whether the books can be read: beside those who ask them, one after the other.
    pub async fn probe<T, F>(&self, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Service) -> Result<T, Problem> + Send + 'static,
    {
        let place = in_time(&self.probes).await?;
        self.work_in(place, move |outbox| question(outbox.service())).await
    }

    /// Answers in a place that was had before.
    pub async fn work_in<T, P, F>(&self, place: P, question: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        P: Send + 'static,
        F: FnOnce(&Outbox) -> Result<T, Problem> + Send + 'static,
    {
        let outbox = Arc::clone(&self.outbox);
        let asked = tokio::task::spawn_blocking(move || {
            let answered = question(&outbox);
            drop(place);
            answered
        });
        let bug = |_| {
            let broke_off = "the question broke off: a bug";
            let logged = Some("answer a question over HTTP: it broke off (a bug)".to_owned());
            Problem { logged, ..Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "bug", broke_off) }
        };
        let answered = asked.await.map_err(bug).flatten();
        if let Err(Problem { code, logged: Some(why), .. }) = &answered {
            QuestionFailed { code, why }.emit();
        }
        answered
    }

    /// Counts a question of a token.
    pub fn count(&self, token: u64) -> Result<(), Problem> {
        self.rates.take(token, Instant::now()).map_err(Problem::rate)
    }

    /// A place among the questions that whoever shows this secret asks at once, when it is its turn.
    pub async fn enter(&self, secret: Digest) -> Result<Place<Digest>, Problem> {
        self.turns_each.wait(secret, TURN_TIME_MAX).await
    }

    /// A place for an answer to a token that is written while it is read.
    pub fn stream(&self, token: u64) -> Result<(Place<u64>, OwnedSemaphorePermit), Problem> {
        let own = self.streams_each.take(token)?;
        Ok((own, Arc::clone(&self.streams).try_acquire_owned().map_err(|_| Problem::busy())?))
    }

    /// A place for a long body.
    pub fn upload(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| Problem::busy())
    }

    /// What time it is for the service.
    pub fn now(&self) -> Moment {
        self.outbox.service().now()
    }

    /// A place for a token among those who watch runs.
    pub fn watch(&self, token: u64) -> Result<(Place<u64>, OwnedSemaphorePermit), Problem> {
        let own = self.watches_each.take(token)?;
        Ok((own, Arc::clone(&self.watches).try_acquire_owned().map_err(|_| Problem::busy())?))
    }

    /// Becomes `true` when the door is shut.
    pub fn stopped(&self) -> watch::Receiver<bool> {
        self.stopped.clone()
    }
}

async fn in_time(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Problem> {
    let place = tokio::time::timeout(TURN_TIME_MAX, Arc::clone(places).acquire_owned()).await;
    place.ok().and_then(Result::ok).ok_or_else(Problem::busy)
}

/// The text of a bearer token.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A question being asked.
pub struct Asking<'s> {
    /// The service, whose clock stands where the question wants it.
    pub service: &'s Service,
    /// The service of now: how far the caller's reach goes is of today, whatever instant the question takes for now (R159).
    pub today: &'s Service,
    /// Its outbox.
    pub outbox: &'s Outbox,
    /// Who asks.
    pub caller: Caller,
}

impl<'s> Asking<'s> {
    /// A customer, if the caller may see it. One that it may not see is not told from one that is not there.
    pub fn customer(&self, id: &str) -> Result<&'s Customer, Problem> {
        self.customers().find(|customer| customer.id().as_str() == id).ok_or_else(|| Problem::unknown("customer", id))
    }

    /// The customers that the caller may see.
    pub fn customers(&self) -> impl Iterator<Item = &'s Customer> {
        let own = self.caller.customer.clone();
        self.service.customers().iter().filter(move |customer| own.as_ref().is_none_or(|own| own == customer.id()))
    }

    /// A run of a customer that the caller may see.
    pub fn run(&self, run: u64) -> Result<RunRow, Problem> {
        let unknown = || Problem::unknown("run", &run.to_string());
        let row = self.service.run_row(RunId(run)).map_err(|error| known(error, unknown))?;
        self.customer(row.customer.as_str()).map_err(|_| unknown())?;
        Ok(row)
    }

    /// A hold of a customer that the caller may see, by the run that opened it.
    pub fn hold(&self, run: u64) -> Result<(&'s Customer, Hold), Problem> {
        let unknown = || Problem::unknown("hold of run", &run.to_string());
        let (customer, hold) = self.service.hold(RunId(run)).map_err(|error| known(error, unknown))?;
        self.customer(customer.id().as_str()).map_err(|_| unknown())?;
        Ok((customer, hold))
    }

    /// The org that a report starts at: the one that is named, if the caller's reach goes there; the caller's own else.
    pub fn org(&self, customer: &Customer, named: Option<&str>) -> Result<Option<OrgId>, Problem> {
        let named = named.map(OrgId::from);
        let Some(top) = &self.caller.org else { return Ok(named) };
        match named {
            None => Ok(Some(top.clone())),
            Some(org) if self.today.is_org_within(customer, &org, top)? => Ok(Some(org)),
            Some(org) => Err(Problem::unknown("org", org.as_str())),
        }
    }

    /// Lets a question about a person, or about a person and a pool, pass if the caller's reach goes there.
    pub fn person(&self, customer: &Customer, key: &str, pool: Option<&PoolId>) -> Result<(), Problem> {
        match &self.caller.org {
            Some(top) if !self.today.is_person_within(customer, &PersonKey::from(key), top, pool)? => {
                Err(Problem::unknown("person", key))
            }
            _ => Ok(()),
        }
    }

    /// Only who is not bound to one customer passes.
    pub fn all_customers(&self) -> Result<(), Problem> {
        if self.caller.customer.is_some() { Err(Problem::forbidden()) } else { Ok(()) }
    }

    /// Lets seats of a pool be given away if the caller's reach goes there. One that is beyond it is not there.
    pub fn pool(&self, customer: &Customer, pool: &PoolId) -> Result<(), Problem> {
        let Some(top) = &self.caller.org else { return Ok(customer.pool(pool).map(drop)?) };
        match customer.pool(pool).is_ok() && self.today.is_pool_within(customer, pool, top)? {
            true => Ok(()),
            false => Err(Problem::unknown("pool", pool.as_str())),
        }
    }

    /// Whether the caller may see people of the whole customer.
    pub fn sees_people(&self) -> bool {
        may(self.caller.role, Deed::LookAtPeople) && self.caller.org.is_none()
    }

    /// Only who is not bound to one org passes.
    pub fn whole_customer(&self) -> Result<(), Problem> {
        if self.caller.org.is_some() { Err(Problem::forbidden()) } else { Ok(()) }
    }
}

/// What is not there is told like what may not be seen.
fn known(error: ServiceError, unknown: impl FnOnce() -> Problem) -> Problem {
    if error.kind() == ErrorKind::Unknown { unknown() } else { error.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use crate::base::Instant;
    use crate::clock::SetClock;
    use crate::http::ask::Door;
    use crate::http::problem::Problem;
    use crate::service::{Outbox, OutboxPolicy, Service};
    use crate::store::{Opening, StoreChoice, open};

    /// Something that is asked and answered when the test says so.
    struct Held {
        asked: Receiver<()>,
        answer: Sender<()>,
    }

    fn held() -> (Held, impl FnOnce(&Service) -> Result<(), Problem> + Send + 'static) {
        let ((told, asked), (answer, waits)) = (channel(), channel());
        let question = move |_: &Service| {
            // Whoever does not listen any more, or is gone, holds nobody up.
            let _ = told.send(());
            let _ = waits.recv();
            Ok(())
        };
        (Held { asked, answer }, question)
    }

    impl Held {
        fn is_asked(&self, within: Duration) -> bool {
            self.asked.recv_timeout(within).is_ok()
        }

        async fn end(self, asked: JoinHandle<Result<(), Problem>>) {
            let _ = self.answer.send(());
            let ended = asked.await.expect("no panic");
            assert_eq!(ended.map_err(|why| why.code), Ok(()));
        }
    }

    /// With two connections: two questions at once, of which what is written while it is read is one until it is written; and
    /// beside them one look at whether the books can be read.
    #[tokio::test(flavor = "multi_thread")]
    async fn whoever_asks_the_books_is_counted_and_looks_are_one_beside_them() {
        const SOON: Duration = Duration::from_secs(20);
        const WHILE: Duration = Duration::from_millis(200);
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(&StoreChoice::Sqlite { path: folder.path().join("r.db") }, Opening::Writing).expect("a store");
        let service = Service::new(store, Arc::new(SetClock::at(Instant(0))), Vec::new());
        let policy = OutboxPolicy { tries_max: 1, pause_first_secs: 1, timeout_secs: 1, keep_days: 1, keep_dead_days: 1 };
        let outbox = Arc::new(Outbox::new(Arc::new(service), Vec::new(), policy));
        let (_running, stopped) = watch::channel(false);
        let door = Door::new(outbox, 0, 2, stopped);
        let ask = |question| {
            let door = door.clone();
            tokio::spawn(async move { door.work(question).await })
        };
        let ((first, question), (second, other)) = (held(), held());
        let (one, two) = (ask(question), ask(other));
        assert!(first.is_asked(SOON) && second.is_asked(SOON));
        assert!(timeout(WHILE, door.turn()).await.is_err(), "a third question, or a stream, waits");
        // Whether the books can be read is told all the same, one after the other.
        let look = |question| {
            let door = door.clone();
            tokio::spawn(async move { door.probe(question).await })
        };
        let ((third, question), (fourth, other)) = (held(), held());
        let looked = look(question);
        assert!(third.is_asked(SOON));
        let looks = look(other);
        assert!(!fourth.is_asked(WHILE), "they come one after the other");
        third.end(looked).await;
        assert!(fourth.is_asked(SOON));
        fourth.end(looks).await;
        first.end(one).await;
        let turn = timeout(SOON, door.turn()).await.expect("its turn").map_err(|why| why.code);
        assert!(turn.is_ok() && timeout(WHILE, door.turn()).await.is_err(), "there are two at once again");
        second.end(two).await;
        drop(turn);
        assert!(door.turn().await.is_ok());
    }
}
