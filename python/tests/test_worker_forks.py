"""The worker that loads once and forks: what is compiled in one process is there in the next."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("anndata")

from concord_worker.compiled import Heard, _digest
from concord_worker.frames import read_frame, write_frame
from concord_worker.serve import rehearse

COUNTING = """
import os
import numba, numpy as np
from numba.np.ufunc import parallel

@numba.njit(parallel=True)
def total(values):
    out = 0.0
    for i in numba.prange(values.size):
        out += values[i]
    return out

def add(adata, *, times):
    before = len(total.signatures)
    value = total(np.full(times, 0.5))
    adata.uns["said"] = [value, before, numba.threading_layer(), numba.get_num_threads(), parallel._is_initialized]
"""


class Seed:
    """A worker that forks, as Concord drives it."""

    def __init__(self, *arguments: str) -> None:
        self.control, inside = socket.socketpair()
        path = os.pathsep.join([str(Path(__file__).parent.parent / "src"), *sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "concord_worker", *arguments, "--forks"],
            stdin=inside,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
            process_group=0,
        )
        inside.close()

    def fork(self) -> Process:
        return Process(self.control)

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))


class Process:
    """One that was forked."""

    def __init__(self, control: socket.socket) -> None:
        stdin, stdout = os.pipe(), os.pipe()
        self.status, status = socket.socketpair()
        inside = [stdin[0], stdout[1], os.dup(2), status.detach()]
        socket.send_fds(control, [b"f"], inside)
        for descriptor in inside:
            os.close(descriptor)
        self.stdin, self.stdout = os.fdopen(stdin[1], "wb"), os.fdopen(stdout[0], "rb")
        (self.pid,) = struct.unpack("<i", self.status.recv(4))

    def call(self, function: str, **params: Any) -> Any:
        call = {"say": "call", "id": 1, "function": function, "deadline_ms": 600_000, "data": {}}
        write_frame(self.stdin, {**call, "params": params})
        answer = read_frame(self.stdout)
        assert answer is not None
        return answer[0]


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    file = tmp_path / "counting.py"
    file.write_text(COUNTING)
    return file


@pytest.fixture
def seed(adapter: Path) -> Iterator[Seed]:
    seed = Seed("--adapter", str(adapter))
    yield seed
    seed.control.close()
    seed.process.wait(timeout=60)


def test_what_one_process_compiled_is_not_compiled_again(seed: Seed) -> None:
    pytest.importorskip("numba")
    first = seed.fork()
    threads = seed.threads()
    assert first.call("add", times=4)["data"]["uns"]["items"]["said"][:2] == [2.0, 0]
    # It was told before the answer, so that whoever is forked after the answer has it.
    second = seed.fork()
    value, before, layer, count, started = second.call("add", times=6)["data"]["uns"]["items"][
        "said"
    ]
    assert (value, before, started) == (3.0, 1, True)
    again = first.call("add", times=6)["data"]["uns"]["items"]["said"]
    assert [layer, count] == again[2:4], "the same threads as where it was compiled"
    assert seed.threads() == threads, "a process that has them could not fork"


def test_processes_are_reaped_when_nothing_more_is_asked(adapter: Path) -> None:
    pytest.importorskip("numba")
    seed = Seed("--adapter", str(adapter))
    process = seed.fork()
    seed.control.shutdown(socket.SHUT_WR)
    seed.control.settimeout(60)
    assert seed.control.recv(1) == b""
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    assert seed.process.wait(timeout=60) == 0


def test_what_is_told_is_taken_whole_and_unchanged_or_not_at_all() -> None:
    def told(message: bytes) -> bytes:
        return struct.pack("<I", len(message)) + _digest(message) + message

    both = told(b"one") + told(b"two")
    heard = Heard()
    found = [message for i in range(len(both)) for message in heard.add(both[i : i + 1])]
    assert found == [b"one", b"two"]
    changed = bytearray(told(b"one"))
    changed[-1] ^= 1
    with pytest.raises(ValueError, match="not what was sent"):
        list(Heard().add(bytes(changed)))
    with pytest.raises(ValueError, match="announced"):
        list(Heard().add(b"Hello, I am a progress bar"))


@pytest.mark.parametrize("fails", [False, True])
def test_a_rehearsal_lets_scikit_learn_look_around(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    asked = []

    def check_array(array: object) -> None:
        asked.append(array)
        if fails:
            raise TypeError(array)

    loaded: Any = SimpleNamespace(check_array=check_array)
    monkeypatch.setitem(sys.modules, "sklearn.utils.validation", loaded)
    rehearse()
    assert len(asked) == 1
