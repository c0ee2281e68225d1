//! The distances at which co-occurrence is asked for.
//!
//! A list is sorted and cast to float32. An integer m asks for m equally spaced distances from `t_min` to
//! `t_max`. With `s_i` the sum of all coordinates of cell i, p and p2 the cells of smallest and second
//! smallest sum (ties: lowest index first; the host takes what `argpartition` gives, which is not defined
//! there) and q the first cell of largest sum,
//!
//! ```text
//! t_min = |x_p - x_p2|        t_max = |x_p - x_q| / 2
//! ```
//!
//! Nothing makes `t_min < t_max`. Everything is float32 and in the host's order of operations, since a value
//! one ULP off moves pairs across a threshold: NumPy's pairwise row sums, scikit-learn's expanded
//! `|x|^2 - 2xy + |y|^2` in float64 rounded to float32 before the root, and `linspace` as NumPy 2 evaluates it.

use dispatch::{Fault, Order, Value};

use super::Coordinates;
use crate::args::{number, type_error, value_error};

/// More distances than this are a mistake, not a question.
const MOST: usize = 1 << 20;

/// The interval of a call, at least two distances.
///
/// # Errors
/// `TypeError` for what is neither an `int` nor iterable (a NumPy scalar, as on the host) or holds no numbers,
/// `ValueError` for fewer than two distances, NaN, or an automatic interval of fewer than three cells.
pub fn read(value: &Value, coordinates: &Coordinates) -> Result<Vec<f32>, Fault> {
    let interval = match value {
        Value::Int(m) => automatic(coordinates, *m)?,
        // Python's `bool` is an `int`: True asks for one distance, which is refused below.
        Value::Bool(b) => automatic(coordinates, i64::from(*b))?,
        Value::List(items) | Value::Tuple(items) => {
            let distance =
                |v| number(v).or(if let Value::Bool(b) = v { Some(f64::from(*b)) } else { None });
            let distances = items.iter().map(|v| distance(v).ok_or_else(|| not_a_distance(v)));
            sorted(distances.collect::<Result<_, _>>()?)?
        }
        Value::Dense(array) if array.shape.len() == 1 => sorted(array.data.to_f64())?,
        Value::Dense(array) if array.shape.len() > 1 => {
            let shape = &array.shape;
            return Err(value_error(format!("`interval` has shape {shape:?}, expected one axis")));
        }
        Value::Dense(array) => {
            let dtype = array.data.dtype().name();
            return Err(type_error(format!(
                "'numpy.{dtype}' object is not iterable; pass `interval` as int or as a list"
            )));
        }
        Value::Text(_) | Value::Strings(_) => return Err(not_a_distance(value)),
        other => {
            let found = other.type_name();
            return Err(type_error(format!(
                "'{found}' object is not iterable; pass `interval` as int or as a list of distances"
            )));
        }
    };
    if interval.len() < 2 {
        let found = interval.len();
        return Err(value_error(format!(
            "Expected interval to be of length `>= 2`, found `{found}`."
        )));
    }
    Ok(interval)
}

fn not_a_distance(value: &Value) -> Fault {
    let message = format!("`interval` holds {}, expected numbers", value.type_name());
    match value {
        // Python finds out at the conversion to float for text, at the comparison for anything else.
        Value::Text(_) | Value::Strings(_) => value_error(message),
        _ => type_error(message),
    }
}

fn sorted(mut distances: Vec<f64>) -> Result<Vec<f32>, Fault> {
    if distances.iter().any(|t| t.is_nan()) {
        return Err(value_error("`interval` holds NaN, expected distances"));
    }
    distances.sort_by(f64::total_cmp);
    Ok(distances.into_iter().map(|t| t as f32).collect())
}

fn automatic(coordinates: &Coordinates, m: i64) -> Result<Vec<f32>, Fault> {
    let cells = coordinates.cells;
    if cells < 3 {
        return Err(value_error(format!(
            "an automatic interval needs 3 cells, found {cells}; pass `interval` as a list"
        )));
    }
    let m = usize::try_from(m)
        .ok()
        .filter(|&m| m <= MOST)
        .ok_or_else(|| value_error(format!("`interval` is {m}, expected 2 to {MOST}")))?;
    let (low, high) = limits(coordinates);
    Ok(linspace(low, high, m))
}

/// `t_min` and `t_max` of at least three cells.
fn limits(coordinates: &Coordinates) -> (f32, f32) {
    let sums: Vec<f32> = (0..coordinates.cells).map(|cell| row_sum(coordinates, cell)).collect();
    let (mut first, mut second, mut last) = (0, usize::MAX, 0);
    for (cell, &sum) in sums.iter().enumerate().skip(1) {
        if sum < sums[first] {
            (first, second) = (cell, first);
        } else if second == usize::MAX || sum < sums[second] {
            second = cell;
        }
        if sum > sums[last] {
            last = cell;
        }
    }
    let row = |cell| coordinates.row(cell);
    (distance(&row(first), &row(second)), distance(&row(first), &row(last)) / 2.0)
}

