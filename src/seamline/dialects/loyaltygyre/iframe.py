"""The signed URL of the iframe ("Generating the Signature") and what a page needs around it.

The signature is plain SHA-256 over the values in the order of their names, `|` between them, `;`
and the key behind them. A value that held a separator could be read as another one's part, so none
may. Each signature is good once, and for its second: see `Studio.open` for how none is made twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from html import escape
from importlib.resources import files
from urllib.parse import quote

from seamline.dialects.dialect import Launch, Launched, Malformed
from seamline.dialects.loyaltygyre.fields import MAX_ID
from seamline.dialects.loyaltygyre.options import Options
from seamline.dialects.loyaltygyre.templates import shortest
from seamline.money import BadQuantity, Quantity
from seamline.wallet import Integration

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The order of the vendor's example; the signature has its own.
_ORDER = ("casino", "player", "balance", "box", "timestamp")


def open_box(launch: Launch, integration: Integration[Options], at_ms: int) -> Launched:
    """The URL for a player and a box, with the balance of now; good for one page, once."""
    options = integration.options
    if launch.demo:
        raise Malformed("expected real play, the vendor has no demo", field="demo")
    if launch.player is None or launch.balance is None:
        raise Malformed("expected a player with a balance", field="player")
    values = {
        "casino": options.casino_id,
        "player": launch.player,
        "balance": balance_text(launch.balance, options.credit_decimals),
        "box": launch.game,
        "timestamp": timestamp(at_ms),
    }
    query = signed_query(values, options.api_keys[0].reveal())
    return Launched(game_url=f"{options.base_url}/box?{query}")


def balance_text(balance: str, decimals: int) -> str:
    """The shortest plain decimal, rounded down: `102.90` is `102.9`, `100.00` is `100`.

    The vendor may read it as a number and write it again before it checks the signature.
    """
    if balance.startswith("-"):
        return "0"
    try:
        exact = Quantity.parse(balance)
    except BadQuantity as error:
        raise Malformed("expected a plain decimal", field="balance") from error
    whole, _, fraction = str(exact).partition(".")
    kept = fraction[:decimals]
    return shortest(f"{whole}.{kept}" if kept else whole)


def timestamp(at_ms: int) -> str:
    """The time in UTC, to the second, as the vendor reads it."""
    moment = _EPOCH + timedelta(seconds=at_ms // 1000)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def signed_query(values: Mapping[str, str], key: str) -> str:
    """The query of the URL, percent-encoded, with the signature over the values as they are."""
    for name, text in values.items():
        _check(name, text)
    pairs = [(name, values[name]) for name in _ORDER] + [("sig", signature(values, key))]
    return "&".join(f"{name}={quote(text, safe='')}" for name, text in pairs)


def signature(values: Mapping[str, str], key: str) -> str:
    """SHA-256 over `balance|box|casino|player|timestamp;key`, in lower-case hexadecimal."""
    over = "|".join(values[name] for name in sorted(values))
    return sha256(f"{over};{key}".encode()).hexdigest()


def _check(name: str, text: str) -> None:
    """Refuse what could be taken for two values, or for another one's."""
    if not 1 <= len(text) <= MAX_ID:
        raise Malformed(f"expected 1 to {MAX_ID} characters", field=name)
    if set(text) & {"|", ";"} or not text.isprintable():
        raise Malformed("expected text without |, ; and control characters", field=name)


def snippet(game_url: str) -> str:
    """HTML for the casino's page: the frame, and the script that gives it its height.

    The page allows it with `Content-Security-Policy: frame-src https://app.loyaltygyre.com`, and
    is never cached, as the URL is good once.
    """
    origin = "/".join(game_url.split("/", 3)[:3])
    script = (files(__package__) / "resize.js").read_text(encoding="utf-8")
    return (
        f'<iframe id="loyaltygyre" src="{escape(game_url)}" width="100%" height="500"\n'
        '  style="border: 0" referrerpolicy="no-referrer" title="Rewards"></iframe>\n'
        f'<script data-origin="{escape(origin)}">\n{script}</script>\n'
    )
