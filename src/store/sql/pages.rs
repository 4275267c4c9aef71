//! The pages of open claims (`claims`), changed in one walk in the order of the keys: each page on the way is read once, made anew
//! and written once. A page holds everybody from its first person up to the next page's; who comes before the first page comes
//! to it.
//!
//! Invariant: of a customer's pages only the last is shorter than a page must be. One that would be takes in the page behind it,
//! so that books that shrink and grow for years stay in few pages. Nobody's key is left in a page, or names one, whose last open
//! claim is gone.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::license::Claim;
use crate::store::record::PageMaker;
use crate::store::sql::books::overlap;
use crate::store::sql::fault::Fault;
use crate::store::sql::many::Many;
use crate::store::sql::people::People;
use crate::store::sql::transaction::{OptionalExtension, Row, Transaction};
use crate::store::sql::value::Params;

/// The page that a person belongs to, unless that comes before all pages …
const PAGE: &str = "SELECT first, body, (SELECT min(first) FROM claims WHERE customer_id = ?1 AND first > pages.first)
     FROM claims pages WHERE customer_id = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1";
/// … and belongs to this one.
const FIRST_PAGE: &str = "SELECT first, body, (SELECT min(first) FROM claims WHERE customer_id = ?1 AND first > pages.first)
     FROM claims pages WHERE customer_id = ?1 ORDER BY first LIMIT 1";
/// The same of many people, for PostgreSQL.
const AHEAD: &str = "SELECT first, body, (SELECT min(first) FROM claims WHERE customer_id = ?1 AND first > pages.first)
     FROM claims pages
     WHERE customer_id = ?1 AND first IN (
         SELECT coalesce((SELECT max(first) FROM claims WHERE customer_id = ?1 AND first <= person),
                         (SELECT min(first) FROM claims WHERE customer_id = ?1))
         FROM unnest(CAST(?2 AS TEXT[])) AS asked (person))";

/// Changes pages; see the module.
pub(in crate::store::sql) struct Pages<'t> {
    tx: &'t Transaction<'t>,
    id: i64,
    put: Many<'t>,
    drop: Many<'t>,
    /// Pages that come next, by their first keys, where reading each by itself is dear.
    ahead: BTreeMap<String, Stored>,
    /// The people up to here, as they are to be stored.
    maker: PageMaker,
    /// Who else is on the page that was read last.
    old: People,
    /// So many of them are dealt with.
    passed: usize,
    /// The first keys of pages that were read, and are gone unless they are written again.
    firsts: Vec<String>,
    reach: Reach,
}

/// How far those go who are read.
enum Reach {
    /// Nobody is read.
    Nowhere,
    /// Up to this person, who is the first on a page.
    Before(String),
    /// There is no page behind.
    End,
}

impl<'t> Pages<'t> {
    /// The pages of a customer; `fresh`: there are none yet.
    pub(in crate::store::sql) fn of(tx: &'t Transaction<'t>, id: i64, fresh: bool) -> Result<Self, Fault> {
        const KEY: [&str; 2] = ["customer_id", "first"];
        Ok(Self {
            tx,
            id,
            put: if fresh {
                Many::add(tx, "claims", &["customer_id", "first", "body"])?
            } else {
                Many::put(tx, "claims", &KEY, &["body"])?
            },
            drop: Many::drop(tx, "claims", &KEY)?,
            ahead: BTreeMap::new(),
            maker: PageMaker::default(),
            old: People::default(),
            passed: 0,
            firsts: Vec::new(),
            reach: if fresh { Reach::End } else { Reach::Nowhere },
        })
    }

