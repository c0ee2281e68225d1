"""`cuda-backend/rapids.py` on modules of the shape of CuPy and rapids-singlecell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

anndata = pytest.importorskip("anndata")
pd = pytest.importorskip("pandas")

RAPIDS = Path(__file__).parents[2] / "cuda-backend" / "rapids.py"
CUPY = """
class ndarray: "What AnnData looks for."

class _Event:
    def record(self): pass
    def synchronize(self): pass

class cuda:
    Event = _Event
    get_elapsed_time = staticmethod(lambda start, end: 1.5)
"""
# What else AnnData looks for where there is a CuPy.
SPARSE = "class csc_matrix: pass\nclass csr_matrix: pass\nclass spmatrix: pass\n"
# Answers are multiplied, to be wrong by as much.
LIBRARY = """
import os
import numpy as np
import pandas as pd

__version__ = "0.0"
_by = float(os.environ["BY"])

class get:
    anndata_to_GPU = staticmethod(lambda data: None)

class gr:
    @staticmethod
    def spatial_autocorr(adata, *, mode="moran", n_perms=None, copy=False):
        assert mode == "moran" and copy and n_perms == 400
        scores = np.asarray(adata.X).mean(axis=0) * _by
        table = pd.DataFrame({"I": scores, "pval_sim": 0.5 * _by}, index=adata.var_names)
        return table.sort_values("I")

    @staticmethod
    def co_occurrence(adata, cluster_key, *, interval=50, copy=False):
        assert list(interval) == [0.0, 1.0, 2.0] and cluster_key == "cluster"
        return np.ones((2, 2, 2)) * _by, interval

    @staticmethod
    def ligrec(adata, cluster_key, *, interactions=None, n_perms=1000, copy=False):
        rows = pd.MultiIndex.from_frame(interactions)
        interactions["source"] = "spoilt"
        columns = pd.MultiIndex.from_tuples([("a", "b"), ("a", "a")])
        means = pd.DataFrame([[2.0, 1.0]] * len(rows), rows, columns) * _by
        sparse = pd.SparseDtype(float, np.nan)
        return {"means": means, "pvalues": (means * np.nan).astype(sparse), "metadata": rows}
"""


def written(folder: Path) -> None:
    """What `gpu-check --write` leaves, for answers that the library above gives."""
    x = np.array([[1.0, 3.0], [3.0, 5.0]], np.float32)
    var = pd.DataFrame(index=["g0", "g1"])
    obs = pd.DataFrame({"cluster": pd.Categorical(["a", "b"])}, index=["c0", "c1"])
    anndata.AnnData(x, obs, var).write_h5ad(folder / "0.h5ad")

    def table(
        file: str, name: str, values: Any, rows: Any = None, columns: Any = None
    ) -> dict[str, Any]:
        array = np.asarray(values, "<f8")
        array.tofile(folder / file)
        shape = list(array.shape)
        return {"name": name, "file": file, "shape": shape, "rows": rows, "columns": columns}

    pairs, clusters = [["G0", "G1"], ["G1", "G1"]], [["a", "a"], ["a", "b"]]
    cases = [
        {
            "name": "permuted",
            "function": "spatial_autocorr",
            "params": {"mode": "moran", "n_perms": 400, "copy": True, "seed": 5},
            # From large to small, and the library's from small to large.
            "answers": [
                table(
                    "a.f64",
                    "result",
                    [[4.0, 0.5], [2.0, 0.5]],
                    [["g1"], ["g0"]],
                    [["I"], ["pval_sim"]],
                )
            ],
        },
        {
            "name": "co_occurrence",
            "function": "co_occurrence",
            "params": {"cluster_key": "cluster", "interval": [0.0, 1.0, 2.0], "copy": True},
            "answers": [
                table("b.f64", "0", np.ones((2, 2, 2))),
                table("c.f64", "1", [0.0, 1.0, 2.0]),
            ],
        },
        {
            "name": "ligrec",
            "function": "ligrec",
            "params": {
                "cluster_key": "cluster",
                "interactions": {"source": ["G0", "G1"], "target": ["G1", "G1"]},
                "n_perms": 1000,
                "copy": True,
            },
            "answers": [
                table("d.f64", "means", [[1.0, 2.0]] * 2, pairs, clusters),
                table("e.f64", "pvalues", np.full((2, 2), np.nan), pairs, clusters),
            ],
        },
    ]
    text = json.dumps([{"data": "0.h5ad", **case} for case in cases])
    (folder / "index.json").write_text(text)


def report(tmp_path: Path, by: float, library: bool = True) -> Any:
    data, modules = tmp_path / "data", tmp_path / "modules"
    data.mkdir()
    modules.mkdir()
    written(data)
    if library:
        (modules / "cupy.py").write_text(CUPY)
        (modules / "rapids_singlecell.py").write_text(LIBRARY)
        (modules / "cupyx" / "scipy").mkdir(parents=True)
        (modules / "cupyx" / "scipy" / "sparse.py").write_text(SPARSE)
    environment = {**os.environ, "PYTHONPATH": str(modules), "BY": str(by)}
    done = subprocess.run(
        [sys.executable, str(RAPIDS), str(data)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def agreements(found: Any) -> dict[str, bool]:
    """For each table of each case whether it agrees."""
    cases = (found["permuted"], found["co_occurrence"], found["ligrec"])
    return {name: table["agrees"] for case in cases for name, table in case["answers"].items()}


def test_equal_answers_agree_and_the_same_data_are_timed(tmp_path: Path) -> None:
    found = report(tmp_path, 1.0)
    assert agreements(found) == dict.fromkeys(["I", "pval_sim", "occ", "means", "pvalues"], True)
    assert found["permuted"]["ms"] == 1.5
    assert found["permuted"]["left out"] == ["seed"]
    assert found["permuted"]["answers"]["I"]["largest"] == 0.0


def test_answers_that_are_wrong_by_a_per_mille_differ(tmp_path: Path) -> None:
    found = agreements(report(tmp_path, 1.001))
    # Two samples of permutations may be as far apart; undefined is undefined.
    assert found == {"I": False, "pval_sim": True, "occ": False, "means": False, "pvalues": True}


def test_without_the_library_a_sentence_is_printed(tmp_path: Path) -> None:
    assert report(tmp_path, 1.0, library=False).startswith("not run: ModuleNotFoundError")
