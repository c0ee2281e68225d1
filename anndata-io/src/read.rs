//! From the tree of an HDF5 file to a [`Dataset`].
//!
//! What the file does not say correctly is an error. What it says correctly but [`Value`] cannot
//! hold (a record array, a complex number) is left out and listed as unread.

use std::collections::BTreeSet;

use dispatch::{Buffer, Dataset, Dense, Format, Indices, Map, Masked, Sparse, Strings, Value};
use hdf5_pure::AttrValue;

use crate::Unread;
use crate::align;
use crate::encoding::{Encoding, SLOTS};
use crate::error::{Error, Stop};
use crate::node::{Node, Object};

/// Reads one file and remembers what it could not read.
pub(crate) struct Reader {
    pub(crate) unread: Vec<Unread>,
    /// Paths of nullable strings whose missing value is `pd.NA` rather than NaN.
    pub(crate) na: BTreeSet<String>,
    /// How many more objects the file can hold; a loop of links would go on for ever.
    objects_left: u64,
}

impl Reader {
    /// A reader for a file of `bytes` bytes.
    pub(crate) fn new(bytes: u64) -> Reader {
        // The header of an object takes at least 32 bytes; the rest is for objects linked twice.
        Reader { unread: Vec::new(), na: BTreeSet::new(), objects_left: bytes / 32 + 1000 }
    }

    /// The slots of an AnnData object: the root, or a group in `uns` that holds another one.
    pub(crate) fn dataset(&mut self, node: &Node) -> Result<Dataset, Error> {
        let mut slots = Map::new();
        for (name, child) in node.children()? {
            let legacy = name.strip_prefix("raw.").filter(|n| matches!(*n, "X" | "var" | "varm"));
            if legacy.is_none() && !SLOTS.contains(&name.as_str()) {
                self.skip(child.at, "not a slot of AnnData".to_owned(), None);
                continue;
            }
            match (self.attempt(&child.at, None, |reader| reader.value(&child))?, legacy) {
                // `raw` is null where there is none.
                (None | Some(Value::None), _) => {}
                (Some(value), None) => drop(slots.insert(name, value)),
                (Some(value), Some(part)) => {
                    let raw = slots.entry("raw".to_owned()).or_insert_with(|| Map::new().into());
                    if let Value::Map(raw) = raw {
                        raw.insert(part.to_owned(), value);
                    }
                }
            }
        }
        // Files of other writers lack groups that would be empty; anndata's object has them all.
        for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
            slots.entry(name.to_owned()).or_insert_with(|| Map::new().into());
        }
        for name in ["obs", "var"] {
            if !slots.contains_key(name) {
                let got = self.reason(node, name).unwrap_or_else(|| "nothing".to_owned());
                return Err(node.unexpected(format!("a frame `{name}`"), got));
            }
        }
        align::check(&slots).map_err(|misfit| {
            let at =
                if node.at.is_empty() { misfit.at } else { format!("{}/{}", node.at, misfit.at) };
            let (file, expected, got) = (node.source.path.clone(), misfit.expected, misfit.got);
            Error::Unexpected { file, at, expected, got }
        })?;
        Ok(Dataset::from(slots))
    }

    fn reason(&self, node: &Node, name: &str) -> Option<String> {
        let at = if node.at.is_empty() { name.to_owned() } else { format!("{}/{name}", node.at) };
        self.unread.iter().find(|u| u.path == at).map(|u| u.why.clone())
    }

    /// What `read` returns, or `None` when it met something unknown and `at` was listed as unread.
    pub(crate) fn attempt(
        &mut self,
        at: &str,
        column: Option<usize>,
        read: impl FnOnce(&mut Reader) -> Result<Value, Stop>,
    ) -> Result<Option<Value>, Error> {
        let listed = self.unread.len();
        match read(self) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Broken(error)) => Err(error),
            Err(Stop::Unknown(why)) => {
                // The whole object is unread, not just the parts met so far.
                self.unread.truncate(listed);
                self.skip(at.to_owned(), why, column);
                Ok(None)
            }
        }
    }

    pub(crate) fn skip(&mut self, path: String, why: String, column: Option<usize>) {
        self.unread.push(Unread { path, why, column });
    }

    /// The value of an object of any encoding.
    pub(crate) fn value(&mut self, node: &Node) -> Result<Value, Stop> {
        self.objects_left = self
            .objects_left
            .checked_sub(1)
            .ok_or_else(|| node.damaged("more objects than the file has room for"))?;
        match node.encoding()? {
            Encoding::Anndata => Ok(Value::Data(std::sync::Arc::new(self.dataset(node)?))),
            Encoding::Raw | Encoding::Dict => Ok(self.map(node)?.into()),
            Encoding::Array => array(node),
            Encoding::StringArray => strings(node),
            Encoding::NumericScalar => scalar(node),
            Encoding::Text => text(node),
            Encoding::Null => Ok(Value::None),
            Encoding::NullableStringArray => self.nullable_strings(node),
            Encoding::NullableInteger | Encoding::NullableBoolean => masked(node),
            Encoding::Csr => sparse(node, Format::Csr, "shape"),
            Encoding::Csc => sparse(node, Format::Csc, "shape"),
            Encoding::Frame => self.frame(node, false),
            Encoding::OldFrame => self.frame(node, true),
            Encoding::Categorical => self.categorical(node),
            Encoding::Unmarked => self.unmarked(node),
        }
    }

    fn map(&mut self, node: &Node) -> Result<Map, Error> {
        let mut map = Map::new();
        for (name, child) in node.children()? {
            if let Some(value) = self.attempt(&child.at, None, |reader| reader.value(&child))? {
                map.insert(name, value);
            }
        }
        for path in node.named_types()? {
            self.skip(path, "a named datatype".to_owned(), None);
        }
        Ok(map)
    }

    /// An object written before AnnData 0.7, which marked sparse matrices only.
    fn unmarked(&mut self, node: &Node) -> Result<Value, Stop> {
        if let Some(format) = node.attrs.get("h5sparse_format").and_then(AttrValue::as_str) {
            return match format {
                "csr" => sparse(node, Format::Csr, "h5sparse_shape"),
                "csc" => sparse(node, Format::Csc, "h5sparse_shape"),
                other => Err(Stop::Unknown(format!("sparse format `{other}`"))),
            };
        }
        match &node.object {
            Object::Group(_) => Ok(self.map(node)?.into()),
            Object::Array(_) if node.holds_text()? => match node.shape()?.as_slice() {
                [] => text(node),
                _ => strings(node),
            },
            Object::Array(_) => array(node),
        }
    }

    fn nullable_strings(&mut self, node: &Node) -> Result<Value, Stop> {
        let values = node.child("values")?;
        let (shape, strings) = (values.shape()?, values.strings()?);
        let mask = mask(node, strings.len())?;
        if node.attrs.get("na-value").and_then(AttrValue::as_str) != Some("NaN") {
            self.na.insert(node.at.clone());
        }
        let values = strings.into_iter().zip(mask).map(|(s, gone)| (!gone).then_some(s)).collect();
        Ok(Strings { shape, values, nullable: true }.into())
    }
}

