//! Floor 5: use cases, the one layer all doors share.

mod audit;
mod core;
mod decisions;
mod draft;
mod error;
mod forget;
mod inspect;
mod nightly;
mod on_time;
mod pauses;
mod person_state;
mod pool_view;
mod purge;
mod reports;
mod requests;
mod revert;
mod rosters;
mod runs;
mod sync;
mod trail;
mod unsaved;

pub use audit::{AuditReport, Verified};
pub use core::{Customer, Feed, Service};
pub use decisions::DecisionDone;
pub use error::{ErrorKind, ServiceError};
pub use forget::ForgetAnswer;
pub use inspect::{CustomerStatus, PersonView, PoolView, QueueRow};
pub use on_time::{SameDayAnswer, SameDayQuota, Ticked};
pub use pauses::pause_text;
pub use person_state::PersonState;
pub use pool_view::{PoolDetail, PoolMoves};
pub use reports::{ClaimRow, LicenseRow};
pub use revert::RevertAnswer;
pub use runs::Freshness;
pub use sync::{Phase, Planned, Watch};
