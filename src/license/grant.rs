//! Dated entries that make the allowance, and the written exceptions to it.

use crate::base::{Actor, Day, GrantId, Instant, PoolId, Seats};

/// Why seats were added or removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantKind {
    /// Bought.
    Purchase,
    /// Bought in addition.
    AddOn,
    /// A step up the ladder.
    TierUpgrade,
    /// The next term.
    Renewal,
    /// A mistake put right.
    Correction,
}

impl GrantKind {
    /// All kinds.
    pub const ALL: [GrantKind; 5] =
        [GrantKind::Purchase, GrantKind::AddOn, GrantKind::TierUpgrade, GrantKind::Renewal, GrantKind::Correction];

    /// The kind's word.
    pub fn word(self) -> &'static str {
        match self {
            GrantKind::Purchase => "purchase",
            GrantKind::AddOn => "add_on",
            GrantKind::TierUpgrade => "tier_upgrade",
            GrantKind::Renewal => "renewal",
            GrantKind::Correction => "correction",
        }
    }
}

/// Adds or removes purchased seats from an instant on (R16). Append-only: never edited, only corrected by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Its id, unique in the customer.
    pub id: GrantId,
    /// The pool.
    pub pool: PoolId,
    /// Seats added; negative: removed.
    pub seats: i64,
    /// In force from here …
    pub from: Instant,
    /// … to before here.
    pub to: Instant,
    /// When it was written down (R16); may be long after `from` (R53).
    pub recorded: Instant,
    /// By whom.
    pub by: Actor,
    /// Why.
    pub kind: GrantKind,
    /// The order or letter it rests on; no personal data.
    pub reference: String,
}

impl Grant {
    /// Whether it came with a correction of a term: it is then named after it.
    pub fn is_correction_of(&self, term: &GrantId) -> bool {
        let number = self.id.as_str().strip_prefix(term.as_str()).and_then(|rest| rest.strip_prefix('-'));
        self.kind == GrantKind::Correction && number.is_some_and(|number| number.parse::<u32>().is_ok())
    }
}

/// Extra seats allowed in writing for some time (R17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedExcess {
    /// Its id, unique in the customer.
    pub id: GrantId,
    /// The pool.
    pub pool: PoolId,
    /// How many.
    pub seats: Seats,
    /// In force from here …
    pub from: Instant,
    /// … to before here.
    pub to: Instant,
    /// When it was written down.
    pub recorded: Instant,
    /// By whom.
    pub by: Actor,
    /// The written agreement.
    pub reference: String,
}

/// What a pin decides (R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinKind {
    /// The person has a seat whatever the rules say.
    Assign,
    /// The person has none whatever the rules say.
    Deny,
}

impl PinKind {
    /// The kind's word.
    pub fn word(self) -> &'static str {
        match self {
            PinKind::Assign => "assign",
            PinKind::Deny => "deny",
        }
    }
}

/// A manual decision on (person, pool) that sync never overrides (R9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Whom.
    pub person: crate::base::PersonKey,
    /// Where.
    pub pool: PoolId,
    /// What.
    pub kind: PinKind,
    /// By whom.
    pub by: Actor,
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: String,
    /// Last day it holds, in the pool's calendar; [`Day::MAX`] if open.
    pub until: Day,
}
