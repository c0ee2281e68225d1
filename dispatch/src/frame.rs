//! Data frames and their labels.

use crate::{Strings, Value, value::text_of};

/// The labels of one axis of a frame: one level, or several for a pandas `MultiIndex`.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The name of each level.
    pub names: Vec<Option<String>>,
    /// The levels, one-dimensional arrays of equal length.
    pub levels: Vec<Value>,
}

impl Index {
    /// A one-level index of text labels without a name.
    pub fn text<S: Into<String>>(labels: impl IntoIterator<Item = S>) -> Index {
        Index { names: vec![None], levels: vec![Strings::new(labels).into()] }
    }

    /// Number of labels.
    pub fn len(&self) -> usize {
        self.levels.first().and_then(Value::len).unwrap_or(0)
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One line per label; the levels of a `MultiIndex` are joined by ` | `.
    pub fn labels(&self) -> Vec<String> {
        let levels: Vec<Vec<String>> = self.levels.iter().map(text_of).collect();
        match levels.as_slice() {
            [only] => only.clone(),
            several => (0..self.len())
                .map(|i| {
                    several.iter().map(|level| level[i].as_str()).collect::<Vec<_>>().join(" | ")
                })
                .collect(),
        }
    }

    fn take(&self, positions: &[usize]) -> Index {
        let levels = self.levels.iter().map(|level| level.take_rows(positions)).collect();
        Index { names: self.names.clone(), levels }
    }
}

/// A data frame: row labels, column labels, and one array per column.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Row labels.
    pub index: Index,
    /// Column labels, in order.
    pub column_index: Index,
    /// The columns, each as long as `index`.
    pub columns: Vec<Value>,
}

impl Frame {
    /// A frame with plain text column names.
    pub fn new<S: Into<String>>(
        index: Index,
        columns: impl IntoIterator<Item = (S, Value)>,
    ) -> Frame {
        let (names, columns): (Vec<String>, Vec<Value>) =
            columns.into_iter().map(|(name, column)| (name.into(), column)).unzip();
        Frame { index, column_index: Index::text(names), columns }
    }

    /// The column names, one line each.
    pub fn column_names(&self) -> Vec<String> {
        self.column_index.labels()
    }

    /// The column of a name, or `None`; the first if the name occurs twice.
    pub fn column(&self, name: &str) -> Option<&Value> {
        let at = match self.column_index.levels.as_slice() {
            // The usual case, without building a list of names.
            [Value::Strings(s)] => s.values.iter().position(|v| v.as_deref() == Some(name)),
            _ => self.column_names().iter().position(|n| n == name),
        };
        at.and_then(|i| self.columns.get(i))
    }

    /// Replaces the column of a name, or appends it to a frame whose column names are text.
    pub fn set_column(&mut self, name: &str, column: Value) {
        if let Some(i) = self.column_names().iter().position(|n| n == name) {
            self.columns[i] = column;
        } else if let [Value::Strings(names)] = self.column_index.levels.as_mut_slice() {
            names.values.push(Some(name.to_owned()));
            names.shape = vec![names.values.len()];
            self.columns.push(column);
        }
    }

    /// The rows at `positions`, in that order.
    pub fn take_rows(&self, positions: &[usize]) -> Frame {
        Frame {
            index: self.index.take(positions),
            column_index: self.column_index.clone(),
            columns: self.columns.iter().map(|c| c.take_rows(positions)).collect(),
        }
    }
}
