//! One object of an open HDF5 file, as the reader sees it.
//!
//! It turns the errors of `hdf5-pure` into ours, with file and path, and refuses what a damaged file
//! might claim before memory is set aside for it. `hdf5-pure` reads everything but large arrays of
//! numbers ([`crate::numbers`]) and texts ([`crate::texts`]), and those too where they are stored in
//! an unusual way.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use bytemuck::Pod;
use dispatch::Buffer;
use half::f16;
use hdf5_pure::{
    AttrValue, Dataset, Datatype, DatatypeByteOrder, FileAccessProperties, Group, WriteMarkPolicy,
};

use crate::bytes::Bytes;
use crate::encoding::Encoding;
use crate::error::{Error, Stop};
use crate::grid::MOST_DEFLATED;
use crate::texts::Heap;
use crate::{numbers, texts};

/// The file that a node belongs to.
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Arc<Bytes>,
    /// How addresses of texts are written.
    pub(crate) heap: Heap,
}

/// A file, for `hdf5-pure`.
struct Shared(Arc<Bytes>);

impl hdf5_pure::Source for Shared {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), hdf5_pure::FormatError> {
        self.0.read(offset, out).map_err(|e| hdf5_pure::FormatError::Source(e.to_string()))
    }
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
    /// The root group of an open file.
    pub(crate) fn root(path: PathBuf, bytes: Bytes) -> Result<Node, Error> {
        let bytes = Arc::new(bytes);
        // A file whose writer ended without closing it is read as it is.
        let options =
            FileAccessProperties::new().with_write_mark_policy(WriteMarkPolicy::AllowSnapshot);
        let file = hdf5_pure::File::from_source_with_options(Shared(Arc::clone(&bytes)), options)
            .map_err(|e| Error::NotHdf5 { file: path.clone(), got: e.to_string() })?;
        let source = Rc::new(Source { path, bytes, heap: Heap::of(file.superblock()) });
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

    pub(crate) fn io(&self, cause: std::io::Error) -> Error {
        Error::Io { action: "read", file: self.source.path.clone(), cause }
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
        let stored = self.source.bytes.len();
        let limit = if array.is_chunked() { most_unpacked(stored) } else { stored };
        for (what, shape) in [("array", &shape), ("chunk", &chunk)] {
            if !shape.contains(&0) && bytes(shape).is_none_or(|n| n > limit) {
                return Err(self.damaged(format!(
                    "{what} of shape {shape:?} with {size} bytes per element, in a file of {stored} bytes"
                )));
            }
        }
        Ok(array)
    }

    /// The numbers of an array, in C order, with their dtype; big-endian ones become native.
    pub(crate) fn buffer(&self) -> Result<Buffer, Stop> {
        let datatype = self.datatype()?;
        let buffer: Buffer = match element(&datatype) {
            Some(Element::Signed(1)) => self.numbers(Dataset::read_i8)?.into(),
            Some(Element::Signed(2)) => self.numbers(Dataset::read_i16)?.into(),
            Some(Element::Signed(4)) => self.numbers(Dataset::read_i32)?.into(),
            Some(Element::Signed(8)) => self.numbers(Dataset::read_i64)?.into(),
            Some(Element::Unsigned(1)) => self.numbers(Dataset::read_u8)?.into(),
            Some(Element::Unsigned(2)) => self.numbers(Dataset::read_u16)?.into(),
            Some(Element::Unsigned(4)) => self.numbers(Dataset::read_u32)?.into(),
            Some(Element::Unsigned(8)) => self.numbers(Dataset::read_u64)?.into(),
            Some(Element::Float(4)) => self.numbers(Dataset::read_f32)?.into(),
            Some(Element::Float(8)) => self.numbers(Dataset::read_f64)?.into(),
            // Collected in place.
            Some(Element::Half { big }) => {
                let bits = self.numbers(|array| array.read_raw().map(|raw| words(&raw, big)))?;
                bits.into_iter().map(f16::from_bits).collect::<Vec<_>>().into()
            }
            Some(Element::Bool) => self.bools(self.numbers(Dataset::read_raw)?)?,
            _ => return Err(Stop::Unknown(format!("elements of type {datatype}"))),
        };
        self.check_count(buffer.len())?;
        Ok(buffer)
    }

    /// The elements of an array by the way that is made for large ones, else by `whole`.
    fn numbers<T: Pod>(
        &self,
        whole: impl Fn(&Dataset) -> Result<Vec<T>, hdf5_pure::Error>,
    ) -> Result<Vec<T>, Error> {
        let array = self.readable()?;
        match numbers::read(self, array, is_big_endian(&self.datatype()?))? {
            Some(values) => Ok(values),
            None => whole(array).map_err(|e| self.damaged(e)),
        }
    }

    fn bools(&self, raw: Vec<u8>) -> Result<Buffer, Error> {
        if let Some(other) = raw.iter().find(|&&b| b > 1) {
            return Err(self.damaged(format!("a bool of value {other}")));
        }
        // Collected in place.
        Ok(Buffer::Bool(raw.into_iter().map(|b| b == 1).collect()))
    }

    /// The strings of an array, in C order.
    pub(crate) fn strings(&self) -> Result<Vec<String>, Stop> {
        if !self.holds_text()? {
            return Err(self.unexpected("strings", self.datatype()?.to_string()).into());
        }
        let array = self.readable()?;
        let strings = match texts::read(self, array)? {
            Some(strings) => strings,
            None => array.read_string().map_err(|e| self.damaged(e))?,
        };
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

/// The most that chunks of a file of `bytes` bytes may unpack to. The floor lets small files hold
/// arrays whose chunks were never written.
pub(crate) fn most_unpacked(bytes: u64) -> u64 {
    bytes.saturating_mul(MOST_DEFLATED).max(64 << 20)
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
            let bits = size.checked_mul(8);
            let whole = layout.bit_offset == 0 && bits == Some(layout.bit_precision.into());
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

/// Whether bytes of elements are to be reversed on a little-endian machine.
fn is_big_endian(datatype: &Datatype) -> bool {
    let (Datatype::FixedPoint { byte_order, .. } | Datatype::FloatingPoint { byte_order, .. }) =
        datatype
    else {
        return false;
    };
    *byte_order == DatatypeByteOrder::BigEndian
}

fn words(raw: &[u8], big: bool) -> Vec<u16> {
    let word = |&b: &[u8; 2]| if big { u16::from_be_bytes(b) } else { u16::from_le_bytes(b) };
    raw.as_chunks().0.iter().map(word).collect()
}

fn damaged(source: &Source, at: &str, what: impl ToString) -> Error {
    Error::Damaged { file: source.path.clone(), at: display(at), what: what.to_string() }
}

/// A path inside a file, as shown: the root is `/`.
pub(crate) fn display(at: &str) -> String {
    if at.is_empty() { "/".to_owned() } else { at.to_owned() }
}
