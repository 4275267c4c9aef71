//! Pins by person, as runs and decisions look at them (R9).

use std::collections::BTreeMap;

use crate::license::{Entry, Pin, PinKind};
use crate::plan::decision::Desk;
use crate::plan::input::PlanInput;
use crate::plan::pools::in_force;

/// Pins in force, by person: (pool position in the policy, kind).
pub type Pins<'a> = BTreeMap<&'a str, Vec<(u16, PinKind)>>;

/// The pins in force at a plan's instant.
pub fn pins_in_force<'a>(input: &PlanInput<'a>) -> Pins<'a> {
    let mut pins: Pins<'a> = BTreeMap::new();
    for pin in &input.standing.pins {
        if let Some(at) = input.policy.pools.iter().position(|p| p.id == pin.pool)
            && in_force(pin.until, input.policy.pools[at].calendar.day_of(input.now))
        {
            pins.entry(pin.person.as_str()).or_default().push((at as u16, pin.kind));
        }
    }
    pins
}

/// The pins in force once a decision's entries are written, by person.
pub fn pins_after(desk: &Desk<'_>, entries: &[Entry]) -> BTreeMap<String, Vec<(u16, PinKind)>> {
    let new = entries.iter().filter_map(|entry| if let Entry::Pinned(pin) = entry { Some(pin) } else { None });
    let new: Vec<&Pin> = new.collect();
    let replaced = |old: &&Pin| new.iter().any(|pin| pin.person == old.person && pin.pool == old.pool);
    let mut all: Vec<&Pin> = desk.standing.pins.iter().filter(|old| !replaced(old)).chain(new.iter().copied()).collect();
    all.sort_by(|a, b| (&a.person, &a.pool).cmp(&(&b.person, &b.pool)));
    let mut pins: BTreeMap<String, Vec<(u16, PinKind)>> = BTreeMap::new();
    for pin in all {
        let Some(at) = desk.policy.pools.iter().position(|pool| pool.id == pin.pool) else { continue };
        if let (true, Ok(pool)) = (in_force(pin.until, desk.policy.pools[at].calendar.day_of(desk.now)), u16::try_from(at)) {
            pins.entry(pin.person.as_str().to_owned()).or_default().push((pool, pin.kind));
        }
    }
    pins
}