/// `numpy.sum(coordinates, axis=1)` of one cell.
fn row_sum(coordinates: &Coordinates, cell: usize) -> f32 {
    let row = coordinates.row(cell);
    match coordinates.order {
        Order::C => pairwise_sum(&row),
        // A column-major array is added up column by column.
        Order::F => row.iter().sum(),
    }
}

/// NumPy's summation of a contiguous axis.
fn pairwise_sum(values: &[f32]) -> f32 {
    match values.len() {
        0..8 => values.iter().sum(),
        8..=128 => {
            let mut lanes = [0f32; 8];
            lanes.copy_from_slice(&values[..8]);
            let eights = values[8..].chunks_exact(8);
            let rest = eights.remainder();
            for eight in eights {
                for (lane, value) in lanes.iter_mut().zip(eight) {
                    *lane += value;
                }
            }
            let [a, b, c, d, e, f, g, h] = lanes;
            rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |sum, value| sum + value)
        }
        n => {
            let (left, right) = values.split_at(n / 2 - n / 2 % 8);
            pairwise_sum(left) + pairwise_sum(right)
        }
    }
}

/// `sklearn.metrics.pairwise_distances` of two float32 rows.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    };
    let squared = -2.0 * dot(a, b) + dot(a, a) + dot(b, b);
    (squared as f32).max(0.0).sqrt()
}

/// `numpy.linspace(low, high, m, dtype=float32)` of float32 ends.
fn linspace(low: f32, high: f32, m: usize) -> Vec<f32> {
    let (delta, parts) = (high - low, m.saturating_sub(1) as f32);
    let step = delta / parts;
    let mut values: Vec<f32> = (0..m)
        .map(|i| if step == 0.0 { i as f32 / parts * delta } else { i as f32 * step } + low)
        .collect();
    if m > 1 {
        values[m - 1] = high;
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(rows: &[[f32; 2]]) -> Coordinates {
        let values = rows.iter().flatten().copied().collect();
        Coordinates { cells: rows.len(), width: 2, values, order: Order::C }
    }

    #[test]
    fn the_automatic_interval_joins_extreme_sums_and_may_fall() {
        // Sums 0, 7, 14, 70: t_min = |(3,4)| = 5, t_max = |(30,40)|/2 = 25.
        let square = cloud(&[[6.0, 8.0], [3.0, 4.0], [0.0, 0.0], [30.0, 40.0]]);
        assert_eq!(automatic(&square, 3).unwrap(), [5.0, 15.0, 25.0]);
        // Sums 0, 1, 2, 3: t_min = |(-59,60)| = sqrt(7081), t_max = 3/2: descending.
        let falling = cloud(&[[0.0, 0.0], [-59.0, 60.0], [0.0, 2.0], [3.0, 0.0]]);
        let falling = automatic(&falling, 2).unwrap();
        assert_eq!(falling, [7081f32.sqrt(), 1.5]);
    }

    #[test]
    fn ties_go_to_the_first_cells() {
        let tied = cloud(&[[1.0, 1.0], [2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]);
        // p, p2 = 0, 1 and q = 0.
        assert_eq!(automatic(&tied, 2).unwrap(), [2f32.sqrt(), 0.0]);
    }

    #[test]
    fn pairwise_sums_are_numpys() {
        // 8 lanes: 1e8 meets -1e8 only after the small values of its own lane are lost.
        let mut values = vec![1.0f32; 16];
        (values[0], values[1]) = (1e8, -1e8);
        // lanes 0 and 1: 1e8 + 1 = 1e8 and -1e8 + 1 = -1e8; the other six hold 2 each.
        assert_eq!(pairwise_sum(&values), 12.0);
        assert_eq!(pairwise_sum(&vec![1.0; 1000]), 1000.0);
    }

    #[test]
    fn refusals_are_the_hosts() {
        let cloud = cloud(&[[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]);
        let kind = |value: Value| match read(&value, &cloud).unwrap_err() {
            Fault::Rejected { kind, .. } => kind,
            other => panic!("{other}"),
        };
        let scalar: Value = dispatch::Dense::new(vec![], vec![5i64]).into();
        for value in [scalar, Value::None, 2.5.into(), Value::List(vec![Value::None; 2])] {
            assert_eq!(kind(value.clone()), "TypeError", "{value:?}");
        }
        let nan = Value::List(vec![f64::NAN.into(), 1.0.into()]);
        let one = Value::List(vec![1.0.into()]);
        for value in [1.into(), (-4).into(), i64::MAX.into(), true.into(), one, nan, "ab".into()] {
            assert_eq!(kind(value.clone()), "ValueError", "{value:?}");
        }
        let list = Value::Tuple(vec![3.into(), 1.5.into(), true.into()]);
        assert_eq!(read(&list, &cloud).unwrap(), [1.0, 1.5, 3.0]);
    }
}
