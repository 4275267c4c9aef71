//! What surrounds the records of a page (clever §2).

use serde::Deserialize;

use crate::source::clever::wire::{IdWire, LinkWire, Wrapped};
use crate::source::oneroster::{Loose, Many};

/// What a page says of itself.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The hashes of the ids of its records; `None` for a record without one.
    pub(crate) ids: Vec<Option<u64>>,
    /// The id of its last record.
    pub(crate) last: Option<String>,
    /// How many records there are in all.
    pub(crate) count: Option<u64>,
    /// Where the next page is.
    pub(crate) next: Option<String>,
    /// It says where it stands among others.
    pub(crate) has_links: bool,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(default, borrow)]
    data: Option<Vec<Wrapped<IdWire<'a>>>>,
    #[serde(default, borrow)]
    links: Option<Many<LinkWire<'a>>>,
    #[serde(default, borrow)]
    count: Loose<'a>,
}

/// Looks a page through; `None`: there is no list in it.
pub(crate) fn facts(text: &str) -> Result<Option<Facts>, serde_json::Error> {
    let Envelope { data, links, count } = serde_json::from_str(text)?;
    let Some(records) = data else { return Ok(None) };
    let id = |record: &Wrapped<IdWire<'_>>| record.data.0.as_ref().and_then(|wire| wire.id.text()).map(str::to_owned);
    Ok(Some(Facts {
        ids: records.iter().map(|record| id(record).map(|id| xxhash_rust::xxh3::xxh3_64(id.as_bytes()))).collect(),
        last: records.last().and_then(id),
        count: count.text().and_then(|text| text.parse().ok()),
        next: links
            .iter()
            .flat_map(|links| &links.0)
            .find(|link| link.rel.text() == Some("next"))
            .and_then(|link| link.uri.text().map(str::to_owned)),
        has_links: links.is_some(),
    }))
}

#[cfg(test)]
mod tests {
    use crate::source::clever::envelope::facts;

    #[test]
    fn a_page_is_read_for_its_ids_and_its_neighbors() {
        let text = r#"{"data":[{"data":{"id":"a"},"uri":"/x"},{"data":{}},{"uri":"/y"},{"data":{"id":"b"}}],"count":"7",
            "links":[{"rel":"self","uri":"/v3.0/users"},{"rel":"next","uri":"/v3.0/users?starting_after=b"}]}"#;
        let page = facts(text).expect("JSON").expect("a list");
        assert_eq!(page.ids.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!((page.last.as_deref(), page.count, page.has_links), (Some("b"), Some(7), true));
        assert_eq!(page.next.as_deref(), Some("/v3.0/users?starting_after=b"));
        let page = facts(r#"{"data":[]}"#).expect("JSON").expect("a list");
        assert_eq!((page.ids.len(), page.next, page.count, page.has_links), (0, None, None, false));
        assert!(facts(r#"{"message":"no"}"#).expect("JSON").is_none());
        assert!(facts(r#"{"data":[{"data":{"id":"a"}}"#).is_err());
    }
}
