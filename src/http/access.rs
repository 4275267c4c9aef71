//! Who may do what: the one table of the door (R157).

use crate::base::AccessRole;

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See numbers: customers, pools, runs, metrics. No names, no person keys.
    Look,
    /// See single people: queue, explanations, holds, the trail.
    LookAtPeople,
    /// Read reports other than the license report.
    Report,
    /// Read the license report.
    LicenseReport,
    /// Ask for a same-day run, plan one, do what a plan says.
    Sync,
    /// Decide what a guard held back, and undo a run.
    DecideHold,
    /// Give and take seats by hand (R163), ask the vendor for more (R155).
    Seats,
    /// Make, change and remove people by hand; take in log-ins; leave a source unread.
    Administer,
    /// What is bought, agreed, billed and told: grants, terms, upgrades, deliveries.
    Money,
    /// Keep the program itself running: tokens, channels and their dead letters, nodes.
    Operate,
}

impl Deed {
    /// All of them.
    pub const ALL: [Deed; 10] = [
        Deed::Look,
        Deed::LookAtPeople,
        Deed::Report,
        Deed::LicenseReport,
        Deed::Sync,
        Deed::DecideHold,
        Deed::Seats,
        Deed::Administer,
        Deed::Money,
        Deed::Operate,
    ];

    /// Its word, as docs/API.md has it.
    pub fn word(self) -> &'static str {
        match self {
            Deed::Look => "look",
            Deed::LookAtPeople => "people",
            Deed::Report => "report",
            Deed::LicenseReport => "licenses",
            Deed::Sync => "sync",
            Deed::DecideHold => "decide",
            Deed::Seats => "seats",
            Deed::Administer => "administer",
            Deed::Money => "money",
            Deed::Operate => "operate",
        }
    }
}

/// Whether a role may do a deed, as far as it goes: in its customer, and where it is of one org, in that org.
pub fn may(role: AccessRole, deed: Deed) -> bool {
    use Deed::{LicenseReport, Look, LookAtPeople, Report, Seats};
    match role {
        AccessRole::Operator => true,
        AccessRole::SystemAdmin => !matches!(deed, Deed::DecideHold | Deed::Money | Deed::Operate),
        AccessRole::Reporter => matches!(deed, Look | Report | LicenseReport),
        AccessRole::OrgAdmin | AccessRole::UserManager => matches!(deed, LookAtPeople | LicenseReport | Seats),
        AccessRole::ReadOnly => matches!(deed, Look | LookAtPeople | Report | LicenseReport),
    }
}
