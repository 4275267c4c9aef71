//! An upstream and our manners towards it: a bounded number of requests at once and per second, a pause for all when it asks
//! one of us to slow down, and a circuit that leaves it alone when it fails again and again.
//!
//! The circuit opens after some failed requests in a row, whoever made them. Then one request is let through as a trial: after
//! a minute at first, later after twice as long as before, in the end once a day. The first success closes it. All of that is
//! kept over a restart; while the circuit is open, another process may close it.
//!
//! A page for people where there should be an answer may tell of maintenance, or of one customer's wrong address. So if the last
//! failure was a page, those alone are held up who ask at an address where one came; everybody else asks, and closes the circuit
//! if there is an answer. Which addresses these are is known to one process.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::base::{ErrorChain, Instant};
use crate::source::http::error::HttpError;
use crate::source::http::outage::{Outage, Outages};
use crate::source::http::pace::Pace;
use crate::source::http::shared::{SharedLimits, placed};
use crate::telemetry::{UpstreamBack, UpstreamDown};

/// So many failed requests in a row open the circuit.
const FAILURES_MAX: u32 = 5;
/// How long the circuit stays open at first …
const REST_FIRST: Duration = Duration::from_secs(60);
/// … and at most: once a day, and over when the next night comes.
const REST_MAX: Duration = Duration::from_secs(23 * 3600);

/// One origin, shared by all sources that read from it.
pub(crate) struct Upstream {
    name: String,
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    parallel_max: u32,
    /// The time between two requests.
    gap: Duration,
    running: u32,
    /// Threads with an admitted request.
    asking: Vec<ThreadId>,
    /// When the next request may start.
    next: Duration,
    /// What is kept was asked for once.
    recalled: bool,
    failures: u32,
    /// When the first of them failed, and why the last one did.
    since: Instant,
    error: String,
    /// Where pages for people came, if the last failure was one.
    pages: BTreeSet<String>,
    rest: Option<Rest>,
}

#[derive(Clone, Copy)]
struct Rest {
    until: Duration,
    length: Duration,
    opened: Instant,
    /// A trial is under way.
    trial: bool,
}

/// How an upstream is asked: below which address, at which pace, where its outages are kept, who else asks it, and whether an
/// operator insists on an answer.
#[derive(Clone, Copy)]
pub(crate) struct Manners<'n> {
    /// What all addresses of the one who asks begin with.
    pub(crate) at: &'n str,
    pub(crate) pace: &'n Pace,
    pub(crate) outages: Option<&'n dyn Outages>,
    /// Whoever keeps the limits together with other nodes.
    pub(crate) limits: Option<&'n dyn SharedLimits>,
    pub(crate) insists: bool,
}

/// How a request went, as far as it says something about the upstream.
pub(crate) enum Outcome<'e> {
    /// It answered.
    Answered,
    /// It is in trouble.
    Trouble(&'e dyn std::error::Error),
    /// It is in trouble where it was asked, and perhaps nowhere else: a page for people came.
    Page(&'e dyn std::error::Error),
    /// It was not asked at all: the fault is on our side.
    NotAsked,
}

/// A place among the requests that are under way.
pub(crate) struct Pass<'u> {
    upstream: &'u Upstream,
    /// The number of the place among those of all nodes.
    shared: Option<(&'u dyn SharedLimits, u64)>,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.upstream.lock().running -= 1;
        self.upstream.freed.notify_one();
        if let Some((limits, number)) = self.shared {
            limits.end(number);
        }
    }
}

impl Upstream {
    pub(crate) fn new(name: String) -> Self {
        let state = State {
            parallel_max: u32::MAX,
            gap: Duration::ZERO,
            running: 0,
            asking: Vec::new(),
            next: Duration::ZERO,
            recalled: false,
            failures: 0,
            since: Instant::MIN,
            error: String::new(),
            pages: BTreeSet::new(),
            rest: None,
        };
        Self { name, state: Mutex::new(state), freed: Condvar::new() }
    }

    /// The state is plain numbers, whole at every moment: whoever died with the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another source reads from here; the strictest limits count.
    pub(crate) fn limit(&self, parallel_max: u32, per_second_max: u32) {
        let mut state = self.lock();
        state.parallel_max = state.parallel_max.min(parallel_max.max(1));
        state.gap = state.gap.max(Duration::from_secs(1) / per_second_max.max(1));
    }

