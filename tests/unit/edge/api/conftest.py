"""What the tests of the operator API start from."""

import pytest

from unit.edge.api.operator_rig import Rig


@pytest.fixture
def rig(tmp_path):
    """The operator API on a new store."""
    made = Rig(tmp_path)
    yield made
    made.close()


@pytest.fixture
def funded(rig):
    """The same, with player p1, 100.00 USD and session s1."""
    rig.player()
    rig.session()
    return rig
