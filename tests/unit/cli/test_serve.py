"""What a worker takes of what the supervisor has bound."""

from kit.gateway import settings_in
from seamline.cli import serve, telemetry
from seamline.edge.server import listen


def test_a_worker_leaves_the_ports_of_the_others(tmp_path, monkeypatch):
    """Only the shared port and its own stay open: the others' callers must not wait for it."""
    ran, labels = [], []
    monkeypatch.setattr(serve, "_run", lambda *given: ran.append(given) or 0)
    monkeypatch.setattr(telemetry, "label", lambda **fields: labels.append(fields))
    bound = [listen("127.0.0.1", 0) for _ in range(4)]
    settings = settings_in(tmp_path)
    assert serve._work(settings, bound, 1, None) == 0
    assert ran == [(settings, [bound[0], bound[2]], serve.Worker(1, None))]
    assert [each.fileno() >= 0 for each in bound] == [True, False, True, False]
    assert labels == [{"worker": 1}]
    for each in bound:
        each.close()
