//! What happens in a school: the truth of its office, package by package.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rosterd::base::Day;

use crate::sim::facts::{Bad, Enrolled, Form, Package, Person, Setup};
use crate::sim::files::drop_package;
use crate::sim::prng::Dice;
use crate::sim::setups::person;

/// A school's office.
pub struct Office {
    pub setup: Setup,
    folder: PathBuf,
    pub people: BTreeMap<String, Person>,
    /// People who left, as they were.
    left: Vec<(String, Person)>,
    numbers: usize,
    packages: usize,
    /// The last packages: what they said, and how.
    sent: Vec<(BTreeMap<String, Person>, Form, bool)>,
    terms: usize,
}

impl Office {
    pub fn open(dice: &mut Dice, setup: &Setup, folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut office = Self {
            setup: setup.clone(),
            folder,
            people: BTreeMap::new(),
            left: Vec::new(),
            numbers: 0,
            packages: 0,
            sent: Vec::new(),
            terms: 0,
        };
        let first = dice.between(20, 32);
        office.join(dice, first);
        office
    }

    fn join(&mut self, dice: &mut Dice, count: usize) {
        for _ in 0..count {
            self.numbers += 1;
            let new = person(dice, &self.setup, self.numbers);
            self.people.insert(format!("p{:03}", self.numbers), new);
        }
    }

    fn keys(&self) -> Vec<String> {
        self.people.iter().filter(|(_, p)| !p.ended).map(|(key, _)| key.clone()).collect()
    }

    fn one(&self, dice: &mut Dice) -> Option<String> {
        dice.pick(&self.keys()).cloned()
    }

    fn leave(&mut self, key: &str) {
        // Somebody stays, or there would be no files to write.
        if self.people.len() > 3
            && let Some(person) = self.people.remove(key)
        {
            self.left.push((key.to_owned(), person));
        }
    }

    /// Something ordinary; what it was.
    pub fn event(&mut self, dice: &mut Dice, today: Day) -> String {
        let Some(key) = self.one(dice) else {
            self.join(dice, 3);
            return "three join".to_owned();
        };
        match dice.below(24) {
            0..=2 => {
                let count = dice.between(1, 4);
                self.join(dice, count);
                format!("{count} join")
            }
            3 | 4 => {
                let gone = dice.some(&self.keys(), 3);
                gone.iter().for_each(|key| self.leave(key));
                format!("{gone:?} are not delivered any more")
            }
            5 | 6 => {
                self.people.entry(key.clone()).and_modify(|p| p.ended = true);
                format!("{key} is ended")
            }
            7 => {
                let ended: Vec<String> = self.people.iter().filter(|(_, p)| p.ended).map(|(k, _)| k.clone()).collect();
                ended.iter().for_each(|key| self.leave(key));
                format!("{ended:?}, who were ended, are dropped")
            }
            8..=10 => self.come_back(dice),
            11 => {
                let others = self.setup.schools.clone();
                let school = *dice.pick(&others).expect("one");
                let person = self.people.get_mut(&key).expect("it is there");
                let next = person.roles.keys().max().map_or(0, |row| row + 1);
                let role = person.roles.pop_first().map_or("student".to_owned(), |(_, (role, _))| role);
                person.roles.insert(next, (role, school.to_owned()));
                person.primary = person.primary.as_ref().map(|_| school.to_owned());
                format!("{key} moves to {school}")
            }
            12 | 13 => {
                let role = *dice.pick(&self.setup.roles.clone()).expect("one");
                let more = dice.chance(30);
                let person = self.people.get_mut(&key).expect("it is there");
                let next = person.roles.keys().max().map_or(0, |row| row + 1);
                let org = person.roles.values().next().map_or("ash".to_owned(), |(_, org)| org.clone());
                if !more {
                    person.roles.clear();
                }
                person.roles.insert(next, (role.to_owned(), org));
                format!("{key} becomes {role}, others stay: {more}")
            }
            14 => {
                self.people.entry(key.clone()).and_modify(|p| p.locked = !p.locked);
                format!("{key} is locked or unlocked")
            }
            15..=18 => self.enroll(dice, &key, today),
            19 => {
                let person = self.people.get_mut(&key).expect("it is there");
                person.given += "x";
                person.email = format!("new-{}", person.email);
                format!("{key} has another name and e-mail")
            }
            20 => {
                let Some((old, person)) = self.left.last().cloned() else { return "nothing".to_owned() };
                self.join(dice, 1);
                let new = format!("p{:03}", self.numbers);
                self.people.entry(new.clone()).and_modify(|p| p.email = person.email);
                format!("{new} gets the e-mail of {old}")
            }
            21 => {
                self.rename(&key);
                format!("{key} comes with another key")
            }
            22 => {
                self.spoil(dice, &key);
                format!("a row of {key} is bad")
            }
            _ => {
                let count = dice.between(0, 5);
                for key in dice.some(&self.keys(), count) {
                    self.spoil(dice, &key);
                }
                format!("rows of {count} people are bad")
            }
        }
    }

