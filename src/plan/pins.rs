//! Pins by person (R9).

use std::collections::BTreeMap;

use crate::base::{Day, Instant};
use crate::license::{Pin, PinKind};
use crate::plan::input::Policy;

/// Pins in force, by person: (pool position in the policy, kind).
pub type Pins<'a> = BTreeMap<&'a str, Vec<(u16, PinKind)>>;

/// Those of `pins` that are in force at an instant, each by the date where its pool is.
pub fn pins_in_force<'a>(policy: &Policy, pins: impl IntoIterator<Item = &'a Pin>, now: Instant) -> Pins<'a> {
    let mut all: Pins<'a> = BTreeMap::new();
    for pin in pins {
        if let Some(at) = policy.pools.iter().position(|p| p.id == pin.pool)
            && in_force(pin.until, policy.pools[at].calendar.day_of(now))
        {
            all.entry(pin.person.as_str()).or_default().push((at as u16, pin.kind));
        }
    }
    all
}

/// Whether a pin that lasts until `until` is in force on `today`.
pub fn in_force(until: Day, today: Day) -> bool {
    today <= until
}

/// Whether a person is kept out of a pool, by its position in the policy.
pub fn is_denied(pins: &Pins<'_>, person: &str, pool: usize) -> bool {
    let denies = |&(at, kind): &(u16, PinKind)| kind == PinKind::Deny && usize::from(at) == pool;
    pins.get(person).is_some_and(|pins| pins.iter().any(denies))
}
