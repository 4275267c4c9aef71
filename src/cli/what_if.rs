//! `rosterd what-if`: a stretch of the trail played again with other settings. Changes nothing.

use clap::Args;
use serde_json::{Value, json};

use crate::base::{Actor, Day, GrantId, Instant, most_similar};
use crate::cli::context::Context;
use crate::cli::episode::fact_text;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::{Cell, number, text};
use crate::cli::words::{day, freshness_text, when};
use crate::license::{Charge, Grant, GrantKind, Pool};
use crate::plan::Story;
use crate::service::{Customer, PoolWhatIf, ServiceError, WhatIf, WhatIfAsked};
use crate::settings::{KNOBS, turn};
use crate::shape::{EpisodeJson, FreshnessJson, at, charge_json, fact_json};

/// What a replay cannot know.
const LIMITS: &str = "People are taken as recorded: who wanted a seat, since when and until when. Only whether a pool had a seat \
                      for them is asked anew, with its queue in order; reservations, moves to another pool and what hangs on a seat \
                      of another product are not worked out anew, and what was refused by hand stays refused. The changed side is \
                      looked at in time. A pool's n-th major notice arrives, and its upgrade is approved, as long after it is written \
                      as the n-th one was; further notices arrive at once.";

/// Arguments of `what-if`.
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:
  rosterd what-if north
  rosterd what-if north --pool learn-main --set gap_band=major --from 2026-03-01 --to 2026-06-30
  rosterd what-if north --pool learn-main --seats 50@2026-03-01
  rosterd what-if north --set holidays=+2026-04-03,2026-04-06 --set cure_business_days=5 --json

Without a change it proves that the replay gives what was recorded. Keys of --set, as in the settings file, for the pools of
--pool or for all:
  {}
  (ladder=1000:1200000,1500:1650000 is seats:price_minor; on_full=wait, overdraw or overdraw_up_to:110; holidays=+DAY adds)

{LIMITS}", KNOBS.join(", ")))]
pub struct WhatIfArgs {
    /// Of which customer.
    customer: String,
    /// Change this pool only; may be repeated.
    #[arg(long)]
    pool: Vec<String>,
    /// The first day, in the customer's calendar; from the first commit on if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Option<Day>,
    /// The last day; up to now if left out.
    #[arg(long, value_name = "DAY", value_parser = day)]
    to: Option<Day>,
    /// A setting of the pools as it would have been; may be repeated.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// So many seats more (fewer if negative), from a day on or all the time; of one pool.
    #[arg(long, value_name = "N[@DAY]", value_parser = seats, allow_hyphen_values = true)]
    seats: Vec<(i64, Option<Day>)>,
    /// Leave out a purchase; may be repeated.
    #[arg(long, value_name = "GRANT")]
    without: Vec<String>,
}

/// Plays it again.
///
/// # Errors
/// When the trail cannot be read, or there is no such customer, pool, grant or setting.
pub fn run(context: &mut Context, args: &WhatIfArgs) -> Result<Exit, CliError> {
    let service = context.service()?;
    let customer = service.customer(&args.customer)?;
    let asked = asked(customer, args)?;
    let told = service.what_if(customer, &asked)?;
    if context.out.is_json() {
        context.out.json(&document(customer.id().as_str(), &told))?;
        return Ok(Exit::Done);
    }
    let WhatIf { freshness, from, to, commits, difference, pools } = &told;
    let exact = match difference {
        None => "with the settings as they are the replay gives exactly what was recorded".to_owned(),
        Some((version, what)) => {
            format!(
                "the replay with the settings as they are differs from the record from version {version} on ({what}): settings were others then, and both sides go by today's"
            )
        }
    };
    context.out.text(&format!("{commits} commits from {} to {}: {exact}", when(*from), when(*to)))?;
    for pool in pools {
        show(context, pool)?;
    }
    if pools.iter().any(|pool| pool.would.is_some()) {
        context.out.text(LIMITS)?;
    }
    context.out.text(&freshness_text(*freshness))?;
    Ok(Exit::Done)
}

