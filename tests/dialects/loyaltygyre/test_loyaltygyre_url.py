"""The signed URL of the iframe ("Generating the Signature"): rows 1 to 10 of the checklist."""

import hmac
import os
import shutil
import subprocess
import time
from hashlib import sha256
from html.parser import HTMLParser
from importlib.resources import files
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialects.loyaltygyre.loyaltygyre_world import CASINO, integration, refused, settings, vectors
from seamline.dialects.dialect import Launch, Malformed
from seamline.dialects.loyaltygyre.iframe import (
    balance_text,
    open_box,
    signature,
    signed_query,
    snippet,
    timestamp,
)
from seamline.dialects.loyaltygyre.options import SAMPLE_KEY
from seamline.wallet import Rejection

URLS = vectors("urls")
ROWS = {row["id"]: row for row in URLS["urls"]}
#: The time of the vendor's example.
EXAMPLE_MS = 1_716_544_879_000
SEPARATED = ("L12", "L13")


def launched(balance="100.00", player="p1", box="58", at_ms=EXAMPLE_MS, **options):
    """The URL of a launch."""
    launch = Launch(game=box, currency="CREDITS", player=player, balance=balance)
    return open_box(launch, integration(**options), at_ms).game_url


def parameters(url):
    """The decoded parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


def test_row01_the_vendors_own_example():
    """The published values sign to the published signature, and make the published URL."""
    row = ROWS["L1"]
    assert signature(row["values"], URLS["key"]) == row["sig"]
    query = signed_query(row["values"], URLS["key"])
    assert f"https://app.loyaltygyre.com/box?{query}" == URLS["url"]


@pytest.mark.parametrize("row", URLS["urls"], ids=lambda row: row["id"])
def test_row02_every_text_signs_as_published(row):
    """Raw texts, right and wrong ones, have the published signatures."""
    assert signature(row["values"], URLS["key"]) == row["sig"]


def test_row02_it_is_no_hmac():
    """The same values under HMAC-SHA256 have another signature, which is never made here."""
    values = ROWS["L1"]["values"]
    over = "|".join(values[name] for name in sorted(values))
    made = hmac.new(URLS["key"].encode(), over.encode(), sha256).hexdigest()
    assert made == URLS["hmac"]["sig"]
    assert made != signature(values, URLS["key"])


@pytest.mark.parametrize(
    "row", [each for each in URLS["urls"] if each["id"] not in SEPARATED], ids=lambda row: row["id"]
)
def test_row02_only_right_forms_are_built(row):
    """What the builder makes of a row's values is the row where its form is right, else another."""
    balance = balance_text(row["values"]["balance"], 2)
    moment = row["values"]["timestamp"]
    right = balance == row["values"]["balance"] and moment == timestamp(EXAMPLE_MS + (
        1000 if moment.endswith(":20") else 0
    ))  # fmt: skip
    assert right is row["produced"]


@pytest.mark.parametrize(
    ("balance", "said"),
    [
        ("102.90", "102.9"),
        ("100.00", "100"),
        ("100", "100"),
        ("0.00", "0"),
        ("0", "0"),
        ("102.999", "102.99"),
        ("0.009", "0"),
        ("-5.00", "0"),
        ("123456789012345.67", "123456789012345.67"),
    ],
)
def test_row03_a_balance_has_one_form(balance, said):
    """Shortest plain decimal, rounded down, without sign."""
    assert parameters(launched(balance))["balance"] == said


@pytest.mark.parametrize("balance", ["1E+2", "0.30000000000000004e0", "1,5", "", "NaN", "٣"])
def test_row03_what_is_no_plain_decimal_is_refused(balance):
    """An exponent, a comma or nothing is no balance."""
    assert refused(launched, balance).field == "balance"


@given(units=st.integers(0, 10**12), places=st.integers(0, 4))
def test_row03_no_form_has_superfluous_characters(units, places):
    """No zeros at the end, no point without decimals, and never more than there is."""
    digits = str(units).zfill(places + 1)
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    said = balance_text(text, 2)
    assert "." not in said or not said.endswith(("0", "."))
    assert float(said) <= float(text) < float(said) + 0.0101


@pytest.mark.parametrize("bad", ["a|b", "a;b", "a\nb", "a\0b", "a\x7fb", "", "x" * 129, "a\u2028b"])
@pytest.mark.parametrize("name", ["player", "box"])
def test_row04_separators_never_get_in(name, bad):
    """A value that holds a separator or a control character, or nothing, is refused by name."""
    why = refused(lambda: launched(**{name: bad}))
    assert (why.why, why.field) == (Rejection.MALFORMED, name)


