//! A plan as text: what would be done, what would not, and why. Same plan, same text.

use std::fmt::{self, Write as _};

use crate::base::Balance;
use crate::license::{Causes, ClaimChange, ClaimState, Entry};
use crate::plan::action::{AbsenceChange, Plan, PoolOutlook, Withheld};
use crate::plan::guard::{GuardKind, Trip};
use crate::plan::input::Policy;

/// Writes a plan for people. `lines_max` bounds the list of changes and the list of what is withheld, each; what is
/// left out is counted.
///
/// # Errors
/// Those of the writer.
pub fn render(plan: &Plan, policy: &Policy, lines_max: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "plan {} of {} on version {}, made {}", plan.id.short(), plan.customer, plan.parent, plan.at)?;
    for mark in &plan.snapshots {
        let what = if mark.amended { "some people later than " } else { "" };
        writeln!(out, "takes in {what}{} from {} (snapshot {})", mark.name, mark.source, mark.snapshot.short())?;
    }
    for entry in &plan.entries {
        if let Entry::Adopted(mark) = entry
            && !plan.snapshots.contains(mark)
        {
            writeln!(out, "notes that {} from {} is what was taken in before", mark.name, mark.source)?;
        }
    }
    if plan.is_empty() {
        writeln!(out, "nothing to do")?;
    }
    for trip in &plan.verdict.trips {
        writeln!(out, "HELD by guard {}", trip_text(trip))?;
    }
    if !plan.pools.is_empty() {
        writeln!(out, "\npools")?;
        for pool in &plan.pools {
            writeln!(out, "  {}", pool_text(pool))?;
        }
    }
    if !plan.changes.is_empty() {
        writeln!(out, "\nchanges ({})", plan.changes.len())?;
        for change in plan.changes.iter().take(lines_max) {
            writeln!(out, "  {}", change_text(plan, change))?;
        }
        rest(plan.changes.len(), lines_max, out)?;
    }
    if !plan.absences.is_empty() {
        writeln!(out, "\nmissing people ({})", plan.absences.len())?;
        for change in plan.absences.iter().take(lines_max) {
            writeln!(out, "  {}", absence_text(change))?;
        }
        rest(plan.absences.len(), lines_max, out)?;
    }
    if !plan.withheld.is_empty() {
        writeln!(out, "\nwithheld ({})", plan.withheld.len())?;
        for withheld in plan.withheld.iter().take(lines_max) {
            writeln!(out, "  {}", withheld_text(plan, policy, withheld))?;
        }
        rest(plan.withheld.len(), lines_max, out)?;
    }
    let episodes: Vec<String> = plan.entries.iter().filter_map(episode_text).collect();
    if !episodes.is_empty() {
        writeln!(out, "\nepisodes")?;
        episodes.iter().try_for_each(|line| writeln!(out, "  {line}"))?;
    }
    if !plan.notices.is_empty() {
        writeln!(out, "\nnotices")?;
        plan.notices.iter().try_for_each(|notice| writeln!(out, "  {}: {}", notice.kind.word(), notice.text))?;
    }
    Ok(())
}

fn rest(len: usize, lines_max: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    if len > lines_max { writeln!(out, "  … and {} more", len - lines_max) } else { Ok(()) }
}

/// A trip in one line: what would go, of how many, and the limit.
pub fn trip_text(trip: &Trip) -> String {
    let mut text = trip.guard.word().to_owned();
    if let Some(org) = &trip.org {
        let _ = write!(text, " of org {org}");
    }
    let things = trip.collection.map_or("people", |c| c.word());
    let (removed, base) = (trip.removed, trip.base);
    let _ = match trip.guard {
        GuardKind::Empty | GuardKind::Removal | GuardKind::OrgRemoval => {
            write!(text, ": {removed} of {base} {things} would go")
        }
        GuardKind::Rolling => write!(text, ": {removed} of {base} {things} would be gone within days"),
        GuardKind::Growth => write!(text, ": {removed} {things} would come to {base}"),
        GuardKind::Change => write!(text, ": {removed} of {base} {things} would change"),
        GuardKind::IdentityFlip => write!(text, ": {removed} of {base} {things} come back under other keys"),
        GuardKind::Bootstrap => write!(text, ": the first snapshot of a source brings {removed} {things}"),
        GuardKind::Excepted => write!(text, ": {removed} {things} were kept as they are by decision"),
    };
    if trip.limit_percent > 0 {
        let _ = write!(text, " (limit {} %)", trip.limit_percent);
    }
    text
}

