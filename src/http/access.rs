//! Who may do what: the one table of the door (R157).

use crate::base::AccessRole;

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See numbers: customers, pools, runs, metrics. No names, no person keys.
    Look,
    /// See single people: queue, explanations, holds.
    LookAtPeople,
    /// Read reports other than the license report.
    Report,
    /// Read the license report.
    LicenseReport,
    /// Ask for a same-day run.
    Sync,
    /// Decide what a guard held back.
    DecideHold,
}

impl Deed {
    /// All of them.
    pub const ALL: [Deed; 6] =
        [Deed::Look, Deed::LookAtPeople, Deed::Report, Deed::LicenseReport, Deed::Sync, Deed::DecideHold];
}

/// Whether a role may do a deed, as far as it goes: in its customer, and where it is of one org, in that org.
pub fn may(role: AccessRole, deed: Deed) -> bool {
    match role {
        AccessRole::Operator => true,
        AccessRole::SystemAdmin => deed != Deed::DecideHold,
        AccessRole::Reporter => matches!(deed, Deed::Look | Deed::Report | Deed::LicenseReport),
        AccessRole::OrgAdmin | AccessRole::UserManager => matches!(deed, Deed::LookAtPeople | Deed::LicenseReport),
        AccessRole::ReadOnly => !matches!(deed, Deed::Sync | Deed::DecideHold),
    }
}
