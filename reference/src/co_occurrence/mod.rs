//! Co-occurrence of clusters: how much more often than by chance a cell of one cluster stands within a
//! distance of a cell of another.
//!
//! Let cell i have label `l_i` and position `(x_i, y_i)` in float32. For thresholds `t_0 .. t_{m-1}` (the
//! *interval*) and `r = 0 .. m-2`, counting ordered pairs of different cells,
//!
//! ```text
//! N[a,b,r] = #{(i,j): l_i = a, l_j = b, d2(i,j) <= T_r}     T_r = fl32(t_{r+1}^2)
//! d2(i,j)  = fma(dy, dy, fl32(dx dx)),  dx = fl32(x_i - x_j),  dy = fl32(y_i - y_j)
//! R[b,r]   = sum_a N[a,b,r]          Tot[r] = sum_b R[b,r]
//! occ[i,c,r] = (N[c,i,r] / R[c,r]) / (R[i,r] / Tot[r])     0 where R[c,r] or R[i,r] is 0
//! ```
//!
//! Source: Tosti et al. (2021) as `squidpy.gr.co_occurrence` 1.8.3 computes it: `occ[i,c] = p(i|c) / p(i)`
//! within discs, not rings. Counts are exact integers, so they do not depend on order, tiling or threads;
//! each threshold is counted for itself, so a falling interval works.
//!
//! Where the host surprises, and what this reference does:
//!
//! - `t_0` is never used, for a given interval too. Same here.
//! - Distances use the first two columns of the coordinates, the automatic interval all of them. Same here.
//! - The automatic interval is no bounding box: see [`interval`]. It may fall. Same here, but for what the host loses far
//!   from the origin, and for equal sums of coordinates, among which NumPy's `argpartition` chooses by processor.
//! - An unused category makes the host write outside its table. Here the axes are the **used** categories in
//!   category order: what the host answers after `cat.remove_unused_categories()`.
//! - The host's predicate is compiled with fastmath; `fma(dy, dy, dx dx)` is what it becomes on x86-64. Other
//!   float32 predicates may differ on the pairs of [`Task::band`].
//! - Positions that are not finite are undefined on the host (fastmath) and refused here: `ValueError`.
//! - `n_splits`, `n_jobs`, `backend` and `show_progress_bar` have no effect and give a `FutureWarning`.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod cells;
mod counts;
#[cfg(target_arch = "x86_64")]
mod histogram;
pub mod interval;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod levels;
mod tally;
#[cfg(test)]
mod tests;
mod width;

use dispatch::{
    Dataset, Dense, Entry, Fault, Map, Order, Param, Params, Reply, Signature, Value, Warning,
};

use crate::args::{Args, key_error, slot, type_error, value_error};
use crate::labels::categorical;

pub use counts::{Band, Counts, squared_distance};
pub use interval::Ends;

/// The function for a backend's table.
pub const ENTRY: Entry<()> =
    Entry { name: "co_occurrence", signature, run: |(), data, params| run(data, params) };

/// What the host accepts and ignores.
const IGNORED: [&str; 4] = ["n_splits", "n_jobs", "backend", "show_progress_bar"];

/// The host's parameters; the ignored ones of old versions stand last.
pub fn signature() -> Signature {
    let host = [
        Param::required("adata"),
        Param::required("cluster_key"),
        Param::optional("spatial_key", "spatial"),
        Param::optional("interval", 50),
        Param::optional("copy", false),
        Param::keyword("table_key", Value::None),
    ];
    Signature::new(host.into_iter().chain(IGNORED.map(|name| Param::keyword(name, Value::None))))
}

fn run(data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    Ok(task.reply(task.counts().ratios()))
}

/// One call, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// First coordinate of each cell.
    pub x: Vec<f32>,
    /// Second coordinate of each cell.
    pub y: Vec<f32>,
    /// Label of each cell, a position among the used categories.
    pub labels: Vec<u32>,
    /// Number of used categories.
    pub k: usize,
    /// Distances, in the order in which they are answered; the first is not used.
    pub interval: Vec<f32>,
    /// Squared distances `T_r`, one fewer than `interval`.
    pub thresholds: Vec<f32>,
    /// Where the answer goes: `None` returns it, else the key in `uns`.
    pub key: Option<String>,
    /// Warnings the host gives for this call.
    pub warnings: Vec<Warning>,
}

impl Task {
    /// Reads a call.
    ///
    /// # Errors
    /// As the host: `KeyError` for a missing slot or a cell without label, `TypeError` for labels that are not
    /// categorical or an interval of the wrong type, `ValueError` for fewer than two distances, or fewer than
    /// three cells where the interval is automatic, or positions that are not finite.
    pub fn read(data: &Dataset, params: &Params) -> Result<Task, Fault> {
        let signature = signature();
        let args = Args::new("co_occurrence", &signature, params)?;
        let cluster_key = args.text("cluster_key")?;
        let column = categorical(data, cluster_key)?;
        let coordinates = Coordinates::read(data, args.text("spatial_key")?)?;
        let (labels, k) = used_labels(&column.codes, column.categories.len().unwrap_or(0))?;
        if labels.len() != coordinates.cells {
            let (cells, rows) = (labels.len(), coordinates.cells);
            return Err(value_error(format!("{rows} positions for {cells} cells")));
        }
        let interval = interval::read(args.get("interval")?, &coordinates)?;
        let key = match args.flag("copy")? {
            true => None,
            false => Some(format!("{cluster_key}_co_occurrence")),
        };
        Ok(Task {
            x: coordinates.column(0),
            y: coordinates.column(1),
            labels,
            k,
            thresholds: interval[1..].iter().map(|t| t * t).collect(),
            interval,
            key,
            warnings: deprecations(params),
        })
    }

