//! Limits of an upstream that several nodes keep together.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::source::http::error::HttpError;
use crate::source::http::pace::Pace;

/// How long a request waits before it asks again for a place that other nodes have; twice as long each time …
const AGAIN: Duration = Duration::from_millis(50);
/// … up to this.
const AGAIN_MAX: Duration = Duration::from_millis(800);
/// So long whoever gives places may not answer.
const UNHEARD_MAX: Duration = Duration::from_secs(15 * 60);
/// So long other nodes may have all places. The longest request is over by then.
const FULL_MAX: Duration = Duration::from_secs(6 * 3600);

/// What came of asking for a place among the requests to an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceTaken {
    /// Nobody else asks it: this process keeps the limits by itself.
    Alone,
    /// The place of this number. The request may start after so long.
    After(u64, Duration),
    /// As many requests are under way as may be: asked again in a moment.
    NotYet,
    /// Whoever gives places does not answer: asked again in a moment.
    Unheard,
}

/// Whoever gives places among requests, so that the limits hold whoever asks. Nothing here can fail.
pub trait SharedLimits: Send + Sync {
    /// Takes a place: `parallel_max` at once, and `gap` between the starts of two.
    fn take(&self, upstream: &str, parallel_max: u32, gap: Duration) -> PlaceTaken;

    /// The request of a place is over.
    fn end(&self, number: u64);

    /// Nobody starts a request before a pause is over.
    fn pause(&self, upstream: &str, pause: Duration);
}

/// Waits for a place and for the moment at which its request may start; `None`: this process keeps the limits by itself.
///
/// # Errors
/// [`HttpError::NoPlace`] when none comes.
pub(crate) fn placed(
    limits: &dyn SharedLimits,
    pace: &Pace,
    upstream: &str,
    (parallel_max, gap): (u32, Duration),
) -> Result<Option<u64>, HttpError> {
    let (began, mut heard, mut again) = (pace.elapsed(), pace.elapsed(), AGAIN);
    let none = |is_heard, since: Duration| HttpError::NoPlace {
        upstream: upstream.to_owned(),
        is_heard,
        minutes: pace.elapsed().saturating_sub(since).as_secs() / 60,
    };
    loop {
        match limits.take(upstream, parallel_max, gap) {
            PlaceTaken::Alone => return Ok(None),
            PlaceTaken::After(number, pause) => {
                if !pause.is_zero() {
                    pace.wait(pause);
                }
                return Ok(Some(number));
            }
            PlaceTaken::NotYet => heard = pace.elapsed(),
            PlaceTaken::Unheard => {}
        }
        let now = pace.elapsed();
        if now.saturating_sub(heard) >= UNHEARD_MAX {
            return Err(none(false, heard));
        }
        if now.saturating_sub(began) >= FULL_MAX {
            return Err(none(true, began));
        }
        pace.wait(spread(again));
        again = (again * 2).min(AGAIN_MAX);
    }
}

/// Between half and all of a pause: nodes that wait for the same place do not ask in step.
fn spread(pause: Duration) -> Duration {
    let share = RandomState::new().build_hasher().finish() % 512;
    pause / 2 + pause * u32::try_from(share).unwrap_or(0) / 1024
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::source::http::pace::Pace;
    use crate::source::http::shared::{PlaceTaken, SharedLimits, placed};

    /// Says so for so long, and then gives the place 7.
    struct Says<'p>(PlaceTaken, Duration, &'p Pace);

    impl SharedLimits for Says<'_> {
        fn take(&self, _: &str, _: u32, _: Duration) -> PlaceTaken {
            if self.2.elapsed() < self.1 { self.0 } else { PlaceTaken::After(7, Duration::ZERO) }
        }
        fn end(&self, _: u64) {}
        fn pause(&self, _: &str, _: Duration) {}
    }

    fn after(says: PlaceTaken, mins: u64) -> (Result<Option<u64>, String>, usize) {
        let (pace, waited) = Pace::fast();
        let limits = Says(says, Duration::from_secs(mins * 60), &pace);
        let placed = placed(&limits, &pace, "https://sis.example", (1, Duration::ZERO));
        (placed.map_err(|error| error.to_string()), waited().len())
    }

    #[test]
    fn no_wait_for_a_place_is_without_end() {
        assert_eq!(after(PlaceTaken::Alone, 1).0, Ok(None));
        assert_eq!(after(PlaceTaken::Unheard, 14).0, Ok(Some(7)));
        let told = after(PlaceTaken::Unheard, 16).0.expect_err("the database is away");
        assert_eq!(
            told,
            "ask https://sis.example: the database of the nodes, which gives places among its requests, did not answer for 15 minutes"
        );
        let (given, asked) = after(PlaceTaken::NotYet, 5 * 60);
        assert_eq!(given, Ok(Some(7)), "others may take long");
        assert!(asked < 5 * 3600 * 3, "asked {asked} times: seldom");
        let told = after(PlaceTaken::NotYet, 7 * 60).0.expect_err("others never end");
        assert_eq!(told, "ask https://sis.example: other nodes had all places among its requests for 360 minutes");
    }
}
