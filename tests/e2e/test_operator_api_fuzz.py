"""The operator API under made-up requests, read off its own OpenAPI document.

Whatever a caller sends, the answer is one that the document promises, and no fault. Half of the
requests fit the document, with ids of things that exist mixed in; the other half breaks it.
"""

import hashlib

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from kit.command import bet, refund, win
from seamline.dialects.dialect import Reply
from seamline.edge.api.documents import documents
from seamline.edge.api.table import TABLE
from unit.edge.api.asgi_caller import call
from unit.edge.api.operator_rig import KEY, Rig

HOST = "http://127.0.0.1"
EXAMPLES = 30
PROMISES = [
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
#: Ids of things that exist, by the names under which the document asks for them.
KNOWN = {
    "brand": "acme",
    "id": "p1",
    "player": "p1",
    "integration": "swipe",
    "session_id": "s1",
    "currency": "USD",
    "game": "g1",
    "round": "r1",
    "amount": "1.00",
    "launch": True,
    "name": "lobby",
}
#: What the made-up vendor answers where it does not refuse.
SAID = {
    "/launch": b'{"game_url":"https://vendor.example/play"}',
    "/games": b'[{"id":"g1","title":"Catch"}]',
    "/new": b'{"id":"fr1"}',
    "/jackpots": b'[{"name":"major","amount":"1.00","currency":"EUR"}]',
    "/shown": b'{"id":"fr1","valid_from_ms":1,"games":["g1"]}',
}
MOODS = {
    "well": lambda request: Reply(200, SAID.get(request.path, b"")),
    "refusing": lambda _: Reply(404),
    "broken": lambda _: Reply(500),
    "silent": lambda _: TimeoutError("no reply"),
    "gone": lambda _: ConnectionError("refused"),
}


class MoodyVendor:
    """A vendor that is sometimes well and sometimes not."""

    mood = "well"

    async def send(self, _base_url, request, _deadline_s):
        """One exchange."""
        reply = MOODS[self.mood](request)
        if isinstance(reply, Exception):
            raise reply
        return reply


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """A gateway with something in every list."""
    made = Rig(tmp_path_factory.mktemp("fuzz"))
    made.player()
    made.session()
    made.apply(
        bet("b1", "10.00"), win("w1", "15.00"), win("w2", "1.00", round_="r9"), refund("f1", "b9")
    )
    made.moody = MoodyVendor()
    made.swap(send=made.moody.send)
    yield made
    made.close()


@pytest.fixture(scope="module")
def document(rig):
    """The document, as schemathesis reads it."""
    return schemathesis.openapi.from_dict(rig.get("/v1/openapi.json", key=None).json)


def send(rig, case, key=KEY):
    """The case as a server would get it, and the reply as schemathesis wants it."""
    wanted = case.as_transport_kwargs(base_url=HOST, headers={"Authorization": f"Bearer {key}"})
    wanted.pop("verify", None)
    prepared = requests.Request(**wanted).prepare()
    body = prepared.body or b""
    raw = body.encode() if isinstance(body, str) else body
    headers = [
        (name.lower(), value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in prepared.headers.items()
    ]
    target = prepared.url.removeprefix(HOST)
    got = rig.runner.run(
        call(rig.world.app, prepared.method, target, headers=headers, chunks=(raw,))
    )
    shown = {name: [value] for name, value in got.headers.items()}
    return Response(got.status, shown, got.body, prepared, 0.0, verify=False)


def steer(case, names):
    """Put ids of things that exist where the case has made-up ones."""
    for values in (case.path_parameters, case.query, case.body):
        if isinstance(values, dict):
            values.update({name: KNOWN[name] for name in names if name in values})
    if "id" in (case.path_parameters or {}) and case.path.startswith("/v1/alerts"):
        case.path_parameters["id"] = 1


ENDPOINTS = (*TABLE, *documents(TABLE))
OPERATIONS = [(each.method, each.path) for each in ENDPOINTS]
#: Those that read something which a caller can get wrong.
READING = [
    (each.method, each.path)
    for each in ENDPOINTS
    if any(each.shape(part) is not None for part in ("path", "query", "body"))
]


def fuzz(method, path, strategy, law):
    """Try the law on a bounded number of cases, the same ones each time."""
    number = int.from_bytes(hashlib.sha256(f"{method} {path}".encode()).digest()[:4], "big")
    limits = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    seed(number)(limits(given(**strategy)(law)))()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_what_fits_the_document_is_answered_as_it_says(rig, document, method, path):
    """A request that fits gets a documented reply, and no fault, whatever the vendor does."""
    operation = document[path][method]

    def law(case, names, mood):
        rig.moody.mood = mood
        steer(case, names)
        response = send(rig, case)
        assert response.status_code not in {500, 503}, response.content
        case.validate_response(response, checks=PROMISES)

    strategy = {
        "case": operation.as_strategy(generation_mode=GenerationMode.POSITIVE),
        "names": st.just(set(KNOWN)) | st.sets(st.sampled_from(sorted(KNOWN))),
        "mood": st.sampled_from(sorted(MOODS)),
    }
    fuzz(method, path, strategy, law)


@pytest.mark.parametrize(("method", "path"), READING)
def test_what_breaks_the_document_is_refused_as_it_says(rig, document, method, path):
    """A request that does not fit is refused, in a way that the document promises."""
    operation = document[path][method]

    def law(case):
        rig.moody.mood = "well"
        response = send(rig, case)
        assert response.status_code not in {500, 503}, response.content
        case.validate_response(response, checks=[*PROMISES, negative_data_rejection])

    strategy = {"case": operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)}
    fuzz(method, path, strategy, law)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_a_wrong_key_is_refused_as_the_document_says(rig, document, method, path):
    """Without a right key every operation that wants one answers 401, before anything else."""
    operation = document[path][method]
    wants_key = operation.definition.raw.get("security") != []

    def law(case):
        response = send(rig, case, key="wrong")
        assert (response.status_code == 401) is wants_key
        case.validate_response(response, checks=PROMISES)

    strategy = {"case": operation.as_strategy(generation_mode=GenerationMode.POSITIVE)}
    fuzz(method, path, strategy, law)
