"""Times the kernels of rapids-singlecell, as JSON, on data of the sizes that gpu-check times.

The numbers are drawn anew: same shapes, densities and graph degree, not the same values. A library that cannot be imported
is a sentence, not an error. Times are of whole calls on data that is on the device, by CUDA events, median of five.
"""

import json
import sys


def main():
    try:
        import anndata
        import cupy as cp
        import numpy as np
        import rapids_singlecell as rsc
        import scipy.sparse as sp
    except Exception as error:  # a missing driver library is no ImportError
        print(json.dumps(f"not run: {type(error).__name__}: {error}"))
        return
    full = "--full" in sys.argv
    rng = np.random.default_rng(0)

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

    def clustered(n, k):
        obs = {"cluster": np.array([f"k{i}" for i in rng.integers(0, k, n)])}
        data = anndata.AnnData(np.zeros((n, 1), np.float32), obs=obs)
        data.obs["cluster"] = data.obs["cluster"].astype("category")
        return data

    def autocorr():
        n, genes = (100_000, 2000) if full else (600, 20)
        x = sp.random(n, genes, 0.3, format="csr", dtype=np.float32, random_state=rng)
        rows = np.repeat(np.arange(n), 3)
        graph = sp.csr_matrix((np.ones(3 * n), (rows, rng.integers(0, n, 3 * n))), (n, n))
        data = anndata.AnnData(x, obsp={"spatial_connectivities": graph})
        rsc.get.anndata_to_GPU(data)
        return timed(lambda: rsc.gr.spatial_autocorr(data, mode="moran", transformation=False))

    def co_occurrence():
        n, k = (50_000, 30) if full else (600, 3)
        data = clustered(n, k)
        data.obsm["spatial"] = (rng.random((n, 2)) * 10).astype(np.float32)
        interval = np.linspace(0, 12, 51)
        return timed(lambda: rsc.gr.co_occurrence(data, "cluster", interval=interval))

    def ligrec():
        n, genes, k = (50_000, 45, 20) if full else (300, 6, 4)
        data = clustered(n, k)
        counts = rng.poisson(0.8, (n, genes)).astype(np.float32)
        data = anndata.AnnData(counts, obs=data.obs)
        data.var_names = [f"G{g}" for g in range(genes)]
        names = list(data.var_names)
        pairs = [(a, b) for a in names for b in names]
        n_perms = 1000 if full else 64
        call = lambda: rsc.gr.ligrec(
            data, "cluster", interactions=pairs, use_raw=False, n_perms=n_perms, copy=True
        )
        return timed(call)

    table = {"version": rsc.__version__}
    for case in (autocorr, co_occurrence, ligrec):
        try:
            table[case.__name__ + " ms"] = case()
        except Exception as error:
            table[case.__name__ + " ms"] = f"not run: {type(error).__name__}: {error}"
    print(json.dumps(table))


if __name__ == "__main__":
    main()
