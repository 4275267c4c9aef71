//! Counts of seats. A count never goes below zero, a balance may.

use std::fmt;

/// Seats bought, used, waited for. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seats(pub u32);

impl fmt::Display for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Allowance minus used; shown as it is, also when negative (R46).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Balance(pub i64);

impl Balance {
    /// `allowance − used`.
    pub fn of(allowance: Seats, used: Seats) -> Self {
        Self(i64::from(allowance.0) - i64::from(used.0))
    }

    /// How many seats are missing: the size of a negative balance, else 0.
    pub fn shortfall(self) -> Seats {
        Seats(u32::try_from(-self.0).unwrap_or(0))
    }
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// `100 · used / limit` with one decimal, half up, from integers (R140). `None` when the limit is 0 or absent.
pub fn percent_used(used: Seats, limit: Option<Seats>) -> Option<String> {
    let limit = u64::from(limit?.0);
    if limit == 0 {
        return None;
    }
    let tenths = (u64::from(used.0) * 2000 + limit) / (2 * limit);
    Some(format!("{}.{}", tenths / 10, tenths % 10))
}

#[cfg(test)]
mod tests {
    use crate::base::{Seats, percent_used};

    #[test]
    fn t2_percentage_display() {
        for (used, limit, shown) in [
            (0, 10, "0.0"),
            (2, 10, "20.0"),
            (1, 3, "33.3"),
            (2, 3, "66.7"),
            (1, 16, "6.3"),
            (1999, 2000, "100.0"),
            (1050, 1000, "105.0"),
            (10_498, 9999, "105.0"),
            (10_499, 9999, "105.0"),
            (1051, 1000, "105.1"),
        ] {
            assert_eq!(percent_used(Seats(used), Some(Seats(limit))).as_deref(), Some(shown), "{used}/{limit}");
        }
        assert_eq!(percent_used(Seats(5), Some(Seats(0))), None);
        assert_eq!(percent_used(Seats(0), Some(Seats(0))), None);
        assert_eq!(percent_used(Seats(5), None), None);
    }
}
