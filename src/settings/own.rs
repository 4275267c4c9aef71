//! What comes of one customer.

use std::path::PathBuf;

use crate::settings::channels::ChannelShape;
use crate::settings::problem::Problem;
use crate::settings::values::CustomerSettings;

/// What comes of a customer, and what has to be looked at beside the others.
pub struct Own {
    /// Its path, for messages.
    pub at: String,
    /// Its id.
    pub id: String,
    /// The paths of its sources, each with the source's own place.
    pub paths: Vec<(PathBuf, String)>,
    /// Its products, if the rest of the file names some.
    pub products: Vec<String>,
    /// Its channels.
    pub channels: Vec<ChannelShape>,
    /// What is wrong between its keys.
    pub problems: Vec<Problem>,
    /// Absent if something is wrong up to here.
    pub settings: Option<CustomerSettings>,
}
