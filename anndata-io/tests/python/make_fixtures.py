"""Make the files in ../data with the real anndata, and what they hold as JSON.

    python make_fixtures.py            (anndata 0.13, pandas 3, scipy, h5py, numpy)

The JSON is the form of `dispatch::json`, made here from the objects in memory and, for what anndata
changes when it writes (scalars, lists, F order), from what anndata itself reads back. Nothing of it
passes through the Rust code. The files are the same on every run but for h5py's own padding.
"""

import json
import warnings
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp

warnings.filterwarnings("ignore")
DATA = Path(__file__).resolve().parent.parent / "data"


# --- objects to JSON -------------------------------------------------------------------------------
def number(x):
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if isinstance(x, (int, np.integer)):
        return int(x)
    x = float(x)
    if np.isnan(x):
        return "NaN"
    if np.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    return x


def array(a, nullable=False):
    if a.dtype.kind in "OTU":
        data = [None if x is None or x is pd.NA or x != x else str(x) for x in a.ravel()]
        out = {"t": "array", "dtype": "str", "shape": list(a.shape), "data": data}
        return out | ({"nullable": True} if nullable else {})
    data = [number(x) for x in np.ascontiguousarray(a).ravel()]
    return {"t": "array", "dtype": a.dtype.newbyteorder("=").name, "shape": list(a.shape), "data": data}


def column(c):
    """A column or an index: what pandas holds."""
    if isinstance(c, pd.Categorical):
        categories = c.categories._values
        # anndata writes categories through to_numpy: never nullable.
        plain = array(np.asarray(categories, dtype=object if categories.dtype.kind not in "iufb" else None))
        return {"t": "categorical", "categories": plain, "codes": [int(x) for x in c.codes],
                "ordered": bool(c.ordered)}
    if isinstance(c, (pd.arrays.IntegerArray, pd.arrays.BooleanArray)):
        return {"t": "masked", "values": array(c.to_numpy(na_value=0, dtype=c.dtype.numpy_dtype)),
                "mask": [bool(x) for x in c.isna()]}
    if isinstance(c.dtype, pd.StringDtype):
        return array(np.asarray(c, dtype=object), nullable=True)
    return array(np.asarray(c))


def frame(df):
    def index(i, name):
        return column(i._values) | {"name": name}

    names = {"t": "array", "dtype": "str", "shape": [df.shape[1]], "data": list(df.columns), "name": None}
    return {"t": "dataframe", "index": index(df.index, df.index.name), "column_index": names,
            "columns": [column(df[c]._values) for c in df.columns]}


def value(v):
    if isinstance(v, ad.AnnData):
        return {"t": "anndata", "items": slots(v)}
    if isinstance(v, dict) or hasattr(v, "items") and not isinstance(v, (pd.DataFrame, sp.spmatrix, sp.sparray)):
        return {"t": "dict", "items": {k: value(x) for k, x in v.items()}}
    if isinstance(v, pd.DataFrame):
        return frame(v)
    if sp.issparse(v):
        return {"t": v.format, "dtype": v.dtype.name, "shape": list(v.shape),
                "index_dtype": v.indices.dtype.name, "indptr": v.indptr.tolist(),
                "indices": v.indices.tolist(), "data": [number(x) for x in v.data]}
    if isinstance(v, np.ndarray):
        return array(v)
    if isinstance(v, float):
        return v if np.isfinite(v) else {"t": "float", "value": number(v)}
    if v is None or isinstance(v, (bool, int, str)):
        return v
    if isinstance(v, pd.api.extensions.ExtensionArray):
        return column(v)
    raise TypeError(type(v))


def slots(a):
    out = {"X": value(a.X), "obs": frame(a.obs), "var": frame(a.var), "uns": value(dict(a.uns))}
    for name in ("layers", "obsm", "varm", "obsp", "varp"):
        out[name] = value({k: x for k, x in getattr(a, name).items() if k is not None})
    if a.X is None:
        del out["X"]
    if a.raw is not None:
        items = {"X": value(a.raw.X), "var": frame(a.raw.var), "varm": value(dict(a.raw.varm))}
        out["raw"] = {"t": "dict", "items": items}
    return out


# --- the files -------------------------------------------------------------------------------------
RNG = np.random.default_rng(20)


def names(prefix, n):
    return [f"{prefix}{i}" for i in range(n)]


