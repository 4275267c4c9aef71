use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::base::{ClaimId, Guid, Instant};
use crate::license::{Channel, Claim, ClaimState, OrgNameIx, PoolIx};
use crate::store::record::bytes::{DecodeError, FORMAT};
use crate::store::record::claim::ORIGIN;
use crate::store::record::page::{BYTES_MAX, BYTES_MIN, PageMaker, PageReader};
use crate::store::record::testing::claim;

type People = BTreeMap<String, Vec<Claim>>;

fn key() -> impl Strategy<Value = String> {
    let guid = |digits: BoxedStrategy<[u8; 16]>| {
        let guid = (digits, any::<bool>()).prop_map(|(bytes, is_capital)| Guid { bytes, is_capital });
        guid.prop_map(|guid| String::from_utf8_lossy(&guid.text()).into_owned())
    };
    prop_oneof![
        "[ab\u{e9}\u{e8}\u{20ac}]{0,5}",
        "t-[0-9]{4}",
        "x{120,140}[ab\u{e9}]{0,3}",
        guid(any::<[u8; 16]>().boxed()),
        guid(any::<[bool; 16]>().prop_map(|bits| bits.map(u8::from)).boxed()),
    ]
}

fn people(most: usize) -> impl Strategy<Value = People> {
    btree_map(key(), vec(claim(), 1..5), 0..most)
}

fn pages(people: &People) -> Vec<(String, Vec<u8>)> {
    let (mut maker, mut pages) = (PageMaker::default(), Vec::new());
    let mut take = |first: &str, body: &[u8]| {
        pages.push((first.to_owned(), body.to_vec()));
        Ok::<_, Infallible>(())
    };
    for (key, claims) in people {
        maker.push(key, claims);
        let Ok(()) = maker.next(&mut take);
    }
    let Ok(()) = maker.rest(&mut take);
    assert!(maker.is_empty() && !maker.is_short());
    pages
}

fn read(first: &str, body: &[u8]) -> Result<Vec<(String, Vec<Claim>)>, DecodeError> {
    let (mut reader, mut all) = (PageReader::open(first, body)?, Vec::new());
    while let Some((key, claims)) = reader.next()? {
        all.push((key.to_owned(), claims.to_vec()));
    }
    Ok(all)
}

proptest! {
    #[test]
    fn pages_round_trip(people in people(400)) {
        let pages = pages(&people);
        let mut again = Vec::new();
        for (first, body) in &pages {
            let page = read(first, body).expect("reads");
            prop_assert_eq!(&page[0].0, first);
            again.extend(page);
        }
        prop_assert_eq!(again.len(), people.len());
        prop_assert_eq!(again.into_iter().collect::<People>(), people);
        // A person takes a few hundred bytes at most.
        prop_assert!(pages.iter().all(|(_, body)| body.len() < BYTES_MAX + 300));
        prop_assert!(pages.iter().rev().skip(1).all(|(first, body)| first.len() + body.len() > BYTES_MIN));
    }

    #[test]
    fn a_page_that_is_cut_off_is_an_error(people in people(8)) {
        for (first, body) in pages(&people) {
            for end in 0..body.len() {
                prop_assert!(read(&first, &body[..end]).is_err(), "cut after {} of {} bytes", end, body.len());
            }
            prop_assert_eq!(read(&first, &[&body[..], &[0]].concat()), Err(DecodeError::Long(1)));
        }
    }

    #[test]
    fn damaged_pages_are_errors_or_other_pages_but_never_panics(
        people in people(60), spoils in vec((any::<prop::sample::Index>(), 1u8..), 1..4),
    ) {
        for (first, mut body) in pages(&people) {
            for (at, flip) in &spoils {
                let at = at.index(body.len());
                body[at] ^= flip;
            }
            if let Ok(other) = read(&first, &body) {
                prop_assert!(other.is_sorted_by(|a, b| a.0 < b.0) && other.iter().all(|(_, claims)| !claims.is_empty()));
            }
        }
    }
}

