//! Cases made from a user's file: subsets of its cells and genes, its own graphs or new ones over its
//! coordinates, its own clusters or relabelled ones.
//!
//! Real data have what generators do not think of. A case is again a line of text,
//! `cells=64 genes=8 graph=delaunay mode=geary seed=3`, which builds the call from the same file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use dispatch::{Call, Categorical, Dataset, Dense, Dtype, Format, Frame, Params, Value};
use generators::Random;
use generators::parts::graph;
use reports::{KnobLevels, Knobs, Source};

use crate::plan::{Plan, Tier};
use crate::{Case, Usage, contract};

/// squidpy writes connectivities as float32 CSR with 32-bit indices.
const AS_SQUIDPY_STORES: graph::Layout =
    graph::Layout { dtype: Dtype::F32, wide: false, unsorted: false, format: Format::Csr };

/// What a file offers to make cases from.
#[derive(Debug)]
pub struct RealFile {
    data: Arc<Dataset>,
    /// Names in `obsp` that end in `connectivities`.
    graphs: Vec<String>,
    /// Categorical columns of `obs` with at least two categories in use.
    clusters: Vec<String>,
    /// The slot of `obsm` with the coordinates, and the positions.
    coordinates: Option<(String, Vec<[f64; 2]>)>,
    unread: Vec<String>,
}

/// One case from a file: a choice for each knob, and a seed.
#[derive(Clone, Debug)]
pub struct FileCase {
    /// The function.
    pub function: &'static str,
    file: Arc<RealFile>,
    levels: BTreeMap<&'static str, String>,
    seed: u64,
}

impl RealFile {
    /// Reads a file and finds what it offers.
    ///
    /// # Errors
    /// When the file cannot be read, or offers nothing to make a case from; says what was looked for.
    pub fn open(path: &Path) -> Result<Arc<RealFile>> {
        let file = anndata_io::read(path)
            .with_context(|| format!("make cases from {}", path.display()))?;
        let unread = file.unread.iter().map(|u| format!("{}: {}", u.path, u.why)).collect();
        let data = Arc::new(file.data);
        let names = |group: &str| match data.get(group) {
            Some(Value::Map(map)) => map.keys().cloned().collect(),
            _ => Vec::new(),
        };
        let clusters = data.frame("obs").map(cluster_columns).unwrap_or_default();
        let preferred = ["spatial", "X_spatial", "X_umap", "X_tsne"].map(str::to_owned);
        let coordinates = preferred.into_iter().chain(names("obsm")).find_map(|key| {
            let places = places(data.get(&format!("obsm/{key}"))?)?;
            Some((key, places))
        });
        let graphs = names("obsp")
            .into_iter()
            .filter(|name: &String| name.ends_with("connectivities"))
            .collect();
        let file = RealFile { data, graphs, clusters, coordinates, unread };
        if file.graphs.is_empty() && file.coordinates.is_none() {
            let message = format!(
                "{} has neither a graph in obsp (`*connectivities`) nor coordinates in obsm (`spatial`, `X_umap` ...): \
                 no case can be made from it",
                path.display()
            );
            return Err(Usage(message).into());
        }
        Ok(Arc::new(file))
    }

    /// What was found, a line each.
    pub fn describe(&self) -> Vec<String> {
        let or_none =
            |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let coordinates = self.coordinates.as_ref().map_or("none", |(key, _)| key);
        let mut lines = vec![
            format!("file: {} cells x {} genes", self.data.n_obs(), self.data.n_vars()),
            format!(
                "  graphs: {}; coordinates: {coordinates}; clusters: {}",
                or_none(&self.graphs),
                or_none(&self.clusters)
            ),
        ];
        lines.extend(self.unread.iter().map(|u| format!("  not read: {u}")));
        lines
    }

    /// Whether cases of a function have a knob.
    pub fn has_knob(&self, function: &str, knob: &str) -> bool {
        self.knobs(function).iter().any(|(name, _)| *name == knob)
    }

