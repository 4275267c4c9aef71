//! Looking at everybody's drop folders. One customer's mount may hang for hours; nobody else waits for it.

use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, spawn_blocking};

use crate::base::CustomerId;
use crate::daemon::drops::Drops;
use crate::service::ServiceError;
use crate::telemetry::DropsHang;

/// How long everybody waits for one customer's look at most.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// After how long a look that did not return is told of.
const HANGS: Duration = Duration::from_secs(300);

/// What a look left behind, and what went wrong.
pub type Looked = (Drops, Result<(), ServiceError>);

/// The looks at all customers' drop folders, each with a thread of its own and never two at a time.
pub struct Arrivals {
    customers: Vec<(CustomerId, State)>,
}

enum State {
    Between(Drops),
    Looking { look: JoinHandle<Looked>, since: Instant, told: bool },
}

impl Arrivals {
    /// Nobody was looked at yet.
    pub fn new(customers: impl Iterator<Item = CustomerId>) -> Self {
        Self { customers: customers.map(|customer| (customer, State::Between(Drops::default()))).collect() }
    }

    /// Looks at everybody whose last look has returned. Returns what went wrong.
    pub async fn look<L>(&mut self, look: L, patience: Duration) -> Vec<ServiceError>
    where
        L: Fn(&CustomerId, Drops) -> Looked + Clone + Send + 'static,
    {
        let mut errors = Vec::new();
        for (customer, state) in &mut self.customers {
            let drops = match std::mem::replace(state, State::Between(Drops::default())) {
                State::Between(drops) => drops,
                State::Looking { look, .. } if look.is_finished() => ended(look.await, &mut errors),
                State::Looking { look, since, told } => {
                    let hangs = since.elapsed();
                    if !told && hangs >= HANGS {
                        DropsHang { customer, secs: hangs.as_secs() }.emit();
                    }
                    *state = State::Looking { look, since, told: told || hangs >= HANGS };
                    continue;
                }
            };
            let (look, whose) = (look.clone(), customer.clone());
            let mut look = spawn_blocking(move || look(&whose, drops));
            *state = match tokio::time::timeout(patience, &mut look).await {
                Ok(looked) => State::Between(ended(looked, &mut errors)),
                Err(_) => State::Looking { look, since: Instant::now(), told: false },
            };
        }
        errors
    }
}

fn ended(looked: Result<Looked, tokio::task::JoinError>, errors: &mut Vec<ServiceError>) -> Drops {
    let (drops, done) = looked.unwrap_or_else(|_| (Drops::default(), Err(ServiceError::BrokeOff)));
    errors.extend(done.err());
    drops
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use crate::base::CustomerId;
    use crate::daemon::arrivals::Arrivals;
    use crate::daemon::drops::Drops;

    #[tokio::test]
    async fn nobody_waits_for_a_mount_that_hangs() {
        let (release, hang) = channel::<()>();
        let (looks, hang) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(hang)));
        let kept = Arc::clone(&looks);
        let look = move |customer: &CustomerId, drops: Drops| {
            looks.lock().unwrap().push(customer.to_string());
            match customer.as_str() {
                "north" => drop(hang.lock().unwrap().recv()),
                "south" => panic!("a bug"),
                _ => {}
            }
            (drops, Ok(()))
        };
        let mut arrivals = Arrivals::new(["north", "south", "west"].map(CustomerId::from).into_iter());
        let patience = Duration::from_secs(4);
        for _ in 0..3 {
            let errors = arrivals.look(look.clone(), patience).await;
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].to_string().contains("broke off"));
        }
        let looked = || kept.lock().unwrap().join(" ");
        assert_eq!(looked(), "north south west south west south west", "never twice at once");
        drop(release);
        while !looked().ends_with("north south west") {
            arrivals.look(look.clone(), patience).await;
        }
    }
}
