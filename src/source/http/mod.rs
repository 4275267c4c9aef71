//! The one HTTP client of all sources that ask an upstream, and its manners.
//!
//! Blocking outside, async inside: a request is driven from the calling thread over one small shared runtime, which keeps
//! connections alive between requests (ADR 8). Manners are shared by all customers of an upstream (an origin): how many
//! requests at once, how many a second, and a circuit that leaves a failing upstream alone.
//!
//! Invariants: no host is ever taken from data, so that credentials go nowhere else; nothing is read without a bound in
//! size and time; no error tells a secret, a query or a body.

mod address;
mod ask;
mod auth;
mod client;
mod error;
mod network;
mod outage;
mod pace;
mod record;
mod rotating;
mod settings;
mod shared;
mod told;
mod upstream;

pub(crate) use ask::{Ask, FileTo, Into};
pub(crate) use auth::base64;
pub(crate) use rotating::{Credential, Rotating};
pub(crate) use told::unix_secs;
pub(crate) use upstream::{Outcome, Upstream};

pub use address::check_address;
pub use auth::{Authorize, Basic, Bearer, Header, Nobody, Outgoing};
pub use client::{Answer, Attempt, Http};
pub use error::{HttpError, Refusal};
pub use network::Network;
pub use outage::{Outage, Outages};
pub use pace::Pace;
pub use record::{Exchange, Recorder};
pub use settings::HttpSettings;
pub use shared::{PlaceTaken, SharedLimits};
