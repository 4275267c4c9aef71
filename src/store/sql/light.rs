//! The books without claims: of one customer everything, a server by one statement; of many at once what pools are and have, their
//! clocks and terms.

use std::sync::LazyLock;

use crate::base::{ClaimId, CustomerId, Digest, EpisodeId, Instant, PoolId, Version};
use crate::license::{ClockFact, Delivery, Episode, Phase, PoolBooks, PoolTerms, ReuseYear, SourceMark, last_closed};
use crate::plan::Standing;
use crate::store::record::{CONTINUES, Record, unpack};
use crate::store::sql::books::{Head, blob, names_next, text, unsigned};
use crate::store::sql::fault::Fault;
use crate::store::sql::side_by_side::SideBySide;
use crate::store::sql::transaction::{Row, Transaction};

/// Where records of one kind are: the columns that they are sorted by (a text, a number, a text), and the table with what of it is
/// asked, for customers `{of}`.
struct Kind {
    order: [&'static str; 3],
    from: &'static str,
}

const fn kind(order: [&'static str; 3], from: &'static str) -> Kind {
    Kind { order, from }
}

// Their places in `KINDS`.
const GRANTS: u32 = 0;
const AGREED: u32 = 1;
const CHAIN: u32 = 2;
const TERMS: u32 = 3;
const SOURCES: u32 = 4;
const POOLS: u32 = 5;
const PHASES: u32 = 6;
const REUSE: u32 = 7;
const HOLD: u32 = 8;
const CLOCK: u32 = 9;
const DELIVERIES: u32 = 10;
const FORMER: u32 = 11;
/// The first that is not of pools.
const PINS: u32 = 12;
const EPISODES: u32 = 13;
const ABSENCES: u32 = 14;
const GUARD_DAYS: u32 = 15;
/// The customer's row.
const HEAD: u32 = 16;
/// Names of pools, orgs and reasons, in this order.
const NAMES: u32 = 17;

/// All kinds whose records are bodies.
const KINDS: [Kind; HEAD as usize] = [
    kind(["id", "0", "''"], "grants x WHERE customer_id {of}"),
    kind(["id", "0", "''"], "agreed x WHERE customer_id {of}"),
    kind(["term", "0", "''"], "chain x WHERE customer_id {of}"),
    kind(["pool", "0", "''"], "terms x WHERE customer_id {of}"),
    kind(["source", "0", "''"], "sources x WHERE customer_id {of}"),
    kind(["pool", "0", "''"], "pools x WHERE customer_id {of}"),
    kind(["pool", "0", "''"], "phases x WHERE customer_id {of}"),
    kind(["pool", "0", "''"], "reuse x WHERE customer_id {of}"),
    // The newest one.
    kind(
        ["''", "run", "''"],
        "holds x JOIN (SELECT customer_id AS of_whom, max(run) AS newest FROM holds WHERE customer_id {of} GROUP BY customer_id) n
         ON x.customer_id = n.of_whom AND x.run = n.newest",
    ),
    // Facts of open episodes and of pools as such, and whose clocks closed ones went on with.
    kind(["''", "n", "''"], "clock x WHERE customer_id {of} AND (episode IS NULL OR step = {continues} OR {open})"),
    kind(["key", "0", "channel"], "deliveries x WHERE customer_id {of} AND {open}"),
    // The newest closed episode of each pool, void ones left out.
    kind(
        ["pool", "0", "''"],
        "episodes x JOIN (SELECT customer_id AS of_whom, max(id) AS newest FROM episodes WHERE customer_id {of} AND state = 1
                          GROUP BY customer_id, pool) n
         ON x.customer_id = n.of_whom AND x.id = n.newest",
    ),
    kind(["person", "0", "pool"], "pins x WHERE customer_id {of}"),
    kind(["''", "id", "''"], "episodes x WHERE customer_id {of}"),
    kind(["person", "0", "''"], "absences x WHERE customer_id {of}"),
    kind(["source", "day", "''"], "guard_days x WHERE customer_id {of}"),
];

/// Whether the episode of a row is open.
const OPEN: &str = "EXISTS (SELECT 1 FROM episodes e WHERE e.customer_id = x.customer_id AND e.id = x.episode AND e.state = 0)";

/// Columns: customer, place of the kind, text, number, text, body, and three numbers that only a customer's row has.
const ORDER: &str = "ORDER BY 2, 1, 3, 4, 5";

fn bodies(of: &str, until: u32) -> Vec<String> {
    let select = |(at, Kind { order: [first, number, second], from }): (u32, &Kind)| {
        let from = from.replace("{of}", of).replace("{continues}", &CONTINUES.to_string()).replace("{open}", OPEN);
        format!("SELECT x.customer_id, {at}, {first}, {number}, {second}, body, 0, 0, 0 FROM {from}")
    };
    (0..until).zip(&KINDS).map(select).collect()
}

static OF_POOLS: LazyLock<String> =
    LazyLock::new(|| format!("{} {ORDER}", bodies("BETWEEN ?1 AND ?2", PINS).join(" UNION ALL ")));

/// By kind; in its own order each by itself, and as one they are told apart.
static OF_ONE: LazyLock<Vec<String>> = LazyLock::new(|| {
    const OF: &str = "= (SELECT id FROM customers WHERE name = ?1)";
    let mut all = bodies(OF, HEAD);
    all.push(format!("SELECT id, {HEAD}, '', version, '', hash, at, next_claim, next_episode FROM customers WHERE name = ?1"));
    all.push(format!("SELECT customer_id, {NAMES} + kind, '', n, text, NULL, 0, 0, 0 FROM names WHERE customer_id {OF}"));
    all
});

/// A server is asked once.
static OF_ONE_AT_ONCE: LazyLock<Vec<String>> = LazyLock::new(|| vec![format!("{} {ORDER}", OF_ONE.join(" UNION ALL "))]);

/// SQLite merges the parts of a long statement one with the next, each row up to as often as there are parts.
static OF_ONE_BY_KIND: LazyLock<Vec<String>> = LazyLock::new(|| OF_ONE.iter().map(|kind| format!("{kind} {ORDER}")).collect());

/// What is read of one customer.
#[derive(Default)]
struct Light {
    head: Option<Head>,
    standing: Standing,
    episodes: Vec<Episode>,
}

impl Light {
    /// Takes a row in; rows come in the order of their kinds, and of their keys.
    fn take(&mut self, row: Row<'_>) -> Result<(), Fault> {
        let kind: u32 = row.get(1)?;
        let standing = &mut self.standing;
        match kind {
            GRANTS => standing.grants.push(body(row)?),
            AGREED => standing.agreed.push(body(row)?),
            CHAIN => standing.chain.push(body(row)?),
            TERMS => {
                let terms: PoolTerms = body(row)?;
                standing.terms.insert(terms.pool.clone(), terms);
            }
            SOURCES => {
                let mark: SourceMark = body(row)?;
                standing.sources.insert(mark.source.clone(), mark);
            }
            POOLS => drop(standing.pools.insert(pool(row)?, body::<PoolBooks>(row)?)),
            PHASES => drop(standing.phases.insert(pool(row)?, body::<Phase>(row)?)),
            REUSE => drop(standing.reuse.insert(pool(row)?, body::<ReuseYear>(row)?)),
            HOLD => standing.hold = Some(body(row)?),
            CLOCK => {
                let fact: ClockFact = body(row)?;
                standing.clock.entry(fact.episode).or_default().push(fact);
            }
            DELIVERIES => {
                let delivery: Delivery = body(row)?;
                if let Some(episode) = delivery.episode {
                    standing.deliveries.entry(episode).or_default().push(delivery);
                }
            }
            FORMER => {
                let episode: Episode = body(row)?;
                standing.former.insert(episode.pool.clone(), episode);
            }
            PINS => standing.pins.push(body(row)?),
            EPISODES => self.episodes.push(body(row)?),
            ABSENCES => standing.absences.push(body(row)?),
            GUARD_DAYS => standing.guard_days.push(body(row)?),
            HEAD => {
                self.head = Some(Head {
                    id: row.get(0)?,
                    version: Version(unsigned(row, 3)?),
                    hash: Digest(row.get(5)?),
                    at: Instant(row.get(6)?),
                    next_claim: ClaimId(unsigned(row, 7)?),
                    next_episode: EpisodeId(unsigned(row, 8)?),
                });
            }
            _ => names_next(&mut standing.book.names, kind - NAMES, unsigned(row, 3)?, text(row, 4)?)?,
        }
        Ok(())
    }
}

fn body<T: Record>(row: Row<'_>) -> Result<T, Fault> {
    unpack(blob(row, 5)?).map_err(Fault::unreadable(|| "a record of the books".to_owned()))
}

fn pool(row: Row<'_>) -> Result<PoolId, Fault> {
    text(row, 2).map(PoolId::from)
}

/// Everything but the claims, and the customer's row; `None`: nothing was ever written for it.
pub(in crate::store::sql) fn light(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Option<(Head, Standing)>, Fault> {
    let mut light = Light::default();
    let statements = if tx.pg().is_some() { &*OF_ONE_AT_ONCE } else { &*OF_ONE_BY_KIND };
    for statement in statements {
        let mut ask = tx.prepare_cached(statement)?;
        let mut rows = ask.query([customer.as_str()])?;
        while let Some(row) = rows.next()? {
            light.take(row)?;
        }
    }
    let Light { head, standing, episodes } = light;
    Ok(head.map(|head| (head, Standing { overage_ended: last_closed(&episodes), ..with_head(&head, standing) })))
}

/// What a customer's row says of its books.
pub(in crate::store::sql) fn with_head(head: &Head, standing: Standing) -> Standing {
    let Head { id: _, version, hash: _, at, next_claim, next_episode } = *head;
    Standing { version, at, next_claim, next_episode, ..standing }
}

/// What pools are and have, of many customers in the order in which they are asked for. Versions and counters of ids are the
/// customers' rows'.
pub(in crate::store::sql) fn standings_of_pools(tx: &Transaction<'_>, asked: &SideBySide) -> Result<Vec<Standing>, Fault> {
    let mut all: Vec<Light> = std::iter::repeat_with(Light::default).take(asked.len()).collect();
    asked.rows(tx, &OF_POOLS, |first, last| (first, last), |place, row| all[place].take(row))?;
    Ok(all.into_iter().map(|light| light.standing).collect())
}
