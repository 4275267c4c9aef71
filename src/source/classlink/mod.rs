//! ClassLink Roster Server: OneRoster 1.1 by the vendor's proxy, or at the district itself (classlink §1).
//!
//! What is particular is how districts are found and how one gets in: a partner key lists the applications of all districts,
//! with a bearer for each, which may be exchanged at any time. Collections are read as any OneRoster provider's are; the
//! revision that every answer tells makes an unchanged night one request, and a change in the middle a new beginning.

mod access;
mod account;
mod settings;
mod source;

pub use settings::{ClassLinkAccess, ClassLinkSettings};
pub use source::ClassLinkSource;
