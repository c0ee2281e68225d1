"""Times the calls of rapids-singlecell on the data that gpu-check has timed, and compares the answers; prints JSON.

usage: rapids.py FOLDER      with what `program --write FOLDER` left there

A library that cannot be imported is a sentence, not an error. Times are of whole calls on data that is on the device, by CUDA
events, median of five. What is compared, and what it may differ by:

- Scores, ratios and means: rapids-singlecell computes in float32, in an order that is not known. A sum of n terms then errs by
  n 2^-24 of the sum of their magnitudes at most; scores are quotients of such sums over cells, ratios and means of few, of integers.
  A distance that is a threshold within rounding would move a ratio by more; the positions that are timed have none.
- p-values of permutations: other permutations are drawn, so they are two samples. By Hoeffding's inequality all of m of them are
  within sqrt(ln(2 m / a) / n_perms) of each other in all but a = 1e-6 of the runs.
"""

import inspect
import json
import math
import sys
from pathlib import Path

# In units of n 2^-24: numerator and denominator of a score, and the mean that both take off; few sums of integers otherwise.
SCORES, FEW = 4.0, 64.0
ALARMS = 1e-6


def main():
    folder = Path(sys.argv[1])
    try:
        import anndata
        import cupy as cp
        import numpy as np
        import pandas as pd
        import rapids_singlecell as rsc
    except Exception as error:  # a missing driver library is no ImportError
        print(json.dumps(f"not run: {type(error).__name__}: {error}"))
        return

    def timed(call):
        times = []
        for _ in range(5):
            start, end = cp.cuda.Event(), cp.cuda.Event()
            start.record()
            call()
            end.record()
            end.synchronize()
            times.append(cp.cuda.get_elapsed_time(start, end))
        return sorted(times)[2]

    def index(labels):
        single = all(len(label) == 1 for label in labels)
        return pd.Index([label[0] for label in labels]) if single else pd.MultiIndex.from_tuples(map(tuple, labels))

    def stored(entry):
        values = np.fromfile(folder / entry["file"], "<f8").reshape(entry["shape"])
        if entry["rows"] is None:
            return values
        return pd.DataFrame(values, index(entry["rows"]), index(entry["columns"]))

    def values(table):
        """A table of numbers, dense: p-values of ligrec are sparse columns."""
        return np.asarray(table.astype(float) if hasattr(table, "astype") else table, float)

    def beside(ours, theirs, allowed):
        """How far two tables are apart; where both are undefined they are equal."""
        ours, theirs = values(ours), values(theirs)
        if ours.shape != theirs.shape:
            return {"agrees": False, "why": f"shape {theirs.shape}, expected {ours.shape}"}
        undefined = np.isnan(ours) & np.isnan(theirs)
        apart = np.where(undefined, 0.0, np.abs(ours - theirs))
        scale = np.where(undefined, 1.0, np.maximum(1.0, np.abs(ours)))
        worst = float(np.max(apart / scale, initial=0.0))
        one_sided = int(np.isnan(apart).sum())
        agrees = one_sided == 0 and worst <= allowed
        return {"largest": None if math.isnan(worst) else worst, "allowed": allowed, "undefined in one": one_sided, "agrees": agrees}

    def pvalues(ours, theirs, n_perms):
        number = max(1, values(ours).size)
        return beside(ours, theirs, math.sqrt(math.log(2 * number / ALARMS) / n_perms))

    def autocorr(case, answer, n):
        ours = stored(case["answers"][0])
        theirs = answer.loc[ours.index]
        found = {"I": beside(ours["I"], theirs["I"], SCORES * n * 2**-24)}
        if "n_perms" in case["params"]:
            found["pval_sim"] = pvalues(ours["pval_sim"], theirs["pval_sim"], case["params"]["n_perms"])
        return found

    def co_occurrence(case, answer, n):
        return {"occ": beside(stored(case["answers"][0]), answer[0], FEW * 2**-24)}

    def ligrec(case, answer, n):
        found = {}
        for entry in case["answers"]:
            name, ours = entry["name"], stored(entry)
            if name in ("means", "pvalues"):
                theirs = answer[name].loc[ours.index, ours.columns]
                n_perms = case["params"]["n_perms"]
                found[name] = beside(ours, theirs, FEW * 2**-24) if name == "means" else pvalues(ours, theirs, n_perms)
        return found

    compare = {"spatial_autocorr": autocorr, "co_occurrence": co_occurrence, "ligrec": ligrec}

    def run(case):
        data = anndata.read_h5ad(folder / case["data"])
        function = getattr(rsc.gr, case["function"])
        params = dict(case["params"])
        if "interactions" in params:
            params["interactions"] = pd.DataFrame(params["interactions"])
        if "interval" in params:
            params["interval"] = np.asarray(params["interval"])
        signature = inspect.signature(function).parameters
        takes_all = any(known.kind is known.VAR_KEYWORD for known in signature.values())
        params = {name: value for name, value in params.items() if takes_all or name in signature}
        if case["function"] == "spatial_autocorr":
            rsc.get.anndata_to_GPU(data)
        # rapids-singlecell writes into the interactions that it is given.
        again = {name: value.copy() if hasattr(value, "copy") else value for name, value in params.items()}
        answer = function(data, **again)
        return {
            "ms": timed(lambda: function(data, **params)),
            "left out": sorted(set(case["params"]) - set(params)),
            "answers": compare[case["function"]](case, answer, data.n_obs),
        }

    table = {"version": rsc.__version__}
    for case in json.loads((folder / "index.json").read_text()):
        try:
            table[case["name"]] = run(case)
        except Exception as error:
            table[case["name"]] = f"not run: {type(error).__name__}: {error}"
    print(json.dumps(table))


if __name__ == "__main__":
    main()
