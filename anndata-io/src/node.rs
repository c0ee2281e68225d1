//! One object of an open HDF5 file, as the reader sees it.
//!
//! This is the only reading module that knows `hdf5-pure`. It turns its errors into ours, with file
//! and path, and refuses what a damaged file might claim before memory is set aside for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use dispatch::Buffer;
use half::f16;
use hdf5_pure::{AttrValue, Dataset, Datatype, DatatypeByteOrder, Group};

use crate::encoding::Encoding;
use crate::error::{Error, Stop};

/// The file that a node belongs to.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    /// Size of the file.
    pub(crate) bytes: u64,
}

pub(crate) enum Object {
    Group(Group),
    Array(Dataset),
}

/// A group or an array, with its attributes.
pub(crate) struct Node {
    pub(crate) source: Rc<Source>,
    /// Path inside the file, without a leading slash; empty for the root.
    pub(crate) at: String,
    pub(crate) object: Object,
    pub(crate) attrs: BTreeMap<String, AttrValue>,
}

/// Groups deeper than this are taken for a loop of links. anndata nests at most a handful.
const DEEPEST: usize = 64;

impl Node {
    /// The root group of a file that was read into memory.
    pub(crate) fn root(path: PathBuf, bytes: Vec<u8>) -> Result<Node, Error> {
        let source = Rc::new(Source { path, bytes: bytes.len() as u64 });
        let file = hdf5_pure::File::from_bytes(bytes)
            .map_err(|e| Error::NotHdf5 { file: source.path.clone(), got: e.to_string() })?;
        Node::new(source, String::new(), Object::Group(file.root()))
    }

    fn new(source: Rc<Source>, at: String, object: Object) -> Result<Node, Error> {
        let attrs = match &object {
            Object::Group(group) => group.attrs(),
            Object::Array(array) => array.attrs(),
        };
        match attrs {
            Ok(attrs) => Ok(Node { source, at, object, attrs: attrs.into_iter().collect() }),
            Err(e) => Err(damaged(&source, &at, e)),
        }
    }

    pub(crate) fn damaged(&self, what: impl ToString) -> Error {
        damaged(&self.source, &self.at, what)
    }

    pub(crate) fn unexpected(&self, expected: impl Into<String>, got: impl Into<String>) -> Error {
        let (file, at) = (self.source.path.clone(), display(&self.at));
        Error::Unexpected { file, at, expected: expected.into(), got: got.into() }
    }

    /// How the object says it is encoded.
    pub(crate) fn encoding(&self) -> Result<Encoding, Stop> {
        let mark = |name: &str| self.attrs.get(name).and_then(AttrValue::as_str).unwrap_or("");
        let (name, version) = (mark("encoding-type"), mark("encoding-version"));
        Encoding::from_marks(name, version)
            .ok_or_else(|| Stop::Unknown(format!("encoding `{name}` {version}").trim().to_owned()))
    }

    /// The text of an attribute.
    pub(crate) fn text_attr(&self, name: &str) -> Result<&str, Error> {
        self.attrs.get(name).and_then(AttrValue::as_str).ok_or_else(|| {
            self.unexpected(format!("attribute `{name}` with text"), self.attr_kind(name))
        })
    }

    /// What stands in an attribute, for messages.
    pub(crate) fn attr_kind(&self, name: &str) -> String {
        self.attrs.get(name).map_or_else(|| "none".to_owned(), |a| a.type_name().to_owned())
    }

    fn group(&self) -> Result<&Group, Error> {
        match &self.object {
            Object::Group(group) => Ok(group),
            Object::Array(_) => Err(self.unexpected("a group", "an array")),
        }
    }

    fn array(&self) -> Result<&Dataset, Error> {
        match &self.object {
            Object::Array(array) => Ok(array),
            Object::Group(_) => Err(self.unexpected("an array", "a group")),
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}/{name}", self.at) }
    }

    /// The members of a group, by name.
    pub(crate) fn children(&self) -> Result<Vec<(String, Node)>, Error> {
        let group = self.group()?;
        if self.at.split('/').count() > DEEPEST {
            return Err(self.damaged(format!("groups nested more than {DEEPEST} deep")));
        }
        let mut out = Vec::new();
        for (name, child) in group.iter_groups().map_err(|e| self.damaged(e))? {
            out.push((name, Object::Group(child)));
        }
        for (name, child) in group.iter_datasets().map_err(|e| self.damaged(e))? {
            out.push((name, Object::Array(child)));
        }
        out.sort_by(|a, b| a.0.cmp(&b.0));
        out.into_iter()
            .map(|(name, object)| {
                let node = Node::new(Rc::clone(&self.source), self.path_of(&name), object)?;
                Ok((name, node))
            })
            .collect()
    }

