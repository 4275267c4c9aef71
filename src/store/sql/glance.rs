//! Customers at a glance: many of them in one transaction, most of it read in one go for all.

use crate::base::{CustomerId, Day};
use crate::plan::Standing;
use crate::store::glance::Glance;
use crate::store::sql::books::{Head, head};
use crate::store::sql::fault::Fault;
use crate::store::sql::light::{standings_of_pools, with_head};
use crate::store::sql::looks;
use crate::store::sql::on_time;
use crate::store::sql::runs;
use crate::store::sql::side_by_side::SideBySide;
use crate::store::sql::standings::empty_standing;
use crate::store::sql::transaction::Transaction;

/// Of each customer on its local date, in their order; `notices_max` of its newest notices.
pub(in crate::store::sql) fn glance(
    tx: &Transaction<'_>,
    customers: &[(CustomerId, Day)],
    notices_max: u32,
) -> Result<Vec<Glance>, Fault> {
    let heads = customers.iter().map(|(customer, _)| head(tx, customer)).collect::<Result<Vec<_>, _>>()?;
    let known: Vec<(&Head, Day)> =
        heads.iter().zip(customers).filter_map(|(head, (_, day))| Some((head.as_ref()?, *day))).collect();
    let asked = SideBySide::of(known.iter().map(|(head, _)| head.id));
    let standings = standings_of_pools(tx, &asked)?;
    let mut glances: Vec<Glance> =
        known.iter().zip(standings).map(|((head, _), standing)| of(with_head(head, standing))).collect();
    looks::many(tx, &asked, |at, look| glances[at].looks.push(look))?;
    on_time::pauses_of_many(tx, &asked, |at, pause| glances[at].pauses.push(pause))?;
    for (glance, (head, day)) in glances.iter_mut().zip(&known) {
        glance.last_run = runs::last_real(tx, head.id)?;
        glance.notices = runs::notices_of(tx, head.id, notices_max)?;
        glance.same_day_used = on_time::same_day_used_of(tx, head.id, *day)?;
    }
    let mut glances = glances.into_iter();
    // There is one for each that has a row.
    Ok(heads.iter().map(|head| head.as_ref().and_then(|_| glances.next()).unwrap_or_else(|| of(empty_standing()))).collect())
}

fn of(standing: Standing) -> Glance {
    let (notices, looks, pauses) = (Vec::new(), Vec::new(), Vec::new());
    Glance { standing, last_run: None, notices, looks, same_day_used: 0, pauses }
}
