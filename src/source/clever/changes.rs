//! What events come to (clever §7): the last state of every record they tell of, or that everything has to be read.
//!
//! Events are taken as changes only if that leads where a full read would lead: nothing was taken away as a whole, and
//! everything that is named is known or among them.

use std::collections::{BTreeMap, BTreeSet};

use crate::roster::{Collection, RosterIntake};
use crate::source::clever::feed::{Member, members};
use crate::source::clever::fetch::{List, Stored, each_page};
use crate::source::clever::people::{roles_of, schools};
use crate::source::clever::wire::{EventWire, SectionWire, UserWire, Wrapped};
use crate::source::oneroster::each_record;
use crate::source::shelf::Shelf;

/// With more events than this a full read is less to do.
pub(crate) const EVENTS_MAX: u64 = 20_000;

/// The last state of every record.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// By list and id, the number of the last event.
    last: BTreeMap<(u8, String), u64>,
    /// By section, who was in it at any time.
    members: BTreeMap<String, BTreeSet<Member>>,
    /// What is named and was not known before.
    wanted: BTreeSet<(u8, String)>,
}

/// What an event is about.
pub(crate) enum About {
    /// A record of this list is there, or changed.
    Record(List),
    /// Nothing that we read.
    Nothing,
    /// Something else; says what.
    Other(&'static str),
}

/// What an event's word means.
pub(crate) fn about(kind: &str) -> About {
    let (what, how) = kind.split_once('.').unwrap_or((kind, ""));
    let list = match what {
        "districts" | "resources" => return About::Nothing,
        "schools" => List::Schools,
        "terms" => List::Terms,
        "courses" => List::Courses,
        "users" => List::Users,
        "sections" => List::Sections,
        _ => return About::Other("an event tells of something unknown"),
    };
    match how {
        "created" | "updated" => About::Record(list),
        "deleted" => About::Other("something was deleted, or is not shared any more"),
        _ => About::Other("an event tells of something unknown"),
    }
}

impl Changes {
    /// Looks all events through.
    ///
    /// # Errors
    /// Why everything has to be read instead.
    pub(crate) fn of(stored: &Stored, shelf: &mut dyn Shelf, intake: &RosterIntake) -> Result<Self, &'static str> {
        let mut changes = Self::default();
        let mut why = None;
        let mut number = 0;
        let is_whole = each_page(shelf, stored.pages.clone(), &mut |body| {
            each_record(body, "data", &mut |wrapped: Wrapped<EventWire<'_, SectionWire<'_>>>| {
                number += 1;
                why = why.or(changes.note(number, wrapped, intake).err());
            })?;
            each_record(body, "data", &mut |wrapped: Wrapped<EventWire<'_, UserWire<'_>>>| {
                changes.note_user(wrapped, intake);
            })
        });
        if let Some(why) = why {
            return Err(why);
        }
        let is_told = |wanted: &(u8, String)| changes.last.contains_key(wanted);
        match (is_whole, changes.wanted.iter().all(is_told)) {
            (true, true) => Ok(changes),
            (true, false) => Err("an event names somebody or something that is not known"),
            (false, _) => Err("events that were kept while they were read are lost"),
        }
    }

    fn note(
        &mut self,
        number: u64,
        wrapped: Wrapped<EventWire<'_, SectionWire<'_>>>,
        intake: &RosterIntake,
    ) -> Result<(), &'static str> {
        let Some(EventWire { kind, data, previous_attributes }) = wrapped.data.0 else { return Err("an event says nothing") };
        let list = match about(kind.or_empty()) {
            About::Record(list) => list,
            About::Nothing => return Ok(()),
            About::Other(why) => return Err(why),
        };
        let object = data.0.and_then(|data| data.object.0).unwrap_or_default();
        let Some(id) = object.id.text() else { return Err("an event names no record") };
        self.last.insert((list as u8, id.to_owned()), number);
        if list != List::Sections {
            return Ok(());
        }
        for (of, collection, value) in [
            (List::Schools, Collection::Orgs, &object.school),
            (List::Terms, Collection::Sessions, &object.term),
            (List::Courses, Collection::Courses, &object.course),
        ] {
            self.want(of, collection, value.text(), intake);
        }
        let all = self.members.entry(id.to_owned()).or_default();
        let own = |(teaches, user): (bool, &str)| (teaches, user.to_owned());
        all.extend(members(&object).into_iter().map(own));
        if let Some(before) = previous_attributes.0 {
            let teacher = before.teacher;
            let before =
                SectionWire { teacher, teachers: before.teachers, students: before.students, ..SectionWire::default() };
            all.extend(members(&before).into_iter().map(own));
        }
        for (_, user) in members(&object) {
            self.want(List::Users, Collection::People, Some(user), intake);
        }
        Ok(())
    }

    fn note_user(&mut self, wrapped: Wrapped<EventWire<'_, UserWire<'_>>>, intake: &RosterIntake) {
        let Some(event) = wrapped.data.0.filter(|event| matches!(about(event.kind.or_empty()), About::Record(List::Users)))
        else {
            return;
        };
        let user = event.data.0.and_then(|data| data.object.0).unwrap_or_default();
        for school in roles_of(&user).flat_map(schools) {
            self.want(List::Schools, Collection::Orgs, Some(school), intake);
        }
    }

    fn want(&mut self, list: List, collection: Collection, id: Option<&str>, intake: &RosterIntake) {
        if let Some(id) = id.filter(|id| !intake.knows(collection, id)) {
            self.wanted.insert((list as u8, id.to_owned()));
        }
    }

    /// Whether no later event tells of the same record.
    pub(crate) fn is_last(&self, list: List, id: Option<&str>, number: u64) -> bool {
        id.is_some_and(|id| self.last.get(&(list as u8, id.to_owned())) == Some(&number))
    }

    /// Who was in a section at any time.
    pub(crate) fn members(&self, section: Option<&str>) -> Option<&BTreeSet<Member>> {
        self.members.get(section?)
    }
}
