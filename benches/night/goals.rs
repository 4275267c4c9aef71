//! What the measurements are held against: a table of goals, each reached or not.

use std::time::Duration;

use crate::many::Many;
use crate::measure::{Measured, Nights, hundredths, seconds};
use crate::person::OnDemand;

const MIB: u64 = 1024;
const PEAK_MIB_MAX: u64 = 512;
const STORE_MB_MAX: u64 = 400;
const GROWTH_MB_MAX: u64 = 40;
const MANY_SECS_MAX: u64 = 60;
const PERSON_SECS_MAX: u64 = 1;
/// What a person may cost in a large district, in percent of what one costs in a small one.
const FLAT_PERCENT_MAX: u128 = 125;
/// Times the parse, in hundredths: first night, same again, 1 % night.
const TIMES_MAX: [u128; 3] = [400, 50, 140];

/// All that was measured.
pub struct Runs {
    /// The district as uncompressed folders.
    pub folder: Nights,
    /// The same from zips.
    pub zip: Option<Nights>,
    /// A hundredth of it, as folders.
    pub small: Option<Nights>,
    /// Many small customers.
    pub many: Option<Many>,
    /// One person on demand.
    pub person: Option<OnDemand>,
}

fn line(work: &str, most: &str, got: &str, reached: bool) -> String {
    format!("{work:<44} {most:>16} {got:>16}  {}\n", if reached { "reached" } else { "NOT REACHED" })
}

fn times(time: Duration, parse: Duration) -> u128 {
    time.as_micros() * 100 / parse.as_micros().max(1)
}

/// The table; P is the plain parse.
pub fn table(runs: &Runs) -> String {
    let Runs { folder, zip, small, many, person } = runs;
    let mut text = format!("P = {} s\n{:<44} {:>16} {:>16}\n", seconds(folder.parse), "work", "at most", "measured");
    for (night, most) in folder.nights.iter().zip(TIMES_MAX) {
        let got = times(night.wall, folder.parse);
        text += &line(&night.label, &format!("{} P", hundredths(most)), &format!("{} P", hundredths(got)), got <= most);
    }
    for (night, most) in zip.iter().flat_map(|zip| zip.nights.iter().map(move |night| (zip, night))).zip(TIMES_MAX) {
        let (zip, night) = night;
        let own = night.wall.saturating_sub(zip.unzip);
        let got = times(own, zip.parse);
        let unzip = seconds(zip.unzip);
        text += &line(
            &format!("{}, beside {unzip} s of unzipping", night.label),
            &format!("{} P", hundredths(most)),
            &format!("{} P", hundredths(got)),
            got <= most,
        );
    }
    let nights = || folder.nights.iter().chain(zip.iter().flat_map(|zip| &zip.nights));
    let peak = nights().map(|night| night.peak_kib).max().unwrap_or_default().div_ceil(MIB);
    text += &line("peak memory of any of these", &format!("{PEAK_MIB_MAX} MiB"), &format!("{peak} MiB"), peak <= PEAK_MIB_MAX);
    let [first, _, changed] = &folder.nights;
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    let store = megabytes(first.store_bytes);
    text += &line("store after the first night", &format!("{STORE_MB_MAX} MB"), &format!("{store} MB"), store <= STORE_MB_MAX);
    let growth = megabytes(changed.store_bytes.saturating_sub(first.store_bytes));
    text +=
        &line("its growth on a 1 % night", &format!("{GROWTH_MB_MAX} MB"), &format!("{growth} MB"), growth <= GROWTH_MB_MAX);
    if let Some(small) = small {
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
    if let Some(Many { customers, people_each, measured }) = many {
        let (secs, peak) = (measured.wall, measured.peak_kib.div_ceil(MIB));
        let work = format!("{customers} customers of {people_each}, one night");
        text += &line(&work, &format!("{MANY_SECS_MAX} s"), &format!("{} s", seconds(secs)), secs.as_secs() < MANY_SECS_MAX);
        text += &line(&format!("{work}: memory"), &format!("{PEAK_MIB_MAX} MiB"), &format!("{peak} MiB"), peak <= PEAK_MIB_MAX);
    }
    text += &person.as_ref().map(one_person).unwrap_or_default();
    text
}

/// The goal of one person on demand: the slowest of the runs counts, from the start of the process to its end.
pub fn one_person(person: &OnDemand) -> String {
    let slowest = person.runs.iter().map(|run| run.wall).max().unwrap_or_default();
    let work = format!("one of {} people on demand", person.people);
    line(
        &work,
        &format!("{PERSON_SECS_MAX} s"),
        &format!("{} s", seconds(slowest)),
        slowest <= Duration::from_secs(PERSON_SECS_MAX),
    )
}
