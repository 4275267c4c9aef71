//! Floor 4: what is kept. `api` says what a store must do; SQLite does it for one machine.

mod alert;
mod api;
mod archive;
mod batch;
mod error;
mod glance;
mod minute;
mod node;
mod once;
mod open;
mod outage;
mod place;
mod postgres;
mod record;
mod rest;
mod shape;
mod sql;
mod sqlite;
mod token;

pub use alert::{AlertRow, AlertStanding, AlertState, Routed};
pub use api::{DaemonLease, Give, Opening, SharedStore, Store, Take};
pub use archive::ArchiveRow;
pub use batch::{Batch, Receipt};
pub use error::StoreError;
pub use glance::Glance;
pub use minute::Minute;
pub use node::{NodeRow, NodeWork};
pub use once::{ONCE_MILLIS, OnceAnswer, OnceRow};
pub use open::{StoreChoice, copy, open};
pub use outage::OutageRow;
pub use place::PlaceGiven;
pub use postgres::{PostgresChoice, PostgresStore};
pub use rest::RestRow;
pub use shape::{
    ActivityRow, Asked, AuditCommit, DaemonMark, FindingRow, NoticeRow, Pause, ReleasedClaim, RequestPlace, RequestRow,
    RequestState, RunRow, RunState, RunTally, SameDayRow, SameDayTaken, SameDayWish, SnapshotRow, SourceLook, Trigger, Watch,
    WatchChange,
};
pub use sqlite::{Restoring, SqliteStore};
pub use token::TokenRow;
