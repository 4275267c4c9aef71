//! The first step of the schema: tables beside the books. They prove nothing and are proved by nothing.

pub const BESIDE: &str = "
-- Tokens of the HTTP door; of each only a digest.
CREATE TABLE tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    customer TEXT,
    org TEXT,
    digest BLOB NOT NULL,
    created INTEGER NOT NULL,
    by TEXT NOT NULL,
    expires INTEGER NOT NULL,
    revoked INTEGER
) STRICT;

-- What the HTTP door was asked under idempotency keys within a day, and its answers. Losing a row may do a thing twice.
CREATE TABLE once (
    token INTEGER NOT NULL,
    key TEXT NOT NULL,
    asked BLOB NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    body BLOB,
    PRIMARY KEY (token, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX once_at ON once (at);

-- When sources that are asked over the network were last looked at, and where the next look may start. Losing a row costs a
-- full read.
CREATE TABLE looks (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    package BLOB NOT NULL,
    cursor TEXT,
    full_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, source)
) STRICT, WITHOUT ROWID;

-- What the last read of a source left to know its files by. Losing it costs a full read.
CREATE TABLE traces (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    source TEXT NOT NULL,
    n INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (customer_id, source, n)
) STRICT;

-- Parts of the trail whose content lies in files.
CREATE TABLE archives (
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    after INTEGER NOT NULL,
    until INTEGER NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, until)
) STRICT, WITHOUT ROWID;

-- Upstreams that failed last. Losing a row costs a few requests.
CREATE TABLE outages (
    upstream TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    since INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    rest_secs INTEGER NOT NULL,
    error TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the newest run of a customer came to that left nothing to be done. Losing a row costs a plan.
CREATE TABLE rests (
    customer_id INTEGER PRIMARY KEY REFERENCES customers (id),
    version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    settings BLOB NOT NULL,
    people INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    withheld INTEGER NOT NULL,
    unserved INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT;

-- Notices on their way out, by channel: 0 waiting, 1 accepted by the receiver, 2 delivered, 3 dead.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    notice INTEGER NOT NULL REFERENCES notices (n),
    channel TEXT NOT NULL,
    state INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next INTEGER NOT NULL,
    -- Until when somebody has it, where several machines deliver by the database's clock.
    held INTEGER NOT NULL DEFAULT 0,
    ended INTEGER,
    error TEXT NOT NULL,
    UNIQUE (notice, channel)
) STRICT;
CREATE INDEX alerts_due ON alerts (next) WHERE state IN (0, 1);
CREATE INDEX alerts_dead ON alerts (id) WHERE state = 3;
";
