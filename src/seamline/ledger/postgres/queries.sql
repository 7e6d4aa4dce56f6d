-- begin --
-- Each statement sees what was committed before it, whatever the server's settings prefer.
BEGIN ISOLATION LEVEL READ COMMITTED

-- commit --
COMMIT

-- rollback --
ROLLBACK

-- prepare_batch --
-- What is planned stays planned (left to itself, the server plans `take_blocks` anew every time),
-- and is planned while tables are empty: so nothing here may depend on how large they seem. A list
-- of what is wanted comes first and is looked up row by row along an index, which `OFFSET 0` fences
-- in and these settings lead to. A lock is waited for not quite as long as an answer, and given up
-- by the server where a gateway stands still in the middle. What the server warns of at COMMIT must
-- be heard. All of it is set for this transaction only, so that a pooler may give the connection to
-- another one.
SELECT set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true),
       set_config('enable_mergejoin', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('random_page_cost', '0', true), set_config('seq_page_cost', '0', true),
       set_config('join_collapse_limit', '1', true), set_config('jit', 'off', true),
       set_config('lock_timeout', '400ms', true),
       set_config('idle_in_transaction_session_timeout', '3s', true),
       set_config('client_min_messages', 'warning', true)

-- find_sessions --
-- The sessions of one integration by name, each with its account's id.
SELECT s.id, s.name, s.game, s.opened_ms, s.expires_ms, s.closed_ms, s.account
FROM unnest($2::text[]) AS wanted (value)
CROSS JOIN LATERAL (
    SELECT * FROM sessions AS one
    WHERE one.integration = $1::bigint AND one.name = wanted.value
    OFFSET 0
) AS s

-- find_newest_session --
-- A player's newest session at an integration, of one game or any, in one currency or any.
SELECT s.id, s.name, s.game, s.opened_ms, s.expires_ms, s.closed_ms, s.account
FROM players AS p
JOIN accounts AS a ON a.player = p.id
JOIN sessions AS s ON s.account = a.id AND s.integration = $1::bigint
WHERE p.brand = $2::text AND p.name = $3::text AND ($4::text IS NULL OR s.game = $4::text)
      AND ($5::text IS NULL OR a.currency = $5::text) AND s.closed_ms IS NULL
ORDER BY s.id DESC LIMIT 1

-- find_accounts --
-- Whose the transactions of one integration are, by key.
SELECT t.key, t.account
FROM unnest($2::text[]) AS wanted (value)
CROSS JOIN LATERAL (
    SELECT * FROM transactions AS one
    WHERE one.integration = $1::bigint AND one.key = wanted.value
    OFFSET 0
) AS t
WHERE t.account IS NOT NULL

-- find_purses --
-- The accounts of one brand's players.
SELECT p.name, a.currency, a.id
FROM unnest($2::text[]) AS wanted (value)
CROSS JOIN LATERAL (
    SELECT * FROM players AS one
    WHERE one.brand = $1::text AND one.name = wanted.value
    OFFSET 0
) AS p
JOIN accounts AS a ON a.player = p.id

-- share_integrations --
-- Held by every batch, of the integrations that it has commands of; all at the same time.
SELECT pg_advisory_xact_lock_shared(7379616, value) FROM unnest($1::integer[]) AS wanted (value)

-- own_integrations --
-- Held by a batch with a refund of nobody knows what: while it leaves a tombstone, the bet that it
-- is for must not be under way in another batch.
SELECT pg_advisory_xact_lock(7379616, value) FROM unnest($1::integer[]) AS wanted (value)

-- lock_accounts --
-- Accounts by id, each with its player, held until the batch is written: in the order of
-- ids, as every gateway does it.
SELECT a.id, a.player, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month, a.changed_ms,
       p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM accounts AS a
JOIN players AS p ON p.id = a.player
WHERE a.id = ANY ($1::bigint[])
ORDER BY a.id
FOR NO KEY UPDATE OF a

-- lock_free_accounts --
-- The same of those only that nobody else holds.
SELECT a.id, a.player, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month, a.changed_ms,
       p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM accounts AS a
JOIN players AS p ON p.id = a.player
WHERE a.id = ANY ($1::bigint[])
ORDER BY a.id
FOR NO KEY UPDATE OF a SKIP LOCKED

-- take_blocks --
-- Blocks of new ids.
SELECT nextval('blocks') FROM generate_series(1, $1::integer)

-- load_transactions --
-- The transactions of one integration by key, each with its account's currency and player.
SELECT t.id, t.key, t.kind, t.fingerprint, t.account, t.session, t.round, t.asked, t.units,
       t.debit, t.credit, t.balance, t.version, t.previous, t.chain, t.target, t.reversed_by,
       t.rejection, t.campaign, t.free, t.dust, t.created_ms, t.settled_by, t.feature, t.reference,
       t.vouched_ms, a.currency, p.name
FROM unnest($2::text[]) AS wanted (value)
CROSS JOIN LATERAL (
    SELECT * FROM transactions AS one
    WHERE one.integration = $1::bigint AND one.key = wanted.value
    OFFSET 0
) AS t
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player

-- load_settlers --
-- The transactions that paid bets, by the bets' keys.
SELECT t.id, t.key, t.kind, t.fingerprint, t.account, t.session, t.round, t.asked, t.units,
       t.debit, t.credit, t.balance, t.version, t.previous, t.chain, t.target, t.reversed_by,
       t.rejection, t.campaign, t.free, t.dust, t.created_ms, t.settled_by, t.feature, t.reference,
       t.vouched_ms, a.currency, p.name
FROM unnest($2::text[]) AS wanted (value)
CROSS JOIN LATERAL (
    SELECT * FROM transactions AS one
    WHERE one.integration = $1::bigint AND one.key = wanted.value
    OFFSET 0
) AS b
JOIN transactions AS t ON t.id = b.settled_by
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player

-- load_rounds --
-- The rounds of one integration by the vendor's id and the account, whatever game they are of.
SELECT r.id, $4::text, r.game, r.name, r.account, r.opened_ms, r.changed_ms, r.first, r.last,
       r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded, r.ended
FROM unnest($2::text[], $3::bigint[]) AS wanted (name, account)
CROSS JOIN LATERAL (
    SELECT * FROM rounds AS one
    WHERE one.integration = $1::bigint AND one.name = wanted.name AND one.account = wanted.account
    OFFSET 0
) AS r

-- load_rounds_of --
-- The rounds that transactions belong to, by the transactions' keys.
SELECT r.id, $3::text, r.game, r.name, r.account, r.opened_ms, r.changed_ms, r.first, r.last,
       r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded, r.ended
FROM unnest($2::text[]) AS wanted (value)
CROSS JOIN LATERAL (
    SELECT * FROM transactions AS one
    WHERE one.integration = $1::bigint AND one.key = wanted.value
    OFFSET 0
) AS t
JOIN rounds AS r ON r.id = t.round

-- load_claims --
-- Which of the claims were paid to their accounts through the integration.
SELECT c.claim, c.account
FROM unnest($2::text[], $3::bigint[]) AS wanted (claim, account)
CROSS JOIN LATERAL (
    SELECT * FROM claims AS one
    WHERE one.account = wanted.account AND one.integration = $1::bigint AND one.claim = wanted.claim
    OFFSET 0
) AS c

-- load_grants --
-- The campaigns of names, the operator's or the vendor's, each after the name that was asked for.
SELECT wanted.value, g.name, g.vendor_name, g.player, g.game, g.currency, g.reward, g.from_ms,
       g.until_ms, g.cancelled_ms
FROM unnest($2::text[]) AS wanted (value)
JOIN LATERAL (
    SELECT * FROM grants AS named WHERE named.integration = $1::bigint AND named.name = wanted.value
    UNION
    SELECT * FROM grants AS named
    WHERE named.integration = $1::bigint AND named.vendor_name = wanted.value
) AS g ON true
ORDER BY g.id

-- load_given --
-- Players' campaigns, oldest first, each after the player; those for all players among them.
SELECT wanted.value, g.name, g.vendor_name, g.player, g.game, g.currency, g.reward, g.from_ms,
       g.until_ms, g.cancelled_ms
FROM unnest($2::bigint[]) AS wanted (value)
JOIN LATERAL (
    SELECT * FROM grants AS given
    WHERE given.integration = $1::bigint AND given.player = wanted.value
    UNION
    SELECT * FROM grants AS given
    WHERE given.integration = $1::bigint AND given.player IS NULL
) AS g ON true
WHERE g.cancelled_ms IS NULL
ORDER BY g.from_ms, g.id

-- is_written --
-- Whether a transaction is there: a batch whose commit nobody answered looks for its own. By its
-- chain too: a crash may have taken back what the sequence gave out, and another batch got that id.
-- It is locked, so that the COMMIT after it waits for the standbys, as that one should have.
SELECT 1 FROM transactions WHERE id = $1::bigint AND chain = $2::bytea FOR KEY SHARE

-- write_transactions --
INSERT INTO transactions (
    id, integration, key, kind, fingerprint, account, session, round, asked, units, debit, credit,
    balance, version, previous, chain, target, rejection, campaign, free, dust, created_ms,
    feature, reference
)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
    $14::bigint[], $15::bigint[], $16::bytea[], $17::bigint[], $18::text[], $19::text[],
    $20::boolean[], $21::text[], $22::bigint[], $23::text[], $24::text[]
)

