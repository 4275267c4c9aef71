//! The one back-off: how often a request is made again, and after how long. The only file that names the `backoff`
//! crate.
//!
//! The crate supplies the growing, jittered pauses. Tries are counted here, and what a server asks for is bounded here: the
//! crate would follow a `Retry-After` for ever.

use std::time::Duration;

use backoff::SystemClock;
use backoff::backoff::Backoff;
use backoff::exponential::ExponentialBackoff;

/// How often and after how long a failed request is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySettings {
    /// Tries in all, the first one counted.
    pub tries_max: u32,
    /// The pause after the first failure; it doubles with each further one, and varies by half up and down.
    pub pause_first: Duration,
    /// No pause of ours is longer, jitter aside.
    pub pause_max: Duration,
    /// The longest pause that a server may ask for. If it asks for more, the request fails.
    pub asked_max: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            tries_max: 6,
            pause_first: Duration::from_secs(1),
            pause_max: Duration::from_secs(32),
            asked_max: Duration::from_secs(600),
        }
    }
}

/// What to do after a failure that may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after a pause.
    After(Duration),
    /// All tries are used up.
    Enough,
    /// The server asks for a longer pause than we grant.
    TooLong(Duration),
}

/// The tries of one request.
pub struct Retry {
    settings: RetrySettings,
    tries: u32,
    pauses: ExponentialBackoff<SystemClock>,
}

impl Retry {
    /// Before the first try.
    pub fn new(settings: RetrySettings) -> Self {
        let mut pauses = ExponentialBackoff {
            initial_interval: settings.pause_first,
            max_interval: settings.pause_max,
            randomization_factor: 0.5,
            multiplier: 2.0,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        pauses.reset();
        Self { settings, tries: 0, pauses }
    }

    /// Tries that failed so far.
    pub fn failed(&self) -> u32 {
        self.tries
    }

    /// After a failure; `asked` is the pause that the server asked for. The longer of the two pauses counts; to what it asked for
    /// comes less than a second by chance, so that those who were sent away together do not come back together.
    pub fn next(&mut self, asked: Option<Duration>) -> Next {
        self.tries += 1;
        if self.tries >= self.settings.tries_max {
            return Next::Enough;
        }
        let own = self.pauses.next_backoff().unwrap_or(self.settings.pause_max);
        match asked {
            Some(asked) if asked > self.settings.asked_max => Next::TooLong(asked),
            Some(asked) => Next::After(own.max(asked + Duration::from_nanos(own.subsec_nanos().into()))),
            None => Next::After(own),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::source::retry::{Next, Retry, RetrySettings};

    #[test]
    fn pauses_grow_with_jitter_and_end() {
        for _ in 0..50 {
            let mut retry = Retry::new(RetrySettings::default());
            for whole in [1_000, 2_000, 4_000, 8_000, 16_000] {
                let Next::After(pause) = retry.next(None) else { panic!("a pause") };
                let millis = u64::try_from(pause.as_millis()).expect("short");
                assert!((whole / 2..=whole * 3 / 2 + 1).contains(&millis), "{millis} of {whole}");
            }
            assert_eq!(retry.next(None), Next::Enough);
            assert_eq!(retry.failed(), 6);
        }
    }

    #[test]
    fn what_a_server_asks_for_is_kept_within_bounds() {
        let settings = RetrySettings { tries_max: 3, ..RetrySettings::default() };
        let secs = Duration::from_secs;
        let mut retry = Retry::new(settings);
        let Next::After(pause) = retry.next(Some(secs(90))) else { panic!("a pause") };
        assert!((secs(90)..secs(91)).contains(&pause), "{pause:?}");
        assert_eq!(retry.next(Some(secs(601))), Next::TooLong(secs(601)));
        assert_eq!(retry.next(Some(secs(1))), Next::Enough);
        let Next::After(pause) = Retry::new(settings).next(Some(Duration::ZERO)) else { panic!("a pause") };
        assert!(pause >= Duration::from_millis(500), "a server that asks for no pause gets ours: {pause:?}");
    }
}
