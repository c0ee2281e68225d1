"""The worker as a process: what it answers, what it survives, and what it proves."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anndata")

from concord_worker.frames import read_frame, write_frame
from concord_worker.values import Reader, Writer

ADAPTER = """
import os, warnings
import numpy as np
NAME, VERSION = "adapted", "3"

class BadGraph(ValueError): ...

def score(adata, *, key="score", times=1):
    print("a stray print")
    os.write(1, b"and one below Python")
    warnings.warn("slow", FutureWarning)
    adata.uns[key] = np.full(2, float(times))

def refuse(adata):
    warnings.warn("not long now")
    raise BadGraph("no")

def fill(adata): raise MemoryError("too much")
def leave(adata): raise SystemExit(3)
def cheat(adata):
    import small_host
    return small_host.cheat(adata)
def spoil(adata, values): values[0] = 5
"""
HOST = "def cheat(adata):\n    return 1\n"


class Worker:
    """A worker that is asked over its pipes."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        path = os.pathsep.join([str(Path(__file__).parent.parent / "src"), str(folder), *sys.path])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "concord_worker", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            process_group=0,
        )

    def say(self, header: dict[str, Any], block: bytes | bytearray = b"") -> tuple[Any, Any]:
        assert self.process.stdin and self.process.stdout
        write_frame(self.process.stdin, header, block)
        answer = read_frame(self.process.stdout)
        assert answer is not None
        return answer

    def hello(self) -> dict[str, Any]:
        return dict(self.say({"say": "hello", "protocols": [1]})[0]["manifest"])

    def call(self, function: str, **params: Any) -> dict[str, Any]:
        writer = Writer()
        header = {"say": "call", "id": 5, "function": function, "deadline_ms": 60000, "data": {}}
        header["params"] = writer.mapping(params)
        answer, block = self.say(header, writer.block)
        assert answer["id"] == 5
        if "data" in answer:
            answer["data"] = Reader(block).mapping(answer["data"])
        return dict(answer)


Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "adapter.py").write_text(ADAPTER)
    (tmp_path / "small_host.py").write_text(HOST)
    started: list[Worker] = []

    def begin(*arguments: str) -> Worker:
        started.append(Worker(tmp_path, *arguments))
        return started[-1]

    yield begin
    for worker in started:
        worker.process.kill()
        worker.process.wait()


@pytest.fixture
def worker(start: Start, tmp_path: Path) -> Worker:
    return start("--adapter", str(tmp_path / "adapter.py"), "--poison", "small_host")


def test_the_manifest_says_who_answers(worker: Worker) -> None:
    manifest = worker.hello()
    assert (manifest["name"], manifest["version"]) == ("adapted", "3")
    assert set(manifest["functions"]) == {"score", "refuse", "fill", "leave", "cheat", "spoil"}
    assert manifest["functions"]["score"][1] == {
        "name": "key",
        "kind": "keyword-only",
        "default": {"value": "score"},
    }


def test_written_slots_come_back_and_prints_do_not_disturb(worker: Worker) -> None:
    reply = worker.call("score", times=2)
    assert reply["data"]["uns"]["score"].tolist() == [2.0, 2.0]
    assert reply["mutated"] == []
    slow = {"category": "FutureWarning", "bases": ["Warning"], "message": "slow"}
    assert reply["warnings"] == [slow]
    assert reply["witness"] == {"Counted": {"calls": 1, "launches": None}}
    assert [phase for phase, _ in reply["phases_ns"]] == ["upload", "compute", "download"]


def test_exceptions_become_faults_and_the_process_lives(worker: Worker) -> None:
    refused = worker.call("refuse")
    assert (refused["kind"], refused["class"]) == ("rejected", "BadGraph")
    assert refused["bases"] == ["ValueError", "Exception"]
    before = {"category": "UserWarning", "bases": ["Warning"], "message": "not long now"}
    assert refused["warnings"] == [before]
    assert worker.call("fill")["kind"] == "out-of-memory"
    assert worker.call("leave")["kind"] == "failed"
    assert worker.call("nothing")["kind"] == "unsupported"
    assert worker.call("score")["say"] == "reply"


