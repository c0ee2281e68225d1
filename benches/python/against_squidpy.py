#!/usr/bin/env python
"""Times the reference beside squidpy: the same files, the same machine, the same run, two threads each.

    cargo build --release -p benches --bin one_call
    python benches/python/against_squidpy.py [CASE ...] [--rounds 3] [--out rows.jsonl]

needs a Python with squidpy 1.8.3. Each case runs in two processes, ours and squidpy's, that read one file and
then call on request, in turns (A B B A ...). In a turn a side calls until a second is over, and the median
counts: a short call alone would meet a processor that has just been woken up, which a long one does not notice. Reading the file is not timed; building the input from AnnData is, on both
sides. A call before the first turn is thrown away: numba compiles, pages are touched. Answers are compared before
anything is timed and again after the last turn; a wrong answer gets no row. Measured from outside and alike
for both, joblib's processes included: wall seconds, processor seconds (all threads), the peak of resident memory
above what the process held before the call. Other work on the machine stretches wall time more than processor time,
so both are given, with the load average.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
THREADS = 2


def pairs(genes, count):
    """`count` different interactions of genes, the same on every machine."""
    step = 7919
    return [[f"g{i % genes}", f"g{(i * step + 1) % genes}"] for i in range(count)]


def autocorr(n, genes, mode, n_perms=None):
    return dict(function="spatial_autocorr", n=n, genes=genes, clusters=5, graph=True,
                params=dict(mode=mode, n_perms=n_perms, seed=0, copy=True))


def co_occurrence(n, clusters):
    return dict(function="co_occurrence", n=n, genes=2, clusters=clusters, graph=False,
                params=dict(cluster_key="cluster", interval=50, copy=True))


def ligrec(n, genes, count, n_perms):
    return dict(function="ligrec", n=n, genes=genes, clusters=20, graph=False,
                params=dict(cluster_key="cluster", interactions=pairs(genes, count), n_perms=n_perms,
                            seed=0, use_raw=False, copy=True))


CASES = {
    "moran": autocorr(20_000, 500, "moran"),
    "geary": autocorr(20_000, 500, "geary"),
    "moran-perms": autocorr(20_000, 500, "moran", 100),
    "geary-perms": autocorr(20_000, 500, "geary", 100),
    "moran-large": autocorr(100_000, 2000, "moran"),
    "co_occurrence": co_occurrence(20_000, 20),
    "co_occurrence-50k": co_occurrence(50_000, 30),
    "ligrec": ligrec(20_000, 500, 200, 1000),
    "ligrec-small": ligrec(500, 50, 20, 1000),
    "ligrec-medium": ligrec(4_000, 200, 100, 1000),
    "ligrec-wide": ligrec(4_000, 1000, 2000, 100),
}


def data(case, density=0.1):
    """Uniform positions, clusters in patches, sparse log counts of which a third follow a cluster, six neighbours."""
    import anndata
    import numpy as np
    import pandas as pd
    import scipy.sparse as sp
    from scipy.spatial import cKDTree

    n, genes, k = case["n"], case["genes"], case["clusters"]
    rng = np.random.default_rng(1)
    at = rng.uniform(0, 10 * np.sqrt(n), (n, 2))
    label = cKDTree(at[rng.choice(n, 4 * k)]).query(at)[1] % k
    label = np.where(rng.random(n) < 0.2, rng.integers(0, k, n), label)
    label[:k] = np.arange(k)
    chance = np.clip(np.repeat(rng.gamma(2.0, density / 2.0, genes)[None], k, 0), 0.005, 0.5)
    for gene in range(0, genes, 3):
        chance[rng.integers(0, k), gene] *= 2.0
    rows = []
    for start in range(0, n, 10_000):
        stored = rng.random((min(10_000, n - start), genes)) < chance[label[start:start + 10_000]]
        part = sp.csr_matrix(stored, dtype=np.float32)
        part.data = np.log1p(rng.geometric(0.5, part.nnz)).astype(np.float32)
        rows.append(part)
    obs = pd.DataFrame({"cluster": pd.Categorical.from_codes(label, [f"T{c}" for c in range(k)])},
                       index=[f"c{i}" for i in range(n)])
    adata = anndata.AnnData(sp.vstack(rows, format="csr"), obs=obs,
                            var=pd.DataFrame(index=[f"g{g}" for g in range(genes)]))
    adata.obsm["spatial"] = at
    if case["graph"]:
        near = np.sort(cKDTree(at).query(at, 7)[1][:, 1:], axis=1).astype(np.int32)
        adata.obsp["spatial_connectivities"] = sp.csr_matrix(
            (np.ones(6 * n, np.float32), near.ravel(), np.arange(0, 6 * n + 1, 6, dtype=np.int32)), shape=(n, n))
    return adata


def squidpy_worker(path, function, params):
    """As `one_call`, with squidpy."""
    import logging
    import warnings

    warnings.simplefilter("ignore")
    import anndata
    import numpy as np
    import squidpy

    logging.disable(logging.WARNING)
    adata, call, params = anndata.read_h5ad(path), getattr(squidpy.gr, function), json.loads(params)
    if "interactions" in params:
        params["interactions"] = [tuple(pair) for pair in params["interactions"]]
    print("{}", flush=True)

    def table(frame):
        columns = [frame[name].to_numpy(dtype=float).tolist() for name in frame.columns]
        return {"index": [str(name) for name in frame.index], "columns": [str(name) for name in frame.columns], "values": columns}

    for line in sys.stdin:
        if line.startswith("answer"):
            if isinstance(answer, dict):
                out = {name: table(answer[name]) for name in ("means", "pvalues")}
            else:
                out = np.ravel(answer[0]).tolist() if isinstance(answer, tuple) else table(answer)
            pathlib.Path(line.split()[1]).write_text(json.dumps(out))
            print("{}", flush=True)
        else:
            start = time.perf_counter()
            answer = call(adata, **params)
            print(json.dumps({"wall_s": time.perf_counter() - start}), flush=True)


class Side:
    """A process that calls on request, measured with its descendants."""

    def __init__(self, command):
        threads = {name: str(THREADS) for name in ("RAYON_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | threads)
        self.ready = self.reply()
        self.exited = {}

    def reply(self):
        line = self.process.stdout.readline()
        while line and not line.startswith("{"):
            line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[:3]} ended with {self.process.wait()}")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.reply()

    def tree(self):
        todo, found = [self.process.pid], []
        while todo:
            pid = todo.pop()
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    todo += map(int, task.read_text().split())
                except OSError:
                    pass
        return found

    def read(self):
        """Processor seconds and resident bytes of the tree."""
        ns, kib = 0, 0
        for pid in self.tree():
            try:
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    ns += int((task / "schedstat").read_text().split()[0])
                kib += int(next(line for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")).split()[1])
            except (OSError, StopIteration):
                pass
        return ns / 1e9, kib * 1024

    def watched(self):
        """Bytes that a call needs at most above what was held before; looking takes processors away, so it is not timed."""
        before = self.read()[1]
        peak, done = [before], threading.Event()

        def watch():
            while not done.wait(0.005):
                peak.append(self.read()[1])

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.ask("run")
        done.set()
        watcher.join()
        return max(peak) - before

    def run(self):
        cpu = self.read()[0]
        wall = self.ask("run")["wall_s"]
        return {"wall_s": wall, "cpu_s": self.read()[0] - cpu}

    def turn(self):
        """The median of calls for a second, or of one that takes longer."""
        runs = []
        while sum(run["wall_s"] for run in runs) < 1:
            runs.append(self.run())
        return {what: statistics.median(run[what] for run in runs) for what in ("wall_s", "cpu_s")}

    def answer(self, path):
        self.ask(f"answer {path}")
        return json.loads(pathlib.Path(path).read_text())


def difference(function, ours, theirs):
    """The largest difference of the numbers that do not depend on random draws; p-values of 1000 permutations apart."""
    import numpy as np

    def numbers(answer):
        if function == "spatial_autocorr":
            order = np.argsort(answer["index"])
            return np.array(answer["values"][0], float)[order]
        if function == "ligrec":
            return np.array(answer["means"]["values"], float).ravel()
        return np.array(answer, float)

    a, b = numbers(ours), numbers(theirs)
    assert a.shape == b.shape and a.size, (a.shape, b.shape)
    apart = np.abs(a - b)
    assert np.array_equal(np.isnan(a), np.isnan(b))
    if function == "ligrec":
        p, q = (np.array(answer["pvalues"]["values"], float) for answer in (ours, theirs))
        assert np.array_equal(np.isnan(p), np.isnan(q)), "p-values are defined at different places"
        # Two independent samples of m permutations: sd at most sqrt(1/2m); 6 sd leave out no right answer.
        assert np.nanmax(np.abs(p - q)) < 6 * np.sqrt(0.5 / 100), np.nanmax(np.abs(p - q))
    return float(np.nanmax(apart))


def check(function, sides, folder):
    # Ours adds up in float64, squidpy's normalised weights are float32: 6 u32 of the weights and S0 each.
    allowed = {"spatial_autocorr": 2e-6, "co_occurrence": 1e-6, "ligrec": 1e-6}[function]
    apart = difference(function, *(side.answer(folder / f"answer-{i}.json") for i, side in enumerate(sides)))
    if not apart <= allowed:
        raise SystemExit(f"{function}: answers differ by {apart}, allowed {allowed}: nothing is timed")
    return apart


def measure(name, rounds, binary, folder):
    case = CASES[name]
    path = folder / f"{case['function']}-{case['n']}-{case['genes']}-{case['clusters']}.h5ad"
    if not path.exists():
        data(case).write_h5ad(path)
    params = json.dumps(case["params"])
    theirs = dict(case["params"], n_jobs=THREADS, show_progress_bar=False)
    if case["function"] == "co_occurrence":
        theirs = case["params"]
    here = [sys.executable, __file__, "--worker"]
    ours, peer = sides = [Side([str(binary), str(path), case["function"], params]),
                          Side([*here, str(path), case["function"], json.dumps(theirs)])]
    for side in sides:
        side.run()
    extra_bytes = {side: side.watched() for side in sides}
    apart = check(case["function"], sides, folder)
    load, times = os.getloadavg()[0], {side: [] for side in sides}
    for turn in range(rounds):
        for side in sides if turn % 2 == 0 else sides[::-1]:
            times[side].append(side.turn())
    check(case["function"], sides, folder)
    row = {"case": name, "n": case["n"], "genes": case["genes"], "clusters": case["clusters"], "difference": apart, "load": load}
    for side, label in ((ours, "ours"), (peer, "squidpy")):
        for what in ("wall_s", "cpu_s"):
            row[f"{label}_{what}"] = min(one[what] for one in times[side])
        row[f"{label}_extra_bytes"] = extra_bytes[side]
        side.process.stdin.close()
        side.process.wait()
    row["wall_ratio"] = row["squidpy_wall_s"] / row["ours_wall_s"]
    row["cpu_ratio"] = row["squidpy_cpu_s"] / row["ours_cpu_s"]
    return row


def main():
    if sys.argv[1:2] == ["--worker"]:
        return squidpy_worker(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--binary", default=ROOT / "target/release/one_call")
    parser.add_argument("--data", type=pathlib.Path, help="keep the generated files here")
    parser.add_argument("--out", help="append a line of JSON per case")
    parser.add_argument("--list-cases", action="store_true")
    options = parser.parse_args()
    if options.list_cases:
        return print("\n".join(CASES))
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.cases:
            row = measure(name, options.rounds, options.binary, folder)
            print(f"{name:18} squidpy {row['squidpy_wall_s']:8.3f} s ({row['squidpy_cpu_s']:8.3f} s of processor, "
                  f"{row['squidpy_extra_bytes'] / 2**20:7.0f} MiB)  ours {row['ours_wall_s']:8.4f} s "
                  f"({row['ours_cpu_s']:8.4f} s, {row['ours_extra_bytes'] / 2**20:5.0f} MiB)  "
                  f"ratio {row['wall_ratio']:6.1f} ({row['cpu_ratio']:6.1f})  load {row['load']:.1f}  apart {row['difference']:.1e}", flush=True)
            if options.out:
                with open(options.out, "a") as out:
                    out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
