"""The peer: the wallet that a good team would write itself.

FastAPI, SQLAlchemy 2 with asyncpg, PostgreSQL; one transaction per bet. It keeps the same promises
as the gateway for this one call: signature before anything is parsed, unique transaction id,
fingerprint compare, double entry, balance and version on the account row, durable before answered.
The happy path is four statements between BEGIN and COMMIT, in as few round trips as the tools give.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, StringConstraints
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

KEY = os.environ["BENCH_KEY"].encode()
POOL = int(os.environ.get("BENCH_POOL", "16"))
#: Ledger units per main unit; five decimals, as the gateway keeps them.
SCALE = 100_000
#: The account of the game house; its balance is summed from postings, never a locked row.
HOUSE = 0

metadata = sa.MetaData()
accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("player", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("balance", sa.BigInteger, sa.CheckConstraint("balance >= 0"), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("player", "currency"),
)
sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("game", sa.Text, nullable=False),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
)
transactions = sa.Table(
    "transactions",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("tx_id", sa.Uuid, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("account_id", sa.ForeignKey("accounts.id"), nullable=False),
    sa.Column("session_id", sa.Text, nullable=False),
    sa.Column("round_id", sa.Uuid, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("balance_after", sa.BigInteger, nullable=False),
    sa.Column("version_after", sa.BigInteger, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
    sa.Index("transactions_account", "account_id", "version_after"),
)
# No foreign key on the account here: every bet would lock the one row of the game house.
postings = sa.Table(
    "postings",
    metadata,
    sa.Column("transaction_id", sa.ForeignKey("transactions.id"), primary_key=True),
    sa.Column("account_id", sa.BigInteger, primary_key=True),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
)


class Bet(BaseModel):
    """The fields of a bet, as the wire names them."""

    type: Literal["regular", "free"]
    sessionID: str  # noqa: N815 - the wire's own name
    amount: Annotated[str, StringConstraints(pattern=r"^(0|[1-9]\d*)(\.\d+)?$", max_length=24)]
    txID: UUID  # noqa: N815 - the wire's own name
    roundID: UUID  # noqa: N815 - the wire's own name

    def units(self) -> int:
        """The stake in ledger units; refuses more decimals than the ledger keeps."""
        units = Decimal(self.amount) * SCALE
        if units != int(units):
            raise Refused(400, "the amount has too many decimals")
        return int(units)

    def fingerprint(self) -> bytes:
        """Equal for two requests that ask for the same movement."""
        return sha256(
            f"bet|{self.type}|{self.sessionID}|{self.amount}|{self.roundID}".encode()
        ).digest()


class Taken(BaseModel):
    """The reply to a bet, as the wire names it."""

    balance: str
    txID: str  # noqa: N815 - the wire's own name


class Refused(Exception):
    """The bet is refused; nothing is moved."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


engine = create_async_engine(os.environ["BENCH_DATABASE"], pool_size=POOL, max_overflow=0)

SESSION = (
    sa.select(
        accounts.c.id,
        accounts.c.balance,
        accounts.c.version,
        (sessions.c.expires_at < sa.func.now()).label("over"),
    )
    .join_from(sessions, accounts)
    .where(sessions.c.id == sa.bindparam("session"))
    .with_for_update(of=accounts)
)
KNOWN = sa.select(
    transactions.c.id, transactions.c.fingerprint, transactions.c.balance_after
).where(transactions.c.tx_id == sa.bindparam("tx"))
RECORD = (
    insert(transactions)
    .on_conflict_do_nothing(index_elements=["tx_id"])
    .returning(transactions.c.id)
)
POST = sa.insert(postings)
DEBIT = (
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("account"))
    .values(balance=sa.bindparam("left"), version=sa.bindparam("next"))
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Closes the pool when the server ends."""
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan, openapi_url=None)


async def signed(request: Request) -> None:
    """Refuses a request whose signature is missing or wrong."""
    wanted = hmac.digest(KEY, await request.body(), sha256).hex()
    if not hmac.compare_digest(request.headers.get("x-request-sign", ""), wanted):
        raise Refused(401, "wrong signature")


@app.exception_handler(Refused)
async def refused(_: Request, error: Refused) -> JSONResponse:
    """The wire's error object."""
    return JSONResponse({"message": error.message}, status_code=error.status)


@app.exception_handler(RequestValidationError)
async def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
    """The wire's error object for a body that cannot be read."""
    return JSONResponse({"message": "malformed", "details": str(error)}, status_code=400)


@app.get("/healthz")
async def healthz() -> dict[str, str]:
    """Answers when the database can be asked."""
    async with engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))
    return {}


@app.post("/callbacks/swipe/bet", dependencies=[Depends(signed)])
async def bet(bet: Bet) -> Taken:
    """Takes the stake once per `txID`, durably, or says why not."""
    async with engine.begin() as connection:
        account = (await connection.execute(SESSION, {"session": bet.sessionID})).one_or_none()
        if account is None:
            raise Refused(404, "no such session")
        return await take(connection, account, bet)


async def take(connection: AsyncConnection, account: sa.Row[tuple[int, ...]], bet: Bet) -> Taken:
    """The bet on a locked account: recorded and paid, or the stored answer of the first one."""
    stake = bet.units()
    left, version = account.balance - stake, account.version + 1
    number = None
    if left >= 0 and not account.over:
        row = {
            "tx_id": bet.txID,
            "kind": "bet",
            "account_id": account.id,
            "session_id": bet.sessionID,
            "round_id": bet.roundID,
            "amount": stake,
            "fingerprint": bet.fingerprint(),
            "balance_after": left,
            "version_after": version,
        }
        number = (await connection.execute(RECORD, row)).scalar_one_or_none()
    if number is None:
        return await known(connection, bet, over=account.over)
    debit = {"transaction_id": number, "account_id": account.id, "direction": "debit"}
    credit = {"transaction_id": number, "account_id": HOUSE, "direction": "credit"}
    # As a list of rows: asyncpg pipelines them, and SQLAlchemy keeps the compiled statement.
    await connection.execute(POST, [debit | {"amount": stake}, credit | {"amount": stake}])
    await connection.execute(DEBIT, {"account": account.id, "left": left, "next": version})
    return Taken(balance=text(left), txID=str(number))


async def known(connection: AsyncConnection, bet: Bet, *, over: bool) -> Taken:
    """The stored answer of the same bet.

    Refuses other content under its id, and a first bet that cannot be paid.
    """
    first = (await connection.execute(KNOWN, {"tx": bet.txID})).one_or_none()
    if first is None:
        raise Refused(404, "the session is over") if over else Refused(400, "insufficient funds")
    if first.fingerprint != bet.fingerprint():
        raise Refused(400, "the id is known with other content")
    return Taken(balance=text(first.balance_after), txID=str(first.id))


def text(units: int) -> str:
    """Ledger units as a plain decimal of main units."""
    return f"{units // SCALE}.{units % SCALE:05d}"


async def create() -> None:
    """Make the tables in an empty database."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(create())
