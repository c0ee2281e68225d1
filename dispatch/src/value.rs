//! The closed set of things that cross the boundary between a caller and a backend.
//!
//! Scalars and containers follow Python (a list and a tuple are different arguments to squidpy's
//! `ligrec`), arrays follow NumPy, SciPy and pandas. Nothing here knows what a value is for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Buffer, Dataset, Dtype, Frame, Sparse};

/// A mapping from text to values: a Python `dict` with string keys, or an AnnData group such as `uns`.
pub type Map = BTreeMap<String, Value>;

/// One value: an argument, a slot of an AnnData, or a part of an answer.
///
/// Equality is structural and bitwise: `1` differs from `1.0`, NaN equals itself.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// Python's `None`.
    #[default]
    None,
    /// A Python `bool`.
    Bool(bool),
    /// A Python `int` of at most 64 bits.
    Int(i64),
    /// A Python `float`.
    Float(f64),
    /// A Python `str`.
    Text(String),
    /// A Python `list`.
    List(Vec<Value>),
    /// A Python `tuple`.
    Tuple(Vec<Value>),
    /// A Python `dict` with string keys.
    Map(Map),
    /// A NumPy array; shape `[]` is a NumPy scalar such as `np.int64(5)`.
    Dense(Dense),
    /// An array of strings, possibly with missing entries.
    Strings(Strings),
    /// A pandas nullable integer or boolean column.
    Masked(Masked),
    /// A compressed sparse matrix.
    Sparse(Sparse),
    /// A pandas categorical.
    Categorical(Categorical),
    /// A pandas data frame.
    Frame(Frame),
    /// An AnnData object passed as an argument.
    Data(Arc<Dataset>),
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::None, Value::None) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Dense(a), Value::Dense(b)) => a == b,
            (Value::Strings(a), Value::Strings(b)) => a == b,
            (Value::Masked(a), Value::Masked(b)) => a == b,
            (Value::Sparse(a), Value::Sparse(b)) => a == b,
            (Value::Categorical(a), Value::Categorical(b)) => a == b,
            (Value::Frame(a), Value::Frame(b)) => a == b,
            (Value::Data(a), Value::Data(b)) => a == b,
            _ => false,
        }
    }
}

impl Value {
    /// What Python would call the type: `int`, `str`, `ndarray`, `csr_matrix`, `DataFrame` ...
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::None => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Text(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Map(_) => "dict",
            Value::Dense(d) if d.shape.is_empty() => "numpy scalar",
            Value::Dense(_) | Value::Strings(_) => "ndarray",
            Value::Masked(_) => "masked array",
            Value::Sparse(s) => match s.format {
                crate::Format::Csr => "csr_matrix",
                crate::Format::Csc => "csc_matrix",
            },
            Value::Categorical(_) => "Categorical",
            Value::Frame(_) => "DataFrame",
            Value::Data(_) => "AnnData",
        }
    }

    /// The text, if this is a `str`.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The number, if this is an `int` or `float` (not a `bool`, not a NumPy scalar).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(i) => Some(*i as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// Length along the first axis: list items, array rows, frame rows; `None` for scalars.
    pub fn len(&self) -> Option<usize> {
        match self {
            Value::List(v) | Value::Tuple(v) => Some(v.len()),
            Value::Map(m) => Some(m.len()),
            Value::Dense(d) => d.shape.first().copied(),
            Value::Strings(s) => s.shape.first().copied(),
            Value::Masked(m) => m.values.shape.first().copied(),
            Value::Sparse(s) => Some(s.shape.0),
            Value::Categorical(c) => Some(c.codes.len()),
            Value::Frame(f) => Some(f.index.len()),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Data(_) => None,
        }
    }

    /// Whether [`Value::len`] is `Some(0)`.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The rows at `positions`, for values that have rows; scalars are returned unchanged.
    pub fn take_rows(&self, positions: &[usize]) -> Value {
        match self {
            Value::Dense(d) => Value::Dense(d.take_rows(positions)),
            Value::Strings(s) => Value::Strings(s.take_rows(positions)),
            Value::Masked(m) => Value::Masked(Masked {
                values: m.values.take_rows(positions),
                mask: positions.iter().map(|&i| m.mask[i]).collect(),
            }),
            Value::Sparse(s) => Value::Sparse(s.take(Some(positions), None)),
            Value::Categorical(c) => Value::Categorical(Categorical {
                codes: positions.iter().map(|&i| c.codes[i]).collect(),
                categories: c.categories.clone(),
                ordered: c.ordered,
            }),
            Value::Frame(f) => Value::Frame(f.take_rows(positions)),
            Value::List(v) => Value::List(positions.iter().map(|&i| v[i].clone()).collect()),
            Value::Tuple(v) => Value::Tuple(positions.iter().map(|&i| v[i].clone()).collect()),
            Value::None
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Float(_)
            | Value::Text(_)
            | Value::Map(_)
            | Value::Data(_) => self.clone(),
        }
    }

    /// The columns at `positions` of a matrix (dense with two axes, or sparse); anything else is returned unchanged.
    pub fn take_columns(&self, positions: &[usize]) -> Value {
        match self {
            Value::Dense(d) if d.shape.len() == 2 => Value::Dense(d.take_columns(positions)),
            Value::Sparse(s) => Value::Sparse(s.take(None, Some(positions))),
            other => other.clone(),
        }
    }
}

