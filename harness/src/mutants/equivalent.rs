//! Changes that no answer can show, each with the proof.
//!
//! They are not blind spots: the specification does not say which of two equal things is computed. They are
//! run like the mutants, and must survive; one that does not has a wrong proof, or found an error of the reference.

use dispatch::{Reply, Value};
use reference::spatial_autocorr::Task as AutocorrTask;

use super::change::replaced;
use super::{Run, co_occurrence, ligrec, spatial_autocorr};

/// A change that no answer can show.
pub struct Equivalent {
    /// The name after `mutant:`.
    pub name: &'static str,
    /// The function it is made in.
    pub function: &'static str,
    /// What is done otherwise.
    pub change: &'static str,
    /// Why no answer can show it.
    pub proof: &'static str,
    /// The changed function.
    pub run: Run,
}

/// All of them.
pub const EQUIVALENT: &[Equivalent] = &[
    Equivalent {
        name: "cooc-cluster-axes-swapped",
        function: "co_occurrence",
        change: "answers occ[c,i,r] for occ[i,c,r]",
        proof: "N[a,b,r] counts ordered pairs (x, y) of different cells, and (x, y) -> (y, x) maps those of (a, b) onto \
                those of (b, a): N is symmetric, hence occ[i,c] = N[c,i] Tot / (R[c] R[i]) is (law C1). Rounding: the two \
                divide in another order, within the eight roundings allowed.",
        run: |data, params| {
            co_occurrence::with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                n.at(i, c, r) as f64 / sums.row(n, i, r) / (sums.row(n, c, r) / sums.total(r))
            })
        },
    },
    Equivalent {
        name: "cooc-conditioned-on-the-other",
        function: "co_occurrence",
        change: "takes p(c|i)/p(c) for p(i|c)/p(i)",
        proof: "Bayes: both are p(i,c)/(p(i) p(c)), and the joint counts are symmetric (law C1).",
        run: |data, params| {
            co_occurrence::with_ratios(data, params, 0.0, |n, sums, [i, c, r]| {
                n.at(c, i, r) as f64 / sums.row(n, i, r) / (sums.row(n, c, r) / sums.total(r))
            })
        },
    },
    Equivalent {
        name: "cooc-coordinates-swapped",
        function: "co_occurrence",
        change: "takes x for y and y for x",
        proof: "dx^2 + dy^2 = dy^2 + dx^2 (law C5). In float32 the fused product is the other one, which moves pairs only \
                where |d2/T - 1| <= 8u, and those may fall on either side.",
        run: |data, params| {
            co_occurrence::with_task(data, params, |task| std::mem::swap(&mut task.x, &mut task.y))
        },
    },
    Equivalent {
        name: "cooc-first-distance-moved",
        function: "co_occurrence",
        change: "replaces the first distance by 0 before it counts",
        proof: "thresholds are T_r = interval[r+1]^2 for r >= 0: the first distance enters none of them (law C8).",
        run: |data, params| {
            co_occurrence::with_task(data, params, |task| {
                let first = std::mem::replace(&mut task.interval[0], 0.0);
                task.thresholds = task.interval[1..].iter().map(|t| t * t).collect();
                task.interval[0] = first;
            })
        },
    },
    Equivalent {
        name: "ligrec-genes-and-clusters-swapped",
        function: "ligrec",
        change: "takes the target in cluster 2 first and the source in cluster 1 second",
        proof: "T = mu[s,c] + mu[t,d] and every condition is symmetric in its two sides (law L1): swapping genes and \
                clusters at once maps each entry onto itself. Only labels could show it, and they are left alone.",
        run: |data, params| {
            ligrec::with_tables(data, params, |task| {
                let (rows, columns) = (task.interactions.clone(), task.pairs.clone());
                task.interactions.iter_mut().for_each(|i| i.reverse());
                task.pairs.iter_mut().for_each(|pair| pair.reverse());
                let observed = task.observed();
                let counts = task.exceedances(&observed, None).strict;
                let tables = task.tables(&observed, &counts);
                (task.interactions, task.pairs) = (rows, columns);
                tables
            })
        },
    },
    Equivalent {
        name: "autocorr-constant-degree-not-normalised",
        function: "spatial_autocorr",
        change: "does not normalise rows where all of them have one sum of magnitudes",
        proof: "normalising is then multiplication of W by one number c > 0, and n/S0 sum w z z, (n-1)/S0 sum w (x-x)^2, \
                S1/S0^2 and S2/S0^2 do not change under W -> cW (law M4); permuted statistics neither.",
        run: |data, params| {
            let mut task = AutocorrTask::read(data, params)?;
            let total = |i: usize| task.raw_graph.row(i).map(|(_, w)| w.abs()).sum::<f64>();
            let totals: Vec<f64> = (0..task.n()).map(total).collect();
            let constant = totals.windows(2).all(|pair| pair[0] == pair[1]);
            if task.transformation && constant {
                task.graph = task.raw_graph.clone();
                task.moments = task.graph.moments();
            }
            Ok(task.reply(task.statistics().table(&task)))
        },
    },
    Equivalent {
        name: "autocorr-graph-symmetrised",
        function: "spatial_autocorr",
        change: "takes (W + W^T)/2 where rows are not normalised and nothing is permuted",
        proof: "z' W z = z' W^T z, (x_i - x_j)^2 and r_i + c_i are symmetric, S0 is kept, and S1 sums (w_ij + w_ji)^2: \
                statistic and variance are functions of W + W^T (law M7).",
        run: |data, params| {
            let mut task = AutocorrTask::read(data, params)?;
            if !task.transformation && task.n_perms.is_none() {
                task.graph = symmetrised(&task.graph);
                task.moments = task.graph.moments();
            }
            Ok(task.reply(task.statistics().table(&task)))
        },
    },
    Equivalent {
        name: "autocorr-values-halved",
        function: "spatial_autocorr",
        change: "halves all values",
        proof: "both statistics are quotients of forms of degree 2 in x (law M3), and a power of two rounds nothing, short \
                of underflow, which the levels of the generators stay far from.",
        run: |data, params| {
            spatial_autocorr::with_values(data, params, |_, x| x.iter_mut().for_each(|x| *x /= 2.0))
        },
    },
    Equivalent {
        name: "autocorr-seed-without-permutations",
        function: "spatial_autocorr",
        change: "ignores `seed` where nothing is permuted",
        proof: "without `n_perms` no number is drawn.",
        run: |data, params| {
            let drawn = !matches!(params.get("n_perms"), None | Some(Value::None));
            match drawn {
                true => spatial_autocorr::right(data, params),
                false => {
                    spatial_autocorr::right(data, &replaced(params, [("seed", Value::Int(0))]))
                }
            }
        },
    },
    Equivalent {
        name: "ligrec-alpha-without-two-stages",
        function: "ligrec",
        change: "ignores `alpha` unless the correction has two stages",
        proof: "the level decides which hypotheses are rejected, which is not answered; only two-stage corrections use it \
                to adjust p-values (spec A.3.2).",
        run: |data, params| {
            let staged = params
                .get("corr_method")
                .and_then(Value::as_text)
                .is_some_and(|m| m.starts_with("fdr_ts"));
            let reply: Result<Reply, _> = match staged {
                true => ligrec::right(data, params),
                false => ligrec::right(data, &replaced(params, [("alpha", Value::Float(0.05))])),
            };
            reply
        },
    },
];

/// `(W + W^T)/2`, entries of both side by side.
fn symmetrised(graph: &reference::graph::Graph) -> reference::graph::Graph {
    let transposed = graph.transposed();
    let mut out = reference::graph::Graph {
        indptr: vec![0],
        indices: Vec::new(),
        weights: Vec::new(),
        dtype: graph.dtype,
    };
    for i in 0..graph.len() {
        for (j, w) in graph.row(i).chain(transposed.row(i)) {
            out.indices.push(j as u32);
            out.weights.push(w / 2.0);
        }
        out.indptr.push(out.indices.len());
    }
    out
}
