"""A settings file is either understood in full or refused in one line that helps."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from seamline.cli.settings import Settings, SettingsError, Store, load, sources
from seamline.dialects.dialect import Secret
from seamline.money import Currency

SECRET_TEXT = "hunter2-hunter2"


class Client(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An inner table that holds a secret."""

    name: str
    key: Secret


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options such as a dialect has them."""

    cid: str
    api_key: Secret
    old_keys: tuple[Secret, ...] = ()
    clients: Mapping[str, Client] = msgspec.field(default_factory=dict)
    hours: int = 4

    def __post_init__(self) -> None:
        """A check of the dialect's own."""
        if self.hours > 24:
            raise ValueError(f"hours: expected at most 24, got {self.hours}")


def speaking(currencies=None):
    """As much of a dialect as settings ask for."""
    return SimpleNamespace(options=Options, currencies=currencies)


KNOWN = {"acmegames": speaking(), "other": speaking()}

BRAND = """
[brands.acme]
currencies = ["USD", "BTC"]
"""
INTEGRATION = """
[integrations.games]
dialect = "acmegames"
brand = "acme"
[integrations.games.options]
cid = "c1"
api_key = "env:GAMES_KEY"
"""
ENVIRON = {"GAMES_KEY": SECRET_TEXT, "HOME": "/home/casino", "SEAMLINE_API_KEY": "not an override"}


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Load a text as `seamline.toml` of the working directory."""
    monkeypatch.chdir(tmp_path)

    def reader(text: str, **environ: str) -> Settings:
        Path("seamline.toml").write_text(text, encoding="utf-8")
        return load(Path("seamline.toml"), ENVIRON | environ, KNOWN)

    return reader


@pytest.fixture
def mistake(read):
    """The line that a text is refused with; it is one line and tells no secret."""

    def reader(text: str, **environ: str) -> str:
        with pytest.raises(SettingsError) as error:
            read(text, **environ)
        line = str(error.value)
        assert "\n" not in line
        assert SECRET_TEXT not in line
        assert error.value.__cause__ is None
        return line

    return reader


# What is understood.


def test_an_empty_file_gives_the_defaults(read):
    """Every section may be left out; the gateway then listens on this machine only."""
    settings = read("")
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 8600)
    assert settings.server.body_limit == 65536
    assert settings.store == Store(url="sqlite:///var/seamline.db")
    assert (settings.ledger.queue_limit, settings.ledger.batch_limit) == (10_000, 128)
    assert settings.api.keys == ()
    assert (settings.log.format, settings.log.level) == ("auto", "info")
    assert settings.brands == settings.integrations == {}
    assert settings.currencies["IQD"].digits == 3


def test_an_integration_has_the_options_of_its_dialect(read):
    """The raw options table becomes the dialect's own struct, with its secrets resolved."""
    integration = read(BRAND + INTEGRATION).integrations["games"]
    assert (integration.name, integration.brand, integration.dialect) == (
        "games",
        "acme",
        "acmegames",
    )
    assert integration.options == Options(cid="c1", api_key=Secret(SECRET_TEXT))


def test_a_brand_has_currencies_and_limits(read):
    """Limits have the shape of `wallet.Limits` and are amounts in the brand's currencies."""
    brand = read(
        BRAND
        + "[brands.acme.limits]\nsession_minutes = 60\n"
        + '[brands.acme.limits.currencies.BTC]\nmax_stake = "0.00000001"\n'
    ).brands["acme"]
    assert brand.currencies == ("USD", "BTC")
    assert brand.limits.session_minutes == 60
    assert brand.limits.currencies["BTC"].max_stake == "0.00000001"


def test_an_operator_has_currencies_of_their_own(read):
    """A new currency can be used by a brand; a standard one may be shown with other digits."""
    settings = read(
        '[brands.acme]\ncurrencies = ["GEM", "COP#"]\n[currencies.GEM]\ndigits = 0\nscale = 5\n'
        '[currencies."COP#"]\ndigits = 2\nscale = 5\n[currencies.JPY]\ndigits = 2\nscale = 5\n'
    )
    assert settings.currencies["GEM"] == Currency("GEM", 0, 5)
    assert settings.currencies["JPY"] == Currency("JPY", 2, 5)
    assert settings.currencies["USD"] == Currency("USD", 2, 5)


