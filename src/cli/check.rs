//! `rosterd check`: is all as it should be before anything is done?
//!
//! Reads only. A store that is not there yet is not made: whoever checks may be another user than the daemon, and the
//! file would then be theirs.

use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::base::{CustomerId, ErrorChain};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::parts;
use crate::cli::progress::Progress;
use crate::cli::words::counted;
use crate::plan::Predicate;
use crate::service::{Customer, Service, StoredLimits, StoredOutages};
use crate::settings::{Problem, Settings};
use crate::store::{Opening, StoreError};

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rosterd check                                all there is, also the whole store and every source's newest package
  rosterd check --settings --config new.toml   the settings alone, in no time: before a restart")]
pub struct CheckArgs {
    /// Look at the settings alone: no store, no source.
    #[arg(long)]
    settings: bool,
}

#[derive(Debug, Serialize)]
struct Finding {
    /// `settings`, `advice`, `secret`, `store`, `customers`, `books`, `pools`, `rules`, `source` or `schedule`.
    what: &'static str,
    subject: String,
    ok: bool,
    detail: String,
    #[serde(skip)]
    exit: Exit,
}

#[derive(Debug, Serialize)]
struct CheckJson<'a> {
    ok: bool,
    checks: &'a [Finding],
}

/// Checks everything and tells all that is wrong. Exits by the worst: settings, then the store, then settings that do
/// not fit the books, then sources.
///
/// # Errors
/// When the settings are wrong: nothing else can be checked then.
pub fn run(context: &mut Context, args: &CheckArgs) -> Result<Exit, CliError> {
    let settings = context.settings()?;
    let network = parts::network();
    // Whoever checks wants to know: also of an upstream that is left alone.
    network.insist();
    let customers = parts::customers_on(&settings, &network);
    let detail = format!("{} customers", customers.len());
    let mut findings =
        vec![Finding { what: "settings", subject: context.config.display().to_string(), ok: true, detail, exit: Exit::Done }];
    let told = |what, ok, exit| {
        move |problem: &Problem| Finding { what, subject: problem.at.clone(), ok, detail: problem.wrong.clone(), exit }
    };
    findings.extend(settings.advice.iter().map(told("advice", true, Exit::Done)));
    if args.settings {
        // The daemon has credentials that nobody else sees.
        findings.extend(settings.secrets_absent.iter().map(told("advice", true, Exit::Done)));
        return answer(context, &findings);
    }
    findings.extend(settings.secrets_absent.iter().map(told("secret", false, Exit::BadSettings)));
    let progress = Progress::start("checking the store".to_owned());
    let (store, is_there) = check_store(&settings);
    let books = if store.ok && is_there { Some(context.service()?) } else { None };
    findings.push(store);
    if let Some(service) = &books {
        network.keep_outages(Arc::new(StoredOutages::new(service.store().clone())));
        network.share_limits(Arc::new(StoredLimits::new(service.store().clone())));
        findings.extend(strangers(service)?);
    }
    for customer in &customers {
        if let Some(service) = &books {
            progress.say(format!("checking the books of {}", customer.id()));
            findings.push(fits(service, customer));
            findings.extend(retired(service, customer));
        }
        findings.extend(shipped(customer));
        findings.push(schedule(customer));
        for feed in &customer.sources {
            let subject = format!("{}/{}", customer.id(), feed.source.id());
            progress.say(format!("checking source {subject}"));
            findings.push(match feed.source.check() {
                Ok(detail) => Finding { what: "source", subject, ok: true, detail, exit: Exit::Done },
                Err(error) => Finding {
                    what: "source",
                    subject,
                    ok: false,
                    detail: format!("could not {}", ErrorChain(&error)),
                    exit: Exit::SourceDown,
                },
            });
        }
    }
    drop(progress);
    answer(context, &findings)
}

fn answer(context: &mut Context, findings: &[Finding]) -> Result<Exit, CliError> {
    let exit = worst(findings);
    if context.out.is_json() {
        context.out.json(&CheckJson { ok: exit == Exit::Done, checks: findings })?;
    } else {
        for Finding { what, subject, ok, detail, .. } in findings {
            context.out.text(&format!("{:<6} {what} {subject}: {detail}", if *ok { "ok" } else { "WRONG" }))?;
        }
    }
    Ok(exit)
}

