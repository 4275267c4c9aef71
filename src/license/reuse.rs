//! What the settings say of reuse (R83).

/// What the settings say of reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReuseRules {
    /// So many replacements per seat and license year are allowed (R83).
    pub max_per_seat: u32,
}

impl Default for ReuseRules {
    fn default() -> Self {
        Self { max_per_seat: 3 }
    }
}
