//! The laws of co-occurrence.
//!
//! Behind the ratios stand counts of pairs, and a pair that lies on a threshold up to rounding may be counted
//! or not. So laws that move cells or thresholds are asked only where no pair is in doubt, before and after:
//! there the counts are known exactly, and ratios of equal counts agree to the last few bits.

use dispatch::{Call, Categorical, Dense, Fault, Value};
use generators::Random;
use reference::co_occurrence::{Band, Counts, Task};

use super::twist::{
    cells_shuffled, map_numbers, map_rows, rename_cells, shuffled, text, with_data, with_params,
    with_slot,
};
use super::{Answered, Claim, Law};
use crate::compare::{Allowance, Checks};
use crate::contracts::co_occurrence::parts;
use crate::profile::{U32, U64};
use crate::show::place;

const FUNCTION: &str = "co_occurrence";

/// All of them.
pub(super) const LAWS: &[Law] = &[C1, C2, C3, C4, C5, C6, C7, C8, C9, C10, C11, C12, C13];

/// An answer, read.
struct Grid {
    task: Task,
    k: usize,
    bins: usize,
    occ: Vec<f64>,
    interval: Vec<f64>,
}

/// The arrays of an answer; `None`, with a failed check, if they are not there or have other shapes.
fn grid(answered: &Answered<'_>, checks: &mut Checks) -> Result<Option<Grid>, Fault> {
    let task = Task::read(&answered.call.data, &answered.call.params)?;
    let (k, bins) = (task.k, task.thresholds.len());
    let form = |occ: &[usize], interval: &[usize]| format!("occ {occ:?}, interval {interval:?}");
    let found = parts(&answered.reply.data);
    let shapes = found.map_or("nothing".to_owned(), |(o, i)| form(&o.shape, &i.shape));
    if !checks.equal("form", "occ", &form(&[k, k, bins], &[bins + 1]), &shapes) {
        return Ok(None);
    }
    Ok(found.map(|(occ, interval)| Grid {
        task,
        k,
        bins,
        occ: occ.to_f64(),
        interval: interval.to_f64(),
    }))
}

impl Grid {
    fn at(&self, i: usize, c: usize, r: usize) -> f64 {
        self.occ[(i * self.k + c) * self.bins + r]
    }

    /// Asks that each ratio is an expected number, give or take some roundings relative to a magnitude.
    fn is(&self, expected: &[f64], allowed: impl Fn(usize) -> Allowance, checks: &mut Checks) {
        let shape = [self.k, self.k, self.bins];
        checks.numbers("occ", "occ", expected, &self.occ, |i| place(i, &shape), allowed);
    }

    /// One number per ratio from its clusters and its threshold.
    fn each(&self, value: impl Fn(usize, usize, usize) -> f64) -> Vec<f64> {
        let per_cluster = self.k * self.bins;
        let of = |at: usize| value(at / per_cluster, at / self.bins % self.k, at % self.bins);
        (0..self.occ.len()).map(of).collect()
    }
}

/// A ratio takes two conversions to float64 and three products or quotients, whatever their order: 8u for each of two
/// answers.
fn few_bits(expected: f64) -> Allowance {
    Allowance::Within(16.0 * U64 * expected.abs())
}

fn task(call: &Call) -> Option<Task> {
    Task::read(&call.data, &call.params).ok()
}

/// The counts, if no pair is in doubt.
fn certain(band: Band) -> Option<Counts> {
    (band.low == band.high).then_some(band.low)
}

/// The counts of a call, if no pair is in doubt.
fn counts(call: &Call) -> Option<Counts> {
    certain(task(call)?.band())
}

/// Whether the call names its thresholds; automatic ones depend on ties of sums, which no two programs break alike.
fn is_explicit(call: &Call) -> bool {
    !matches!(call.param("interval"), None | Some(Value::Int(_)))
}

fn coordinates(call: &Call) -> Option<(String, &Dense)> {
    let path = format!("obsm/{}", text(call, "spatial_key", "spatial"));
    match call.data.get(&path)? {
        Value::Dense(dense) => Some((path, dense)),
        _ => None,
    }
}

