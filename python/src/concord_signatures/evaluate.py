"""The value of a default from source alone: constants, enum members, key objects, presets.

A small interpreter of expressions and of functions without loops. It refuses (Unresolved) whatever
it does not know for certain; nothing of the package is executed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from concord_signatures.dump import Unresolved
from concord_signatures.tree import Module, Package, dotted

_DEPTH = 60
_FLOATS = {
    "np.inf": "inf",
    "numpy.inf": "inf",
    "math.inf": "inf",
    "np.nan": "nan",
    "math.nan": "nan",
}
_PLAIN: dict[str, Callable[..., Any]] = {
    "str": str, "int": int, "float": float, "bool": bool, "tuple": tuple, "list": list,
    "dict": dict,
    "MappingProxyType": dict, "types.MappingProxyType": dict,
}  # fmt: skip
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Not: operator.not_,
}  # fmt: skip


@dataclass(frozen=True)
class _Class:
    """A class of the package."""

    module: Module
    node: ast.ClassDef

    def members(self) -> dict[str, ast.stmt]:
        found: dict[str, ast.stmt] = {}
        for statement in self.node.body:
            match statement:
                case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                    found[name] = statement
                case (
                    ast.Assign(targets=[ast.Name(id=name)])
                    | ast.AnnAssign(target=ast.Name(id=name))
                ):
                    found[name] = statement
                case _:
                    continue
        return found

    def fields(self) -> list[tuple[str, ast.expr | None]]:
        """The fields of a data class or named tuple, with their defaults."""
        return [
            (name, statement.value)
            for name, statement in self.members().items()
            if isinstance(statement, ast.AnnAssign)
        ]


@dataclass(frozen=True)
class _Object:
    """An instance of a class of the package, or a member of an enumeration."""

    cls: _Class
    values: dict[str, Any] = field(compare=False)
    member: str | None = None


@dataclass(frozen=True)
class _Method:
    """A function of the package, perhaps bound to its first argument."""

    module: Module
    node: ast.FunctionDef
    bound: tuple[Any, ...] = ()


class Evaluator:
    """Evaluates expressions of the modules of one package."""

    def __init__(self, package: Package) -> None:
        self._package = package

    def default(self, expression: ast.expr, module: Module) -> Any:
        """The plain value of a default; a sentinel that can `resolve()` itself is resolved."""
        value = self._value(expression, module, {}, 0)
        if isinstance(value, _Object) and value.member is None and "resolve" in value.cls.members():
            value = self._call(self._attribute(value, "resolve", 0), [], {}, 0)
        if isinstance(value, _Object) and value.member is not None:
            value = value.values.get("value")
            if not isinstance(value, str):
                raise Unresolved(ast.unparse(expression))
        if isinstance(value, (_Object, _Class, _Method, Module)):
            raise Unresolved(ast.unparse(expression))
        return value

    def _value(self, node: ast.expr, module: Module, local: Mapping[str, Any], depth: int) -> Any:
        if depth > _DEPTH:
            raise Unresolved("too deep")

        def value(inner: ast.expr) -> Any:
            return self._value(inner, module, local, depth + 1)

        match node:
            case ast.Constant(value=constant):
                return constant
            case ast.Tuple(elts=items):
                return tuple(value(item) for item in items)
            case ast.List(elts=items):
                return [value(item) for item in items]
            case ast.Dict(keys=keys, values=values) if None not in keys:
                pairs = zip(keys, values, strict=True)
                return {_key(value(k)): value(v) for k, v in pairs if k is not None}
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                return _UNARY[type(op)](_plain(value(operand)))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](_plain(value(left)), _plain(value(right)))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return value(body if value(test) else orelse)
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return _compare(op, value(left), value(right))
            case ast.JoinedStr(values=parts):
                return "".join(self._part(part, value) for part in parts)
            case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
                return str(_plain(value(inner)))
            case ast.Subscript(value=container, slice=key):
                return _lookup(value(container), value(key))
            case ast.Name(id=name):
                return local[name] if name in local else self._name(name, module, depth)
            case ast.Attribute() if dotted(node) in _FLOATS:
                return float(_FLOATS[dotted(node)])
            case ast.Attribute(value=inner, attr=name):
                return self._attribute(value(inner), name, depth)
            case ast.Call():
                return self._expression_call(node, module, value, depth)
            case _:
                raise Unresolved(ast.unparse(node))

    @staticmethod
    def _part(part: ast.expr, value: Callable[[ast.expr], Any]) -> str:
        text = value(part)
        if not isinstance(text, str):
            raise Unresolved(ast.unparse(part))
        return text

    def _expression_call(
        self, node: ast.Call, module: Module, value: Callable[[ast.expr], Any], depth: int
    ) -> Any:
        if any(isinstance(arg, ast.Starred) for arg in node.args):
            raise Unresolved(ast.unparse(node))
        args = [value(arg) for arg in node.args]
        named = {k.arg: value(k.value) for k in node.keywords if k.arg is not None}
        if len(named) != len(node.keywords):
            raise Unresolved(ast.unparse(node))
        name = dotted(node.func)
        if name == "getattr" and len(args) == 2 and isinstance(args[1], str):
            return self._attribute(args[0], args[1], depth)
        if name in _PLAIN and not named:
            return _PLAIN[name](*(_plain(arg) for arg in args))
        return self._call(value(node.func), args, named, depth)

    def _name(self, name: str, module: Module, depth: int) -> Any:
        match self._package.definition(module, name):
            case Module() as found:
                return found
            case (home, ast.ClassDef() as node):
                return _Class(home, node)
            case (home, ast.FunctionDef() as node):
                return _Method(home, node)
            case (home, (ast.Assign() | ast.AnnAssign()) as statement) if (
                statement.value is not None
            ):
                return self._value(statement.value, home, {}, depth + 1)
            case _:
                raise Unresolved(name)

    def _attribute(self, owner: Any, name: str, depth: int) -> Any:
        match owner:
            case Module():
                return self._name(name, owner, depth)
            case _Object() if name in owner.values:
                return owner.values[name]
            case _Object(cls=cls) | (_Class() as cls):
                return self._member(owner, cls, name, depth)
            case _:
                raise Unresolved(name)

    def _member(self, owner: _Object | _Class, cls: _Class, name: str, depth: int) -> Any:
        home, statement = self._inherited(cls, name, depth)
        match statement:
            case ast.ClassDef():
                return _Class(home.module, statement)
            case ast.FunctionDef(decorator_list=decorators):
                names = {dotted(decorator) for decorator in decorators}
                if "staticmethod" in names:
                    return _Method(home.module, statement)
                method = _Method(home.module, statement, (owner,))
                # `property` and its likes (they go by many names) yield what they return.
                return method if not names - {"classmethod"} else self._call(method, [], {}, depth)
            case ast.Assign() | ast.AnnAssign() if statement.value is not None:
                value = self._value(statement.value, home.module, {}, depth + 1)
                if self._is_enum(cls, depth):
                    return _Object(cls, {"name": name, "value": value}, member=name)
                return value
            case _:
                raise Unresolved(name)

    def _inherited(self, cls: _Class, name: str, depth: int) -> tuple[_Class, ast.stmt]:
        found = cls.members().get(name)
        if found is not None:
            return cls, found
        for base in self._bases(cls, depth):
            try:
                return self._inherited(base, name, depth + 1)
            except Unresolved:
                continue
        raise Unresolved(name)

    def _bases(self, cls: _Class, depth: int) -> list[_Class]:
        bases = []
        for expression in cls.node.bases:
            try:
                base = self._value(expression, cls.module, {}, depth + 1)
            except Unresolved:
                continue
            if isinstance(base, _Class):
                bases.append(base)
        return bases

    def _is_enum(self, cls: _Class, depth: int) -> bool:
        direct = any(dotted(base).split(".")[-1].endswith("Enum") for base in cls.node.bases)
        return direct or any(self._is_enum(base, depth + 1) for base in self._bases(cls, depth))

    def _call(self, target: Any, args: list[Any], named: dict[str, Any], depth: int) -> Any:
        if depth > _DEPTH:
            raise Unresolved("too deep")
        match target:
            case _Class() if self._is_enum(target, depth):
                raise Unresolved(target.node.name)
            case _Class():
                return self._construct(target, args, named, depth)
            case _Method():
                local = self._arguments(target, [*target.bound, *args], named, depth)
                return self._run(target.node.body, target.module, local, depth + 1)
            case _:
                raise Unresolved("call")

    def _construct(
        self, cls: _Class, args: list[Any], named: dict[str, Any], depth: int
    ) -> _Object:
        fields = cls.fields()
        if "__init__" in cls.members() or len(args) > len(fields):
            raise Unresolved(cls.node.name)
        values = {name: arg for (name, _), arg in zip(fields, args, strict=False)} | named
        for name, default in fields:
            if name not in values and default is not None:
                values[name] = self._value(default, cls.module, {}, depth + 1)
        return _Object(cls, values)

    def _arguments(
        self, target: _Method, args: list[Any], named: dict[str, Any], depth: int
    ) -> dict[str, Any]:
        spec = target.node.args
        positional = [*spec.posonlyargs, *spec.args]
        if spec.vararg or spec.kwarg or len(args) > len(positional):
            raise Unresolved(target.node.name)
        local = {arg.arg: value for arg, value in zip(positional, args, strict=False)} | named
        optional = zip(reversed(positional), reversed(spec.defaults), strict=False)
        keyword = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        for arg, default in [*optional, *keyword]:
            if arg.arg not in local and default is not None:
                local[arg.arg] = self._value(default, target.module, {}, depth + 1)
        return local

    def _run(self, body: list[ast.stmt], module: Module, local: dict[str, Any], depth: int) -> Any:
        for statement in body:
            match statement:
                case ast.Expr(value=ast.Constant()) | ast.Pass():
                    continue
                case ast.Return(value=expression):
                    return (
                        None
                        if expression is None
                        else self._value(expression, module, local, depth)
                    )
                case ast.If(test=test, body=then, orelse=orelse):
                    branch = then if self._value(test, module, local, depth) else orelse
                    if any(isinstance(inner, ast.Return) for inner in branch) or _raises(branch):
                        return self._run(branch, module, local, depth)
                    if branch:
                        raise Unresolved(ast.unparse(statement))
                case ast.Assign(targets=[target], value=expression):
                    _assign(target, self._value(expression, module, local, depth), local)
                case _:
                    raise Unresolved(ast.unparse(statement))
        return None


def _raises(body: list[ast.stmt]) -> bool:
    return any(isinstance(statement, ast.Raise) for statement in body)


def _assign(target: ast.expr, value: Any, local: dict[str, Any]) -> None:
    match target:
        case ast.Name(id=name):
            local[name] = value
        case ast.Tuple(elts=targets) if isinstance(value, tuple) and len(targets) == len(value):
            for inner, item in zip(targets, value, strict=True):
                _assign(inner, item, local)
        case _:
            raise Unresolved(ast.unparse(target))


def _plain(value: Any) -> Any:
    if isinstance(value, (_Object, _Class, _Method, Module)):
        raise Unresolved("no plain value")
    return value


def _key(value: Any) -> Any:
    """Members of enumerations are looked up by identity: class and name."""
    if isinstance(value, _Object) and value.member is not None:
        return (value.cls.node.name, value.member)
    return _plain(value)


def _lookup(container: Any, key: Any) -> Any:
    try:
        return _plain(container)[_key(key)]
    except (KeyError, IndexError, TypeError) as error:
        raise Unresolved("subscript") from error


def _compare(op: ast.cmpop, left: Any, right: Any) -> bool:
    same = _key(left) == _key(right) if not (left is None or right is None) else left is right
    match op:
        case ast.Is() | ast.Eq():
            return same
        case ast.IsNot() | ast.NotEq():
            return not same
        case _:
            raise Unresolved("comparison")