    /// Paths of the members of a group that are neither groups nor arrays.
    pub(crate) fn named_types(&self) -> Result<Vec<String>, Error> {
        let names = self.group()?.named_datatypes().map_err(|e| self.damaged(e))?;
        Ok(names.iter().map(|name| self.path_of(name)).collect())
    }

    /// The member of a name, which may lead through groups (`a/b`), or `None`.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Node>, Error> {
        use hdf5_pure::{Error as Hdf5, FormatError};
        let group = self.group()?;
        if name.split('/').any(|part| part.is_empty() || part == ".") {
            return Ok(None);
        }
        let object = match group.dataset(name) {
            Ok(array) => Object::Array(array),
            Err(Hdf5::NotADataset(_)) => match group.group(name) {
                Ok(group) => Object::Group(group),
                Err(Hdf5::NotAGroup(_)) => return Ok(None),
                Err(e) => return Err(damaged(&self.source, &self.path_of(name), e)),
            },
            Err(Hdf5::Format(FormatError::PathNotFound(_)) | Hdf5::NotAGroup(_)) => {
                return Ok(None);
            }
            Err(e) => return Err(damaged(&self.source, &self.path_of(name), e)),
        };
        Node::new(Rc::clone(&self.source), self.path_of(name), object).map(Some)
    }

    /// The member of a name.
    pub(crate) fn child(&self, name: &str) -> Result<Node, Error> {
        self.find(name)?
            .ok_or_else(|| self.unexpected(format!("a member `{name}`"), "none of that name"))
    }

    /// Lengths of the axes of an array.
    pub(crate) fn shape(&self) -> Result<Vec<usize>, Error> {
        let lengths = self.array()?.shape().map_err(|e| self.damaged(e))?;
        let shape: Result<Vec<usize>, _> = lengths.iter().map(|&n| usize::try_from(n)).collect();
        shape
            .ok()
            .filter(|shape| shape.iter().try_fold(1usize, |a, &n| a.checked_mul(n)).is_some())
            .ok_or_else(|| self.damaged(format!("an array of shape {lengths:?}")))
    }

    /// The element type of an array.
    pub(crate) fn datatype(&self) -> Result<Datatype, Error> {
        self.array()?.datatype().map_err(|e| self.damaged(e))
    }

    /// Whether the elements are strings of fixed or variable length.
    pub(crate) fn holds_text(&self) -> Result<bool, Error> {
        let datatype = self.datatype()?;
        Ok(matches!(
            datatype,
            Datatype::VariableLength { is_string: true, .. } | Datatype::String { .. }
        ))
    }

    /// The array, once its size and compression are known to be ones that can be read.
    pub(crate) fn readable(&self) -> Result<&Dataset, Error> {
        let array = self.array()?;
        if let Some(&id) = array.filters().iter().find(|id| !FILTERS.contains(id)) {
            let (file, at, filter) = (self.source.path.clone(), display(&self.at), filter_name(id));
            return Err(Error::Filter { file, at, filter, id });
        }
        let size = array.element_size().map_err(|e| self.damaged(e))?;
        let bytes = |shape: &[u64]| shape.iter().try_fold(size, |a, &n| a.checked_mul(n));
        let shape = array.shape().map_err(|e| self.damaged(e))?;
        let chunk = array.chunk_shape().map_err(|e| self.damaged(e))?.unwrap_or_default();
        let limit =
            if array.is_chunked() { most_unpacked(self.source.bytes) } else { self.source.bytes };
        for (what, shape) in [("array", &shape), ("chunk", &chunk)] {
            if !shape.contains(&0) && bytes(shape).is_none_or(|n| n > limit) {
                return Err(self.damaged(format!(
                    "{what} of shape {shape:?} with {size} bytes per element, in a file of {} bytes",
                    self.source.bytes
                )));
            }
        }
        Ok(array)
    }

    /// The numbers of an array, in C order, with their dtype; big-endian ones become native.
    pub(crate) fn buffer(&self) -> Result<Buffer, Stop> {
        let array = self.readable()?;
        let datatype = self.datatype()?;
        let buffer = match element(&datatype) {
            Some(Element::Signed(1)) => array.read_i8().map(Buffer::I8),
            Some(Element::Signed(2)) => array.read_i16().map(Buffer::I16),
            Some(Element::Signed(4)) => array.read_i32().map(Buffer::I32),
            Some(Element::Signed(8)) => array.read_i64().map(Buffer::I64),
            Some(Element::Unsigned(1)) => array.read_u8().map(Buffer::U8),
            Some(Element::Unsigned(2)) => array.read_u16().map(Buffer::U16),
            Some(Element::Unsigned(4)) => array.read_u32().map(Buffer::U32),
            Some(Element::Unsigned(8)) => array.read_u64().map(Buffer::U64),
            Some(Element::Float(4)) => array.read_f32().map(Buffer::F32),
            Some(Element::Float(8)) => array.read_f64().map(Buffer::F64),
            Some(Element::Half { big }) => array.read_raw().map(|raw| halves(&raw, big)),
            Some(Element::Bool) => {
                return self.bools(&array.read_raw().map_err(|e| self.damaged(e))?);
            }
            _ => return Err(Stop::Unknown(format!("elements of type {datatype}"))),
        };
        let buffer = buffer.map_err(|e| self.damaged(e))?;
        self.check_count(buffer.len())?;
        Ok(buffer)
    }

    fn bools(&self, raw: &[u8]) -> Result<Buffer, Stop> {
        if let Some(other) = raw.iter().find(|&&b| b > 1) {
            return Err(self.damaged(format!("a bool of value {other}")).into());
        }
        self.check_count(raw.len())?;
        Ok(Buffer::Bool(raw.iter().map(|&b| b == 1).collect()))
    }

    /// The strings of an array, in C order.
    pub(crate) fn strings(&self) -> Result<Vec<String>, Stop> {
        if !self.holds_text()? {
            return Err(self.unexpected("strings", self.datatype()?.to_string()).into());
        }
        let strings = self.readable()?.read_string().map_err(|e| self.damaged(e))?;
        self.check_count(strings.len())?;
        Ok(strings)
    }

    fn check_count(&self, got: usize) -> Result<(), Stop> {
        let shape = self.shape()?;
        // A null dataspace has no axes and no elements either.
        if shape.is_empty() && got == 0 {
            return Err(Stop::Unknown("an array without a dataspace".to_owned()));
        }
        if shape.iter().product::<usize>() != got {
            return Err(self.damaged(format!("{got} elements for shape {shape:?}")).into());
        }
        Ok(())
    }
}

