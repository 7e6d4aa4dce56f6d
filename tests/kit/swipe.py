"""Swipe Games as it sounds on the wire: bodies by field, signed, with the player's own session."""

import json
from urllib.parse import quote

import msgspec

from kit.vendor import Vendor
from seamline.dialects.dialect import Request
from seamline.dialects.signing import canonical
from seamline.dialects.swipegames.signature import signed

HEADER = b"x-request-sign"

#: The codes of the error object (document: "Adapter error object").
CODES = {
    "insufficient_funds",
    "bet_limit",
    "loss_limit",
    "time_limit",
    "account_blocked",
    "session_not_found",
    "session_expired",
    "game_not_found",
    "currency_not_supported",
    "locale_not_supported",
    "client_connection_error",
}


def is_error(answer, code=None, action=None):
    """Whether this is the documented error object, with that code and action."""
    assert isinstance(answer["message"], str)
    assert answer["message"]
    assert set(answer) <= {"message", "details", "code", "action", "actionData"}
    assert answer.get("code") in {None, *CODES}
    return (answer.get("code"), answer.get("action")) == (code, action)


def balance_query(session):
    """The query of a balance call."""
    return f"sessionID={quote(session, safe='')}".encode()


class Swipe(Vendor):
    """The vendor, by raw requests instead of commands."""

    def __init__(self, doors):
        super().__init__(doors, "swipegames")

    def body(self, call, **fields):
        """The fields of a bet, win or refund; one given as None is left out."""
        given = {"sessionID": self.session, "txID": self.ids.uuid(), "amount": "100.10"}
        given["roundID"] = self.ids.uuid()
        given |= {"origTxID": self.ids.uuid()} if call == "refund" else {"type": "regular"}
        return {name: text for name, text in (given | fields).items() if text is not None}

    def undo(self, bet, **fields):
        """The fields of the refund of a bet."""
        about = {"origTxID": bet["txID"], "roundID": bet["roundID"], "amount": bet["amount"]}
        return self.body("refund", **about | fields)

    def post(self, call, fields, *, raw=None, sign=True, header=None):
        """One POST: the reply's status and its body, decoded."""
        return self.told(self.request(call, fields, raw=raw, sign=sign, header=header))

    def request(self, call, fields, *, raw=None, sign=True, header=None):
        """The POST; *raw* instead of canonical bytes, another *header* or none at all."""
        body = raw if raw is not None else canonical(fields)
        request = Request("POST", f"/{call}", headers=((b"content-type", b"application/json"),),
                          body=body)  # fmt: skip
        if header is not None:
            return msgspec.structs.replace(request, headers=((HEADER, header),))
        return self.dialect.sign(request, self.integration) if sign else request

    def ask(self, query, *, over=None, header=None):
        """One GET of the balance with that raw query, signed over *over* instead if given."""
        request = Request("GET", "/balance", query)
        if header is not None:
            request = msgspec.structs.replace(request, headers=((HEADER, header),))
        elif over is not None:
            key = self.integration.options.integration_api_keys[0]
            request = signed(request, over=over, key=key)
        else:
            request = self.dialect.sign(request, self.integration)
        return self.told(request)

    def told(self, request):
        """Status and decoded body of the reply."""
        reply = self.doors.send(self.name, request)
        return reply.status, json.loads(reply.body) if reply.body else None

    def raw(self, request):
        """Status and body of the reply, as bytes."""
        reply = self.doors.send(self.name, request)
        return reply.status, reply.body

    def rows(self):
        """What was done on this player's account since the deposit: kind, amount, balance.

        A refused bet is remembered by a row as well, but was not done.
        """
        listed = self.doors.transactions(brand="acme", player=self.player)
        return [(each["kind"], each["amount"], each["balance"]) for each in listed[1:]
            if not each["rejection"]]  # fmt: skip

    def alerts(self, *keys):
        """The alerts about these ids."""
        return [alert for key, alert in self.doors.alerts() if key in keys]
