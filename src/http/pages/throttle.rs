//! Tries to sign in, counted for each address, so that nobody tries for ever: in bounded memory.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::Instant;

/// So many tries that failed …
const FAILURES_MAX: u32 = 10;

/// … within so long, in milliseconds, and an address is not heard until that time is over.
const WINDOW_MILLIS: i64 = 15 * 60_000;

/// So many addresses are remembered; one more drops the one whose first failure is the oldest.
const ADDRESSES_MAX: usize = 4096;

#[derive(Clone, Copy, Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

/// The tries that failed.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<BTreeMap<IpAddr, Failures>>);

impl Throttle {
    fn table(&self) -> MutexGuard<'_, BTreeMap<IpAddr, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a try as failed before it is looked at, so that many at once are counted, too. `Err`: it is not looked at, and
    /// for how many seconds none will be.
    pub fn begin(&self, from: IpAddr, now: Instant) -> Result<(), u64> {
        let from = network(from);
        let mut table = self.table();
        let is_on = |failures: &Failures| now.0 - failures.since.0 < WINDOW_MILLIS;
        if table.get(&from).is_some_and(|failures| !is_on(failures)) {
            table.remove(&from);
        }
        if table.len() >= ADDRESSES_MAX {
            table.retain(|_, failures| is_on(failures));
        }
        if table.len() >= ADDRESSES_MAX
            && !table.contains_key(&from)
            && let Some(oldest) = table.iter().min_by_key(|(_, failures)| failures.since).map(|(from, _)| *from)
        {
            table.remove(&oldest);
        }
        let failures = table.entry(from).or_insert(Failures { since: now, count: 0 });
        if failures.count >= FAILURES_MAX {
            let left = failures.since.0 + WINDOW_MILLIS - now.0;
            return Err(u64::try_from(left).unwrap_or(0).div_ceil(1000));
        }
        failures.count += 1;
        Ok(())
    }

    /// The try came to a good end: it does not count. The failures before it do.
    pub fn forgive(&self, from: IpAddr) {
        if let Some(failures) = self.table().get_mut(&network(from)) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

/// What one caller has at hand: an address of IPv4, or a /64 of IPv6.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(from) => IpAddr::V6((from.to_bits() & (u128::MAX << 64)).into()),
        from => from,
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use crate::base::Instant;
    use crate::http::pages::throttle::{ADDRESSES_MAX, FAILURES_MAX, Throttle, WINDOW_MILLIS};

    const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    #[test]
    fn whoever_fails_too_often_waits_and_others_do_not() {
        let throttle = Throttle::default();
        for _ in 0..FAILURES_MAX {
            assert_eq!(throttle.begin(ONE, Instant(0)), Ok(()));
        }
        assert_eq!(throttle.begin(ONE, Instant(WINDOW_MILLIS - 1500)), Err(2));
        assert_eq!(throttle.begin(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)), Instant(0)), Ok(()));
        assert_eq!(throttle.begin(ONE, Instant(WINDOW_MILLIS)), Ok(()), "the time is over");
    }

    #[test]
    fn a_good_try_does_not_count_and_does_not_wash_away_bad_ones() {
        let throttle = Throttle::default();
        for _ in 0..FAILURES_MAX * 3 {
            assert_eq!(throttle.begin(ONE, Instant(0)), Ok(()));
            throttle.forgive(ONE);
        }
        for _ in 0..FAILURES_MAX {
            assert_eq!(throttle.begin(ONE, Instant(0)), Ok(()));
        }
        throttle.forgive(ONE);
        assert_eq!((throttle.begin(ONE, Instant(0)), throttle.begin(ONE, Instant(0)).is_err()), (Ok(()), true));
    }

    #[test]
    fn one_network_is_one_caller_and_memory_is_bounded() {
        let throttle = Throttle::default();
        let in_net = |net: u16, host: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, net, 0, 0, 0, host));
        for host in 0..10 {
            assert_eq!(throttle.begin(in_net(1, host), Instant(0)), Ok(()));
        }
        assert!(throttle.begin(in_net(1, 99), Instant(0)).is_err());
        assert_eq!(throttle.begin(in_net(2, 99), Instant(0)), Ok(()));
        for at in 0..u32::try_from(2 * ADDRESSES_MAX).expect("small") {
            assert_eq!(throttle.begin(IpAddr::V4(at.into()), Instant(1)), Ok(()));
        }
        assert_eq!(throttle.table().len(), ADDRESSES_MAX);
        let mapped = IpAddr::V6(Ipv4Addr::new(192, 0, 2, 9).to_ipv6_mapped());
        for _ in 0..FAILURES_MAX {
            let _ = throttle.begin(mapped, Instant(1));
        }
        assert!(throttle.begin(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 9)), Instant(1)).is_err(), "one address in two spellings");
    }
}
