//! HR sources: people with an employment state and an org path, no classes. The record that all of them fill
//! (hr-sources §1), and those that are asked over the network: SCIM 2.0, BambooHR and Workday reports.
//!
//! A pull reads everything, keeps of each record only the cells that the mapping names, proves that nobody is missing, and
//! only then hands rows to the intake.

mod bamboohr;
mod dates;
mod feed;
mod mapping;
mod orgs;
mod proof;
mod pull;
mod record;
mod scim;
mod settings;
mod source;
mod status;
mod wire;
mod workday;

pub use dates::{DateForm, DateForms};
pub use feed::HrFeed;
pub use mapping::{HrColumns, HrMapping, OrgMapping, RoleMapping};
pub use record::{HrReader, HrRecord, RowFault};
pub use settings::{HrAuth, HrSettings, HrSystem};
pub use source::HrSource;
pub use status::{Presence, StatusMapping};
