//! On which dates rosters act by themselves: roles and enrollments that begin, or that were there for the last time the
//! day before (R132).

use std::collections::BTreeSet;

use crate::base::Day;
use crate::roster::{Role, Roster, Span};

/// The dates after `after` and up to `last` on which a role or an enrollment begins or is over.
pub fn acting_dates(roster: &Roster, after: Day, last: Day) -> BTreeSet<Day> {
    let roles = roster.roles.iter().filter(|role| !role.ended).map(|role| (role.first, role.last));
    let enrollments = roster.spans.iter().filter(|span| !span.ended).map(|span| (span.first, span.last));
    let mut dates = BTreeSet::new();
    for (first, until) in roles.chain(enrollments).filter(|(first, until)| first <= until) {
        let over = if until == Day::MAX { Day::MAX } else { until.plus(1) };
        dates.extend([first, over].into_iter().filter(|day| after < *day && *day <= last));
    }
    dates
}

/// The first date after `today` on which one of these roles or enrollments begins, or was there for the last time the day
/// before, be it that it ended; [`Day::MAX`] if there is none.
pub(super) fn next_date<'r>(
    roles: impl Iterator<Item = &'r Role>,
    enrollments: impl Iterator<Item = &'r Span>,
    today: Day,
) -> Day {
    let days = roles.map(|role| (role.first, role.last)).chain(enrollments.map(|span| (span.first, span.last)));
    let acts = days.flat_map(|(first, last)| [first, if last == Day::MAX { Day::MAX } else { last.plus(1) }]);
    acts.filter(|&day| day > today).min().unwrap_or(Day::MAX)
}
