//! Lists of tables; of long ones each part is read by a thread of its own.

use std::collections::BTreeMap;

use crate::base::parts;
use crate::settings::read::{Report, Section, join};
use crate::settings::tree::Node;

impl Report {
    /// For another thread that reads a part of the same.
    fn apart(&self) -> Self {
        Self { survey: self.survey, ..Self::in_folder(&self.folder, self.credentials.apart()) }
    }

    /// Adds what another thread found in the part that comes next.
    fn join(&self, next: Self) {
        self.problems.borrow_mut().append(&mut next.problems.into_inner());
        self.asked.borrow_mut().append(&mut next.asked.into_inner());
        self.secrets_absent.borrow_mut().append(&mut next.secrets_absent.into_inner());
        self.advice.borrow_mut().append(&mut next.advice.into_inner());
        self.credentials.join(next.credentials);
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

    /// A list of tables that may be long; what comes of it is what [`Section::sections`] makes of it.
    pub fn sections_apart<T: Send>(&self, key: &'static str, read: impl Fn(&Section<'_>) -> T + Sync) -> Vec<T> {
        let parts = match self.table.get(key) {
            Some(Node::List(items)) if items.iter().all(|item| matches!(item, Node::Table(_))) => {
                parts::ranges_of_large(items.len()).into_iter().map(|part| (&items[part.clone()], part.start)).collect()
            }
            _ => Vec::new(),
        };
        if parts.len() < 2 {
            return self.sections(key, read);
        }
        self.ask(key);
        let (at, path) = (self.at(key), self.key_of(key));
        let work = parts.into_iter().map(|(items, first)| (items, first, self.report.apart())).collect();
        let done = parts::each(work, |(items, first, report): (&[Node], usize, Report)| {
            let tables = items.iter().zip(first..).filter_map(|(item, at)| Some((item.table()?, at)));
            let values: Vec<T> = tables.map(|(table, ix)| report.item(table, (&at, ix), &path, &read)).collect();
            (values, report)
        });
        let mut all = Vec::new();
        for (mut values, report) in done {
            all.append(&mut values);
            self.report.join(report);
        }
        all
    }
}
