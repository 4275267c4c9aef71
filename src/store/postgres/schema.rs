//! The tables, made from the one description that SQLite has too, and those that only several nodes need.

use crate::store::api::Opening;
use crate::store::error::StoreError;
use crate::store::sql::{BESIDE, FIRST, Fault, PgSession, Row, Value, tables};

/// Whoever changes the schema holds this lock until the end of its transaction.
const LOCK: i64 = 0x726f_7374_6572_6400;

/// Tables that a store on one machine has no use for.
const NODES: &str = "
-- How far the schema is; the oldest that a program may know to work on it; whether a daemon ever did; when one of the nodes last
-- looked at what the minute asks for.
CREATE TABLE rosterd (
    schema INTEGER NOT NULL,
    compatible INTEGER NOT NULL,
    served INTEGER NOT NULL DEFAULT 0,
    minute TIMESTAMPTZ NOT NULL DEFAULT '-infinity'
);

-- Processes that write to the store. One that is not seen for too long is struck off, and what it worked on is free.
CREATE TABLE nodes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    -- Since when it is seen without a gap.
    steady TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
    since INTEGER NOT NULL,
    daemon INTEGER NOT NULL,
    -- The newest schema its program knows.
    schema INTEGER NOT NULL,
    seen TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
);

-- When the next request to an upstream may start, and those under way, each by a number of its node's.
CREATE TABLE upstream_pace (
    upstream TEXT PRIMARY KEY,
    next TIMESTAMPTZ NOT NULL
);
CREATE TABLE upstream_places (
    upstream TEXT NOT NULL,
    node INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (node, number)
);
CREATE INDEX upstream_places_upstream ON upstream_places (upstream);
";

/// A step from one schema to the next.
struct Step {
    /// What is done.
    parts: &'static [&'static str],
    /// The oldest schema that a program may know to go on beside it. A step that only adds what older programs do not look at
    /// names the schema before it: then nodes are renewed one after the other. One that they would trip over names itself.
    compatible: u32,
}

/// Steps from an empty database on.
const STEPS: [Step; 1] = [Step { parts: &[NODES, FIRST, BESIDE], compatible: 1 }];

/// The newest schema this program knows.
pub(in crate::store::postgres) const NEWEST: u32 = STEPS.len() as u32;

/// What a database says of its schema; all zero: there are no tables yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    schema: u32,
    /// The oldest that a program may know to work on it.
    compatible: u32,
}

/// What becomes of a database that was found.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// It is used as it is.
    Use,
    /// It is made, or brought to the newest schema.
    Bring,
    /// It is not there.
    Absent,
    /// A daemon brings it to the newest schema, and nobody else.
    Older,
    /// This program is too old for it.
    Newer,
}

fn verdict(found: Found, newest: u32, opening: Opening) -> Verdict {
    match (found.schema, opening) {
        (schema, _) if schema == newest || (schema > newest && found.compatible <= newest) => Verdict::Use,
        (schema, _) if schema > newest => Verdict::Newer,
        (0, Opening::Existing) => Verdict::Absent,
        (1.., Opening::Existing | Opening::Writing) => Verdict::Older,
        _ => Verdict::Bring,
    }
}

/// Makes the tables, or brings them to the newest schema, as far as `opening` allows. Nodes of an older program go on beside a
/// newer schema that is compatible; while they live, one that is not is refused.
pub(in crate::store::postgres) fn prepare(session: &PgSession, opening: Opening, place: &str) -> Result<(), Fault> {
    let found = found(session)?;
    let place = place.to_owned();
    let refused = match verdict(found, NEWEST, opening) {
        Verdict::Use => return Ok(()),
        Verdict::Bring => {
            session.batch("BEGIN")?;
            let taken = steps(session, &place);
            session.batch(if taken.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            return taken;
        }
        Verdict::Absent => StoreError::Absent { place },
        Verdict::Older => StoreError::SchemaOlder { place, found: found.schema, known: NEWEST },
        Verdict::Newer => StoreError::SchemaNewer { place, found: found.schema, known: NEWEST },
    };
    Err(refused.into())
}

fn steps(session: &PgSession, place: &str) -> Result<(), Fault> {
    // Given up with the transaction. Another process may have taken the steps meanwhile.
    session.ask("SELECT CAST(pg_advisory_xact_lock(?1) AS TEXT)", &[Value::Integer(LOCK)])?;
    let found = found(session)?;
    let missing = STEPS.get(found.schema as usize..).unwrap_or_default();
    let Some(compatible) = missing.iter().map(|step| step.compatible).max() else { return Ok(()) };
    if is_there(session, "nodes")? {
        let lives = "seen >= clock_timestamp() - CAST(?2 AS BIGINT) * INTERVAL '1 second'";
        let ask = format!("SELECT count(*) FROM nodes WHERE schema < ?1 AND {lives}");
        let values = [Value::Integer(compatible.into()), Value::Integer(session.lease_secs().into())];
        let nodes: Option<u32> = session.ask(&ask, &values)?.next()?.map(|row| Row::Pg(row).get(0)).transpose()?;
        if let nodes @ 1.. = nodes.unwrap_or(0) {
            return Err(StoreError::OlderNodes { place: place.to_owned(), nodes, known: NEWEST }.into());
        }
    }
    for step in missing {
        for part in step.parts {
            session.batch(&translated(part))?;
        }
    }
    session.batch(&match found.schema {
        0 => format!("INSERT INTO rosterd (schema, compatible) VALUES ({NEWEST}, {compatible})"),
        _ => format!("UPDATE rosterd SET schema = {NEWEST}, compatible = greatest(compatible, {compatible})"),
    })?;
    Ok(())
}

fn found(session: &PgSession) -> Result<Found, Fault> {
    if !is_there(session, "rosterd")? {
        return Ok(Found::default());
    }
    let found = session.ask("SELECT schema, compatible FROM rosterd", &[])?.next()?.map(|row| {
        let row = Row::Pg(row);
        Ok::<_, Fault>(Found { schema: row.get(0)?, compatible: row.get(1)? })
    });
    Ok(found.transpose()?.unwrap_or_default())
}

/// Whether there is a table. Asked of the rows that describe tables: what a session remembers of names may be older than the lock
/// that it waited for.
fn is_there(session: &PgSession, table: &str) -> Result<bool, Fault> {
    let ask = "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = ?1)";
    let there = session.ask(ask, &[Value::Text(table)])?.next()?.map(|row| Row::Pg(row).get(0));
    Ok(there.transpose()?.unwrap_or(false))
}

/// Tables with a customer, whose references nobody checks row by row: customers are never deleted.
pub(in crate::store::postgres) fn tables_of_customers() -> Vec<&'static str> {
    tables().into_iter().filter(|table| table.columns.contains(&"customer_id")).map(|table| table.name).collect()
}

