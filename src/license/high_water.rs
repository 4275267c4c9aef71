//! The most that was used and the least that was left of a pool on each local date (R149).

use crate::base::{Balance, Day, Instant, Seats};

/// What a pool came to with one commit; one is kept for each commit that changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolSample {
    /// When.
    pub at: Instant,
    /// Used seats.
    pub used: Seats,
    /// The allowance; `None`: unlimited.
    pub allowance: Option<Seats>,
}

impl PoolSample {
    /// allowance − used; `None`: unlimited.
    pub fn available(&self) -> Option<Balance> {
        self.allowance.map(|allowance| Balance::of(allowance, self.used))
    }
}

/// One local date of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HighWater {
    /// The date.
    pub day: Day,
    /// The most that was used.
    pub used_max: Seats,
    /// The least that was available; `None`: unlimited all day.
    pub available_min: Option<Balance>,
    /// What was used when the date ended, or at the last look.
    pub used_close: Seats,
    /// What was available then.
    pub available_close: Option<Balance>,
}

/// Each date from the first sample on up to `last`, without a gap: a date without a commit stays where it was. Samples
/// stand in the order of their commits; a clock that was put back does not put a commit before the one it followed.
pub fn high_water(samples: &[PoolSample], day_of: impl Fn(Instant) -> Day, last: Day) -> Vec<HighWater> {
    let mut days: Vec<HighWater> = Vec::new();
    for sample in samples {
        let day = day_of(sample.at);
        fill(&mut days, day);
        let opens = HighWater {
            day,
            used_max: sample.used,
            available_min: sample.available(),
            used_close: sample.used,
            available_close: sample.available(),
        };
        match days.last_mut() {
            None => days.push(opens),
            Some(today) => {
                today.used_max = today.used_max.max(sample.used);
                today.available_min = match (today.available_min, sample.available()) {
                    (Some(one), Some(other)) => Some(one.min(other)),
                    (one, other) => one.or(other),
                };
                today.used_close = sample.used;
                today.available_close = sample.available();
            }
        }
    }
    fill(&mut days, last);
    days.retain(|mark| mark.day <= last);
    days
}

/// Lets the newest date go on, unchanged, up to `until`.
fn fill(days: &mut Vec<HighWater>, until: Day) {
    while let Some(newest) = days.last().copied().filter(|newest| newest.day < until) {
        let HighWater { day, used_max: _, available_min: _, used_close, available_close } = newest;
        days.push(HighWater {
            day: day.plus(1),
            used_max: used_close,
            available_min: available_close,
            used_close,
            available_close,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::base::{Balance, Day, Instant, Seats};
    use crate::license::high_water::{HighWater, PoolSample, high_water};

    type Row = (i32, u32, Option<i64>, u32, Option<i64>);

    fn days(samples: &[(i64, u32, Option<u32>)], last: i32) -> Vec<Row> {
        let samples: Vec<PoolSample> = samples
            .iter()
            .map(|&(at, used, allowance)| PoolSample { at: Instant(at), used: Seats(used), allowance: allowance.map(Seats) })
            .collect();
        let day_of = |at: Instant| Day(i32::try_from(at.0.div_euclid(10)).expect("small"));
        let row = |m: HighWater| {
            let seats = |balance: Option<Balance>| balance.map(|b| b.0);
            (m.day.0, m.used_max.0, seats(m.available_min), m.used_close.0, seats(m.available_close))
        };
        high_water(&samples, day_of, Day(last)).into_iter().map(row).collect()
    }

    #[test]
    fn r149_days_have_a_highest_a_lowest_and_a_close() {
        assert_eq!(days(&[], 3), []);
        let samples = [(11, 5, Some(10)), (12, 9, Some(10)), (19, 7, Some(10)), (35, 7, Some(6)), (36, 2, Some(6))];
        assert_eq!(
            days(&samples, 4),
            [
                (1, 9, Some(1), 7, Some(3)),
                (2, 7, Some(3), 7, Some(3)),
                (3, 7, Some(-1), 2, Some(4)),
                (4, 2, Some(4), 2, Some(4))
            ],
            "a date starts where the one before ended"
        );
        assert_eq!(days(&samples, 1), [(1, 9, Some(1), 7, Some(3))], "what came later is not told");
    }

    #[test]
    fn unlimited_pools_have_nothing_left_to_count_and_clocks_that_go_back_do_no_harm() {
        assert_eq!(days(&[(10, 3, None)], 1), [(1, 3, None, 3, None)]);
        assert_eq!(days(&[(10, 3, None), (11, 3, Some(5))], 1), [(1, 3, Some(2), 3, Some(2))]);
        assert_eq!(days(&[(20, 3, None), (10, 8, None)], 2), [(2, 8, None, 8, None)]);
    }
}
