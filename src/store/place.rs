//! Places among the requests to an upstream that several nodes ask at the same time.

/// What came of asking for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlaceGiven {
    /// Nobody else asks: one daemon works on this store, and keeps the limits by itself.
    Alone,
    /// It is given. The request may start after so long, in microseconds.
    After(u64),
    /// As many requests are under way as may be.
    Full,
}
