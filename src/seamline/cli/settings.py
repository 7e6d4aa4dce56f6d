"""Settings: one TOML file, read and checked before anything starts.

`load` gives typed `Settings`, or raises `SettingsError`: one line that names the file, the key, the
value found and the value expected. A secret's text is in no message. A variable such as
`SEAMLINE_SERVER__PORT=8601` in the environment wins over the file, for single values of the fixed
sections.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import msgspec

from seamline.cli.mistakes import SECRET, explained, fields, kind, shown
from seamline.cli.stores import place_of
from seamline.dialects import AnyDialect, dialects
from seamline.dialects.dialect import Secret
from seamline.money import Amount, Currencies, Currency
from seamline.wallet import NO_LIMITS, CurrencyLimits, Integration, Limits

ShapeT = TypeVar("ShapeT")
Table = dict[str, object]
Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]

_PREFIX = "SEAMLINE_"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CODE = re.compile(r"[!-~]{1,16}")


class SettingsError(Exception):
    """The settings cannot be used; the text is one line for the person who wrote them."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; a key that is not a field of it is a mistake."""


class Server(_Section, frozen=True):
    """`[server]`: where the gateway listens, and how much it takes from one caller."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8600
    #: The largest request body that is read, in bytes.
    body_limit: Annotated[int, msgspec.Meta(ge=1024)] = 65536
    max_connections: Positive = 1000
    #: How long a caller may take to send its headers, then its body.
    header_timeout_s: Seconds = 5.0
    body_timeout_s: Seconds = 5.0
    #: Proxies in front whose `X-Forwarded-For` is believed, as networks.
    trusted_proxies: tuple[str, ...] = ()
    #: How long a stopping gateway waits for requests that it has begun to answer.
    shutdown_timeout_s: Seconds = 10.0
    #: With a port, `/healthz`, `/readyz` and `/metrics` are served there and only there.
    ops_host: str = "127.0.0.1"
    ops_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    #: How many processes serve; each has its own ops port, from `ops_port` upwards.
    workers: Positive = 1


class Store(_Section, frozen=True):
    """`[store]`: the database."""

    url: str = "sqlite:///var/seamline.db"
    #: PostgreSQL only: off behind a pooler that cannot keep prepared statements, such as PgBouncer
    #: in transaction mode before 1.21.
    prepare: bool = True
    #: PostgreSQL only: batches that one process has under way at once, each of other players. More
    #: than one pays where the way to the server, or its commit, takes several milliseconds.
    lanes: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1


class Batching(_Section, frozen=True):
    """`[ledger]`: how many commands may wait, how many share a commit, and what is too late."""

    queue_limit: Positive = 10_000
    batch_limit: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 128
    #: After so many seconds without an outcome a vendor is told that there is none. Vendors give up
    #: after five: a bet that they were never told of must be known to be late, to be undone.
    deadline_s: Annotated[float, msgspec.Meta(gt=0, le=3.3)] = 3.0


class Api(_Section, frozen=True):
    """`[api]`: the bearer keys of the operator's own systems; several for rotation."""

    keys: tuple[Secret, ...] = ()


class Exchanges(_Section, frozen=True):
    """`[exchanges]`: where recorded requests are kept, how many, and for how long."""

    #: By default the file lies beside that of the ledger, or in `var` when the ledger is none.
    path: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    max_count: Annotated[int, msgspec.Meta(ge=0)] = 100_000
    max_age_hours: Positive = 72


