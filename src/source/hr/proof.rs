//! When is a list complete? (hr-sources §2.4, §6, R103) Functions of what pages say and hold.

use std::collections::HashSet;

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

/// Adds up pages.
#[derive(Default)]
pub(crate) struct Proof {
    ids: HashSet<u64>,
    nameless: u64,
    rows: u64,
    /// The largest total told.
    total: u64,
    /// Some page told of more records than it has.
    counts_all: bool,
    /// The first total told.
    first_total: Option<u64>,
}

impl Proof {
    /// Records so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    fn distinct(&self) -> u64 {
        self.ids.len() as u64 + self.nameless
    }

    /// Whether as many came as were told.
    pub(crate) fn has_all(&self) -> bool {
        self.rows > 0 && self.distinct() >= self.total
    }

    /// Whether the totals may be those of pages: none of them was larger than its page.
    pub(crate) fn may_count_pages(&self) -> bool {
        !self.counts_all && self.rows > 1
    }

    fn take(&mut self, ids: &[Option<u64>]) -> Result<(), String> {
        let before = self.distinct();
        for id in ids {
            match id {
                Some(id) => _ = self.ids.insert(*id),
                None => self.nameless += 1,
            }
        }
        self.rows += ids.len() as u64;
        if !ids.is_empty() && self.distinct() == before {
            return Err("a page has nothing but records of earlier pages: the server may ignore where a page starts".to_owned());
        }
        Ok(())
    }

    /// A page of SCIM: the list ends with an empty page. Totals may be those of pages, records may come twice; what was told
    /// must have come, and where totals prove nothing nothing may have come twice.
    pub(crate) fn scim_page(&mut self, ids: &[Option<u64>], total: Option<u64>) -> Step {
        let Some(total) = total else {
            return Step::Broken("a page does not say totalResults".to_owned());
        };
        self.total = self.total.max(total);
        self.counts_all |= total > ids.len() as u64;
        if let Err(why) = self.take(ids) {
            return Step::Broken(why);
        }
        if !ids.is_empty() {
            return Step::More;
        }
        let (distinct, twice) = (self.distinct(), self.rows - self.distinct());
        if distinct < self.total {
            return Step::Broken(format!("there should be {} records, and only {distinct} came", self.total));
        }
        if twice > 0 && distinct > self.total {
            return Step::Broken(format!("{twice} records came twice, and no total tells whether all came"));
        }
        Step::End
    }

    /// A numbered page: it tells the total and whether there are more, and nothing comes twice.
    pub(crate) fn numbered_page(&mut self, ids: &[Option<u64>], total: Option<u64>, more: bool) -> Step {
        let Some(total) = total else {
            return Step::Broken("a page does not say how many records there are".to_owned());
        };
        let first = *self.first_total.get_or_insert(total);
        self.total = total;
        if first != total {
            return Step::Broken(format!("the total changed from {first} to {total} in the meantime"));
        }
        if let Err(why) = self.take(ids) {
            return Step::Broken(why);
        }
        let distinct = self.distinct();
        if self.rows > distinct {
            return Step::Broken(format!("{} records came twice: they moved while they were read", self.rows - distinct));
        }
        if distinct > total {
            return Step::Broken(format!("there are more records than the {total} that there should be"));
        }
        match (more, ids.is_empty()) {
            (true, false) => Step::More,
            (true, true) => Step::Broken("a page is empty and says that there are more".to_owned()),
            (false, _) if distinct < total => {
                Step::Broken(format!("there should be {total} records, and only {distinct} came"))
            }
            (false, _) => Step::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use crate::source::hr::proof::{Proof, Step};

    fn scim(pages: &[(Range<u64>, Option<u64>)]) -> (usize, Step) {
        let mut proof = Proof::default();
        for (at, (ids, total)) in pages.iter().enumerate() {
            let step = proof.scim_page(&ids.clone().map(Some).collect::<Vec<_>>(), *total);
            if step != Step::More {
                return (at + 1, step);
            }
        }
        (pages.len(), Step::More)
    }

    #[test]
    fn scim_lists_end_with_an_empty_page_that_adds_up() {
        for (what, pages) in [
            ("honest", vec![(0..5, Some(7)), (5..7, Some(7)), (7..7, Some(7))]),
            ("nobody", vec![(0..0, Some(0))]),
            ("fewer than asked for in the middle", vec![(0..5, Some(9)), (5..6, Some(9)), (6..9, Some(9)), (9..9, Some(9))]),
            ("totals of pages", vec![(0..5, Some(5)), (5..8, Some(3)), (8..8, Some(0))]),
            ("off by one: one comes twice", vec![(0..5, Some(7)), (4..7, Some(7)), (7..7, Some(7))]),
        ] {
            assert_eq!(scim(&pages), (pages.len(), Step::End), "{what}");
        }
        for (told, pages) in [
            ("only 5 came", vec![(0..5, Some(7)), (5..5, Some(7))]),
            ("only 0 came", vec![(0..0, Some(7))]),
            ("only 7 came", vec![(0..5, Some(8)), (5..7, Some(7)), (7..7, Some(7))]),
            ("nothing but records of earlier", vec![(0..5, Some(9)), (0..5, Some(9))]),
            ("came twice, and no total", vec![(0..5, Some(5)), (4..8, Some(4)), (8..8, Some(0))]),
            ("does not say totalResults", vec![(0..5, None)]),
        ] {
            let (at, step) = scim(&pages);
            let Step::Broken(why) = step else { panic!("{told}: {step:?}") };
            assert!(why.contains(told) && at == pages.len(), "{told}: {why}");
        }
    }

    #[test]
    fn numbered_pages_must_agree() {
        let run = |pages: &[(Range<u64>, Option<u64>, bool)]| {
            let mut proof = Proof::default();
            let mut last = Step::More;
            for (ids, total, more) in pages {
                assert_eq!(last, Step::More, "went on after its end");
                last = proof.numbered_page(&ids.clone().map(Some).collect::<Vec<_>>(), *total, *more);
            }
            last
        };
        assert_eq!(run(&[(0..5, Some(7), true), (5..7, Some(7), false)]), Step::End);
        assert_eq!(run(&[(0..0, Some(0), false)]), Step::End);
        for (told, pages) in [
            ("only 5 came", vec![(0..5, Some(7), false)]),
            ("changed from 7 to 8", vec![(0..5, Some(7), true), (5..8, Some(8), false)]),
            ("came twice", vec![(0..5, Some(9), true), (4..8, Some(9), false)]),
            ("more records than the 4", vec![(0..5, Some(4), false)]),
            ("says that there are more", vec![(0..5, Some(7), true), (5..5, Some(7), true)]),
            ("nothing but records of earlier", vec![(0..5, Some(9), true), (0..5, Some(9), true)]),
            ("does not say how many", vec![(0..5, None, false)]),
        ] {
            let step = run(&pages);
            assert!(matches!(&step, Step::Broken(why) if why.contains(told)), "{told}: {step:?}");
        }
    }
}
