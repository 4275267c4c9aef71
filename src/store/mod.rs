//! Floor 4: what is kept. `api` says what a store must do; SQLite does it for one machine.

mod api;
mod batch;
mod shape;

pub use api::{DaemonLease, SharedStore, Store, StoreError};
pub use batch::{Batch, Receipt};
pub use shape::{
    AuditCommit, DaemonMark, FindingRow, NoticeRow, ReleasedClaim, RequestRow, RequestState, RunRow, RunState, RunTally,
    SnapshotRow, Trigger,
};
