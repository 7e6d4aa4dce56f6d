-- read --
-- The rows of a table after a key, in the order of the key.
SELECT {columns} FROM {table} WHERE ({key}) > ({marks}) ORDER BY {key}

-- last --
-- The largest key of a table.
SELECT {key} FROM {table} ORDER BY {backwards} LIMIT 1

-- put --
INSERT INTO {table} ({columns}) VALUES ({marks})

-- clear --
DELETE FROM {table}

-- state --
-- Changes with every transaction, and with almost everything else.
SELECT (SELECT max(id) FROM transactions), (SELECT max(id) FROM rounds),
       (SELECT max(id) FROM sessions), (SELECT max(id) FROM players), (SELECT count(*) FROM accounts),
       (SELECT total(version) FROM accounts), (SELECT max(id) FROM grants),
       (SELECT max(id) FROM alerts), (SELECT max(chain) FROM accounts)

-- mark --
-- What an unfinished transfer noted of its source.
SELECT state FROM transfer

-- make_mark --
CREATE TABLE IF NOT EXISTS transfer (state TEXT NOT NULL) STRICT

-- empty_mark --
DELETE FROM transfer

-- note_mark --
INSERT INTO transfer (state) VALUES (?1)

-- drop_mark --
DROP TABLE IF EXISTS transfer
