//! A patch and the base it was made for back to a roster. What comes out keeps every invariant of the model, or nothing
//! comes out.

use crate::base::{Text, TextArena};
use crate::roster::canon::each_text;
use crate::roster::model::{
    Attribute, ClassIx, CourseIx, Org, OrgIx, PackedEnrollment, Person, Role, RoleWord, Roster, SessionIx, Span, SpanIx,
};
use crate::roster::patch::{NEW, Origins, PATCH, moves};
use crate::roster::spans::{SpanTable, tidy};
use crate::roster::unpack::{Bounds, check, unpack_part};
use crate::roster::unpack_one::One;
use crate::roster::wire::{PackError, Reader};

const GONE: PackError = PackError::Corrupt("a record of the base points at none of the patch");
const RUNS: PackError = PackError::Corrupt("a patch does not fit its base");

/// Makes the roster that [`patch`](crate::roster::patch()) told, out of the base; with the origins of its records.
///
/// # Errors
/// [`PackError`] as [`unpack`](crate::roster::unpack()), or if the patch does not fit the base.
pub fn apply(base: Roster, chunks: impl FnMut() -> Option<Vec<u8>>) -> Result<(Roster, Origins), PackError> {
    let (origins, reader) = origins(lens(&base, base.people.len()), chunks)?;
    let news = unpack_part(reader, Some(bounds(&origins)))?;
    Ok((applied(base, news, &origins)?, origins))
}

/// The same for one person: `base` holds at most that one, and so does what comes out.
///
/// # Errors
/// As [`apply`].
pub fn apply_one(base: One, chunks: impl FnMut() -> Option<Vec<u8>>, key: &str) -> Result<Roster, PackError> {
    let One { roster: mut base, at, people } = base;
    let (mut origins, reader) = origins(lens(&base, people as usize), chunks)?;
    let mut news = unpack_part(reader, Some(bounds(&origins)))?;
    let new = news.people.iter().position(|person| news.text(person.key) == key);
    let stays = at.is_some_and(|at| origins.people.contains(&at));
    origins.people = match new {
        Some(_) => vec![NEW],
        None if stays => vec![0],
        None => Vec::new(),
    };
    news.people = new.map(|at| news.people.swap_remove(at)).into_iter().collect();
    if !stays || new.is_some() {
        base.people.clear();
    }
    applied(base, news, &origins)
}

fn lens(base: &Roster, people: usize) -> [usize; 5] {
    [base.orgs.len(), base.sessions.len(), base.courses.len(), base.classes.len(), people]
}

/// Reads what a patch says of its base, whose lists are of these lengths, and its new records.
pub(crate) fn take_patch(base: [usize; 5], chunks: impl FnMut() -> Option<Vec<u8>>) -> Result<(Origins, Roster), PackError> {
    let (origins, reader) = origins(base, chunks)?;
    let news = unpack_part(reader, Some(bounds(&origins)))?;
    Ok((origins, news))
}

fn origins<F: FnMut() -> Option<Vec<u8>>>(
    [orgs, sessions, courses, classes, people]: [usize; 5],
    chunks: F,
) -> Result<(Origins, Reader<F>), PackError> {
    let mut reader = Reader::new(chunks);
    let mark = reader.byte()?;
    if mark != PATCH {
        return Err(PackError::Layout(mark));
    }
    let origins = Origins {
        orgs: take_runs(&mut reader, orgs)?,
        sessions: take_runs(&mut reader, sessions)?,
        courses: take_runs(&mut reader, courses)?,
        classes: take_runs(&mut reader, classes)?,
        people: take_runs(&mut reader, people)?,
    };
    Ok((origins, reader))
}

fn bounds(origins: &Origins) -> Bounds {
    Bounds {
        orgs: origins.orgs.len(),
        sessions: origins.sessions.len(),
        courses: origins.courses.len(),
        classes: origins.classes.len(),
    }
}

/// Puts the texts of new records beside those of the base.
pub(crate) fn join_texts(base: &mut TextArena, news: &mut Roster) -> Result<(), PackError> {
    let arena = std::mem::take(&mut news.texts);
    let start = base.append(&arena).map_err(|_| PackError::Corrupt("there are more than 4 GiB of text"))?;
    let moved = |text: &mut Text, _: bool| {
        *text = text.moved(start);
        Ok::<(), PackError>(())
    };
    each_text(news, None, moved)
}

