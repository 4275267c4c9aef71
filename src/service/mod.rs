//! Floor 5: use cases, the one layer all doors share.

mod audit;
mod core;
mod decisions;
mod draft;
mod error;
mod inspect;
mod reports;
mod requests;
mod rosters;
mod sync;

pub use audit::{AuditReport, Verified};
pub use core::{Customer, Feed, Service};
pub use decisions::DecisionDone;
pub use error::{ErrorKind, ServiceError};
pub use inspect::{CustomerStatus, PersonView, PoolView, QueueRow};
pub use reports::{ClaimRow, LicenseRow};
pub use sync::{Phase, Planned, Watch};
