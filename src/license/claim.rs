//! Claims: who takes, holds or waits for a seat.

use crate::base::{ClaimId, Instant, OrgId, PoolId, Text, TextArena};

/// States of a claim (R31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ClaimState {
    /// Demand exists, the pool has no seat or a prerequisite is missing.
    Waiting,
    /// Invited, not yet accepted.
    Pending,
    /// Seated.
    Active,
    /// `named` only: in no team any more, not deleted.
    Held,
    /// Term and grace are over (R93).
    Suspended,
    /// Terminal.
    Released,
}

impl ClaimState {
    /// All states, in the order of their codes.
    pub const ALL: [ClaimState; 6] = [
        ClaimState::Waiting,
        ClaimState::Pending,
        ClaimState::Active,
        ClaimState::Held,
        ClaimState::Suspended,
        ClaimState::Released,
    ];

    /// Counts in used (R31, I1).
    #[inline]
    pub const fn consumes(self) -> bool {
        matches!(self, ClaimState::Pending | ClaimState::Active | ClaimState::Held)
    }

    /// Lets the person in.
    pub fn gives_access(self) -> bool {
        self == ClaimState::Active
    }

    /// The state's word.
    pub fn word(self) -> &'static str {
        match self {
            ClaimState::Waiting => "waiting",
            ClaimState::Pending => "pending",
            ClaimState::Active => "active",
            ClaimState::Held => "held",
            ClaimState::Suspended => "suspended",
            ClaimState::Released => "released",
        }
    }
}

/// By which way a claim was made (R47, R48).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Channel {
    /// Command line, API, bulk file.
    Manual,
    /// A roster.
    Sync,
}

impl Channel {
    /// The channel's word.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Manual => "manual",
            Channel::Sync => "sync",
        }
    }
}

/// What a waiting or suspended claim waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Wait {
    /// It does not wait.
    Nothing,
    /// A seat.
    Seat,
    /// The product it requires (R12).
    Access,
    /// The person's acceptance: a suspended claim whose invitation was open, and is so again after a renewal (R93).
    Acceptance,
}

/// Position in [`Names::pools`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolIx(pub u16);

/// Position in [`Names::orgs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgNameIx(pub u32);

/// Position in [`Names::reasons`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReasonsIx(pub u32);

/// One claim, compact: its pool, org and reasons are positions in the customer's [`Names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its id; stays through all states.
    pub id: ClaimId,
    /// The queue's clock: when the need arose (R42); survives a move between pools (R39).
    pub since: Instant,
    /// When it entered its state.
    pub changed: Instant,
    /// Its home org (R21).
    pub home: OrgNameIx,
    /// All reasons it exists for (R24).
    pub reasons: ReasonsIx,
    /// The highest priority among its reasons (R42).
    pub priority: i32,
    /// Its pool.
    pub pool: PoolIx,
    /// Its state.
    pub state: ClaimState,
    /// How it was made.
    pub channel: Channel,
    /// What it waits for.
    pub wait: Wait,
}

/// The words behind a claim's positions. Only ever grows, so that positions stay true over all versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Pools ever named.
    pub pools: Vec<PoolId>,
    /// Home orgs ever named.
    pub orgs: Vec<OrgId>,
    /// Lists of reasons ever named: `rule:ID`, `auto_assign`, `pin`, sorted, joined by a space.
    pub reasons: Vec<String>,
}

impl Names {
    /// The position of a pool, added if new. Few: a linear look-up is enough.
    pub fn pool(&mut self, pool: &PoolId) -> PoolIx {
        let at = self.pools.iter().position(|p| p == pool).unwrap_or_else(|| {
            self.pools.push(pool.clone());
            self.pools.len() - 1
        });
        PoolIx(u16::try_from(at).unwrap_or(u16::MAX))
    }

