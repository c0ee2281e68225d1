//! Ligand-receptor interactions: is a pair of genes expressed by a pair of clusters more than by
//! randomly drawn cells?
//!
//! Over the n kept cells with labels `l`, cluster c of `n_c` cells, gene g, interaction (s, t), pair of
//! clusters (c, d) and N permutations of the labels:
//!
//! ```text
//! mu[g,c] = sum_{l_i = c} x_ig / n_c         f[g,c] = #{l_i = c, x_ig > 0} / n_c
//! means   = (mu[s,c] + mu[t,d]) / 2          if both mu > 0, else 0
//! T_0     = mu[s,c] + mu[t,d]                T_p: the same under the labels of permutation p
//! pvalue  = #{p: T_p > T_0} / N              if both mu > 0 and both f >= threshold, else NaN
//! ```
//!
//! Source: Efremova et al., Nat. Protoc. 15 (2020), as `squidpy.gr.ligrec` 1.8.3 computes it: strict `>`, no
//! `+ 1`, so p is a multiple of 1/N from 0 to 1. With `corr_method` the p-values of a pair of clusters (axis
//! `clusters`) or of an interaction (`interactions`) are corrected together; an undefined one counts as 1
//! and stays NaN.
//!
//! `T_p > T_0` is decided **exactly**: values are integers at one common scale ([`Fixed`]), so a tie is a tie,
//! whatever the order of additions. Permutations are those of [`crate::rng::Permutations`] (function
//! [`crate::rng::LIGREC`], label of cell i in permutation p: `l[perm_p(i)]`), or with `rng="numpy"` the
//! host's own: `RandomState(seed + first)` for each of `n_jobs` runs of permutations, shuffling one label
//! vector again and again.
//!
//! Where the host surprises, and what this reference does:
//!
//! - Two interactions given as a list of two pairs are read as (sources, targets) there: `[(a, b), (c, d)]` gives the
//!   rows a-c and b-d. Its documentation promises a-b and c-d for a sequence of pairs, and (sources, targets) for a
//!   tuple of two sequences; here both are what the documentation says.
//! - A gene name with `_` is a complex, always. Same here.
//! - `use_raw` is true unless told otherwise; `alpha` changes nothing but the two-stage corrections. Same here.
//! - `clusters` restricts the cells that are permuted, not just the columns. Same here.
//! - All categories are asked for by default, so an unused one is an unknown cluster: `ValueError`. Same here.
//! - NaN in X counts as 0; infinities stay, and `inf > inf` is false. Same here.
//! - Rounding decides ties of real-valued data on the host (`T_p` and `T_0` are added up in different order); the
//!   counts of [`Exceedances`] with a band hold every such answer.
//! - A cell without label is a `TypeError` there, a single listed cluster a numba error, fewer permutations
//!   than jobs an `AssertionError`. Here such a cell is left out, and the others have the values of the formulas.
//! - The default list of interactions is downloaded there; here `interactions=None` is not supported.
//! - Duplicate entries of a sparse X are added up here, and fail or not there by version.

mod clusters;
mod fixed;
mod interactions;
mod matrix;
mod observed;
mod permuted;
mod shuffles;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use dispatch::{Dataset, Entry, Fault, Frame, Map, Param, Params, Reply, Signature, Value};

use crate::args::{Args, value_error};
use crate::stats::Correction;

pub use fixed::Fixed;
pub use matrix::Column;
pub use observed::Observed;
pub use permuted::Exceedances;
pub use tables::Tables;

/// The function for a backend's table.
pub const ENTRY: Entry<()> =
    Entry { name: "ligrec", signature, run: |(), data, params| run(data, params) };