-- write_settled --
UPDATE transactions AS t SET settled_by = w.win
FROM unnest($1::bigint[], $2::bigint[]) AS w (win, id)
WHERE t.id = w.id

-- write_vouched --
UPDATE transactions AS t SET vouched_ms = w.at_ms
FROM unnest($1::bigint[], $2::bigint[]) AS w (at_ms, id)
WHERE t.id = w.id

-- write_reversed --
UPDATE transactions AS t SET reversed_by = w.refund
FROM unnest($1::bigint[], $2::bigint[]) AS w (refund, id)
WHERE t.id = w.id AND t.reversed_by IS NULL

-- write_new_accounts --
INSERT INTO accounts (
    id, player, currency, balance, version, chain, last, loss_on, loss_day, loss_week, loss_month
)
SELECT id, player, currency, 0, 0, chain, 0, 0, 0, 0, 0
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[]) AS w (id, player, currency, chain)

-- write_accounts --
-- The version guards against a lost update: each row must change once.
UPDATE accounts AS a
SET balance = w.balance, version = w.version, chain = w.chain, last = w.last, loss_on = w.loss_on,
    loss_day = w.loss_day, loss_week = w.loss_week, loss_month = w.loss_month,
    changed_ms = w.changed_ms
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bytea[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[]
) AS w (balance, version, chain, last, loss_on, loss_day, loss_week, loss_month, id, loaded, changed_ms)
WHERE a.id = w.id AND a.version = w.loaded

