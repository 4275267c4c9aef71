//! What ends an overage before a deadline, and for how much: people fewer, seats more, or the next tier (R64, R71, R79).

use crate::base::{Day, Instant, Seats};
use crate::license::band::band;
use crate::license::books::Allowance;
use crate::license::chain::{Phase, tier_on_offer};
use crate::license::pool::Pool;
use crate::license::stage::is_major;
use crate::license::term::license_year;
use crate::license::tier::{Charge, Tier, pro_rata};

/// An overage that is to be cured.
#[derive(Clone, Copy, Debug)]
pub struct Shortage<'a> {
    /// Of which pool.
    pub pool: &'a Pool,
    /// Used when the deadline comes, if nobody does anything.
    pub used: Seats,
    /// Bought and agreed at that time.
    pub allowance: Allowance,
    /// Major by its size alone: leaving that band is enough (R71).
    pub by_band: bool,
    /// The last instant at which a cure is in time; prices are computed for its day.
    pub at: Instant,
    /// Where the pool is in its terms then.
    pub phase: &'a Phase,
    /// From where its license years are counted.
    pub anchor: Option<Day>,
    /// How many people are known who could be removed.
    pub removable: Seats,
}

/// One way to cure it; what it consists of is done together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cure {
    /// So many people fewer.
    pub remove: Seats,
    /// So many seats more.
    pub buy: Seats,
    /// This allowance instead of the present one.
    pub tier: Option<Seats>,
    /// What it costs until the license year ends; `None`: nothing if nothing is bought, otherwise to be agreed.
    pub charge: Option<Charge>,
    /// Whether it is enough.
    pub suffices: bool,
}

/// All ways to cure an overage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cures {
    /// How many people too many there are; 0: it is over by then without any cure.
    pub excess: Seats,
    /// The ways: removing, removing who is known and buying the rest, buying, the next tier.
    pub options: Vec<Cure>,
    /// The cheapest of those that suffice, can be done with the people who are known, and have a price.
    pub cheapest: Option<usize>,
}

impl Cure {
    /// What it costs in minor units; `None`: to be agreed.
    pub fn cost(&self) -> Option<u64> {
        match (&self.charge, self.buy, self.tier) {
            (Some(charge), ..) => Some(charge.amount),
            (None, Seats(0), None) => Some(0),
            (None, ..) => None,
        }
    }
}

impl Shortage<'_> {
    /// The ways to cure it.
    pub fn cures(&self) -> Cures {
        let Some(effective) = self.allowance.effective() else { return Cures::default() };
        let over = |used: u32, effective: u32| match self.by_band {
            true => is_major(band(Seats(used), Some(Seats(effective)), &self.pool.overage), &self.pool.clauses),
            false => used > effective,
        };
        let excess_max = self.used.0.saturating_sub(effective.0);
        let excess = least(excess_max, |fewer| !over(self.used.0 - fewer, effective.0));
        if excess == 0 {
            return Cures::default();
        }
        let to_buy = |fewer: u32| {
            let used = self.used.0 - fewer;
            Seats(least(used.saturating_sub(effective.0), |more| !over(used, effective.0.saturating_add(more))))
        };
        let bought = |remove: u32| {
            let buy = to_buy(remove);
            let place = (self.phase, self.anchor);
            let charge = charge_of_seats(self.pool, place, (self.allowance.seats, buy), self.at);
            Cure { remove: Seats(remove), buy, tier: None, charge, suffices: true }
        };
        let mut options = vec![Cure { remove: Seats(excess), buy: Seats(0), tier: None, charge: None, suffices: true }];
        let known = self.removable.0.min(excess);
        if 0 < known && known < excess {
            options.push(bought(known));
        }
        options.push(bought(0));
        options.extend(self.next_tier(over));
        let feasible = |cure: &Cure| cure.suffices && cure.remove <= self.removable;
        let priced = options.iter().enumerate().filter(|(_, cure)| feasible(cure));
        let cheapest = priced.filter_map(|(at, cure)| Some((cure.cost()?, at))).min().map(|(_, at)| at);
        Cures { excess: Seats(excess), options, cheapest }
    }

    fn next_tier(&self, over: impl Fn(u32, u32) -> bool) -> Option<Cure> {
        let place = (self.phase, self.anchor);
        let quote = tier_on_offer(self.pool, place, (self.allowance.seats?, self.used), self.at)?;
        let effective = quote.to.0.saturating_add(self.allowance.agreed.0);
        let suffices = !over(self.used.0, effective);
        Some(Cure { remove: Seats(0), buy: Seats(0), tier: Some(quote.to), charge: quote.charge, suffices })
    }
}

/// What so many seats more cost from an instant on, until the license year or the term ends, at the rate of the tier that a
/// pool of `allowance` seats stands on: the largest one with a price that is not above them, else the smallest. `None`:
/// there is no such price, the pool has no license years, or its term is over.
pub fn charge_of_seats(
    pool: &Pool,
    (phase, anchor): (&Phase, Option<Day>),
    (allowance, seats): (Option<Seats>, Seats),
    at: Instant,
) -> Option<Charge> {
    let ladder = &pool.clauses.ladder;
    let priced = || ladder.tiers.iter().filter(|tier| tier.price.is_some() && tier.seats > Seats(0));
    let below = priced().rfind(|tier| allowance.is_some_and(|allowance| tier.seats <= allowance));
    let tier: &Tier = below.or(priced().next())?;
    let day = pool.calendar.day_of(at);
    let (start, end) = license_year(anchor?, day);
    let term_end = if phase.term_end == Instant::MAX { Day::MAX } else { pool.calendar.day_of(phase.term_end) };
    let until = Some(end.min(term_end)).filter(|until| day < *until)?;
    let days = |from: Day, to: Day| u32::try_from(i64::from(to.0) - i64::from(from.0)).unwrap_or(0);
    let (days_left, days_in_year) = (days(day, until), days(start, end));
    let price_new = share(tier.price?, seats, tier.seats);
    let amount = pro_rata(price_new, days_left, days_in_year);
    Some(Charge { currency: ladder.currency.clone(), price_old: 0, price_new, days_left, days_in_year, amount })
}

/// `price × seats / of`, rounded half up to the minor unit.
fn share(price: u64, seats: Seats, of: Seats) -> u64 {
    let of = u128::from(of.0.max(1));
    let doubled = 2 * u128::from(price) * u128::from(seats.0) + of;
    u64::try_from(doubled / (2 * of)).unwrap_or(u64::MAX)
}

/// The least number up to `most` that is enough; `most` if none below it is. What is enough stays so with more.
fn least(most: u32, is_enough: impl Fn(u32) -> bool) -> u32 {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_enough(middle) { high = middle } else { low = middle + 1 }
    }
    low
}

#[cfg(test)]
mod tests;
