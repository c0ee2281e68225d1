"""rapids-singlecell's versions of squidpy's functions, with what of RAPIDS is installed.

Bypassed: `rapids_singlecell/__init__.py` and `rapids_singlecell/squidpy_gpu/__init__.py`. They import cuml and cugraph for
other functions, and 0.18.1 offers squidpy no entry point. The functions themselves, their kernels and all that they
import are the installed ones, unchanged.
"""

import importlib
import importlib.metadata
import importlib.util
import sys
import types

from concord_worker.subject import cuda as device

NAME, PACKAGE = "rapids-singlecell", "rapids_singlecell"
VERSION = next(
    (
        importlib.metadata.version(name)
        for name in importlib.metadata.packages_distributions().get("rapids_singlecell", [])
    ),
    "unknown",
)
__all__ = ["co_occurrence", "ligrec", "spatial_autocorr"]


def _hollow(name: str) -> None:
    """A package whose modules can be imported, without what its `__init__` does."""
    folders = importlib.util.find_spec(name).submodule_search_locations
    package = types.ModuleType(name)
    package.__path__ = list(folders)
    sys.modules[name] = package


_hollow("rapids_singlecell")
_hollow("rapids_singlecell.squidpy_gpu")
spatial_autocorr = importlib.import_module("rapids_singlecell.squidpy_gpu._autocorr").spatial_autocorr
co_occurrence = importlib.import_module("rapids_singlecell.squidpy_gpu._co_oc").co_occurrence
ligrec = importlib.import_module("rapids_singlecell.squidpy_gpu._ligrec").ligrec
