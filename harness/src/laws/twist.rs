//! Small changes to a call.
//!
//! A change that cannot be made exactly in the dtype that the numbers are stored in is not made: the law
//! would then compare the answers to two different questions.

use std::collections::BTreeMap;

use dispatch::{
    Buffer, Call, Dataset, Dense, Dtype, Format, Frame, Index, Indices, Order, Sparse, Value,
};
use generators::Random;

/// The call with other arguments.
pub(super) fn with_params<const N: usize>(call: &Call, params: [(&str, Value); N]) -> Call {
    let mut call = call.clone();
    call.params.extend(params.map(|(name, value)| (name.to_owned(), value)));
    call
}

/// The call with another value in a slot.
pub(super) fn with_slot(call: &Call, path: &str, value: Value) -> Call {
    let mut data = Dataset::clone(&call.data);
    data.set(path, value);
    Call::new(call.function.clone(), data, call.params.clone())
}

/// The call on other data.
pub(super) fn with_data(call: &Call, data: Dataset) -> Call {
    Call::new(call.function.clone(), data, call.params.clone())
}

/// The text of an argument, or what it is if not passed.
pub(super) fn text<'a>(call: &'a Call, name: &str, default: &'a str) -> &'a str {
    call.param(name).and_then(Value::as_text).unwrap_or(default)
}

/// Whether a flag is set; `default` if it was not passed.
pub(super) fn flag(call: &Call, name: &str, default: bool) -> bool {
    match call.param(name) {
        Some(Value::Bool(b)) => *b,
        Some(_) => false,
        None => default,
    }
}

/// `0..n` in random order.
pub(super) fn shuffled(n: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    random.shuffle(&mut order);
    order
}

/// The call with its cells in random order.
pub(super) fn cells_shuffled(call: &Call, random: &mut Random) -> Option<Call> {
    let n = call.data.n_obs();
    let order = shuffled(n, random);
    (n > 1).then(|| with_data(call, call.data.subset(Some(&order), None)))
}

/// The dataset with new names for its cells, each once.
pub(super) fn rename_cells(data: &mut Dataset) {
    if let Some(Value::Frame(obs)) = data.get_mut("obs") {
        obs.index = names("cell", obs.index.len());
    }
}

/// An index of `n` names.
pub(super) fn names(stem: &str, n: usize) -> Index {
    Index::text((0..n).map(|i| format!("{stem}{i}")))
}

/// An AnnData with nothing but names.
pub(super) fn bare(cells: usize, genes: usize) -> Dataset {
    let frame = |index| Frame::new(index, [] as [(&str, Value); 0]).into();
    let mut data = Dataset::new();
    data.set("obs", frame(names("cell", cells)));
    data.set("var", frame(names("gene", genes)));
    data
}

/// The numbers in a dtype, if it holds each of them exactly.
pub(super) fn exactly(dtype: Dtype, values: &[f64]) -> Option<Buffer> {
    let buffer = Buffer::from_f64(dtype, values);
    let same = |(a, b): (&f64, f64)| *a == b || (a.is_nan() && b.is_nan());
    values.iter().zip(buffer.to_f64()).all(same).then_some(buffer)
}

/// An array with a function applied to each element, or to each stored element of a sparse one.
pub(super) fn map_numbers(value: &Value, f: impl Fn(f64) -> f64) -> Option<Value> {
    let mapped = |data: &Buffer| {
        let values: Vec<f64> = data.to_f64().into_iter().map(f).collect();
        exactly(data.dtype(), &values)
    };
    match value {
        Value::Dense(d) => Some(Dense { data: mapped(&d.data)?, ..d.clone() }.into()),
        Value::Sparse(s) => Some(Sparse { data: mapped(&s.data)?, ..s.clone() }.into()),
        _ => None,
    }
}

/// An array with each row changed; rows are handed over in order.
pub(super) fn map_rows(dense: &Dense, mut f: impl FnMut(usize, &mut [f64])) -> Option<Value> {
    let width = *dense.shape.get(1)?;
    let mut values = dense.to_f64();
    values.chunks_mut(width.max(1)).enumerate().for_each(|(i, row)| f(i, row));
    let data = exactly(dense.dtype(), &values)?;
    let changed = Dense { shape: dense.shape.clone(), data, order: Order::C };
    Some(changed.to_order(dense.order).into())
}

/// All elements of a matrix, row-major; duplicates of a sparse one added up.
pub(super) fn elements(value: &Value) -> Option<(usize, usize, Vec<f64>)> {
    match value {
        Value::Dense(d) if d.shape.len() == 2 => Some((d.shape[0], d.shape[1], d.to_f64())),
        Value::Sparse(s) => {
            let (rows, columns) = s.shape;
            let mut values = vec![0.0; rows * columns];
            for major in 0..s.major() {
                for (minor, x) in s.lane(major) {
                    let (i, j) =
                        if s.format == Format::Csr { (major, minor) } else { (minor, major) };
                    values[i * columns + j] += x;
                }
            }
            Some((rows, columns, values))
        }
        _ => None,
    }
}