fn labels(call: &Call) -> Option<(String, &Categorical)> {
    let path = format!("obs/{}", text(call, "cluster_key", ""));
    match call.data.get(&path)? {
        Value::Categorical(column) => Some((path, column)),
        _ => None,
    }
}

/// The names of the categories that occur, in the order of the categories.
fn used(call: &Call) -> Vec<String> {
    let Some((_, column)) = labels(call) else { return Vec::new() };
    let occurs = |(code, _): &(usize, String)| column.codes.contains(&(*code as i32));
    column.names().into_iter().enumerate().filter(occurs).map(|(_, name)| name).collect()
}

fn distances(values: &[f64]) -> Value {
    Dense::vector(values.to_vec()).into()
}

const C1: Law = Law {
    id: "C1",
    function: FUNCTION,
    statement: "occ[i,c,r] = occ[c,i,r].",
    claim: Claim::Answer { applies: |call| task(call).is_some(), holds: symmetric },
};

fn symmetric(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(answered, checks)? else { return Ok(()) };
    let expected = grid.each(|i, c, r| grid.at(c, i, r));
    grid.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}

const C2: Law = Law {
    id: "C2",
    function: FUNCTION,
    statement: "sum_i (R_i/Tot) occ[i,c,r] = 1 for each cluster c that has pairs.",
    claim: Claim::Answer { applies: |call| counts(call).is_some(), holds: averages_to_one },
};

fn averages_to_one(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(answered, checks)? else { return Ok(()) };
    let (k, bins) = (grid.k, grid.bins);
    let rows = grid.task.counts().row_sums();
    let (mut expected, mut actual) = (Vec::new(), Vec::new());
    for c in 0..k {
        for r in 0..bins {
            let total: u64 = (0..k).map(|i| rows[i * bins + r]).sum();
            let share = |i: usize| rows[i * bins + r] as f64 / total as f64;
            let sum = (0..k).map(|i| share(i) * grid.at(i, c, r)).sum();
            let has_pairs = rows[c * bins + r] > 0;
            expected.push(if has_pairs { 1.0 } else { 0.0 });
            actual.push(if has_pairs { sum } else { 0.0 });
        }
    }
    // Terms are positive and sum to 1; each takes 8u in the ratio and 3u here, and k are added.
    let room = Allowance::Within((k as f64 + 16.0) * U64);
    let at = |at: usize| place(at, &[k, bins]);
    checks.numbers("weighted mean", "occ", &expected, &actual, at, |_| room);
    Ok(())
}

const C3: Law = Law {
    id: "C3",
    function: FUNCTION,
    statement: "With one cluster occ is 1 where there are pairs and 0 where there are none.",
    claim: Claim::Twist { twist: one_cluster, holds: ones },
};

fn one_cluster(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, column) = labels(call)?;
    let one = Categorical::new(vec![0; column.codes.len()], ["all"]);
    Some(with_slot(call, &path, one.into())).filter(|call| task(call).is_some())
}

fn ones(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let band = grid.task.band();
    let expected = grid.each(|_, _, r| if band.high.at(0, 0, r) > 0 { 1.0 } else { 0.0 });
    let in_doubt = |r: usize| band.high.at(0, 0, r) > 0 && band.low.at(0, 0, r) == 0;
    let allowed = |r| if in_doubt(r) { Allowance::Undefined } else { few_bits(expected[r]) };
    grid.is(&expected, allowed, checks);
    Ok(())
}

const C4: Law = Law {
    id: "C4",
    function: FUNCTION,
    statement: "Beyond the diameter occ is n/(n-1) off the diagonal and n (n_c - 1)/(n_c (n - 1)) on it.",
    claim: Claim::Twist { twist: beyond_the_diameter, holds: everybody_meets },
};

