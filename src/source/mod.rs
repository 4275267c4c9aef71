//! Floor 4: where rosters come from.

mod api;
mod csv;
mod http;
mod open;
mod retry;

pub use api::{Package, Read, RosterSource, Seen, SourceError};
pub use csv::{BulkWithStatus, CsvBounds, CsvSource, CsvSourceSettings, CsvVersion, DropKind};
pub use http::{
    Answer, Attempt, Authorize, Basic, Bearer, Header, Http, HttpError, HttpSettings, Network, Nobody, Outgoing, Pace, Refusal,
};
pub use open::{SourceSettings, open_source};
pub use retry::RetrySettings;