    fn come_back(&mut self, dice: &mut Dice) -> String {
        if self.left.is_empty() {
            let ended: Vec<String> = self.people.iter().filter(|(_, p)| p.ended).map(|(k, _)| k.clone()).collect();
            ended.iter().for_each(|key| self.people.get_mut(key).expect("it is there").ended = false);
            return format!("{ended:?} are not ended after all");
        }
        let mut back = Vec::new();
        for _ in 0..dice.between(1, 3).min(self.left.len()) {
            let (key, person) = self.left.remove(dice.below(self.left.len()));
            self.people.insert(key.clone(), Person { ended: false, bad: Bad::Nothing, ..person });
            back.push(key);
        }
        format!("{back:?} come back")
    }

    fn enroll(&mut self, dice: &mut Dice, key: &str, today: Day) -> String {
        let schools = self.setup.schools.clone();
        let person = self.people.get_mut(key).expect("it is there");
        let next = person.classes.keys().max().map_or(0, |row| row + 1);
        match dice.below(5) {
            0 => {
                person.classes.clear();
                format!("{key} is in no class any more")
            }
            1 => {
                person.classes.values_mut().for_each(|e| e.ended = true);
                format!("the enrollments of {key} are ended")
            }
            2 => {
                let last = today.plus(dice.between(0, 12) as i32);
                person.classes.values_mut().for_each(|e| e.last = Some(last));
                format!("the enrollments of {key} end on {last}")
            }
            _ => {
                let class = format!("{}-{}", dice.pick(&schools).expect("one"), dice.between(1, 2));
                let first = dice.chance(50).then(|| today.plus(dice.between(0, 12) as i32 - 3));
                let last = dice.chance(50).then(|| today.plus(dice.between(5, 60) as i32));
                let (from, to) =
                    (first.map_or(String::new(), |d| d.to_string()), last.map_or(String::new(), |d| d.to_string()));
                let told = format!("{key} enters {class}, {from}..{to}");
                person.classes.insert(next, Enrolled { class, first, last, ended: false });
                told
            }
        }
    }

    fn rename(&mut self, key: &str) {
        if let Some(person) = self.people.remove(key) {
            self.people.insert(format!("{key}k"), person);
        }
    }

    fn spoil(&mut self, dice: &mut Dice, key: &str) {
        let person = self.people.get_mut(key).expect("it is there");
        let (role, class) = (person.roles.keys().next().copied(), person.classes.keys().next().copied());
        person.bad = match (dice.below(4), role, class) {
            (0, Some(row), _) => Bad::Role(row),
            (1, _, Some(row)) => Bad::Class(row),
            (2, ..) => Bad::Lost,
            _ => Bad::Own,
        };
    }

    /// Something that no ordinary day brings; what it was.
    pub fn disaster(&mut self, dice: &mut Dice, today: Day) -> String {
        match dice.below(8) {
            0 | 1 => {
                // A cut between two rows, in all files alike.
                let keys = self.keys();
                let stay = keys.len() * dice.between(20, 90) / 100;
                keys[stay.max(3).min(keys.len())..].iter().for_each(|key| self.leave(key));
                format!("only {stay} people are delivered")
            }
            2 => {
                let school = *dice.pick(&self.setup.schools.clone()).expect("one");
                let here = |p: &Person| p.roles.values().any(|(_, org)| org == school);
                let gone: Vec<String> = self.people.iter().filter(|(_, p)| here(p)).map(|(k, _)| k.clone()).collect();
                gone.iter().for_each(|key| self.leave(key));
                format!("{school} is not delivered any more")
            }
            3 => {
                let count = dice.between(15, 24);
                self.join(dice, count);
                format!("{count} join at once")
            }
            4 => {
                let keys = self.keys();
                let share = keys.len() * dice.between(5, 60) / 100;
                for key in dice.some(&keys, share) {
                    self.rename(&key);
                }
                format!("{share} come with other keys")
            }
            5 => {
                let count = dice.between(3, 9);
                for key in dice.some(&self.keys(), count) {
                    self.people.entry(key).and_modify(|p| p.ended = true);
                }
                format!("{count} are ended at once")
            }
            6 => {
                for person in self.people.values_mut() {
                    person.classes.values_mut().for_each(|e| e.ended = true);
                }
                "all enrollments are ended".to_owned()
            }
            _ => self.new_term(dice, today),
        }
    }

