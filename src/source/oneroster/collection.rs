//! When is a collection complete? (oneroster-rest §3, R103)
//!
//! Providers leave out counts, clamp pages, count a page where they should count all, ignore offsets, and go on changing while
//! they are read. So nothing they say is believed alone: the pages must add up to the total, the total must stay, no page
//! may repeat another, and the end must be seen: an empty page, or links that name no next one.

use std::sync::Arc;

use crate::roster::Room;
use crate::source::oneroster::ids::Ids;

/// What one page says of itself, beside its records.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PageFacts {
    /// How many records it has by its own account.
    pub(crate) count: Option<u64>,
    /// How many there are in all.
    pub(crate) total: Option<u64>,
    /// Whether links name a next page; `None`: there are no links.
    pub(crate) next: Option<bool>,
}

/// What a page leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// There may be more.
    More,
    /// That is all of it.
    End,
    /// It does not add up.
    Broken(String),
}

/// Adds up the pages of one collection.
#[derive(Default)]
pub(crate) struct Proof {
    ids: Ids,
    rows: u64,
    nameless: u64,
    pages: u64,
    total: Option<u64>,
    /// Totals that are sizes of pages say nothing.
    page_sized: bool,
    /// All totals so far were those of their pages.
    sized_so_far: bool,
    /// Changes may name a record twice.
    changes: bool,
}

impl Proof {
    /// Before the first page; `changes`: the collection was asked for changes only; `room`: where very many ids go.
    pub(crate) fn new(changes: bool, room: Option<Arc<dyn Room>>) -> Self {
        Self { ids: Ids::new(room), changes, sized_so_far: true, ..Self::default() }
    }

    /// Records so far: the offset of the next page.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the records so far are as many as there are in all, by the provider's account.
    pub(crate) fn has_all(&mut self) -> bool {
        let Some(total) = self.total.filter(|_| !self.page_sized) else { return false };
        self.rows >= total && self.distinct() == Ok(total)
    }

    /// Whether the total may be that of a page: there was one page, and its total is its size.
    pub(crate) fn may_count_a_page(&self) -> bool {
        self.sized_so_far && self.rows > 1
    }

    /// How many different records there were; never more than rows.
    fn distinct(&mut self) -> Result<u64, String> {
        Ok(self.ids.distinct()? + self.nameless)
    }

    /// Whether there were more different records than so many. As long as there are no more rows, nobody has to count.
    fn exceeds(&mut self, total: u64) -> Result<bool, String> {
        Ok(self.rows > total && self.distinct()? > total)
    }

    /// Takes a page: the hashes of its ids (`None` for a record without one) and what it says of itself.
    pub(crate) fn page(&mut self, ids: &[Option<u64>], facts: PageFacts) -> Step {
        self.try_page(ids, facts).unwrap_or_else(Step::Broken)
    }

    fn try_page(&mut self, ids: &[Option<u64>], facts: PageFacts) -> Result<Step, String> {
        let rows = ids.len() as u64;
        self.pages += 1;
        if let Some(count) = facts.count.filter(|count| *count != rows) {
            return Err(format!("a page has {rows} records and says that they are {count}"));
        }
        let nameless = ids.iter().filter(|id| id.is_none()).count() as u64;
        self.nameless += nameless;
        self.rows += rows;
        let is_asked = !self.changes && nameless == 0;
        let is_new = self.ids.page(ids.iter().copied().flatten(), is_asked)? || nameless > 0;
        if rows > 0 && !is_new && !self.changes {
            return Err("a page has nothing but records of earlier pages: the server may ignore `offset`".to_owned());
        }
        self.compare_total(rows, facts.total)?;
        let total = self.total.filter(|_| !self.page_sized);
        if rows > 0 && (facts.next == Some(true) || facts.next.is_none() || total.is_some_and(|total| self.rows < total)) {
            return Ok(Step::More);
        }
        if facts.next == Some(true) && total.is_none() {
            return Err("a page is empty and names a next one".to_owned());
        }
        let distinct = self.distinct()?;
        if !self.changes && distinct != self.rows {
            return Err(format!("{} records came twice: they moved while they were read", self.rows - distinct));
        }
        match total {
            Some(total) if total > distinct => Err(format!("there should be {total} records, and only {distinct} came")),
            _ => Ok(Step::End),
        }
    }

