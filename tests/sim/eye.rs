//! Looks at the program's books and at the auditor's, and tells the first difference.

use std::collections::BTreeMap;
use std::fmt::Debug;

use rosterd::base::Instant;
use rosterd::license::{self, Channel, ClaimState, HoldState as ProgramHold, PinKind, Wait};
use rosterd::service::{Customer, Service};

use crate::sim::auditor::books::{Auditor, HoldState, Outcome, Pin, State};

/// Which number of the program's is which of the auditor's.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    claims: BTreeMap<u64, u64>,
}

fn differ(what: impl Into<String>, program: &dyn Debug, auditor: &dyn Debug) -> String {
    format!("{}\n  program: {program:?}\n  auditor: {auditor:?}", what.into())
}

macro_rules! same {
    ($what:expr, $program:expr, $auditor:expr) => {{
        let (program, auditor) = ($program, $auditor);
        if program != auditor {
            return Err(differ($what, &program, &auditor));
        }
    }};
}

fn word(state: ClaimState) -> Option<State> {
    match state {
        ClaimState::Waiting => Some(State::Waiting),
        ClaimState::Pending => Some(State::Pending),
        ClaimState::Active => Some(State::Active),
        ClaimState::Held => Some(State::Held),
        ClaimState::Suspended | ClaimState::Released => None,
    }
}

/// Compares everything; on success `numbers` knows the claims that are new.
///
/// # Errors
/// The first difference.
pub fn compare(service: &Service, customer: &Customer, auditor: &Auditor, numbers: &mut Numbers) -> Result<(), String> {
    let store = service.store();
    let standing = store.standing(customer.id()).expect("the books");
    same!("whether anything was written", standing.version.0 > 0, auditor.begun);
    let mark = standing.sources.get("sis").map(|mark| (mark.name.clone(), mark.at));
    same!("the package last taken in", mark, auditor.mark.as_ref().map(|(name, _, at)| (name.clone(), *at)));
    let made_at = standing.sources.get("manual").map(|mark| mark.at);
    same!("when a file by hand was last taken in", made_at, auditor.made_at);
    claims(&standing, auditor, numbers)?;
    queues(service, customer, auditor)?;
    missing(&standing, auditor)?;
    pools(service, customer, &standing, auditor)?;
    episodes(service, customer, auditor)?;
    hold(&standing, auditor)?;
    pins(&standing, auditor)?;
    removals(&standing, auditor)?;
    if !standing.pools.is_empty() {
        same!("purchases and agreements written down", standing.grants.len(), auditor.grants.len());
        same!("agreements written down", standing.agreed.len(), auditor.agreed.len());
    }
    let now = service.now();
    let quota = service.same_day_quota(customer).expect("the wishes");
    same!("same-day wishes of today", quota.used, auditor.same_day.get(&auditor.today(now)).copied().unwrap_or(0));
    let mut pauses: Vec<_> = service.pauses(customer).expect("the pauses").into_iter().map(|p| (p.from, p.to)).collect();
    let mut expected = auditor.pauses.clone();
    pauses.sort();
    expected.sort();
    same!("pauses", pauses, expected);
    Ok(())
}

/// Person, pool, state with when it began, since, home, priority, (waits for access, by hand), reasons.
type Row = (String, String, (State, Instant), Instant, String, i32, (bool, bool), String);

