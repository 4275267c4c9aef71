//! What happens to drop folders: a package can arrive only where somebody can look.

use std::error::Error;

use tracing::{info, warn};

use crate::base::{CustomerId, ErrorChain, SourceId};

/// A source's drop folder cannot be looked at, or what lies there is not what its companion says. Told once, when it begins.
pub struct DropsUnreadable<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which source.
    pub source: &'a SourceId,
    /// Why; says what could not be done.
    pub error: &'a dyn Error,
}

impl DropsUnreadable<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let DropsUnreadable { customer, source, error } = *self;
        let chain = ErrorChain(error);
        warn!(
            event = "drops_unreadable",
            customer.id = %customer,
            source.id = %source,
            error = %chain,
            "No package of source {source} of {customer} can arrive: could not {chain}. It is looked at again and again."
        );
    }
}

/// A source's drop folder can be looked at again.
pub struct DropsReadable<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which source.
    pub source: &'a SourceId,
}

impl DropsReadable<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let DropsReadable { customer, source } = *self;
        info!(
            event = "drops_readable",
            customer.id = %customer,
            source.id = %source,
            "Packages of source {source} of {customer} can arrive again."
        );
    }
}

/// A look at a customer's drop folders does not come to its end, as on a mount that hangs. Told once for each such look;
/// other customers are looked at all the same.
pub struct DropsHang<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// For how long, in seconds.
    pub secs: u64,
}

impl DropsHang<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let DropsHang { customer, secs } = *self;
        warn!(
            event = "drops_hang",
            customer.id = %customer,
            secs,
            "The drop folders of {customer} do not answer for {secs} s: no package of theirs can arrive. Check their mounts."
        );
    }
}