fn beyond_the_diameter(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call)?;
    let extent = |v: &[f32]| {
        let ends = |(low, high): (f32, f32), x: &f32| (low.min(*x), high.max(*x));
        let (low, high) = v.iter().fold((f32::INFINITY, f32::NEG_INFINITY), ends);
        f64::from(high) - f64::from(low)
    };
    let far = 2.0 * (extent(&task.x) + extent(&task.y)) + 1.0;
    (task.labels.len() > 1)
        .then(|| with_params(call, [("interval", distances(&[0.0, far, 2.0 * far]))]))
}

fn everybody_meets(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let n = grid.task.labels.len() as f64;
    let size = |c: usize| grid.task.labels.iter().filter(|l| **l as usize == c).count() as f64;
    let sizes: Vec<f64> = (0..grid.k).map(size).collect();
    let expected = grid.each(|i, c, _| match i == c {
        true => n * (sizes[c] - 1.0) / (sizes[c] * (n - 1.0)),
        false => n / (n - 1.0),
    });
    grid.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}

/// Asks that two answers have the same ratios, where the second's cluster `to[i]` is the first's `i`.
fn same_ratios(before: &Grid, after: &Grid, to: &[usize], checks: &mut Checks) {
    let mut expected = after.occ.clone();
    for (i, &at_i) in to.iter().enumerate() {
        for (c, &at_c) in to.iter().enumerate() {
            for r in 0..before.bins.min(after.bins) {
                expected[(at_i * after.k + at_c) * after.bins + r] = before.at(i, c, r);
            }
        }
    }
    after.is(&expected, |at| few_bits(expected[at]), checks);
}

fn unchanged(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(first) = grid(before, checks)? else { return Ok(()) };
    let Some(second) = grid(after, checks)? else { return Ok(()) };
    let (from, to) = (used(before.call), used(after.call));
    let places: Vec<usize> =
        from.iter().filter_map(|name| to.iter().position(|other| other == name)).collect();
    same_ratios(&first, &second, &places, checks);
    Ok(())
}

/// The twisted call, if its counts are those of the call and none is in doubt.
fn same_counts(call: &Call, twisted: Call) -> Option<Call> {
    (counts(call)? == counts(&twisted)?).then_some(twisted)
}

const C5: Law = Law {
    id: "C5",
    function: FUNCTION,
    statement: "Moving, turning by 90 degrees, reflecting and swapping axes change nothing.",
    claim: Claim::Twist { twist: moved, holds: unchanged },
};

fn moved(call: &Call, random: &mut Random) -> Option<Call> {
    if !is_explicit(call) {
        return None;
    }
    let (path, places) = coordinates(call)?;
    let motion = random.below(4);
    let [dx, dy] = [0; 2].map(|_| random.below(33) as f64 - 16.0);
    let moved = map_rows(places, |_, at| match motion {
        0 => (at[0], at[1]) = (at[0] + dx, at[1] + dy),
        1 => (at[0], at[1]) = (-at[1], at[0]),
        2 => at[0] = -at[0],
        _ => at.swap(0, 1),
    })?;
    same_counts(call, with_slot(call, &path, moved))
}

const C6: Law = Law {
    id: "C6",
    function: FUNCTION,
    statement: "Positions and thresholds times a power of two change nothing.",
    claim: Claim::Twist { twist: zoomed, holds: unchanged },
};

fn zoomed(call: &Call, random: &mut Random) -> Option<Call> {
    if !is_explicit(call) {
        return None;
    }
    let (path, places) = coordinates(call)?;
    let factors = [0.25, 8.0, 2.0];
    let start = random.below(factors.len());
    let tried = (0..factors.len()).map(|k| factors[(start + k) % factors.len()]);
    let places = Value::from(places.clone());
    let (factor, zoomed) =
        tried.into_iter().find_map(|f| Some((f, map_numbers(&places, |x| f * x)?)))?;
    let wider: Vec<f64> = task(call)?.interval.iter().map(|t| factor * f64::from(*t)).collect();
    let zoomed = with_params(&with_slot(call, &path, zoomed), [("interval", distances(&wider))]);
    same_counts(call, zoomed)
}

