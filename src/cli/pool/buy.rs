//! `rosterd pool grant` and `pool agree`: what was bought, and what was agreed beyond it (R16, R17).

use crate::base::{Day, Instant, PoolId, Seats};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::pool::answer::show;
use crate::cli::pool::args::{AgreeArgs, GrantArgs};
use crate::license::{AgreedExcess, Grant};
use crate::plan::Decision;

/// Records a grant.
///
/// # Errors
/// When the books cannot be written, or there is no such customer or pool.
pub fn grant(context: &mut Context, args: &GrantArgs) -> Result<Exit, CliError> {
    if args.seats == 0 {
        return Err(CliError::Usage("a grant of 0 seats says nothing".into()));
    }
    in_order(args.from, args.to)?;
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let id = PoolId::from(args.pool.as_str());
    let calendar = &customer.pool(&id)?.calendar;
    let done = service.decide_named(customer, &actor(), args.id.as_deref(), None, &|grant| {
        Decision::Grant(Grant {
            id: grant,
            pool: id.clone(),
            seats: args.seats,
            from: calendar.start_of(args.from),
            to: args.to.map_or(Instant::MAX, |day| calendar.start_of(day)),
            recorded: service.now(),
            by: actor(),
            kind: args.kind.into(),
            reference: args.reference.clone(),
        })
    })?;
    show(context, &done)
}

/// Records an agreed excess.
///
/// # Errors
/// As [`grant`].
pub fn agree(context: &mut Context, args: &AgreeArgs) -> Result<Exit, CliError> {
    in_order(args.from, Some(args.to))?;
    let service = context.service_to_write()?;
    let customer = service.customer(&args.customer)?;
    let id = PoolId::from(args.pool.as_str());
    let calendar = &customer.pool(&id)?.calendar;
    let done = service.decide_named(customer, &actor(), args.id.as_deref(), None, &|agreed| {
        Decision::AgreedExcess(AgreedExcess {
            id: agreed,
            pool: id.clone(),
            seats: Seats(args.seats),
            from: calendar.start_of(args.from),
            to: calendar.start_of(args.to),
            recorded: service.now(),
            by: actor(),
            reference: args.reference.clone(),
        })
    })?;
    show(context, &done)
}

fn in_order(from: Day, to: Option<Day>) -> Result<(), CliError> {
    match to {
        Some(to) if to <= from => Err(CliError::Usage(format!("--to {to} is not after --from {from}"))),
        _ => Ok(()),
    }
}
