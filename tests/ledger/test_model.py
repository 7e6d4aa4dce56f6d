"""Any commands in any order: the books are right, and as a second, simple reckoning has them."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kit.books import balances, proven, seen
from kit.command import bet, deposit, refund, reward, win, withdrawal
from kit.model import Model
from kit.world import furnished, terms_of
from seamline.ledger.ledger import Ledger
from seamline.wallet import Applied, Policy, Rejected

POLICY = Policy(
    fingerprint=("kind", "session", "round", "target", "claim", "free"), second_claim="reject"
)
OWNERS = {"s1": "p1", "s2": "p2", "s3": "p1"}

CENTS = st.sampled_from([0, 1, 250, 1_000, 4_999, 10_000])
SESSIONS = st.sampled_from(["s1", "s2", "s3", "s9"])
ROUNDS = st.sampled_from(["r1", "r2", "r3"])
KEYS = st.integers(1, 12).map(lambda n: f"k{n}")
PLAYERS = st.sampled_from(["p1", "p2"])

PLAYS = st.fixed_dictionaries(
    {
        "session": SESSIONS,
        "round": ROUNDS,
        "amount": CENTS,
        "free": st.sampled_from([False, False, True]),
    }
)
#: A command as a kind, a key and what it asks, for the model and for the ledger alike.
COMMANDS = st.one_of(
    st.tuples(st.sampled_from(["bet", "bet", "win"]), KEYS, PLAYS),
    st.tuples(
        st.just("refund"), KEYS, st.fixed_dictionaries({"session": SESSIONS, "target": KEYS})
    ).filter(lambda each: each[1] != each[2]["target"]),
    st.tuples(
        st.just("reward"),
        KEYS,
        st.fixed_dictionaries(
            {"session": SESSIONS, "amount": CENTS, "claim": st.sampled_from(["c1", "c2"])}
        ),
    ),
    st.tuples(
        st.sampled_from(["deposit", "withdrawal"]),
        KEYS,
        st.fixed_dictionaries({"player": PLAYERS, "amount": CENTS}),
    ),
)
SAY = {"bet": bet, "win": win, "refund": refund, "reward": reward}


def command_of(kind, key, asked):
    """The command for the ledger."""
    fields = dict(asked)
    amount = fields.pop("amount", None)
    text = None if amount is None else f"{amount // 100}.{amount % 100:02}"
    if kind in ("deposit", "withdrawal"):
        return {"deposit": deposit, "withdrawal": withdrawal}[kind](key, text, fields["player"])
    if kind == "refund":
        return refund(key, fields["target"], session=fields["session"])
    if "round" in fields:
        fields["round_"] = fields.pop("round")
    return SAY[kind](key, text, **fields)


def said(outcome):
    """An outcome as the model says it: the answer, and the funds after it in cents."""
    if isinstance(outcome, Rejected):
        return outcome.why.name, None
    return ("moved" if isinstance(outcome, Applied) else "again"), outcome.balance.units // 1_000


def seated(world):
    """The world with two players, three sessions and 100.00 for both."""
    furnished(world)
    world.session("s3", "p1", game="g1")
    return world


class LedgerMachine(RuleBasedStateMachine):
    """Drives a door on a real store, one command or several at once, beside the model."""

    def __init__(self, brief_world):
        self.brief = brief_world(terms_of(POLICY))
        super().__init__()

    @initialize()
    def start(self):
        """Open a new ledger."""
        self.loop = asyncio.new_event_loop()
        self.world = seated(self.brief.__enter__())
        self.model = Model({"p1": 10_000, "p2": 10_000}, OWNERS)
        self.past, self.agreed, self.fresh = [], True, 0
        self.loop.run_until_complete(self.open())

    async def open(self):
        """Open the door. In one lane: the model takes commands in the order of the calls."""
        self.world.writer.lanes = 1
        self.ledger = Ledger(self.world.writer, self.world.terms, clock=lambda: self.world.now_ms)

    @rule(command=COMMANDS)
    def command(self, command):
        """A new command, or a known key with other content."""
        self.send([command])

    @rule(commands=st.lists(COMMANDS, min_size=2, max_size=8))
    def commands(self, commands):
        """Several at once, which may share a batch."""
        self.send(commands)

    @precondition(lambda self: self.past)
    @rule(choice=st.data())
    def again(self, choice):
        """Something that was sent before, once more and twice at once."""
        command = choice.draw(st.sampled_from(self.past))
        self.send([command, command])

    @precondition(lambda self: any(kind == "bet" for kind, _, _ in self.past))
    @rule(choice=st.data(), kinds=st.lists(st.sampled_from(["refund", "win"]), max_size=3))
    def end(self, choice, kinds):
        """A round that began goes on under new keys: refunds and wins, in any order."""
        bets = [each for each in self.past if each[0] == "bet"]
        _, key, asked = choice.draw(st.sampled_from(bets))
        end = []
        for kind in kinds:
            self.fresh += 1
            play = {"session": asked["session"], "round": asked["round"]}
            more = {"target": key} if kind == "refund" else {**play, "amount": 700, "free": False}
            end.append((kind, f"e{self.fresh}", {"session": asked["session"]} | more))
        self.send(end)

    @rule(seconds=st.integers(-5_000, 5_000))
    def clock(self, seconds):
        """The machine's clock jumps, too little for a session to end."""
        self.world.now_ms += seconds * 10

    @rule()
    def restart(self):
        """The gateway stops and starts again."""
        self.loop.run_until_complete(self.ledger.close())
        self.world.close()
        self.world.open()
        self.loop.run_until_complete(self.open())

    def send(self, commands):
        """Send to both, and compare the answers."""

        async def together():
            asked = (self.ledger.apply(command_of(*each)) for each in commands)
            return await asyncio.gather(*asked)

        self.agreed = False
        outcomes = self.loop.run_until_complete(together())
        for (kind, key, asked), outcome in zip(commands, outcomes, strict=True):
            assert said(outcome) == self.model.apply(kind, key, **asked), (kind, key, asked)
        self.agreed = True
        self.past += commands

    @invariant()
    def nobody_owes(self):
        """No player's balance is below zero: nothing here takes back what was spent."""
        if hasattr(self, "model"):
            assert min(self.model.funds.values()) >= 0

    def teardown(self):
        """The books are right, and every balance is the model's."""
        if not hasattr(self, "ledger"):
            return
        self.loop.run_until_complete(self.ledger.close())
        try:
            self.check()
        finally:
            self.brief.__exit__(None, None, None)
            self.loop.close()

    def check(self):
        """Compare the books, unless an answer was wrong already."""
        if self.agreed:
            told = {name: f"{cents / 100:.2f}" for name, cents in self.model.funds.items()}
            assert balances(self.world.store) == {(name, "USD"): told[name] for name in told}
            proven(self.world.store)


