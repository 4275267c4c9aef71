//! `rosterd report`: licenses per org, and every claim (R136 to R140, R143, R147).

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::base::{Balance, OrgId, PoolId, ProductId, most_similar};
use crate::cli::context::Context;
use crate::cli::csv::CsvText;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::json::{FreshnessJson, at};
use crate::cli::output::{Cell, balance, number, text};
use crate::cli::words::{counted, freshness_text, when};
use crate::service::{ClaimRow, Customer, LicenseRow, ServiceError};

/// The header of the license report, to the letter (R136).
const LICENSE_HEADER: [&str; 5] = ["Name", "User Limit", "Used", "Remaining", "Percentage Used"];
const CLAIM_HEADER: [&str; 11] =
    ["Claim", "Org Path", "Product", "Pool", "Person", "State", "Reasons", "Since", "Released", "Because", "Run"];

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Examples:\n  rosterd report licenses north\n  rosterd report claims north --pool learn-main --csv > claims.csv"
)]
pub struct ReportArgs {
    #[command(subcommand)]
    verb: ReportVerb,
}

#[derive(Debug, Subcommand)]
enum ReportVerb {
    /// Seats of an org and of each org below it: limit, used, remaining.
    #[command(after_help = "Examples:
  rosterd report licenses north
  rosterd report licenses north --org ash --product learn --csv > ash.csv")]
    Licenses {
        /// Of which customer.
        customer: String,
        /// The org at the top; the roster's first root if left out.
        #[arg(long)]
        org: Option<String>,
        /// Of one product only.
        #[arg(long)]
        product: Option<String>,
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
    /// Every claim, open and released.
    #[command(after_help = "Example:\n  rosterd report claims north --pool learn-main --csv > claims.csv")]
    Claims {
        /// Of which customer.
        customer: String,
        /// Of one pool only.
        #[arg(long)]
        pool: Option<String>,
        /// As CSV.
        #[arg(long)]
        csv: bool,
    },
}

#[derive(Debug, Serialize)]
struct ReportJson<'a, T> {
    customer: &'a str,
    #[serde(flatten)]
    freshness: FreshnessJson,
    rows: Vec<T>,
}

#[derive(Debug, Serialize)]
struct LicenseJson<'a> {
    org: &'a str,
    name: &'a str,
    user_limit: Option<u64>,
    used: u64,
    remaining: Option<i64>,
    percentage_used: Option<String>,
}

#[derive(Debug, Serialize)]
struct ClaimJson<'a> {
    claim: u64,
    org_path: &'a str,
    product: &'a str,
    pool: &'a str,
    person: &'a str,
    state: &'static str,
    reasons: &'a str,
    since: Option<String>,
    released: Option<String>,
    because: Option<&'static str>,
    run: Option<u64>,
}

/// Writes a report.
///
/// # Errors
/// When the books cannot be read, or something named does not exist.
pub fn run(context: &mut Context, args: &ReportArgs) -> Result<Exit, CliError> {
    match &args.verb {
        ReportVerb::Licenses { customer, org, product, csv } => {
            licenses(context, customer, org.as_deref(), product.as_deref(), *csv)
        }
        ReportVerb::Claims { customer, pool, csv } => claims(context, customer, pool.as_deref(), *csv),
    }
}

fn licenses(
    context: &mut Context,
    customer: &str,
    org: Option<&str>,
    product: Option<&str>,
    csv: bool,
) -> Result<Exit, CliError> {
    one_form(context, csv)?;
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let product = product.map(|product| known_product(customer, product)).transpose()?;
    let rows = service.license_report(customer, org.map(OrgId::from).as_ref(), product.as_ref())?;
    if csv {
        context.out.bytes(license_csv(&rows).as_bytes())?;
        return Ok(Exit::Done);
    }
    let freshness = service.freshness(customer)?;
    if context.out.is_json() {
        let rows = rows.iter().map(|row| LicenseJson {
            org: row.org.as_str(),
            name: &row.name,
            user_limit: row.limit,
            used: row.used,
            remaining: row.remaining(),
            percentage_used: row.percent(),
        });
        let (customer, rows) = (customer.id().as_str(), rows.collect());
        context.out.json(&ReportJson { customer, freshness: freshness.into(), rows })?;
        return Ok(Exit::Done);
    }
    context.out.table(&LICENSE_HEADER, rows.iter().map(license_cells).collect())?;
    context.out.text(&freshness_text(freshness))?;
    Ok(Exit::Done)
}

fn license_cells(row: &LicenseRow) -> Vec<Cell> {
    let or_empty = |value: Option<String>| number(value.unwrap_or_default());
    vec![
        text(&row.name),
        or_empty(row.limit.map(|limit| limit.to_string())),
        number(row.used),
        row.remaining().map_or_else(|| text(""), |remaining| balance(Some(Balance(remaining)))),
        or_empty(row.percent()),
    ]
}

fn license_csv(rows: &[LicenseRow]) -> String {
    let mut csv = CsvText::with_header(&LICENSE_HEADER);
    for row in rows {
        csv.text(&row.name);
        csv.number(row.limit);
        csv.number(Some(row.used));
        csv.number(row.remaining());
        csv.number(row.percent());
        csv.end();
    }
    csv.take()
}

