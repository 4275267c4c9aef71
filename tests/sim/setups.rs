//! The customers: what each bought, for whom, and its first people.

use std::collections::BTreeMap;

use crate::sim::facts::{Ask, Audience, Bad, Enrolled, Full, Model, Person, Pool, Product, Rule, Setup, day};
use crate::sim::prng::Dice;

fn product(id: &'static str, model: Model) -> Product {
    Product { id, model, requires: None, auto_assign: false, invites: false }
}

fn pool(id: &'static str, product: &'static str, seats: Option<usize>, full: Full) -> Pool {
    let seats = seats.map(|seats| seats as i64);
    Pool { id, product, owner: "d", seats, full, audience: Audience::Any, reserved: None }
}

fn rule(id: &'static str, product: &'static str, priority: i32, ask: Ask) -> Rule {
    Rule { id, product, priority, ask }
}

/// A customer of each kind, the `left_out`th one not among them.
pub fn setups(dice: &mut Dice, left_out: usize) -> Vec<Setup> {
    let mut all = vec![lxp(dice), school(dice), studio(dice), academy(dice)];
    if left_out < all.len() {
        all.remove(left_out);
    }
    all
}

fn base(dice: &mut Dice, id: &'static str, zone: &'static str, night: (u32, u32)) -> Setup {
    let rollover = (day("2026-06-28"), day("2026-08-10"));
    Setup {
        id,
        zone,
        night,
        catchup_hours: *dice.pick(&[6, 12, 24]).expect("one"),
        schools: vec!["ash", "birch"],
        roles: vec!["student", "teacher"],
        products: Vec::new(),
        pools: Vec::new(),
        rules: Vec::new(),
        bootstrap_approval: dice.chance(30),
        trip_stops_all: dice.chance(25),
        window: dice.chance(50).then_some(rollover),
        confirmations: *dice.pick(&[1, 2, 2, 2, 3]).expect("one"),
        purge_days: *dice.pick(&[Some(30), Some(30), Some(10), Some(0), None]).expect("one"),
        pending_days: 0,
        same_day_max: dice.between(1, 3) as u32,
    }
}

/// Seats follow live enrollments, and a full pool is overdrawn.
fn lxp(dice: &mut Dice) -> Setup {
    let seats = dice.between(14, 26);
    Setup {
        products: vec![product("lxp", Model::ActiveUser)],
        pools: vec![pool("lxp", "lxp", Some(seats), Full::Overdraw)],
        ..base(dice, "lxp", "America/New_York", (2, 30))
    }
}

/// Seats follow roles; whoever finds none waits. Students and educators have pools of their own, and one school has seats
/// of its own and one has some set aside.
fn school(dice: &mut Dice) -> Setup {
    let students = dice.between(10, 18);
    let own = dice.between(1, 4);
    Setup {
        roles: vec!["student", "student", "teacher", "aide"],
        products: vec![product("learn", Model::Role), product("observe", Model::Role)],
        pools: vec![
            Pool {
                audience: Audience::Student,
                reserved: Some(("ash", 4)),
                ..pool("learn-students", "learn", Some(students), Full::Wait)
            },
            Pool { audience: Audience::Student, owner: "birch", ..pool("learn-birch", "learn", Some(own), Full::Wait) },
            Pool { audience: Audience::Educator, ..pool("learn-staff", "learn", None, Full::Wait) },
            pool("observe", "observe", Some(dice.between(3, 6)), Full::Wait),
        ],
        rules: vec![
            rule("students", "learn", 0, Ask::Role("student")),
            rule("staff", "learn", 0, Ask::Role("teacher")),
            rule("teachers", "observe", 0, Ask::Role("teacher")),
            rule("aides", "observe", 5, Ask::Role("aide")),
        ],
        ..base(dice, "school", "Europe/London", (1, 30))
    }
}

/// Seats are the person's until the person is deleted; invitations are to be accepted.
fn studio(dice: &mut Dice) -> Setup {
    Setup {
        products: vec![Product { invites: true, ..product("studio", Model::Named) }],
        pools: vec![pool("studio", "studio", Some(dice.between(12, 24)), Full::Wait)],
        rules: vec![rule("members", "studio", 0, Ask::Class)],
        pending_days: *dice.pick(&[0, 20]).expect("one"),
        ..base(dice, "studio", "Australia/Sydney", (2, 30))
    }
}

/// Access for everybody, content for whoever has access.
fn academy(dice: &mut Dice) -> Setup {
    let content = Product { requires: Some("access"), auto_assign: true, ..product("content", Model::Role) };
    let full = *dice.pick(&[Full::Overdraw, Full::Wait, Full::UpTo(110)]).expect("one");
    Setup {
        roles: vec!["student", "teacher", "guardian"],
        products: vec![product("access", Model::Role), content],
        pools: vec![
            pool("access", "access", Some(dice.between(18, 30)), Full::Wait),
            pool("content", "content", Some(dice.between(12, 24)), full),
        ],
        rules: vec![rule("everybody", "access", 0, Ask::Everyone), rule("teachers", "content", 3, Ask::Role("teacher"))],
        ..base(dice, "academy", "Europe/London", (2, 0))
    }
}

/// A new person, the `number`th of the customer.
pub fn person(dice: &mut Dice, setup: &Setup, number: usize) -> Person {
    let school = *dice.pick(&setup.schools).expect("one");
    let role = *dice.pick(&setup.roles).expect("one");
    let mut classes = BTreeMap::new();
    if dice.chance(80) {
        let class = format!("{school}-{}", dice.between(1, 2));
        classes.insert(0, Enrolled { class, first: None, last: None, ended: false });
    }
    Person {
        given: format!("Given{number}"),
        family: format!("Family{number}"),
        email: format!("p{number}@example.org"),
        roles: BTreeMap::from([(0, (role.to_owned(), school.to_owned()))]),
        primary: dice.chance(40).then(|| school.to_owned()),
        classes,
        ended: false,
        locked: dice.chance(3),
        bad: Bad::Nothing,
    }
}
