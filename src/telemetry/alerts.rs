//! What becomes of notices on their way out. Fields hold ids, names of channels and statuses; no addresses, no texts.

use std::error::Error;

use tracing::{error, info, warn};

use crate::base::{CustomerId, ErrorChain, Instant};

/// A receiver took a notice.
pub struct AlertDelivered<'a> {
    /// By which channel.
    pub channel: &'a str,
    /// Whose notice.
    pub customer: &'a CustomerId,
    /// Which notice.
    pub key: &'a str,
    /// How often it was sent.
    pub tries: u32,
    /// What the receiver answered.
    pub status: &'a str,
}

impl AlertDelivered<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let AlertDelivered { channel, customer, key, tries, status } = *self;
        info!(
            event = "alert_delivered",
            channel,
            customer.id = %customer,
            notice = key,
            tries,
            status,
            "Delivered notice {key} of {customer} by {channel} ({status})."
        );
    }
}

/// A receiver took a notice, and the books cannot say so: by this machine's clock it was not written yet.
pub struct AlertUnwritten<'a> {
    /// By which channel.
    pub channel: &'a str,
    /// Whose notice.
    pub customer: &'a CustomerId,
    /// Which notice.
    pub key: &'a str,
    /// When it was written.
    pub written: Instant,
    /// What time it is.
    pub now: Instant,
}

impl AlertUnwritten<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let AlertUnwritten { channel, customer, key, written, now } = *self;
        warn!(
            event = "alert_unwritten",
            channel,
            customer.id = %customer,
            notice = key,
            written = %written,
            now = %now,
            "Notice {key} of {customer} by {channel} arrived, and is not in the books yet: it is of {written}, and here it is {now}. Look at the clocks of the nodes."
        );
    }
}

/// A receiver did not take a notice; it is tried again.
pub struct AlertDelayed<'a> {
    /// By which channel.
    pub channel: &'a str,
    /// Whose notice.
    pub customer: &'a CustomerId,
    /// Which notice.
    pub key: &'a str,
    /// How often it was sent.
    pub tries: u32,
    /// When it is sent again, in seconds.
    pub pause_secs: i64,
    /// Why; says what could not be done.
    pub error: &'a dyn Error,
}

impl AlertDelayed<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let AlertDelayed { channel, customer, key, tries, pause_secs, error } = *self;
        let chain = ErrorChain(error);
        warn!(
            event = "alert_delayed",
            channel,
            customer.id = %customer,
            notice = key,
            tries,
            pause_secs,
            error = %chain,
            "Notice {key} of {customer} by {channel}: could not {chain}. It is tried again in {pause_secs} s."
        );
    }
}

/// A notice was given up.
pub struct AlertDead<'a> {
    /// By which channel.
    pub channel: &'a str,
    /// Whose notice.
    pub customer: &'a CustomerId,
    /// Which notice.
    pub key: &'a str,
    /// How often it was sent.
    pub tries: u32,
    /// Why; says what could not be done.
    pub error: &'a dyn Error,
}

impl AlertDead<'_> {
    /// Logs it.
    pub fn emit(&self) {
        let AlertDead { channel, customer, key, tries, error } = *self;
        let chain = ErrorChain(error);
        error!(
            event = "alert_dead",
            channel,
            customer.id = %customer,
            notice = key,
            tries,
            error = %chain,
            "Gave up notice {key} of {customer} by {channel} after {tries} tries: could not {chain}. `rosterd alert replay --dead` \
             sends it again."
        );
    }
}
