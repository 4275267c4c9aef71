//! Single settings of a pool, as they are written on a command line: `gap_band=major`. Keys, values and meanings are those
//! of the settings file.

use crate::base::{Calendar, Day, Seats};
use crate::license::{AutoUpgrade, CureCalendar, CureFrom, GapBand, Jump, OnFull, Pool, Tier};
use crate::settings::read::Wrong;
use crate::settings::words;

/// The keys that [`turn`] takes.
pub const KNOBS: [&str; 20] = [
    "gap_band",
    "count_first_day",
    "merge_gap_business_days",
    "minor_business_days",
    "major_after_business_days",
    "cure_business_days",
    "major_cure_hours",
    "major_cure_calendar",
    "major_cure_from",
    "auto_upgrade",
    "minor_percent",
    "major_percent",
    "minor_floor_seats",
    "jump",
    "currency",
    "ladder",
    "on_full",
    "time_zone",
    "weekend",
    "holidays",
];

/// Sets one of a pool's settings.
///
/// # Errors
/// What is wrong with the key or the value, and what was probably meant.
pub fn turn(pool: &mut Pool, key: &str, value: &str) -> Result<(), String> {
    let turned = turned(pool, key, value).and_then(|()| fits(pool));
    turned.map_err(|Wrong { what, meant }| {
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
        format!("{key} = {value:?} {what}{meant}")
    })
}

fn turned(pool: &mut Pool, key: &str, value: &str) -> Result<(), Wrong> {
    let Pool { clauses, overage, calendar, on_full, .. } = pool;
    match key {
        "gap_band" => clauses.gap_band = words::one_of(&GapBand::WORDS)(value)?,
        "count_first_day" => clauses.count_first_day = words::one_of(&[("true", true), ("false", false)])(value)?,
        "merge_gap_business_days" => clauses.merge_gap_business_days = count(value)?,
        "minor_business_days" => clauses.minor_business_days = count(value)?,
        "major_after_business_days" => clauses.major_after_business_days = count(value)?,
        "cure_business_days" => clauses.cure_business_days = count(value)?,
        "major_cure_hours" => clauses.major_cure_hours = count(value)?,
        "major_cure_calendar" => clauses.major_cure_calendar = words::one_of(&CureCalendar::WORDS)(value)?,
        "major_cure_from" => clauses.major_cure_from = words::one_of(&CureFrom::WORDS)(value)?,
        "auto_upgrade" => clauses.auto_upgrade = words::one_of(&AutoUpgrade::WORDS)(value)?,
        "minor_percent" => overage.minor_percent = count(value)?,
        "major_percent" => overage.major_percent = count(value)?,
        "minor_floor_seats" => overage.minor_floor = Seats(count(value)?),
        "jump" => clauses.ladder.jump = words::one_of(&Jump::WORDS)(value)?,
        "currency" => value.clone_into(&mut clauses.ladder.currency),
        "ladder" => clauses.ladder.tiers = list(value).map(tier).collect::<Result<_, _>>()?,
        "on_full" => *on_full = full(value)?,
        "time_zone" => *calendar = with(calendar, Some(&words::zone(value)?), None, None)?,
        "weekend" => {
            let days = list(value).map(words::weekday).collect::<Result<Vec<usize>, _>>()?;
            *calendar = with(calendar, None, Some(days), None)?;
        }
        "holidays" => {
            // With a + in front they join those that there are.
            let (more, days) = value.strip_prefix('+').map_or((false, value), |days| (true, days));
            let mut days = list(days).map(words::day).collect::<Result<Vec<Day>, _>>()?;
            days.extend(calendar.holidays(Day::MIN, Day::MAX).filter(|_| more));
            *calendar = with(calendar, None, None, Some(days))?;
        }
        _ => {
            let meant = crate::base::most_similar(key, KNOBS);
            return Err(Wrong { what: format!("is none of {}", KNOBS.join(", ")), meant });
        }
    }
    Ok(())
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|item| !item.is_empty())
}

fn count(value: &str) -> Result<u32, Wrong> {
    value.parse::<u32>().ok().filter(|count| *count <= 100_000).ok_or_else(|| Wrong::new("is not a number from 0 to 100000"))
}

