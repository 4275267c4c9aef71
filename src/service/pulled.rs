//! What one source brought to a run.

use std::mem::take;

use crate::base::{CustomerId, PersonKey, SourceId};
use crate::license::SourceMark;
use crate::plan::{Needs, Verdict};
use crate::roster::{Findings, IntakeCounts, Name, Roster, RosterDelta, Trace, Watch};
use crate::service::behind::Behind;
use crate::service::error::ServiceError;
use crate::source::{Package, SourceError};
use crate::store::{ActivityRow, SourceLook};

/// What one source brought.
pub struct Pulled {
    /// The source.
    pub source: SourceId,
    /// The roster the books rest on so far; `None` before the first snapshot.
    pub before: Option<Roster>,
    /// What was read; `None` if there was nothing new.
    pub fresh: Option<Fresh>,
    /// The newest package, if its bytes were taken in before under another name: noted, and no second look at anybody.
    pub repeated: Option<SourceMark>,
    /// Why it could not be read; nothing of it is applied (R103).
    pub error: Option<SourceError>,
    /// The package that could not be taken in; it is not tried again until it changes.
    pub rejected: Option<Package>,
    /// What was found.
    pub findings: Findings,
    /// What changed, where that is known already; then `before` is no more than a comparison leaves.
    pub(crate) compared: Option<RosterDelta>,
    /// In a run for some people only: what became of it beside the roster.
    pub(crate) narrowed: Option<Narrowed>,
    /// The look at a live source, to be noted when the run has come to its end.
    pub(crate) look: Option<SourceLook>,
    /// Log-ins that it told beside the roster (R144).
    pub(crate) activity: Vec<ActivityRow>,
    /// What the upstream says of itself that an operator should know.
    pub(crate) told: Vec<String>,
    /// Whether rows of it that lie outside memory can still be had.
    pub(crate) watch: Watch,
}

impl Pulled {
    /// What it comes to.
    pub(crate) fn roster(&self) -> Option<&Roster> {
        self.fresh.as_ref().map(|fresh| &fresh.roster).or(self.before.as_ref())
    }

    /// Whether what was made of the read may be used.
    pub(crate) fn watched(&self, customer: &CustomerId) -> Result<(), ServiceError> {
        if self.watch.is_whole() { Ok(()) } else { Err(ServiceError::RowsLost { customer: customer.clone() }) }
    }

    /// The source as it stands.
    pub(crate) fn nothing_new(source: SourceId, before: Option<Roster>) -> Self {
        let findings = Findings::default();
        let (compared, narrowed, look, activity, told) = (None, None, None, Vec::new(), Vec::new());
        Self {
            source,
            before,
            fresh: None,
            repeated: None,
            error: None,
            rejected: None,
            findings,
            compared,
            narrowed,
            look,
            activity,
            told,
            watch: Watch::default(),
        }
    }
}

/// What reading a source for some people came to, beside the roster.
#[derive(Default)]
pub(crate) struct Narrowed {
    /// What the guards say: of the read as a whole, else of the people in scope.
    pub(crate) verdict: Verdict,
    /// People before, and removals that passed the guards.
    pub(crate) counted: (u32, u32),
    /// People in scope whom the source has no more, and who count as gone at once (R131). Sorted.
    pub(crate) gone: Vec<PersonKey>,
    /// People in scope whom the source had, and who ended or are missing now.
    pub(crate) left: Vec<PersonKey>,
    /// People in scope whose e-mail two keys claim: the known one and the new one (R5).
    pub(crate) conflicts: Vec<(PersonKey, PersonKey)>,
    /// Why nobody could be taken in.
    pub(crate) trouble: Option<String>,
    /// What an operator should know.
    pub(crate) told: Vec<String>,
    /// Source or books know what the scope names.
    pub(crate) knows: bool,
    /// What may have been meant, if not.
    pub(crate) hint: Option<String>,
}

/// A new read of one source.
pub struct Fresh {
    /// What was read and where it is staged.
    pub mark: SourceMark,
    /// Its roster; conflicting keys are kept out of it (R5).
    pub roster: Roster,
    /// Rows seen and quarantined.
    pub counts: IntakeCounts,
    /// Known people and the new keys that claim their e-mail.
    pub conflicts: Vec<(String, String)>,
    /// What its people ought to have, if the rules were asked already.
    pub(crate) needs: Option<Needs>,
    /// Of most people the roster has no more than the key; what they need is known unless the rules have to be asked anew.
    pub(crate) is_bare: bool,
    /// Its name.
    pub(crate) name: Name,
    /// What the read left to know for the next one, if the roster is all that was read and nothing else.
    pub(crate) trace: Option<Trace>,
    /// Its snapshot may still be on its way into the store.
    pub(crate) behind: Behind,
}

impl Fresh {
    /// The same with a trace, if it may leave one.
    pub(crate) fn with_trace(mut self, trace: Option<Trace>) -> Self {
        let trace = trace.filter(|_| self.conflicts.is_empty());
        self.trace = trace.map(|trace| Trace { name: take(&mut self.name), ..trace });
        self
    }
}

/// What is still on its way into the store: the snapshot of a customer's only source, if of any.
pub(crate) fn behind_of(pulls: &mut [Pulled]) -> Behind {
    let behind = pulls.iter_mut().find_map(|pulled| pulled.fresh.as_mut().map(|fresh| take(&mut fresh.behind)));
    behind.unwrap_or_default()
}
