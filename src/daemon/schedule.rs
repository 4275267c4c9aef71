//! The ringing clock: one job, every minute, in UTC. It only rings; what is due is worked out elsewhere. The only file
//! that names the cron crate's scheduler.

use tokio::sync::mpsc::Sender;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Rings once a minute until dropped.
pub struct Bell {
    _scheduler: JobScheduler,
}

impl Bell {
    /// Starts ringing into a channel. A ring that nobody has taken yet makes the next one superfluous.
    ///
    /// # Errors
    /// When the scheduler cannot be started.
    pub async fn start(rings: Sender<()>) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let job = Job::new("0 * * * * *", move |_, _| {
            let _ = rings.try_send(());
        })?;
        scheduler.add(job).await?;
        scheduler.start().await?;
        Ok(Self { _scheduler: scheduler })
    }
}