/// A description of tables in PostgreSQL's words. Whole numbers have 64 bits; texts sort by their bytes; a trigger has a
/// function of its name.
fn translated(sqlite: &str) -> String {
    let mut parts = sqlite.split("CREATE TRIGGER ");
    let mut sql = tables_translated(parts.next().unwrap_or_default());
    for part in parts {
        let (trigger, rest) = part.split_once("END;").unwrap_or((part, ""));
        sql += &trigger_translated(trigger).unwrap_or_default();
        sql += &tables_translated(rest);
    }
    sql
}

fn tables_translated(sqlite: &str) -> String {
    sqlite
        .replace(" STRICT, WITHOUT ROWID;", ";")
        .replace(" STRICT;", ";")
        .replace(" REFERENCES customers (id)", "")
        .replace("id INTEGER PRIMARY KEY AUTOINCREMENT", "id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace("    id INTEGER PRIMARY KEY", "    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace("    n INTEGER PRIMARY KEY", "    n BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY")
        .replace(" INTEGER", " BIGINT")
        .replace(" BLOB", " BYTEA")
        .replace(" TEXT", " TEXT COLLATE \"C\"")
}

/// `NAME BEFORE DELETE|UPDATE ON TABLE [WHEN CONDITION] BEGIN SELECT RAISE(ABORT, 'WHY');`
fn trigger_translated(trigger: &str) -> Option<String> {
    let (head, why) = trigger.split_once("BEGIN SELECT RAISE(ABORT, ")?;
    let why = why.trim_end().strip_suffix(");")?;
    let (head, condition) = head.split_once("WHEN ").unwrap_or((head, "true"));
    let (name, when) = head.trim_end().split_once(' ')?;
    let row = if when.contains("DELETE") { "OLD" } else { "NEW" };
    Some(format!(
        "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN IF {condition} THEN RAISE EXCEPTION '%', {why}; END IF; RETURN {row}; END $$;
         CREATE TRIGGER {name} {when} FOR EACH ROW EXECUTE FUNCTION {name}();"
    ))
}

#[cfg(test)]
mod tests {
    use crate::store::api::Opening;
    use crate::store::postgres::schema::{Found, STEPS, Verdict, tables_of_customers, translated, verdict};

    #[test]
    fn tables_are_told_in_postgresqls_words() {
        assert_eq!(
            translated(
                "CREATE TABLE t (\n    id INTEGER PRIMARY KEY,\n    a TEXT NOT NULL,\n    b BLOB\n) STRICT, WITHOUT ROWID;"
            ),
            "CREATE TABLE t (\n    id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,\n    a TEXT COLLATE \"C\" NOT NULL,\n    b BYTEA\n);"
        );
        let trigger =
            translated("CREATE TRIGGER k BEFORE DELETE ON t\nWHEN OLD.n = 0\nBEGIN SELECT RAISE(ABORT, 'kept'); END;\n");
        assert!(
            trigger.contains("BEGIN IF OLD.n = 0\n THEN RAISE EXCEPTION '%', 'kept'; END IF; RETURN OLD; END $$"),
            "{trigger}"
        );
        assert!(trigger.contains("CREATE TRIGGER k BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION k();"), "{trigger}");
    }

    #[test]
    fn a_newer_schema_is_used_if_it_says_so() {
        let of = |schema, compatible, opening| verdict(Found { schema, compatible }, 3, opening);
        for opening in [Opening::Existing, Opening::Writing, Opening::Daemon] {
            assert_eq!(of(3, 2, opening), Verdict::Use);
            assert_eq!(of(4, 3, opening), Verdict::Use, "one version further, and it only added something");
            assert_eq!(of(5, 3, opening), Verdict::Use);
            assert_eq!(of(4, 4, opening), Verdict::Newer);
        }
        assert_eq!(
            [Opening::Existing, Opening::Writing, Opening::Daemon].map(|o| of(2, 2, o)),
            [Verdict::Older, Verdict::Older, Verdict::Bring]
        );
        assert_eq!(
            [Opening::Existing, Opening::Writing, Opening::Daemon].map(|o| of(0, 0, o)),
            [Verdict::Absent, Verdict::Bring, Verdict::Bring]
        );
        assert!(STEPS.iter().zip(1..).all(|(step, schema)| step.compatible <= schema), "no step shuts itself out");
    }

    #[test]
    fn tables_of_customers_are_known() {
        let tables = tables_of_customers();
        assert!(tables.contains(&"claims") && tables.contains(&"runs") && tables.len() > 20, "{tables:?}");
        assert!(!tables.contains(&"customers") && !tables.contains(&"nodes"));
    }
}
