"""An AnnData from the slots of a call, and what a call did to it."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import anndata
import numpy as np
import pandas as pd

from concord_worker.values import NoForm, Writer

_ALIGNED = ("layers", "obsm", "varm", "obsp", "varp")


def build(slots: Mapping[str, Any]) -> anndata.AnnData:
    """The AnnData of a tree of slots."""
    x, obs, var = slots.get("X"), slots.get("obs"), slots.get("var")
    if x is None and obs is None and var is None and not any(slots.get(n) for n in _ALIGNED):
        adata = anndata.AnnData(uns=dict(slots.get("uns") or {}))
        return adata
    aligned: dict[str, Any] = {name: dict(slots.get(name) or {}) for name in _ALIGNED}
    with warnings.catch_warnings():
        # About labels that are no text, and the like: the input is what the case says it is.
        warnings.simplefilter("ignore")
        adata = anndata.AnnData(
            X=x,
            obs=_axis(obs),
            var=_axis(var),
            uns=dict(slots.get("uns") or {}),
            **aligned,
        )
        raw = slots.get("raw")
        if raw:
            adata.raw = anndata.AnnData(
                X=raw.get("X"),
                obs=pd.DataFrame(index=adata.obs_names),
                var=_axis(raw.get("var")),
                varm=dict(raw.get("varm") or {}),
            )
    return adata


def tree(adata: anndata.AnnData) -> dict[str, Any]:
    """The slots of an AnnData."""
    out: dict[str, Any] = {"obs": adata.obs, "var": adata.var, "uns": dict(adata.uns)}
    if adata.X is not None:
        out["X"] = adata.X
    # Since anndata 0.13 the layer None is X again.
    groups = {g: {n: v for n, v in getattr(adata, g).items() if n is not None} for g in _ALIGNED}
    out |= {name: group for name, group in groups.items() if group}
    raw: Any = adata.raw
    if raw is not None:
        out["raw"] = {"X": raw.X, "var": raw.var, "varm": dict(raw.varm)}
    return out


def fingerprints(adata: anndata.AnnData) -> dict[str, bytes]:
    """A digest of each slot, by path: of each column of a frame, and of each entry of `uns`."""
    return {path: fingerprint(value) for path, value in _leaves(tree(adata))}


def fingerprint(value: Any) -> bytes:
    """A digest of a value: dtypes, labels, order and bytes."""
    writer = Writer()
    try:
        text = json.dumps(writer.value(value))
    except NoForm:
        # A tag that squidpy keeps in `uns`, an open file: known by what it is, not by what it holds.
        text = f"{type(value)}"
    return hashlib.blake2b(text.encode() + writer.block, digest_size=16).digest()


def written(
    adata: anndata.AnnData, before: Mapping[str, bytes]
) -> tuple[dict[str, Any], list[str]]:
    """The slots that a call wrote, as a tree, and the paths of the input slots that it changed.

    An entry of `uns` that was there and has another value now was written; results are kept there. Anything
    else that was there is input.
    """
    new: dict[str, Any] = {}
    changed = set(before)
    for path, value in _leaves(tree(adata)):
        same = before.get(path) == fingerprint(value)
        if path in before and (same or path.startswith("uns/")):
            changed.discard(path)
        if not same and (path not in before or path.startswith("uns/")):
            _put(new, path.split("/"), value)
    return new, sorted(changed)


def _leaves(slots: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in slots.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            # An empty group says nothing; what is in it does.
            yield from _leaves(value, f"{path}/")
        elif isinstance(value, pd.DataFrame) and path in ("obs", "var", "raw/var"):
            yield f"{path}/", value.index
            yield from ((f"{path}/{column}", value[column].array) for column in value.columns)
        else:
            yield path, value


def _put(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        tree = tree.setdefault(name, {})
    tree[path[-1]] = value


def _axis(frame: pd.DataFrame | None) -> pd.DataFrame | None:
    if frame is None:
        return None
    if frame.index.dtype == object and all(isinstance(label, str) for label in frame.index):
        frame.index = pd.Index(np.asarray(frame.index, dtype=object), name=frame.index.name)
    return frame
