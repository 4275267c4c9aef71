//! Claims, holds, guard days, orgs, requests for seats, terms and phases of every shape.

use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::base::{Actor, ClaimId, Day, Digest, GrantId, Instant, OrgId, PersonKey, PoolId, ProductId, RunId, Seats, SourceId};
use crate::license::{
    Channel, Claim, ClaimState, Entry, GuardDay, Hold, HoldState, NumberedSeat, OrgMark, OrgNameIx, OverageLimits, Phase,
    PoolIx, PoolTerms, ReasonsIx, ReuseYear, RolesChange, SeatMoves, SeatRequest, Term, TermState, Wait,
};

fn text() -> impl Strategy<Value = String> {
    "[ab\u{e9}0-9 ]{0,6}"
}

pub fn instant() -> impl Strategy<Value = Instant> {
    prop_oneof![any::<i64>(), 1_700_000_000_000i64..1_700_000_100_000].prop_map(Instant)
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 32]>().prop_map(Digest)
}

pub fn claim() -> impl Strategy<Value = Claim> {
    let id = prop_oneof![any::<u64>(), 1u64..9];
    let small = prop_oneof![any::<u32>(), 0u32..3];
    (
        (id, instant(), instant(), any::<bool>(), small, 0u32..4, any::<i32>(), any::<u16>()),
        select(ClaimState::ALL.to_vec()),
        select(vec![Channel::Manual, Channel::Sync]),
        select(vec![Wait::Nothing, Wait::Seat, Wait::Access, Wait::Acceptance]),
    )
        .prop_map(|((id, since, changed, fresh, home, reasons, priority, pool), state, channel, wait)| Claim {
            id: ClaimId(id),
            since,
            changed: if fresh { since } else { changed },
            home: OrgNameIx(home),
            reasons: ReasonsIx(reasons),
            priority,
            pool: PoolIx(pool),
            state,
            channel,
            wait,
        })
}

pub fn hold() -> impl Strategy<Value = Hold> {
    let people = || prop::collection::vec(text().prop_map(PersonKey::new), 0..3);
    let packages = prop::collection::vec((text().prop_map(SourceId::new), (digest(), text())), 0..3);
    (
        (any::<u64>(), digest(), instant(), instant(), prop::collection::vec(text(), 0..3)),
        (people(), people(), people(), packages, any::<bool>()),
        (select(HoldState::ALL.to_vec()), option::of(text()), option::of(instant()), option::of(any::<u64>()), any::<i32>()),
    )
        .prop_map(|((run, plan, opened, deadline, trips), (removals, additions, exceptions, packages, empty), end)| {
            let (state, by, at, used, told) = end;
            Hold {
                run: RunId(run),
                plan,
                opened,
                deadline,
                trips,
                removals,
                additions,
                packages,
                empty,
                state,
                by: by.map(Actor::operator),
                at,
                exceptions,
                used: used.map(RunId),
                told: Day(told),
            }
        })
}

pub fn guard_day() -> impl Strategy<Value = GuardDay> {
    (text(), any::<i32>(), any::<u32>(), any::<u32>()).prop_map(|(source, day, base, removed)| GuardDay {
        source: SourceId::new(source),
        day: Day(day),
        base,
        removed,
    })
}

pub fn orgs() -> impl Strategy<Value = Vec<OrgMark>> {
    let mark = (text(), text(), option::of(text()), any::<bool>()).prop_map(|(id, name, parent, ended)| OrgMark {
        id: OrgId::new(id),
        name,
        parent: parent.map(OrgId::new),
        ended,
    });
    prop::collection::vec(mark, 0..4)
}

pub fn seat_request() -> impl Strategy<Value = SeatRequest> {
    (text(), any::<(u32, u32, u32)>(), option::of(any::<u32>()), text(), instant(), text()).prop_map(
        |(pool, (seats, used, waiting), allowance, by, at, note)| SeatRequest {
            pool: PoolId::new(pool),
            seats: Seats(seats),
            used: Seats(used),
            allowance: allowance.map(Seats),
            waiting: Seats(waiting),
            by: Actor::operator(by),
            at,
            note,
        },
    )
}

pub fn pool_terms() -> impl Strategy<Value = PoolTerms> {
    (text(), text(), any::<bool>(), any::<(u32, u32, u32)>(), text(), prop::collection::vec((text(), any::<u32>()), 0..3))
        .prop_map(|(pool, product, unlimited, (minor_percent, major_percent, floor), owner, reservations)| PoolTerms {
            pool: PoolId::new(pool),
            product: ProductId::new(product),
            unlimited,
            overage: OverageLimits { minor_percent, major_percent, minor_floor: Seats(floor) },
            owner: OrgId::new(owner),
            reservations: reservations.into_iter().map(|(org, seats)| (OrgId::new(org), Seats(seats))).collect(),
        })
}

pub fn terms_entry() -> impl Strategy<Value = Entry> {
    let instants = || (instant(), instant(), instant());
    let term = ((text(), text(), text()), instants(), option::of(any::<u32>())).prop_map(
        |((id, pool, reference), (from, to, recorded), seats)| {
            let (id, pool, by) = (GrantId::new(id), PoolId::new(pool), Actor::operator("ann"));
            Entry::Term(Term { id, pool, from, to, seats: seats.map(Seats), recorded, by, reference })
        },
    );
    let phase = (text(), select(TermState::ALL.to_vec()), option::of(text()), instants()).prop_map(
        |(pool, state, term, (since, term_end, _))| Entry::Phase {
            pool: PoolId::new(pool),
            phase: Phase { state, term: term.map(GrantId::new), since, term_end },
        },
    );
    let year = (text(), any::<i32>(), any::<(u32, u32, u32)>()).prop_map(|(pool, year, (distinct, seats, used))| {
        let (pool, year) = (PoolId::new(pool), Day(year));
        let people_max = (used > 9).then_some(distinct);
        Entry::Reuse(ReuseYear { pool, year, distinct, allowance_max: Seats(seats), used_max: Seats(used), people_max })
    });
    let seat = (any::<(u32, u32)>(), option::of(text())).prop_map(|((number, people), person)| NumberedSeat {
        number,
        people,
        person: person.map(PersonKey::new),
    });
    let seats = (text(), any::<bool>(), proptest::collection::vec(seat, 0..3))
        .prop_map(|(pool, anew, seats)| Entry::NumberedSeats(SeatMoves { pool: PoolId::new(pool), anew, seats }));
    let roles = || prop::collection::vec((text(), text().prop_map(OrgId::new)), 0..3);
    let change = (text(), roles(), roles()).prop_map(|(person, before, after)| RolesChange {
        person: PersonKey::new(person),
        before,
        after,
    });
    let roles = prop::collection::vec(change, 0..3).prop_map(Entry::RolesChanged);
    prop_oneof![roles, term, phase, year, seats]
}
