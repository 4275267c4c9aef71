//! How the district stands at Clever (clever §9): whether its data is frozen, and since when nothing new can have come.

use crate::base::Instant;
use crate::source::clever::wire::DistrictWire;
use crate::source::oneroster::{Loose, modified};

/// Clever's own words for people are shown so far, in characters.
const WORDS_MAX: usize = 200;

/// A district.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct District {
    pub(crate) id: String,
    pub(crate) name: String,
    /// When its own data had come to Clever, as Clever writes it.
    pub(crate) sync: Option<String>,
    state: String,
    error: String,
    pause: (Option<Instant>, Option<Instant>),
}

impl District {
    pub(crate) fn of(wire: &DistrictWire<'_>) -> Self {
        let at = |value: &Loose<'_>| modified(value).ok().flatten();
        Self {
            id: wire.id.or_empty().to_owned(),
            name: wire.name.or_empty().to_owned(),
            // A cursor is made of words.
            sync: wire.last_sync.text().map(|text| text.replace(' ', "T")),
            state: wire.state.or_empty().to_lowercase(),
            error: wire.error.or_empty().chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect(),
            pause: (at(&wire.pause_start), at(&wire.pause_end)),
        }
    }

    /// What an operator should know of it.
    pub(crate) fn told(&self, now: Instant) -> Vec<String> {
        let (from, to) = self.pause;
        let in_window = from.is_some_and(|from| from <= now) && to.is_none_or(|to| now < to);
        let as_of = self.sync.as_ref().map_or_else(String::new, |sync| format!("; its data is of {sync}"));
        let mut told = Vec::new();
        if self.state == "paused" || in_window {
            let since = from.map_or_else(String::new, |from| format!(" since {from}"));
            let until = to.map_or_else(String::new, |to| format!(" until {to}"));
            told.push(format!("the district is paused at Clever{since}{until}{as_of}"));
        } else if self.state == "error" {
            let why = if self.error.is_empty() { String::new() } else { format!(" ({})", self.error) };
            told.push(format!("Clever cannot read the district's own system{why}{as_of}"));
        } else if self.state == "pending" {
            told.push(format!("Clever is still preparing the district{as_of}"));
        }
        told
    }

    /// In a few words, for `rosterd check`.
    pub(crate) fn text(&self) -> String {
        let Self { id, name, state, .. } = self;
        let state = if state.is_empty() { "unknown" } else { state };
        let sync = self.sync.as_deref().unwrap_or("never");
        format!("district {id} ({name}), state {state}, last sync {sync}")
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Instant;
    use crate::source::clever::district::District;

    #[test]
    fn what_a_district_says_of_itself_is_told() {
        let now = Instant::parse("2026-07-01T00:00:00Z").expect("a moment");
        for (text, told) in [
            (r#"{"id":"d","state":"running","last_sync":"2026-06-30T05:00:00.000Z"}"#, ""),
            (r#"{"id":"d","state":"success"}"#, ""),
            (
                r#"{"state":"paused","pause_start":"2026-06-10T00:00:00Z","pause_end":"2026-08-01T00:00:00Z","last_sync":"X"}"#,
                "the district is paused at Clever since 2026-06-10T00:00:00Z until 2026-08-01T00:00:00Z; its data is of X",
            ),
            (r#"{"state":"running","pause_start":"2026-06-10T00:00:00Z"}"#, "the district is paused at Clever since"),
            (r#"{"state":"running","pause_start":"2026-06-10T00:00:00Z","pause_end":"2026-06-20T00:00:00Z"}"#, ""),
            (r#"{"state":"Paused"}"#, "the district is paused at Clever"),
            (
                r#"{"state":"error","error":"key\nexpired","last_sync":"X"}"#,
                "Clever cannot read the district's own system (keyexpired); its data is of X",
            ),
            (r#"{"state":"pending","error":null}"#, "Clever is still preparing the district"),
        ] {
            let district = District::of(&serde_json::from_str(text).expect("JSON"));
            let found = district.told(now).join("; ");
            assert!(found.starts_with(told) && (told.is_empty() == found.is_empty()), "{text}: {found}");
        }
    }
}
