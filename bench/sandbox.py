"""The gateway with every dialect's sandbox integration: `python bench/sandbox.py PORT FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

from bets import BRAND, CURRENCY
from seamline.cli.serve import run
from seamline.cli.settings import (
    Api,
    Batching,
    Brand,
    Exchanges,
    Log,
    Server,
    Settings,
    Store,
)
from seamline.dialects import dialects
from seamline.dialects.dialect import Secret
from seamline.dialects.examples import currency_of
from seamline.money import Currencies
from seamline.wallet import Integration

API_KEY = "bench-operator-key"


def settings_for(store: Path, port: int) -> Settings:
    """One integration per dialect, under the dialect's name, on that file."""
    currencies = {currency_of(dialect, CURRENCY) for dialect in dialects().values()} | {CURRENCY}
    return Settings(
        server=Server(port=port),
        store=Store(url=f"sqlite:///{store}"),
        ledger=Batching(),
        api=Api(keys=(Secret(API_KEY),)),
        exchanges=Exchanges(),
        log=Log(level="error"),
        brands={BRAND: Brand(currencies=tuple(sorted(currencies)))},
        integrations={
            name: Integration(name=name, brand=BRAND, dialect=name, options=dialect.sandbox())
            for name, dialect in dialects().items()
        },
        currencies=Currencies.standard(),
    )


if __name__ == "__main__":
    run(settings_for(Path(sys.argv[2]), int(sys.argv[1])))
