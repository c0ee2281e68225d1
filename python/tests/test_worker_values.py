"""Values survive the way to Python and back, and an AnnData shows what a call did to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
sp = pytest.importorskip("scipy.sparse")
anndata = pytest.importorskip("anndata")

from concord_worker.slots import build, fingerprint, fingerprints, tree, written  # noqa: E402
from concord_worker.values import NoForm, Reader, Writer  # noqa: E402


def there_and_back(value: Any) -> Any:
    writer = Writer()
    text = json.dumps(writer.value(value), allow_nan=False)
    return Reader(memoryview(bytes(writer.block))).value(json.loads(text))


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -(2**63),
        0.1,
        -0.0,
        float("inf"),
        "é",
        [1, [2.5, "x"]],
        (1, (2,)),
        {"a": {"b": ()}},
    ],
)
def test_plain_values(value: Any) -> None:
    back = there_and_back(value)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint64", "float16", "float32", "float64", ">f4"]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0)])
def test_arrays_keep_dtype_shape_and_bits(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    back = there_and_back(array)
    assert back.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(back, array)


def test_memory_order_is_kept() -> None:
    assert there_and_back(np.ones((2, 3), order="F")).flags.f_contiguous
    assert there_and_back(np.ones((2, 3))).flags.c_contiguous


def test_a_matrix_stays_unsorted_with_its_duplicates() -> None:
    matrix = sp.csr_matrix(
        (np.array([1, 2, 3], "f4"), np.array([1, 0, 0], "i4"), np.array([0, 2, 3], "i4")), (2, 2)
    )
    back = there_and_back(matrix)
    assert back.indices.tolist() == [1, 0, 0]
    assert (back.dtype, back.indices.dtype) == (np.float32, np.int32)


def test_frames_keep_labels_dtypes_and_categories() -> None:
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["b", None, "a"], categories=["z", "b", "a"], ordered=True),
            "n": pd.array([1, None, 3], dtype="Int8"),
            "f": np.array([1.5, np.nan, 2], "f4"),
            "s": ["x", "y", "z"],
        },
        index=pd.Index(["r0", "r1", "r2"], name="rows"),
    )
    pd.testing.assert_frame_equal(there_and_back(frame), frame, check_column_type=False)
    frame.index = pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["x", None])
    pd.testing.assert_index_equal(there_and_back(frame).index, frame.index)


def test_what_has_no_form_says_so() -> None:
    for value in (object(), 1 << 70, np.array([1j])):
        with pytest.raises(NoForm):
            there_and_back(value)
    with pytest.raises(NoForm, match="outside the block"):
        Reader(memoryview(b"")).value(
            {"t": "array", "dtype": "int8", "shape": [1], "data": {"at": 0, "bytes": 1}}
        )


@pytest.fixture
def adata() -> Any:
    found = anndata.AnnData(
        X=np.arange(6, dtype="f4").reshape(3, 2),
        obs=pd.DataFrame({"k": pd.Categorical(["a", "b", "a"])}, index=["c0", "c1", "c2"]),
        var=pd.DataFrame(index=["g0", "g1"]),
        obsm={"spatial": np.zeros((3, 2))},
        obsp={"g": sp.eye(3, format="csr")},
        uns={"old": {"deep": 1}},
    )
    found.raw = found.copy()
    return found


def test_an_anndata_is_built_again_with_every_slot(adata: Any) -> None:
    back = there_and_back(adata)
    assert fingerprints(back) == fingerprints(adata)
    assert {"X", "obs/k", "obsm/spatial", "obsp/g", "uns/old/deep", "raw/X"} <= set(
        fingerprints(back)
    )


def test_an_empty_anndata_is_built() -> None:
    assert build({}).shape == (0, 0)


def test_what_a_call_wrote_is_told_from_what_it_changed(adata: Any) -> None:
    before = fingerprints(adata)
    assert written(adata, before) == ({}, [])
    adata.uns["old"]["deep"] = 2
    adata.uns["new"] = {"table": pd.DataFrame({"x": [1.0]})}
    adata.obs["fresh"] = [1, 2, 3]
    adata.X[0, 0] = 9
    adata.obsp["g"].data[0] = 7
    new, changed = written(adata, before)
    assert changed == ["X", "obsp/g"]
    assert set(new) == {"uns", "obs"}
    assert new["uns"]["old"] == {"deep": 2}
    assert list(new["uns"]["new"]) == ["table"]
    assert list(new["obs"]["fresh"]) == [1, 2, 3]


def test_a_slot_that_was_removed_was_changed(adata: Any) -> None:
    before = fingerprints(adata)
    del adata.obsm["spatial"]
    assert written(adata, before) == ({}, ["obsm/spatial"])


def test_an_object_without_a_form_is_an_input_like_any_other() -> None:
    assert fingerprint(object()) == fingerprint(object())
    assert tree(build({"uns": {"x": 1}}))["uns"] == {"x": 1}