/// The host's parameters with its `**kwargs` spelled out, and `rng`.
pub fn signature() -> Signature {
    let category =
        |name: &str| Map::from([("categories".to_owned(), Value::Text(name.to_owned()))]);
    Signature::new([
        Param::required("adata"),
        Param::required("cluster_key"),
        Param::optional("interactions", Value::None),
        Param::optional("complex_policy", "min"),
        Param::optional("threshold", 0.01),
        Param::optional("corr_method", Value::None),
        Param::optional("corr_axis", "clusters"),
        Param::optional("use_raw", true),
        Param::optional("copy", false),
        Param::optional("key_added", Value::None),
        Param::optional("gene_symbols", Value::None),
        Param::keyword("table_key", Value::None),
        Param::keyword("clusters", Value::None),
        Param::keyword("n_perms", 1000),
        Param::keyword("seed", Value::None),
        Param::keyword("alpha", 0.05),
        Param::keyword("numba_parallel", Value::None),
        Param::keyword("n_jobs", Value::None),
        Param::keyword("backend", "loky"),
        Param::keyword("show_progress_bar", true),
        Param::keyword("interactions_params", Map::new()),
        Param::keyword("transmitter_params", category("ligand")),
        Param::keyword("receiver_params", category("receptor")),
        Param::keyword("rng", "concord"),
    ])
}

fn run(data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    let observed = task.observed();
    let exceedances = task.exceedances(&observed, None);
    Ok(task.reply(task.tables(&observed, &exceedances.strict)))
}

/// Permutations are counted in 32 bits.
const MOST: i64 = 1 << 32;

/// Where the permutations come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// This project's own.
    Concord {
        /// The seed.
        seed: u64,
    },
    /// The host's: runs of `step` permutations, the run from permutation `first` seeded with `seed + first`.
    Numpy {
        /// The seed.
        seed: u32,
        /// Permutations of a run.
        step: usize,
    },
}

/// What p-values are corrected together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Those of one pair of clusters.
    Clusters,
    /// Those of one interaction.
    Interactions,
}

/// One call, read and checked: only the genes that interact and the cells that take part.
#[derive(Clone, Debug)]
pub struct Task {
    /// Names of the genes, upper case.
    pub genes: Vec<String>,
    /// The values of each gene over the kept cells.
    pub columns: Vec<Column>,
    /// Label of each kept cell, a position in `clusters`.
    pub labels: Vec<u32>,
    /// Names of the clusters, sorted as text.
    pub clusters: Vec<String>,
    /// Pairs of clusters, the columns of the answer, sorted by name.
    pub pairs: Vec<[u32; 2]>,
    /// Source and target gene of each interaction, the rows of the answer.
    pub interactions: Vec<[u32; 2]>,
    /// The other columns of the given interactions, sorted by name.
    pub metadata: Frame,
    /// Least share of expressing cells of a cluster.
    pub threshold: f64,
    /// Number of permutations.
    pub n_perms: usize,
    /// Where permutations come from.
    pub stream: Stream,
    /// Correction for many tests: the method, its level, what is corrected together.
    pub correction: Option<(Correction, f64, Axis)>,
    /// Where the answer goes: `None` returns it, else the key in `uns`.
    pub key: Option<String>,
}

impl Task {
    /// Reads a call.
    ///
    /// # Errors
    /// As the host: `AttributeError` without raw counts or for names that are not text; `KeyError` for missing
    /// columns; `TypeError` for labels that are not categorical and arguments of the wrong type; `ValueError`
    /// for words and numbers out of range, unknown clusters, fewer than two categories, and when no
    /// interaction is left. [`Fault::Unsupported`] for `interactions=None`.
    pub fn read(data: &Dataset, params: &Params) -> Result<Task, Fault> {
        Task::read_choosing(data, params, &BTreeMap::new())
    }

