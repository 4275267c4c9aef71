//! What the measurements are held against: a table of goals, each reached or not.

use std::time::Duration;

use crate::many::{Many, Status};
use crate::measure::{Measured, Nights, hundredths, seconds};
use crate::person::OnDemand;

const MIB: u64 = 1024;
const PEAK_MIB_MAX: u64 = 512;
const STORE_MB_MAX: u64 = 400;
const GROWTH_MB_MAX: u64 = 40;
const MANY_SECS_MAX: u64 = 60;
const PERSON_SECS_MAX: u64 = 1;
const STATUS_MILLIS_MAX: u128 = 100;
/// What a person may cost in a large district, in percent of what one costs in a small one.
const FLAT_PERCENT_MAX: u128 = 125;
/// Times the parse, in hundredths: first night, same again, 1 % night.
const TIMES_MAX: [u128; 3] = [400, 50, 140];

/// All that was measured.
pub struct Runs {
    /// The district as uncompressed folders.
    pub folder: Option<Nights>,
    /// The same from zips.
    pub zip: Option<Nights>,
    /// A hundredth of it, as folders.
    pub small: Option<Nights>,
    /// One person of a source of a tenth of it.
    pub person: Option<OnDemand>,
    /// Many small customers.
    pub many: Option<Many>,
}

fn line(work: &str, most: &str, got: &str, reached: bool) -> String {
    format!("{work:<44} {most:>16} {got:>16}  {}\n", if reached { "reached" } else { "NOT REACHED" })
}

fn times(time: Duration, parse: Duration) -> u128 {
    time.as_micros() * 100 / parse.as_micros().max(1)
}

/// The table; P is the plain parse.
pub fn table(runs: &Runs) -> String {
    let Runs { folder, zip, small, person, many } = runs;
    let mut text = format!("{:<44} {:>16} {:>16}\n", "work", "at most", "measured");
    if let Some(nights) = folder {
        text += &format!("P = {} s\n", seconds(nights.parse));
        for (night, most) in nights.nights.iter().zip(TIMES_MAX) {
            let got = times(night.wall, nights.parse);
            text += &line(&night.label, &format!("{} P", hundredths(most)), &format!("{} P", hundredths(got)), got <= most);
        }
    }
    if let Some(zip) = zip {
        text += &format!("P = {} s\n", seconds(zip.parse));
        for (night, most) in zip.nights.iter().zip(TIMES_MAX) {
            let got = times(night.wall.saturating_sub(zip.unzip), zip.parse);
            text += &line(
                &format!("{}, beside {} s of unzipping", night.label, seconds(zip.unzip)),
                &format!("{} P", hundredths(most)),
                &format!("{} P", hundredths(got)),
                got <= most,
            );
        }
    }
    let nights = || folder.iter().chain(zip).flat_map(|nights| &nights.nights);
    if let Some(peak) = nights().map(|night| night.peak_kib).max() {
        let peak = peak.div_ceil(MIB);
        text +=
            &line("peak memory of any of these", &format!("{PEAK_MIB_MAX} MiB"), &format!("{peak} MiB"), peak <= PEAK_MIB_MAX);
    }
    if let Some(Nights { nights: [first, _, changed], .. }) = folder {
        let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
        let store = megabytes(first.store_bytes);
        text +=
            &line("store after the first night", &format!("{STORE_MB_MAX} MB"), &format!("{store} MB"), store <= STORE_MB_MAX);
        let growth = megabytes(changed.store_bytes.saturating_sub(first.store_bytes));
        text += &line(
            "its growth on a 1 % night",
            &format!("{GROWTH_MB_MAX} MB"),
            &format!("{growth} MB"),
            growth <= GROWTH_MB_MAX,
        );
    }
    if let (Some(folder), Some(small)) = (folder, small) {
        let each = |nights: &Nights, at: usize| {
            let Measured { wall, .. } = &nights.nights[at];
            wall.as_nanos() / u128::from(nights.people.max(1))
        };
        for at in [0, 2] {
            let percent = each(folder, at) * 100 / each(small, at).max(1);
            text += &line(
                &format!("{}: a person of {} beside one of {}", folder.nights[at].label, folder.people, small.people),
                &format!("{FLAT_PERCENT_MAX} %"),
                &format!("{percent} %"),
                percent <= FLAT_PERCENT_MAX,
            );
        }
    }
    if let Some(OnDemand { people, measured }) = person {
        let took = measured.wall;
        let work = format!("one person on demand of {people}");
        text +=
            &line(&work, &format!("{PERSON_SECS_MAX} s"), &format!("{} s", seconds(took)), took.as_secs() < PERSON_SECS_MAX);
    }
    if let Some(Many { customers, people_each, measured, status }) = many {
        let (secs, peak) = (measured.wall, measured.peak_kib.div_ceil(MIB));
        let work = format!("{customers} customers of {people_each}, one night");
        text += &line(&work, &format!("{MANY_SECS_MAX} s"), &format!("{} s", seconds(secs)), secs.as_secs() < MANY_SECS_MAX);
        text += &line(&format!("{work}: memory"), &format!("{PEAK_MIB_MAX} MiB"), &format!("{peak} MiB"), peak <= PEAK_MIB_MAX);
        let Status { wall, cpu, settings_lines, lines } = status;
        let (wall, cpu) = (wall.as_millis(), cpu.as_millis());
        let work = format!("`status` of {customers} customers, the median");
        text += &line(&work, &format!("{STATUS_MILLIS_MAX} ms"), &format!("{wall} ms"), wall <= STATUS_MILLIS_MAX);
        text += &format!("  ({settings_lines} lines of settings, {lines} of answer; {cpu} ms of processor time)\n");
    }
    text
}
