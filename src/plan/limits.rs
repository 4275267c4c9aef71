//! The guards' thresholds, and the dates on which others hold.

use crate::base::Day;

/// Thresholds of the guards (R114 to R125). Percentages are whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardLimits {
    /// `guard.removal_percent`: of a source's people.
    pub removal_percent: u32,
    /// `guard.removal_min`: up to so many removals pass whatever the share.
    pub removal_min: u32,
    /// `guard.org_removal_percent`: of an org's people.
    pub org_removal_percent: u32,
    /// `guard.org_base_min`: orgs smaller than this are left to the source's rule.
    pub org_base_min: u32,
    /// `guard.rolling_days`: how many dates, today among them, the rolling guard adds up; 0 switches it off (R116).
    pub rolling_days: u32,
    /// `guard.rolling_percent`: of the people at the window's start.
    pub rolling_percent: u32,
    /// `guard.growth_percent`: of the people before (R117).
    pub growth_percent: u32,
    /// `guard.growth_min`: up to so many additions pass whatever the share.
    pub growth_min: u32,
    /// `guard.change_percent`: of the people, updated (R118).
    pub change_percent: u32,
    /// `guard.on_trip = "all"`: a trip stops additions and updates as well (R119).
    pub trip_stops_all: bool,
    /// `guard.approval_ttl_hours`: how long a hold can be decided, and an approval works (R120).
    pub approval_ttl_hours: u32,
    /// `guard.provisional_max_business_days`: how long held people may make an overage that does not count (R123).
    pub provisional_business_days_max: u32,
    /// `guard.bootstrap_approval`: the first snapshot of a source waits for an approval (R125).
    pub bootstrap_approval: bool,
}

/// Other limits for some dates; they end by themselves (R124).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardWindow {
    /// The first local date.
    pub from: Day,
    /// The first local date no longer.
    pub to: Day,
    /// What holds in between.
    pub limits: GuardLimits,
}

impl GuardLimits {
    /// What the domain rules say where nobody says anything else.
    pub const STANDARD: GuardLimits = GuardLimits {
        removal_percent: 10,
        removal_min: 5,
        org_removal_percent: 50,
        org_base_min: 10,
        rolling_days: 7,
        rolling_percent: 20,
        growth_percent: 25,
        growth_min: 20,
        change_percent: 75,
        trip_stops_all: false,
        approval_ttl_hours: 72,
        provisional_business_days_max: 3,
        bootstrap_approval: true,
    };

    /// The profile for the turn of a school year, and for the first run after a pause (R108, R124): half of the people
    /// may leave, whole orgs may empty, everybody may change, as many may come as there were. An empty collection,
    /// changed identities and the first snapshot of a source are held as ever. Nothing gets stricter by it.
    #[must_use]
    pub fn rollover(self) -> Self {
        Self {
            removal_percent: self.removal_percent.max(50),
            org_removal_percent: self.org_removal_percent.max(100),
            rolling_percent: self.rolling_percent.max(100),
            growth_percent: self.growth_percent.max(100),
            change_percent: self.change_percent.max(100),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::limits::GuardLimits;

    #[test]
    fn a_rollover_only_ever_raises_thresholds() {
        let limits = GuardLimits { trip_stops_all: true, ..GuardLimits::STANDARD };
        let raised = limits.rollover();
        assert_eq!((raised.removal_percent, raised.org_removal_percent, raised.trip_stops_all), (50, 100, true));
        let wide = GuardLimits { removal_percent: 80, ..raised };
        assert_eq!(wide.rollover(), wide);
    }
}
