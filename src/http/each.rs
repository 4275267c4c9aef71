//! What one token may take at once of what all share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::http::problem::Problem;

/// So many things at once for each token.
pub struct Each {
    max: usize,
    taken: Mutex<BTreeMap<u64, usize>>,
}

/// One of them; it is given back when it is dropped.
pub struct Place {
    each: Arc<Each>,
    token: u64,
}

impl Each {
    /// So many at once for each token.
    pub fn new(max: usize) -> Self {
        Self { max, taken: Mutex::default() }
    }

    /// One more for a token.
    ///
    /// # Errors
    /// If it has as many as it may.
    pub fn take(self: &Arc<Self>, token: u64) -> Result<Place, Problem> {
        let mut taken = self.taken();
        let count = taken.entry(token).or_default();
        if *count >= self.max {
            return Err(Problem::busy());
        }
        *count += 1;
        Ok(Place { each: Arc::clone(self), token })
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<u64, usize>> {
        // Nobody leaves the counts half written.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.each.taken();
        if let Some(count) = taken.get_mut(&self.token) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::http::each::Each;

    #[test]
    fn each_token_has_its_own_and_gives_back_what_it_had() {
        let each = Arc::new(Each::new(2));
        let (first, second) = (each.take(1).map_err(|why| why.code), each.take(1).map_err(|why| why.code));
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(each.take(1).map(drop).map_err(|why| why.code), Err("busy"));
        assert!(each.take(2).is_ok(), "others are others");
        drop(first);
        assert!(each.take(1).is_ok());
        drop(second);
        assert!(each.taken().is_empty(), "nobody is remembered who has nothing");
    }
}
