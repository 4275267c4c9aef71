//! Whether a text is a cron pattern for nights. The only file of this folder that names the cron crate.

use chrono::{DateTime, Months, NaiveDate, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// Why `pattern` is not a cron pattern of five fields (minute hour day month weekday) that fires once on a date, and not
/// only on dates that hardly ever come; `None` if it is one. A customer has one scheduled run per local date (R95).
pub fn flaw(pattern: &str) -> Option<String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    match parser.parse(pattern) {
        Ok(cron) if pattern.split_whitespace().count() == 5 => flaw_of(&cron),
        Ok(_) => Some("has not five fields".to_owned()),
        Err(error) => Some(error.to_string().trim_end_matches('.').to_owned()),
    }
}

fn flaw_of(cron: &Cron) -> Option<String> {
    // Four years with all the dates that there are, from before a leap day on. All dates that it fires on have the same times.
    let start: DateTime<Utc> = NaiveDate::from_ymd_opt(2024, 1, 1)?.and_hms_opt(0, 0, 0)?.and_utc();
    let end = start.checked_add_months(Months::new(48))?;
    let first = cron.find_next_occurrence(&start, true).ok().filter(|first| *first < end);
    let Some(first) = first else { return Some("it never fires: there is no such date".to_owned()) };
    let second = cron.find_next_occurrence(&first, false).ok()?;
    (second.date_naive() == first.date_naive()).then(|| {
        format!(
            "it fires at {} and again at {} of the same date; a customer has one scheduled run per date: for more, let \
             `rosterd sync` be called, or let packages be dropped",
            first.format("%H:%M"),
            second.format("%H:%M")
        )
    })
}

#[cfg(test)]
mod tests {
    use crate::settings::cron::flaw;

    #[test]
    fn five_fields_and_nothing_else() {
        for good in ["30 2 * * *", "0 1 * * MON-FRI", "0 2 29 2 *", "15 4 1,15 * *"] {
            assert_eq!(flaw(good), None, "{good}");
        }
        for bad in ["", "at night", "61 2 * * *", "30 2 * *", "0 30 2 * * *", "30 2 * * * *", "@daily"] {
            assert!(flaw(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn once_on_a_date_and_now_and_then() {
        for often in ["0 2,14 * * *", "*/15 * * * *", "0 * * * *", "0,30 2 * * SUN"] {
            let flaw = flaw(often).expect(often);
            assert!(flaw.contains("again at") && flaw.contains("`rosterd sync`"), "{often}: {flaw}");
        }
        for never in ["0 2 30 2 *", "0 2 31 4,6 *"] {
            assert!(flaw(never).expect(never).contains("never fires"), "{never}");
        }
    }
}