def test_a_backend_that_calls_the_host_has_no_answer(worker: Worker) -> None:
    # The first call loads the host, so that nothing shows who answered; from then on the host is poisoned.
    assert worker.call("cheat")["witness"] == "Unproven"
    again = worker.call("cheat")
    assert (again["say"], again["kind"]) == ("fault", "unsupported")
    assert "host" in again["message"]


def test_an_argument_that_is_changed_is_told(worker: Worker) -> None:
    import numpy as np

    assert worker.call("spoil", values=np.zeros(2))["mutated"] == ["params/values"]


def test_arguments_of_the_command_line_stand_in(start: Start, tmp_path: Path) -> None:
    adapter = ("--adapter", str(tmp_path / "adapter.py"))
    worker = start(*adapter, "--set", "times=4", "--set", 'score.key="other"')
    assert worker.call("score")["data"]["uns"]["other"].tolist() == [4.0, 4.0]
    assert worker.call("score", times=1)["data"]["uns"]["other"].tolist() == [1.0, 1.0]


def test_it_ends_with_its_input_even_in_the_middle_of_a_call(start: Start, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\ndef f(adata): time.sleep(1000)\n")
    worker = start("--adapter", str(tmp_path / "slow.py"))
    worker.hello()
    assert worker.process.stdin
    call = {"say": "call", "id": 1, "function": "f", "deadline_ms": 10**6, "data": {}, "params": {}}
    write_frame(worker.process.stdin, call)
    worker.process.stdin.close()
    worker.process.wait(timeout=60)


@pytest.mark.parametrize("noise", [b"hello\n" * 10, b"CNC1\xff\xff\xff\xff" + bytes(8), b"CNC1"])
def test_noise_ends_it(worker: Worker, noise: bytes) -> None:
    assert worker.process.stdin
    worker.process.stdin.write(noise)
    worker.process.stdin.close()
    worker.process.wait(timeout=60)


def test_what_cannot_be_loaded_is_said(start: Start) -> None:
    worker = start("--module", "no_such_library.gr")
    _, stderr = worker.process.communicate()
    assert worker.process.returncode == 2
    assert b"No module named 'no_such_library'" in stderr


DISPATCHING = """
from scverse_backends import BackendDispatcher
dispatcher = BackendDispatcher(entrypoint_group="tiny_host.backends", host_name="tiny_host")
@dispatcher.backend_dispatch
def f(adata, *, n=1): return n
@dispatcher.backend_dispatch
def g(adata): return 0
"""
BACKEND = """
class Fast:
    name = "fast"
    aliases = ()
    def f(self, adata, *, n=2): return 10 * n
    def g(self, adata):
        import tiny_host
        return tiny_host.g(adata, backend="cpu")
"""


def test_a_host_hands_over_and_may_not_stand_in(start: Start, tmp_path: Path) -> None:
    pytest.importorskip("scverse_backends")
    for name, code in (("tiny_host", DISPATCHING), ("tiny_fast", BACKEND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code)
    info = tmp_path / "tiny_fast-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny_fast\nVersion: 1.5\n")
    (info / "RECORD").write_text("tiny_fast/__init__.py,,\n")
    (info / "entry_points.txt").write_text("[tiny_host.backends]\nfast = tiny_fast:Fast\n")
    worker = start("--host", "tiny_host:dispatcher", "--backend", "fast")
    manifest = worker.hello()
    assert (manifest["name"], manifest["version"]) == ("fast", "1.5")
    reply = worker.call("f", n=3)
    assert reply["data"]["result"] == 30
    assert reply["witness"] == {"Counted": {"calls": 1, "launches": None}}
    assert worker.call("g")["kind"] == "unsupported"
