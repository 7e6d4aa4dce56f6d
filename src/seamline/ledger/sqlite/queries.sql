-- load_sessions --
-- The sessions of one integration by name, each with its account and player. CROSS JOIN pins the
-- order: left to itself the planner scans the table.
SELECT s.id, s.name, s.game, s.opened_ms, s.expires_ms, s.closed_ms,
       a.id, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month,
       p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM carray(?2) AS wanted
CROSS JOIN sessions AS s ON s.integration = ?1 AND s.name = wanted.value
CROSS JOIN accounts AS a ON a.id = s.account
CROSS JOIN players AS p ON p.id = a.player

-- load_transactions --
-- The transactions of one integration by key, each with its account's currency and player.
SELECT t.id, t.key, t.kind, t.fingerprint, t.account, t.session, t.round, t.asked, t.units,
       t.debit, t.credit, t.balance, t.version, t.previous, t.chain, t.target, t.reversed_by,
       t.rejection, t.campaign, t.free, t.dust, t.created_ms, t.settled_by, t.feature, t.reference,
       t.vouched_ms, a.currency, p.name
FROM carray(?2) AS wanted
CROSS JOIN transactions AS t ON t.integration = ?1 AND t.key = wanted.value
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player

-- load_settlers --
-- The transactions that paid bets, by id.
SELECT t.id, t.key, t.kind, t.fingerprint, t.account, t.session, t.round, t.asked, t.units,
       t.debit, t.credit, t.balance, t.version, t.previous, t.chain, t.target, t.reversed_by,
       t.rejection, t.campaign, t.free, t.dust, t.created_ms, t.settled_by, t.feature, t.reference,
       t.vouched_ms, a.currency, p.name
FROM carray(?1) AS wanted
CROSS JOIN transactions AS t ON t.id = wanted.value
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player

-- load_newest_session --
-- A player's newest session at an integration, of one game or any, in one currency or any.
SELECT s.id, s.name, s.game, s.opened_ms, s.expires_ms, s.closed_ms,
       a.id, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month,
       p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM players AS p
CROSS JOIN accounts AS a ON a.player = p.id
CROSS JOIN sessions AS s ON s.account = a.id AND s.integration = ?1
WHERE p.brand = ?2 AND p.name = ?3 AND (?4 IS NULL OR s.game = ?4)
      AND (?5 IS NULL OR a.currency = ?5) AND s.closed_ms IS NULL
ORDER BY s.id DESC LIMIT 1

-- load_grants --
-- The campaigns of a name, the operator's or the vendor's.
SELECT g.name, g.vendor_name, g.player, g.game, g.currency, g.reward, g.from_ms, g.until_ms,
       g.cancelled_ms
FROM grants AS g
WHERE g.integration = ?1 AND (g.name = ?2 OR g.vendor_name = ?2)
ORDER BY g.id

-- load_given --
-- A player's campaigns, oldest first; those that are for all players among them.
SELECT g.name, g.vendor_name, g.player, g.game, g.currency, g.reward, g.from_ms, g.until_ms,
       g.cancelled_ms
FROM grants AS g
WHERE g.integration = ?1 AND (g.player = ?2 OR g.player IS NULL) AND g.cancelled_ms IS NULL
ORDER BY g.from_ms, g.id

-- load_rounds --
-- The rounds of one integration by the vendor's id, whatever game they are of, and of those
-- accounts only: all rounds of a name that is everybody's are passed over within the index.
SELECT r.id, ?3, r.game, r.name, r.account, r.opened_ms, r.changed_ms, r.first, r.last,
       r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded, r.ended
FROM carray(?2) AS wanted
CROSS JOIN rounds AS r ON r.integration = ?1 AND r.name = wanted.value
WHERE r.account IN (SELECT value FROM carray(?4))

-- load_rounds_by_id --
-- The rounds that refunded transactions belong to.
SELECT r.id, i.name, r.game, r.name, r.account, r.opened_ms, r.changed_ms, r.first, r.last,
       r.bets, r.staked, r.wins, r.won, r.refunds, r.refunded, r.ended