/// Causes in one line, the order of [`crate::license::Cause`].
pub fn causes_text(causes: &Causes) -> String {
    causes.iter().map(|(cause, count)| format!("{count} {}", cause.word())).collect::<Vec<_>>().join(", ")
}

fn pool_text(pool: &PoolOutlook) -> String {
    let number = |balance: Option<Balance>| balance.map_or("unlimited".to_owned(), |b| b.to_string());
    let mut text = format!(
        "{} ({}): used {} -> {}, balance {} -> {}",
        pool.pool,
        pool.product,
        pool.before.used(),
        pool.after.used(),
        number(pool.balance_before),
        number(pool.balance)
    );
    if pool.balance_if_approved != pool.balance {
        let _ = write!(text, " (if approved {})", number(pool.balance_if_approved));
    }
    let waiting = (pool.before.of(ClaimState::Waiting), pool.after.of(ClaimState::Waiting));
    if waiting.0 != waiting.1 || waiting.1.0 > 0 {
        let _ = write!(text, ", waiting {} -> {}", waiting.0, waiting.1);
    }
    let _ = write!(text, ", band {}", pool.band.word());
    if !pool.causes.is_empty() {
        let _ = write!(text, " ({})", causes_text(&pool.causes));
    }
    text
}

fn change_text(plan: &Plan, change: &ClaimChange) -> String {
    let ClaimChange { person, because, before, after } = change;
    let sign = match (before.as_deref().map(|b| b.state.consumes()), after.state.consumes()) {
        (Some(true), false) => '-',
        (Some(false) | None, true) => '+',
        (Some(true), true) => '~',
        (Some(false) | None, false) => '?',
    };
    let was = before.as_deref().map_or(String::new(), |b| format!("{} -> ", b.state.word()));
    let mut text = format!(
        "{sign} {} {}: {was}{} because {}",
        plan.people.get(*person),
        plan.names.pool_of(after),
        after.state.word(),
        because.word()
    );
    if after.state != ClaimState::Released {
        let _ = write!(text, " ({}; home {})", plan.names.reasons_of(after), plan.names.home_of(after));
    }
    text
}

fn withheld_text(plan: &Plan, policy: &Policy, withheld: &Withheld) -> String {
    let mut text = plan.people.get(withheld.person).to_owned();
    if let Some(product) = withheld.product.and_then(|at| policy.products.get(usize::from(at))) {
        let _ = write!(text, " {}", product.id);
    }
    if let Some(pool) = withheld.pool {
        let _ = write!(text, " in {}", plan.names.pools[usize::from(pool.0)]);
    }
    let _ = write!(text, ": {}", withheld.because.word());
    text
}

fn absence_text(change: &AbsenceChange) -> String {
    match change {
        AbsenceChange::Returned(person) => format!("{person}: back"),
        AbsenceChange::Purged(person) => format!("{person}: deleted for good, removed long enough ago"),
        AbsenceChange::Absent(absence) => {
            let what = if absence.ended { "ended by the source" } else { "absent" };
            let then = match (absence.removed, absence.held) {
                (true, _) => "removed",
                (false, true) => "held by a guard",
                (false, false) => "kept until confirmed",
            };
            format!("{}: {what} since {} (seen {} times), {then}", absence.person, absence.since, absence.count)
        }
    }
}

fn episode_text(entry: &Entry) -> Option<String> {
    let Entry::Episode(episode) = entry else { return None };
    let now = episode.samples.last()?;
    let state = match episode.outcome {
        Some(outcome) => format!("closed {}", outcome.word()),
        None => format!("open, {} used of {} ({})", now.used, now.effective, now.band.word()),
    };
    Some(format!("{} of pool {} since {}: {state}", episode.id, episode.pool, episode.opened_day))
}