/// Whether the store is sound, and whether there is one.
fn check_store(settings: &Settings) -> (Finding, bool) {
    let subject = settings.store.choice().to_string();
    let found = |ok, detail, exit| Finding { what: "store", subject, ok, detail, exit };
    match parts::store(settings, Opening::Existing).and_then(|store| store.integrity()) {
        Ok(wrong) if wrong.is_empty() => (found(true, "sound".to_owned(), Exit::Done), true),
        Ok(wrong) => (found(false, format!("is damaged: {}", wrong.join("; ")), Exit::StoreDown), true),
        Err(StoreError::Absent { .. }) => {
            (found(true, "is not there yet; the first start makes it".to_owned(), Exit::Done), false)
        }
        Err(error) => (found(false, format!("could not {}", ErrorChain(&error)), Exit::StoreDown), true),
    }
}

/// Customers that have books and are not in the settings: nobody reads their sources, nobody forgets their people.
fn strangers(service: &Service) -> Result<Option<Finding>, CliError> {
    let strangers = service.strangers()?;
    let named: Vec<&str> = strangers.iter().map(CustomerId::as_str).collect();
    Ok((!named.is_empty()).then(|| Finding {
        what: "customers",
        subject: named.join(", "),
        ok: true,
        detail: "in the books, but not in the settings: no run looks at them, and what they hold stays".to_owned(),
        exit: Exit::Done,
    }))
}

/// Whether the next run could use the settings.
fn fits(service: &Service, customer: &Customer) -> Finding {
    let (detail, exit) = match service.fits(customer) {
        Ok(true) => ("the settings fit them and the newest roster".to_owned(), Exit::Done),
        Ok(false) => ("no package was taken in yet".to_owned(), Exit::Done),
        Err(error) => (format!("could not {}", ErrorChain(&error)), Exit::of_error(error.kind())),
    };
    Finding { what: "books", subject: customer.id().to_string(), ok: exit == Exit::Done, detail, exit }
}

/// Pools that were taken out of the settings while people have seats in them.
fn retired(service: &Service, customer: &Customer) -> Option<Finding> {
    // Books that cannot be read are told by `fits`.
    let retired = service.retired_pools(customer).ok().filter(|retired| !retired.is_empty())?;
    let told: Vec<String> = retired.iter().map(|(pool, used)| format!("{pool} ({} in use)", counted(used.0, "seat"))).collect();
    let id = customer.id();
    Some(Finding {
        what: "pools",
        subject: id.to_string(),
        ok: true,
        detail: format!(
            "no longer in the settings: {}; the next run moves or frees them, as `rosterd plan {id}` shows",
            told.join(", ")
        ),
        exit: Exit::Done,
    })
}

/// The shipped rules in force (R22): they give seats without being written anywhere.
fn shipped(customer: &Customer) -> Option<Finding> {
    let shipped = customer.policy.rules.iter().filter(|rule| rule.is_shipped()).map(|rule| {
        let Predicate::Role(roles) = &rule.when else { return rule.id.to_string() };
        format!("{} gives {} to {}", rule.id, rule.product, roles.join(", "))
    });
    let shipped: Vec<String> = shipped.collect();
    (!shipped.is_empty()).then(|| Finding {
        what: "rules",
        subject: customer.id().to_string(),
        ok: true,
        detail: format!("shipped defaults in force: {}", shipped.join("; ")),
        exit: Exit::Done,
    })
}

fn schedule(customer: &Customer) -> Finding {
    let detail = match &customer.nightly {
        Some(cron) => format!("{cron}, in {}", customer.policy.calendar.zone_name()),
        None => "none: on request or by a drop".to_owned(),
    };
    Finding { what: "schedule", subject: customer.id().to_string(), ok: true, detail, exit: Exit::Done }
}

fn worst(findings: &[Finding]) -> Exit {
    let has = |exit: &Exit| findings.iter().any(|finding| finding.exit == *exit);
    [Exit::Bug, Exit::StoreDown, Exit::BadSettings, Exit::SourceDown].into_iter().find(has).unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests {
    use crate::cli::check::{Finding, worst};
    use crate::cli::exit::Exit;

    #[test]
    fn the_worst_counts() {
        let found = |exit| Finding { what: "source", subject: String::new(), ok: false, detail: String::new(), exit };
        assert_eq!(worst(&[found(Exit::Done)]), Exit::Done);
        assert_eq!(worst(&[found(Exit::SourceDown), found(Exit::StoreDown), found(Exit::Done)]), Exit::StoreDown);
        assert_eq!(worst(&[found(Exit::Done), found(Exit::SourceDown)]), Exit::SourceDown);
        assert_eq!(worst(&[found(Exit::SourceDown), found(Exit::BadSettings)]), Exit::BadSettings);
    }
}
