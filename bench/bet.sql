-- A bet as one function of the database: what Seamline does for a bet, on Seamline's own tables. It
-- has no round trips, no queue and no vendor; it also has no limits, alerts and policies.

CREATE SEQUENCE bet_ids START 1000000000 CACHE 512;

CREATE FUNCTION bet(in_session TEXT, in_key TEXT, in_round TEXT, in_units BIGINT, in_asked TEXT)
RETURNS BIGINT LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    now_ms CONSTANT BIGINT := extract(epoch FROM clock_timestamp()) * 1000;
    print CONSTANT BYTEA := substr(sha256(convert_to(concat_ws('|', in_session, in_round, in_asked),
                                                     'UTF8')), 1, 16);
    transaction_id CONSTANT BIGINT := nextval('bet_ids');
    round_id BIGINT := nextval('bet_ids');
    session RECORD;
    account accounts;
    house BIGINT;
    link BYTEA;
    known BYTEA;
BEGIN
    SELECT s.id, s.integration, s.game, s.account, s.expires_ms, s.closed_ms, p.status
    INTO session
    FROM sessions AS s
    JOIN accounts AS a ON a.id = s.account
    JOIN players AS p ON p.id = a.player
    WHERE s.integration = (SELECT i.id FROM integrations AS i WHERE i.name = 'swipe')
          AND s.name = in_session;
    IF session IS NULL OR session.closed_ms IS NOT NULL OR session.expires_ms < now_ms
       OR session.status <> 'active' THEN
        RAISE 'no open session %', in_session;
    END IF;

    SELECT * INTO account FROM accounts WHERE id = session.account FOR NO KEY UPDATE;
    SELECT t.fingerprint INTO known
    FROM transactions AS t WHERE t.integration = session.integration AND t.key = in_key;
    IF known = print THEN
        RETURN account.balance;
    ELSIF known IS NOT NULL THEN
        RAISE 'key % came with something else', in_key;
    ELSIF account.balance < in_units THEN
        RAISE 'not enough in account %', account.id;
    END IF;

    SELECT h.id INTO house FROM houses AS h
    WHERE h.role = 'game' AND h.integration = session.integration
          AND h.currency = account.currency;

    INSERT INTO rounds AS r (
        id, integration, game, name, account, opened_ms, changed_ms, first, last,
        bets, staked, wins, won, refunds, refunded, ended
    ) VALUES (
        round_id, session.integration, session.game, in_round, account.id, now_ms, now_ms,
        transaction_id, transaction_id, 1, in_units, 0, 0, 0, 0, NULL
    )
    ON CONFLICT (integration, name, account, game)
    DO UPDATE SET changed_ms = now_ms, last = transaction_id, bets = r.bets + 1,
                  staked = r.staked + in_units
    RETURNING r.id INTO round_id;

    link := sha256(account.chain || convert_to(concat_ws(
        '|', transaction_id, session.integration, in_key, 'bet', print, session.id, round_id,
        in_asked, in_units, account.id, house, account.balance - in_units, account.version + 1,
        now_ms
    ), 'UTF8'));
    INSERT INTO transactions (
        id, integration, key, kind, fingerprint, account, session, round, asked, units, debit,
        credit, balance, version, previous, chain, free, created_ms
    ) VALUES (
        transaction_id, session.integration, in_key, 'bet', print, account.id, session.id, round_id,
        in_asked, in_units, account.id, house, account.balance - in_units, account.version + 1,
        account.last, link, false, now_ms
    );
    UPDATE accounts
    SET balance = balance - in_units, version = version + 1, chain = link, last = transaction_id,
        loss_on = now_ms / 86400000, loss_day = loss_day + in_units,
        loss_week = loss_week + in_units, loss_month = loss_month + in_units, changed_ms = now_ms
    WHERE id = account.id;
    INSERT INTO rollups AS r (hour, integration, currency, kind, stripe, transactions, high, low)
    VALUES (now_ms / 3600000, session.integration, account.currency, 'bet', pg_backend_pid() % 32,
            1, -in_units >> 32, -in_units & 4294967295)
    ON CONFLICT (hour, integration, currency, kind, stripe)
    DO UPDATE SET transactions = r.transactions + 1, high = r.high + excluded.high,
                  low = r.low + excluded.low;
    RETURN account.balance - in_units;
END
$$;
