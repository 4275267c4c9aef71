//! Holidays out of an iCalendar file (RFC 5545): whole-day events, also over several days, also every year. What is not
//! understood is refused, not left out: a holiday that is missed is a deadline that is wrong.

use std::collections::BTreeSet;
use std::path::Path;

use crate::base::Day;

/// A file of holidays is small; anything larger is something else.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
/// So many holidays are enough for every country of the world.
const DAYS_MAX: usize = 20_000;
/// What comes back every year without an end comes back up to this year.
const YEAR_MAX: i16 = 2100;

/// The holidays of a file.
///
/// # Errors
/// A sentence that names the file and, where there is one, the line.
pub fn holidays(path: &Path) -> Result<Vec<Day>, String> {
    let name = path.display();
    let size = std::fs::metadata(path).map_err(|error| format!("cannot be read: {name}: {error}"))?.len();
    if size > BYTES_MAX {
        return Err(format!("is too large: {name} has {size} bytes, at most {BYTES_MAX} are read"));
    }
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {name}: {error}"))?;
    read(&text).map_err(|flaw| format!("cannot be used: {name}:{}: {}", flaw.line, flaw.what))
}

/// What is wrong with a file, and in which line.
#[derive(Debug, PartialEq, Eq)]
struct Flaw {
    line: usize,
    what: String,
}

/// One unfolded line.
struct Line {
    number: usize,
    name: String,
    parameters: Vec<String>,
    value: String,
}

/// An event while it is read.
#[derive(Default)]
struct Event {
    line: usize,
    start: Option<Day>,
    end: Option<Day>,
    rule: Option<Yearly>,
    left_out: Vec<Day>,
    also: Vec<Day>,
    cancelled: bool,
}

/// `FREQ=YEARLY` with what limits it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Yearly {
    interval: i16,
    count: Option<u32>,
    until: Option<Day>,
    month: Option<i8>,
    /// The n-th weekday of the month; negative from its end.
    weekday: Option<(i8, usize)>,
}

fn read(text: &str) -> Result<Vec<Day>, Flaw> {
    let mut days = BTreeSet::new();
    let mut event: Option<Event> = None;
    let mut nested = 0usize;
    let (mut opened, mut closed) = (false, false);
    for line in unfold(text)? {
        let flaw = |what: String| Flaw { line: line.number, what };
        match (line.name.as_str(), line.value.to_ascii_uppercase().as_str()) {
            ("BEGIN", "VCALENDAR") => opened = true,
            ("END", "VCALENDAR") => closed = true,
            _ if !opened => return Err(flaw("is not an iCalendar file: it does not begin with BEGIN:VCALENDAR".into())),
            ("BEGIN", "VEVENT") if event.is_none() => event = Some(Event { line: line.number, ..Event::default() }),
            ("END", "VEVENT") if nested == 0 => {
                let done = event.take().ok_or_else(|| flaw("an event ends that did not begin".into()))?;
                done.spread(&mut days)?;
                if days.len() > DAYS_MAX {
                    return Err(flaw(format!("it has more than {DAYS_MAX} holidays")));
                }
            }
            // An alarm in an event has properties of its own.
            ("BEGIN", _) if event.is_some() => nested += 1,
            ("END", _) if event.is_some() => nested = nested.saturating_sub(1),
            (name, _) => {
                if let Some(event) = event.as_mut().filter(|_| nested == 0) {
                    event.property(name, &line).map_err(flaw)?;
                }
            }
        }
    }
    if event.is_some() || !closed {
        return Err(Flaw { line: text.lines().count().max(1), what: "it ends in the middle".into() });
    }
    Ok(days.into_iter().collect())
}

/// Lines that begin with a blank go on with the line before them.
fn unfold(text: &str) -> Result<Vec<Line>, Flaw> {
    let mut whole: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match (line.strip_prefix([' ', '\t']), whole.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => whole.push((number + 1, line.to_owned())),
        }
    }
    whole.into_iter().map(|(number, line)| parse(number, &line)).collect()
}

fn parse(number: usize, line: &str) -> Result<Line, Flaw> {
    let mut quoted = false;
    let colon = line.char_indices().find(|(_, c)| {
        quoted ^= *c == '"';
        *c == ':' && !quoted
    });
    let Some((colon, _)) = colon else {
        return Err(Flaw { line: number, what: "is no line of an iCalendar file: it has no colon".into() });
    };
    let mut parts = line[..colon].split(';').map(str::to_ascii_uppercase);
    let name = parts.next().unwrap_or_default();
    Ok(Line { number, name, parameters: parts.collect(), value: line[colon + 1..].trim().to_owned() })
}

