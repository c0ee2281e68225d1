//! Which values are tested: genes of `X`, a layer or `raw`, columns of `obs`, or columns of an `obsm` array.

use std::collections::BTreeMap;

use dispatch::{Buffer, Dataset, Dense, Fault, Frame, Index, Masked, Value};

use crate::args::{Args, integer, key_error, slot, type_error, value_error};
use crate::matrix::{Columns, shape};

/// The features of a task: names, and a column of values for each.
#[derive(Clone, Debug)]
pub struct Features<'a> {
    /// The names, which become the index of the answer: text, or positions for `obsm`.
    pub labels: Index,
    /// The values, one column per name.
    pub columns: Columns<'a>,
}

/// What `genes` asks for.
enum Wanted {
    All,
    Names(Vec<String>),
    Positions(Vec<i64>),
}

impl<'a> Features<'a> {
    /// The features that `attr`, `genes`, `layer` and `use_raw` select.
    ///
    /// # Errors
    /// `KeyError` for a name that is not there, `IndexError` for a position, `AttributeError` for `use_raw` without `raw`,
    /// `NotImplementedError` for another `attr`, `ValueError` for ambiguous names and columns that are not numeric.
    pub fn read(data: &'a Dataset, args: &Args<'_>) -> Result<Features<'a>, Fault> {
        let wanted = wanted(args.get("genes")?)?;
        match args.text("attr")? {
            "X" if args.flag("use_raw")? => from_raw(data, wanted),
            "X" => from_x(data, wanted, args.optional_text("layer")?),
            "obs" => from_obs(data, wanted),
            "obsm" => from_obsm(data, wanted, args.optional_text("layer")?.unwrap_or("None")),
            other => Err(Fault::rejected(
                "NotImplementedError",
                format!("extracting from `adata.{other}`, expected `attr` to be X, obs or obsm"),
            )),
        }
    }

    /// Number of features.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are no features.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }
}

fn wanted(genes: &Value) -> Result<Wanted, Fault> {
    let refusal = |got: &Value| {
        type_error(format!("`genes` must hold names or positions, got {}", got.type_name()))
    };
    match genes {
        Value::None => Ok(Wanted::All),
        Value::Text(name) => Ok(Wanted::Names(vec![name.clone()])),
        Value::Strings(names) => {
            let names: Option<Vec<String>> = names.values.iter().cloned().collect();
            names.map(Wanted::Names).ok_or_else(|| value_error("`genes` has a missing name"))
        }
        Value::List(items) | Value::Tuple(items) => {
            if let Some(names) = items.iter().map(Value::as_text).collect::<Option<Vec<_>>>() {
                return Ok(Wanted::Names(names.into_iter().map(str::to_owned).collect()));
            }
            let positions: Option<Vec<i64>> = items.iter().map(integer).collect();
            positions.map(Wanted::Positions).ok_or_else(|| refusal(genes))
        }
        Value::Dense(Dense { shape, data, .. }) if shape.len() == 1 => match data {
            Buffer::I64(positions) => Ok(Wanted::Positions(positions.clone())),
            Buffer::I32(positions) => {
                Ok(Wanted::Positions(positions.iter().map(|&i| i.into()).collect()))
            }
            _ => Err(refusal(genes)),
        },
        single if integer(single).is_some() => {
            Ok(Wanted::Positions(integer(single).into_iter().collect()))
        }
        other => Err(refusal(other)),
    }
}

/// Positions on an axis of `len`, a negative one counted from the end.
fn resolve(positions: &[i64], len: usize) -> Result<Vec<usize>, Fault> {
    let at = |&i: &i64| {
        let from_start = if i < 0 { i + len as i64 } else { i };
        usize::try_from(from_start).ok().filter(|&p| p < len).ok_or_else(|| {
            Fault::rejected(
                "IndexError",
                format!("position {i} is out of range for {len} features"),
            )
        })
    };
    positions.iter().map(at).collect()
}

/// Where each name stands; `None` for a name that stands at several places.
fn places(names: &[String]) -> BTreeMap<&str, Option<usize>> {
    let mut places = BTreeMap::new();
    for (i, name) in names.iter().enumerate() {
        places.entry(name.as_str()).and_modify(|place| *place = None).or_insert(Some(i));
    }
    places
}

fn ambiguous(name: &str, axis: &str) -> Fault {
    value_error(format!("`{name}` occurs more than once in `{axis}`; make the names unique"))
}

fn locate(wanted: &[String], names: &[String], axis: &str) -> Result<Vec<usize>, Fault> {
    let places = places(names);
    wanted
        .iter()
        .map(|name| match places.get(name.as_str()) {
            Some(Some(place)) => Ok(*place),
            Some(None) => Err(ambiguous(name, axis)),
            None => Err(key_error(format!("`{name}` is not in `{axis}` ({} names)", names.len()))),
        })
        .collect()
}

/// The genes used when none are named: the highly variable ones if they are marked, else all.
fn default_genes(data: &Dataset) -> Result<Vec<usize>, Fault> {
    let all = data.n_vars();
    match data.frame("var").and_then(|var| var.column("highly_variable")) {
        None => Ok((0..all).collect()),
        Some(Value::Dense(Dense { data: Buffer::Bool(marks), .. })) => {
            Ok((0..all).filter(|&j| marks[j]).collect())
        }
        Some(Value::Masked(Masked { values: Dense { data: Buffer::Bool(marks), .. }, mask }))
            if !mask.contains(&true) =>
        {
            Ok((0..all).filter(|&j| marks[j]).collect())
        }
        Some(other) => Err(value_error(format!(
            "`var[highly_variable]` must be boolean without missing entries, got {}",
            other.type_name()
        ))),
    }
}