-- write_new_rounds --
INSERT INTO rounds (
    id, integration, game, name, account, opened_ms, changed_ms, first, last,
    bets, staked, wins, won, refunds, refunded, ended
)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
    $14::bigint[], $15::bigint[], $16::boolean[]
)

-- write_rounds --
UPDATE rounds AS r
SET changed_ms = w.changed_ms, last = w.last, bets = w.bets, staked = w.staked, wins = w.wins,
    won = w.won, refunds = w.refunds, refunded = w.refunded, ended = w.ended
FROM unnest(
    $1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
    $7::bigint[], $8::bigint[], $9::boolean[], $10::bigint[]
) AS w (changed_ms, last, bets, staked, wins, won, refunds, refunded, ended, id)
WHERE r.id = w.id

-- write_claims --
INSERT INTO claims (account, integration, claim, paid_by)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])

-- write_alerts --
-- The same alert about the same key again is no news.
INSERT INTO alerts (integration, key, alert, detail, account, state, created_ms, changed_ms)
SELECT integration, key, alert, detail, account, 'open', created_ms, created_ms
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
     AS w (integration, key, alert, detail, account, created_ms)
ON CONFLICT (integration, key, alert) DO NOTHING

-- write_rollups --
-- In the order of the key, so that two batches on one stripe never wait for each other.
INSERT INTO rollups AS r (hour, integration, currency, kind, stripe, transactions, high, low)
SELECT hour, integration, currency, kind, pg_backend_pid() % 32, transactions, high, low
FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]
) AS w (hour, integration, currency, kind, transactions, high, low)
ORDER BY 1, 2, 3, 4
ON CONFLICT (hour, integration, currency, kind, stripe)
DO UPDATE SET transactions = r.transactions + excluded.transactions,
              high = r.high + excluded.high, low = r.low + excluded.low

