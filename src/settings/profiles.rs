//! Profiles: one word for how a kind of customer licenses, so that few keys need to be written (domain rules §17).

use crate::license::SeatModel;
use crate::settings::values::OnFullWord;

/// A profile of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// A learning platform billed by active users.
    Lxp,
    /// A studio with named seats.
    Studio,
    /// A school or district with roles and a nightly run.
    School,
    /// Modules that follow roles.
    Modules,
    /// An academy that licenses access and content.
    Academy,
}

/// What a profile says where the settings say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Of products.
    pub seat_model: SeatModel,
    /// Of pools.
    pub on_full: OnFullWord,
    /// Of pools.
    pub overage_terms: bool,
}

impl Profile {
    /// All profiles with their words.
    pub const WORDS: [(&'static str, Profile); 5] = [
        ("lxp", Profile::Lxp),
        ("studio", Profile::Studio),
        ("school", Profile::School),
        ("modules", Profile::Modules),
        ("academy", Profile::Academy),
    ];
}

/// What holds for a customer of this profile, or of none.
pub fn defaults(profile: Option<Profile>) -> Defaults {
    let (seat_model, on_full, overage_terms) = match profile {
        Some(Profile::Lxp) => (SeatModel::ActiveUser, OnFullWord::Overdraw, true),
        Some(Profile::Studio) => (SeatModel::Named, OnFullWord::Wait, false),
        Some(Profile::School | Profile::Modules) | None => (SeatModel::Role, OnFullWord::Wait, false),
        Some(Profile::Academy) => (SeatModel::Role, OnFullWord::Overdraw, false),
    };
    Defaults { seat_model, on_full, overage_terms }
}

/// What sync does when a pool is full: as written; else by the pool's written overage terms (R48); else by the profile.
pub fn on_full(written: Option<OnFullWord>, overage_terms: Option<bool>, profile: Option<Profile>) -> OnFullWord {
    match (written, overage_terms) {
        (Some(written), _) => written,
        (None, Some(true)) => OnFullWord::Overdraw,
        (None, Some(false)) => OnFullWord::Wait,
        (None, None) => defaults(profile).on_full,
    }
}
