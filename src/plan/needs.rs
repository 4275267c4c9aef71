//! What each person of a roster ought to have, asked of the rules once and kept in four bytes a person: many people are
//! asked for alike. With it a plan can be made when all that the rules looked at is gone from memory.

use hashbrown::HashTable;

use crate::base::{Day, parts};
use crate::license::Audience;
use crate::plan::dates::next_date;
use crate::plan::demand::{Demand, NoNeed, PlanError};
use crate::plan::input::Policy;
use crate::plan::ways::Ways;
use crate::roster::{OrgIx, OrgTree, Person, Roster};

/// The needs of all active people of one roster under one policy on one day.
#[derive(Debug)]
pub struct Needs {
    /// The day they are true on.
    pub(super) today: Day,
    /// The first day after it on which a role or an enrollment begins, or was there for the last time the day before.
    pub(super) until: Day,
    pub(super) kinds: Vec<Kind>,
    /// By person: the position of a kind; [`NOBODY`] for people who ended.
    pub(super) people: Vec<u32>,
}

/// What people of one kind ought to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Which pools they draw from.
    pub(crate) audience: Audience,
    /// By product.
    pub(crate) wants: Vec<Want>,
}

/// What the rules say of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Want {
    /// The priority with which it is asked for, or why it is not.
    pub(crate) need: Result<i32, NoNeed>,
    /// The rules that ask, by position in the policy; some of them ask in vain.
    pub(crate) rules: Vec<u16>,
    /// The home org of a claim.
    pub(crate) home: Option<OrgIx>,
}

/// The kind of somebody who ended.
pub(super) const NOBODY: u32 = u32::MAX;

impl Needs {
    /// Asks the rules about everybody.
    ///
    /// # Errors
    /// [`PlanError`] names every org that the settings mention and the roster does not know.
    pub fn new(policy: &Policy, roster: &Roster, today: Day) -> Result<Self, PlanError> {
        let tree = OrgTree::new(roster);
        let demand = Demand::new(policy, roster, &tree, today).map_err(PlanError)?;
        let ways = Ways::new(policy, roster, &tree);
        let asked = parts::each_part(roster.people.len(), |own| {
            let mut kinds = Kinds::default();
            let mut asking = Asking { policy, demand: &demand, ways: &ways, rules: Vec::new(), words: Vec::new() };
            let kind = |person: &Person| if person.ended { NOBODY } else { asking.kind(person, &mut kinds) };
            let people: Vec<u32> = roster.people[own].iter().map(kind).collect();
            (kinds, people)
        });
        let mut all = Kinds::default();
        let mut people = Vec::with_capacity(roster.people.len());
        for (kinds, of) in asked {
            let to: Vec<u32> = kinds.words.iter().zip(kinds.list).map(|(words, kind)| all.ix(words, || kind)).collect();
            people.extend(of.into_iter().map(|kind| to.get(kind as usize).copied().unwrap_or(NOBODY)));
        }
        Ok(Self { today, until: next_date(roster.roles.iter(), roster.spans.iter(), today), kinds: all.list, people })
    }

    /// Those of a roster made of the one that these are of; whatever people point at stands where it stood. `olds` tells for
    /// each person the position in that one of whoever is the same; only the others are asked for. `None`: these do not hold
    /// on that day any more.
    ///
    /// # Errors
    /// Those of [`Needs::new`].
    pub fn renewed(
        self,
        policy: &Policy,
        (roster, olds): (&Roster, &[Option<u32>]),
        today: Day,
    ) -> Result<Option<Self>, PlanError> {
        if !(self.today..self.until).contains(&today) {
            return Ok(None);
        }
        let tree = OrgTree::new(roster);
        let demand = Demand::new(policy, roster, &tree, today).map_err(PlanError)?;
        let ways = Ways::new(policy, roster, &tree);
        let mut kinds = Kinds::default();
        for kind in self.kinds {
            kinds.ix(&words_of(&kind), || kind);
        }
        let mut asking = Asking { policy, demand: &demand, ways: &ways, rules: Vec::new(), words: Vec::new() };
        let mut asked: Vec<&Person> = Vec::new();
        let mut people = Vec::with_capacity(roster.people.len());
        for (person, old) in roster.people.iter().zip(olds) {
            let known = old.and_then(|old| self.people.get(old as usize));
            people.push(match known {
                Some(&known) => known,
                None if person.ended => NOBODY,
                None => {
                    asked.push(person);
                    asking.kind(person, &mut kinds)
                }
            });
        }
        let roles = asked.iter().flat_map(|person| roster.roles_of(person));
        let spans = asked.iter().flat_map(|person| roster.packed_of(person).into_iter());
        let spans = spans.map(|(packed, _)| &roster.spans[packed.span.0 as usize]);
        let until = self.until.min(next_date(roles, spans, today));
        Ok(Some(Self { today, until, kinds: kinds.list, people }))
    }

