//! The store of record for several machines: one PostgreSQL database (15 or later), which every node reaches over the network.

mod choice;
mod nodes;
mod places;
mod pool;
mod schema;
mod store;
mod tls;

pub use choice::PostgresChoice;
pub use store::PostgresStore;