pub(crate) fn applied(mut base: Roster, mut news: Roster, origins: &Origins) -> Result<Roster, PackError> {
    join_texts(&mut base.texts, &mut news)?;
    let roster = put_together(base, news, origins)?;
    check(&roster)?;
    Ok(roster)
}

fn take_runs<F: FnMut() -> Option<Vec<u8>>>(reader: &mut Reader<F>, base: usize) -> Result<Vec<u32>, PackError> {
    let (total, runs) = (reader.small()? as usize, reader.small()?);
    let mut origins = Vec::new();
    let mut next = 0;
    for _ in 0..runs {
        let (len, from, new) = (reader.small()?, reader.small()?, reader.small()?);
        let end = from.checked_add(len).filter(|&end| end as usize <= base && (len == 0 || from >= next)).ok_or(RUNS)?;
        if new as usize > total.saturating_sub(origins.len() + len as usize) {
            return Err(RUNS);
        }
        origins.extend(from..end);
        origins.resize(origins.len() + new as usize, NEW);
        next = next.max(end);
    }
    if origins.len() == total { Ok(origins) } else { Err(RUNS) }
}

/// Records in the order of their origins: those of the base, and in between the new ones.
fn interleave<T: Clone>(base: &[T], news: Vec<T>, origins: &[u32]) -> Result<(Vec<T>, Vec<bool>), PackError> {
    let mut news = news.into_iter();
    let mut all = Vec::with_capacity(origins.len());
    let mut is_old = Vec::with_capacity(origins.len());
    for &origin in origins {
        let old = base.get(origin as usize);
        is_old.push(old.is_some());
        all.push(old.cloned().or_else(|| news.next()).ok_or(RUNS)?);
    }
    if news.next().is_none() { Ok((all, is_old)) } else { Err(RUNS) }
}

fn to(moves: &[u32], handle: u32) -> Result<u32, PackError> {
    moves.get(handle as usize).copied().filter(|&to| to != NEW).ok_or(GONE)
}

fn ids(texts: &TextArena, old: &mut dyn Iterator<Item = Text>, new: &mut dyn Iterator<Item = Text>) -> Vec<u32> {
    moves((texts, old), (texts, new))
}

/// The orgs of both, and where those of the base stand among them; `texts` has the ids of all.
pub(crate) fn orgs_together(
    texts: &TextArena,
    base: &[Org],
    news: Vec<Org>,
    origins: &[u32],
) -> Result<(Vec<Org>, Vec<u32>), PackError> {
    let (mut all, old) = interleave(base, news, origins)?;
    let moves = ids(texts, &mut base.iter().map(|r| r.id), &mut all.iter().map(|r| r.id));
    for org in all.iter_mut().zip(old).filter_map(|(org, old)| old.then_some(org)) {
        org.parent = org.parent.map(|parent| to(&moves, parent.0).map(OrgIx)).transpose()?;
    }
    Ok((all, moves))
}