    /// The knobs of a function on this file, each with its levels from small to large.
    fn knobs(&self, function: &str) -> Vec<(&'static str, Vec<String>)> {
        let sizes = |sizes: &[usize], n: usize| -> Vec<String> {
            let smaller = sizes.iter().filter(|&&s| s < n).map(usize::to_string);
            smaller.chain(["all".to_owned()]).collect()
        };
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let cells = ("cells", sizes(&[16, 64, 256], self.data.n_obs()));
        let genes = ("genes", sizes(&[2, 16, 64], self.data.n_vars()));
        let clusters = ("cluster", self.clusters.clone());
        let relabel = ("relabel", words(&["no", "shuffled", "merged"]));
        let mut graphs = self.graphs.clone();
        if self.coordinates.is_some() {
            graphs.extend(words(&["knn", "delaunay", "radius"]));
        }
        match function {
            "spatial_autocorr" => vec![
                cells,
                genes,
                ("graph", graphs),
                ("mode", words(&["moran", "geary"])),
                ("transformation", words(&["true", "false"])),
                ("n_perms", words(&["none", "19"])),
            ],
            "co_occurrence" if self.coordinates.is_some() => {
                vec![cells, clusters, relabel, ("interval", words(&["5", "20", "quantiles"]))]
            }
            "ligrec" => vec![
                cells,
                genes,
                clusters,
                relabel,
                (
                    "use_raw",
                    if self.data.get("raw").is_some() {
                        words(&["false", "true"])
                    } else {
                        words(&["false"])
                    },
                ),
                ("threshold", words(&["0.01", "0.1"])),
            ],
            _ => Vec::new(),
        }
    }
}

/// The plan for some functions: every level of every knob occurs, the rest is drawn.
pub fn plan(file: &Arc<RealFile>, functions: &[String], tier: Tier, seed: u64) -> Plan {
    let cases = match tier {
        Tier::Quick => 60,
        Tier::Standard => 500,
        Tier::Full => 4_000,
    };
    let mut plan = Plan::default();
    for function in functions {
        let Some(contract) = contract(function) else { continue };
        let knobs = file.knobs(function);
        if knobs.is_empty() || knobs.iter().any(|(_, levels)| levels.is_empty()) {
            continue;
        }
        for k in 0..cases {
            let mut random = Random::new(seed ^ k, contract.function);
            // Rotating through the levels meets each of them early; the draw decides how they combine.
            let levels = knobs.iter().map(|(name, levels)| {
                let at = if k < 8 { k as usize } else { random.below(levels.len()) };
                (*name, levels[at % levels.len()].clone())
            });
            let case = FileCase {
                function: contract.function,
                file: file.clone(),
                levels: levels.collect(),
                seed: k,
            };
            plan.cases.push((Source::File, Case::File(case)));
        }
    }
    plan
}

/// Reads the text of a case.
///
/// # Errors
/// Says which word is wrong and what was expected.
pub fn parse(file: &Arc<RealFile>, function: &str, text: &str) -> Result<FileCase, String> {
    let contract = contract(function).ok_or_else(|| format!("unknown function `{function}`"))?;
    let knobs = file.knobs(function);
    let mut levels: BTreeMap<&'static str, String> =
        knobs.iter().filter_map(|(name, levels)| Some((*name, levels.first()?.clone()))).collect();
    let mut seed = 0;
    for word in text.split_whitespace() {
        let (name, level) = word
            .split_once('=')
            .ok_or_else(|| format!("`{word}` is not of the form knob=level"))?;
        if name == "seed" {
            seed = level.parse().map_err(|_| format!("`{level}` is not a seed"))?;
            continue;
        }
        let known: Vec<&str> = knobs.iter().map(|(name, _)| *name).collect();
        let knob = knobs.iter().find(|(knob, _)| *knob == name);
        let (knob, known_levels) = knob
            .ok_or_else(|| format!("unknown knob `{name}`: {function} has {}", known.join(", ")))?;
        let most = if *knob == "cells" { file.data.n_obs() } else { file.data.n_vars() };
        let is_size = matches!(*knob, "cells" | "genes")
            && level.parse::<usize>().is_ok_and(|size| (1..=most).contains(&size));
        if !is_size && !known_levels.iter().any(|l| l == level) {
            return Err(format!(
                "unknown level `{level}` of `{name}`: this file has {}",
                known_levels.join(", ")
            ));
        }
        levels.insert(knob, level.to_owned());
    }
    Ok(FileCase { function: contract.function, file: file.clone(), levels, seed })
}

impl fmt::Display for FileCase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.levels.iter().try_for_each(|(name, level)| write!(f, "{name}={level} "))?;
        write!(f, "seed={}", self.seed)
    }
}