fn claims(standing: &rosterd::plan::Standing, auditor: &Auditor, numbers: &mut Numbers) -> Result<(), String> {
    let book = &standing.book;
    let mut program: Vec<(Row, u64)> = Vec::new();
    for at in 0..book.people.len() {
        for claim in book.claims_at(at) {
            let Some(state) = word(claim.state) else { return Err(format!("an open claim is {:?}", claim.state)) };
            let (pool, home) = (book.names.pool_of(claim).to_string(), book.names.home_of(claim).to_string());
            let (how, reasons) =
                ((claim.wait == Wait::Access, claim.channel == Channel::Manual), book.names.reasons_of(claim).to_owned());
            let state = (state, claim.changed);
            let row = (book.key(at).to_owned(), pool, state, claim.since, home, claim.priority, how, reasons);
            program.push((row, claim.id.0));
        }
    }
    let mut expected: Vec<(Row, u64)> = Vec::new();
    for ((person, pool), claim) in &auditor.claims {
        let pool = auditor.setup.pools[*pool].id.to_owned();
        let (home, reasons) = (claim.home.clone(), claim.reasons.clone());
        let how = (claim.wants_access, auditor.by_hand.contains(&claim.number));
        let state = (claim.state, claim.changed);
        let row = (person.clone(), pool, state, claim.since, home, claim.priority, how, reasons);
        expected.push((row, claim.number));
    }
    program.sort();
    expected.sort();
    for at in 0..program.len().max(expected.len()) {
        let (program, expected) = (program.get(at).map(|(row, _)| row), expected.get(at).map(|(row, _)| row));
        same!(
            "claims (person, pool, (state, when), since, home, priority, (waits for access, by hand), reasons)",
            program,
            expected
        );
    }
    let mut all = numbers.claims.clone();
    for ((row, id), (_, number)) in program.iter().zip(&expected) {
        match all.get(number) {
            Some(known) if known != id => {
                return Err(differ(format!("the claim of {} in {} is another one", row.0, row.1), id, known));
            }
            Some(_) => {}
            None if all.values().any(|known| known == id) => {
                return Err(differ(format!("the claim of {} in {} is an old one", row.0, row.1), id, &"a new one"));
            }
            None => {
                all.insert(*number, *id);
            }
        }
    }
    numbers.claims = all;
    Ok(())
}

fn pins(standing: &rosterd::plan::Standing, auditor: &Auditor) -> Result<(), String> {
    let kind = |kind: PinKind| if kind == PinKind::Assign { Pin::Assign } else { Pin::Deny };
    let mut program: Vec<_> =
        standing.pins.iter().map(|p| (p.person.to_string(), p.pool.to_string(), kind(p.kind), p.until)).collect();
    let expected = auditor
        .pins
        .iter()
        .map(|((person, pool), (pin, until))| (person.clone(), auditor.setup.pools[*pool].id.to_owned(), *pin, *until));
    let mut expected: Vec<_> = expected.collect();
    program.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    expected.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    same!("pins (person, pool, kind, until)", program, expected);
    Ok(())
}

/// What the rolling guard adds up, as far as it looks back (R116).
fn removals(standing: &rosterd::plan::Standing, auditor: &Auditor) -> Result<(), String> {
    let newest = auditor.days.keys().map(|(_, day)| day.0).max().unwrap_or_default();
    let mut program: Vec<_> =
        standing.guard_days.iter().map(|d| (d.source.as_str() == "manual", d.day, d.base, d.removed)).collect();
    let mut expected: Vec<_> =
        auditor.days.iter().map(|((by_hand, day), (base, removed))| (*by_hand, *day, *base, *removed)).collect();
    for days in [&mut program, &mut expected] {
        days.retain(|(_, day, ..)| day.0 > newest - 7);
        days.sort();
    }
    same!("removals by date (by hand, date, people before, how many)", program, expected);
    Ok(())
}

fn queues(service: &Service, customer: &Customer, auditor: &Auditor) -> Result<(), String> {
    let rows = service.queue(customer, None).expect("the queue");
    for (at, pool) in auditor.setup.pools.iter().enumerate() {
        let of_pool = rows.iter().filter(|row| row.pool.as_str() == pool.id);
        let program: Vec<String> = of_pool.map(|row| row.person.clone()).collect();
        same!(format!("the queue of {}", pool.id), program, auditor.queue(at));
    }
    Ok(())
}

fn missing(standing: &rosterd::plan::Standing, auditor: &Auditor) -> Result<(), String> {
    let program: Vec<_> =
        standing.absences.iter().map(|a| (a.person.to_string(), a.count, a.ended, a.held, a.removed_at)).collect();
    let expected = auditor.missing.iter().map(|(person, m)| (person.clone(), m.count, m.ended, m.held, m.removed));
    let expected: Vec<_> = expected.collect();
    for at in 0..program.len().max(expected.len()) {
        same!("missing people (person, count, ended, held, removed)", program.get(at), expected.get(at));
    }
    Ok(())
}

