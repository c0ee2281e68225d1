"""What shows that the backend itself did the work.

A backend that quietly calls the host agrees with it perfectly. So the public functions of the host are
poisoned in the worker: whoever calls one is stopped, and the call has no answer.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable
from types import FunctionType
from typing import Any


class HostCalled(BaseException):
    """The backend called a function of the host. No `except Exception` of a library catches this."""


def poison(function: Callable[..., Any]) -> bool:
    """Makes a function raise, under every name it was imported by; whether that worked."""
    innermost = inspect.unwrap(function)
    if not isinstance(innermost, FunctionType):
        return False
    # The code is exchanged and not the name: whoever holds the function holds a poisoned one. Its signature
    # stays, because a dispatcher routes by it.
    signature = inspect.signature(innermost)
    try:
        innermost.__code__ = _poisoned.__code__.replace(
            co_name=innermost.__name__, co_freevars=innermost.__code__.co_freevars
        )
    except ValueError:
        return False
    innermost.__signature__ = signature  # type: ignore[attr-defined]
    return True


def _poisoned(*args: Any, **kwargs: Any) -> Any:
    # Runs with the globals of the host's module.
    raise __import__("concord_worker.witness", fromlist=["HostCalled"]).HostCalled()


class Hosts:
    """The modules of hosts that a backend might fall back to."""

    def __init__(self, modules: Iterable[str], functions: Iterable[str]) -> None:
        self._functions = frozenset(functions)
        self._waiting = [module for module in modules if _is_installed(module)]
        self._failed = False

    def close(self) -> bool:
        """Poisons what is loaded by now; whether no call of the host can have gone unseen since the last time.

        A host that is not loaded is left alone, because importing it can take many seconds; if the
        backend loads it during a call, nothing shows what that call did.
        """
        found = [module for module in self._waiting if module in sys.modules]
        self._waiting = [module for module in self._waiting if module not in found]
        for module in found:
            for name, value in vars(importlib.import_module(module)).items():
                if name in self._functions and callable(value):
                    self._failed |= not poison(value)
        return not found and not self._failed


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module.split(".")[0]) is not None
    except (ImportError, ValueError):
        return False