/// A square sparse matrix by rows, duplicates added up, zeros kept.
pub(super) type Rows = Vec<BTreeMap<usize, f64>>;

/// The rows of a square sparse matrix.
pub(super) fn rows(sparse: &Sparse) -> Rows {
    let mut rows = vec![BTreeMap::new(); sparse.shape.0];
    for major in 0..sparse.major() {
        for (minor, w) in sparse.lane(major) {
            let (i, j) = if sparse.format == Format::Csr { (major, minor) } else { (minor, major) };
            *rows[i].entry(j).or_insert(0.0) += w;
        }
    }
    rows
}

/// The square matrix of some rows, stored as `like` is: dtype, width of indices, format.
pub(super) fn stored_like(like: &Sparse, rows: &Rows) -> Option<Sparse> {
    let weights: Vec<f64> = rows.iter().flat_map(|row| row.values().copied()).collect();
    let targets = rows.iter().flat_map(|row| row.keys().map(|&j| j as i64)).collect();
    let mut ends = vec![0i64];
    rows.iter().for_each(|row| ends.push(ends[ends.len() - 1] + row.len() as i64));
    let width = |v: Vec<i64>| match like.indices {
        Indices::I64(_) => Indices::I64(v),
        Indices::I32(_) => Indices::I32(v.into_iter().map(|i| i as i32).collect()),
    };
    let csr = Sparse {
        format: Format::Csr,
        shape: (rows.len(), rows.len()),
        indptr: width(ends),
        indices: width(targets),
        data: exactly(like.data.dtype(), &weights)?,
    };
    Some(if like.format == Format::Csc { csr.recompress() } else { csr })
}

/// The matrix with each stored entry changed, given its row; nothing is reordered or added up.
pub(super) fn reweighed(sparse: &Sparse, f: impl Fn(usize, f64) -> f64) -> Option<Sparse> {
    let mut weights = Vec::with_capacity(sparse.nnz());
    for major in 0..sparse.major() {
        for (minor, w) in sparse.lane(major) {
            weights.push(f(if sparse.format == Format::Csr { major } else { minor }, w));
        }
    }
    Some(Sparse { data: exactly(sparse.data.dtype(), &weights)?, ..sparse.clone() })
}

/// A CSR matrix of float64 with 32-bit indices.
pub(super) fn csr(rows: &Rows) -> Option<Sparse> {
    let like = Sparse::csr((0, 0), vec![0], Vec::new(), Vec::<f64>::new());
    stored_like(&like, rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_changed_exactly_or_not_at_all() {
        assert!(exactly(Dtype::U8, &[1.0, f64::from(u8::MAX)]).is_some());
        for (dtype, x) in
            [(Dtype::U8, -1.0), (Dtype::I32, 0.5), (Dtype::F32, 0.1), (Dtype::Bool, 2.0)]
        {
            assert!(exactly(dtype, &[x]).is_none(), "{x} in {}", dtype.name());
        }
        assert!(exactly(Dtype::F32, &[f64::NAN, f64::INFINITY]).is_some());
    }

    #[test]
    fn a_matrix_survives_the_way_through_its_rows() {
        // Row 0 holds column 2 twice.
        let csr = Sparse::csr((3, 3), vec![0, 3, 4, 4], vec![2, 0, 2, 0], vec![1i32, 4, 2, -2]);
        for sparse in [csr.clone(), csr.recompress()] {
            let rows = rows(&sparse);
            assert_eq!(rows[0], BTreeMap::from([(0, 4.0), (2, 3.0)]));
            let again = stored_like(&sparse, &rows).unwrap();
            assert_eq!((again.format, again.data.dtype()), (sparse.format, Dtype::I32));
            assert_eq!(elements(&again.into()), elements(&sparse.clone().into()));
            let doubled = reweighed(&sparse, |row, w| if row == 1 { 2.0 * w } else { w }).unwrap();
            assert_eq!(super::rows(&doubled)[1], BTreeMap::from([(0, -4.0)]));
        }
    }

    #[test]
    fn rows_of_an_array_keep_its_order_in_memory() {
        let dense = Dense::new(vec![2, 2], vec![1i32, 2, 3, 4]).to_order(Order::F);
        let Some(Value::Dense(moved)) = map_rows(&dense, |i, row| row[0] += i as f64) else {
            panic!("integers stay integers")
        };
        assert_eq!((moved.order, moved.to_f64()), (Order::F, vec![1.0, 2.0, 4.0, 4.0]));
    }
}
