//! Clever's data API, 3.0 and 3.1, for one district.
//!
//! Everything is read list by list, each page naming the next one; sections carry the enrollments. What was read counts if no
//! id came twice, the numbers agree and the district's own sync did not run meanwhile. Events, where the application has
//! them, are a way to read less: they add and change. An event that takes something away, or names somebody nobody knows,
//! leads to a full read, so that who is absent is told by full reads alone.
//!
//! Contacts, which are parents and other relatives, are no people of the roster.

mod account;
mod changes;
mod cursor;
mod district;
mod envelope;
mod feed;
mod fetch;
mod people;
mod pull;
mod rows;
mod settings;
mod source;
mod wire;

pub use settings::{CleverAuth, CleverSettings, CleverVersion, StaffRole};
pub use source::CleverSource;
