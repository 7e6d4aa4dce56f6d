-- expand
-- What protocols need that know bets by their wins, players without sessions, and given bonuses.

ALTER TABLE transactions ADD COLUMN settled_by INTEGER;
ALTER TABLE transactions ADD COLUMN feature TEXT;
ALTER TABLE transactions ADD COLUMN reference TEXT;

ALTER TABLE rounds ADD COLUMN ended INTEGER CHECK (ended IN (0, 1));

-- The newest session of a player is found through the account.
CREATE INDEX sessions_of_accounts ON sessions (account);

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