const C7: Law = Law {
    id: "C7",
    function: FUNCTION,
    statement: "Cells in another order change nothing; categories in another order permute the axes.",
    claim: Claim::Twist { twist: reordered, holds: unchanged },
};

fn reordered(call: &Call, random: &mut Random) -> Option<Call> {
    task(call).filter(|_| is_explicit(call))?;
    let (path, column) = labels(call)?;
    let categories = column.categories.len()?;
    if random.below(2) == 0 || categories < 2 {
        return cells_shuffled(call, random);
    }
    let mut order = shuffled(categories, random);
    if order.is_sorted() {
        order.rotate_left(1);
    }
    let place =
        |code: i32| order.iter().position(|&old| old as i32 == code).map_or(-1, |p| p as i32);
    let reordered = Categorical {
        codes: column.codes.iter().map(|&code| place(code)).collect(),
        categories: Box::new(column.categories.take_rows(&order)),
        ordered: column.ordered,
    };
    Some(with_slot(call, &path, reordered.into()))
}

const C8: Law = Law {
    id: "C8",
    function: FUNCTION,
    statement: "Slice r depends on threshold r+1 alone: the first is not used, others may be left out, any order \
                will do.",
    claim: Claim::Twist { twist: fewer_thresholds, holds: slices_stay },
};

fn fewer_thresholds(call: &Call, random: &mut Random) -> Option<Call> {
    let task = task(call).filter(|_| is_explicit(call))?;
    let thresholds = &task.interval[1..];
    let kept = 1 + random.below(thresholds.len());
    let order = shuffled(thresholds.len(), random);
    let mut kept: Vec<f64> = order.iter().take(kept).map(|&r| f64::from(thresholds[r])).collect();
    let least = kept.iter().copied().fold(f64::INFINITY, f64::min);
    // Half of a float32 is a float32, and stands before all others once they are sorted.
    kept.insert(random.below(kept.len() + 1), least / 2.0);
    (least >= 0.0).then(|| with_params(call, [("interval", distances(&kept))]))
}

fn slices_stay(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(first) = grid(before, checks)? else { return Ok(()) };
    let Some(second) = grid(after, checks)? else { return Ok(()) };
    let wanted: Vec<f64> = second.task.interval.iter().map(|t| f64::from(*t)).collect();
    let at = |i: usize| format!("[{i}]");
    checks.numbers("interval", "interval", &wanted, &second.interval, at, |_| Allowance::Exact);
    let slice = |r: usize| {
        let threshold = second.task.interval[r + 1];
        first.task.interval[1..].iter().position(|t| *t == threshold)
    };
    let slices: Vec<Option<usize>> = (0..second.bins).map(slice).collect();
    let expected = second.each(|i, c, r| slices[r].map_or(f64::NAN, |slice| first.at(i, c, slice)));
    second.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}

const C9: Law = Law {
    id: "C9",
    function: FUNCTION,
    statement: "Two copies farther apart than the largest threshold change nothing.",
    claim: Claim::Twist { twist: copied, holds: unchanged },
};

fn copied(call: &Call, _: &mut Random) -> Option<Call> {
    let task = task(call).filter(|_| is_explicit(call))?;
    let (path, places) = coordinates(call)?;
    let n = task.labels.len();
    let largest = |v: &[f32]| v.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let reach = 2.0 * f64::from(largest(&task.x)) + f64::from(largest(&task.interval)) + 1.0;
    // A power of two, so that sums are exact as long as digits last.
    let apart = reach.log2().ceil().exp2();
    let both: Vec<usize> = (0..2 * n).map(|i| i % n).collect();
    let Value::Dense(twice) = Value::from(places.clone()).take_rows(&both) else { return None };
    let moved = map_rows(&twice, |i, at| at[0] += if i < n { 0.0 } else { apart })?;
    let mut data = call.data.subset(Some(&both), None);
    data.set(&path, moved);
    rename_cells(&mut data);
    let copied = with_data(call, data);
    let doubled = counts(call)?.n.iter().map(|n| 2 * n).collect::<Vec<_>>();
    (counts(&copied)?.n == doubled).then_some(copied)
}

