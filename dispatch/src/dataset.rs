//! Named slots as in AnnData.
//!
//! A dataset is a tree with AnnData's own names at the top: `X`, `layers`, `obs`, `var`, `obsm`,
//! `varm`, `obsp`, `varp`, `uns`, `raw`. A path such as `obsp/spatial_connectivities` or
//! `obs/cluster` names one slot; under a frame the rest of the path is a column name. The same type
//! carries an answer, which holds only the slots that were written.

use crate::{Digest, Frame, Map, Value};

/// An AnnData object, or the part of one that a call wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    root: Map,
}

impl Dataset {
    /// No slots at all.
    pub fn new() -> Dataset {
        Dataset::default()
    }

    /// The slot at a path: a value, a group ([`Value::Map`]) or a column of a frame.
    ///
    /// ```
    /// use dispatch::{Dataset, Frame, Index, Value};
    /// let mut data = Dataset::new();
    /// let index = Index::text(["cell0", "cell1"]);
    /// data.set("obs", Frame::new(index, [("batch", dispatch::Strings::new(["a", "b"]).into())]).into());
    /// data.set("uns/spatial/scale", Value::Float(0.5));
    /// assert_eq!(data.get("obs/batch").and_then(Value::len), Some(2));
    /// assert_eq!(data.get("uns/spatial/scale"), Some(&Value::Float(0.5)));
    /// assert_eq!(data.get("uns/nothing"), None);
    /// ```
    pub fn get(&self, path: &str) -> Option<&Value> {
        let (first, mut rest) = split(path);
        let mut value = self.root.get(first)?;
        while let Some(path) = rest {
            match value {
                Value::Map(map) => {
                    let (name, deeper) = split(path);
                    (value, rest) = (map.get(name)?, deeper);
                }
                Value::Frame(frame) => return frame.column(path),
                _ => return None,
            }
        }
        Some(value)
    }

    /// Sets the slot at a path, making groups on the way; a column of a frame is replaced or appended.
    pub fn set(&mut self, path: &str, value: Value) {
        set(&mut self.root, path, value);
    }

    /// Removes the slot at a path (not a column of a frame) and returns it.
    pub fn remove(&mut self, path: &str) -> Option<Value> {
        match path.rsplit_once('/') {
            None => self.root.remove(path),
            Some((parent, name)) => match self.get_mut(parent)? {
                Value::Map(map) => map.remove(name),
                _ => None,
            },
        }
    }

    /// The slot at a path, to change in place; frames are reached whole, not by column.
    pub fn get_mut(&mut self, path: &str) -> Option<&mut Value> {
        let mut parts = path.split('/');
        let mut value = self.root.get_mut(parts.next()?)?;
        for name in parts {
            match value {
                Value::Map(map) => value = map.get_mut(name)?,
                _ => return None,
            }
        }
        Some(value)
    }

    /// Every slot that is not a group, with its path, in the order of the paths.
    pub fn leaves(&self) -> Vec<(String, &Value)> {
        let mut out = Vec::new();
        leaves("", &self.root, &mut out);
        out
    }

    /// Whether there is no slot.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// The frame at a path, or `None`.
    pub fn frame(&self, path: &str) -> Option<&Frame> {
        match self.get(path) {
            Some(Value::Frame(frame)) => Some(frame),
            _ => None,
        }
    }

    /// Number of cells: the rows of `obs`, else of `X`.
    pub fn n_obs(&self) -> usize {
        let from = |path| self.get(path).and_then(Value::len);
        from("obs").or_else(|| from("X")).unwrap_or(0)
    }

    /// Number of genes: the rows of `var`, else the columns of `X`.
    pub fn n_vars(&self) -> usize {
        let columns = || match self.get("X") {
            Some(Value::Dense(d)) => d.shape.get(1).copied(),
            Some(Value::Sparse(s)) => Some(s.shape.1),
            _ => None,
        };
        self.get("var").and_then(Value::len).or_else(columns).unwrap_or(0)
    }

    /// Gene names: the index of `var`.
    pub fn var_names(&self) -> Vec<String> {
        self.frame("var").map(|f| f.index.labels()).unwrap_or_default()
    }

    /// Cell names: the index of `obs`.
    pub fn obs_names(&self) -> Vec<String> {
        self.frame("obs").map(|f| f.index.labels()).unwrap_or_default()
    }

    /// The dataset restricted to some cells and genes (`None`: all), in the given orders, as
    /// `adata[cells, genes]` does: every aligned slot follows, `raw` keeps all its genes, `uns` stays.
    pub fn subset(&self, cells: Option<&[usize]>, genes: Option<&[usize]>) -> Dataset {
        let rows = |value: &Value, at: Option<&[usize]>| match at {
            Some(at) => value.take_rows(at),
            None => value.clone(),
        };
        let columns = |value: Value, at: Option<&[usize]>| match at {
            Some(at) => value.take_columns(at),
            None => value,
        };
        let each = |group: &Value, f: &dyn Fn(&Value) -> Value| match group {
            Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), f(v))).collect()),
            other => other.clone(),
        };
        let mut root = Map::new();
        for (name, value) in &self.root {
            let subset = match name.as_str() {
                "X" => columns(rows(value, cells), genes),
                "layers" => each(value, &|v| columns(rows(v, cells), genes)),
                "obs" => rows(value, cells),
                "obsm" => each(value, &|v| rows(v, cells)),
                "obsp" => each(value, &|v| columns(rows(v, cells), cells)),
                "var" => rows(value, genes),
                "varm" => each(value, &|v| rows(v, genes)),
                "varp" => each(value, &|v| columns(rows(v, genes), genes)),
                "raw" => match value {
                    Value::Map(raw) => {
                        let mut raw = raw.clone();
                        if let Some(x) = raw.get_mut("X") {
                            *x = rows(x, cells);
                        }
                        Value::Map(raw)
                    }
                    other => other.clone(),
                },
                _ => value.clone(),
            };
            root.insert(name.clone(), subset);
        }
        Dataset { root }
    }

    /// SHA-256 over names, dtypes, shapes, orders and bytes of all slots.
    pub fn digest(&self) -> Digest {
        Digest::of_map(&self.root)
    }

    /// The tree itself.
    pub fn root(&self) -> &Map {
        &self.root
    }
}

impl From<Map> for Dataset {
    fn from(root: Map) -> Dataset {
        Dataset { root }
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    }
}

fn set(map: &mut Map, path: &str, value: Value) {
    match split(path) {
        (name, None) => {
            map.insert(name.to_owned(), value);
        }
        (name, Some(rest)) => {
            match map.entry(name.to_owned()).or_insert_with(|| Value::Map(Map::new())) {
                Value::Map(group) => set(group, rest, value),
                Value::Frame(frame) => frame.set_column(rest, value),
                other => {
                    *other = Value::Map(Map::new());
                    set(map, path, value);
                }
            }
        }
    }
}

fn leaves<'a>(prefix: &str, map: &'a Map, out: &mut Vec<(String, &'a Value)>) {
    for (name, value) in map {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        match value {
            Value::Map(inner) => leaves(&path, inner, out),
            _ => out.push((path, value)),
        }
    }
}
