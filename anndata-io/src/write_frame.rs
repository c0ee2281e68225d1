//! Frames and categoricals, as anndata 0.13 writes them.

use dispatch::{Buffer, Categorical, Dense, Frame, Value};
use hdf5_pure::AttrValue;

use crate::encoding::Encoding;
use crate::error::Error;
use crate::parent::{Parent, text};
use crate::read_frame::NAMELESS;
use crate::write::{Writer, join};

type Done = Result<(), Error>;

impl Writer<'_> {
    /// A frame. As in anndata, the name of the *column* axis is not stored.
    pub(crate) fn frame(
        &mut self,
        parent: &mut dyn Parent,
        at: &str,
        name: &str,
        frame: &Frame,
    ) -> Done {
        let path = join(at, name);
        let names = self.column_names(&path, frame)?;
        let (index_name, index) = self.index(&path, frame)?;
        let mut members: Vec<(&str, &Value)> =
            names.iter().map(String::as_str).zip(&frame.columns).collect();
        match members.iter().find(|(name, _)| *name == index_name) {
            None => members.push((index_name, index)),
            Some((_, column)) if *column == index => {}
            Some(_) => {
                let what = format!("index and a column are both named `{index_name}` but differ");
                return Err(self.unstorable(&path, what));
            }
        }
        let order = self.carried.column_order(&path, names.clone());
        self.group(parent, name, Encoding::Frame, |writer, group| {
            group.attr("_index", text(index_name));
            group.attr("column-order", AttrValue::VarLenStringArray(order));
            for (name, value) in members {
                writer.value(group, &path, name, value)?;
            }
            writer.carried.put(group, &path)
        })
    }

    /// Names of the columns: text, each once.
    fn column_names(&self, path: &str, frame: &Frame) -> Result<Vec<String>, Error> {
        let [Value::Strings(labels)] = frame.column_index.levels.as_slice() else {
            let what = "expected column names that are text on one level; AnnData stores no others";
            return Err(self.unstorable(path, what));
        };
        let names = self.texts(path, labels.values.iter().map(Option::as_deref))?;
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.unstorable(path, format!("two columns are named `{}`", pair[0])));
        }
        if names.len() != frame.columns.len() {
            let what = format!("{} names for {} columns", names.len(), frame.columns.len());
            return Err(self.unstorable(path, what));
        }
        if names.contains(&NAMELESS) {
            return Err(self.unstorable(path, "`_index` is reserved for the index"));
        }
        let rows = |column: &Value| match column {
            Value::Dense(d) if d.shape.len() == 1 => Some(d.data.len()),
            Value::Strings(s) if s.shape.len() == 1 => Some(s.values.len()),
            Value::Masked(m) => Some(m.mask.len()),
            Value::Categorical(c) => Some(c.codes.len()),
            _ => None,
        };
        let wrong = |column: &&Value| rows(column) != Some(frame.index.len());
        if let Some((name, column)) = names.iter().zip(&frame.columns).find(|(_, c)| wrong(c)) {
            let (kind, rows) = (column.type_name(), frame.index.len());
            let what =
                format!("expected {rows} rows on one axis, got {kind} of {:?}", column.len());
            return Err(self.unstorable(&join(path, name), what));
        }
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    fn index<'f>(&self, path: &str, frame: &'f Frame) -> Result<(&'f str, &'f Value), Error> {
        match (frame.index.names.as_slice(), frame.index.levels.as_slice()) {
            ([name], [level]) => Ok((name.as_deref().unwrap_or(NAMELESS), level)),
            (_, levels) => {
                let n = levels.len();
                let what = format!(
                    "expected an index of one level, got {n}; AnnData stores no MultiIndex"
                );
                Err(self.unstorable(path, what))
            }
        }
    }

    /// A categorical, with the smallest codes that pandas would use.
    pub(crate) fn categorical(
        &mut self,
        parent: &mut dyn Parent,
        at: &str,
        name: &str,
        categorical: &Categorical,
    ) -> Done {
        let path = join(at, name);
        let count = match &*categorical.categories {
            Value::Strings(s) if s.shape.len() == 1 && s.values.iter().all(Option::is_some) => {
                s.values.len()
            }
            Value::Dense(d) if d.shape.len() == 1 => d.data.len(),
            other => {
                let what = format!(
                    "expected categories on one axis, text without gaps or numbers, got {}",
                    other.type_name()
                );
                return Err(self.unstorable(&path, what));
            }
        };
        let in_range = |c: i32| c == -1 || usize::try_from(c).is_ok_and(|c| c < count);
        if let Some(code) = categorical.codes.iter().find(|&&c| !in_range(c)) {
            return Err(self.unstorable(&path, format!("code {code} for {count} categories")));
        }
        self.group(parent, name, Encoding::Categorical, |writer, group| {
            // h5py stores a bool here; anndata takes any number.
            group.attr("ordered", AttrValue::I8(i8::from(categorical.ordered)));
            let codes = Dense::vector(narrow(&categorical.codes, count));
            writer.dense(group.array("codes"), &path, &codes)?;
            writer.value(group, &path, "categories", &categorical.categories)
        })
    }
}

/// Codes in the dtype of pandas' `coerce_indexer_dtype`. All codes are below `count`.
fn narrow(codes: &[i32], count: usize) -> Buffer {
    if count < i8::MAX as usize {
        Buffer::I8(codes.iter().map(|&c| c as i8).collect())
    } else if count < i16::MAX as usize {
        Buffer::I16(codes.iter().map(|&c| c as i16).collect())
    } else {
        Buffer::I32(codes.to_vec())
    }
}
