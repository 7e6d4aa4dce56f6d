"""What `deploy/` ships is read by the programs that it is for."""

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from kit.postgres import postgres, programs
from seamline.cli.settings import load

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
#: What a test machine does not have.
TOO_LARGE = {"shared_buffers": "32MB"}


def server_settings():
    """The settings of the server, by name."""
    lines = (DEPLOY / "postgresql.conf").read_text().splitlines()
    return dict(
        re.fullmatch(r"(\w+) = (.+)", line).groups() for line in lines if line[:1].isalpha()
    )


def patroni_settings():
    """The settings of a node."""
    return yaml.safe_load((DEPLOY / "patroni" / "patroni.yml").read_text())


def validated(tmp_path, settings):
    """What Patroni's own check says about settings, as far as they do not name other machines."""
    settings["postgresql"]["bin_dir"] = str(programs())
    file = tmp_path / "patroni.yml"
    file.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "patroni", "--validate-config", "--ignore-listen-port", file]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_patroni_finds_no_fault(tmp_path):
    """Patroni's own check accepts the node's settings."""
    done = validated(tmp_path, patroni_settings())
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "least"), [("ttl", 20), ("loop_wait", 1), ("retry_timeout", 3)])
def test_patroni_takes_no_shorter_times(tmp_path, name, least):
    """Patroni refuses times below those that are named as its smallest."""
    settings = patroni_settings()
    settings["bootstrap"]["dcs"][name] = least - 1
    done = validated(tmp_path, settings)
    assert done.returncode == 1
    assert f"dcs.{name}" in done.stdout + done.stderr


def test_a_node_leaves_no_commit_to_itself():
    """The shipped cluster answers no commit that one node alone holds."""
    dcs = patroni_settings()["bootstrap"]["dcs"]
    names = ("synchronous_mode", "synchronous_mode_strict", "synchronous_node_count")
    assert [dcs[name] for name in names] == ["quorum", True, 1]
    assert dcs["loop_wait"] + 2 * dcs["retry_timeout"] <= dcs["ttl"]


def test_one_server_and_a_cluster_have_the_same_settings():
    """Every setting of the single server is that of the cluster's servers."""
    cluster = patroni_settings()["bootstrap"]["dcs"]["postgresql"]["parameters"]
    assert server_settings().items() <= {name: str(held) for name, held in cluster.items()}.items()


def test_postgres_takes_every_setting():
    """PostgreSQL starts with the shipped settings, and they are in force."""
    shipped = {**server_settings(), **TOO_LARGE}
    with postgres(**shipped) as server, server.connect() as client:
        shown = {name: client.execute(f"SHOW {name}").fetchone()[0] for name in shipped}
    safe = ("fsync", "full_page_writes", "synchronous_commit")
    assert [shown[name] for name in safe] == ["on", "on", "on"]
    assert shown["wal_compression"] != "off"


def test_the_pooler_cancels_nothing():
    """PgBouncer shares connections by transaction, and has no time limit for a query."""
    shipped = configparser.ConfigParser(interpolation=None)
    shipped.read(DEPLOY / "pgbouncer" / "pgbouncer.ini")
    assert shipped["pgbouncer"]["pool_mode"] == "transaction"
    assert "query_timeout" not in shipped["pgbouncer"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_service_is_started_again_for_ever(unit):
    """Every service comes back, however often it ends, and does not run as root."""
    # A name may stand twice in a unit.
    read = configparser.ConfigParser(interpolation=None, strict=False)
    read.read(unit)
    assert (read["Service"]["Restart"], read["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
    assert read["Service"]["User"] not in ("", "root")
    assert read["Service"]["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_finds_no_fault(unit, tmp_path):
    """Where there is a systemd, it knows every name in a unit; elsewhere their form is checked."""
    text = re.sub(r"^(Exec\w+)=\S+", r"\1=/bin/true", unit.read_text(), flags=re.MULTILINE)
    assert all(re.fullmatch(r"(#.*|\[\w+\]|\w+=.*|)", line) for line in text.splitlines())
    if shutil.which("systemd-analyze"):
        copy = tmp_path / unit.name
        copy.write_text(text)
        command = ["systemd-analyze", "verify", "--man=no", copy]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_compose_file_names_what_is_there():
    """Every file, service, volume and network that the compose file names exists."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        assert set(service["networks"]) <= set(compose["networks"]), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            made = source == "./compose/userlist.txt"  # by whoever has the passwords
            assert made or source in compose["volumes"] or (DEPLOY / source).is_file(), source
        if build := service.get("build"):
            folder = DEPLOY / build["context"]
            assert (folder / build.get("dockerfile", "Dockerfile")).is_file(), name


def test_the_gateways_of_the_compose_file_can_start():
    """The gateways' settings are read with the secrets that the example names, and no others."""
    lines = (DEPLOY / "compose" / "secrets.example").read_text().splitlines()
    names = [line.rstrip("=") for line in lines if not line.startswith("#")]
    given = dict.fromkeys(names, "0123456789" * 4)
    elsewhere = {"SEAMLINE_STORE__URL": "sqlite:///elsewhere.db"}
    assert load(DEPLOY / "compose" / "seamline.toml", given | elsewhere).brands


def test_the_gateways_of_the_compose_file_find_the_leader():
    """Their URL names every node of the compose file, and takes the one that writes."""
    settings = tomllib.loads((DEPLOY / "compose" / "seamline.toml").read_text())
    url = conninfo_to_dict(settings["store"]["url"])
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    nodes = [services[f"node{n}"]["networks"]["inside"]["ipv4_address"] for n in (1, 2, 3)]
    assert (url["host"], url["target_session_attrs"]) == (",".join(nodes), "read-write")


def test_the_page_leads_to_every_file():
    """The page of `deploy/` links to files that exist, and says of each file what it is."""
    text = (DEPLOY / "README.md").read_text()
    links = set(re.findall(r"\]\(([^)#]+)\)", text))
    assert not [link for link in links if not (DEPLOY / link).exists()]
    files = {path.relative_to(DEPLOY).as_posix() for path in DEPLOY.rglob("*.*") if path.is_file()}
    unsaid = {file for file in files if file not in links and not file.startswith("compose/")}
    assert unsaid == {"README.md", "Dockerfile.dockerignore"}