def test_a_secret_is_a_variable_a_file_or_the_text(read, tmp_path):
    """`env:` and `file:` are looked up, the file beside the settings; anything else is the text."""
    (tmp_path / "key.txt").write_text("from the file\n")
    (tmp_path / "abs.txt").write_text("line 1\nline 2\r\n")
    keys = f'["env:GAMES_KEY", "file:key.txt", "file:{tmp_path}/abs.txt", "plain:text"]'
    assert [key.reveal() for key in read(f"[api]\nkeys = {keys}").api.keys] == [
        SECRET_TEXT,
        "from the file",
        "line 1\nline 2",
        "plain:text",
    ]


def test_a_secret_does_not_show_in_the_settings(read):
    """Printing the settings prints no secret."""
    assert SECRET_TEXT not in repr(read(BRAND + INTEGRATION))


def test_the_environment_wins_over_the_file(read):
    """A variable sets one value of a fixed section, with the value's own type."""
    settings = read(
        "[server]\nport = 1\n",
        SEAMLINE_SERVER__PORT="8601",
        SEAMLINE_SERVER__BODY_TIMEOUT_S="2.5",
        SEAMLINE_STORE__URL="sqlite:///x.db",
        SEAMLINE_LOG__LEVEL="debug",
    )
    assert (settings.server.port, settings.server.body_timeout_s) == (8601, 2.5)
    assert settings.store.url == "sqlite:///x.db"
    assert settings.log.level == "debug"


def test_the_environment_repairs_a_value_of_the_file(read):
    """What the environment replaces need not be right in the file."""
    assert read('[server]\nport = "x"\n', SEAMLINE_SERVER__PORT="8601").server.port == 8601


def test_every_value_has_a_source(tmp_path):
    """Each value is told with its key, without secrets, and with where it came from."""
    path = tmp_path / "seamline.toml"
    path.write_text(
        BRAND
        + INTEGRATION
        + '[server]\nhost = "0.0.0.0"\n[api]\nkeys = ["abc"]\n[currencies.GEM]\ndigits=0\nscale=5'
    )
    environ = ENVIRON | {"SEAMLINE_SERVER__PORT": "8601"}
    found = {origin.key: (origin.value, origin.source) for origin in sources(path, environ, KNOWN)}
    assert found["server.host"] == ('"0.0.0.0"', "file")
    assert found["server.port"] == ("8601", "environment variable SEAMLINE_SERVER__PORT")
    assert found["server.body_limit"] == ("65536", "default")
    assert found["api.keys"] == ("[(secret)]", "file")
    assert found["brands.acme.currencies"] == ('["USD", "BTC"]', "file")
    assert found["brands.acme.limits.session_minutes"] == ("none", "default")
    assert found["integrations.games.dialect"] == ('"acmegames"', "file")
    assert found["integrations.games.options.api_key"] == ("(secret)", "file")
    assert found["integrations.games.options.hours"] == ("4", "default")
    assert found["currencies.GEM.scale"] == ("5", "file")
    assert not [key for key in found if key.endswith((".name", ".code"))]


def test_the_dialects_of_the_installation_are_the_default(tmp_path):
    """Without stand-ins, every folder below `seamline.dialects` can be named."""
    path = tmp_path / "seamline.toml"
    path.write_text(BRAND + INTEGRATION)
    with pytest.raises(SettingsError, match=r'dialect: expected .+, got "acmegames"'):
        load(path, ENVIRON)


# What is refused, and in which words.

