//! Mistakes in `spatial_autocorr`.

use dispatch::{Dataset, Fault, Params, Reply, Value};
use reference::spatial_autocorr::{Mode, Task};

use super::Mutant;

/// A1 of the specification.
pub(super) const WITHOUT_N_OVER_S0: Mutant = Mutant {
    name: "moran-without-n-over-s0",
    function: "spatial_autocorr",
    mistake: "leaves the factor n/S0 out of Moran's I",
    origin: "rapids-singlecell 0.18.1; invisible where rows are normalised and no cell is isolated",
    check: "I: value",
    run: |data, params| {
        let task = Task::read(data, params)?;
        let mut statistics = task.statistics();
        if task.mode == Mode::Moran {
            let lost = task.moments.s0 / task.n() as f64;
            statistics.score.iter_mut().for_each(|score| *score *= lost);
            if let Some(permuted) = &mut statistics.permuted {
                permuted.sims.iter_mut().flatten().for_each(|sim| *sim *= lost);
            }
        }
        Ok(task.reply(statistics.table(&task)))
    },
};

/// A2 of the specification.
pub(super) const NORMALISES_ALWAYS: Mutant = Mutant {
    name: "autocorr-normalises-always",
    function: "spatial_autocorr",
    mistake: "normalises the rows of the graph even if `transformation=False`",
    origin: "a dropped argument; invisible on graphs in which every cell has equally many neighbours",
    check: "I: value",
    run: |data, params| {
        let mut params = params.clone();
        params.insert("transformation".to_owned(), Value::Bool(true));
        let task = Task::read(data, &params)?;
        Ok(task.reply(task.statistics().table(&task)))
    },
};

/// A4 of the specification.
pub(super) const P_WITHOUT_PLUS_ONE: Mutant = Mutant {
    name: "autocorr-p-without-plus-one",
    function: "spatial_autocorr",
    mistake: "takes L/N for the rank p-value, not (L + 1)/(N + 1)",
    origin: "a p-value of 0 from permutations; tests that only ask for a number between 0 and 1 let it pass",
    check: "pval_sim: value",
    run: without_plus_one,
};

fn without_plus_one(data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    let mut columns = task.statistics().columns(&task);
    if let (Some(n_perms), Some((_, p))) =
        (task.n_perms, columns.iter_mut().find(|(name, _)| name == "pval_sim"))
    {
        let n = n_perms as f64;
        p.iter_mut().for_each(|p| *p = (*p * (n + 1.0) - 1.0).round() / n);
    }
    let corrected = task.corrected(&columns);
    columns.extend(corrected);
    Ok(task.reply(task.sorted(columns)))
}

/// A5 of the specification.
pub(super) const MORAN_VARIANCE_FOR_GEARY: Mutant = Mutant {
    name: "geary-with-moran-variance",
    function: "spatial_autocorr",
    mistake: "uses the variance of Moran's I for Geary's C",
    origin: "squidpy itself before 1.8.2 (issue #1183)",
    check: "var_norm: value",
    run: |data, params| {
        let task = Task::read(data, params)?;
        let mut statistics = task.statistics();
        statistics.variance = Mode::Moran.variance(&task.moments);
        Ok(task.reply(statistics.table(&task)))
    },
};
