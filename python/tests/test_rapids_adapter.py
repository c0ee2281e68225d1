"""The adapter of rapids-singlecell on a module of the same shape: what needs a GPU is not imported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anndata")

from test_worker import Start, start  # noqa: F401

ADAPTER = Path(__file__).parent.parent / "adapters" / "rapids_singlecell.py"
FUNCTION = """
from rapids_singlecell._shared import answer

def {name}(adata, cluster_key=None, *, copy=False):
    return answer(adata)
"""


@pytest.fixture
def library(tmp_path: Path) -> None:
    package = tmp_path / "rapids_singlecell"
    gpu = package / "squidpy_gpu"
    gpu.mkdir(parents=True)
    for folder in (package, gpu):
        (folder / "__init__.py").write_text("import cuml_is_not_installed_here\n")
    (package / "_shared.py").write_text("def answer(adata): adata.uns['gpu'] = 1.5\n")
    modules = {"_autocorr": "spatial_autocorr", "_co_oc": "co_occurrence", "_ligrec": "ligrec"}
    for module, name in modules.items():
        (gpu / f"{module}.py").write_text(FUNCTION.format(name=name))
    info = tmp_path / "rapids_singlecell_cu13-0.18.1.dist-info"
    info.mkdir()
    name = "Metadata-Version: 2.1\nName: rapids_singlecell_cu13\nVersion: 0.18.1\n"
    (info / "METADATA").write_text(name)
    (info / "RECORD").write_text("rapids_singlecell/__init__.py,,\n")


def test_functions_are_found_without_what_the_package_imports(
    library: None,
    start: Start,  # noqa: F811
) -> None:
    worker = start("--adapter", str(ADAPTER), "--poison", "squidpy.gr")
    manifest: dict[str, Any] = worker.hello()
    assert (manifest["name"], manifest["version"]) == ("rapids-singlecell", "0.18.1")
    assert set(manifest["functions"]) == {"spatial_autocorr", "co_occurrence", "ligrec"}
    named = [p["name"] for p in manifest["functions"]["ligrec"]]
    assert named == ["adata", "cluster_key", "copy"]
    # There is no CuPy here, and the manifest must say so: a run on it is no evidence about a GPU.
    assert manifest["device"]["kind"] in ("absent", "cuda")
    reply = worker.call("co_occurrence")
    assert reply["data"]["uns"] == {"gpu": 1.5}
    assert reply["witness"] == {"Counted": {"calls": 1, "launches": None}}
