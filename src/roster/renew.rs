//! The stored roster and what is new in a package, made ready to be one.
//!
//! People are touched if the rows that tell of their group say something else than before. All rows of such groups are read,
//! by the intake that reads all rows, upon a roster that has nobody, but what they point at. Everybody else is as before, to
//! the last byte. Whatever this cannot do exactly as a read of the whole package would, it does not do at all.

use crate::base::{ArenaFull, parts};
use crate::roster::blank::blank_class;
use crate::roster::canon::rewrite;
use crate::roster::link::is_linked;
use crate::roster::model::{Class, PersonIx, Roster};
use crate::roster::news::{ClassHash, News};
use crate::roster::rows::Collection;

/// Who is touched.
#[derive(Debug)]
pub struct Renewal {
    /// Positions in the stored roster, sorted.
    pub(crate) touched: Vec<PersonIx>,
    /// The classes of the roster that the rows are read upon, by their position in the stored one.
    pub(crate) classes: Vec<u32>,
}

impl Renewal {
    /// Finds who is touched, and makes the roster that the rows of their groups are to be read upon. `None`: the package has
    /// to be read whole.
    pub fn begin(stored: &Roster, news: &News) -> Option<(Self, Roster)> {
        if is_linked(stored) {
            return None;
        }
        let (touched, frame) = parts::both(|| touched(stored, news), || frame(stored, news));
        let (classes, frame) = frame.ok()?;
        Some((Self { touched, classes }, frame))
    }
}

fn touched(stored: &Roster, news: &News) -> Vec<PersonIx> {
    let grouping = news.prints.grouping();
    let is_touched = |at: &PersonIx| {
        let key = stored.texts.bytes(stored.person(*at).key);
        news.changed.get(grouping.group(key) as usize).copied().unwrap_or(true)
    };
    (0..stored.people.len() as u32).map(PersonIx).filter(is_touched).collect()
}

/// What people point at, of classes those that rows name; and where these were.
fn frame(stored: &Roster, news: &News) -> Result<(Vec<u32>, Roster), ArenaFull> {
    let Roster { role_words, attribute_names, orgs, sessions, courses, .. } = stored;
    let mut frame = Roster {
        role_words: role_words.clone(),
        attribute_names: attribute_names.clone(),
        orgs: orgs.clone(),
        sessions: sessions.clone(),
        courses: courses.clone(),
        ..Roster::default()
    };
    let is_named = |class: &Class| news.classes.contains(&ClassHash::of(stored.text(class.id)));
    let named = (0u32..).zip(&stored.classes).filter(|(_, class)| is_named(class));
    // Nobody asks what else they are.
    let (classes, bare) = named.map(|(at, class)| (at, Class { school: class.school, ..blank_class(class.id) })).unzip();
    frame.classes = bare;
    rewrite(&mut frame, &stored.texts)?;
    Ok((classes, frame))
}

/// Whether a collection begins with such a package.
pub(crate) fn begins(news: &News, what: Collection) -> bool {
    !news.unbegun.contains(&what)
}
