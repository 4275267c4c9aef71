//! What changed between two rosters, by person.

use crate::roster::model::{PersonIx, Roster};

/// The difference. `before` positions belong to the older roster, `after` positions to the newer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RosterDelta {
    /// Active people in the older roster: the guard's base.
    pub base: u32,
    /// Active people in the newer one.
    pub now: u32,
    /// New, or back from an explicit end; positions after.
    pub added: Vec<PersonIx>,
    /// Something about them changed; (before, after).
    pub changed: Vec<(PersonIx, PersonIx)>,
    /// Active before, explicitly ended now; (before, after).
    pub ended: Vec<(PersonIx, PersonIx)>,
    /// Active before, without a record now; positions before.
    pub absent: Vec<PersonIx>,
    /// People whose absence or presence cannot be told, because rows without a readable id stand in the way.
    pub absence_untellable: bool,
    /// New keys whose e-mail belongs to somebody who is absent (R5): (before: the known one, after: the new one).
    pub conflicts: Vec<(PersonIx, PersonIx)>,
}

impl RosterDelta {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        let Self { base: _, now: _, added, changed, ended, absent, absence_untellable: _, conflicts } = self;
        added.is_empty() && changed.is_empty() && ended.is_empty() && absent.is_empty() && conflicts.is_empty()
    }
}

/// Compares two rosters. Last-change stamps alone are no change.
pub fn diff(_before: &Roster, _after: &Roster) -> RosterDelta {
    RosterDelta::default()
}
