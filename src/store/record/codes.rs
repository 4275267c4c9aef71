//! The stored codes of every enum. A code, once given out, keeps its meaning for good.

use crate::base::ActorKind;
use crate::license::{
    Band, Because, Cause, Channel, ClaimState, Compliance, GrantKind, HoldState, Outcome, PinKind, TermState, Wait,
};
use crate::plan::{GuardKind, NoticeKind};
use crate::roster::Collection;
use crate::store::record::bytes::codes;
use crate::store::shape::RunState;

codes! {
    ActorKind, "actor kinds" { System = 0, Operator = 1 }
    ClaimState, "claim states" { Waiting = 0, Pending = 1, Active = 2, Held = 3, Suspended = 4, Released = 5 }
    Channel, "channels" { Manual = 0, Sync = 1 }
    Wait, "waits" { Nothing = 0, Seat = 1, Access = 2, Acceptance = 3 }
    TermState, "term states" { Unbound = 0, NotStarted = 1, Current = 2, InGrace = 3, Expired = 4 }
    Because, "reasons for a change" {
        Entitled = 0, EntitlementEnded = 1, EnrollmentsEnded = 2, EndedInSource = 3, AbsenceConfirmed = 4, Pinned = 5,
        Denied = 6, SeatFreed = 7, PoolFull = 8, NeedsAccess = 9, HomeMoved = 10, PoolMoved = 11, ReasonsChanged = 12,
        LeftTeams = 13, JoinedTeam = 14, Accepted = 15, Transferred = 16, NotActivated = 17, AbsentUnconfirmed = 18,
        HeldByGuard = 19, Quarantined = 20, IdentityConflict = 21, Disabled = 22, NoPool = 23, InvitationLapsed = 24,
        Returned = 25, Reverted = 26, ChangedSince = 27, NoTerm = 40, InGrace = 41, TermOver = 42, Reinstated = 43,
        ReuseExceeded = 44,
    }
    Cause, "causes" {
        SyncOverdraw = 0, StaleAllowance = 1, AllowanceReduced = 2, AgreedExcess = 3, AgreedExcessEnded = 4,
        ManualOverride = 5,
    }
    Band, "bands" { Within = 0, Minor = 1, Gap = 2, Major = 3 }
    Outcome, "outcomes" { Cured = 0, Upgraded = 1, AllowanceRaised = 2, Void = 3, TermEnded = 4 }
    GrantKind, "grant kinds" { Purchase = 0, AddOn = 1, TierUpgrade = 2, Renewal = 3, Correction = 4 }
    PinKind, "pin kinds" { Assign = 0, Deny = 1 }
    NoticeKind, "notice kinds" {
        NegativeBalance = 0, BalanceRestored = 1, ShortfallAhead = 2, HoldOpened = 3, RunFailed = 4,
        SameDayMissed = 5, AssignmentDelay = 6, HoldClosed = 7, RunRecovered = 8, OverageMinor = 10, OverageOverdue = 11,
        OverageMajor = 12, OverageGap = 13,
        CureEnded = 14, UpgradeWithheld = 15, UpgradeProposed = 16, Upgraded = 17, OverageClosed = 18, OverageVoid = 19,
        RenewalDue = 20, TermEnded = 21, GraceEnds = 22, Suspended = 23, Reinstated = 24, Renewed = 25,
        RenewalCarriedOver = 26, ReuseWarning = 27, ReuseExceeded = 28, ComplianceChanged = 30, NearLimit = 31,
        SeatsRequested = 32, SourceDown = 33, SourceDisconnected = 34, SourceBack = 35, OverageReminder = 36, PeopleWait = 37,
        SyncOverdue = 38, SyncResumed = 39,
    }
    GuardKind, "guards" {
        Empty = 0, Removal = 1, OrgRemoval = 2, Rolling = 3, Growth = 4, Change = 5, IdentityFlip = 6, Bootstrap = 7,
        Excepted = 8,
    }
    Compliance, "compliance statuses" {
        Expired = 0, OverageMajor = 1, OverageMinorOverdue = 2, OverageGap = 3, OverageMinor = 4, InGrace = 5, AtRisk = 6,
        Compliant = 7,
    }
    HoldState, "hold states" {
        Open = 0, Approved = 1, PartlyApproved = 2, Rejected = 3, Expired = 4, ResolvedAtSource = 5, Superseded = 6,
    }
    Collection, "collections" {
        Orgs = 0, Sessions = 1, Courses = 2, Classes = 3, People = 4, Roles = 5, Enrollments = 6,
    }
    RunState, "run states" {
        Fetching = 0, Planning = 1, Planned = 2, Held = 3, Committing = 4, Succeeded = 5, SucceededWithErrors = 6,
        Failed = 7, Cancelled = 8, Reverted = 9,
    }
}
