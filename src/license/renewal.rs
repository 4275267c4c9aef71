//! What the settings say of the ends of terms (R88 to R92).

/// Where a renewal starts that does not say so itself (R92).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalBasis {
    /// Where the term before it ended.
    Expiry,
    /// On the day it is recorded.
    Activation,
    /// Where the term before it ended, as long as people still have access; after that on the day it is recorded.
    ActivationIfLapsed,
}

impl RenewalBasis {
    /// All of them.
    pub const ALL: [RenewalBasis; 3] = [RenewalBasis::Expiry, RenewalBasis::Activation, RenewalBasis::ActivationIfLapsed];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            RenewalBasis::Expiry => "from_expiry",
            RenewalBasis::Activation => "from_activation",
            RenewalBasis::ActivationIfLapsed => "from_activation_if_lapsed",
        }
    }
}

/// What the settings say of the ends of terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TermRules {
    /// For so many calendar days after a term's last day access continues (R90).
    pub grace_days: u32,
    /// Whether new seats are given during grace (R91).
    pub grace_allows_new: bool,
    /// A term without a successor is an upcoming renewal when its last day is at most so many days away (R88).
    pub upcoming_days: u32,
    /// So many days before the last day somebody is reminded, the most first (R89).
    pub remind_days: Vec<u32>,
    /// Where a renewal starts.
    pub basis: RenewalBasis,
}

impl Default for TermRules {
    fn default() -> Self {
        Self {
            grace_days: 14,
            grace_allows_new: false,
            upcoming_days: 60,
            remind_days: vec![90, 60, 30, 14, 7, 1],
            basis: RenewalBasis::Expiry,
        }
    }
}
