//! Floor 2: who ought to have what, what a guard says of it, and the exact list of changes. The only place that knows
//! both rosters and licenses.

mod action;
mod guard;
mod input;
mod rule;

pub use action::{AbsenceChange, Notice, NoticeKind, Plan, PoolOutlook, Withheld};
pub use guard::{GuardKind, Trip, Verdict};
pub use input::{GuardLimits, PlanInput, Policy, Standing};
pub use rule::{ClassFilter, Predicate, Rule};
