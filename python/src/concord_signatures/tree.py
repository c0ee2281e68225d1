"""Python packages as parsed text: which definition a name stands for, without importing."""

from __future__ import annotations

import ast
import hashlib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Module:
    """A parsed module of a package."""

    name: str
    file: str
    is_package: bool
    tree: ast.Module = field(repr=False)

    def bindings(self) -> dict[str, ast.stmt]:
        """The statement that binds each module-level name; the last one wins, as at run time."""
        return dict(_bound(self.tree.body))

    def absolute(self, statement: ast.ImportFrom) -> str:
        """The module that a (possibly relative) `from ... import` names."""
        if not statement.level:
            return statement.module or ""
        parts = self.name.split(".")
        up = statement.level - (1 if self.is_package else 0)
        base = parts[: len(parts) - up] if up else parts
        return ".".join([*base, *([statement.module] if statement.module else [])])


def _bound(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt]]:
    for statement in body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if _is_overload(statement):
                continue
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name, statement
            case ast.Assign(targets=targets):
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, statement
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                yield name, statement
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    yield alias.asname or alias.name.split(".")[0], statement
            # The branch that runs in a complete installation; `if TYPE_CHECKING` never runs.
            case ast.Try(body=inner):
                yield from _bound(inner)
            case _:
                continue


def _is_overload(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(dotted(decorator).endswith("overload") for decorator in function.decorator_list)


def dotted(expression: ast.expr) -> str:
    """The dotted name of an expression or of what it calls; `` if it has none."""
    match expression:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
        case ast.Call(func=func):
            return dotted(func)
        case _:
            return ""


class Package:
    """The `.py` files of top-level packages; paths start with the name of the package."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files
        self._modules: dict[str, Module] = {}

    @classmethod
    def read(cls, path: Path, top: str | None = None) -> Package:
        """Reads a wheel, or a folder that contains packages; only the package `top` if given."""
        if path.is_dir():
            base = path / top if top else path
            found = {str(file.relative_to(path).as_posix()): file for file in base.rglob("*.py")}
            return cls({name: file.read_bytes() for name, file in found.items()})
        with zipfile.ZipFile(path) as wheel:
            names = [name for name in wheel.namelist() if name.endswith(".py")]
            wanted = [name for name in names if not top or name.startswith(f"{top}/")]
            return cls({name: wheel.read(name) for name in wanted})

    def digest(self, top: str) -> str:
        """The SHA-256 of the list of files of the package `top`, each with its own SHA-256."""
        lines = (
            f"{hashlib.sha256(content).hexdigest()}  {name}\n"
            for name, content in sorted(self._files.items())
            if PurePosixPath(name).parts[0] == top
        )
        return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()

    def module(self, name: str) -> Module | None:
        """The module of a dotted name, or None if the package has none."""
        if name not in self._modules:
            stem = name.replace(".", "/")
            for file, is_package in ((f"{stem}/__init__.py", True), (f"{stem}.py", False)):
                if file in self._files:
                    tree = ast.parse(self._files[file], filename=file)
                    self._modules[name] = Module(name, file, is_package, tree)
                    break
        return self._modules.get(name)

    def by_file(self, file: str) -> Module | None:
        """The module of a file of the package."""
        name = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return self.module(name)

    def definition(self, module: Module, name: str) -> tuple[Module, ast.stmt] | Module | None:
        """What a module-level name stands for, through imports: a statement, or a module."""
        for _ in range(20):
            statement = module.bindings().get(name)
            if statement is None:
                return self.module(f"{module.name}.{name}")
            if not isinstance(statement, ast.ImportFrom):
                return module, statement
            alias = next(a for a in statement.names if (a.asname or a.name) == name)
            target = self.module(module.absolute(statement))
            if target is None:
                return None
            # A package that imports from itself means its own submodule.
            loops = target.name == module.name and alias.name == name
            if loops or alias.name not in target.bindings():
                return self.module(f"{target.name}.{alias.name}")
            module, name = target, alias.name
        return None
