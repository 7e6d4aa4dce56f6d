"""Players, and the cashier: what the operator does with people and their money."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from seamline.edge.api import shapes
from seamline.edge.api.endpoint import Answer
from seamline.edge.api.problems import Code, Problem, refusal
from seamline.edge.gateway import Gateway
from seamline.ledger.rows import Account, Player, Terms
from seamline.ledger.store import Conflict, PlayerChange, Unknown
from seamline.money import Amount, BadQuantity, Inexact, OutOfRange, Quantity
from seamline.must import must
from seamline.wallet import Command, Kind, Limits, Rejected, Replayed


async def add(gateway: Gateway, *, body: shapes.NewPlayer) -> Answer:
    """201 when the player is new, 200 when the same one was there."""
    cashier(gateway, body.brand)
    try:
        player, new = await gateway.ledger.run(
            lambda writer, now_ms: writer.add_player(
                body.brand, body.id, body.country, body.language, now_ms
            )
        )
    except Conflict as error:
        raise Problem(Code.PLAYER_CHANGED, str(error), field="id") from error
    accounts = () if new else (await _find(gateway, player.brand, player.name))[1]
    return Answer(status=201 if new else 200, body=answer(player, accounts))


async def show(gateway: Gateway, *, path: shapes.BrandPlayer) -> Answer:
    """The player with all balances."""
    cashier(gateway, path.brand)
    return Answer(body=answer(*await _find(gateway, path.brand, path.id)))


async def change(gateway: Gateway, *, path: shapes.BrandPlayer, body: shapes.PlayerPatch) -> Answer:
    """Change what the body names."""
    terms = cashier(gateway, path.brand)
    if body.limits is not UNSET:
        check_limits(gateway, terms, body.limits)
    wanted = PlayerChange(
        status=body.status if body.status is not UNSET else None,
        limits=limits_of(body.limits) if body.limits is not UNSET else None,
        country=body.country if body.country is not UNSET else None,
        language=body.language if body.language is not UNSET else None,
    )
    try:
        await gateway.ledger.run(
            lambda writer, _: writer.change_player(path.brand, path.id, wanted)
        )
    except Unknown as error:
        raise Problem(Code.PLAYER_UNKNOWN, str(error), field="id") from error
    return Answer(body=answer(*await _find(gateway, path.brand, path.id)))


async def deposit(gateway: Gateway, *, path: shapes.BrandPlayer, body: shapes.Transfer) -> Answer:
    """Money in."""
    return await _transfer(gateway, Kind.DEPOSIT, path, body)


async def withdraw(gateway: Gateway, *, path: shapes.BrandPlayer, body: shapes.Transfer) -> Answer:
    """Money out."""
    return await _transfer(gateway, Kind.WITHDRAWAL, path, body)


async def _transfer(
    gateway: Gateway, kind: Kind, path: shapes.BrandPlayer, body: shapes.Transfer
) -> Answer:
    """201 when it moved now, 200 when the same one moved before."""
    terms = cashier(gateway, path.brand)
    amount = decimal(body.amount, "amount")
    if not amount.coefficient:
        raise Problem(Code.AMOUNT_RANGE, "expected an amount above zero", field="amount")
    outcome = await gateway.ledger.apply(
        Command(
            kind=kind,
            integration=terms.integration,
            key=body.transaction_id,
            player=path.id,
            currency=body.currency,
            amount=amount,
        )
    )
    if isinstance(outcome, Rejected):
        raise refusal(outcome)
    # The cashier's fingerprint holds player and currency; another's answer must never come here.
    must(outcome.player == path.id, "the answer is this player's", key=body.transaction_id)
    done = shapes.TransferAnswer(
        transaction=outcome.transaction or "",
        balance=str(outcome.balance),
        currency=outcome.balance.currency.code,
    )
    return Answer(status=200 if isinstance(outcome, Replayed) else 201, body=done)


def cashier(gateway: Gateway, brand: str) -> Terms:
    """What the ledger knows of a brand."""
    terms = gateway.cashiers.get(brand)
    if terms is None:
        raise Problem(Code.BRAND_UNKNOWN, f"no brand {brand!r} in the settings", field="brand")
    return terms


async def _find(gateway: Gateway, brand: str, name: str) -> tuple[Player, Sequence[Account]]:
    found = await gateway.read(lambda reader: reader.player(brand, name))
    if found is None:
        raise Problem(Code.PLAYER_UNKNOWN, f"no player {name!r} of brand {brand!r}", field="id")
    return found


def answer(player: Player, accounts: Sequence[Account]) -> shapes.PlayerAnswer:
    """A player as the wire has it."""
    return shapes.PlayerAnswer(
        brand=player.brand,
        id=player.name,
        status=player.status,
        country=player.country,
        language=player.language,
        limits=msgspec.convert(msgspec.to_builtins(player.limits), shapes.LimitsBody),
        created_ms=player.created_ms,
        balances=[
            shapes.Balance(
                currency=account.currency.code,
                balance=str(Amount(account.balance, account.currency)),
            )
            for account in accounts
        ],
    )


def limits_of(body: shapes.LimitsBody) -> Limits:
    """The limits as the ledger keeps them."""
    return msgspec.convert(msgspec.to_builtins(body), Limits)


def check_limits(gateway: Gateway, terms: Terms, body: shapes.LimitsBody) -> None:
    """Refuse limits that no bet could be measured by, or that are finer than any."""
    for code, limits in body.currencies.items():
        field = f"limits.currencies.{code}"
        if code not in terms.currencies:
            detail = f"{code!r} is not one of the brand's currencies"
            raise Problem(Code.CURRENCY_UNKNOWN, detail, field=field)
        for name in limits.__struct_fields__:
            text: str | None = getattr(limits, name)
            if text is None:
                continue
            quantity = decimal(text, f"{field}.{name}")
            try:
                Amount.exactly(quantity, gateway.currencies[code])
            except OutOfRange as error:
                raise Problem(Code.AMOUNT_RANGE, str(error), field=f"{field}.{name}") from error
            except Inexact as error:
                raise Problem(Code.PRECISION, str(error), field=f"{field}.{name}") from error


def decimal(text: str, field: str) -> Quantity:
    """The text as an exact decimal."""
    try:
        return Quantity.parse(text)
    except BadQuantity as error:
        raise Problem(Code.MALFORMED, str(error), field=field) from error
