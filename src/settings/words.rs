//! What single texts of the settings mean.

use std::net::SocketAddr;

use crate::base::most_similar;
use crate::base::{Calendar, Day};
use crate::settings::read::Wrong;

const ID_CHARS_MAX: usize = 64;

/// OneRoster's role words, those of 1.1 and 1.2 together.
const ROLES: [&str; 13] = [
    "administrator",
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "parent",
    "principal",
    "proctor",
    "relative",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
];

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// One of some words.
pub fn one_of<T: Copy>(words: &[(&str, T)]) -> impl Fn(&str) -> Result<T, Wrong> {
    move |text| match words.iter().find(|(word, _)| *word == text) {
        Some((_, value)) => Ok(*value),
        None => Err(none_of(text, words.iter().map(|(word, _)| *word))),
    }
}

/// An id that the settings give: letters, digits, `-`, `_` and `.`, so that it fits into lists, paths and commands.
pub fn id(text: &str) -> Result<String, Wrong> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if text.is_empty() {
        return Err(Wrong::new("is empty"));
    }
    if !text.chars().all(fits) {
        return Err(Wrong::new("has characters other than letters, digits, `-`, `_` and `.`"));
    }
    if text.len() > ID_CHARS_MAX {
        return Err(Wrong::new(format!("is longer than {ID_CHARS_MAX} characters")));
    }
    Ok(text.to_owned())
}

/// A date.
pub fn day(text: &str) -> Result<Day, Wrong> {
    Day::parse(text).ok_or_else(|| Wrong::new("is not a date such as \"2026-09-01\""))
}

/// A weekday; 0 is Monday.
pub fn weekday(text: &str) -> Result<usize, Wrong> {
    WEEKDAYS.iter().position(|word| *word == text).ok_or_else(|| none_of(text, WEEKDAYS))
}

/// A time zone by its IANA name, spelled as the database spells it.
pub fn zone(text: &str) -> Result<String, Wrong> {
    if let Some(calendar) = Calendar::in_zone(text) {
        return Ok(calendar.zone_name().to_owned());
    }
    let names: Vec<String> = jiff::tz::db().available().map(|name| name.as_str().to_owned()).collect();
    let meant = most_similar(text, names.iter().map(String::as_str));
    Err(Wrong { what: "is not a time zone such as \"Europe/London\"".into(), meant })
}

/// A cron pattern, of which `flaw` tells what is wrong with it; empty means never.
pub fn nightly(text: &str, flaw: impl FnOnce(&str) -> Option<String>) -> Result<Option<String>, Wrong> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match flaw(text) {
        None => Ok(Some(text.to_owned())),
        Some(flaw) => Err(Wrong::new(format!("is not a cron pattern such as \"30 2 * * *\": {flaw}"))),
    }
}

/// A role of a person, in OneRoster's words or as an extension.
pub fn role(text: &str) -> Result<String, Wrong> {
    let extension = text.strip_prefix("ext:").is_some_and(|rest| !rest.is_empty());
    if extension || ROLES.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(Wrong { what: "is no OneRoster role (own words start with `ext:`)".into(), meant: most_similar(text, ROLES) })
}

/// A column of vendor data that a source keeps.
pub fn metadata(text: &str) -> Result<String, Wrong> {
    match text.strip_prefix("metadata.") {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err(Wrong { what: "does not start with `metadata.`".into(), meant: Some(format!("metadata.{text}")) }),
    }
}

/// What to log: a level, or a list of `part=level`.
pub fn log_filter(text: &str) -> Result<String, Wrong> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    for part in text.split(',') {
        let level = part.rsplit_once('=').map_or(part, |(_, level)| level).trim();
        if !LEVELS.contains(&level) {
            return Err(none_of(level, LEVELS));
        }
    }
    Ok(text.to_owned())
}

fn none_of<'a>(text: &str, words: impl IntoIterator<Item = &'a str> + Clone) -> Wrong {
    let list: Vec<&str> = words.clone().into_iter().collect();
    Wrong { what: format!("is none of {}", list.join(", ")), meant: most_similar(text, words) }
}

/// Where to listen: an address and a port, or nothing for nowhere.
pub fn listen(text: &str) -> Result<Option<SocketAddr>, Wrong> {
    match text {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Wrong::new("is not an address with a port, such as 127.0.0.1:8321")),
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::cron;
    use crate::settings::words::{day, id, log_filter, metadata, nightly, role, weekday, zone};

    #[test]
    fn words_are_taken_or_come_back_with_the_way_out() {
        assert_eq!(zone("europe/london").ok().as_deref(), Some("Europe/London"));
        assert_eq!(zone("Europe/Lundon").err().and_then(|w| w.meant).as_deref(), Some("Europe/London"));
        assert_eq!(role("techer").err().and_then(|w| w.meant).as_deref(), Some("teacher"));
        assert!(role("ext:coach").is_ok());
        assert!(role("ext:").is_err());
        assert_eq!(weekday("sun").ok(), Some(6));
        assert_eq!(weekday("sunday").err().and_then(|w| w.meant).as_deref(), Some("sun"));
        assert_eq!(metadata("program").err().and_then(|w| w.meant).as_deref(), Some("metadata.program"));
        assert!(log_filter("info,rosterd::store=debug").is_ok());
        assert_eq!(log_filter("inof").err().and_then(|w| w.meant).as_deref(), Some("info"));
        assert_eq!(nightly("  ", cron::flaw).ok(), Some(None));
        assert!(nightly("tonight", cron::flaw).is_err());
        assert!(day("01.09.2026").is_err());
        for bad in ["", "a b", "a,b", "a/b", &"x".repeat(65)] {
            assert!(id(bad).is_err(), "{bad}");
        }
        assert!(id("po-1_2.b").is_ok());
    }
}
