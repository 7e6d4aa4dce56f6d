-- create_exchanges --
-- The inspector's table; ids never come again, so that pages stay where they are.
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    integration TEXT NOT NULL,
    call TEXT,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    query TEXT NOT NULL,
    headers TEXT NOT NULL,
    body TEXT NOT NULL,
    status INTEGER NOT NULL,
    reply TEXT NOT NULL,
    outcome TEXT NOT NULL,
    "transaction" TEXT,
    duration_us INTEGER NOT NULL
) STRICT

-- insert_exchanges --
-- The rows of a JSON array of arrays, in their order.
INSERT INTO exchanges (
    at_ms, request_id, integration, call, method, path, query, headers, body, status, reply,
    outcome, "transaction", duration_us
)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
       value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12, value ->> 13
FROM json_each(?1) ORDER BY key

-- forget --
-- What is older than a time, or more than a count; both lie at the low end of the ids.
DELETE FROM exchanges
WHERE id < (
    SELECT max(
        ifnull((SELECT max(id) + 1 FROM (SELECT id, at_ms FROM exchanges ORDER BY id LIMIT 2000)
                WHERE at_ms < ?1), 0),
        (SELECT max(id) FROM exchanges) - ?2 + 1
    )
)

-- list_exchanges --
-- Newest first; the filters that are NULL are off.
SELECT id, at_ms, request_id, integration, call, method, path, query, headers, body, status, reply,
       outcome, "transaction", duration_us
FROM exchanges
WHERE id < ?1 AND (?2 IS NULL OR integration = ?2) AND (?3 IS NULL OR "transaction" = ?3)
      AND (?4 IS NULL OR request_id = ?4) AND (?5 IS NULL OR outcome = ?5)
ORDER BY id DESC LIMIT ?6
