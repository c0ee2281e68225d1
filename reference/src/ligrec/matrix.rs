//! Genes of the expression matrix, by name and as columns.

use std::collections::HashMap;

use dispatch::{Dataset, Dense, Fault, Format, Frame, Index, Sparse, Value};

use crate::args::{key_error, value_error};

/// The values of one gene over some cells; cells that are not listed have 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Column {
    /// Cells with a value, ascending.
    pub cells: Vec<u32>,
    /// Their values: not 0, not NaN.
    pub values: Vec<f64>,
}

/// A matrix of cells by genes and the names of its genes.
pub(crate) struct Source<'a> {
    x: &'a Value,
    names: Vec<Option<String>>,
    /// Position of each name; the first, where names occur twice.
    positions: HashMap<String, usize>,
}

impl<'a> Source<'a> {
    /// `raw` or `X` with upper-case gene names from the index of `var`, or from a column of it.
    pub(crate) fn read(
        data: &'a Dataset,
        use_raw: bool,
        symbols: Option<&str>,
    ) -> Result<Source<'a>, Fault> {
        let (x, var, place) = match use_raw {
            true => (data.get("raw/X"), data.frame("raw/var"), "adata.raw"),
            false => (data.get("X"), data.frame("var"), "adata"),
        };
        let (Some(x), Some(var)) = (x, var) else {
            let hint = match use_raw {
                true => "No `.raw` attribute found. Try specifying `use_raw=False`.",
                false => "`adata` has no X with gene names",
            };
            return Err(Fault::rejected("AttributeError", hint));
        };
        check_matrix(x, (data.n_obs(), var.index.len()), place)?;
        let names = match symbols {
            None => index_names(&var.index)?,
            Some(key) => texts(var.column(key).ok_or_else(|| {
                key_error(format!("Unable to find gene symbols in `{place}.var[{key:?}]`."))
            })?)?,
        };
        let names: Vec<Option<String>> =
            names.into_iter().map(|name| name.map(|name| name.to_uppercase())).collect();
        let mut positions = HashMap::with_capacity(names.len());
        for (gene, name) in names.iter().enumerate() {
            if let Some(name) = name {
                positions.entry(name.clone()).or_insert(gene);
            }
        }
        Ok(Source { x, names, positions })
    }

    /// Number of cells.
    pub(crate) fn cells(&self) -> usize {
        self.x.len().unwrap_or(0)
    }

    /// The position of a gene.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.positions.get(name).copied()
    }

    /// The name of the gene at a position.
    pub(crate) fn name(&self, gene: usize) -> String {
        self.names[gene].clone().unwrap_or_default()
    }

    /// Columns of the given genes over the cells for which `kept` gives a new position (ascending).
    pub(crate) fn columns(
        &self,
        genes: &[usize],
        kept: impl Fn(usize) -> Option<u32>,
    ) -> Vec<Column> {
        let mut columns = match self.x {
            Value::Dense(dense) => dense_columns(dense, genes, kept),
            Value::Sparse(sparse) => sparse_columns(sparse, genes, kept),
            _ => Vec::new(),
        };
        columns.iter_mut().for_each(tidy);
        columns
    }
}

/// Sorts the cells, adds up duplicates, drops zeros and NaN.
fn tidy(column: &mut Column) {
    if !column.cells.is_sorted_by(|a, b| a < b) {
        let mut entries: Vec<(u32, f64)> =
            column.cells.iter().copied().zip(column.values.iter().copied()).collect();
        entries.sort_by_key(|entry| entry.0);
        entries.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
        (column.cells, column.values) = entries.into_iter().unzip();
    }
    if column.values.iter().any(|v| *v == 0.0 || v.is_nan()) {
        let mut entries = column.cells.iter().zip(&column.values);
        let entries = entries.by_ref().filter(|(_, v)| **v != 0.0 && !v.is_nan());
        (column.cells, column.values) = entries.map(|(cell, v)| (*cell, *v)).unzip();
    }
}