    /// Learns what is kept: at first, and as long as the circuit is open, for another process may have closed it.
    fn recall(&self, state: &mut State, manners: Manners<'_>) {
        let is_open = state.rest.is_some_and(|rest| !rest.trial);
        let Some(outages) = manners.outages.filter(|_| is_open || !state.recalled) else { return };
        state.recalled = true;
        let Some(Outage { failures, since, opened, rest_secs, error, .. }) = outages.outage(&self.name) else {
            (state.failures, state.rest) = (0, None);
            state.pages.clear();
            return;
        };
        let length = Duration::from_secs(rest_secs).min(REST_MAX);
        let passed = Duration::from_millis(u64::try_from(manners.pace.now().0 - opened.0).unwrap_or(0));
        let until = manners.pace.elapsed() + length.saturating_sub(passed);
        (state.failures, state.since, state.error) = (failures, since, error);
        state.rest = (!length.is_zero()).then_some(Rest { until, length, opened, trial: false });
    }

    /// Lets a request through, or says that the circuit is open. If it does, [`Upstream::report`] must follow. `false`: it
    /// is part of one that this thread was let through for, such as signing in: what becomes of that one says it all.
    pub(crate) fn admit(&self, manners: Manners<'_>) -> Result<bool, HttpError> {
        let mut state = self.lock();
        let own = thread::current().id();
        if state.asking.contains(&own) {
            return Ok(false);
        }
        self.recall(&mut state, manners);
        let failures = state.failures;
        let is_elsewhere = !state.pages.is_empty() && !state.pages.contains(manners.at);
        if let Some(rest) = state.rest.as_mut().filter(|_| !manners.insists && !is_elsewhere) {
            let now = manners.pace.elapsed();
            if rest.trial || now < rest.until {
                let secs = rest.until.saturating_sub(now).as_secs().max(1);
                return Err(HttpError::Resting { upstream: self.name.clone(), failures, secs });
            }
            rest.trial = true;
        }
        state.asking.push(own);
        Ok(true)
    }

    /// What is known of an open circuit that holds up somebody who asks at or below the address.
    pub(crate) fn outage(&self, manners: Manners<'_>) -> Option<Outage> {
        let mut state = self.lock();
        self.recall(&mut state, manners);
        let holds_up = state.pages.is_empty() || state.pages.iter().any(|page| page.starts_with(manners.at));
        (state.rest.is_some() && holds_up).then(|| self.told(&state))
    }

    fn told(&self, state: &State) -> Outage {
        Outage {
            upstream: self.name.clone(),
            failures: state.failures,
            since: state.since,
            opened: state.rest.map_or(state.since, |rest| rest.opened),
            rest_secs: state.rest.map_or(0, |rest| rest.length.as_secs()),
            error: state.error.clone(),
        }
    }

