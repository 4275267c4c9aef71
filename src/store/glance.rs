//! What is told of a customer at a glance, read as of one moment.

use crate::plan::Standing;
use crate::store::shape::{NoticeRow, Pause, RunRow, SourceLook};

/// A customer at a glance.
#[derive(Clone, Debug)]
pub struct Glance {
    /// The books of its pools: of people and names nothing.
    pub standing: Standing,
    /// Its newest run that was more than a look, see [`RunRow::is_more_than_a_look`].
    pub last_run: Option<RunRow>,
    /// Its newest notices, newest first.
    pub notices: Vec<NoticeRow>,
    /// The last look at each of its sources.
    pub looks: Vec<SourceLook>,
    /// Same-day runs asked for on the date.
    pub same_day_used: u32,
    /// All its pauses ever written down.
    pub pauses: Vec<Pause>,
}
