//! The thing that has seats.

use crate::base::{Calendar, Day, OrgId, PoolId, ProductId, Seats};
use crate::license::clauses::Clauses;
use crate::license::renewal::TermRules;
use crate::license::reuse::ReuseRules;

/// What sync does when a pool is full (R48).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFull {
    /// Assign and go negative.
    Overdraw,
    /// Queue.
    Wait,
    /// Overdraw up to this percentage of the effective allowance, then queue.
    OverdrawUpTo {
        /// In percent of the effective allowance; 110 means up to 10 % more.
        percent_max: u32,
    },
}

/// Whose seats these are (R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Anybody's.
    Any,
    /// Of people with a role other than student.
    Educator,
    /// Of people with the role student.
    Student,
}

/// The numbers of the contract's overage clauses that the bands need (R58, R59, R72).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverageLimits {
    /// Up to this percentage of the effective allowance an overage is minor.
    pub minor_percent: u32,
    /// Above this percentage it is major.
    pub major_percent: u32,
    /// So many seats over are at worst minor, however small the pool.
    pub minor_floor: Seats,
}

impl OverageLimits {
    /// The contract text: 105 %, 106 %, no floor.
    pub const CONTRACT: OverageLimits = OverageLimits { minor_percent: 105, major_percent: 106, minor_floor: Seats(0) };
}

/// A pool as the settings define it. What it holds lies in the books.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// What it licenses.
    pub product: ProductId,
    /// The org whose subtree it serves (R20).
    pub owner: OrgId,
    /// Whose seats these are.
    pub audience: Audience,
    /// Has no limit (R19).
    pub unlimited: bool,
    /// What sync does when it is full.
    pub on_full: OnFull,
    /// The overage clauses' numbers.
    pub overage: OverageLimits,
    /// The overage clauses themselves: stages, deadlines, tiers.
    pub clauses: Clauses,
    /// Seats set aside for child orgs (R20), by org id.
    pub reservations: Vec<(OrgId, Seats)>,
    /// Whose days count.
    pub calendar: Calendar,
    /// The day from which license years are counted (R18).
    pub anchor: Option<Day>,
    /// What happens when its terms end.
    pub renewal: TermRules,
    /// How often its seats may go from person to person.
    pub reuse: ReuseRules,
}
