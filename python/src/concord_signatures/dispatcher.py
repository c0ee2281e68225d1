"""An installed scverse-backends dispatcher: the host, and every backend that it discovers."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from concord_signatures.dump import Dump
from concord_signatures.live import Live


def dump_dispatcher(path: str) -> list[Dump]:
    """The dumps of the host and of each discovered backend of the dispatcher at `module:attribute`.

    A backend's dump holds the functions that the host dispatches and the backend has; functions
    are named as the dispatcher looks them up.
    """
    module, _, attribute = path.partition(":")
    if not attribute:
        raise ValueError(
            f"`{path}`: expected `module:attribute`, as in `mylib._backends:dispatcher`"
        )
    dispatcher = getattr(importlib.import_module(module), attribute)
    dispatcher.discover()
    # scverse-backends 0.0.3 has no public list of what is dispatched.
    wrapped = [function.__wrapped__ for function in dispatcher._dispatch_impl._dispatched_functions]
    if not wrapped:
        raise ValueError(f"`{path}` dispatches no function yet: import the host's modules first")
    host = Live(_top(wrapped[0]))
    functions = tuple(host.function(function.__name__, function) for function in wrapped)
    dumps = [host.dump(None, functions)]
    for name, backend in sorted(dispatcher._registry._backends.items()):
        dumps.append(_backend(name, backend, [function.__name__ for function in wrapped]))
    return dumps


def _backend(name: str, backend: Any, wanted: list[str]) -> Dump:
    found = {function: getattr(backend, function, None) for function in wanted}
    live = Live(_top(backend if inspect.ismodule(backend) else type(backend)))
    functions = (live.function(n, f) for n, f in found.items() if callable(f))
    return live.dump(name, tuple(functions))


def _top(thing: Any) -> str:
    name = thing.__name__ if inspect.ismodule(thing) else thing.__module__
    return str(name).split(".")[0]
