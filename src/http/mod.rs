//! Floor 7: the HTTP door. It authenticates, asks the service one question, and answers in the shapes that the command line
//! uses, too. Off unless `http.listen` says where; loopback is the place for it, unless it has a certificate.

mod access;
mod answer;
mod ask;
mod body;
mod each;
mod endpoint;
mod events;
mod handle;
mod metrics;
mod once;
mod openapi;
mod page;
mod pages;
mod peer;
mod pipe;
mod problem;
mod question;
mod rate;
mod read;
mod router;
mod says;
mod serve;
mod table;
mod taken;
mod tls;
mod words;
mod write;

pub use access::{Deed, may};
pub use pages::{PAGES, Page};
pub use router::{Route, openapi_json, routes};
pub use serve::{DoorOptions, Task, listen, serve};
pub use tls::{Certificate, TlsError};
