//! Reading the books: everything as of one version, or the part that was asked for.

use crate::store::sql::transaction::{OptionalExtension, Row, Transaction};

use crate::base::{ClaimId, CustomerId, Digest, EpisodeId, Instant, OrgId, PersonKey, PoolId, RunId, Version};
use crate::license::{Book, BookPerson, Claim, Episode, Gone, Hold, Names, NumberedSeat, NumberedSeats, PoolIx, ReuseYear};
use crate::store::record::{PageReader, Record, take_person, take_released, unpack};
use crate::store::shape::ReleasedClaim;
use crate::store::sql::fault::{Fault, of};

/// A customer's row.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sql) struct Head {
    pub(in crate::store::sql) id: i64,
    pub(in crate::store::sql) version: Version,
    pub(in crate::store::sql) hash: Digest,
    /// When the newest version was committed. A clock that was set back does not set the books back.
    pub(in crate::store::sql) at: Instant,
    pub(in crate::store::sql) next_claim: ClaimId,
    pub(in crate::store::sql) next_episode: EpisodeId,
}

pub(in crate::store::sql) fn head(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Option<Head>, Fault> {
    let mut ask = tx.prepare_cached(if tx.locks_rows() {
        // Whoever writes for a customer does so alone; others may go on reading.
        "SELECT id, version, hash, next_claim, next_episode, at FROM customers WHERE name = ?1 FOR NO KEY UPDATE"
    } else {
        "SELECT id, version, hash, next_claim, next_episode, at FROM customers WHERE name = ?1"
    })?;
    let found = ask
        .query_row([customer.as_str()], |row| {
            Ok(Head {
                id: row.get(0)?,
                version: Version(unsigned(row, 1)?),
                hash: Digest(row.get(2)?),
                next_claim: ClaimId(unsigned(row, 3)?),
                next_episode: EpisodeId(unsigned(row, 4)?),
                at: Instant(row.get(5)?),
            })
        })
        .optional()?;
    Ok(found)
}

/// Customers that were ever written, sorted.
pub(in crate::store::sql) fn customers(tx: &Transaction<'_>) -> Result<Vec<CustomerId>, Fault> {
    let mut ask = tx.prepare_cached("SELECT name FROM customers ORDER BY name")?;
    ask.query_map((), |row| row.get::<String>(0).map(CustomerId::new))
}

/// The customer's row; a new one if nothing was ever written for it.
pub(in crate::store::sql) fn head_or_new(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Head, Fault> {
    if let Some(head) = head(tx, customer)? {
        return Ok(head);
    }
    let made = "INSERT INTO customers (name, hash) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    tx.execute(made, (customer.as_str(), Digest::default().0))?;
    head(tx, customer)?.ok_or_else(|| Fault::corrupt(of("the row", customer), "it vanished"))
}

/// Whole numbers are stored bit by bit as signed ones.
pub(in crate::store::sql) fn unsigned(row: Row<'_>, at: usize) -> Result<u64, Fault> {
    row.get::<i64>(at).map(i64::cast_unsigned)
}

pub(in crate::store::sql) fn text<'r>(row: Row<'r>, at: usize) -> Result<&'r str, Fault> {
    row.get(at)
}

pub(in crate::store::sql) fn blob<'r>(row: Row<'r>, at: usize) -> Result<&'r [u8], Fault> {
    row.get(at)
}

pub(in crate::store::sql) fn names(tx: &Transaction<'_>, id: i64) -> Result<Names, Fault> {
    let mut names = Names::default();
    let mut ask = tx.prepare_cached("SELECT kind, n, text FROM names WHERE customer_id = ?1 ORDER BY kind, n")?;
    let mut rows = ask.query([id])?;
    while let Some(row) = rows.next()? {
        names_next(&mut names, row.get::<u32>(0)?, unsigned(row, 1)?, text(row, 2)?)?;
    }
    Ok(names)
}