fn from_x<'a>(
    data: &'a Dataset,
    wanted: Wanted,
    layer: Option<&str>,
) -> Result<Features<'a>, Fault> {
    let (matrix, what) = match layer {
        Some(layer) => (slot(data, "layers", layer)?, format!("layers[{layer}]")),
        None => match data.get("X") {
            Some(x) => (x, "X".to_owned()),
            None => return Err(value_error("`adata.X` is None; name a `layer`")),
        },
    };
    let names = data.var_names();
    let (labels, at) = match wanted {
        Wanted::All => {
            let at = default_genes(data)?;
            (Index::text(at.iter().map(|&j| names[j].as_str())), at)
        }
        Wanted::Names(wanted) => {
            let at = locate(&wanted, &names, "var_names")?;
            (Index::text(wanted), at)
        }
        Wanted::Positions(positions) => {
            let at = resolve(&positions, names.len())?;
            (numbered(positions), at)
        }
    };
    Ok(Features { labels, columns: Columns::read(matrix, &what, data.n_obs(), at)? })
}

fn from_raw(data: &Dataset, wanted: Wanted) -> Result<Features<'_>, Fault> {
    let (Some(matrix), Some(var)) = (data.get("raw/X"), data.frame("raw/var")) else {
        let message = "no `.raw` attribute found, try `use_raw=False`";
        return Err(Fault::rejected("AttributeError", message));
    };
    let own = data.var_names();
    let wanted = match wanted {
        Wanted::All => default_genes(data)?.into_iter().map(|j| own[j].clone()).collect(),
        Wanted::Names(names) => names,
        Wanted::Positions(_) => {
            return Err(type_error("`genes` must be names when `use_raw=True`, got positions"));
        }
    };
    let names = var.index.labels();
    let places = places(&names);
    let (mut labels, mut at) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeSet::new();
    for name in wanted {
        match places.get(name.as_str()) {
            Some(None) => return Err(ambiguous(&name, "raw.var_names")),
            Some(Some(place)) if seen.insert(*place) => {
                at.push(*place);
                labels.push(name);
            }
            Some(Some(_)) | None => {}
        }
    }
    let columns = Columns::read(matrix, "raw.X", data.n_obs(), at)?;
    Ok(Features { labels: Index::text(labels), columns })
}

fn from_obs(data: &Dataset, wanted: Wanted) -> Result<Features<'_>, Fault> {
    let empty = Frame::new(Index::text([""; 0]), [] as [(&str, Value); 0]);
    let obs = data.frame("obs").unwrap_or(&empty);
    let names = match wanted {
        Wanted::All => {
            let columns = obs.column_names().into_iter().zip(&obs.columns);
            columns.filter(|(_, column)| is_numeric(column)).map(|(name, _)| name).collect()
        }
        Wanted::Names(names) => names,
        Wanted::Positions(at) => {
            return Err(key_error(format!("`genes` must name columns of `obs`, got {at:?}")));
        }
    };
    let columns: Vec<Vec<f64>> = names
        .iter()
        .map(|name| numbers(slot(data, "obs", name)?, name))
        .collect::<Result<_, Fault>>()?;
    Ok(Features { labels: Index::text(names), columns: Columns::Owned(columns) })
}

fn is_numeric(column: &Value) -> bool {
    match column {
        Value::Dense(dense) | Value::Masked(Masked { values: dense, .. }) => {
            !matches!(dense.data, Buffer::Bool(_))
        }
        _ => false,
    }
}

fn numbers(column: &Value, name: &str) -> Result<Vec<f64>, Fault> {
    match column {
        Value::Dense(dense) => Ok(dense.to_f64()),
        Value::Masked(Masked { values, mask }) => {
            let values = values.to_f64().into_iter().zip(mask);
            Ok(values.map(|(x, &missing)| if missing { f64::NAN } else { x }).collect())
        }
        other => Err(value_error(format!(
            "could not convert column `obs[{name}]` to numbers, it is {}",
            other.type_name()
        ))),
    }
}

fn from_obsm<'a>(data: &'a Dataset, wanted: Wanted, key: &str) -> Result<Features<'a>, Fault> {
    let matrix = slot(data, "obsm", key)?;
    let what = format!("obsm[{key}]");
    let (_, columns) = shape(matrix, &what, data.n_obs())?;
    let positions: Vec<i64> = match wanted {
        Wanted::All => (0..columns as i64).collect(),
        Wanted::Positions(positions) => positions,
        Wanted::Names(names) => {
            let message = format!("`genes` must be columns of `{what}` by position, got {names:?}");
            return Err(Fault::rejected("IndexError", message));
        }
    };
    let at = resolve(&positions, columns)?;
    let columns = Columns::read(matrix, &what, data.n_obs(), at)?;
    Ok(Features { labels: numbered(positions), columns })
}

fn numbered(positions: Vec<i64>) -> Index {
    Index { names: vec![None], levels: vec![Dense::vector(positions).into()] }
}
