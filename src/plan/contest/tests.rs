use std::mem::size_of;

use crate::base::{Instant, TextArena};
use crate::license::{Because, Channel, ClaimChange, OrgNameIx, ReasonsIx};
use crate::plan::contest::{Contender, Contest, Entrant, Way, in_order};

#[test]
fn whoever_enters_late_is_served_in_turn() {
    let mut people = TextArena::default();
    let keys = ["ann", "bob", "cid"].map(|key| people.push(key).expect("room"));
    let entered = |all: &[(usize, i32)]| {
        let mut contest = Contest::default();
        for &(who, priority) in all {
            let contender = Contender {
                person: keys[who],
                product: 0,
                priority,
                since: Instant(1),
                home: OrgNameIx(0),
                reasons: ReasonsIx(0),
                way: Way(0),
                existing: None,
                former: None,
                as_held: false,
                has_required: true,
                because: Because::Entitled,
                channel: Channel::Sync,
            };
            contest.enter(contender, &people);
        }
        let queue = contest.queues.remove(0);
        (queue.is_mixed, in_order(queue, &contest.entrants, &people))
    };
    assert_eq!(entered(&[(0, 0), (1, 0), (2, 0)]), (false, vec![0, 1, 2]));
    assert_eq!(entered(&[(1, 0), (0, 0), (2, 0)]), (true, vec![1, 0, 2]));
    assert_eq!(entered(&[(0, 0), (1, 0), (2, 7)]), (true, vec![2, 0, 1]));
}

#[test]
fn what_is_wanted_takes_no_more_room_than_what_is_given() {
    assert_eq!(size_of::<Entrant>(), size_of::<ClaimChange>());
}
