//! The keys of a calendar: global, of a customer, of a pool.

use crate::base::Day;
use crate::settings::ical;
use crate::settings::read::Section;
use crate::settings::words;

/// The keys of a calendar.
#[derive(Clone, Debug, Default)]
pub struct DaysShape {
    /// `time_zone`.
    pub time_zone: Option<String>,
    /// `weekend`, 0 is Monday.
    pub weekend: Option<Vec<usize>>,
    /// `holidays`.
    pub holidays: Option<Vec<Day>>,
    /// The days of `holidays_file`.
    pub holidays_file: Option<Vec<Day>>,
}

impl DaysShape {
    /// Whether one of them is there.
    pub fn is_said(&self) -> bool {
        let DaysShape { time_zone, weekend, holidays, holidays_file } = self;
        time_zone.is_some() || weekend.is_some() || holidays.is_some() || holidays_file.is_some()
    }
}

/// Reads them.
pub fn days(s: &Section<'_>) -> DaysShape {
    let file = s.path("holidays_file");
    DaysShape {
        time_zone: s.parsed("time_zone", words::zone),
        weekend: s.parsed_list("weekend", words::weekday),
        holidays: s.parsed_list("holidays", words::day),
        holidays_file: file.and_then(|path| ical::holidays(&path).map_err(|why| s.wrong("holidays_file", why)).ok()),
    }
}