    fn compare_total(&mut self, rows: u64, total: Option<u64>) -> Result<(), String> {
        if self.page_sized {
            return Ok(());
        }
        let Some(total) = total else {
            return match self.total {
                Some(known) if rows > 0 => Err(format!("a page does not say the total, earlier ones said {known}")),
                _ => Ok(()),
            };
        };
        if self.total.is_none() && self.pages > 1 {
            return Err(format!("a page says {total} in all, earlier ones did not say"));
        }
        // A last page with nothing on it agrees with both: with a total, and with the size of a page.
        self.sized_so_far &= total == rows || rows == 0;
        let known = *self.total.get_or_insert(total);
        let differs = known != total;
        let exceeds = self.exceeds(total)?;
        if (differs || exceeds) && self.sized_so_far && self.pages > 1 {
            if rows == 0 && total == 0 || rows > 0 {
                self.page_sized = true;
                return Ok(());
            }
            return Err(format!("the total changed from {known} to {total} in the meantime"));
        }
        if differs {
            return Err(format!("the total changed from {known} to {total} in the meantime"));
        }
        if exceeds && !self.changes {
            return Err(format!("there are more records than the {total} that there should be"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::source::oneroster::collection::{PageFacts, Proof, Step};

    struct Page(std::ops::Range<u64>, Option<u64>, Option<bool>);

    fn run(pages: &[Page]) -> (usize, Step) {
        let mut proof = Proof::new(false, None);
        for (at, Page(ids, total, next)) in pages.iter().enumerate() {
            let ids: Vec<Option<u64>> = ids.clone().map(Some).collect();
            let step = proof.page(&ids, PageFacts { count: None, total: *total, next: *next });
            if step != Step::More {
                return (at + 1, step);
            }
        }
        (pages.len(), Step::More)
    }

    #[test]
    fn ends_that_prove_themselves() {
        let none: (Option<u64>, Option<bool>) = (None, None);
        for (what, pages) in [
            (
                "no headers: until an empty page",
                vec![Page(0..5, none.0, none.1), Page(5..7, None, None), Page(7..7, None, None)],
            ),
            (
                "a short page is not the end",
                vec![Page(0..5, None, None), Page(5..6, None, None), Page(6..11, None, None), Page(0..0, None, None)],
            ),
            (
                "a total, and an empty page",
                vec![Page(0..5, Some(7), None), Page(5..7, Some(7), None), Page(0..0, Some(7), None)],
            ),
            ("a total, and an empty page that says none", vec![Page(0..7, Some(7), None), Page(0..0, None, None)]),
            ("a total and links", vec![Page(0..5, Some(7), Some(true)), Page(5..7, Some(7), Some(false))]),
            ("links alone", vec![Page(0..5, None, Some(true)), Page(5..7, None, Some(false))]),
            ("nothing at all", vec![Page(0..0, Some(0), None)]),
            ("nothing, and no headers", vec![Page(0..0, None, None)]),
            (
                "totals of pages: more came than there should be",
                vec![
                    Page(0..5, Some(5), None),
                    Page(5..10, Some(5), None),
                    Page(10..12, Some(2), None),
                    Page(0..0, Some(0), None),
                ],
            ),
            (
                "totals of pages: the second one is smaller",
                vec![Page(0..5, Some(5), None), Page(5..8, Some(3), None), Page(0..0, Some(0), None)],
            ),
            ("totals of pages and one page", vec![Page(0..5, Some(5), None), Page(0..0, Some(0), None)]),
        ] {
            assert_eq!(run(&pages), (pages.len(), Step::End), "{what}");
        }
    }

    #[test]
    fn what_does_not_add_up() {
        for (told, pages) in [
            ("only 7 came", vec![Page(0..5, Some(9), None), Page(5..7, Some(9), None), Page(0..0, Some(9), None)]),
            ("only 7 came", vec![Page(0..7, Some(9), None), Page(0..0, None, None)]),
            ("changed from 9 to 10", vec![Page(0..5, Some(9), None), Page(5..9, Some(10), None)]),
            ("changed from 9 to 8", vec![Page(0..5, Some(9), Some(true)), Page(5..9, Some(8), Some(false))]),
            ("changed from 5 to 6", vec![Page(0..5, Some(5), None), Page(5..6, Some(6), None)]),
            ("more records than the 4", vec![Page(0..5, Some(4), None)]),
            ("nothing but records of earlier pages", vec![Page(0..5, None, None), Page(0..5, None, None)]),
            ("nothing but records of earlier pages", vec![Page(0..5, Some(20), None), Page(0..5, Some(20), None)]),
            ("1 records came twice", vec![Page(0..5, None, None), Page(4..8, None, None), Page(0..0, None, None)]),
            ("1 records came twice", vec![Page(0..5, Some(9), Some(true)), Page(4..8, Some(9), Some(false))]),
            ("empty and names a next one", vec![Page(0..5, None, Some(true)), Page(0..0, None, Some(true))]),
            (
                "empty and names a next one",
                vec![Page(0..5, Some(5), None), Page(5..8, Some(3), None), Page(0..0, Some(0), Some(true))],
            ),
            ("does not say the total", vec![Page(0..5, Some(9), None), Page(5..9, None, None)]),
            ("earlier ones did not say", vec![Page(0..5, None, None), Page(5..9, Some(9), None)]),
        ] {
            let (at, step) = run(&pages);
            let Step::Broken(why) = step else { panic!("{told}: {step:?}") };
            assert!(why.contains(told) && at == pages.len(), "{told}: {why}");
        }
        let miscounted = Proof::new(false, None).page(&[Some(1)], PageFacts { count: Some(2), ..PageFacts::default() });
        assert!(matches!(miscounted, Step::Broken(why) if why.contains("says that they are 2")));
    }

    #[test]
    fn records_without_ids_count_and_changes_may_repeat() {
        let mut proof = Proof::new(false, None);
        let facts = PageFacts { total: Some(3), next: Some(false), ..PageFacts::default() };
        assert_eq!(proof.page(&[None, None, Some(1)], facts), Step::End);
        let mut proof = Proof::new(true, None);
        assert_eq!(proof.page(&[Some(1), Some(1)], PageFacts::default()), Step::More);
        assert_eq!(proof.page(&[Some(1)], PageFacts::default()), Step::More);
        assert_eq!(proof.page(&[], PageFacts::default()), Step::End);
    }
}
