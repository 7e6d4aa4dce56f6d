"""Why a signature does not match: which of key, bytes and encoding is off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from seamline.cli.checkup import below, written
from seamline.cli.failure import Failure
from seamline.cli.visible import visible
from seamline.dialects.dialect import Refused, Request, Trial
from seamline.edge.gateway import Connection

_HEX = re.compile(r"[0-9a-fA-F]+")


class Explanation(msgspec.Struct, frozen=True):
    """Whether it matches, and labelled lines for people; a label may be empty."""

    matches: bool
    lines: Sequence[tuple[str, str]]


def explanation(
    request: Request, connection: Connection, signature: str, *, show: bool
) -> Explanation:
    """What was signed and with which key, and how the given signature came about."""
    dialect = connection.dialect
    trials = dialect.trials(request, connection.integration)
    if not trials:
        raise Failure(f"{dialect.title} signs no such request; see the README of {dialect.name}")
    right, given = trials[0], signature.strip()
    problem = _problem(request, connection, signature)
    made_by = next((each for each in trials if _equal(each.signature, given)), None)
    lines = [
        ("signed", f"{len(right.signed)} bytes, {_over(right)}"),
        *(("", line) for line in visible(right.signed).splitlines()),
        ("key", made_by.key if made_by is not None and problem is None else right.key),
        ("expected", right.signature if show else shortened(right.signature)),
        ("given", given if show else shortened(given)),
        ("result", "it matches" if problem is None else f"it does not match: {problem}"),
    ]
    if problem is not None:
        lines += _why(request, connection, made_by, given)
    return Explanation(problem is None, lines)


def shortened(signature: str) -> str:
    """Enough of a signature to tell it from others, not enough to send it."""
    if len(signature) <= 16:
        return f"{signature[:4]}... ({len(signature)} characters)"
    return f"{signature[:8]}...{signature[-4:]} ({len(signature)} characters)"


def _over(trial: Trial) -> str:
    """What was signed; which one is right is said otherwise."""
    return trial.over.removesuffix(" (right)")


def _problem(request: Request, connection: Connection, signature: str) -> str | None:
    """What the gateway would say of that signature; None when it believes it."""
    name = connection.dialect.signature_header
    others = [(header, value) for header, value in request.headers if header != name]
    value = signature.encode("utf-8", "surrogateescape")
    carrying = replace(request, headers=(*others, (name, value)))
    try:
        connection.dialect.verify(carrying, connection.integration)
    except Refused as refused:
        return refused.rejected.detail or refused.rejected.why.meaning
    return None


def _why(
    request: Request, connection: Connection, made_by: Trial | None, given: str
) -> Iterator[tuple[str, str]]:
    """The cause where a trial proves it, else the likeliest ones, best first."""
    if made_by is not None:
        yield "made", f"with the key {made_by.key}, over {_over(made_by)}"
        yield "cause", _cause(request, connection, made_by, given)
        return
    causes = [*_evidence(request, connection, given), *_usual()]
    for number, cause in enumerate(causes, 1):
        yield ("likeliest" if number == 1 else ""), f"{number}. {cause}"


def _cause(request: Request, connection: Connection, made_by: Trial, given: str) -> str:
    """What is off, when it is known how the signature was made."""
    trials = connection.dialect.trials(request, connection.integration)
    right = trials[0]
    beside = _problem(request, connection, right.signature)
    if beside is not None and made_by == right:
        return f"not the signature: {beside}"
    # Any key that the gateway believes over the right bytes is a right one.
    keys = {
        each.key
        for each in trials
        if each.signed == right.signed and _problem(request, connection, each.signature) is None
    }
    wrong = [] if made_by.key in keys else [f"the key: sign with {right.key}"]
    if made_by.signed != right.signed:
        wrong.append(f"the bytes: sign {_over(right)}")
    if not wrong and given != made_by.signature:
        wrong.append("the encoding: upper-case digits; send them in lower case")
    return "; and ".join(wrong or ["the encoding: white space around the signature"])


def _evidence(request: Request, connection: Connection, given: str) -> Iterator[str]:
    """Causes that something in the input speaks for."""
    expected = connection.dialect.trials(request, connection.integration)[0].signature
    if len(given) != len(expected):
        yield f"the signature was cut: {len(given)} characters, {len(expected)} expected"
    elif _HEX.fullmatch(expected) and not _HEX.fullmatch(given):
        yield "the signature is in another encoding: hexadecimal digits expected"
    for steps, secret in below((), connection.integration.options):
        if secret.reveal() != secret.reveal().strip():
            yield f"the key {written(steps)} has white space around it: take it away"
    body = request.body
    if b"\r" in body or body != body.strip():
        yield "the body has line ends around or in it: send it with --body @FILE as it was signed"
    if not body.isascii():
        yield "the body has characters outside ASCII: sign its UTF-8 bytes, without \\u escapes"


def _usual() -> Iterator[str]:
    """What it most often is when nothing speaks for anything."""
    yield "another key: of the sandbox, of another brand, or one that was replaced"
    yield "another body: sign the bytes that are sent, not JSON that is written anew from them"
    yield "a proxy that changed body or query on the way: compare with --compare"


def _equal(one: str, two: str) -> bool:
    """Equal, or equal but for the case of hexadecimal digits."""
    same_case = one == two
    return same_case or (bool(_HEX.fullmatch(one)) and one.lower() == two.lower())
