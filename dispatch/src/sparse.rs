//! Compressed sparse matrices as they really occur in AnnData files.
//!
//! SciPy allows unsorted column indices, duplicates and stored zeros, and index arrays of 32 or 64
//! bits. All of that is input a backend must survive, so nothing is canonicalised here.

use std::borrow::Cow;
use std::ops::Range;

use crate::{Buffer, Dtype};

/// Which axis is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Compressed rows.
    Csr,
    /// Compressed columns.
    Csc,
}

/// Index arrays of a sparse matrix: `int32` or `int64`, as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Indices {
    /// 32-bit indices.
    I32(Vec<i32>),
    /// 64-bit indices.
    I64(Vec<i64>),
}

impl Indices {
    /// Number of entries.
    pub fn len(&self) -> usize {
        match self {
            Indices::I32(v) => v.len(),
            Indices::I64(v) => v.len(),
        }
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entry `i`; negative entries (an invalid matrix) read as `usize::MAX`.
    ///
    /// # Panics
    /// When `i` is past the end.
    pub fn at(&self, i: usize) -> usize {
        match self {
            Indices::I32(v) => usize::try_from(v[i]).unwrap_or(usize::MAX),
            Indices::I64(v) => usize::try_from(v[i]).unwrap_or(usize::MAX),
        }
    }

    /// All entries; negative ones read as `usize::MAX`.
    pub fn to_vec(&self) -> Vec<usize> {
        match self {
            Indices::I32(v) => {
                v.iter().map(|&i| usize::try_from(i).unwrap_or(usize::MAX)).collect()
            }
            Indices::I64(v) => {
                v.iter().map(|&i| usize::try_from(i).unwrap_or(usize::MAX)).collect()
            }
        }
    }

    /// The dtype of the index array.
    pub fn dtype(&self) -> Dtype {
        match self {
            Indices::I32(_) => Dtype::I32,
            Indices::I64(_) => Dtype::I64,
        }
    }

    /// Position of the first entry that is negative or not below `limit`.
    fn first_from(&self, limit: usize) -> Option<usize> {
        /// Whole blocks are checked by vectors; only one with such an entry is searched.
        fn search<T: Copy>(values: &[T], outside: impl Fn(T) -> bool) -> Option<usize> {
            const BLOCK: usize = 1024;
            let bad = |block: &[T]| block.iter().fold(false, |bad, &v| bad | outside(v));
            let start = BLOCK * values.chunks(BLOCK).position(bad)?;
            values[start..].iter().position(|&v| outside(v)).map(|i| start + i)
        }
        match self {
            // A negative number is a large one without its sign.
            Indices::I32(v) => {
                let limit = limit.min(1 << 31) as u32;
                search(v, |i| i as u32 >= limit)
            }
            Indices::I64(v) => {
                let limit = (limit as u64).min(1 << 63);
                search(v, |i| i as u64 >= limit)
            }
        }
    }

    /// Does something with each position of a range and the entry there; a negative one reads as one beyond every limit.
    #[inline]
    fn each(&self, range: Range<usize>, mut entry: impl FnMut(usize, usize)) {
        match self {
            Indices::I32(v) => {
                range.clone().zip(&v[range]).for_each(|(k, &i)| entry(k, i as usize));
            }
            Indices::I64(v) => {
                range.clone().zip(&v[range]).for_each(|(k, &i)| entry(k, i as usize));
            }
        }
    }

    /// Position of the first entry that is above the next one.
    fn first_fall(&self) -> Option<usize> {
        match self {
            Indices::I32(v) => v.windows(2).position(|pair| pair[0] > pair[1]),
            Indices::I64(v) => v.windows(2).position(|pair| pair[0] > pair[1]),
        }
    }

    /// The number of each list at the places in it, with the width of `self`.
    fn numbers<'a>(&self, lists: impl Iterator<Item = &'a [usize]>, places: usize) -> Indices {
        fn fill<'a, T: Copy + Default>(
            lists: impl Iterator<Item = &'a [usize]>,
            places: usize,
            number: impl Fn(usize) -> T,
        ) -> Vec<T> {
            let mut filled = vec![T::default(); places];
            for (i, list) in lists.enumerate() {
                list.iter().for_each(|&at| filled[at] = number(i));
            }
            filled
        }
        match self {
            Indices::I32(_) => Indices::I32(fill(lists, places, |i| i as i32)),
            Indices::I64(_) => Indices::I64(fill(lists, places, |i| i as i64)),
        }
    }

    /// `values` stored with the width of `self`.
    fn same_width(&self, values: Vec<usize>) -> Indices {
        match self {
            Indices::I32(_) => Indices::I32(values.into_iter().map(|v| v as i32).collect()),
            Indices::I64(_) => Indices::I64(values.into_iter().map(|v| v as i64).collect()),
        }
    }
}

