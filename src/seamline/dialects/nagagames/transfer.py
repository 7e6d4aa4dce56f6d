"""Transfer mode: the vendor holds a wallet, and the casino moves money in and out of it.

Each call carries an HMAC over its fields in the documented order, as JSON; so does a GET, whose
fields are in its query. The vendor's pages show the fields below `data`, its clients send them
flat: `transfer_body` chooses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from seamline.dialects.dialect import (
    AnyExtra,
    Extra,
    Malformed,
    Operation,
    Reply,
    Request,
    VendorError,
)
from seamline.dialects.nagagames import api, wire
from seamline.dialects.nagagames.options import Options
from seamline.dialects.nagagames.signature import HEADER
from seamline.dialects.signing import Json, hmac_sha256
from seamline.money import BadQuantity, Quantity
from seamline.wallet import Command, Integration, Kind

#: Codes of currencies are shorter here than elsewhere.
MAX_CURRENCY = 4

Player = Annotated[str, msgspec.Meta(description="The player's id at the casino.")]
Currency = Annotated[str, msgspec.Meta(description="Up to 4 characters.", examples=["THB"])]
TransactionId = Annotated[
    str, msgspec.Meta(description="Yours, and never used before.", min_length=1, max_length=200)
]


class NewPlayer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A player who gets a wallet at the vendor."""

    player: Player
    currency: Currency


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Money that goes from one wallet to the other."""

    transaction_id: TransactionId
    player: Player
    currency: Currency
    amount: Annotated[str, msgspec.Meta(description="Main units, up to 2 decimals.")]


class Holder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A player with a wallet at the vendor."""

    player: Player


class Earlier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transfer that was asked for before."""

    transaction_id: TransactionId


def compose_create(ask: NewPlayer, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask for a wallet."""
    fields = _who(ask.player, integration) | {"currencyCode": _currency(ask.currency)}
    return _post("create-player", fields, integration)


def compose_deposit(ask: Transfer, integration: Integration[Options], _at_ms: int) -> Request:
    """Put money into the vendor's wallet."""
    return _post("deposit", _moved(ask, integration), integration)


def compose_withdraw(ask: Transfer, integration: Integration[Options], _at_ms: int) -> Request:
    """Take money out of the vendor's wallet."""
    return _post("withdraw", _moved(ask, integration), integration)


