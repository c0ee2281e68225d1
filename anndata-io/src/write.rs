//! From a [`Dataset`] to the tree of an HDF5 file, encoded as anndata 0.13 encodes it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use dispatch::{Buffer, Dense, Format, Frame, Index, Map, Masked, Sparse, Strings, Value};
use hdf5_pure::{AttrValue, FileBuilder, GroupBuilder};

use crate::Compression;
use crate::align;
use crate::carry::Carried;
use crate::encoding::{Encoding, SLOTS};
use crate::error::Error;
use crate::parent::Parent;
use crate::write_array::null;

/// Writes one file.
pub(crate) struct Writer<'a> {
    /// The file to be written, for messages.
    pub(crate) file: &'a Path,
    pub(crate) compression: Compression,
    /// Paths of nullable strings whose missing value is `pd.NA` rather than NaN.
    pub(crate) na: &'a BTreeSet<String>,
    /// Objects of the file that was read, to be copied as they are.
    pub(crate) carried: Carried<'a>,
}

type Done = Result<(), Error>;

/// `a/b`, or `b` at the root.
pub(crate) fn join(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") }
}

impl Writer<'_> {
    pub(crate) fn unstorable(&self, at: &str, what: impl Into<String>) -> Error {
        Error::Unstorable { file: self.file.to_owned(), at: at.to_owned(), what: what.into() }
    }

    /// The whole file.
    pub(crate) fn root(&mut self, slots: &Map) -> Result<FileBuilder, Error> {
        let mut file = FileBuilder::new();
        self.dataset(&mut file, "", slots)?;
        self.carried.check_all_written(self.file)?;
        Ok(file)
    }

    /// The slots of an AnnData object. Like anndata, writes every group even if it is empty, and
    /// numbers cells or genes that have no names.
    fn dataset(&mut self, parent: &mut dyn Parent, at: &str, slots: &Map) -> Done {
        if let Some(name) = slots.keys().find(|name| !SLOTS.contains(&name.as_str())) {
            let slots = SLOTS.join(", ");
            return Err(
                self.unstorable(&join(at, name), format!("not a slot of AnnData ({slots})"))
            );
        }
        align::check(slots).map_err(|m| {
            self.unstorable(&join(at, &m.at), format!("expected {}, got {}", m.expected, m.got))
        })?;
        let (cells, genes) = align::lengths(slots);
        parent.mark(Encoding::Anndata);
        for &name in SLOTS {
            let value = match (name, slots.get(name)) {
                (_, Some(value)) => Cow::Borrowed(value),
                ("X" | "raw", None) => continue,
                ("obs", None) => Cow::Owned(numbered(cells)),
                ("var", None) => Cow::Owned(numbered(genes)),
                (_, None) => Cow::Owned(Map::new().into()),
            };
            match (name, &*value) {
                ("X" | "raw", Value::None) => {}
                ("raw", Value::Map(raw)) => self.map(parent, at, name, Encoding::Raw, raw)?,
                _ => self.value(parent, at, name, &value)?,
            }
        }
        self.carried.put(parent, at)
    }

    /// A value under `name` in the group `at`.
    pub(crate) fn value(
        &mut self,
        parent: &mut dyn Parent,
        at: &str,
        name: &str,
        value: &Value,
    ) -> Done {
        let path = join(at, name);
        self.check_name(&path, name)?;
        match value {
            Value::None => {
                null(parent.array(name));
                Ok(())
            }
            Value::Bool(b) => self.number(parent.array(name), &path, &vec![*b].into()),
            Value::Int(i) => self.number(parent.array(name), &path, &vec![*i].into()),
            Value::Float(x) => self.number(parent.array(name), &path, &vec![*x].into()),
            Value::Text(text) => {
                let texts = self.texts(&path, [Some(text.as_str())])?;
                self.strings(parent.array(name), &[], &texts, Encoding::Text);
                Ok(())
            }
            Value::List(items) => {
                let array = list(items).ok_or_else(|| {
                    let what = "a list is stored as an array: expected all text, all bool or all \
                                numbers; use a tuple-free dict for anything else";
                    self.unstorable(&path, what)
                })?;
                self.value(parent, at, name, &array)
            }
            Value::Tuple(_) => {
                Err(self.unstorable(&path, "AnnData cannot store a tuple; use a list or a dict"))
            }
            Value::Map(map) => self.map(parent, at, name, Encoding::Dict, map),
            Value::Dense(dense) if dense.shape.is_empty() => {
                self.number(parent.array(name), &path, &dense.data)
            }
            Value::Dense(dense) => self.dense(parent.array(name), &path, dense),
            Value::Strings(strings) => self.string_array(parent, at, name, strings),
            Value::Masked(masked) => self.masked(parent, at, name, masked),
            Value::Sparse(sparse) => self.sparse(parent, at, name, sparse),
            Value::Categorical(categorical) => self.categorical(parent, at, name, categorical),
            Value::Frame(frame) => self.frame(parent, at, name, frame),
            Value::Data(data) => {
                let mut group = parent.group(name);
                self.dataset(&mut group, &path, data.root())?;
                parent.adopt(group.finish());
                Ok(())
            }
        }
    }

    /// HDF5 takes a slash for a step into a group; anndata 0.13 refuses it too.
    fn check_name(&self, path: &str, name: &str) -> Done {
        if name.is_empty() || name == "." || name.contains(['/', '\0']) {
            let what =
                format!("`{name}` cannot be a name: expected text without `/` or NUL, and not `.`");
            return Err(self.unstorable(path, what));
        }
        Ok(())
    }

    fn map(
        &mut self,
        parent: &mut dyn Parent,
        at: &str,
        name: &str,
        encoding: Encoding,
        map: &Map,
    ) -> Done {
        let path = join(at, name);
        self.group(parent, name, encoding, |writer, group| {
            for (name, value) in map {
                writer.value(group, &path, name, value)?;
            }
            writer.carried.put(group, &path)
        })
    }

    /// A marked group, filled by `fill`.
    pub(crate) fn group(
        &mut self,
        parent: &mut dyn Parent,
        name: &str,
        encoding: Encoding,
        fill: impl FnOnce(&mut Self, &mut GroupBuilder) -> Done,
    ) -> Done {
        let mut group = parent.group(name);
        group.mark(encoding);
        fill(self, &mut group)?;
        parent.adopt(group.finish());
        Ok(())
    }

    fn string_array(
        &mut self,
        parent: &mut dyn Parent,
        at: &str,
        name: &str,
        strings: &Strings,
    ) -> Done {
        let path = join(at, name);
        let missing = strings.values.iter().any(Option::is_none);
        if strings.shape.iter().product::<usize>() != strings.values.len() {
            let what = format!("{} strings for shape {:?}", strings.values.len(), strings.shape);
            return Err(self.unstorable(&path, what));
        }
        if strings.shape.len() != 1 || !(strings.nullable || missing) {
            let texts = self.texts(&path, strings.values.iter().map(Option::as_deref))?;
            let encoding =
                if strings.shape.is_empty() { Encoding::Text } else { Encoding::StringArray };
            self.strings(parent.array(name), &strings.shape, &texts, encoding);
            return Ok(());
        }
        let texts = strings.values.iter().map(|v| Some(v.as_deref().unwrap_or_default()));
        let texts = self.texts(&path, texts)?;
        let mask: Vec<bool> = strings.values.iter().map(Option::is_none).collect();
        self.group(parent, name, Encoding::NullableStringArray, |writer, group| {
            let na = if writer.na.contains(&path) { "NA" } else { "NaN" };
            group.attr("na-value", crate::parent::text(na));
            writer.strings(group.array("values"), &strings.shape, &texts, Encoding::StringArray);
            writer.dense(group.array("mask"), &path, &Dense::vector(mask))
        })
    }

    fn masked(&mut self, parent: &mut dyn Parent, at: &str, name: &str, masked: &Masked) -> Done {
        let (path, values) = (join(at, name), &masked.values);
        if values.shape != [masked.mask.len()] || values.dtype().is_float() {
            let what = format!(
                "expected integers or bools on one axis as long as the mask, got {} of shape {:?} \
                 for a mask of {}",
                values.dtype().name(),
                values.shape,
                masked.mask.len()
            );
            return Err(self.unstorable(&path, what));
        }
        let encoding = match values.data {
            Buffer::Bool(_) => Encoding::NullableBoolean,
            _ => Encoding::NullableInteger,
        };
        self.group(parent, name, encoding, |writer, group| {
            writer.dense(group.array("values"), &path, values)?;
            writer.dense(group.array("mask"), &path, &Dense::vector(masked.mask.clone()))
        })
    }

    fn sparse(&mut self, parent: &mut dyn Parent, at: &str, name: &str, sparse: &Sparse) -> Done {
        let path = join(at, name);
        sparse.validate().map_err(|what| self.unstorable(&path, what))?;
        let encoding = match sparse.format {
            Format::Csr => Encoding::Csr,
            Format::Csc => Encoding::Csc,
        };
        self.group(parent, name, encoding, |writer, group| {
            let (rows, columns) = sparse.shape;
            group.attr("shape", AttrValue::I64Array(vec![rows as i64, columns as i64]));
            writer.indices(group.array("indptr"), &path, &sparse.indptr)?;
            writer.indices(group.array("indices"), &path, &sparse.indices)?;
            writer.put(group.array("data"), &path, &[sparse.data.len()], &sparse.data)
        })
    }
}