impl Event {
    fn property(&mut self, name: &str, line: &Line) -> Result<(), String> {
        match name {
            "DTSTART" => self.start = Some(date(line, &line.value)?),
            "DTEND" => self.end = Some(date(line, &line.value)?),
            "DURATION" => {
                let days = line.value.strip_prefix('P').and_then(|rest| rest.strip_suffix('D')).and_then(|n| n.parse().ok());
                let days: i32 = days.filter(|days| (1..=366).contains(days)).ok_or("DURATION is no number of whole days")?;
                self.end = Some(self.start.ok_or("DURATION comes before DTSTART")?.plus(days));
            }
            "RRULE" => self.rule = Some(Yearly::parse(&line.value)?),
            "EXDATE" => self.left_out.extend(dates(line)?),
            "RDATE" => self.also.extend(dates(line)?),
            "RECURRENCE-ID" | "EXRULE" => return Err(format!("{name} is not supported: write the event out")),
            "STATUS" => self.cancelled = line.value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
        Ok(())
    }

    /// The days of all its occurrences.
    fn spread(self, days: &mut BTreeSet<Day>) -> Result<(), Flaw> {
        let Event { line, start, end, rule, left_out, also, cancelled } = self;
        let flaw = |what: &str| Flaw { line, what: what.to_owned() };
        let start = start.ok_or_else(|| flaw("the event has no DTSTART"))?;
        // DTEND is the first day that is no longer part of it; without one it is a single day.
        let length = end.map_or(1, |end| i64::from(end.0) - i64::from(start.0));
        if !(1..=366).contains(&length) {
            return Err(flaw("DTEND is not after DTSTART, or more than a year after it"));
        }
        if cancelled {
            return Ok(());
        }
        let starts = match rule {
            Some(rule) => rule.from(start),
            None => vec![start],
        };
        for start in starts.into_iter().chain(also).filter(|start| !left_out.contains(start)) {
            days.extend((0..length as i32).map(|after| start.plus(after)));
        }
        Ok(())
    }
}

fn dates(line: &Line) -> Result<Vec<Day>, String> {
    line.value.split(',').map(|value| date(line, value)).collect()
}

fn date(line: &Line, value: &str) -> Result<Day, String> {
    let is_date = line.parameters.iter().any(|parameter| parameter == "VALUE=DATE");
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    if !is_date && !digits {
        return Err(format!("{} {value} is not a whole day (VALUE=DATE); holidays are", line.name));
    }
    let text = value.get(0..4).zip(value.get(4..6)).zip(value.get(6..8)).filter(|_| digits);
    let day = text.and_then(|((year, month), day)| Day::parse(&format!("{year}-{month}-{day}")));
    day.ok_or_else(|| format!("{} {value} is no date such as 20261225", line.name))
}

impl Yearly {
    fn parse(text: &str) -> Result<Self, String> {
        let mut rule = Yearly { interval: 1, ..Yearly::default() };
        let mut yearly = false;
        for part in text.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("RRULE has `{part}`, which says nothing"))?;
            let wrong = || format!("RRULE has {key}={value}, which is not understood");
            match key.to_ascii_uppercase().as_str() {
                "FREQ" if value.eq_ignore_ascii_case("YEARLY") => yearly = true,
                "INTERVAL" => rule.interval = value.parse().ok().filter(|n| (1..=100).contains(n)).ok_or_else(wrong)?,
                "COUNT" => rule.count = Some(value.parse().ok().filter(|n| *n > 0).ok_or_else(wrong)?),
                "UNTIL" => {
                    let day = value.get(0..8).unwrap_or_default();
                    let line = Line { number: 0, name: "UNTIL".into(), parameters: Vec::new(), value: String::new() };
                    rule.until = Some(date(&line, day).map_err(|_| wrong())?);
                }
                "BYMONTH" => {
                    rule.month = Some(value.parse().ok().filter(|month| (1..=12).contains(month)).ok_or_else(wrong)?);
                }
                "BYDAY" => rule.weekday = Some(weekday(value).ok_or_else(wrong)?),
                // These two say what DTSTART says.
                "BYMONTHDAY" | "WKST" => {}
                _ => return Err(wrong()),
            }
        }
        match (yearly, rule.weekday, rule.month) {
            (false, _, _) => Err("RRULE is not FREQ=YEARLY".into()),
            (true, Some(_), None) => Err("RRULE has BYDAY without BYMONTH".into()),
            (true, _, _) => Ok(rule),
        }
    }

    /// The first days of the occurrences, that of `start` among them.
    fn from(&self, start: Day) -> Vec<Day> {
        let text = start.to_string();
        let number = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<i16>().ok());
        let (Some(first), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else { return vec![start] };
        let (month, day) = (self.month.unwrap_or(month as i8), day as i8);
        let mut starts = Vec::new();
        let mut year = first;
        while year <= YEAR_MAX.max(first) && self.count.is_none_or(|count| starts.len() < count as usize) {
            let at = match self.weekday {
                Some((nth, weekday)) => nth_weekday(year, month, nth, weekday),
                // 29 February comes back in leap years only.
                None => Day::from_ymd(year, month, day),
            };
            if at.is_some_and(|at| self.until.is_some_and(|until| at > until)) {
                break;
            }
            starts.extend(at.filter(|at| *at >= start));
            year += self.interval;
        }
        starts
    }
}

/// `4TH`, `-1MO`: which one, and which weekday.
fn weekday(text: &str) -> Option<(i8, usize)> {
    const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
    let (nth, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let nth: i8 = nth.parse().ok().filter(|nth| *nth != 0 && (-5..=5).contains(nth))?;
    Some((nth, DAYS.iter().position(|known| day.eq_ignore_ascii_case(known))?))
}

fn nth_weekday(year: i16, month: i8, nth: i8, weekday: usize) -> Option<Day> {
    let days: Vec<Day> = (1..=31).filter_map(|day| Day::from_ymd(year, month, day)).collect();
    let fits: Vec<Day> = days.into_iter().filter(|day| day.weekday() == weekday).collect();
    let at = if nth > 0 { usize::try_from(nth - 1).ok()? } else { fits.len().checked_sub(usize::from(nth.unsigned_abs()))? };
    fits.get(at).copied()
}

#[cfg(test)]
mod tests;
