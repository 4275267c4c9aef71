//! What a run writes down of holds, whether it read anything or not.

use crate::base::PersonKey;
use crate::license::{GuardDay, Hold, HoldState};
use crate::plan::hold::{Approved, Sight, next_holds};
use crate::plan::input::{Holding, Standing};

/// Whose removal waits where no guard looks at it, in the order of the absences: what is held stays held until it is
/// approved.
pub fn still_held(standing: &Standing, approval: Option<&Approved>) -> Vec<PersonKey> {
    let granted = |person| approval.is_some_and(|approval| approval.removals.binary_search(person).is_ok());
    let held = standing.absences.iter().filter(|absence| absence.held && !granted(&absence.person));
    held.map(|absence| absence.person.clone()).collect()
}

/// The holds as they are after a run. `approved` are the people whose removal was approved; `withheld` says who gets nothing
/// yet, given the newest hold there is then.
pub fn holding_after(
    sight: &Sight<'_>,
    approved: Vec<PersonKey>,
    days: Vec<GuardDay>,
    withheld: impl FnOnce(Option<&Hold>) -> Vec<PersonKey>,
) -> Holding {
    let (holds, notices) = next_holds(sight);
    let after = holds.iter().max_by_key(|hold| hold.run).or(sight.newest);
    let open = after.is_some_and(|hold| hold.state == HoldState::Open);
    Holding { open, withheld: withheld(after), approved, days, notices, holds }
}
