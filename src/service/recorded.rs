//! A run's row, from its beginning to its end.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use crate::base::ErrorChain;
use crate::plan::Plan;
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::sync::{Planned, add};
use crate::store::{RunRow, RunState, RunTally, Trigger};

/// A run's row as it ended, and its plan or what went wrong.
pub(crate) type Ended = (RunRow, Result<Option<Arc<Plan>>, ServiceError>);

impl Service {
    /// Writes a run down from its beginning to its end, whatever comes of it. What an operator can act on is told by its row
    /// alone.
    pub(crate) fn recorded(
        &self,
        customer: &Customer,
        trigger: &Trigger,
        work: &mut dyn FnMut(&mut RunRow) -> Result<Option<Plan>, ServiceError>,
    ) -> Result<Planned, ServiceError> {
        let (run, done) = self.row_and_plan(customer, trigger, work)?;
        match done {
            Ok(plan) => Ok(Planned { run, plan }),
            Err(error) if matches!(error, ServiceError::Store(_)) => Err(error),
            Err(_) => Ok(Planned { run, plan: None }),
        }
    }

    /// The same with what went wrong.
    pub(crate) fn row_and_plan(
        &self,
        customer: &Customer,
        trigger: &Trigger,
        work: &mut dyn FnMut(&mut RunRow) -> Result<Option<Plan>, ServiceError>,
    ) -> Result<Ended, ServiceError> {
        let now = self.now();
        let run = self.store.begin_run(customer.id(), trigger, now)?;
        let mut row = RunRow {
            run,
            customer: customer.id().clone(),
            trigger: trigger.clone(),
            state: RunState::Fetching,
            began: now,
            ended: None,
            packages: Vec::new(),
            plan: None,
            version: None,
            tally: RunTally::default(),
            message: String::new(),
            rejected: Vec::new(),
        };
        let done = catch_unwind(AssertUnwindSafe(|| work(&mut row)));
        let done = done.unwrap_or_else(|panic| {
            // A row that seems to go on for ever would keep what was staged since it began.
            let how = if row.version.is_some() {
                row.state = RunState::SucceededWithErrors;
                "after its commit; the books are whole"
            } else {
                row.state = RunState::Failed;
                "before its commit; nothing was changed"
            };
            row.message = format!("it broke off {how} (this is a bug; the log says where)");
            row.ended = Some(self.now());
            // If it cannot be written now, it is written later.
            let _ = self.unsaved.end_run(&self.store, &row);
            resume_unwind(panic)
        });
        let plan = match done {
            Ok(plan) => plan.map(Arc::new),
            Err(error) => {
                row.state = RunState::Failed;
                row.message = format!("could not {}", ErrorChain(&error));
                row.ended = Some(self.now());
                self.unsaved.end_run(&self.store, &row)?;
                return Ok((row, Err(error)));
            }
        };
        if row.state != RunState::Planned
            && let Err(error) = self.watch_pools(customer, self.now())
        {
            // The commit stands; the next run looks again.
            add(&mut row.message, &format!("could not look at the pools: {}", ErrorChain(&error)));
        }
        row.ended = Some(self.now());
        self.unsaved.end_run(&self.store, &row)?;
        Ok((row, Ok(plan)))
    }
}