/// Adds the next name of a kind, which is the one of that number.
pub(in crate::store::sql) fn names_next(names: &mut Names, kind: u32, n: u64, text: &str) -> Result<(), Fault> {
    let at = match kind {
        0 => {
            names.pools.push(PoolId::from(text));
            names.pools.len()
        }
        1 => {
            names.orgs.push(OrgId::from(text));
            names.orgs.len()
        }
        2 => {
            names.reasons.push(text.to_owned());
            names.reasons.len()
        }
        kind => return Err(Fault::corrupt("the names", format!("{kind} is no kind of name"))),
    };
    if n + 1 == at as u64 {
        return Ok(());
    }
    Err(Fault::corrupt("the names", format!("name {at} of kind {kind} is missing")))
}

/// Whether all of a claim's positions have words.
pub(in crate::store::sql) fn check_positions(claim: &Claim, names: &Names, person: &str) -> Result<(), Fault> {
    let Names { pools, orgs, reasons } = names;
    if (claim.pool.0 as usize) < pools.len()
        && (claim.home.0 as usize) < orgs.len()
        && (claim.reasons.0 as usize) < reasons.len()
    {
        return Ok(());
    }
    Err(Fault::corrupt(format!("claim {} of person {person}", claim.id), "its pool, org or reasons have no name"))
}

/// All records of one kind, in the order of their keys.
pub(in crate::store::sql) fn bodies<T: Record>(
    tx: &Transaction<'_>,
    table: &str,
    key: &str,
    customer: &CustomerId,
) -> Result<Vec<T>, Fault> {
    let mut ask = tx.prepare_cached(&format!(
        "SELECT body FROM {table} WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) ORDER BY {key}"
    ))?;
    let mut rows = ask.query([customer.as_str()])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(unpack(blob(row, 0)?).map_err(Fault::unreadable(|| format!("a record of {table}")))?);
    }
    Ok(all)
}

/// The license years by pool.
pub(in crate::store::sql) fn reuse_years(
    tx: &Transaction<'_>,
    id: i64,
) -> Result<std::collections::BTreeMap<PoolId, ReuseYear>, Fault> {
    let mut years = std::collections::BTreeMap::new();
    let mut ask = tx.prepare_cached("SELECT pool, body FROM reuse WHERE customer_id = ?1")?;
    let mut rows = ask.query([id])?;
    while let Some(row) = rows.next()? {
        let pool = PoolId::from(text(row, 0)?);
        let year = unpack(blob(row, 1)?).map_err(Fault::unreadable(|| format!("the license year of pool {pool}")))?;
        years.insert(pool, year);
    }
    Ok(years)
}

