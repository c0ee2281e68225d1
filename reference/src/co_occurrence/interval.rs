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
//! one ULP off moves pairs across a threshold: NumPy's pairwise row sums, squares rounded to float32 before the root,
//! and `linspace` as NumPy 2 evaluates it. Only the squares are taken of differences here, in float64; the host has
//! them from scikit-learn, which expands them to `|x|^2 - 2xy + |y|^2` and loses digits where positions are far from
//! the origin. What that may come to, and which other cells equal sums allow, is in [`Ends`].

use dispatch::{Fault, Order, Value};

use super::Coordinates;
use crate::args::{number, type_error, value_error};

/// More distances than this are a mistake, not a question.
const MOST: usize = 1 << 20;
/// More positions than this that share a sum have too many pairs to list.
const MOST_TIED: usize = 128;

/// Where an automatic interval begins and ends, for one choice among cells of equal sums.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    /// `t_min` and `t_max`.
    pub values: [f32; 2],
    /// How far expanding the squares in float64, in any order of operations, may move each.
    pub expansion: [f64; 2],
}

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

/// Every pair of ends of an automatic interval that a choice among equal sums gives, the first cells' first; `None` if
/// there are fewer than three cells, or too many choices.
pub fn choices(coordinates: &Coordinates) -> Option<Vec<Ends>> {
    if coordinates.cells < 3 {
        return None;
    }
    let sums = row_sums(coordinates);
    let (first, second, last) = extremes(&sums);
    let tied =
        |with: usize| positions(coordinates, (0..sums.len()).filter(|&c| sums[c] == sums[with]));
    let (smallest, next) = (tied(first), tied(second));
    if smallest.len().max(next.len()) > MOST_TIED {
        return None;
    }
    let last = coordinates.row(last);
    let mut choices = Vec::new();
    for (p, several) in &smallest {
        for (p2, _) in &next {
            // One cell is not two, unless another one lies in the same place.
            if p != p2 || *several {
                let ends = Ends::of(p, p2, &last);
                if !choices.contains(&ends) {
                    choices.push(ends);
                }
            }
        }
    }
    Some(choices)
}

/// The different positions of some cells, in order, and whether several cells lie there.
fn positions(
    coordinates: &Coordinates,
    cells: impl Iterator<Item = usize>,
) -> Vec<(Vec<f32>, bool)> {
    let mut found: Vec<(Vec<f32>, bool)> = Vec::new();
    for position in cells.map(|cell| coordinates.row(cell)) {
        match found.iter().position(|(known, _)| *known == position) {
            Some(at) => found[at].1 = true,
            None if found.len() > MOST_TIED => break,
            None => found.push((position, false)),
        }
    }
    found
}

impl Ends {
    fn of(p: &[f32], p2: &[f32], q: &[f32]) -> Ends {
        let [low, high] = [p2, q].map(|other| (distance(p, other), expansion(p, other)));
        Ends { values: [low.0, high.0 / 2.0], expansion: [low.1, high.1 / 2.0] }
    }
}

/// How far `sqrt(|a|^2 - 2ab + |b|^2)` in float64 may be from the distance.
///
/// Three inner products of `w` terms have `w` roundings each and two sums follow, all at most `(|a| + |b|)^2` in
/// magnitude, so the square is off by `E = (w + 2) u (|a| + |b|)^2`; and `|sqrt(d^2 + e) - d| <= min(e/d, sqrt e)`.
fn expansion(a: &[f32], b: &[f32]) -> f64 {
    let norm = |v: &[f32]| v.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let error = (a.len() + 2) as f64 * (f64::EPSILON / 2.0) * (norm(a) + norm(b)).powi(2);
    error.sqrt().min(error / f64::from(distance(a, b)))
}

/// `t_min` and `t_max` of at least three cells.
fn limits(coordinates: &Coordinates) -> (f32, f32) {
    let (first, second, last) = extremes(&row_sums(coordinates));
    let row = |cell| coordinates.row(cell);
    let [low, high] = Ends::of(&row(first), &row(second), &row(last)).values;
    (low, high)
}

/// The cells of smallest, second smallest and largest sum, the first ones among equals.
fn extremes(sums: &[f32]) -> (usize, usize, usize) {
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
    (first, second, last)
}

fn row_sums(coordinates: &Coordinates) -> Vec<f32> {
    (0..coordinates.cells).map(|cell| row_sum(coordinates, cell)).collect()
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

/// The distance of two float32 rows; its square is rounded to float32.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let squared: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    (squared as f32).sqrt()
}

/// `numpy.linspace(low, high, m, dtype=float32)` of float32 ends.
pub fn linspace(low: f32, high: f32, m: usize) -> Vec<f32> {
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
        // Any two cells may be p and p2: two of them lie in one place, the others 1.41 and 2.83 apart.
        let ends: Vec<[f32; 2]> = choices(&tied).unwrap().iter().map(|e| e.values).collect();
        let root = 2f32.sqrt();
        for [p2, q] in [[0.0, 0.0], [root, 0.0], [root, root / 2.0], [2.0 * root, root / 2.0]] {
            assert!(ends.contains(&[p2, q]), "{p2}, {q}: {ends:?}");
        }
        assert_eq!((ends.len(), ends[0]), (4, [0.0, 0.0]));
        let single = cloud(&[[0.0, 0.0], [3.0, 4.0], [9.0, 9.0]]);
        assert_eq!(choices(&single).unwrap().len(), 1);
    }

    #[test]
    fn an_expanded_square_stays_within_its_bound() {
        let at = |x: f32, y: f32, z: f32| [x, y, z + 1e6];
        let mut worst: f64 = 0.0;
        for k in 0..200u16 {
            let s = f32::from(k);
            let (a, b) = (at(1e6 + s, 1e6, 0.25 * s), at(1e6 - 0.5 * s, 1e6 + s, 1.0));
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
            };
            let expanded = (dot(&a, &a) - 2.0 * dot(&a, &b) + dot(&b, &b)).max(0.0).sqrt();
            let off = (expanded - f64::from(distance(&a, &b))).abs();
            // The distance itself is rounded twice in float32.
            let rounding = 2.0 * f64::from(f32::EPSILON) * f64::from(distance(&a, &b));
            worst = worst.max(off);
            assert!(off <= expansion(&a, &b) + rounding, "{k}: {off} {}", expansion(&a, &b));
        }
        assert!(worst > 0.0);
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
