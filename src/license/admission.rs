//! The one admission function (R57): every door asks here, and nothing else decides about a seat.
//!
//! It is asked for new consumption only. Releasing, re-affirming what is so and reading never come here (R41, I14).
//! Two admissions for the last seat cannot both win (R56), because each is decided on the books of one version and a
//! commit on an older version is refused; the loser asks again and sees the seat gone.

use crate::base::{ProductId, Seats};
use crate::license::chain::{Gate, TermState};
use crate::license::claim::Channel;
use crate::license::entry::SeatAnswer;
use crate::license::pool::OnFull;

/// What a pool has room for, for one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Used, all earlier admissions of the same commit included.
    pub used: Seats,
    /// Effective allowance; `None` is unlimited (R19).
    pub effective: Option<Seats>,
    /// The person's own reservation, one of its ancestors' or the unreserved part has a free seat (R20).
    pub draw_free: bool,
    /// Whether the pool's terms let anybody in at all (R91, R93).
    pub gate: Gate,
}

impl Room {
    /// Whether this person can be seated without going over: used < effective allowance, and the seat is not set aside
    /// for somebody else. With or without an agreed excess this is R51's condition.
    pub fn is_free(&self) -> bool {
        self.gate == Gate::Open && self.effective.is_none_or(|effective| self.used < effective && self.draw_free)
    }
}

/// Decides about one seat (R47, R48, R51). `override_by_operator` counts for the manual channel alone: a roster cannot
/// insist.
pub fn admit(channel: Channel, override_by_operator: bool, room: &Room, on_full: OnFull) -> SeatAnswer {
    // Nobody insists on a seat that was not bought for this time.
    let closed = match room.gate {
        Gate::Open => None,
        Gate::YearFull => match channel {
            Channel::Sync => return SeatAnswer::Queue,
            Channel::Manual if override_by_operator => None,
            Channel::Manual => return SeatAnswer::ReuseExceeded,
        },
        Gate::NoNew(state) => Some(state),
        Gate::Shut => Some(TermState::Expired),
    };
    if let Some(state) = closed {
        return if channel == Channel::Manual { SeatAnswer::OutOfTerm(state) } else { SeatAnswer::Queue };
    }
    let effective = match room.effective {
        Some(effective) if !room.is_free() => effective,
        _ => return SeatAnswer::Seat,
    };
    match channel {
        Channel::Manual if override_by_operator => SeatAnswer::Seat,
        Channel::Manual => SeatAnswer::PoolExhausted { effective, used: room.used },
        Channel::Sync => match on_full {
            OnFull::Overdraw => SeatAnswer::Seat,
            OnFull::Wait => SeatAnswer::Queue,
            OnFull::OverdrawUpTo { percent_max } => {
                let used_then_hundredfold = (u64::from(room.used.0) + 1) * 100;
                let ceiling = u64::from(percent_max) * u64::from(effective.0);
                if used_then_hundredfold <= ceiling { SeatAnswer::Seat } else { SeatAnswer::Queue }
            }
        },
    }
}

/// A product a new person would need a seat of, with what [`admit`] says of that seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreationDemand<'a> {
    /// The product.
    pub product: &'a ProductId,
    /// It is demanded for every new person (R30).
    pub auto_assign: bool,
    /// What the admission function answered.
    pub answer: SeatAnswer,
}

/// Whether a person may be created, and with what (R52).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreationAnswer {
    /// Created, with the seats there are.
    Created,
    /// Refused: this product is demanded for every new person and has no seat left.
    BlockedBy {
        /// The first such product in the order asked.
        product: ProductId,
        /// Its effective allowance.
        effective: Seats,
        /// Its used.
        used: Seats,
    },
}

