"""Check with the real anndata that a file survives concord, in both directions.

    python roundtrip.py ROUNDTRIP FILE.h5ad...

ROUNDTRIP is the built example (target/debug/examples/roundtrip). For each file, Rust reads it and writes it
again, plain and packed; anndata reads both and finds them equal to the original. Then anndata writes
what Rust wrote, Rust reads that, and anndata finds the result equal once more. Slots that Rust has no value
for are copied as they are; those that cannot be copied are given up and named.
"""

import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import anndata as ad
import numpy as np
from anndata.tests.helpers import assert_equal

warnings.filterwarnings("ignore")
ad.settings.allow_write_nullable_strings = True


def settle(value, path, parts):
    """`value` without NaN, for which assert_equal is false; what its numbers are, to the bit, goes to `parts`."""
    if isinstance(value, ad.AnnData):
        value.uns = settle(dict(value.uns), path + "uns/", parts)
        value.X = settle(value.X, path + "X", parts)
        for name in ("layers", "obsm", "varm", "obsp", "varp"):
            group = getattr(value, name)
            for key in [k for k in group if k is not None]:
                group[key] = settle(group[key], f"{path}{name}/{key}", parts)
        return value
    if isinstance(value, dict):
        return {k: settle(v, f"{path}{k}/", parts) for k, v in value.items()}
    if isinstance(value, float):
        return "nan" if np.isnan(value) else value
    if hasattr(value, "indptr"):
        for part in (value.indptr, value.indices, value.data):
            parts.append((path, part.dtype, part.tobytes()))
        if value.data.dtype.kind == "f":
            value = value.copy()
            value.data = np.nan_to_num(value.data, nan=0.5)
    if isinstance(value, np.ndarray) and value.dtype.kind in "iufb":
        native = np.ascontiguousarray(value, dtype=value.dtype.newbyteorder("="))
        parts.append((path, native.dtype, native.shape, native.tobytes()))
        return np.nan_to_num(native, nan=0.5) if native.dtype.kind == "f" else native
    return value


def drop(adata, paths):
    for path in paths:
        *parents, name = path.split("/")
        place = getattr(adata, parents[0])
        for part in parents[1:]:
            place = place[part]
        del place[name]
    return adata


def same(a, b):
    bits = [], []
    a, b = settle(a, "", bits[0]), settle(b, "", bits[1])
    for x, y in zip(*bits, strict=True):
        assert x == y, f"{x[0]}: {x} and {y}"
    assert_equal(a, b, exact=True)
    assert (a.raw is None) == (b.raw is None)
    if a.raw is not None:
        same(a.raw.to_adata(), b.raw.to_adata())


def rust(program, source, target, *options):
    """Runs the example; returns (slots listed as unread, slots given up because they cannot be copied)."""
    run = subprocess.run([program, source, target, *options], capture_output=True, text=True)
    if "would be lost" in run.stderr and not options:
        lost = re.findall(r"`([^`]+)` \(", run.stderr.splitlines()[-1])
        return rust(program, source, target, *(f"drop={path}" for path in lost))[0], lost
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())
    return [line.split()[1] for line in run.stderr.splitlines() if line.startswith("unread: ")], []


def check(program, path, folder):
    plain, packed, python, last = (folder / n for n in ("plain.h5ad", "packed.h5ad", "python.h5ad", "last.h5ad"))
    unread, lost = rust(program, path, plain)
    same(drop(ad.read_h5ad(path), lost), ad.read_h5ad(plain))
    rust(program, path, packed, "gzip")
    same(drop(ad.read_h5ad(path), unread), ad.read_h5ad(packed))
    ad.read_h5ad(plain).write_h5ad(python)
    rust(program, python, last)
    same(drop(ad.read_h5ad(path), lost), ad.read_h5ad(last))
    return unread, lost


def main(program, *paths):
    failed = 0
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            try:
                unread, lost = check(program, path, Path(folder))
                notes = [f"copied as they are: {', '.join(p for p in unread if p not in lost)}"] if unread else []
                notes += [f"given up: {', '.join(lost)}"] if lost else []
                print("; ".join([f"equal   {path}", *notes]))
            except Exception as error:
                failed += 1
                print(f"DIFFERS {path}: {type(error).__name__}: {str(error)[:600]}")
    print(f"{len(paths) - failed} of {len(paths)} files survive")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
