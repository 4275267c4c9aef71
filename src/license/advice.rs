//! What would help a pool, with numbers (R146). Deterministic: the same facts give the same advice, in the same order.

use crate::base::{Day, PoolId, Seats};

/// What a pool's advice depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdviceFacts {
    /// Used seats.
    pub used: Seats,
    /// The allowance; `None`: unlimited.
    pub allowance: Option<Seats>,
    /// How many wait for a seat.
    pub waiting: Seats,
    /// Invitations that nobody accepted yet.
    pub pending: Seats,
    /// Named seats of people in no team.
    pub held: Seats,
    /// Seats without a log-in for long; `None`: no feed tells.
    pub inactive: Option<Seats>,
    /// Seats whose people never used this product and did use another; `None`: no feed tells.
    pub unused: Option<Seats>,
    /// Free seats of other pools of the same product and audience.
    pub free_elsewhere: Vec<(PoolId, Seats)>,
    /// The next tier of the ladder.
    pub next_tier: Option<TierOffer>,
    /// The last day of a term that ends soon and has no successor.
    pub renew_by: Option<Day>,
}

/// A step up the ladder, and what it costs for the rest of the license year (R78, R79).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TierOffer {
    /// The allowance of the next tier.
    pub seats: Seats,
    /// Its price until the license year ends, with the currency; `None`: the ladder tells no prices.
    pub cost: Option<String>,
}

/// One thing that would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Free seats that nobody used for long.
    RemoveInactive(Seats),
    /// Take roles from people who use another product and never this one.
    AdjustRoles(Seats),
    /// Move free seats of another pool here.
    Transfer {
        /// How many.
        seats: Seats,
        /// From which pool.
        from: PoolId,
    },
    /// Buy as many as are missing.
    Buy(Seats),
    /// Take the next tier.
    UpgradeTier(TierOffer),
    /// Renew before this day is over.
    RenewBy(Day),
    /// Remind people who were invited.
    AcceptPending(Seats),
    /// Look at named seats of people in no team.
    ReviewHeld(Seats),
}

impl Advice {
    /// The advice's code.
    pub fn word(&self) -> &'static str {
        match self {
            Advice::RemoveInactive(_) => "REMOVE_INACTIVE",
            Advice::AdjustRoles(_) => "ADJUST_ROLES",
            Advice::Transfer { .. } => "TRANSFER",
            Advice::Buy(_) => "BUY",
            Advice::UpgradeTier(_) => "UPGRADE_TIER",
            Advice::RenewBy(_) => "RENEW",
            Advice::AcceptPending(_) => "ACCEPT_PENDING",
            Advice::ReviewHeld(_) => "REVIEW_HELD",
        }
    }
}

/// What would help, in the order in which to try it; empty if nothing would.
pub fn advise(facts: &AdviceFacts) -> Vec<Advice> {
    let AdviceFacts { used, allowance, waiting, pending, held, inactive, unused, free_elsewhere, next_tier, renew_by } = facts;
    let some = |seats: Seats| (seats > Seats(0)).then_some(seats);
    let missing = allowance.map_or(Seats(0), |allowance| {
        let missing = (u64::from(used.0) + u64::from(waiting.0)).saturating_sub(u64::from(allowance.0));
        Seats(u32::try_from(missing).unwrap_or(u32::MAX))
    });
    let mut advice = Vec::new();
    advice.extend(inactive.and_then(some).map(Advice::RemoveInactive));
    advice.extend(unused.and_then(some).map(Advice::AdjustRoles));
    let mut left = missing.0;
    let mut free: Vec<&(PoolId, Seats)> = free_elsewhere.iter().collect();
    free.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    for (from, free) in free {
        let seats = free.0.min(left);
        left -= seats;
        advice.extend(some(Seats(seats)).map(|seats| Advice::Transfer { seats, from: from.clone() }));
    }
    advice.extend(some(missing).map(Advice::Buy));
    advice.extend(some(missing).and(next_tier.clone()).map(Advice::UpgradeTier));
    advice.extend(renew_by.map(Advice::RenewBy));
    advice.extend(some(*pending).map(Advice::AcceptPending));
    advice.extend(some(*held).map(Advice::ReviewHeld));
    advice
}

#[cfg(test)]
mod tests {
    use crate::base::{Day, Seats};
    use crate::license::advice::{Advice, AdviceFacts, TierOffer, advise};

    #[test]
    fn r146_each_kind_and_none() {
        let full = AdviceFacts { used: Seats(10), allowance: Some(Seats(10)), ..AdviceFacts::default() };
        let short = AdviceFacts { waiting: Seats(7), ..full.clone() };
        let tier = TierOffer { seats: Seats(20), cost: Some("100.00 EUR".into()) };
        let free = |list: &[(&str, u32)]| list.iter().map(|&(pool, seats)| (pool.into(), Seats(seats))).collect::<Vec<_>>();
        let transfer = |seats, from: &str| Advice::Transfer { seats: Seats(seats), from: from.into() };
        for (name, facts, expected) in [
            ("nothing helps a full pool that nobody waits for", full.clone(), vec![]),
            ("nor one that is unlimited", AdviceFacts { allowance: None, waiting: Seats(3), ..full.clone() }, vec![]),
            ("inactive", AdviceFacts { inactive: Some(Seats(4)), ..full.clone() }, vec![Advice::RemoveInactive(Seats(4))]),
            ("none inactive", AdviceFacts { inactive: Some(Seats(0)), unused: Some(Seats(0)), ..full.clone() }, vec![]),
            ("unused", AdviceFacts { unused: Some(Seats(2)), ..full.clone() }, vec![Advice::AdjustRoles(Seats(2))]),
            ("short", short.clone(), vec![Advice::Buy(Seats(7))]),
            ("over", AdviceFacts { used: Seats(13), ..full.clone() }, vec![Advice::Buy(Seats(3))]),
            (
                "free seats elsewhere, the most first, no more than are missing",
                AdviceFacts { free_elsewhere: free(&[("b", 3), ("c", 0), ("a", 3), ("d", 5)]), ..short.clone() },
                vec![transfer(5, "d"), transfer(2, "a"), Advice::Buy(Seats(7))],
            ),
            (
                "free seats elsewhere do not matter where none is missing",
                AdviceFacts { free_elsewhere: free(&[("b", 3)]), next_tier: Some(tier.clone()), ..full.clone() },
                vec![],
            ),
            (
                "a tier",
                AdviceFacts { next_tier: Some(tier.clone()), ..short.clone() },
                vec![Advice::Buy(Seats(7)), Advice::UpgradeTier(tier)],
            ),
            ("renew", AdviceFacts { renew_by: Some(Day(9)), ..full.clone() }, vec![Advice::RenewBy(Day(9))]),
            ("pending", AdviceFacts { pending: Seats(3), ..full.clone() }, vec![Advice::AcceptPending(Seats(3))]),
            ("held", AdviceFacts { held: Seats(1), ..full }, vec![Advice::ReviewHeld(Seats(1))]),
        ] {
            let advice = advise(&facts);
            assert_eq!(advice, expected, "{name}");
        }
    }
}
