//! Why seats are below zero (R49): a running account that always sums to the size of the negative balance.
//!
//! Seats have no names, so a cause is a count, not a property of a claim. What an agreement covers is always told as
//! `agreed_excess`, up to the agreed number; only what is beyond the effective allowance has a history. One change of
//! the books is taken apart in a fixed order: people leave, seats are bought or agreed, agreements end, the allowance
//! shrinks, people join. Relief comes first, as releases come before claims (R55), so that a change that helps and
//! hurts at once tells what hurts now and not what hurt before.

use crate::base::{Balance, Seats};
use crate::license::books::{Allowance, Cause, Causes};

/// What a pool's balance depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Situation {
    /// Used.
    pub used: Seats,
    /// The allowance.
    pub allowance: Allowance,
}

impl Situation {
    /// Seats below zero: the size of a negative balance, agreed excess not counted.
    pub fn shortfall(self) -> Seats {
        self.allowance.balance(self.used).map_or(Seats(0), Balance::shortfall)
    }

    /// Seats below zero that an agreed excess covers (R17).
    pub fn covered(self) -> Seats {
        self.shortfall().min(self.allowance.agreed)
    }

    /// Seats beyond the effective allowance.
    pub fn excess(self) -> Seats {
        Seats(self.shortfall().0 - self.covered().0)
    }
}

/// In which order causes go when the excess shrinks: what was done seat by seat first, the newest way first; what was
/// done to the pool as a whole last.
const RELIEF: [Cause; 6] = [
    Cause::ManualOverride,
    Cause::SyncOverdraw,
    Cause::StaleAllowance,
    Cause::AgreedExcessEnded,
    Cause::AllowanceReduced,
    Cause::AgreedExcess,
];

/// The causes after a change of the books; `growth` is the cause of seats that more use takes beyond the effective
/// allowance. The result sums to `after.shortfall()`, has no zero counts, and is empty when nothing is below zero.
///
/// Causes that do not fit `before` are made to fit first, the difference told as `allowance_reduced`: the pool got a
/// limit that it did not have.
pub fn step(causes: &Causes, before: Situation, after: Situation, growth: Cause) -> Causes {
    let stayed = before.used.min(after.used);
    let raised = Allowance {
        seats: before.allowance.seats.zip(after.allowance.seats).map(|(b, a)| b.max(a)),
        agreed: before.allowance.agreed.max(after.allowance.agreed),
    };
    let unagreed = Allowance { agreed: after.allowance.agreed, ..raised };

    let mut beyond = causes.clone();
    beyond.remove(&Cause::AgreedExcess);
    for (used, allowance, cause) in [
        (before.used, before.allowance, Cause::AllowanceReduced),
        (stayed, before.allowance, growth),
        (stayed, raised, growth),
        (stayed, unagreed, Cause::AgreedExcessEnded),
        (stayed, after.allowance, Cause::AllowanceReduced),
        (after.used, after.allowance, growth),
    ] {
        settle(&mut beyond, Situation { used, allowance }.excess(), cause);
    }
    if after.covered() > Seats(0) {
        *beyond.entry(Cause::AgreedExcess).or_default() += after.covered().0;
    }
    beyond
}

/// The cause an episode is opened with: the largest of those beyond the effective allowance, the first of equals.
pub fn leading_cause(causes: &Causes) -> Option<Cause> {
    let beyond = causes.iter().filter(|(cause, count)| **cause != Cause::AgreedExcess && **count > 0);
    beyond.max_by(|(a, m), (b, n)| m.cmp(n).then(b.cmp(a))).map(|(cause, _)| *cause)
}

