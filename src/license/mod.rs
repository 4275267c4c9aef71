//! Floor 1: what was bought, who has it, and the books over both. A stranger to rosters.

mod activity;
mod admission;
mod advice;
mod allowance;
mod band;
mod books;
mod causes;
mod chain;
mod claim;
mod clauses;
mod clock_fact;
mod clock_proof;
mod compliance;
mod cure;
mod entry;
mod episode;
mod grant;
mod high_water;
mod hold;
mod ledger;
mod ledger_read;
mod mismatch;
mod numbered;
mod org;
mod pool;
mod product;
mod proof;
mod queue;
mod renewal;
mod reservation;
mod reuse;
mod reuse_fold;
mod reuse_year;
mod seat_request;
mod stage;
mod term;
mod tier;
mod timeline;
mod transition;
mod upgrade;
mod window;

pub use activity::{Activity, ActivityLimits};
pub use admission::{CreationAnswer, CreationDemand, Room, admit, admit_creation};
pub use advice::{Advice, AdviceFacts, TierOffer, advise};
pub use allowance::{allowance_at, allowance_of, changes_between};
pub use band::band;
pub use books::{Absence, Allowance, Band, Cause, Causes, Episode, Outcome, PoolBooks, Sample, SourceMark, StateCounts};
pub use causes::{Situation, leading_cause, step};
pub use chain::{
    Gate, Phase, Term, TermState, allowance_in, carried_over, chain_of, grace_end, last_day, next_phase_change,
    overlapping_terms, phase_at, term_corrections, term_grant, tier_on_offer, year_anchor,
};
pub use claim::{
    Because, Book, BookPerson, Channel, Claim, ClaimChange, ClaimState, Names, OrgNameIx, PoolIx, ReasonsIx, Wait,
};
pub use clauses::{AutoUpgrade, Clauses, CureCalendar, CureFrom, GapBand};
pub use clock_fact::{ClockFact, ClockStep, Delivery, Facts, Interlock, Settled, StageFact, is_frozen};
pub use compliance::{Compliance, PoolFacts, TermPlace, compliance, is_near_limit, near_limit_mark};
pub use cure::{Cure, Cures, Shortage, charge_of_seats};
pub use entry::{Entry, Mismatch, PoolTerms, RolesChange, SeatAnswer};
pub use episode::{Observation, Step, advance, last_closed, overlapping, reconsider};
pub use grant::{AgreedExcess, Grant, GrantKind, Pin, PinKind};
pub use high_water::{HighWater, PoolSample, high_water};
pub use hold::{GUARD_DAYS_KEPT, GuardDay, Hold, HoldState};
pub use ledger::Ledger;
pub use numbered::{NumberedSeat, NumberedSeats, SeatMoves};
pub use org::{OrgMark, Orgs};
pub use pool::{Audience, OnFull, OverageLimits, Pool};
pub use product::{Product, ProductKind, SeatModel};
pub use queue::queue_order;
pub use renewal::{RenewalBasis, TermRules};
pub use reservation::Draws;
pub use reuse::{ReuseRules, ReuseScope};
pub use reuse_fold::Reuse;
pub use reuse_year::{Gone, ReuseLevel, ReuseYear, follow, seat_moves};
pub use seat_request::SeatRequest;
pub use stage::{Course, Stage, StageDates, StageWhy, Turn, day_of_count, elapsed, is_major};
pub use term::{license_year, overlaps, year_start};
pub use tier::{Charge, Jump, Ladder, Quote, Tier, pro_rata};
pub use timeline::{Case, Former, Surroundings, Timeline, Told};
pub use transition::{accepted, may_become, named_with_team, named_without_team};
pub use upgrade::Window;
pub use window::{major_deadline, minor_deadline};
