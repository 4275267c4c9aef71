//! The people of license years as the trail tells them.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{PersonKey, PoolId};
use crate::license::books::PoolBooks;
use crate::license::claim::{ClaimChange, Names};
use crate::license::proof::Flaw;
use crate::license::reuse_year::{Gone, ReuseYear, follow};

/// The people of pools' license years, folded from the trail.
#[derive(Clone, Debug, Default)]
pub struct Reuse {
    /// The license year of each pool whose people are counted.
    pub years: BTreeMap<PoolId, ReuseYear>,
    /// Who had a seat in that year and has none now.
    pub gone: Gone,
}

impl Reuse {
    /// Folds in a change of a claim.
    pub fn change(&mut self, names: &Names, person: &str, change: &ClaimChange) {
        if follow(&mut self.gone, names, person, change)
            && let Some(year) = self.years.get_mut(names.pool_of(&change.after))
        {
            year.distinct += 1;
        }
    }

    /// Whoever is deleted for good stays counted and is nobody any more (R130).
    pub fn purge(&mut self, person: &PersonKey) {
        self.gone.values_mut().for_each(|gone| _ = gone.remove(person.as_str()));
    }

    /// Folds in what was written down of a year, with the pool's books as the commit leaves them.
    ///
    /// # Errors
    /// When that is not what the changes come to.
    pub(crate) fn record(&mut self, year: &ReuseYear, books: Option<&PoolBooks>) -> Result<(), Flaw> {
        let used = books.map(|books| books.counts.used()).unwrap_or_default();
        let allowance = books.and_then(|books| books.allowance.seats).unwrap_or_default();
        let known = self.years.get(&year.pool);
        if known.is_none_or(|known| known.year != year.year) {
            self.gone.insert(year.pool.clone(), BTreeSet::new());
        }
        let expected = ReuseYear::after(known, &year.pool, year.year, used, allowance);
        if expected != *year {
            return Err(Flaw::new(format!("people of {}", year.pool), format!("{expected:?}"), format!("{year:?}")));
        }
        self.years.insert(year.pool.clone(), expected);
        Ok(())
    }
}
