"""Writes harness/signatures/proofs.json: what does `None` mean where a backend has a value?

No signature says it. Here the host does: it is called with the parameter left out and with the
backend's default, and what it writes is compared bit by bit. A backend's own `None` (`qc_vars`,
`neighbors_key`) can only be asked on the backend, and `resolution` of louvain only with the package
louvain, which has no wheels; they stay unsettled.

Needs squidpy==1.8.3, scanpy==1.12.4, leidenalg and pynndescent<0.6 (scanpy 1.12.4 cannot take what
newer ones return); run as `python host_defaults.py PATH`.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scanpy as sc
import scipy.sparse as sp
import squidpy as sq
from anndata import AnnData


def cells() -> AnnData:
    """120 cells of three kinds on a plane, 40 genes of counts, all graphs built."""
    rng = np.random.default_rng(0)
    kind = np.arange(120) % 3
    counts = rng.poisson(1 + 2 * (np.arange(40) % 3 == kind[:, None])).astype(np.float32)
    data = AnnData(sp.csr_matrix(counts), obs={"kind": pd.Categorical([f"k{k}" for k in kind])})
    data.obs_names = [f"c{i}" for i in range(120)]
    data.obsm["spatial"] = rng.random((120, 2)) * 100
    data.obsm["X_pca"] = counts[:, :10] - counts[:, :10].mean(axis=0)
    sc.pp.neighbors(data, use_rep="X_pca")
    sq.gr.spatial_neighbors(data)
    return data


CELLS = cells()
Call = Callable[..., Any]
NICHE = {"groups": "kind", "resolutions": [1.0]}
CELLCHARTER = {"flavor": "cellcharter", "distance": 1, "use_rep": "X_pca", "random_state": 0}
# Library, function, parameter, the backend's default, the call.
PROBES: list[tuple[str, str, str, Any, Call]] = [
    ("squidpy", "gr.interaction_matrix", "connectivity_key", "spatial_connectivities",
     lambda d, **k: sq.gr.interaction_matrix(d, "kind", **k)),
    ("squidpy", "gr.nhood_enrichment", "connectivity_key", "spatial_connectivities",
     lambda d, **k: sq.gr.nhood_enrichment(
         d, "kind", seed=0, n_perms=20, show_progress_bar=False, **k)),
    ("squidpy", "gr.calculate_niche", "n_neighbors", 15,
     lambda d, **k: sq.gr.calculate_niche(d, "neighborhood", **NICHE, **k)),
    ("squidpy", "gr.calculate_niche", "aggregation", "mean",
     lambda d, **k: sq.gr.calculate_niche(d, **CELLCHARTER, **k)),
    ("squidpy", "gr.calculate_niche", "n_components", 10,
     lambda d, **k: sq.gr.calculate_niche(d, **CELLCHARTER, **k)),
    ("scanpy", "pp.neighbors", "metric", "euclidean",
     lambda d, **k: sc.pp.neighbors(d, use_rep="X_pca", **k)),
    ("scanpy", "pp.scrublet", "use_approx_neighbors", True,
     lambda d, **k: sc.pp.scrublet(d, n_prin_comps=10, verbose=False, **k)),
    ("scanpy", "tl.rank_genes_groups", "method", "t-test",
     lambda d, **k: sc.tl.rank_genes_groups(d, "kind", **k)),
]  # fmt: skip


def outcome(call: Call, **arguments: Any) -> Any:
    """What the host wrote, or the class and message of its error."""
    data = CELLS.copy()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(data, **arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:160]
    slots = {
        name: getattr(data, name) for name in ("X", "obs", "var", "obsm", "varm", "obsp", "uns")
    }
    return {name: plain(value) for name, value in slots.items()}


def plain(value: Any) -> Any:
    """A form that compares bit by bit; without `params`, which record how a function was called."""
    match value:
        case pd.DataFrame() | pd.Series():
            return value.to_json(double_precision=15)
        case np.ndarray():
            exact = value.tolist() if value.dtype.kind in "OV" else value.tobytes()
            return value.shape, str(value.dtype), exact
        case _ if sp.issparse(value):
            return plain(value.tocoo().toarray())
        case _ if hasattr(value, "items"):
            return {key: plain(item) for key, item in value.items() if key != "params"}
        case _:
            return repr(value)


def probe(library: str, function: str, parameter: str, value: Any, call: Call) -> dict[str, Any]:
    """One line of the file."""
    omitted, again, passed = outcome(call), outcome(call), outcome(call, **{parameter: value})
    if str(omitted) != str(again):
        raise SystemExit(
            f"{function} does not repeat itself; the probe of {parameter} says nothing"
        )
    if isinstance(passed, str):
        raise SystemExit(f"{function} fails with {parameter}={value!r}: {passed}")
    same = str(omitted) == str(passed)
    found = {
        "host": f"{library}@{version(library)}",
        "function": function,
        "parameter": parameter,
        "value": value,
        "same": same,
    }
    if isinstance(omitted, str):
        found["omitted"] = omitted
    return found


if __name__ == "__main__":
    rows = [json.dumps(probe(*row)) for row in PROBES]
    Path(sys.argv[1]).write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")
    print("\n".join(rows))
