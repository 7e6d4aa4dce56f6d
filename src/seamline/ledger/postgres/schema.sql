-- The ledger on PostgreSQL. Must equal the sum of migrations/*.sql (a test compares them).
-- Money is in whole units of the currency's ledger scale; times are Unix milliseconds, UTC.
--
-- What bets write has no foreign keys: each one would lock the row it points to, and those of
-- integrations are everybody's. The laws of `seamline audit` look after what they would.

-- `oldest` is the oldest version that a program may know and go on beside this one: that of the last
-- change which was no mere addition.
CREATE TABLE schema_version (
    version INTEGER NOT NULL,
    oldest INTEGER NOT NULL DEFAULT 1
);

-- Where ids come from: each call hands out a block of them, so that one call serves a whole batch.
-- A batch asks when it holds its accounts: along an account ids only grow.
CREATE SEQUENCE blocks;

-- The scale that each currency's units were written with: it may never change under them.
CREATE TABLE currencies (
    code TEXT COLLATE "C" PRIMARY KEY,
    scale INTEGER NOT NULL
);

-- Integrations, and one cashier per brand, under a short id.
CREATE TABLE integrations (
    id BIGINT PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    brand TEXT COLLATE "C" NOT NULL
);

CREATE TABLE players (
    id BIGINT PRIMARY KEY,
    brand TEXT COLLATE "C" NOT NULL CHECK (brand <> ''),
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    country TEXT,
    language TEXT,
    status TEXT NOT NULL CHECK (status IN ('active', 'blocked', 'self_excluded', 'closed')),
    limits TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    UNIQUE (brand, name)
);

-- A player's money in one currency, with the head of its chain of transactions. Room is left in
-- each page, so that a new version of a row finds a place beside the old one. `changed_ms` is when
-- its last transaction was written, by whatever gateway's clock.
CREATE TABLE accounts (
    id BIGINT PRIMARY KEY,
    player BIGINT NOT NULL REFERENCES players (id),
    currency TEXT COLLATE "C" NOT NULL REFERENCES currencies (code),
    balance BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 0),
    chain BYTEA NOT NULL CHECK (length(chain) = 32),
    last BIGINT NOT NULL,
    loss_on BIGINT NOT NULL,
    loss_day BIGINT NOT NULL,
    loss_week BIGINT NOT NULL,
    loss_month BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL DEFAULT 0,
    UNIQUE (player, currency)
) WITH (fillfactor = 60);

-- The other side of each movement: summed from transactions, never locked, never updated.
-- Ids are negative, so that they can never be taken for a player's account.
CREATE TABLE houses (
    id BIGINT PRIMARY KEY CHECK (id < 0),
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('game', 'bonus', 'cashier')),
    integration BIGINT NOT NULL REFERENCES integrations (id),
    currency TEXT COLLATE "C" NOT NULL REFERENCES currencies (code),
    UNIQUE (role, integration, currency)
);

CREATE TABLE sessions (
    id BIGINT PRIMARY KEY,
    integration BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    account BIGINT NOT NULL,
    game TEXT NOT NULL,
    opened_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    closed_ms BIGINT,
    UNIQUE (integration, name)
) WITH (fillfactor = 90);

-- The newest session of a player is found through the account.
CREATE INDEX sessions_of_accounts ON sessions (account);

CREATE TABLE rounds (
    id BIGINT PRIMARY KEY,
    integration BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    game TEXT COLLATE "C" NOT NULL,
    account BIGINT NOT NULL,
    opened_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    bets BIGINT NOT NULL,
    staked BIGINT NOT NULL,
    wins BIGINT NOT NULL,
    won BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    ended BOOLEAN,
    UNIQUE (integration, name, account, game)
) WITH (fillfactor = 80);

-- The double entry: one row moves `units` from `debit` to `credit`. `balance` and `version` are the
-- player's account after it; `previous` is that account's row before it. History is walked along
-- `previous`, so that no index but the identity has to grow with every bet.
CREATE TABLE transactions (
    id BIGINT PRIMARY KEY,
    integration BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL CHECK (key <> ''),
    kind TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    account BIGINT,
    session BIGINT,
    round BIGINT,
    asked TEXT,
    units BIGINT NOT NULL CHECK (units >= 0),
    debit BIGINT,
    credit BIGINT,
    balance BIGINT NOT NULL,
    version BIGINT NOT NULL,
    previous BIGINT NOT NULL,
    chain BYTEA NOT NULL CHECK (length(chain) = 32),
    target BIGINT,
    reversed_by BIGINT,
    settled_by BIGINT,
    rejection TEXT,
    campaign TEXT,
    free BOOLEAN NOT NULL,
    dust TEXT,
    feature TEXT,
    reference TEXT,
    created_ms BIGINT NOT NULL,
    vouched_ms BIGINT,
    UNIQUE (integration, key),
    CHECK ((units = 0) = (debit IS NULL) AND (units = 0) = (credit IS NULL)),
    CHECK (units = 0 OR account IN (debit, credit)),
    CHECK (kind NOT IN ('bet', 'withdrawal') OR units = 0 OR balance >= 0)
);

-- What may be paid only once per account, whatever the key.
CREATE TABLE claims (
    account BIGINT NOT NULL,
    integration BIGINT NOT NULL,
    claim TEXT COLLATE "C" NOT NULL CHECK (claim <> ''),
    paid_by BIGINT NOT NULL,
    PRIMARY KEY (account, integration, claim)
);

-- Campaigns of free rounds and bonuses as they were given through this gateway: one row per player
-- and game that was named, with the operator's id and the vendor's.
CREATE TABLE grants (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration BIGINT NOT NULL REFERENCES integrations (id),
    name TEXT COLLATE "C" NOT NULL CHECK (name <> ''),
    vendor_name TEXT COLLATE "C",
    player BIGINT REFERENCES players (id),
    game TEXT COLLATE "C",
    currency TEXT COLLATE "C" NOT NULL REFERENCES currencies (code),
    reward TEXT,
    from_ms BIGINT NOT NULL,
    until_ms BIGINT,
    cancelled_ms BIGINT
);

CREATE INDEX grants_by_name ON grants (integration, name);
CREATE INDEX grants_by_vendor_name ON grants (integration, vendor_name);
CREATE INDEX grants_of_players ON grants (player);

-- What a person should look at; the same thing about the same key is one alert.
CREATE TABLE alerts (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    integration BIGINT NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    alert TEXT COLLATE "C" NOT NULL,
    detail TEXT NOT NULL,
    account BIGINT,
    state TEXT NOT NULL CHECK (state IN ('open', 'investigating', 'resolved')),
    created_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL,
    UNIQUE (integration, key, alert)
);

-- Totals by hour, signed as players see them. A sum of 64-bit amounts may need more than 64 bits:
-- the units are high * 2**32 + low. Every batch adds to some of these rows, so that they come in
-- stripes: batches that are written at the same time add to different ones.
CREATE TABLE rollups (
    hour BIGINT NOT NULL,
    integration BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    stripe INTEGER NOT NULL,
    transactions BIGINT NOT NULL,
    high BIGINT NOT NULL,
    low BIGINT NOT NULL,
    PRIMARY KEY (hour, integration, currency, kind, stripe)
) WITH (fillfactor = 50);

-- Written by readiness checks, to see that a write goes through.
CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at_ms BIGINT NOT NULL
);
