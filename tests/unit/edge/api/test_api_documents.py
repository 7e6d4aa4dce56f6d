"""What the API says of itself."""

import re
from html.parser import HTMLParser

import pytest

from seamline.edge.api.problems import REFUSALS, Code
from seamline.edge.api.table import TABLE
from seamline.wallet import Rejection
from unit.edge.api.test_api_door import problem


@pytest.fixture
def document(rig):
    """The OpenAPI document, fetched without a key."""
    got = rig.get("/v1/openapi.json", key=None)
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    return got.json


def operations(document):
    """Every operation with its method and path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_the_document_lists_the_whole_table(document):
    """Every row of the table is in the document, and nothing else but the documents."""
    listed = {name for name, _ in operations(document)}
    rows = {f"{endpoint.method} {endpoint.path}" for endpoint in TABLE}
    own = {"GET /v1/openapi.json", "GET /v1/docs", "GET /v1/problems/{code}"}
    assert listed == rows | own
    assert document["openapi"] == "3.1.0"


def test_every_reference_leads_somewhere(document):
    """No schema is missing, and none is there that nobody refers to."""
    text = str(document)
    referred = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert referred == set(document["components"]["schemas"])


def test_operations_have_names_of_their_own(document):
    """An operation id is unique."""
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert "post_players_brand_id_deposits" in names


def test_every_problem_is_documented_with_its_code(document):
    """Each reply that is a problem has its media type and an example of each code."""
    shown = set()
    for _, operation in operations(document):
        for status, reply in operation["responses"].items():
            if int(status) >= 400:
                media = reply["content"]["application/problem+json"]
                for name, example in media["examples"].items():
                    shown.add(name)
                    assert example["value"]["status"] == int(status)
    known = {code.slug for code in Code}
    # This is no operation's: an unknown method has none.
    assert known - shown == {"method_not_allowed"}


def test_only_the_documents_need_no_key(document):
    """Everything that shows or moves anything asks for a key."""
    assert document["security"] == [{"key": []}]
    open_ = {name for name, operation in operations(document) if operation.get("security") == []}
    assert open_ == {"GET /v1/openapi.json", "GET /v1/docs", "GET /v1/problems/{code}"}


def test_parameters_have_limits_and_meanings(document):
    """A parameter says where it stands, whether it is needed, and how long it may be."""
    found = {
        (name, each["name"]): each
        for name, operation in operations(document)
        for each in operation["parameters"]
    }
    brand = found["GET /v1/players/{brand}/{id}", "brand"]
    assert (brand["in"], brand["required"], brand["schema"]["maxLength"]) == ("path", True, 255)
    assert brand["description"] == "A brand of the settings."
    limit = found["GET /v1/transactions", "limit"]
    assert (limit["in"], limit["required"], limit["schema"]["maximum"]) == ("query", False, 500)
    assert "from" in {name for _, name in found}
    assert all("anyOf" not in each["schema"] for each in found.values())


def test_every_rejection_of_the_ledger_is_a_problem():
    """No refusal of the ledger leaves the operator without a code."""
    assert set(REFUSALS) == set(Rejection)
    assert REFUSALS[Rejection.FUNDS].slug == "insufficient_funds"


@pytest.mark.parametrize("code", list(Code))
def test_a_problem_type_can_be_followed(rig, code):
    """The `type` of each problem is a path that says what it means, without a key."""
    got = rig.get(f"/v1/problems/{code.slug}", key=None)
    assert got.json == {"code": code.slug, "status": code.status, "title": code.title}


def test_an_unknown_problem_is_one_itself(rig):
    """No such code, no meaning."""
    problem(rig.get("/v1/problems/nothing", key=None), 404, "not_found")


class Tags(HTMLParser):
    """Notes tags, ids, links, and whether every tag is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.ids, self.links = [], set(), [], []

    def handle_starttag(self, tag, attributes):
        """A tag begins."""
        named = dict(attributes)
        self.seen.add(tag)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if "href" in named else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """A tag ends."""
        assert self.open.pop() == tag


def test_the_page_is_whole_and_fetches_nothing(rig):
    """The page needs no script and no other server, and its links lead to its sections."""
    got = rig.get("/v1/docs", key=None)
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in got.headers["content-security-policy"]
    page = got.body.decode()
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert not tags.seen & {"script", "link", "img", "iframe"}
    assert "color-scheme: light dark" in page
    inner = {link.removeprefix("#") for link in tags.links if link.startswith("#")}
    assert inner == set(tags.ids)
    assert [link for link in tags.links if not link.startswith("#")] == ["/v1/openapi.json"]
    assert len(inner) == len(TABLE) + 3


def test_the_page_shows_calls_to_copy(rig):
    """Each section has a `curl` with the example's values and the members that are needed."""
    page = rig.get("/v1/docs", key=None).body.decode()
    assert "curl -X POST &#x27;http://127.0.0.1:8600/v1/players/acme/p1/deposits&#x27;" in page
    assert "&quot;transaction_id&quot;: &quot;d1&quot;" in page
    assert "insufficient_funds" in page


def test_the_style_is_the_one_that_is_allowed(rig):
    """The hash in the policy is of the style that the page carries, or it would stay unstyled."""
    import base64
    from hashlib import sha256

    got = rig.get("/v1/docs", key=None)
    style = re.search(r"<style>(.*?)</style>", got.body.decode(), re.DOTALL)[1]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in got.headers["content-security-policy"]
