//! Floor 5: use cases, the one layer all doors share.

mod audit;
mod core;
mod decisions;
mod draft;
mod error;
mod export;
mod import;
mod import_rows;
mod inspect;
mod people_file;
mod pool_view;
mod reports;
mod requests;
mod rosters;
mod runs;
mod sync;
mod trail;
mod unsaved;

pub use audit::{AuditReport, Verified};
pub use core::{ByHandPolicy, Customer, Feed, MANUAL_SOURCE, Service};
pub use decisions::DecisionDone;
pub use error::{ErrorKind, ServiceError};
pub use export::PeopleExport;
pub use import::{Import, ImportAnswer, ImportRequest, TokenRefusal};
pub use import_rows::{ImportReport, Kept, KeptWhy};
pub use inspect::{CustomerStatus, PersonView, PoolView, QueueRow};
pub use people_file::{PEOPLE_BYTES_MAX, PEOPLE_COLUMNS};
pub use pool_view::{PoolDetail, PoolMoves};
pub use reports::{ClaimRow, LicenseRow};
pub use runs::Freshness;
pub use sync::{Phase, Planned, Watch};
