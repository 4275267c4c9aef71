//! The first step of the schema: the books, and what runs keep.

/// What is asked by key or sorted by is a column; everything else lies in `body`, a versioned record.
pub const FIRST: &str = "
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL DEFAULT 0,
    hash BLOB NOT NULL,
    -- When the newest version was committed.
    at INTEGER NOT NULL DEFAULT (-9223372036854775807 - 1),
    next_claim INTEGER NOT NULL DEFAULT 1,
    next_episode INTEGER NOT NULL DEFAULT 1
) STRICT;

-- The words behind the positions in claims. Kinds: 0 pools, 1 orgs, 2 reasons. Only ever grows.
CREATE TABLE names (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    kind INTEGER NOT NULL,
    n INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (customer_id, kind, n)
) STRICT, WITHOUT ROWID;

-- Open claims, in pages of some dozens of people: who the first one is, and everybody up to the next page. Rows have an id of
-- their own, which spares them from lying in an index.
CREATE TABLE claims (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    first TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, first)
) STRICT;

CREATE TABLE released (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    person TEXT NOT NULL,
    version INTEGER NOT NULL,
    n INTEGER NOT NULL,
    run INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, person, version, n)
) STRICT, WITHOUT ROWID;

-- The queue, in its order (R42); rank is the priority negated.
CREATE TABLE waiting (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    since INTEGER NOT NULL,
    person TEXT NOT NULL,
    claim INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, pool, rank, since, person, claim)
) STRICT, WITHOUT ROWID;

CREATE TABLE used_by_org (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool INTEGER NOT NULL,
    org INTEGER NOT NULL,
    used INTEGER NOT NULL CHECK (used > 0),
    PRIMARY KEY (customer_id, pool, org)
) STRICT, WITHOUT ROWID;

CREATE TABLE terms (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, pool)
) STRICT, WITHOUT ROWID;

-- Terms of pools as last recorded, and where each pool is in its chain of them.
CREATE TABLE chain (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    term TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, term)
) STRICT, WITHOUT ROWID;

CREATE TABLE phases (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, pool)
) STRICT, WITHOUT ROWID;

-- The people of pools' license years (R81): as numbers, and who had a seat in the year and has none now.
CREATE TABLE reuse (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    year INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, pool)
) STRICT, WITHOUT ROWID;

CREATE TABLE gone (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    person TEXT NOT NULL,
    pool TEXT NOT NULL,
    PRIMARY KEY (customer_id, person, pool)
) STRICT, WITHOUT ROWID;

