//! Questions that change nothing, by what they are about. Each file says which it answers.

mod ahead;
mod customers;
mod episodes;
mod holds;
mod operate;
mod people;
mod pools;
mod reports;
mod runs;
mod trail;

pub use ahead::AHEAD;
pub use customers::CUSTOMERS;
pub use episodes::EPISODES;
pub use holds::HOLDS;
pub use operate::OPERATE;
pub use people::PEOPLE;
pub use pools::POOLS;
pub use reports::REPORTS;
pub use runs::{PLAN_LIMIT, RUNS};
pub use trail::TRAIL;
