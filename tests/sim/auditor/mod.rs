//! The auditor: knows what was fed in, and the domain rules; says what the books must be. It shares nothing with the
//! program but days, instants and calendars.

pub mod books;
pub mod guards;
pub mod hands;
pub mod holding;
pub mod importing;
pub mod leaving;
pub mod night;
pub mod pools;
pub mod reading;
pub mod seats;
pub mod timing;
pub mod undoing;
