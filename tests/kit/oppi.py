"""OppiGames as it sounds on the wire: bodies by field, signed, with the player's own session."""

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import msgspec

from kit.gateway import MARKS, GatewayRig
from kit.vendor import Vendor
from seamline.dialects.dialect import Request
from seamline.dialects.oppigames.options import sandbox
from seamline.dialects.oppigames.signature import signed

SIGNATURE, KEY, TIME, TYPE = b"x-signature", b"x-api-key", b"x-timestamp", b"content-type"
PATHS = {
    "balance": "/user/balance",
    "bet": "/transaction/bet",
    "payout": "/transaction/payout",
    "reward": "/transaction/reward",
    "rollback": "/transaction/rollback",
    "retry": "/transaction/retry",
}
FUNDS = "1000.00"
#: The same as the wire counts it.
START = 100_000_000


@contextmanager
def gateway(place, **options):
    """A gateway on the loopback where OppiGames is connected with these options."""
    chosen = {"oppigames": msgspec.structs.replace(sandbox(), **options)}
    rig = GatewayRig(place, options=chosen).serve()
    try:
        yield rig
    finally:
        rig.close()


def compact(fields):
    """The text that the vendor signs and sends."""
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


class Oppi(Vendor):
    """The vendor, by raw requests instead of commands."""

    def __init__(self, doors):
        super().__init__(doors, "oppigames")

    def start(self, funds=FUNDS, **stage):
        """A new player who has that much."""
        return self.sit_down(funds, **stage)

    # Bodies; a field that is given as None is left out.

    def balance_body(self, **fields):
        """The fields of a balance call."""
        return kept({"sessionId": self.session, "playerId": self.player} | fields)

    def bet_body(self, amount=50_000_000, **fields):
        """The fields of a bet."""
        given = {"transactionId": self.ids.uuid(), **self._about()}
        return kept(given | {"currency": self.currency, "amount": amount} | fields)

    def payout_body(self, bet, amount=10_000_000, **fields):
        """The fields of the payout of a bet, given by its fields or its id."""
        of = bet if isinstance(bet, str) else bet["transactionId"]
        given = {"transactionId": self.ids.uuid(), "refTransactionId": of, **self._about()}
        given |= {"currency": self.currency, "amount": amount, "isWin": bool(amount)}
        return kept(given | fields)

    def reward_body(self, of=None, amount=25_700_000, kind="bonus", **fields):
        """The fields of a reward."""
        given = {"transactionId": self.ids.uuid(), "refTransactionId": of or self.ids.uuid()}
        given |= {"sessionId": self.session, "rewardType": kind, "playerId": self.player}
        return kept(given | {"gameId": self.game, "rewardedAmount": amount} | fields)

    def undo(self, of, **fields):
        """One item of a rollback."""
        target = of if isinstance(of, str) else of["transactionId"]
        given = {"transactionId": self.ids.uuid(), "refTransactionId": target, **self._about()}
        return kept(given | fields)

    def again(self, of=None, amount=10_000_000, **fields):
        """One item of a retry."""
        given = {"transactionId": of or self.ids.uuid(), "sessionId": self.session}
        given |= {"roundId": f"round-{self.ids.uuid()}", "playerId": self.player}
        given |= {"gameId": self.game, "currency": self.currency, "amount": amount}
        return kept(given | fields)

    def _about(self):
        return {"sessionId": self.session, "playerId": self.player, "gameId": self.game}

    # The wire.

    def request(self, call, fields=None, *, raw=None, over=None, time=None, **headers):
        """The signed POST; signed *over* other bytes or with another *time*, where given.

        A header that is given, by its name with underscores, replaces the right one; None drops it.
        """
        body = raw if raw is not None else compact(fields)
        now = str(self.doors.clock_ms()) if time is None else str(time)
        options = self.integration.options
        request = signed(
            Request("POST", PATHS[call], body=body if over is None else over),
            key=options.api_key,
            secret=options.secrets[0],
            time=now.encode(),
        )
        right = dict(request.headers)
        right |= {name.replace("_", "-").encode(): value for name, value in headers.items()}
        sent = tuple((name, value) for name, value in right.items() if value is not None)
        return msgspec.structs.replace(request, body=body, headers=sent)

    def post(self, call, fields=None, **how):
        """One POST: the decoded answer; its HTTP status must be 200."""
        reply = self.reply(call, fields, **how)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def reply(self, call, fields=None, **how):
        """One POST: the raw reply."""
        return self.doors.send(self.name, self.request(call, fields, **how))

    def batch(self, call, *items):
        """One batch: what became of each item; the answer as a whole must be good."""
        answer = self.post(call, {"transactions": items})
        assert answer["status"] == "RS_OK"
        assert len(answer["data"]) == len(items)
        return answer["data"]

    def ok(self, call, fields, balance=None):
        """One POST that must be done: with the id repeated, and the balance where given."""
        answer = self.post(call, fields)
        assert answer["status"] == "RS_OK", answer
        if call != "balance":
            assert answer["transactionId"] == fields["transactionId"]
        if balance is not None:
            assert answer["balance"] == balance
        return answer

    def no(self, call, fields, status="RS_ERROR", **how):
        """One POST that must be refused with that code, in an answer that repeats the id."""
        answer = self.post(call, fields, **how)
        assert answer["status"] == status, answer
        assert answer["transactionId"] == fields["transactionId"]
        return answer

    # The books.

    def rows(self):
        """What was done on this player's account since the deposit: kind, amount, balance."""
        listed = self.doors.transactions(brand="acme", player=self.player)
        return [(each["kind"], each["amount"], each["balance"]) for each in listed[1:]
                if not each["rejection"] and each["kind"] not in MARKS]  # fmt: skip

    def alerts(self, *keys):
        """The alerts about these ids."""
        return [alert for key, alert in self.doors.alerts() if key in keys]

    def units(self):
        """What the player has by the books, as the wire counts it."""
        whole, _, fraction = self.balance().partition(".")
        return int(whole + fraction.ljust(5, "0"))


def kept(fields):
    """The fields without those that are None."""
    return {name: value for name, value in fields.items() if value is not None}


class OppiApi:
    """The vendor's own API on the loopback: keeps what was asked, answers what it is told to."""

    def __init__(self):
        self.asked = []
        #: By path: what is answered, as (status, decoded body); None hangs up without a word.
        self.answers = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _handler(self):
        api = self

        class Handler(BaseHTTPRequestHandler):
            """One exchange per connection."""

            def do_GET(self):
                """Answer."""
                size = int(self.headers.get("content-length") or 0)
                path, _, query = self.path.partition("?")
                headers = tuple((k.lower().encode(), v.encode()) for k, v in self.headers.items())
                body = self.rfile.read(size)
                api.asked.append(Request(self.command, path, query.encode(), headers, body))
                status, told = api.answers[path] or (None, None)
                if status is None:
                    self.close_connection = True
                    return
                raw = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                """Say nothing."""

        return Handler

    @property
    def last(self):
        """What was asked last."""
        return self.asked[-1]

    def close(self):
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
