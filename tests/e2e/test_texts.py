"""Texts that a store may not be able to keep: refused at the wire, or kept, on every store alike.

PostgreSQL keeps no U+0000, and nothing in its indexes that is longer than 2.7 kB. Each text that a
vendor signs is replaced, in every published request, and both stores must give the same answer.
"""

import json
import re
from random import Random
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from msgspec.structs import replace

from kit.gateway import API_KEY, GatewayRig, in_process
from kit.vendor import Vendor, templates
from seamline.cli.ids import Ids
from seamline.dialects import dialects
from seamline.dialects.dialect import Refused, Request
from seamline.ledger.ledger import clock_ms
from seamline.wallet import Kind

NAMES = sorted(dialects())
#: Both vendors sign at the same moment.


def dense(length, chance=None):
    """A text of so many characters of four bytes each, which no compression makes shorter."""
    chance = chance or Random(length)
    return "".join(chr(chance.randrange(0x1_0000, 0x11_0000)) for _ in range(length))


#: By what it is: a text that comes where another one was.
TEXTS = {
    "U+0000": "a\0b",
    "U+0000 alone": "\0",
    "half of a pair": "a\ud800b",
    "ten kilobytes": "x" * 10_000,
    "ten dense kilobytes": dense(2_500),
    "128 dense characters": dense(128),
    "255 dense characters": dense(255),
    "1024 dense characters": dense(1_024),
    "emoji": "\N{SLOT MACHINE}\N{ZERO WIDTH JOINER}\N{FAMILY}",
    "other scripts": "номер-編號-رقم-e\u0301",
    "quotes": "'; \"{},\\\\N NULL %s $1",
    "2**63": str(2**63),
    "-2**63": str(-(2**63)),
}
#: What nothing may be called, on any store.
NEVER = ["U+0000", "half of a pair", "ten kilobytes", "ten dense kilobytes"]
TRANSFER = {"transaction_id": "d1", "amount": "1.00", "currency": "USD"}
SESSION = {"integration": "swipegames", "player": "p1", "currency": "USD", "game": "g1",
           "session_id": "s1"}  # fmt: skip
#: How long ids may be on the wire; those of others are UUIDs, but for the session's.
LONGEST = {"loyaltygyre": 128, "nagagames": 255, "oppigames": 128, "slotegrator": 255}


class LongIds:
    """Ids that are as long as they may be, and as large for a store."""

    def __init__(self, name):
        self.chance, self.length = Random(name), LONGEST.get(name, 255)
        self.shaped = Ids(self.chance) if name not in LONGEST else None

    def uuid(self):
        """An id of ours, such as a session's."""
        return dense(self.length, self.chance)

    def like(self, part):
        """An id of the vendor's."""
        return self.shaped.like(part) if self.shaped else self.uuid()


@pytest.fixture(scope="module")
def rigs(places):
    """A gateway on each of the stores; no command may meet a fault, and the books are right."""
    made = [GatewayRig(place) for place in places]
    yield made
    for rig in made:
        rig.audit()
        rig.close()


@pytest.fixture(params=NAMES)
def vendors(rigs, request):
    """One vendor, with the same player and the same ids, before each of the stores."""
    before = [failed(rig) for rig in rigs]
    yield [Vendor(rig, request.param, seed=request.node.name) for rig in rigs]
    assert [failed(rig) for rig in rigs] == before


def failed(rig):
    """How many commands met a fault of the program or of the store."""
    flow = rig.gateway.ledger.flow
    return flow.faults, flow.unavailable


def requests_with(vendor, text, now_ms):
    """Each published request, as often as it holds a text: with *text* there instead."""
    for template in templates(vendor.speaks):
        commands = tuple(map(vendor.fill, template.commands))
        request = vendor.calls[template.call].compose(commands, vendor.integration, now_ms)
        for changed in _changed(request, text):
            try:
                yield template, vendor.dialect.sign(changed, vendor.integration)
            except Refused:
                continue  # It cannot even be signed.


def _changed(request, text):
    """The request with the text in each place, one after the other."""
    if request.body:
        for body in replaced(json.loads(request.body), text):
            raw = json.dumps(body, separators=(",", ":")).encode()
            yield replace(request, body=raw)
    else:
        for query in replaced(dict(parse_qsl(request.query.decode())), text):
            raw = urlencode(query, errors="surrogatepass").encode()
            yield replace(request, query=raw)


