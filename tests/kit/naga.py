"""Naga Games as it sounds on the wire: data by field, hashed, signed, with a player's token."""

import json

import msgspec

from kit.vendor import Vendor
from seamline.dialects.dialect import Request

HEADER = b"x-signature"
JSON = ((b"content-type", b"application/json"),)


class Naga(Vendor):
    """The vendor, by raw requests instead of commands."""

    def __init__(self, doors, name="nagagames"):
        super().__init__(doors, name)
        self.game = "sugary-bonanza"

    def play(self, **fields):
        """The data of a place-bet or payout of a new bet; a field given as `...` is left out."""
        options = self.integration.options
        given = {
            "betId": self.ids.uuid(),
            "currency": self.currency,
            "gameCode": self.game,
            "playerToken": self.session,
            "groupCode": options.group_code,
            "transactionId": self.ids.uuid(),
            "amount": 10,
            "parentBetId": None,
            "brandCode": options.brand_code,
            "betType": "NORMAL",
            "isLastFreeSpins": None,
        }
        return {name: value for name, value in (given | fields).items() if value is not ...}

    def pay(self, bet, **fields):
        """The data of the payout of a bet."""
        return bet | {"transactionId": self.ids.uuid()} | fields

    def who(self, **fields):
        """The data of authorize."""
        options = self.integration.options
        given = {"playerToken": self.session, "gameCode": self.game}
        return given | {"brandCode": options.brand_code, "groupCode": options.group_code} | fields

    def request(self, call, data, *, raw=None):
        """The signed request with that data, or with that text of it."""
        text = raw if raw is not None else json.dumps(data, separators=(",", ":"))
        body = b'{"data":' + text.encode() + b"}"
        request = Request("POST", f"/{call}", headers=JSON, body=body)
        return self.dialect.sign(request, self.integration)

    def post(self, call, data, *, raw=None):
        """One exchange: what comes of it."""
        return self.told(self.request(call, data, raw=raw))

    def told(self, request):
        """The data of a success, or status and message of an error; never anything else."""
        return heard(self.doors.send(self.name, request))

    def post_all(self, call, plays):
        """Exchanges that are on their way at once."""
        requests = [self.request(call, each) for each in plays]
        return [heard(each) for each in self.doors.send_all(self.name, requests)]

    def cancel(self, bet, **fields):
        """Cancel a bet."""
        return self.post("cancel-bet", {"betId": bet["betId"]} | fields)

    def status(self, bet):
        """The status of a bet, or the error."""
        found = self.post("bet-status", {"betId": bet["betId"]})
        return found["status"] if isinstance(found, dict) else found

    def rows(self):
        """What was done on this player's account since the deposit: kind, amount, balance."""
        listed = self.doors.transactions(brand="acme", player=self.player)
        return [(each["kind"], each["amount"], each["balance"]) for each in listed[1:]
            if not each["rejection"]]  # fmt: skip

    def alerts(self, *keys):
        """The alerts about these keys."""
        return [alert for key, alert in self.doors.alerts() if key in keys]

    def round(self, bet):
        """The round that is named after a bet, and whether it is listed as unsettled."""
        path = {"integration": self.name, "brand": "acme", "player": self.player}
        (found,) = [each for each in self.doors.rounds(**path) if each["round"] == bet["betId"]]
        unsettled = self.doors.rounds(**path, unsettled="true")
        return found, found["round"] in {each["round"] for each in unsettled}


def heard(reply):
    """The data of a success, or status and message of an error, in a well-formed envelope."""
    answer = msgspec.json.decode(reply.body)
    assert dict(reply.headers)[b"content-type"] == b"application/json"
    assert set(answer) == {"data", "error"}
    if answer["error"] is None:
        assert reply.status == 200
        return answer["data"]
    assert reply.status == 400
    assert answer["data"] is None
    assert set(answer["error"]) == {"statusCode", "message"}
    return answer["error"]["statusCode"], answer["error"]["message"]


def balance(amount):
    """The answer to a play that left that much."""
    return {"currency": "USD", "balance": amount}
