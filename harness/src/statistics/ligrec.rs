//! What is known about the p-values of a `ligrec` call, and what is asked of them.
//!
//! `p N` counts the permutations that exceed the observed sum of two means, so it is binomial given the data. Its odds come
//! from all distinct assignments of the labels for n <= 8, else from permutations of our own (spec A.3.5). Cells of the table
//! share permutations; the correction for many tests does not mind.

use dispatch::{Call, Dtype, Fault, Reply, Value};
use generators::Random;
use reference::ligrec::{Stream, Task};

use super::batch::Batch;
use super::distributions::Counts;
use super::enumerate::assignments;
use super::hypothesis::{Odds, Test, independent_p, uniform_p};
use super::study::{Knowledge, Ties};
use crate::{U32, U64};

pub(super) const GRID: &str = "p grid";
pub(super) const DEFINED: &str = "p defined where it should be";
pub(super) const RANK: &str = "p-value distribution";
pub(super) const SEEDS: &str = "p-values over seeds";
pub(super) const SERIAL: &str = "seeds are independent";

/// Sums of means this near the observed one, relative to it, may be ties that rounding decides: ten additions in float32.
const TIE: f64 = 40.0 * U32;
/// Entries drawn for a sample of our own, and the most permutations that are worth it.
const SAMPLE: (usize, usize) = (1 << 21, 40_000);
/// Of our own permutations; calls pass seeds below 2^30.
const OWN_SEED: u32 = 0xbead_5eed;

/// What is known about each entry of the table, row by row.
#[derive(Debug)]
pub(super) struct Truth {
    width: usize,
    cells: Vec<Cell>,
}

#[derive(Debug)]
struct Cell {
    label: String,
    /// Of a permutation to exceed the observed sum; `None` where there is no p-value.
    odds: Option<Odds>,
}

impl Truth {
    pub(super) fn of(call: &Call, knowledge: Knowledge, ties: Ties) -> Result<Truth, Fault> {
        let mut task = Task::read(&call.data, &call.params)?;
        let odds = match knowledge {
            Knowledge::Enumerated => enumerated(&task, ties),
            Knowledge::Sampled => sampled(&mut task, ties),
        };
        let defined = task.defined(&task.observed());
        let rows = task.metadata.index.labels();
        let width = task.pairs.len();
        let name = |c: u32| task.clusters[c as usize].as_str();
        let cell = |(i, odds): (usize, Odds)| {
            let [c, d] = task.pairs[i % width];
            let label = format!("{} in {} | {}", rows[i / width], name(c), name(d));
            Cell { label, odds: defined[i].then_some(odds) }
        };
        Ok(Truth { width, cells: odds.into_iter().enumerate().map(cell).collect() })
    }

    /// The tests that a batch of answers allows.
    pub(super) fn tests(&self, batch: Batch, replies: &[Reply], random: &mut Random) -> Vec<Test> {
        let tables: Vec<Option<Table>> = replies.iter().map(|r| Table::read(r, self)).collect();
        let Some(tables) = tables.into_iter().collect::<Option<Vec<_>>>() else {
            let expected = "a table of p-values for each interaction and pair of clusters";
            return vec![test(DEFINED, "", 0.0, || expected.to_owned(), || "another".to_owned())];
        };
        let mut tests = Vec::new();
        for (i, cell) in self.cells.iter().enumerate() {
            let p: Vec<f64> = tables.iter().map(|table| table.p[i]).collect();
            tests.extend(cell.tests(batch, &p, tables[0].unit, random));
        }
        tests
    }
}

/// Odds of each entry over all distinct assignments of the labels.
fn enumerated(task: &Task, ties: Ties) -> Vec<Odds> {
    let (k, n) = (task.k(), task.labels.len());
    let mut sizes = vec![0.0; k];
    task.labels.iter().for_each(|&label| sizes[label as usize] += 1.0);
    let sums = |labels: &[u32]| {
        let mut sums = vec![0.0; task.columns.len() * k];
        for (gene, column) in task.columns.iter().enumerate() {
            for (cell, value) in column.cells.iter().zip(&column.values) {
                sums[gene * k + labels[*cell as usize] as usize] += value;
            }
        }
        sums
    };
    let observed = sums(&task.labels);
    let entries: Vec<[usize; 2]> = (task.interactions.iter())
        .flat_map(|[s, t]| task.pairs.iter().map(move |pair| (s, t, pair)))
        .map(|(s, t, [c, d])| [*s as usize * k + *c as usize, *t as usize * k + *d as usize])
        .collect();
    let total = |sums: &[f64], [a, b]: [usize; 2]| sums[a] / sizes[a % k] + sums[b] / sizes[b % k];
    let mut counts = vec![[0_u32; 2]; entries.len()];
    let mut all = 0_u32;
    debug_assert!(n <= 8);
    assignments(&task.labels, |labels| {
        all += 1;
        let permuted = sums(labels);
        for (count, &[a, b]) in counts.iter_mut().zip(&entries) {
            let (now, then) = (total(&permuted, [a, b]), total(&observed, [a, b]));
            // The very sums observed give the very mean observed, in any arithmetic that adds integers.
            let same = permuted[a] == observed[a] && permuted[b] == observed[b];
            let near = (now - then).abs() <= TIE * then.abs();
            count[0] += u32::from(now > then && !near);
            count[1] += u32::from((now > then || near) && !same);
        }
    });
    let odds = |[low, high]: [u32; 2]| {
        let share = |count: u32| f64::from(count) / f64::from(all);
        let high = if ties == Ties::Certain { low } else { high };
        Odds::Known { low: share(low), high: share(high) }
    };
    counts.into_iter().map(odds).collect()
}

