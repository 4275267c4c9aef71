//! What is written down: every change of the books is one entry, and the entries alone rebuild the books (R159).

use crate::base::{ClaimId, OrgId, PersonKey, PoolId, ProductId, Seats, Version};
use crate::license::books::{Absence, Episode, PoolBooks, SourceMark};
use crate::license::chain::{Phase, Term, TermState};
use crate::license::clock_fact::{ClockFact, Delivery};
use crate::license::grant::{AgreedExcess, Grant, Pin};
use crate::license::hold::{GuardDay, Hold};
use crate::license::numbered::SeatMoves;
use crate::license::org::OrgMark;
use crate::license::pool::OverageLimits;
use crate::license::reuse_year::ReuseYear;
use crate::license::seat_request::SeatRequest;

/// One entry of the trail. Changes of claims lie beside the entries, as `ClaimChange`s, because there may be millions.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A pool appeared in the settings or its definition changed.
    PoolDefined(PoolTerms),
    /// Seats were bought, added, corrected.
    Granted(Grant),
    /// An excess was agreed in writing.
    ExcessAgreed(AgreedExcess),
    /// A manual decision was made; replaces an earlier one on the same (person, pool).
    Pinned(Pin),
    /// A manual decision was lifted.
    Unpinned {
        /// Whom it was on.
        person: PersonKey,
        /// Where.
        pool: PoolId,
    },
    /// The pool's books after this commit; the fold must come to the same.
    Pool {
        /// Which pool.
        pool: PoolId,
        /// Its books.
        books: PoolBooks,
    },
    /// An episode opened, moved or closed: its whole state.
    Episode(Episode),
    /// Somebody is missing, or was removed.
    Absent(Absence),
    /// Somebody missing came back.
    Returned(PersonKey),
    /// A removed person was deleted for good: no snapshot that is kept holds the name, and a return is a new person
    /// (R130). The tombstone, if there was one, is gone.
    Purged {
        /// Who; from here on only an id.
        person: PersonKey,
        /// Why, where somebody asked for it; `None`: the retention period was over.
        reason: Option<String>,
    },
    /// A snapshot was taken in.
    Adopted(SourceMark),
    /// It changed the roles of known people (R158), in the order of their keys.
    RolesChanged(Vec<RolesChange>),
    /// A manual assignment was refused (T20).
    Refused {
        /// For whom.
        person: PersonKey,
        /// Where.
        pool: PoolId,
        /// `pool_exhausted`, `denied` …
        answer: String,
    },
    /// A person's held record was seen to be a new key for a known e-mail (R5).
    IdentityConflict {
        /// The known person.
        known: PersonKey,
        /// The new key, quarantined.
        new: PersonKey,
    },
    /// A hold opened, was decided or closed: its whole state.
    Hold(Hold),
    /// What was removed on a date so far.
    GuardDay(GuardDay),
    /// An overage's clock went on: a stage, an upgrade, what kept one from happening (R74).
    Clock(ClockFact),
    /// A notice arrived (R153).
    NoticeDelivered(Delivery),
    /// Orgs that appeared, changed or are delivered no more, by id: as they are now.
    Orgs(Vec<OrgMark>),
    /// More seats were asked for (R155).
    SeatsRequested(SeatRequest),
    /// A term was recorded, or corrected: the newest record of its id counts (R18).
    Term(Term),
    /// A pool moved to another phase of its terms.
    Phase {
        /// Which pool.
        pool: PoolId,
        /// Where it is now.
        phase: Phase,
    },
    /// The people of a pool's license year changed in number, or the year rolled over (R81).
    Reuse(ReuseYear),
    /// Numbered seats of a pool changed hands (R84).
    NumberedSeats(SeatMoves),
}

/// A known person's roles before and after, each as role and org, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RolesChange {
    /// Whose.
    pub person: PersonKey,
    /// As they were.
    pub before: Vec<(String, OrgId)>,
    /// As they are.
    pub after: Vec<(String, OrgId)>,
}

/// The part of a pool's definition that its numbers depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolTerms {
    /// The pool.
    pub pool: PoolId,
    /// Its product.
    pub product: ProductId,
    /// Has no limit.
    pub unlimited: bool,
    /// The bands' numbers.
    pub overage: OverageLimits,
    /// The org whose subtree it serves (R20); empty: it is gone from the settings and serves nobody.
    pub owner: OrgId,
    /// Seats set aside for orgs, by org (R20).
    pub reservations: Vec<(OrgId, Seats)>,
}

/// The first way in which a replay of the trail differs from what is stored, or from itself (I12).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// A claim is not as the trail says.
    #[error("at version {at}, claim {claim} of person {person}: the trail says {trail}, stored is {stored}")]
    Claim {
        /// The version being replayed.
        at: Version,
        /// The claim.
        claim: ClaimId,
        /// The person.
        person: String,
        /// The trail's side.
        trail: String,
        /// The stored side.
        stored: String,
    },
    /// A pool's numbers are not as the trail says.
    #[error("at version {at}, pool {pool}, {what}: the trail says {trail}, stored is {stored}")]
    Pool {
        /// The version being replayed.
        at: Version,
        /// The pool.
        pool: PoolId,
        /// Which number.
        what: String,
        /// The trail's side.
        trail: String,
        /// The stored side.
        stored: String,
    },
    /// Something else is missing or different.
    #[error("at version {at}, {what}: the trail says {trail}, stored is {stored}")]
    Record {
        /// The version being replayed.
        at: Version,
        /// What.
        what: String,
        /// The trail's side.
        trail: String,
        /// The stored side.
        stored: String,
    },
}

/// Answers of the one admission function (R57). A refusal is an answer, not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeatAnswer {
    /// There is a seat, or going over is allowed.
    Seat,
    /// The claim queues.
    Queue,
    /// Refused: no seat; with the allowance and used it was decided on (R47).
    PoolExhausted {
        /// Effective allowance.
        effective: Seats,
        /// Used.
        used: Seats,
    },
    /// Refused: the pool has no term, or is in grace (R91).
    OutOfTerm(TermState),
    /// Refused: nobody new to the license year gets a seat any more (R85).
    ReuseExceeded,
}