def compose_balance(ask: Holder, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask how much there is in the vendor's wallet."""
    return _get("wallet-balance", _who(ask.player, integration), integration)


def compose_transaction(ask: Earlier, integration: Integration[Options], _at_ms: int) -> Request:
    """Ask what became of a transfer."""
    name = api.escaped(api.text(ask.transaction_id, "transaction_id"))
    return _get(f"transactions/{name}", api.codes(integration), integration)


def _who(player: str, integration: Integration[Options]) -> dict[str, str]:
    return {"nativeId": api.text(player, "player"), **api.codes(integration)}


def _moved(ask: Transfer, integration: Integration[Options]) -> dict[str, str | msgspec.Raw]:
    """The fields of a transfer in the documented order; the amount as JavaScript writes it."""
    return {
        **_who(ask.player, integration),
        "currencyCode": _currency(ask.currency),
        "amount": wire.js_number(_amount(ask)),
        "nativeTransactionId": api.text(ask.transaction_id, "transaction_id"),
    }


def _currency(code: str) -> str:
    return api.text(code, "currency", MAX_CURRENCY)


def _amount(ask: Transfer) -> Quantity:
    """A positive amount of at most two decimals."""
    try:
        amount = Quantity.parse(ask.amount).shortest()
    except BadQuantity as error:
        raise Malformed("expected a decimal such as 12 or 0.90", field="amount") from error
    if not amount.coefficient or amount.places > wire.MAX_PLACES:
        raise Malformed("expected more than 0, with at most 2 decimals", field="amount")
    return amount


def _key(integration: Integration[Options]) -> bytes:
    """The secret of transfer mode; `Malformed` in seamless mode, which has no such calls."""
    options = integration.options
    if options.mode != "transfer" or options.secret_key is None:
        raise Malformed('expected the option mode = "transfer"', field="mode")
    return options.secret_key.encoded()


def _post(
    name: str,
    fields: Mapping[str, str] | Mapping[str, str | msgspec.Raw],
    integration: Integration[Options],
) -> Request:
    """A signed POST; what is signed is the fields, wherever they stand in the body."""
    signed = wire.encode(fields)
    signature = hmac_sha256(_key(integration), signed).encode()
    body = signed
    if integration.options.transfer_body == "data":
        body = wire.encode({"data": msgspec.Raw(signed)})
    headers = (*api.JSON, (HEADER, signature))
    return Request("POST", f"/operator/transfer/{name}", headers=headers, body=body)


def _get(name: str, fields: Mapping[str, str], integration: Integration[Options]) -> Request:
    """A signed GET; what is signed is the JSON of its query."""
    signature = hmac_sha256(_key(integration), wire.encode(fields)).encode()
    headers = (*api.ACCEPT, (HEADER, signature))
    return Request("GET", f"/operator/transfer/{name}", api.query_of(fields), headers=headers)


def read_told(reply: Reply, ask: msgspec.Struct, integration: Integration[Options]) -> Json:  # noqa: ARG001
    """What the vendor told."""
    return api.answer(reply)


def read_transfer(reply: Reply, ask: Transfer, integration: Integration[Options]) -> Json:  # noqa: ARG001
    """What the vendor told of a transfer.

    An id that the vendor knows already may be one that it carried out: that is no refusal by which
    money could go back.
    """
    try:
        return api.answer(reply)
    except VendorError as error:
        if "duplicate" in error.message.lower():
            raise VendorError(
                error.message, status=error.status, code=error.code, refused=False
            ) from error
        raise


def reserve_deposit(ask: Transfer, integration: Integration[Options]) -> Command:
    """What is deposited leaves the casino's wallet first, and comes back when it is refused."""
    return Command(
        kind=Kind.BET,
        integration=integration.name,
        key=f"deposit/{ask.transaction_id}",
        player=ask.player,
        currency=ask.currency,
        amount=_amount(ask),
        feature="transfer",
        reference=ask.transaction_id,
    )


def settle_withdraw(ask: Transfer, integration: Integration[Options]) -> Command:
    """What was withdrawn comes into the casino's wallet."""
    return Command(
        kind=Kind.REWARD,
        integration=integration.name,
        key=f"withdraw/{ask.transaction_id}",
        player=ask.player,
        currency=ask.currency,
        amount=_amount(ask),
        feature="transfer",
        reference=ask.transaction_id,
    )


TRANSFER: tuple[AnyExtra[Options], ...] = (
    Extra(
        name="create-player",
        summary="Transfer mode: give a player a wallet at the vendor",
        ask=NewPlayer,
        operation=Operation(compose=compose_create, read=read_told),
    ),
    Extra(
        name="deposit",
        summary="Transfer mode: move money from the casino's wallet to the vendor's",
        ask=Transfer,
        operation=Operation(compose=compose_deposit, read=read_transfer),
        reserve=reserve_deposit,
    ),
    Extra(
        name="withdraw",
        summary="Transfer mode: move money from the vendor's wallet to the casino's",
        ask=Transfer,
        operation=Operation(compose=compose_withdraw, read=read_transfer),
        settle=settle_withdraw,
    ),
    Extra(
        name="wallet-balance",
        summary="Transfer mode: how much a player has at the vendor",
        ask=Holder,
        operation=Operation(compose=compose_balance, read=read_told, repeatable=True),
    ),
    Extra(
        name="transaction",
        summary="Transfer mode: what became of a transfer",
        ask=Earlier,
        operation=Operation(compose=compose_transaction, read=read_told, repeatable=True),
    ),
)