/// Who is gone, by pool; a pool whose people are counted has an item of its own.
pub(in crate::store::sql) fn gone(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Gone, Fault> {
    let Some(Head { id, .. }) = head(tx, customer)? else { return Ok(Gone::new()) };
    gone_of(tx, id, reuse_years(tx, id)?.into_keys())
}

/// The same, of pools whose people are counted.
pub(in crate::store::sql) fn gone_of(
    tx: &Transaction<'_>,
    id: i64,
    counted: impl Iterator<Item = PoolId>,
) -> Result<Gone, Fault> {
    let mut gone: Gone = counted.map(|pool| (pool, Default::default())).collect();
    if gone.is_empty() {
        return Ok(gone);
    }
    let mut ask = tx.prepare_cached("SELECT person, pool FROM gone WHERE customer_id = ?1")?;
    let mut rows = ask.query([id])?;
    while let Some(row) = rows.next()? {
        if let Some(people) = gone.get_mut(text(row, 1)?) {
            people.insert(text(row, 0)?.into());
        }
    }
    Ok(gone)
}

/// The numbered seats of all pools that have them.
pub(in crate::store::sql) fn numbered_seats(
    tx: &Transaction<'_>,
    customer: &CustomerId,
) -> Result<std::collections::BTreeMap<PoolId, NumberedSeats>, Fault> {
    let mut all: std::collections::BTreeMap<PoolId, NumberedSeats> = std::collections::BTreeMap::new();
    let mut ask = tx.prepare_cached(
        "SELECT pool, number, people, person FROM numbered_seats
         WHERE customer_id = (SELECT id FROM customers WHERE name = ?1)",
    )?;
    let mut rows = ask.query([customer.as_str()])?;
    while let Some(row) = rows.next()? {
        let person = row.get::<Option<String>>(3)?.map(PersonKey::new);
        let seat = NumberedSeat { number: row.get(1)?, people: row.get(2)?, person };
        all.entry(PoolId::from(text(row, 0)?)).or_default().put(seat);
    }
    Ok(all)
}

/// All holds of a customer, newest first.
pub(in crate::store::sql) fn holds(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<Hold>, Fault> {
    bodies(tx, "holds", "run DESC", customer)
}

pub(in crate::store::sql) fn unreadable_person(person: &str) -> impl FnOnce(crate::store::record::DecodeError) -> Fault {
    Fault::unreadable(move || format!("the claims of person {person}"))
}

/// Adds a person with the claims that `read` finds.
pub(in crate::store::sql) fn add_person(
    book: &mut Book,
    person: &str,
    read: impl FnOnce(&mut Vec<Claim>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let first = book.claims.len();
    read(&mut book.claims)?;
    for claim in &book.claims[first..] {
        check_positions(claim, &book.names, person)?;
    }
    let first = u32::try_from(first).map_err(|_| Fault::corrupt("the claims", "there are more than 2³²"))?;
    let key = book.keys.push(person).map_err(|full| Fault::corrupt("the claims", full))?;
    book.people.push(BookPerson { key, first });
    Ok(())
}

/// Hands on the people of a page one after the other, until one is the last that is wanted.
pub(in crate::store::sql) fn read_page(
    first: &str,
    body: &[u8],
    mut hand: impl FnMut(&str, &[Claim]) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let unreadable = || Fault::unreadable(|| format!("the page of claims from person {first} on"));
    let mut page = PageReader::open(first, body).map_err(unreadable())?;
    while let Some((key, claims)) = page.next().map_err(unreadable())? {
        if !hand(key, claims)? {
            break;
        }
    }
    Ok(())
}

/// A page holds nobody who comes behind the first of the next page.
pub(in crate::store::sql) fn overlap(next: &str) -> Fault {
    Fault::corrupt(format!("the page of claims from person {next} on"), "the page before it goes further")
}

/// The open claims of one person.
fn person_claims(tx: &Transaction<'_>, id: i64, person: &str) -> Result<Vec<Claim>, Fault> {
    let mut found = Vec::new();
    let mut ask =
        tx.prepare_cached("SELECT first, body FROM claims WHERE customer_id = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1")?;
    let mut rows = ask.query((id, person))?;
    if let Some(row) = rows.next()? {
        read_page(text(row, 0)?, blob(row, 1)?, |key, claims| {
            if key == person {
                found.extend_from_slice(claims);
            }
            Ok(key < person)
        })?;
    }
    Ok(found)
}

pub(in crate::store::sql) fn claims_of(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    person: &str,
) -> Result<(Names, Vec<Claim>), Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Default::default()) };
    let (names, claims) = (names(tx, head.id)?, person_claims(tx, head.id, person)?);
    claims.iter().try_for_each(|claim| check_positions(claim, &names, person))?;
    Ok((names, claims))
}

pub(in crate::store::sql) fn released(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    person: Option<&str>,
) -> Result<Vec<ReleasedClaim>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    add_released(tx, head.id, &names(tx, head.id)?, person, &mut all)?;
    Ok(all)
}

/// Those of each of these people.
pub(in crate::store::sql) fn released_of(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    people: &[&str],
) -> Result<Vec<ReleasedClaim>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Vec::new()) };
    let names = names(tx, head.id)?;
    let mut all = Vec::new();
    for person in people {
        add_released(tx, head.id, &names, Some(person), &mut all)?;
    }
    Ok(all)
}