@pytest.mark.parametrize("row", SEPARATED)
def test_row04_two_readings_of_one_signature_are_refused(row):
    """Both sets of values have one signature, and neither is signed."""
    assert ROWS["L12"]["sig"] == ROWS["L13"]["sig"]
    with pytest.raises(Malformed):
        signed_query(ROWS[row]["values"], URLS["key"])


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles", "UTC"])
def test_row05_the_time_is_utc(zone, monkeypatch):
    """The time in the URL is UTC wherever the server stands, without a fraction."""
    before = os.environ.get("TZ")
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert parameters(launched(at_ms=EXAMPLE_MS + 999))["timestamp"] == "2024-05-24 10:01:19"
    finally:
        monkeypatch.setenv("TZ", before or "UTC")
        time.tzset()


def test_row06_a_second_later_is_another_signature():
    """Equal values sign the same within a second, and otherwise in the next one."""
    first, same, next_ = (launched(at_ms=EXAMPLE_MS + more) for more in (0, 999, 1000))
    assert first == same
    assert parameters(first)["sig"] != parameters(next_)["sig"]


@given(player=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=128))
def test_row07_what_is_signed_is_what_arrives(player):
    """Whoever decodes the URL finds the very texts that were signed."""
    if set(player) & {"|", ";"}:
        return
    said = parameters(launched(player=player))
    sig = said.pop("sig")
    assert said["player"] == player
    assert said["casino"] == CASINO
    assert signature(said, "the-api-key") == sig


def test_row07_a_name_in_utf8():
    """`Zoë` is signed as UTF-8 and percent-encoded in the URL."""
    assert "player=Zo%C3%AB" in launched(player="Zoë")


class Page(HTMLParser):
    """The frame and the script of a page."""

    def __init__(self, text):
        super().__init__()
        self.found = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        """A tag begins."""
        self.found[tag] = dict(attributes)


def test_row08_the_page_holds_the_url_as_it_is():
    """In HTML the `&` is `&amp;`, so that no browser reads `&times`; decoded it is the URL."""
    url = launched()
    text = snippet(url)
    assert "&amp;timestamp=" in text
    assert "\u00d7" not in text
    assert "&timestamp" not in text
    page = Page(text)
    assert page.found["iframe"]["src"] == url
    assert page.found["iframe"]["id"] == "loyaltygyre"
    assert page.found["iframe"]["height"] == "500"
    assert page.found["script"]["data-origin"] == "https://app.loyaltygyre.com"


def test_row08_nothing_breaks_out_of_the_page():
    """A quote in a URL ends no attribute."""
    text = snippet('https://app.loyaltygyre.com/box?a="><script>alert(1)</script>')
    assert "<script>alert" not in text


def test_row09_the_sample_key_is_refused():
    """The key of the vendor's example is the MD5 of nothing, and no key."""
    with pytest.raises(ValueError, match="api_keys: expected your own key"):
        settings(api_keys=[SAMPLE_KEY])
    assert URLS["key"] == SAMPLE_KEY


MESSAGES = """
const heights = [];
const frame = { contentWindow: {}, style: { set height(value) { heights.push(value); } } };
let heard;
global.document = {
  currentScript: { getAttribute: () => "https://app.loyaltygyre.com" },
  getElementById: () => frame,
};
global.window = { addEventListener: (_, listener) => { heard = listener; } };
SCRIPT
const good = { origin: "https://app.loyaltygyre.com", source: frame.contentWindow };
for (const data of [null, undefined, 7, "x", {}, { iframeHeight: "700" }, { iframeHeight: NaN },
  { iframeHeight: Infinity }, { iframeHeight: 99 }, { iframeHeight: 10001 }]) {
  heard({ ...good, data });
}
heard({ ...good, origin: "https://evil.example", data: { iframeHeight: 700 } });
heard({ ...good, origin: "https://app.loyaltygyre.com.evil.example", data: { iframeHeight: 700 } });
heard({ ...good, source: {}, data: { iframeHeight: 700 } });
heard({ ...good, data: { iframeHeight: 700 } });
heard({ ...good, data: { iframeHeight: 700.5 } });
console.log(JSON.stringify(heights));
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here")
def test_row10_only_the_frame_is_believed():
    """Messages of others, without an object, or with a height out of bounds change nothing."""
    script = (files("seamline.dialects.loyaltygyre") / "resize.js").read_text("utf-8")
    told = subprocess.run(
        ["node", "-e", MESSAGES.replace("SCRIPT", script)],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert told.stdout.strip() == '["700px","700.5px"]'


def test_row10_the_script_checks_origin_object_and_bounds():
    """The script that is delivered looks at origin, source, object and bounds."""
    script = (files("seamline.dialects.loyaltygyre") / "resize.js").read_text("utf-8")
    for check in ("event.origin !== origin", "event.source !==", "told === null", "isFinite",
                  ">= 100", "<= 10000"):  # fmt: skip
        assert check in script


def test_a_demo_has_no_url():
    """The vendor has no play money, and no URL without a player."""
    demo = Launch(game="58", currency="CREDITS", player="p1", demo=True)
    assert refused(open_box, demo, integration(), EXAMPLE_MS).field == "demo"
    nobody = Launch(game="58", currency="CREDITS", balance="1")
    assert refused(open_box, nobody, integration(), EXAMPLE_MS).field == "player"
