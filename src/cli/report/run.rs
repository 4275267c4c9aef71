//! From a report's name to its rows.

use serde_json::{Value, json};

use crate::base::{OrgId, PoolId, ProductId, most_similar};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::grid::Grid;
use crate::cli::report::args::{ClaimsArgs, PlainArgs, PoolReportArgs, ReportArgs, ReportVerb};
use crate::cli::words::counted;
use crate::service::{ClaimFilter, Customer, Dashboard, Report, Service, ServiceError};
use crate::shape::report::{
    self as rows, ADVICE, CLAIMS, COMPLIANCE, CONSUMPTION, DASHBOARD, HIGH_WATER, LICENSES, REUSE, UNSEATED, USAGE,
};
use crate::shape::{Column, Datum};

/// Writes a report.
///
/// # Errors
/// When the books cannot be read, or something named does not exist.
pub fn run(context: &mut Context, args: &ReportArgs) -> Result<Exit, CliError> {
    let service = &context.service()?;
    match &args.verb {
        ReportVerb::Licenses { customer, org, product, csv } => {
            let customer = service.customer(customer)?;
            let product = known_product(customer, product.as_deref())?;
            let org = org.as_deref().map(OrgId::from);
            let report = service.license_report(customer, org.as_ref(), product.as_ref())?;
            show(context, customer, &LICENSES, *csv, report, |row| rows::license(&row))
        }
        ReportVerb::Claims(args) => {
            let customer = service.customer(&args.customer)?;
            let report = service.claims_report(customer, &filter(customer, args)?)?;
            let below = vec![counted(report.rows.len() as u64, "claim")];
            let grid = Grid { below, ..Grid::new(customer, report.freshness, &CLAIMS, args.csv) };
            grid.show(context, report.rows.into_iter().map(rows::claim))
        }
        ReportVerb::Dashboard { customer, combined, csv } => dashboard(context, service, customer, combined.as_deref(), *csv),
        ReportVerb::Consumption(PoolReportArgs { customer, pool, csv }) => {
            let customer = service.customer(customer)?;
            let pool = known_pool(customer, pool.as_deref())?;
            let report = service.consumption(customer, pool.as_ref())?;
            show(context, customer, &CONSUMPTION, *csv, report, |row| rows::consumption(&row))
        }
        ReportVerb::Compliance(PlainArgs { customer, csv }) => {
            let customer = service.customer(customer)?;
            show(context, customer, &COMPLIANCE, *csv, service.compliance(customer)?, |row| rows::compliance(&row))
        }
        ReportVerb::Usage(PlainArgs { customer, csv }) => {
            let customer = service.customer(customer)?;
            show(context, customer, &USAGE, *csv, service.usage(customer)?, |row| rows::usage(&row))
        }
        ReportVerb::Advice(PlainArgs { customer, csv }) => {
            let customer = service.customer(customer)?;
            show(context, customer, &ADVICE, *csv, service.advice(customer)?, |row| rows::advice(&row))
        }
        ReportVerb::HighWater { customer, pool, from, to, csv } => {
            let customer = service.customer(customer)?;
            let pool = known_pool(customer, pool.as_deref())?;
            let report = service.high_water(customer, pool.as_ref(), *from, *to)?;
            show(context, customer, &HIGH_WATER, *csv, report, |row| rows::high_water(&row))
        }
        ReportVerb::Reuse(PlainArgs { customer, csv }) => {
            let customer = service.customer(customer)?;
            show(context, customer, &REUSE, *csv, service.reuse_report(customer)?, |row| rows::reuse(&row))
        }
        ReportVerb::Unseated(PoolReportArgs { customer, pool, csv }) => {
            let customer = service.customer(customer)?;
            let pool = known_pool(customer, pool.as_deref())?;
            show(context, customer, &UNSEATED, *csv, service.unseated(customer, pool.as_ref())?, rows::unseated)
        }
    }
}

fn show<T>(
    context: &mut Context,
    customer: &Customer,
    columns: &[Column],
    csv: bool,
    report: Report<T>,
    cells: impl Fn(T) -> Vec<Datum>,
) -> Result<Exit, CliError> {
    Grid::new(customer, report.freshness, columns, csv).show(context, report.rows.into_iter().map(cells))
}

fn dashboard(
    context: &mut Context,
    service: &Service,
    customer: &str,
    pair: Option<&str>,
    csv: bool,
) -> Result<Exit, CliError> {
    let customer = service.customer(customer)?;
    let pair = match pair.map(|pair| pair.split_once(',')) {
        None => None,
        Some(Some((one, other))) => known_product(customer, Some(one))?.zip(known_product(customer, Some(other))?),
        Some(None) => return Err(CliError::Usage("--combined takes two products, such as learn,observe".into())),
    };
    let Dashboard { freshness, products, combined } = service.dashboard(customer, pair)?;
    let counted = |(one, other, people): &(ProductId, ProductId, u64)| json!({"products": [one.as_str(), other.as_str()], "people": people});
    let more = vec![("combined", Value::Array(combined.iter().map(counted).collect()))];
    let both = combined.iter().filter(|_| !context.out.is_json()).map(|pair| rows::combined(pair, freshness));
    let all: Vec<Vec<Datum>> = products.iter().map(|row| rows::product(row, freshness)).chain(both).collect();
    Grid { more, ..Grid::new(customer, freshness, &DASHBOARD, csv) }.show(context, all.into_iter())
}

fn filter(customer: &Customer, args: &ClaimsArgs) -> Result<ClaimFilter, CliError> {
    let ClaimsArgs { customer: _, pool, product, org, role, state, activity, on, since, csv: _ } = args;
    Ok(ClaimFilter {
        pool: known_pool(customer, pool.as_deref())?,
        product: known_product(customer, product.as_deref())?,
        org: org.as_deref().map(OrgId::from),
        role: role.clone(),
        state: state.map(Into::into),
        on: *on,
        since: *since,
        activity: activity.map(Into::into),
    })
}

fn known_pool(customer: &Customer, pool: Option<&str>) -> Result<Option<PoolId>, CliError> {
    let pool = pool.map(PoolId::from);
    if let Some(pool) = &pool {
        customer.pool(pool)?;
    }
    Ok(pool)
}

fn known_product(customer: &Customer, product: Option<&str>) -> Result<Option<ProductId>, CliError> {
    let Some(product) = product else { return Ok(None) };
    let products = || customer.policy.products.iter().map(|p| p.id.as_str());
    if products().any(|known| known == product) {
        return Ok(Some(ProductId::from(product)));
    }
    let hint = most_similar(product, products());
    Err(ServiceError::Unknown { what: "product", id: product.to_owned(), hint }.into())
}
