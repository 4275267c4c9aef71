//! The columns of a packed roster before its people, beside the records of a newer one. Of classes nothing is made: one is
//! met by its id, and it is noted whether anything of it differs.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::base::Text;
use crate::roster::model::{Class, Roster};
use crate::roster::pack::TOUCHED;
use crate::roster::patch::{NEW, moves};
use crate::roster::unpack::Unpacker;
use crate::roster::wire::{PackError, push};

/// Positions in the newer roster, by position in the base; [`NEW`] where there is none.
pub(super) struct Frame {
    pub(super) orgs: Vec<u32>,
    pub(super) sessions: Vec<u32>,
    pub(super) courses: Vec<u32>,
    pub(super) words: Vec<u32>,
    pub(super) names: Vec<u32>,
}

/// The classes of the base.
pub(super) struct Classes {
    /// The newer roster's class of the same id.
    pub(super) to: Vec<u32>,
    /// By those that it has no more: their ids.
    pub(super) gone: BTreeMap<u32, Text>,
    pub(super) is_same: Vec<bool>,
    pub(super) schools: Vec<u32>,
    pub(super) ended: Vec<bool>,
}

/// Ids in rising order beside those of the newer roster.
#[derive(Default)]
pub(super) struct Join {
    last: Vec<u8>,
    has_begun: bool,
    pub(super) next: usize,
}

impl Join {
    /// Where the next id stands in the newer roster; [`NEW`] if it does not.
    pub(super) fn step<'a>(&mut self, id: &[u8], other: impl Fn(usize) -> Option<&'a [u8]>) -> Result<u32, PackError> {
        if self.last.as_slice() >= id && self.has_begun {
            return Err(PackError::Corrupt("records are out of order"));
        }
        self.has_begun = true;
        self.last.clear();
        self.last.extend_from_slice(id);
        loop {
            match other(self.next).map(|other| other.cmp(id)) {
                Some(Ordering::Less) => self.next += 1,
                Some(Ordering::Equal) => return Ok(self.next as u32),
                Some(Ordering::Greater) | None => return Ok(NEW),
            }
        }
    }
}

/// The bytes of a text, which may not be there.
pub(super) fn bytes(roster: &Roster, text: Option<Text>) -> &[u8] {
    text.map_or(&b""[..], |text| roster.texts.bytes(text))
}

impl Frame {
    /// When the texts before the classes are read.
    pub(super) fn new<F>(unpacker: &Unpacker<F>, after: &Roster) -> Self {
        let Unpacker { arena, roster, .. } = unpacker;
        macro_rules! ids {
            ($records:ident) => {
                moves(
                    (arena, &mut roster.$records.iter().map(|r| r.id)),
                    (&after.texts, &mut after.$records.iter().map(|r| r.id)),
                )
            };
        }
        let words =
            |old: &[Text], new: &[Text]| moves((arena, &mut old.iter().copied()), (&after.texts, &mut new.iter().copied()));
        Self {
            orgs: ids!(orgs),
            sessions: ids!(sessions),
            courses: ids!(courses),
            words: words(&roster.role_words, &after.role_words),
            names: words(&roster.attribute_names, &after.attribute_names),
        }
    }
}

impl Classes {
    /// Reads the columns of texts.
    pub(super) fn texts<F: FnMut() -> Option<Vec<u8>>>(
        from: &mut Unpacker<F>,
        after: &Roster,
        count: usize,
    ) -> Result<Self, PackError> {
        let (mut to, mut gone, mut join) = (Vec::new(), BTreeMap::new(), Join::default());
        for at in 0..count {
            if at % TOUCHED == 0 {
                // About here are the next ids.
                after.texts.touch(after.classes.iter().skip(join.next).take(TOUCHED * 2).map(|class| class.id));
            }
            let Unpacker { reader, arena, .. } = from;
            let found = reader.text_with(|id| {
                let found = join.step(id, |at| after.classes.get(at).map(|class| after.texts.bytes(class.id)))?;
                if found == NEW {
                    gone.insert(at as u32, push(arena, id)?);
                }
                Ok(found)
            })??;
            to.push(found);
        }
        let mut is_same: Vec<bool> = to.iter().map(|&to| to != NEW).collect();
        macro_rules! once {
            ($field:ident) => {
                let field = |to: &u32| after.classes.get(*to as usize).map(|class: &Class| class.$field);
                for (is_same, to) in is_same.chunks_mut(TOUCHED).zip(to.chunks(TOUCHED)) {
                    after.texts.touch(to.iter().filter_map(field));
                    for (is_same, to) in is_same.iter_mut().zip(to) {
                        let other = bytes(after, field(to));
                        *is_same &= from.reader.text_with(|text| text == other)?;
                    }
                }
            };
        }
        macro_rules! again {
            ($field:ident) => {
                for (is_same, &to) in is_same.iter_mut().zip(&to) {
                    let text = from.again()?;
                    *is_same &=
                        from.arena.bytes(text) == bytes(after, after.classes.get(to as usize).map(|class| class.$field));
                }
            };
        }
        once!(title);
        again!(kind);
        once!(code);
        again!(grades);
        again!(subjects);
        again!(subject_codes);
        Ok(Self { to, gone, is_same, schools: Vec::new(), ended: Vec::new() })
    }

    /// Reads the columns of numbers.
    pub(super) fn places<F: FnMut() -> Option<Vec<u8>>>(
        &mut self,
        from: &mut Unpacker<F>,
        frame: &Frame,
        after: &Roster,
    ) -> Result<(), PackError> {
        let bounds = from.bounds;
        let Self { to, is_same, schools, ended, .. } = self;
        macro_rules! column {
            ($class:ident => $same:expr) => {
                for (is_same, &to) in is_same.iter_mut().zip(&*to) {
                    let $class = after.classes.get(to as usize);
                    *is_same &= $same;
                }
            };
        }
        column!(class => {
            let course = from.optional(bounds.courses)?.map(|course| frame.courses[course as usize]);
            class.is_some_and(|class| class.course.map(|course| course.0) == course)
        });
        column!(class => {
            let school = from.handle(bounds.orgs)?;
            schools.push(school);
            class.is_some_and(|class| class.school.0 == frame.orgs[school as usize])
        });
        let mut own = Vec::new();
        column!(class => {
            own.clear();
            for _ in 0..from.reader.small()? {
                own.push(frame.sessions[from.handle(bounds.sessions)? as usize]);
            }
            class.is_some_and(|class| class.sessions.iter().map(|session| session.0).eq(own.iter().copied()))
        });
        column!(class => {
            ended.push(from.flags(1)? == 1);
            class.is_some_and(|class| ended.last() == Some(&class.ended))
        });
        let mut last = 0;
        column!(class => {
            let modified = from.stamp(&mut last)?;
            class.is_some_and(|class| class.modified == modified)
        });
        Ok(())
    }
}