COMMON = {
    "deadline": None,
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


#: Examples of each property. A world on PostgreSQL takes ten times as long to make.
EXAMPLES = {"sqlite": 80, "postgres": 12}


def as_the_model_has_them(brief_world, examples, steps):
    """Whatever comes, each answer and each balance is the model's, and the audit is clean."""
    run_state_machine_as_test(
        lambda: LedgerMachine(brief_world),
        settings=settings(max_examples=examples, stateful_step_count=steps, **COMMON),
    )


def test_any_commands_leave_the_books_as_the_model_has_them(brief_world, backend):
    """Whatever comes, each answer and each balance is the model's, and the audit is clean."""
    as_the_model_has_them(brief_world, EXAMPLES[backend], 30)


@pytest.mark.slow
def test_many_more_commands_leave_the_books_as_the_model_has_them(brief_world, backend):
    """The same law, over many more and longer runs."""
    as_the_model_has_them(brief_world, 4 * EXAMPLES[backend], 60)


def books(brief_world, commands, sizes):
    """The books after the commands in batches of those sizes, and the answers."""
    with brief_world(terms_of(POLICY)) as world:
        seated(world)
        answers, rest = [], list(commands)
        for size in sizes:
            answers += world.apply(*(command_of(*each) for each in rest[:size]))
            rest = rest[size:]
            if not rest:
                break
        answers += world.apply(*(command_of(*each) for each in rest))
        proven(world.store)
        return seen(world, answers)


def batches_change_nothing(brief_world, examples):
    """One by one or in batches the books must be the same, row by row."""

    @settings(max_examples=examples, **COMMON)
    @given(MANY, SIZES)
    def holds(commands, sizes):
        alone = books(brief_world, commands, [1] * len(commands))
        assert alone == books(brief_world, commands, sizes)

    holds()


MANY = st.lists(COMMANDS, min_size=1, max_size=60)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def test_batches_change_nothing(brief_world, backend):
    """One by one or in batches, the same commands give the same answers and the same rows."""
    batches_change_nothing(brief_world, EXAMPLES[backend])


@pytest.mark.slow
def test_batches_change_nothing_in_many_more_runs(brief_world, backend):
    """The same law, over many more lists of commands."""
    batches_change_nothing(brief_world, 6 * EXAMPLES[backend])
