//! Looks at a finished plan with other eyes than the planner's: when it is made, and again before it is committed.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::{PersonKey, PoolId, Seats, parts};
use crate::license::{Because, Book, Claim, ClaimChange, ClaimState, Entry, HoldState, PoolIx, StateCounts};
use crate::plan::action::Plan;
use crate::plan::input::Standing;

/// Something a plan must never do. Ends this customer's run, never the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw(pub String);

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything wrong with a plan against the books it is to change; `held` are the people whose removal a guard holds.
pub fn check(plan: &Plan, standing: &Standing, held: &[PersonKey]) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if plan.parent != standing.version {
        flaws.push(Flaw(format!("made on version {}, the books are at {}", plan.parent, standing.version)));
        return flaws;
    }
    if !plan.names.pools.starts_with(&standing.book.names.pools)
        || !plan.names.orgs.starts_with(&standing.book.names.orgs)
        || !plan.names.reasons.starts_with(&standing.book.names.reasons)
    {
        flaws.push(Flaw("its names do not continue the books' names".to_owned()));
    }
    check_claims(plan, &standing.book, standing.next_claim.0, held, &mut flaws);
    check_holds(plan, standing, &mut flaws);
    check_pools(plan, standing, &mut flaws);
    flaws
}

fn check_claims(plan: &Plan, book: &Book, next_claim: u64, held: &[PersonKey], flaws: &mut Vec<Flaw>) {
    let mut order: Vec<u32> = (0..plan.changes.len() as u32).collect();
    let change = |at: u32| &plan.changes[at as usize];
    let person = |a: u32, b: u32| plan.people.compare(change(a).person, change(b).person);
    order.sort_by(|&a, &b| person(a, b).then(a.cmp(&b)));
    let mut fresh: Vec<u64> = Vec::new();
    for of_person in order.chunk_by(|&a, &b| person(a, b).is_eq()) {
        let key = plan.people.get(change(of_person[0]).person);
        let mut claims: Vec<Claim> = book.claims_of(key).to_vec();
        for &at in of_person {
            let ClaimChange { person: _, because, before, after } = change(at);
            match before {
                Some(before) => match claims.iter().position(|c| c == before.as_ref()) {
                    Some(found) => {
                        claims.swap_remove(found);
                    }
                    // It comes back; the store knows it as it was released, and so does the trail.
                    None if before.state == ClaimState::Released && after.id == before.id && after.id.0 < next_claim => {}
                    None => flaws.push(Flaw(format!("claim {} of {key} is not as the plan believes", before.id))),
                },
                None => fresh.push(after.id.0),
            }
            let removal = matches!(because, Because::EndedInSource | Because::AbsenceConfirmed);
            if removal && held.binary_search_by(|k| k.as_str().cmp(key)).is_ok() {
                flaws.push(Flaw(format!("it removes {key}, whom a guard holds")));
            }
            if after.state != ClaimState::Released {
                claims.push(*after);
            }
        }
        claims.sort_unstable_by_key(|c| c.pool);
        if claims.windows(2).any(|pair| pair[0].pool == pair[1].pool) {
            flaws.push(Flaw(format!("{key} would have two claims in one pool")));
        }
    }
    fresh.sort_unstable();
    if fresh.first().is_some_and(|&id| id < next_claim) || fresh.windows(2).any(|pair| pair[0] == pair[1]) {
        flaws.push(Flaw("new claims do not have new numbers".to_owned()));
    }
}

/// No plan does what an open hold covers: it neither removes nor seats those people (I10). A hold of whole packages
/// covers the packages.
fn check_holds(plan: &Plan, standing: &Standing, flaws: &mut Vec<Flaw>) {
    let written = plan.entries.iter().rev().find_map(|entry| match entry {
        Entry::Hold(hold) => Some(hold),
        _ => None,
    });
    let Some(hold) = written.or(standing.hold.as_ref()).filter(|hold| hold.state == HoldState::Open) else { return };
    let covered = |people: &[PersonKey], key: &str| people.binary_search_by(|person| person.as_str().cmp(key)).is_ok();
    for change in &plan.changes {
        let key = plan.people.get(change.person);
        let removal = matches!(change.because, Because::EndedInSource | Because::AbsenceConfirmed);
        if removal && hold.packages.is_empty() && covered(&hold.removals, key) {
            flaws.push(Flaw(format!("it removes {key}, whom hold {} covers", hold.run)));
        }
        let seats = change.after.state.consumes() && !change.before.as_deref().is_some_and(|b| b.state.consumes());
        if seats && covered(&hold.additions, key) {
            flaws.push(Flaw(format!("it seats {key}, whom hold {} covers", hold.run)));
        }
    }
    for mark in &plan.snapshots {
        if hold.packages.iter().any(|(_, (digest, _))| *digest == mark.package) {
            flaws.push(Flaw(format!("it takes in {}, which hold {} covers", mark.name, hold.run)));
        }
    }
}

fn check_pools(plan: &Plan, standing: &Standing, flaws: &mut Vec<Flaw>) {
    // By pool, of which there are millions of claims.
    let mut counts: Vec<StateCounts> = Vec::new();
    let at = |counts: &mut Vec<StateCounts>, PoolIx(pool)| {
        let pool = usize::from(pool);
        if counts.len() <= pool {
            counts.resize_with(pool + 1, StateCounts::default);
        }
        pool
    };
    let counted = parts::each_part(standing.book.claims.len(), |own| {
        let mut counts = Vec::new();
        for claim in &standing.book.claims[own] {
            let pool = at(&mut counts, claim.pool);
            counts[pool].enter(claim.state);
        }
        counts
    });
    for (pool, more) in counted.iter().flat_map(|counts| (0u16..).zip(counts)) {
        let pool = at(&mut counts, PoolIx(pool));
        counts[pool].add(more);
    }
    for change in &plan.changes {
        let pool = at(&mut counts, change.after.pool);
        if let Some(before) = &change.before {
            counts[pool].leave(before.state);
        }
        counts[pool].enter(change.after.state);
    }
    let written: BTreeMap<&PoolId, _> = plan
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Pool { pool, books } => Some((pool, books)),
            _ => None,
        })
        .collect();
    for outlook in &plan.pools {
        let pool = &outlook.pool;
        let counted = plan.names.find_pool(pool).and_then(|ix| counts.get(usize::from(ix.0))).copied().unwrap_or_default();
        if counted != outlook.after {
            flaws.push(Flaw(format!("pool {pool} would hold other claims than it says")));
        }
        let shortfall = outlook.balance.map_or(Seats(0), |b| b.shortfall());
        if outlook.causes.values().sum::<u32>() != shortfall.0 {
            flaws.push(Flaw(format!("pool {pool} would be short of {shortfall} seats, its causes say otherwise")));
        }
        let books = written.get(pool).copied().or_else(|| standing.pools.get(pool));
        if books.is_none_or(|b| b.counts != outlook.after) {
            flaws.push(Flaw(format!("the books of pool {pool} would not be written")));
        }
    }
}
