//! Floor 7: the HTTP door. It authenticates, asks the service one question, and answers in the shapes that the command line
//! uses, too. Off unless `http.listen` says where; loopback is the place for it, a proxy in front brings TLS.

mod access;
mod answer;
mod ask;
mod metrics;
mod pages;
mod peer;
mod problem;
mod read;
mod router;
mod serve;
mod write;

pub use access::{Deed, may};
pub use pages::{PAGES, Page};
pub use router::{ROUTES, Route};
pub use serve::{Task, listen, serve};
