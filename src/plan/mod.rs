//! Floor 2: who ought to have what, what a guard says of it, and the exact list of changes. The only place that knows
//! both rosters and licenses.

mod action;
mod catalog;
mod check;
mod contest;
mod decide;
mod decision;
mod demand;
mod explain;
mod fate;
mod guard;
mod hold;
mod input;
mod judge;
mod limits;
mod name;
mod overage;
mod planner;
mod pools;
mod purchase;
mod reconcile;
mod render;
mod revert;
mod rule;
mod sweep;
mod ways;

pub use action::{AbsenceChange, Notice, NoticeKind, Plan, PoolOutlook, Withheld};
pub use check::{Flaw, check};
pub use decide::{decide, refill};
pub use decision::{Answer, Decided, Decision, Desk};
pub use demand::UnknownOrg;
pub use explain::{ExplainInput, Explanation, explain};
pub use fate::{nameless, purge_day};
pub use guard::{GuardKind, Trip, Verdict};
pub use hold::{Judged, Sight, approval, next_holds};
pub use input::{Holding, PlanInput, Policy, Standing};
pub use judge::{Approval, Case, Judgment, judge, passes_limit};
pub use limits::{GuardLimits, GuardWindow};
pub use overage::timeline;
pub use planner::{PlanError, fit, plan};
pub use render::{causes_text, render, trip_text};
pub use revert::{RevertInput, Undone, revert};
pub use rule::{ClassFilter, Predicate, Rule};
pub use sweep::{Sweep, Swept};