MISTAKES = {
    "a section that does not exist": (
        "[sever]\nport = 1",
        "sever: no such section; expected one of server, store, ledger, api, exchanges, log, "
        "brands, integrations, currencies",
    ),
    "a section that is a value": ("server = 8600", "server: expected a table, got 8600"),
    "a brand that is a value": (
        '[brands]\nacme = "USD"',
        'brands.acme: expected a table, got "USD"',
    ),
    "a key that does not exist": (
        '[log]\nlevl = "info"',
        "log.levl: no such setting; expected one of format, level",
    ),
    "a text for a number": (
        '[server]\nport = "8600"',
        'server.port: expected a whole number, got "8600"',
    ),
    "a fraction for a whole number": (
        "[server]\nport = 86.5",
        "server.port: expected a whole number, got 86.5",
    ),
    "more than a vendor waits": (
        "[ledger]\ndeadline_s = 4",
        "ledger.deadline_s: expected a number <= 3.3, got 4",
    ),
    "a truth for a number": (
        "[ledger]\nbatch_limit = true",
        "ledger.batch_limit: expected a whole number, got true",
    ),
    "a number for a text": ("[server]\nhost = 1", "server.host: expected a text, got 1"),
    "a date for a text": (
        "[server]\nhost = 2026-01-01",
        "server.host: expected a text, got 2026-01-01",
    ),
    "a number below its range": (
        "[server]\nport = -1",
        "server.port: expected a whole number >= 0, got -1",
    ),
    "a number above its range": (
        "[server]\nport = 65536",
        "server.port: expected a whole number <= 65535, got 65536",
    ),
    "no time at all": (
        "[server]\nbody_timeout_s = 0",
        "server.body_timeout_s: expected a number > 0.0, got 0",
    ),
    "a value that is no choice": (
        '[log]\nformat = "xml"',
        'log.format: expected one of auto, json, text, got "xml"',
    ),
    "a store that does not exist": (
        '[store]\nurl = "mysql://admin:pa55@db/x"',
        "store.url: expected sqlite:///PATH or postgresql://..., got the kind mysql",
    ),
    "a store without a path": (
        '[store]\nurl = "sqlite:///"',
        "store.url: expected sqlite:///PATH or postgresql://..., got the kind sqlite",
    ),
    "a name that does not fit a URL": (
        '[brands."Acme Ltd"]\ncurrencies = ["USD"]',
        'brands."Acme Ltd": expected a name of 1 to 64 characters, first a-z 0-9, then also _ -',
    ),
    "a brand without currencies": (
        "[brands.acme]",
        "brands.acme.currencies: missing; expected a list",
    ),
    "a brand with no currency": (
        "[brands.acme]\ncurrencies = []",
        "brands.acme.currencies: expected a list of length >= 1, got a list",
    ),
    "a currency in a list that is no text": (
        '[brands.acme]\ncurrencies = ["USD", 978]',
        "brands.acme.currencies[1]: expected a text, got 978",
    ),
    "a currency that does not exist": (
        '[brands.acme]\ncurrencies = ["USD", "usd"]',
        "brands.acme.currencies[1]: expected a known currency, or one of your own under "
        '[currencies.usd], got "usd"',
    ),
    "a limit that does not exist": (
        BRAND + '[brands.acme.limits.currencies.BTC]\nloss = "1"',
        "brands.acme.limits.currencies.BTC.loss: no such setting; expected one of max_stake, "
        "loss_day, loss_week, loss_month",
    ),
    "a limit that is no text": (
        BRAND + "[brands.acme.limits]\ncurrencies.USD.max_stake = '1'\n"
        "currencies.BTC.max_stake = 1.5",
        "brands.acme.limits.currencies.BTC.max_stake: expected a text, got 1.5",
    ),
    "a limit that is no amount": (
        BRAND + '[brands.acme.limits.currencies.USD]\nmax_stake = "1e3"',
        "brands.acme.limits.currencies.USD.max_stake: expected an amount: '1e3' is not a plain "
        "decimal such as 12 or 0.90",
    ),
    "a limit that is too fine": (
        BRAND + '[brands.acme.limits.currencies.USD]\nloss_day = "0.123456"',
        "brands.acme.limits.currencies.USD.loss_day: expected an amount: 0.123456 has more than "
        "the 5 decimals of USD",
    ),
    "a limit in a foreign currency": (
        BRAND + '[brands.acme.limits.currencies.EUR]\nmax_stake = "1"',
        "brands.acme.limits.currencies.EUR: expected a currency of the brand: USD, BTC",
    ),
    "a currency code with a blank": (
        '[currencies."A B"]\ndigits = 2\nscale = 5',
        "currencies.A B: expected a code of 1 to 16 visible ASCII characters",
    ),
    "a currency without a scale": (
        "[currencies.GEM]\ndigits = 2",
        "currencies.GEM.scale: missing; expected a whole number",
    ),
    "a currency with more digits than decimals": (
        "[currencies.GEM]\ndigits = 6\nscale = 5",
        "currencies.GEM: expected 0 <= digits <= scale <= 18, got digits 6 and scale 5",
    ),
    "another scale for a standard currency": (
        "[currencies.USD]\ndigits = 2\nscale = 2",
        "currencies.USD.scale: expected 5, the scale of USD, got 2",
    ),
    "a dialect that does not exist": (
        BRAND + INTEGRATION.replace('"acmegames"', '"acmegame"'),
        'integrations.games.dialect: expected one of acmegames, other, got "acmegame"',
    ),
    "a brand that does not exist": (
        BRAND + INTEGRATION.replace('"acme"', '"acne"'),
        'integrations.games.brand: expected one of acme, got "acne"',
    ),
    "no brand at all": (
        INTEGRATION,
        'integrations.games.brand: expected one that is defined, and none is, got "acme"',
    ),
    "an integration without a dialect": (
        BRAND + '[integrations.games]\nbrand = "acme"',
        "integrations.games.dialect: missing; expected a text",
    ),
    "an option that is missing": (
        BRAND + INTEGRATION.replace('cid = "c1"', ""),
        "integrations.games.options.cid: missing; expected a text",
    ),
    "a secret that is missing": (
        BRAND + INTEGRATION.replace('api_key = "env:GAMES_KEY"', ""),
        "integrations.games.options.api_key: missing; expected a secret (env:NAME, file:PATH or "
        "the text itself)",
    ),
    "an option of the wrong type": (
        BRAND + INTEGRATION.replace('"c1"', "17"),
        "integrations.games.options.cid: expected a text, got 17",
    ),
    "an option that does not exist": (
        BRAND + INTEGRATION + f'api_kye = "{SECRET_TEXT}"',
        "integrations.games.options.api_kye: no such setting; expected one of cid, api_key, "
        "old_keys, clients, hours",
    ),
    "an option that the dialect refuses": (
        BRAND + INTEGRATION + "hours = 25",
        "integrations.games.options.hours: expected at most 24, got 25",
    ),
    "options that are a secret": (
        BRAND
        + f'[integrations.games]\ndialect = "other"\nbrand = "acme"\noptions = "{SECRET_TEXT}"',
        "integrations.games.options: expected a table, got a text",
    ),
    "one secret for a list of secrets": (
        BRAND + INTEGRATION + f'old_keys = "{SECRET_TEXT}"',
        "integrations.games.options.old_keys: expected a list, got a text",
    ),
    "a number for a secret": (
        "[api]\nkeys = [1234567890]",
        "api.keys[0]: expected a secret (env:NAME, file:PATH or the text itself), got a whole "
        "number",
    ),
    "a list for a secret": (
        f'[api]\nkeys = [["{SECRET_TEXT}"]]',
        "api.keys[0]: expected a secret (env:NAME, file:PATH or the text itself), got a list",
    ),
    "a secret for a table of secrets": (
        BRAND + INTEGRATION + f'clients.one = "{SECRET_TEXT}"',
        "integrations.games.options.clients.one: expected a table, got a text",
    ),
    "the second of two inner tables": (
        BRAND + INTEGRATION + 'clients.a = {name = "a", key = "k"}\nclients.b = {name = "b"}',
        "integrations.games.options.clients.b.key: missing; expected a secret (env:NAME, "
        "file:PATH or the text itself)",
    ),
    "an empty secret": (
        '[api]\nkeys = [""]',
        "api.keys[0]: expected a secret, got an empty text",
    ),
    "a variable that is not set": (
        '[api]\nkeys = ["abc", "env:NO_SUCH_KEY"]',
        "api.keys[1]: the environment variable NO_SUCH_KEY is not set",
    ),
    "a secret file that is not there": (
        '[api]\nkeys = ["file:no/such.key"]',
        "api.keys[0]: cannot read the file no/such.key: No such file or directory",
    ),
    "TOML with a mistake": (
        "[server]\nport 8600\n",
        "expected TOML: Expected '=' after a key in a key/value pair (at line 2, column 6)",
    ),
    "a table that stands twice": (
        "[server]\n[server]\n",
        "expected TOML: Cannot declare ('server',) twice (at line 2, column 8)",
    ),
}


