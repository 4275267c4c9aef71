//! `rosterd pool request-seats` and `requests`: asking the vendor for more (R155).

use crate::base::{PoolId, Seats};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::grid::Grid;
use crate::service::SeatsAsked;
use crate::shape::SeatsAskedJson;
use crate::shape::report::{SEAT_REQUESTS, seat_request};

/// Asks for more seats.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn ask(context: &mut Context, customer: &str, pool: &str, seats: u32, note: &str) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(customer)?;
    let asked = service.request_seats(customer, &PoolId::from(pool), Seats(seats), note, &actor())?;
    if context.out.is_json() {
        context.out.json(&SeatsAskedJson::new(customer.id().as_str(), &asked))?;
    } else {
        let SeatsAsked { request: _, text, receipt } = asked;
        context.out.text(&format!("{text}\nrecorded as version {}", receipt.version))?;
    }
    Ok(Exit::Done)
}

/// Lists what was asked for.
///
/// # Errors
/// When the books cannot be read, or there is no such customer.
pub fn list(context: &mut Context, customer: &str, csv: bool) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let report = service.seat_requests(customer)?;
    Grid::new(customer, report.freshness, &SEAT_REQUESTS, csv).show(context, report.rows.iter().map(seat_request))
}
