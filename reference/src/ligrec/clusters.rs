//! Which cells take part, under which label, and which pairs of clusters are asked for.

use dispatch::{Dataset, Fault, Value};

use crate::args::{type_error, value_error};
use crate::labels::categorical;

/// Cells and pairs of clusters of a call.
pub(crate) struct Groups {
    /// For each cell its position among the kept ones.
    pub(crate) kept: Vec<Option<u32>>,
    /// Label of each kept cell.
    pub(crate) labels: Vec<u32>,
    /// Names of the labels, sorted as text.
    pub(crate) names: Vec<String>,
    /// Pairs of labels, sorted by name, each once.
    pub(crate) pairs: Vec<[u32; 2]>,
}

impl Groups {
    /// Reads `obs[key]` and the argument `clusters`.
    pub(crate) fn read(data: &Dataset, key: &str, clusters: &Value) -> Result<Groups, Fault> {
        let column = categorical(data, key)?;
        let names = column.names();
        if names.len() < 2 {
            let found = names.len();
            return Err(value_error(format!("Expected at least `2` clusters, found `{found}`.")));
        }
        let mut present = vec![false; names.len()];
        for &code in column.codes.iter() {
            if let Ok(code) = usize::try_from(code) {
                present[code] = true;
            }
        }
        let mut asked = asked(clusters, &names)?;
        asked.sort();
        asked.dedup();
        let known = |name: &String| names.iter().zip(&present).any(|(n, &p)| p && n == name);
        if let Some(unknown) = asked.iter().flatten().find(|name| !known(name)) {
            return Err(value_error(format!(
                "Invalid cluster `'{unknown}'`: no cell of `adata.obs[{key:?}]` is in it"
            )));
        }
        let mut used: Vec<String> = asked.iter().flatten().cloned().collect();
        used.sort();
        used.dedup();
        // Every name asked for is among the used ones.
        let position = |name: &String| used.binary_search(name).ok().map(|at| at as u32);
        let label_of: Vec<Option<u32>> = names.iter().map(position).collect();
        let mut labels = Vec::new();
        let kept = column.codes.iter().map(|&code| {
            let label = label_of[usize::try_from(code).ok()?]?;
            labels.push(label);
            Some(labels.len() as u32 - 1)
        });
        let kept = kept.collect();
        let pairs = asked.iter().filter_map(|[c, d]| Some([position(c)?, position(d)?])).collect();
        Ok(Groups { kept, labels, names: used, pairs })
    }
}

/// Names of the asked pairs: all ordered pairs of a list of names (default: all categories), or the pairs given.
fn asked(clusters: &Value, categories: &[String]) -> Result<Vec<[String; 2]>, Fault> {
    let items: Vec<Value> = match clusters {
        Value::None => categories.iter().map(|name| Value::Text(name.clone())).collect(),
        Value::List(items) | Value::Tuple(items) => items.clone(),
        Value::Strings(strings) if strings.shape.len() == 1 => {
            strings.values.iter().map(|v| v.clone().map_or(Value::None, Value::Text)).collect()
        }
        Value::Text(text) => {
            return Err(value_error(format!(
                "Invalid cluster `'{text}'`: pass `clusters` as a list, [{text:?}, ...]"
            )));
        }
        other => {
            let found = other.type_name();
            return Err(type_error(format!(
                "`clusters` must be a list of names or pairs, got {found}"
            )));
        }
    };
    if items.is_empty() {
        return Err(value_error("`clusters` is empty, expected names or pairs of names"));
    }
    let names: Option<Vec<&str>> = items.iter().map(Value::as_text).collect();
    match names {
        Some(names) => {
            let pair = |c: &str, d: &str| [c.to_owned(), d.to_owned()];
            Ok(names.iter().flat_map(|c| names.iter().map(move |d| pair(c, d))).collect())
        }
        None => items.iter().map(pair).collect(),
    }
}

fn pair(item: &Value) -> Result<[String; 2], Fault> {
    match item {
        Value::List(pair) | Value::Tuple(pair) => match pair.as_slice() {
            [Value::Text(c), Value::Text(d)] => Ok([c.clone(), d.clone()]),
            [c, d] => Err(value_error(format!(
                "Invalid cluster: a pair of {} and {}, expected names",
                c.type_name(),
                d.type_name()
            ))),
            other => {
                let found = other.len();
                Err(value_error(format!("Expected a `tuple` of length `2`, found `{found}`.")))
            }
        },
        Value::Text(name) => {
            Err(value_error(format!("`clusters` mixes the name `{name}` with pairs")))
        }
        other => Err(type_error(format!("Expected a `Sequence`, found `{}`.", other.type_name()))),
    }
}
