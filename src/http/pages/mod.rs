//! The dashboard: pages made here, one for each question, that work without a script and better with it. What may be seen
//! and done stands in the one table of the door; where something may not be seen, no page says that it is there.

mod assets;
mod audit;
mod chart;
mod cookies;
mod customer;
mod desk;
mod episodes;
mod fields;
mod forecast;
mod holds;
mod layout;
mod login;
mod nodes;
mod notices;
mod orgs;
mod overview;
mod parts;
mod people;
mod plan;
mod pool;
mod queue;
mod reply;
mod reports;
mod router;
mod runs;
mod sessions;
mod sources;
mod throttle;
mod visit;
mod words;

pub use desk::{Desk, Page};
pub use router::{PAGES, pages};
