//! The list of interactions: its accepted forms, complexes, and the genes it needs.

use std::collections::{BTreeMap, HashMap, HashSet};

use dispatch::{Dense, Fault, Frame, Index, Map, Strings, Value};

use super::fixed::Fixed;
use super::matrix::{Source, other_columns, texts};
use crate::args::{key_error, type_error, value_error};

/// What to do with a complex, a name such as `A_B`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// Take the component with the smallest mean over all cells.
    Min,
    /// Take every component.
    All,
}

/// The policies by name.
pub(crate) const POLICIES: [(&str, Policy); 2] = [("min", Policy::Min), ("all", Policy::All)];

/// Interactions as given, upper case, without missing names and repetitions.
pub(crate) struct List {
    rows: Vec<Row>,
    /// Every column as given.
    frame: Frame,
}

/// Interactions of genes that are in the data.
pub(crate) struct Resolved {
    /// Positions of the genes in the matrix.
    pub(crate) genes: Vec<usize>,
    /// Source and target, positions in `genes`.
    pub(crate) pairs: Vec<[u32; 2]>,
    /// The other columns, indexed by source and target.
    pub(crate) metadata: Frame,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Names {
    source: String,
    target: String,
}

struct Row {
    names: Names,
    /// Position in the given list.
    at: usize,
}

impl List {
    /// Reads a data frame or dict with `source` and `target`, a list of names (all ordered pairs of them), a
    /// list of pairs, or two lists (sources, targets).
    pub(crate) fn read(value: &Value) -> Result<List, Fault> {
        let frame = match value {
            Value::None => {
                return Err(Fault::Unsupported(
                    "interactions=None downloads a database on the host; pass `interactions`"
                        .into(),
                ));
            }
            Value::Frame(frame) => frame.clone(),
            Value::Map(map) => frame_of_map(map)?,
            other => frame_of_pairs(pairs(sequence(other)?, matches!(other, Value::Tuple(_)))?),
        };
        let column = |name: &str| {
            let missing = || key_error(format!("Column `'{name}'` is not in `interactions`."));
            frame.column(name).ok_or_else(missing).and_then(texts)
        };
        let (sources, targets) = (column("source")?, column("target")?);
        if frame.index.is_empty() {
            return Err(value_error("The interactions are empty"));
        }
        let both = sources.into_iter().zip(targets).enumerate();
        let rows = both.filter_map(|(at, pair)| match pair {
            (Some(source), Some(target)) => {
                let names = Names { source: source.to_uppercase(), target: target.to_uppercase() };
                Some(Row { names, at })
            }
            (None, _) | (_, None) => None,
        });
        Ok(List { rows: first_of_each(rows), frame })
    }

    /// The complexes of which rounding may decide which component is the smallest, each with the components that may be, the one
    /// that is first. `relative` says how much a sum may lose, relative to the sum of magnitudes, from whether float64 adds the
    /// values up exactly and how many cells there are.
    pub(crate) fn near_ties(
        &self,
        source: &Source<'_>,
        relative: impl Fn(bool, usize) -> f64,
    ) -> Vec<(String, Vec<String>)> {
        let smallest = Smallest::new(&self.rows, source);
        let mut found = BTreeMap::new();
        for name in self.rows.iter().flat_map(|row| [&row.names.source, &row.names.target]) {
            let candidates = smallest.candidates(name, |exact| relative(exact, source.cells()));
            if candidates.len() > 1 {
                found.insert(name.clone(), candidates);
            }
        }
        found.into_iter().collect()
    }

