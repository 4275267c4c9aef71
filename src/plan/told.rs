//! What kinds of notices mean to whoever is told: how grave each is, its title in a message, and whether it is a customer's
//! business or the vendor's alone (R153).

use crate::plan::action::NoticeKind;

/// How grave a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; also what ends something worse.
    Info,
    /// Somebody has to do something by a date.
    Warning,
    /// Money, or somebody's access, is at stake now.
    Critical,
}

impl Severity {
    /// All of them with their words, the least grave first.
    pub const WORDS: [(&'static str, Severity); 3] =
        [("info", Severity::Info), ("warning", Severity::Warning), ("critical", Severity::Critical)];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

impl NoticeKind {
    /// The kind with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// How grave it is.
    pub fn severity(self) -> Severity {
        self.told().0
    }

    /// What a message says first.
    pub fn title(self) -> &'static str {
        self.told().1
    }

    /// Whether it is the customer's business, and not only that of whoever runs the service.
    pub fn concerns_customer(self) -> bool {
        !matches!(
            self,
            NoticeKind::RunFailed
                | NoticeKind::RunRecovered
                | NoticeKind::AssignmentDelay
                | NoticeKind::SeatsRequested
                | NoticeKind::SyncOverdue
                | NoticeKind::SyncResumed
        )
    }

    /// The kinds that it closes, as far as whoever was told of those is told of this, whatever else they are told (R151).
    pub fn closes(self) -> &'static [NoticeKind] {
        match self {
            NoticeKind::Renewed => &[NoticeKind::RenewalDue, NoticeKind::TermEnded, NoticeKind::GraceEnds],
            NoticeKind::Reinstated => {
                &[NoticeKind::RenewalDue, NoticeKind::TermEnded, NoticeKind::GraceEnds, NoticeKind::Suspended]
            }
            _ => &[],
        }
    }

    fn told(self) -> (Severity, &'static str) {
        use Severity::{Critical, Info, Warning};
        match self {
            NoticeKind::NegativeBalance => (Warning, "A pool is below zero"),
            NoticeKind::BalanceRestored => (Info, "A pool is no longer below zero"),
            NoticeKind::ShortfallAhead => (Warning, "Too few seats from a date on"),
            NoticeKind::HoldOpened => (Warning, "A run waits for a decision"),
            NoticeKind::HoldClosed => (Info, "A run no longer waits for a decision"),
            NoticeKind::RunFailed => (Warning, "Runs fail"),
            NoticeKind::RunRecovered => (Info, "Runs no longer fail"),
            NoticeKind::SameDayMissed => (Warning, "A same-day sync missed its deadline"),
            NoticeKind::AssignmentDelay => (Warning, "A sync took too long"),
            NoticeKind::OverageMinor => (Warning, "A minor overage has begun"),
            NoticeKind::OverageOverdue => (Warning, "A minor overage is overdue"),
            NoticeKind::OverageMajor => (Critical, "An overage is major"),
            NoticeKind::OverageGap => (Warning, "An overage is above the minor band"),
            NoticeKind::CureEnded => (Warning, "The time to cure an overage is over"),
            NoticeKind::UpgradeWithheld => (Warning, "An upgrade is withheld"),
            NoticeKind::UpgradeProposed => (Warning, "An upgrade awaits approval"),
            NoticeKind::Upgraded => (Critical, "The next tier was taken"),
            NoticeKind::OverageClosed => (Info, "An overage is over"),
            NoticeKind::OverageVoid => (Info, "An overage is void"),
            NoticeKind::OverageReminder => (Warning, "An overage goes on"),
            NoticeKind::RenewalDue => (Warning, "A term ends"),
            NoticeKind::TermEnded => (Critical, "A term has ended"),
            NoticeKind::GraceEnds => (Critical, "Grace ends"),
            NoticeKind::Suspended => (Critical, "Access is suspended"),
            NoticeKind::Reinstated => (Info, "Access is back"),
            NoticeKind::Renewed => (Info, "A pool is renewed"),
            NoticeKind::RenewalCarriedOver => (Info, "A renewal carried an upgrade over"),
            NoticeKind::ReuseWarning => (Warning, "Seats change hands often"),
            NoticeKind::ReuseExceeded => (Warning, "Seats changed hands too often"),
            NoticeKind::ComplianceChanged => (Info, "A pool's status has changed"),
            NoticeKind::NearLimit => (Info, "Few seats are left"),
            NoticeKind::SeatsRequested => (Info, "More seats are asked for"),
            NoticeKind::SourceDown => (Warning, "A source does not answer"),
            NoticeKind::SourceDisconnected => (Warning, "A source does not let us read"),
            NoticeKind::SourceBack => (Info, "A source was read again"),
            NoticeKind::PeopleWait => (Warning, "Somebody waits for a seat"),
            NoticeKind::SyncOverdue => (Critical, "A sync is overdue"),
            NoticeKind::SyncResumed => (Info, "A sync is no longer overdue"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::plan::action::NoticeKind;
    use crate::plan::told::Severity;

    #[test]
    fn every_kind_is_told_apart() {
        let titles: BTreeSet<&str> = NoticeKind::ALL.into_iter().map(NoticeKind::title).collect();
        assert_eq!(titles.len(), NoticeKind::ALL.len());
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::of_word(kind.word()), Some(kind));
        }
        assert_eq!(NoticeKind::of_word("overage"), None);
        for (word, severity) in Severity::WORDS {
            assert_eq!(severity.word(), word);
        }
    }

    #[test]
    fn what_ends_something_is_as_public_as_its_beginning() {
        for (begins, ends) in [
            (NoticeKind::NegativeBalance, NoticeKind::BalanceRestored),
            (NoticeKind::HoldOpened, NoticeKind::HoldClosed),
            (NoticeKind::RunFailed, NoticeKind::RunRecovered),
            (NoticeKind::OverageMajor, NoticeKind::OverageClosed),
            (NoticeKind::Suspended, NoticeKind::Reinstated),
            (NoticeKind::RenewalDue, NoticeKind::Renewed),
            (NoticeKind::TermEnded, NoticeKind::Renewed),
            (NoticeKind::GraceEnds, NoticeKind::Renewed),
            (NoticeKind::SourceDown, NoticeKind::SourceBack),
            (NoticeKind::SyncOverdue, NoticeKind::SyncResumed),
        ] {
            assert_eq!(begins.concerns_customer(), ends.concerns_customer(), "{begins:?}");
            assert!(begins.severity() > Severity::Info && ends.severity() == Severity::Info, "{begins:?}");
        }
    }
}
