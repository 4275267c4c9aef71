//! An upstream and our manners towards it: a bounded number of requests at once and per second, a pause for all when it asks
//! one of us to slow down, and a circuit that leaves it alone when it fails again and again.
//!
//! The circuit opens after some failed requests in a row, whoever made them. Then one request is let through as a trial: after
//! a minute at first, later after twice as long as before, in the end once a day. The first success closes it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::source::http::error::HttpError;
use crate::source::http::pace::Pace;
use crate::telemetry::{UpstreamBack, UpstreamDown};

/// So many failed requests in a row open the circuit.
const FAILURES_MAX: u32 = 5;
/// How long the circuit stays open at first …
const REST_FIRST: Duration = Duration::from_secs(60);
/// … and at most.
const REST_MAX: Duration = Duration::from_secs(24 * 3600);

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
    /// When the next request may start.
    next: Duration,
    failures: u32,
    rest: Option<Rest>,
}

#[derive(Clone, Copy)]
struct Rest {
    until: Duration,
    length: Duration,
    /// A trial is under way.
    trial: bool,
}

/// How a request went, as far as it says something about the upstream.
pub(crate) enum Outcome<'e> {
    /// It answered.
    Answered,
    /// It is in trouble.
    Trouble(&'e dyn std::error::Error),
    /// It was not asked at all: the fault is on our side.
    NotAsked,
}

/// A place among the requests that are under way.
pub(crate) struct Pass<'u>(&'u Upstream);

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.freed.notify_one();
    }
}

impl Upstream {
    pub(crate) fn new(name: String) -> Self {
        let state =
            State { parallel_max: u32::MAX, gap: Duration::ZERO, running: 0, next: Duration::ZERO, failures: 0, rest: None };
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

    /// Lets a request through, or says that the circuit is open. If it does, [`Upstream::report`] must follow.
    pub(crate) fn admit(&self, pace: &Pace) -> Result<(), HttpError> {
        let mut state = self.lock();
        let failures = state.failures;
        let Some(rest) = &mut state.rest else { return Ok(()) };
        let now = pace.elapsed();
        if rest.trial || now < rest.until {
            let secs = rest.until.saturating_sub(now).as_secs().max(1);
            return Err(HttpError::Resting { upstream: self.name.clone(), failures, secs });
        }
        rest.trial = true;
        Ok(())
    }

    /// Waits for a place and for the next moment at which a request may start.
    pub(crate) fn enter(&self, pace: &Pace) -> Pass<'_> {
        let mut state = self.lock();
        while state.running >= state.parallel_max {
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.running += 1;
        let now = pace.elapsed();
        let start = state.next.max(now);
        state.next = start + state.gap;
        drop(state);
        let pass = Pass(self);
        if start > now {
            pace.wait(start - now);
        }
        pass
    }

    /// Nobody starts a request before `pause` is over: it asked one of us to slow down.
    pub(crate) fn slow_down(&self, pause: Duration, pace: &Pace) {
        let mut state = self.lock();
        state.next = state.next.max(pace.elapsed() + pause);
    }

    /// How an admitted request went in the end, repeats included.
    pub(crate) fn report(&self, outcome: &Outcome<'_>, pace: &Pace) {
        let mut state = self.lock();
        match outcome {
            Outcome::Answered => {
                state.failures = 0;
                if state.rest.take().is_some() {
                    drop(state);
                    UpstreamBack { upstream: &self.name }.emit();
                }
            }
            Outcome::NotAsked => {
                if let Some(rest) = &mut state.rest {
                    rest.trial = false;
                }
            }
            Outcome::Trouble(error) => {
                state.failures = state.failures.saturating_add(1);
                let failures = state.failures;
                let known = state.rest;
                if known.is_none_or(|rest| !rest.trial) && (known.is_some() || failures < FAILURES_MAX) {
                    return;
                }
                let length = known.map_or(REST_FIRST, |rest| (rest.length * 2).min(REST_MAX));
                state.rest = Some(Rest { until: pace.elapsed() + length, length, trial: false });
                drop(state);
                if known.is_none() {
                    let error = crate::base::ErrorChain(*error).to_string();
                    UpstreamDown { upstream: &self.name, failures, rest_secs: length.as_secs(), error: &error }.emit();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use crate::source::http::error::HttpError;
    use crate::source::http::pace::Pace;
    use crate::source::http::upstream::{Outcome, Upstream};

    fn trouble() -> HttpError {
        HttpError::Timeout { address: "https://sis.example/x".into(), secs: 1 }
    }

    #[test]
    fn requests_keep_their_distance() {
        let (pace, waited) = Pace::fast();
        let upstream = Upstream::new("u".into());
        upstream.limit(4, 50);
        upstream.limit(9, 10);
        upstream.limit(9, 20);
        for _ in 0..5 {
            drop(upstream.enter(&pace));
        }
        assert_eq!(waited(), vec![Duration::from_millis(100); 4]);
        upstream.slow_down(Duration::from_secs(7), &pace);
        drop(upstream.enter(&pace));
        assert_eq!(waited().last(), Some(&Duration::from_secs(7)));
    }

    #[test]
    fn no_more_than_so_many_at_once() {
        let (pace, _) = Pace::fast();
        let upstream = Arc::new(Upstream::new("u".into()));
        upstream.limit(2, 1_000);
        let (first, second) = (upstream.enter(&pace), upstream.enter(&pace));
        let (send, receive) = std::sync::mpsc::channel();
        let third = std::thread::spawn({
            let (upstream, pace) = (upstream.clone(), pace.clone());
            move || {
                let pass = upstream.enter(&pace);
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
            upstream.admit(&pace).expect("closed");
            upstream.report(&Outcome::Trouble(&trouble()), &pace);
        }
        let mut rest = 60;
        for _ in 0..14 {
            let told = upstream.admit(&pace).expect_err("open").to_string();
            assert!(told.ends_with(&format!("left alone for {rest} s more")), "{told}");
            pace.wait(Duration::from_secs(rest - 1));
            assert!(upstream.admit(&pace).is_err());
            pace.wait(Duration::from_secs(1));
            upstream.admit(&pace).expect("a trial");
            assert!(upstream.admit(&pace).is_err(), "one trial at a time");
            upstream.report(&Outcome::Trouble(&trouble()), &pace);
            rest = (rest * 2).min(86_400);
        }
        assert_eq!(rest, 86_400);
        pace.wait(Duration::from_secs(rest));
        upstream.admit(&pace).expect("a trial");
        upstream.report(&Outcome::NotAsked, &pace);
        upstream.admit(&pace).expect("still a trial");
        upstream.report(&Outcome::Answered, &pace);
        for _ in 0..4 {
            upstream.admit(&pace).expect("closed");
            upstream.report(&Outcome::Trouble(&trouble()), &pace);
        }
        upstream.admit(&pace).expect("four failures do not open it");
    }
}
