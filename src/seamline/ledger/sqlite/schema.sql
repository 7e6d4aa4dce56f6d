-- The ledger on SQLite. Must equal the sum of migrations/*.sql (a test compares them).
-- Money is in whole units of the currency's ledger scale; times are Unix milliseconds, UTC.

-- The scale that each currency's units were written with: it may never change under them.
CREATE TABLE currencies (
    code TEXT PRIMARY KEY,
    scale INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Integrations, and one cashier per brand, under a short id.
CREATE TABLE integrations (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    brand TEXT NOT NULL
) STRICT;

CREATE TABLE players (
    id INTEGER PRIMARY KEY,
    brand TEXT NOT NULL CHECK (brand <> ''),
    name TEXT NOT NULL CHECK (name <> ''),
    country TEXT,
    language TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'blocked', 'self_excluded', 'closed')),
    limits TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    UNIQUE (brand, name)
) STRICT;

-- A player's money in one currency, with the head of its chain of transactions.
CREATE TABLE accounts (
    id INTEGER PRIMARY KEY,
    player INTEGER NOT NULL REFERENCES players (id),
    currency TEXT NOT NULL REFERENCES currencies (code),
    balance INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 0),
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    last INTEGER NOT NULL,
    loss_on INTEGER NOT NULL,
    loss_day INTEGER NOT NULL,
    loss_week INTEGER NOT NULL,
    loss_month INTEGER NOT NULL,
    UNIQUE (player, currency)
) STRICT;

-- The other side of each movement: summed from transactions, never locked, never updated.
-- Ids are negative, so that they can never be taken for a player's account.
CREATE TABLE houses (
    id INTEGER PRIMARY KEY CHECK (id < 0),
    role TEXT NOT NULL CHECK (role IN ('game', 'bonus', 'cashier')),
    integration INTEGER NOT NULL REFERENCES integrations (id),
    currency TEXT NOT NULL REFERENCES currencies (code),
    UNIQUE (role, integration, currency)
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL REFERENCES integrations (id),
    name TEXT NOT NULL CHECK (name <> ''),
    account INTEGER NOT NULL REFERENCES accounts (id),
    game TEXT NOT NULL,
    opened_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    closed_ms INTEGER,
    UNIQUE (integration, name)
) STRICT;

-- The newest session of a player is found through the account.
CREATE INDEX sessions_of_accounts ON sessions (account);

CREATE TABLE rounds (
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL REFERENCES integrations (id),
    name TEXT NOT NULL CHECK (name <> ''),
    game TEXT NOT NULL,
    account INTEGER NOT NULL REFERENCES accounts (id),
    opened_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    bets INTEGER NOT NULL,
    staked INTEGER NOT NULL,
    wins INTEGER NOT NULL,
    won INTEGER NOT NULL,
    refunds INTEGER NOT NULL,
    refunded INTEGER NOT NULL, ended INTEGER CHECK (ended IN (0, 1)),
    UNIQUE (integration, name, game, account)
) STRICT;

-- The double entry: one row moves `units` from `debit` to `credit`. `balance` and `version` are the
-- player's account after it; `previous` is that account's row before it. History is walked along
-- `previous`, so that no index but the identity has to grow with every bet.
CREATE TABLE transactions (
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL REFERENCES integrations (id),
    key TEXT NOT NULL CHECK (key <> ''),
    kind TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    account INTEGER REFERENCES accounts (id),
    session INTEGER REFERENCES sessions (id),
    round INTEGER REFERENCES rounds (id),
    asked TEXT,
    units INTEGER NOT NULL CHECK (units >= 0),
    debit INTEGER,
    credit INTEGER,
    balance INTEGER NOT NULL,
    version INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    chain BLOB NOT NULL CHECK (length(chain) = 32),
    target INTEGER,
    reversed_by INTEGER,
    rejection TEXT,
    campaign TEXT,
    free INTEGER NOT NULL CHECK (free IN (0, 1)),
    dust TEXT,
    created_ms INTEGER NOT NULL, settled_by INTEGER, feature TEXT, reference TEXT, vouched_ms INTEGER,
    UNIQUE (integration, key),
    CHECK ((units = 0) = (debit IS NULL) AND (units = 0) = (credit IS NULL)),
    CHECK (units = 0 OR account IN (debit, credit)),
    CHECK (kind NOT IN ('bet', 'withdrawal') OR units = 0 OR balance >= 0)
) STRICT;

-- What may be paid only once per account, whatever the key.
CREATE TABLE claims (
    account INTEGER NOT NULL REFERENCES accounts (id),
    integration INTEGER NOT NULL REFERENCES integrations (id),
    claim TEXT NOT NULL CHECK (claim <> ''),
    paid_by INTEGER NOT NULL REFERENCES transactions (id),
    PRIMARY KEY (account, integration, claim)
) STRICT, WITHOUT ROWID;

-- Campaigns of free rounds and bonuses as they were given through this gateway: one row per player
-- and game that was named, with the operator's id and the vendor's.
CREATE TABLE grants (
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL REFERENCES integrations (id),
    name TEXT NOT NULL CHECK (name <> ''),
    vendor_name TEXT,
    player INTEGER REFERENCES players (id),
    game TEXT,
    currency TEXT NOT NULL REFERENCES currencies (code),
    reward TEXT,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER,
    cancelled_ms INTEGER
) STRICT;

CREATE INDEX grants_by_name ON grants (integration, name);
CREATE INDEX grants_by_vendor_name ON grants (integration, vendor_name);
CREATE INDEX grants_of_players ON grants (player);

-- What a person should look at; the same thing about the same key is one alert.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY,
    integration INTEGER NOT NULL REFERENCES integrations (id),
    key TEXT NOT NULL,
    alert TEXT NOT NULL,
    detail TEXT NOT NULL,
    account INTEGER REFERENCES accounts (id),
    state TEXT NOT NULL CHECK (state IN ('open', 'investigating', 'resolved')),
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    UNIQUE (integration, key, alert)
) STRICT;

-- Totals by hour, signed as players see them. A sum of 64-bit amounts may need more than 64 bits:
-- the units are high * 2**32 + low.
CREATE TABLE rollups (
    hour INTEGER NOT NULL,
    integration INTEGER NOT NULL REFERENCES integrations (id),
    currency TEXT NOT NULL REFERENCES currencies (code),
    kind TEXT NOT NULL,
    transactions INTEGER NOT NULL,
    high INTEGER NOT NULL,
    low INTEGER NOT NULL,
    PRIMARY KEY (hour, integration, currency, kind)
) STRICT, WITHOUT ROWID;

-- Written by readiness checks, to see that a write goes through.
CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at_ms INTEGER NOT NULL
) STRICT;