    /// A new term: old enrollments end, everybody gets new ones.
    pub fn new_term(&mut self, dice: &mut Dice, today: Day) -> String {
        self.terms += 1;
        let term = self.terms;
        for person in self.people.values_mut().filter(|p| !p.ended) {
            let Some((_, org)) = person.roles.values().next().cloned() else { continue };
            let next = person.classes.keys().max().map_or(0, |row| row + 1);
            person.classes.clear();
            if dice.chance(85) {
                let (first, last) = (Some(today), Some(today.plus(dice.between(20, 90) as i32)));
                person.classes.insert(next, Enrolled { class: format!("{org}-t{term}"), first, last, ended: false });
            }
        }
        format!("term {term} begins")
    }

    /// The turn of the year: some leave for good, some join, all classes are new (R124).
    pub fn roll_over(&mut self, dice: &mut Dice, today: Day) -> String {
        let keys = self.keys();
        let leave = keys.len() * dice.between(10, 45) / 100;
        let gone = dice.some(&keys, leave);
        let explicitly = dice.chance(50);
        for key in &gone {
            if explicitly {
                self.people.entry(key.clone()).and_modify(|p| p.ended = true);
            } else {
                self.leave(key);
            }
        }
        self.join(dice, leave);
        format!("{leave} leave, as many join, {}", self.new_term(dice, today))
    }

    fn next_name(&mut self, today: Day) -> String {
        self.packages += 1;
        format!("{:04}-{today}", self.packages)
    }

    fn put(&mut self, name: String, people: BTreeMap<String, Person>, form: Form, reversed: bool) -> Package {
        let package = drop_package(&self.folder, &self.setup, name, &people, form, reversed);
        self.sent.push((people, form, reversed));
        package
    }

    /// Drops tonight's package, ordinary or not; what it was.
    pub fn send(&mut self, dice: &mut Dice, today: Day, odd: bool) -> (Package, String) {
        let people = self.people.clone();
        let sent = self.sent.clone();
        let (package, told) = match (odd.then(|| dice.below(8)), sent.last()) {
            (Some(0), _) => {
                let name = self.next_name(today);
                (self.put(name, people, Form::Torn, false), "torn")
            }
            (Some(1), _) => {
                let name = self.next_name(today);
                (self.put(name, people, Form::HeaderOnly, false), "with a header and no people")
            }
            (Some(2), Some(_)) => {
                let name = self.next_name(today);
                (self.put(name, people, Form::OrgsOnly, false), "without people, roles and enrollments")
            }
            (Some(3), Some((last, form, reversed))) => {
                let name = self.next_name(today);
                (self.put(name, last.clone(), *form, *reversed), "the last one again")
            }
            (Some(4), Some((last, form, reversed))) => {
                let name = self.next_name(today);
                (self.put(name, last.clone(), *form, !reversed), "the last one with its rows turned round")
            }
            (Some(5), Some(_)) => {
                // Its name is older than that of the newest.
                let (old, form, reversed) = dice.pick(&sent).expect("one").clone();
                let name = format!("{:04}-0-late-{:03}", self.packages.saturating_sub(1), sent.len());
                (self.put(name, old, form, reversed), "an old one, late")
            }
            (Some(6), Some(_)) => {
                let (old, form, reversed) = dice.pick(&sent).expect("one").clone();
                let name = self.next_name(today);
                (self.put(name, old, form, reversed), "an old one under a new name")
            }
            (Some(_), _) => {
                let name = self.next_name(today);
                (self.put(name, people, Form::Whole, true), "with its rows turned round")
            }
            (None, _) => {
                let name = self.next_name(today);
                (self.put(name, people, Form::Whole, false), "ordinary")
            }
        };
        for person in self.people.values_mut() {
            // What was spoiled is right again the next time.
            person.bad = Bad::Nothing;
        }
        (package, told.to_owned())
    }
}
