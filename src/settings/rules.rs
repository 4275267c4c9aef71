//! The shape of `[[customer.rule]]`.

use crate::plan::Predicate;
use crate::settings::read::Section;
use crate::settings::{when, words};

/// `[[customer.rule]]`.
pub struct RuleShape {
    /// Its path, for messages.
    pub at: String,
    /// `id`.
    pub id: String,
    /// `product`.
    pub product: Option<String>,
    /// `priority`.
    pub priority: Option<i64>,
    /// `when`.
    pub when: Option<Predicate>,
}

/// Reads one.
pub fn rule(s: &Section<'_>) -> RuleShape {
    RuleShape {
        at: s.at(""),
        id: id(s),
        product: s.required("product", s.text("product")),
        priority: s.number("priority", i64::from(i32::MIN)..=i64::from(i32::MAX)),
        when: s.required("when", s.section("when", when::when)).flatten(),
    }
}

/// The id. One that is refused is kept as written, so that what points at it is not refused as well.
pub fn id(s: &Section<'_>) -> String {
    s.required("id", s.parsed("id", words::id)).or_else(|| s.raw("id")).unwrap_or_default()
}
