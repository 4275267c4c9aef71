//! Questions that change something, by what they are about. Each file says which it answers.

mod bought;
mod decided;
mod holds;
mod operate;
mod people;
mod runs;
mod seats;
mod sources;
mod told;

pub use bought::BOUGHT;
pub use holds::DECIDE;
pub use operate::OPERATING;
pub use people::BY_HAND;
pub use runs::RUN;
pub use seats::SEATS;
pub use sources::SOURCES;
pub use told::TOLD;
