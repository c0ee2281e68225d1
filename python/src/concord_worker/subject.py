"""What is called: the functions of a module, of a host that hands over to a backend, or of an adapter file."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import importlib.util
import inspect
import json
import platform
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from concord_signatures.dump import Function
from concord_signatures.live import Live, distribution_of
from concord_signatures.tree import Package
from concord_worker.witness import Hosts, poison

# Packages whose versions decide what a scientific library answers.
_BENEATH = (
    "anndata",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "scikit-learn",
    "cupy",
    "cuml",
    "jax",
    "torch",
)


@dataclass
class Subject:
    """A backend: who it is, and its functions by name."""

    name: str
    version: str
    artifact: str
    functions: dict[str, Callable[..., Any]]
    signatures: dict[str, list[dict[str, Any]]]
    hosts: Hosts
    device: dict[str, Any] = field(default_factory=lambda: {"kind": "cpu"})
    note: str = ""
    proven: bool = True
    """Whether calls of these functions are calls of the backend, once the hosts are closed."""

    @functools.cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest of the protocol."""
        return {
            "name": self.name,
            "version": self.version,
            "summary": f"{self.note or self.name} {self.version}, {_beneath()}",
            "device": self.device,
            "artifact": self.artifact,
            "functions": self.signatures,
        }


def of_module(module: str, hosts: Iterable[str]) -> Subject:
    """The public functions of an importable module."""
    top = module.split(".")[0]
    live = Live(top)
    found = {f.name.rpartition(".")[2]: f for f in live.functions(module)}
    loaded = importlib.import_module(module)
    name, version = distribution_of(top)
    return Subject(
        name=name,
        version=version,
        artifact=live.dump(None, ()).digest.removeprefix("sha256:"),
        functions={name: getattr(loaded, name) for name in found},
        signatures={name: _signature(f) for name, f in found.items()},
        # A library does not fall back to itself.
        hosts=Hosts((host for host in hosts if host.split(".")[0] != top), found),
        note=f"{module} of {name}",
    )


def of_adapter(file: Path, hosts: Iterable[str]) -> Subject:
    """The public functions that a file defines, or names in `__all__`.

    `NAME` and `VERSION` in the file name what is adapted, `PACKAGE` is the package whose files are digested with
    it, `device()` says what it computes on.
    """
    # Not its stem alone: an adapter may be called as its library is.
    name = f"adapter_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    live = Live(name)
    found = {f.name: f for f in live.functions(name) if f.name != "device"}
    listed = getattr(module, "__all__", ())
    found |= {name: live.function(name, getattr(module, name)) for name in listed}
    device = getattr(module, "device", None)
    return Subject(
        name=str(getattr(module, "NAME", file.stem)),
        version=str(getattr(module, "VERSION", "unknown")),
        artifact=_digest(file, getattr(module, "PACKAGE", None)),
        functions={name: getattr(module, name) for name in found},
        signatures={name: _signature(f) for name, f in found.items()},
        hosts=Hosts(hosts, found),
        device=device() if device else {"kind": "cpu"},
        note=f"the adapter {file.name}",
    )


def of_host(dispatcher: str, backend: str) -> Subject:
    """The functions of a host with a scverse-backends dispatcher, handed over to one of its backends.

    The host's own implementations are poisoned, so that a fallback has no answer.
    """
    module, _, attribute = dispatcher.partition(":")
    if not attribute:
        raise ValueError(f"`{dispatcher}`: expected `module:attribute` of a dispatcher")
    found = getattr(importlib.import_module(module), attribute)
    chosen = found.get_backend(backend)
    if chosen is None:
        known = ", ".join(found.available_backend_names()) or "none"
        raise ValueError(f"the host has no backend `{backend}`; it has {known}")
    # scverse-backends 0.0.3 has no public list of what is dispatched.
    public = {f.__name__: f for f in found._dispatch_impl._dispatched_functions}
    public = {name: f for name, f in public.items() if callable(getattr(chosen, name, None))}
    top = (chosen.__name__ if inspect.ismodule(chosen) else type(chosen).__module__).split(".")[0]
    live = Live(top)
    _, version = distribution_of(top)
    return Subject(
        name=backend,
        version=version,
        artifact=live.dump(None, ()).digest.removeprefix("sha256:"),
        functions={name: functools.partial(f, backend=backend) for name, f in public.items()},
        signatures={
            name: _signature(live.function(name, getattr(chosen, name))) for name in public
        },
        hosts=Hosts((), ()),
        note=f"{backend} behind {module}",
        # A list: all are poisoned, also after one could not be.
        proven=all([poison(f) for f in public.values()]),  # noqa: C419
    )


def cuda() -> dict[str, Any]:
    """The device that CuPy finds."""
    try:
        import cupy

        properties = cupy.cuda.runtime.getDeviceProperties(0)
        major, minor = cupy.cuda.nvrtc.getVersion()
        return {
            "kind": "cuda",
            "name": properties["name"].decode(),
            "capability": f"{properties['major']}.{properties['minor']}",
            "driver": str(cupy.cuda.runtime.driverGetVersion()),
            "nvrtc": f"{major}.{minor}",
        }
    except Exception as error:  # whatever a broken installation raises, the device is not there
        return {"kind": "absent", "why": f"{type(error).__name__}: {error}"}


def _digest(file: Path, package: str | None) -> str:
    content = file.read_bytes()
    if package is not None:
        folder = Path(next(iter(sys.modules[package].__path__)))
        content += Package.read(folder.parent, package).digest(package).encode()
    return hashlib.sha256(content).hexdigest()


def _signature(function: Function) -> list[dict[str, Any]]:
    keys = ("name", "kind", "default")
    return [{k: v for k, v in p.to_json().items() if k in keys} for p in function.params]


def _beneath() -> str:
    versions = [f"Python {platform.python_version()}"]
    for package in _BENEATH:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join(versions)


def parse_defaults(texts: Iterable[str]) -> dict[str, Any]:
    """`NAME=JSON` arguments, as in `n_jobs=1`."""
    pairs = (text.partition("=") for text in texts)
    return {name: json.loads(value) for name, _, value in pairs}