    /// Reads the pages of people who come next at once, where that is cheaper than one by one.
    pub(in crate::store::sql) fn look_ahead<'k>(&mut self, people: impl Iterator<Item = &'k str>) -> Result<(), Fault> {
        let Some(session) = self.tx.pg() else { return Ok(()) };
        let people: Vec<&str> = people.filter(|person| !self.reaches(person)).collect();
        let rows = if people.is_empty() { Vec::new() } else { session.query_texts(AHEAD, self.id, &people)? };
        self.ahead.clear();
        for row in &rows {
            let page = stored(Row::Pg(row))?;
            self.ahead.insert(page.first.clone(), page);
        }
        Ok(())
    }

    /// Goes on to a person, who comes after all others so far. Adds the claims as they are stored.
    pub(in crate::store::sql) fn take(&mut self, person: &str, claims: &mut Vec<Claim>) -> Result<(), Fault> {
        while !self.reaches(person) {
            self.pass_rest()?;
            match &self.reach {
                Reach::Before(next) if self.maker.is_short() => self.read_next(&next.clone())?,
                _ => {
                    self.write_rest()?;
                    self.read_page_of(person)?;
                }
            }
        }
        while let Some((key, stored)) = self.old.get(self.passed) {
            if key > person {
                break;
            }
            if key == person {
                claims.extend_from_slice(stored);
            } else {
                self.maker.push(key, stored);
            }
            self.passed += 1;
            self.write_full()?;
        }
        Ok(())
    }

    /// Puts down the claims of the person that the walk is at, if there are any.
    pub(in crate::store::sql) fn give(&mut self, person: &str, claims: &[Claim]) -> Result<(), Fault> {
        if claims.is_empty() {
            return Ok(());
        }
        self.maker.push(person, claims);
        self.write_full()
    }

    /// Puts down a page that was made elsewhere, of people who come after all others so far.
    pub(in crate::store::sql) fn write(&mut self, first: &str, body: &[u8]) -> Result<(), Fault> {
        self.put.write((self.id, first, body)).map(drop)
    }

    /// Goes on behind those whom somebody else put down, but for a page's rest.
    pub(in crate::store::sql) fn go_on(&mut self, maker: PageMaker) {
        self.maker = maker;
    }

    /// Ends the walk.
    pub(in crate::store::sql) fn finish(&mut self) -> Result<(), Fault> {
        self.pass_rest()?;
        while let (true, Reach::Before(next)) = (self.maker.is_short(), &self.reach) {
            self.read_next(&next.clone())?;
            self.pass_rest()?;
        }
        self.write_rest()?;
        self.put.flush()?;
        self.drop.flush().map(drop)
    }

    fn reaches(&self, person: &str) -> bool {
        match &self.reach {
            Reach::Nowhere => false,
            Reach::Before(next) => person < next.as_str(),
            Reach::End => true,
        }
    }

    /// Reads the page that a person belongs to.
    fn read_page_of(&mut self, person: &str) -> Result<(), Fault> {
        // Of a person who was looked ahead for it is there, and none between the two.
        let before = self.ahead.range::<str, _>((Bound::Unbounded, Bound::Included(person))).next_back();
        let ahead = before.or_else(|| self.ahead.first_key_value());
        let page = match ahead.map(|(first, _)| first.clone()) {
            Some(first) => self.ahead.remove(&first),
            None => match self.ask(PAGE, (self.id, person))? {
                None => self.ask(FIRST_PAGE, [self.id])?,
                found => found,
            },
        };
        self.read(page)
    }

    /// Reads the page behind those who are read.
    fn read_next(&mut self, first: &str) -> Result<(), Fault> {
        let page = match self.ahead.remove(first) {
            None => self.ask(PAGE, (self.id, first))?,
            found => found,
        };
        self.read(page)
    }

    fn ask(&self, sql: &str, params: impl Params) -> Result<Option<Stored>, Fault> {
        self.tx.prepare_cached(sql)?.query_row(params, stored).optional()
    }

    fn read(&mut self, page: Option<Stored>) -> Result<(), Fault> {
        self.old.clear();
        self.passed = 0;
        self.reach = Reach::End;
        if let Some(Stored { first, body, next }) = page {
            self.old.add_page(&first, &body)?;
            if let Some(next) = next.as_deref().filter(|next| self.old.last().is_some_and(|last| last >= *next)) {
                return Err(overlap(next));
            }
            self.firsts.push(first);
            self.reach = next.map_or(Reach::End, Reach::Before);
        }
        Ok(())
    }

    /// Leaves the others who were read as they are.
    fn pass_rest(&mut self) -> Result<(), Fault> {
        while let Some((key, claims)) = self.old.get(self.passed) {
            self.maker.push(key, claims);
            self.passed += 1;
            self.write_full()?;
        }
        Ok(())
    }

    fn write_full(&mut self) -> Result<(), Fault> {
        let Self { maker, put, id, firsts, .. } = self;
        maker.next(|first, body| write(put, *id, firsts, first, body))
    }

    fn write_rest(&mut self) -> Result<(), Fault> {
        let Self { maker, put, id, firsts, .. } = self;
        maker.rest(|first, body| write(put, *id, firsts, first, body))?;
        for gone in self.firsts.drain(..) {
            self.drop.write((self.id, gone))?;
        }
        Ok(())
    }
}

fn write(put: &mut Many<'_>, id: i64, firsts: &mut Vec<String>, first: &str, body: &[u8]) -> Result<(), Fault> {
    put.write((id, first, body))?;
    firsts.retain(|read| read != first);
    Ok(())
}

/// A page as it is stored, and the first key behind it.
struct Stored {
    first: String,
    body: Vec<u8>,
    next: Option<String>,
}

fn stored(row: Row<'_>) -> Result<Stored, Fault> {
    Ok(Stored { first: row.get(0)?, body: row.get(1)?, next: row.get(2)? })
}

#[cfg(test)]
mod tests;
