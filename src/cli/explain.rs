//! `rosterd explain`: why a person has a seat, or not (R161).

use clap::Args;
use serde::Serialize;

use crate::base::ProductId;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::json::FreshnessJson;
use crate::cli::words::freshness_text;
use crate::plan::Explanation;

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  rosterd explain north p-4711\n  rosterd explain north p-4711 learn")]
pub struct ExplainArgs {
    /// Of which customer.
    customer: String,
    /// The person key, as `rosterd people` tells it.
    person: String,
    /// One product only.
    product: Option<String>,
}

#[derive(Debug, Serialize)]
struct ExplainJson<'a> {
    customer: &'a str,
    person: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    answers: Vec<AnswerJson<'a>>,
}

#[derive(Debug, Serialize)]
struct AnswerJson<'a> {
    product: &'a str,
    pool: Option<&'a str>,
    /// A stable code.
    answer: &'static str,
    text: &'a str,
    facts: &'a [String],
}

impl<'a> From<&'a Explanation> for AnswerJson<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let Explanation { product, pool, answer, text, facts } = explanation;
        Self { product: product.as_str(), pool: pool.as_ref().map(|pool| pool.as_str()), answer, text, facts }
    }
}

/// Explains.
///
/// # Errors
/// When the books cannot be read, or there is no such customer or product.
pub fn run(context: &mut Context, args: &ExplainArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    let product = args.product.as_deref().map(ProductId::from);
    let answers = service.explain(customer, &args.person, product.as_ref())?;
    let freshness = service.freshness(customer)?;
    let unknown = !answers.is_empty() && answers.iter().all(|answer| answer.answer == "unknown_person");
    if context.out.is_json() {
        context.out.json(&ExplainJson {
            customer: customer.id().as_str(),
            person: &args.person,
            freshness: freshness.into(),
            answers: answers.iter().map(AnswerJson::from).collect(),
        })?;
    } else {
        for Explanation { product, pool, answer, text, facts } in &answers {
            let place = pool.as_ref().map_or(String::new(), |pool| format!(" in {pool}"));
            context.out.text(&format!("{product}: {answer}{place}\n  {text}"))?;
            for fact in facts {
                context.out.text(&format!("  - {fact}"))?;
            }
        }
        context.out.text(&freshness_text(freshness))?;
    }
    Ok(if unknown { Exit::Unknown } else { Exit::Done })
}
