//! A matrix of cells by features, dense or sparse, of any dtype, read by columns.

use std::borrow::Cow;
use std::sync::OnceLock;

use dispatch::{Buffer, Dense, Fault, Format, Order, Sparse, Value};

use crate::args::{type_error, value_error};

/// Some columns of a matrix, to be read one by one in `f64`. What is stored is borrowed.
#[derive(Clone, Debug)]
pub enum Columns<'a> {
    /// Columns of a two-dimensional array in either order, by position.
    Dense(&'a Dense, Vec<usize>),
    /// Columns of a sparse matrix, by position.
    Sparse(Compressed<'a>, Vec<usize>),
    /// Columns that stand for themselves.
    Owned(Vec<Vec<f64>>),
}

/// A sparse matrix as it is stored, and compressed by columns once a column is asked for.
#[derive(Clone, Debug)]
pub struct Compressed<'a> {
    stored: Cow<'a, Sparse>,
    turned: OnceLock<Box<Sparse>>,
}

impl<'a> Compressed<'a> {
    fn new(stored: Cow<'a, Sparse>) -> Compressed<'a> {
        Compressed { stored, turned: OnceLock::new() }
    }

    /// The matrix as it is stored.
    pub fn stored(&self) -> &Sparse {
        &self.stored
    }

    /// The matrix compressed by columns.
    pub fn columns(&self) -> &Sparse {
        match self.stored.format {
            Format::Csr => self.turned.get_or_init(|| Box::new(self.stored.recompress())),
            Format::Csc => &self.stored,
        }
    }
}

/// (rows, columns) of the matrix in a value that `what` names in messages, checked to have `rows` rows.
///
/// # Errors
/// `TypeError` if it is no matrix, `ValueError` if it is malformed or of the wrong length.
pub fn shape(value: &Value, what: &str, rows: usize) -> Result<(usize, usize), Fault> {
    let shape = match value {
        Value::Dense(dense) if dense.shape.len() == 2 => (dense.shape[0], dense.shape[1]),
        Value::Sparse(sparse) => {
            let malformed = |problem| value_error(format!("malformed `{what}`: {problem}"));
            sparse.validate().map_err(malformed)?;
            sparse.shape
        }
        other => {
            let got = other.type_name();
            return Err(type_error(format!("`{what}` must be a matrix, got {got}")));
        }
    };
    if shape.0 != rows {
        return Err(value_error(format!("`{what}` has {} rows for {rows} cells", shape.0)));
    }
    Ok(shape)
}

impl<'a> Columns<'a> {
    /// The columns at `wanted` of the matrix in a value.
    ///
    /// # Errors
    /// As [`shape`]; `IndexError` for a column that is not there.
    pub fn read(
        value: &'a Value,
        what: &str,
        rows: usize,
        wanted: Vec<usize>,
    ) -> Result<Columns<'a>, Fault> {
        let (_, columns) = shape(value, what, rows)?;
        if let Some(j) = wanted.iter().find(|&&j| j >= columns) {
            let message = format!("`{what}` has {columns} columns, there is no column {j}");
            return Err(Fault::rejected("IndexError", message));
        }
        Ok(match value {
            Value::Sparse(csr) if csr.format == Format::Csr && !is_all(&wanted, columns) => {
                Columns::taken(csr, &wanted)
            }
            Value::Sparse(sparse) => {
                Columns::Sparse(Compressed::new(Cow::Borrowed(sparse)), wanted)
            }
            Value::Dense(dense) => Columns::Dense(dense, wanted),
            // `shape` has let nothing else pass.
            other => return Err(type_error(format!("`{what}` is {}", other.type_name()))),
        })
    }

