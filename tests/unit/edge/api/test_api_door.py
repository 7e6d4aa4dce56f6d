"""Who is let in, and what happens to requests that are not well made."""

from types import SimpleNamespace

import msgspec
import pytest

from seamline.dialects.dialect import Secret
from seamline.ledger.store import StoreUnavailable
from unit.edge.api.operator_rig import KEY, SECOND_KEY

PLAYER = {"brand": "acme", "id": "p1"}


def problem(got, status, code):
    """The reply, checked to be that problem."""
    assert (got.status, got.json["code"]) == (status, code), got.body
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json["type"] == f"/v1/problems/{code}"
    assert got.json["status"] == status
    assert got.json["title"]
    assert got.json["detail"]
    assert got.json["request_id"] == got.headers["x-request-id"]
    return got.json


# Keys.


@pytest.mark.parametrize("key", [KEY, SECOND_KEY])
def test_any_of_the_keys_opens(rig, key):
    """While keys are changed, the old one and the new one both work."""
    assert rig.get("/v1/transactions", key=key).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("authorization", ""),),
        (("authorization", KEY),),
        (("authorization", "Bearer"),),
        (("authorization", "Bearer "),),
        (("authorization", f"Bearer {KEY}x"),),
        (("authorization", f"Bearer {KEY[:-1]}"),),
        (("authorization", f"Basic {KEY}"),),
        (("authorization", f"Bearer {KEY}"), ("authorization", f"Bearer {KEY}")),
        (("authorization", "Bearer \u00fc"),),
    ],
)
@pytest.mark.parametrize("target", ["/v1/transactions", "/v1/nowhere", "/v1/players"])
def test_without_a_key_nothing_opens(rig, target, headers):
    """Without exactly one right key the answer is 401 and how to authenticate, at any path."""
    got = rig.call("GET", target, key=None, headers=headers)
    problem(got, 401, "unauthorized")
    assert got.headers["www-authenticate"].startswith('Bearer realm="seamline"')


def test_the_scheme_is_read_in_any_case(rig):
    """RFC 9110: names of schemes are case-insensitive."""
    header = ("authorization", f"bEARER {KEY}")
    assert rig.get("/v1/alerts", key=None, headers=[header]).status == 200


def test_no_key_in_the_settings_opens_nothing(rig):
    """Without keys in the settings every call is refused, and told why."""
    rig.swap(api_keys=())
    assert "[api] keys" in problem(rig.get("/v1/alerts", key=""), 401, "unauthorized")["detail"]


def test_a_key_shows_up_nowhere(rig):
    """A refused key is not repeated in the answer."""
    assert b"hunter2" not in rig.get("/v1/alerts", key="hunter2").body


# Paths and methods.


@pytest.mark.parametrize(
    "target",
    ["/v1/nowhere", "/v1/players/", "/v1/players/acme", "/v1/", "/v1/players/acme/p1/x", "//v1"],
)
def test_an_unknown_path_is_a_problem_too(rig, target):
    """What is at no path of the table is 404."""
    problem(rig.get(target), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("PUT", "/v1/players", "POST"),
        ("POST", "/v1/players/acme/p1", "GET, PATCH, HEAD"),
        ("TRACE", "/v1/campaigns", "DELETE, GET, POST, HEAD"),
        ("POST", "/v1/docs", "GET, HEAD"),
        ("OPTIONS", "/v1/sessions", "POST"),
    ],
)
def test_another_method_is_told_which(rig, method, target, allowed):
    """A known path with another method is 405, and `Allow` names what there is."""
    got = rig.call(method, target)
    problem(got, 405, "method_not_allowed")
    assert got.headers["allow"] == allowed


def test_head_is_get_without_a_body(rig):
    """HEAD answers as GET does, length included, and sends no body."""
    got, head = rig.get("/v1/alerts"), rig.call("HEAD", "/v1/alerts")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(got.body))


def test_no_content_has_no_length(funded):
    """204 has neither a body nor a length."""
    got = funded.delete("/v1/sessions/swipe/s1")
    assert (got.status, got.body, "content-length" in got.headers) == (204, b"", False)


def test_an_id_may_hold_a_slash(rig):
    """Paths are split before they are decoded: ids with `/`, `%` or spaces have a path too."""
    name = "a/b %25\u00fc?"
    assert rig.post("/v1/players", {"brand": "acme", "id": name}).status == 201
    got = rig.get("/v1/players/acme/a%2Fb%20%2525%C3%BC%3F")
    assert got.json["id"] == name


@pytest.mark.parametrize(
    "encoded", ["%ZZ", "%", "%F", "%FF", "%ED%A0%80", "%00", "p%0A", "x" * 256]
)
def test_a_path_reads_in_one_way(rig, encoded):
    """Broken escapes, broken UTF-8, control characters and long ids in a path are 400."""
    told = problem(rig.get(f"/v1/players/acme/{encoded}"), 400, "malformed")
    assert told["field"] == "id"


# Queries.


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("playr=p1", "playr"),
        ("brand=", "brand"),
        ("brand=a%00", "brand"),
        ("brand=%FF", "brand"),
        ("%FF=1", "query"),
        ("after=tampered", "after"),
        ("&", ""),
    ],
)
def test_a_query_reads_in_one_way(rig, query, field):
    """A parameter that is unknown, doubled, empty, or out of its limits is 400 and named."""
    assert problem(rig.get(f"/v1/transactions?{query}"), 400, "malformed")["field"] == field


