//! What the holder of a token may be (R157).

use std::fmt;

/// A role at the doors of the service (R157). What each may do stands in one table, in `http/access.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessRole {
    /// The vendor: everything, and alone holds and money.
    Operator,
    /// Everything in a customer but holds and money.
    SystemAdmin,
    /// Reports.
    Reporter,
    /// License report and people of an org and of those below it.
    OrgAdmin,
    /// The same.
    UserManager,
    /// Looks at everything, changes nothing.
    ReadOnly,
}

impl AccessRole {
    /// All of them with their words.
    pub const WORDS: [(&'static str, AccessRole); 6] = [
        ("operator", AccessRole::Operator),
        ("system-admin", AccessRole::SystemAdmin),
        ("reporter", AccessRole::Reporter),
        ("org-admin", AccessRole::OrgAdmin),
        ("user-manager", AccessRole::UserManager),
        ("read-only", AccessRole::ReadOnly),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, role)| *role == self).map_or("read-only", |(word, _)| word)
    }

    /// The role of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, role)| *role)
    }

    /// Whether it holds for one org and those below it: its token names the org.
    pub fn is_of_org(self) -> bool {
        matches!(self, AccessRole::OrgAdmin | AccessRole::UserManager)
    }
}

impl fmt::Display for AccessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
