"""Ids: the vendor's within our keys, and ours made of the vendor's, so that they lead back."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote, unquote

#: What an id of ours begins with: of an authorization, of one without an id of theirs, of a
#: shipment.
AUTHORIZATION, WINDOW, SHIPMENT = "au_", "aw_", "sh_"


def request_id_of(key: str | None) -> str | None:
    """The vendor's id within a key; none where we had to make the key."""
    kind, _, name = (key or "").partition("/")
    return name if name and kind != "window" else None


def ours(request_id: str, prefix: str) -> str:
    """Our id for a request of the vendor's; `theirs` gives the request's back."""
    return prefix + base64.urlsafe_b64encode(request_id.encode()).decode().rstrip("=")


def theirs(made: str, prefix: str) -> str | None:
    """The request that an id of ours stands for; None where it is none of ours."""
    rest = made.removeprefix(prefix)
    padded = (rest + "=" * (-len(rest) % 4)).encode()
    try:
        found = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return found if found and ours(found, prefix) == made else None


def authorization(key: str) -> str:
    """Our id for what was allowed under a key; `authorized` gives the key back."""
    request_id = request_id_of(key)
    if request_id is not None:
        return ours(request_id, AUTHORIZATION)
    return ours(key.partition("/")[2], WINDOW)


def authorized(made: str) -> str | None:
    """The key of what was allowed under an id of ours; None where it is none of ours."""
    for prefix, kind in ((AUTHORIZATION, "authorize"), (WINDOW, "window")):
        found = theirs(made, prefix)
        if found is not None:
            return f"{kind}/{found}"
    return None


def paired(first: str, second: str | None) -> str:
    """Two ids as one text that `parted` takes apart, whatever is in them."""
    name = quote(first, safe="")
    return f"{name}/{quote(second, safe='')}" if second is not None else name


def parted(text: str | None) -> tuple[str, str | None]:
    """The two ids of a text that `paired` made."""
    first, slash, second = (text or "").partition("/")
    return unquote(first), unquote(second) if slash else None
