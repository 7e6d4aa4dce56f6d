"""Players, sessions, campaigns and alerts: what is set down beside the movements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec

from seamline.ledger import columns
from seamline.ledger.changes import AlertRow
from seamline.ledger.directory import Directory
from seamline.ledger.rows import Player, Session, Terms
from seamline.ledger.store import Conflict, NewGrant, NewSession, PlayerChange, StoreError, Unknown
from seamline.ledger.tables import Tables
from seamline.wallet import NO_LIMITS, Alert, PlayerStatus


class Registry:
    """Writes what the operator sets down; runs inside the writer's transaction."""

    def __init__(self, tables: Tables, directory: Directory) -> None:
        self._tables = tables
        self._directory = directory

    def adopt(self, terms: Iterable[Terms]) -> None:
        """Refuse to go on with an integration that the ledger knows as another brand's."""
        known = cast("list[tuple[int, str, str]]", self._tables.rows("all_integrations"))
        brands = {name: brand for _, name, brand in known}
        for each in terms:
            brand = brands.get(each.integration, each.brand)
            if brand != each.brand:
                raise StoreError(
                    f"integration {each.integration} belongs to brand {brand} in the ledger, the "
                    f"settings say {each.brand}: give it another name"
                )

    def add_player(
        self, brand: str, name: str, country: str | None, language: str | None, now_ms: int
    ) -> tuple[Player, bool]:
        """The player, and whether it is new; `Conflict` when it exists with other content."""
        known = self._directory.player(brand, name)
        if known is not None:
            if (known.country, known.language) != (country, language):
                raise Conflict(f"player {name!r} exists with another country or language")
            return known, False
        player = Player(
            self._directory.new_player(),
            brand,
            name,
            PlayerStatus.ACTIVE,
            NO_LIMITS,
            country,
            language,
            now_ms,
        )
        named = (player.id, brand, name, country, language)
        self._tables.change("insert_player", [(*named, player.status.value, "{}", now_ms)])
        return player, True

    def change_player(self, brand: str, name: str, change: PlayerChange) -> Player:
        """The player as changed; `Unknown` when there is none.

        Only what is named is written: another gateway may be changing the rest just now.
        """
        limits = msgspec.json.encode(change.limits).decode() if change.limits is not None else None
        status = change.status.value if change.status is not None else None
        named = (status, limits, change.country or None, change.language or None)
        self._tables.change("update_player", [(*named, brand, name)])
        player = self._directory.player(brand, name)
        if player is None:
            raise Unknown(f"no player {name!r} of brand {brand!r}")
        return player

    def open_session(self, terms: Terms, wanted: NewSession) -> tuple[Session, bool]:
        """The session, and whether it is new; opens the player's account in the currency."""
        integration = self._directory.integration(terms)
        known = self._directory.session(terms, wanted.name)
        if known is not None:
            facts = (known.player.name, known.account.currency.code, known.game)
            if facts != (wanted.player, wanted.currency, wanted.game):
                detail = f"session {wanted.name!r} exists for another player, currency or game"
                raise Conflict(detail)
            return known, False
        player = self._directory.player(terms.brand, wanted.player)
        if player is None:
            raise Unknown(f"no player {wanted.player!r} of brand {terms.brand!r}")
        account = self._directory.purse(player.id, wanted.currency)
        if account is None:
            account = self._directory.new_purse(player.id, wanted.currency)
            self._directory.open(account)
        number, bounds = self._directory.new_session(), (wanted.opened_ms, wanted.expires_ms)
        row = (number, integration, wanted.name, account.id, wanted.game, *bounds)
        self._tables.change("insert_session", [row])
        opened = Session(
            number, terms.integration, wanted.name, player, account, wanted.game, *bounds
        )
        return opened, True

    def close_session(self, terms: Terms, name: str, now_ms: int) -> Session:
        """The session, closed under all its names; closing twice keeps the first time."""
        session = self._directory.session(terms, name)
        if session is None:
            raise Unknown(f"no session {name!r} at integration {terms.integration!r}")
        if session.closed_ms is None:
            session.closed_ms = now_ms
            self._tables.change("close_session", [(now_ms, session.id)])
        return session

    def grant(self, terms: Terms, wanted: NewGrant) -> None:
        """Note a campaign that a vendor gave: one row per player and game that it names."""
        integration = self._directory.integration(terms)
        names = wanted.players if wanted.players is not None else (None,)
        found = [None if n is None else self._directory.player(terms.brand, n) for n in names]
        numbers = {each.id if each is not None else None for each in found}
        if wanted.players is not None:
            numbers.discard(None)
        said = (wanted.currency, wanted.reward, wanted.from_ms, wanted.until_ms)
        self._tables.change(
            "insert_grant",
            [
                (integration, wanted.name, wanted.vendor_name, player, game, *said)
                for player in numbers
                for game in wanted.games or (None,)
            ],
        )

    def cancel_grants(self, terms: Terms, name: str, now_ms: int) -> None:
        """Note that a campaign, by the operator's id or by the vendor's, is over."""
        self._tables.change("cancel_grants", [(self._directory.integration(terms), name, now_ms)])

    def end_round(self, number: int) -> None:
        """Close a round that its vendor left open."""
        self._tables.change("end_round", [(number,)])

    def set_alert_state(self, alert: int, state: str, now_ms: int) -> None:
        """Move an alert to `open`, `investigating` or `resolved`; `Unknown` when there is none."""
        if not self._tables.change("set_alert_state", [(state, now_ms, alert)]):
            raise Unknown(f"no alert {alert}")

    def close_alert(self, terms: Terms, key: str, alert: Alert, now_ms: int) -> None:
        """Resolve what a command raised, if it did: it is over."""
        number = self._directory.integration(terms)
        self._tables.change("close_alert", [(number, key, alert.value, now_ms)])

    def raise_alerts(self, alerts: Sequence[AlertRow]) -> None:
        """Write alerts that no command caused; about the same key again one is no news."""
        numbers = self._directory.integrations
        self._tables.change("insert_alert", [columns.alert_row(each, numbers) for each in alerts])

    def beat(self, now_ms: int) -> None:
        """Write something small, to see that a write goes through."""
        self._tables.change("beat", [(now_ms,)])
