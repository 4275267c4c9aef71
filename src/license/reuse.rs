//! How often seats go from person to person within a license year (R81 to R86).

/// What is counted and closed: the pool as a whole, or each seat (R84).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReuseScope {
    /// Seats are all alike: replacements are counted for the pool.
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
    /// Whether new people wait until the year rolls over once more are made; else it is only told (R85).
    pub exceeded_blocks: bool,
}

impl Default for ReuseRules {
    fn default() -> Self {
        Self { max_per_seat: 3, scope: ReuseScope::Pool, exceeded_blocks: false }
    }
}
