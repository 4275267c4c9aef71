//! The trail: commits as a list, as a feed that goes on, and the proof of the books.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::base::Version;
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered, NEXT};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::page::LIMIT;
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::says::{Ask, Kind};
use crate::service::{Customer, ServiceError};
use crate::shape::{CommitJson, HeadJson, HeadsJson, ProofJson, ProofsJson};
use crate::store::AuditCommit;

/// A page of the feed ends with the commit that brings it to so many changes.
const CHANGES_MAX: usize = 50_000;

/// See the module.
pub const TRAIL: &[Endpoint] = &[
    Endpoint::get(
        "/api/v1/customers/{customer}/audit",
        Work::Asked(Deed::LookAtPeople, audit),
        "Commits: who did what, and when. The newest ones, or those after a version, oldest first.",
        Output::Json(schema_of::<HeadsJson>),
    )
    .asks(&[Ask::new("after", Kind::Number(0, i64::MAX as u64), "Those after this version."), LIMIT]),
    Endpoint::get(
        "/api/v1/customers/{customer}/audit/verify",
        Work::Asked(Deed::LookAtPeople, verify),
        "The trail replayed and held against the books; takes its time.",
        Output::Json(schema_of::<ProofsJson>),
    ),
    Endpoint::get(
        "/api/v1/audit/verify",
        Work::Asked(Deed::LookAtPeople, verify_all),
        "The same of all customers that the token may see; where it may see all, also of books whose customer left the settings.",
        Output::Json(schema_of::<ProofsJson>),
    ),
    Endpoint::get(
        "/api/v1/changes",
        Work::Asked(Deed::LookAtPeople, changes),
        "All commits that the token may see, a line each, after those that were read before. The header Rosterd-Next says where to go on; an empty answer: nothing happened since.",
        Output::Lines(schema_of::<CommitJson>),
    )
    .asks(&[
        Ask::new("after", Kind::Text, "Go on where an answer ended: its Rosterd-Next. From the beginning if left out."),
        Ask::new("customer", Kind::Text, "Of this customer only."),
        LIMIT,
    ]),
];

fn audit(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let customer = asking.customer(question.name("customer"))?;
    let limit = question.limit();
    let after = match question.text("after").and_then(|after| after.parse().ok()) {
        Some(after) => after,
        // Versions count commits, one by one (R113).
        None => asking.service.version(customer)?.0.saturating_sub(limit as u64),
    };
    let mut commits = Vec::new();
    asking.service.trail(customer, Version(after), &mut |commit| {
        if commits.len() < limit {
            commits.push(HeadJson::from(&commit));
        }
        if commits.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Answer::json(&HeadsJson { customer: customer.id().as_str(), commits })
}

fn verify(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let id = asking.customer(question.name("customer"))?.id();
    let proof = ProofJson::new(id, true, asking.service.verify_books(id))?;
    Answer::json(&ProofsJson { ok: proof.ok, customers: vec![proof] })
}

fn verify_all(asking: &Asking<'_>, _: &Question) -> Answered {
    asking.whole_customer()?;
    let strangers = if asking.caller.customer.is_none() { asking.service.strangers()? } else { Vec::new() };
    let known = asking.customers().map(|customer| (customer.id(), true));
    let mut customers = Vec::new();
    for (id, configured) in known.chain(strangers.iter().map(|id| (id, false))) {
        customers.push(ProofJson::new(id, configured, asking.service.verify_books(id))?);
    }
    Answer::json(&ProofsJson { ok: customers.iter().all(|proof| proof.ok), customers })
}

/// How far a reader of the feed is: the version it knows of each customer. Versions have no gaps and appear in order, so that
/// nothing is ever passed over, whatever commits at the same time.
#[derive(Debug, Default, PartialEq, Eq)]
struct Place(BTreeMap<String, u64>);

impl Place {
    fn read(text: &str) -> Option<Self> {
        let one = |part: &str| {
            let (customer, version) = part.rsplit_once(':')?;
            Some((customer.to_owned(), version.parse().ok().filter(|version| i64::try_from(*version).is_ok())?))
        };
        text.split('~').filter(|part| !part.is_empty()).map(one).collect::<Option<_>>().map(Self)
    }

    fn write(&self) -> String {
        let parts: Vec<String> = self.0.iter().map(|(customer, version)| format!("{customer}:{version}")).collect();
        if parts.is_empty() { "~".to_owned() } else { parts.join("~") }
    }
}

fn changes(asking: &Asking<'_>, question: &Question) -> Answered {
    asking.whole_customer()?;
    let mut place = match question.text("after") {
        None => Place::default(),
        Some(text) => {
            let wrong = || Problem::bad_request("after is not what an answer said in Rosterd-Next");
            Place::read(text).ok_or_else(wrong)?
        }
    };
    let mut customers: Vec<&Customer> = match question.text("customer") {
        Some(id) => vec![asking.customer(id)?],
        None => asking.customers().collect(),
    };
    customers.sort_by_key(|customer| customer.id());
    let (mut body, mut room) = (Vec::new(), Room { commits: question.limit(), changes: CHANGES_MAX });
    for customer in customers {
        if room.commits == 0 || room.changes == 0 {
            break;
        }
        let known = place.0.get(customer.id().as_str()).copied().unwrap_or(0);
        if let Some(version) = written(asking, customer, Version(known), &mut room, &mut body)? {
            place.0.insert(customer.id().to_string(), version.0);
        }
    }
    Ok(Answer::bytes("application/x-ndjson", body)?.with(NEXT, place.write()))
}

/// How much more fits in a page.
struct Room {
    commits: usize,
    changes: usize,
}

/// Writes the commits of a customer after a version as lines, as far as there is room; the last version written.
fn written(
    asking: &Asking<'_>,
    customer: &Customer,
    after: Version,
    room: &mut Room,
    body: &mut Vec<u8>,
) -> Result<Option<Version>, ServiceError> {
    let mut last = None;
    asking.service.trail(customer, after, &mut |commit: AuditCommit| {
        // These shapes can always be written.
        let line = serde_json::to_vec(&CommitJson::new(customer.id().as_str(), &commit)).unwrap_or_default();
        body.extend(line);
        body.push(b'\n');
        last = Some(commit.version);
        room.commits -= 1;
        room.changes = room.changes.saturating_sub(commit.changes.len());
        if room.commits > 0 && room.changes > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    use crate::http::read::trail::Place;

    #[test]
    fn places_come_back_and_others_do_not() {
        for text in ["~", "larkspur:7", "a.b-c_d:12~northfield:0"] {
            assert_eq!(Place::read(text).map(|place| place.write()).as_deref(), Some(text));
        }
        assert_eq!(Place::read(""), Some(Place::default()));
        for text in ["north", "north:", "north:x", "north:-1", "north:99999999999999999999", "a:1~b"] {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }
}
