//! Goes round among all people, by key, and sees to it that everybody is visited of whom anything may come. A night is about
//! few: everybody else's claims are what people of that kind ought to have, as they were the day before.
//!
//! Whoever is of one kind with somebody visited earlier and has claims like theirs is passed over if nothing came of that
//! visit. It would have gone the same way: of the person a visit reads the kind, the claims but for ids and dates, and what
//! there is under the person's own key (pins, a hold, the date of an invitation, a row that could not be read); who has any
//! of that is like nobody else. Everything else it reads is the same all the way, for it asks neither what pools hold nor
//! what was found before. And it leaves nothing behind: a change, a claim in the contest, a seat less or more in a pool all
//! name the person in the plan, by which it is known that something came of it; and words that it would add to the names,
//! the earlier visit did.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::base::parts;
use crate::license::{Claim, ClaimState};
use crate::plan::fate::Fate;
use crate::plan::input::PlanInput;
use crate::plan::needs::Needs;
use crate::plan::pins::Pins;
use crate::plan::reconcile::Walk;
use crate::roster::Person;

/// So many lists of claims are told apart within a kind; people with yet another one are visited.
const LIKES_MAX: usize = 16;

/// Somebody who is like nobody else.
const UNLIKE: u32 = u32::MAX;

/// Visits everybody of whom anything may come.
pub fn go_round(walk: &mut Walk<'_, '_>, needs: &Needs, fates: &BTreeMap<String, Fate>) {
    let (roster, book) = (walk.input.roster, &walk.input.standing.book);
    let missing = |walk: &mut Walk<'_, '_>, at: usize| {
        let key = book.key(at);
        walk.missing(key, book.claims_at(at), fates.get(key).copied());
    };
    let round = Round { input: walk.input, pins: &walk.pins, needs };
    let parts = parts::each_part(roster.people.len(), |own| round.look(own));
    let mut next = 0;
    for Looks { first, people, likes } in parts {
        let mut calm = vec![false; likes];
        for (place, Look { before, is_known, like }) in (first..).zip(people) {
            (next..before as usize).for_each(|at| missing(walk, at));
            next = before as usize + usize::from(is_known);
            let is_calm = calm.get_mut(like as usize);
            if is_calm.as_deref() == Some(&true) {
                continue;
            }
            let (person, claims) = (&roster.people[place], if is_known { book.claims_at(before as usize) } else { &[] });
            let key = roster.text(person.key);
            match needs.of(place) {
                Some(kind) => walk.present(person, kind, claims),
                None => walk.missing(key, claims, fates.get(key).copied()),
            }
            if let Some(is_calm) = is_calm {
                *is_calm = !walk.found();
            }
        }
    }
    (next..book.people.len()).for_each(|at| missing(walk, at));
}

/// What is looked at before anybody is visited.
struct Round<'a> {
    input: &'a PlanInput<'a>,
    pins: &'a Pins<'a>,
    needs: &'a Needs,
}

/// Some of the roster's people, at a glance.
struct Looks {
    /// The position of the first of them.
    first: usize,
    people: Vec<Look>,
    /// So many of them differ in kind or claims.
    likes: usize,
}

/// Somebody of the roster.
struct Look {
    /// How many people of the books come before.
    before: u32,
    /// The next one is the same person.
    is_known: bool,
    /// Those of one part who have the same number here are of one kind and have like claims; or [`UNLIKE`].
    like: u32,
}

impl Round<'_> {
    fn look(&self, own: Range<usize>) -> Looks {
        let (roster, book) = (self.input.roster, &self.input.standing.book);
        let first = own.start;
        let key = roster.people.get(first).map_or("", |person| roster.text(person.key));
        let mut before = book.people.partition_point(|person| book.keys.get(person.key) < key);
        let mut likes: Vec<&[Claim]> = Vec::new();
        let mut by_kind: Vec<Vec<u32>> = vec![Vec::new(); self.needs.kinds()];
        let mut people = Vec::with_capacity(own.len());
        for place in own {
            let person = &roster.people[place];
            let key = roster.text(person.key);
            let mut is_known = false;
            while before < book.people.len() {
                match book.key(before).cmp(key) {
                    Ordering::Less => before += 1,
                    order => {
                        is_known = order.is_eq();
                        break;
                    }
                }
            }
            let claims = if is_known { book.claims_at(before) } else { &[] };
            let kind = self.needs.of(place).filter(|_| self.is_known_by_kind(person, key, claims));
            let like = kind.map_or(UNLIKE, |(kind, _)| like(claims, &mut by_kind[kind], &mut likes));
            people.push(Look { before: before as u32, is_known, like });
            before += usize::from(is_known);
        }
        Looks { first, people, likes: likes.len() }
    }

    /// Whether nothing is said of the person alone: no pins, nothing withheld, all rows could be read, and no clock runs.
    fn is_known_by_kind(&self, person: &Person, key: &str, claims: &[Claim]) -> bool {
        let is_withheld = || self.input.holding.withheld.binary_search_by(|held| held.as_str().cmp(key)).is_ok();
        !person.quarantined
            && !self.pins.contains_key(key)
            && !is_withheld()
            // How long an invitation has been open is counted in days.
            && claims.iter().all(|claim| claim.state != ClaimState::Pending)
    }
}

/// The number of a list of claims within a kind.
fn like<'a>(claims: &'a [Claim], of_kind: &mut Vec<u32>, likes: &mut Vec<&'a [Claim]>) -> u32 {
    let same = |&&like: &&u32| {
        let other = likes[like as usize];
        other.len() == claims.len() && other.iter().zip(claims).all(|(a, b)| are_alike(a, b))
    };
    if let Some(&like) = of_kind.iter().find(same) {
        return like;
    }
    if of_kind.len() == LIKES_MAX {
        return UNLIKE;
    }
    let like = likes.len() as u32;
    likes.push(claims);
    of_kind.push(like);
    like
}

/// Whether two claims differ in nothing but number and dates.
fn are_alike(a: &Claim, b: &Claim) -> bool {
    let Claim { id, since, changed, home: _, reasons: _, priority: _, pool: _, state: _, channel: _, wait: _ } = *b;
    Claim { id, since, changed, ..*a } == *b
}
