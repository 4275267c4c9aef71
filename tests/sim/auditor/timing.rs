//! When runs are due (R95 to R100, R132), same-day wishes, pauses (R108).

use rosterd::base::{Day, Instant};

use crate::sim::auditor::books::{Auditor, Wish};
use crate::sim::auditor::night::Night;

const HALF_HOUR: i64 = 1_800_000;

impl Auditor {
    /// When the night of a date is: at the first instant of that date at which its clocks show the hour or later. An hour
    /// that the clocks skip is the next instant there is, one that they repeat counts once (R95).
    fn night_of(&self, date: Day) -> Instant {
        let zone = self.calendar.zone();
        let (hour, minute) = self.setup.night;
        let mut at = self.calendar.start_of(date);
        loop {
            let shown = jiff::Timestamp::from_millisecond(at.0).expect("a time").to_zoned(zone.clone());
            if (shown.hour() as u32, shown.minute() as u32) >= (hour, minute) {
                return at;
            }
            at = Instant(at.0 + HALF_HOUR);
        }
    }

    /// The date whose night is due now: the newest that began, if it did not begin too long ago (R100).
    fn due(&self, now: Instant) -> Option<Day> {
        let today = self.today(now);
        let began = (0..3).map(|back| today.plus(-back)).find(|date| self.night_of(*date) <= now)?;
        let late = now.0 - self.night_of(began).0;
        (late < i64::from(self.setup.catchup_hours) * 3_600_000 || late == 0).then_some(began)
    }

    /// Puts a wish in line, or joins one that does as much (R97); a run that reads never stands in for a date.
    fn wish(&mut self, reads: bool, confirms: bool) -> u64 {
        let mut line = self.line.iter().rev();
        if let Some(joined) = line.find(|waits| waits.reads == reads && (waits.confirms || !confirms)) {
            return joined.number;
        }
        self.next_wish += 1;
        self.line.push(Wish { number: self.next_wish, reads, confirms });
        self.next_wish
    }

    /// What the minute asks for; returns how many runs.
    pub fn tick(&mut self, now: Instant) -> usize {
        let mut asked = 0;
        let today = self.today(now);
        self.pass_time(now);
        if self.begun && self.scheduled.insert((true, today)) {
            self.wish(false, false);
            asked += 1;
        }
        if let Some(date) = self.due(now)
            && self.scheduled.insert((false, date))
        {
            self.wish(true, false);
            asked += 1;
        }
        for (wish, deadline, ended) in std::mem::take(&mut self.promised) {
            let late = ended.map_or(now >= deadline, |ended| ended > deadline);
            if late {
                self.told.missed += u32::from(self.missed.insert((wish, deadline)));
                self.begun = true;
            } else if ended.is_none() {
                self.promised.push((wish, deadline, ended));
            }
        }
        asked
    }

    /// An admin asks for a run (R96, R98); `true`: it was taken.
    pub fn ask_same_day(&mut self, confirms: bool, now: Instant) -> bool {
        let today = self.today(now);
        let used = self.same_day.entry(today).or_default();
        if *used >= self.setup.same_day_max {
            if self.refused.is_none_or(|refused| refused < self.calendar.start_of(today)) {
                self.pass_time(now);
                self.refused = Some(now);
                self.begun = true;
            }
            return false;
        }
        *used += 1;
        let wish = self.wish(true, confirms);
        self.promised.push((wish, self.calendar.end_of(today), None));
        true
    }

    /// A run reads one package; if more are waiting the next one follows at once.
    pub fn follow_up(&mut self, night: Night, confirms: bool, now: Instant) {
        let read = !matches!(night, Night::Nothing | Night::Quiet);
        if read && self.waits(now) {
            self.wish(true, confirms);
        }
    }

    /// Whether a package waits to be read.
    pub fn waits(&self, now: Instant) -> bool {
        !self.is_paused(now) && self.next_package(now).is_some()
    }

    /// A package lies in the drop folder.
    pub fn ask_drop(&mut self) {
        self.wish(true, false);
    }

    /// The same behind a run that is under way and will be made again.
    pub fn ask_behind(&mut self) {
        if self.line[1..].iter().all(|wish| !wish.reads) {
            self.next_wish += 1;
            self.line.push(Wish { number: self.next_wish, reads: true, confirms: false });
        }
    }

    pub fn is_paused(&self, now: Instant) -> bool {
        self.pauses.iter().any(|(from, to)| *from <= now && now < *to)
    }

    pub fn pause(&mut self, from: Instant, to: Instant) {
        self.pauses.push((from, to));
        self.pass_time(from);
        self.begun = true;
    }

    /// Ends the pauses that are not over. One that never began is as if it had not been.
    pub fn resume(&mut self, now: Instant) {
        let lifted = self.pauses.iter().any(|(_, to)| *to > now);
        self.pauses.iter_mut().filter(|(_, to)| *to > now).for_each(|(_, to)| *to = now);
        self.pauses.retain(|(from, to)| from < to);
        if lifted {
            self.pass_time(now);
            self.begun = true;
        }
    }

    /// The wish at the head of the line was fulfilled.
    pub fn fulfilled(&mut self, now: Instant) {
        let wish = self.line.remove(0).number;
        for (number, _, ended) in &mut self.promised {
            if *number == wish {
                *ended = Some(now);
            }
        }
    }
}
