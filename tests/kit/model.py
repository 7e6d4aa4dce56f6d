"""What the ledger must do, said again in a few lines, from the design and the vendors' documents.

It knows nothing of versions, chains, batches or stores: only who has how much, and why.
"""

STAKE, IN, OUT, STONE = "bet", "deposit", "withdrawal", "stone"


class Model:
    """Players' money after any sequence of commands. All amounts are whole cents."""

    def __init__(self, funds, owners):
        self.funds = dict(funds)  # by player
        self.owners = dict(owners)  # player by session
        self.done = {}  # what was recorded, by space and key
        self.rounds = {}  # [bets, bets undone], by session and round
        self.claims = set()

    def apply(self, kind, key, **asked):
        """What is answered: `moved`, `again`, or why not; with the player's funds after it."""
        space = "cashier" if kind in (IN, OUT) else "vendor"
        content = (kind, asked)
        known = self.done.get((space, key))
        if known is None and kind == STAKE and (STONE, key) in self.done:
            return "REFUNDED_BEFORE", None
        if known is not None and known["content"] != content:
            return "DUPLICATE_CHANGED", None
        if known is not None:
            return ("again", known["after"]) if known["player"] else ("SESSION_UNKNOWN", None)
        row = {"content": content, "player": None, "moved": 0, "undone": False, "round": None}
        player = asked.get("player") or self.owners.get(asked.get("session"))
        refused = getattr(self, kind)(row, player, asked)
        if refused is not None:
            return refused, None
        player = row["player"]
        if player is not None:
            self.funds[player] += row["moved"]
            row["after"] = self.funds[player]
        self.done[space, key] = row
        return ("moved", row["after"]) if player else ("SESSION_UNKNOWN", None)

    def bet(self, row, player, asked):
        """A stake needs a session and the money, unless it is free."""
        if player is None:
            return "SESSION_UNKNOWN"
        stake = 0 if asked.get("free") else asked["amount"]
        if stake > self.funds[player] or (self.funds[player] < 0 and not asked.get("free")):
            return "FUNDS"
        row.update(player=player, moved=-stake, round=(player, asked["round"]))
        self.rounds.setdefault(row["round"], [0, 0])[0] += 1
        return None

    def win(self, row, player, asked):
        """A win is paid always, but held when every bet of its round was undone."""
        if player is None:
            return "SESSION_UNKNOWN"
        bets, undone = self.rounds.get((player, asked["round"]), (0, 0))
        held = bets and undone >= bets
        row.update(player=player, moved=0 if held or asked.get("free") else asked["amount"])
        return None

    def reward(self, row, player, asked):
        """A claim is paid once."""
        if player is None:
            return "SESSION_UNKNOWN"
        if (player, asked["claim"]) in self.claims:
            return "ALREADY_CLAIMED"
        self.claims.add((player, asked["claim"]))
        row.update(player=player, moved=asked["amount"])
        return None

    def refund(self, row, player, asked):
        """A bet is undone once, by what it moved; what is not there yet gets a tombstone."""
        target = self.done.get(("vendor", asked["target"]))
        target = target or self.done.get((STONE, asked["target"]))
        if target is None:
            self.done[STONE, asked["target"]] = {"content": (STONE, None), "player": player}
            if player is not None and asked.get("round") is not None:
                round_ = self.rounds.setdefault((player, asked["round"]), [0, 0])
                round_[:] = round_[0] + 1, round_[1] + 1
        elif player is not None and target["player"] not in (None, player):
            return "TARGET_FOREIGN"
        elif target["content"][0] == STAKE:
            player = target["player"]
            if not target["undone"]:
                row["moved"] = -target["moved"]
                self.rounds[target["round"]][1] += 1
                target["undone"] = True
        row["player"] = player or (target and target["player"])
        return None

    def deposit(self, row, player, asked):
        """Money comes in."""
        row.update(player=player, moved=asked["amount"])

    def withdrawal(self, row, player, asked):
        """Money goes out, if it is there."""
        if self.funds[player] < asked["amount"]:
            return "FUNDS"
        row.update(player=player, moved=-asked["amount"])
        return None
