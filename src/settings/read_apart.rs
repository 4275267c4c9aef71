//! Lists of tables that lie apart from the rest, and from one another: they are read by several threads.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::parts;
use crate::settings::read::{Report, Section, join};
use crate::settings::tree::Node;

impl Report {
    /// For another reading of the same, or of a part of it.
    pub fn apart(&self) -> Self {
        Self { survey: self.survey, ..Self::in_folder(&self.folder, self.credentials.apart()) }
    }

    /// Adds what the other reading found.
    pub fn join(&self, next: Self) {
        self.problems.borrow_mut().append(&mut next.problems.into_inner());
        self.asked.borrow_mut().append(&mut next.asked.into_inner());
        self.secrets_absent.borrow_mut().append(&mut next.secrets_absent.into_inner());
        self.advice.borrow_mut().append(&mut next.advice.into_inner());
        self.credentials.join(next.credentials);
    }

    /// Reads the tables of a list from a text each, the texts by several threads; `table` makes a text's table, which is gone
    /// once it was read. `None`, and nothing found, if there is a text of which it makes none.
    pub fn read_apart<T: Send>(
        &self,
        key: &str,
        texts: &[&str],
        table: impl Fn(&str) -> Option<BTreeMap<String, Node>> + Sync,
        read: impl Fn(&Section<'_>) -> T + Sync,
    ) -> Option<Vec<T>> {
        let work = parts::ranges_of_large(texts.len()).into_iter().map(|part| (part, self.apart())).collect();
        let done = parts::each(work, |(part, report): (Range<usize>, Report)| {
            let value = |ix: usize| Some(report.item(&table(texts[ix])?, (key, ix), key, &read));
            (part.map(value).collect::<Option<Vec<T>>>(), report)
        });
        let (values, reports): (Vec<Option<Vec<T>>>, Vec<Report>) = done.into_iter().unzip();
        let values = values.into_iter().collect::<Option<Vec<_>>>()?;
        reports.into_iter().for_each(|report| self.join(report));
        Some(values.into_iter().flatten().collect())
    }

    /// Reads one of the tables of a list, which goes by its id.
    pub(super) fn item<T>(
        &self,
        table: &BTreeMap<String, Node>,
        (at, ix): (&str, usize),
        path: &str,
        read: impl FnOnce(&Section<'_>) -> T,
    ) -> T {
        let at = match table.get("id") {
            Some(Node::Text(id)) if !id.is_empty() => join(at, id),
            _ => join(at, &format!("#{}", ix + 1)),
        };
        self.table(table, at, path.to_owned(), read)
    }
}

impl Section<'_> {
    /// What `find` finds of a text, which it is asked for once.
    pub fn flaw(&self, text: &str, find: fn(&str) -> Option<String>) -> Option<String> {
        self.report.flaws.borrow_mut().entry(text.to_owned()).or_insert_with_key(|text| find(text)).clone()
    }
}