fn array(node: &Node) -> Result<Value, Stop> {
    let (shape, data) = (node.shape()?, node.buffer()?);
    if shape.is_empty() {
        return Ok(number(data));
    }
    Ok(Dense::new(shape, data).into())
}

fn strings(node: &Node) -> Result<Value, Stop> {
    let (shape, strings) = (node.shape()?, node.strings()?);
    let values = strings.into_iter().map(Some).collect();
    Ok(Strings { shape, values, nullable: false }.into())
}

fn scalar(node: &Node) -> Result<Value, Stop> {
    let (shape, data) = (node.shape()?, node.buffer()?);
    if !shape.is_empty() {
        return Err(node.unexpected("a scalar", format!("an array of shape {shape:?}")).into());
    }
    Ok(number(data))
}

/// A scalar as AnnData hands it out: a Python number, whatever dtype was stored. An unsigned number
/// that no [`Value::Int`] can hold keeps its dtype.
fn number(data: Buffer) -> Value {
    let integer = |x: f64| Value::Int(x as i64);
    match &data {
        Buffer::Bool(v) => Value::Bool(v.first().copied().unwrap_or_default()),
        Buffer::I64(v) => Value::Int(v.first().copied().unwrap_or_default()),
        Buffer::U64(v) => match i64::try_from(v.first().copied().unwrap_or_default()) {
            Ok(i) => Value::Int(i),
            Err(_) => Dense::new(vec![], data).into(),
        },
        _ => {
            let x = data.f64_at(0).unwrap_or(f64::NAN);
            if data.dtype().is_float() { Value::Float(x) } else { integer(x) }
        }
    }
}

