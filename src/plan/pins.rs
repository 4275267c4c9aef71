//! Pins by person, as runs look at them (R9).

use std::collections::BTreeMap;

use crate::license::PinKind;
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
