//! People by hand (R133 to R135, R164): a preview that changes nothing and gives a token, and the same again with it. A
//! removed person is forgotten (R129).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::RunId;
use crate::http::access::Deed;
use crate::http::answer::{Answer, Answered};
use crate::http::ask::Asking;
use crate::http::endpoint::{Endpoint, Output, Work, schema_of};
use crate::http::problem::Problem;
use crate::http::question::Question;
use crate::http::read::PLAN_LIMIT;
use crate::http::says::{Ask, Input, Kind};
use crate::http::words::told;
use crate::service::{BulkChange, BulkFile, BulkWhom, Customer, ForgetAnswer, ImportAnswer, ImportRequest, PEOPLE_BYTES_MAX};
use crate::shape::{FindingsJson, ForgetJson, ImportJson, ImportRefusedJson};

/// See the module.
pub const BY_HAND: &[Endpoint] = &[
    Endpoint::post(
        "/api/v1/customers/{customer}/people/import",
        Work::Asked(Deed::Administer, import),
        "Previews a file of people, with its plan, its findings and a token; with that token, the same file and the same options it does what the preview showed.",
        Output::Json(schema_of::<UploadJson>),
    )
    .asks(&[
        Ask::new("synchronize", Kind::Flag, "Remove people made by hand who are absent from the file."),
        Ask::new("org", Kind::Text, "Only people whose home lies in this org or below it."),
        Ask::new("by", Kind::Text, "Your own person key, if you are one of the people: you are never removed."),
        CONFIRM,
        PLAN_LIMIT,
    ])
    .takes(Input::Csv(PEOPLE_BYTES_MAX))
    .refuses(schema_of::<ImportRefusedJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/people/bulk",
        Work::Asked(Deed::Administer, bulk),
        "Gives and takes roles, moves and archives many people made by hand: previews it, or with its token does it.",
        Output::Json(schema_of::<UploadJson>),
    )
    .asks(&[CONFIRM, PLAN_LIMIT])
    .takes(Input::Json(schema_of::<BulkWish>))
    .refuses(schema_of::<ImportRefusedJson>),
    Endpoint::post(
        "/api/v1/customers/{customer}/people/{person}/forget",
        Work::Asked(Deed::Administer, forget),
        "Lets the name of a removed person leave everything that is kept.",
        Output::Json(schema_of::<ForgetJson>),
    )
    .takes(Input::Json(schema_of::<ForgetWish>))
    .refuses(schema_of::<ForgetJson>),
];

const CONFIRM: Ask = Ask::new("confirm", Kind::Text, "Do what the preview that gave this token showed.");

/// An import with what is wrong in its file.
#[derive(Serialize, JsonSchema)]
struct UploadJson<'a> {
    #[serde(flatten)]
    import: ImportJson<'a>,
    /// What is wrong in the file: the first of them.
    findings: FindingsJson<'a>,
    /// People of other sources who were left alone: what is so of them is told there.
    of_sources: &'a [String],
}

/// One change of many people made by hand.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct BulkWish {
    /// These people.
    people: Vec<String>,
    /// Who has this role.
    role: Option<String>,
    /// Whose home lies in this org or below it.
    org: Option<String>,
    /// They lose these roles.
    remove_roles: Vec<RoleTaken>,
    /// They get these roles.
    add_roles: Vec<RoleGiven>,
    /// They move to another org, with their roles there.
    transfer: Option<Move>,
    /// `true`: they are archived; `false`: no more.
    archive: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoleTaken {
    role: String,
    /// Everywhere if left out.
    org: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RoleGiven {
    role: String,
    org: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Move {
    from: String,
    to: String,
}

/// Why somebody is forgotten.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ForgetWish {
    /// Why; no personal data.
    #[schemars(length(min = 1, max = 1000), regex(pattern = "\\S"))]
    reason: String,
}

fn import(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let request = ImportRequest {
        file: "upload.csv",
        bytes: question.bytes(),
        synchronize: question.flag("synchronize"),
        org: question.text("org"),
        by: question.text("by"),
        actor: asking.caller.actor(),
    };
    carry_out(asking, question, customer, &request, &[])
}

fn bulk(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let BulkWish { people, role, org, remove_roles, add_roles, transfer, archive } = question.json()?;
    let people: BTreeSet<String> = people.into_iter().collect();
    if people.is_empty() && role.is_none() && org.is_none() {
        return Err(Problem::bad_request("say whom: people, role or org"));
    }
    if remove_roles.is_empty() && add_roles.is_empty() && transfer.is_none() && archive.is_none() {
        return Err(Problem::bad_request("say what: remove_roles, add_roles, transfer or archive"));
    }
    let change = BulkChange {
        remove_roles: remove_roles.into_iter().map(|RoleTaken { role, org }| (role, org)).collect(),
        add_roles: add_roles.into_iter().map(|RoleGiven { role, org }| (role, org)).collect(),
        transfer: transfer.map(|Move { from, to }| (from, to)),
        archive,
    };
    let BulkFile { file, people: _, of_sources } =
        asking.service.bulk_file(customer, &BulkWhom { people, role, org }, &change)?;
    let actor = asking.caller.actor();
    let request = ImportRequest { file: "bulk", bytes: &file, synchronize: false, org: None, by: None, actor };
    carry_out(asking, question, customer, &request, &of_sources)
}

fn carry_out(
    asking: &Asking<'_>,
    question: &Question,
    customer: &Customer,
    request: &ImportRequest<'_>,
    of_sources: &[String],
) -> Answered {
    let service = asking.service;
    let done = match question.text("confirm") {
        None => service.preview_import(customer, request)?,
        Some(token) => match service.confirm_import(customer, request, token)? {
            ImportAnswer::Done(import) => *import,
            ImportAnswer::Refused(why) => {
                return Answer::json_with(StatusCode::CONFLICT, &ImportRefusedJson::from(why));
            }
        },
    };
    let RunId(run) = done.run.run;
    let found = service.run_findings(done.run.run, None, question.limit())?;
    Answer::json(&UploadJson {
        import: ImportJson::new(&done, &customer.policy, question.limit()),
        findings: FindingsJson::new(run, done.run.tally.findings, &found),
        of_sources,
    })
}

fn forget(asking: &Asking<'_>, question: &Question) -> Answered {
    let customer = asking.customer(question.name("customer"))?;
    let ForgetWish { reason } = question.json()?;
    let reason = told("reason", reason)?;
    let answer = asking.service.forget(customer, &asking.caller.actor(), &question.person(), &reason)?;
    let status = match answer {
        ForgetAnswer::Forgotten(_) | ForgetAnswer::Forgetting(_) => StatusCode::OK,
        ForgetAnswer::StillDelivered(_) | ForgetAnswer::NotRemovedYet | ForgetAnswer::HoldsClaims(_) => StatusCode::CONFLICT,
    };
    Answer::json_with(status, &ForgetJson::new(question.name("person"), &answer))
}