def every_slot():
    """Every slot and every encoding that concord reads."""
    n, g = 7, 5
    x = sp.random(n, g, density=0.5, format="csr", dtype=np.float32, rng=RNG)
    obs = pd.DataFrame(
        {
            "cluster": pd.Categorical(["b", "a", None, "b", "c", "a", "b"], categories=["c", "b", "a", "unused"]),
            "grade": pd.Categorical(["lo", "hi"] * 3 + ["lo"], categories=["lo", "mid", "hi"], ordered=True),
            "batch": pd.Categorical([3.5, 1, 3.5, np.nan, 1, 3.5, 1]),
            "count": np.arange(n, dtype=np.int32),
            "score": np.array([0.1, np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e300]),
            "kept": np.arange(n) % 2 == 0,
            "note": ["é", "", "日本", "a b", "x\ny", "'", '"'],
            "missing": pd.array(["x", None, "z", "", None, "y", "w"], dtype="str"),
            "int": pd.array([1, None, 3, -4, None, 2**62, 0], dtype="Int64"),
            "byte": pd.array([1, None, 255, 0, 1, 2, 3], dtype="UInt8"),
            "flag": pd.array([True, None, False, None, True, True, False], dtype="boolean"),
        },
        index=names("cell", n),
    )
    var = pd.DataFrame({"n": np.arange(g), "x": np.arange(g) * 0.5}, index=pd.Index(names("gene", g), name="symbol"))
    w = sp.random(n, n, density=0.3, format="csr", dtype=np.float64, rng=RNG)
    unsorted = sp.csr_matrix((np.array([1, 2, 3, 0], np.int16), np.array([4, 1, 1, 0]), np.array([0, 3, 3, 4, 4, 4, 4, 4])), shape=(n, n))
    wide = w.tocsc()
    wide.indices, wide.indptr = wide.indices.astype(np.int64), wide.indptr.astype(np.int64)
    a = ad.AnnData(
        x, obs=obs, var=var,
        layers={"csc": sp.csc_matrix(x.astype(np.float64)), "fortran": np.asfortranarray(x.toarray()), "bool": sp.csr_matrix(x > 0)},
        obsm={"spatial": RNG.random((n, 2)) * 100, "cube": np.arange(n * 6, dtype=np.uint16).reshape(n, 2, 3),
              "frame": pd.DataFrame({"u": np.arange(n) * 1.5, "v": ["p", "q"] * 3 + ["p"]}, index=obs.index), "sparse": sp.csr_matrix(RNG.random((n, 3)))},
        varm={"pcs": RNG.random((g, 2)).astype(np.float32)},
        obsp={"connectivities": w, "unsorted": unsorted, "wide": wide},
        varp={"dense": np.eye(g)},
    )
    a.raw = ad.AnnData(sp.csc_matrix(np.arange(n * 3, dtype=np.float32).reshape(n, 3)), obs=obs[[]],
                       var=pd.DataFrame({"old": [True, False, True]}, index=names("raw", 3)))
    kinds = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "bool"]
    a.uns = {
        "arrays": {k: np.array([0, 1, 100], dtype=k) for k in kinds} | {
            "top": np.array([2**64 - 1], np.uint64), "half": np.array([np.nan, np.inf, -0.0, 6e-8], np.float16),
            "big_endian": np.arange(3, dtype=">f8"), "empty": np.zeros((0, 3)), "no_text": np.array([], dtype=object),
            "words": np.array([["a", "b"], ["c", "日"]], dtype=object)},
        "scalars": {"int": 3, "negative": -(2**63), "float": 0.1, "nan": float("nan"), "inf": float("inf"), "bool": True, "text": "naïve", "empty": "",
                    "none": None, "f32": np.float32(0.1), "u8": np.uint8(7), "u64": np.uint64(2**63 - 1), "zero_d": np.array(5, np.int16)},
        "list": ["x", "y"], "deep": {"er": {"est": {"k": 1}}, "empty": {}},
        "moranI": pd.DataFrame({"I": [0.5, np.nan], "n": [1, 2]}, index=["g1", "g2"]),
        "ranged": pd.DataFrame({"a": [1.0, 2.0, 3.0]}),
        "nested": ad.AnnData(np.eye(2, dtype=np.float32)),
    }
    return a


def empty(n, g):
    x = sp.csr_matrix((n, g), dtype=np.float32)
    return ad.AnnData(x, obs=pd.DataFrame(index=names("c", n)), var=pd.DataFrame(index=names("g", g)))


def plain():
    """Older marks: string-array names."""
    a = ad.AnnData(RNG.integers(0, 9, (40, 6)).astype(np.float64), obs=pd.DataFrame(index=names("c", 40)))
    a.obs["cluster"] = pd.Categorical(np.array(["x", "y"])[np.arange(40) % 2])
    a.obsm["spatial"] = RNG.integers(0, 50, (40, 2))
    return a


