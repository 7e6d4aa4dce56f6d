"""One integration with the keys of the vectors, and short ways to ask and to answer."""

import json
from importlib.resources import files

import msgspec

from seamline.dialects.dialect import Refused, Reply, Request, Secret
from seamline.dialects.oppigames import DIALECT
from seamline.dialects.oppigames.options import Options
from seamline.dialects.oppigames.signature import signed
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Applied, Command, Integration, Kind, Rejected, Rejection, Replayed

KEY = "test_auth_key"
SECRET = "test_secret_key_0123456789abcdef"
USD = Currency("USD", 2, 5)
#: The time of the vectors.
AT = 1_731_504_451_691

CALLS = {call.name: call for call in DIALECT.calls}


def vectors(name):
    """One file of vectors."""
    folder = files("seamline.dialects.oppigames") / "vectors"
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def integration(**changed):
    """The integration of the vectors, some of its options changed."""
    options = Options(**{"api_key": KEY, "secrets": (Secret(SECRET),)} | changed)
    return Integration(name="oppi", brand="acme", dialect="oppigames", options=options)


HERE = integration()
ROWS = {row["id"]: row for row in vectors("calls")["calls"]}


def command_of(fields):
    """A command of the vectors."""
    given = dict(fields) | {"kind": Kind(fields["kind"])}
    if "amount" in given:
        given["amount"] = Quantity.parse(given["amount"])
    return Command(integration="oppi", **given)


def items_of(name):
    """The items that a row of `calls.json` stands for."""
    row = ROWS[name]
    return tuple(map(command_of, row.get("commands", [row.get("command")])))


def request(body, *, time=AT, at_ms=AT, over=None, path="/transaction/bet", where=HERE, **headers):
    """A POST with the right headers, signed over that body or *over* another text."""
    raw = body.encode() if isinstance(body, str) else body
    bare = Request("POST", path, body=raw if over is None else over.encode(), at_ms=at_ms)
    options = where.options
    made = signed(bare, key=options.api_key, secret=options.secrets[0], time=str(time).encode())
    right = dict(made.headers) | {
        name.replace("_", "-").encode(): value for name, value in headers.items()
    }
    kept = tuple((name, value) for name, value in right.items() if value is not None)
    return msgspec.structs.replace(made, body=raw, headers=kept)


def outcome_of(row):
    """The outcome of a row of `answers.json`."""
    balance = Amount(row["units"], USD) if "units" in row else None
    if row["outcome"] == "rejected":
        return Rejected(why=Rejection[row["why"]], balance=balance)
    made = Applied if row["outcome"] == "applied" else Replayed
    moved = None if row.get("unknown_target") else balance
    return made(balance=balance, player="18865671", transaction="txn_1", moved=moved)


def refusal(do, *arguments):
    """How the call is refused, or None when it is not; anything else that is raised goes on."""
    try:
        do(*arguments)
    except Refused as refused:
        return refused.rejected
    return None


def said(body, status=200):
    """A reply with that JSON."""
    return Reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())
