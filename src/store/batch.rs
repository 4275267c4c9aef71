//! One door for writing: a batch carries its condition, its changes and its trail, and all of it is written or none.

use crate::base::{Actor, CustomerId, Digest, Instant, RunId, TextArena, Version};
use crate::license::{ClaimChange, Entry, Names};
use crate::plan::Notice;

/// What one commit writes. Stores derive every record from `changes` and `entries`: there is no other way to write to
/// the books, hence nothing is written that the trail does not tell.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Whose books.
    pub customer: &'a CustomerId,
    /// The version it was planned on; the only one it may be committed on.
    pub parent: Version,
    /// When.
    pub at: Instant,
    /// By whom.
    pub actor: Actor,
    /// In which run; `None` for a single decision.
    pub run: Option<RunId>,
    /// From which plan.
    pub plan: Option<Digest>,
    /// What was done, in a word: `sync`, `grant`, `pin`, `transfer` …
    pub verb: &'static str,
    /// The words behind the claims' positions: the parent's, possibly with more at the end.
    pub names: &'a Names,
    /// The keys of the people in `changes`.
    pub people: &'a TextArena,
    /// Changes of claims.
    pub changes: &'a [ClaimChange],
    /// Everything else.
    pub entries: &'a [Entry],
    /// Messages; one whose key exists already is left out.
    pub notices: &'a [Notice],
}

/// That it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The customer's new version.
    pub version: Version,
    /// The trail's newest hash.
    pub hash: Digest,
}
