//! A school year of several customers, from a seed.

use std::collections::{BTreeMap, BTreeSet};

use rosterd::base::{Day, Digest, Instant, Version};

use crate::cluster::Database;
use crate::sim::auditor::books::{Auditor, Known, State};
use crate::sim::auditor::hands::Decision;
use crate::sim::auditor::importing::{File, is_by_hand};
use crate::sim::driver::{Sim, Step};
use crate::sim::facts::day;
use crate::sim::prng::Dice;
use crate::sim::setups::setups;
use crate::sim::year::Office;

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

/// Dates on which something happens.
const DATES: usize = 13;

/// Dates on which the clocks of a customer's zone change.
const CLOCKS_CHANGE: [&str; 6] = ["2025-10-04", "2025-10-26", "2025-11-02", "2026-03-08", "2026-03-29", "2026-04-04"];

/// What a year came to.
pub struct Year {
    pub result: Step,
    pub events: Vec<String>,
    pub deaths: u32,
    pub history: Vec<(String, Version, Digest)>,
}

/// Plays the year of a seed, on so many nodes by turns.
pub fn play(seed: u64, database: Option<Database>, nodes: u32) -> Year {
    let mut dice = Dice::new(seed);
    let left_out = dice.below(5);
    let setups = setups(&mut dice, left_out);
    let first = day("2025-08-25");
    let mut sim = Sim::new(dice, setups, noon(first), database, nodes);
    sim.start(true);
    let result = year(&mut sim, first).and_then(|()| sim.close());
    Year { result, history: sim.history(), events: std::mem::take(&mut sim.events), deaths: sim.deaths }
}

fn noon(date: Day) -> Instant {
    Instant(i64::from(date.0) * DAY + 12 * HOUR)
}

fn dates(dice: &mut Dice, first: Day) -> Vec<Day> {
    let gaps = [1, 1, 1, 1, 2, 3, 4, 7, 12, 25, 40, 55];
    let mut dates = vec![first];
    while dates.len() < DATES {
        let last = *dates.last().expect("one");
        dates.push(last.plus(*dice.pick(&gaps).expect("one")));
    }
    if dice.chance(50) {
        dates.push(day(dice.pick(&CLOCKS_CHANGE).expect("one")));
    }
    if dice.chance(50) {
        let turn = day("2026-06-30").plus(dice.below(20) as i32);
        dates.extend([turn, turn.plus(1), turn.plus(3)]);
    }
    dates.sort();
    dates.dedup();
    dates
}

fn year(sim: &mut Sim, first: Day) -> Step {
    let mut dice = sim.dice.clone();
    dice.next();
    let mut offices: Vec<Office> =
        (0..sim.setups.len()).map(|at| Office::open(&mut dice, &sim.setups[at].clone(), sim.drop_folder(at))).collect();
    let mut turned = false;
    for date in dates(&mut dice, first) {
        let is_turn = !turned && date >= day("2026-06-28");
        turned |= is_turn;
        let mut now = Instant(i64::from(date.0) * DAY + dice.between(16, 24) as i64 * HOUR / 2);
        if CLOCKS_CHANGE.contains(&date.to_string().as_str()) {
            now = Instant(i64::from(date.0) * DAY + 10 * 60_000);
        }
        sim.set(now);
        for (at, office) in offices.iter_mut().enumerate() {
            if is_turn {
                let told = office.roll_over(&mut dice, date);
                sim.tell(format!("{}: {told}", office.setup.id));
                if dice.chance(40) && sim.auditors[at].begun {
                    sim.pause(at, Some(2))?;
                }
            }
            school_day(sim, office, at, &mut dice, date);
        }
        desk_hours(sim, &mut dice, 15)?;
        if CLOCKS_CHANGE.contains(&date.to_string().as_str()) {
            for _ in 0..17 {
                sim.minute()?;
                now = Instant(now.0 + HOUR);
                sim.set(now);
            }
        }
        sim.minute()?;
        if dice.chance(40) {
            now = Instant(now.0 + 3 * HOUR + 17 * 60_000);
            sim.set(now);
            if dice.chance(30) {
                let at = dice.below(offices.len());
                school_day(sim, &mut offices[at], at, &mut dice, date);
                sim.look(at)?;
            }
            desk_hours(sim, &mut dice, 60)?;
            sim.minute()?;
        }
        undo(sim, &mut dice)?;
        by_hand(sim, &mut dice)?;
        if dice.chance(6) {
            let jump = if dice.chance(50) { DAY } else { -DAY };
            sim.tell("the clock jumps");
            sim.set(Instant(now.0 + jump));
            sim.minute()?;
            sim.set(now);
            sim.minute()?;
        }
        if dice.chance(10) {
            sim.tell("the daemon is restarted");
            sim.start(true);
        }
    }
    Ok(())
}