FROM carray(?1) AS wanted
CROSS JOIN rounds AS r ON r.id = wanted.value
CROSS JOIN integrations AS i ON i.id = r.integration

-- load_accounts --
-- Accounts by id, each with its player's name.
SELECT a.id, a.player, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month, p.name
FROM carray(?1) AS wanted
CROSS JOIN accounts AS a ON a.id = wanted.value
CROSS JOIN players AS p ON p.id = a.player

-- load_players --
-- The players of one brand by the brand's own id.
SELECT p.id, p.brand, p.name, p.status, p.limits, p.country, p.language, p.created_ms
FROM carray(?2) AS wanted
CROSS JOIN players AS p ON p.brand = ?1 AND p.name = wanted.value

-- load_purses --
-- All accounts of players.
SELECT a.id, a.player, a.currency, a.balance, a.version, a.chain, a.last,
       a.loss_on, a.loss_day, a.loss_week, a.loss_month
FROM carray(?1) AS wanted
CROSS JOIN accounts AS a ON a.player = wanted.value
ORDER BY a.player, a.currency

-- load_claims --
-- Which of the claims were paid to the account through the integration.
SELECT c.claim
FROM carray(?3) AS wanted
CROSS JOIN claims AS c ON c.account = ?1 AND c.integration = ?2 AND c.claim = wanted.value

-- warm --
-- How many of the sessions, keys and rounds that commands of one integration name are there. Nobody
-- wants the number: the pages that led to it are in memory afterwards.
SELECT (SELECT count(p.status) FROM carray(?2) AS wanted
        CROSS JOIN sessions AS s ON s.integration = ?1 AND s.name = wanted.value
        CROSS JOIN accounts AS a ON a.id = s.account
        CROSS JOIN players AS p ON p.id = a.player)
     + (SELECT count(*) FROM carray(?3) AS wanted
        CROSS JOIN transactions AS t ON t.integration = ?1 AND t.key = wanted.value)
     + (SELECT count(*) FROM carray(?4) AS wanted
        CROSS JOIN rounds AS r ON r.integration = ?1 AND r.name = wanted.value)

