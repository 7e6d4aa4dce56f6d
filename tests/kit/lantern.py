"""Lantern Games, a vendor that nobody has: what a person would fill into a new vendor's folder."""

import hmac
import json
import re
from hashlib import sha256

NAME = "lantern"
TITLE = "Lantern Games"
KEY = f"sandbox_{NAME}_key"
VERSION = "1.2"

#: Where the gateway is in trouble, 5xx makes the vendor ask again; nearly all else is 400.
STATUSES = {"RATE": 429, "BUSY": 503, "UNAVAILABLE": 503, "FAULT": 500, "OVERDUE": 500}

#: Ids as long as the vendor's, since tests make new ones in their shape.
BET, WIN, REFUND = "t-100000000001", "t-100000000002", "t-100000000003"
SESSION = "s-200000000001"
ROUND = {"session": SESSION, "round": "r-300000000001", "amount": "1.50"}

#: Each call's body, and the command that it stands for.
CALLS = {
    "balance": ({"session": SESSION}, {"kind": "balance", "session": SESSION}),
    "bet": ({"transaction": BET, **ROUND}, {"kind": "bet", "key": BET, **ROUND}),
    "win": ({"transaction": WIN, **ROUND}, {"kind": "win", "key": WIN, **ROUND}),
    "refund": (
        {"transaction": REFUND, "session": SESSION, "bet": BET},
        {"kind": "refund", "key": REFUND, "session": SESSION, "target": BET},
    ),
}


def fill_in(folder):
    """Write what the document of the vendor says into a fresh copy of the template."""
    for path in [*folder.glob("*.py"), folder / "README.md"]:
        path.write_text(written(path.read_text()))
    (folder / "vectors" / "calls.json").write_text(json.dumps(vectors()))


def written(text):
    """The text of a file, looked up in the document."""
    text = re.sub(r"Rejection\.(\w+): NOT_WRITTEN", refusal, text)
    text = re.sub(r"#: The row of what nobody.*\nNOT_WRITTEN.*\n\n", "", text)
    return text.replace("version not written yet", VERSION).replace(
        "not written yet", f"as in {VERSION}"
    )


def refusal(found):
    """The row of a rejection."""
    why = found[1]
    return f'Rejection.{why}: Refusal({STATUSES.get(why, 400)}, "{why.lower()}")'


def vectors():
    """Every call, signed."""
    rows = [
        {
            "call": call,
            "command": command,
            "body": (body := json.dumps(said, separators=(",", ":"))),
            "signature": hmac.new(KEY.encode(), body.encode(), sha256).hexdigest(),
        }
        for call, (said, command) in CALLS.items()
    ]
    return {"about": "Requests under `key`, and their commands.", "key": KEY, "calls": rows}
