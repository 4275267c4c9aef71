//! Shapes of JSON for the exported trail: a line per commit, with all that it changed. Ids only, no names of people.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::OrgId;
use crate::license::{
    Absence, AgreedExcess, Claim, ClaimState, Entry, Grant, GuardDay, Names, NumberedSeat, OrgMark, Phase, Pin, PoolBooks,
    PoolTerms, ReuseYear, RolesChange, SeatMoves, SeatRequest, SourceMark, Term,
};
use crate::shape::clock::{delivery_json, fact_json};
use crate::shape::common::{EpisodeJson, HoldJson, at, causes, on};
use crate::store::AuditCommit;

/// A commit.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CommitJson<'a> {
    customer: &'a str,
    version: u64,
    at: Option<String>,
    actor: &'a str,
    verb: &'a str,
    run: Option<u64>,
    plan: Option<String>,
    parent_hash: String,
    hash: String,
    changes: Vec<ChangeJson<'a>>,
    entries: Vec<Value>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ChangeJson<'a> {
    person: &'a str,
    because: &'static str,
    before: Option<ClaimJson<'a>>,
    after: ClaimJson<'a>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ClaimJson<'a> {
    claim: u64,
    pool: &'a str,
    state: &'static str,
    channel: &'static str,
    /// `seat` or `access`; `null` if it does not wait.
    waits_for: Option<&'static str>,
    home: &'a str,
    reasons: &'a str,
    priority: i32,
    since: Option<String>,
    changed: Option<String>,
}

impl<'a> CommitJson<'a> {
    /// A commit's JSON.
    pub fn new(customer: &'a str, commit: &'a AuditCommit) -> Self {
        let names = &commit.names;
        let changes = commit.changes.iter().map(|change| ChangeJson {
            person: commit.people.get(change.person),
            because: change.because.word(),
            before: change.before.as_deref().map(|before| claim(names, before)),
            after: claim(names, &change.after),
        });
        Self {
            customer,
            version: commit.version.0,
            at: at(commit.at),
            actor: &commit.actor,
            verb: &commit.verb,
            run: commit.run.map(|run| run.0),
            plan: commit.plan.map(|plan| plan.to_string()),
            parent_hash: commit.parent_hash.to_string(),
            hash: commit.hash.to_string(),
            changes: changes.collect(),
            entries: commit.entries.iter().map(entry).collect(),
        }
    }
}

fn claim<'a>(names: &'a Names, claim: &Claim) -> ClaimJson<'a> {
    let Claim { id, since, changed, home: _, reasons: _, priority, pool: _, state, channel, wait } = claim;
    ClaimJson {
        claim: id.0,
        pool: names.pool_of(claim).as_str(),
        state: state.word(),
        channel: channel.word(),
        waits_for: match wait {
            crate::license::Wait::Nothing => None,
            crate::license::Wait::Seat => Some("seat"),
            crate::license::Wait::Access => Some("access"),
            crate::license::Wait::Acceptance => Some("acceptance"),
        },
        home: names.home_of(claim).as_str(),
        reasons: names.reasons_of(claim),
        priority: *priority,
        since: at(*since),
        changed: at(*changed),
    }
}

