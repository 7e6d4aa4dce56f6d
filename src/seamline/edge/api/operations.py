"""What only one vendor's API has, open to the operator as it is: listed with schemas, and asked."""

from __future__ import annotations

import msgspec

from seamline.dialects.dialect import AnyExtra
from seamline.edge.api import reading, reserves, shapes, vendors
from seamline.edge.api.endpoint import Answer
from seamline.edge.gateway import Connection, Gateway


async def list_(gateway: Gateway, *, path: shapes.IntegrationPath) -> Answer:
    """The operations that this integration has beside those that all have."""
    target = vendors.connection(gateway, path.integration)
    items = [_entry(extra) for extra in _extras(target)]
    return Answer(body=shapes.OperationList(items=items))


async def ask(gateway: Gateway, *, path: shapes.OperationPath, body: shapes.Unread) -> Answer:
    """Ask the vendor. Where money is reserved, the same `transaction_id` never asks twice."""
    target = vendors.connection(gateway, path.integration)
    extra = _extra(target, path.name)
    wanted = reading.body(body.raw, extra.ask)
    if extra.reserve is not None or extra.settle is not None:
        deal = reserves.Deal(gateway, target, extra, wanted)
        return Answer(body=await reserves.ask(deal))
    answer = await vendors.ask(gateway, target, extra.operation, wanted)
    return Answer(body=shapes.OperationAnswer(answer=answer))


def _extras(target: Connection) -> tuple[AnyExtra[msgspec.Struct], ...]:
    studio = target.dialect.studio
    return studio.extras if studio is not None else ()


def _extra(target: Connection, name: str) -> AnyExtra[msgspec.Struct]:
    """The operation of that name, or a problem that says that there is none."""
    for extra in _extras(target):
        if extra.name == name:
            return extra
    raise vendors.not_offered(target, f"operation {name!r}", field="name")


def _entry(extra: AnyExtra[msgspec.Struct]) -> shapes.OperationEntry:
    return shapes.OperationEntry(
        name=extra.name,
        summary=extra.summary,
        ask=msgspec.json.schema(extra.ask),
        reserves=extra.reserve is not None,
        settles=extra.settle is not None,
        repeatable=extra.operation.repeatable,
    )
