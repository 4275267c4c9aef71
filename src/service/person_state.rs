//! How a person stands, in a word or two.

use std::fmt;

use crate::base::Day;
use crate::license::Absence;
use crate::plan::{Policy, purge_day};
use crate::roster::Person;

/// How a person stands between roster and books (R127).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersonState {
    /// In the roster, with an open account.
    Active,
    /// In the roster, the account is locked by the source.
    Locked,
    /// Ended by the source; everything is kept while a guard holds the removal.
    Ended,
    /// Missing from so many complete snapshots in a row, of so many that it takes (R131).
    Absent {
        /// So far.
        count: u32,
        /// Needed.
        of: u32,
    },
    /// Removed: the seats are free; comes back to the same claims until the purge (R130).
    Removed {
        /// The day of the purge; `None`: there is none.
        until: Option<Day>,
    },
}

impl PersonState {
    /// Of a person who is in the roster, in the list of the missing, or in both.
    pub fn of(policy: &Policy, person: Option<&Person>, absence: Option<&Absence>) -> Self {
        match (absence, person) {
            (Some(absence), _) if absence.removed => {
                PersonState::Removed { until: absence.removed_at.and_then(|at| purge_day(policy, at)) }
            }
            (Some(absence), _) if absence.ended => PersonState::Ended,
            (Some(absence), _) => PersonState::Absent { count: absence.count, of: policy.absence_confirmations },
            (None, Some(person)) if person.ended => PersonState::Ended,
            (None, Some(person)) if !person.enabled => PersonState::Locked,
            (None, _) => PersonState::Active,
        }
    }

    /// The state's word.
    pub fn word(self) -> &'static str {
        match self {
            PersonState::Active => "active",
            PersonState::Locked => "locked",
            PersonState::Ended => "ended",
            PersonState::Absent { .. } => "absent",
            PersonState::Removed { .. } => "removed",
        }
    }
}

impl fmt::Display for PersonState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PersonState::Absent { count, of } => write!(f, "absent ({count} of {of})"),
            PersonState::Removed { until: Some(until) } => write!(f, "removed until {until}"),
            state => f.write_str(state.word()),
        }
    }
}
