//! One call, read and checked: everything the computation needs and nothing else.

use dispatch::{Dataset, Fault, Frame, Params, Reply};

use super::{Features, Mode, SIGNATURE};
use crate::args::{Args, value_error};
use crate::graph::{Graph, Moments};
use crate::stats::Correction;

/// Which stream of permutations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rng {
    /// [`Permutations`](crate::rng::Permutations) of function 1.
    Concord,
    /// `numpy.random.default_rng(seed + chunk).permutation(n)`, permutations split into chunks of
    /// `ceil(n_perms / n_jobs)`: the host's.
    Numpy {
        /// Number of chunks asked for.
        n_jobs: usize,
    },
}

/// A call that has been read. Fields are open, so that a caller can change one and run the rest.
#[derive(Clone, Debug)]
pub struct Task<'a> {
    /// Which statistic.
    pub mode: Mode,
    /// The features tested.
    pub features: Features<'a>,
    /// The graph as stored.
    pub raw_graph: Graph,
    /// The graph whose weights enter: row-normalised if `transformation`.
    pub graph: Graph,
    /// The sums over the weights of `graph`.
    pub moments: Moments,
    /// The cells in an order in which neighbours are near each other: [`Graph::search_order`].
    pub order: Vec<u32>,
    /// Whether the rows were normalised.
    pub transformation: bool,
    /// Number of permutations, or `None`.
    pub n_perms: Option<usize>,
    /// Seed of the permutations.
    pub seed: u64,
    /// Stream of the permutations.
    pub rng: Rng,
    /// Whether `pval_norm` is doubled.
    pub two_tailed: bool,
    /// How p-values are corrected, and the name that the call used for it.
    pub correction: Option<(Correction, String)>,
    /// Whether the table is returned rather than stored.
    pub copy: bool,
}

impl<'a> Task<'a> {
    /// Reads a call.
    ///
    /// # Errors
    /// A refusal with the host's exception class; see [`Graph::read`], [`Graph::row_normalized`] and [`Features::read`].
    pub fn read(data: &'a Dataset, params: &Params) -> Result<Task<'a>, Fault> {
        let args = Args::new("spatial_autocorr", &SIGNATURE, params)?;
        let mode = args.choice("mode", &[("moran", Mode::Moran), ("geary", Mode::Geary)])?;
        let n_perms = args.optional_count("n_perms")?;
        let correction = match args.optional_text("corr_method")? {
            Some(name) => Some((Correction::named(name)?, name.to_owned())),
            None => None,
        };
        let raw_graph = Graph::read(data, args.text("connectivity_key")?)?;
        let transformation = args.flag("transformation")?;
        let graph = if transformation { raw_graph.row_normalized()? } else { raw_graph.clone() };
        let (moments, (order, features)) = rayon::join(
            || graph.moments(),
            || rayon::join(|| graph.search_order(), || Features::read(data, &args)),
        );
        Ok(Task {
            mode,
            features: features?,
            moments,
            order,
            raw_graph,
            graph,
            transformation,
            n_perms,
            seed: args.seed("seed")?,
            rng: rng(&args)?,
            two_tailed: args.flag("two_tailed")?,
            correction,
            copy: args.flag("copy")?,
        })
    }

    /// Number of cells.
    pub fn n(&self) -> usize {
        self.graph.len()
    }

    /// The answer that holds a table: in slot `result` for `copy=True`, else in `uns/moranI` or `uns/gearyC`.
    pub fn reply(&self, table: Frame) -> Reply {
        let path = if self.copy { "result" } else { self.mode.slot() };
        Reply::writing(path, table.into())
    }
}

fn rng(args: &Args<'_>) -> Result<Rng, Fault> {
    let numpy = args.choice("rng", &[("concord", false), ("numpy", true)])?;
    match (numpy, args.optional_integer("n_jobs")?.unwrap_or(1)) {
        (_, 0) => Err(value_error("`n_jobs` cannot be 0")),
        (false, _) => Ok(Rng::Concord),
        (true, n_jobs) => match usize::try_from(n_jobs) {
            Ok(n_jobs) => Ok(Rng::Numpy { n_jobs }),
            // The host counts from the number of cores, and the permutations drawn depend on it.
            Err(_) => Err(value_error(format!(
                "`n_jobs` must be positive for `rng=\"numpy\"`, got {n_jobs}: the permutations would depend on the machine"
            ))),
        },
    }
}
