//! Whatever goes in comes out, and damaged bytes are errors.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::base::{
    Actor, ActorKind, Balance, ClaimId, Day, Digest, EpisodeId, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, Seats,
    SourceId, TextArena, Version,
};
use crate::license::{
    Absence, AgreedExcess, Allowance, Band, Because, Cause, Channel, Claim, ClaimChange, ClaimState, Compliance, Entry,
    Episode, Grant, GrantKind, HoldState, Names, OrgNameIx, Outcome, Pin, PinKind, PoolBooks, PoolIx, ReasonsIx, Sample,
    SourceMark, StateCounts, Wait,
};
use crate::plan::{AbsenceChange, GuardKind, Notice, NoticeKind, Plan, PoolOutlook, Trip, Verdict, Withheld};
use crate::roster::{Collection, Scope};
use crate::store::record::bytes::{put_number, put_signed};
use crate::store::record::clock_testing::clocks_entry;
use crate::store::record::testing::{claim, guard_day, hold, instant, orgs, pool_terms, seat_request, terms_entry};
use crate::store::record::{
    ChangeReader, ChangeWriter, DecodeError, Decoder, FORMAT, Form, Record, RunBody, pack, pack_person, put_plan, put_released,
    take_person, take_plan, take_released, unpack,
};
use crate::store::shape::{Asked, RunState, RunTally, Trigger};