/// deflate, shuffle, fletcher32, scale-offset, lzf.
const FILTERS: [u16; 5] = [1, 2, 3, 6, 32000];

/// Names from the HDF Group's registry of filter plugins.
fn filter_name(id: u16) -> &'static str {
    match id {
        4 => "szip",
        5 => "nbit",
        32001 => "blosc",
        32004 => "lz4",
        32008 => "bitshuffle",
        32013 => "zfp",
        32015 => "zstd",
        32026 => "blosc2",
        _ => "an unknown filter",
    }
}

/// The most that chunks of a file of `bytes` bytes may unpack to. Deflate shrinks at most 1032 to 1;
/// the floor lets small files hold arrays whose chunks were never written.
fn most_unpacked(bytes: u64) -> u64 {
    bytes.saturating_mul(1032).max(64 << 20)
}

enum Element {
    Signed(u32),
    Unsigned(u32),
    Float(u32),
    Half { big: bool },
    Bool,
}

/// What NumPy would call the type, if it is one of those of [`Buffer`].
fn element(datatype: &Datatype) -> Option<Element> {
    match datatype {
        Datatype::FixedPoint { size, layout, byte_order } => {
            let whole = layout.bit_offset == 0 && u32::from(layout.bit_precision) == 8 * size;
            let known = whole && *byte_order != DatatypeByteOrder::Vax;
            let element = if layout.signed { Element::Signed } else { Element::Unsigned };
            known.then_some(element(*size))
        }
        Datatype::FloatingPoint { size, layout, byte_order } => {
            let fields = (layout.exponent_size, layout.mantissa_size, layout.exponent_bias);
            match (size, fields, byte_order) {
                (_, _, DatatypeByteOrder::Vax) => None,
                (2, (5, 10, 15), order) => {
                    Some(Element::Half { big: *order == DatatypeByteOrder::BigEndian })
                }
                (4, (8, 23, 127), _) | (8, (11, 52, 1023), _) => Some(Element::Float(*size)),
                _ => None,
            }
        }
        // h5py's bool: an enumeration over int8.
        Datatype::Enumeration { base_type, members, .. } => {
            let is = |name: &str, value: u8| {
                members.iter().any(|m| m.name == name && m.value == [value])
            };
            let one_byte = matches!(**base_type, Datatype::FixedPoint { size: 1, .. });
            (one_byte && members.len() == 2 && is("FALSE", 0) && is("TRUE", 1))
                .then_some(Element::Bool)
        }
        _ => None,
    }
}

fn halves(raw: &[u8], big: bool) -> Buffer {
    let pair = |b: &[u8]| {
        if big { f16::from_be_bytes([b[0], b[1]]) } else { f16::from_le_bytes([b[0], b[1]]) }
    };
    Buffer::F16(raw.chunks_exact(2).map(pair).collect())
}

fn damaged(source: &Source, at: &str, what: impl ToString) -> Error {
    Error::Damaged { file: source.path.clone(), at: display(at), what: what.to_string() }
}

/// A path inside a file, as shown: the root is `/`.
pub(crate) fn display(at: &str) -> String {
    if at.is_empty() { "/".to_owned() } else { at.to_owned() }
}