-- write_sessions --
INSERT INTO sessions (id, integration, name, account, game, opened_ms, expires_ms)
SELECT * FROM unnest(
    $1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[]
)

-- slide_sessions --
UPDATE sessions AS s SET expires_ms = greatest(s.expires_ms, w.expires_ms)
FROM unnest($1::bigint[], $2::bigint[]) AS w (id, expires_ms)
WHERE s.id = w.id

-- load_sessions --
-- The sessions of one integration by name, each with its account and player.
SELECT s.id, s.name, s.game, s.opened_ms, s.expires_ms, s.closed_ms,
       a.id, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month,
       p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM sessions AS s
JOIN accounts AS a ON a.id = s.account
JOIN players AS p ON p.id = a.player
WHERE s.integration = $1::bigint AND s.name = ANY ($2::text[])

-- load_players --
-- The players of one brand by the brand's own id.
SELECT p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM players AS p
WHERE p.brand = $1::text AND p.name = ANY ($2::text[])

-- load_purses --
-- All accounts of players.
SELECT a.id, a.player, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month
FROM accounts AS a
WHERE a.player = ANY ($1::bigint[])
ORDER BY a.player, a.currency

-- bound_errand --
-- What an errand holds is given up by the server where its gateway stands still in the middle, and
-- what others hold is not waited for long: bets queue behind it.
SELECT set_config('idle_in_transaction_session_timeout', '10s', true),
       set_config('lock_timeout', '400ms', true)

-- insert_account --
INSERT INTO accounts (
    id, player, currency, balance, version, chain, last, loss_on, loss_day, loss_week, loss_month
) VALUES ($1, $2, $3, 0, 0, $4, 0, 0, 0, 0, 0)

-- insert_alert --
-- The same alert about the same key again is no news.
INSERT INTO alerts (integration, key, alert, detail, account, state, created_ms, changed_ms)
VALUES ($1, $2, $3, $4, $5, 'open', $6, $6)
ON CONFLICT (integration, key, alert) DO NOTHING

-- insert_house --
INSERT INTO houses (id, role, integration, currency)
SELECT coalesce(min(id), 0) - 1, $1, $2, $3 FROM houses
ON CONFLICT (role, integration, currency) DO NOTHING

-- insert_integration --
INSERT INTO integrations (id, name, brand)
SELECT coalesce(max(id), 0) + 1, $1, $2 FROM integrations

-- insert_currency --
INSERT INTO currencies (code, scale) VALUES ($1, $2)

