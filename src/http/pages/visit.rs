//! A page being asked for: by whom, with what, and what it may show.

use crate::base::{Actor, Instant};
use crate::http::access::{Deed, may};
use crate::http::ask::Asking;
use crate::http::pages::cookies::Cookies;
use crate::http::pages::fields::Fields;
use crate::http::pages::sessions::{Flash, Seen, Sessions};
use crate::http::problem::Problem;
use crate::service::{Customer, Service};

/// So many rows a page shows; the rest has pages of its own.
pub const ROWS: usize = 100;

/// A page being asked for.
pub struct Visit<'s> {
    /// The service, and who asks.
    pub asking: Asking<'s>,
    /// The session.
    pub seen: Seen,
    /// All sessions, for what is to be said on the next page.
    pub sessions: &'s Sessions,
    /// How cookies are made.
    pub cookies: Cookies,
    /// When it was asked for.
    pub now: Instant,
    /// Its path, without a query.
    pub path: String,
    /// What its path says.
    pub params: Fields,
    /// What its query says.
    pub query: Fields,
    /// What a form says.
    pub form: Fields,
}

impl<'s> Visit<'s> {
    /// The service.
    pub fn service(&self) -> &'s Service {
        self.asking.service
    }

    /// The customer of the path, if the caller may see it.
    pub fn customer(&self) -> Result<&'s Customer, Problem> {
        self.asking.customer(self.param("customer"))
    }

    /// The same, for somebody who is not bound to one org.
    pub fn whole_customer(&self) -> Result<&'s Customer, Problem> {
        let customer = self.customer()?;
        self.asking.whole_customer()?;
        Ok(customer)
    }

    /// What the path says; every page names its own.
    pub fn param<'f>(&'f self, name: &'f str) -> &'f str {
        self.params.get(name).unwrap_or_default()
    }

    /// A number of the path.
    pub fn number(&self, name: &'static str) -> Result<u64, Problem> {
        let text = self.param(name);
        text.parse().map_err(|_| Problem::unknown(name, text))
    }

    /// Whether the caller's role may do a deed.
    pub fn may(&self, deed: Deed) -> bool {
        may(self.asking.caller.role, deed)
    }

    /// Whether the caller may see people of the whole customer.
    pub fn sees_people(&self) -> bool {
        self.asking.sees_people()
    }

    /// In whose name something is done.
    pub fn actor(&self) -> Actor {
        self.asking.caller.actor()
    }

    /// Leaves a sentence for the next page.
    pub fn say(&self, good: bool, text: impl Into<String>) {
        self.sessions.say(&self.seen.id, Flash { good, text: text.into() });
    }
}

/// A path below a customer.
pub fn path_of(customer: &Customer, rest: &str) -> String {
    format!("/c/{}{rest}", customer.id())
}
