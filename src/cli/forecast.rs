//! `rosterd forecast`: the days to come, as far as dates that are known make them. Changes nothing.

use clap::Args;

use crate::base::{PoolId, ProductId, Seats};
use crate::cli::chart::{Point, chart};
use crate::cli::context::Context;
use crate::cli::episode::fact_text;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, balance, flagged, number, text};
use crate::cli::words::{freshness_text, when};
use crate::license::{Cure, TermState};
use crate::plan::{Candidate, CandidateWhy, DayAhead, MoveAhead, PoolForecast, StageAhead};
use crate::shape::{FORECAST_ASSUMED, forecast_json};

/// So many candidates are named in a table.
const NAMED: usize = 5;

/// Arguments of `forecast`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd forecast north
  rosterd forecast north learn-main --days 30
  rosterd forecast north --json | jq '.pools[].stages'

It plays the days ahead with the rules of the daemon: roles and enrollments that begin and end, grants, agreed excesses and
terms that do, and what the clocks of overages make of them, in each pool's own business days. Nothing is written.")]
pub struct ForecastArgs {
    /// Of which customer.
    customer: String,
    /// Of one pool only.
    pool: Option<String>,
    /// So many days after today.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=730))]
    days: u32,
}

/// Tells the days to come.
///
/// # Errors
/// When the books or the roster cannot be read, or there is no such customer or pool.
pub fn run(context: &mut Context, args: &ForecastArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    let pool = args.pool.as_deref().map(PoolId::from);
    if let Some(pool) = &pool {
        customer.pool(pool)?;
    }
    let forecast = service.forecast(customer, pool.as_ref(), args.days)?;
    if context.out.is_json() {
        context.out.json(&forecast_json(customer.id().as_str(), &forecast))?;
        return Ok(Exit::Done);
    }
    for told in &forecast.pools {
        show(context, told)?;
    }
    if forecast.pools.is_empty() {
        context.out.text("nothing was written down of these pools yet")?;
    }
    context.out.text(FORECAST_ASSUMED)?;
    context.out.text(&freshness_text(forecast.freshness))?;
    Ok(Exit::Done)
}

fn show(context: &mut Context, (pool, product, forecast): &(PoolId, ProductId, PoolForecast)) -> Result<(), CliError> {
    let PoolForecast { days, stages, moves } = forecast;
    let limit = days.first().and_then(|day| day.allowance.effective());
    let limit = limit.map_or("unlimited".to_owned(), |seats| format!("of {seats}"));
    let used = days.first().map_or(Seats(0), |day| day.used);
    context.out.text(&format!("pool {pool} ({product}): {used} {limit} seats used"))?;
    let points: Vec<Point> =
        days.iter().map(|day| Point { day: day.day, used: day.used_max, limit: day.allowance.effective() }).collect();
    context.out.text(&chart(&points))?;
    let rows = stages.iter().map(stage_cells).collect();
    context.out.table(&["stage", "from", "cure before", "too many", "cheapest cure", "other ways", "candidates"], rows)?;
    let rows: Vec<Vec<Cell>> = days_told(days).map(day_cells).collect();
    context.out.table(&["day", "most used", "used", "limit", "available", "waiting", "suspended", "stage", "term"], rows)?;
    let rows = moves.iter().map(|(since, what)| vec![text(when(*since)), text(move_text(what))]).collect();
    context.out.table(&["from", "what happens"], rows)?;
    context.out.text("")?;
    Ok(())
}

/// The first day, the last one, and those that differ from the one before.
fn days_told(days: &[DayAhead]) -> impl Iterator<Item = &DayAhead> {
    let same = |a: &DayAhead, b: &DayAhead| DayAhead { day: a.day, used_max: a.used_max, ..*b } == *a && a.used_max == a.used;
    let last = days.len().saturating_sub(1);
    days.iter().enumerate().filter(move |(at, day)| *at == 0 || *at == last || !same(day, &days[at - 1])).map(|(_, day)| day)
}

fn day_cells(day: &DayAhead) -> Vec<Cell> {
    let DayAhead { day, used_max, used, waiting, suspended, allowance, band: _, term, stage } = day;
    let limit = allowance.effective();
    let stage_word = stage.map_or("", |stage| stage.word());
    vec![
        text(day.to_string()),
        number(used_max),
        number(used),
        number(limit.map_or("unlimited".to_owned(), |seats| seats.to_string())),
        balance(allowance.balance(*used)),
        number(waiting),
        number(suspended),
        flagged(text(stage_word), stage.is_some()),
        text(if *term == TermState::Unbound { "" } else { term.word() }),
    ]
}

fn stage_cells(stage: &StageAhead) -> Vec<Cell> {
    let StageAhead { at: _, day, stage, is_on, deadline, cures, candidates } = stage;
    let other = cures.options.iter().enumerate().filter(|(at, _)| Some(*at) != cures.cheapest);
    let other: Vec<String> = other.map(|(_, cure)| cure_text(cure)).collect();
    let cheapest = match cures.cheapest {
        Some(at) => cure_text(&cures.options[at]),
        None if deadline.is_some() && cures.options.is_empty() => "none needed: it is over by then".to_owned(),
        None => String::new(),
    };
    let mut named: Vec<String> = candidates.iter().take(NAMED).map(candidate_text).collect();
    if candidates.len() > NAMED {
        named.push(format!("and {} more", candidates.len() - NAMED));
    }
    vec![
        flagged(text(stage.stage.word()), true),
        text(if *is_on { format!("{day} (on)") } else { day.to_string() }),
        text(deadline.map_or(String::new(), when)),
        number(if deadline.is_some() { cures.excess.to_string() } else { String::new() }),
        text(cheapest),
        text(other.join("; ")),
        text(named.join(", ")),
    ]
}

/// A cure in a few words: `remove 20 and buy 10 for 90.74 EUR`.
fn cure_text(cure: &Cure) -> String {
    let Cure { remove, buy, tier, charge, suffices } = cure;
    let parts = [
        (*remove > Seats(0)).then(|| format!("remove {remove}")),
        (*buy > Seats(0)).then(|| format!("buy {buy}")),
        tier.map(|tier| format!("upgrade to {tier}")),
    ];
    let what = parts.into_iter().flatten().collect::<Vec<_>>().join(" and ");
    let price = match (charge, cure.cost()) {
        (Some(charge), _) => format!(" for {}", charge.text(charge.amount)),
        (None, Some(_)) => String::new(),
        (None, None) => " at a price to be agreed".to_owned(),
    };
    let enough = if *suffices { "" } else { " (not enough)" };
    format!("{what}{price}{enough}")
}

fn candidate_text(candidate: &Candidate) -> String {
    match candidate.why {
        CandidateWhy::Leaves(day) => format!("{} (leaves {day})", candidate.person),
        why => format!("{} ({})", candidate.person, why.word()),
    }
}

fn move_text(what: &MoveAhead) -> String {
    match what {
        MoveAhead::Fact(fact) => fact_text(fact),
        MoveAhead::Phase(phase) => {
            let term = phase.term.as_ref().map_or(String::new(), |term| format!(" (term {term})"));
            format!("{}{term}", phase.state.word())
        }
    }
}
