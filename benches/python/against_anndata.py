#!/usr/bin/env python
"""Times reading a `.h5ad` beside Python's anndata: the same files, the same machine, the same run, fresh processes.

    cargo build --release -p benches --bin read_h5ad
    python benches/python/against_anndata.py [FORM ...] [--rounds 5] [--cells 600000]

needs a Python with anndata 0.13. The data: CSR, float32 log counts, 2000 genes, 216 stored per cell, named cells; at
600,000 cells 1.07 GB where nothing is packed. The forms are what writers make of it:

    contiguous   as this project writes it: arrays in one piece
    chunked      as anndata's `write_h5ad(path)` writes it: chunks of h5py's choice, not packed
    gzip         as anndata's `write_h5ad(path, compression="gzip")` writes it

Each turn reads the file once on each side in a process of its own (A B B A ...), imports untimed, from a page cache that
holds the file or, with `--cold`, has just been told to drop it. Both read everything into memory; outside the timed
region each adds up all it has read, place by place, and the sums must be equal. Other work on the machine stretches wall time more
than processor time (of all threads), so both are given, with the load average. Peak memory is the kernel's VmHWM right
after reading; `above` is that less what the process held before, in sizes of what was read: the file, where it is not packed.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
FORMS = ("contiguous", "chunked", "gzip")


def data(cells, genes=2000, stored=216):
    """In each row one gene of every nine, so that rows are sorted and without duplicates."""
    import anndata
    import numpy as np
    import pandas as pd
    import scipy.sparse as sp

    rng = np.random.default_rng(1)
    step = genes // stored
    values = np.empty(cells * stored, np.float32)
    indices = np.empty(cells * stored, np.int32)
    start = np.arange(stored, dtype=np.int32) * step
    for first in range(0, cells, 20_000):
        rows = min(20_000, cells - first)
        at = slice(first * stored, (first + rows) * stored)
        indices[at] = (start + rng.integers(0, step, (rows, stored), dtype=np.int32)).ravel()
        depth = rng.uniform(0.5, 2.0, (rows, 1)).astype(np.float32)
        values[at] = np.log1p(rng.geometric(0.5, (rows, stored)).astype(np.float32) * depth).ravel()
    indptr = np.arange(cells + 1, dtype=np.int32) * stored
    x = sp.csr_matrix((values, indices, indptr), shape=(cells, genes))
    obs = pd.DataFrame(index=[f"cell-{i}" for i in range(cells)])
    return anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=[f"g{g}" for g in range(genes)]))


def kib(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1])


def weighted(bits):
    """The sum of each number times its place, modulo 2^64."""
    import numpy as np

    total, block = 0, 1 << 22
    for first in range(0, len(bits), block):
        part = bits[first:first + block].astype(np.uint64)
        total += int((part * np.arange(first + 1, first + 1 + len(part), dtype=np.uint64)).sum(dtype=np.uint64))
    return total % 2**64


def read_with_anndata(path):
    """As `read_h5ad`, with anndata."""
    import warnings

    warnings.simplefilter("ignore")
    import anndata
    import numpy as np
    import scipy.sparse  # noqa: F401  what reading would import

    before, start, cpu = kib("VmRSS"), time.perf_counter(), time.process_time()
    adata = anndata.read_h5ad(path)
    wall, cpu, peak = time.perf_counter() - start, time.process_time() - cpu, kib("VmHWM")
    x = adata.X

    def names(index):
        return weighted(np.frombuffer("\n".join(index).encode(), np.uint8))

    parts = {"indptr": weighted(x.indptr), "indices": weighted(x.indices), "data": weighted(x.data.view(np.uint32))}
    sums = {"X": parts, "obs_names": names(adata.obs_names), "var_names": names(adata.var_names)}
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "before_kib": before, "peak_kib": peak, "sums": sums}))


def make(folder, cells, forms, binary):
    """The files that are asked for and not there yet, by form."""
    paths = {form: folder / f"{form}-{cells}.h5ad" for form in ("chunked", *forms)}
    if any(not path.exists() for path in paths.values()):
        adata = data(cells)
        if not paths["chunked"].exists():
            adata.write_h5ad(paths["chunked"])
        if "gzip" in paths and not paths["gzip"].exists():
            adata.write_h5ad(paths["gzip"], compression="gzip")
        del adata
    if "contiguous" in paths and not paths["contiguous"].exists():
        subprocess.run([binary, paths["chunked"], "--rewrite", paths["contiguous"]], check=True, stdout=subprocess.DEVNULL)
    for path in paths.values():
        with open(path) as file:
            os.fsync(file.fileno())
    return paths


def read(command, path, cold):
    with open(path, "rb") as file:
        if cold:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            while file.read(1 << 24):
                pass
    out = subprocess.run([*command, path], check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(out.splitlines()[-1])


def measure(form, paths, options):
    path = paths[form]
    sides = {"ours": [options.binary], "anndata": [sys.executable, __file__, "--read"]}
    rows = {name: [] for name in sides}
    for turn in range(options.rounds):
        for name in list(sides)[:: 1 if turn % 2 == 0 else -1]:
            rows[name].append(read(sides[name], path, options.cold))
    sums = [row["sums"] for turns in rows.values() for row in turns]
    if any(one != sums[0] for one in sums):
        raise SystemExit(f"{form}: what was read differs: {sums}")
    # What is in memory afterwards, whatever the file takes: that of the file that is not packed.
    size = path.stat().st_size if form != "gzip" else paths["chunked"].stat().st_size
    result = {"form": form, "file_bytes": path.stat().st_size, "data_bytes": size, "cold": options.cold, "load": os.getloadavg()[0]}
    for name, turns in rows.items():
        result[name] = {"wall_s": sorted(row["wall_s"] for row in turns), "cpu_s": sorted(row["cpu_s"] for row in turns),
                        "peak": max(row["peak_kib"] for row in turns) * 1024 / size,
                        "above": max(row["peak_kib"] - row["before_kib"] for row in turns) * 1024 / size}
    for what in ("wall", "cpu"):
        result[f"{what}_ratio"] = result["anndata"][f"{what}_s"][0] / result["ours"][f"{what}_s"][0]
    return result


def main():
    if sys.argv[1:2] == ["--read"]:
        return read_with_anndata(sys.argv[2])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("forms", nargs="*", default=list(FORMS), metavar="FORM", help=", ".join(FORMS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cells", type=int, default=600_000)
    parser.add_argument("--cold", action="store_true", help="drop the file from the page cache before each reading")
    parser.add_argument("--binary", default=ROOT / "target/release/read_h5ad")
    parser.add_argument("--data", type=pathlib.Path, help="keep the generated files here")
    parser.add_argument("--out", help="append a line of JSON per form")
    options = parser.parse_args()
    if unknown := set(options.forms) - set(FORMS):
        parser.error(f"expected forms of {', '.join(FORMS)}, got {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        paths = make(folder, options.cells, options.forms, options.binary)
        for form in options.forms:
            row = measure(form, paths, options)
            cache = "cold" if options.cold else "warm"
            for name in ("ours", "anndata"):
                side = row[name]
                print(f"{form:10} {cache} {name:8} best {side['wall_s'][0]:6.3f} s ({side['cpu_s'][0]:6.3f} s of processor), worst {side['wall_s'][-1]:6.3f} s, "
                      f"peak {side['peak']:5.3f} of {row['data_bytes'] / 1e9:.2f} GB, above the start {side['above']:5.3f}")
            print(f"{form:10} {cache} anndata / ours {row['wall_ratio']:.2f} ({row['cpu_ratio']:.2f}), load {row['load']:.1f}", flush=True)
            if options.out:
                with open(options.out, "a") as out:
                    out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