-- insert_player --
INSERT INTO players (id, brand, name, country, language, status, limits, created_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- update_player --
-- What is NULL stays as it is.
UPDATE players
SET status = coalesce($1, status), limits = coalesce($2, limits),
    country = coalesce($3, country), language = coalesce($4, language)
WHERE brand = $5 AND name = $6

-- insert_session --
INSERT INTO sessions (id, integration, name, account, game, opened_ms, expires_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- close_session --
-- All names of one launch: they are of one account and game, and were opened at one time.
UPDATE sessions SET closed_ms = $1
WHERE account = (SELECT account FROM sessions WHERE id = $2) AND closed_ms IS NULL
      AND (integration, game, opened_ms)
          = (SELECT integration, game, opened_ms FROM sessions WHERE id = $2)

-- insert_grant --
INSERT INTO grants (
    integration, name, vendor_name, player, game, currency, reward, from_ms, until_ms
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- cancel_grants --
UPDATE grants SET cancelled_ms = $3
WHERE integration = $1 AND (name = $2 OR vendor_name = $2) AND cancelled_ms IS NULL

-- end_round --
-- A round that its vendor left open and nobody plays in any more.
UPDATE rounds SET ended = true WHERE id = $1 AND NOT ended

-- close_alert --
UPDATE alerts SET state = 'resolved', changed_ms = $4
WHERE integration = $1 AND key = $2 AND alert = $3 AND state <> 'resolved'

-- set_alert_state --
UPDATE alerts SET state = $1, changed_ms = $2 WHERE id = $3

-- beat --
-- Note that a write went through.
INSERT INTO heartbeat (id, at_ms) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at_ms = $1

-- lock_set_up --
-- Held by who sets up the schema, or names, until that is committed: one program at a time.
SELECT pg_advisory_xact_lock(7379616)

-- stored_version --
-- The version of the schema, or nothing where there is none.
SELECT version FROM schema_version

-- has_schema --
-- Whether there is a ledger at all.
SELECT to_regclass('schema_version') IS NOT NULL

-- has_transfer --
-- Whether a transfer to this database is unfinished.
SELECT to_regclass('transfer') IS NOT NULL

-- oldest_version --
-- The oldest version that a program may know.
SELECT oldest FROM schema_version

-- bound_migration --
-- What waits for a table keeps everybody waiting who comes after it.
SELECT set_config('lock_timeout', '2s', true)

-- note_version --
INSERT INTO schema_version (version, oldest) VALUES ($1, $2)

-- forget_versions --
DELETE FROM schema_version

-- all_currencies --
SELECT code, scale FROM currencies

-- all_integrations --
SELECT id, name, brand FROM integrations

-- all_houses --
SELECT h.id, h.role, i.name, h.currency
FROM houses AS h JOIN integrations AS i ON i.id = h.integration

-- server_facts --
-- What the server says of itself, in the order of `Facts`.
SELECT current_setting('server_version'), current_setting('fsync'),
       current_setting('full_page_writes'), current_setting('synchronous_commit'),
       current_setting('synchronous_standby_names'),
       (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')),
       (SELECT sum(numbackends)::integer FROM pg_stat_database),
       current_setting('max_connections')::integer, pg_database_size(current_database())

-- newest_time --
-- When the newest transaction was written.
SELECT coalesce((SELECT created_ms FROM transactions ORDER BY id DESC LIMIT 1), 0)

-- list_transactions --
-- All transactions, newest first; the filters that are NULL are off.
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM transactions AS t
JOIN integrations AS i ON i.id = t.integration
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE t.id < $1::bigint AND ($2::text IS NULL OR i.brand = $2::text)
      AND ($3::text IS NULL OR i.name = $3::text)
ORDER BY t.id DESC LIMIT $4::bigint

-- list_keyed_transactions --
-- The transaction that has a key in an integration; the filters that are NULL are off.
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM integrations AS i
JOIN transactions AS t ON t.integration = i.id AND t.key = $5::text
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE i.name = $3::text AND t.id < $1::bigint AND ($2::text IS NULL OR i.brand = $2::text)
      AND ($6::text IS NULL OR p.name = $6::text)
LIMIT $4::bigint

-- list_player_transactions --
-- A player's transactions, newest first: a walk back along the chains of all accounts at once. It
-- carries where it stands in each, and goes on with the newest of them, until the page is full.
WITH RECURSIVE walk (id, previous, integration, heads) AS (
    SELECT t.id, t.previous, t.integration, mine.heads
    FROM (
        SELECT max(a.last) AS newest, array_agg(a.last) AS heads
        FROM players AS p JOIN accounts AS a ON a.player = p.id
        WHERE p.brand = $2::text AND p.name = $5::text
    ) AS mine
    JOIN transactions AS t ON t.id = mine.newest
    UNION ALL
    SELECT t.id, t.previous, t.integration, rest.heads
    FROM walk AS w
    CROSS JOIN LATERAL (SELECT array_replace(w.heads, w.id, w.previous) AS heads) AS rest
    CROSS JOIN LATERAL (SELECT max(head) AS newest FROM unnest(rest.heads) AS head) AS next
    JOIN transactions AS t ON t.id = next.newest
),
page (id) AS (
    SELECT w.id FROM walk AS w
    WHERE w.id < $1::bigint AND ($3::text IS NULL OR w.integration = (
        SELECT named.id FROM integrations AS named WHERE named.name = $3::text
    ))
    LIMIT $4::bigint
)
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM page
JOIN transactions AS t ON t.id = page.id
JOIN integrations AS i ON i.id = t.integration
JOIN accounts AS a ON a.id = t.account
JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
ORDER BY t.id DESC

-- list_round_transactions --
-- The transactions of a round, newest first: walked back from the round's last one to its first.
WITH RECURSIVE walk (id, previous, round, first) AS (
    SELECT t.id, t.previous, r.id, r.first
    FROM integrations AS i
    JOIN rounds AS r ON r.integration = i.id AND r.name = $5::text
                     AND ($6::text IS NULL OR r.game = $6::text)
    JOIN transactions AS t ON t.id = r.last
    WHERE i.name = $3::text
    UNION ALL
    SELECT t.id, t.previous, w.round, w.first
    FROM walk AS w
    JOIN transactions AS t ON t.id = w.previous
    WHERE w.previous >= w.first
)
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM walk AS w
JOIN transactions AS t ON t.id = w.id AND t.round = w.round
JOIN integrations AS i ON i.id = t.integration
JOIN accounts AS a ON a.id = t.account
JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE t.id < $1::bigint AND ($2::text IS NULL OR i.brand = $2::text)
      AND ($7::text IS NULL OR p.name = $7::text)
ORDER BY t.id DESC LIMIT $4::bigint

-- list_rounds --
-- Rounds, newest first; the filters that are NULL are off.
SELECT r.id, i.name, i.brand, r.game, r.name, p.name, a.currency, r.bets, r.staked, r.wins, r.won,
       r.refunds, r.refunded, r.opened_ms, r.changed_ms
FROM rounds AS r
JOIN integrations AS i ON i.id = r.integration
JOIN accounts AS a ON a.id = r.account
JOIN players AS p ON p.id = a.player
WHERE r.id < $1::bigint AND ($2::text IS NULL OR i.brand = $2::text)
      AND ($3::text IS NULL OR i.name = $3::text) AND ($5::text IS NULL OR r.game = $5::text)
      AND ($6::text IS NULL OR p.name = $6::text)
      AND ($7::bigint = 0 OR (coalesce(NOT r.ended, r.wins = 0) AND r.bets > r.refunds))
ORDER BY r.id DESC LIMIT $4::bigint

-- list_named_rounds --
-- The rounds of one integration by the vendor's id, newest first.
SELECT r.id, i.name, i.brand, r.game, r.name, p.name, a.currency, r.bets, r.staked, r.wins, r.won,
       r.refunds, r.refunded, r.opened_ms, r.changed_ms
FROM integrations AS i
JOIN rounds AS r ON r.integration = i.id AND r.name = $8::text
JOIN accounts AS a ON a.id = r.account
JOIN players AS p ON p.id = a.player
WHERE i.name = $3::text AND r.id < $1::bigint AND ($2::text IS NULL OR i.brand = $2::text)
      AND ($5::text IS NULL OR r.game = $5::text) AND ($6::text IS NULL OR p.name = $6::text)
      AND ($7::bigint = 0 OR (coalesce(NOT r.ended, r.wins = 0) AND r.bets > r.refunds))
ORDER BY r.id DESC LIMIT $4::bigint

-- list_overdue_rounds --
-- Of the next so many rounds after an id, the first that were opened before a time and have a bet
-- that neither won, lost nor was undone, oldest first.
SELECT r.id, i.name, i.brand, r.game, r.name, p.name, a.currency, r.bets, r.staked, r.wins, r.won,
       r.refunds, r.refunded, r.opened_ms, r.changed_ms, r.account
FROM (SELECT * FROM rounds WHERE id > $1::bigint ORDER BY id LIMIT $3::bigint) AS r
JOIN integrations AS i ON i.id = r.integration
JOIN accounts AS a ON a.id = r.account
JOIN players AS p ON p.id = a.player
WHERE r.opened_ms < $2::bigint AND coalesce(NOT r.ended, r.wins = 0) AND r.bets > r.refunds
ORDER BY r.id LIMIT $4::bigint

-- last_round_before --
-- The last of the next so many ids before the first round that was opened later than a time: one
-- with a lower id may have been opened after one with a higher id. Who was two days ahead of that
-- time had a wrong clock, and keeps nobody.
SELECT coalesce(
    min(id) FILTER (WHERE opened_ms BETWEEN $2::bigint AND $2::bigint + 172800000) - 1, max(id)
)
FROM (SELECT id, opened_ms FROM rounds WHERE id > $1::bigint ORDER BY id LIMIT $3::bigint) AS r

-- list_alerts --
-- Alerts, newest first.
SELECT l.id, i.name, l.key, l.alert, l.detail, p.name, a.currency, l.state, l.created_ms, l.changed_ms
FROM alerts AS l
JOIN integrations AS i ON i.id = l.integration
LEFT JOIN accounts AS a ON a.id = l.account
LEFT JOIN players AS p ON p.id = a.player
WHERE l.id < $1::bigint AND ($2::text IS NULL OR l.state = $2::text)
ORDER BY l.id DESC LIMIT $3::bigint

-- list_totals --
-- The roll-ups of a span of hours, their stripes added up.
SELECT u.hour, i.name, u.currency, u.kind, sum(u.transactions)::bigint, sum(u.high)::bigint,
       sum(u.low)::bigint
FROM rollups AS u JOIN integrations AS i ON i.id = u.integration
WHERE u.hour >= $1::bigint AND u.hour < $2::bigint
GROUP BY u.hour, i.name, u.currency, u.kind
ORDER BY u.hour, i.name, u.currency, u.kind

-- drift --
-- Players' balances less all movements by currency: zero, or the books are wrong.
SELECT currency, sum(high)::bigint, sum(low)::bigint FROM (
    SELECT currency, sum(balance >> 32) AS high, sum(balance & 4294967295) AS low
    FROM accounts GROUP BY currency
    UNION ALL
    SELECT currency, -sum(high), -sum(low) FROM rollups GROUP BY currency
) AS sums GROUP BY currency

-- audit_houses --
-- Every house account.
SELECT h.id, h.role, i.name, h.currency
FROM houses AS h LEFT JOIN integrations AS i ON i.id = h.integration

-- audit_accounts --
-- Every account, before its transactions.
SELECT id, currency FROM accounts

-- audit_transactions --
-- Every transaction in the order in which they were written: first as the chain knows them, then
-- the pointers, then what it claimed, then its round's totals where it is the last one of its round.
SELECT t.id, i.name, t.key, t.kind, t.fingerprint, t.session, t.round, t.asked, t.units, t.debit,
       t.credit, t.balance, t.version, t.target, t.rejection, t.campaign, t.free::integer, t.dust,
       t.created_ms, t.account, t.previous, t.chain, t.reversed_by, t.settled_by, t.feature,
       t.reference,
       CASE WHEN t.kind = 'reward' THEN (
           SELECT string_agg(c.claim, chr(10)) FROM claims AS c
           WHERE c.account = t.account AND c.integration = t.integration AND c.paid_by = t.id
       ) END,
       r.account, r.first, r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded
FROM transactions AS t
LEFT JOIN integrations AS i ON i.id = t.integration
LEFT JOIN rounds AS r ON r.id = t.round AND r.last = t.id
ORDER BY t.id

-- audit_heads --
-- Every account as its last transaction should have left it.
SELECT id, balance, version, last, chain FROM accounts

-- audit_rounds --
-- Rounds whose last transaction is not one of theirs; all others are met among the transactions.
SELECT r.id, r.account, r.last
FROM rounds AS r LEFT JOIN transactions AS t ON t.id = r.last AND t.round = r.id
WHERE t.id IS NULL

-- audit_unpaid --
-- Wins that name a bet which stood when they came, and that names no win.
SELECT w.id, w.account, w.target
FROM transactions AS w JOIN transactions AS b ON b.id = w.target
WHERE w.kind = 'win' AND w.rejection IS NULL AND b.kind = 'bet' AND b.rejection IS NULL
      AND b.settled_by IS NULL AND (b.reversed_by IS NULL OR b.reversed_by > w.id)

-- audit_claims --
-- Claims that name no reward of their account and integration; all others are met with theirs.
SELECT c.paid_by, c.account, c.claim
FROM claims AS c LEFT JOIN transactions AS t
    ON t.id = c.paid_by AND t.account = c.account AND t.integration = c.integration
       AND t.kind = 'reward'
WHERE t.id IS NULL

-- audit_keys --
-- Keys that name more than one transaction of an integration.
SELECT t.integration, t.key, count(*), max(t.id)
FROM transactions AS t GROUP BY t.integration, t.key HAVING count(*) > 1

-- audit_rollups --
-- Every roll-up, its stripes added up.
SELECT u.hour, i.name, u.currency, u.kind, sum(u.transactions)::bigint, sum(u.high)::bigint,
       sum(u.low)::bigint
FROM rollups AS u LEFT JOIN integrations AS i ON i.id = u.integration
GROUP BY u.hour, i.name, u.currency, u.kind