fn text() -> impl Strategy<Value = String> {
    "[ab\u{e9}\u{6f22}0-9 ]{0,6}"
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

fn seats() -> impl Strategy<Value = Seats> {
    any::<u32>().prop_map(Seats)
}

fn actor() -> impl Strategy<Value = Actor> {
    (select(vec![ActorKind::System, ActorKind::Operator]), text()).prop_map(|(kind, name)| Actor { kind, name })
}

fn because() -> impl Strategy<Value = Because> {
    select(Because::ALL.to_vec())
}

type Raw = (String, Because, Option<Claim>, Claim);

fn change() -> impl Strategy<Value = Raw> {
    (text(), because(), option::of(claim()), claim())
}

fn changes_of(raw: &[Raw], people: &mut TextArena) -> Vec<ClaimChange> {
    raw.iter()
        .map(|(person, because, before, after)| ClaimChange {
            person: people.push(person).expect("room"),
            because: *because,
            before: before.map(Box::new),
            after: *after,
        })
        .collect()
}

fn raw_of(changes: &[ClaimChange], people: &TextArena) -> Vec<Raw> {
    changes.iter().map(|c| (people.get(c.person).to_owned(), c.because, c.before.as_deref().copied(), c.after)).collect()
}

fn episode() -> impl Strategy<Value = Episode> {
    let sample = (instant(), seats(), seats(), select(Band::ALL.to_vec())).prop_map(|(at, used, effective, band)| Sample {
        at,
        used,
        effective,
        band,
    });
    (
        (any::<u64>(), text(), instant(), any::<i32>(), select(Cause::ALL.to_vec()), seats()),
        prop::collection::vec(sample, 0..4),
        option::of(instant()),
        option::of(select(Outcome::ALL.to_vec())),
    )
        .prop_map(|((id, pool, opened, day, cause, peak), samples, closed, outcome)| Episode {
            id: EpisodeId(id),
            pool: PoolId::new(pool),
            opened,
            opened_day: Day(day),
            cause,
            peak,
            samples,
            closed,
            outcome,
        })
}

fn counts() -> impl Strategy<Value = StateCounts> {
    any::<[u32; 6]>().prop_map(|numbers| {
        let mut counts = StateCounts::default();
        ClaimState::ALL.into_iter().zip(numbers).for_each(|(state, n)| counts.set(state, Seats(n)));
        counts
    })
}

fn allowance() -> impl Strategy<Value = Allowance> {
    (option::of(seats()), seats()).prop_map(|(seats, agreed)| Allowance { seats, agreed })
}

fn causes() -> impl Strategy<Value = crate::license::Causes> {
    prop::collection::btree_map(select(Cause::ALL.to_vec()), any::<u32>(), 0..4)
}

fn absence() -> impl Strategy<Value = Absence> {
    (text(), text(), option::of(text()), any::<u32>(), any::<i32>(), any::<(bool, bool, bool)>()).prop_map(
        |(person, source, org, count, since, (ended, held, removed))| Absence {
            person: PersonKey::new(person),
            source: SourceId::new(source),
            org: org.map(OrgId::new),
            count,
            since: Day(since),
            ended,
            held,
            removed,
            removed_at: removed.then(|| Instant(i64::from(count))),
        },
    )
}

fn mark() -> impl Strategy<Value = SourceMark> {
    let mark = (text(), digest(), any::<u64>(), digest(), instant(), text(), any::<bool>());
    mark.prop_map(|(source, package, bytes, snapshot, at, name, amended)| SourceMark {
        source: SourceId::new(source),
        package,
        bytes,
        snapshot,
        at,
        name,
        amended,
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let dated = (text(), text(), any::<i64>(), seats(), instant(), instant(), instant(), actor(), text());
    prop_oneof![
        pool_terms().prop_map(Entry::PoolDefined),
        (dated, select(GrantKind::ALL.to_vec()), any::<bool>()).prop_map(
            |((id, pool, more, seats, from, to, recorded, by, reference), kind, excess)| {
                let (id, pool) = (GrantId::new(id), PoolId::new(pool));
                if excess {
                    Entry::ExcessAgreed(AgreedExcess { id, pool, seats, from, to, recorded, by, reference })
                } else {
                    Entry::Granted(Grant { id, pool, seats: more, from, to, recorded, by, kind, reference })
                }
            }
        ),
        (text(), text(), any::<bool>(), actor(), instant(), text(), any::<i32>()).prop_map(
            |(person, pool, deny, by, at, reason, until)| Entry::Pinned(Pin {
                person: PersonKey::new(person),
                pool: PoolId::new(pool),
                kind: if deny { PinKind::Deny } else { PinKind::Assign },
                by,
                at,
                reason,
                until: Day(until),
            })
        ),
        (text(), text()).prop_map(|(person, pool)| Entry::Unpinned { person: PersonKey::new(person), pool: PoolId::new(pool) }),
        (
            text(),
            counts(),
            allowance(),
            causes(),
            select(Band::ALL.to_vec()),
            option::of(episode()),
            any::<u32>(),
            option::of(instant())
        )
            .prop_map(|(pool, counts, allowance, causes, band, episode, held_back, provisional)| Entry::Pool {
                pool: PoolId::new(pool),
                books: PoolBooks { counts, allowance, causes, band, episode, held_back: Seats(held_back), provisional },
            }),
        episode().prop_map(Entry::Episode),
        absence().prop_map(Entry::Absent),
        text().prop_map(|person| Entry::Returned(PersonKey::new(person))),
        (text(), option::of(text())).prop_map(|(person, reason)| Entry::Purged { person: PersonKey::new(person), reason }),
        mark().prop_map(Entry::Adopted),
        hold().prop_map(Entry::Hold),
        guard_day().prop_map(Entry::GuardDay),
        clocks_entry(),
        orgs().prop_map(Entry::Orgs),
        seat_request().prop_map(Entry::SeatsRequested),
        terms_entry(),
        (text(), text(), text()).prop_map(|(person, pool, answer)| Entry::Refused {
            person: PersonKey::new(person),
            pool: PoolId::new(pool),
            answer,
        }),
        (text(), text())
            .prop_map(|(known, new)| Entry::IdentityConflict { known: PersonKey::new(known), new: PersonKey::new(new) }),
    ]
}

fn outlook() -> impl Strategy<Value = PoolOutlook> {
    let balance = || option::of(any::<i64>().prop_map(Balance));
    let band = || select(Band::ALL.to_vec());
    (
        (text(), text(), allowance(), allowance(), counts(), counts()),
        (balance(), balance(), balance(), band(), band(), causes(), seats(), seats()),
    )
        .prop_map(|((pool, product, allowance_before, allowance, before, after), rest)| {
            let (balance_before, balance, balance_if_approved, band_before, band, causes, released, seated) = rest;
            PoolOutlook {
                pool: PoolId::new(pool),
                product: ProductId::new(product),
                allowance_before,
                allowance,
                before,
                after,
                balance_before,
                balance,
                balance_if_approved,
                band_before,
                band,
                causes,
                released,
                seated,
            }
        })
}

type RawWithheld = (String, Option<u16>, Option<u16>, Because);

fn plan() -> impl Strategy<Value = (Plan, Vec<Raw>, Vec<RawWithheld>)> {
    let names = (prop::collection::vec(text(), 0..3), prop::collection::vec(text(), 0..3), prop::collection::vec(text(), 0..3));
    let notice = (text(), select(NoticeKind::ALL.to_vec()), option::of(text()), option::of(text()), text()).prop_map(
        |(key, kind, pool, source, text)| Notice {
            key,
            kind,
            pool: pool.map(PoolId::new),
            source: source.map(SourceId::new),
            text,
        },
    );
    let guards = select(GuardKind::ALL.to_vec());
    let trip = (guards, option::of(text()), option::of(select(Collection::ALL.to_vec())), any::<(u32, u32, u32)>()).prop_map(
        |(guard, org, collection, (base, removed, limit_percent))| Trip {
            guard,
            org: org.map(OrgId::new),
            collection,
            base,
            removed,
            limit_percent,
        },
    );
    let absences = prop_oneof![
        absence().prop_map(AbsenceChange::Absent),
        text().prop_map(|person| AbsenceChange::Returned(PersonKey::new(person))),
        text().prop_map(|person| AbsenceChange::Purged(PersonKey::new(person)))
    ];
    (
        (digest(), text(), any::<u64>(), instant(), prop::collection::vec(mark(), 0..3), names),
        prop::collection::vec(change(), 0..8),
        prop::collection::vec((text(), option::of(any::<u16>()), option::of(any::<u16>()), because()), 0..6),
        prop::collection::vec(absences, 0..4),
        prop::collection::vec(outlook(), 0..3),
        prop::collection::vec(entry(), 0..4),
        prop::collection::vec(notice, 0..3),
        prop::collection::vec(trip, 0..3),
    )
        .prop_map(|(head, changes, withheld, absences, pools, entries, notices, trips)| {
            let (id, customer, parent, at, snapshots, (pool_names, orgs, reasons)) = head;
            let mut people = TextArena::default();
            let plan = Plan {
                id,
                customer: customer.as_str().into(),
                parent: Version(parent),
                at,
                snapshots,
                names: Names {
                    pools: pool_names.into_iter().map(PoolId::new).collect(),
                    orgs: orgs.into_iter().map(OrgId::new).collect(),
                    reasons,
                },
                changes: changes_of(&changes, &mut people),
                withheld: withheld
                    .iter()
                    .map(|(person, product, pool, because)| Withheld {
                        person: people.push(person).expect("room"),
                        product: *product,
                        pool: pool.map(PoolIx),
                        because: *because,
                    })
                    .collect(),
                people,
                absences,
                pools,
                entries,
                notices,
                verdict: Verdict { trips },
            };
            (plan, changes, withheld)
        })
}

proptest! {
    #[test]
    fn numbers_round_trip(number in any::<u64>(), signed in any::<i64>()) {
        let mut out = vec![FORMAT];
        put_number(number, &mut out);
        put_signed(signed, &mut out);
        let mut from = Decoder::open(&out).expect("format");
        prop_assert_eq!(from.number(), Ok(number));
        prop_assert_eq!(from.signed(), Ok(signed));
        prop_assert_eq!(from.end(), Ok(()));
    }

    #[test]
    fn people_round_trip(claims in prop::collection::vec(claim(), 0..6), because in because()) {
        let mut body = Vec::new();
        pack_person(&claims, &mut body);
        let mut again = Vec::new();
        take_person(&body, &mut again).expect("reads");
        prop_assert_eq!(&again, &claims);
        for claim in claims {
            put_released(&claim, because, &mut body);
            prop_assert_eq!(take_released(&body), Ok((claim, because)));
        }
    }

    #[test]
    fn changes_round_trip(raw in prop::collection::vec(change(), 0..12)) {
        let mut people = TextArena::default();
        let changes = changes_of(&raw, &mut people);
        let (mut writer, mut out) = (ChangeWriter::default(), vec![FORMAT]);
        changes.iter().for_each(|change| writer.put(change, &people, &mut out));
        let (mut reader, mut arena) = (ChangeReader::default(), TextArena::default());
        let mut from = Decoder::open(&out).expect("format");
        let again: Vec<_> = raw.iter().map(|_| reader.take(&mut from, &mut arena).expect("reads")).collect();
        prop_assert_eq!(from.end(), Ok(()));
        prop_assert_eq!(raw_of(&again, &arena), raw);
    }

    #[test]
    fn entries_round_trip(entry in entry()) {
        let body = pack(&entry);
        prop_assert_eq!(unpack::<Entry>(&body), Ok(entry));
        for end in 0..body.len() {
            prop_assert!(unpack::<Entry>(&body[..end]).is_err(), "cut after {} of {} bytes", end, body.len());
        }
    }

    #[test]
    fn plans_round_trip((plan, changes, withheld) in plan(), pieces in any::<bool>()) {
        let (mut out, mut whole) = (Vec::new(), Vec::new());
        put_plan::<()>(&plan, Form::Whole, &mut out, &mut |out| {
            // A pause may take the bytes away, or leave them.
            if pieces { whole.append(out); }
            Ok(())
        }).expect("writes");
        whole.append(&mut out);
        let again = take_plan(&whole).expect("reads");
        prop_assert_eq!(raw_of(&again.changes, &again.people), changes);
        let withheld_again: Vec<RawWithheld> = again.withheld.iter()
            .map(|w| (again.people.get(w.person).to_owned(), w.product, w.pool.map(|p| p.0), w.because)).collect();
        prop_assert_eq!(withheld_again, withheld);
        let rest = |plan: &Plan| {
            format!("{:?}", Plan { people: TextArena::default(), changes: vec![], withheld: vec![], ..plan.clone() })
        };
        prop_assert_eq!(rest(&again), rest(&plan));
        put_plan::<()>(&plan, Form::Short, &mut out, &mut |_| Ok(())).expect("writes");
        let short = take_plan(&out).expect("reads");
        prop_assert_eq!((short.changes.len(), short.withheld.len()), (0, plan.withheld.len()));
        prop_assert_eq!(rest(&short), rest(&Plan { entries: Vec::new(), ..plan }));
    }

    #[test]
    fn damaged_plans_are_errors_or_other_plans_but_never_panics(
        (plan, _, _) in plan(), at in any::<prop::sample::Index>(), flip in 1u8..,
    ) {
        let mut out = Vec::new();
        put_plan::<()>(&plan, Form::Whole, &mut out, &mut |_| Ok(())).expect("writes");
        let at = at.index(out.len());
        prop_assert!(take_plan(&out[..at]).is_err());
        out[at] ^= flip;
        if let Ok(other) = take_plan(&out) {
            // What can be read can be looked at.
            other.changes.iter().for_each(|change| drop(other.people.get(change.person).to_owned()));
        }
    }

    #[test]
    fn runs_round_trip(
        packages in prop::collection::vec(text(), 0..3),
        numbers in any::<[u64; 7]>(),
        message in text(),
        rejected in prop::collection::vec((text(), digest()), 0..3),
        (day, actor, source, confirm_absences, scope) in
            (any::<i32>(), actor(), option::of(text()), any::<bool>(), option::of((any::<bool>(), text()))),
    ) {
        let [people, seated, released, waiting, changed, withheld, findings] = numbers;
        let body = RunBody {
            packages,
            tally: RunTally { people, seated, released, waiting, changed, withheld, findings },
            message,
            rejected: rejected.into_iter().map(|(source, digest)| (SourceId::new(source), digest)).collect(),
        };
        prop_assert_eq!(unpack(&pack(&body)), Ok(body));
        let scope = scope.map(|(org, id)| if org { Scope::Org(id.as_str().into()) } else { Scope::Person(id.as_str().into()) });
        let asked = Asked { by: actor.clone(), source: source.map(SourceId::new), confirm_absences, scope };
        let (revert, import) = (Trigger::Revert(crate::base::RunId(people), actor.clone()), Trigger::Import(actor));
        let dates = Trigger::Dates(Day(day));
        for trigger in [Trigger::Nightly(Day(day)), Trigger::SameDay(asked), Trigger::Drop, dates, revert, import] {
            prop_assert_eq!(unpack(&pack(&trigger)), Ok(trigger));
        }
    }
}

#[test]
fn bytes_that_no_program_wrote_are_refused() {
    assert_eq!(unpack::<u64>(&[]), Err(DecodeError::Short));
    assert_eq!(unpack::<u64>(&[FORMAT + 1, 0]), Err(DecodeError::Format { found: FORMAT + 1 }));
    assert_eq!(unpack::<u64>(&[FORMAT, 1, 1]), Err(DecodeError::Long(1)));
    let eleven = [&[FORMAT][..], &[0xff; 10], &[0]].concat();
    assert_eq!(unpack::<u64>(&eleven), Err(DecodeError::Number));
    assert_eq!(unpack::<u16>(&[FORMAT, 0xff, 0xff, 0x7f]), Err(DecodeError::Number));
    assert_eq!(unpack::<bool>(&[FORMAT, 2]), Err(DecodeError::Code { what: "yes or no", code: 2 }));
    assert_eq!(unpack::<String>(&[FORMAT, 1, 0xff]), Err(DecodeError::Text));
    assert_eq!(unpack::<Vec<u64>>(&[FORMAT, 0xff, 0xff, 0xff, 0x0f]), Err(DecodeError::Short));
    // Two causes, the later one first.
    assert_eq!(unpack::<crate::license::Causes>(&[FORMAT, 2, 1, 5, 0, 5]), Err(DecodeError::Order));
    assert_eq!(unpack::<Because>(&[FORMAT, 254]), Err(DecodeError::Code { what: "reasons for a change", code: 254 }));
}

#[test]
fn every_code_round_trips_and_codes_rise_along_the_list() {
    fn check<T: Record + PartialEq + std::fmt::Debug>(all: impl IntoIterator<Item = T>) {
        let codes = all.into_iter().map(|value| {
            let body = pack(&value);
            assert_eq!(unpack::<T>(&body).as_ref(), Ok(&value));
            body[1..].to_vec()
        });
        assert!(codes.is_sorted_by(|a, b| a.len() == 1 && b.len() == 1 && a < b));
    }
    check(ClaimState::ALL);
    check(Because::ALL);
    check(Cause::ALL);
    check(Band::ALL);
    check(Outcome::ALL);
    check(GrantKind::ALL);
    check(Collection::ALL);
    check(RunState::ALL);
    check([Channel::Manual, Channel::Sync]);
    check([Wait::Nothing, Wait::Seat, Wait::Access, Wait::Acceptance]);
    check([PinKind::Assign, PinKind::Deny]);
    check(GuardKind::ALL);
    check(HoldState::ALL);
    check(crate::license::TermState::ALL);
    check([ActorKind::System, ActorKind::Operator]);
    check(Compliance::ALL);
    // Their codes stand in groups.
    assert!(NoticeKind::ALL.iter().all(|kind| unpack(&pack(kind)) == Ok(*kind)));
    let codes: Vec<_> = NoticeKind::ALL.iter().map(pack).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "each its own");
}

#[test]
fn three_claims_of_a_person_take_little_room() {
    let claim = |id: u64, pool: u16| Claim {
        id: ClaimId(2_000_000 + id),
        since: Instant(1_770_000_000_000),
        changed: Instant(1_770_000_000_000),
        home: OrgNameIx(321),
        reasons: ReasonsIx(5),
        priority: 0,
        pool: PoolIx(pool),
        state: ClaimState::Active,
        channel: Channel::Sync,
        wait: Wait::Nothing,
    };
    let mut body = Vec::new();
    pack_person(&[claim(0, 1), claim(1, 2), claim(2, 3)], &mut body);
    assert!(body.len() <= 30, "{} bytes", body.len());
}
