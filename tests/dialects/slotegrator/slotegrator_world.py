"""One integration with the token of the vectors, and short ways to ask and to answer."""

import json
from importlib.resources import files

import msgspec

from seamline.dialects.dialect import Refused, Reply, Request, Secret
from seamline.dialects.slotegrator import DIALECT
from seamline.dialects.slotegrator.options import Options
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Applied, Command, Integration, Kind

SESSION = "c4ca4238a0b923820dcc509a6f75849b"
TRANSACTION = "eccbc87e4b5ce2fe28308fd9f2a7baf3"
USD = Currency("USD", 2, 5)
#: A moment, in Unix milliseconds, before the campaign of the samples.
NOW = 1_537_522_000_000

CALLS = {call.name: call for call in DIALECT.calls}


def vectors(name):
    """One file of vectors."""
    folder = files("seamline.dialects.slotegrator") / "vectors"
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


TOKEN = vectors("signatures")["token"]
SAMPLES = {row["id"]: row for row in vectors("signatures")["vectors"]}


def options(**changed):
    """The options of the vectors, some of them changed."""
    given = {
        "tokens": (Secret(TOKEN),),
        "client_id": "myClient1",
        "base_url": "https://provider.example",
        "demo_url": "/demo",
        "game_url": "/game",
        "jackpots_url": "/jackpots",
        "create_campaign_url": "/campaigns/create",
        "cancel_campaign_url": "/campaigns/cancel",
    }
    return Options(**given | changed)


def integration(**changed):
    """An integration with those options."""
    return Integration(
        name="slote", brand="acme", dialect="slotegrator", options=options(**changed)
    )


HERE = integration()


def post(body, where=HERE):
    """A POST with the right signature over that body, whatever it is."""
    raw = body.encode() if isinstance(body, str) else body
    return DIALECT.sign(Request("POST", "", body=raw), where)


def with_header(request, value, name=b"x-sign"):
    """The request with another signature header, or with none."""
    kept = [(key, old) for key, old in request.headers if key != b"x-sign"]
    added = [] if value is None else [(name, value)]
    return msgspec.structs.replace(request, headers=(*kept, *added))


def body(action="bet", **changed):
    """The members of a call, some of them changed; one given as None is null, `...` is left out."""
    given = {
        "action": action,
        "type": action,
        "session_id": SESSION,
        "amount": "10.0001",
        "transaction_id": TRANSACTION,
        "round_id": "3",
        "game_id": "current_game_id",
    }
    without = {"refund": {"type", "amount"}, "balance": set(given) - {"action", "session_id"}}
    members = {key: each for key, each in given.items() if key not in without.get(action, ())}
    return {key: each for key, each in (members | changed).items() if each is not ...}


def read(members, where=HERE):
    """The command that a signed request with those members stands for, by way of `which`."""
    request = post(members if isinstance(members, str | bytes) else json.dumps(members), where)
    return CALLS[DIALECT.which(request, where)].read(request, where)[0]


def bet(**changed):
    """A bet, some of its fields changed."""
    given = {
        "kind": Kind.BET,
        "integration": "slote",
        "key": f"bet/{TRANSACTION}",
        "session": SESSION,
        "round": "3",
        "game": "current_game_id",
        "amount": Quantity.parse("10.0001"),
    }
    return Command(**given | changed)


def command_of(fields):
    """The command of a row of vectors."""
    fields = {**fields, "kind": Kind(fields["kind"])}
    if "amount" in fields:
        fields["amount"] = Quantity.parse(fields["amount"])
    return Command(integration="slote", **fields)


def applied(text="90", currency=USD, **changed):
    """Done, with that balance."""
    balance = Amount.parse(text, currency)
    given = {"balance": balance, "player": "p1", "transaction": "txn_1", "moved": balance}
    return Applied(**given | changed)


def told(**members):
    """A reply of 200 with those members."""
    return Reply(200, json.dumps(members).encode())


def refusal(do, *arguments):
    """How the call is refused, or None when it is not; anything else that is raised goes on."""
    try:
        do(*arguments)
    except Refused as refused:
        return refused.rejected
    return None