/// Every old record's handles lead to the base until they are moved here.
pub(crate) fn put_together(mut base: Roster, mut news: Roster, origins: &Origins) -> Result<Roster, PackError> {
    let texts = &base.texts;
    let words = ids(texts, &mut base.role_words.iter().copied(), &mut news.role_words.iter().copied());
    let names = ids(texts, &mut base.attribute_names.iter().copied(), &mut news.attribute_names.iter().copied());

    let (all_orgs, orgs) = orgs_together(texts, &base.orgs, news.orgs, &origins.orgs)?;
    let (mut all_sessions, old) = interleave(&base.sessions, news.sessions, &origins.sessions)?;
    let sessions = ids(texts, &mut base.sessions.iter().map(|r| r.id), &mut all_sessions.iter().map(|r| r.id));
    for session in all_sessions.iter_mut().zip(old).filter_map(|(session, old)| old.then_some(session)) {
        session.parent = session.parent.map(|parent| to(&sessions, parent.0).map(SessionIx)).transpose()?;
    }
    let (mut all_courses, old) = interleave(&base.courses, news.courses, &origins.courses)?;
    let courses = ids(texts, &mut base.courses.iter().map(|r| r.id), &mut all_courses.iter().map(|r| r.id));
    for course in all_courses.iter_mut().zip(old).filter_map(|(course, old)| old.then_some(course)) {
        course.org = OrgIx(to(&orgs, course.org.0)?);
        course.school_year = course.school_year.map(|year| to(&sessions, year.0).map(SessionIx)).transpose()?;
    }
    let (mut all_classes, old) = interleave(&base.classes, news.classes, &origins.classes)?;
    let classes = ids(texts, &mut base.classes.iter().map(|r| r.id), &mut all_classes.iter().map(|r| r.id));
    for class in all_classes.iter_mut().zip(old).filter_map(|(class, old)| old.then_some(class)) {
        class.school = OrgIx(to(&orgs, class.school.0)?);
        class.course = class.course.map(|course| to(&courses, course.0).map(CourseIx)).transpose()?;
        for session in &mut class.sessions {
            *session = SessionIx(to(&sessions, session.0)?);
        }
    }

    let (of_base, of_news) = (base.enrollments.into_here(&mut base.spans), news.enrollments.into_here(&mut news.spans));
    // The new spans keep their places; those of the base come behind them, as far as their words are there.
    let mut spans = SpanTable::new(news.spans);
    let span = |span: &Span| {
        let role = u16::try_from(words[usize::from(span.role.0)]).ok().map(RoleWord)?;
        Some(spans.ix(Span { role, ..*span }).0)
    };
    let spans_of_base: Vec<u32> = base.spans.iter().map(span).map(|at| at.unwrap_or(NEW)).collect();
    let word = |word: RoleWord| to(&words, u32::from(word.0)).map(|to| RoleWord(to as u16));
    // One list after the other, and that of the base is gone before the next one is made: there is no room for two rosters.
    let (mut people, is_old) = interleave(&base.people, news.people, &origins.people)?;
    drop(base.people);
    let enrollments = linked(
        &people,
        &is_old,
        (of_base, of_news),
        |p| p.enrollments,
        |e| {
            let (class, span) = (ClassIx(to(&classes, e.class.0)?), SpanIx(to(&spans_of_base, e.span.0)?));
            Ok(PackedEnrollment { class, span, ..e })
        },
    )?;
    let roles = linked(
        &people,
        &is_old,
        (base.roles, news.roles),
        |p| p.roles,
        |role| Ok(Role { role: word(role.role)?, org: OrgIx(to(&orgs, role.org.0)?), ..role }),
    )?;
    let attributes = linked(
        &people,
        &is_old,
        (base.attributes, news.attributes),
        |p| p.attributes,
        |attribute| Ok(Attribute { name: to(&names, u32::from(attribute.name))? as u16, ..attribute }),
    )?;
    let mut next = (0, 0, 0);
    for (person, old) in people.iter_mut().zip(is_old) {
        if old {
            person.primary_org = person.primary_org.map(|org| to(&orgs, org.0).map(OrgIx)).transpose()?;
        }
        (person.roles.0, person.enrollments.0, person.attributes.0) = next;
        next = (next.0 + person.roles.1, next.1 + person.enrollments.1, next.2 + person.attributes.1);
    }
    let mut roster = Roster {
        role_words: news.role_words,
        attribute_names: news.attribute_names,
        orgs: all_orgs,
        sessions: all_sessions,
        courses: all_courses,
        classes: all_classes,
        people,
        roles,
        spans: spans.into_spans(),
        enrollments: enrollments.into(),
        attributes,
        texts: base.texts,
    };
    tidy(&mut roster);
    Ok(roster)
}

/// What all people have of one kind, the old ones out of the base with their handles moved.
fn linked<T: Copy>(
    people: &[Person],
    is_old: &[bool],
    (base, news): (Vec<T>, Vec<T>),
    slice: impl Fn(&Person) -> (u32, u32),
    moved: impl Fn(T) -> Result<T, PackError>,
) -> Result<Vec<T>, PackError> {
    let mut all = Vec::with_capacity(base.len() + news.len());
    for (person, &old) in people.iter().zip(is_old) {
        let (first, len) = slice(person);
        let own = first as usize..first as usize + len as usize;
        if !old {
            all.extend_from_slice(&news[own]);
            continue;
        }
        for &record in &base[own] {
            all.push(moved(record)?);
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
