//! Floor 4: what is kept. `api` says what a store must do; SQLite does it for one machine.

mod api;
mod batch;
mod open;
mod record;
mod shape;
mod sqlite;

pub use api::{DaemonLease, SharedStore, Store, StoreError};
pub use batch::{Batch, Receipt};
pub use open::{StoreChoice, open};
pub use shape::{
    AuditCommit, DaemonMark, FindingRow, NoticeRow, ReleasedClaim, RequestRow, RequestState, RunRow, RunState, RunTally,
    SnapshotRow, Trigger,
};
pub use sqlite::SqliteStore;
