//! The only source of a customer read anew: the snapshot it is compared with is never loaded as a whole.

use crate::base::{Digest, Instant, PersonKey, parts};
use crate::license::{Hold, SourceMark};
use crate::plan::{Needs, Standing};
use crate::roster::{Compared, Intake, Level, Name, is_linked};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::pulled::{Fresh, Pulled};
use crate::service::rosters::{Ask, Keeping, Taken, taken};
use crate::service::snapshots::Ground;
use crate::source::{Package, Read};

/// A stored snapshot as a comparison leaves it, and the one kept whole that it is or stands on.
pub(crate) struct Beside {
    pub(crate) compared: Compared,
    pub(crate) base: Digest,
    /// The name of what was read.
    pub(crate) name: Name,
    /// What its people ought to have, if that was asked.
    pub(crate) needs: Option<Needs>,
}

impl Service {
    /// Compares what was read with what is stored. `None` where more is asked of the stored roster: a bad row, somebody who
    /// ended, keys that are not the source's own, or a new key that claims the e-mail of somebody known (R5).
    pub(crate) fn beside(
        &self,
        customer: &Customer,
        standing: &Standing,
        (mark, package): (&SourceMark, &Package),
        (intake, ask): (&Intake, Ask<'_>),
    ) -> Result<Option<Beside>, ServiceError> {
        let is_unusable = intake.findings.kept.iter().any(|f| matches!(f.level, Level::Package | Level::File));
        if is_unusable || !intake.is_beyond_doubt() || intake.roster.people.iter().any(|person| person.ended) {
            return Ok(None);
        }
        let others = others(standing);
        let others: Vec<&PersonKey> = others.iter().collect();
        // The comparison is one long walk; the other core has what else only looks at the newer roster.
        let roster = &intake.roster;
        let ((name, needs), compared) = parts::both(
            || (Name::of(roster), ask.and_then(|(policy, today)| Needs::new(policy, roster, today).ok())),
            || self.compare(customer.id(), &mark.snapshot, roster, (&others, None)),
        );
        let (compared, base) = compared?;
        let stands = intake.stands_beside_own(|what| compared.has_own(what)) && !is_linked(&compared.rest);
        let claims = !compared.delta.conflicts.is_empty() && !self.is_approved(standing, &package.told());
        Ok((stands && !claims).then_some(Beside { compared, base, name, needs }))
    }

    /// Keeps what was read, of which it is known how it differs from what is stored.
    pub(crate) fn stage_beside(
        &self,
        customer: &Customer,
        package: Package,
        (read, intake): (Read, Intake),
        Beside { compared, base, name, needs }: Beside,
        (mut pulled, now): (Pulled, Instant),
    ) -> Result<Pulled, ServiceError> {
        pulled.watch = intake.roster.enrollments.watch();
        // It was looked at: nothing stands against it.
        let Some(Taken { package, roster, counts, trace, .. }) = taken(package, Ok(read), intake, &mut pulled) else {
            return Ok(pulled);
        };
        let keeping = Keeping { ground: Some(Ground::Compared(&compared, &base, &name)), ..Keeping::default() };
        let source = pulled.source.clone();
        let fresh = self.stage(customer.id(), &source, package, keeping, (roster, counts), now)?;
        pulled.fresh = Some(Fresh { needs, is_bare: compared.is_of_bare(), ..fresh.with_trace(trace) });
        pulled.watched(customer.id())?;
        (pulled.before, pulled.compared) = (Some(compared.rest), Some(compared.delta));
        Ok(pulled)
    }
}

/// People who are asked for whatever became of them.
pub(crate) fn others(standing: &Standing) -> Vec<PersonKey> {
    let withheld = standing.hold.as_ref().map_or(Vec::new(), Hold::withheld);
    withheld.into_iter().chain(standing.absences.iter().map(|absence| absence.person.clone())).collect()
}
