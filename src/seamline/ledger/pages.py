"""What one batch may read, in memory: loaded by a store, shown to the rules command by command.

Nothing here does I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import msgspec

from seamline.ledger.changes import Changes
from seamline.ledger.keys import asks_of_refusals, claim_of, overdue_of, refused_of, stone_of
from seamline.ledger.rows import Account, Grant, Player, Round, Session, Terms, Transaction
from seamline.ledger.rules import fingerprint
from seamline.ledger.rules.view import View, is_open
from seamline.wallet import DAY_MS, Command, Kind

RoundKey = tuple[str, str, str, int]  # integration, game, round, account


class Pages(Changes):
    """What a batch may read. Dictionaries are by the keys that commands carry."""

    def __init__(
        self,
        now_ms: int,
        *,
        written_ms: int | None = None,
        new_transaction: Callable[[], int],
        new_round: Callable[[], int],
        house: Callable[[str, str, str], int],
        new_session: Callable[[], int] = int,
    ) -> None:
        super().__init__()
        self.now_ms = now_ms
        # Rows never go back in time, whatever the clock does; decisions follow the clock.
        self.written_ms = max(now_ms, written_ms or 0)
        self.clocks: dict[int, int] = {}  # by account id: when another gateway last wrote to it
        self._new_transaction = new_transaction
        self._new_round = new_round
        self._new_session = new_session
        self._house = house
        self.sessions: dict[tuple[str, str], Session] = {}
        self.players: dict[tuple[str, str], Player] = {}
        self.accounts: dict[int, Account] = {}
        self.purses: dict[tuple[int, str], Account] = {}  # by player id and currency code
        self.owners: dict[int, str] = {}  # player's name by account id
        self.transactions: dict[tuple[str, str], Transaction] = {}
        self.rounds: dict[RoundKey, Round] = {}
        self.rounds_of_any_game: dict[tuple[str, str, int], Round] = {}  # the oldest of that name
        self.rounds_by_id: dict[int, Round] = {}
        self.by_id: dict[int, Transaction] = {}  # also those that paid the bets above
        self.claims: set[tuple[int, str, str]] = set()
        # By integration, player, game and currency; without one of the last two of any.
        self.newest: dict[tuple[str, str, str | None, str | None], Session] = {}
        self.grants: dict[tuple[str, str], list[Grant]] = {}  # by integration and campaign
        # By integration and player, oldest first.
        self.given: dict[tuple[str, int], list[Grant]] = {}
        self.new_accounts: dict[int, Account] = {}  # stored only once money is in them

    def time_of(self, account: Account | None) -> int:
        """When what is written now about an account is written: never before its last row."""
        if account is None:
            return self.written_ms
        return max(self.written_ms, self.clocks.get(account.id, 0))

    def enter_round(self, round_: Round) -> None:
        """Let a round be found, by its id and by what commands call it; once, as one value."""
        if round_.id in self.rounds_by_id:
            return
        known = (round_.integration, round_.name, round_.account)
        self.rounds[round_.integration, round_.game, round_.name, round_.account] = round_
        oldest = self.rounds_of_any_game.setdefault(known, round_)
        if round_.id < oldest.id:
            self.rounds_of_any_game[known] = round_
        self.rounds_by_id[round_.id] = round_

    def view(self, command: Command, terms: Terms, *, ahead: bool = False) -> View:
        """What the rules may see of this command's surroundings; *ahead* of its turn, or for it."""
        integration = command.integration
        view = View(now_ms=self.now_ms, terms=terms)
        if command.session is not None:
            view.session = self.sessions.get((integration, command.session))
        if command.player is not None:
            view.player = self.players.get((terms.brand, command.player))
            self._seat(command, view, ahead=ahead)
        if command.target is not None:
            view.target = self._target(command, command.target, view)
        view.account = self._account(command, view)
        if command.key is not None:
            self._identify(command, command.key, view)
        account = view.account
        if account is not None:
            if command.round is not None:
                view.round = self._round(command, command.round, view, account.id)
            if command.claim is not None:
                view.claimed = self._is_claimed(command, command.claim, view, account.id)
            if command.campaign is not None and terms.policy.campaigns != "told":
                self._grant(command, view, account)
        if view.target is not None:
            if view.target.round is not None:
                # What names a transaction belongs to that one's round.
                view.target_round = self.rounds_by_id.get(view.target.round)
                view.round = view.target_round or view.round
            if view.target.settled_by is not None:
                view.settler = self.by_id.get(view.target.settled_by)
        return view

    def _identify(self, command: Command, key: str, view: View) -> None:
        """What is known under the command's key."""
        policy = view.terms.policy
        view.fingerprint = fingerprint(command, policy)
        may_be_undone = command.kind in policy.reversible
        view.prior = self._known(command.integration, key, or_stone=may_be_undone)
        if command.kind in policy.noted_refusals:
            noted = (command.integration, refused_of(key))
            view.refused_before = noted in self.transactions
        if policy.late_space and command.kind is Kind.WIN:
            view.delivered = self.transactions.get((command.integration, policy.late_space + key))
        if command.kind is Kind.BET:
            view.withdrawn = (command.integration, overdue_of(key)) in self.transactions

    def _is_claimed(self, command: Command, claim: str, view: View, account: int) -> bool:
        """Whether it was paid: to that account, or to anybody where it is paid once for all."""
        if view.terms.policy.claimants == "one":
            return (command.integration, claim_of(claim)) in self.transactions
        return (account, command.integration, claim) in self.claims

    def _seat(self, command: Command, view: View, *, ahead: bool) -> None:
        """The session of a named player: the one that is named, if theirs, or the newest.

        A session that nobody opened is taken for the newest where that is the policy, of the game
        and the currency that the command names. From one that names the game its id is known from
        then on.
        """
        player, session = command.player or "", view.session
        if session is not None:
            if session.player.name != player:
                view.session = None
            return
        adopts = view.terms.policy.unknown_session == "adopt"
        if not (adopts if command.session is not None else command.kind is Kind.AUTHORIZE):
            return
        wanted = (command.integration, player, command.game, command.currency)
        newest = self.newest.get(wanted)
        if newest is None or not is_open(newest, view.now_ms):
            return
        if command.session is not None and view.now_ms - newest.opened_ms > DAY_MS:
            return
        view.session = newest
        # A command without a game may be meant for an older launch than the newest.
        if command.session is not None and command.game is not None and not ahead:
            view.session = self._adopt(newest, command.session)

    def _adopt(self, newest: Session, name: str) -> Session:
        """A session that goes on under that name, and is now the player's newest itself."""
        adopted = msgspec.structs.replace(newest, id=self._new_session(), name=name)
        self.sessions[newest.integration, name] = adopted
        whose = (newest.integration, newest.player.name)
        for of in product((newest.game, None), (newest.account.currency.code, None)):
            self.newest[*whose, *of] = adopted
        self.adopted.append(adopted)
        return adopted

    def _grant(self, command: Command, view: View, account: Account) -> None:
        """The campaign that a command names, or where it names none, the one that it could be."""
        if command.campaign:
            named = self.grants.get((command.integration, command.campaign), [])
            own = [each for each in named if each.player in (None, account.player)]
            view.grant = next(iter(own or named), None)
            return
        game = command.game or (view.session.game if view.session is not None else None)
        for each in self.given.get((command.integration, account.player), ()):
            fits = each.currency == account.currency.code and each.game in (None, game)
            if fits and each.live(view.now_ms):
                view.grant = each
                return
        view.ungranted = True

    def _known(self, integration: str, key: str, *, or_stone: bool) -> Transaction | None:
        """The transaction of that key, or the tombstone that stands for it."""
        known = self.transactions.get((integration, key))
        if known is None and or_stone:
            known = self.transactions.get((integration, stone_of(key)))
        return known

    def _target(self, command: Command, key: str, view: View) -> Transaction | None:
        """What a command names; for a refund also the late win that came in place of it.

        Who asks how a bet stands, or brings a win late, is shown its first refusal, where that was
        noted; but a win is not held up by what somebody else was refused.
        """
        target = self._known(command.integration, key, or_stone=True)
        if target is None and asks_of_refusals(command):
            noted = self.transactions.get((command.integration, refused_of(key)))
            whose = view.session.account.id if view.session is not None and command.late else None
            others = noted is not None and whose not in (None, noted.account)
            return None if others else noted
        late = view.terms.policy.late_space
        if late is None or command.kind is not Kind.REFUND:
            return target
        if target is not None and target.kind is not Kind.TOMBSTONE:
            return target
        return self.transactions.get((command.integration, late + key), target)

    def _account(self, command: Command, view: View) -> Account | None:
        """Whose money it is: the session's, the target's, or the named player's."""
        if view.session is not None:
            return view.session.account
        if view.target is not None and view.target.account is not None:
            return self.accounts.get(view.target.account)
        if view.player is not None and command.currency is not None:
            return self.purses.get((view.player.id, command.currency))
        return None

    def _round(self, command: Command, name: str, view: View, account: int) -> Round | None:
        """The round that a command names."""
        if view.terms.policy.round_game == "any":
            return self.rounds_of_any_game.get((command.integration, name, account))
        return self.rounds.get(self._round_key(command, view, account))

    def _round_key(self, command: Command, view: View, account: int) -> RoundKey:
        game = command.game or (view.session.game if view.session is not None else "")
        return command.integration, game, command.round or "", account
