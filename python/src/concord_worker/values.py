"""Values in the JSON form of `dispatch::json`, their numbers in a block beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

DTYPES = frozenset(
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
    ]
)
_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
# Labels as pandas holds them: one call after the other has the same, and to build and check them takes longest.
_KNOWN: dict[tuple[str, ...], pd.Index] = {}
_MOST_KNOWN, _MOST_LABELS = 256, 4096


class NoForm(Exception):
    """A value that has no form in the protocol."""


class Reader:
    """Reads the values of one frame."""

    def __init__(self, block: memoryview) -> None:
        self._block = block
        self._tags: dict[str, Callable[[dict[str, Any]], Any]] = {
            "float": lambda json: _float(json["value"]),
            "tuple": lambda json: tuple(map(self.value, json["items"])),
            "dict": lambda json: self.mapping(json["items"]),
            "np.int64": lambda json: np.int64(json["value"]),
            "array": self._array,
            "masked": self._masked,
            "csr": self._sparse,
            "csc": self._sparse,
            "categorical": self._categorical,
            "dataframe": self._frame,
            "anndata": self._anndata,
        }

    def value(self, json: Any) -> Any:
        """The Python object of a JSON form."""
        if isinstance(json, list):
            return [self.value(item) for item in json]
        if isinstance(json, dict):
            if json.get("t") not in self._tags:
                raise NoForm(f"unknown tag {json.get('t')!r}")
            return self._tags[json["t"]](json)
        return json

    def mapping(self, json: Mapping[str, Any]) -> dict[str, Any]:
        """A mapping without a tag."""
        return {name: self.value(value) for name, value in json.items()}

    def _numbers(self, json: Any, dtype: str) -> np.ndarray:
        if dtype not in DTYPES:
            raise NoForm(f"unknown dtype {dtype!r}")
        if isinstance(json, dict):
            at, length = json["at"], json["bytes"]
            part = self._block[at : at + length]
            if at < 0 or len(part) != length:
                raise NoForm(f"{length} bytes from {at} lie outside the block")
            # A copy: a library may write into its input.
            return np.frombuffer(part, np.dtype(dtype).newbyteorder("<")).astype(dtype, copy=True)
        if dtype.startswith("float"):
            json = [_float(item) for item in json]
        return np.array(json, dtype=dtype)

    def _array(self, json: dict[str, Any]) -> Any:
        if json["dtype"] == "str":
            if json.get("nullable"):
                return pd.array(json["data"], dtype="string")
            return np.array(json["data"], dtype=object).reshape(json["shape"])
        array = self._numbers(json["data"], json["dtype"]).reshape(json["shape"])
        if json.get("order") == "F":
            array = np.asfortranarray(array)
        return array[()] if array.ndim == 0 else array

    def _masked(self, json: dict[str, Any]) -> Any:
        values, mask = self._array(json["values"]), self._numbers(json["mask"], "bool")
        if values.dtype == np.bool_:
            return pd.arrays.BooleanArray(values, mask)
        return pd.arrays.IntegerArray(values, mask)

    def _sparse(self, json: dict[str, Any]) -> Any:
        indices = json.get("index_dtype", "int32")
        parts = (
            self._numbers(json["data"], json["dtype"]),
            self._numbers(json["indices"], indices),
            self._numbers(json["indptr"], json.get("indptr_dtype", indices)),
        )
        shape = tuple(json["shape"])
        return (sp.csr_matrix if json["t"] == "csr" else sp.csc_matrix)(parts, shape=shape)

    def _categorical(self, json: dict[str, Any]) -> pd.Categorical:
        codes = self._numbers(json["codes"], "int32")
        categories = self._labels(json["categories"])
        return pd.Categorical.from_codes(codes, categories, ordered=json["ordered"])

    def _index(self, json: dict[str, Any]) -> pd.Index:
        if json["t"] == "multiindex":
            levels = (
                zip(*json["tuples"], strict=True) if json["tuples"] else [[]] * len(json["names"])
            )
            return pd.MultiIndex.from_arrays([list(level) for level in levels], names=json["names"])
        # A new object: whoever names it names no other.
        named: pd.Index = self._labels(json).rename(json.get("name"))
        return named

    def _labels(self, json: dict[str, Any]) -> pd.Index:
        if json.get("dtype") != "str" or json.get("nullable"):
            plain: pd.Index = pd.Index(self.value(json))
            return plain
        labels = tuple(json["data"])
        if (known := _KNOWN.get(labels)) is not None:
            return known
        index: pd.Index = pd.Index(self.value(json))
        # An array of objects could be written into.
        if index.dtype != object and len(labels) <= _MOST_LABELS:
            if len(_KNOWN) >= _MOST_KNOWN:
                _KNOWN.clear()
            _KNOWN[labels] = index
        return index

    def _frame(self, json: dict[str, Any]) -> pd.DataFrame:
        index = self._index(json["index"])
        columns = [self.value(column) for column in json["columns"]]
        frame = pd.DataFrame(dict(enumerate(columns)), index=index)
        frame.columns = self._index(json["column_index"])
        return frame

    def _anndata(self, json: dict[str, Any]) -> Any:
        from concord_worker.slots import build

        return build(self.mapping(json["items"]))


class Writer:
    """Writes values; their numbers gather in `block`."""

    def __init__(self) -> None:
        self.block = bytearray()

    def value(self, value: Any) -> Any:
        """The JSON form of a Python object; raises NoForm for what has none."""
        if value is None or value is pd.NA or value is pd.NaT:
            return None
        match value:
            case bool() | str():
                return value if type(value) is bool else str(value)
            case np.generic():
                return self._dense(np.asarray(value))
            case int():
                if not -(2**63) <= value < 2**63:
                    raise NoForm(f"{value} is beyond 64 bits")
                return int(value)
            case float():
                return (
                    float(value) if math.isfinite(value) else {"t": "float", "value": _named(value)}
                )
            case list():
                return [self.value(item) for item in value]
            case tuple():
                return {"t": "tuple", "items": [self.value(item) for item in value]}
            case Mapping():
                return {"t": "dict", "items": self.mapping(value)}
            case np.ndarray():
                return self._dense(value)
            case pd.DataFrame():
                return self._frame(value)
            case pd.Series():
                index, values = self._index(value.index), self._column(value.array)
                return {"t": "series", "index": index, "values": values}
            case pd.Index() if not isinstance(value, pd.MultiIndex):
                return self._column(value.array)
            case pd.api.extensions.ExtensionArray():
                return self._column(value)
        return self._foreign(value)

    def mapping(self, values: Mapping[Any, Any]) -> dict[str, Any]:
        """A mapping without a tag."""
        return {str(name): self.value(value) for name, value in values.items()}

    def _foreign(self, value: Any) -> Any:
        if sp.issparse(value):
            return self._sparse(value)
        if hasattr(value, "obs_names") and hasattr(value, "uns"):
            from concord_worker.slots import tree

            return {"t": "anndata", "items": self.mapping(tree(value))}
        # Arrays of CuPy and matrices of its sparse module.
        if type(value).__module__.split(".")[0] in ("cupy", "cupyx") and hasattr(value, "get"):
            return self.value(value.get())
        raise NoForm(f"a {type(value).__module__}.{type(value).__qualname__} has no form")

    def _place(self, array: np.ndarray) -> dict[str, int]:
        self.block.extend(bytes(-len(self.block) % 8))
        at = len(self.block)
        self.block += np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        return {"at": at, "bytes": len(self.block) - at}

    def _dense(self, array: np.ndarray) -> Any:
        if array.dtype.kind in "OSU" or array.dtype.kind == "T":
            return self._text(array)
        name = array.dtype.newbyteorder("=").name
        if name not in DTYPES:
            raise NoForm(f"an array of {array.dtype} has no form")
        json = {"t": "array", "dtype": name, "shape": list(array.shape), "data": self._place(array)}
        if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
            json["order"] = "F"
        return json

    def _text(self, array: np.ndarray) -> Any:
        cells = array.ravel().tolist()
        # Labels are looked at a thousand times a second; nearly all are text and nothing else.
        if not set(map(type, cells)) <= {str}:
            cells = [_cell(item) for item in cells]
        if set(map(type, cells)) <= {str, NoneType}:
            return {"t": "array", "dtype": "str", "shape": list(array.shape), "data": cells}
        inferred = np.array(array.tolist())
        if inferred.dtype.kind in "OSU" or inferred.shape != array.shape:
            raise NoForm("an array of objects of several types has no form")
        return self._dense(inferred)

    def _sparse(self, matrix: Any) -> Any:
        if matrix.format not in ("csr", "csc"):
            matrix = matrix.tocsr()
        json = {
            "t": matrix.format,
            "dtype": matrix.data.dtype.name,
            "shape": list(matrix.shape),
            "index_dtype": matrix.indices.dtype.name,
            "indptr": self._place(matrix.indptr),
            "indices": self._place(matrix.indices),
            "data": self._place(matrix.data),
        }
        if matrix.indptr.dtype != matrix.indices.dtype:
            json["indptr_dtype"] = matrix.indptr.dtype.name
        if json["dtype"] not in DTYPES:
            raise NoForm(f"a matrix of {json['dtype']} has no form")
        return json

    def _column(self, array: Any) -> Any:
        if isinstance(array, pd.Categorical):
            return {
                "t": "categorical",
                "categories": self._column(array.categories.array),
                "codes": self._place(array.codes.astype(np.int32)),
                "ordered": bool(array.ordered),
            }
        if isinstance(array, pd.arrays.IntegerArray | pd.arrays.BooleanArray):
            dtype: Any = array.dtype
            values = array.to_numpy(dtype.numpy_dtype, na_value=0)
            mask = self._place(np.asarray(array.isna()))
            return {"t": "masked", "values": self._dense(values), "mask": mask}
        if isinstance(array.dtype, pd.StringDtype):
            json = self._text(np.asarray(array, dtype=object))
            return json | ({"nullable": True} if array.dtype.na_value is pd.NA else {})
        return self._dense(np.asarray(array))

    def _index(self, index: pd.Index) -> Any:
        if isinstance(index, pd.MultiIndex):
            tuples = [[_cell(item) for item in row] for row in index.tolist()]
            return {"t": "multiindex", "names": [_name(n) for n in index.names], "tuples": tuples}
        return self._column(index.array) | {"name": _name(index.name)}

    def _frame(self, frame: pd.DataFrame) -> Any:
        return {
            "t": "dataframe",
            "index": self._index(frame.index),
            "column_index": self._index(frame.columns),
            "columns": [self._column(frame.iloc[:, i].array) for i in range(frame.shape[1])],
        }


def _float(json: Any) -> float:
    return _FLOATS[json] if isinstance(json, str) else float(json)


def _named(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def _name(name: object) -> str | None:
    return None if name is None else str(name)


def _cell(item: Any) -> Any:
    """A label or an entry of an array of objects; missing is None."""
    if item is None or item is pd.NA or (isinstance(item, float) and item != item):
        return None
    return item.item() if isinstance(item, np.generic) else item
