//! Whether a text is a cron pattern. The only file of this folder that names the cron crate.

use croner::parser::{CronParser, Seconds, Year};

/// Why `pattern` is not a cron pattern of five fields (minute hour day month weekday); `None` if it is one.
pub fn flaw(pattern: &str) -> Option<String> {
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    match parser.parse(pattern) {
        Ok(_) if pattern.split_whitespace().count() == 5 => None,
        Ok(_) => Some("has not five fields".to_owned()),
        Err(error) => Some(error.to_string().trim_end_matches('.').to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::cron::flaw;

    #[test]
    fn five_fields_and_nothing_else() {
        for good in ["30 2 * * *", "0 1 * * MON-FRI", "*/15 * * * *"] {
            assert_eq!(flaw(good), None, "{good}");
        }
        for bad in ["", "at night", "61 2 * * *", "30 2 * *", "0 30 2 * * *", "30 2 * * * *", "@daily"] {
            assert!(flaw(bad).is_some(), "{bad}");
        }
    }
}
