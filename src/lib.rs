//! `rosterd` pulls rosters, works out who is entitled to which product, reconciles that with the license pools each
//! customer bought, and keeps honest books of it.
//!
//! The code lies on floors; every import points down and nothing points sideways:
//!
//! | floor | folders | what |
//! |---|---|---|
//! | 8 | `cli` | commands, exit codes, progress |
//! | 7 | `daemon`, `http` | schedule, worker, stopping; questions and pages over HTTP |
//! | 6 | `settings`, `shape` | files and environment to checked values; answers to JSON |
//! | 5 | `service` | use cases: the one layer all doors share |
//! | 4 | `store`, `source`, `spool`, `notify`, `clock` | adapters: one outside thing each |
//! | 3 | `telemetry` | what operators see |
//! | — | *waterline* | below it no async, no I/O, no clock, no log, no serde |
//! | 2 | `plan` | demand, guard, planner |
//! | 1 | `roster`, `license` | who is where, what was bought |
//! | 0 | `base` | ids, counts, days, digests |

pub mod base;
pub mod cli;
pub mod clock;
pub mod daemon;
pub mod http;
pub mod license;
pub mod notify;
pub mod plan;
pub mod roster;
pub mod service;
pub mod settings;
pub mod shape;
pub mod source;
pub mod spool;
pub mod store;
pub mod telemetry;
