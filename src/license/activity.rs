//! What a log-in feed says of a seat (R144).

use crate::base::Day;

/// How a seat is used, as far as a feed tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// No feed tells; never to be taken for inactive.
    Unknown,
    /// The last log-in is at most `activity.recent_days` ago.
    Recent,
    /// Between the two.
    Quiet,
    /// No log-in for `activity.inactive_days`, or none at all.
    Inactive,
}

impl Activity {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Activity::Unknown => "unknown",
            Activity::Recent => "recent",
            Activity::Quiet => "quiet",
            Activity::Inactive => "inactive",
        }
    }
}

/// From which age on a log-in is no longer recent, and from which on its seat is inactive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityLimits {
    /// In days (30).
    pub recent_days: u32,
    /// In days (90).
    pub inactive_days: u32,
}

impl ActivityLimits {
    /// The defaults of the domain rules (A21).
    pub const STANDARD: ActivityLimits = ActivityLimits { recent_days: 30, inactive_days: 90 };

    /// What the last log-in says on a date. `known`: a feed tells of the product, and is not itself too old to say that
    /// nobody logged in.
    pub fn judge(&self, known: bool, last: Option<Day>, today: Day) -> Activity {
        let age = last.map(|last| i64::from(today.0) - i64::from(last.0));
        match age {
            _ if !known => Activity::Unknown,
            Some(days) if days <= i64::from(self.recent_days) => Activity::Recent,
            Some(days) if days < i64::from(self.inactive_days) => Activity::Quiet,
            Some(_) | None => Activity::Inactive,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Day;
    use crate::license::activity::{Activity, ActivityLimits};

    #[test]
    fn r144_recent_and_inactive() {
        let today = Day(1000);
        for (known, ago, expected) in [
            (true, Some(0), Activity::Recent),
            (true, Some(30), Activity::Recent),
            (true, Some(31), Activity::Quiet),
            (true, Some(89), Activity::Quiet),
            (true, Some(90), Activity::Inactive),
            (true, Some(400), Activity::Inactive),
            (true, Some(-2), Activity::Recent),
            (true, None, Activity::Inactive),
            (false, None, Activity::Unknown),
            (false, Some(400), Activity::Unknown),
        ] {
            let last = ago.map(|ago| Day(1000 - ago));
            assert_eq!(ActivityLimits::STANDARD.judge(known, last, today), expected, "{ago:?} days ago");
        }
    }
}
