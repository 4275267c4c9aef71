//! `rosterd pool`: pools, the seats bought for them, and decisions by hand.

mod answer;
mod args;
mod billing;
mod buy;
mod decide;
mod list;
mod request;
mod run;
mod show;
mod term;
mod term_args;

pub use args::PoolArgs;
pub use run::run;
pub use show::run as show_pool;
