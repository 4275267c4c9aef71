//! The shapes of decisions by hand: what is decided, from what, and the answer.

use crate::base::{GrantId, Instant, OrgId, PersonKey, PoolId, Seats, TextArena};
use crate::license::{AgreedExcess, ClaimChange, Entry, Episode, Grant, Names, Pin, Term, TermState};
use crate::plan::action::{Notice, PoolOutlook};
use crate::plan::input::{Policy, Standing};
use crate::roster::Roster;

/// What a decision is made from.
pub struct Desk<'a> {
    /// When.
    pub now: Instant,
    /// The settings.
    pub policy: &'a Policy,
    /// The books. The book of claims need only hold the queue and all claims of the people decided about.
    pub standing: &'a Standing,
    /// The newest roster.
    pub roster: &'a Roster,
    /// Used seats by pool and home org.
    pub used_by_org: &'a [(PoolId, OrgId, u32)],
    /// Closed episodes; a late purchase may void them (R53).
    pub episodes: &'a [Episode],
}

/// What is decided.
#[derive(Clone, Debug)]
pub enum Decision {
    /// Pin a person to a pool or keep them out (R9).
    Pin {
        /// The pin.
        pin: Pin,
        /// An operator insists although the pool has no seat, or does not serve the person.
        insist: bool,
    },
    /// Lift a pin; the rules decide again from the next run on.
    Unpin {
        /// Whom it is on.
        person: PersonKey,
        /// Where.
        pool: PoolId,
    },
    /// Hand a seat from one person to another in one commit (R37); pins keep the next run from undoing it.
    Transfer {
        /// The pins that stay: `deny` on who gives, `assign` on who takes.
        give: Pin,
        /// See above.
        take: Pin,
    },
    /// A person accepted an invitation (R32).
    Accept {
        /// Who.
        person: PersonKey,
        /// Where.
        pool: PoolId,
    },
    /// Seats were bought, or a count corrected (R16).
    Grant(Grant),
    /// An excess was agreed in writing (R17).
    AgreedExcess(AgreedExcess),
    /// A term was recorded, or corrected; with the grants that go with it (R18).
    Term {
        /// The term as it is from now on.
        term: Term,
        /// What it adds, or takes back of what it added before.
        grants: Vec<Grant>,
    },
}

/// What came of it. Everything but `Done` changes no seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done.
    Done,
    /// It was so already (R41).
    AlreadySo,
    /// No seat (R47).
    PoolExhausted {
        /// Effective allowance.
        effective: Seats,
        /// Used.
        used: Seats,
    },
    /// The pool has no term, or nobody new gets a seat in its grace (R91).
    OutOfTerm(TermState),
    /// The pool's seats went to other people as often as they may: nobody new gets one before the year is over (R85).
    ReuseExceeded,
    /// The pool serves other orgs, or other people, than this person (R13, R20).
    NotServed,
    /// The person lacks a seat of the product it requires (R12).
    NeedsAccess,
    /// The person has nothing there to give or accept.
    NoClaim,
    /// The roster knows no such person.
    UnknownPerson,
    /// The settings know no such pool.
    UnknownPool,
    /// A grant of that id was recorded before, with other contents: correct it with another one.
    GrantTaken,
    /// The term would overlap this one (R18).
    TermOverlaps(GrantId),
    /// The term would end before it starts.
    TermEndsFirst,
}

/// A decision worked out, ready to be committed.
#[derive(Debug, Default)]
pub struct Decided {
    /// The words, possibly with more at the end.
    pub names: Names,
    /// Keys of the people in `changes`.
    pub people: TextArena,
    /// Changes of claims.
    pub changes: Vec<ClaimChange>,
    /// Everything else.
    pub entries: Vec<Entry>,
    /// What to tell.
    pub notices: Vec<Notice>,
    /// The pools before and after.
    pub pools: Vec<PoolOutlook>,
}