fn claims(context: &mut Context, customer: &str, pool: Option<&str>, csv: bool) -> Result<Exit, CliError> {
    one_form(context, csv)?;
    let service = context.service()?;
    let customer = service.customer(customer)?;
    let pool = pool.map(PoolId::from);
    if let Some(pool) = &pool {
        customer.pool(pool)?;
    }
    let rows = service.claims_report(customer, pool.as_ref())?;
    if csv {
        // Line by line: there may be millions.
        let mut csv = CsvText::with_header(&CLAIM_HEADER);
        for row in &rows {
            claim_csv(&mut csv, row);
            context.out.bytes(csv.take().as_bytes())?;
        }
        // Without a claim the header is still to be written.
        context.out.bytes(csv.take().as_bytes())?;
        return Ok(Exit::Done);
    }
    let freshness = service.freshness(customer)?;
    if context.out.is_json() {
        let rows = rows.iter().map(claim_json).collect();
        context.out.json(&ReportJson { customer: customer.id().as_str(), freshness: freshness.into(), rows })?;
        return Ok(Exit::Done);
    }
    let cells = rows.iter().map(|row| {
        let run = row.run.map_or(String::new(), |run| run.to_string());
        vec![
            number(row.claim),
            text(&row.org_path),
            text(&row.product),
            text(&row.pool),
            text(&row.person),
            text(row.state),
            text(&row.reasons),
            text(when(row.since)),
            text(row.released.map_or(String::new(), when)),
            text(row.because.unwrap_or_default()),
            number(run),
        ]
    });
    context.out.table(&CLAIM_HEADER, cells.collect())?;
    context.out.text(&format!("{}, {}", counted(rows.len() as u64, "claim"), freshness_text(freshness)))?;
    Ok(Exit::Done)
}

fn claim_csv(csv: &mut CsvText, row: &ClaimRow) {
    csv.number(Some(row.claim));
    for value in [&row.org_path, &row.product, &row.pool, &row.person] {
        csv.text(value);
    }
    csv.text(row.state);
    csv.text(&row.reasons);
    csv.text(&row.since.to_string());
    csv.text(&row.released.map_or(String::new(), |at| at.to_string()));
    csv.text(row.because.unwrap_or_default());
    csv.number(row.run);
    csv.end();
}

fn claim_json(row: &ClaimRow) -> ClaimJson<'_> {
    ClaimJson {
        claim: row.claim,
        org_path: &row.org_path,
        product: &row.product,
        pool: &row.pool,
        person: &row.person,
        state: row.state,
        reasons: &row.reasons,
        since: at(row.since),
        released: row.released.and_then(at),
        because: row.because,
        run: row.run,
    }
}

/// CSV and JSON are two forms of one answer.
///
/// # Errors
/// When both are wanted.
pub fn one_form(context: &Context, csv: bool) -> Result<(), CliError> {
    if csv && context.out.is_json() {
        return Err(CliError::Usage("--csv and --json cannot both be had".into()));
    }
    Ok(())
}

fn known_product(customer: &Customer, product: &str) -> Result<ProductId, CliError> {
    let products = || customer.policy.products.iter().map(|p| p.id.as_str());
    if products().any(|known| known == product) {
        return Ok(ProductId::from(product));
    }
    let hint = most_similar(product, products());
    Err(ServiceError::Unknown { what: "product", id: product.to_owned(), hint }.into())
}

#[cfg(test)]
mod tests {
    use crate::base::Instant;
    use crate::cli::csv::CsvText;
    use crate::cli::report::{claim_csv, license_csv};
    use crate::service::{ClaimRow, LicenseRow};

    #[test]
    fn r136_the_license_report_is_to_the_letter() {
        let row = |name: &str, limit, used| LicenseRow { org: "o".into(), name: name.into(), limit, used };
        let rows = [
            row("North, \"the\" district", Some(100), 130),
            row("=Ash", Some(0), 0),
            row("Birch", None, 7),
            row("-Cedar\nAnnex", Some(3), 1),
        ];
        assert_eq!(
            license_csv(&rows),
            "Name,User Limit,Used,Remaining,Percentage Used\r\n\
             \"North, \"\"the\"\" district\",100,130,-30,130.0\r\n\
             '=Ash,0,0,0,\r\n\
             Birch,,7,,\r\n\
             \"'-Cedar\nAnnex\",3,1,2,33.3\r\n"
        );
        assert_eq!(license_csv(&[]), "Name,User Limit,Used,Remaining,Percentage Used\r\n");
    }

    #[test]
    fn keys_that_look_like_formulas_are_neutralized_in_the_claims_report() {
        let mut csv = CsvText::default();
        let row = ClaimRow {
            claim: 9,
            org_path: "/d/ash".into(),
            product: "learn".into(),
            pool: "learn-main".into(),
            person: "-4711".into(),
            state: "active",
            reasons: "rule:a rule:b".into(),
            since: Instant(0),
            released: None,
            because: None,
            run: None,
        };
        claim_csv(&mut csv, &row);
        assert_eq!(csv.take(), "9,/d/ash,learn,learn-main,'-4711,active,rule:a rule:b,1970-01-01T00:00:00Z,,,\r\n");
    }
}
