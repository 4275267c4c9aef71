use crate::license::{AutoUpgrade, CureCalendar, CureFrom, GapBand, Interlock, Jump, Stage, StageWhy};
use crate::plan::NoticeKind;
use crate::store::record::bytes::{FORMAT, Record, pack, unpack};

#[test]
fn every_code_is_its_place_in_the_list() {
    fn check<T: Record + PartialEq + std::fmt::Debug>(all: impl IntoIterator<Item = T>) {
        for (code, value) in (0u8..).zip(all) {
            let body = pack(&value);
            assert_eq!(body, [FORMAT, code], "{value:?}");
            assert_eq!(unpack::<T>(&body), Ok(value));
        }
    }
    check(Stage::ALL);
    check(StageWhy::ALL);
    check(Interlock::ALL);
    check(GapBand::WORDS.map(|(_, gap)| gap));
    check(CureCalendar::WORDS.map(|(_, calendar)| calendar));
    check(CureFrom::WORDS.map(|(_, from)| from));
    check(AutoUpgrade::WORDS.map(|(_, upgrade)| upgrade));
    check(Jump::WORDS.map(|(_, jump)| jump));
}

#[test]
fn kinds_of_notices_come_in_tens_by_what_they_are_about() {
    let bodies: Vec<Vec<u8>> = NoticeKind::ALL.iter().map(pack).collect();
    assert!(bodies.is_sorted_by(|a, b| a < b), "each has its own code, in the order of the list");
    for (kind, body) in NoticeKind::ALL.into_iter().zip(bodies) {
        assert_eq!(unpack::<NoticeKind>(&body), Ok(kind));
    }
}