-- insert_transaction --
INSERT INTO transactions (
    id, integration, key, kind, fingerprint, account, session, round, asked, units, debit, credit,
    balance, version, previous, chain, target, rejection, campaign, free, dust, created_ms,
    feature, reference
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- mark_settled --
UPDATE transactions SET settled_by = ?1 WHERE id = ?2

-- mark_vouched --
UPDATE transactions SET vouched_ms = ?1 WHERE id = ?2

-- mark_reversed --
UPDATE transactions SET reversed_by = ?1 WHERE id = ?2 AND reversed_by IS NULL

-- update_account --
-- The version guards against a lost update: exactly one row must change.
UPDATE accounts
SET balance = ?1, version = ?2, chain = ?3, last = ?4,
    loss_on = ?5, loss_day = ?6, loss_week = ?7, loss_month = ?8
WHERE id = ?9 AND version = ?10

-- insert_account --
INSERT INTO accounts (
    id, player, currency, balance, version, chain, last, loss_on, loss_day, loss_week, loss_month
) VALUES (?, ?, ?, 0, 0, ?, 0, 0, 0, 0, 0)

-- insert_round --
INSERT INTO rounds (
    id, integration, game, name, account, opened_ms, changed_ms, first, last,
    bets, staked, wins, won, refunds, refunded, ended
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- update_round --
UPDATE rounds
SET changed_ms = ?1, last = ?2, bets = ?3, staked = ?4, wins = ?5, won = ?6, refunds = ?7, refunded = ?8,
    ended = ?9
WHERE id = ?10

-- insert_claim --
INSERT INTO claims (account, integration, claim, paid_by) VALUES (?, ?, ?, ?)

-- insert_alert --
-- The same alert about the same key again is no news.
INSERT INTO alerts (integration, key, alert, detail, account, state, created_ms, changed_ms)
VALUES (?1, ?2, ?3, ?4, ?5, 'open', ?6, ?6)
ON CONFLICT (integration, key, alert) DO NOTHING

-- add_to_rollup --
INSERT INTO rollups (hour, integration, currency, kind, transactions, high, low)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (hour, integration, currency, kind)
DO UPDATE SET transactions = transactions + excluded.transactions,
              high = high + excluded.high, low = low + excluded.low

-- insert_house --
INSERT INTO houses (id, role, integration, currency) VALUES (?, ?, ?, ?)

-- insert_integration --
INSERT INTO integrations (id, name, brand) VALUES (?, ?, ?)

-- insert_currency --
INSERT INTO currencies (code, scale) VALUES (?, ?)

-- insert_player --
INSERT INTO players (id, brand, name, country, language, status, limits, created_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- update_player --
-- What is NULL stays as it is.
UPDATE players
SET status = coalesce(?1, status), limits = coalesce(?2, limits),
    country = coalesce(?3, country), language = coalesce(?4, language)
WHERE brand = ?5 AND name = ?6

-- insert_session --
INSERT INTO sessions (id, integration, name, account, game, opened_ms, expires_ms, closed_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, NULL)

-- close_session --
-- All names of one launch: they are of one account and game, and were opened at one time.
UPDATE sessions SET closed_ms = ?1
WHERE account = (SELECT account FROM sessions WHERE id = ?2) AND closed_ms IS NULL
      AND (integration, game, opened_ms)
          = (SELECT integration, game, opened_ms FROM sessions WHERE id = ?2)

-- slide_session --
UPDATE sessions SET expires_ms = ?1 WHERE id = ?2

-- insert_grant --
INSERT INTO grants (
    integration, name, vendor_name, player, game, currency, reward, from_ms, until_ms
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- cancel_grants --
UPDATE grants SET cancelled_ms = ?3
WHERE integration = ?1 AND (name = ?2 OR vendor_name = ?2) AND cancelled_ms IS NULL

-- end_round --
-- A round that its vendor left open and nobody plays in any more.
UPDATE rounds SET ended = 1 WHERE id = ?1 AND ended = 0

-- close_alert --
UPDATE alerts SET state = 'resolved', changed_ms = ?4
WHERE integration = ?1 AND key = ?2 AND alert = ?3 AND state <> 'resolved'

-- set_alert_state --
UPDATE alerts SET state = ?1, changed_ms = ?2 WHERE id = ?3

-- beat --
-- Note that a write went through.
INSERT INTO heartbeat (id, at_ms) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at_ms = ?1

-- all_currencies --
SELECT code, scale FROM currencies

-- all_integrations --
SELECT id, name, brand FROM integrations

-- all_houses --
SELECT h.id, h.role, i.name, h.currency
FROM houses AS h JOIN integrations AS i ON i.id = h.integration

-- has_transfer --
-- Whether a transfer to this file is unfinished.
SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'transfer'

-- last_ids --
-- The newest id of every table whose ids the writer hands out.
SELECT (SELECT ifnull(max(id), 0) FROM transactions), (SELECT ifnull(max(id), 0) FROM rounds),
       (SELECT ifnull(max(id), 0) FROM accounts), (SELECT ifnull(max(id), 0) FROM players),
       (SELECT ifnull(max(id), 0) FROM sessions), (SELECT ifnull(max(id), 0) FROM integrations),
       (SELECT ifnull(min(id), 0) FROM houses)

-- newest_time --
-- When the newest transaction was written: the ledger's clock never runs behind it.
SELECT ifnull((SELECT created_ms FROM transactions ORDER BY id DESC LIMIT 1), 0)

-- list_transactions --
-- All transactions, newest first; the filters that are NULL are off.
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM transactions AS t
CROSS JOIN integrations AS i ON i.id = t.integration
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE t.id < ?1 AND (?2 IS NULL OR i.brand = ?2) AND (?3 IS NULL OR i.name = ?3)
ORDER BY t.id DESC LIMIT ?4

-- list_keyed_transactions --
-- The transaction that has a key in an integration; the filters that are NULL are off.
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM integrations AS i
CROSS JOIN transactions AS t ON t.integration = i.id AND t.key = ?5
LEFT JOIN accounts AS a ON a.id = t.account
LEFT JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE i.name = ?3 AND t.id < ?1 AND (?2 IS NULL OR i.brand = ?2) AND (?6 IS NULL OR p.name = ?6)
LIMIT ?4

-- list_player_transactions --
-- A player's transactions, newest first, walked back along each account's chain. The walk itself is
-- in that order: an outer ORDER BY would make every page walk the whole history.
WITH RECURSIVE walk (id, previous) AS (
    SELECT t.id, t.previous
    FROM players AS p
    CROSS JOIN accounts AS a ON a.player = p.id
    CROSS JOIN transactions AS t ON t.id = a.last
    WHERE p.brand = ?2 AND p.name = ?5
    UNION ALL
    SELECT t.id, t.previous FROM walk CROSS JOIN transactions AS t ON t.id = walk.previous
    ORDER BY 1 DESC
)
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM walk
CROSS JOIN transactions AS t ON t.id = walk.id
CROSS JOIN integrations AS i ON i.id = t.integration
CROSS JOIN accounts AS a ON a.id = t.account
CROSS JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE t.id < ?1 AND (?3 IS NULL OR i.name = ?3)
LIMIT ?4

-- list_round_transactions --
-- The transactions of a round, newest first: walked back from the round's last one to its first.
WITH RECURSIVE walk (id, previous, round, first) AS (
    SELECT t.id, t.previous, r.id, r.first
    FROM integrations AS i
    CROSS JOIN rounds AS r ON r.integration = i.id AND r.name = ?5 AND (?6 IS NULL OR r.game = ?6)
    CROSS JOIN transactions AS t ON t.id = r.last
    WHERE i.name = ?3
    UNION ALL
    SELECT t.id, t.previous, walk.round, walk.first
    FROM walk CROSS JOIN transactions AS t ON t.id = walk.previous
    WHERE walk.previous >= walk.first
    ORDER BY 1 DESC
)
SELECT t.id, i.name, i.brand, p.name, t.kind, t.key, t.asked, t.units, a.currency, t.balance,
       t.version, s.name, r.game, r.name, t.campaign, t.free, t.target, t.reversed_by, t.rejection,
       t.dust, t.created_ms, s.game, t.feature, t.reference
FROM walk
CROSS JOIN transactions AS t ON t.id = walk.id AND t.round = walk.round
CROSS JOIN integrations AS i ON i.id = t.integration
CROSS JOIN accounts AS a ON a.id = t.account
CROSS JOIN players AS p ON p.id = a.player
LEFT JOIN sessions AS s ON s.id = t.session
LEFT JOIN rounds AS r ON r.id = t.round
WHERE t.id < ?1 AND (?2 IS NULL OR i.brand = ?2) AND (?7 IS NULL OR p.name = ?7)
LIMIT ?4

-- list_rounds --
-- Rounds, newest first; the filters that are NULL are off.
SELECT r.id, i.name, i.brand, r.game, r.name, p.name, a.currency, r.bets, r.staked, r.wins, r.won,
       r.refunds, r.refunded, r.opened_ms, r.changed_ms
FROM rounds AS r
CROSS JOIN integrations AS i ON i.id = r.integration
CROSS JOIN accounts AS a ON a.id = r.account
CROSS JOIN players AS p ON p.id = a.player
WHERE r.id < ?1 AND (?2 IS NULL OR i.brand = ?2) AND (?3 IS NULL OR i.name = ?3)
      AND (?5 IS NULL OR r.game = ?5) AND (?6 IS NULL OR p.name = ?6)
      AND (?7 = 0 OR (ifnull(r.ended = 0, r.wins = 0) AND r.bets > r.refunds))
ORDER BY r.id DESC LIMIT ?4

-- list_named_rounds --
-- The rounds of one integration by the vendor's id, newest first.
SELECT r.id, i.name, i.brand, r.game, r.name, p.name, a.currency, r.bets, r.staked, r.wins, r.won,
       r.refunds, r.refunded, r.opened_ms, r.changed_ms
FROM integrations AS i
CROSS JOIN rounds AS r ON r.integration = i.id AND r.name = ?8
CROSS JOIN accounts AS a ON a.id = r.account
CROSS JOIN players AS p ON p.id = a.player
WHERE i.name = ?3 AND r.id < ?1 AND (?2 IS NULL OR i.brand = ?2)
      AND (?5 IS NULL OR r.game = ?5) AND (?6 IS NULL OR p.name = ?6)
      AND (?7 = 0 OR (ifnull(r.ended = 0, r.wins = 0) AND r.bets > r.refunds))
ORDER BY r.id DESC LIMIT ?4

-- list_overdue_rounds --
-- Of the next so many rounds after an id, the first that were opened before a time and have a bet
-- that neither won, lost nor was undone, oldest first.
SELECT r.id, i.name, i.brand, r.game, r.name, p.name, a.currency, r.bets, r.staked, r.wins, r.won,
       r.refunds, r.refunded, r.opened_ms, r.changed_ms, r.account
FROM (SELECT * FROM rounds WHERE id > ?1 ORDER BY id LIMIT ?3) AS r
CROSS JOIN integrations AS i ON i.id = r.integration
CROSS JOIN accounts AS a ON a.id = r.account
CROSS JOIN players AS p ON p.id = a.player
WHERE r.opened_ms < ?2 AND ifnull(r.ended = 0, r.wins = 0) AND r.bets > r.refunds
ORDER BY r.id LIMIT ?4

-- last_round_before --
-- The last of the next so many ids before the first round that was opened later than a time: one
-- with a lower id may have been opened after one with a higher id. Who was two days ahead of that
-- time had a wrong clock, and keeps nobody.
SELECT coalesce(
    min(id) FILTER (WHERE opened_ms BETWEEN ?2 AND ?2 + 172800000) - 1, max(id)
)
FROM (SELECT id, opened_ms FROM rounds WHERE id > ?1 ORDER BY id LIMIT ?3)

-- list_alerts --
-- Alerts, newest first.
SELECT l.id, i.name, l.key, l.alert, l.detail, p.name, a.currency, l.state, l.created_ms, l.changed_ms
FROM alerts AS l
CROSS JOIN integrations AS i ON i.id = l.integration
LEFT JOIN accounts AS a ON a.id = l.account
LEFT JOIN players AS p ON p.id = a.player
WHERE l.id < ?1 AND (?2 IS NULL OR l.state = ?2)
ORDER BY l.id DESC LIMIT ?3

-- list_totals --
-- The roll-ups of a span of hours.
SELECT u.hour, i.name, u.currency, u.kind, u.transactions, u.high, u.low
FROM rollups AS u CROSS JOIN integrations AS i ON i.id = u.integration
WHERE u.hour >= ?1 AND u.hour < ?2
ORDER BY u.hour, i.name, u.currency, u.kind

-- drift --
-- Players' balances less all movements by currency: zero, or the books are wrong.
SELECT currency, sum(high), sum(low) FROM (
    SELECT currency, sum(balance >> 32) AS high, sum(balance & 4294967295) AS low
    FROM accounts GROUP BY currency
    UNION ALL
    SELECT currency, -sum(high), -sum(low) FROM rollups GROUP BY currency
) GROUP BY currency

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
       t.credit, t.balance, t.version, t.target, t.rejection, t.campaign, t.free, t.dust,
       t.created_ms, t.account, t.previous, t.chain, t.reversed_by, t.settled_by, t.feature,
       t.reference,
       CASE WHEN t.kind = 'reward' THEN (
           SELECT group_concat(c.claim, char(10)) FROM claims AS c
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
FROM transactions AS w CROSS JOIN transactions AS b ON b.id = w.target
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
-- Keys that name more than one transaction of an integration, found along the index of identity.
SELECT t.integration, t.key, count(*), max(t.id)
FROM transactions AS t GROUP BY t.integration, t.key HAVING count(*) > 1

-- audit_rollups --
-- Every roll-up.
SELECT u.hour, i.name, u.currency, u.kind, u.transactions, u.high, u.low
FROM rollups AS u LEFT JOIN integrations AS i ON i.id = u.integration
