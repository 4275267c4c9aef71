//! After how long a message is tried again: a function of the message and the number of tries, so that it needs no dice.

use crate::base::Digester;

/// No pause of ours is longer, jitter aside.
const PAUSE_MILLIS_MAX: i64 = 6 * 3_600_000;
/// No pause that a receiver asks for is kept beyond this.
const ASKED_MILLIS_MAX: i64 = 24 * 3_600_000;

/// The pause in milliseconds after so many tries of the message `id`: twice as long each time, up to 6 hours, and up to a
/// quarter more, so that messages that failed together do not all come back together. What the receiver asked for counts if it
/// is longer, up to a day.
pub fn pause_millis(id: &str, tries: u32, first_secs: u32, asked_millis: Option<i64>) -> i64 {
    let doubled = i64::from(first_secs).saturating_mul(1_000).saturating_mul(1 << tries.saturating_sub(1).min(32));
    let whole = doubled.min(PAUSE_MILLIS_MAX);
    let digest = Digester::new("pause").field(id.as_bytes()).number(tries.into()).clone().finish();
    let dice = i64::from(u16::from_be_bytes([digest.0[0], digest.0[1]]));
    let own = whole + whole / 4 * dice / i64::from(u16::MAX);
    own.max(asked_millis.unwrap_or(0).min(ASKED_MILLIS_MAX))
}

#[cfg(test)]
mod tests {
    use crate::notify::pause::pause_millis;

    #[test]
    fn pauses_double_with_jitter_up_to_their_bound() {
        for (tries, secs) in
            [(1, 10), (2, 20), (3, 40), (10, 5_120), (12, 20_480), (13, 21_600), (50, 21_600), (u32::MAX, 21_600)]
        {
            let mut seen = Vec::new();
            for n in 0..40 {
                let pause = pause_millis(&format!("msg_{n}"), tries, 10, None);
                assert_eq!(pause, pause_millis(&format!("msg_{n}"), tries, 10, None));
                assert!((secs * 1_000..=secs * 1_250).contains(&pause), "{tries}: {pause}");
                seen.push(pause);
            }
            seen.sort_unstable();
            seen.dedup();
            assert!(seen.len() > 30, "{seen:?}");
        }
    }

    #[test]
    fn what_a_receiver_asks_for_is_kept_within_bounds() {
        assert_eq!(pause_millis("m", 1, 1, Some(90_000)), 90_000);
        assert!(pause_millis("m", 1, 100, Some(90_000)) >= 100_000);
        assert_eq!(pause_millis("m", 1, 1, Some(i64::MAX)), 24 * 3_600_000);
    }
}