/// A compressed sparse matrix: scipy's `indptr`, `indices`, `data`, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Sparse {
    /// Compressed rows or columns.
    pub format: Format,
    /// (rows, columns).
    pub shape: (usize, usize),
    /// Start of each row (or column) in `indices`; one longer than the compressed axis.
    pub indptr: Indices,
    /// Position on the other axis of each stored entry.
    pub indices: Indices,
    /// The stored entries.
    pub data: Buffer,
}

impl Sparse {
    /// A CSR matrix with 32-bit indices.
    pub fn csr(
        shape: (usize, usize),
        indptr: Vec<i32>,
        indices: Vec<i32>,
        data: impl Into<Buffer>,
    ) -> Sparse {
        let (indptr, indices) = (Indices::I32(indptr), Indices::I32(indices));
        Sparse { format: Format::Csr, shape, indptr, indices, data: data.into() }
    }

    /// Number of stored entries, zeros and duplicates included.
    pub fn nnz(&self) -> usize {
        self.data.len()
    }

    /// Length of the compressed axis.
    pub fn major(&self) -> usize {
        match self.format {
            Format::Csr => self.shape.0,
            Format::Csc => self.shape.1,
        }
    }

    /// Length of the other axis.
    pub fn minor(&self) -> usize {
        match self.format {
            Format::Csr => self.shape.1,
            Format::Csc => self.shape.0,
        }
    }

    /// Checks the structure: lengths, a non-decreasing `indptr` from 0 to nnz, indices in range.
    ///
    /// # Errors
    /// A sentence that says what was expected and what was found.
    pub fn validate(&self) -> Result<(), String> {
        if self.indptr.len() != self.major() + 1 {
            return Err(format!(
                "indptr has {} entries, expected {}",
                self.indptr.len(),
                self.major() + 1
            ));
        }
        if self.indices.len() != self.data.len() {
            return Err(format!("{} indices for {} values", self.indices.len(), self.data.len()));
        }
        if self.indptr.at(0) != 0 || self.indptr.at(self.major()) != self.nnz() {
            let (first, last) = (self.indptr.at(0), self.indptr.at(self.major()));
            return Err(format!(
                "indptr runs from {first} to {last}, expected 0 to {}",
                self.nnz()
            ));
        }
        if let Some(i) = self.indptr.first_fall() {
            return Err(format!("indptr decreases at position {i}"));
        }
        if let Some(i) = self.indices.first_from(self.minor()) {
            let index = self.indices.at(i);
            return Err(format!("index {index} at position {i}, expected below {}", self.minor()));
        }
        Ok(())
    }

    /// Stored entries of compressed row (or column) `i` as `(position, value)` in storage order.
    pub fn lane(&self, i: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        (self.indptr.at(i)..self.indptr.at(i + 1))
            .map(|k| (self.indices.at(k), self.data.f64_at(k).unwrap_or(f64::NAN)))
    }

