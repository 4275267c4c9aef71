//! How a claim goes from state to state (R31).

use crate::license::claim::ClaimState::{self, Active, Held, Pending, Released, Suspended, Waiting};

/// The state after the person left the last team, seat model `named`: seated becomes held, the rest stays (R33).
pub fn named_without_team(state: ClaimState) -> ClaimState {
    if state == Active { Held } else { state }
}

/// The state after the person joined a team, seat model `named`: held becomes seated, the rest stays (R33).
pub fn named_with_team(state: ClaimState) -> ClaimState {
    if state == Held { Active } else { state }
}

/// The state after the person accepted the invitation; accepting again changes nothing (R32, R41).
pub fn accepted(state: ClaimState) -> ClaimState {
    if state == Pending { Active } else { state }
}

/// Whether a claim may go from `before` (`None`: it is new) to `after`. Staying is allowed except in `released`. A
/// released claim comes back only as itself: its person returned before the purge (R130), or its release was undone (R126).
pub fn may_become(before: Option<ClaimState>, after: ClaimState) -> bool {
    match (before, after) {
        (None, Waiting | Pending | Active) => true,
        (None, Held | Suspended | Released) | (Some(Released), Released) => false,
        (Some(Released), _) => true,
        (Some(_), Released | Suspended) => true,
        // A renewal reinstates what was (R93).
        (Some(Suspended), _) => true,
        (Some(Waiting), Waiting | Pending | Active) => true,
        // Back to waiting: the required product was lost (R12).
        (Some(Pending), Waiting | Pending | Active) => true,
        (Some(Active | Held), Waiting | Active | Held) => true,
        // A seat in no team lost its required product, and that is undone (R12, R126).
        (Some(Waiting), Held) => true,
        (Some(Pending), Held) | (Some(Active | Held), Pending) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::base::Seats;
    use crate::license::books::StateCounts;
    use crate::license::claim::ClaimState::{self, Active, Held, Pending, Released, Suspended, Waiting};
    use crate::license::transition::{accepted, may_become, named_with_team, named_without_team};

    #[test]
    fn t15_a_named_pool() {
        let bought = 10;
        let mut claims = vec![Active, Active, Pending, Pending, Pending];
        let numbers = |claims: &[ClaimState]| {
            let mut counts = StateCounts::default();
            claims.iter().for_each(|state| counts.enter(*state));
            (counts.of(Active).0, counts.of(Pending).0, counts.of(Held).0, bought - counts.used().0)
        };
        assert_eq!(numbers(&claims), (2, 3, 0, 5));
        claims[2] = accepted(claims[2]);
        assert_eq!(numbers(&claims), (3, 2, 0, 5));
        claims[0] = named_with_team(claims[0]);
        assert_eq!(numbers(&claims), (3, 2, 0, 5), "a second team changes nothing");
        claims[0] = named_without_team(claims[0]);
        assert_eq!(numbers(&claims), (2, 2, 1, 5));
        claims[0] = named_with_team(claims[0]);
        assert_eq!(numbers(&claims), (3, 2, 0, 5));
        claims[0] = Released;
        assert_eq!(numbers(&claims), (2, 2, 0, 6));
    }

    #[test]
    fn the_three_steps_leave_every_other_state_alone() {
        for state in ClaimState::ALL {
            assert_eq!(accepted(state) == state, state != Pending);
            assert_eq!(named_without_team(state) == state, state != Active);
            assert_eq!(named_with_team(state) == state, state != Held);
            for next in [accepted(state), named_without_team(state), named_with_team(state)] {
                assert!(state == Released || may_become(Some(state), next));
                let (mut before, mut after) = (StateCounts::default(), StateCounts::default());
                before.enter(state);
                after.enter(next);
                assert_eq!(before.used(), after.used(), "none of them takes or frees a seat");
            }
        }
    }

    #[test]
    fn which_states_follow_which() {
        let follow = |before| ClaimState::ALL.into_iter().filter(|s| may_become(before, *s)).collect::<Vec<_>>();
        assert_eq!(follow(None), [Waiting, Pending, Active]);
        assert_eq!(follow(Some(Waiting)), [Waiting, Pending, Active, Held, Suspended, Released]);
        assert_eq!(follow(Some(Pending)), [Waiting, Pending, Active, Suspended, Released]);
        assert_eq!(follow(Some(Active)), [Waiting, Active, Held, Suspended, Released]);
        assert_eq!(follow(Some(Held)), [Waiting, Active, Held, Suspended, Released]);
        assert_eq!(follow(Some(Suspended)), ClaimState::ALL);
        assert_eq!(follow(Some(Released)), [Waiting, Pending, Active, Held, Suspended]);
        assert_eq!(StateCounts::default().used(), Seats(0));
    }
}
