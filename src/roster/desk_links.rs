//! Rows of roles and enrollments, and what only all roles together can tell.

use crate::roster::book::Flaw;
use crate::roster::desk::{Desk, concern};
use crate::roster::desk_people::range;
use crate::roster::links::{LinkArrival, LinkRow, NOBODY, State, first_state};
use crate::roster::model::{ClassIx, OrgIx, PackedEnrollment, RecordHash, Role, RoleWord, Span};
use crate::roster::rows::{Collection, EnrollmentRow, RoleRow, RowHead, RowStatus};
use crate::roster::table::{Choice, modified_of};

/// No record: the handle in a row that only ends its stored record, or that cannot be used.
const NOWHERE: u32 = u32::MAX;

impl Desk {
    /// Takes a role.
    pub(crate) fn role(&mut self, row: &RoleRow<'_>) {
        let (what, head) = (Collection::Roles, &row.head);
        self.enter(what);
        let id = RecordHash::of(head.id);
        let arrival = self.roles.arrive(id, head);
        match arrival {
            LinkArrival::Ignored => return,
            LinkArrival::Double(first) => {
                let flaw = Flaw::double(self.book.at(self.roles.place(first)));
                self.book.reject(what, head.at, head.id, flaw);
                self.concern(self.roles.rows[first as usize].person);
                self.concern_named(row.person);
                return;
            }
            LinkArrival::New | LinkArrival::Instead(_) => {}
        }
        let mut link = Role {
            role: RoleWord(0),
            org: OrgIx(NOWHERE),
            primary: row.primary,
            first: row.first,
            last: row.last,
            id,
            ended: head.status == RowStatus::Ended,
            modified: modified_of(head),
        };
        let mut state = first_state(head.status, self.roles.mode);
        let mut person = NOBODY;
        if state == State::Good {
            match self.role_ends(row) {
                Ok(found) => (person, link.role, link.org) = found,
                Err(flaw) => state = self.link_flaw(what, head, row.person, flaw),
            }
        }
        let place = self.book.place(head.at);
        self.roles.put(arrival, head, (place, state), LinkRow { person, link });
    }

    fn role_ends(&mut self, row: &RoleRow<'_>) -> Result<(u32, RoleWord, OrgIx), Flaw> {
        let person = self.person_named(row.person)?;
        let org = self.org_named("org", row.org)?;
        Ok((person, RoleWord(self.words.word(&mut self.scribe, row.role)?), org))
    }

    /// Takes an enrollment.
    pub(crate) fn enrollment(&mut self, row: &EnrollmentRow<'_>) {
        let (what, head) = (Collection::Enrollments, &row.head);
        self.enter(what);
        let id = RecordHash::of(head.id);
        let arrival = self.enrollments.arrive(id, head);
        match arrival {
            LinkArrival::Ignored => return,
            LinkArrival::Double(first) => {
                let flaw = Flaw::double(self.book.at(self.enrollments.place(first)));
                self.book.reject(what, head.at, head.id, flaw);
                self.concern(self.enrollments.rows[first as usize].person);
                self.concern_named(row.person);
                return;
            }
            LinkArrival::New | LinkArrival::Instead(_) => {}
        }
        let mut state = first_state(head.status, self.enrollments.mode);
        let (mut person, mut role, mut class) = (NOBODY, RoleWord(0), ClassIx(NOWHERE));
        if state == State::Good {
            match self.enrollment_ends(row) {
                Ok(found) => (person, role, class) = found,
                Err(flaw) => state = self.link_flaw(what, head, row.person, flaw),
            }
        }
        let EnrollmentRow { first, last, primary, .. } = *row;
        let ended = head.status == RowStatus::Ended;
        let span = self.enrollments.shared.ix(Span { role, first, last, primary, ended, modified: modified_of(head) });
        let link = PackedEnrollment { id, class, span };
        let place = self.book.place(head.at);
        self.enrollments.put(arrival, head, (place, state), LinkRow { person, link });
        self.make_room();
    }

    fn enrollment_ends(&mut self, row: &EnrollmentRow<'_>) -> Result<(u32, RoleWord, ClassIx), Flaw> {
        let person = self.person_named(row.person)?;
        let class = self.class_named(row.class)?;
        if !row.school.is_empty() {
            self.school_named(&row.head, row.school)?;
        }
        Ok((person, RoleWord(self.words.word(&mut self.scribe, row.role)?), class))
    }

    fn person_named(&self, key: &str) -> Result<u32, Flaw> {
        let found = self.people.look_up(self.arena(), key);
        found.map(|(slot, _)| slot).ok_or_else(|| Flaw::missing("user", "person", key))
    }

    /// A row whose references lead nowhere: bad, unless it only ends something.
    fn link_flaw(&mut self, what: Collection, head: &RowHead<'_>, person: &str, flaw: Flaw) -> State {
        if head.status == RowStatus::Ended {
            return State::End;
        }
        self.book.reject(what, head.at, head.id, flaw);
        self.note_doubt(head.id, Some(person));
        self.concern_named(person);
        State::Bad
    }

