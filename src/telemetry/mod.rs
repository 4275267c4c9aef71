//! Floor 3: what operators see. Events are named in one place; each reads alone, has fields to search by, and holds
//! nothing personal.

mod alerts;
mod certificate;
mod drops;
mod events;
mod network;
mod setup;

pub use alerts::{AlertDead, AlertDelayed, AlertDelivered, AlertUnwritten};
pub use certificate::{CertificateRead, CertificateRefused};
pub use drops::{DropsHang, DropsReadable, DropsUnreadable};
pub use events::{
    DaemonStarted, DaemonStopping, DoorOpened, NegativeBalance, NoticeWritten, QuestionFailed, RequestDropped, RequestTaken,
    RunFailed, RunFinished, StoreTrouble,
};
pub use network::{FileFetched, PullRead, SpoolLost, UpstreamBack, UpstreamDown};
pub use setup::{LogFormat, LogSettings, SetupError, setup};