    /// The position of an org, added if new.
    pub fn org(&mut self, org: &OrgId) -> OrgNameIx {
        let at = self.orgs.iter().position(|o| o == org).unwrap_or_else(|| {
            self.orgs.push(org.clone());
            self.orgs.len() - 1
        });
        OrgNameIx(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The position of a list of reasons, added if new.
    pub fn reasons_ix(&mut self, reasons: &str) -> ReasonsIx {
        let at = self.reasons.iter().position(|r| r == reasons).unwrap_or_else(|| {
            self.reasons.push(reasons.to_owned());
            self.reasons.len() - 1
        });
        ReasonsIx(u32::try_from(at).unwrap_or(u32::MAX))
    }

    /// The position of a pool, if it was ever named.
    pub fn find_pool(&self, pool: &PoolId) -> Option<PoolIx> {
        self.pools.iter().position(|p| p == pool).and_then(|at| u16::try_from(at).ok()).map(PoolIx)
    }

    /// The pool of a claim.
    pub fn pool_of(&self, claim: &Claim) -> &PoolId {
        &self.pools[claim.pool.0 as usize]
    }

    /// The home org of a claim.
    pub fn home_of(&self, claim: &Claim) -> &OrgId {
        &self.orgs[claim.home.0 as usize]
    }

    /// The reasons of a claim.
    pub fn reasons_of(&self, claim: &Claim) -> &str {
        &self.reasons[claim.reasons.0 as usize]
    }
}

/// All claims of a customer that are not released, by person.
///
/// Invariant: `people` is sorted by key; `claims` lies grouped in that order, inside a person sorted by pool and id.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// The words behind positions.
    pub names: Names,
    /// The texts of the keys.
    pub keys: TextArena,
    /// People with at least one claim.
    pub people: Vec<BookPerson>,
    /// Their claims.
    pub claims: Vec<Claim>,
}

/// A person in a [`Book`].
#[derive(Clone, Copy, Debug)]
pub struct BookPerson {
    /// The person key.
    pub key: Text,
    /// First position in [`Book::claims`]; the slice ends where the next person's begins.
    pub first: u32,
}

impl Book {
    /// The key of the person at a position.
    pub fn key(&self, at: usize) -> &str {
        self.keys.get(self.people[at].key)
    }

    /// The claims of the person at a position.
    pub fn claims_at(&self, at: usize) -> &[Claim] {
        let end = self.people.get(at + 1).map_or(self.claims.len(), |next| next.first as usize);
        &self.claims[self.people[at].first as usize..end]
    }

    /// The claims of a person; empty if there are none.
    pub fn claims_of(&self, key: &str) -> &[Claim] {
        match self.people.binary_search_by(|p| self.keys.get(p.key).cmp(key)) {
            Ok(at) => self.claims_at(at),
            Err(_) => &[],
        }
    }
}

/// A claim before and after, and why: the one shape in which seats change, in plans, in the books and in the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimChange {
    /// The person, in the arena that comes with the list of changes.
    pub person: Text,
    /// Why.
    pub because: Because,
    /// As it was; `None` if it is new.
    pub before: Option<Box<Claim>>,
    /// As it is now; released claims included.
    pub after: Claim,
}

