"""Signatures from source: a wheel or a folder is parsed, nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

from concord_signatures.dump import Dump, Function, Param, Unresolved, encode, unique
from concord_signatures.evaluate import Evaluator
from concord_signatures.tree import Module, Package, dotted


def dump_source(
    path: Path, modules: Iterable[str], name: str | None = None, version: str | None = None
) -> Dump:
    """The public functions of some modules of a wheel or of a folder that contains packages.

    Name and version are taken from the file name of the wheel unless given.
    """
    modules = list(modules)
    wheel = re.fullmatch(r"(?P<name>[^-]+)-(?P<version>[^-]+)-.+\.whl", path.name)
    if wheel is None and (name is None or version is None):
        raise ValueError(f"{path} is no wheel: give a name and a version")
    top = modules[0].split(".")[0]
    package = Package.read(path)
    functions = (f for module in modules for f in _functions(package, module))
    return Dump(
        name=name or (wheel["name"].replace("_", "-") if wheel else ""),
        version=version or (wheel["version"] if wheel else ""),
        read="source",
        origin=path.name,
        digest=package.digest(top),
        functions=unique(functions),
    )


def _functions(package: Package, name: str) -> Iterable[Function]:
    module = package.module(name)
    if module is None:
        raise ValueError(f"there is no module `{name}`")
    for public in sorted(module.bindings()):
        if public.startswith("_"):
            continue
        match package.definition(module, public):
            case (home, ast.FunctionDef() as node):
                short = f"{name.split('.', 1)[-1]}.{public}" if "." in name else public
                yield Reader(package).function(short, home, node)
            case _:
                continue


class Reader:
    """Reads what the source says about functions of one package."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._evaluator = Evaluator(package)

    def function(self, name: str, module: Module, node: ast.FunctionDef) -> Function:
        """Everything the source says about a function."""
        return Function(
            name=name,
            params=tuple(self._params(node.args, module)),
            file=module.file,
            line=node.lineno,
            decorators=tuple(dotted(decorator) for decorator in node.decorator_list),
            hidden=self._hidden(module, node),
        )

    def _params(self, spec: ast.arguments, module: Module) -> Iterable[Param]:
        positional = [*spec.posonlyargs, *spec.args]
        required = len(positional) - len(spec.defaults)
        for i, arg in enumerate(positional):
            kind = "positional-only" if i < len(spec.posonlyargs) else "positional-or-keyword"
            default = spec.defaults[i - required] if i >= required else None
            yield self._param(arg.arg, kind, default, module)
        if spec.vararg:
            yield Param(spec.vararg.arg, "var-positional")
        for arg, keyword_default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            yield self._param(arg.arg, "keyword-only", keyword_default, module)
        if spec.kwarg:
            yield Param(spec.kwarg.arg, "var-keyword")

    def _param(self, name: str, kind: str, default: ast.expr | None, module: Module) -> Param:
        if default is None:
            return Param(name, kind)
        spelled = ast.unparse(default)
        try:
            value = self._evaluator.default(default, module)
            resolved = {"value": encode(value)}
        except Unresolved:
            return Param(name, kind, {"repr": spelled})
        return Param(name, kind, resolved, None if spelled == repr(value) else spelled)

    def _hidden(self, module: Module, node: ast.FunctionDef) -> dict[str, str]:
        """Names that decorators of the package accept in place of a parameter that is shown."""
        shown = {a.arg for a in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
        hidden: dict[str, str] = {}
        for decorator in node.decorator_list:
            match self._package.definition(module, dotted(decorator).split(".")[0]):
                case (_, ast.FunctionDef() as definition):
                    pairs = _replaced_keywords(definition)
                    hidden |= {a: b for a, b in pairs if b in shown and a not in shown}
                case _:
                    continue
        return hidden


def _replaced_keywords(decorator: ast.FunctionDef) -> Iterable[tuple[str, str]]:
    """Pairs (accepted, passed) of a decorator: `kwargs["passed"] = f(kwargs.pop("accepted"))`."""
    for statement in ast.walk(decorator):
        match statement:
            case ast.Assign(
                targets=[
                    ast.Subscript(value=ast.Name(id=keywords), slice=ast.Constant(value=str(new)))
                ],
                value=value,
            ):
                for call in ast.walk(value):
                    match call:
                        case ast.Call(
                            func=ast.Attribute(value=ast.Name(id=owner), attr="pop"),
                            args=[ast.Constant(value=str(old)), *_],
                        ) if owner == keywords:
                            yield old, new
                        case _:
                            continue
            case _:
                continue