/// A frame without columns whose rows are named `0`, `1` ...
fn numbered(rows: usize) -> Value {
    let index = Index::text((0..rows).map(|i| i.to_string()));
    Frame::new(index, Vec::<(String, Value)>::new()).into()
}

/// What `np.array(list)` makes of a flat list of one kind; `None` where AnnData could not store that.
fn list(items: &[Value]) -> Option<Value> {
    let all = |kind: fn(&Value) -> bool| items.iter().all(kind);
    if items.is_empty() {
        return Some(Dense::vector(Vec::<f64>::new()).into());
    }
    if all(|v| matches!(v, Value::Text(_))) {
        return Some(Strings::new(items.iter().filter_map(Value::as_text)).into());
    }
    let flags: Vec<bool> =
        items.iter().filter_map(|v| if let Value::Bool(b) = v { Some(*b) } else { None }).collect();
    let integers: Vec<i64> =
        items.iter().filter_map(|v| if let Value::Int(i) = v { Some(*i) } else { None }).collect();
    let floats: Vec<f64> = items.iter().filter_map(Value::as_f64).collect();
    if flags.len() == items.len() {
        Some(Dense::vector(flags).into())
    } else if integers.len() == items.len() {
        Some(Dense::vector(integers).into())
    } else if floats.len() == items.len() {
        Some(Dense::vector(floats).into())
    } else {
        None
    }
}
