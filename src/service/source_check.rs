//! Whether a source can be reached, asked while the daemon works.

use crate::base::{SourceId, most_similar};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::source::SourceError;

impl Service {
    /// Asks a source whether it can be reached and looks sane: what it says, or what is wrong with it. An upstream that is left
    /// alone for a while because it was down is not asked, and that is told.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] if there is no such source; [`ServiceError::UnderWay`] while the customer's sources are read.
    pub fn check_source(&self, customer: &Customer, id: &SourceId) -> Result<Result<String, SourceError>, ServiceError> {
        let feed = customer.sources.iter().find(|feed| feed.source.id() == id).ok_or_else(|| ServiceError::Unknown {
            what: "source",
            id: id.to_string(),
            hint: most_similar(id.as_str(), customer.sources.iter().map(|feed| feed.source.id().as_str())),
        })?;
        let turn = self.turns.try_take(customer.id());
        let _turn = turn.ok_or_else(|| ServiceError::UnderWay { customer: customer.id().clone() })?;
        Ok(feed.source.check())
    }
}
