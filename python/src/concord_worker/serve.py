"""The loop: a request in, a response out, until nobody asks any more."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from concord_worker.compiled import Compiled
from concord_worker.frames import NotAFrame, read_frame, write_frame
from concord_worker.slots import build, fingerprint, fingerprints, written
from concord_worker.subject import Subject
from concord_worker.values import NoForm, Reader, Writer
from concord_worker.witness import HostCalled, Hosts

PROTOCOL = 1
# Seconds that Concord gets to end a process itself before the process does.
_PATIENCE = 10
# After so many rehearsals a call finds what Python prepares for code that runs often, and forks share that.
REHEARSALS = 20
_LOST = ("cudaErrorIllegalAddress", "cudaErrorLaunchFailure", "cudaErrorECCUncorrectable")

Said = tuple[dict[str, Any], bytes | bytearray]


def claim_output() -> BinaryIO:
    """The stream of responses; from here on descriptor 1 is standard error, whoever prints."""
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stream


def serve(
    subject: Subject,
    output: BinaryIO,
    defaults: Mapping[str, Any],
    compiled: Compiled | None = None,
) -> None:
    """Answers requests; `defaults` are passed to functions that have them and are not given them.

    Raises NotAFrame for what is no request: there is no way back into step.
    """
    # The thread that crashed; another one waits for the end of the stream, at an address that is new each time.
    faulthandler.enable(sys.stderr, all_threads=False)
    threading.Thread(target=_watch, args=(sys.stdin.fileno(),), daemon=True).start()
    while (request := read_frame(sys.stdin.buffer)) is not None:
        header, block = request
        if header["say"] == "hello":
            if PROTOCOL not in header["protocols"]:
                raise NotAFrame(f"version {PROTOCOL} is spoken here, not {header['protocols']}")
            hello = {"say": "hello", "protocol": PROTOCOL, "manifest": subject.manifest}
            write_frame(output, hello)
            continue
        # Ends the process even where a library holds the interpreter and nobody is left to end it.
        faulthandler.dump_traceback_later(header["deadline_ms"] / 1000 + _PATIENCE, exit=True)
        answer, numbers = outcome(subject, header, block, defaults)
        faulthandler.cancel_dump_traceback_later()
        write_frame(output, {**answer, "id": header["id"]}, numbers)
        if compiled is not None:
            compiled.end()


def rehearse() -> None:
    """Answers a small call with a function that does nothing, so that what is built when first needed is there."""
    labels = {"t": "array", "dtype": "str", "shape": [2], "data": ["a", "b"]}
    number = {"t": "array", "dtype": "float32", "shape": [2, 2], "data": [1, 0, 0, 1]}
    group = {"t": "categorical", "categories": labels, "codes": [0, 1], "ordered": False}
    graph = {
        "t": "csr",
        "dtype": "float32",
        "shape": [2, 2],
        "indptr": [0, 1, 2],
        "indices": [0, 1],
        "data": [1, 1],
    }
    names = {**labels, "shape": [1], "data": ["c"]}
    obs = {"t": "dataframe", "index": labels, "column_index": names, "columns": [group]}
    none = {"t": "dataframe", "index": labels, "column_index": {**names, "shape": [0], "data": []}}
    slots = {"X": number, "obs": obs, "var": {**none, "columns": []}}
    aligned = {"t": "dict", "items": {"g": graph}}

    def nothing(adata: Any) -> None:
        adata.uns["result"] = adata.obs

    subject = Subject("", "", "", {"": nothing}, {"": []}, Hosts((), ()))
    header = {"function": "", "data": {**slots, "obsp": aligned}, "params": {}}
    outcome(subject, header, memoryview(b""), {})
    # scikit-learn looks at what every installed package offers when it first checks an array,
    # which takes half of a first call of squidpy; it keeps what it found.
    if (loaded := sys.modules.get("sklearn.utils.validation")) is not None:
        with contextlib.suppress(Exception):
            loaded.check_array([[0.0]])


def outcome(
    subject: Subject, header: dict[str, Any], block: memoryview, defaults: Mapping[str, Any]
) -> Said:
    """The reply to a call, or why there is none."""
    try:
        return _answer(subject, header, block, defaults)
    except HostCalled:
        return _fault("unsupported", "the backend handed the call to the host"), b""
    except NoForm as error:
        return _fault("failed", str(error)), b""
    except Exception as error:
        return _raised(error, []), b""
    except BaseException as error:
        return _fault("failed", f"{type(error).__name__}: {error}"), b""


def _answer(
    subject: Subject, header: dict[str, Any], block: memoryview, defaults: Mapping[str, Any]
) -> Said:
    start = time.perf_counter_ns()
    name, reader = header["function"], Reader(block)
    function = subject.functions.get(name)
    if function is None:
        return _fault(
            "unsupported", f"{subject.name} {subject.version} has no function `{name}`"
        ), b""
    adata, given = build(reader.mapping(header["data"])), reader.mapping(header["params"])
    slots = fingerprints(adata)
    arguments = {n: fingerprint(value) for n, value in given.items()}
    quiet = _defaults_of(subject, name, defaults)
    closed_before = subject.hosts.close()
    ready = time.perf_counter_ns()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(adata, **{**quiet, **given})
        except Exception as error:
            return _raised(error, caught), b""
    done = time.perf_counter_ns()
    proven = subject.proven and closed_before and subject.hosts.close()
    data, mutated = written(adata, slots)
    mutated += [f"params/{n}" for n, value in given.items() if fingerprint(value) != arguments[n]]
    # A function that returns its AnnData has said nothing new.
    if result is not None and result is not adata:
        data["result"] = result
    writer = Writer()
    reply = {
        "say": "reply",
        "data": writer.mapping(data),
        "mutated": mutated,
        "warnings": [*map(_warned, caught)],
        "witness": {"Counted": {"calls": 1, "launches": None}} if proven else "Unproven",
        "elapsed_ns": done - ready,
        "peak_bytes": _peak_bytes(),
    }
    reply["phases_ns"] = [
        ["upload", ready - start],
        ["compute", done - ready],
        ["download", time.perf_counter_ns() - done],
    ]
    return reply, writer.block


def _peak_bytes() -> int:
    """The most memory this process has held.

    `getrusage` counts what it was before it became Python, so it comes second.
    """
    try:
        with Path("/proc/self/status").open() as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _defaults_of(subject: Subject, function: str, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line gives the function: its parameters, and what is named for it alone."""
    takes = {parameter["name"] for parameter in subject.signatures[function]}
    own = {n.partition(".")[2]: v for n, v in defaults.items() if n.startswith(f"{function}.")}
    return {n: v for n, v in defaults.items() if n in takes} | own


def _raised(error: Exception, caught: list[warnings.WarningMessage]) -> dict[str, Any]:
    kind, message = type(error), str(error)
    if isinstance(error, MemoryError) or kind.__name__ == "OutOfMemoryError":
        return _fault("out-of-memory", message or kind.__name__)
    if any(code in message for code in _LOST):
        return _fault("device-lost", message)
    bases = [base.__name__ for base in kind.__mro__[1:] if issubclass(base, Exception)]
    told = {"class": kind.__name__, "bases": bases, "warnings": [*map(_warned, caught)]}
    return _fault("rejected", message) | told


def _warned(warning: warnings.WarningMessage) -> dict[str, Any]:
    kind = warning.category
    bases = [base.__name__ for base in kind.__mro__[1:] if issubclass(base, Warning)]
    return {"category": kind.__name__, "bases": bases, "message": str(warning.message)}


def _fault(kind: str, message: str) -> dict[str, Any]:
    return {"say": "fault", "kind": kind, "message": message}


def _watch(stdin: int) -> None:
    """Ends this process and all it started when nobody asks any more, also in the middle of a call."""
    poll = select.poll()
    # No event is asked for, so that only the end of the stream is told, and nothing is read.
    poll.register(stdin, 0)
    poll.poll()
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)
