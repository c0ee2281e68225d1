//! The oracle as a backend: exact answers rounded once, to be compared with like any other.
//!
//! Statistics, variances, counts, means and comparisons with permutations are exact. What follows from them by a formula of
//! one number (a tail of the normal distribution, a corrected p-value, the order of rows) is the reference's.

use dispatch::{Dataset, Device, Digest, Entry, Fault, Manifest, Params, Reply, Table};
use num_rational::BigRational;

use super::{Ligrec, Null, Number, SpatialAutocorr, co_occurrence, draws, permuted_scores};
use crate::spatial_autocorr::{Permuted, Statistics};
use crate::{co_occurrence as pairs, ligrec, spatial_autocorr};

/// Products, distances or additions of one call beyond which the oracle declines: some seconds.
const MOST: usize = 1 << 22;

static ENTRIES: &[Entry<()>] = &[
    Entry { run: autocorr, ..spatial_autocorr::ENTRY },
    Entry { run: co_occurrences, ..pairs::ENTRY },
    Entry { run: interactions, ..ligrec::ENTRY },
];

/// The oracle as a backend named `exact`. It declines calls that would take it longer than some seconds.
pub fn backend() -> Table<()> {
    let version = env!("CARGO_PKG_VERSION");
    let manifest = Manifest {
        name: "exact".to_owned(),
        version: version.to_owned(),
        summary: "Exact arithmetic, rounded once: says who is wrong; small inputs only".to_owned(),
        device: Device::Cpu,
        functions: Default::default(),
        artifact: Digest::of_bytes(format!("exact {version}").as_bytes()),
    };
    Table::new(manifest, (), ENTRIES)
}

fn affordable(steps: impl IntoIterator<Item = usize>, what: &str) -> Result<(), Fault> {
    match steps.into_iter().fold(1usize, usize::saturating_mul) {
        0..=MOST => Ok(()),
        steps => Err(Fault::Unsupported(format!(
            "{steps} {what} in exact arithmetic would take too long; the oracle goes up to {MOST}"
        ))),
    }
}

fn rounded(number: &Option<Number>) -> f64 {
    number.as_ref().map_or(f64::NAN, Number::nearest)
}

fn autocorr((): &(), data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = spatial_autocorr::Task::read(data, params)?;
    let n_perms = task.n_perms.unwrap_or(0);
    let edges = task.graph.weights.len() + task.n();
    affordable([task.features.len(), edges, n_perms + 1], "products")?;
    let SpatialAutocorr { score, expected, variance } = super::spatial_autocorr(&task);
    let permuted = match task.n_perms {
        Some(_) => Some(permuted(&task, &score)?),
        None => None,
    };
    let statistics = Statistics {
        score: score.iter().map(rounded).collect(),
        expected: rounded(&expected),
        variance: rounded(&variance),
        permuted,
    };
    Ok(task.reply(statistics.table(&task)))
}

/// Every permuted statistic, and how many reach the observed one: from above for Moran, from below for Geary.
fn permuted(
    task: &spatial_autocorr::Task<'_>,
    score: &[Option<Number>],
) -> Result<Permuted, Fault> {
    let mut permuted = Permuted {
        sims: vec![Vec::new(); score.len()],
        at_least: vec![0; score.len()],
        resolution: vec![0.0; score.len()],
    };
    for images in draws::permutations(task) {
        for (k, sim) in permuted_scores(task, Null::Rows, &images).iter().enumerate() {
            let reaches = match (sim, &score[k]) {
                (Some(sim), Some(score)) => exactly(sim)? >= exactly(score)?,
                _ => false,
            };
            permuted.at_least[k] += usize::from(reaches);
            permuted.sims[k].push(rounded(sim));
        }
    }
    Ok(permuted)
}

fn exactly(number: &Number) -> Result<&BigRational, Fault> {
    match number {
        Number::Ratio(ratio) => Ok(ratio),
        Number::Ball(_) => Err(Fault::Unsupported(
            "the weights are too long for exact fractions, and ties cannot be told from balls"
                .to_owned(),
        )),
    }
}

fn co_occurrences((): &(), data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = pairs::Task::read(data, params)?;
    let n = task.labels.len();
    affordable([n, n, task.thresholds.len()], "distances")?;
    let ratios = co_occurrence(&task).canonical.ratios();
    Ok(task.reply(ratios.iter().map(Number::nearest).collect()))
}

fn interactions((): &(), data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = ligrec::Task::read(data, params)?;
    let cells = task.labels.len() + task.interactions.len() * task.pairs.len();
    affordable([task.columns.len().max(1), cells, task.n_perms + 1], "additions")?;
    let exact = Ligrec::new(&task).map_err(|beyond| Fault::Unsupported(beyond.to_string()))?;
    let labellings = draws::labellings(&task);
    let tallies = exact.tally(labellings.iter().map(Vec::as_slice));
    let pvalue = |tally: &Option<super::Tally>| {
        tally.map_or(f64::NAN, |tally| tally.above as f64 / task.n_perms as f64)
    };
    Ok(task.reply(ligrec::Tables {
        means: exact.means().iter().map(Number::nearest).collect(),
        pvalues: task.corrected(tallies.iter().map(pvalue).collect()),
    }))
}
