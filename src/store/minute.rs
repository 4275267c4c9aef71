//! What a look at a customer rests on that is made every minute: enough to see that nothing is due.

use crate::base::{Day, RunId, Version};

/// A customer as of a minute. By default one of whom nothing was ever written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Its version.
    pub version: Version,
    /// Its newest run and what tells one state of it from another: nobody asks which, so that one which nobody can read is in
    /// nobody's way.
    pub newest_run: Option<(RunId, i64)>,
    /// The newest local date whose night was scheduled (R95).
    pub night: Option<Day>,
    /// The newest local date that was scheduled for its own sake (R132).
    pub date: Option<Day>,
    /// Whether snapshots are left that must go (R130).
    pub names_purged: bool,
    /// Whether same-day wishes are not settled yet.
    pub wishes_open: bool,
    /// Whether requests for packages that were dropped are not settled yet (R107).
    pub drops_open: bool,
}