    /// The day they are true on.
    pub fn today(&self) -> Day {
        self.today
    }

    /// The same needs, and nobody of one kind with anybody else: nothing that was found out about one person is held to be
    /// true of another. A plan for these is the same plan, made the long way.
    #[must_use]
    pub fn apart(&self) -> Self {
        let Self { today, until, kinds, people } = self;
        let mut apart = Self { today: *today, until: *until, kinds: Vec::new(), people: Vec::new() };
        for &kind in people {
            let own = kinds.get(kind as usize);
            apart.people.push(own.map_or(NOBODY, |_| apart.kinds.len() as u32));
            apart.kinds.extend(own.cloned());
        }
        apart
    }

    /// How many kinds of people there are.
    pub(crate) fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// The kind of the person at a position of the roster; `None` for people who ended.
    pub(crate) fn of(&self, person: usize) -> Option<(usize, &Kind)> {
        let kind = *self.people.get(person)? as usize;
        self.kinds.get(kind).map(|found| (kind, found))
    }
}

/// Kinds in order of first mention, found by words that tell one from another.
#[derive(Default)]
struct Kinds {
    index: HashTable<u32>,
    words: Vec<Vec<u32>>,
    list: Vec<Kind>,
}

impl Kinds {
    fn ix(&mut self, words: &[u32], kind: impl FnOnce() -> Kind) -> u32 {
        let (known, hash) = (&self.words, hash(words));
        if let Some(&at) = self.index.find(hash, |&at| known[at as usize] == words) {
            return at;
        }
        let at = self.list.len() as u32;
        self.words.push(words.to_vec());
        self.list.push(kind());
        let known = &self.words;
        self.index.insert_unique(hash, at, |&at| self::hash(&known[at as usize]));
        at
    }
}

fn hash(words: &[u32]) -> u64 {
    // Words mix well enough one by one: there are a dozen, and few kinds. The high bits are the good ones.
    let mix = |hash: u64, word: &u32| (hash ^ u64::from(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    words.iter().fold(words.len() as u64, mix)
}

/// The words that tell a kind from all others.
fn words_of(kind: &Kind) -> Vec<u32> {
    let mut words = vec![kind.audience as u32];
    for Want { need, rules, home } in &kind.wants {
        put_words(need.map_or_else(|no| (1 + no as u32, 0), |priority| (0, priority)), *home, rules, &mut words);
    }
    words
}

/// One word each for priority and reason, so that no need looks like another.
fn put_words((asked, priority): (u32, i32), home: Option<OrgIx>, rules: &[u16], words: &mut Vec<u32>) {
    words.extend([asked, priority.cast_unsigned(), home.map_or(u32::MAX, |org| org.0), rules.len() as u32]);
    words.extend(rules.iter().map(|&rule| u32::from(rule)));
}

/// Asks about one person after the other.
struct Asking<'a> {
    policy: &'a Policy,
    demand: &'a Demand<'a>,
    ways: &'a Ways<'a>,
    rules: Vec<u16>,
    words: Vec<u32>,
}

impl Asking<'_> {
    fn kind(&mut self, person: &Person, kinds: &mut Kinds) -> u32 {
        let Self { policy, demand, ways, rules, words } = self;
        let audience = ways.audience_of(person);
        words.clear();
        words.push(audience as u32);
        for product in (0u16..).take(policy.products.len()) {
            let asked = match demand.need(person, product, rules) {
                Ok(need) => (0, need.priority),
                Err(no) => (1 + no as u32, 0),
            };
            put_words(asked, demand.home(person, product), rules, words);
        }
        kinds.ix(words, || {
            let want = |product| {
                let need = demand.need(person, product, rules).map(|need| need.priority);
                Want { need, rules: rules.clone(), home: demand.home(person, product) }
            };
            Kind { audience, wants: (0u16..).take(policy.products.len()).map(want).collect() }
        })
    }
}
