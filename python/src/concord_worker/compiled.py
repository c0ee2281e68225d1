"""What numba compiled in one process, for the processes that are forked later.

To compile takes seconds, and each fork would do it again, because a process that has run compiled code in threads must
not fork. So a process tells its seed what numba compiled in its first call: the machine code, as numba's cache on disk
has it, taken when it was made and before it ran. The seed only loads it, which starts no thread.

numba's types are often classes that a library made at its import, which have no name to be found by. The processes are
forks of one, so that what was there before the fork is told by its address.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import hashlib
import importlib
import io
import os
import pickle
import signal
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# Length, and digest of what follows: the stream is open to whatever runs in the process.
_START = struct.Struct("<I16s")
_MOST = 64 << 20
# Seconds after which a trial has failed.
_TRIAL = 60
_COMPILING = "numba:compile"
# Of the parts of numba's `CompileResult._reduce()`: the types, and the functions that start what the code needs.
_SIGNATURE, _RELOAD = 3, 7


class Compiled:
    """The functions that numba may compile, as they were before the first fork."""

    def __init__(self) -> None:
        kinds = (_numba("core.dispatcher").Dispatcher, type)
        self._known: dict[int, Any] = {id(o): o for o in gc.get_objects() if isinstance(o, kinds)}
        self._starts: dict[str, Callable[[], None]] = {}
        self._told = -1
        self._listener: Any = None

    # In the seed.

    def learn(self, told: bytes) -> None:
        """Loads what a process has told, if that does no harm; that is tried in another process first."""
        if not self._harms(told):
            self._load(told)

    def _harms(self, told: bytes) -> bool:
        pid = os.fork()
        if pid == 0:
            code = 1
            signal.alarm(_TRIAL)
            try:
                threads = _threads()
                self._load(told)
                code = int(_threads() != threads)
            finally:
                os._exit(code)
        return os.waitpid(pid, 0)[1] != 0

    def _load(self, told: bytes) -> None:
        address, reduced = _Unpickler(io.BytesIO(told), self._known).load()
        dispatcher: Any = self._known[address]
        if tuple(reduced[_SIGNATURE].args) in dispatcher.overloads:
            return
        target = dispatcher.targetctx
        target.refresh()
        with _no_threads():
            found = _numba("core.compiler").CompileResult._rebuild(target, *reduced)
        target.insert_user_function(found.entry_point, found.fndesc, [found.library])
        dispatcher.add_overload(found)
        self._starts |= {f.__qualname__: f for f in reduced[_RELOAD]}

    # In a process that was forked.

    def begin(self, told: int) -> None:
        """Starts what the code that was loaded needs, and listens to what is compiled."""
        for start in self._starts.values():
            start()
        self._told = told
        self._listener = _listener(self._tell)
        _numba("core.event").register(_COMPILING, self._listener)

    def end(self) -> None:
        """The first call is over: what is compiled from now on might be what an earlier call broke."""
        if self._listener is None:
            return
        _numba("core.event").unregister(_COMPILING, self._listener)
        self._listener = None
        with contextlib.suppress(OSError):
            os.close(self._told)

    def _tell(self, dispatcher: Any, arguments: Any) -> None:
        # A function that was made after the fork is not there in the seed.
        if id(dispatcher) not in self._known:
            return
        found = dispatcher.overloads.get(tuple(arguments))
        if found is None or found.lifted or found.library.has_dynamic_globals:
            return
        described = found.fndesc
        # To reduce it empties both.
        kept = described.typemap, described.calltypes
        told = io.BytesIO()
        try:
            _pickler()(told, self._known).dump((id(dispatcher), found._reduce()))
        finally:
            described.typemap, described.calltypes = kept
        _write(self._told, told.getvalue())


class Heard:
    """What comes out of a process that tells, until it is whole or wrong."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, part: bytes) -> Iterator[bytes]:
        """The messages that are complete now; raises ValueError for what is none."""
        self._bytes += part
        while len(self._bytes) >= _START.size:
            length, digest = _START.unpack_from(self._bytes)
            if length > _MOST:
                raise ValueError(f"{length} bytes are announced")
            end = _START.size + length
            if len(self._bytes) < end:
                return
            message = bytes(self._bytes[_START.size : end])
            del self._bytes[:end]
            if _digest(message) != digest:
                raise ValueError("a message is not what was sent")
            yield message


def of_loaded() -> Compiled | None:
    """What is compiled where numba is loaded and has started nothing; otherwise nothing is told."""
    if "numba" not in sys.modules:
        return None
    try:
        return None if _numba("np.ufunc.parallel")._is_initialized else Compiled()
    except (ImportError, AttributeError):  # another numba than those known
        return None


def _numba(module: str) -> Any:
    """A module of numba, which is there if what is examined has loaded it."""
    return importlib.import_module(f"numba.{module}")


def _write(descriptor: int, message: bytes) -> None:
    # Nobody listens any more, or it is too long: then others compile again.
    with contextlib.suppress(OSError):
        rest = memoryview(_START.pack(len(message), _digest(message)) + message)
        while rest and len(message) <= _MOST:
            rest = rest[os.write(descriptor, rest) :]


def _digest(message: bytes) -> bytes:
    return hashlib.blake2b(message, digest_size=16).digest()


def _threads() -> int:
    return sum(1 for _ in Path("/proc/self/task").iterdir())


@contextlib.contextmanager
def _no_threads() -> Iterator[None]:
    """numba finds its threads, and does not start them: that is left to each fork."""
    nothing = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda _: None)
    layers = {}
    for name in ("tbbpool", "omppool", "workqueue"):
        with contextlib.suppress(ImportError):
            layer = _numba(f"np.ufunc.{name}")
            layers[layer] = layer.launch_threads
            layer.launch_threads = ctypes.cast(nothing, ctypes.c_void_p).value
    try:
        yield
    finally:
        for layer, launch in layers.items():
            layer.launch_threads = launch
        _numba("np.ufunc.parallel")._is_initialized = False


def _listener(tell: Callable[[Any, Any], None]) -> Any:
    class Listening(_numba("core.event").Listener):  # type: ignore[misc]
        def on_start(self, event: Any) -> None: ...

        def on_end(self, event: Any) -> None:
            # Whatever of numba's has no form: then others compile again.
            with contextlib.suppress(Exception):
                tell(event.data["dispatcher"], event.data["args"])

    return Listening()


def _pickler() -> type[Any]:
    class Pickler(_numba("core.serialize").NumbaPickler):  # type: ignore[misc]
        def __init__(self, file: io.BytesIO, known: dict[int, Any]) -> None:
            super().__init__(file, pickle.HIGHEST_PROTOCOL)
            self._known = known

        def persistent_id(self, value: Any) -> int | None:
            return id(value) if isinstance(value, type) and id(value) in self._known else None

    return Pickler


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, known: dict[int, Any]) -> None:
        super().__init__(file)
        self._known = known

    def persistent_load(self, address: int) -> Any:
        return self._known[address]
