//! Floor 8: the command line. A verb parses, calls the service once and renders the answer; what it exits with stands in
//! one table.

mod access;
mod activity;
mod alert;
mod api;
mod apply;
mod args;
mod audit;
mod backup;
mod chart;
mod check;
mod completions;
mod context;
#[cfg(test)]
mod doors;
mod episode;
mod error;
mod exit;
mod explain;
mod findings;
mod forecast;
mod forget;
mod grid;
mod hold;
mod man;
mod nodes;
mod notices;
mod output;
mod parts;
mod pause;
mod people;
mod people_bulk;
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
mod store;
mod sync;
mod token;
mod what_if;
mod wish;
mod words;

pub use exit::Exit;
pub use parts::customers;
pub use run::main;