@pytest.mark.parametrize(("text", "line"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_line(mistake, text, line):
    """The line names the file, the key, what stands there and what was expected."""
    assert mistake(text) == f"seamline.toml: {line}"


def test_a_long_value_is_cut(mistake):
    """A value is quoted up to 60 characters."""
    line = mistake(f'[log]\nlevel = "{"x" * 1000}"')
    assert line == (
        "seamline.toml: log.level: expected one of debug, info, warning, error, got "
        f'"{"x" * 60}..."'
    )


def test_a_value_with_line_breaks_stays_on_the_line(mistake):
    """A line break in a value does not break the line."""
    assert mistake('[log]\nlevel = "a\\nb"').endswith('got "a b"')


def test_a_file_that_is_not_there(tmp_path):
    """A missing file is named together with the system's reason."""
    path = tmp_path / "seamline.toml"
    with pytest.raises(SettingsError) as error:
        load(path, {}, KNOWN)
    assert str(error.value) == f"{path}: cannot be read: No such file or directory"


def test_a_file_that_is_not_text(tmp_path):
    """A file that is not UTF-8 is refused before TOML is."""
    path = tmp_path / "seamline.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError) as error:
        load(path, {}, KNOWN)
    assert str(error.value) == f"{path}: expected UTF-8 text"


def test_a_secret_file_that_is_not_text(mistake, tmp_path):
    """A secret is UTF-8 text; the message shows nothing of what it is instead."""
    (tmp_path / "key.bin").write_bytes(b"\xff\xfe")
    assert mistake('[api]\nkeys = ["file:key.bin"]') == (
        "seamline.toml: api.keys[0]: cannot read the file key.bin: not UTF-8 text"
    )


def test_a_variable_for_a_setting_that_does_not_exist(mistake):
    """A misspelt override is not silently ignored."""
    line = mistake("", SEAMLINE_SERVER__PROT="1")
    assert line.startswith(
        "environment: SEAMLINE_SERVER__PROT: no such setting; expected one of "
        "SEAMLINE_SERVER__HOST, SEAMLINE_SERVER__PORT, "
    )
    assert "SEAMLINE_API__KEYS" not in line


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("SEAMLINE_SERVER__PORT", "http", 'expected a whole number, got "http"'),
        ("SEAMLINE_SERVER__PORT", "70000", 'expected a whole number <= 65535, got "70000"'),
        ("SEAMLINE_LOG__LEVEL", "loud", 'expected one of debug, info, warning, error, got "loud"'),
        ("SEAMLINE_LEDGER__BATCH_LIMIT", "", 'expected a whole number, got ""'),
    ],
)
def test_a_variable_with_a_value_that_does_not_fit(mistake, variable, text, line):
    """A wrong override names the variable, since the file is not at fault."""
    assert mistake("", **{variable: text}) == f"environment: {variable}: {line}"


def test_a_currency_that_the_options_need_is_the_brands(tmp_path):
    """Options that need a currency that the brand lacks stop the start, and name both."""
    path = tmp_path / "seamline.toml"
    path.write_text(BRAND + INTEGRATION)
    known = {"acmegames": speaking(lambda _: ("CREDITS",))}
    wanted = "integrations.games.options: expected a currency of brand acme: USD, BTC; they need"
    with pytest.raises(SettingsError, match=f"{wanted} .*CREDITS"):
        load(path, {"GAMES_KEY": SECRET_TEXT}, known)
