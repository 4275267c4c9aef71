//! All rows of one store into another, empty one, whatever databases they are in.

use crate::store::error::StoreError;
use crate::store::sql::door::Door;
use crate::store::sql::fault::Fault;
use crate::store::sql::first::FIRST;
use crate::store::sql::first_beside::BESIDE;
use crate::store::sql::many::Many;
use crate::store::sql::transaction::{Row, Transaction};
use crate::store::sql::value::{Params, Value};

/// So many rows are held at once; chunks of snapshots are the longest.
const ROWS_AT_ONCE: u32 = 64;

/// A table as the schema describes it.
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: Vec<&'static str>,
    /// The one that the database numbers by itself.
    pub numbered: Option<&'static str>,
}

/// All tables of a store, each after those it refers to.
pub fn tables() -> Vec<Table> {
    let described = [FIRST, BESIDE].into_iter().flat_map(|part| part.split("CREATE TABLE ").skip(1));
    let table = |text: &'static str| {
        let (name, rest) = text.split_once(" (\n")?;
        let lines = rest.lines().take_while(|line| !line.starts_with(')')).filter_map(|line| {
            let mut words = line.split_ascii_whitespace();
            let name = words.next()?;
            let kind = words.next()?.trim_end_matches(',');
            matches!(kind, "INTEGER" | "TEXT" | "BLOB").then_some(name)
        });
        let columns: Vec<&str> = lines.collect();
        let numbered = columns.first().copied().filter(|first| rest.contains(&format!("    {first} INTEGER PRIMARY KEY")));
        Some(Table { name, columns, numbered: numbered.filter(|first| *first != "customer_id") })
    };
    described.filter_map(table).collect()
}

/// A row as it was read.
struct Whole<'r> {
    values: Vec<Value<'r>>,
}

impl Params for Whole<'_> {
    fn with<T>(&self, act: impl FnOnce(&[Value<'_>]) -> T) -> T {
        act(&self.values)
    }
}

/// Copies everything, in one transaction on either side. Returns how many rows of each table.
///
/// # Errors
/// [`StoreError::Occupied`] when the other store has anything in it.
pub fn copy(from: &impl Door, to: &impl Door) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let place = to.place().to_owned();
    let copied = from.read(|source| {
        Ok(to.write(|target| {
            let mut counts = Vec::new();
            for table in tables() {
                let there = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
                if target.query_row(&there, (), |row| row.get::<bool>(0))? {
                    return Err(StoreError::Occupied { place: place.clone() }.into());
                }
                counts.push((table.name, copy_table(source, target, &table)?));
            }
            Ok(counts)
        })?)
    })?;
    Ok(copied)
}

fn copy_table(source: &Transaction<'_>, target: &Transaction<'_>, table: &Table) -> Result<u64, Fault> {
    let Table { name, columns, numbered: _ } = table;
    let mut ask = source.prepare_long(&format!("SELECT {} FROM {name}", columns.join(", ")), ROWS_AT_ONCE)?;
    let mut write = Many::add(target, name, columns)?;
    let mut rows = ask.query(())?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        write.write(whole(row, columns.len())?)?;
        count += 1;
    }
    write.flush()?;
    if let (Some(session), Some(numbered), 1..) = (target.pg(), table.numbered, count) {
        // Numbers go on where they were.
        let go_on = format!("SELECT setval(pg_get_serial_sequence('{name}', '{numbered}'), max({numbered})) FROM {name}");
        session.ask(&go_on, &[])?;
    }
    Ok(count)
}

fn whole(row: Row<'_>, columns: usize) -> Result<Whole<'_>, Fault> {
    Ok(Whole { values: (0..columns).map(|at| row.get(at)).collect::<Result<_, _>>()? })
}

#[cfg(test)]
mod tests {
    use crate::store::sql::copy::tables;

    #[test]
    fn the_schema_tells_its_tables_and_columns() {
        let tables = tables();
        let columns = |name: &str| tables.iter().find(|table| table.name == name).map(|table| table.columns.clone());
        assert_eq!(columns("purged"), Some(vec!["customer_id", "at"]));
        assert_eq!(columns("claims"), Some(vec!["customer_id", "first", "body"]));
        assert_eq!(columns("tokens").map(|columns| columns.len()), Some(10));
        let at = |name: &str| tables.iter().position(|table| table.name == name);
        let numbered = |name: &str| tables.iter().find(|table| table.name == name).and_then(|table| table.numbered);
        assert_eq!(["runs", "clock", "purged", "grants"].map(numbered), [Some("id"), Some("n"), None, None]);
        assert!(at("customers") == Some(0) && at("requests") < at("same_day") && at("runs") < at("findings"));
    }
}