def replaced(held, text):
    """What is held with the text in place of one text of it, for each of them."""
    if isinstance(held, str):
        yield text
    elif isinstance(held, dict):
        yield from ({**held, name: new} for name in held for new in replaced(held[name], text))
    elif isinstance(held, list):
        for at, each in enumerate(held):
            yield from ([*held[:at], new, *held[at + 1 :]] for new in replaced(each, text))


def outcomes(vendor, text, now_ms):
    """What was asked and answered, without our own numbers; and what the player has then."""
    vendor.sit_down()
    told = []
    for template, request in requests_with(vendor, text, now_ms):
        reply = vendor.doors.send(vendor.name, request)
        body = re.sub(rb"txn_\d+", b"txn", reply.body)
        told.append((template.call, request.body, reply.status, body))
    return [*told, vendor.balance()]


@pytest.mark.parametrize("what", TEXTS)
def test_a_text_is_taken_alike_by_every_store(vendors, what):
    """Whatever stands in a request, both stores answer alike, and none with a fault."""
    now_ms = clock_ms()
    on_file, on_server = (outcomes(vendor, TEXTS[what], now_ms) for vendor in vendors)
    for one, other in zip(on_file, on_server, strict=True):
        assert one == other


def test_the_longest_ids_are_kept_by_every_store(vendors):
    """A player, session, game and rounds whose ids are as long as they may be play as others do."""
    for vendor in vendors:
        vendor.ids = LongIds(vendor.name)
        vendor.game, player = vendor.ids.uuid(), vendor.ids.uuid()
        vendor.doors.player(player, None)
        vendor.doors.deposit(f"fund-{vendor.name}", "100.00", player=player)
        vendor.sit_down(player=player)
        bet, undone = vendor.bet("1.00"), vendor.bet("2.00")
        vendor.done(bet)
        vendor.done(undone)
        if vendor.can(Kind.WIN):
            vendor.done(vendor.win(bet, "1.00"))
        if vendor.can(Kind.REFUND):
            vendor.done(vendor.refund(undone))
            vendor.refused(vendor.bet("100.01"))
        (found,) = vendor.doors.transactions(integration=vendor.name, key=bet.key)
        assert found["key"] == bet.key
    one, other = vendors
    assert one.balance() == other.balance()
    assert one.moved() == other.moved()


#: What an operator may ask with a text in it: method, path, body, and the field of the text.
ASKED = [
    ("POST", "/v1/players", {"brand": "acme", "id": None}, "id"),
    ("POST", "/v1/players/acme/{text}/deposits", TRANSFER, "id"),
    ("POST", "/v1/players/acme/p1/deposits", TRANSFER | {"transaction_id": None}, "transaction_id"),
    ("POST", "/v1/sessions", SESSION | {"session_id": None}, "session_id"),
    ("POST", "/v1/sessions", SESSION | {"game": None}, "game"),
    ("GET", "/v1/players/acme/{text}", None, "id"),
    ("GET", "/v1/transactions?key={text}", None, "key"),
    ("GET", "/v1/rounds?round={text}&integration=swipegames", None, "round"),
]


@pytest.mark.parametrize("what", NEVER)
@pytest.mark.parametrize(("method", "target", "body", "field"), ASKED)
def test_the_operator_hears_which_text_cannot_be_kept(rigs, method, target, body, field, what):
    """It is refused on every store alike, by the field's name."""
    text = TEXTS[what]
    target = target.format(text=quote(text.encode(errors="surrogatepass"), safe=""))
    body = body and {name: text if each is None else each for name, each in body.items()}
    headers = ((b"authorization", f"Bearer {API_KEY}".encode()),)
    path, _, query = target.partition("?")
    request = Request(
        method, path, query.encode(), headers, json.dumps(body).encode() if body else b""
    )
    for rig in rigs:
        reply = rig.run(in_process(rig.app, request, ""))
        problem = json.loads(reply.body)
        assert (reply.status, problem["code"]) == (400, "malformed")
        # Half of a pair makes a body no JSON at all.
        no_json = what == "half of a pair" and text in (body or {}).values()
        assert problem.get("field") == (None if no_json else field)