fn dense_columns(
    dense: &Dense,
    genes: &[usize],
    kept: impl Fn(usize) -> Option<u32>,
) -> Vec<Column> {
    let mut columns = vec![Column::default(); genes.len()];
    for row in 0..dense.shape[0] {
        let Some(cell) = kept(row) else { continue };
        for (&gene, column) in genes.iter().zip(&mut columns) {
            let value = dense.data.f64_at(dense.flat(row, gene)).unwrap_or(0.0);
            if value != 0.0 {
                column.cells.push(cell);
                column.values.push(value);
            }
        }
    }
    columns
}

fn sparse_columns(
    sparse: &Sparse,
    genes: &[usize],
    kept: impl Fn(usize) -> Option<u32>,
) -> Vec<Column> {
    let mut columns = vec![Column::default(); genes.len()];
    let mut push = |column: usize, cell: u32, value: f64| {
        columns[column].cells.push(cell);
        columns[column].values.push(value);
    };
    match sparse.format {
        Format::Csr => {
            let mut wanted = vec![usize::MAX; sparse.shape.1];
            genes.iter().enumerate().for_each(|(column, &gene)| wanted[gene] = column);
            for row in 0..sparse.shape.0 {
                let Some(cell) = kept(row) else { continue };
                for (gene, value) in
                    sparse.lane(row).filter(|(gene, _)| wanted[*gene] < genes.len())
                {
                    push(wanted[gene], cell, value);
                }
            }
        }
        Format::Csc => {
            for (column, &gene) in genes.iter().enumerate() {
                for (row, value) in sparse.lane(gene) {
                    if let Some(cell) = kept(row) {
                        push(column, cell, value);
                    }
                }
            }
        }
    }
    columns
}

fn check_matrix(x: &Value, expected: (usize, usize), place: &str) -> Result<(), Fault> {
    let shape = match x {
        Value::Dense(dense) => match dense.shape.as_slice() {
            &[cells, genes] => (cells, genes),
            other => {
                return Err(value_error(format!("`{place}.X` has shape {other:?}, not a matrix")));
            }
        },
        Value::Sparse(sparse) => {
            sparse.validate().map_err(|why| value_error(format!("`{place}.X`: {why}")))?;
            sparse.shape
        }
        other => {
            let found = other.type_name();
            return Err(value_error(format!("`{place}.X` is {found}, expected a matrix")));
        }
    };
    if shape != expected {
        return Err(value_error(format!(
            "`{place}.X` has shape {shape:?}, expected {expected:?} by cells and genes"
        )));
    }
    Ok(())
}

fn index_names(index: &Index) -> Result<Vec<Option<String>>, Fault> {
    match index.levels.as_slice() {
        [level] => texts(level),
        levels => Err(value_error(format!("gene names have {} levels, expected 1", levels.len()))),
    }
}

/// The entries of a column of text; `None` where one is missing or, in a list, no text.
pub(crate) fn texts(values: &Value) -> Result<Vec<Option<String>>, Fault> {
    match values {
        Value::Strings(strings) => Ok(strings.values.clone()),
        Value::Categorical(column) => {
            let categories = texts(&column.categories)?;
            let text =
                |code: &i32| usize::try_from(*code).ok().and_then(|c| categories.get(c)?.clone());
            Ok(column.codes.iter().map(text).collect())
        }
        Value::List(items) | Value::Tuple(items) => {
            Ok(items.iter().map(|item| item.as_text().map(str::to_owned)).collect())
        }
        other => Err(Fault::rejected(
            "AttributeError",
            format!("Can only use .str accessor with string values, found {}", other.type_name()),
        )),
    }
}

/// The columns of a frame other than `source` and `target`, sorted by name, at the given rows.
pub(crate) fn other_columns(frame: &Frame, rows: &[usize], index: Index) -> Frame {
    let mut columns: Vec<(String, &Value)> = frame
        .column_names()
        .into_iter()
        .zip(&frame.columns)
        .filter(|(name, _)| name != "source" && name != "target")
        .collect();
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    Frame::new(index, columns.into_iter().map(|(name, column)| (name, column.take_rows(rows))))
}
