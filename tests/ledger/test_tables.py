"""The rules' tables once more, on every backend: what memory decides, a store decides."""

import pytest

from kit import tables_given, tables_guard, tables_late, tables_order, tables_vendors
from kit.books import proven
from kit.table import command_of, run
from kit.world import terms_of
from seamline.wallet import Kind

TABLES = [
    table
    for kind in (tables_order, tables_guard, tables_vendors, tables_given, tables_late)
    for table in kind.TABLES
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.law)
def test_table_on_a_store(table, new_world):
    """Each line of a table holds on a store, and its books pass the audit."""
    world = new_world(terms_of(table.policy, table.limits))
    run(table, world)
    proven(world.store)


def test_tables_use_every_kind():
    """The tables hold commands of every kind."""
    kinds = {
        command_of(line.partition("->")[0]).kind
        for table in TABLES
        for line in table.lines.splitlines()
        if "->" in line
    }
    assert kinds == set(Kind) - {Kind.TOMBSTONE, Kind.CLAIM}