/// An entry, told by `kind`.
fn entry(entry: &Entry) -> Value {
    match entry {
        Entry::PoolDefined(PoolTerms { pool, product, unlimited, overage, owner, reservations }) => json!({
            "kind": "pool_defined", "pool": pool.as_str(), "product": product.as_str(), "unlimited": unlimited,
            "minor_percent": overage.minor_percent, "major_percent": overage.major_percent,
            "minor_floor_seats": overage.minor_floor.0, "owner": owner.as_str(),
            "reservations": reservations.iter().map(|(org, seats)| (org.to_string(), seats.0)).collect::<BTreeMap<_, _>>(),
        }),
        Entry::Granted(grant) => with_kind("granted", grant_json(grant)),
        Entry::ExcessAgreed(agreed) => with_kind("excess_agreed", agreed_json(agreed)),
        Entry::Pinned(pin) => with_kind("pinned", pin_json(pin)),
        Entry::Unpinned { person, pool } => json!({"kind": "unpinned", "person": person.as_str(), "pool": pool.as_str()}),
        Entry::Pool { pool, books } => pool_books(pool.as_str(), books),
        Entry::Episode(episode) => json!({"kind": "episode", "episode": EpisodeJson::from(episode)}),
        Entry::Absent(Absence { person, source, org, count, since, ended, held, removed, removed_at }) => json!({
            "kind": "absent", "person": person.as_str(), "source": source.as_str(),
            "org": org.as_ref().map(|org| org.as_str()), "seen": count, "since": on(*since), "ended": ended, "held": held,
            "removed": removed, "removed_at": removed_at.map(at),
        }),
        Entry::Returned(person) => json!({"kind": "returned", "person": person.as_str()}),
        Entry::Purged { person, reason } => json!({"kind": "purged", "person": person.as_str(), "reason": reason}),
        Entry::Adopted(SourceMark { source, package, bytes: _, snapshot, at: taken, name, amended }) => json!({
            "kind": "adopted", "source": source.as_str(), "name": name, "package": package.to_string(),
            "snapshot": snapshot.to_string(), "at": at(*taken), "amended": amended,
        }),
        Entry::Refused { person, pool, answer } => {
            json!({"kind": "refused", "person": person.as_str(), "pool": pool.as_str(), "answer": answer})
        }
        Entry::IdentityConflict { known, new } => {
            json!({"kind": "identity_conflict", "known": known.as_str(), "new": new.as_str()})
        }
        Entry::RolesChanged(changes) => {
            let roles = |roles: &[(String, OrgId)]| roles.iter().map(|(role, org)| format!("{role}@{org}")).collect::<Vec<_>>();
            let change = |change: &RolesChange| json!({"person": change.person.as_str(), "before": roles(&change.before), "after": roles(&change.after)});
            json!({"kind": "roles_changed", "people": changes.iter().map(change).collect::<Vec<_>>()})
        }
        Entry::Hold(hold) => json!({"kind": "hold", "hold": HoldJson::from(hold)}),
        Entry::GuardDay(GuardDay { source, day, base, removed }) => json!({
            "kind": "guard_day", "source": source.as_str(), "day": on(*day), "base": base, "removed": removed,
        }),
        Entry::Reuse(year) => with_kind("reuse", reuse_json(year)),
        Entry::NumberedSeats(moves) => with_kind("numbered_seats", seats_json(moves)),
        Entry::Clock(fact) => with_kind("clock", fact_json(fact)),
        Entry::NoticeDelivered(delivery) => with_kind("notice_delivered", delivery_json(delivery)),
        Entry::Orgs(orgs) => json!({"kind": "orgs", "orgs": orgs.iter().map(org_mark).collect::<Vec<_>>()}),
        Entry::SeatsRequested(request) => with_kind("seats_requested", seat_request_json(request)),
        Entry::Term(term) => with_kind("term", term_json(term)),
        Entry::Phase { pool, phase: Phase { state, term, since, term_end } } => json!({
            "kind": "phase", "pool": pool.as_str(), "state": state.word(), "term": term.as_ref().map(|term| term.as_str()),
            "since": at(*since), "term_end": at(*term_end),
        }),
    }
}

fn org_mark(mark: &OrgMark) -> Value {
    let OrgMark { id, name, parent, ended } = mark;
    json!({"id": id.as_str(), "name": name, "parent": parent.as_ref().map(|org| org.as_str()), "ended": ended})
}

/// A request for seats as JSON.
pub fn seat_request_json(request: &SeatRequest) -> Value {
    let SeatRequest { pool, seats, used, allowance, waiting, by, at: asked, note } = request;
    json!({
        "pool": pool.as_str(), "seats": seats.0, "used": used.0, "limit": allowance.map(|seats| seats.0),
        "available": request.available().map(|balance| balance.0), "waiting": waiting.0, "by": by.to_string(),
        "at": at(*asked), "note": note,
    })
}

fn with_kind(kind: &str, mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        // A grant's own kind is told as `grant_kind`, a pin's as `decision`.
        fields.insert("kind".to_owned(), kind.into());
    }
    value
}

/// A grant's JSON.
pub fn grant_json(grant: &Grant) -> Value {
    let Grant { id, pool, seats, from, to, recorded, by, kind, reference } = grant;
    json!({
        "id": id.as_str(), "pool": pool.as_str(), "seats": seats, "from": at(*from), "to": at(*to),
        "recorded": at(*recorded), "by": by.to_string(), "grant_kind": kind.word(), "reference": reference,
    })
}

/// A license year's people, as JSON.
pub fn reuse_json(year: &ReuseYear) -> Value {
    let ReuseYear { pool, year: first, distinct, allowance_max, used_max, people_max } = year;
    json!({
        "pool": pool.as_str(), "year": on(*first), "distinct": distinct, "replacements": year.replacements(),
        "limit_max": allowance_max.0, "used_max": used_max.0, "people_max": people_max,
    })
}

fn seats_json(moves: &SeatMoves) -> Value {
    let SeatMoves { pool, anew, seats } = moves;
    let seat = |NumberedSeat { number, people, person }: &NumberedSeat| json!({"seat": number, "people": people, "person": person.as_ref().map(|person| person.as_str())});
    json!({"pool": pool.as_str(), "anew": anew, "seats": seats.iter().map(seat).collect::<Vec<_>>()})
}

