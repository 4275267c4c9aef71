use proptest::prelude::*;

use crate::base::Day;
use crate::roster::name::digest_of;
use crate::roster::testing::{World, clean, district};

fn worlds() -> impl Strategy<Value = World> {
    let link = (0..6u8, 0..4u8, 0..3u8, any::<bool>());
    (
        proptest::collection::vec(0..6u8, 0..6),
        proptest::collection::vec(link.clone(), 0..12),
        proptest::collection::vec(link, 0..12),
    )
        .prop_map(|(people, roles, enrollments)| {
            let mut world = district();
            world.people.clear();
            world.roles.clear();
            world.enrollments.clear();
            for at in people {
                let id = format!("p{at}");
                if !world.people.iter().any(|p| p.head.id == id) {
                    world.person(&id, None);
                    world.people.last_mut().expect("row").given = format!("{}", at % 2);
                }
            }
            let known = |world: &World, at: u8| world.people.get(usize::from(at)).map(|p| p.head.id.clone());
            for (at, (person, org, role, _)) in roles.into_iter().enumerate() {
                if let Some(person) = known(&world, person) {
                    world.role(
                        &format!("r{}", at % 7 * 10 + at),
                        &person,
                        ["a", "b", "c"][usize::from(role)],
                        ["d", "s1", "s2", "d"][usize::from(org)],
                        false,
                    );
                }
            }
            for (at, (person, class, _, ended)) in enrollments.into_iter().enumerate() {
                if let Some(person) = known(&world, person) {
                    world.enroll(&format!("e{at}"), &person, ["c1", "c2"][usize::from(class) % 2]);
                    let row = world.enrollments.last_mut().expect("row");
                    (row.head.ended, row.last) = (ended, Day(20_000 + i32::from(class)));
                }
            }
            world
        })
}

proptest! {
    #[test]
    fn any_order_of_rows_gives_the_same_bytes(world in worlds(), seed in any::<u64>()) {
        prop_assert_eq!(digest_of(&world.full(None).roster), digest_of(&world.shuffled(seed).full(None).roster));
    }

    /// R106: what a file of changes makes of the old roster is what a full read of the outcome gives.
    #[test]
    fn changes_and_full_reads_agree(old in worlds(), new in worlds(), seed in any::<u64>()) {
        let before = clean(old.full(None));
        // The outcome: new rows, and old records without a new row as they were.
        let mut outcome = new.clone();
        macro_rules! keep_old {
            ($($rows:ident),*) => {$(
                for row in &old.$rows {
                    if !outcome.$rows.iter().any(|other| other.head.id == row.head.id) {
                        outcome.$rows.push(row.clone());
                    }
                }
            )*};
        }
        keep_old!(people, roles, enrollments);
        // An ended row of a change file marks what is stored, whatever else it says.
        for row in &mut outcome.enrollments {
            if let (true, Some(stored)) = (row.head.ended, old.enrollments.iter().find(|o| o.head.id == row.head.id)) {
                *row = stored.clone();
                row.head.ended = true;
            }
        }
        outcome.enrollments.retain(|row| !row.head.ended || old.enrollments.iter().any(|o| o.head.id == row.head.id));
        let full = clean(outcome.full(None));
        let changed = clean(new.shuffled(seed).changes(&before));
        prop_assert_eq!(digest_of(&changed), digest_of(&full));
    }
}
