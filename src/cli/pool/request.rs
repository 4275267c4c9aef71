//! `rosterd pool request-seats` and `requests`: asking the vendor for more (R155).

use serde_json::json;

use crate::base::{PoolId, Seats};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::grid::Grid;
use crate::license::SeatRequest;
use crate::service::SeatsAsked;
use crate::shape::{Column, Datum, count, seat_request_json, words};

/// Requests for more seats (R155).
const REQUESTS: [Column; 9] = [
    ("Pool", "pool"),
    ("Seats", "seats"),
    ("Asked", "at"),
    ("By", "by"),
    ("Limit", "limit"),
    ("Used", "used"),
    ("Available", "available"),
    ("Waiting", "waiting"),
    ("Note", "note"),
];

/// A request.
fn request(row: &SeatRequest) -> Vec<Datum> {
    let SeatRequest { pool, seats, used, allowance, waiting, by, at, note } = row;
    vec![
        words(pool.as_str()),
        count(seats.0),
        Datum::At(Some(*at)),
        words(by.to_string()),
        Datum::Number(allowance.map(|seats| i64::from(seats.0))),
        count(used.0),
        Datum::Balance(row.available().map(|balance| balance.0)),
        count(waiting.0),
        words(note.as_str()),
    ]
}

/// Asks for more seats.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn ask(context: &mut Context, customer: &str, pool: &str, seats: u32, note: &str) -> Result<Exit, CliError> {
    let service = context.service_to_write()?;
    let customer = service.customer(customer)?;
    let asked = service.request_seats(customer, &PoolId::from(pool), Seats(seats), note, &actor())?;
    let SeatsAsked { request, text, receipt } = asked;
    if context.out.is_json() {
        let customer = customer.id().as_str();
        context.out.json(&json!({
            "customer": customer, "request": seat_request_json(&request), "text": text, "version": receipt.version.0,
        }))?;
    } else {
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
    Grid::new(customer, report.freshness, &REQUESTS, csv).show(context, report.rows.iter().map(request))
}