/// The office works, and maybe sends a package.
fn school_day(sim: &mut Sim, office: &mut Office, at: usize, dice: &mut Dice, date: Day) {
    let id = office.setup.id;
    for _ in 0..dice.below(3) {
        let told = office.event(dice, date);
        sim.tell(format!("{id}: {told}"));
    }
    if dice.chance(9) {
        let told = office.disaster(dice, date);
        sim.tell(format!("{id}: {told}"));
    }
    if dice.chance(80) {
        let odd = dice.chance(14);
        let (package, told) = office.send(dice, date, odd);
        sim.feed(at, package, &told);
    }
}

/// Administrators and operators do what they do.
fn desk_hours(sim: &mut Sim, dice: &mut Dice, percent: usize) -> Step {
    for at in 0..sim.setups.len() {
        if sim.has_open_hold(at) && dice.chance(percent) {
            decide_hold(sim, dice, at)?;
        }
        if sim.auditors[at].mark.is_none() || !dice.chance(percent) {
            continue;
        }
        match dice.below(20) {
            0..=12 => {
                if let Some(decision) = decision(sim, dice, at) {
                    sim.decide(at, &decision)?;
                }
            }
            13..=15 => {
                for _ in 0..dice.between(1, 3) {
                    let confirms = dice.chance(30);
                    sim.ask_same_day(at, confirms)?;
                }
            }
            16 => sim.pause(at, Some(dice.between(1, 9) as i32))?,
            17 => sim.pause(at, None)?,
            18 => sim.look(at)?,
            _ => sim.try_run(at)?,
        }
    }
    Ok(())
}

/// Now and then somebody takes people in by hand, or out.
fn by_hand(sim: &mut Sim, dice: &mut Dice) -> Step {
    for at in 0..sim.setups.len() {
        if sim.auditors[at].mark.is_none() || !sim.auditors[at].rests() || !dice.chance(14) {
            continue;
        }
        if dice.chance(15) {
            sim.round_trip(at)?;
            continue;
        }
        let file = people_by_hand(&sim.auditors[at], dice);
        sim.import(at, &file)?;
    }
    Ok(())
}

fn people_by_hand(auditor: &Auditor, dice: &mut Dice) -> File {
    let made = auditor.made();
    let keys: Vec<String> = made.keys().cloned().collect();
    let (setup, mut file) = (&auditor.setup, File { synchronize: dice.chance(50), ..File::default() });
    let person = |dice: &mut Dice, key: &str| {
        let (role, org) = (*dice.pick(&setup.roles).expect("one"), *dice.pick(&setup.schools).expect("one"));
        Known {
            given: format!("Given{}", dice.below(3)),
            family: format!("By hand {key}"),
            email: format!("{key}@example.org"),
            roles: BTreeMap::from([(0, (role.to_owned(), org.to_owned()))]),
            primary: dice.chance(40).then(|| org.to_owned()),
            classes: BTreeMap::new(),
            ended: false,
            locked: false,
            unsure: false,
        }
    };
    let removed = if dice.chance(5) { keys.len() } else { dice.below(3) };
    file.removed.extend(dice.some(&keys, removed));
    for key in dice.some(&keys, 2).into_iter().filter(|key| !file.removed.contains(key)) {
        let new = person(dice, &key);
        if new != made[&key] {
            file.updated.insert(key, new);
        }
    }
    // New people, and some who had gone.
    let gone: Vec<String> = auditor.missing.keys().filter(|key| is_by_hand(key) && !made.contains_key(*key)).cloned().collect();
    let mut new = if dice.chance(40) { dice.some(&gone, 1) } else { Vec::new() };
    let first = 1 + auditor.made_ever;
    new.extend((0..dice.below(4)).map(|at| format!("m{:03}", first + at)));
    if new.is_empty() && file.updated.is_empty() && file.removed.is_empty() {
        new.push(format!("m{first:03}"));
    }
    file.created.extend(new.into_iter().map(|key| (key.clone(), person(dice, &key))));
    file.empty = file.created.is_empty() && file.updated.is_empty() && file.synchronize && file.removed.len() == made.len();
    file
}

