//! Expression values, and the ways an AnnData may hold them.

use std::f64::consts::TAU;

use dispatch::{Buffer, Dense, Dtype, Order, Sparse, Value};

use crate::knob::levels;
use crate::{Poisson, Random};

levels! {
    /// What the values of the genes are like.
    Expression {
        /// Poisson counts of mean 3: small integers, so that sums are exact.
        Poisson = "poisson",
        /// Normal, mean 0.
        Gaussian = "gaussian",
        /// Four of five cells are 0, the others Poisson of mean 5.
        ZeroInflated = "zero-inflated",
        /// The first gene is 3 everywhere, the others are counts.
        Constant = "constant",
        /// Mean 10^3, deviation 1: half the digits of a float32 are gone.
        Offset3 = "offset-1e3",
        /// Mean 10^6, deviation 1: a one-pass variance in float32 is noise.
        Offset6 = "offset-1e6",
        /// Integers of both signs; even genes have a positive mean, odd ones a negative.
        Negative = "negative",
        /// One cell has 1, the others 0.
        OneHot = "one-hot",
        /// Gene g is cos(2 pi (g + 1) i / n): an eigenvector of the ring, whose statistics are known exactly.
        Cosine = "cosine",
        /// Normal times 2^-100: squares vanish in float32.
        Tiny = "tiny",
        /// Normal times 2^100: squares overflow in float32.
        Huge = "huge",
        /// 10^8 and a Poisson count of mean 3: integers that a float32 cannot tell apart.
        Counts8 = "counts-1e8",
    }
}

impl Expression {
    /// Whether a dtype can hold values of this kind without making them all alike.
    pub fn fits(self, dtype: Dtype) -> bool {
        use Expression::{
            Constant, Cosine, Counts8, Gaussian, Huge, Negative, Offset3, Offset6, OneHot, Poisson,
        };
        use Expression::{Tiny, ZeroInflated};
        match self {
            Poisson | ZeroInflated | Constant | OneHot => true,
            Offset3 | Offset6 | Negative => {
                dtype.is_float() || matches!(dtype, Dtype::I32 | Dtype::I64)
            }
            Counts8 => matches!(dtype, Dtype::F64 | Dtype::I32 | Dtype::I64),
            Gaussian | Cosine | Tiny | Huge => dtype.is_float(),
        }
    }
}

levels! {
    /// How a matrix is held.
    Storage {
        /// Dense, row-major.
        C = "C",
        /// Dense, column-major.
        F = "F",
        /// Compressed rows.
        Csr = "csr",
        /// Compressed columns.
        Csc = "csc",
    }
}

/// The dtype of a short name: `f32`, `i64`, `u8`, `bool` ...
pub fn dtype(name: &str) -> Option<Dtype> {
    Some(match name {
        "bool" => Dtype::Bool,
        "f32" => Dtype::F32,
        "f64" => Dtype::F64,
        "i32" => Dtype::I32,
        "i64" => Dtype::I64,
        "u8" => Dtype::U8,
        _ => return None,
    })
}

/// Values of `cells` by `genes`, row-major.
pub fn values(kind: Expression, cells: usize, genes: usize, random: &mut Random) -> Vec<f64> {
    let hot: Vec<usize> = match kind {
        Expression::OneHot => (0..genes).map(|_| random.below(cells)).collect(),
        _ => Vec::new(),
    };
    let [three, four, five] = [3.0, 4.0, 5.0].map(Poisson::new);
    let mut value = |cell: usize, gene: usize| match kind {
        Expression::Poisson => three.sample(random),
        Expression::Gaussian => random.normal(),
        Expression::ZeroInflated if random.below(5) > 0 => 0.0,
        Expression::ZeroInflated => five.sample(random),
        Expression::Constant if gene == 0 => 3.0,
        Expression::Constant => three.sample(random),
        Expression::Offset3 => 1e3 + random.normal(),
        Expression::Offset6 => 1e6 + random.normal(),
        Expression::Negative if gene.is_multiple_of(2) => four.sample(random) - 2.0,
        Expression::Negative => 2.0 - four.sample(random),
        Expression::OneHot => f64::from(u8::from(hot[gene] == cell)),
        Expression::Cosine => {
            // The angle is reduced in integers, so that a whole turn is exactly 0.
            let turn = ((gene + 1) * cell) % cells;
            libm::cos(TAU * turn as f64 / cells as f64)
        }
        Expression::Tiny => random.normal() * TINY,
        Expression::Huge => random.normal() / TINY,
        Expression::Counts8 => 1e8 + three.sample(random),
    };
    (0..cells * genes).map(|k| value(k / genes, k % genes)).collect()
}

/// 2^-100.
const TINY: f64 = 1.0 / (1_u128 << 100) as f64;