/// A term's JSON.
pub fn term_json(term: &Term) -> Value {
    let Term { id, pool, from, to, seats, recorded, by, reference } = term;
    json!({
        "id": id.as_str(), "pool": pool.as_str(), "from": at(*from), "to": at(*to), "seats": seats.map(|seats| seats.0),
        "recorded": at(*recorded), "by": by.to_string(), "reference": reference,
    })
}

/// An agreed excess's JSON.
pub fn agreed_json(agreed: &AgreedExcess) -> Value {
    let AgreedExcess { id, pool, seats, from, to, recorded, by, reference } = agreed;
    json!({
        "id": id.as_str(), "pool": pool.as_str(), "seats": seats.0, "from": at(*from), "to": at(*to),
        "recorded": at(*recorded), "by": by.to_string(), "reference": reference,
    })
}

/// A pin's JSON.
pub fn pin_json(pin: &Pin) -> Value {
    let Pin { person, pool, kind, by, at: pinned, reason, until } = pin;
    json!({
        "person": person.as_str(), "pool": pool.as_str(), "decision": kind.word(), "by": by.to_string(),
        "at": at(*pinned), "reason": reason, "until": on(*until),
    })
}

fn pool_books(pool: &str, books: &PoolBooks) -> Value {
    let PoolBooks { counts, allowance, causes: why, band, episode, held_back, provisional } = books;
    let states: serde_json::Map<String, Value> =
        ClaimState::ALL.into_iter().map(|state| (state.word().to_owned(), counts.of(state).0.into())).collect();
    json!({
        "kind": "pool", "pool": pool, "counts": states, "used": counts.used().0,
        "limit": allowance.seats.map(|seats| seats.0), "agreed": allowance.agreed.0, "causes": causes(why),
        "band": band.word(), "episode": episode.as_ref().map(|episode| episode.id.0),
        "held_back": held_back.0, "provisional": provisional.and_then(at),
    })
}

#[cfg(test)]
mod tests {
    use crate::base::{Actor, Digest, Instant, TextArena, Version};
    use crate::license::{
        Because, Channel, Claim, ClaimChange, ClaimState, Entry, Grant, GrantKind, Names, OrgNameIx, PoolIx, ReasonsIx, Wait,
    };
    use crate::shape::trail::CommitJson;
    use crate::store::AuditCommit;

    #[test]
    fn a_commit_is_one_line_with_all_it_changed() {
        let mut people = TextArena::default();
        let person = people.push("p\n1").expect("room");
        let claim = Claim {
            id: crate::base::ClaimId(7),
            since: Instant(0),
            changed: Instant(1000),
            home: OrgNameIx(0),
            reasons: ReasonsIx(0),
            priority: 3,
            pool: PoolIx(0),
            state: ClaimState::Active,
            channel: Channel::Sync,
            wait: Wait::Nothing,
        };
        let grant = Grant {
            id: "g".into(),
            pool: "learn".into(),
            seats: -3,
            from: Instant(0),
            to: Instant::MAX,
            recorded: Instant(0),
            by: Actor::operator("ann"),
            kind: GrantKind::Correction,
            reference: "L1".into(),
        };
        let waiting = Claim { state: ClaimState::Waiting, wait: Wait::Seat, ..claim };
        let commit = AuditCommit {
            version: Version(2),
            at: Instant(1000),
            actor: "operator:ann".into(),
            run: None,
            plan: None,
            verb: "grant".into(),
            names: Names { pools: vec!["learn".into()], orgs: vec!["ash".into()], reasons: vec!["rule:t".into()] },
            people,
            changes: vec![ClaimChange { person, because: Because::SeatFreed, before: Some(Box::new(waiting)), after: claim }],
            entries: vec![Entry::Granted(grant)],
            parent_hash: Digest([1; 32]),
            hash: Digest([2; 32]),
            hash_again: Digest([2; 32]),
        };
        let line = serde_json::to_string(&CommitJson::new("north", &commit)).expect("it can be written");
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).expect("it is JSON");
        assert_eq!(read["changes"][0]["person"], "p\n1");
        assert_eq!(read["changes"][0]["before"]["waits_for"], "seat");
        assert_eq!(read["changes"][0]["after"]["state"], "active");
        assert_eq!(read["entries"][0]["kind"], "granted");
        assert_eq!(read["entries"][0]["grant_kind"], "correction");
        assert_eq!(read["entries"][0]["to"], serde_json::Value::Null);
        assert_eq!(read["parent_hash"], "01".repeat(32));
        assert_eq!(read["hash"], "02".repeat(32));
    }
}
