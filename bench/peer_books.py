"""The peer's database, from outside: its tables made, filled and checked."""

from __future__ import annotations

import asyncpg

from bets import CURRENCY, GAME

#: Ledger units per main unit, as peer.py has them.
SCALE = 100_000

ACCOUNTS = f"""
INSERT INTO accounts (id, player, currency, balance, version)
SELECT n + 1, 'player-' || lpad(n::text, 7, '0'), '{CURRENCY}', $2::bigint, 1
FROM generate_series(0, $1::int - 1) n
"""
SESSIONS = f"""
INSERT INTO sessions (id, account_id, game, expires_at)
SELECT 'session-' || lpad(n::text, 7, '0'), n + 1, '{GAME}', now() + interval '4 hours'
FROM generate_series(0, $1::int - 1) n
"""
#: Every stake left an account, reached the house and stands in a transaction.
TAKEN = "SELECT sum($1::bigint - balance) FROM accounts"
GAINED = "SELECT coalesce(sum(amount), 0) FROM postings WHERE account_id = 0"
STAKED = "SELECT coalesce(sum(amount), 0) FROM transactions"
BETS = "SELECT count(*) FROM transactions WHERE kind = 'bet'"


async def fill(database: str, players: int, deposit: int) -> None:
    """All players with their money, no bets; statistics and a checkpoint done."""
    connection = await asyncpg.connect(database)
    await connection.execute("TRUNCATE postings, transactions, sessions, accounts RESTART IDENTITY")
    await connection.execute(ACCOUNTS, players, deposit * SCALE)
    await connection.execute(SESSIONS, players)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()


async def count(database: str, deposit: int) -> int:
    """Recorded bets; ends the bench when the books do not balance."""
    connection = await asyncpg.connect(database)
    taken = await connection.fetchval(TAKEN, deposit * SCALE)
    gained, staked = await connection.fetchval(GAINED), await connection.fetchval(STAKED)
    if not taken == gained == staked:
        raise SystemExit(f"the peer's books are off: {taken}, {gained} and {staked} units")
    bets = await connection.fetchval(BETS)
    await connection.close()
    return int(bets)


async def version(database: str) -> str:
    """Of the PostgreSQL behind it, without the packager's remarks."""
    connection = await asyncpg.connect(database)
    found = await connection.fetchval("SHOW server_version")
    await connection.close()
    return str(found).split()[0]