/// Odds of each entry from permutations of our own: NumPy's generator with a seed that no call passes.
fn sampled(task: &mut Task, ties: Ties) -> Vec<Odds> {
    let (entries, most) = SAMPLE;
    let given = (task.n_perms, task.stream);
    task.n_perms = (entries / task.labels.len().max(1)).min(most);
    task.stream = Stream::Numpy { seed: OWN_SEED, step: task.n_perms };
    let counts = task.exceedances(&task.observed(), Some(TIE));
    let of = task.n_perms as u64;
    (task.n_perms, task.stream) = given;
    let certain = ties == Ties::Certain;
    let odds = |i: usize| Odds::Sampled {
        low: u64::from(if certain { counts.strict[i] } else { counts.low[i] }),
        high: u64::from(if certain { counts.strict[i] } else { counts.high[i] }),
        of,
    };
    (0..counts.strict.len()).map(odds).collect()
}

/// The p-values of one answer, row by row.
struct Table {
    p: Vec<f64>,
    unit: f64,
}

impl Table {
    fn read(reply: &Reply, truth: &Truth) -> Option<Table> {
        let Some(Value::Map(map)) = reply.data.get("result") else { return None };
        let Some(Value::Frame(frame)) = map.get("pvalues") else { return None };
        let columns: Vec<(Vec<f64>, f64)> = (frame.columns.iter())
            .map(|column| match column {
                Value::Dense(d) if d.dtype().is_float() => {
                    Some((d.to_f64(), if d.dtype() == Dtype::F64 { U64 } else { U32 }))
                }
                _ => None,
            })
            .collect::<Option<_>>()?;
        let rows = truth.cells.len() / truth.width;
        let fits = columns.len() == truth.width && columns.iter().all(|(c, _)| c.len() == rows);
        let p = |i: usize| columns[i % truth.width].0[i / truth.width];
        let unit = columns.first().map_or(U64, |(_, unit)| *unit);
        fits.then(|| Table { p: (0..truth.cells.len()).map(p).collect(), unit })
    }
}

fn test(
    check: &'static str,
    at: &str,
    p: f64,
    expected: impl FnOnce() -> String,
    actual: impl FnOnce() -> String,
) -> Test {
    let (at, transforms) = (at.to_owned(), Vec::new());
    Test { check, slot: "pvalues", at, p, expected: expected(), actual: actual(), transforms }
}

impl Cell {
    fn tests(&self, batch: Batch, p: &[f64], unit: f64, random: &mut Random) -> Vec<Test> {
        let Batch { n_perms, runs } = batch;
        let at = self.label.as_str();
        let wrong = p.iter().filter(|p| p.is_nan() == self.odds.is_some()).count();
        let defined = test(
            DEFINED,
            at,
            if wrong > 0 { 0.0 } else { 1.0 },
            || if self.odds.is_some() { "a number" } else { "NaN" }.to_owned(),
            || format!("not so in {wrong} of {runs} runs"),
        );
        let Some(odds) = self.odds.filter(|_| wrong == 0) else { return vec![defined] };
        let counts: Vec<Option<u64>> = p.iter().map(|&p| exceeding(p, n_perms, unit)).collect();
        let off = counts.iter().position(Option::is_none);
        let grid = test(
            GRID,
            at,
            if off.is_some() { 0.0 } else { 1.0 },
            || format!("a multiple of 1/{n_perms} from 0 to 1"),
            || off.map(|i| crate::compare::number(p[i])).unwrap_or_default(),
        );
        let mut tests = vec![defined, grid];
        let Some(counts) = counts.into_iter().collect::<Option<Vec<u64>>>() else { return tests };
        let (sum, draws) = (counts.iter().sum::<u64>(), (n_perms * runs) as u64);
        let text = || odds.text();
        let shown = || format!("{sum} of {draws} exceed it");
        tests.push(test(RANK, at, odds.p_value(sum, draws), text, shown));
        if let (Some(odds), true) = (odds.exact(), runs > 1) {
            let law = Counts::binomial(n_perms as u64, odds);
            let uniform: Vec<f64> =
                counts.iter().map(|&count| law.transform(count, random.unit())).collect();
            let range = || (counts.iter().min().copied(), counts.iter().max().copied());
            let shown = || {
                let (least, most) = range();
                let [least, most] = [least, most].map(Option::unwrap_or_default);
                format!("{runs} runs of {n_perms} permutations, {least} to {most} exceed it")
            };
            tests.push(test(SERIAL, at, independent_p(&uniform), text, shown));
            let seeds = test(SEEDS, at, uniform_p(&uniform), text, shown);
            tests.push(Test { transforms: uniform, ..seeds });
        }
        tests
    }
}

/// How many permutations a p-value stands for, if it stands for a number of them.
fn exceeding(p: f64, n_perms: usize, unit: f64) -> Option<u64> {
    let count = p * n_perms as f64;
    // A quotient rounded to the dtype of the column, multiplied back: two roundings of at most N.
    let room = 2.0 * (unit + U64) * n_perms as f64;
    let whole = count.round();
    let on_grid = (count - whole).abs() <= room && (0.0..=n_perms as f64).contains(&whole);
    on_grid.then_some(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_back_or_refused() {
        assert_eq!(exceeding(0.0, 19, U64), Some(0));
        assert_eq!(exceeding(1.0, 19, U64), Some(19));
        assert_eq!(exceeding(7.0 / 19.0, 19, U64), Some(7));
        assert_eq!(exceeding(8.0 / 20.0, 19, U64), None); // (count + 1)/(N + 1)
        assert_eq!(exceeding(20.0 / 19.0, 19, U64), None);
        assert_eq!(exceeding(f64::from(301.0_f32 / 999.0), 999, U32), Some(301));
    }
}