fn tier(text: &str) -> Result<Tier, Wrong> {
    let (seats, price) = text.split_once(':').map_or((text, None), |(seats, price)| (seats, Some(price)));
    let wrong = || Wrong::new("is not a list of tiers such as 1000:1200000,1500:1650000 (seats:price_minor)");
    let price = price.map(|price| price.parse::<u64>().map_err(|_| wrong())).transpose()?;
    Ok(Tier { seats: Seats(seats.parse().map_err(|_| wrong())?), price })
}

fn full(text: &str) -> Result<OnFull, Wrong> {
    if let Some(percent) = text.strip_prefix("overdraw_up_to:") {
        return Ok(OnFull::OverdrawUpTo { percent_max: count(percent)? });
    }
    words::one_of(&[("overdraw", OnFull::Overdraw), ("wait", OnFull::Wait)])(text)
        .map_err(|_| Wrong::new("is none of overdraw, wait, overdraw_up_to:PERCENT"))
}

fn with(
    calendar: &Calendar,
    zone: Option<&str>,
    weekend: Option<Vec<usize>>,
    holidays: Option<Vec<Day>>,
) -> Result<Calendar, Wrong> {
    let zone = Calendar::in_zone(zone.unwrap_or(calendar.zone_name())).ok_or_else(|| Wrong::new("is not a time zone"))?;
    let weekend = weekend.unwrap_or_else(|| calendar.weekend().collect());
    let holidays = holidays.unwrap_or_else(|| calendar.holidays(Day::MIN, Day::MAX).collect());
    Ok(zone.with_days_off(&weekend, holidays))
}

/// What the settings file would refuse as well.
fn fits(pool: &Pool) -> Result<(), Wrong> {
    let Pool { clauses, overage, .. } = pool;
    let rises = |pair: &[Tier]| pair[0].seats < pair[1].seats && pair[0].price <= pair[1].price.or(pair[0].price);
    if overage.minor_percent > overage.major_percent {
        return Err(Wrong::new("makes minor_percent more than major_percent"));
    }
    if clauses.minor_business_days > clauses.major_after_business_days {
        return Err(Wrong::new("makes the minor stage end after the major one begins"));
    }
    if !clauses.ladder.tiers.windows(2).all(rises) {
        return Err(Wrong::new("is a ladder that does not rise"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::base::Day;
    use crate::settings::knobs::{KNOBS, turn};
    use crate::settings::trial::{EVERYONE, district, good};

    #[test]
    fn each_key_is_taken_and_changes_the_pool() {
        let pool = good(&district("", "", "", EVERYONE)).customers[0].policy.pools[0].clone();
        let values = [
            "major",
            "true",
            "3",
            "5",
            "40",
            "4",
            "48",
            "business",
            "major_start",
            "propose",
            "104",
            "110",
            "1",
            "covering",
            "EUR",
            "10:5,20:9,30",
            "overdraw_up_to:110",
            "Asia/Tokyo",
            "fri,sat",
            "+2026-04-03",
        ];
        for (key, value) in KNOBS.into_iter().zip(values) {
            let mut turned = pool.clone();
            assert_eq!(turn(&mut turned, key, value), Ok(()), "{key}");
            assert_ne!(turned, pool, "{key}");
        }
        let mut turned = pool;
        assert_eq!(turn(&mut turned, "holidays", "2026-04-03"), Ok(()));
        assert_eq!(turn(&mut turned, "holidays", "+2026-04-06"), Ok(()));
        assert_eq!(turned.calendar.holidays(Day::MIN, Day::MAX).count(), 2);
        for (key, value, wrong) in [
            ("gap_bnd", "major", "did you mean gap_band?"),
            ("gap_band", "mayor", "did you mean major?"),
            ("minor_percent", "107", "makes minor_percent more than major_percent"),
            ("minor_business_days", "21", "makes the minor stage end after"),
            ("ladder", "10:5,10:6", "does not rise"),
            ("ladder", "ten", "is not a list of tiers"),
            ("major_cure_hours", "-1", "is not a number"),
            ("on_full", "queue", "is none of overdraw, wait"),
        ] {
            let mut pool = turned.clone();
            let told = turn(&mut pool, key, value).err().unwrap_or_default();
            assert!(told.contains(wrong), "{key}={value}: {told}");
        }
    }
}
