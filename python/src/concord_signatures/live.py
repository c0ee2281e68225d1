"""Signatures of imported functions: what `inspect.signature` says, and where the source is."""

from __future__ import annotations

import ast
import enum
import importlib
import importlib.metadata
import inspect
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType
from typing import Any

from concord_signatures.dump import Dump, Function, Param, Unresolved, encode, unique
from concord_signatures.source import Reader
from concord_signatures.tree import Module, Package

_KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: "positional-only",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "positional-or-keyword",
    inspect.Parameter.VAR_POSITIONAL: "var-positional",
    inspect.Parameter.KEYWORD_ONLY: "keyword-only",
    inspect.Parameter.VAR_KEYWORD: "var-keyword",
}


def dump_modules(modules: Iterable[str], name: str | None = None) -> Dump:
    """The public functions of some importable modules of one package."""
    modules = list(modules)
    top = modules[0].split(".")[0]
    live = Live(top)
    functions = (f for module in modules for f in live.functions(module))
    return live.dump(name, unique(functions))


class Live:
    """Reads the functions of one imported package."""

    def __init__(self, top: str) -> None:
        self.top = top
        package = importlib.import_module(top)
        file = Path(inspect.getfile(package))
        self._is_package = file.name == "__init__.py"
        self._root = file.parent.parent if self._is_package else file.parent
        self._package = (
            Package.read(self._root, top)
            if self._is_package
            else Package({file.name: file.read_bytes()})
        )
        self._reader = Reader(self._package)

    def dump(self, name: str | None, functions: tuple[Function, ...]) -> Dump:
        """A dump of functions of this package."""
        distribution, version = distribution_of(self.top)
        digest = self._package.digest(self.top if self._is_package else f"{self.top}.py")
        origin = f"{distribution}=={version}"
        return Dump(name or distribution, version, "inspect", origin, digest, functions)

    def functions(self, module_name: str) -> Iterable[Function]:
        """The public functions of a module that are defined in this package."""
        module = importlib.import_module(module_name)
        short = module_name.split(".", 1)[1] if "." in module_name else ""
        for public, value in sorted(vars(module).items()):
            if public.startswith("_") or not _is_function(value):
                continue
            if inspect.unwrap(value).__module__.split(".")[0] == self.top:
                yield self.function(f"{short}.{public}" if short else public, value)

    def function(self, name: str, function: Callable[..., Any]) -> Function:
        """A function: parameters from `inspect.signature`, the rest from its source."""
        found = self._source(function)
        facts = self._reader.function(name, *found) if found else None
        spelled = {param.name: param for param in facts.params} if facts else {}
        params = tuple(
            _param(parameter, spelled.get(parameter.name))
            for parameter in inspect.signature(function).parameters.values()
        )
        if facts is None:
            return Function(name, params)
        return Function(name, params, facts.file, facts.line, facts.decorators, facts.hidden)

    def _source(self, function: Callable[..., Any]) -> tuple[Module, ast.FunctionDef] | None:
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is None or not Path(code.co_filename).is_relative_to(self._root):
            return None
        file = Path(code.co_filename).relative_to(self._root).as_posix()
        module = self._package.by_file(file)
        for node in ast.walk(module.tree) if module else ():
            if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if module and code.co_firstlineno in (first, node.lineno):
                    return module, node
        return None


def distribution_of(top: str) -> tuple[str, str]:
    """The distribution of a top-level package and its version; `unknown` if there is none."""
    for distribution in importlib.metadata.packages_distributions().get(top, []):
        return distribution, importlib.metadata.version(distribution)
    return top, str(getattr(sys.modules.get(top), "__version__", "unknown"))


def _is_function(value: object) -> bool:
    # `functools.singledispatch` and the like yield functions; classes are not dispatched.
    return isinstance(inspect.unwrap(value), FunctionType) if callable(value) else False


def _param(parameter: inspect.Parameter, spelled: Param | None) -> Param:
    kind = _KINDS[parameter.kind]
    if parameter.default is inspect.Parameter.empty:
        return Param(parameter.name, kind)
    try:
        value = _resolved(parameter.default)
        default = {"value": encode(value)}
    except Unresolved:
        return Param(parameter.name, kind, {"repr": repr(parameter.default)})
    return Param(parameter.name, kind, default, spelled.spelled if spelled else None)


def _resolved(default: object) -> object:
    """The text of an enum member; what a sentinel with `resolve()` stands for; else the default."""
    if isinstance(default, enum.Enum):
        if isinstance(default.value, str):
            return str(default.value)
        raise Unresolved(repr(default))
    resolve = getattr(default, "resolve", None)
    if not isinstance(default, type) and callable(resolve):
        try:
            return resolve()
        except TypeError as error:
            raise Unresolved(repr(default)) from error
    return default
