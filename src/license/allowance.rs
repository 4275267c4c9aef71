//! The allowance of a pool at an instant, from dated entries that are never edited (R16, R17, R19).

use crate::base::{Instant, PoolId, Seats};
use crate::license::books::Allowance;
use crate::license::grant::{AgreedExcess, Grant};
use crate::license::pool::Pool;

/// The allowance of a pool at `at`, from everything recorded so far: a late purchase changes what we think of the past
/// (R53). Entries of other pools are left out, and the sum never goes below 0.
pub fn allowance_at(pool: &Pool, grants: &[Grant], agreed: &[AgreedExcess], at: Instant) -> Allowance {
    allowance_of(&pool.id, pool.unlimited, grants, agreed, at)
}

/// The instants in `(from, to]` at which a pool's allowance changes, sorted, each once.
pub fn changes_between(pool: &Pool, grants: &[Grant], agreed: &[AgreedExcess], from: Instant, to: Instant) -> Vec<Instant> {
    let edges = grants.iter().filter(|g| g.pool == pool.id).flat_map(|g| [g.from, g.to]);
    let edges = edges.chain(agreed.iter().filter(|a| a.pool == pool.id).flat_map(|a| [a.from, a.to]));
    let mut edges: Vec<Instant> = edges.filter(|e| from < *e && *e <= to).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut before = allowance_at(pool, grants, agreed, from);
    edges.retain(|edge| {
        let after = allowance_at(pool, grants, agreed, *edge);
        std::mem::replace(&mut before, after) != after
    });
    edges
}

/// The allowance of the pool `pool` at `at` from the entries given. An unlimited pool has no excess to agree on.
pub fn allowance_of<'a>(
    pool: &PoolId,
    unlimited: bool,
    grants: impl IntoIterator<Item = &'a Grant>,
    agreed: impl IntoIterator<Item = &'a AgreedExcess>,
    at: Instant,
) -> Allowance {
    if unlimited {
        return Allowance { seats: None, agreed: Seats(0) };
    }
    let in_force = |from: Instant, to: Instant| from <= at && (at < to || to == Instant::MAX);
    let seats: i128 =
        grants.into_iter().filter(|g| g.pool == *pool && in_force(g.from, g.to)).map(|g| i128::from(g.seats)).sum();
    let agreed: i128 =
        agreed.into_iter().filter(|a| a.pool == *pool && in_force(a.from, a.to)).map(|a| i128::from(a.seats.0)).sum();
    Allowance { seats: Some(clamped(seats)), agreed: clamped(agreed) }
}

/// A sum as a count: not below 0, and at most what a count can hold.
fn clamped(sum: i128) -> Seats {
    Seats(u32::try_from(sum.max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use crate::base::{Actor, Calendar, Instant, Seats};
    use crate::license::allowance::{allowance_at, changes_between};
    use crate::license::books::Allowance;
    use crate::license::clauses::Clauses;
    use crate::license::grant::{AgreedExcess, Grant, GrantKind};
    use crate::license::pool::{Audience, OnFull, OverageLimits, Pool};

    fn pool(unlimited: bool) -> Pool {
        Pool {
            id: "math".into(),
            product: "math".into(),
            owner: "north".into(),
            audience: Audience::Any,
            unlimited,
            on_full: OnFull::Wait,
            overage: OverageLimits::CONTRACT,
            clauses: Clauses::CONTRACT,
            reservations: Vec::new(),
            calendar: Calendar::utc(),
            anchor: None,
            renewal: Default::default(),
            reuse: Default::default(),
        }
    }

    fn grant(pool: &str, seats: i64, from: i64, to: i64, recorded: i64) -> Grant {
        Grant {
            id: format!("{pool}-{seats}-{from}").as_str().into(),
            pool: pool.into(),
            seats,
            from: Instant(from),
            to: Instant(to),
            recorded: Instant(recorded),
            by: Actor::system(),
            kind: GrantKind::Purchase,
            reference: String::new(),
        }
    }

    fn agreement(seats: u32, from: i64, to: i64) -> AgreedExcess {
        AgreedExcess {
            id: "letter".into(),
            pool: "math".into(),
            seats: Seats(seats),
            from: Instant(from),
            to: Instant(to),
            recorded: Instant(0),
            by: Actor::system(),
            reference: "letter 7".into(),
        }
    }

    const EVER: i64 = i64::MAX;

    #[test]
    fn grants_count_from_their_start_to_before_their_end() {
        let grants = [grant("math", 100, 10, 50, 0), grant("math", 20, 30, EVER, 0), grant("art", 7, 0, EVER, 0)];
        for (at, seats) in [(9, 0), (10, 100), (29, 100), (30, 120), (49, 120), (50, 20), (EVER, 20)] {
            let allowance = allowance_at(&pool(false), &grants, &[], Instant(at));
            assert_eq!(allowance, Allowance { seats: Some(Seats(seats)), agreed: Seats(0) }, "at {at}");
        }
    }

    #[test]
    fn the_sum_never_goes_below_zero_nor_past_what_a_count_holds() {
        let at = |seats: &[i64]| {
            let grants: Vec<_> = seats.iter().map(|s| grant("math", *s, 0, EVER, 0)).collect();
            allowance_at(&pool(false), &grants, &[], Instant(1)).seats
        };
        assert_eq!(at(&[5, -9]), Some(Seats(0)));
        assert_eq!(at(&[5, -9, 10]), Some(Seats(6)));
        assert_eq!(at(&[i64::MAX, i64::MAX]), Some(Seats(u32::MAX)));
        assert_eq!(at(&[i64::MIN, i64::MIN]), Some(Seats(0)));
    }

    #[test]
    fn agreed_excess_lies_on_top_for_its_range() {
        let (grants, agreed) = ([grant("math", 100, 0, EVER, 0)], [agreement(8, 10, 20)]);
        for (at, effective) in [(9, 100), (10, 108), (19, 108), (20, 100)] {
            let allowance = allowance_at(&pool(false), &grants, &agreed, Instant(at));
            assert_eq!(allowance.seats, Some(Seats(100)));
            assert_eq!(allowance.effective(), Some(Seats(effective)), "at {at}");
        }
        let allowance = allowance_at(&pool(true), &grants, &agreed, Instant(15));
        assert_eq!(allowance, Allowance { seats: None, agreed: Seats(0) });
    }

    #[test]
    fn only_real_changes_are_changes() {
        let (from, to) = (Instant(0), Instant(EVER));
        // A renewal that starts when the old term ends changes nothing at the seam.
        let renewed = [grant("math", 100, 0, 50, 0), grant("math", 100, 50, 90, 0), grant("art", 1, 60, 70, 0)];
        assert_eq!(changes_between(&pool(false), &renewed, &[], from, to), [Instant(90)]);
        assert_eq!(changes_between(&pool(false), &renewed, &[], from, Instant(90)), [Instant(90)]);
        assert_eq!(changes_between(&pool(false), &renewed, &[], from, Instant(89)), []);
        assert_eq!(changes_between(&pool(false), &renewed, &[], Instant(90), to), []);
        assert_eq!(changes_between(&pool(false), &renewed, &[], Instant(-1), Instant(0)), [Instant(0)]);
        let smaller = [grant("math", 100, 0, 50, 0), grant("math", 80, 50, EVER, 0)];
        let agreed = [agreement(5, 20, 50), agreement(5, 20, 60)];
        let changes = changes_between(&pool(false), &smaller, &agreed, from, to);
        assert_eq!(changes, [Instant(20), Instant(50), Instant(60)]);
        assert_eq!(changes_between(&pool(true), &smaller, &agreed, from, to), []);
    }
}
