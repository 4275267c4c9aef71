//! A patch and the base it was made for back to a roster. What comes out keeps every invariant of the model, or nothing
//! comes out.

use crate::base::{Text, TextArena};
use crate::roster::canon::each_text;
use crate::roster::model::{
    Attribute, ClassIx, CourseIx, OrgIx, PackedEnrollment, Person, RoleWord, Roster, SessionIx, Span, SpanIx,
};
use crate::roster::patch::{NEW, Origins, PATCH, is_identity, moves};
use crate::roster::spans::{SpanTable, tidy};
use crate::roster::unpack::{Bounds, check, unpack_part};
use crate::roster::wire::{PackError, Reader};

const GONE: PackError = PackError::Corrupt("a record of the base points at none of the patch");
const RUNS: PackError = PackError::Corrupt("a patch does not fit its base");

/// Makes the roster that [`patch`](crate::roster::patch()) told, out of the base; with the origins of its records.
///
/// # Errors
/// [`PackError`] as [`unpack`](crate::roster::unpack()), or if the patch does not fit the base.
pub fn apply(base: Roster, chunks: impl FnMut() -> Option<Vec<u8>>) -> Result<(Roster, Origins), PackError> {
    let mut reader = Reader::new(chunks);
    let mark = reader.byte()?;
    if mark != PATCH {
        return Err(PackError::Layout(mark));
    }
    let origins = Origins {
        orgs: take_runs(&mut reader, base.orgs.len())?,
        sessions: take_runs(&mut reader, base.sessions.len())?,
        courses: take_runs(&mut reader, base.courses.len())?,
        classes: take_runs(&mut reader, base.classes.len())?,
        people: take_runs(&mut reader, base.people.len())?,
    };
    let bounds = Bounds {
        orgs: origins.orgs.len(),
        sessions: origins.sessions.len(),
        courses: origins.courses.len(),
        classes: origins.classes.len(),
    };
    let mut news = unpack_part(reader, Some(bounds))?;
    let mut base = base;
    let arena = std::mem::take(&mut news.texts);
    let start = base.texts.append(&arena).map_err(|_| PackError::Corrupt("there are more than 4 GiB of text"))?;
    let moved = |text: &mut Text, _: bool| {
        *text = text.moved(start);
        Ok::<(), PackError>(())
    };
    each_text(&mut news, moved)?;
    let roster = put_together(base, news, &origins)?;
    check(&roster)?;
    Ok((roster, origins))
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

/// Every old record's handles lead to the base until they are moved here.
fn put_together(base: Roster, news: Roster, origins: &Origins) -> Result<Roster, PackError> {
    let texts = &base.texts;
    let words = ids(texts, &mut base.role_words.iter().copied(), &mut news.role_words.iter().copied());
    let names = ids(texts, &mut base.attribute_names.iter().copied(), &mut news.attribute_names.iter().copied());

    let (mut all_orgs, old) = interleave(&base.orgs, news.orgs, &origins.orgs)?;
    let orgs = ids(texts, &mut base.orgs.iter().map(|r| r.id), &mut all_orgs.iter().map(|r| r.id));
    for org in all_orgs.iter_mut().zip(old).filter_map(|(org, old)| old.then_some(org)) {
        org.parent = org.parent.map(|parent| to(&orgs, parent.0).map(OrgIx)).transpose()?;
    }
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

    // The new spans keep their places; those of the base come behind them, as far as their words are there.
    let mut spans = SpanTable::new(news.spans);
    let span = |span: &Span| {
        let role = u16::try_from(words[usize::from(span.role.0)]).ok().map(RoleWord)?;
        Some(spans.ix(Span { role, ..*span }).0)
    };
    let spans_of_base: Vec<u32> = base.spans.iter().map(span).map(|at| at.unwrap_or(NEW)).collect();
    let mut roster = Roster {
        role_words: news.role_words,
        spans: spans.into_spans(),
        attribute_names: news.attribute_names,
        orgs: all_orgs,
        sessions: all_sessions,
        courses: all_courses,
        classes: all_classes,
        people: Vec::with_capacity(origins.people.len()),
        roles: Vec::with_capacity(base.roles.len() + news.roles.len()),
        enrollments: Vec::with_capacity(base.enrollments.len() + news.enrollments.len()),
        attributes: Vec::with_capacity(base.attributes.len() + news.attributes.len()),
        texts: TextArena::default(),
    };
    let stay = [&orgs, &classes, &words, &names].into_iter().all(|moves| is_identity(moves));
    let mut new_people = news.people.iter();
    for &origin in &origins.people {
        let (person, from, is_old) = match base.people.get(origin as usize) {
            Some(person) => (person, (&base.roles, &base.enrollments, &base.attributes), true),
            None => {
                let person = new_people.next().ok_or(RUNS)?;
                (person, (&news.roles, &news.enrollments, &news.attributes), false)
            }
        };
        let slice = |(first, len): (u32, u32)| first as usize..first as usize + len as usize;
        let starts = (roster.roles.len() as u32, roster.enrollments.len() as u32, roster.attributes.len() as u32);
        roster.roles.extend_from_slice(&from.0[slice(person.roles)]);
        for &PackedEnrollment { id, class, span } in &from.1[slice(person.enrollments)] {
            let span = if is_old { SpanIx(to(&spans_of_base, span.0)?) } else { span };
            roster.enrollments.push(PackedEnrollment { id, class, span });
        }
        roster.attributes.extend_from_slice(&from.2[slice(person.attributes)]);
        let mut primary_org = person.primary_org;
        if is_old && !stay {
            primary_org = primary_org.map(|org| to(&orgs, org.0).map(OrgIx)).transpose()?;
            for role in &mut roster.roles[starts.0 as usize..] {
                role.org = OrgIx(to(&orgs, role.org.0)?);
                role.role = RoleWord(to(&words, u32::from(role.role.0))? as u16);
            }
            for enrollment in &mut roster.enrollments[starts.1 as usize..] {
                enrollment.class = ClassIx(to(&classes, enrollment.class.0)?);
            }
            for Attribute { name, .. } in &mut roster.attributes[starts.2 as usize..] {
                *name = to(&names, u32::from(*name))? as u16;
            }
        }
        roster.people.push(Person {
            primary_org,
            roles: (starts.0, person.roles.1),
            enrollments: (starts.1, person.enrollments.1),
            attributes: (starts.2, person.attributes.1),
            ..person.clone()
        });
    }
    if new_people.next().is_some() {
        return Err(RUNS);
    }
    roster.texts = base.texts;
    tidy(&mut roster);
    Ok(roster)
}

#[cfg(test)]
mod tests;
