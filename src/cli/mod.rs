//! Floor 8: the command line. A verb parses, calls the service once and renders the answer; what it exits with stands in
//! one table.

mod access;
mod activity;
mod apply;
mod args;
mod audit;
mod backup;
mod check;
mod completions;
mod context;
mod csv;
mod episode;
mod error;
mod exit;
mod explain;
mod findings;
mod forget;
mod grid;
mod hold;
mod man;
mod notices;
mod output;
mod parts;
mod pause;
mod people;
mod people_export;
mod people_import;
mod plan;
mod pool;
mod progress;
mod pull;
mod queue;
mod renewals;
mod report;
mod revert;
mod run;
mod runs;
mod serve;
mod size_limit;
mod status;
mod sync;
mod wish;
mod words;

pub use exit::Exit;
pub use parts::customers;
pub use run::main;
