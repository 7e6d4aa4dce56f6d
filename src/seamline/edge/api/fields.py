"""The values that requests are made of, each with its limits, its meaning and an example."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

# `$` also matches before a newline at the very end; the look-ahead takes that back.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$(?!\n)"
_KEPT = r"^[^\x00]+$(?!\n)"
_DECIMAL = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$(?!\n)"
_COUNTRY = r"^[A-Z]{2}$(?!\n)"
_LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$(?!\n)"
_URL = r"^https?://[!-~]+$(?!\n)"
_CODES = r"^[^\x00-\x20,\x7f-\x9f]+(,[^\x00-\x20,\x7f-\x9f]+)*$(?!\n)"

#: What a pattern means, in words for people.
EXPECTED: Mapping[str, str] = {
    _PRINTABLE: "text of at least one character, none of them a control character",
    _KEPT: "text of at least one character, none of them U+0000",
    _DECIMAL: "a plain decimal such as 12 or 0.90, as text",
    _COUNTRY: "two capital letters (ISO 3166-1), such as MT",
    _LANGUAGE: "a language such as de or pt-BR",
    _URL: "an absolute URL that begins with http:// or https://, without spaces",
    _CODES: "codes with commas between them, without spaces",
}

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=_PRINTABLE)]
Brand = Annotated[Name, Meta(description="A brand of the settings.", examples=["acme"])]
PlayerId = Annotated[Name, Meta(description="The brand's own id of the player.", examples=["p1"])]
IntegrationName = Annotated[
    Name, Meta(description="An integration of the settings.", examples=["swipe"])
]
SessionId = Annotated[
    Name, Meta(description="The id that the vendor sends back with every call.", examples=["s1"])
]
GameId = Annotated[Name, Meta(description="The vendor's id of the game.", examples=["sg_catch_97"])]
RoundId = Annotated[Name, Meta(description="The vendor's id of the round.", examples=["r1"])]
Key = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=1024,
        pattern=_KEPT,
        description="The vendor's id, as it is listed. What is kept beside one has a word and "
        "U+001F before it.",
        examples=["b1"],
    ),
]
CurrencyCode = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=32,
        pattern=_PRINTABLE,
        description="A currency of the brand, case-sensitive.",
        examples=["USD"],
    ),
]
Decimal = Annotated[
    str,
    Meta(
        max_length=64,
        pattern=_DECIMAL,
        description="Main units, as decimal text.",
        examples=["100.00"],
    ),
]
Country = Annotated[str, Meta(pattern=_COUNTRY, description="ISO 3166-1 alpha-2.", examples=["MT"])]
Language = Annotated[
    str,
    Meta(max_length=35, pattern=_LANGUAGE, description="A language tag.", examples=["en"]),
]
Url = Annotated[str, Meta(max_length=2000, pattern=_URL, examples=["https://casino.example/lobby"])]
Codes = Annotated[
    str, Meta(max_length=2000, pattern=_CODES, description="Several, with commas between them.")
]
Cursor = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description="The `next` of the page before, with the same filters.",
    ),
]
PageSize = Annotated[int, Meta(ge=1, le=500, description="How many items a page has at most.")]
Moment = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=40,
        description="Unix milliseconds, or ISO 8601 with a zone.",
        examples=["2026-01-31T00:00:00Z"],
    ),
]
InstantUtc = Annotated[datetime, Meta(tz=True, description="ISO 8601 with a zone.")]
State = Literal["open", "investigating", "resolved"]
