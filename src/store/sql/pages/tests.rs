use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::base::{ClaimId, CustomerId, Instant};
use crate::license::{Channel, Claim, ClaimState, OrgNameIx, PoolIx, ReasonsIx, Wait};
use crate::store::sql::books::{head_or_new, read_page};
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::pages::Pages;
use crate::store::sql::transaction::Transaction;
use crate::store::sqlite::SqliteStore;

type People = BTreeMap<String, Vec<Claim>>;

/// No page but the last is so short.
const SHORT: usize = 440;

fn claim(id: u64) -> Claim {
    Claim {
        id: ClaimId(id),
        since: Instant(7),
        changed: Instant(7),
        home: OrgNameIx(id as u32 % 300),
        reasons: ReasonsIx(0),
        priority: 0,
        pool: PoolIx(id as u16 % 3),
        state: ClaimState::Active,
        channel: Channel::Sync,
        wait: Wait::Nothing,
    }
}

/// Some people change: who comes to which numbers, every so many, and how many claims each has then.
#[derive(Clone, Debug)]
struct Night {
    from: u32,
    to: u32,
    every: usize,
    claims: u64,
}

fn night() -> impl Strategy<Value = Night> {
    let every = prop_oneof![Just(1), 2usize..5, 10usize..300];
    let claims = prop_oneof![3 => Just(0u64), 4 => 1u64..4, 1 => 30u64..80];
    (0..3_000u32, prop_oneof![0..80u32, 0..3_000u32], every, claims).prop_map(|(from, len, every, claims)| Night {
        from,
        to: from + len,
        every,
        claims,
    })
}

/// Keys that have little in common, so that each can be looked for.
fn key(n: u32) -> String {
    format!("{n:04}-{:08x}", n.wrapping_mul(0x9e37_79b1))
}

fn stored(tx: &Transaction<'_>, id: i64) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    let mut ask = tx.prepare_cached("SELECT first, body FROM claims WHERE customer_id = ?1 ORDER BY first")?;
    ask.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn change(pages: &mut Pages<'_>, people: &mut People, night: &Night, id: &mut u64) -> Result<(), Fault> {
    for person in (night.from..night.to).step_by(night.every).map(key) {
        let mut claims = Vec::new();
        pages.take(&person, &mut claims)?;
        assert_eq!(claims, people.remove(&person).unwrap_or_default());
        let after: Vec<Claim> = (0..night.claims).map(|n| claim(*id + n)).collect();
        *id += night.claims;
        pages.give(&person, &after)?;
        if !after.is_empty() {
            people.insert(person, after);
        }
    }
    pages.finish()
}

fn check(pages: &[(String, Vec<u8>)], people: &People) {
    let mut read = Vec::new();
    for (first, body) in pages {
        let handed = read_page(first, body, |key, claims| {
            read.push((key.to_owned(), claims.to_vec()));
            Ok(true)
        });
        handed.expect("reads");
    }
    assert!(read.iter().map(|(key, claims)| (key, claims)).eq(people), "in one order, and each once");
    assert!(pages.iter().rev().skip(1).all(|(first, body)| first.len() + body.len() > SHORT));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pages_hold_who_has_claims_and_nobody_else(nights in vec(night(), 1..12)) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&folder.path().join("one.db")).expect("a store");
        let (mut people, mut id) = (People::new(), 1);
        for night in &nights {
            let (before, had) = (people.clone(), people.len());
            let written = store.door.write(|tx| {
                let customer = head_or_new(tx, &CustomerId::from("lakes"))?.id;
                // Somebody else's pages are no neighbors.
                let other = head_or_new(tx, &CustomerId::from("hills"))?.id;
                if had == 0 {
                    let mut pages = Pages::of(tx, other, false)?;
                    pages.take("0100", &mut Vec::new())?;
                    pages.give("0100", &[claim(1)])?;
                    pages.finish()?;
                }
                change(&mut Pages::of(tx, customer, had == 0)?, &mut people, night, &mut id)?;
                Ok((stored(tx, customer)?, stored(tx, other)?))
            });
            let (pages, others) = written.expect("writes");
            check(&pages, &people);
            prop_assert_eq!(others.len(), 1);
            let all = pages.iter().flat_map(|(first, body)| first.bytes().chain([0]).chain(body.iter().copied()));
            let all = String::from_utf8_lossy(&all.collect::<Vec<u8>>()).into_owned();
            for gone in before.keys().filter(|key| !people.contains_key(*key)) {
                prop_assert!(!all.contains(&gone[5..]), "{} is gone", gone);
            }
        }
    }
}

#[test]
fn books_that_shrink_and_grow_stay_in_few_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = SqliteStore::open(&folder.path().join("one.db")).expect("a store");
    let (mut people, mut id) = (People::new(), 1);
    let mut night = |from, to, every, claims| {
        let written = store.door.write(|tx| {
            let customer = head_or_new(tx, &CustomerId::from("lakes"))?.id;
            change(&mut Pages::of(tx, customer, people.is_empty())?, &mut people, &Night { from, to, every, claims }, &mut id)?;
            stored(tx, customer)
        });
        let pages = written.expect("writes");
        check(&pages, &people);
        (pages.len(), people.len())
    };
    let (full, all) = night(0, 6_000, 1, 2);
    for _ in 0..3 {
        // All but every tenth leave, a few a night.
        for first in 1..10 {
            night(first, 6_000, 10, 0);
        }
        let (pages, left) = night(0, 6_000, 10, 2);
        assert!(left == all / 10 && pages <= full / 3, "{left} people on {pages} pages of {full}");
        for first in 0..10 {
            night(first, 6_000, 10, 2);
        }
        let (pages, again) = night(5, 6, 1, 1);
        assert!(again == all && pages <= full * 2, "{pages} pages, {full} before");
    }
    assert_eq!(night(0, 6_000, 1, 0), (0, 0));
}
