//! Who did it.

use std::fmt;

/// In whose name something is done; goes to the audit trail (R158).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// By which way it came.
    pub kind: ActorKind,
    /// The user's or the part's name; an id, never an address.
    pub name: String,
}

/// The kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActorKind {
    /// The daemon itself: schedules, drops, dates.
    System,
    /// An operator at the command line.
    Operator,
}

impl Actor {
    /// The daemon itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, name: "rosterd".into() }
    }

    /// An operator by name.
    pub fn operator(name: impl Into<String>) -> Self {
        Self { kind: ActorKind::Operator, name: name.into() }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ActorKind::System => write!(f, "system:{}", self.name),
            ActorKind::Operator => write!(f, "operator:{}", self.name),
        }
    }
}
