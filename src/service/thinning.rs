//! Rosters that made room: what nobody looks at again is gone before the books are read, which are large themselves.

use std::mem::take;

use crate::base::{CustomerId, Day, PersonKey};
use crate::license::Hold;
use crate::plan::{Needs, Policy, Standing};
use crate::roster::{PersonIx, lean, thin};
use crate::service::core::Service;
use crate::service::draft::{Asked, Drafting};
use crate::service::error::ServiceError;

fn withheld(standing: &Standing) -> Vec<PersonKey> {
    standing.hold.as_ref().map_or(Vec::new(), Hold::withheld)
}

impl Drafting {
    /// Lets go of what is as it was in the older roster: a large one beside another and the books is much. The people whom
    /// guards and holds may ask for stay, whatever the comparison says of them.
    pub(crate) fn thin(&mut self, customer: &CustomerId, standing: &Standing) -> Result<(), ServiceError> {
        if self.is_thin || self.after.is_none() || !self.alone.is_empty() || self.narrow.is_some() {
            return Ok(());
        }
        let withheld = withheld(standing);
        let absent = standing.absences.iter().map(|absence| &absence.person);
        let known = self.conflicts.iter().map(|(known, _)| known);
        let others: Vec<&PersonKey> = withheld.iter().chain(absent).chain(known).collect();
        let thinned = thin(take(&mut self.before), &mut self.delta, &others);
        self.before = thinned.map_err(|error| ServiceError::snapshot(customer, &error))?;
        self.is_thin = true;
        Ok(())
    }

    /// Asks the rules about everybody in the newer roster, and lets go of what only they look at. The people whom guards
    /// look at stay: who is new, ended or withheld; so do those who changed.
    pub(crate) fn lean(
        &mut self,
        service: &Service,
        customer: &CustomerId,
        policy: &Policy,
        standing: &Standing,
        today: Day,
    ) -> Result<(), ServiceError> {
        let asked = self.needs.take().filter(|needs| needs.today() == today);
        if take(&mut self.is_bare) {
            if let Some(needs) = asked {
                self.asked = Some(Asked { needs, withheld: withheld(standing) });
                return Ok(());
            }
            let mark = self.fresh.first();
            self.after = mark.map(|mark| service.snapshot(customer, &mark.snapshot)).transpose()?;
        }
        // Only what is kept whole as a snapshot can be had again.
        let Some(after) = self.after.as_ref().filter(|_| self.is_thin) else { return Ok(()) };
        // Settings that name an unknown org are told of by the plan.
        let Ok(needs) = asked.map_or_else(|| Needs::new(policy, after, today), Ok) else { return Ok(()) };
        let withheld = withheld(standing);
        let ended = (0u32..).zip(&after.people).filter(|(_, person)| person.ended).map(|(at, _)| PersonIx(at));
        let mut whole: Vec<PersonIx> = ended.collect();
        whole.extend(withheld.iter().filter_map(|key| after.find_person(key.as_str())));
        // On a first night nobody is compared with anybody.
        if self.delta.base > 0 {
            whole.extend(&self.delta.added);
        }
        // The trail tells whose roles changed.
        whole.extend(self.delta.changed.iter().map(|(_, after)| after));
        whole.sort_unstable();
        whole.dedup();
        let rest = lean(take(&mut self.after).unwrap_or_default(), &whole);
        self.after = Some(rest.map_err(|error| ServiceError::snapshot(customer, &error))?);
        self.asked = Some(Asked { needs, withheld });
        Ok(())
    }

    /// Has the whole newer roster again where another day began meanwhile, or other people wait for a decision.
    pub(crate) fn widen(
        &mut self,
        service: &Service,
        customer: &CustomerId,
        standing: &Standing,
        today: Day,
    ) -> Result<(), ServiceError> {
        let is_outdated = |asked: &Asked| asked.needs.today() != today || asked.withheld != withheld(standing);
        if self.asked.as_ref().is_some_and(is_outdated)
            && let Some(mark) = self.fresh.first()
        {
            self.behind.finish()?;
            self.after = Some(service.snapshot(customer, &mark.snapshot)?);
            self.asked = None;
        }
        Ok(())
    }
}