/// Decides about the creation of a person (R52, T16). `coupled` is `admission.coupled_create_manual`; without it, and
/// whenever the answers come from the sync channel, the person is created with the seats there are.
pub fn admit_creation(coupled: bool, demands: &[CreationDemand<'_>]) -> CreationAnswer {
    if coupled {
        for demand in demands.iter().filter(|demand| demand.auto_assign) {
            if let SeatAnswer::PoolExhausted { effective, used } = demand.answer {
                return CreationAnswer::BlockedBy { product: demand.product.clone(), effective, used };
            }
        }
    }
    CreationAnswer::Created
}

#[cfg(test)]
mod tests {
    use crate::base::{ProductId, Seats};
    use crate::license::admission::{CreationAnswer, CreationDemand, Room, admit, admit_creation};
    use crate::license::chain::{Gate, TermState};
    use crate::license::claim::Channel::{Manual, Sync};
    use crate::license::entry::SeatAnswer;
    use crate::license::pool::OnFull;

    const UP_TO_110: OnFull = OnFull::OverdrawUpTo { percent_max: 110 };

    fn room(used: u32, effective: u32) -> Room {
        Room { used: Seats(used), effective: Some(Seats(effective)), draw_free: true, gate: Gate::Open }
    }

    fn exhausted(used: u32, effective: u32) -> SeatAnswer {
        SeatAnswer::PoolExhausted { effective: Seats(effective), used: Seats(used) }
    }

    #[test]
    fn r47_r48_each_channel_and_policy() {
        let (seat, queue) = (SeatAnswer::Seat, SeatAnswer::Queue);
        for (used, effective, manual, overdraw, wait, up_to) in [
            (8, 10, seat, seat, seat, seat),
            (9, 10, seat, seat, seat, seat),
            (10, 10, exhausted(10, 10), seat, queue, seat),
            (11, 10, exhausted(11, 10), seat, queue, queue),
            (0, 0, exhausted(0, 0), seat, queue, queue),
            (109, 100, exhausted(109, 100), seat, queue, seat),
            (110, 100, exhausted(110, 100), seat, queue, queue),
            (u32::MAX, u32::MAX, exhausted(u32::MAX, u32::MAX), seat, queue, seat),
        ] {
            let room = room(used, effective);
            for on_full in [OnFull::Overdraw, OnFull::Wait, UP_TO_110] {
                assert_eq!(admit(Manual, false, &room, on_full), manual, "manual {used}/{effective}");
                assert_eq!(admit(Manual, true, &room, on_full), seat, "override {used}/{effective}");
            }
            for insisted in [false, true] {
                assert_eq!(admit(Sync, insisted, &room, OnFull::Overdraw), overdraw, "overdraw {used}/{effective}");
                assert_eq!(admit(Sync, insisted, &room, OnFull::Wait), wait, "wait {used}/{effective}");
                assert_eq!(admit(Sync, insisted, &room, UP_TO_110), up_to, "up to {used}/{effective}");
            }
        }
    }

    #[test]
    fn r48_a_limit_below_the_allowance_never_hides_a_free_seat() {
        assert_eq!(admit(Sync, false, &room(9, 10), OnFull::OverdrawUpTo { percent_max: 50 }), SeatAnswer::Seat);
    }

    #[test]
    fn r20_a_seat_set_aside_for_others_is_not_free() {
        let room = Room { draw_free: false, ..room(500, 700) };
        assert_eq!(admit(Manual, false, &room, OnFull::Wait), exhausted(500, 700));
        assert_eq!(admit(Sync, false, &room, OnFull::Wait), SeatAnswer::Queue);
        assert_eq!(admit(Sync, false, &room, OnFull::Overdraw), SeatAnswer::Seat);
    }

    #[test]
    fn r19_unlimited_is_always_free() {
        let room = Room { used: Seats(u32::MAX), effective: None, draw_free: false, gate: Gate::Open };
        for channel in [Manual, Sync] {
            assert_eq!(admit(channel, false, &room, OnFull::Wait), SeatAnswer::Seat);
        }
    }

    #[test]
    fn r91_r93_outside_a_term_there_is_no_seat_for_anybody() {
        for effective in [Some(Seats(10)), None] {
            for (gate, state) in [
                (Gate::NoNew(TermState::InGrace), TermState::InGrace),
                (Gate::NoNew(TermState::NotStarted), TermState::NotStarted),
                (Gate::Shut, TermState::Expired),
            ] {
                let room = Room { used: Seats(3), effective, draw_free: true, gate };
                assert!(!room.is_free());
                for insisted in [false, true] {
                    assert_eq!(admit(Manual, insisted, &room, OnFull::Overdraw), SeatAnswer::OutOfTerm(state));
                    assert_eq!(admit(Sync, insisted, &room, OnFull::Overdraw), SeatAnswer::Queue, "it waits");
                }
            }
        }
    }

    #[test]
    fn r85_nobody_new_in_a_year_that_is_full_unless_an_operator_insists() {
        let room = Room { gate: Gate::YearFull, ..room(3, 10) };
        for on_full in [OnFull::Overdraw, OnFull::Wait, UP_TO_110] {
            assert!(!room.is_free());
            assert_eq!(admit(Manual, false, &room, on_full), SeatAnswer::ReuseExceeded);
            assert_eq!(admit(Manual, true, &room, on_full), SeatAnswer::Seat);
            assert_eq!(admit(Sync, true, &room, on_full), SeatAnswer::Queue);
        }
    }

    #[test]
    fn t20_the_last_seat_goes_to_one_of_fifty() {
        let (mut used, mut refused) = (9, 0);
        for _ in 0..50 {
            match admit(Manual, false, &room(used, 10), OnFull::Wait) {
                SeatAnswer::Seat => used += 1,
                answer => {
                    assert_eq!(answer, exhausted(10, 10));
                    refused += 1;
                }
            }
        }
        assert_eq!((used, refused), (10, 49));
    }

    #[test]
    fn t16_academy() {
        let (access, content) = (ProductId::from("access"), ProductId::from("content"));
        let manual = |auto_assign, content_room: Room, coupled| {
            let answer = |room: &Room| admit(Manual, false, room, OnFull::Overdraw);
            let demands = [
                CreationDemand { product: &access, auto_assign: true, answer: answer(&room(0, 100)) },
                CreationDemand { product: &content, auto_assign, answer: answer(&content_room) },
            ];
            admit_creation(coupled, &demands)
        };
        let blocked = |used, effective| CreationAnswer::BlockedBy {
            product: content.clone(),
            effective: Seats(effective),
            used: Seats(used),
        };
        assert_eq!(manual(true, room(50, 50), true), blocked(50, 50));
        assert_eq!(manual(false, room(50, 50), true), CreationAnswer::Created);
        assert_eq!(manual(true, room(50, 50), false), CreationAnswer::Created);
        // Sync of 3 people overdraws to −3; 2 bought: −1, still refused; 2 more: 1 left, exactly one is admitted.
        assert_eq!(manual(true, room(53, 52), true), blocked(53, 52));
        assert_eq!(manual(true, room(53, 54), true), CreationAnswer::Created);
        assert_eq!(manual(true, room(54, 54), true), blocked(54, 54));
    }

    #[test]
    fn r52_the_first_exhausted_product_is_named_and_sync_always_creates() {
        let (a, b, c) = (ProductId::from("a"), ProductId::from("b"), ProductId::from("c"));
        let demand = |product, answer| CreationDemand { product, auto_assign: true, answer };
        let refused = [demand(&a, SeatAnswer::Seat), demand(&c, exhausted(2, 2)), demand(&b, exhausted(1, 1))];
        let blocked = CreationAnswer::BlockedBy { product: c.clone(), effective: Seats(2), used: Seats(2) };
        assert_eq!(admit_creation(true, &refused), blocked);
        let queued = [demand(&a, SeatAnswer::Seat), demand(&b, SeatAnswer::Queue)];
        assert_eq!(admit_creation(true, &queued), CreationAnswer::Created);
    }
}