impl FileCase {
    /// The same case with another seed.
    pub fn seeded(&self, seed: u64) -> FileCase {
        FileCase { seed, ..self.clone() }
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.level("cells").parse().unwrap_or(self.file.data.n_obs())
    }

    /// Whether all cells of the file are used.
    pub fn is_whole(&self) -> bool {
        self.cells() == self.file.data.n_obs()
    }

    /// The call.
    pub fn build(&self) -> Call {
        let cells = self.chosen("cells", self.file.data.n_obs());
        let genes = self.chosen("genes", self.file.data.n_vars());
        let mut data = self.file.data.subset(cells.as_deref(), genes.as_deref());
        // What no function here reads would only be copied around.
        for slot in ["uns", "varp", "varm"] {
            data.remove(slot);
        }
        let mut params = Params::from([("copy".to_owned(), Value::Bool(true))]);
        match self.function {
            "spatial_autocorr" => self.autocorr(&mut data, cells.as_deref(), &mut params),
            "co_occurrence" => self.co_occurrence(&mut data, cells.as_deref(), &mut params),
            _ => self.ligrec(&mut data, &mut params),
        }
        Call::new(self.function, data, params)
    }

    /// What can be varied about the function on this file; every level goes with every other.
    pub fn knobs(&self) -> Knobs {
        let levels = |(name, levels): (&str, Vec<String>)| KnobLevels {
            name: name.to_owned(),
            levels,
            ..KnobLevels::default()
        };
        let knobs = self.file.knobs(self.function).into_iter().map(levels).collect();
        Knobs { knobs, excluded: Vec::new() }
    }

    fn level(&self, knob: &str) -> &str {
        self.levels.get(knob).map_or("", String::as_str)
    }

    /// A random subset of the size the knob asks for, in ascending order; `None`: all.
    fn chosen(&self, knob: &'static str, n: usize) -> Option<Vec<usize>> {
        let size: usize = self.level(knob).parse().ok()?;
        let mut all: Vec<usize> = (0..n).collect();
        Random::new(self.seed, knob).shuffle(&mut all);
        all.truncate(size);
        all.sort_unstable();
        Some(all)
    }

    fn places(&self, cells: Option<&[usize]>) -> Vec<[f64; 2]> {
        let all =
            self.file.coordinates.as_ref().map(|(_, places)| places.as_slice()).unwrap_or_default();
        match cells {
            Some(cells) => cells.iter().map(|&i| all[i]).collect(),
            None => all.to_vec(),
        }
    }

    fn autocorr(&self, data: &mut Dataset, cells: Option<&[usize]>, params: &mut Params) {
        let mut key = self.level("graph").to_owned();
        if !self.file.graphs.contains(&key) {
            let places = graph::snap(&self.places(cells));
            let built = match key.as_str() {
                "delaunay" => graph::delaunay(&places),
                "radius" => graph::radius(&places, typical_squared_distance(&places)),
                _ => graph::knn(&places, 6),
            };
            key = "made_connectivities".to_owned();
            data.set(&format!("obsp/{key}"), built.store(AS_SQUIDPY_STORES).into());
        }
        let flag = |knob: &str| Value::Bool(self.level(knob) == "true");
        params.insert("connectivity_key".to_owned(), key.into());
        params.insert("mode".to_owned(), self.level("mode").into());
        params.insert("transformation".to_owned(), flag("transformation"));
        if let Ok(n) = self.level("n_perms").parse() {
            params.insert("n_perms".to_owned(), Value::Int(n));
        }
        params.insert("seed".to_owned(), Value::Int(self.seed as i64));
    }

    fn co_occurrence(&self, data: &mut Dataset, cells: Option<&[usize]>, params: &mut Params) {
        let key = self.relabelled(data);
        let spatial = self.file.coordinates.as_ref().map_or("spatial", |(key, _)| key);
        let interval = match self.level("interval").parse() {
            Ok(n) => Value::Int(n),
            Err(_) => {
                let places = self.places(cells);
                let mut distances: Vec<f64> = places
                    .iter()
                    .skip(1)
                    .map(|p| (p[0] - places[0][0]).hypot(p[1] - places[0][1]))
                    .collect();
                distances.sort_by(f64::total_cmp);
                let at = |q: usize| distances.get(q * distances.len() / 5).copied().unwrap_or(1.0);
                Dense::vector((0..5).map(at).collect::<Vec<f64>>()).into()
            }
        };
        params.insert("cluster_key".to_owned(), key.into());
        params.insert("spatial_key".to_owned(), spatial.into());
        params.insert("interval".to_owned(), interval);
    }

