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
mod input;
mod limits;
mod name;
mod planner;
mod pools;
mod purchase;
mod reconcile;
mod render;
mod rule;
mod ways;

pub use action::{AbsenceChange, Notice, NoticeKind, Plan, PoolOutlook, Withheld};
pub use check::{Flaw, check};
pub use decide::decide;
pub use decision::{Answer, Decided, Decision, Desk};
pub use demand::UnknownOrg;
pub use explain::{ExplainInput, Explanation, explain};
pub use guard::{Case, GuardKind, Judgment, Trip, Verdict, judge};
pub use input::{PlanInput, Policy, Standing};
pub use limits::GuardLimits;
pub use planner::{PlanError, fit, plan};
pub use render::{causes_text, render, trip_text};
pub use rule::{ClassFilter, Predicate, Rule};
