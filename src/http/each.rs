//! What one token may have at once of what all share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::problem::Problem;

/// So many things at once for each token, by whatever tells one from the other.
pub struct Each<K: Ord + Copy> {
    max: usize,
    queues: Mutex<BTreeMap<K, Arc<Semaphore>>>,
}

/// One of them; it is given back when it is dropped.
pub struct Place<K: Ord + Copy> {
    each: Arc<Each<K>>,
    token: K,
    /// Taken out when it is dropped.
    queue: Option<Arc<Semaphore>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Ord + Copy> Each<K> {
    /// So many at once for each token.
    pub fn new(max: usize) -> Self {
        Self { max, queues: Mutex::default() }
    }

    /// One more for a token, at once.
    ///
    /// # Errors
    /// If it has as many as it may.
    pub fn take(self: &Arc<Self>, token: K) -> Result<Place<K>, Problem> {
        let (mut place, queue) = self.queue(token);
        place.permit = Some(queue.try_acquire_owned().map_err(|_| Problem::busy())?);
        Ok(place)
    }

    /// The same when it is the token's turn.
    ///
    /// # Errors
    /// If that takes too long.
    pub async fn wait(self: &Arc<Self>, token: K, time_max: Duration) -> Result<Place<K>, Problem> {
        let (mut place, queue) = self.queue(token);
        let permit = tokio::time::timeout(time_max, queue.acquire_owned()).await;
        place.permit = Some(permit.ok().and_then(Result::ok).ok_or_else(Problem::busy)?);
        Ok(place)
    }

    fn queue(self: &Arc<Self>, token: K) -> (Place<K>, Arc<Semaphore>) {
        let queue = Arc::clone(self.queues().entry(token).or_insert_with(|| Arc::new(Semaphore::new(self.max))));
        (Place { each: Arc::clone(self), token, queue: Some(Arc::clone(&queue)), permit: None }, queue)
    }

    fn queues(&self) -> MutexGuard<'_, BTreeMap<K, Arc<Semaphore>>> {
        // Nobody leaves the table half written.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Copy> Drop for Place<K> {
    fn drop(&mut self) {
        self.permit = None;
        let mut queues = self.each.queues();
        self.queue = None;
        // Whoever has or waits for something holds on to the queue.
        if queues.get(&self.token).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

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
        assert!(each.queues().is_empty(), "nobody is remembered who has nothing");
    }

    #[tokio::test]
    async fn whoever_waits_has_its_turn_and_is_forgotten_when_it_gave_up() {
        let each = Arc::new(Each::new(1));
        let first = each.take(1).map_err(|why| why.code);
        let late = each.wait(1, Duration::from_millis(1)).await;
        assert_eq!(late.map(drop).map_err(|why| why.code), Err("busy"));
        let other = Arc::clone(&each);
        let waiting = tokio::spawn(async move { other.wait(1, Duration::from_secs(60)).await.is_ok() });
        tokio::task::yield_now().await;
        drop(first);
        assert!(waiting.await.expect("no panic"));
        assert!(each.queues().is_empty());
    }
}