    /// Waits for a place and for the next moment at which a request may start.
    ///
    /// # Errors
    /// [`HttpError::NoPlace`] when other nodes leave none, or nobody gives any.
    pub(crate) fn enter<'u>(&'u self, manners: Manners<'u>) -> Result<Pass<'u>, HttpError> {
        let pace = manners.pace;
        let mut state = self.lock();
        while state.running >= state.parallel_max {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.running += 1;
        let now = pace.elapsed();
        let start = state.next.max(now);
        state.next = start + state.gap;
        let (parallel_max, gap) = (state.parallel_max, state.gap);
        drop(state);
        let mut pass = Pass { upstream: self, shared: None };
        if start > now {
            pace.wait(start - now);
        }
        if let Some(limits) = manners.limits {
            let number = placed(limits, pace, &self.name, (parallel_max, gap))?;
            pass.shared = number.map(|number| (limits, number));
        }
        Ok(pass)
    }

    /// Nobody starts a request before `pause` is over: it asked one of us to slow down.
    pub(crate) fn slow_down(&self, pause: Duration, manners: Manners<'_>) {
        let mut state = self.lock();
        state.next = state.next.max(manners.pace.elapsed() + pause);
        drop(state);
        if let Some(limits) = manners.limits {
            limits.pause(&self.name, pause);
        }
    }

    /// How an admitted request went in the end, repeats included.
    pub(crate) fn report(&self, outcome: &Outcome<'_>, manners: Manners<'_>) {
        let mut state = self.lock();
        let own = thread::current().id();
        state.asking.retain(|thread| *thread != own);
        match outcome {
            Outcome::Answered => {
                let (failed, rested) = (state.failures > 0, state.rest.take().is_some());
                state.failures = 0;
                state.pages.clear();
                drop(state);
                if let (true, Some(outages)) = (failed, manners.outages) {
                    outages.forget(&self.name);
                }
                if rested {
                    UpstreamBack { upstream: &self.name }.emit();
                }
            }
            Outcome::NotAsked => {
                if let Some(rest) = &mut state.rest {
                    rest.trial = false;
                }
            }
            Outcome::Trouble(error) | Outcome::Page(error) => {
                if matches!(outcome, Outcome::Page(_)) {
                    state.pages.insert(manners.at.to_owned());
                } else {
                    state.pages.clear();
                }
                let now = manners.pace.now();
                if state.failures == 0 {
                    state.since = now;
                }
                state.failures = state.failures.saturating_add(1);
                state.error = ErrorChain(*error).to_string();
                let (failures, known) = (state.failures, state.rest);
                let stays = known.is_some_and(|rest| !rest.trial) || known.is_none() && failures < FAILURES_MAX;
                if !stays {
                    let length = known.map_or(REST_FIRST, |rest| (rest.length * 2).min(REST_MAX));
                    let until = manners.pace.elapsed() + length;
                    state.rest = Some(Rest { until, length, opened: now, trial: false });
                }
                let told = self.told(&state);
                drop(state);
                if let Some(outages) = manners.outages {
                    outages.keep(&told);
                }
                if known.is_none() && !stays {
                    let Outage { rest_secs, error, .. } = &told;
                    UpstreamDown { upstream: &self.name, failures, rest_secs: *rest_secs, error }.emit();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::base::Instant;
    use crate::source::http::error::HttpError;
    use crate::source::http::outage::{Outage, Outages};
    use crate::source::http::pace::Pace;
    use crate::source::http::upstream::{Manners, Outcome, Upstream};

    fn plain(pace: &Pace) -> Manners<'_> {
        Manners { at: "", pace, outages: None, limits: None, insists: false }
    }

    #[derive(Default)]
    struct Kept(std::sync::Mutex<Option<Outage>>);

    impl Outages for Kept {
        fn outage(&self, _: &str) -> Option<Outage> {
            self.0.lock().expect("no panic").clone()
        }
        fn keep(&self, outage: &Outage) {
            *self.0.lock().expect("no panic") = Some(outage.clone());
        }
        fn forget(&self, _: &str) {
            *self.0.lock().expect("no panic") = None;
        }
    }

    fn trouble() -> HttpError {
        HttpError::Timeout { address: "https://sis.example/x".into(), secs: 1, begun: false }
    }

    #[test]
    fn requests_keep_their_distance() {
        let (pace, waited) = Pace::fast();
        let upstream = Upstream::new("u".into());
        upstream.limit(4, 50);
        upstream.limit(9, 10);
        upstream.limit(9, 20);
        for _ in 0..5 {
            drop(upstream.enter(plain(&pace)).expect("a place"));
        }
        assert_eq!(waited(), vec![Duration::from_millis(100); 4]);
        upstream.slow_down(Duration::from_secs(7), plain(&pace));
        drop(upstream.enter(plain(&pace)).expect("a place"));
        assert_eq!(waited().last(), Some(&Duration::from_secs(7)));
    }

    #[test]
    fn no_more_than_so_many_at_once() {
        let (pace, _) = Pace::fast();
        let upstream = Arc::new(Upstream::new("u".into()));
        upstream.limit(2, 1_000);
        let [first, second] = [(); 2].map(|()| upstream.enter(plain(&pace)).expect("a place"));
        let (send, receive) = std::sync::mpsc::channel();
        let third = std::thread::spawn({
            let (upstream, pace) = (upstream.clone(), pace.clone());
            move || {
                let pass = upstream.enter(plain(&pace)).expect("a place");
                send.send(()).expect("somebody listens");
                drop(pass);
            }
        });
        assert!(receive.try_recv().is_err());
        drop(first);
        receive.recv().expect("the third got in");
        third.join().expect("no panic");
        drop(second);
        assert_eq!(upstream.lock().running, 0);
    }

    #[test]
    fn the_circuit_slows_to_a_try_a_day_and_closes_at_the_first_success() {
        let (pace, _) = Pace::fast();
        let upstream = Upstream::new("u".into());
        for _ in 0..5 {
            upstream.admit(plain(&pace)).expect("closed");
            upstream.report(&Outcome::Trouble(&trouble()), plain(&pace));
        }
        let mut rest = 60;
        for _ in 0..14 {
            let told = upstream.admit(plain(&pace)).expect_err("open").to_string();
            assert!(told.ends_with(&format!("left alone for {rest} s more")), "{told}");
            pace.wait(Duration::from_secs(rest - 1));
            assert!(upstream.admit(plain(&pace)).is_err());
            pace.wait(Duration::from_secs(1));
            upstream.admit(plain(&pace)).expect("a trial");
            std::thread::scope(|scope| {
                scope.spawn(|| assert!(upstream.admit(plain(&pace)).is_err(), "one trial at a time"));
            });
            upstream.report(&Outcome::Trouble(&trouble()), plain(&pace));
            rest = (rest * 2).min(82_800);
        }
        assert_eq!(rest, 82_800);
        pace.wait(Duration::from_secs(rest));
        upstream.admit(plain(&pace)).expect("a trial");
        upstream.report(&Outcome::NotAsked, plain(&pace));
        upstream.admit(plain(&pace)).expect("still a trial");
        upstream.report(&Outcome::Answered, plain(&pace));
        for _ in 0..4 {
            upstream.admit(plain(&pace)).expect("closed");
            upstream.report(&Outcome::Trouble(&trouble()), plain(&pace));
        }
        upstream.admit(plain(&pace)).expect("four failures do not open it");
    }

    #[test]
    fn what_is_known_outlives_the_process_and_another_one_may_close_it() {
        let (pace, _) = Pace::fast();
        let kept = Kept::default();
        let manners = Manners { at: "", pace: &pace, outages: Some(&kept), limits: None, insists: false };
        let upstream = Upstream::new("u".into());
        for _ in 0..3 {
            upstream.admit(manners).expect("closed");
            upstream.report(&Outcome::Trouble(&trouble()), manners);
        }
        let again = Upstream::new("u".into());
        assert_eq!(again.outage(manners), None);
        for _ in 0..2 {
            again.admit(manners).expect("closed");
            again.report(&Outcome::Trouble(&trouble()), manners);
        }
        let known = again.outage(manners).expect("three and two are five");
        assert_eq!((known.failures, known.rest_secs, known.since), (5, 60, Instant(1_700_000_000_000)));
        assert!(known.error.contains("no answer within 1 s"), "{}", known.error);
        // Forty seconds later by the clock: a third process waits for the rest of the minute.
        let kept_at = known.opened.plus_millis(-40_000);
        *kept.0.lock().expect("no panic") = Some(Outage { opened: kept_at, ..known });
        let third = Upstream::new("u".into());
        let told = third.admit(manners).expect_err("open").to_string();
        assert!(told.ends_with("left alone for 20 s more"), "{told}");
        third.admit(Manners { insists: true, ..manners }).expect("an operator insists");
        third.report(&Outcome::Answered, manners);
        assert_eq!((again.outage(manners), kept.outage("u")), (None, None));
        again.admit(manners).expect("closed by the other one");
    }

    fn five_pages(upstream: &Upstream, manners: Manners<'_>) {
        for _ in 0..5 {
            upstream.admit(manners).expect("closed");
            upstream.report(&Outcome::Page(&trouble()), manners);
        }
    }

    #[test]
    fn a_page_holds_up_who_asks_where_it_came_and_another_failure_everybody() {
        let (pace, _) = Pace::fast();
        let at = |at| Manners { at, ..plain(&pace) };
        let upstream = Upstream::new("u".into());
        let holds_up = |address| upstream.outage(at(address)).is_some();
        five_pages(&upstream, at("u/a"));
        assert!(upstream.admit(at("u/a")).is_err());
        assert_eq!(["u/a", "u", "u/b"].map(holds_up), [true, true, false]);
        pace.wait(Duration::from_secs(60));
        upstream.admit(at("u/a")).expect("a trial");
        std::thread::scope(|scope| {
            scope.spawn(|| upstream.admit(at("u/b")).expect("whatever the trial finds"));
        });
        upstream.report(&Outcome::Trouble(&trouble()), at("u/a"));
        assert_eq!(["u/a", "u/b", "u/c"].map(holds_up), [true; 3]);
    }

    #[test]
    fn where_pages_came_before_another_process_closed_the_circuit_is_forgotten() {
        let (pace, _) = Pace::fast();
        let kept = Kept::default();
        let at = |at| Manners { at, outages: Some(&kept), ..plain(&pace) };
        let upstream = Upstream::new("u".into());
        five_pages(&upstream, at("u/a"));
        kept.forget("u");
        assert_eq!(upstream.outage(at("u/a")), None);
        five_pages(&upstream, at("u/b"));
        assert!(upstream.outage(at("u/a")).is_none() && upstream.outage(at("u/b")).is_some());
    }

    #[test]
    fn what_it_takes_to_sign_in_is_part_of_the_request() {
        let (pace, _) = Pace::fast();
        let upstream = Upstream::new("u".into());
        for _ in 0..5 {
            assert!(upstream.admit(plain(&pace)).expect("closed"));
            assert!(!upstream.admit(plain(&pace)).expect("its token"), "nobody reports of it");
            upstream.report(&Outcome::Trouble(&trouble()), plain(&pace));
        }
        pace.wait(Duration::from_secs(60));
        assert!(upstream.admit(plain(&pace)).expect("a trial"));
        assert!(!upstream.admit(plain(&pace)).expect("its token"));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(upstream.admit(plain(&pace)).is_err(), "nobody else"));
        });
        upstream.report(&Outcome::Trouble(&trouble()), plain(&pace));
        assert_eq!(upstream.outage(plain(&pace)).map(|outage| outage.rest_secs), Some(120));
    }
}
