//! What a run makes of sources that could not be read, or cannot be relied on: each is left as it stands, and none keeps
//! another one from being taken in. Where nothing is left to be taken in, the run ends there.

use crate::base::ErrorChain;
use crate::service::core::Customer;
use crate::service::pulled::Pulled;
use crate::service::rosters::bad_rows;
use crate::source::SourceError;
use crate::store::{RunRow, RunState};

/// Tells what is wrong with the sources in the run's message, and turns away what cannot be used: packages that cannot be
/// trusted, and those with too many bad rows (R105). Where the run ends with that, its state and what to tell.
pub(crate) fn unusable(customer: &Customer, pulls: &mut [Pulled], row: &mut RunRow) -> Option<(RunState, String)> {
    let mut troubles = Vec::new();
    let mut is_held = false;
    for pulled in pulls.iter_mut() {
        if let Some(error) = &pulled.error {
            troubles.push(format!("source {}: could not {}", pulled.source, ErrorChain(error)));
        }
        if let Some(why) = pulled.narrowed.as_ref().and_then(|narrowed| narrowed.trouble.as_ref()) {
            troubles.push(format!("source {}: {why}", pulled.source));
        }
        if let Some(package) = &pulled.rejected {
            row.rejected.push((pulled.source.clone(), package.told()));
        }
        let bad = pulled.fresh.as_ref().and_then(|fresh| bad_rows(customer, &fresh.counts));
        if let Some(bad) = bad
            && let Some(fresh) = pulled.fresh.take()
        {
            is_held = true;
            let (source, name) = (&pulled.source, &fresh.mark.name);
            troubles.push(format!("source {source}: package {name} is held: {bad} (see `rosterd findings {}`)", row.run));
            row.rejected.push((source.clone(), fresh.mark.package));
            pulled.activity.clear();
            pulled.error = Some(SourceError::Unusable { upstream: source.to_string(), why: bad });
        }
    }
    let any_fresh = pulls.iter().any(|p| p.fresh.is_some());
    if !troubles.is_empty() && !any_fresh {
        let state = if is_held { RunState::Held } else { RunState::Failed };
        return Some((state, format!("{}; nothing was changed", troubles.join("; "))));
    }
    row.message = troubles.join("; ");
    if !any_fresh && pulls.iter().all(|p| p.before.is_none()) {
        return Some((RunState::Succeeded, "no package has arrived yet".to_owned()));
    }
    None
}