    /// Replaces complexes by genes and keeps the interactions whose genes are in the data; a complex that is among the chosen
    /// stands for the gene named there.
    pub(crate) fn resolve(
        self,
        source: &Source<'_>,
        policy: Policy,
        chosen: &BTreeMap<String, String>,
    ) -> Result<Resolved, Fault> {
        let replaced: Vec<Row> = match policy {
            Policy::Min => {
                let smallest = Smallest::new(&self.rows, source);
                let gene_of =
                    |name: &String| chosen.get(name).cloned().or_else(|| smallest.gene_of(name));
                self.rows
                    .into_iter()
                    .filter_map(|row| {
                        let source = gene_of(&row.names.source)?;
                        let target = gene_of(&row.names.target)?;
                        Some(Row { names: Names { source, target }, at: row.at })
                    })
                    .collect()
            }
            Policy::All => self.rows.iter().flat_map(exploded).collect(),
        };
        let known = replaced.into_iter().filter(|row| {
            [&row.names.source, &row.names.target].iter().all(|n| source.position(n).is_some())
        });
        let rows = first_of_each(known);
        if rows.is_empty() {
            return Err(value_error("After filtering by genes, no interactions remain."));
        }
        let mut genes = Genes::default();
        let mut pairs = Vec::with_capacity(rows.len());
        for Names { source: s, target: t } in rows.iter().map(|row| &row.names) {
            if let (Some(s), Some(t)) = (source.position(s), source.position(t)) {
                pairs.push([genes.number(s), genes.number(t)]);
            }
        }
        let metadata = other_columns(
            &self.frame,
            &rows.iter().map(|row| row.at).collect::<Vec<_>>(),
            index(rows),
        );
        Ok(Resolved { genes: genes.positions, pairs, metadata })
    }
}

fn first_of_each(rows: impl IntoIterator<Item = Row>) -> Vec<Row> {
    let mut seen = HashSet::new();
    rows.into_iter().filter(|row| seen.insert(row.names.clone())).collect()
}

fn exploded(row: &Row) -> Vec<Row> {
    let targets = || row.names.target.split('_');
    let pairs = row.names.source.split('_').flat_map(|s| targets().map(move |t| (s, t)));
    pairs
        .map(|(source, target)| Row {
            names: Names { source: source.to_owned(), target: target.to_owned() },
            at: row.at,
        })
        .collect()
}

fn index(rows: Vec<Row>) -> Index {
    let (sources, targets): (Vec<String>, Vec<String>) =
        rows.into_iter().map(|row| (row.names.source, row.names.target)).unzip();
    Index {
        names: vec![Some("source".to_owned()), Some("target".to_owned())],
        levels: vec![Strings::new(sources).into(), Strings::new(targets).into()],
    }
}

/// Numbers genes in the order in which they are first met.
#[derive(Default)]
struct Genes {
    positions: Vec<usize>,
    numbers: HashMap<usize, u32>,
}

impl Genes {
    fn number(&mut self, position: usize) -> u32 {
        *self.numbers.entry(position).or_insert_with(|| {
            self.positions.push(position);
            self.positions.len() as u32 - 1
        })
    }
}

/// Which component of each complex has the smallest mean over all cells.
struct Smallest {
    /// Each component that is in the data.
    sums: HashMap<String, Sum>,
    fixed: Fixed,
}

struct Sum {
    /// -1, 0 or 1 as it is negative infinite, finite or infinite; 2 if it is NaN.
    infinite: i8,
    /// The exact sum of the finite values.
    total: i128,
    /// The sum of their magnitudes.
    magnitude: f64,
    /// Whether float64 adds them up without rounding.
    exact: bool,
}

impl Sum {
    fn order(&self) -> (i8, i128) {
        (self.infinite, self.total)
    }
}

impl Smallest {
    fn new(rows: &[Row], source: &Source<'_>) -> Smallest {
        let names = rows.iter().flat_map(|row| [&row.names.source, &row.names.target]);
        let mut components = Vec::new();
        let mut seen = HashSet::new();
        for name in names.filter(|name| name.contains('_')).flat_map(|name| name.split('_')) {
            if let (Some(position), true) = (source.position(name), seen.insert(name)) {
                components.push((name, position));
            }
        }
        let genes: Vec<usize> = components.iter().map(|(_, position)| *position).collect();
        let columns = match genes.is_empty() {
            true => Vec::new(),
            false => source.columns(&genes, |cell| u32::try_from(cell).ok()),
        };
        let fixed = Fixed::new(&columns, source.cells());
        let sums = components.iter().enumerate().map(|(column, (name, _))| {
            let infinities: f64 = columns[column].values.iter().filter(|v| v.is_infinite()).sum();
            // Infinite sums order before or after all finite ones; inf - inf is NaN, which pandas skips.
            let infinite = match infinities {
                v if v.is_nan() => 2,
                v if v == f64::INFINITY => 1,
                v if v == f64::NEG_INFINITY => -1,
                _ => 0,
            };
            let magnitudes = columns[column].values.iter().filter(|v| v.is_finite());
            let sum = Sum {
                infinite,
                total: fixed.total(column),
                magnitude: magnitudes.map(|v| v.abs()).sum(),
                exact: fixed.adds_exactly(column),
            };
            ((*name).to_owned(), sum)
        });
        Smallest { sums: sums.collect(), fixed }
    }

    /// The gene a name stands for; `None` for a complex without a component in the data.
    fn gene_of(&self, name: &str) -> Option<String> {
        if !name.contains('_') {
            return Some(name.to_owned());
        }
        let present = name.split('_').filter_map(|part| Some((self.sums.get(part)?, part)));
        // `min_by_key` takes the first of equals, as the host does.
        present.min_by_key(|(sum, _)| sum.order()).map(|(_, part)| part.to_owned())
    }

