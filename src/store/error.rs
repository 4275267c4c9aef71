//! What a store says when it cannot answer: which store, why, and what helps.

use std::path::PathBuf;

use crate::base::{CustomerId, Digest, Instant, RequestId, RunId, Version};

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another commit came in between; plan anew.
    #[error("commit on version {planned} of {customer}: it is at {now}")]
    VersionMoved {
        /// Whose books.
        customer: CustomerId,
        /// The version the batch was made on.
        planned: Version,
        /// The version now.
        now: Version,
    },
    /// A snapshot that was read is not kept any more: somebody was forgotten meanwhile. Read anew.
    #[error("commit for {customer}: its snapshot {} was dropped meanwhile", .snapshot.short())]
    SnapshotGone {
        /// Whose books.
        customer: CustomerId,
        /// Which one.
        snapshot: Digest,
    },
    /// The run was taken for dead and closed: somebody else makes it again.
    #[error("go on with run {run}: it was taken for dead and closed (it is made again)")]
    RunClosed {
        /// Which one.
        run: RunId,
    },
    /// A request that this process took is not its own any more: it was taken for dead, and somebody else does it.
    #[error("begin the run of request {request}: this process was taken for dead, and somebody else has it")]
    RequestLost {
        /// Which one.
        request: RequestId,
    },
    /// The database server cannot be reached, or went away. What was just told to it is done whole or not at all.
    #[error("reach {place}")]
    Away {
        /// The store.
        place: String,
        /// Its own words, or those of the network.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A daemon already runs on this store.
    #[error("become the daemon of {place}: process {pid} on {host} is, since {since}")]
    DaemonRunning {
        /// The store.
        place: String,
        /// Its process id.
        pid: u32,
        /// Its machine.
        host: String,
        /// Since when.
        since: Instant,
    },
    /// The disk is full; nothing was changed.
    #[error("write to {place}: the disk is full (nothing was changed; free space and try again)")]
    DiskFull {
        /// The store.
        place: String,
    },
    /// The store cannot be written.
    #[error("write to {place}: it is read-only for this user (check owner and mount of the folder)")]
    ReadOnly {
        /// The store.
        place: String,
    },
    /// Another process held the store for too long.
    #[error("get a turn at {place}: another process holds it (try again)")]
    Busy {
        /// The store.
        place: String,
    },
    /// Something is in it already.
    #[error("copy into {place}: it is not empty")]
    Occupied {
        /// The store.
        place: String,
    },
    /// Nobody made it yet.
    #[error("use {place}: there is no store yet (the daemon makes it at its first start)")]
    Absent {
        /// The store.
        place: String,
    },
    /// Written by an older program.
    #[error(
        "use {place}: its schema is {found}, this program needs {known} (restart the daemon with this program; it migrates)"
    )]
    SchemaOlder {
        /// The store.
        place: String,
        /// Its schema.
        found: u32,
        /// The one that is needed.
        known: u32,
    },
    /// Written by a newer program.
    #[error("use {place}: its schema is {found}, this program knows up to {known} (use the newer rosterd)")]
    SchemaNewer {
        /// The store.
        place: String,
        /// Its schema.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Nodes of an older program work on it, which the newest schema would trip up.
    #[error("bring {place} to schema {known}: {nodes} nodes of an older rosterd work on it (stop them first: `rosterd nodes`)")]
    OlderNodes {
        /// The store.
        place: String,
        /// How many.
        nodes: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// What is stored cannot be read back.
    #[error("read {what} from {place}: {why}")]
    Corrupt {
        /// The store.
        place: String,
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// A backup could not be made; the store is as it was.
    #[error("back up to {}", .file.display())]
    Backup {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A backup could not take the place of a store, which is as it was.
    #[error("restore {}", .file.display())]
    Restore {
        /// The backup.
        file: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Somebody works on a store that is to be replaced; it is as it was.
    #[error("replace {place}: {by} has it")]
    InUse {
        /// The store.
        place: String,
        /// Who.
        by: String,
    },
    /// A file with old content of a trail cannot be made or read; nothing was changed.
    #[error("use the archive {}", .file.display())]
    Archive {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The disk failed, or a limit was met; nothing was changed.
    #[error("use {place}")]
    Disk {
        /// The store.
        place: String,
        /// What to check.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else the database says.
    #[error("use {place}")]
    Database {
        /// The store.
        place: String,
        /// Its own words.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}
