//! "Buy more" as an action (R155): the request to the vendor is composed, recorded and told.

use crate::base::{Actor, PoolId, Seats};
use crate::license::{Entry, SeatRequest};
use crate::plan::{Notice, NoticeKind};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::inspect::{PoolView, pool_views};
use crate::service::report::Report;
use crate::service::writing::Writing;
use crate::store::Receipt;

/// A request that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatsAsked {
    /// What was asked for, with the numbers it rests on.
    pub request: SeatRequest,
    /// The message to the vendor.
    pub text: String,
    /// The commit.
    pub receipt: Receipt,
}

impl Service {
    /// Asks for more seats of a pool.
    ///
    /// # Errors
    /// When there is no such pool, or the books cannot be read or written.
    pub fn request_seats(
        &self,
        customer: &Customer,
        pool: &PoolId,
        seats: Seats,
        note: &str,
        by: &Actor,
    ) -> Result<SeatsAsked, ServiceError> {
        customer.pool(pool)?;
        self.settled(customer)?;
        let ((request, text), receipt) = self.write(customer, by, &|standing, now| {
            let unknown = || ServiceError::Unknown { what: "pool", id: pool.to_string(), hint: None };
            let views = pool_views(customer, standing, now);
            let view = views.iter().find(|view| view.pool == *pool).ok_or_else(unknown)?;
            let request = SeatRequest {
                pool: pool.clone(),
                seats,
                used: view.used(),
                allowance: view.allowance.seats,
                waiting: view.waiting(),
                by: by.clone(),
                at: now,
                note: note.to_owned(),
            };
            let text = request_text(customer, view, &request);
            let notice = Notice {
                key: format!("{}/{pool}/{}", NoticeKind::SeatsRequested.word(), standing.version.0 + 1),
                kind: NoticeKind::SeatsRequested,
                pool: Some(pool.clone()),
                source: None,
                text: text.clone(),
            };
            let (entries, notices) = (vec![Entry::SeatsRequested(request.clone())], vec![notice]);
            Ok(((request, text), Some(Writing { verb: "request_seats", entries, notices, ..Writing::default() })))
        })?;
        let receipt = receipt.expect("what is made above always has something to write");
        Ok(SeatsAsked { request, text, receipt })
    }

    /// What was asked for, newest first.
    ///
    /// # Errors
    /// When the books cannot be read.
    pub fn seat_requests(&self, customer: &Customer) -> Result<Report<SeatRequest>, ServiceError> {
        self.as_of(customer, None, |books| {
            let mut rows = books.seat_requests()?;
            rows.reverse();
            Ok(Report { freshness: books.freshness()?, rows })
        })
    }
}

/// The message to the vendor: org, product, pool, current numbers and the wanted count.
fn request_text(customer: &Customer, view: &PoolView, request: &SeatRequest) -> String {
    let SeatRequest { pool, seats, used, allowance, waiting, by, at: _, note } = request;
    let numbers = match (allowance, request.available()) {
        (Some(allowance), Some(available)) => format!("{used} of {allowance} seats are used, {available} are available"),
        _ => format!("{used} seats are used, the pool is unlimited"),
    };
    let note = if note.is_empty() { String::new() } else { format!(" Note: {note}") };
    format!(
        "{} ({}) asks for {seats} more seats of {} in pool {pool} of org {}: {numbers}, {waiting} people wait. Asked by {by}.{note}",
        customer.name,
        customer.id(),
        view.product,
        view.owner
    )
}