/// Row-major `values` held in some way. A sparse matrix stores what is not zero; NaN is stored.
pub fn store(values: &[f64], shape: (usize, usize), storage: Storage, dtype: Dtype) -> Value {
    let (rows, columns) = shape;
    let dense = |values: &[f64], order| {
        let data = Buffer::from_f64(dtype, values);
        Value::Dense(Dense { shape: vec![rows, columns], data, order })
    };
    match storage {
        Storage::C => dense(values, Order::C),
        Storage::F => {
            let transposed: Vec<f64> = (0..columns)
                .flat_map(|j| (0..rows).map(move |i| values[i * columns + j]))
                .collect();
            dense(&transposed, Order::F)
        }
        Storage::Csr => compress(values, shape, dtype).into(),
        Storage::Csc => compress(values, shape, dtype).recompress().into(),
    }
}

fn compress(values: &[f64], shape: (usize, usize), dtype: Dtype) -> Sparse {
    let (mut indptr, mut indices, mut kept) = (vec![0], Vec::new(), Vec::new());
    for row in 0..shape.0 {
        for (column, &x) in values[row * shape.1..(row + 1) * shape.1].iter().enumerate() {
            if x != 0.0 {
                indices.push(column as i32);
                kept.push(x);
            }
        }
        indptr.push(kept.len() as i32);
    }
    Sparse::csr(shape, indptr, indices, Buffer::from_f64(dtype, &kept))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Levels;

    fn dense(value: &Value) -> Vec<f64> {
        match value {
            Value::Dense(d) => d.to_f64(),
            Value::Sparse(s) => {
                let mut out = vec![0.0; s.shape.0 * s.shape.1];
                for i in 0..s.major() {
                    for (j, x) in s.lane(i) {
                        let (row, column) = match s.format {
                            dispatch::Format::Csr => (i, j),
                            dispatch::Format::Csc => (j, i),
                        };
                        out[row * s.shape.1 + column] = x;
                    }
                }
                out
            }
            other => panic!("expected a matrix, got {}", other.type_name()),
        }
    }

    #[test]
    fn each_storage_holds_the_same_numbers() {
        let mut x = values(Expression::ZeroInflated, 17, 5, &mut Random::new(1, "x"));
        x[3] = 7.0;
        for &storage in Storage::ALL {
            let held = store(&x, (17, 5), storage, Dtype::F32);
            assert_eq!(dense(&held), x, "{storage:?}");
            if let Value::Sparse(sparse) = &held {
                assert_eq!(sparse.validate(), Ok(()));
                assert_eq!(sparse.nnz(), x.iter().filter(|x| **x != 0.0).count());
            }
        }
    }

    #[test]
    fn kinds_have_their_character() {
        let of = |kind| values(kind, 200, 2, &mut Random::new(5, "kinds"));
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let first = |x: Vec<f64>| x.into_iter().step_by(2).collect::<Vec<_>>();
        assert!(first(of(Expression::Constant)).iter().all(|x| *x == 3.0));
        assert!(of(Expression::ZeroInflated).iter().filter(|x| **x == 0.0).count() > 280);
        assert_eq!(first(of(Expression::OneHot)).iter().sum::<f64>(), 1.0);
        assert!(of(Expression::Tiny).iter().all(|x| (*x as f32) * (*x as f32) == 0.0));
        assert!(of(Expression::Huge).iter().any(|x| ((*x as f32) * (*x as f32)).is_infinite()));
        assert!((mean(&of(Expression::Offset6)) - 1e6).abs() < 1.0);
        let negative = of(Expression::Negative);
        assert!(mean(&first(negative.clone())) > 0.0 && mean(&negative[1..]) < mean(&negative));
        assert!(first(negative).iter().any(|x| *x < 0.0));
        // An eigenvector of the ring: the neighbours' sum is 2 cos(2 pi / n) times the value.
        let wave = first(of(Expression::Cosine));
        let factor = 2.0 * libm::cos(TAU / 200.0);
        assert!((0..200).all(|i| {
            // Three roundings of numbers up to 2.
            (wave[(i + 1) % 200] + wave[(i + 199) % 200] - factor * wave[i]).abs()
                < 8.0 * f64::EPSILON
        }));
    }

    #[test]
    fn integer_dtypes_keep_what_fits() {
        for &kind in Expression::ALL {
            for name in ["f32", "f64", "i32", "i64", "u8"] {
                let dtype = dtype(name).unwrap();
                if kind.fits(dtype) {
                    let x = store(
                        &values(kind, 64, 1, &mut Random::new(2, "x")),
                        (64, 1),
                        Storage::C,
                        dtype,
                    );
                    let varies = dense(&x).windows(2).any(|w| w[0] != w[1]);
                    assert_eq!(varies, kind != Expression::Constant, "{kind:?} {name}");
                }
            }
        }
    }
}
