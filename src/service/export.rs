//! The people of a customer as the file that can be put in again (R135).

use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::import_rows::Ground;
use crate::service::people_file::write;

/// An export.
#[derive(Clone, Debug)]
pub struct PeopleExport {
    /// The file: UTF-8, CRLF, RFC 4180, sorted by person key. Holds names and e-mails.
    pub file: Vec<u8>,
    /// People in it.
    pub people: u64,
    /// How many of them were made by hand.
    pub by_hand: u64,
}

impl Service {
    /// Writes the people of a customer, or those whose home lies in an org, as the template of
    /// [`Service::preview_import`]. Each stands under the source whose word counts: the first of the settings that
    /// delivers them; made by hand comes last.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] names an org that is not in the roster.
    pub fn export_people(&self, customer: &Customer, org: Option<&str>) -> Result<PeopleExport, ServiceError> {
        let standing = self.store.standing_light(customer.id())?;
        let ground = Ground::new(customer, self.rosters(customer, &standing)?, org)?;
        let (mut people, mut by_hand) = (0, 0);
        let file = write(ground.people().inspect(|person| {
            people += 1;
            by_hand += u64::from(ground.is_by_hand(person));
        }));
        Ok(PeopleExport { file, people, by_hand })
    }
}