    /// When all enrollments are in.
    pub(crate) fn close_enrollments(&mut self) {
        self.put_outside();
        let Self { people, enrollments, concerned, book, .. } = self;
        let stored = (0u32..).zip(&people.stored).map(|(slot, p)| (slot, p.enrollments, people.present(slot)));
        let outdated = enrollments.settle(stored, |person| concern(concerned, person));
        book.counts.of_mut(Collection::Enrollments).outdated += outdated;
        self.close_outside();
    }

    /// When all roles are in.
    pub(crate) fn close_roles(&mut self) {
        let Self { people, roles, concerned, book, .. } = self;
        let stored = (0u32..).zip(&people.stored).map(|(slot, p)| (slot, p.roles, people.present(slot)));
        let outdated = roles.settle(stored, |person| concern(concerned, person));
        book.counts.of_mut(Collection::Roles).outdated += outdated;
        while !self.roles.rows.is_empty() {
            let twice = self.two_primary_roles();
            if twice.is_empty() {
                break;
            }
            self.reject_roles(&twice, |desk, row| {
                let org = desk.owned(desk.orgs.id(row.link.org.0));
                Flaw::graph("two_primary_roles", "roleType", format!("more than one primary role in org {org}"))
            });
        }
        self.primary_orgs_without_role();
    }

    /// Roles of their own rows that stand: the person, the role, and the row if it is new.
    fn each_role(&self, mut visit: impl FnMut(u32, &Role, Option<u32>)) {
        for (slot, person) in (0u32..).zip(&self.people.stored) {
            for at in range(person.roles) {
                if !self.roles.stored[at].id.is_zero() && self.roles.stays(at) {
                    visit(slot, &self.roles.stored[at], None);
                }
            }
        }
        for (at, row) in self.roles.good() {
            visit(row.person, &row.link, Some(at));
        }
    }

    /// Rows that give a person a second primary role in an org; neither of two rows is better than the other.
    fn two_primary_roles(&self) -> Vec<u32> {
        let mut primary = Vec::new();
        self.each_role(|person, role, row| {
            if role.primary && !role.ended {
                primary.push((person, role.org, row));
            }
        });
        primary.sort_unstable();
        let groups = primary.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
        groups.filter(|group| group.len() > 1).flatten().filter_map(|&(_, _, row)| row).collect()
    }

    fn reject_roles(&mut self, rows: &[u32], flaw: impl Fn(&Self, &LinkRow<Role>) -> Flaw) {
        let mut ids = Vec::new();
        for &at in rows {
            let row = self.roles.rows[at as usize];
            let flaw = flaw(self, &row);
            // The id itself is not kept: the finding names the person instead.
            let person = self.owned(self.people.id(row.person));
            self.book.reject(
                Collection::Roles,
                self.book.at(self.roles.place(at)),
                "",
                Flaw { detail: format!("person {person}: {}", flaw.detail), ..flaw },
            );
            self.roles.set_state(at, State::Bad);
            self.concern(row.person);
            ids.push(row.link.id);
        }
        ids.sort_unstable();
        let Self { people, roles, concerned, .. } = self;
        for (slot, person) in (0u32..).zip(&people.stored) {
            for at in range(person.roles) {
                if ids.binary_search(&roles.stored[at].id).is_ok() {
                    roles.restore(at);
                    concern(concerned, slot);
                }
            }
        }
    }

    /// A primary org in which the person has no role, although roles have rows of their own.
    fn primary_orgs_without_role(&mut self) {
        if self.people.rows.is_empty() {
            return;
        }
        let (mut has_roles, mut has_primary) = (vec![false; self.people.len()], vec![false; self.people.len()]);
        self.each_role(|person, role, _| {
            if !role.ended {
                has_roles[person as usize] = true;
                let primary = self.people.get(person).and_then(|person| person.primary_org);
                has_primary[person as usize] |= primary == Some(role.org);
            }
        });
        let mut gone = Vec::new();
        for slot in (0..self.people.len() as u32).filter(|&slot| has_roles[slot as usize] && !has_primary[slot as usize]) {
            let Choice::Row(row) = self.people.choice(slot) else { continue };
            let person = &self.people.rows[row as usize];
            let Some(primary) = person.primary_org else { continue };
            let told = self.inline[range(person.roles)].iter().any(|&(_, org)| org == primary);
            let concerned = self.concerned.get(slot as usize).copied().unwrap_or(false);
            if person.ended || told || concerned {
                continue;
            }
            let org = self.owned(self.orgs.id(primary.0));
            let flaw = Flaw::graph("primary_org_without_role", "primaryOrg", format!("no role in the primary org {org}"));
            let key = self.owned(self.people.id(slot));
            self.book.reject(Collection::People, self.book.at(self.people.place(slot)), &key, flaw);
            self.people.drop_row(slot);
            self.concern(slot);
            if !self.people.present(slot) {
                gone.push(slot);
            }
        }
        if gone.is_empty() {
            return;
        }
        let orphans = self.roles.good().filter(|(_, row)| gone.binary_search(&row.person).is_ok());
        let orphans: Vec<u32> = orphans.map(|(at, _)| at).collect();
        self.reject_roles(&orphans, |desk, row| Flaw::missing("user", "person", desk.scribe.get(desk.people.id(row.person))));
    }
}
