"""What each call of each dialect can say, learnt from its vectors, for the laws to be tried on.

Each published command, and each neighbour of it (a field left out, free or not) that its wire
carries unchanged, with ids and amounts drawn anew.
"""

import re
from functools import cache
from itertools import product
from random import Random

import msgspec
import pytest
from hypothesis import reject
from hypothesis import strategies as st

from kit.vendor import integration_of, renewed, templates
from seamline.cli.ids import Ids
from seamline.dialects import dialects
from seamline.dialects.dialect import Refused
from seamline.money import Quantity
from seamline.wallet import Command, Kind

NAMES = sorted(dialects())
CALLS = [(name, call.name) for name in NAMES for call in dialects()[name].calls]
MOVING = frozenset({Kind.BET, Kind.TIP, Kind.WIN, Kind.REWARD, Kind.REFUND})

quantities = st.builds(Quantity, st.integers(0, 10**14), st.just(2)) | st.builds(
    Quantity, st.integers(0, 10**6), st.just(0)
)
seeds = st.integers(0, 2**32)
#: When everything is said: signed times are held against it.
NOW = 1_795_000_000_000

of_each_dialect = pytest.mark.parametrize("name", NAMES)
of_each_call = pytest.mark.parametrize(("name", "call_name"), CALLS)


def call_named(name, call_name):
    """A call of a dialect."""
    return next(call for call in dialects()[name].calls if call.name == call_name)


@cache
def sayable(name, call_name):
    """The shapes of items that the call carries unchanged, each by an example."""
    examples = {each.commands for each in templates(name) if each.call == call_name}
    if not examples:  # Another law says that there is one.
        pytest.skip(f"nothing in the vectors of {name} shows how a {call_name} is said")
    near = {(each,) for items in examples if len(items) == 1 for each in neighbours(items[0])}
    return tuple(sorted(examples, key=repr)) + tuple(
        sorted((items for items in near - examples if survives(name, call_name, items)), key=repr)
    )


def neighbours(command):
    """The command with some fields left out, free and not, with and without a campaign."""
    named = ("round", "campaign", "game", "player", "currency", "amount", "session")
    given_ = [name for name in named if getattr(command, name) is not None]
    for kept in product((True, False), repeat=len(given_)):
        left_out = {name: None for name, keep in zip(given_, kept, strict=True) if not keep}
        for free in (False, True):
            bare = msgspec.structs.replace(command, **left_out, free=free)
            yield bare
            yield msgspec.structs.replace(bare, claim=None)


def survives(name, call_name, items):
    """Whether the items are the same after composing and reading."""
    call, integration = call_named(name, call_name), integration_of(name)
    try:
        return alike(call.read(call.compose(items, integration, NOW), integration), items)
    except Refused:
        return False


def alike(items, others):
    """Whether the items are the same; amounts by value, as numbers of a wire have no idle zeros."""
    return [plain(each) for each in items] == [plain(each) for each in others]


def plain(item):
    """The item with its amount in the shortest form."""
    if not isinstance(item, Command) or item.amount is None:
        return item
    return msgspec.structs.replace(item, amount=item.amount.shortest())


@st.composite
def said(draw, name, call_name):
    """Items that the call carries: an example with new ids and amounts, and its request."""
    items = draw(st.sampled_from(sayable(name, call_name)))
    ids, new = Ids(Random(draw(seeds))), {}
    fresh = tuple(changed(each, ids, new, draw) for each in items)
    try:
        return fresh, call_named(name, call_name).compose(fresh, integration_of(name), NOW)
    except Refused as refused:
        # Not every wire carries every amount; that all are refused would be noticed.
        if refused.rejected.field != "amount":
            raise
        reject()


def changed(command, ids, new, draw):
    """The command with new ids, the same new one wherever the old one stood, and a new amount."""
    if not isinstance(command, Command):
        return command
    fields = renewed(command, ids.like, new)
    if command.amount is not None and command.amount.coefficient:
        fields["amount"] = draw(quantities)
    return msgspec.structs.replace(command, **fields)


def refusal(do, *arguments):
    """How it is refused, or None when it is not; whatever else is raised breaks the law."""
    try:
        do(*arguments)
    except Refused as refused:
        return refused.rejected
    return None


def routed(name, request):
    """The call that a request is for: by method and path, and by the dialect's word among several.

    A segment `{name}` of a path stands for any text.
    """
    dialect, integration = dialects()[name], integration_of(name)
    fitting = [each.name for each in dialect.calls if fits(*route_of(name, each), request)]
    assert len(fitting) == 1 or dialect.which is not None
    return fitting[0] if len(fitting) == 1 else dialect.which(request, integration)


def route_of(name, call):
    """Method and path of a call, as the sandbox options have them."""
    dialect = dialects()[name]
    chosen = {} if dialect.routes is None else dialect.routes(integration_of(name).options)
    return chosen.get(call.name, (call.method, call.path))


def fits(method, path, request):
    """Whether a request goes to that method and path."""
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))
    return request.method == method and re.fullmatch(pattern, request.path) is not None


def well_formed(reply):
    """Whether a reply is HTTP that a vendor can read: a status, a body of the type it says."""
    kind = dict(reply.headers).get(b"content-type", b"")
    if kind.startswith(b"application/json") and reply.body:
        msgspec.json.decode(reply.body)
    bounded = len(reply.body) < 4_096
    return 200 <= reply.status < 600 and bounded and b"\n" not in b"".join(sum(reply.headers, ()))
