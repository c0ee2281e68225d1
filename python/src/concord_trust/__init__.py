"""Reads `trusted-backends.toml` for a host library: which installed build is certified.

A host library keeps the file among its resources and calls `load_trusted` once. What it returns
first goes to scverse-backends unchanged; what it returns second says how far each function of the
installed build may be trusted. Nothing is blocked: a build that is not the certified one gives a
warning with the reason, and no levels.

Only the standard library is used. The signature of the list is not checked here (Python has no
Ed25519); the host's own release does that once: `ssh-keygen -Y verify -n trusted-backends@concord`.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata as metadata
import tomllib
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["OldListError", "UntrustedBuildWarning", "load_trusted", "wheel_record1"]

SCHEMA = "https://concord/schema/trusted-backends/v1"
# What an installer or a signer adds to `*.dist-info/`.
ADDED = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"}


class UntrustedBuildWarning(UserWarning):
    """The installed build of a trusted backend is not the certified one."""


class OldListError(ValueError):
    """The list is older than one that was seen before: somebody may be rolling it back."""


def wheel_record1(dist: metadata.Distribution, *, deep: bool = False) -> str:
    """SHA-256 over the wheel's own rows of RECORD: the same before and after `pip install`.

    With `deep` the files are hashed again, so that an edit after the installation shows too.
    """
    rows = []
    for path, stated, _ in csv.reader((dist.read_text("RECORD") or "").splitlines()):
        base = path.rsplit("/", 1)[-1]
        added = ".dist-info/" in path and base in ADDED
        if not stated or path.startswith("../") or path.endswith(".pyc") or added:
            continue
        row = f"{path},{_hash(Path(str(dist.locate_file(path)))) if deep else stated}\n"
        rows.append(row)
    return hashlib.sha256("".join(sorted(rows)).encode()).hexdigest()


def _hash(path: Path) -> str:
    try:
        digest = hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return "missing"
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def load_trusted(
    path: str | Path,
    *,
    deep: bool = False,
    least_serial: int = 0,
    now: datetime | None = None,
    warn: bool = True,
) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Read a list.

    Return the mapping for `BackendDispatcher(trusted_backends=...)`, and the levels by backend and
    function.

    `least_serial` is the serial of the newest list that was seen before.
    """
    with Path(path).open("rb") as file:
        doc = tomllib.load(file)
    if doc.get("schema") != SCHEMA:
        raise ValueError(f"{path}: schema {doc.get('schema')!r}, expected {SCHEMA!r}")
    if doc["serial"] < least_serial:
        raise OldListError(f"{path}: serial {doc['serial']}, a list with {least_serial} was seen")
    now = now or datetime.now(UTC)
    levels: dict[str, dict[str, str]] = {}
    for name, entry in doc["trusted_backends"].items():
        levels[name], why = _levels(entry.get("x-grants", []), doc, now, deep=deep)
        installed = any(_installed(distribution) for distribution in entry["distributions"])
        if warn and why and installed:
            message = f"Backend {name!r}: the installed build is not certified: {why}."
            warnings.warn(message, UntrustedBuildWarning, stacklevel=2)
    return doc["trusted_backends"], levels


def _levels(
    grants: list[dict[str, Any]], doc: dict[str, Any], now: datetime, *, deep: bool
) -> tuple[dict[str, str], str]:
    """The levels of the installed build; without any, why."""
    revoked = {r["certificate_sha256"]: r["reason"] for r in doc.get("revoked", [])}
    why = "no build of it is"
    for grant in grants:
        dist = _installed(grant["distribution"])
        if dist is None:
            continue
        end = min(grant["not_after"], doc["not_after"])
        if dist.version != grant["version"]:
            why = f"version {dist.version} is installed, {grant['version']} is certified"
        elif grant["certificate_sha256"] in revoked:
            why = f"its certificate was revoked: {revoked[grant['certificate_sha256']]}"
        elif now > end:
            why = f"its certificate expired on {end:%Y-%m-%d}"
        elif wheel_record1(dist, deep=deep) != grant["wheel_record1"]:
            why = "its files are not those of the certified build"
        else:
            return dict(grant["functions"]), ""
    return {}, why


def _installed(distribution: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return None
