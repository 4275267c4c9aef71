//! The shape of `[guard]` and of `[[customer.guard_window]]`.

use crate::base::Day;
use crate::settings::read::Section;
use crate::settings::words;

const PEOPLE_MAX: u32 = 100_000_000;
const HOURS_MAX: u32 = 24 * 365;

/// `[guard]`.
#[derive(Clone, Debug, Default)]
pub struct GuardShape {
    /// `removal_percent`.
    pub removal_percent: Option<u32>,
    /// `removal_min`.
    pub removal_min: Option<u32>,
    /// `org_removal_percent`.
    pub org_removal_percent: Option<u32>,
    /// `org_base_min`.
    pub org_base_min: Option<u32>,
    /// `rolling_days`.
    pub rolling_days: Option<u32>,
    /// `rolling_percent`.
    pub rolling_percent: Option<u32>,
    /// `growth_percent`.
    pub growth_percent: Option<u32>,
    /// `growth_min`.
    pub growth_min: Option<u32>,
    /// `change_percent`.
    pub change_percent: Option<u32>,
    /// `approval_ttl_hours`.
    pub approval_ttl_hours: Option<u32>,
    /// `provisional_max_business_days`.
    pub provisional_business_days_max: Option<u32>,
    /// `bootstrap_approval`.
    pub bootstrap_approval: Option<bool>,
    /// `on_trip`: whether a trip stops everything.
    pub trip_stops_all: Option<bool>,
}

/// `[[customer.guard_window]]`.
pub struct GuardWindowShape {
    /// Its path, for messages.
    pub at: String,
    /// `from`.
    pub from: Option<Day>,
    /// `to`.
    pub to: Option<Day>,
    /// `profile = "rollover"`.
    pub rollover: Option<bool>,
    /// Keys of `[guard]` that it says itself.
    pub guard: GuardShape,
}

/// Reads `[guard]`.
pub fn guard(s: &Section<'_>) -> GuardShape {
    GuardShape {
        removal_percent: s.count("removal_percent", 0..=100),
        removal_min: s.count("removal_min", 0..=PEOPLE_MAX),
        org_removal_percent: s.count("org_removal_percent", 0..=100),
        org_base_min: s.count("org_base_min", 0..=PEOPLE_MAX),
        rolling_days: s.count("rolling_days", 0..=31),
        rolling_percent: s.count("rolling_percent", 0..=100),
        growth_percent: s.count("growth_percent", 0..=1_000_000),
        growth_min: s.count("growth_min", 0..=PEOPLE_MAX),
        change_percent: s.count("change_percent", 0..=100),
        approval_ttl_hours: s.count("approval_ttl_hours", 1..=HOURS_MAX),
        provisional_business_days_max: s.count("provisional_max_business_days", 0..=260),
        bootstrap_approval: s.flag("bootstrap_approval"),
        trip_stops_all: s.parsed("on_trip", words::one_of(&[("removals", false), ("all", true)])),
    }
}

/// Reads a `[[customer.guard_window]]`.
pub fn guard_window(s: &Section<'_>) -> GuardWindowShape {
    GuardWindowShape {
        at: s.at(""),
        from: s.required("from", s.parsed("from", words::day)),
        to: s.required("to", s.parsed("to", words::day)),
        rollover: s.parsed("profile", words::one_of(&[("rollover", true)])),
        guard: guard(s),
    }
}
