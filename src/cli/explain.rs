//! `rosterd explain`: why a person has a seat, or not (R161); why a pool's balance is what it is (R162).

use clap::Args;

use crate::base::{Day, ProductId};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::pool::show_pool;
use crate::cli::words::{day, freshness_text};
use crate::plan::Explanation;
use crate::shape::ExplainJson;

/// Arguments of `explain`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd explain north p-4711
  rosterd explain north p-4711 learn
  rosterd explain north --pool learn-main --since 2026-03-01")]
pub struct ExplainArgs {
    /// Of which customer.
    customer: String,
    /// The person key, as `rosterd people` tells it.
    #[arg(required_unless_present = "pool")]
    person: Option<String>,
    /// One product only.
    product: Option<String>,
    /// Tell why this pool's balance is what it is, instead.
    #[arg(long, conflicts_with = "person")]
    pool: Option<String>,
    /// Of the pool: tell as well what changed from this day on, in its calendar.
    #[arg(long, value_name = "DAY", value_parser = day, requires = "pool")]
    since: Option<Day>,
}

/// Explains.
///
/// # Errors
/// When the books cannot be read, or there is no such customer or product.
pub fn run(context: &mut Context, args: &ExplainArgs) -> Result<Exit, CliError> {
    if let Some(pool) = &args.pool {
        return show_pool(context, &args.customer, pool, args.since, true);
    }
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    let product = args.product.as_deref().map(ProductId::from);
    let person = args.person.as_deref().unwrap_or_default();
    let answers = service.explain(customer, person, product.as_ref())?;
    let freshness = service.freshness(customer)?;
    let unknown = !answers.is_empty() && answers.iter().all(|answer| answer.answer == "unknown_person");
    if context.out.is_json() {
        context.out.json(&ExplainJson::new(customer.id().as_str(), person, freshness, &answers))?;
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
