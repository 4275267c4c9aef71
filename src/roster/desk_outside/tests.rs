use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::roster::compare::Comparing;
use crate::roster::delta::diff;
use crate::roster::desk::IntakePolicy;
use crate::roster::finding::{Finding, Level};
use crate::roster::intake::{Intake, RosterIntake};
use crate::roster::lean::lean;
use crate::roster::merge::merge;
use crate::roster::model::{Enrollment, PersonIx, Roster};
use crate::roster::name::digest_of;
use crate::roster::pack::pack;
use crate::roster::patch::{Origins, patch};
use crate::roster::room::Room;
use crate::roster::room::tests::Little;
use crate::roster::rows::{Collection, Mode, RowAt};
use crate::roster::testing::{World, district};

/// A district with some hundred enrollments; the seed says which odd rows are among them.
fn world(seed: usize) -> World {
    let mut world = district();
    for n in 0..300 {
        let (person, class) = (["ana", "ben", "cid"][n * 7 % 3], ["c1", "c2"][n * 5 % 2]);
        world.enroll(&format!("more{:03}", n * 131 % 300), person, class);
    }
    let places = world.enrollments.len();
    // Nearly each has another last change, some have none.
    for (n, enrollment) in world.enrollments.iter_mut().enumerate().filter(|(n, _)| n % 5 > 0) {
        enrollment.head.modified = Some(((n * 7_919) % 9_973 + 1) as i64 * 1_000);
    }
    let odd = (0..4).filter(|bit| seed >> bit & 1 == 1);
    odd.for_each(|bit| match bit {
        0 => world.enrollments[250].class = "nowhere".into(),
        1 => world.enrollments[280].person = "nobody".into(),
        2 => (world.enrollments[120].head.modified, world.enrollments[121].primary) = (Some(7_000), true),
        _ => world.enrollments[places - 2].head.id = world.enrollments[10].head.id.clone(),
    });
    world
}

fn read(world: &World, room: Option<&Arc<Little>>, unreadable: bool) -> Intake {
    let room = room.map(|room| Arc::new(room.clone()) as Arc<dyn Room>);
    let mut intake = RosterIntake::unaided(true, IntakePolicy::default()).with_room(room);
    for what in Collection::ALL {
        intake.begin(what, Mode::Full);
        world.feed(&mut intake, what);
    }
    if unreadable {
        let at = RowAt { file: "x.csv", row: 9 };
        let finding = Finding {
            level: Level::Row,
            rule: "bad_date",
            file: "x.csv".into(),
            row: 9,
            record: String::new(),
            field: String::new(),
            detail: String::new(),
        };
        intake.quarantine(Collection::Enrollments, at, Some("more007"), None, finding);
    }
    intake.finish()
}

fn bytes(roster: &Roster) -> Vec<u8> {
    let mut bytes = Vec::new();
    pack(roster, &mut |chunk| bytes.extend_from_slice(chunk));
    bytes
}

#[test]
fn rows_outside_memory_come_to_the_same() {
    for seed in 0..32 {
        let (world, unreadable) = (world(seed), seed >= 16);
        let here = read(&world, None, unreadable);
        for records in [1, 3, 100, 1_000] {
            let outside = read(&world, Some(&Arc::new(Little::of(records))), unreadable);
            let told = |intake: &Intake| (intake.is_conclusive, intake.findings.kept.clone(), format!("{:?}", intake.counts));
            assert_eq!(told(&outside), told(&here), "seed {seed}, {records} records");
            assert_eq!(here.is_conclusive, seed & 8 == 0, "one id twice");
            assert!(outside.roster.enrollments.watch().is_whole());
            let own = |intake: &Intake, key: &str| intake.roster.active(key).map(|person| person.quarantined);
            for key in ["ana", "ben", "cid"] {
                assert_eq!(own(&outside, key), own(&here, key), "seed {seed} {key}");
            }
            assert_eq!(bytes(&outside.roster), bytes(&here.roster), "seed {seed}, {records} records");
            assert_eq!(digest_of(&outside.roster), digest_of(&here.roster));
        }
    }
}

#[test]
fn what_is_made_of_rosters_does_not_tell_where_their_rows_lie() {
    let (mut ended, mut stamped) = (world(4), world(4));
    ended.enrollments[7].head.ended = true;
    stamped.enrollments[9].head.modified = Some(123_000);
    for before in [district(), ended, stamped, world(4)] {
        the_same_is_made(&read(&before, None, false).roster, &world(4));
    }
}

fn the_same_is_made(before: &Roster, world: &World) {
    let (here, outside) = (read(world, None, false).roster, read(world, Some(&Arc::new(Little::of(10))), false).roster);
    let attended = |roster: &Roster| -> Vec<Enrollment> {
        roster.people.iter().flat_map(|person| roster.enrollments_of(person)).collect()
    };
    assert_eq!(attended(&outside), attended(&here));
    assert!(outside.spans.len() < 4 && here.spans.len() > 200, "last changes are kept apart");
    assert_eq!(diff(before, &outside), diff(before, &here));
    assert_eq!(diff(&outside, before), diff(&here, before));
    let origins = Origins::of_whole(before);
    assert_eq!(patch(before, &origins, &outside), patch(before, &origins, &here));
    for whole in [vec![], vec![PersonIx(1)], vec![PersonIx(0), PersonIx(2)]] {
        let lean = |roster: &Roster| bytes(&lean(roster.clone(), &whole).expect("it fits"));
        assert_eq!(lean(&outside), lean(&here));
    }
    let both = |roster: &Roster| bytes(&merge(&[before, roster]).expect("it fits"));
    assert_eq!(both(&outside), both(&here));
    let compared = |roster: &Roster| {
        let mut chunks = vec![bytes(before)].into_iter();
        let compared =
            Comparing::begin(|| chunks.next()).and_then(|comparing| comparing.with(roster, &[], None)).expect("it is whole");
        (compared.delta.clone(), bytes(&compared.rest), compared.patch(roster))
    };
    assert_eq!(compared(&outside), compared(&here));
}

#[test]
fn a_full_disk_costs_memory_and_a_broken_one_the_read() {
    let world = world(1);
    let here = read(&world, None, false);
    let mut whole = 0;
    for writes in 0..200 {
        let room = Arc::new(Little::of(20));
        room.writes.store(writes, Ordering::Relaxed);
        let intake = read(&world, Some(&room), false);
        assert!(intake.is_conclusive && bytes(&intake.roster) == bytes(&here.roster), "{writes} writes");
    }
    for reads in 0..400 {
        let room = Arc::new(Little::of(20));
        room.reads.store(reads, Ordering::Relaxed);
        let intake = read(&world, Some(&room), false);
        let is_told = intake.findings.kept.iter().any(|f| f.level == Level::Package && f.rule == "rows_lost");
        let (watch, made) = (intake.roster.enrollments.watch(), bytes(&intake.roster));
        if is_told || !watch.is_whole() {
            continue;
        }
        whole += 1;
        assert!(intake.is_conclusive && made == bytes(&here.roster), "{reads} reads");
    }
    assert!(whole > 300, "{whole}");
}
