//! `rosterd pool grant` and `pool agree`: what was bought, and what was agreed beyond it (R16, R17).

use crate::base::{Day, GrantId, Instant, PoolId, Seats};
use crate::cli::context::{Context, actor};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::pool::answer::show;
use crate::cli::pool::args::{AgreeArgs, GrantArgs};
use crate::license::{AgreedExcess, Grant};
use crate::plan::{Answer, Decision};
use crate::service::{Customer, DecisionDone, Service};

/// How often a free id is looked for anew when somebody else takes it in between.
const TRIES_MAX: u32 = 20;

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
    let done = with_id(&service, customer, args.id.as_deref(), |grant| {
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
    let done = with_id(&service, customer, args.id.as_deref(), |agreed| {
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

/// Decides under the id given, or under one that nobody has.
fn with_id(
    service: &Service,
    customer: &Customer,
    id: Option<&str>,
    decision: impl Fn(GrantId) -> Decision,
) -> Result<DecisionDone, CliError> {
    if let Some(id) = id {
        return Ok(service.decide(customer, &actor(), &decision(GrantId::from(id)))?);
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let free = service.free_grant_id(customer)?;
        let done = service.decide(customer, &actor(), &decision(GrantId::from(free.as_str())))?;
        if done.answer != Answer::GrantTaken || tries == TRIES_MAX {
            return Ok(done);
        }
    }
}
