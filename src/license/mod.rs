//! Floor 1: what was bought, who has it, and the books over both. A stranger to rosters.

mod books;
mod claim;
mod entry;
mod grant;
mod pool;
mod product;

pub use books::{Absence, Allowance, Band, Cause, Causes, Episode, Outcome, PoolBooks, Sample, SourceMark, StateCounts};
pub use claim::{
    Because, Book, BookPerson, Channel, Claim, ClaimChange, ClaimState, Names, OrgNameIx, PoolIx, ReasonsIx, Wait,
};
pub use entry::{Entry, Mismatch, PoolTerms, SeatAnswer};
pub use grant::{AgreedExcess, Grant, GrantKind, Pin, PinKind};
pub use pool::{Audience, OnFull, OverageLimits, Pool};
pub use product::{Product, ProductKind, SeatModel};
