//! People of whom nothing is new and nothing is read: what must still be known of them to say that a roster comes to what a read
//! of everybody would come to.

use crate::base::TextArena;
use crate::roster::model::{ClassIx, Person, PersonIx, RecordHash, Roster, Span};

/// The people of a roster who are bare: it has of them no more than the key.
#[derive(Debug, Default)]
pub struct Bare {
    /// By position.
    pub(crate) is_bare: Vec<bool>,
    /// Ids of all others' roles, which must be nobody's among them.
    pub(crate) roles: Ids,
    /// The same of enrollments.
    pub(crate) enrollments: Ids,
}

impl Bare {
    /// Whether somebody of a roster who is as before and not bare has one of those ids; `same` tells who is as before.
    pub(crate) fn meets(&self, roster: &Roster, same: &[Option<u32>]) -> bool {
        let own = roster.people.iter().zip(same).zip(&self.is_bare).filter(|((_, same), is_bare)| same.is_some() && !**is_bare);
        let is_met = |person: &Person| {
            roster.roles_of(person).iter().any(|role| !role.id.is_zero() && self.roles.has(role.id))
                || roster.packed_of(person).into_iter().any(|(packed, _)| self.enrollments.has(packed.id))
        };
        own.into_iter().any(|((person, _), _)| is_met(person))
    }
}

/// Ids, of which most others are told apart by one look.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    /// Sorted.
    all: Vec<u64>,
    likely: Vec<u64>,
}

impl Ids {
    const BITS: usize = 1 << 22;

    pub(crate) fn of(ids: impl Iterator<Item = RecordHash>) -> Self {
        let mut likely = vec![0; Self::BITS / 64];
        let mut all: Vec<u64> = ids.map(|id| id.bits()).collect();
        all.sort_unstable();
        all.iter().map(|&id| Self::bit(id)).for_each(|(word, bit)| likely[word] |= bit);
        Self { all, likely }
    }

    #[inline]
    fn bit(id: u64) -> (usize, u64) {
        let bit = id as usize % Self::BITS;
        (bit / 64, 1 << (bit % 64))
    }

    #[inline]
    pub(crate) fn has(&self, id: RecordHash) -> bool {
        let id = id.bits();
        let (word, bit) = Self::bit(id);
        self.likely[word] & bit > 0 && self.all.binary_search(&id).is_ok()
    }
}

/// Which of the newer roster's words are used.
#[derive(Debug, Default)]
pub(crate) struct Used(Vec<bool>);

impl Used {
    pub(crate) fn note(&mut self, word: u32) {
        if let Some(used) = self.0.get_mut(word as usize) {
            *used = true;
        }
    }

    /// Whether it is all of them, beside these.
    pub(crate) fn are_all_beside(mut self, others: impl Iterator<Item = u16>) -> bool {
        others.for_each(|word| self.note(word.into()));
        !self.0.contains(&false)
    }
}

/// What is found out of bare people while a stored roster is compared.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    /// Somebody is bare.
    pub(crate) has_bare: bool,
    read: [Ids; 2],
    /// Nobody of the stored roster ended or is quarantined.
    pub(crate) is_plain: bool,
    /// An id is one of those that were read.
    pub(crate) is_met: bool,
    pub(crate) words: Used,
    pub(crate) names: Used,
    /// Roles with an id, and roles that have not ended.
    pub(crate) roles_own: u32,
    pub(crate) roles_living: u32,
    /// Enrollments, and those that have not ended.
    pub(crate) enrollments: u32,
    pub(crate) enrollments_living: u32,
    /// Who teaches which class as its primary teacher, in the newer roster.
    pub(crate) primary: Vec<(ClassIx, PersonIx)>,
}

impl Unread {
    /// For a newer roster and its bare people.
    pub(crate) fn new(bare: Bare, after: &Roster) -> Self {
        let Bare { is_bare, roles, enrollments } = bare;
        Self {
            has_bare: is_bare.contains(&true),
            read: [roles, enrollments],
            is_plain: true,
            words: Used(vec![false; after.role_words.len()]),
            names: Used(vec![false; after.attribute_names.len()]),
            ..Self::default()
        }
    }

    /// Meets the id of a role, or of an enrollment, of a bare person.
    #[inline]
    pub(crate) fn meet(&mut self, what: Link, id: RecordHash) {
        self.is_met |= !id.is_zero() && self.read[what as usize].has(id);
    }
}

/// What has ids of its own and belongs to somebody.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    /// A role.
    Role,
    /// An enrollment.
    Enrollment,
}

/// Which spans of a roster are those of primary teachers.
pub(crate) fn teaches(roster: &Roster, texts: &TextArena) -> Vec<bool> {
    let teacher = roster.role_words.iter().position(|&word| texts.get(word) == "teacher");
    let teaches = |span: &Span| span.primary && !span.ended && Some(usize::from(span.role.0)) == teacher;
    roster.spans.iter().map(teaches).collect()
}
