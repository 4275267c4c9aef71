//! The only source of a customer read anew: the snapshot it is compared with is never loaded as a whole.

use crate::base::{Digest, Instant, PersonKey};
use crate::license::{Hold, SourceMark};
use crate::plan::Standing;
use crate::roster::{Compared, Intake, Level, is_linked};
use crate::service::core::{Customer, Service};
use crate::service::error::ServiceError;
use crate::service::rosters::{Pulled, Taken, taken};
use crate::service::snapshots::Ground;
use crate::source::{Package, Read};

/// A stored snapshot as a comparison leaves it, and the one kept whole that it is or stands on.
pub(crate) struct Beside {
    compared: Compared,
    base: Digest,
}

impl Service {
    /// Compares what was read with what is stored. `None` where more is asked of the stored roster: a bad row, somebody who
    /// ended, keys that are not the source's own, or a new key that claims the e-mail of somebody known (R5).
    pub(crate) fn beside(
        &self,
        customer: &Customer,
        standing: &Standing,
        (mark, package): (&SourceMark, &Package),
        intake: &Intake,
    ) -> Result<Option<Beside>, ServiceError> {
        let is_unusable = intake.findings.kept.iter().any(|f| matches!(f.level, Level::Package | Level::File));
        if is_unusable || !intake.is_beyond_doubt() || intake.roster.people.iter().any(|person| person.ended) {
            return Ok(None);
        }
        let withheld = standing.hold.as_ref().map_or(Vec::new(), Hold::withheld);
        let absent = standing.absences.iter().map(|absence| &absence.person);
        let others: Vec<&PersonKey> = withheld.iter().chain(absent).collect();
        let (compared, base) = self.compare(customer.id(), &mark.snapshot, &intake.roster, &others)?;
        let stands = intake.stands_beside_own(|what| compared.has_own(what)) && !is_linked(&compared.rest);
        let claims = !compared.delta.conflicts.is_empty() && !self.is_approved(standing, &package.told());
        Ok((stands && !claims).then_some(Beside { compared, base }))
    }

    /// Keeps what was read, of which it is known how it differs from what is stored.
    pub(crate) fn stage_beside(
        &self,
        customer: &Customer,
        package: Package,
        (read, intake): (Read, Intake),
        Beside { compared, base }: Beside,
        (mut pulled, now): (Pulled, Instant),
    ) -> Result<Pulled, ServiceError> {
        pulled.watch = intake.roster.enrollments.watch();
        // It was looked at: nothing stands against it.
        let Some(Taken { package, roster, counts, .. }) = taken(package, Ok(read), intake, &mut pulled) else {
            return Ok(pulled);
        };
        let ground = Some(Ground::Compared(&compared, &base));
        let source = pulled.source.clone();
        pulled.fresh = Some(self.stage(customer.id(), &source, package, (None, ground), roster, counts, now)?);
        pulled.watched(customer.id())?;
        (pulled.before, pulled.compared) = (Some(compared.rest), Some(compared.delta));
        Ok(pulled)
    }
}
