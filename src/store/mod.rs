//! Floor 4: what is kept. `api` says what a store must do; SQLite does it for one machine.

mod alert;
mod api;
mod archive;
mod batch;
mod error;
mod glance;
mod open;
mod outage;
mod record;
mod rest;
mod shape;
mod sqlite;
mod token;

pub use alert::{AlertRow, AlertState, Routed};
pub use api::{DaemonLease, Opening, SharedStore, Store, StoreError};
pub use archive::ArchiveRow;
pub use batch::{Batch, Receipt};
pub use glance::Glance;
pub use open::{StoreChoice, open};
pub use outage::OutageRow;
pub use rest::RestRow;
pub use shape::{
    ActivityRow, Asked, AuditCommit, DaemonMark, FindingRow, NoticeRow, Pause, ReleasedClaim, RequestPlace, RequestRow,
    RequestState, RunRow, RunState, RunTally, SameDayRow, SameDayTaken, SameDayWish, SnapshotRow, SourceLook, Trigger, Watch,
    WatchChange,
};
pub use sqlite::SqliteStore;
pub use token::TokenRow;