fn seat(id: u64, pool: u16, home: u32) -> Claim {
    let (at, state) = (Instant(1_790_000_000_000_000), ClaimState::Active);
    Claim {
        id: ClaimId(id),
        since: at,
        changed: at,
        home: OrgNameIx(home),
        pool: PoolIx(pool),
        state,
        channel: Channel::Sync,
        ..ORIGIN
    }
}

#[test]
fn three_seats_and_a_guid_take_some_25_bytes() {
    let guid = |n: u64| Guid {
        bytes: (u128::from(n) << 104 | u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).to_be_bytes(),
        ..Guid::default()
    };
    let key = |n| String::from_utf8_lossy(&guid(n).text()).into_owned();
    let people: People =
        (0..10_000).map(|n| (key(n), (0..3).map(|pool| seat(3 * n + 7, pool, (n % 300) as u32)).collect())).collect();
    let pages = pages(&people);
    let bytes: usize = pages.iter().map(|(_, body)| body.len()).sum();
    assert!((20 * people.len()..26 * people.len()).contains(&bytes), "{bytes}");
    assert!((people.len() / 60..people.len() / 45).contains(&pages.len()), "{}", pages.len());
}

#[test]
fn pages_are_cut_where_they_are_long_but_nobody_is_cut() {
    let person = |n: u64| (format!("p{n:06}"), vec![seat(n, 0, 1)]);
    let lens = |people: &People| pages(people).iter().map(|(_, body)| body.len()).collect::<Vec<_>>();
    assert!(lens(&People::new()).is_empty());
    let mut people = People::new();
    while lens(&people).len() < 2 {
        people.extend([person(people.len() as u64)]);
    }
    let halves = lens(&people);
    assert!(halves.iter().all(|len| (BYTES_MAX / 2 - 20..BYTES_MAX / 2 + 20).contains(len)), "{halves:?}");
    // One person with very many claims stays on one page with those before them, rather than with nobody.
    let many = (0..4_000).map(|n| seat(100_000 + 3 * n, n as u16, 1)).collect();
    let long = People::from([person(0), person(1), ("z".to_owned(), many)]);
    assert_eq!(pages(&long).len(), 1);
}

#[test]
fn what_no_program_wrote_is_refused() {
    let ann = [FORMAT, 2, 1, 1, 2];
    let page = |rest: &[u8]| [&ann[..], rest].concat();
    let told = |rest: &[u8]| read("ann", &page(rest)).expect_err("it is wrong");
    assert_eq!(
        read("ann", &page(&[1, 1, b'x', 1, 0])).expect("reads").into_iter().map(|(key, _)| key).collect::<Vec<_>>(),
        ["ann", "ax"]
    );
    assert_eq!(read("ann", &[]), Err(DecodeError::Short));
    assert_eq!(read("ann", &[FORMAT + 1, 1, 1, 0]), Err(DecodeError::Format { found: FORMAT + 1 }));
    assert_eq!(read("ann", &[FORMAT, 0]), Err(DecodeError::Number), "nobody");
    assert_eq!(read("ann", &[FORMAT, 1, 0]), Err(DecodeError::Number), "no claims");
    assert_eq!(told(&[1, 1, b'x', 0, 0]), DecodeError::Number, "no claims");
    assert_eq!(told(&[1, 1, b'n', 1, 0]), DecodeError::Order);
    assert_eq!(told(&[3, 0, 1, 0]), DecodeError::Order, "the same person");
    assert_eq!(told(&[4, 1, b'x', 1, 0]), DecodeError::Text, "more than the key before has");
    assert_eq!(told(&[1, 1, 0xff, 1, 0]), DecodeError::Text);
    assert_eq!(told(&[1, 100, b'x', 1, 0]), DecodeError::Short);
    assert_eq!(told(&[0xa0; 20]), DecodeError::Code { what: "keys", code: 0xa0 });
    // Within a character.
    assert_eq!(read("\u{e9}", &[FORMAT, 2, 1, 1, 2, 1, 1, b'z', 1, 0]), Err(DecodeError::Text));
}
