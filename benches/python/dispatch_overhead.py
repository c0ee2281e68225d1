"""What the same calls as in dispatch_overhead.rs cost through scverse-backends 0.0.3.

The decorated host function and the backend do nothing, so what is measured is binding, selection and routing, less the
bare call of the host function, which is measured beside it. Prints nanoseconds per call: median of 15 repeats.
"""

import importlib.metadata
import statistics
import sys
import timeit
import types
import warnings

OPTIONS = [
    "connectivity_key", "genes", "mode", "transformation", "n_perms", "two_tailed", "corr_method", "attr", "layer", "seed",
    "use_raw", "copy", "n_jobs", "show_progress_bar",
]  # fmt: skip


def make(signature: str) -> types.FunctionType:
    scope: dict = {}
    exec(f"def spatial_autocorr({signature}):\n    return None\n", scope)
    return scope["spatial_autocorr"]


host = make("adata, " + ", ".join(f"{o}=None" for o in OPTIONS))
host.__module__ = __name__
host.__doc__ = "Does nothing.\n\nParameters\n----------\nadata\n    Data.\n"
fast = types.ModuleType("fast")
fast.name = "fast"
fast.spatial_autocorr = make("adata, *, " + ", ".join(f"{o}=None" for o in OPTIONS[:12]) + ", use_sparse=True")
sys.modules["fast"] = fast

real = importlib.metadata.entry_points
entry = importlib.metadata.EntryPoint(name="fast", value="fast", group="host.backends")


def entry_points(**query):
    return [entry] if query.get("group") == "host.backends" else real(**query)


importlib.metadata.entry_points = entry_points
from scverse_backends import BackendDispatcher  # noqa: E402

dispatcher = BackendDispatcher(entrypoint_group="host.backends", host_name="host")
dispatched = dispatcher.backend_dispatch(host)
warnings.simplefilter("ignore")

for keywords in (0, 3, 6):
    arguments = {name: 3 for name in OPTIONS[:keywords]}
    dispatched(object(), backend="fast", **arguments)  # discovers, and warns once
    for name, call in {
        "backend": lambda: dispatched(None, backend="fast", **arguments),
        "host": lambda: dispatched(None, **arguments),
        "bare": lambda: host(None, **arguments),
    }.items():
        runs = timeit.repeat(call, number=5_000, repeat=15)
        print(f"python {name}, {keywords} keywords: {statistics.median(runs) / 5_000 * 1e9:.0f} ns")