    /// Reads a call in which some complexes (upper case) stand for these of their components, whichever is the smallest.
    ///
    /// # Errors
    /// As [`Task::read`].
    pub fn read_choosing(
        data: &Dataset,
        params: &Params,
        chosen: &BTreeMap<String, String>,
    ) -> Result<Task, Fault> {
        let signature = signature();
        let args = Args::new("ligrec", &signature, params)?;
        let cluster_key = args.text("cluster_key")?;
        let source =
            matrix::Source::read(data, args.flag("use_raw")?, args.optional_text("gene_symbols")?)?;
        let policy = args.choice("complex_policy", &interactions::POLICIES)?;
        let list = interactions::List::read(args.get("interactions")?)?;
        let list = list.resolve(&source, policy, chosen)?;
        let n_perms = match args.integer("n_perms")? {
            n @ 1..MOST => n as usize,
            n => {
                return Err(value_error(format!("`n_perms` is {n}, expected 1 to {}", MOST - 1)));
            }
        };
        let correction = correction(&args)?;
        let groups = clusters::Groups::read(data, cluster_key, args.get("clusters")?)?;
        let columns = source.columns(&list.genes, |cell| groups.kept[cell]);
        let key = match args.flag("copy")? {
            true => None,
            false => Some(match args.optional_text("key_added")? {
                Some(key) => key.to_owned(),
                None => format!("{cluster_key}_ligrec"),
            }),
        };
        Ok(Task {
            genes: list.genes.iter().map(|&gene| source.name(gene)).collect(),
            columns,
            labels: groups.labels,
            clusters: groups.names,
            pairs: groups.pairs,
            interactions: list.pairs,
            metadata: list.metadata,
            threshold: args.float("threshold")?,
            n_perms,
            stream: stream(&args, n_perms)?,
            correction,
            key,
        })
    }
}

/// The complexes of a call of which rounding may decide which component has the smallest mean, each with the components that may
/// be it, the one that is first. `relative` says how much a sum may lose, relative to the sum of magnitudes, from whether float64
/// adds the values up exactly and how many cells there are.
///
/// # Errors
/// As [`Task::read`].
pub fn near_ties(
    data: &Dataset,
    params: &Params,
    relative: impl Fn(bool, usize) -> f64,
) -> Result<Vec<(String, Vec<String>)>, Fault> {
    let signature = signature();
    let args = Args::new("ligrec", &signature, params)?;
    if args.choice("complex_policy", &interactions::POLICIES)? == interactions::Policy::All {
        return Ok(Vec::new());
    }
    let source =
        matrix::Source::read(data, args.flag("use_raw")?, args.optional_text("gene_symbols")?)?;
    Ok(interactions::List::read(args.get("interactions")?)?.near_ties(&source, relative))
}

fn correction(args: &Args<'_>) -> Result<Option<(Correction, f64, Axis)>, Fault> {
    let Some(name) = args.optional_text("corr_method")? else { return Ok(None) };
    let axes = [("clusters", Axis::Clusters), ("interactions", Axis::Interactions)];
    let (method, level) = (Correction::named(name)?, args.float("alpha")?);
    Ok(Some((method, level, args.choice("corr_axis", &axes)?)))
}

fn stream(args: &Args<'_>, n_perms: usize) -> Result<Stream, Fault> {
    let seed = args.seed("seed")?;
    let numpy = args.choice("rng", &[("concord", false), ("numpy", true)])?;
    let jobs = args.optional_integer("n_jobs")?.unwrap_or(1);
    if jobs == 0 {
        return Err(value_error("`n_jobs` is 0, expected a positive number of jobs"));
    }
    if !numpy {
        return Ok(Stream::Concord { seed });
    }
    let jobs = usize::try_from(jobs).map_err(|_| {
        value_error(format!(
            "`n_jobs` is {jobs}: with rng=\"numpy\" the p-values depend on the number of jobs, \
             which must be given"
        ))
    })?;
    match u32::try_from(seed) {
        Ok(seed) if u32::try_from(n_perms).is_ok_and(|n| seed.checked_add(n).is_some()) => {
            Ok(Stream::Numpy { seed, step: n_perms.div_ceil(jobs) })
        }
        Ok(_) | Err(_) => {
            Err(value_error(format!("seed {seed} + {n_perms} permutations, expected below 2^32")))
        }
    }
}
