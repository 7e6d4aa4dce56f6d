-- read --
-- The rows of a table after a key, in the order of the key.
SELECT {columns} FROM {table} WHERE ({key}) > ({marks}) ORDER BY {key}

-- read_rollups --
-- The same of roll-ups, their stripes added up.
SELECT hour, integration, currency, kind, sum(transactions)::bigint, sum(high)::bigint,
       sum(low)::bigint
FROM rollups WHERE ({key}) > ({marks}) GROUP BY {key} ORDER BY {key}

-- last --
-- The largest key of a table.
SELECT {key} FROM {table} ORDER BY {backwards} LIMIT 1

-- put --
COPY {table} ({columns}) FROM STDIN

-- clear --
TRUNCATE {tables}

-- state --
-- Changes with every transaction, and with almost everything else.
SELECT (SELECT max(id) FROM transactions), (SELECT max(id) FROM rounds),
       (SELECT max(id) FROM sessions), (SELECT max(id) FROM players), (SELECT count(*) FROM accounts),
       (SELECT sum(version) FROM accounts), (SELECT max(id) FROM grants),
       (SELECT max(id) FROM alerts), (SELECT max(encode(chain, 'hex')) FROM accounts)

-- snapshot --
-- Everything as of one moment.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY

-- hold_still --
-- Nobody writes while this is held; whoever reads goes on.
LOCK TABLE {tables} IN SHARE MODE

-- wait_briefly --
-- Wait for others for a few seconds, and hold what is held however long nothing is said.
SELECT set_config('lock_timeout', '5s', false),
       set_config('idle_in_transaction_session_timeout', '0', false),
       set_config('statement_timeout', '0', false)

-- gateways --
-- How many gateways, or other programs of Seamline, have this database open.
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'seamline' AND pid <> pg_backend_pid()

-- own --
-- Held by the one transfer to this database, until its connection ends.
SELECT pg_advisory_lock(7379617)

-- mark --
-- What an unfinished transfer noted of its source.
SELECT state FROM transfer

-- make_mark --
CREATE TABLE IF NOT EXISTS transfer (state TEXT NOT NULL)

-- empty_mark --
DELETE FROM transfer

-- note_mark --
INSERT INTO transfer (state) VALUES ($1)

-- drop_mark --
DROP TABLE IF EXISTS transfer

-- note_changes --
-- When each account's last transaction was written, which only this backend keeps with the account.
UPDATE accounts AS a SET changed_ms = t.created_ms FROM transactions AS t WHERE t.id = a.last

-- pass_blocks --
-- New ids are above all that are there.
SELECT setval('blocks', greatest(
    (SELECT last_value FROM blocks),
    (SELECT max(newest) / $1::bigint + 1 FROM (
        SELECT max(id) FROM players UNION ALL SELECT max(id) FROM accounts
        UNION ALL SELECT max(id) FROM sessions UNION ALL SELECT max(id) FROM rounds
        UNION ALL SELECT max(id) FROM transactions
    ) AS ids (newest))
))

-- pass_grants --
SELECT setval(pg_get_serial_sequence('grants', 'id'), max(id)) FROM grants

-- pass_alerts --
SELECT setval(pg_get_serial_sequence('alerts', 'id'), max(id)) FROM alerts

-- analyze --
-- What plans are made from, before the first list is asked for.
ANALYZE {tables}
