//! All rows of a read, in the order of the intake: from the lists themselves, or the last states that events tell.

use crate::roster::Collection;
use crate::source::clever::changes::{About, Changes, about};
use crate::source::clever::district::District;
use crate::source::clever::feed::Feed;
use crate::source::clever::fetch::{List, Stored, each_page};
use crate::source::clever::wire::{CourseWire, EventWire, SchoolWire, SectionWire, TermWire, UserWire, Wrapped};
use crate::source::oneroster::each_record;
use crate::source::shelf::Shelf;

/// What was read.
pub(crate) struct Lists<'s> {
    pub(crate) stored: &'s [Stored],
    /// They are events, and come to this.
    pub(crate) changes: Option<&'s Changes>,
}

impl Lists<'_> {
    fn pages(&self, list: List) -> std::ops::Range<u32> {
        self.stored.iter().find(|stored| stored.list == list).map_or(0..0, |stored| stored.pages.clone())
    }
}

/// Each record of a list, as this wire; `false` if a page was lost.
macro_rules! each {
    ($lists:ident, $shelf:ident, $list:expr, $wire:ident, $take:expr) => {{
        let mut take = $take;
        match $lists.changes {
            None => each_page($shelf, $lists.pages($list), &mut |body| {
                each_record(body, "data", &mut |one: Wrapped<$wire<'_>>| take(one.data.0.unwrap_or_default()))
            }),
            Some(changes) => {
                let mut number = 0;
                each_page($shelf, $lists.pages(List::Events), &mut |body| {
                    each_record(body, "data", &mut |one: Wrapped<EventWire<'_, $wire<'_>>>| {
                        number += 1;
                        let Some(event) = one.data.0 else { return };
                        let is_it = matches!(about(event.kind.or_empty()), About::Record(list) if list == $list);
                        if let Some(object) = event.data.0.and_then(|data| data.object.0).filter(|_| is_it)
                            && changes.is_last($list, object.id.text(), number)
                        {
                            take(object);
                        }
                    })
                })
            }
        }
    }};
}

/// Hands all rows on; `false` if a page of them is lost.
pub(crate) fn feed_rows(lists: &Lists<'_>, shelf: &mut dyn Shelf, feed: &mut Feed<'_>, district: &District) -> bool {
    feed.begin(Collection::Orgs, List::Schools.word());
    feed.district(&district.name);
    if !each!(lists, shelf, List::Schools, SchoolWire, |one: SchoolWire<'_>| feed.school(&one)) {
        return false;
    }
    feed.begin(Collection::Sessions, List::Terms.word());
    if !each!(lists, shelf, List::Terms, TermWire, |one: TermWire<'_>| feed.term(&one)) {
        return false;
    }
    feed.begin(Collection::Courses, List::Courses.word());
    if !each!(lists, shelf, List::Courses, CourseWire, |one: CourseWire<'_>| feed.course(&one)) {
        return false;
    }
    feed.begin(Collection::Classes, List::Sections.word());
    if !each!(lists, shelf, List::Sections, SectionWire, |one: SectionWire<'_>| feed.class(&one)) {
        return false;
    }
    feed.begin(Collection::People, List::Users.word());
    if !each!(lists, shelf, List::Users, UserWire, |one: UserWire<'_>| feed.person(&one)) {
        return false;
    }
    feed.begin(Collection::Roles, List::Users.word());
    if !each!(lists, shelf, List::Users, UserWire, |one: UserWire<'_>| feed.roles(&one)) {
        return false;
    }
    feed.begin(Collection::Enrollments, List::Sections.word());
    each!(lists, shelf, List::Sections, SectionWire, |one: SectionWire<'_>| {
        let before = lists.changes.and_then(|changes| changes.members(one.id.text()));
        feed.enrollments(&one, before);
    })
}
