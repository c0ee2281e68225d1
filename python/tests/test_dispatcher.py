"""A scverse-backends host and the backends that it discovers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from concord_signatures.dispatcher import dump_dispatcher

pytest.importorskip("scverse_backends")

HOST = """
from scverse_backends import BackendDispatcher

dispatcher = BackendDispatcher(entrypoint_group="tiny_host.backends", host_name="tiny_host")

@dispatcher.backend_dispatch
def f(adata, *, seed=None, n=1):
    ...

@dispatcher.backend_dispatch
def g(adata):
    ...
"""
BACKEND = """
class Fast:
    name = "fast"
    aliases = ()

    def f(self, adata, *, n=2, tile=8):
        ...
"""


def install(folder: Path, name: str, code: str, entry_points: str = "") -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code)
    info = folder / f"{name}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
    (info / "entry_points.txt").write_text(entry_points)


@pytest.mark.filterwarnings("ignore")
def test_the_host_and_its_backends_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "tiny_host", HOST)
    install(tmp_path, "tiny_fast", BACKEND, "[tiny_host.backends]\nfast = tiny_fast:Fast\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        host, backend = dump_dispatcher("tiny_host:dispatcher")
    finally:
        for name in ("tiny_host", "tiny_fast"):
            sys.modules.pop(name, None)
    assert (host.name, host.version) == ("tiny_host", "1.5")
    # The host's own parameters, without what the dispatcher adds to what users see.
    shown = {f.name: [p.name for p in f.params] for f in host.functions}
    assert shown == {"f": ["adata", "seed", "n"], "g": ["adata"]}
    assert (backend.name, backend.version) == ("fast", "1.5")
    [only] = backend.functions
    assert [p.name for p in only.params] == ["adata", "n", "tile"]
    assert (only.file, only.line) == ("tiny_fast/__init__.py", 6)
