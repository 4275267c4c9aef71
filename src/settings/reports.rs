//! The shape of `[activity]` and of what reports need of `[alerts]`.

use crate::license::ActivityLimits;
use crate::service::ReportPolicy;
use crate::settings::read::Section;
use crate::settings::words;

/// What reports and alerts go by.
#[derive(Clone, Debug, Default)]
pub struct ReportsShape {
    /// `activity.recent_days`.
    pub recent_days: Option<u32>,
    /// `activity.inactive_days`.
    pub inactive_days: Option<u32>,
    /// `alerts.near_limit`.
    pub near_limit: Option<bool>,
    /// `alerts.remind_business_days`.
    pub remind_days: Option<u32>,
    /// `alerts.sync_overdue_hours`.
    pub overdue_hours: Option<u32>,
}

/// Reads the sections.
pub fn reports(s: &Section<'_>) -> ReportsShape {
    let activity = s.section("activity", |s| (s.count("recent_days", 0..=3650), s.count("inactive_days", 1..=3650)));
    let (recent_days, inactive_days) = activity.unwrap_or_default();
    let alerts = |s: &Section<'_>| {
        let near = s.parsed("near_limit", words::one_of(&[("table", true), ("off", false)]));
        (near, s.count("remind_business_days", 0..=1_000), s.count("sync_overdue_hours", 0..=8_760))
    };
    let (near_limit, remind_days, overdue_hours) = s.section("alerts", alerts).unwrap_or_default();
    ReportsShape { recent_days, inactive_days, near_limit, remind_days, overdue_hours }
}

/// What a customer's sections say, and the global ones where they say nothing.
pub fn build(own: &ReportsShape, global: &ReportsShape) -> Option<ReportPolicy> {
    Some(ReportPolicy {
        activity: ActivityLimits {
            recent_days: own.recent_days.or(global.recent_days)?,
            inactive_days: own.inactive_days.or(global.inactive_days)?,
        },
        near_limit: own.near_limit.or(global.near_limit)?,
        remind_business_days: own.remind_days.or(global.remind_days)?,
        sync_overdue_hours: own.overdue_hours.or(global.overdue_hours)?,
    })
}
