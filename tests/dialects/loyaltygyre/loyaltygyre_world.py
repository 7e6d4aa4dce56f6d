"""LoyaltyGyre as the tests know it: its vectors, integrations with chosen options, raw requests."""

import json
from importlib.resources import files

import msgspec

from seamline.dialects.dialect import Refused, Reply, Request, Secret
from seamline.dialects.loyaltygyre import DIALECT
from seamline.dialects.loyaltygyre.options import Options
from seamline.wallet import Integration

NOW = 1_795_000_000_000
TOKEN = "casino_callback_token_one"
CASINO = "b093b6bf-104b-483c-99bb-096bca9df9d1"
#: A purchase and a cashback as they should be.
GOOD = {
    "request_id": "r1",
    "action": "open_box",
    "player_id": "p1",
    "box_id": "58",
    "amount": "50",
}
CASHED = {"request_id": "c1", "player_id": "p1", "prize_id": "202", "amount": "10.5"}
CALLS = {call.name: call for call in DIALECT.calls}


def vectors(name):
    """A file of vectors, decoded."""
    text = (files("seamline.dialects.loyaltygyre") / "vectors" / f"{name}.json").read_text("utf-8")
    return json.loads(text)


def secret(wanted, value):
    """Texts as the settings turn them into secrets."""
    if wanted is not Secret:
        raise TypeError(wanted)
    return Secret(value)


def settings(**given):
    """Options as they stand in a settings file: plain tables."""
    plain = {"casino_id": CASINO, "api_keys": ["the-api-key"], "auth": {"tokens": [TOKEN]}}
    return msgspec.convert(plain | {"rate_per_player": (0, 1)} | given, Options, dec_hook=secret)


def integration(**given):
    """An integration with those settings."""
    return Integration(
        name="rewards", brand="acme", dialect="loyaltygyre", options=settings(**given)
    )


def sandbox():
    """The integration that every dialect has."""
    return Integration(
        name="loyaltygyre", brand="acme", dialect="loyaltygyre", options=DIALECT.sandbox()
    )


def request(call, fields, **given):
    """A request of that call with a JSON body."""
    raw = fields if isinstance(fields, bytes) else msgspec.json.encode(fields)
    plain = {"method": "POST", "path": f"/{call}", "body": raw, "at_ms": NOW}
    return Request(**plain | given)


def read(call, fields, using=None, **given):
    """The command that a request stands for."""
    (command,) = CALLS[call].read(request(call, fields, **given), using or integration())
    return command


def refused(do, *arguments):
    """How it is refused; it must be."""
    try:
        do(*arguments)
    except Refused as error:
        return error.rejected
    raise AssertionError("it was not refused")


def unread(call, fields, using=None, **given):
    """How a request is refused while it is read."""
    return refused(lambda: read(call, fields, using, **given))


def told(reply):
    """Status and decoded body."""
    assert isinstance(reply, Reply)
    return reply.status, json.loads(reply.body)