fn add_released(
    tx: &Transaction<'_>,
    id: i64,
    names: &Names,
    person: Option<&str>,
    all: &mut Vec<ReleasedClaim>,
) -> Result<(), Fault> {
    let mut ask = match person {
        Some(_) => tx.prepare_cached(
            "SELECT person, run, body FROM released WHERE customer_id = ?1 AND person = ?2 ORDER BY version, n",
        )?,
        None => tx.prepare_stream(
            "SELECT person, run, body FROM released WHERE customer_id = ?1 AND CAST(?2 AS TEXT) IS NULL
             ORDER BY version, person, n",
        )?,
    };
    let mut rows = ask.query((id, person))?;
    while let Some(row) = rows.next()? {
        let person = text(row, 0)?;
        let (claim, because) =
            take_released(blob(row, 2)?).map_err(Fault::unreadable(|| format!("a released claim of person {person}")))?;
        check_positions(&claim, names, person)?;
        all.push(ReleasedClaim {
            person: PersonKey::from(person),
            claim,
            pool: names.pool_of(&claim).clone(),
            home: names.home_of(&claim).clone(),
            reasons: names.reasons_of(&claim).to_owned(),
            because,
            run: row.get::<Option<i64>>(1)?.map(|run| RunId(run.cast_unsigned())),
        });
    }
    Ok(())
}

/// The queue as a book whose people stand in queue order, one entry per waiting claim.
pub(in crate::store::sql) fn queue(tx: &Transaction<'_>, customer: &CustomerId, pool: Option<&PoolId>) -> Result<Book, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Book::default()) };
    let mut book = Book { names: names(tx, head.id)?, ..Book::default() };
    let pool = match pool.map(|pool| book.names.find_pool(pool)) {
        // A pool that was never named has no queue.
        Some(None) => return Ok(book),
        Some(Some(PoolIx(pool))) => Some(pool),
        None => None,
    };
    let ask = match pool {
        Some(_) => "SELECT person, body FROM waiting WHERE customer_id = ?1 AND pool = ?2 ORDER BY rank, since, person, claim",
        None => {
            "SELECT person, body FROM waiting WHERE customer_id = ?1 AND CAST(?2 AS BIGINT) IS NULL
             ORDER BY rank, since, person, pool, claim"
        }
    };
    let mut ask = tx.prepare_stream(ask)?;
    let mut rows = ask.query((head.id, pool))?;
    while let Some(row) = rows.next()? {
        let person = text(row, 0)?;
        add_person(&mut book, person, |claims| take_person(blob(row, 1)?, claims).map_err(unreadable_person(person)))?;
    }
    Ok(book)
}

pub(in crate::store::sql) fn used_by_org(
    tx: &Transaction<'_>,
    customer: &CustomerId,
) -> Result<Vec<(PoolId, OrgId, u32)>, Fault> {
    let Some(head) = head(tx, customer)? else { return Ok(Vec::new()) };
    let names = names(tx, head.id)?;
    let mut ask = tx.prepare_cached("SELECT pool, org, used FROM used_by_org WHERE customer_id = ?1")?;
    let mut rows = ask.query([head.id])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let (pool, org) = (row.get::<u16>(0)?, row.get::<u32>(1)?);
        let (Some(pool), Some(org)) = (names.pools.get(pool as usize), names.orgs.get(org as usize)) else {
            return Err(Fault::corrupt("the seats used by org", "a pool or org has no name"));
        };
        all.push((pool.clone(), org.clone(), row.get(2)?));
    }
    all.sort_unstable();
    Ok(all)
}

pub(in crate::store::sql) fn episodes(tx: &Transaction<'_>, customer: &CustomerId) -> Result<Vec<Episode>, Fault> {
    bodies(tx, "episodes", "id DESC", customer)
}

pub(in crate::store::sql) fn episode(
    tx: &Transaction<'_>,
    customer: &CustomerId,
    episode: EpisodeId,
) -> Result<Option<Episode>, Fault> {
    let body: Option<Vec<u8>> = tx
        .prepare_cached("SELECT body FROM episodes WHERE customer_id = (SELECT id FROM customers WHERE name = ?1) AND id = ?2")?
        .query_row((customer.as_str(), episode.0.cast_signed()), |row| row.get(0))
        .optional()?;
    body.map(|body| unpack(&body).map_err(Fault::unreadable(|| format!("episode {episode}")))).transpose()
}
