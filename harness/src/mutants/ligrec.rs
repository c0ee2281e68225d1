//! Mistakes in `ligrec`.

use dispatch::{Dataset, Fault, Params, Reply};
use reference::ligrec::{Observed, Task};

use super::Mutant;

/// G1 of the specification.
pub(super) const COUNTS_TIES: Mutant = Mutant {
    name: "ligrec-counts-ties",
    function: "ligrec",
    mistake: "counts permutations that only equal the observed mean",
    origin: "`>=` for `>`; continuous data never tie",
    check: "pvalues: value",
    run: |data, params| {
        let task = Task::read(data, params)?;
        let observed = task.observed();
        let mut counts = task.exceedances(&observed, None);
        counts.strict.iter_mut().zip(&counts.ties).for_each(|(n, ties)| *n += ties);
        Ok(task.reply(task.tables(&observed, &counts.strict)))
    },
};

/// G2 of the specification.
pub(super) const PLUS_ONE: Mutant = Mutant {
    name: "ligrec-plus-one",
    function: "ligrec",
    mistake: "takes (count + 1)/(N + 1) for the p-value",
    origin: "the usual rank p-value, which this function does not use",
    check: "pvalues: value",
    run: |data, params| {
        let mut task = Task::read(data, params)?;
        let observed = task.observed();
        let mut counts = task.exceedances(&observed, None).strict;
        counts.iter_mut().for_each(|n| *n += 1);
        task.n_perms += 1;
        Ok(task.reply(task.tables(&observed, &counts)))
    },
};

/// G3 of the specification.
pub(super) const MEAN_OF_EXPRESSING: Mutant = Mutant {
    name: "ligrec-mean-of-expressing",
    function: "ligrec",
    mistake: "takes the mean over the cells that express a gene, not over all of the cluster",
    origin: "a sparse kernel that divides by what it stores",
    check: "means: value",
    run: mean_of_expressing,
};

fn mean_of_expressing(data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    let right = task.observed();
    let counts = task.exceedances(&right, None).strict;
    let mut wrong: Observed = right.clone();
    let k = task.k();
    for i in 0..wrong.means.len() {
        if right.expressing[i] > 0 {
            wrong.means[i] *= right.sizes[i % k] as f64 / right.expressing[i] as f64;
        }
    }
    Ok(task.reply(task.tables(&wrong, &counts)))
}

/// G4 of the specification.
pub(super) const STRICT_FRACTION: Mutant = Mutant {
    name: "ligrec-strict-threshold",
    function: "ligrec",
    mistake: "asks for a share of expressing cells above the threshold, not at it or above",
    origin: "`>` for `>=`; invisible unless a share equals the threshold",
    check: "pvalues: undefined where they should be",
    run: |data, params| {
        let mut task = Task::read(data, params)?;
        task.threshold = task.threshold.next_up();
        let observed = task.observed();
        let counts = task.exceedances(&observed, None).strict;
        Ok(task.reply(task.tables(&observed, &counts)))
    },
};
