"""One integration with the fixture keys of the vectors, and short ways to ask and to answer."""

import json
from importlib.resources import files

import msgspec

from seamline.dialects.dialect import Refused, Request, Secret
from seamline.dialects.swipegames import DIALECT
from seamline.dialects.swipegames.options import Options
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Applied, Command, Integration, Kind

INTEGRATION_KEY = "test-integration-api-key"
API_KEY = "test-api-key"
CID = "550e8400-e29b-41d4-a716-446655440000"
BET = "c27ccade-5a45-4157-a85f-7d023a689ea5"
REFUND = "5b1f3a52-7c94-4e0d-9a86-2f6b8c1d7e43"
ROUND = "b78e42f8-2041-482d-9c4b-f2ca79fc75e3"
SESSION = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"
USD = Currency("USD", 2, 5)

CALLS = {call.name: call for call in DIALECT.calls}


def options(**changed):
    """The options of the vectors, some of them changed."""
    given = {
        "integration_api_keys": (Secret(INTEGRATION_KEY),),
        "api_key": Secret(API_KEY),
        "cid": CID,
        "ext_cid": "test_ext_cid",
    }
    return Options(**given | changed)


def integration(**changed):
    """An integration with those options."""
    return Integration(name="swipe", brand="acme", dialect="swipegames", options=options(**changed))


LIVE = integration()
SEED = integration(era="seed")


def vectors(name):
    """One file of vectors."""
    folder = files("seamline.dialects.swipegames") / "vectors"
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def post(path, body, where=LIVE):
    """A POST with the right signature over that body, whatever it is."""
    raw = body.encode() if isinstance(body, str) else body
    return DIALECT.sign(Request("POST", path, body=raw), where)


def with_header(request, value):
    """The request with another signature header, or with none."""
    kept = [(name, old) for name, old in request.headers if name != b"x-request-sign"]
    added = [] if value is None else [(b"x-request-sign", value)]
    return msgspec.structs.replace(request, headers=(*kept, *added))


def bet(**changed):
    """A bet, some of its fields changed."""
    given = {
        "kind": Kind.BET,
        "integration": "swipe",
        "key": BET,
        "session": SESSION,
        "round": ROUND,
        "amount": Quantity.parse("100.10"),
    }
    return Command(**given | changed)


def command_of(vector):
    """The command of a row of vectors."""
    fields = dict(vector["command"])
    fields["kind"] = Kind(fields["kind"])
    if "amount" in fields:
        fields["amount"] = Quantity.parse(fields["amount"])
    return Command(integration="swipe", **fields)


def applied(text="99.90", currency=USD, **changed):
    """Done, with that balance."""
    balance = Amount.parse(text, currency)
    given = {"balance": balance, "player": "p1", "transaction": "txn_1", "moved": balance}
    return Applied(**given | changed)


def refusal(do, *arguments):
    """How the call is refused, or None when it is not; anything else that is raised goes on."""
    try:
        do(*arguments)
    except Refused as refused:
        return refused.rejected
    return None
