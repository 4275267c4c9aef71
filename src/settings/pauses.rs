//! Windows in which a source is not read (R108).

use crate::base::{Calendar, Day, SourceId};
use crate::settings::problem::Problem;
use crate::settings::read::Section;
use crate::settings::words;
use crate::store::Pause;

/// `[[customer.source.pause]]`.
pub struct PauseShape {
    /// Its path, for messages.
    pub at: String,
    /// `from`.
    pub from: Option<Day>,
    /// `to`.
    pub to: Option<Day>,
    /// `reason`.
    pub reason: Option<String>,
}

/// Reads one.
pub fn pause(s: &Section<'_>) -> PauseShape {
    PauseShape {
        at: s.at(""),
        from: s.required("from", s.parsed("from", words::day)),
        to: s.required("to", s.parsed("to", words::day)),
        reason: s.required("reason", s.text("reason")),
    }
}

/// What is wrong with a pause.
pub fn check(pause: &PauseShape, found: &mut Vec<Problem>) {
    if let (Some(from), Some(to)) = (pause.from, pause.to)
        && to <= from
    {
        let shown = Some(format!("\"{to}\""));
        found.push(Problem::new(format!("{}.to", pause.at), format!("is not after from = \"{from}\"")).showing(shown));
    }
}

/// The pause that a shape means; days are the customer's.
pub fn build(source: &str, shape: &PauseShape, calendar: &Calendar) -> Option<Pause> {
    Some(Pause {
        source: SourceId::from(source),
        from: calendar.start_of(shape.from?),
        to: calendar.start_of(shape.to?),
        reason: shape.reason.clone()?,
    })
}
