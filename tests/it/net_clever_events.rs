//! Events of Clever lead where full reads lead (I6), and wherever they cannot, everything is read.

use rosterd::roster::Roster;
use rosterd::store::RunState;
use serde_json::{Value, json};

use crate::fake_clever::Clever;
use crate::fake_http::Reply;
use crate::net_clever::word;
use crate::net_oneroster::{district, roster};
use crate::world::{World, succeeded};

/// Small numbers that are the same for the same seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Everybody with what counts of them: roles and classes that live.
pub fn living(roster: &Roster) -> Vec<String> {
    let text = |text| roster.text(text).to_owned();
    let person = |person: &rosterd::roster::Person| {
        let roles = &roster.roles[person.roles.0 as usize..][..person.roles.1 as usize];
        let roles = roles.iter().filter(|role| !role.ended);
        let mut all: Vec<String> = roles
            .map(|role| {
                format!(
                    "{}@{}",
                    roster.text(roster.role_words[role.role.0 as usize]),
                    text(roster.orgs[role.org.0 as usize].id)
                )
            })
            .collect();
        let classes = roster.enrollments_of(person).filter(|enrollment| !enrollment.ended);
        all.extend(classes.map(|enrollment| {
            let role = roster.text(roster.role_words[enrollment.role.0 as usize]);
            format!("{role} of {} {}", text(roster.classes[enrollment.class.0 as usize].id), enrollment.primary)
        }));
        all.sort();
        let home = person.primary_org.map(|org| text(roster.orgs[org.0 as usize].id));
        format!("{} {} {} {home:?} {all:?}", text(person.key), text(person.given), text(person.email))
    };
    roster.people.iter().filter(|person| !person.ended).map(person).collect()
}

/// Somebody comes, goes, moves, changes roles or name; a class or a school begins. With tombstones whoever goes, and what they
/// were in, is told as ended; without, it is not told any more.
pub fn happens(world: &mut World, dice: &mut Dice, night: u64, tombstones: bool) {
    for turn in 0..=dice.roll(4) {
        let keys: Vec<String> = world.people.keys().cloned().collect();
        let one = keys[dice.roll(keys.len() as u64) as usize].clone();
        let school = if dice.roll(2) == 0 { "s1" } else { "s2" };
        match dice.roll(9) {
            0 => {
                let key = format!("n{night}-{turn}");
                world.hire(&key, if dice.roll(3) == 0 { "teacher" } else { "student" }, school);
                world.enroll(&key, if school == "s1" { "c1" } else { "c2" }, None, None);
            }
            1 if tombstones => world.end(&one),
            1 => world.vanish(&one),
            2 => world.people.get_mut(&one).expect("known").name = format!("Renamed {night} {turn}"),
            3 => world.people.get_mut(&one).expect("known").email = format!("{one}-{night}@north.example"),
            4 => {
                let role = world.people[&one].roles[0].0.clone();
                world.people.get_mut(&one).expect("known").roles = vec![(role, school.into())];
            }
            5 => {
                let role = world.people[&one].roles[0].0.clone();
                world.people.get_mut(&one).expect("known").roles = vec![(role.clone(), "s1".into()), (role, "s2".into())];
            }
            6 if tombstones => {
                world.people.get_mut(&one).expect("known").enrollments.iter_mut().for_each(|e| e.ended = true);
            }
            6 => world.people.get_mut(&one).expect("known").enrollments.clear(),
            7 => world.enroll(&one, if dice.roll(2) == 0 { "c1" } else { "c2" }, None, None),
            _ => {
                let class = format!("k{night}-{turn}");
                world.classes.push((class.clone(), school.into(), "Music".into()));
                world.enroll(&one, &class, None, None);
            }
        }
    }
}

#[test]
fn any_split_into_events_leads_where_full_reads_lead() {
    let mut by_events = 0;
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let (with_events, full) = (Clever::start(), Clever::start());
        let mut first = district("north");
        let mut second = district("north");
        for world in [&mut first, &mut second] {
            // A look that reads events sees nobody who is missing: two are needed, whoever looks.
            world.policy.absence_confirmations = 2;
        }
        with_events.feeds(&mut first, |settings| settings.events = true);
        full.feeds(&mut second, |_| ());
        with_events.has(&first);
        full.has(&second);
        assert!(succeeded(&first.quiet_night()) && succeeded(&second.quiet_night()));
        for night in 0..8 {
            let mut again = Dice(dice.0);
            happens(&mut first, &mut dice, night, false);
            happens(&mut second, &mut again, night, false);
            // Several steps of events for one night, now and then.
            with_events.has(&first);
            if dice.roll(3) == 0 {
                again.roll(3);
                happens(&mut first, &mut dice, 100 + night, false);
                happens(&mut second, &mut again, 100 + night, false);
                with_events.has(&first);
            } else {
                again.roll(3);
            }
            full.has(&second);
            let before = with_events.count();
            let (one, other) = (first.quiet_night(), second.quiet_night());
            assert!(one.state != RunState::Failed && other.state != RunState::Failed, "{} {}", one.message, other.message);
            by_events += usize::from(!with_events.asked_since(before).contains(&"users".to_owned()));
            assert_eq!(living(&roster(&first)), living(&roster(&second)), "seed {seed} night {night}");
            assert_eq!(first.seated("p"), second.seated("p"), "seed {seed} night {night}");
        }
        first.verify();
    }
    assert!(by_events > 20, "events were enough on {by_events} of 96 nights");
}

