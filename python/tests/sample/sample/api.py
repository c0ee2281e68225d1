"""Functions with every kind of parameter and default."""

from __future__ import annotations

import functools
import math
from types import MappingProxyType
from typing import Any, overload

from sample import settings as config
from sample.settings import EMPTY, RATE, SEED, Default, Key, Mode


def legacy(default: int) -> Any:
    def decorator(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if "random_state" in kwargs:
                kwargs["rng"] = int(kwargs.pop("random_state"))
            return function(*args, **kwargs)

        return wrapper

    return decorator


def swallows(names: tuple[str, ...]) -> Any:
    def decorator(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            for name in names:
                kwargs.pop(name, None)
            return function(*args, **kwargs)

        return wrapper

    return decorator


@overload
def public(adata: int) -> int: ...
@overload
def public(adata: str) -> str: ...
def public(
    adata,
    /,
    n=1,
    *args,
    key=Key.obsm.spatial,
    conn=Key.obsp.conn(),
    other=Key.obsp.conn("x"),
    **kwargs,
):
    return adata


@legacy(0)
@swallows(("gone",))
def seeded(adata, *, rng=None, mode=Mode.MORAN, text=Mode.GEARY.s, seed=SEED, rate=RATE):
    return adata


def plain(
    adata,
    a=-1,
    b=1.0,
    c=(1, "x"),
    d=[True, None],  # noqa: B006
    e=MappingProxyType({"k": (0,)}),
    f=math.inf,
    g=config.SEED,
    h=1e-8,
):
    return adata


def preset(adata, key_added=Default(("pca", "key_added")), scale=Default(("scale", "key_added"))):
    return adata


def opaque(adata, token=EMPTY, kind=int):
    return adata


def _private(adata):
    return adata
