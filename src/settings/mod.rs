//! Floor 6: files and environment to checked values. All mistakes are told at once, each with the way out.

mod audit;
mod build;
mod channels;
mod check;
mod classlink;
mod clauses;
mod clever;
mod cron;
mod days;
mod file;
mod guard;
mod http;
mod ical;
mod identity;
mod knobs;
mod load;
mod logging;
mod network;
mod own;
mod pauses;
mod place;
mod plain;
mod problem;
mod profiles;
mod read;
mod read_apart;
mod read_secret;
mod reports;
mod rules;
mod secret;
mod store;
mod terms;
mod tree;
#[cfg(test)]
mod trial;
mod values;
mod what_if;
mod when;
mod words;

pub use http::{HttpSettings, TlsSettings};
pub use knobs::{KNOBS, turn};
pub use load::{known_keys, load, load_with, reference};
pub use problem::{Problem, Problems, SettingsError};
pub use values::{CustomerSettings, DaemonSettings, Settings, SourceKind, SpoolSettings, StoreKind, StoreSettings};
pub use what_if::{Turns, TurnsError, what_if};