    /// The answer: `(occ, interval)` in `result`, or both under their names in `uns`.
    ///
    /// # Panics
    /// When there are not `k * k * thresholds.len()` ratios.
    pub fn reply(&self, ratios: Vec<f64>) -> Reply {
        let occ = Dense::new(vec![self.k, self.k, self.thresholds.len()], ratios).into();
        let interval = Dense::vector(self.interval.clone()).into();
        let reply = match &self.key {
            None => Reply::returning(Value::Tuple(vec![occ, interval])),
            Some(key) => {
                let map = Map::from([("occ".to_owned(), occ), ("interval".to_owned(), interval)]);
                Reply::writing(&format!("uns/{key}"), map.into())
            }
        };
        // Of what squidpy warns of, only this is told here, so that its absence says nothing.
        Reply { warnings: Some(self.warnings.clone()).filter(|told| !told.is_empty()), ..reply }
    }
}

/// Every pair of ends that an automatic interval of a call may have; `None` if the call gives its interval, or if there are
/// too many choices among cells of equal sums.
///
/// # Errors
/// As [`Task::read`], for the positions.
pub fn automatic_ends(data: &Dataset, params: &Params) -> Result<Option<Vec<Ends>>, Fault> {
    let signature = signature();
    let args = Args::new("co_occurrence", &signature, params)?;
    match args.get("interval")? {
        Value::Int(_) => {
            Ok(interval::choices(&Coordinates::read(data, args.text("spatial_key")?)?))
        }
        _ => Ok(None),
    }
}

/// Codes squeezed to the categories that occur, and how many do.
fn used_labels(codes: &[i32], categories: usize) -> Result<(Vec<u32>, usize), Fault> {
    let mut used = vec![false; categories];
    for (cell, &code) in codes.iter().enumerate() {
        match usize::try_from(code) {
            Ok(code) => used[code] = true,
            Err(_) => return Err(key_error(format!("nan: cell {cell} has no label"))),
        }
    }
    let mut k = 0;
    let squeezed: Vec<u32> = used
        .iter()
        .map(|&used| {
            k += u32::from(used);
            k.wrapping_sub(1)
        })
        .collect();
    Ok((codes.iter().map(|&code| squeezed[code as usize]).collect(), k as usize))
}

fn deprecations(params: &Params) -> Vec<Warning> {
    let passed = IGNORED.iter().filter(|name| params.contains_key(**name));
    passed
        .map(|name| {
            let message = format!(
                "Parameter `{name}` of `co_occurrence()` is deprecated and has no effect. \
                 It will be removed in squidpy v1.10.0."
            );
            Warning::new("FutureWarning", message)
        })
        .collect()
}

/// Positions of the cells in float32, as the host casts them.
pub struct Coordinates {
    /// Number of cells.
    pub cells: usize,
    /// Number of coordinates of a cell, at least 2.
    pub width: usize,
    /// The positions, in `order`.
    pub values: Vec<f32>,
    /// Memory order; it decides how the host adds up more than seven coordinates.
    pub order: Order,
}

impl Coordinates {
    fn read(data: &Dataset, key: &str) -> Result<Coordinates, Fault> {
        let dense = match slot(data, "obsm", key)? {
            Value::Dense(dense) => dense,
            other => {
                let found = other.type_name();
                return Err(type_error(format!(
                    "expected `adata.obsm[{key:?}]` to be an array, found {found}"
                )));
            }
        };
        let &[cells, width] = dense.shape.as_slice() else {
            let shape = &dense.shape;
            return Err(value_error(format!(
                "`adata.obsm[{key:?}]` has shape {shape:?}, not (n, 2)"
            )));
        };
        if width < 2 {
            let message = format!("`adata.obsm[{key:?}]` has {width} columns, expected 2 or more");
            return Err(Fault::rejected("IndexError", message));
        }
        let values: Vec<f32> = dense.data.to_f64().into_iter().map(|v| v as f32).collect();
        if let Some(i) = values.iter().position(|v| !v.is_finite()) {
            let value = values[i];
            return Err(value_error(format!(
                "`adata.obsm[{key:?}]` holds {value} (element {i}), expected finite positions; \
                 drop cells without a position"
            )));
        }
        Ok(Coordinates { cells, width, values, order: dense.order })
    }

    fn at(&self, cell: usize, axis: usize) -> f32 {
        self.values[match self.order {
            Order::C => cell * self.width + axis,
            Order::F => axis * self.cells + cell,
        }]
    }

    fn column(&self, axis: usize) -> Vec<f32> {
        (0..self.cells).map(|cell| self.at(cell, axis)).collect()
    }

    fn row(&self, cell: usize) -> Vec<f32> {
        (0..self.width).map(|axis| self.at(cell, axis)).collect()
    }
}
