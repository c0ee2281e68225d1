"""The file that is written: plain data, one function a line, the same for the same source."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

FORMAT = 1


class Unresolved(Exception):
    """A default is no plain value, or cannot be known without running the library."""


@dataclass(frozen=True)
class Param:
    """One parameter; `default` is None if required, else `{"value": ...}` or `{"repr": ...}`."""

    name: str
    kind: str
    default: dict[str, Any] | None = None
    spelled: str | None = None
    """How the source spells the default, where that is not how its value is written."""

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"name": self.name, "kind": self.kind}
        if self.default is not None:
            out["default"] = self.default
        if self.spelled is not None:
            out["spelled"] = self.spelled
        return out


@dataclass(frozen=True)
class Function:
    """One function, where it is defined, and what its decorators do to its parameters."""

    name: str
    params: tuple[Param, ...]
    file: str | None = None
    line: int | None = None
    decorators: tuple[str, ...] = ()
    hidden: dict[str, str] = field(default_factory=dict)
    """Names accepted without being shown, each with the parameter it stands for."""

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"name": self.name}
        if self.file is not None:
            out |= {"file": self.file, "line": self.line}
        if self.decorators:
            out["decorators"] = list(self.decorators)
        if self.hidden:
            out["hidden"] = self.hidden
        out["signature"] = [param.to_json() for param in self.params]
        return out


@dataclass(frozen=True)
class Dump:
    """The functions of one version of one library."""

    name: str
    version: str
    read: str
    """`inspect` (imported) or `source` (parsed)."""
    origin: str
    """The distribution or file that was read."""
    digest: str
    functions: tuple[Function, ...]

    def to_text(self) -> str:
        """The JSON text: a line per function, in the order of their names."""
        head = {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "read": self.read,
            "origin": self.origin,
            "digest": self.digest,
        }
        lines = [f"{_text(key)}:{_text(value)}," for key, value in head.items()]
        functions = sorted(self.functions, key=lambda function: function.name)
        rows = ",\n".join(_text(function.to_json()) for function in functions)
        return "{" + "\n".join(lines) + '\n"functions":[\n' + rows + "\n]}\n"


def unique(functions: Iterable[Function]) -> tuple[Function, ...]:
    """The functions, the first of each name."""
    found: dict[str, Function] = {}
    for function in functions:
        found.setdefault(function.name, function)
    return tuple(found.values())


def encode(value: object) -> Any:
    """A plain value in the JSON form of `dispatch::Value`.

    Raises Unresolved for anything but None, bools, numbers, text, and lists, tuples and mappings
    of them.
    """
    match value:
        case None | bool():
            return value
        case int() if type(value) is int and -(2**63) <= value < 2**63:
            return value
        case float() if type(value) is float:
            return value if _finite(value) else {"t": "float", "value": _non_finite(value)}
        case str() if type(value) is str:
            return value
        case list():
            return [encode(item) for item in value]
        case tuple() if type(value) is tuple:
            return {"t": "tuple", "items": [encode(item) for item in value]}
        case dict() | MappingProxyType() if all(isinstance(key, str) for key in value):
            return {"t": "dict", "items": {key: encode(value[key]) for key in sorted(value)}}
        case _:
            raise Unresolved(repr(value))


def _finite(value: float) -> bool:
    return value - value == 0.0


def _non_finite(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
