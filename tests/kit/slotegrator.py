"""Slotegrator as it sounds on the wire: members of a call, signed, with the player's session."""

import json

import msgspec

from kit.vendor import Vendor
from seamline.dialects.dialect import Request

HEADER = b"x-sign"

#: The codes of a refusal (document: list of error codes).
CODES = {
    "INVALID_SIGN",
    "WRONG_INPUT_PARAMETERS",
    "ACTION_IS_NOT_EXIST",
    "SESSION_NOT_FOUND",
    "AMOUNT_SHOULD_BE_POSITIVE",
    "INSUFFICIENT_BALANCE",
    "INTERNAL_ERROR",
    "BET_FAILED_KNOWN_ERROR",
    "BET_FAILED_UNKNOWN_ERROR",
    "TRANSACTION_PREPARING_ERROR",
    "TRANSACTION_IN_PROGRESS",
    "TRANSACTION_DENIED",
}


def ok(balance):
    """What a call that was done is answered, byte for byte."""
    return 200, b'{"status":true,"balance":%b}' % balance.encode()


class Slotegrator(Vendor):
    """A provider, by raw requests instead of commands."""

    def __init__(self, doors, name="slotegrator"):
        super().__init__(doors, name)

    def body(self, action, /, **changed):
        """The members of a call; one given as `...` is left out."""
        given = {"action": action, "type": action, "session_id": self.session}
        given |= {"amount": "10.0001", "transaction_id": self.ids.uuid()}
        given |= {"round_id": self.ids.uuid(), "game_id": self.game}
        without = {"refund": {"type", "amount"}, "balance": set(given) - {"action", "session_id"}}
        members = {
            name: each for name, each in given.items() if name not in without.get(action, ())
        }
        return {name: each for name, each in (members | changed).items() if each is not ...}

    def undo(self, bet, **changed):
        """The members of the refund of a bet."""
        about = {name: bet[name] for name in ("transaction_id", "round_id", "session_id")}
        return self.body("refund", **about | changed)

    def result(self, bet, amount="10.0001", **changed):
        """The members of a win in a bet's round."""
        return self.body("win", **{"round_id": bet["round_id"], "amount": amount} | changed)

    def request(self, members, *, sign=True, header=None):
        """The POST of members, or of raw bytes; with another *header* or none at all."""
        raw = members if isinstance(members, bytes) else json.dumps(members).encode()
        request = Request("POST", "", headers=((b"content-type", b"application/json"),), body=raw)
        if header is not None:
            return msgspec.structs.replace(request, headers=((HEADER, header),))
        return self.dialect.sign(request, self.integration) if sign else request

    def post(self, members, **how):
        """One call: the reply's status and body, as bytes."""
        return self.raw(self.request(members, **how))

    def raw(self, request):
        """The same for a request that is made already."""
        reply = self.doors.send(self.name, request)
        return reply.status, reply.body

    def code(self, members, **how):
        """The code by which a call is refused under 200, as the documented object."""
        return refused_by(*self.post(members, **how))

    def rows(self):
        """What was done on this player's account since the deposit: kind, amount, balance."""
        listed = self.doors.transactions(brand="acme", player=self.player)
        return [(each["kind"], each["amount"], each["balance"]) for each in listed[1:]]

    def alerts(self, *keys):
        """The alerts about these keys."""
        return [alert for key, alert in self.doors.alerts() if key in keys]


def refused_by(status, body):
    """The code of a refusal, which must be the documented object under 200."""
    answer = json.loads(body)
    assert status == 200, (status, body)
    assert list(answer) == ["status", "code", "message"]
    assert answer["status"] is False
    assert answer["message"]
    assert answer["code"] in CODES
    return answer["code"]
