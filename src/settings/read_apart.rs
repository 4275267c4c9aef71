//! Lists of tables that lie apart from the rest, and from one another: they are read by several threads.

use std::ops::Range;

use crate::base::parts;
use crate::settings::place::Place;
use crate::settings::read::{Report, Section};
use crate::settings::tree::Table;

impl Report {
    /// For another reading of the same, or of a part of it.
    pub fn apart(&self) -> Self {
        Self { survey: self.survey, ..Self::in_folder(&self.folder, self.credentials.apart()) }
    }

    /// Adds what the other reading found.
    pub fn join(&self, next: Self) {
        self.problems.borrow_mut().append(&mut next.problems.into_inner());
        self.known.borrow_mut().append(&mut next.known.into_inner());
        self.secrets_absent.borrow_mut().append(&mut next.secrets_absent.into_inner());
        self.advice.borrow_mut().append(&mut next.advice.into_inner());
        self.credentials.join(next.credentials);
    }

    /// Reads the tables of a list from a text each, the texts by several threads; `table` makes a text's table, which is gone
    /// once it was read. `None`, and nothing found, if there is a text of which it makes none.
    pub fn read_apart<T: Send>(
        &self,
        key: &'static str,
        texts: &[&str],
        table: impl for<'t> Fn(&'t str) -> Option<Table<'t>> + Sync,
        read: impl Fn(&Section<'_>) -> T + Sync,
    ) -> Option<Vec<T>> {
        let top = Place::default();
        let list = top.below(key);
        let work = parts::ranges_of_large(texts.len()).into_iter().map(|part| (part, self.apart())).collect();
        let done = parts::each(work, |(part, report): (Range<usize>, Report)| {
            let mut values = Vec::with_capacity(part.len());
            for ix in part {
                let table = table(texts[ix])?;
                values.push(report.table(&table, list.item(&table, ix), &read));
            }
            Some((values, report))
        });
        let mut all = Vec::with_capacity(texts.len());
        for (values, report) in done.into_iter().collect::<Option<Vec<_>>>()? {
            all.extend(values);
            self.join(report);
        }
        Some(all)
    }
}

impl Section<'_> {
    /// What `find` finds of a text, which it is asked for once.
    pub fn flaw(&self, text: &str, find: fn(&str) -> Option<String>) -> Option<String> {
        let mut flaws = self.report.flaws.borrow_mut();
        if let Some(known) = flaws.get(text) {
            return known.clone();
        }
        flaws.entry(text.to_owned()).or_insert(find(text)).clone()
    }
}
