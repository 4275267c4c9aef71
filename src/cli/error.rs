//! What keeps a verb from being done, and what to do next.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::base::{CustomerId, RequestId, RunId};
use crate::cli::exit::Exit;
use crate::daemon::ServeError;
use crate::http::TlsError;
use crate::service::{ErrorKind, ServiceError};
use crate::settings::{SettingsError, TurnsError};
use crate::store::StoreError;
use crate::telemetry::SetupError;

/// Why a verb could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There are no settings to work with.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The service said so.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The daemon did not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Logging could not be set up.
    #[error(transparent)]
    Log(#[from] SetupError),
    /// The HTTP door has no place to stand.
    #[error("listen on {at}, as http.listen says")]
    Listen {
        /// The address.
        at: SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The HTTP door has no certificate that can be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Arguments that contradict each other or what is known.
    #[error("understand the command: {0}")]
    Usage(String),
    /// Nobody reads the output, or it cannot be written.
    #[error("write to the standard output")]
    Output(#[from] io::Error),
    /// A file that the command names cannot be read.
    #[error("use the file {}", .file.display())]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file that the command names cannot be written.
    #[error("write the file {}", .file.display())]
    Unwritten {
        /// Which.
        file: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// One run per customer at a time (R99).
    #[error("run {customer} here: the daemon is in the middle of run {run}")]
    RunInProgress {
        /// Whose.
        customer: CustomerId,
        /// Which run.
        run: RunId,
    },
    /// A request that nobody takes.
    #[error("wait for request {request}: no daemon works on this store (the request stays in line)")]
    NobodyAtWork {
        /// Which.
        request: RequestId,
        /// Whose.
        customer: CustomerId,
    },
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        CliError::Service(ServiceError::Store(error))
    }
}

impl From<TurnsError> for CliError {
    fn from(error: TurnsError) -> Self {
        match error {
            TurnsError::Unknown(error) => CliError::Service(error),
            TurnsError::Senseless(why) => CliError::Usage(why),
        }
    }
}

impl CliError {
    /// What the process exits with.
    pub fn exit(&self) -> Exit {
        match self {
            CliError::Settings(_) | CliError::Log(_) | CliError::Listen { .. } | CliError::Tls(_) => Exit::BadSettings,
            CliError::Service(error) => Exit::of_error(error.kind()),
            CliError::Serve(ServeError::Store(_)) => Exit::StoreDown,
            CliError::Serve(ServeError::Runtime(_) | ServeError::Schedule(_)) => Exit::Bug,
            CliError::Usage(_) | CliError::File { .. } => Exit::Usage,
            CliError::Unwritten { .. } => Exit::StoreDown,
            // The reader went away: it has what it wanted.
            CliError::Output(cause) if cause.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            CliError::Output(_) => Exit::StoreDown,
            CliError::RunInProgress { .. } | CliError::NobodyAtWork { .. } => Exit::Refused,
        }
    }

    /// Whether it is worth a word at all.
    pub fn is_silent(&self) -> bool {
        self.exit() == Exit::Done
    }

    /// What to do next, where that is known.
    pub fn next_step(&self) -> Option<String> {
        match self {
            CliError::Settings(SettingsError::Read { .. }) => {
                Some("name the file with --config FILE or in ROSTERD_CONFIG; config/default.toml explains every key".into())
            }
            CliError::Settings(_)
            | CliError::Usage(_)
            | CliError::File { .. }
            | CliError::Unwritten { .. }
            | CliError::Output(_)
            | CliError::Listen { .. }
            | CliError::Tls(_)
            | CliError::Log(_) => None,
            CliError::Serve(ServeError::Store(error)) | CliError::Service(ServiceError::Store(error)) => store_next_step(error),
            CliError::Serve(_) => None,
            CliError::RunInProgress { customer, run } => Some(format!(
                "`rosterd sync {customer} --wait` queues another one; `rosterd runs show {run}` tells how far it is"
            )),
            CliError::NobodyAtWork { customer, .. } => {
                Some(format!("start `rosterd serve`, or run it here with `rosterd sync {customer} --here`"))
            }
            CliError::Service(ServiceError::Unknown { what, .. }) => {
                let verb = match *what {
                    "customer" => "status",
                    "pool" => "pool list CUSTOMER",
                    "source" => "check",
                    "run" | "a plan of run" => "runs",
                    "hold of run" => "hold list",
                    "org" => "report licenses CUSTOMER",
                    _ => return None,
                };
                Some(format!("`rosterd {verb}` lists what there is"))
            }
            CliError::Service(ServiceError::TokenWanted { .. }) => {
                Some("`rosterd people import CUSTOMER FILE --confirm TOKEN`".into())
            }
            CliError::Service(error) => match error.kind() {
                ErrorKind::Unknown => None,
                ErrorKind::PlanStale => Some("make a new plan with `rosterd plan CUSTOMER`".into()),
                ErrorKind::UnderWay => Some("`rosterd runs` tells how far it is".into()),
                ErrorKind::SourceDown | ErrorKind::StoreDown => Some("`rosterd check` tells more".into()),
                ErrorKind::BadSettings => {
                    Some("correct the settings, or wait for a package that knows what they name; then `rosterd check`".into())
                }
                ErrorKind::Damaged => Some(RESTORE.into()),
                ErrorKind::Bug => Some(
                    "nothing was changed; `rosterd check` and `rosterd audit verify` tell more, and please report it".into(),
                ),
            },
        }
    }
}

/// What helps where something stored cannot be read back.
const RESTORE: &str =
    "nothing was changed; stop the daemon and restore the newest backup (`rosterd restore`), as docs/OPERATING.md tells";

fn store_next_step(error: &StoreError) -> Option<String> {
    match error {
        StoreError::DaemonRunning { .. } => Some("`rosterd status` tells which daemon runs".into()),
        StoreError::Absent { .. } => Some("start the daemon; a wrong `store.path` or --config looks the same".into()),
        StoreError::Corrupt { .. } => Some(RESTORE.into()),
        StoreError::Occupied { .. } => Some("name a database or a file without books".into()),
        StoreError::Archive { .. } => {
            Some("nothing was changed; the folder of `audit.archive_folder` has to be there, with its files".into())
        }
        StoreError::SchemaOlder { .. }
        | StoreError::SchemaNewer { .. }
        | StoreError::OlderNodes { .. }
        | StoreError::Backup { .. }
        | StoreError::Restore { .. } => None,
        StoreError::InUse { .. } => {
            Some("nothing was changed; stop it first (the daemon: `systemctl stop rosterd.service`), then again".into())
        }
        StoreError::Away { .. } => Some("nothing is lost; it is tried again, and `store.url` says where".into()),
        StoreError::VersionMoved { .. }
        | StoreError::SnapshotGone { .. }
        | StoreError::RunClosed { .. }
        | StoreError::RequestLost { .. } => Some("somebody else wrote meanwhile: try again".into()),
        StoreError::DiskFull { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Busy { .. }
        | StoreError::Disk { .. }
        | StoreError::Database { .. } => Some("`rosterd check` tells more".into()),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use crate::base::ErrorChain;
    use crate::cli::error::CliError;
    use crate::cli::exit::Exit;
    use crate::service::ServiceError;
    use crate::store::StoreError;

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        let gone = CliError::Output(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((gone.exit(), gone.is_silent()), (Exit::Done, true));
        let full = CliError::Output(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!((full.exit(), full.is_silent()), (Exit::StoreDown, false));
    }

    #[test]
    fn a_chain_is_told_once() {
        let error = CliError::from(StoreError::Busy { place: "sqlite:x.db".into() });
        assert_eq!(error.exit(), Exit::StoreDown);
        let told = ErrorChain(&error).to_string();
        assert_eq!(told, "use the store: get a turn at sqlite:x.db: another process holds it (try again)");
        let error = CliError::from(ServiceError::Unknown { what: "customer", id: "nort".into(), hint: Some("north".into()) });
        assert_eq!(ErrorChain(&error).to_string(), "find customer nort; did you mean north?");
        assert_eq!(error.exit(), Exit::Unknown);
        assert!(error.next_step().is_some_and(|next| next.contains("rosterd status")));
    }
}
