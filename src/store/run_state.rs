//! What the state of a run says of it.

use crate::store::shape::{RunRow, RunState, Trigger};

impl RunRow {
    /// Whether it was more than a look: a dry run is one, and so is a date on which nothing began or ended.
    pub fn is_more_than_a_look(&self) -> bool {
        let idle = matches!(self.trigger, Trigger::Dates(_)) && self.version.is_none() && self.state != RunState::Failed;
        self.state != RunState::Planned && !idle
    }
}

impl RunState {
    /// Whether the run is over.
    pub fn is_over(self) -> bool {
        !matches!(self, RunState::Fetching | RunState::Planning | RunState::Committing)
    }
}