def unknown():
    """Things that concord has no value for, beside some it has."""
    a = ad.AnnData(np.ones((3, 2), np.float32))
    a.obs["before"] = [1, 2, 3]
    a.obs["complex"] = np.array([1j, 2, 3])
    a.obs["after"] = [4.0, 5.0, 6.0]
    a.uns["record"] = np.rec.fromarrays([np.array([1.0, 2.0], np.float32), np.array([1, 2])], names=["a", "b"])
    a.uns["pointers"] = np.rec.fromarrays([np.array(["a", "b"], dtype=object)], names=["name"])
    a.uns["bytes"] = np.array([b"ab", b"c"])
    a.uns["kept"] = {"c64": np.array([1 + 2j], np.complex64), "number": 1}
    return a


def write(name, a, strings=True, expected=True, **kwargs):
    path = DATA / f"{name}.h5ad"
    with ad.settings.override(allow_write_nullable_strings=strings):
        a.write_h5ad(path, **kwargs)
    if expected:
        back = ad.read_h5ad(path)
        # What is in memory, but `uns` as anndata hands it out after writing. (A copy would narrow indices.)
        a.uns = back.uns
        out = slots(a)
        if not strings:
            out = json.loads(json.dumps(out).replace(', "nullable": true', ""))
        (DATA / f"{name}.json").write_text(json.dumps({"t": "anndata", "items": out}, ensure_ascii=False) + "\n")


def old_frames(path):
    """What AnnData 0.7 wrote: frames 0.1.0 with a group of categories, unmarked arrays."""
    with h5py.File(path, "w") as f:
        def frame(name, index, columns, categories):
            g = f.create_group(name)
            g.attrs["encoding-type"], g.attrs["encoding-version"] = "dataframe", "0.1.0"
            g.attrs["_index"] = "_index"
            g.attrs["column-order"] = np.array(columns, dtype=object) if columns else np.array([])
            g.create_dataset("_index", data=np.array(index, dtype=object), dtype=h5py.string_dtype())
            for c, (labels, codes, ordered) in categories.items():
                d = g.require_group("__categories").create_dataset(c, data=np.array(labels, dtype=object), dtype=h5py.string_dtype())
                d.attrs["ordered"] = ordered
                g.create_dataset(c, data=np.array(codes, np.int8)).attrs["categories"] = d.ref
            return g

        f["X"] = np.arange(6, dtype=np.float32).reshape(3, 2)
        frame("obs", ["c0", "c1", "c2"], ["kind", "n", "a/b"], {"kind": (["u", "v"], [1, -1, 0], True)})
        f["obs/n"], f["obs/a/b"] = np.arange(3), np.arange(3) * 0.5
        frame("var", ["g0", "g1"], [], {})
        layer = f.create_group("layers/sparse")
        layer.attrs["h5sparse_format"], layer.attrs["h5sparse_shape"] = "csr", np.array([3, 2])
        for part, data in {"data": [1.0, 2.0], "indices": np.array([1, 0], np.int32), "indptr": np.array([0, 1, 1, 2], np.int32)}.items():
            layer[part] = data
        f["uns/title"] = "old"
        f["uns/fixed"] = np.array([b"ab", b"c"])
    back = ad.read_h5ad(path)
    out = slots(back)
    # The index was read as text that is not nullable, whatever pandas makes of it.
    out = json.loads(json.dumps(out).replace(', "nullable": true', ""))
    path.with_suffix(".json").write_text(json.dumps({"t": "anndata", "items": out}, ensure_ascii=False) + "\n")


def packed(path):
    """One array with each packing that h5py has built in."""
    write("packed", plain(), strings=False, compression="gzip")
    with h5py.File(path, "r+") as f:
        for name, packing in {"X": {"compression": "lzf", "chunks": (7, 6)}, "obsm/spatial": {"compression": "gzip", "shuffle": True, "fletcher32": True}}.items():
            data, marks = f[name][()], dict(f[name].attrs)
            del f[name]
            f.create_dataset(name, data=data, **packing).attrs.update(marks)


def zstd(path):
    """The chunk is not really there: the reader must stop at the number of the filter."""
    with h5py.File(path, "w") as f:
        space, dcpl = h5py.h5s.create_simple((2, 2)), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        dcpl.set_chunk((2, 2))
        dcpl.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        h5py.h5d.create(f.id, b"X", h5py.h5t.IEEE_F32LE, space, dcpl)
        f["X"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


def main():
    DATA.mkdir(exist_ok=True)
    write("every_slot", every_slot())
    write("empty_0x3", empty(0, 3))
    write("unknown", unknown(), expected=False)
    packed(DATA / "packed.h5ad")
    old_frames(DATA / "old_0_7.h5ad")
    zstd(DATA / "zstd.h5ad")


if __name__ == "__main__":
    main()