/// Why a claim changes, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Because {
    /// A rule, auto-assign or a pin asks for it; the claim's reasons tell which.
    Entitled,
    /// Nothing asks for it any more (R36).
    EntitlementEnded,
    /// No enrollment is live any more (R28, R35).
    EnrollmentsEnded,
    /// The source ended the person (R131).
    EndedInSource,
    /// The person was absent as often as it takes (R131).
    AbsenceConfirmed,
    /// Somebody pinned it.
    Pinned,
    /// Somebody denied it.
    Denied,
    /// Its turn in the queue came (R43).
    SeatFreed,
    /// The pool has no seat (R48).
    PoolFull,
    /// The required product is missing (R12).
    NeedsAccess,
    /// The person's home org changed (R39).
    HomeMoved,
    /// It moved to another pool (R20, R39).
    PoolMoved,
    /// Its reasons or priority changed (R24).
    ReasonsChanged,
    /// The person left the last team (R33).
    LeftTeams,
    /// The person joined a team again (R33).
    JoinedTeam,
    /// The person accepted the invitation (R32).
    Accepted,
    /// A seat was handed from one person to another (R37).
    Transferred,
    /// The product is not activated for the person's org (R10).
    NotActivated,
    /// The person is missing from the sources for the first times; kept until confirmed (R131).
    AbsentUnconfirmed,
    /// A guard holds it (R119).
    HeldByGuard,
    /// A row of the person could not be read (R104).
    Quarantined,
    /// The key is new but the e-mail belongs to somebody else (R5).
    IdentityConflict,
    /// The account is locked in the source.
    Disabled,
    /// No pool serves the person's org and audience.
    NoPool,
    /// The invitation was not accepted in time (R45).
    InvitationLapsed,
    /// The person came back before the purge, and so did the claim (R130).
    Returned,
    /// A run was undone (R126).
    Reverted,
    /// It changed since the run that is undone, and is left alone (R126).
    ChangedSince,
    /// The pool has no term at this time.
    NoTerm,
    /// The pool's term is over, and nobody new gets a seat during grace (R91).
    InGrace,
    /// Term and grace are over (R93).
    TermOver,
    /// The pool has a term again (R93).
    Reinstated,
    /// The pool's seats went to other people as often as they may in this license year (R85).
    ReuseExceeded,
}

impl Because {
    /// All of them, in the order of their codes.
    pub const ALL: [Because; 33] = [
        Because::Entitled,
        Because::EntitlementEnded,
        Because::EnrollmentsEnded,
        Because::EndedInSource,
        Because::AbsenceConfirmed,
        Because::Pinned,
        Because::Denied,
        Because::SeatFreed,
        Because::PoolFull,
        Because::NeedsAccess,
        Because::HomeMoved,
        Because::PoolMoved,
        Because::ReasonsChanged,
        Because::LeftTeams,
        Because::JoinedTeam,
        Because::Accepted,
        Because::Transferred,
        Because::NotActivated,
        Because::AbsentUnconfirmed,
        Because::HeldByGuard,
        Because::Quarantined,
        Because::IdentityConflict,
        Because::Disabled,
        Because::NoPool,
        Because::InvitationLapsed,
        Because::Returned,
        Because::Reverted,
        Because::ChangedSince,
        Because::NoTerm,
        Because::InGrace,
        Because::TermOver,
        Because::Reinstated,
        Because::ReuseExceeded,
    ];

    /// The code, stable in stored plans, the trail and JSON.
    pub fn word(self) -> &'static str {
        match self {
            Because::Entitled => "entitled",
            Because::EntitlementEnded => "entitlement_ended",
            Because::EnrollmentsEnded => "enrollments_ended",
            Because::EndedInSource => "ended_in_source",
            Because::AbsenceConfirmed => "absence_confirmed",
            Because::Pinned => "pinned",
            Because::Denied => "denied",
            Because::SeatFreed => "seat_freed",
            Because::PoolFull => "pool_full",
            Because::NeedsAccess => "needs_access",
            Because::HomeMoved => "home_moved",
            Because::PoolMoved => "pool_moved",
            Because::ReasonsChanged => "reasons_changed",
            Because::LeftTeams => "left_teams",
            Because::JoinedTeam => "joined_team",
            Because::Accepted => "accepted",
            Because::Transferred => "transferred",
            Because::NotActivated => "not_activated",
            Because::AbsentUnconfirmed => "absent_unconfirmed",
            Because::HeldByGuard => "held_by_guard",
            Because::Quarantined => "quarantined",
            Because::IdentityConflict => "identity_conflict",
            Because::Disabled => "disabled",
            Because::NoPool => "no_pool",
            Because::InvitationLapsed => "invitation_lapsed",
            Because::Returned => "returned",
            Because::Reverted => "reverted",
            Because::ChangedSince => "changed_since",
            Because::NoTerm => "no_term",
            Because::InGrace => "in_grace",
            Because::TermOver => "term_over",
            Because::Reinstated => "reinstated",
            Because::ReuseExceeded => "reuse_exceeded",
        }
    }
}
