"""Finds the dialects: the folders here, and packages registered under `seamline.dialects`."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

import msgspec

from seamline.dialects.dialect import Dialect

AnyDialect = Dialect[msgspec.Struct]


@cache
def dialects() -> Mapping[str, AnyDialect]:
    """All dialects by name.

    Import errors of a dialect are not hidden: a broken table stops the start.
    """
    modules = [
        import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
        if module.ispkg
    ]
    modules += [entry.load() for entry in entry_points(group=__name__)]
    found = [cast(AnyDialect, module.DIALECT) for module in modules]
    return {dialect.name: dialect for dialect in sorted(found, key=lambda each: each.name)}


def package_of(dialect: AnyDialect) -> str:
    """The package that a dialect lives in, with its vectors and its README."""
    return dialect.options.__module__.rpartition(".")[0]