class Log(_Section, frozen=True):
    """`[log]`: `auto` is text on a terminal and JSON elsewhere."""

    format: Literal["auto", "json", "text"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Brand(_Section, frozen=True):
    """`[brands.NAME]`: the currencies that its players may hold, and what stops their bets."""

    currencies: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    limits: Limits = NO_LIMITS


class _OwnCurrency(_Section, frozen=True):
    """`[currencies.CODE]`: a currency of the operator's own, as in `currencies.toml`."""

    digits: int
    scale: int


class _IntegrationTable(_Section, frozen=True):
    """`[integrations.NAME]`: `options` are read by the dialect's own struct."""

    dialect: str
    brand: str
    allow_from: tuple[str, ...] = ()
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator decides; `currencies` holds the standard ones too."""

    server: Server
    store: Store
    ledger: Batching
    api: Api
    exchanges: Exchanges
    log: Log
    brands: Mapping[str, Brand]
    integrations: Mapping[str, Integration[msgspec.Struct]]
    currencies: Currencies


class Origin(msgspec.Struct, frozen=True):
    """One value, as text without secrets, and where it came from."""

    key: str
    value: str
    source: str


_SECTIONS: Mapping[str, type[_Section]] = {
    "server": Server,
    "store": Store,
    "ledger": Batching,
    "api": Api,
    "exchanges": Exchanges,
    "log": Log,
}
_GROUPS = ("brands", "integrations", "currencies")
#: The settings that a variable can override: all but the keys, which a variable can hold anyway.
_SCALARS: Mapping[tuple[str, str], object] = {
    (section, field): kind_of
    for section, shape in _SECTIONS.items()
    for field, kind_of in fields(shape).items()
    if (section, field) != ("api", "keys")
}


class _File(msgspec.Struct, frozen=True):
    """The file being read, and the environment that its secrets may name."""

    path: Path
    environ: Mapping[str, str]

    def wrong(self, key: str, what: str) -> NoReturn:
        """Stop with the one line about this key."""
        raise SettingsError(" ".join(f"{self.path}: {key}: {what}".split()))

    def tree(self) -> Table:
        """The whole file as tables."""
        try:
            return tomllib.loads(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise SettingsError(f"{self.path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{self.path}: expected UTF-8 text") from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{self.path}: expected TOML: {error}") from None

    def table(self, tree: Table, key: str) -> Table:
        """The table of that name, empty when it is left out."""
        found = tree.get(key, {})
        if not isinstance(found, dict):
            self.wrong(key, f"expected a table, got {shown(found)}")
        return found

    def read(self, table: object, shape: type[ShapeT], key: str) -> ShapeT:
        """The table in its shape, or the line that says which key does not fit."""
        try:
            return msgspec.convert(table, shape, dec_hook=self.secret)
        except msgspec.ValidationError as error:
            self.wrong(*explained(str(error), table, shape, key=key, hook=self.secret))

    def secret(self, wanted: type, value: object) -> object:
        """Resolve `env:NAME` and `file:PATH`; a relative PATH starts at the settings file."""
        if wanted is not Secret:
            raise TypeError(f"{wanted.__name__} is no type of a setting")
        if not isinstance(value, str):
            raise TypeError(f"expected {SECRET}, got {kind(value)}")
        scheme, _, rest = value.partition(":")
        if scheme == "env":
            return Secret(self._variable(rest))
        return Secret(self._content(rest) if scheme == "file" else value)

    def _variable(self, name: str) -> str:
        if not self.environ.get(name):
            raise ValueError(f"the environment variable {name} is not set")
        return self.environ[name]

    def _content(self, name: str) -> str:
        try:
            return (self.path.parent / name).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8 text"
            raise ValueError(f"cannot read the file {name}: {reason}") from None


def load(
    path: Path, environ: Mapping[str, str], known: Mapping[str, AnyDialect] | None = None
) -> Settings:
    """Read the file, and what the environment overrides; *known* stands in for all dialects."""
    file = _File(path, environ)
    tree = _overridden(file)
    currencies = _currencies(file, file.table(tree, "currencies"))
    brands = _brands(file, file.table(tree, "brands"), currencies)
    return Settings(
        server=_server(file, file.table(tree, "server")),
        store=_store(file, file.table(tree, "store")),
        ledger=file.read(file.table(tree, "ledger"), Batching, "ledger"),
        api=file.read(file.table(tree, "api"), Api, "api"),
        exchanges=file.read(file.table(tree, "exchanges"), Exchanges, "exchanges"),
        log=file.read(file.table(tree, "log"), Log, "log"),
        brands=brands,
        integrations=_integrations(
            file, file.table(tree, "integrations"), brands, dialects() if known is None else known
        ),
        currencies=currencies,
    )


def _overridden(file: _File) -> Table:
    """The tables of the file, with the values that the environment has instead."""
    tree = file.tree()
    for name in tree:
        if name not in _SECTIONS and name not in _GROUPS:
            file.wrong(
                name, f"no such section; expected one of {', '.join((*_SECTIONS, *_GROUPS))}"
            )
    for (section, field), (_, value) in _overrides(file.environ).items():
        tree[section] = file.table(tree, section) | {field: value}
    return tree


def _overrides(environ: Mapping[str, str]) -> Mapping[tuple[str, str], tuple[str, object]]:
    """Section and field of each value in the environment, with its variable and the value."""
    found = {}
    for variable in sorted(environ):
        section, separator, field = variable.removeprefix(_PREFIX).lower().partition("__")
        if variable.startswith(_PREFIX) and separator:
            value = _override(variable, environ[variable], _SCALARS.get((section, field)))
            found[section, field] = (variable, value)
    return found


def _override(variable: str, text: str, shape: object) -> object:
    """The text of a variable as the value of the setting that it names."""
    if shape is None:
        names = ", ".join(f"{_PREFIX}{section}__{field}".upper() for section, field in _SCALARS)
        raise SettingsError(f"environment: {variable}: no such setting; expected one of {names}")
    try:
        return msgspec.convert(text, shape, strict=False)
    except msgspec.ValidationError as error:
        at, what = explained(str(error), text, shape, key=variable, hook=_no_secrets)
        raise SettingsError(f"environment: {at}: {what}") from None


def _no_secrets(wanted: type, _: object) -> NoReturn:
    """The hook for values from variables: none of them is a secret."""
    raise TypeError(f"{wanted.__name__} is no type of a setting")


def _server(file: _File, table: Table) -> Server:
    """The server's section, with proxies that are networks."""
    server = file.read(table, Server, "server")
    _networks(file, "server.trusted_proxies", server.trusted_proxies)
    return server


def _store(file: _File, table: Table) -> Store:
    """The database; no part of a wrong URL is shown, for it may be of a password."""
    store = file.read(table, Store, "store")
    try:
        place_of(store.url)
    except ValueError as error:
        file.wrong("store.url", str(error))
    return store


def _currencies(file: _File, tables: Table) -> Currencies:
    """The standard currencies and the operator's own; the scale of a standard one stays."""
    standard = Currencies.standard()
    own = {}
    for code, table in tables.items():
        key = f"currencies.{code}"
        if not _CODE.fullmatch(code):
            file.wrong(key, "expected a code of 1 to 16 visible ASCII characters")
        row = file.read(table, _OwnCurrency, key)
        if code in standard and row.scale != standard[code].scale:
            kept = standard[code].scale
            file.wrong(f"{key}.scale", f"expected {kept}, the scale of {code}, got {row.scale}")
        own[code] = _currency(file, key, row, code)
    return Currencies.standard(own)


def _currency(file: _File, key: str, row: _OwnCurrency, code: str) -> Currency:
    try:
        return Currency(code, row.digits, row.scale)
    except ValueError as error:
        file.wrong(key, str(error).removeprefix(f"currency {code}: "))


def _brands(file: _File, tables: Table, currencies: Currencies) -> Mapping[str, Brand]:
    """The brands, with currencies that exist and limits that are amounts in them."""
    brands = {}
    for name, table in tables.items():
        key = _named(file, "brands", name)
        brand = brands[name] = file.read(table, Brand, key)
        for index, code in enumerate(brand.currencies):
            if code not in currencies:
                known = f"a known currency, or one of your own under [currencies.{code}]"
                file.wrong(f"{key}.currencies[{index}]", f"expected {known}, got {shown(code)}")
        for code, limits in brand.limits.currencies.items():
            at = f"{key}.limits.currencies.{code}"
            if code not in brand.currencies:
                file.wrong(at, f"expected a currency of the brand: {', '.join(brand.currencies)}")
            _amounts(file, at, limits, currencies[code])
    return brands


def _amounts(file: _File, key: str, limits: CurrencyLimits, currency: Currency) -> None:
    """Stop when a limit is no amount in its currency."""
    for field in limits.__struct_fields__:
        text = getattr(limits, field)
        try:
            _ = text is not None and Amount.parse(text, currency)
        except ValueError as error:
            file.wrong(f"{key}.{field}", f"expected an amount: {error}")


def _integrations(
    file: _File, tables: Table, brands: Mapping[str, Brand], known: Mapping[str, AnyDialect]
) -> Mapping[str, Integration[msgspec.Struct]]:
    """The integrations, each with the options of its dialect."""
    integrations = {}
    for name, table in tables.items():
        key = _named(file, "integrations", name)
        row = file.read(table, _IntegrationTable, key)
        _one_of(file, f"{key}.dialect", row.dialect, known)
        _one_of(file, f"{key}.brand", row.brand, brands)
        options = file.read(row.options, known[row.dialect].options, f"{key}.options")
        _networks(file, f"{key}.allow_from", row.allow_from)
        dialect, brand = known[row.dialect], brands[row.brand]
        for code in dialect.currencies(options) if dialect.currencies is not None else ():
            if code not in brand.currencies:
                wanted = f"a currency of brand {row.brand}: {', '.join(brand.currencies)}"
                file.wrong(f"{key}.options", f"expected {wanted}; they need {shown(code)}")
        integrations[name] = Integration(
            name=name,
            brand=row.brand,
            dialect=row.dialect,
            options=options,
            allow_from=row.allow_from,
        )
    return integrations


def _networks(file: _File, key: str, texts: Sequence[str]) -> None:
    """Stop when one of the texts is no network."""
    for index, text in enumerate(texts):
        try:
            ip_network(text)
        except ValueError:
            wanted = "an address or network such as 203.0.113.0/24"
            file.wrong(f"{key}[{index}]", f"expected {wanted}, got {shown(text)}")


def _named(file: _File, group: str, name: str) -> str:
    """The key of a named table, whose name is fit for URLs and the store."""
    if not _NAME.fullmatch(name):
        file.wrong(
            f"{group}.{shown(name)}",
            "expected a name of 1 to 64 characters, first a-z 0-9, then also _ -",
        )
    return f"{group}.{name}"


def _one_of(file: _File, key: str, name: str, known: Mapping[str, object]) -> None:
    """Stop when the name is not among the known ones."""
    if name not in known:
        choice = f"one of {', '.join(known)}" if known else "one that is defined, and none is"
        file.wrong(key, f"expected {choice}, got {shown(name)}")


def sources(
    path: Path, environ: Mapping[str, str], known: Mapping[str, AnyDialect] | None = None
) -> tuple[Origin, ...]:
    """Every value of valid settings, and whether the file, a variable or a default gave it."""
    settings = load(path, environ, known)
    file = _File(path, environ)
    given = file.tree()
    variables = {
        ".".join(setting): f"environment variable {variable}"
        for setting, (variable, _) in _overrides(environ).items()
    }
    tables = {name: getattr(settings, name) for name in (*_SECTIONS, "brands")}
    tables["integrations"] = {
        name: {
            "dialect": each.dialect,
            "brand": each.brand,
            "allow_from": each.allow_from,
            "options": each.options,
        }
        for name, each in settings.integrations.items()
    }
    own = [settings.currencies[code] for code in file.table(given, "currencies")]
    # Without a password.
    tables["store"] = msgspec.structs.replace(
        settings.store, url=place_of(settings.store.url).shown
    )
    tables["currencies"] = {row.code: {"digits": row.digits, "scale": row.scale} for row in own}
    return tuple(
        Origin(key, value, variables.get(key, source))
        for key, value, source in _leaves("", tables, given)
    )


def _leaves(key: str, value: object, given: object) -> Iterator[tuple[str, str, str]]:
    """Each single value or list below the key, with "file" or "default"."""
    if isinstance(value, msgspec.Struct):
        value = {
            field.encode_name: getattr(value, field.name) for field in msgspec.structs.fields(value)
        }
    if not isinstance(value, Mapping):
        yield key, _plain(value), "default" if given is None else "file"
        return
    table = given if isinstance(given, dict) else {}
    for name, inner in value.items():
        yield from _leaves(f"{key}.{name}".lstrip("."), inner, table.get(name))


def _plain(value: object) -> str:
    """The value on one line, a secret only by its presence."""
    if isinstance(value, Secret):
        return "(secret)"
    if isinstance(value, tuple | list | frozenset):
        return "[" + ", ".join(map(_plain, value)) + "]"
    return "none" if value is None else shown(value)