    /// Columns taken out of a matrix stored by rows.
    fn taken(csr: &Sparse, wanted: &[usize]) -> Columns<'a> {
        let kept = Cow::Owned(csr.take(None, Some(wanted)));
        Columns::Sparse(Compressed::new(kept), (0..wanted.len()).collect())
    }

    /// A few of the columns, cut out of a matrix stored by rows: to compress all of it by columns takes several times its memory.
    pub fn cut(&self, wanted: &[usize]) -> Columns<'_> {
        let pick = |at: &[usize]| -> Vec<usize> { wanted.iter().map(|&k| at[k]).collect() };
        match self {
            Columns::Dense(dense, at) => Columns::Dense(dense, pick(at)),
            Columns::Sparse(matrix, at) => match matrix.stored.format {
                Format::Csr => Columns::taken(&matrix.stored, &pick(at)),
                Format::Csc => {
                    Columns::Sparse(Compressed::new(Cow::Borrowed(matrix.stored())), pick(at))
                }
            },
            Columns::Owned(columns) => {
                Columns::Owned(wanted.iter().map(|&k| columns[k].clone()).collect())
            }
        }
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        match self {
            Columns::Dense(_, at) | Columns::Sparse(_, at) => at.len(),
            Columns::Owned(columns) => columns.len(),
        }
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries of column `k` are stored.
    ///
    /// # Panics
    /// When `k` is out of range.
    pub fn stored(&self, k: usize) -> usize {
        match self {
            Columns::Dense(dense, _) => dense.shape[0],
            Columns::Sparse(sparse, at) => {
                let starts = &sparse.columns().indptr;
                starts.at(at[k] + 1) - starts.at(at[k])
            }
            Columns::Owned(columns) => columns[k].len(),
        }
    }

    /// Writes column `k`; duplicate entries of a sparse matrix are added up, as SciPy does.
    ///
    /// # Panics
    /// When `k` is out of range or `out` has not one element per row.
    pub fn fill(&self, k: usize, out: &mut [f64]) {
        match self {
            Columns::Dense(dense, at) => {
                let (rows, columns) = (dense.shape[0], dense.shape[1]);
                assert_eq!(out.len(), rows, "one element per row");
                match dense.order {
                    Order::C => copy(&dense.data, at[k], columns, out),
                    Order::F => copy(&dense.data, at[k] * rows, 1, out),
                }
            }
            Columns::Sparse(sparse, at) => {
                out.fill(0.0);
                sparse.columns().lane(at[k]).for_each(|(i, x)| out[i] += x);
            }
            Columns::Owned(columns) => out.copy_from_slice(&columns[k]),
        }
    }
}

fn is_all(wanted: &[usize], columns: usize) -> bool {
    wanted.len() == columns && wanted.iter().enumerate().all(|(i, &j)| i == j)
}

/// Copies every `step`-th element from `start` on, one for each element of `out`.
fn copy(buffer: &Buffer, start: usize, step: usize, out: &mut [f64]) {
    macro_rules! copy {
        ($($exact:ident)* ; $($wide:ident)*) => {
            match buffer {
                $(Buffer::$exact(v) => {
                    out.iter_mut().zip(v[start.min(v.len())..].iter().step_by(step)).for_each(|(o, &x)| *o = x.into())
                })*
                // 64-bit integers beyond 2^53 are rounded, as NumPy's astype rounds them.
                $(Buffer::$wide(v) => {
                    out.iter_mut().zip(v[start.min(v.len())..].iter().step_by(step)).for_each(|(o, &x)| *o = x as f64)
                })*
                Buffer::Bool(v) => {
                    let each = v[start.min(v.len())..].iter().step_by(step);
                    out.iter_mut().zip(each).for_each(|(o, &x)| *o = f64::from(u8::from(x)));
                }
            }
        };
    }
    copy!(I8 I16 I32 U8 U16 U32 F16 F32 F64 ; I64 U64);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(value: impl Into<Value>, j: usize) -> Vec<f64> {
        let value = value.into();
        let mut out = vec![f64::NAN; 2];
        let columns = Columns::read(&value, "X", 2, vec![0, j]).unwrap();
        columns.fill(1, &mut out);
        let mut cut = vec![f64::NAN; 2];
        for k in [0, 2] {
            columns.cut(&[1, 0, 1]).fill(k, &mut cut);
            assert_eq!(cut, out);
        }
        out
    }

    #[test]
    fn columns_of_every_storage() {
        let dense = Dense::new(vec![2, 3], vec![1i64, 2, 3, 4, 5, 6]);
        assert_eq!(column(dense.clone(), 2), [3.0, 6.0]);
        assert_eq!(column(dense.to_order(Order::F), 2), [3.0, 6.0]);
        assert_eq!(column(Dense::new(vec![2, 1], vec![true, false]), 0), [1.0, 0.0]);
        assert_eq!(column(Dense::new(vec![2, 1], vec![0.5f32, -1.0]), 0), [0.5, -1.0]);
        // Row 1 holds column 2 twice.
        let csr = Sparse::csr((2, 3), vec![0, 1, 3], vec![0, 2, 2], vec![7u8, 1, 2]);
        assert_eq!(column(csr.clone(), 2), [0.0, 3.0]);
        assert_eq!(column(csr.recompress(), 0), [7.0, 0.0]);
    }

    #[test]
    fn what_is_no_matrix_of_the_cells_is_refused() {
        let refusal = |value: Value, rows: usize| {
            Columns::read(&value, "X", rows, vec![1]).unwrap_err().to_string()
        };
        let flat = Dense::vector(vec![1.0, 2.0, 3.0]).into();
        assert_eq!(refusal(flat, 3), "TypeError: `X` must be a matrix, got ndarray");
        let small: Value = Dense::new(vec![2, 1], vec![1.0, 2.0]).into();
        assert_eq!(refusal(small.clone(), 3), "ValueError: `X` has 2 rows for 3 cells");
        assert_eq!(refusal(small, 2), "IndexError: `X` has 1 columns, there is no column 1");
    }
}