/// Makes the causes sum to `excess`: adds what is missing to `cause`, takes what is too much in the order of relief.
fn settle(causes: &mut Causes, excess: Seats, cause: Cause) {
    let sum: u64 = causes.values().map(|count| u64::from(*count)).sum();
    let excess = u64::from(excess.0);
    if sum < excess {
        *causes.entry(cause).or_default() += u32::try_from(excess - sum).unwrap_or(u32::MAX);
    }
    let mut surplus = sum.saturating_sub(excess);
    for cause in RELIEF {
        if let Some(count) = causes.get_mut(&cause) {
            let taken = u64::from(*count).min(surplus);
            *count -= u32::try_from(taken).unwrap_or(*count);
            surplus -= taken;
        }
    }
    causes.retain(|_, count| *count > 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, proptest};

    use crate::base::Seats;
    use crate::license::books::{Allowance, Cause, Causes};
    use crate::license::causes::{Situation, leading_cause, step};

    fn at(used: u32, seats: u32, agreed: u32) -> Situation {
        Situation { used: Seats(used), allowance: Allowance { seats: Some(Seats(seats)), agreed: Seats(agreed) } }
    }

    fn causes(list: &[(Cause, u32)]) -> Causes {
        list.iter().copied().collect()
    }

    /// Walks through situations `(used, seats, agreed)`, growth by sync, and returns the causes after each.
    fn walk(path: &[(u32, u32, u32)]) -> Vec<Causes> {
        let path: Vec<_> = path.iter().map(|(u, s, a)| at(*u, *s, *a)).collect();
        let mut now = Causes::new();
        path.windows(2)
            .map(|pair| {
                now = step(&now, pair[0], pair[1], Cause::SyncOverdraw);
                now.clone()
            })
            .collect()
    }

    #[test]
    fn t16_sync_overdraws_and_purchases_relieve() {
        let got = walk(&[(100, 100, 0), (103, 100, 0), (103, 102, 0), (103, 104, 0)]);
        assert_eq!(got, [causes(&[(Cause::SyncOverdraw, 3)]), causes(&[(Cause::SyncOverdraw, 1)]), Causes::new()]);
    }

    #[test]
    fn r54_a_smaller_allowance_is_the_cause_until_people_leave() {
        let got = walk(&[(100, 100, 0), (100, 90, 0), (103, 90, 0), (99, 90, 0), (90, 90, 0)]);
        assert_eq!(
            got,
            [
                causes(&[(Cause::AllowanceReduced, 10)]),
                causes(&[(Cause::SyncOverdraw, 3), (Cause::AllowanceReduced, 10)]),
                causes(&[(Cause::AllowanceReduced, 9)]),
                Causes::new(),
            ]
        );
    }

    #[test]
    fn r17_agreed_seats_carry_the_agreement_and_then_its_end() {
        let got = walk(&[(100, 100, 10), (107, 100, 10), (112, 100, 10), (111, 100, 10), (111, 100, 0), (111, 100, 4)]);
        assert_eq!(
            got,
            [
                causes(&[(Cause::AgreedExcess, 7)]),
                causes(&[(Cause::AgreedExcess, 10), (Cause::SyncOverdraw, 2)]),
                causes(&[(Cause::AgreedExcess, 10), (Cause::SyncOverdraw, 1)]),
                causes(&[(Cause::AgreedExcessEnded, 10), (Cause::SyncOverdraw, 1)]),
                causes(&[(Cause::AgreedExcess, 4), (Cause::AgreedExcessEnded, 7)]),
            ]
        );
    }

    #[test]
    fn an_agreement_that_a_purchase_replaces_leaves_nothing_behind() {
        assert_eq!(walk(&[(110, 100, 10), (110, 110, 0)]), [Causes::new()]);
        // Both at once: the agreement's end and the cut are told apart.
        let both = walk(&[(100, 100, 10), (105, 100, 10), (105, 98, 0)]);
        assert_eq!(both[1], causes(&[(Cause::AgreedExcessEnded, 5), (Cause::AllowanceReduced, 2)]));
    }

    #[test]
    fn a_purchase_relieves_before_the_agreement_ends() {
        let got = walk(&[(100, 100, 10), (115, 100, 10), (115, 105, 0)]);
        assert_eq!(got[0], causes(&[(Cause::AgreedExcess, 10), (Cause::SyncOverdraw, 5)]));
        assert_eq!(got[1], causes(&[(Cause::AgreedExcessEnded, 10)]));
    }

    #[test]
    fn relief_comes_before_new_hurt() {
        let held = causes(&[(Cause::SyncOverdraw, 5)]);
        let got = step(&held, at(105, 100, 0), at(100, 95, 0), Cause::SyncOverdraw);
        assert_eq!(got, causes(&[(Cause::AllowanceReduced, 5)]));
        let got = step(&held, at(105, 100, 0), at(106, 100, 0), Cause::ManualOverride);
        assert_eq!(got, causes(&[(Cause::SyncOverdraw, 5), (Cause::ManualOverride, 1)]));
        let got = step(&got, at(106, 100, 0), at(104, 100, 0), Cause::SyncOverdraw);
        assert_eq!(got, causes(&[(Cause::SyncOverdraw, 4)]), "the override goes first");
    }

    #[test]
    fn unlimited_has_no_causes_and_a_new_limit_is_a_reduction() {
        let unlimited = Situation { used: Seats(500), allowance: Allowance { seats: None, agreed: Seats(0) } };
        let got = step(&causes(&[(Cause::SyncOverdraw, 5)]), at(105, 100, 0), unlimited, Cause::SyncOverdraw);
        assert_eq!(got, Causes::new());
        let got = step(&got, unlimited, at(500, 100, 0), Cause::SyncOverdraw);
        assert_eq!(got, causes(&[(Cause::AllowanceReduced, 400)]));
    }

    #[test]
    fn the_leading_cause_is_not_the_agreement() {
        let mixed = causes(&[(Cause::AgreedExcess, 50), (Cause::SyncOverdraw, 2), (Cause::ManualOverride, 2)]);
        assert_eq!(leading_cause(&mixed), Some(Cause::SyncOverdraw));
        assert_eq!(leading_cause(&causes(&[(Cause::AgreedExcess, 50)])), None);
    }

    fn situations() -> impl Strategy<Value = Vec<(Situation, Cause)>> {
        let seats = proptest::prop_oneof![9 => (0u32..40).prop_map(|s| Some(Seats(s))), 1 => proptest::strategy::Just(None)];
        let one = (0u32..60, seats, 0u32..10, any::<bool>()).prop_map(|(used, seats, agreed, by_hand)| {
            let allowance = Allowance { seats, agreed: Seats(agreed) };
            (Situation { used: Seats(used), allowance }, if by_hand { Cause::ManualOverride } else { Cause::SyncOverdraw })
        });
        proptest::collection::vec(one, 2..30)
    }

    proptest! {
        #[test]
        fn r49_i3_causes_sum_to_the_shortfall(history in situations()) {
            let mut now = Causes::new();
            let mut before = Situation { used: Seats(0), allowance: Allowance { seats: Some(Seats(0)), agreed: Seats(0) } };
            for (after, growth) in history {
                let next = step(&now, before, after, growth);
                assert_eq!(next.values().sum::<u32>(), after.shortfall().0);
                assert_eq!(next.get(&Cause::AgreedExcess).copied().unwrap_or(0), after.covered().0);
                assert!(next.values().all(|count| *count > 0));
                assert_eq!(step(&next, after, after, growth), next, "nothing happened, nothing changes");
                (now, before) = (next, after);
            }
        }

        #[test]
        fn causes_that_do_not_fit_are_made_to_fit(
            wrong in proptest::collection::btree_map(proptest::sample::select(Cause::ALL.to_vec()), 0u32..9, 0..6),
            history in situations(),
        ) {
            let (before, after) = (history[0].0, history[1].0);
            let next = step(&wrong, before, after, Cause::AgreedExcess);
            assert_eq!(next.values().sum::<u32>(), after.shortfall().0);
        }
    }
}
