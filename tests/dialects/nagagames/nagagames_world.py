"""Integrations with the keys of the vectors, and short ways to ask and to answer."""

import json
from hashlib import sha256
from importlib.resources import files

import msgspec

from seamline.dialects.dialect import Refused, Request, Secret
from seamline.dialects.nagagames import DIALECT, sandbox
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.signature import with_signature
from seamline.dialects.rsa import signature_of, to_base64
from seamline.money import Amount, Currency, Quantity
from seamline.wallet import Applied, Command, Integration, Kind

BET = "9856e3d7-f7ba-d5cf-1111-43905af123d3"
TOKEN = "39af0e52dbe5acefc6d2fe5f9639d3d9"
THB = Currency("THB", 2, 5)
SECRET = "naga-test-secret"

CALLS = {call.name: call for call in DIALECT.calls}


def vectors(name):
    """One file of vectors."""
    folder = files("seamline.dialects.nagagames") / "vectors"
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


KEYS = vectors("keys")


def integration(**changed):
    """An integration with the throw-away key pair of the vectors, some options changed."""
    given = {
        "group_code": "dapd",
        "brand_code": "dodo",
        "public_keys": (Secret(KEYS["throw_away"]["public_key"]),),
        "private_key": Secret(KEYS["throw_away"]["private_key"]),
        "api_key": Secret("test-api-key"),
        "play_url": "https://play.invalid/{game}",
        "player_token_call": True,
    }
    options = Options(**given | changed)
    return Integration(name="naga", brand="acme", dialect="nagagames", options=options)


LIVE = integration()
TRANSFER = integration(mode="transfer", secret_key=Secret(SECRET))


def integration_for(row):
    """The integration that a row of vectors is about."""
    keys = {
        "public_keys": (Secret(KEYS[row["key"]]["public_key"]),),
        "private_key": Secret(KEYS["throw_away"]["private_key"]),
    }
    return integration(**keys | row.get("options", {}))


def enveloped(row, **members):
    """The body of a row, some members of its envelope changed."""
    given = {"data": msgspec.Raw(row["data"].encode()), "dataHash": row["data_hash"]}
    return msgspec.json.encode(given | members)


def request_of(row, **members):
    """The request of a row, as the vendor sends it."""
    headers = ((b"content-type", b"application/json"), (b"x-signature", row["signature"].encode()))
    return Request("POST", f"/{row['call']}", headers=headers, body=enveloped(row, **members))


def post(call, data, *, where=LIVE, hashed=None, over=None, spaced=None):
    """A request with that data as text.

    The hash is over *hashed* instead, the signature over *over* instead, and *spaced* is sent in
    place of the data.
    """
    raw = data.encode() if isinstance(data, str) else data
    digest = sha256(raw if hashed is None else hashed).hexdigest()
    sent = raw if spaced is None else spaced
    body = b'{"data":' + sent + b',"dataHash":"' + digest.encode() + b'"}'
    private = where.options.private_key.reveal()
    signature = to_base64(signature_of(private, digest.encode() if over is None else over))
    return with_signature(Request("POST", f"/{call}", body=body), signature)


def row(name, file="calls"):
    """A row of vectors by its id."""
    return next(each for each in vectors(file)["calls"] if each["id"] == name)


def fields(name="N2", **changed):
    """The data of a row, some of its fields changed; one given as `...` is left out."""
    given = json.loads(row(name)["data"]) | changed
    return {key: value for key, value in given.items() if value is not ...}


def text(data):
    """Data as the vendor writes it, but for numbers with idle zeros."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def command_of(given, member="command"):
    """The command of a row of vectors."""
    found = dict(given[member])
    found["kind"] = Kind(found["kind"])
    if "amount" in found:
        found["amount"] = Quantity.parse(found["amount"])
    return Command(integration="naga", **found)


def bet(**changed):
    """A bet, some of its fields changed."""
    return msgspec.structs.replace(command_of(row("N2")), **changed)


def payout(**changed):
    """A payout of the same bet, some of its fields changed."""
    given = {"kind": Kind.WIN, "key": f"payout/{BET}", "target": f"bet/{BET}"}
    return bet(**given | changed)


def cancel(**changed):
    """A cancel of the same bet, some of its fields changed."""
    return msgspec.structs.replace(command_of(row("N6")), **changed)


def applied(amount="90", currency=THB, **changed):
    """Done, with that balance."""
    balance = Amount.parse(amount, currency)
    given = {"balance": balance, "player": "playerA", "transaction": "txn_1", "moved": balance}
    return Applied(**given | changed)


def refusal(do, *arguments):
    """How it is refused, or None when it is not; anything else that is raised goes on."""
    try:
        do(*arguments)
    except Refused as refused:
        return refused.rejected
    return None


def told(reply):
    """Status and decoded body of a reply."""
    return reply.status, json.loads(reply.body)


def error_of(refused, call="place-bet", where=LIVE):
    """Status and message of the error object that a refusal becomes; HTTP is always 400."""
    reply = DIALECT.refuse(refused, call, where)
    status, body = told(reply)
    assert status == 400
    assert body["data"] is None
    assert set(body["error"]) == {"statusCode", "message"}
    return body["error"]["statusCode"], body["error"]["message"]


def answer_to(request, call="place-bet", where=LIVE):
    """What the door does before the ledger: None when it accepts, else the error object."""
    refused = refusal(DIALECT.verify, request, where) or refusal(CALLS[call].read, request, where)
    return None if refused is None else error_of(refused, call, where)


def sandboxed(**changed):
    """The sandbox integration, some options changed."""
    options = msgspec.structs.replace(sandbox(), **changed)
    return Integration(name="naga", brand="acme", dialect="nagagames", options=options)