macro_rules! from {
    ($($ty:ty => $variant:ident),* $(,)?) => {$(
        impl From<$ty> for Value { fn from(v: $ty) -> Value { Value::$variant(v.into()) } }
    )*};
}
from! {
    bool => Bool, i64 => Int, f64 => Float, &str => Text, String => Text,
    Dense => Dense, Strings => Strings, Masked => Masked, Sparse => Sparse,
    Categorical => Categorical, Frame => Frame, Map => Map,
}

/// Memory order of a dense array.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Row-major: the last axis varies fastest.
    #[default]
    C,
    /// Column-major: the first axis varies fastest.
    F,
}

/// A dense array: shape, flat data and the order the data is in.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    /// Lengths of the axes; empty for a scalar.
    pub shape: Vec<usize>,
    /// The elements, `shape.iter().product()` of them, in `order`.
    pub data: Buffer,
    /// How `data` is laid out.
    pub order: Order,
}

impl Dense {
    /// A row-major array.
    ///
    /// # Panics
    /// When the number of elements is not the product of the shape.
    pub fn new(shape: Vec<usize>, data: impl Into<Buffer>) -> Dense {
        let data = data.into();
        assert_eq!(shape.iter().product::<usize>(), data.len(), "shape {shape:?} does not fit");
        Dense { shape, data, order: Order::C }
    }

    /// A one-dimensional array.
    pub fn vector(data: impl Into<Buffer>) -> Dense {
        let data = data.into();
        Dense { shape: vec![data.len()], data, order: Order::C }
    }

    /// The dtype of the elements.
    pub fn dtype(&self) -> Dtype {
        self.data.dtype()
    }

    /// The position in `data` of element (row, column) of a matrix.
    pub fn flat(&self, row: usize, column: usize) -> usize {
        match self.order {
            Order::C => row * self.shape[1] + column,
            Order::F => column * self.shape[0] + row,
        }
    }

    /// All elements as `f64`, row-major whatever the order of the array.
    pub fn to_f64(&self) -> Vec<f64> {
        match self.order {
            Order::C => self.data.to_f64(),
            Order::F => self.to_order(Order::C).data.to_f64(),
        }
    }

    /// The same array laid out in another order.
    pub fn to_order(&self, order: Order) -> Dense {
        if self.order == order || self.shape.len() < 2 {
            return Dense { order, ..self.clone() };
        }
        let positions = transposed_positions(&self.shape, self.order);
        Dense { shape: self.shape.clone(), data: self.data.take(&positions), order }
    }

    fn take_rows(&self, rows: &[usize]) -> Dense {
        if self.shape.is_empty() {
            return self.clone();
        }
        let c = self.to_order(Order::C);
        let width: usize = c.shape[1..].iter().product();
        let positions: Vec<usize> =
            rows.iter().flat_map(|&r| (0..width).map(move |j| r * width + j)).collect();
        let mut shape = c.shape.clone();
        shape[0] = rows.len();
        Dense { shape, data: c.data.take(&positions), order: Order::C }.to_order(self.order)
    }

    fn take_columns(&self, columns: &[usize]) -> Dense {
        let c = self.to_order(Order::C);
        let (rows, width) = (c.shape[0], c.shape[1]);
        let positions: Vec<usize> =
            (0..rows).flat_map(|r| columns.iter().map(move |&j| r * width + j)).collect();
        let data = c.data.take(&positions);
        Dense { shape: vec![rows, columns.len()], data, order: Order::C }.to_order(self.order)
    }
}