def test_a_query_nobody_wants_is_a_mistake(rig):
    """An endpoint without parameters does not take one silently."""
    told = problem(rig.post("/v1/players?dry_run=true", PLAYER), 400, "malformed")
    assert told["field"] == "dry_run"
    problem(rig.get("/v1/players/acme/p1"), 404, "player_unknown")


def test_plus_is_a_space(rig):
    """In a query `+` stands for a space, as forms write it."""
    rig.post("/v1/players", {"brand": "acme", "id": "a b"})
    assert rig.get("/v1/transactions?brand=acme&player=a+b").json["items"] == []


# Bodies.


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (b"", None, "empty"),
        (b"{", None, "not JSON"),
        (b"[]", None, "object"),
        (b'"x"', None, "object"),
        (b"null", None, "object"),
        (b'{"brand":"acme"}', "id", "missing"),
        (b'{"brand":"acme","id":1}', "id", "str"),
        (b'{"brand":"acme","id":null}', "id", "str"),
        (b'{"brand":"acme","id":""}', "id", "length >= 1"),
        (b'{"brand":"acme","id":"a\\u0000"}', "id", "control character"),
        (b'{"brand":"acme","id":"a\\n"}', "id", "control character"),
        (b'{"brand":"acme","id":"a\\u0085"}', "id", "control character"),
        (b'{"brand":"acme","id":"p","country":"mt"}', "country", "two capital letters"),
        (b'{"brand":"acme","id":"p","country":"MT\\n"}', "country", "two capital letters"),
        (b'{"brand":"acme","id":"p","language":"e"}', "language", "such as de"),
        (b'{"brand":"acme","id":"p","vip":true}', "vip", "no member"),
        (b'{"brand":"acme","id":"p","id":"q"}', "id", "comes twice"),
        (b'{"brand":"acme","id":"p","i\\u0064":"q"}', "id", "comes twice"),
        (b'{"brand":"acme","id":"\xff"}', None, "UTF-8"),
        (b'{"brand":"acme","id":"\\ud800"}', None, "JSON"),
        (b'\xef\xbb\xbf{"brand":"acme","id":"p"}', None, "JSON"),
        (b'{"brand":"acme","id":"p"} x', None, "JSON"),
        (b"[" * 60_000, None, ""),
    ],
)
def test_a_body_reads_in_one_way(rig, body, field, said):
    """A body that is broken or ambiguous is 400, names the member, and says what was expected."""
    told = problem(rig.post("/v1/players", body), 400, "malformed")
    assert told.get("field") == field
    assert said in told["detail"]


def test_an_id_has_at_most_255_characters(rig):
    """Ids are counted in characters, not in bytes."""
    assert rig.post("/v1/players", {"brand": "acme", "id": "\u00fc" * 255}).status == 201
    told = problem(rig.post("/v1/players", {"brand": "acme", "id": "x" * 256}), 400, "malformed")
    assert told["field"] == "id"


def test_a_body_has_at_most_64_kib(rig):
    """A body of 64 KiB is read, one byte more is 413, whether it was announced or not."""
    fits = msgspec.json.encode(PLAYER).ljust(65_536)
    assert rig.post("/v1/players", fits).status == 201
    problem(rig.post("/v1/players", fits + b" "), 413, "too_large")
    problem(rig.post("/v1/players", None, chunks=(fits, b" ")), 413, "too_large")
    announced = [("content-length", "65537")]
    got = rig.post("/v1/players", None, headers=announced, chunks=())
    problem(got, 413, "too_large")


def test_a_caller_who_hangs_up_gets_nothing(rig):
    """A body that ends before its end has no answer, and does nothing."""
    assert rig.post("/v1/players", None, chunks=(b'{"brand"', None)) is None


# Faults.


def test_a_fault_tells_its_number_and_no_more(rig, capsys):
    """A fault is 500 with the request id; the traceback goes to the log under the same id."""

    def fail(_wanted):
        raise ZeroDivisionError("secret detail")

    rig.swap(exchanges=SimpleNamespace(list=fail))
    got = rig.get("/v1/exchanges")
    told = problem(got, 500, "fault")
    assert b"secret" not in got.body
    logged = capsys.readouterr().out
    assert told["request_id"] in logged
    assert "ZeroDivisionError" in logged


def test_a_store_that_is_away_is_503(rig):
    """What cannot be read just now may be asked again."""

    async def away(work):
        raise StoreUnavailable("disk I/O error")

    rig.swap()
    rig.world.app._gateway.read = away
    got = rig.get("/v1/alerts")
    problem(got, 503, "unavailable")
    assert got.headers["retry-after"] == "1"


def test_answers_are_not_kept_by_anybody(rig):
    """No cache keeps what the API says, and no browser guesses what it is."""
    headers = rig.get("/v1/alerts").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"


def test_a_key_is_compared_whole(rig):
    """A key with characters beyond ASCII works when it is sent as the same bytes."""
    rig.swap(api_keys=(Secret("schl\u00fcssel"),))
    header = ("authorization", "Bearer schl\u00fcssel")
    assert rig.get("/v1/alerts", key=None, headers=[header]).status == 200