fn pools(service: &Service, customer: &Customer, standing: &rosterd::plan::Standing, auditor: &Auditor) -> Result<(), String> {
    let views = service.pools(customer).expect("the pools");
    for (at, pool) in auditor.setup.pools.iter().enumerate() {
        let view = views.iter().find(|view| view.pool.as_str() == pool.id).expect("the pool");
        let of = |name: &str| format!("{name} of pool {}", pool.id);
        same!(of("used"), view.used().0, auditor.used(at));
        // Before anything is written the settings' purchases are not.
        let bought = auditor.allowance(at, service.now()).filter(|_| auditor.begun);
        let balance = bought.map(|(bought, _)| i64::from(bought) - i64::from(auditor.used(at)));
        if auditor.begun && !standing.pools.is_empty() {
            same!(of("balance"), view.balance.map(|balance| balance.0), balance);
        }
        let closed = &auditor.closed[at];
        let books = standing.pools.get(&view.pool);
        let allowance = books.and_then(|b| b.allowance.seats.map(|seats| (seats.0, b.allowance.agreed.0)));
        same!(of("allowance as last closed"), allowance, closed.allowance);
        same!(of("seats held back"), books.map_or(0, |b| b.held_back.0), closed.held_back);
        same!(of("provisional overage"), books.and_then(|b| b.provisional), closed.provisional);
        // Every seat below zero has a cause (R49, I3).
        if let Some(books) = books {
            let short = books.allowance.seats.map_or(0, |seats| books.counts.used().0.saturating_sub(seats.0));
            same!(of("sum of causes"), books.causes.values().sum::<u32>(), short);
        }
    }
    Ok(())
}

fn episodes(service: &Service, customer: &Customer, auditor: &Auditor) -> Result<(), String> {
    let mut program = service.store().episodes(customer.id()).expect("the episodes");
    program.sort_by_key(|episode| episode.id);
    let word = |outcome: license::Outcome| match outcome {
        license::Outcome::Cured => Some(Outcome::Cured),
        license::Outcome::AllowanceRaised => Some(Outcome::Raised),
        license::Outcome::Void => Some(Outcome::Void),
        license::Outcome::Upgraded | license::Outcome::TermEnded => None,
    };
    let program: Vec<_> = program
        .into_iter()
        .map(|e| {
            let samples: Vec<_> = e.samples.iter().map(|s| (s.at, s.used.0, s.effective.0)).collect();
            (e.pool.to_string(), e.opened, e.opened_day, samples, e.closed, e.outcome.and_then(word))
        })
        .collect();
    let expected: Vec<_> = auditor
        .episodes
        .iter()
        .map(|e| (auditor.setup.pools[e.pool].id.to_owned(), e.opened, e.day, e.samples.clone(), e.closed, e.outcome))
        .collect();
    for at in 0..program.len().max(expected.len()) {
        same!("episodes (pool, opened, day, samples, closed, outcome)", program.get(at), expected.get(at));
    }
    Ok(())
}

fn hold(standing: &rosterd::plan::Standing, auditor: &Auditor) -> Result<(), String> {
    let state = |state: ProgramHold| match state {
        ProgramHold::Open => HoldState::Open,
        ProgramHold::Approved => HoldState::Approved,
        ProgramHold::PartlyApproved => HoldState::PartlyApproved,
        ProgramHold::Rejected => HoldState::Rejected,
        ProgramHold::Expired => HoldState::Expired,
        ProgramHold::ResolvedAtSource => HoldState::Resolved,
        ProgramHold::Superseded => HoldState::Superseded,
    };
    // The same bytes may have come under several names.
    let bytes_of = |name: &str| auditor.packages.iter().find(|package| package.name == name).map(|package| package.bytes);
    let held = standing.hold.as_ref().and_then(|hold| bytes_of(&hold.packages.first()?.1.1));
    same!("the package that is held", held, auditor.hold.as_ref().and_then(|hold| hold.package));
    let keys = |keys: &[rosterd::base::PersonKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let program = standing.hold.as_ref().map(|h| {
        let people = (keys(&h.removals), keys(&h.additions), keys(&h.exceptions));
        (state(h.state), h.opened, h.deadline, people, !h.packages.is_empty(), h.empty, h.used.is_some(), h.told)
    });
    let keys = |keys: &std::collections::BTreeSet<String>| keys.iter().cloned().collect::<Vec<_>>();
    let expected = auditor.hold.as_ref().map(|h| {
        let people = (keys(&h.removals), keys(&h.additions), keys(&h.exceptions));
        (h.state, h.opened, h.deadline, people, h.package.is_some(), h.empty, h.used, h.told)
    });
    same!(
        "the newest hold (state, opened, deadline, (removals, additions, exceptions), package, empty, used, told)",
        program,
        expected
    );
    Ok(())
}