fn text(node: &Node) -> Result<Value, Stop> {
    let (shape, mut strings) = (node.shape()?, node.strings()?);
    match (shape.as_slice(), strings.pop()) {
        ([], Some(text)) => Ok(text.into()),
        _ => Err(node.unexpected("one string", format!("an array of shape {shape:?}")).into()),
    }
}

/// The mask of a nullable array; AnnData 0.7 left it out where nothing was missing.
fn mask(node: &Node, len: usize) -> Result<Vec<bool>, Stop> {
    let Some(child) = node.find("mask")? else { return Ok(vec![false; len]) };
    match child.buffer()? {
        Buffer::Bool(mask) if mask.len() == len => Ok(mask),
        other => {
            let got = format!("{} of {}", other.len(), other.dtype().name());
            Err(child.unexpected(format!("{len} of bool"), got).into())
        }
    }
}

fn masked(node: &Node) -> Result<Value, Stop> {
    let child = node.child("values")?;
    let (shape, data) = (child.shape()?, child.buffer()?);
    if shape.len() != 1 || data.dtype().is_float() {
        let got = format!("shape {shape:?} of {}", data.dtype().name());
        return Err(child.unexpected("one axis of integers or bools", got).into());
    }
    let mask = mask(node, data.len())?;
    Ok(Masked { values: Dense::new(shape, data), mask }.into())
}

fn sparse(node: &Node, format: Format, shape_attr: &str) -> Result<Value, Stop> {
    let lengths = node.attrs.get(shape_attr).and_then(AttrValue::to_i64s).unwrap_or_default();
    let shape = match lengths.iter().map(|&n| usize::try_from(n)).collect::<Result<Vec<_>, _>>() {
        Ok(shape) if shape.len() == 2 => (shape[0], shape[1]),
        _ => {
            let got = format!("{} {lengths:?}", node.attr_kind(shape_attr));
            return Err(node
                .unexpected(format!("attribute `{shape_attr}` of two lengths"), got)
                .into());
        }
    };
    let part = |name: &str| node.child(name).map_err(Stop::from)?.buffer();
    let (indptr, indices) = (indices(node, "indptr")?, indices(node, "indices")?);
    let sparse = Sparse { format, shape, indptr, indices, data: part("data")? };
    sparse.validate().map_err(|what| node.damaged(what))?;
    Ok(sparse.into())
}

/// An index array as scipy holds it: of 32 bits where the stored type fits in them, else of 64.
fn indices(node: &Node, name: &str) -> Result<Indices, Stop> {
    let child = node.child(name)?;
    let wide = |values: Vec<i32>| Indices::I32(values);
    Ok(match child.buffer()? {
        Buffer::I32(v) => Indices::I32(v),
        Buffer::I64(v) => Indices::I64(v),
        Buffer::I8(v) => wide(v.into_iter().map(i32::from).collect()),
        Buffer::I16(v) => wide(v.into_iter().map(i32::from).collect()),
        Buffer::U8(v) => wide(v.into_iter().map(i32::from).collect()),
        Buffer::U16(v) => wide(v.into_iter().map(i32::from).collect()),
        Buffer::U32(v) => Indices::I64(v.into_iter().map(i64::from).collect()),
        Buffer::U64(v) => Indices::I64(
            v.into_iter()
                .map(|i| i64::try_from(i).map_err(|_| child.damaged(format!("index {i}"))))
                .collect::<Result<_, _>>()?,
        ),
        other => return Err(child.unexpected("integers", other.dtype().name()).into()),
    })
}

/// Reads the root group.
pub(crate) fn root(node: &Node) -> Result<(Dataset, Reader), Error> {
    let mut reader = Reader::new(node.source.bytes.len());
    match node.encoding() {
        Ok(Encoding::Anndata | Encoding::Unmarked) => {}
        Ok(other) => return Err(node.unexpected("encoding `anndata`", other.marks().0)),
        Err(Stop::Unknown(got)) => return Err(node.unexpected("encoding `anndata` 0.1.0", got)),
        Err(Stop::Broken(error)) => return Err(error),
    }
    let data = reader.dataset(node)?;
    Ok((data, reader))
}
