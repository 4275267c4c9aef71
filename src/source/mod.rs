//! Floor 4: where rosters come from.

mod api;
mod aside;
mod classlink;
mod clever;
mod csv;
mod delimited;
mod fault;
mod fetch;
mod hr;
mod http;
mod narrow;
mod oneroster;
mod open;
mod retry;
mod saved;
mod scratch;
mod shelf;

pub use api::{Package, Read, Reread, RosterSource, Seen, SourceError, Trouble};
pub use classlink::{ClassLinkAccess, ClassLinkSettings, ClassLinkSource};
pub use clever::{CleverAuth, CleverSettings, CleverSource, CleverVersion, StaffRole};
pub use csv::{BulkWithStatus, CsvBounds, CsvSource, CsvSourceSettings, CsvVersion, DropKind};
pub use delimited::{DelimitedSettings, Dialect, Encoding, FeedKind, RowBounds};
pub use fetch::{FetchSettings, FileAddress, FileAuth, Pattern, Place, SftpAddress, SftpAuth, SftpSettings};
pub use hr::{
    DateForm, DateForms, HrAuth, HrColumns, HrFeed, HrMapping, HrReader, HrRecord, HrSettings, HrSource, HrSystem, OrgMapping,
    Presence, RoleMapping, RowFault, StatusMapping,
};
pub use http::{
    Answer, Attempt, Authorize, Basic, Bearer, Exchange, Header, Http, HttpError, HttpSettings, Network, Nobody, Outage,
    Outages, Outgoing, Pace, PlaceTaken, Recorder, Refusal, SharedLimits, check_address,
};
pub use oneroster::{
    Address, ClientAuth, Fetched, OAuth1, OAuth2, OAuth2Settings, ReadSettings, RestAuth, RestSettings, RestSource,
    RestVersion, Signature,
};
pub use open::{SourceSettings, open_source};
pub use retry::RetrySettings;
pub use saved::{Outcome, Redaction, SavedPull};
pub use scratch::Scratch;
pub use shelf::{MemoryPages, NoRoom, PAGE_BYTES_MAX, PageStore, Shelf, pack_page, unpack_page};
