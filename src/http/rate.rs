//! How much a token may ask: so many questions a minute, saved up to a minute's worth.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// So many tokens are remembered; those that asked nothing lately are forgotten first.
const TOKENS_MAX: usize = 4096;

/// A question costs so much; time brings it back.
const QUESTION: u64 = 60_000;

/// What each token asked lately.
pub struct Rates {
    per_minute: u64,
    tokens: Mutex<BTreeMap<u64, Bucket>>,
}

/// What a token has left, in thousandths of a sixtieth of a question: `per_minute` come back with every millisecond.
struct Bucket {
    left: u64,
    at: Instant,
}

impl Rates {
    /// So many questions a minute; 0: any number.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: per_minute.into(), tokens: Mutex::default() }
    }

    /// Counts a question.
    ///
    /// # Errors
    /// After so many seconds there is one more.
    pub fn take(&self, token: u64, now: Instant) -> Result<(), u32> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let most = self.per_minute * QUESTION;
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |bucket: &Bucket| {
            let millis = u64::try_from(now.saturating_duration_since(bucket.at).as_millis()).unwrap_or(u64::MAX);
            bucket.left.saturating_add(millis.saturating_mul(self.per_minute)).min(most)
        };
        if tokens.len() >= TOKENS_MAX && !tokens.contains_key(&token) {
            tokens.retain(|_, bucket| left(bucket) < most);
            if tokens.len() >= TOKENS_MAX {
                tokens.pop_first();
            }
        }
        let had = tokens.get(&token).map_or(most, left);
        let (left, taken) = match had.checked_sub(QUESTION) {
            Some(left) => (left, Ok(())),
            None => (had, Err(u32::try_from((QUESTION - had).div_ceil(self.per_minute * 1000)).unwrap_or(60))),
        };
        tokens.insert(token, Bucket { left, at: now });
        taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crate::http::rate::{Rates, TOKENS_MAX};

    #[test]
    fn a_minutes_worth_at_once_and_then_as_it_comes_back() {
        let rates = Rates::new(6);
        let start = Instant::now();
        let after = |secs| start + Duration::from_secs(secs);
        for _ in 0..6 {
            assert_eq!(rates.take(1, start), Ok(()));
        }
        assert_eq!(rates.take(1, start), Err(10));
        assert_eq!(rates.take(2, start), Ok(()), "others are others");
        assert_eq!(rates.take(1, after(7)), Err(3));
        assert_eq!(rates.take(1, after(10)), Ok(()));
        assert_eq!(rates.take(1, after(10)), Err(10));
        assert_eq!(rates.take(1, after(3600)), Ok(()));
        assert_eq!(Rates::new(0).take(1, start), Ok(()));
    }

    #[test]
    fn it_remembers_no_more_tokens_than_it_may() {
        let rates = Rates::new(1);
        let now = Instant::now();
        for token in 0..10_000 {
            assert_eq!(rates.take(token, now), Ok(()));
        }
        assert!(rates.tokens.lock().unwrap().len() <= TOKENS_MAX);
        assert!(rates.take(9_999, now).is_err());
    }
}