const C10: Law = Law {
    id: "C10",
    function: FUNCTION,
    statement: "The counts that occ stands for, occ R R/Tot, are whole and do not fall as thresholds rise.",
    claim: Claim::Answer { applies: |call| counts(call).is_some(), holds: counts_rise },
};

fn counts_rise(answered: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(answered, checks)? else { return Ok(()) };
    let (bins, weights) = (grid.bins, Weights::new(&grid.task.counts()));
    let counted = grid.each(|i, c, r| grid.at(i, c, r) * weights.at(i, c, r));
    let mut order: Vec<usize> = (0..bins).collect();
    order.sort_by(|a, b| grid.interval[a + 1].total_cmp(&grid.interval[b + 1]));
    let mut expected = counted.clone();
    for slices in expected.chunks_mut(bins.max(1)) {
        let mut least = 0.0_f64;
        for &r in &order {
            least = least.max(slices[r].round());
            slices[r] = least;
        }
    }
    let shape = [grid.k, grid.k, bins];
    let allowed = |at: usize| few_bits(expected[at]);
    checks.numbers("counts", "occ", &expected, &counted, |at| place(at, &shape), allowed);
    Ok(())
}

/// `R_c R_i / Tot`: what a ratio is multiplied by to give its count.
struct Weights {
    k: usize,
    bins: usize,
    rows: Vec<u64>,
}

impl Weights {
    fn new(counts: &Counts) -> Weights {
        Weights { k: counts.k, bins: counts.bins, rows: counts.row_sums() }
    }

    fn at(&self, i: usize, c: usize, r: usize) -> f64 {
        let row = |b: usize| self.rows[b * self.bins + r] as f64;
        let total: f64 = (0..self.k).map(row).sum();
        if total > 0.0 { row(i) * row(c) / total } else { 0.0 }
    }
}

const C11: Law = Law {
    id: "C11",
    function: FUNCTION,
    statement: "Merging two clusters adds their counts.",
    claim: Claim::Twist { twist: merged, holds: counts_add },
};

/// Merges the last two clusters that occur into the first of them; the emptied category goes.
fn merged(call: &Call, _: &mut Random) -> Option<Call> {
    let (path, column) = labels(call)?;
    counts(call)?;
    let occurs = |code: &usize| column.codes.contains(&(*code as i32));
    let mut last = (0..column.categories.len()?).rev().filter(occurs);
    let (gone, into) = (last.next()?, last.next()?);
    let recoded = |&code: &i32| match code as usize {
        code if code == gone => into as i32,
        code if code > gone => code as i32 - 1,
        _ => code,
    };
    let kept: Vec<usize> = (0..column.categories.len()?).filter(|&code| code != gone).collect();
    let merged = Categorical {
        codes: column.codes.iter().map(recoded).collect(),
        categories: Box::new(column.categories.take_rows(&kept)),
        ordered: column.ordered,
    };
    Some(with_slot(call, &path, merged.into()))
}

fn counts_add(
    before: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(first) = grid(before, checks)? else { return Ok(()) };
    let Some(second) = grid(after, checks)? else { return Ok(()) };
    let (old, new) = (first.task.counts(), second.task.counts());
    let (old_weights, new_weights) = (Weights::new(&old), Weights::new(&new));
    let last = second.k - 1;
    let of = |merged: usize| if merged == last { vec![last, last + 1] } else { vec![merged] };
    let counted = |i: usize, c: usize, r: usize| -> f64 {
        let parts = of(i).into_iter().flat_map(|i| of(c).into_iter().map(move |c| (i, c)));
        parts.map(|(i, c)| first.at(i, c, r) * old_weights.at(i, c, r)).sum()
    };
    let expected = second.each(|i, c, r| {
        let weight = new_weights.at(i, c, r);
        if weight > 0.0 { counted(i, c, r) / weight } else { 0.0 }
    });
    // Up to four counts are added up, each a ratio (8u) times a weight (4u); all are positive.
    let allowed = |at: usize| Allowance::Within(32.0 * U64 * expected[at].abs());
    second.is(&expected, allowed, checks);
    Ok(())
}

