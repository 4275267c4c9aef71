//! The ledger's tests, and the small world they fold.

mod histories;
mod world;
