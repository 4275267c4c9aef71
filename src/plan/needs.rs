//! What each person of a roster ought to have, asked of the rules once and kept in four bytes a person: many people are
//! asked for alike. With it a plan can be made when all that the rules looked at is gone from memory.

use hashbrown::HashTable;

use crate::base::{Day, parts};
use crate::license::Audience;
use crate::plan::demand::{Demand, NoNeed, PlanError};
use crate::plan::input::Policy;
use crate::plan::ways::Ways;
use crate::roster::{OrgIx, OrgTree, Person, Roster};

/// The needs of all active people of one roster under one policy on one day.
#[derive(Debug)]
pub struct Needs {
    /// The day they are true on.
    today: Day,
    kinds: Vec<Kind>,
    /// By person: the position of a kind; [`NOBODY`] for people who ended.
    people: Vec<u32>,
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
const NOBODY: u32 = u32::MAX;

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
        Ok(Self { today, kinds: all.list, people })
    }

    /// The day they are true on.
    pub fn today(&self) -> Day {
        self.today
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
            // One word each for priority and reason, so that no need looks like another.
            let (asked, priority) = match demand.need(person, product, rules) {
                Ok(need) => (0, need.priority),
                Err(no) => (1 + no as u32, 0),
            };
            let home = demand.home(person, product).map_or(u32::MAX, |org| org.0);
            words.extend([asked, priority.cast_unsigned(), home, rules.len() as u32]);
            words.extend(rules.iter().map(|&rule| u32::from(rule)));
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