const C12: Law = Law {
    id: "C12",
    function: FUNCTION,
    statement: "interval=m gives m equally spaced distances from |x_p - x_p2| to |x_p - x_q|/2 and m-1 slices.",
    claim: Claim::Twist { twist: automatic, holds: equally_spaced },
};

fn automatic(call: &Call, random: &mut Random) -> Option<Call> {
    let (_, places) = coordinates(call)?;
    let (values, width) = (places.to_f64(), *places.shape.get(1)?);
    let mut sums: Vec<f64> = values.chunks(width.max(1)).map(|at| at.iter().sum()).collect();
    sums.sort_by(f64::total_cmp);
    let [first, second, third] = *sums.first_chunk::<3>()?;
    let [before_last, last] = *sums.last_chunk::<2>()?;
    // Which of equal sums is the smallest is nobody's contract, and float32 sums are equal up to rounding.
    let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    let rounding = 8.0 * width as f64 * U32 * largest * width as f64;
    let apart = |low: f64, high: f64| high - low > rounding;
    let clear = apart(first, second) && apart(second, third) && apart(before_last, last);
    let m = 2 + random.below(8) as i64;
    let twisted = with_params(call, [("interval", Value::Int(m))]);
    (clear && task(&twisted).is_some()).then_some(twisted)
}

fn equally_spaced(
    _: &Answered<'_>,
    after: &Answered<'_>,
    checks: &mut Checks,
) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let [first, .., last] = grid.task.interval[..] else { return Ok(()) };
    let (first, last) = (f64::from(first), f64::from(last));
    let parts = (grid.interval.len() - 1) as f64;
    let expected: Vec<f64> =
        (0..grid.interval.len()).map(|i| first + (last - first) * i as f64 / parts).collect();
    // Square roots, a half and a division in float32, in any order of operations (spec A.2.4).
    let room = Allowance::Within(4.0 * U32 * first.max(last));
    let at = |i: usize| format!("[{i}]");
    checks.numbers("interval", "interval", &expected, &grid.interval, at, |_| room);
    Ok(())
}

const C13: Law = Law {
    id: "C13",
    function: FUNCTION,
    statement: "Cells at the places 0, 1, 2 ... of a line have the counts that adding up over lags gives.",
    claim: Claim::Twist { twist: on_a_line, holds: lags_add_up },
};

fn on_a_line(call: &Call, _: &mut Random) -> Option<Call> {
    let n = task(call)?.labels.len();
    let (path, _) = coordinates(call)?;
    let line: Vec<f64> = (0..n).flat_map(|i| [i as f64, 0.0]).collect();
    let placed = with_slot(call, &path, Dense::new(vec![n, 2], line).into());
    Some(with_params(&placed, [("interval", distances(&[0.0, 1.0, 2.5, 4.0, 7.0]))]))
}

fn lags_add_up(_: &Answered<'_>, after: &Answered<'_>, checks: &mut Checks) -> Result<(), Fault> {
    let Some(grid) = grid(after, checks)? else { return Ok(()) };
    let (k, bins, labels) = (grid.k, grid.bins, &grid.task.labels);
    let mut n = vec![0u64; k * k * bins];
    for r in 0..bins {
        let reach = grid.task.interval[r + 1] as usize;
        for lag in 1..=reach.min(labels.len().saturating_sub(1)) {
            for (a, b) in labels.iter().zip(&labels[lag..]).map(|(a, b)| (*a as usize, *b as usize))
            {
                n[(a * k + b) * bins + r] += 1;
                n[(b * k + a) * bins + r] += 1;
            }
        }
    }
    let counts = Counts { k, bins, n };
    let weights = Weights::new(&counts);
    let expected = grid.each(|i, c, r| {
        let weight = weights.at(i, c, r);
        if weight > 0.0 { counts.at(i, c, r) as f64 / weight } else { 0.0 }
    });
    grid.is(&expected, |at| few_bits(expected[at]), checks);
    Ok(())
}
