//! HR sources: people with an employment state and an org path, no classes. The record that all of them fill
//! (hr-sources §1), and those that are asked over the network.

mod dates;
mod feed;
mod mapping;
mod orgs;
mod record;
mod status;

pub use dates::{DateForm, DateForms};
pub use feed::HrFeed;
pub use mapping::{HrColumns, HrMapping, OrgMapping, RoleMapping};
pub use record::{HrReader, HrRecord, RowFault};
pub use status::{Presence, StatusMapping};
