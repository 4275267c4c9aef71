//! The trail as a list, and the proof of the books, in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::base::{CustomerId, Digest, ErrorChain, Instant};
use crate::service::{AuditReport, ErrorKind, ServiceError, Verified};
use crate::shape::common::at;
use crate::store::AuditCommit;

/// Commits of a customer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeadsJson<'a> {
    /// Whose.
    pub customer: &'a str,
    /// In the order asked for.
    pub commits: Vec<HeadJson>,
}

/// A commit without what it changed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HeadJson {
    /// The version it made.
    pub version: u64,
    /// When, for tables.
    #[serde(skip)]
    #[schemars(skip)]
    pub instant: Instant,
    /// When.
    pub at: Option<String>,
    /// Who.
    pub actor: String,
    /// What was done.
    pub verb: String,
    /// By which run.
    pub run: Option<u64>,
    /// How many claims it changed.
    pub changes: usize,
    /// How many entries it made.
    pub entries: usize,
    /// Its place in the chain.
    pub hash: String,
}

/// Whether books are what their trails say (R159).
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProofsJson {
    /// All of them are.
    pub ok: bool,
    /// One by one.
    pub customers: Vec<ProofJson>,
}

/// Whether the books of a customer are what its trail says.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProofJson {
    /// Whose.
    pub customer: String,
    /// It is in the settings.
    pub configured: bool,
    /// They are.
    pub ok: bool,
    /// Commits that were replayed.
    pub commits: u64,
    /// Changes of claims in them.
    pub changes: u64,
    /// The newest hash.
    pub hash: String,
    /// The first difference.
    pub difference: Option<String>,
}

impl From<&AuditCommit> for HeadJson {
    fn from(commit: &AuditCommit) -> Self {
        Self {
            version: commit.version.0,
            instant: commit.at,
            at: at(commit.at),
            actor: commit.actor.clone(),
            verb: commit.verb.clone(),
            run: commit.run.map(|run| run.0),
            changes: commit.changes.len(),
            entries: commit.entries.len(),
            hash: commit.hash.to_string(),
        }
    }
}

impl ProofJson {
    /// What a replay came to. What cannot be read back is not proved.
    ///
    /// # Errors
    /// When it could not be found out.
    pub fn new(
        customer: &CustomerId,
        configured: bool,
        verified: Result<AuditReport, ServiceError>,
    ) -> Result<Self, ServiceError> {
        let (report, difference) = match verified {
            Ok(report) => {
                let difference = match &report.verified {
                    Verified::Clean => None,
                    Verified::Broken { at, why } => Some(format!("the chain is broken at version {at}: {why}")),
                    Verified::Different(mismatch) => Some(mismatch.to_string()),
                };
                (report, difference)
            }
            Err(error) if error.kind() == ErrorKind::Damaged => {
                let nothing =
                    AuditReport { commits: 0, changes: 0, hash: Digest::default(), newest: None, verified: Verified::Clean };
                (nothing, Some(format!("could not {}", ErrorChain(&error))))
            }
            Err(error) => return Err(error),
        };
        let AuditReport { commits, changes, hash, newest: _, verified: _ } = report;
        let (customer, hash) = (customer.to_string(), hash.to_string());
        Ok(Self { customer, configured, ok: difference.is_none(), commits, changes, hash, difference })
    }
}
