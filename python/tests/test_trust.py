"""The loader of trusted lists; with the real scverse-backends where it is installed."""

from __future__ import annotations

import base64
import hashlib
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

import concord_trust
from concord_trust import UntrustedBuildWarning, load_trusted, wheel_record1

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SOURCE = b"def moran(): return 0.5\n"


def install(site: Path, version: str = "1.0", source: bytes = SOURCE) -> None:
    """Put a distribution in a folder as pip would."""
    info = site / f"demo_backend-{version}.dist-info"
    info.mkdir(parents=True)
    (site / "demo_backend.py").write_bytes(source)
    meta = f"Metadata-Version: 2.1\nName: demo-backend\nVersion: {version}\n".encode()
    (info / "METADATA").write_bytes(meta)

    def row(path: str, data: bytes) -> str:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        return f"{path},sha256={digest},{len(data)}\n"

    rows = row("demo_backend.py", source) + row(f"{info.name}/METADATA", meta)
    installer = row(f"{info.name}/INSTALLER", b"pip\n") + "__pycache__/demo_backend.pyc,,\n"
    (info / "RECORD").write_text(rows + installer + f"{info.name}/RECORD,,\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    install(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    return folder


def write_list(
    tmp_path: Path, *, record: str = "", end: str = "2027-05-21", more: str = ""
) -> Path:
    if not record:
        record = wheel_record1(concord_trust.metadata.distribution("demo-backend"))
    path = tmp_path / "trusted-backends.toml"
    path.write_text(f"""
schema = "https://concord/schema/trusted-backends/v1"
host = "squidpy"
serial = 7
generated_at = 2026-11-22T10:00:00Z
not_after = 2027-06-01T00:00:00Z
policy_sha256 = "{"0" * 64}"

[trusted_backends.demo]
aliases = ["cuda"]
package = "demo-backend"
distributions = ["demo-backend"]
entrypoints = ["demo"]
module_prefixes = ["demo_backend"]

[[trusted_backends.demo.x-grants]]
distribution = "demo-backend"
version = "1.0"
wheel_record1 = "{record}"
certificate_sha256 = "{"a" * 64}"
assurance = "self-attested"
not_after = {end}T00:00:00Z
accelerators = []
functions = {{ spatial_autocorr = "numerical" }}
{more}
""")
    return path


def test_the_certified_build_has_its_levels(site: Path, tmp_path: Path) -> None:
    path = write_list(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for deep in (False, True):
            trusted, levels = load_trusted(path, now=NOW, deep=deep)
    assert levels == {"demo": {"spatial_autocorr": "numerical"}}
    assert trusted["demo"]["aliases"] == ["cuda"]


REVOKED = f"""[[revoked]]
certificate_sha256 = "{"a" * 64}"
reason = "wrong for ties"
at = 2026-11-30T00:00:00Z
"""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"record": "b" * 64}, "its files are not those of the certified build"),
        ({"end": "2026-11-30"}, "expired on 2026-11-30"),
        ({"more": REVOKED}, "revoked: wrong for ties"),
    ],
)
def test_another_build_warns_with_the_reason(
    site: Path, tmp_path: Path, changes: dict[str, str], reason: str
) -> None:
    with pytest.warns(UntrustedBuildWarning, match=reason):
        trusted, levels = load_trusted(write_list(tmp_path, **changes), now=NOW)
    # The names stay protected.
    assert levels == {"demo": {}}
    assert trusted["demo"]["aliases"] == ["cuda"]


def test_an_edit_after_the_installation_shows_when_files_are_hashed(
    site: Path, tmp_path: Path
) -> None:
    path = write_list(tmp_path)
    (site / "demo_backend.py").write_bytes(b"def moran(): return 0.6\n")
    assert load_trusted(path, now=NOW)[1]["demo"]
    with pytest.warns(UntrustedBuildWarning, match="not those of the certified build"):
        assert not load_trusted(path, now=NOW, deep=True)[1]["demo"]


def test_another_version_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "site", version="1.1")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    with pytest.warns(UntrustedBuildWarning, match="version 1.1 is installed, 1.0 is certified"):
        load_trusted(write_list(tmp_path, record="b" * 64), now=NOW)


def test_what_is_not_installed_is_no_reason_to_warn(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_trusted(write_list(tmp_path, record="b" * 64), now=NOW)[1] == {"demo": {}}


def test_an_old_list_is_not_taken_for_a_new_one(site: Path, tmp_path: Path) -> None:
    path = write_list(tmp_path)
    assert load_trusted(path, now=NOW, least_serial=7)
    with pytest.raises(concord_trust.OldListError, match="serial 7, a list with 8 was seen"):
        load_trusted(path, now=NOW, least_serial=8)


def test_the_real_dispatcher_takes_the_mapping_unchanged(site: Path, tmp_path: Path) -> None:
    backends = pytest.importorskip("scverse_backends", reason="scverse-backends is not installed")
    trusted, _ = load_trusted(write_list(tmp_path), now=NOW)
    dispatcher = backends.BackendDispatcher(
        entrypoint_group="squidpy.backends", host_name="squidpy", trusted_backends=trusted
    )
    assert dispatcher is not None
    with pytest.raises(Exception, match="demo"):
        backends.BackendDispatcher(
            entrypoint_group="squidpy.backends",
            host_name="squidpy",
            trusted_backends={"demo": {"aliases": "not a list", "package": 3}},
        )
