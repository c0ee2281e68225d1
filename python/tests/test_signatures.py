"""What is written about a small library, imported and parsed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from concord_signatures import Dump, dump_modules, dump_source
from concord_signatures.__main__ import main
from concord_signatures.dump import Unresolved, encode


def parsed(root: Path) -> Dump:
    return dump_source(root, ["sample.api"], name="sample", version="1")


def function(dump: Dump, name: str) -> dict[str, Any]:
    return next(f.to_json() for f in dump.functions if f.name == name)


def defaults(dump: Dump, name: str) -> dict[str, Any]:
    return {p["name"]: p.get("default") for p in function(dump, name)["signature"]}


def test_importing_and_parsing_give_the_same(root: Path) -> None:
    live, source = dump_modules(["sample.api"]), parsed(root)
    assert {f.name for f in live.functions} >= {"api.public", "api.seeded", "api.plain"}
    assert [f.to_json() for f in live.functions if f.name != "api.opaque"] == [
        f.to_json() for f in source.functions if f.name != "api.opaque"
    ]
    assert live.digest == source.digest


def test_kinds(root: Path) -> None:
    kinds = [p["kind"] for p in function(parsed(root), "api.public")["signature"]]
    assert kinds == [
        "positional-only", "positional-or-keyword", "var-positional",
        "keyword-only", "keyword-only", "keyword-only", "var-keyword",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("public", {"key": "spatial", "conn": "spatial_connectivities", "other": "x_conn"}),
        ("seeded", {"rng": None, "mode": "moran", "text": "geary", "seed": 7, "rate": 0.5}),
        ("preset", {"key_added": None, "scale": "old key"}),
        ("plain", {
            "a": -1, "b": 1.0, "c": {"t": "tuple", "items": [1, "x"]}, "d": [True, None],
            "e": {"t": "dict", "items": {"k": {"t": "tuple", "items": [0]}}},
            "f": {"t": "float", "value": "Infinity"}, "g": 7, "h": 1e-8,
        }),
    ],
)  # fmt: skip
def test_defaults_are_resolved_without_importing(
    root: Path, name: str, expected: dict[str, Any]
) -> None:
    found = defaults(parsed(root), f"api.{name}")
    assert {k: found[k] for k in expected} == {k: {"value": v} for k, v in expected.items()}


def test_what_is_no_plain_value_is_kept_as_it_prints(root: Path) -> None:
    source = defaults(parsed(root), "api.opaque")
    assert source == {"adata": None, "token": {"repr": "EMPTY"}, "kind": {"repr": "int"}}
    live = defaults(dump_modules(["sample.api"]), "api.opaque")
    assert live["token"] == {"repr": "EMPTY"}
    assert live["kind"] == {"repr": "<class 'int'>"}


def test_another_spelling_is_kept(root: Path) -> None:
    params = function(parsed(root), "api.public")["signature"]
    assert [p.get("spelled") for p in params] == [
        None, None, None, "Key.obsm.spatial", "Key.obsp.conn()", "Key.obsp.conn('x')", None,
    ]  # fmt: skip


def test_what_a_decorator_hides_is_found(root: Path) -> None:
    seeded = function(parsed(root), "api.seeded")
    assert seeded["hidden"] == {"random_state": "rng"}
    assert seeded["decorators"] == ["legacy", "swallows"]
    assert "hidden" not in function(parsed(root), "api.plain")


def test_places_are_those_of_the_definition(root: Path) -> None:
    lines = (root / "sample" / "api.py").read_text().splitlines()
    for found in parsed(root).functions:
        assert found.file == "sample/api.py"
        assert found.line is not None
        name = found.name.removeprefix("api.")
        assert lines[found.line - 1].startswith(f"def {name}(")


def test_names_are_those_of_the_module_that_offers_them(root: Path) -> None:
    dump = dump_source(root, ["sample"], name="sample", version="1")
    assert [f.name for f in dump.functions] == ["renamed"]
    assert not any("_private" in f.name for f in parsed(root).functions)


def test_a_wheel_is_read_and_not_run(tmp_path: Path) -> None:
    wheel = tmp_path / "some_lib-1.2-py3-none-any.whl"
    code = "raise RuntimeError('imported')\nfrom .b import f\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("some_lib/__init__.py", code)
        archive.writestr("some_lib/b.py", "LIMIT = 3\ndef f(x, limit=LIMIT):\n    ...\n")
    dump = dump_source(wheel, ["some_lib"])
    assert (dump.name, dump.version, dump.read) == ("some-lib", "1.2", "source")
    assert defaults(dump, "f") == {"x": None, "limit": {"value": 3}}


def test_the_digest_is_that_of_the_sources(root: Path, tmp_path: Path) -> None:
    before = parsed(root).digest
    copy = tmp_path / "sample"
    copy.mkdir()
    for file in (root / "sample").glob("*.py"):
        (copy / file.name).write_bytes(file.read_bytes())
    assert parsed(tmp_path).digest == before
    (copy / "settings.py").write_text((copy / "settings.py").read_text() + "\n")
    assert parsed(tmp_path).digest != before


@pytest.mark.parametrize("value", [2**63, object(), {1: 2}, [object()], True + 1j])
def test_no_plain_value(value: object) -> None:
    with pytest.raises(Unresolved):
        encode(value)


def test_the_text_is_json_with_a_line_per_function(root: Path) -> None:
    dump = parsed(root)
    text = dump.to_text()
    json.loads(text)
    assert sum(line.startswith('{"name"') for line in text.splitlines()) == len(dump.functions)
    assert text == parsed(root).to_text()


def test_the_command_line(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "sample.json"
    assert main(["module", "sample.api", "-o", str(out)]) == 0
    assert json.loads(out.read_text())["read"] == "inspect"
    arguments = ["wheel", str(root), "sample.api", "--name", "s", "--version", "2", "-o", str(out)]
    assert main(arguments) == 0
    assert json.loads(out.read_text())["version"] == "2"
    assert main(["wheel", str(root), "sample.api", "-o", str(out)]) == 2
    assert "give a name and a version" in capsys.readouterr().err
    assert main(["module", "no_such_module", "-o", str(out)]) == 2
    assert main(["dispatcher", "sample", "-o", str(tmp_path)]) == 2
