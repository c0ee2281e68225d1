//! Backends whose permutations are wrong on purpose: they measure the power of the tests.
//!
//! Each is the reference with one mistake that no comparison of two runs can see when the two sides draw different
//! permutations. The declared power is that each is rejected in at least 95 of 100 examinations of the standard budget.

use dispatch::{Dataset, Fault, Params, Reply, Value};
use generators::Random;
use reference::spatial_autocorr::{self as autocorr, Mode, Permuted, Statistics, centred};
use reference::{ligrec, spatial_autocorr::moran_numerator};

use crate::mutants::{Class, Mutant};

const MISTAKE: Mutant = Mutant::of("", Class::Permutations);

/// All of them.
pub const WRONG: &[Mutant] = &[
    Mutant {
        name: "autocorr-permutes-values",
        function: AUTOCORR,
        mistake: "permutes the values on both sides of the weights instead of the rows of the weights",
        origin: "A3 of the specification; what Cliff and Ord mean and esda does, of larger variance",
        check: "null variance of var_sim",
        run: |data, params| draw(data, params, &Draw { both_sides: true, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-rank-without-plus-one",
        function: AUTOCORR,
        mistake: "takes L/N for the rank p-value",
        origin: "A4 of the specification",
        check: "p grid",
        run: |data, params| ranked(data, params, |count, n| count.min(n - count) as f64 / n as f64),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-rank-unfolded",
        function: AUTOCORR,
        mistake: "does not fold the rank: a negative statistic gets a p-value near 1",
        origin: "A4 of the specification",
        check: "p grid",
        run: |data, params| ranked(data, params, |count, n| (count + 1) as f64 / (n + 1) as f64),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-rank-strict",
        function: AUTOCORR,
        mistake: "counts permutations that exceed the statistic, not those that reach it",
        origin: "A4 of the specification; continuous values never tie",
        check: "rank p-value distribution",
        run: |data, params| draw(data, params, &Draw { strict: true, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-variance-divided-by-n-minus-1",
        function: AUTOCORR,
        mistake: "divides the variance of the permutations by N - 1",
        origin: "A6 of the specification; a factor N/(N - 1) that no large N shows",
        check: "null variance of var_sim",
        run: |data, params| {
            let n = |params: &Params| match params.get("n_perms") {
                Some(Value::Int(n)) if *n > 1 => *n as f64,
                _ => 2.0,
            };
            let factor = n(params) / (n(params) - 1.0);
            columns(data, params, &FAIR, |columns| {
                let var_sim = columns.iter_mut().filter(|(name, _)| name == "var_sim");
                var_sim.for_each(|(_, v)| v.iter_mut().for_each(|v| *v *= factor));
            })
        },
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-doubles-two-tailed",
        function: AUTOCORR,
        mistake: "doubles `pval_z_sim` for `two_tailed=True`",
        origin: "A6 of the specification",
        check: "null mean of the permutations",
        run: |data, params| {
            let doubles = params.get("two_tailed") == Some(&Value::Bool(true));
            columns(data, params, &FAIR, |columns| {
                let tails = columns.iter_mut().filter(|(name, _)| doubles && name == "pval_z_sim");
                tails.for_each(|(_, p)| p.iter_mut().for_each(|p| *p *= 2.0));
            })
        },
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-cycle-walk",
        function: AUTOCORR,
        mistake: "shuffles by an affine map modulo a power of two, walked until it is in range",
        origin: "the cheapest shuffle on a GPU",
        check: "null variance of var_sim",
        run: |data, params| draw(data, params, &Draw { shuffle: cycle_walk, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-naive-shuffle",
        function: AUTOCORR,
        mistake: "swaps each cell with any other instead of one that is left",
        origin: "the classic mistake in Fisher and Yates' shuffle",
        check: "null mean of the permutations",
        run: |data, params| draw(data, params, &Draw { shuffle: naive, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-cyclic-shuffle",
        function: AUTOCORR,
        mistake: "never leaves a cell in its place (Sattolo's shuffle)",
        origin: "an off-by-one in Fisher and Yates' shuffle",
        check: "null mean of the permutations",
        run: |data, params| draw(data, params, &Draw { shuffle: sattolo, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-ignores-seed",
        function: AUTOCORR,
        mistake: "draws the same permutations whatever the seed",
        origin: "a generator that is created once, or a dropped argument",
        check: "other seed, other permutations",
        run: |data, params| draw(data, params, &Draw { seed: |_, p| (7, p), ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "autocorr-shares-permutations-of-seeds",
        function: AUTOCORR,
        mistake: "seeds permutation p with seed + p, so that neighbouring seeds share all but one",
        origin: "one generator for each permutation, seeded by its number",
        check: "seeds are independent",
        run: |data, params| draw(data, params, &Draw { seed: |seed, p| (seed + p, 0), ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-counts-ties-of-sums",
        function: LIGREC,
        mistake: "counts permutations that reach the observed sum, not those that exceed it",
        origin: "G1 of the specification",
        check: "p-value distribution",
        run: |data, params| count(data, params, &Draw { strict: false, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-adds-one",
        function: LIGREC,
        mistake: "takes (count + 1)/(N + 1) for the p-value",
        origin: "G2 of the specification",
        check: "p grid",
        run: |data, params| {
            let mut task = ligrec::Task::read(data, params)?;
            let observed = task.observed();
            let counts = exceeding(&task, &Draw { strict: true, ..FAIR }, seed(params));
            task.n_perms += 1;
            let counts: Vec<u32> = counts.into_iter().map(|count| count + 1).collect();
            Ok(task.reply(task.tables(&observed, &counts)))
        },
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-permutes-all-cells",
        function: LIGREC,
        mistake: "permutes the labels of all cells although `clusters` restricts them",
        origin: "G5 of the specification",
        check: "p-value distribution",
        run: permutes_all_cells,
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-cycle-walk",
        function: LIGREC,
        mistake: "shuffles by an affine map modulo a power of two, walked until it is in range",
        origin: "the cheapest shuffle on a GPU",
        check: "p-value distribution",
        run: |data, params| {
            count(data, params, &Draw { shuffle: cycle_walk, strict: true, ..FAIR })
        },
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-naive-shuffle",
        function: LIGREC,
        mistake: "swaps each cell with any other instead of one that is left",
        origin: "the classic mistake in Fisher and Yates' shuffle",
        check: "p-value distribution",
        run: |data, params| count(data, params, &Draw { shuffle: naive, strict: true, ..FAIR }),
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-ignores-seed",
        function: LIGREC,
        mistake: "draws the same permutations whatever the seed",
        origin: "a generator that is created once, or a dropped argument",
        check: "other seed, other permutations",
        run: |data, params| {
            count(data, params, &Draw { seed: |_, p| (7, p), strict: true, ..FAIR })
        },
        ..MISTAKE
    },
    Mutant {
        name: "ligrec-shares-permutations-of-seeds",
        function: LIGREC,
        mistake: "seeds permutation p with seed + p, so that neighbouring seeds share all but one",
        origin: "one generator for each permutation, seeded by its number",
        check: "seeds are independent",
        run: |data, params| {
            count(data, params, &Draw { seed: |seed, p| (seed + p, 0), strict: true, ..FAIR })
        },
        ..MISTAKE
    },
];

const AUTOCORR: &str = "spatial_autocorr";
const LIGREC: &str = "ligrec";

/// How permutations are drawn and counted.
struct Draw {
    shuffle: fn(&mut Random, &mut [u32]),
    /// What the generator of permutation p is seeded with.
    seed: fn(u64, u64) -> (u64, u64),
    both_sides: bool,
    strict: bool,
}

/// As the reference does for `spatial_autocorr`, with another generator.
const FAIR: Draw = Draw {
    shuffle: |random, order| random.shuffle(order),
    seed: |seed, p| (seed, p),
    both_sides: false,
    strict: false,
};

impl Draw {
    fn fill(&self, seed: u64, p: u64, order: &mut [u32]) {
        let (seed, stream) = (self.seed)(seed, p);
        order.iter_mut().enumerate().for_each(|(i, slot)| *slot = i as u32);
        // Two rounds of mixing, so that neither number shows in the other's stream.
        let key = Random::new(seed, "seed").bits() ^ Random::new(stream, "permutation").bits();
        (self.shuffle)(&mut Random::new(key, "shuffle"), order);
    }
}

fn seed(params: &Params) -> u64 {
    match params.get("seed") {
        Some(Value::Int(seed)) => *seed as u64,
        _ => 0,
    }
}

fn cycle_walk(random: &mut Random, order: &mut [u32]) {
    let n = order.len() as u64;
    let mask = n.next_power_of_two() - 1;
    let (a, c) = (random.bits() | 1, random.bits());
    for (i, slot) in order.iter_mut().enumerate() {
        let mut v = i as u64;
        loop {
            v = v.wrapping_mul(a).wrapping_add(c) & mask;
            if v < n {
                break;
            }
        }
        *slot = v as u32;
    }
}

fn naive(random: &mut Random, order: &mut [u32]) {
    (0..order.len()).for_each(|i| order.swap(i, random.below(order.len())));
}

fn sattolo(random: &mut Random, order: &mut [u32]) {
    (1..order.len()).rev().for_each(|i| order.swap(i, random.below(i)));
}

type Columns = Vec<autocorr::Column>;

fn draw(data: &Dataset, params: &Params, draw: &Draw) -> Result<Reply, Fault> {
    columns(data, params, draw, |_| ())
}

/// The reference's answer with permutations drawn our way and some columns changed.
fn columns(
    data: &Dataset,
    params: &Params,
    draw: &Draw,
    change: impl FnOnce(&mut Columns),
) -> Result<Reply, Fault> {
    let task = autocorr::Task::read(data, params)?;
    let mut columns = statistics(&task, draw).columns(&task);
    change(&mut columns);
    let corrected = task.corrected(&columns);
    columns.extend(corrected);
    Ok(task.reply(task.sorted(columns)))
}

fn ranked(data: &Dataset, params: &Params, rank: fn(usize, usize) -> f64) -> Result<Reply, Fault> {
    let task = autocorr::Task::read(data, params)?;
    let statistics = statistics(&task, &FAIR);
    let at_least = statistics.permuted.map(|p| p.at_least).unwrap_or_default();
    let n = task.n_perms.unwrap_or(0);
    columns(data, params, &FAIR, |columns| {
        let ranks = columns.iter_mut().filter(|(name, _)| name == "pval_sim");
        ranks.for_each(|(_, p)| *p = at_least.iter().map(|&count| rank(count, n)).collect());
    })
}

fn statistics(task: &autocorr::Task<'_>, draw: &Draw) -> Statistics {
    let mut plain = task.clone();
    plain.n_perms = None;
    let statistics = plain.statistics();
    let permuted = task.n_perms.map(|n_perms| permuted(task, &statistics.score, n_perms, draw));
    Statistics { permuted, ..statistics }
}

fn permuted(task: &autocorr::Task<'_>, score: &[f64], n_perms: usize, draw: &Draw) -> Permuted {
    let n = task.n();
    let orders: Vec<Vec<u32>> = (0..n_perms as u64)
        .map(|p| {
            let mut order = vec![0; n];
            draw.fill(task.seed, p, &mut order);
            order
        })
        .collect();
    let identity: Vec<u32> = (0..n as u32).collect();
    let mut out = Permuted::default();
    let (mut x, mut z) = (vec![0.0; n], vec![0.0; n]);
    for (k, &score) in score.iter().enumerate() {
        task.features.columns.fill(k, &mut x);
        let Some(feature) = Feature::new(task, &x, &mut z) else {
            out.sims.push(vec![f64::NAN; n_perms]);
            out.at_least.push(0);
            out.resolution.push(f64::NAN);
            continue;
        };
        let under = |order: &Vec<u32>| match draw.both_sides {
            true => feature.both_sides(task, order),
            false => feature.rows(task, order),
        };
        let observed = under(&identity);
        let reaches = |s: &f64| if draw.strict { *s > observed } else { *s >= observed };
        let sims: Vec<f64> = orders.iter().map(under).collect();
        out.at_least.push(sims.iter().filter(|s| reaches(s)).count());
        out.sims.push(sims.iter().map(|s| score + (s - observed)).collect());
        out.resolution.push(0.0);
    }
    out
}

/// What the permuted statistics of one feature are made of.
struct Feature {
    z: Vec<f64>,
    y: Vec<f64>,
    factor: f64,
}

impl Feature {
    fn new(task: &autocorr::Task<'_>, x: &[f64], z: &mut [f64]) -> Option<Feature> {
        let d = centred(x, z)?;
        let mut y = vec![0.0; z.len()];
        task.graph.lag(z, &mut y);
        Some(Feature { z: z.to_vec(), y, factor: task.mode.factor(z.len(), task.moments.s0, d) })
    }

    /// Row `order[i]` of the weights stands in place of row i.
    fn rows(&self, task: &autocorr::Task<'_>, order: &[u32]) -> f64 {
        let to = |i: usize| order[i] as usize;
        let z = &self.z;
        let cross: f64 = (0..z.len()).map(|i| z[i] * self.y[to(i)]).sum();
        let numerator = match task.mode {
            Mode::Moran => cross,
            Mode::Geary => {
                let moments = &task.moments;
                let own = |i: usize| z[i] * z[i] * (moments.rows[to(i)] + moments.columns[i]);
                (0..z.len()).map(own).sum::<f64>() - 2.0 * cross
            }
        };
        self.factor * numerator
    }

    /// Value `order[i]` stands in place of value i.
    fn both_sides(&self, task: &autocorr::Task<'_>, order: &[u32]) -> f64 {
        let moved: Vec<f64> = order.iter().map(|&i| self.z[i as usize]).collect();
        self.factor
            * match task.mode {
                Mode::Moran => moran_numerator(&task.graph, &moved),
                Mode::Geary => autocorr::geary_numerator(&task.graph, &moved),
            }
    }
}

fn count(data: &Dataset, params: &Params, draw: &Draw) -> Result<Reply, Fault> {
    let task = ligrec::Task::read(data, params)?;
    let counts = exceeding(&task, draw, seed(params));
    Ok(task.reply(task.tables(&task.observed(), &counts)))
}

fn permutes_all_cells(data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = ligrec::Task::read(data, params)?;
    let mut unrestricted = params.clone();
    unrestricted.insert("clusters".to_owned(), Value::None);
    let mut all = ligrec::Task::read(data, &unrestricted)?;
    let position = |c: &u32| {
        let name = &task.clusters[*c as usize];
        all.clusters.iter().position(|other| other == name).unwrap_or(0) as u32
    };
    let pairs = task.pairs.iter().map(|[c, d]| [position(c), position(d)]).collect();
    all.pairs = pairs;
    let counts = exceeding(&all, &Draw { strict: true, ..FAIR }, seed(params));
    Ok(task.reply(task.tables(&task.observed(), &counts)))
}

/// How many permutations exceed (`strict`) or reach the observed sum, for each entry of the table.
fn exceeding(task: &ligrec::Task, draw: &Draw, seed: u64) -> Vec<u32> {
    let (k, n) = (task.k(), task.labels.len());
    let mut sizes = vec![0.0; k];
    task.labels.iter().for_each(|&label| sizes[label as usize] += 1.0);
    let means = |order: &[u32]| {
        let mut means = vec![0.0; task.columns.len() * k];
        for (gene, column) in task.columns.iter().enumerate() {
            for (cell, value) in column.cells.iter().zip(&column.values) {
                let label = task.labels[order[*cell as usize] as usize] as usize;
                means[gene * k + label] += value;
            }
        }
        means.iter_mut().enumerate().for_each(|(i, mean)| *mean /= sizes[i % k]);
        means
    };
    let entries: Vec<(usize, usize)> = (task.interactions.iter())
        .flat_map(|[s, t]| task.pairs.iter().map(move |[c, d]| (s, t, c, d)))
        .map(|(s, t, c, d)| (*s as usize * k + *c as usize, *t as usize * k + *d as usize))
        .collect();
    let mut order: Vec<u32> = (0..n as u32).collect();
    let observed = means(&order);
    let mut counts = vec![0; entries.len()];
    for p in 0..task.n_perms as u64 {
        draw.fill(seed, p, &mut order);
        let permuted = means(&order);
        for (count, &(a, b)) in counts.iter_mut().zip(&entries) {
            let (now, then) = (permuted[a] + permuted[b], observed[a] + observed[b]);
            *count += u32::from(if draw.strict { now > then } else { now >= then });
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_shuffles_are_permutations() {
        let shuffles: [fn(&mut Random, &mut [u32]); 4] = [cycle_walk, naive, sattolo, FAIR.shuffle];
        for shuffle in shuffles {
            for n in [1, 2, 7, 8, 100] {
                let mut order: Vec<u32> = (0..n).collect();
                shuffle(&mut Random::new(u64::from(n), "shuffle"), &mut order);
                order.sort_unstable();
                assert!(order.iter().copied().eq(0..n));
            }
        }
    }
}
