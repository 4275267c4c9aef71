//! Files on other machines: fetched over HTTPS or SFTP into a folder of this one, and read there like any other (ADR 17).
//!
//! Invariant: nothing here knows what is in a file, and nothing that reads files knows where they came from.

mod fetched;
mod https;
mod known;
mod listing;
mod pattern;
mod settings;
mod sftp;
mod transfer;
mod work;

pub(crate) use fetched::{Fetched, Reader};
pub(crate) use listing::companion_names;

pub use pattern::Pattern;
pub use settings::{FetchSettings, FileAddress, FileAuth, Place, SftpAddress, SftpAuth, SftpSettings};