fn asked(customer: &Customer, args: &WhatIfArgs) -> Result<WhatIfAsked, CliError> {
    let WhatIfArgs { customer: _, pool, from, to, set, seats, without } = args;
    for id in pool {
        let known = || customer.policy.pools.iter().map(|pool| pool.id.as_str());
        if !known().any(|known| known == id) {
            let hint = most_similar(id, known());
            return Err(ServiceError::Unknown { what: "pool", id: id.clone(), hint }.into());
        }
    }
    let wanted = |known: &&Pool| pool.is_empty() || pool.iter().any(|id| known.id.as_str() == id);
    let mut pools: Vec<Pool> = customer.policy.pools.iter().filter(wanted).cloned().collect();
    for (key, value) in set {
        pools.iter_mut().try_for_each(|pool| turn(pool, key, value)).map_err(CliError::Usage)?;
    }
    let mut grants = Vec::new();
    for (nth, (seats, day)) in (1..).zip(seats) {
        let [pool] = pools.as_slice() else {
            return Err(CliError::Usage("--seats needs one --pool to add them to".into()));
        };
        grants.push(Grant {
            id: GrantId::new(format!("what-if-{nth}")),
            pool: pool.id.clone(),
            seats: *seats,
            from: day.map_or(Instant::MIN, |day| pool.calendar.start_of(day)),
            to: Instant::MAX,
            recorded: Instant::MIN,
            by: Actor::operator("what-if"),
            kind: GrantKind::Purchase,
            reference: "what-if".to_owned(),
        });
    }
    if set.is_empty() {
        pools.clear();
    }
    let without = without.iter().map(|id| GrantId::from(id.as_str())).collect();
    Ok(WhatIfAsked { from: *from, to: *to, pools, grants, without })
}

fn show(context: &mut Context, told: &PoolWhatIf) -> Result<(), CliError> {
    let PoolWhatIf { pool, was, would, bought, refused } = told;
    let changed = would.as_ref().unwrap_or(was);
    context.out.text(&format!("pool {pool}"))?;
    let rows = measures(was, changed).into_iter().map(|(what, was, would)| {
        let difference = i128::from(would) - i128::from(was);
        let sign = if difference > 0 { format!("+{difference}") } else { difference.to_string() };
        vec![text(what), number(was), number(would), number(sign)]
    });
    context.out.table(&["what", "as it was", "changed", "difference"], rows.collect())?;
    let money = |story: &Story| story.charged().map_or("nothing".to_owned(), |(sum, charge)| charge.text(sum));
    context.out.text(&format!("charged for upgrades: {} as it was, {} changed", money(was), money(changed)))?;
    for charge in bought {
        let price = charge.as_ref().map_or("to be agreed".to_owned(), |charge| charge.text(charge.amount));
        context.out.text(&format!("seats added: {price} until the license year ends, at the rate of the pool's tier"))?;
    }
    if *refused > 0 {
        context.out.text(&format!("{refused} assignments by hand were refused for want of a seat and stay refused"))?;
    }
    let rows: Vec<Vec<Cell>> =
        lines(was, changed).into_iter().map(|(at, what, side)| vec![text(when(at)), text(what), text(side.word())]).collect();
    context.out.table(&["from", "what", "on which side"], rows)?;
    context.out.text("")?;
    Ok(())
}

/// What is counted on both sides.
fn measures(was: &Story, would: &Story) -> Vec<(&'static str, u64, u64)> {
    fn counts(story: &Story) -> [u64; 9] {
        let ((used_most, waiting_most), (used, waiting)) = (story.most(), story.last());
        let counted = [story.episodes_counted(), story.notices.len(), story.upgrades().count()].map(|count| count as u64);
        let [overages, notices, upgrades] = counted;
        let charged = story.charged().map_or(0, |(sum, _)| sum);
        let [used_most, used, waiting_most, waiting] = [used_most, used, waiting_most, waiting].map(|seats| seats.0.into());
        let over = u64::from(story.most_over().0);
        [overages, notices, upgrades, charged, over, used_most, used, waiting_most, waiting]
    }
    const WHAT: [&str; 9] = [
        "overages",
        "notices",
        "upgrades",
        "charged for upgrades, minor units",
        "most over the limit",
        "most used",
        "used at the end",
        "most waiting",
        "waiting at the end",
    ];
    WHAT.into_iter().zip(counts(was)).zip(counts(would)).map(|((what, was), would)| (what, was, would)).collect()
}

