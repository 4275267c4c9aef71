//! The header: where each column of the mapping is.

use crate::roster::{Finding, Level};
use crate::source::hr::HrColumns;

/// Where the columns of a mapping are in a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// For each column of the mapping its place in a row.
    pub(crate) places: Vec<usize>,
    /// How many cells a row has.
    pub(crate) width: usize,
}

/// Reads the header, or says all that is wrong with it.
pub(crate) fn read_header(names: &[&str], columns: &HrColumns, file: &str, line: u64) -> Result<Header, Vec<Finding>> {
    let mut places: Vec<Option<usize>> = vec![None; columns.names().len()];
    let mut faults = Vec::new();
    let fault = |rule: &'static str, field: &str, detail: &str| Finding {
        level: Level::File,
        rule,
        file: file.to_owned(),
        row: line,
        record: String::new(),
        field: field.to_owned(),
        detail: detail.to_owned(),
    };
    for (at, name) in names.iter().enumerate() {
        let Some(slot) = columns.slot(name) else { continue };
        match &mut places[slot] {
            // Two names that differ in case alone lead to one column; the one that is spelled as configured counts.
            place @ None => *place = Some(at),
            Some(first) => {
                let wanted = columns.names()[slot].trim();
                match (names[*first].trim() == wanted, name.trim() == wanted) {
                    (true, false) => {}
                    (false, true) => *first = at,
                    (true, true) | (false, false) => {
                        faults.push(fault("header_duplicate", name.trim(), "two columns have this name"));
                    }
                }
            }
        }
    }
    for (slot, _) in places.iter().enumerate().filter(|(_, place)| place.is_none()) {
        let detail = if names.len() == 1 {
            "the configured column is not in the header; it has one column only, is the separator another one?"
        } else {
            "the configured column is not in the header"
        };
        faults.push(fault("column_missing", &columns.names()[slot], detail));
    }
    let places: Vec<usize> = places.into_iter().flatten().collect();
    if faults.is_empty() { Ok(Header { places, width: names.len() }) } else { Err(faults) }
}
