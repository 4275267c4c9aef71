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
