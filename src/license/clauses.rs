//! The contract's overage clauses: the numbers by which an episode turns into stages, deadlines and an upgrade.

use crate::license::tier::Ladder;

/// What the hole between the minor and the major band counts as (R59).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapBand {
    /// Minor, for time and consequences.
    Minor,
    /// Major at once.
    Major,
    /// Minor, and the account manager is told when it is entered.
    Warn,
}

/// Which hours of a cure window count (R66).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CureCalendar {
    /// All of them.
    Clock,
    /// Those of business days.
    Business,
}

/// What starts a cure window (A7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CureFrom {
    /// The delivery of the major notice.
    NoticeDelivered,
    /// The major notice.
    NoticeIssued,
    /// The major stage itself.
    MajorStart,
}

/// What happens at the end of a cure window (R70).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AutoUpgrade {
    /// The next tier is taken, as the contract says.
    Apply,
    /// An operator is asked first.
    Propose,
    /// Nothing.
    Off,
}

/// The clauses of a pool. The bands' own numbers are [`crate::license::OverageLimits`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clauses {
    /// `overage.gap_band`.
    pub gap_band: GapBand,
    /// `overage.count_first_day`: the day an episode opens is its day 1, if it is a business day (R61, A4).
    pub count_first_day: bool,
    /// `overage.merge_gap_business_days`: a new episode after fewer business days than this goes on with the clock of
    /// the one before (R62).
    pub merge_gap_business_days: u32,
    /// `overage.minor_business_days`: the last day of the minor stage (R63).
    pub minor_business_days: u32,
    /// `overage.major_after_business_days`: the last day before the major stage (R63).
    pub major_after_business_days: u32,
    /// `overage.cure_business_days`, counted after the date of the minor notice (R64).
    pub cure_business_days: u32,
    /// `overage.major_cure_hours` (R66).
    pub major_cure_hours: u32,
    /// `overage.major_cure_calendar`.
    pub major_cure_calendar: CureCalendar,
    /// `overage.major_cure_from`.
    pub major_cure_from: CureFrom,
    /// `overage.auto_upgrade`.
    pub auto_upgrade: AutoUpgrade,
    /// The tiers on offer (R75).
    pub ladder: Ladder,
}

impl Clauses {
    /// The contract text, and no tiers.
    pub const CONTRACT: Clauses = Clauses {
        gap_band: GapBand::Minor,
        count_first_day: false,
        merge_gap_business_days: 0,
        minor_business_days: 10,
        major_after_business_days: 20,
        cure_business_days: 10,
        major_cure_hours: 24,
        major_cure_calendar: CureCalendar::Clock,
        major_cure_from: CureFrom::NoticeDelivered,
        auto_upgrade: AutoUpgrade::Apply,
        ladder: Ladder::NONE,
    };
}

impl GapBand {
    /// All of them with their words.
    pub const WORDS: [(&'static str, GapBand); 3] =
        [("minor", GapBand::Minor), ("major", GapBand::Major), ("warn", GapBand::Warn)];

    /// Its word.
    pub fn word(self) -> &'static str {
        word_of(&Self::WORDS, self)
    }
}

impl CureCalendar {
    /// All of them with their words.
    pub const WORDS: [(&'static str, CureCalendar); 2] = [("clock", CureCalendar::Clock), ("business", CureCalendar::Business)];

    /// Its word.
    pub fn word(self) -> &'static str {
        word_of(&Self::WORDS, self)
    }
}

impl CureFrom {
    /// All of them with their words.
    pub const WORDS: [(&'static str, CureFrom); 3] = [
        ("notice_delivered", CureFrom::NoticeDelivered),
        ("notice_issued", CureFrom::NoticeIssued),
        ("major_start", CureFrom::MajorStart),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        word_of(&Self::WORDS, self)
    }
}

impl AutoUpgrade {
    /// All of them with their words.
    pub const WORDS: [(&'static str, AutoUpgrade); 3] =
        [("apply", AutoUpgrade::Apply), ("propose", AutoUpgrade::Propose), ("off", AutoUpgrade::Off)];

    /// Its word.
    pub fn word(self) -> &'static str {
        word_of(&Self::WORDS, self)
    }
}

/// The word of a value that has one.
pub(crate) fn word_of<T: Copy + PartialEq>(words: &[(&'static str, T)], value: T) -> &'static str {
    words.iter().find(|(_, known)| *known == value).map_or("", |(word, _)| word)
}
