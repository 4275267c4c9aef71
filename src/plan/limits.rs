//! The guards' thresholds.

/// Thresholds of the guards (R114, R115). Percentages are whole numbers.
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
    /// `guard.on_trip = "all"`: a trip stops additions and updates as well (R119).
    pub trip_stops_all: bool,
}

impl GuardLimits {
    /// These limits as they are for the first run after a pause (R108): a new school year replaces much of a roster, and
    /// whole orgs may close. More than half of a source's people going, or a collection that came back empty, still
    /// waits for somebody to look.
    pub fn rollover(self) -> Self {
        const REMOVAL_PERCENT: u32 = 50;
        const ORG_REMOVAL_PERCENT: u32 = 100;
        Self {
            removal_percent: self.removal_percent.max(REMOVAL_PERCENT),
            org_removal_percent: self.org_removal_percent.max(ORG_REMOVAL_PERCENT),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::limits::GuardLimits;

    #[test]
    fn a_rollover_only_ever_raises_thresholds() {
        let limits = GuardLimits {
            removal_percent: 10,
            removal_min: 5,
            org_removal_percent: 50,
            org_base_min: 10,
            trip_stops_all: true,
        };
        let raised = GuardLimits { removal_percent: 50, org_removal_percent: 100, ..limits };
        assert_eq!(limits.rollover(), raised);
        let wide = GuardLimits { removal_percent: 80, ..raised };
        assert_eq!(wide.rollover(), wide);
    }
}