/// A district that is read by events from now on.
fn by_events() -> (Clever, World) {
    let clever = Clever::start();
    let mut world = district("north");
    clever.has(&world);
    clever.feeds(&mut world, |settings| settings.events = true);
    assert!(succeeded(&world.quiet_night()));
    (clever, world)
}

fn reads_all(clever: &Clever, world: &mut World, why: &str) {
    let before = clever.count();
    let run = world.quiet_night();
    assert!(succeeded(&run), "{why}: {}", run.message);
    let asked = clever.asked_since(before);
    assert!(asked.contains(&"users".to_owned()), "{why}: {asked:?}");
    let service = world.service();
    let findings = service.store().findings(run.run, 0, 20).expect("findings");
    assert!(findings.iter().any(|found| found.rule == "events_not_enough" && found.detail.contains(why)), "{findings:?}");
}

#[test]
fn where_events_are_not_enough_everything_is_read() {
    let (clever, mut world) = by_events();
    let push = |event: Value| clever.set(|state| state.events.push(event));
    let numbers = std::cell::Cell::new(900_000);
    let id = || format!("e{}", numbers.replace(numbers.get() + 1));
    push(json!({"id": id(), "type": "students.updated", "data": {"object": {"id": "u01"}}}));
    reads_all(&clever, &mut world, "tells of something unknown");
    push(json!({"id": id(), "type": "users.merged", "data": {"object": {"id": "u01"}}}));
    reads_all(&clever, &mut world, "tells of something unknown");
    push(json!({"id": id(), "type": "users.updated", "data": {"object": {}}}));
    reads_all(&clever, &mut world, "names no record");
    push(json!({"id": id(), "type": "users.deleted", "data": {"object": {"id": "u01"}}}));
    reads_all(&clever, &mut world, "was deleted, or is not shared any more");
    assert_eq!(world.seated("p").len(), 30, "the event alone removes nobody");
    let section = clever.state.lock().expect("no panic").lists["sections"]["c1"].clone();
    let mut with_stranger = section;
    with_stranger["students"].as_array_mut().expect("a list").push(json!("stranger"));
    push(json!({"id": id(), "type": "sections.updated", "data": {"object": with_stranger}}));
    reads_all(&clever, &mut world, "names somebody or something that is not known");
    // Resources and the district itself are nothing that is read.
    push(json!({"id": id(), "type": "resources.deleted", "data": {"object": {"id": "x"}}}));
    push(json!({"id": id(), "type": "districts.updated", "data": {"object": {"id": "d"}}}));
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(clever.asked_since(before), ["districts", "events"]);
    // The cursor's event is gone, as after thirty days.
    clever.set(|state| state.events.clear());
    reads_all(&clever, &mut world, "gives no events, or none from so long ago");
    // The application has none any more: everything is read, each time, and it is told.
    clever.set(|state| state.has_events = false);
    reads_all(&clever, &mut world, "gives no events");
    reads_all(&clever, &mut world, "gives no events");
    world.verify();
}

#[test]
fn everything_is_read_weekly_and_after_a_long_silence() {
    let (clever, mut world) = by_events();
    let mut full = Vec::new();
    for night in 1..16 {
        let before = clever.count();
        assert!(succeeded(&world.quiet_night()));
        if clever.asked_since(before).contains(&"users".to_owned()) {
            full.push(night);
        }
    }
    assert_eq!(full, [7, 14]);
    // Clever's own time says that the events are too old: it is not even asked for them.
    clever.at("2026-04-20T02:30:00Z");
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    let asked = clever.asked_since(before);
    assert!(asked.contains(&"users".to_owned()), "{asked:?}");
}

#[test]
fn who_was_not_let_in_reads_everything_when_they_are_again() {
    let (clever, mut world) = by_events();
    clever.set(|state| state.token = "another".to_owned());
    assert_eq!(world.quiet_night().state, RunState::Failed);
    clever.set(|state| state.token = "t-1-hunter2".to_owned());
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    assert!(clever.asked_since(before).contains(&"users".to_owned()));
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(clever.asked_since(before), ["districts", "events"]);
}

#[test]
fn trouble_while_events_are_read_is_trouble_and_they_are_read_again() {
    let (clever, mut world) = by_events();
    world.hire("new", "teacher", "s1");
    clever.has(&world);
    for lie in [Reply::html(503), Reply::html(200), Reply::json(r#"{"data":[{"data":{"id":"e1"}}]}"#)] {
        clever.feeds(&mut world, |settings| settings.events = true);
        clever.lies(move |asked, _, reply| if word(asked) == "events" { lie.clone() } else { reply });
        let run = world.quiet_night();
        assert_eq!((run.state, world.seated("p").len()), (RunState::Failed, 30), "{}", run.message);
    }
    clever.is_honest();
    clever.feeds(&mut world, |settings| settings.events = true);
    let before = clever.count();
    assert!(succeeded(&world.quiet_night()));
    assert_eq!(world.seated("p").len(), 31);
    assert!(!clever.asked_since(before).contains(&"users".to_owned()));
    // Told twice, as after a crash between the two, they change nothing.
    let events = clever.state.lock().expect("no panic").events.clone();
    clever.set(|state| {
        for (at, event) in events.into_iter().enumerate() {
            let mut again = event;
            again["id"] = json!(format!("f{at:05}"));
            state.events.push(again);
        }
    });
    let run = world.quiet_night();
    assert!(succeeded(&run) && run.version.is_none(), "{}", run.message);
    world.verify();
}