    /// The genes a complex may stand for if sums are off by so much of their magnitudes, the exact choice first.
    fn candidates(&self, name: &str, relative: impl Fn(bool) -> f64) -> Vec<String> {
        let least = self.gene_of(name).filter(|_| name.contains('_'));
        let Some((least, sum)) = least.and_then(|gene| Some((gene.clone(), self.sums.get(&gene)?)))
        else {
            return Vec::new();
        };
        let slack = |of: &Sum| relative(of.exact) * of.magnitude;
        let may_be = |other: &&str| {
            self.sums.get(*other).is_some_and(|other| {
                let allowed = slack(sum) + slack(other);
                let apart = self.fixed.value(other.total - sum.total);
                (sum.infinite, other.infinite) == (0, 0) && allowed > 0.0 && apart <= allowed
            })
        };
        let mut candidates = vec![least];
        for part in name.split('_').filter(may_be) {
            if candidates.iter().all(|known| known != part) {
                candidates.push(part.to_owned());
            }
        }
        candidates
    }
}

/// The items of something Python can iterate over.
fn sequence(value: &Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::List(items) | Value::Tuple(items) => Ok(items.clone()),
        Value::Text(text) => Ok(text.chars().map(|c| Value::Text(c.to_string())).collect()),
        Value::Strings(strings) => {
            let text = |v: &Option<String>| v.clone().map_or(Value::None, Value::Text);
            let width = strings.shape.get(1).copied();
            Ok(match width {
                None => strings.values.iter().map(text).collect(),
                Some(width) => strings
                    .values
                    .chunks(width.max(1))
                    .map(|row| Value::Tuple(row.iter().map(text).collect()))
                    .collect(),
            })
        }
        other => Err(type_error(format!(
            "expected a data frame, a dict or a sequence of interactions, found {}",
            other.type_name()
        ))),
    }
}

/// Two items are (sources, targets) if a tuple holds them, or if they are no pairs: `[(a, b), (c, d)]` has two interactions.
fn pairs(items: Vec<Value>, in_tuple: bool) -> Result<Vec<[Value; 2]>, Fault> {
    let Some(first) = items.first() else {
        return Err(value_error("No interactions were specified."));
    };
    if first.as_text().is_some() {
        let targets = || items.iter().cloned();
        return Ok(targets().flat_map(|s| targets().map(move |t| [s.clone(), t])).collect());
    }
    let are_pairs = items.iter().all(|item| matches!(item, Value::Tuple(pair) if pair.len() == 2));
    let mut items = items.iter().map(sequence).collect::<Result<Vec<_>, _>>()?;
    if let ([sources, targets], true) = (items.as_mut_slice(), in_tuple || !are_pairs) {
        let zipped = sources.drain(..).zip(targets.drain(..));
        return Ok(zipped.map(|(s, t)| [s, t]).collect());
    }
    let pair = |item: Vec<Value>| {
        <[Value; 2]>::try_from(item).map_err(|item| {
            let found = item.len();
            value_error(format!("Not all interactions are of length `2`: found one of {found}."))
        })
    };
    items.into_iter().map(pair).collect()
}

fn frame_of_pairs(pairs: Vec<[Value; 2]>) -> Frame {
    let n = pairs.len();
    let (sources, targets) = pairs.into_iter().map(|[s, t]| (s, t)).unzip();
    Frame::new(rows(n), [("source", Value::List(sources)), ("target", Value::List(targets))])
}

fn frame_of_map(map: &Map) -> Result<Frame, Fault> {
    let lengths = || map.iter().map(|(name, column)| (name, column.len()));
    let n = lengths().find_map(|(_, length)| length).unwrap_or(0);
    if let Some((name, length)) = lengths().find(|(_, length)| *length != Some(n)) {
        let found = length.map_or("a scalar".to_owned(), |length| format!("{length} entries"));
        return Err(value_error(format!("`interactions[{name:?}]` has {found}, expected {n}")));
    }
    Ok(Frame::new(rows(n), map.iter().map(|(name, column)| (name.clone(), as_array(column)))))
}

fn rows(n: usize) -> Index {
    Index {
        names: vec![None],
        levels: vec![Dense::vector((0..n as i64).collect::<Vec<_>>()).into()],
    }
}

/// A list of one kind of scalars as the array pandas makes of it.
fn as_array(column: &Value) -> Value {
    let (Value::List(items) | Value::Tuple(items)) = column else { return column.clone() };
    let integer = |item: &Value| if let Value::Int(i) = item { Some(*i) } else { None };
    let boolean = |item: &Value| if let Value::Bool(b) = item { Some(*b) } else { None };
    let text = |item: &Value| item.as_text().map(str::to_owned);
    if let Some(integers) = items.iter().map(integer).collect::<Option<Vec<i64>>>() {
        Dense::vector(integers).into()
    } else if let Some(floats) = items.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>() {
        Dense::vector(floats).into()
    } else if let Some(booleans) = items.iter().map(boolean).collect::<Option<Vec<bool>>>() {
        Dense::vector(booleans).into()
    } else if let Some(texts) = items.iter().map(text).collect::<Option<Vec<String>>>() {
        Strings::new(texts).into()
    } else {
        column.clone()
    }
}
