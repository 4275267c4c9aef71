//! OneRoster over REST, 1.1 and 1.2.
//!
//! A pull asks for each collection page by page and keeps the pages on a shelf; every page is looked through for its ids
//! at once. Only when all collections are proven complete do the rows go to the intake, read once more from the shelf.
//! What counts as proof is in `collection`: counts, links and sizes are taken as claims that must agree.
//!
//! Changes only (`delta`) are a way to read less and can add and change; that somebody is absent is told by full reads.

mod auth;
mod collection;
mod endpoint;
mod feed;
mod fetch;
mod ids;
mod page;
mod parse;
mod refusal;
mod rest;
mod settings;
mod sign;
mod source;
mod wire;

pub(crate) use ids::Through;
pub(crate) use page::each_record;
pub(crate) use parse::{Fault, fault, id, is_id, modified};
pub(crate) use rest::Rest;
pub(crate) use source::offer;
pub(crate) use wire::{Loose, Many};

pub use auth::{ClientAuth, OAuth2, OAuth2Settings};
pub use rest::{Address, Fetched};
pub use settings::{ReadSettings, RestAuth, RestSettings, RestVersion, Signature};
pub use sign::OAuth1;
pub use source::RestSource;
