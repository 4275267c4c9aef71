//! Customers at a glance: many of them in one transaction, each with a few look-ups by key.

use crate::store::sql::transaction::Transaction;

use crate::base::{CustomerId, Day};
use crate::plan::Standing;
use crate::store::glance::Glance;
use crate::store::sql::books::{empty_standing, head, standing_of_pools};
use crate::store::sql::fault::Fault;
use crate::store::sql::looks;
use crate::store::sql::on_time;
use crate::store::sql::runs;

/// Of each customer on its local date, in their order; `notices_max` of its newest notices.
pub(in crate::store::sql) fn glance(
    tx: &Transaction<'_>,
    customers: &[(CustomerId, Day)],
    notices_max: u32,
) -> Result<Vec<Glance>, Fault> {
    let one = |(customer, day): &(CustomerId, Day)| {
        let head = head(tx, customer)?;
        let standing: Standing = match &head {
            Some(head) => standing_of_pools(tx, head)?,
            None => empty_standing(),
        };
        Ok(Glance {
            standing,
            last_run: runs::last_real(tx, customer)?,
            notices: runs::notices(tx, Some(customer), notices_max)?,
            looks: looks::looks(tx, customer)?,
            same_day_used: on_time::same_day_used(tx, customer, *day)?,
            pauses: on_time::pauses(tx, customer)?,
        })
    };
    customers.iter().map(one).collect()
}
