"""LoyaltyGyre as it sounds on the wire: bodies by field, over HTTP, with a player of its own."""

import json
from itertools import count

import msgspec

from kit.gateway import GatewayRig
from seamline.dialects.dialect import Request
from seamline.dialects.loyaltygyre.options import Auth, Options
from seamline.dialects.loyaltygyre.options import sandbox as made_up
from seamline.money import Currency

NAME = "loyaltygyre"
TOKEN, OLD_TOKEN = "casino_token_number_one", "casino_token_number_two"
CREDITS = {"CREDITS": Currency("CREDITS", 2, 5)}


def options(**given):
    """Settings in credits, with two bearer tokens, unless they say otherwise."""
    secret = type(made_up().api_keys[0])
    plain = msgspec.to_builtins(made_up(), enc_hook=lambda held: held.reveal())
    plain |= {"currency": "CREDITS", "auth": {"type": "bearer", "tokens": [TOKEN, OLD_TOKEN]}}
    return msgspec.convert(plain | given, Options, dec_hook=lambda _, text: secret(text))


def gateway(place, **given):
    """A gateway on the loopback that speaks with LoyaltyGyre by those settings."""
    return GatewayRig(place, options={NAME: options(**given)}, own=CREDITS).serve()


class Gyre:
    """The vendor's server: one player, and requests about them."""

    _numbers = count(1)

    def __init__(self, doors, funds="100.00", **player):
        self.doors = doors
        self.number = next(self._numbers)
        self.player = f"p-{self.number}"
        self.doors.player(self.player, funds, "CREDITS")
        if player:
            self.doors.change(self.player, **player)

    @property
    def auth(self) -> Auth:
        """How this integration is authenticated."""
        return self.doors.integrations[NAME].options.auth

    def fields(self, **given):
        """A purchase of box 58 for 50 credits; a field given as None is left out."""
        plain = {
            "request_id": f"lg-{self.number}-{next(self._numbers)}",
            "action": "open_box",
            "player_id": self.player,
            "box_id": "58",
            "amount": "50",
        }
        return {name: each for name, each in (plain | given).items() if each is not None}

    def request(self, call, fields, *, headers=None, path=None):
        """The POST; with the first token unless there are other *headers*."""
        raw = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
        given = headers if headers is not None else bearer(TOKEN)
        kind = (b"content-type", b"application/json")
        return Request("POST", path or f"/{call}", headers=(kind, *given), body=raw)

    def raw(self, call, fields, **options_):
        """Status and body of the reply, as bytes."""
        reply = self.doors.send(NAME, self.request(call, fields, **options_))
        return reply.status, reply.body

    def post(self, call, fields, **options_):
        """Status and body of the reply, decoded."""
        status, body = self.raw(call, fields, **options_)
        return status, json.loads(body) if body else None

    def authorize(self, **given):
        """One purchase."""
        return self.post("authorize", self.fields(**given))

    def cancel(self, of, **given):
        """An allowed purchase did not happen."""
        plain = self.fields(authorize_request_id=of["request_id"])
        names = ("request_id", "player_id", "authorize_request_id")
        return self.post("cancel", {name: plain[name] for name in names} | given)

    def cashback(self, **given):
        """A prize is given back."""
        return self.post("cashback", self.cashed(**given))

    def cashed(self, **given):
        """The fields of a cashback."""
        fields = self.fields(action=None, box_id=None, prize_id="202", amount="10.5")
        return fields | given

    def all_at_once(self, call, many):
        """The replies to requests that are on their way at once."""
        replies = self.doors.send_all(NAME, [self.request(call, each) for each in many])
        return [(reply.status, json.loads(reply.body)) for reply in replies]

    def balance(self):
        """The player's credits by the books."""
        return self.doors.balance(self.player, "CREDITS")

    def rows(self):
        """What was done since the deposit: kind and amount; refusals that are remembered not."""
        listed = self.doors.transactions(brand="acme", player=self.player)
        return [(each["kind"], each["amount"]) for each in listed[1:] if not each["rejection"]]

    def alerts(self):
        """The alerts about this player's requests."""
        return [(alert, key) for key, alert in self.doors.alerts() if f"-{self.number}-" in key]


def bearer(token):
    """The header with that token."""
    return ((b"authorization", f"Bearer {token}".encode()),)


def denial(answer):
    """The reason code of a denial."""
    status, body = answer
    assert body["decision"] == "deny", body
    return status, body["reason_code"]
