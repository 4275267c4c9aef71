//! What the settings say of reuse (R83 to R85).

/// What is counted and closed (R84).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReuseScope {
    /// Seats are all alike: replacements are counted for the pool.
    #[default]
    Pool,
    /// Seats have numbers, and each is used up on its own.
    Seat,
}

/// What the settings say of reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReuseRules {
    /// So many replacements per seat and license year are allowed (R83).
    pub max_per_seat: u32,
    /// What is counted.
    pub scope: ReuseScope,
    /// New people wait until the year rolls over once more were made; else it is only told (R85).
    pub exceeded_blocks: bool,
}

impl Default for ReuseRules {
    fn default() -> Self {
        Self { max_per_seat: 3, scope: ReuseScope::Pool, exceeded_blocks: false }
    }
}