-- Seats with numbers (R84): how many people had each in the year, and who has it.
CREATE TABLE numbered_seats (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    number INTEGER NOT NULL,
    people INTEGER NOT NULL,
    person TEXT,
    PRIMARY KEY (customer_id, pool, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE pools (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, pool)
) STRICT, WITHOUT ROWID;

CREATE TABLE episodes (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    id INTEGER NOT NULL,
    pool TEXT NOT NULL,
    -- 0 open, 1 closed, 2 void.
    state INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX episodes_pool ON episodes (customer_id, pool, state, id);

-- What clocks of overages wrote down; without an episode, of a pool as such.
CREATE TABLE clock (
    n INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    episode INTEGER,
    step INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX clock_episode ON clock (customer_id, episode);

CREATE TABLE deliveries (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    key TEXT NOT NULL,
    channel TEXT NOT NULL,
    episode INTEGER,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, key, channel)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_episode ON deliveries (customer_id, episode);

CREATE TABLE grants (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE agreed (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE pins (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    person TEXT NOT NULL,
    pool TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, person, pool)
) STRICT, WITHOUT ROWID;

CREATE TABLE absences (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    person TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    snapshot BLOB NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX sources_snapshot ON sources (snapshot);

CREATE TABLE notices (
    n INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    key TEXT NOT NULL,
    kind INTEGER NOT NULL,
    pool TEXT,
    source TEXT,
    at INTEGER NOT NULL,
    text TEXT NOT NULL,
    -- Whether it was given to the channels that carry it.
    routed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (customer_id, key)
) STRICT;

CREATE INDEX notices_customer ON notices (customer_id, n);
CREATE INDEX notices_unrouted ON notices (n) WHERE routed = 0;

-- The trail. Chunk 0 of a commit holds the names it added, the others its changes and entries.
CREATE TABLE audit (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    run INTEGER,
    plan BLOB,
    verb TEXT NOT NULL,
    changes INTEGER NOT NULL,
    entries INTEGER NOT NULL,
    parent_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (customer_id, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_run ON audit (run) WHERE run IS NOT NULL;

CREATE TABLE audit_chunk (
    customer_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, version, n),
    FOREIGN KEY (customer_id, version) REFERENCES audit (customer_id, version) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE snapshots (
    digest BLOB NOT NULL PRIMARY KEY,
    -- The snapshot whose difference from it is kept; NULL: it is kept whole.
    base BLOB REFERENCES snapshots (digest) DEFERRABLE INITIALLY DEFERRED,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    people INTEGER NOT NULL,
    enrollments INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX snapshots_customer ON snapshots (customer_id);
CREATE INDEX snapshots_base ON snapshots (base) WHERE base IS NOT NULL;

CREATE TABLE snapshot_chunk (
    digest BLOB NOT NULL REFERENCES snapshots (digest) DEFERRABLE INITIALLY DEFERRED,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (digest, n)
) STRICT;

CREATE TABLE plans (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    id BLOB NOT NULL,
    short INTEGER NOT NULL,
    PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_chunk (
    customer_id INTEGER NOT NULL,
    plan BLOB NOT NULL,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, plan, n),
    FOREIGN KEY (customer_id, plan) REFERENCES plans (customer_id, id)
) STRICT;

CREATE TABLE plan_snapshot (
    customer_id INTEGER NOT NULL,
    plan BLOB NOT NULL,
    snapshot BLOB NOT NULL,
    PRIMARY KEY (customer_id, plan, snapshot),
    FOREIGN KEY (customer_id, plan) REFERENCES plans (customer_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    trigger BLOB NOT NULL,
    state INTEGER NOT NULL,
    began INTEGER NOT NULL,
    ended INTEGER,
    plan BLOB,
    version INTEGER,
    body BLOB NOT NULL,
    -- The process that works on it.
    process TEXT NOT NULL
) STRICT;
CREATE INDEX runs_customer ON runs (customer_id, id);
CREATE INDEX runs_state ON runs (state);

CREATE TABLE rejected (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES runs (id),
    digest BLOB NOT NULL,
    PRIMARY KEY (customer_id, source, run, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX rejected_run ON rejected (run);

CREATE TABLE findings (
    run INTEGER NOT NULL REFERENCES runs (id),
    n INTEGER NOT NULL,
    source TEXT NOT NULL,
    level TEXT NOT NULL,
    rule TEXT NOT NULL,
    file TEXT NOT NULL,
    row INTEGER NOT NULL,
    record TEXT NOT NULL,
    field TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (run, n)
) STRICT, WITHOUT ROWID;

-- Snapshots up to here must go: they name somebody who was deleted for good. The row is there until they are gone.
CREATE TABLE purged (
    customer_id INTEGER PRIMARY KEY REFERENCES customers (id),
    at INTEGER NOT NULL
) STRICT;

-- States: 0 queued, 1 running, 2 done. At most one runs per customer (R99).
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    trigger BLOB NOT NULL,
    at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    run INTEGER,
    taken INTEGER,
    ended INTEGER,
    settled INTEGER NOT NULL DEFAULT 0,
    -- The process that works on it.
    process TEXT
) STRICT;
CREATE INDEX requests_unsettled ON requests (customer_id, id) WHERE settled = 0;
CREATE INDEX requests_queued ON requests (id) WHERE state = 0;
CREATE UNIQUE INDEX requests_running ON requests (customer_id) WHERE state = 1;

-- Scheduled wishes by local date (R95), also those that joined another request. Kinds: 0 nights, 1 dates.
CREATE TABLE scheduled (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    kind INTEGER NOT NULL,
    day INTEGER NOT NULL,
    at INTEGER NOT NULL,
    request INTEGER NOT NULL REFERENCES requests (id),
    PRIMARY KEY (customer_id, kind, day)
) STRICT, WITHOUT ROWID;

-- Holds by the run that opened them. One that waits is open, or approved and not done yet.
CREATE TABLE holds (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    run INTEGER NOT NULL,
    waits INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, run)
) STRICT, WITHOUT ROWID;

-- What passed the guards lately, by source and local date.
CREATE TABLE guard_days (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    day INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, source, day)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER audit_chunk_kept BEFORE DELETE ON audit_chunk
WHEN NOT EXISTS (SELECT 1 FROM archives WHERE customer_id = OLD.customer_id AND OLD.version <= until) OR OLD.n = 0
BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER audit_chunk_fixed BEFORE UPDATE ON audit_chunk BEGIN SELECT RAISE(ABORT, 'the trail is append-only'); END;
CREATE TRIGGER released_kept BEFORE DELETE ON released BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER released_fixed BEFORE UPDATE ON released BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER clock_kept BEFORE DELETE ON clock BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER clock_fixed BEFORE UPDATE ON clock BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER deliveries_kept BEFORE DELETE ON deliveries BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER deliveries_fixed BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER names_kept BEFORE DELETE ON names BEGIN SELECT RAISE(ABORT, 'names only grow'); END;
CREATE TRIGGER names_fixed BEFORE UPDATE ON names BEGIN SELECT RAISE(ABORT, 'names only grow'); END;
CREATE TRIGGER snapshots_fixed BEFORE UPDATE ON snapshots BEGIN SELECT RAISE(ABORT, 'snapshots are immutable'); END;
CREATE TRIGGER snapshot_chunk_fixed BEFORE UPDATE ON snapshot_chunk BEGIN SELECT RAISE(ABORT, 'snapshots are immutable'); END;
CREATE TRIGGER plans_fixed BEFORE UPDATE ON plans BEGIN SELECT RAISE(ABORT, 'plans are immutable'); END;
CREATE TRIGGER plan_chunk_fixed BEFORE UPDATE ON plan_chunk BEGIN SELECT RAISE(ABORT, 'plans are immutable'); END;

-- Wishes for same-day runs (R96, R98), also those that joined another request.
CREATE TABLE same_day (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    day INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    request INTEGER NOT NULL REFERENCES requests (id),
    settled INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX same_day_used ON same_day (customer_id, day);
CREATE INDEX same_day_open ON same_day (customer_id, id) WHERE settled = 0;

-- All orgs ever delivered, as they last were.
CREATE TABLE orgs (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    org TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, org)
) STRICT, WITHOUT ROWID;

-- What a pool came to with each commit that changed it (R149); no allowance: unlimited.
CREATE TABLE samples (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    used INTEGER NOT NULL,
    allowance INTEGER,
    PRIMARY KEY (customer_id, pool, version)
) STRICT, WITHOUT ROWID;

-- How each pool stood when it was last looked at (R145, R152).
CREATE TABLE watches (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    pool TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, pool)
) STRICT, WITHOUT ROWID;

-- Who logged in when, of all products ('') or one; only the newest. And when a feed last told.
CREATE TABLE activity (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    person TEXT NOT NULL,
    product TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, person, product)
) STRICT, WITHOUT ROWID;
-- Log-ins that a dry run read: those of its plan, if that is applied.
CREATE TABLE activity_planned (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    run INTEGER NOT NULL REFERENCES runs (id),
    person TEXT NOT NULL,
    product TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (run, person, product)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_planned_person ON activity_planned (customer_id, person);
CREATE TABLE activity_feeds (
    customer_id INTEGER PRIMARY KEY REFERENCES customers (id),
    at INTEGER NOT NULL
) STRICT;

-- Requests for more seats (R155).
CREATE TABLE seat_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    body BLOB NOT NULL
) STRICT;
CREATE INDEX seat_requests_customer ON seat_requests (customer_id, id);

-- Pauses by hand (R108); one that was lifted keeps who lifted it.
CREATE TABLE pauses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    lifted INTEGER,
    lifted_by TEXT
) STRICT;
CREATE INDEX pauses_customer ON pauses (customer_id, source, since);
CREATE TRIGGER samples_kept BEFORE DELETE ON samples BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER samples_fixed BEFORE UPDATE ON samples BEGIN SELECT RAISE(ABORT, 'the history is append-only'); END;
CREATE TRIGGER seat_requests_kept BEFORE DELETE ON seat_requests BEGIN SELECT RAISE(ABORT, 'requests are kept'); END;
CREATE TRIGGER seat_requests_fixed BEFORE UPDATE ON seat_requests BEGIN SELECT RAISE(ABORT, 'requests are kept'); END;
";