/// On which side something happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Both,
    Was,
    Would,
}

impl Side {
    fn word(self) -> &'static str {
        match self {
            Side::Both => "both",
            Side::Was => "as it was",
            Side::Would => "changed",
        }
    }
}

/// What clocks wrote down on either side, in the order of time.
fn lines(was: &Story, would: &Story) -> Vec<(Instant, String, Side)> {
    let told = |story: &Story| story.facts.iter().map(|fact| (fact.at, fact_text(fact))).collect::<Vec<_>>();
    let (was, mut would) = (told(was), told(would));
    let mut lines = Vec::new();
    for (at, what) in was {
        let also = would.iter().position(|other| *other == (at, what.clone()));
        let side = if also.map(|also| would.remove(also)).is_some() { Side::Both } else { Side::Was };
        lines.push((at, what, side));
    }
    lines.extend(would.into_iter().map(|(at, what)| (at, what, Side::Would)));
    lines.sort_by_key(|(at, _, side)| (*at, *side));
    lines
}

fn document(customer: &str, told: &WhatIf) -> Value {
    let WhatIf { freshness, from, to, commits, difference, pools } = told;
    let mut value = serde_json::to_value(FreshnessJson::from(*freshness)).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("customer".to_owned(), customer.into());
        fields.insert("from".to_owned(), at(*from).into());
        fields.insert("to".to_owned(), at(*to).into());
        fields.insert("commits".to_owned(), (*commits).into());
        let differs = difference.as_ref().map(|(version, what)| json!({"version": version.0, "what": what}));
        fields.insert("exact".to_owned(), difference.is_none().into());
        fields.insert("difference".to_owned(), differs.into());
        fields.insert("limits".to_owned(), LIMITS.into());
        fields.insert("pools".to_owned(), pools.iter().map(pool_json).collect());
    }
    value
}

fn pool_json(told: &PoolWhatIf) -> Value {
    let PoolWhatIf { pool, was, would, bought, refused } = told;
    json!({
        "pool": pool.as_str(), "was": story_json(was), "would": would.as_ref().map(story_json), "refused_by_hand": refused,
        "seats_added": bought.iter().map(|charge| charge.as_ref().map(charge_json)).collect::<Vec<_>>(),
    })
}

fn story_json(story: &Story) -> Value {
    let notices = story
        .notices
        .iter()
        .map(|(told, notice)| json!({"at": at(*told), "kind": notice.kind.word(), "key": notice.key, "text": notice.text}));
    let charged =
        |charge: Option<(u64, &Charge)>| charge.map(|(sum, charge)| json!({"currency": charge.currency, "amount": sum}));
    json!({
        "episodes": story.episodes.iter().map(EpisodeJson::from).collect::<Vec<_>>(),
        "facts": story.facts.iter().map(fact_json).collect::<Vec<_>>(),
        "notices": notices.collect::<Vec<_>>(), "upgrades": story.upgrades().count(), "charged": charged(story.charged()),
        "over_max": story.most_over().0, "used_max": story.most().0.0, "waiting_max": story.most().1.0,
        "used": story.last().0.0, "waiting": story.last().1.0,
    })
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| "write KEY=VALUE, such as gap_band=major".to_owned())?;
    Ok((key.to_owned(), value.to_owned()))
}

fn seats(text: &str) -> Result<(i64, Option<Day>), String> {
    let wrong = || "write 50 or 50@2026-03-01".to_owned();
    let (seats, from) = text.split_once('@').map_or((text, None), |(seats, from)| (seats, Some(from)));
    let from = from.map(|from| Day::parse(from).ok_or_else(wrong)).transpose()?;
    let limit = |seats: &i64| seats.unsigned_abs() <= 100_000_000;
    Ok((seats.parse().ok().filter(limit).ok_or_else(wrong)?, from))
}