/// Now and then somebody undoes a run, the newest more often than not.
fn undo(sim: &mut Sim, dice: &mut Dice) -> Step {
    for at in 0..sim.setups.len() {
        if sim.undoable(at) > 0 && dice.chance(12) {
            let back = if dice.chance(60) { 0 } else { dice.below(sim.undoable(at)) };
            sim.revert(at, back)?;
        }
    }
    Ok(())
}

fn decide_hold(sim: &mut Sim, dice: &mut Dice, at: usize) -> Step {
    let hold = sim.auditors[at].hold.clone().expect("it is open");
    let approve = dice.chance(75);
    let covered: Vec<String> = hold.removals.union(&hold.additions).cloned().collect();
    let exceptions = if approve && dice.chance(30) { dice.some(&covered, 2) } else { Vec::new() };
    let allow_empty = dice.chance(70);
    sim.decide_hold(at, approve, &BTreeSet::from_iter(exceptions), allow_empty)
}

fn decision(sim: &Sim, dice: &mut Dice, at: usize) -> Option<Decision> {
    let (auditor, now) = (&sim.auditors[at], sim.now());
    let pool = dice.below(auditor.setup.pools.len());
    let people: Vec<String> = auditor.known.keys().cloned().collect();
    let mut of_pool = |state: &dyn Fn(State) -> bool| {
        let found = auditor.claims.iter().filter(|((_, p), claim)| *p == pool && state(claim.state));
        let found: Vec<String> = found.map(|((person, _), _)| person.clone()).collect();
        dice.pick(&found).cloned()
    };
    let seated = of_pool(&|state| state != State::Waiting);
    let waiting = of_pool(&|state| state == State::Waiting);
    let invited = of_pool(&|state| state == State::Pending);
    let anybody = dice.pick(&people).cloned()?;
    let today = auditor.today(now);
    let until = if dice.chance(60) { Day::MAX } else { today.plus(dice.between(0, 20) as i32) };
    let date = |dice: &mut Dice| {
        let days = *dice.pick(&[-20, -3, 0, 0, 1, 10]).expect("one");
        auditor.calendar.start_of(today.plus(days))
    };
    let (grants, agreed) = (auditor.grants.len(), auditor.agreed.len());
    Some(match dice.below(16) {
        0 | 1 => Decision::Assign { person: waiting.unwrap_or(anybody), pool, until, insist: dice.chance(30) },
        2 => Decision::Assign { person: anybody, pool, until, insist: dice.chance(20) },
        3 | 4 => Decision::Deny { person: seated.unwrap_or(anybody), pool, until },
        5 => {
            let ((person, pool), _) = auditor.pins.first_key_value()?;
            Decision::Unpin { person: person.clone(), pool: *pool }
        }
        6 | 7 => Decision::Transfer { give: seated?, take: waiting.unwrap_or(anybody), pool },
        8..=10 => Decision::Accept { person: invited?, pool },
        11 | 12 => {
            let (seats, from) = (dice.between(1, 6) as i64, date(dice));
            Decision::Buy { id: format!("b{grants}"), pool, seats, from, to: Instant::MAX }
        }
        13 => {
            let (seats, from) = (-(dice.between(1, 5) as i64), date(dice));
            Decision::Buy { id: format!("b{grants}"), pool, seats, from, to: Instant::MAX }
        }
        14 => {
            let (seats, from) = (dice.between(1, 6) as i64, date(dice));
            let to = Instant(from.0 + dice.between(2, 40) as i64 * DAY);
            Decision::Buy { id: format!("b{grants}"), pool, seats, from, to }
        }
        _ => {
            let from = date(dice);
            let to = Instant(from.0 + dice.between(2, 40) as i64 * DAY);
            Decision::Agree { id: format!("a{agreed}"), pool, seats: dice.between(1, 4) as u32, from, to }
        }
    })
}