    fn ligrec(&self, data: &mut Dataset, params: &mut Params) {
        let use_raw = self.level("use_raw") == "true";
        let names = match data.frame("raw/var") {
            Some(var) if use_raw => var.index.labels(),
            Some(_) | None => data.var_names(),
        };
        let mut random = Random::new(self.seed, "interactions");
        let mut name =
            || Value::from(names.get(random.below(names.len())).cloned().unwrap_or_default());
        // Three at least: two pairs would be read as (sources, targets).
        let pairs = (0..12).map(|_| Value::Tuple(vec![name(), name()])).collect();
        params.insert("cluster_key".to_owned(), self.relabelled(data).into());
        params.insert("interactions".to_owned(), Value::List(pairs));
        params.insert("use_raw".to_owned(), Value::Bool(use_raw));
        params.insert(
            "threshold".to_owned(),
            Value::Float(self.level("threshold").parse().unwrap_or(0.01)),
        );
        params.insert("n_perms".to_owned(), Value::Int(20));
        params.insert("seed".to_owned(), Value::Int(self.seed as i64));
    }

    /// The key of the cluster column to use, relabelled if the case says so, without unused categories.
    fn relabelled(&self, data: &mut Dataset) -> String {
        let key = self.level("cluster").to_owned();
        let Some(Value::Categorical(column)) = data.get(&format!("obs/{key}")) else { return key };
        let mut codes = column.codes.clone();
        let names = column.names();
        let n = names.len();
        match self.level("relabel") {
            "shuffled" => {
                let mut to: Vec<i32> = (0..n as i32).collect();
                Random::new(self.seed, "relabel").shuffle(&mut to);
                codes.iter_mut().filter(|c| **c >= 0).for_each(|c| *c = to[*c as usize]);
            }
            "merged" => codes.iter_mut().filter(|c| **c >= 0).for_each(|c| *c /= 2),
            _ => {}
        }
        let used: Vec<i32> = (0..n as i32).filter(|code| codes.contains(code)).collect();
        let squeeze = |code: &i32| used.iter().position(|u| u == code).map_or(-1, |at| at as i32);
        let categories: Vec<String> =
            used.iter().map(|&code| names[code as usize].clone()).collect();
        let column = Categorical::new(codes.iter().map(squeeze).collect(), categories);
        data.set("obs/cluster_of_case", column.into());
        "cluster_of_case".to_owned()
    }
}

/// A radius that most cells find a handful of neighbours within: nine in ten of the edges to the five nearest.
fn typical_squared_distance(places: &[[i64; 2]]) -> i64 {
    let squared = |&(i, j, _): &graph::Entry| {
        let (dx, dy) = (places[i][0] - places[j][0], places[i][1] - places[j][1]);
        dx * dx + dy * dy
    };
    let mut squares: Vec<i64> = graph::knn(places, 5).entries().iter().map(squared).collect();
    squares.sort_unstable();
    squares.get(squares.len() * 9 / 10).copied().unwrap_or(0)
}

/// Categorical columns with at least two categories in use and no missing label.
fn cluster_columns(obs: &Frame) -> Vec<String> {
    let usable = |column: &Value| match column {
        Value::Categorical(c) => {
            let mut used = c.codes.clone();
            used.sort_unstable();
            used.dedup();
            used.len() >= 2 && used[0] >= 0
        }
        _ => false,
    };
    let named = obs.column_names().into_iter().zip(&obs.columns);
    named.filter(|(_, column)| usable(column)).map(|(name, _)| name).collect()
}

/// The first two columns of a matrix, if all are finite.
fn places(value: &Value) -> Option<Vec<[f64; 2]>> {
    let Value::Dense(dense) = value else { return None };
    let &[_, width] = dense.shape.as_slice() else { return None };
    if width < 2 {
        return None;
    }
    let places: Vec<[f64; 2]> = dense.to_f64().chunks(width).map(|row| [row[0], row[1]]).collect();
    places.iter().flatten().all(|x| x.is_finite()).then_some(places)
}
