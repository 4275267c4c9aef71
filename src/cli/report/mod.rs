//! `rosterd report`: what stands in the books, for people, spreadsheets and programs.

mod args;
mod run;

pub use args::ReportArgs;
pub use run::run;