/// For each element in the *other* order, its position in data laid out in `order`.
fn transposed_positions(shape: &[usize], order: Order) -> Vec<usize> {
    let n: usize = shape.iter().product();
    let strides = |order: Order| {
        let mut strides = vec![1usize; shape.len()];
        match order {
            Order::C => {
                (0..shape.len() - 1).rev().for_each(|k| strides[k] = strides[k + 1] * shape[k + 1])
            }
            Order::F => (1..shape.len()).for_each(|k| strides[k] = strides[k - 1] * shape[k - 1]),
        }
        strides
    };
    let other = match order {
        Order::C => Order::F,
        Order::F => Order::C,
    };
    let (from, to) = (strides(order), strides(other));
    let mut positions = vec![0; n];
    let mut at = vec![0usize; shape.len()];
    for _ in 0..n {
        let source: usize = at.iter().zip(&from).map(|(i, s)| i * s).sum();
        let target: usize = at.iter().zip(&to).map(|(i, s)| i * s).sum();
        positions[target] = source;
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
    positions
}

/// An array of strings; `None` is a missing entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strings {
    /// Lengths of the axes.
    pub shape: Vec<usize>,
    /// The entries, row-major.
    pub values: Vec<Option<String>>,
    /// Whether the file stored it as `nullable-string-array` (values and mask) rather than `string-array`.
    pub nullable: bool,
}

impl Strings {
    /// A one-dimensional array without missing entries.
    pub fn new<S: Into<String>>(values: impl IntoIterator<Item = S>) -> Strings {
        let values: Vec<_> = values.into_iter().map(|s| Some(s.into())).collect();
        Strings { shape: vec![values.len()], values, nullable: false }
    }

    fn take_rows(&self, rows: &[usize]) -> Strings {
        let width: usize = self.shape.get(1..).unwrap_or_default().iter().product();
        let values = rows
            .iter()
            .flat_map(|&r| self.values[r * width..(r + 1) * width].iter().cloned())
            .collect();
        let mut shape = self.shape.clone();
        if let Some(first) = shape.first_mut() {
            *first = rows.len();
        }
        Strings { shape, values, nullable: self.nullable }
    }
}

/// A nullable integer or boolean column: values and a mask that is true where the entry is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Masked {
    /// The stored values; what stands at a masked place means nothing.
    pub values: Dense,
    /// True where the entry is missing; as long as the first axis.
    pub mask: Vec<bool>,
}

/// A categorical column: codes into an ordered list of categories; code -1 is a missing label.
#[derive(Clone, Debug, PartialEq)]
pub struct Categorical {
    /// One code per entry, -1 for missing, else a position in `categories`.
    pub codes: Vec<i32>,
    /// The categories, a one-dimensional array: [`Value::Strings`] or [`Value::Dense`]. Some may be unused.
    pub categories: Box<Value>,
    /// Whether the order of the categories has a meaning.
    pub ordered: bool,
}

impl Categorical {
    /// A categorical with text categories.
    pub fn new<S: Into<String>>(
        codes: Vec<i32>,
        categories: impl IntoIterator<Item = S>,
    ) -> Categorical {
        Categorical { codes, categories: Box::new(Strings::new(categories).into()), ordered: false }
    }

    /// The categories as Python's `str()` would print them; a float category `1.0` reads `1.0`.
    pub fn names(&self) -> Vec<String> {
        text_of(&self.categories)
    }
}

/// The entries of a one-dimensional array as Python's `str()` would print them; missing reads `nan`.
pub fn text_of(values: &Value) -> Vec<String> {
    match values {
        Value::Strings(s) => {
            s.values.iter().map(|v| v.clone().unwrap_or_else(|| "nan".to_owned())).collect()
        }
        Value::Dense(Dense { data: Buffer::Bool(v), .. }) => {
            v.iter().map(|b| if *b { "True" } else { "False" }.to_owned()).collect()
        }
        Value::Dense(Dense { data: Buffer::I64(v), .. }) => v.iter().map(i64::to_string).collect(),
        Value::Dense(Dense { data: Buffer::U64(v), .. }) => v.iter().map(u64::to_string).collect(),
        Value::Dense(d) if d.dtype().is_float() => {
            d.data.to_f64().iter().map(|x| python_float(*x)).collect()
        }
        Value::Dense(d) => d.data.to_f64().iter().map(|x| format!("{x}")).collect(),
        Value::Categorical(c) => {
            let names = c.names();
            let name = |code: &i32| usize::try_from(*code).ok().and_then(|c| names.get(c).cloned());
            c.codes.iter().map(|code| name(code).unwrap_or_else(|| "nan".to_owned())).collect()
        }
        _ => Vec::new(),
    }
}

/// A float as Python prints it: `1.0`, `0.5`, `nan`, `inf`.
pub(crate) fn python_float(x: f64) -> String {
    if x.is_nan() {
        "nan".to_owned()
    } else if x.is_infinite() {
        if x > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else if x == x.trunc() && x.abs() < 1e16 {
        format!("{x:.1}")
    } else {
        format!("{x}")
    }
}