    /// The same matrix compressed along the other axis; entries keep dtype, duplicates and zeros stay.
    pub fn recompress(&self) -> Sparse {
        // Where each entry is on the other axis, then its place among the recompressed.
        let mut places = self.indices.to_vec();
        let mut starts = vec![0usize; self.minor() + 1];
        places.iter().for_each(|&j| starts[j + 1] += 1);
        (0..self.minor()).for_each(|j| starts[j + 1] += starts[j]);
        let mut next = starts.clone();
        for place in &mut places {
            let next = &mut next[*place];
            *place = *next;
            *next += 1;
        }
        let lanes = self.indptr.to_vec();
        let lanes = lanes.windows(2).map(|lane| &places[lane[0]..lane[1]]);
        let format = match self.format {
            Format::Csr => Format::Csc,
            Format::Csc => Format::Csr,
        };
        Sparse {
            format,
            shape: self.shape,
            indptr: self.indptr.same_width(starts),
            indices: self.indices.numbers(lanes, places.len()),
            data: self.data.put(&places),
        }
    }

    /// The submatrix of the given rows and columns (`None`: all), in the given orders; entries out of range are left out.
    pub fn take(&self, rows: Option<&[usize]>, columns: Option<&[usize]>) -> Sparse {
        let (major, minor) = match self.format {
            Format::Csr => (rows, columns),
            Format::Csc => (columns, rows),
        };
        let lanes = major.map_or_else(|| (0..self.major()).collect(), Cow::Borrowed);
        let wanted = minor.map_or_else(|| (0..self.minor()).collect(), Cow::Borrowed);
        // A minor position may be asked for more than once: the first new place of each, and from each place the next.
        const NONE: usize = usize::MAX;
        let (mut first, mut next) = (vec![NONE; self.minor()], vec![NONE; wanted.len()]);
        // Backwards, so that the chains ascend.
        for (new, &old) in wanted.iter().enumerate().rev() {
            next[new] = std::mem::replace(&mut first[old], new);
        }
        let (mut indptr, mut indices, mut source) = (vec![0], Vec::new(), Vec::new());
        for &lane in &*lanes {
            let entry = |k: usize, old: usize| {
                let mut new = first.get(old).copied().unwrap_or(NONE);
                while new != NONE {
                    indices.push(new);
                    source.push(k);
                    new = next[new];
                }
            };
            self.indices.each(self.indptr.at(lane)..self.indptr.at(lane + 1), entry);
            indptr.push(indices.len());
        }
        let shape = match self.format {
            Format::Csr => (lanes.len(), wanted.len()),
            Format::Csc => (wanted.len(), lanes.len()),
        };
        Sparse {
            format: self.format,
            shape,
            indptr: self.indptr.same_width(indptr),
            indices: self.indices.same_width(indices),
            data: self.data.take(&source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_index_out_of_range_is_named_wherever_it_is() {
        for at in [0, 1, 1023, 1024, 2500, 4999] {
            for bad in [-1, 7, i32::MAX, i32::MIN] {
                let mut narrow = vec![6i32; 5000];
                (narrow[at], narrow[4999]) = (bad, bad);
                let wide = narrow.iter().map(|&i| i64::from(i)).collect();
                for indices in [Indices::I32(narrow), Indices::I64(wide)] {
                    let mut matrix = Sparse::csr((1, 7), vec![0, 5000], vec![], vec![1u8; 5000]);
                    matrix.indices = indices;
                    let what = matrix.validate().unwrap_err();
                    assert!(what.contains(&format!(" at position {at},")), "{bad}: {what}");
                    matrix.shape.1 = usize::MAX;
                    assert_eq!(matrix.validate().is_ok(), bad >= 0, "{bad}");
                }
            }
        }
    }

    #[test]
    fn columns_are_taken_in_any_order_and_more_than_once() {
        let matrix = Sparse::csr((2, 4), vec![0, 3, 4], vec![0, 3, 2, 3], vec![1.0, 2.0, 3.0, 4.0]);
        let taken = matrix.take(None, Some(&[3, 1, 0, 3]));
        let expected =
            Sparse::csr((2, 4), vec![0, 3, 5], vec![2, 0, 3, 0, 3], vec![1.0, 2.0, 2.0, 4.0, 4.0]);
        assert_eq!(taken, expected);
        assert_eq!(matrix.take(Some(&[1, 1]), Some(&[3])).data, Buffer::from(vec![4.0, 4.0]));
    }
}
