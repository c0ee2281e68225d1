//! Texts of variable length, which HDF5 keeps apart from the array: each element says in which collection of the file's
//! heap its bytes are, and under which number.
//!
//! `hdf5-pure` looks each text up among all collections and reads it from the file by itself. Names of a million cells are
//! in ten thousand collections; here each collection is read once, with all texts that are in it.

use std::borrow::Cow;

use hdf5_pure::{Dataset, Datatype, Superblock};

use crate::error::Error;
use crate::node::{Node, most_unpacked};

/// How addresses into the heap are written in a file.
#[derive(Clone, Copy)]
pub(crate) struct Heap {
    /// Bytes of an address.
    offset_size: usize,
    /// Bytes of a length.
    length_size: usize,
    /// Where address 0 is.
    base: u64,
}

impl Heap {
    /// What the head of a file says.
    pub(crate) fn of(superblock: &Superblock) -> Heap {
        Heap {
            offset_size: superblock.offset_size.into(),
            length_size: superblock.length_size.into(),
            base: superblock.base_address.get(),
        }
    }
}

/// An element that is not empty: where its text is.
struct Reference {
    collection: u64,
    number: usize,
    len: usize,
    element: usize,
}

/// The texts of `array`, which [`Node::readable`] has let pass, in C order; what is not UTF-8 is replaced. `None`: they
/// are of fixed length.
///
/// # Errors
/// [`Error::Damaged`] where there is no such collection or text; [`Error::Io`].
pub(crate) fn read(node: &Node, array: &Dataset) -> Result<Option<Vec<String>>, Error> {
    if !matches!(node.datatype()?, Datatype::VariableLength { is_string: true, .. }) {
        return Ok(None);
    }
    let raw = array.read_raw().map_err(|e| node.damaged(e))?;
    let heap = node.source.heap;
    let size = 8 + heap.offset_size;
    let mut texts = vec![String::new(); raw.len() / size];
    let mut references = references(&raw, heap);
    drop(raw);
    // Elements may share a text, so a small file could claim any amount.
    let total = references.iter().fold(0u64, |sum, r| sum.saturating_add(r.len as u64));
    let stored = node.source.bytes.len();
    if total > most_unpacked(stored) {
        return Err(node.damaged(format!("{total} bytes of text, in a file of {stored} bytes")));
    }
    // In the order of the file, which it nearly always is already.
    references.sort_by_key(|r| r.collection);
    let mut collection = Collection::default();
    for together in references.chunk_by(|a, b| a.collection == b.collection) {
        let Some(first) = together.first() else { continue };
        collection.read(node, first.collection)?;
        for reference in together {
            texts[reference.element] = collection
                .text(reference)
                .ok_or_else(|| {
                    let Reference { number, len, collection, .. } = reference;
                    node.damaged(format!(
                        "no text {number} of {len} bytes in the heap at {collection}"
                    ))
                })?
                .into_owned();
        }
    }
    Ok(Some(texts))
}

/// A number of at most eight bytes.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn references(raw: &[u8], heap: Heap) -> Vec<Reference> {
    let element = |(element, bytes): (usize, &[u8])| {
        let (len, rest) = bytes.split_at(4);
        let (address, number) = rest.split_at(heap.offset_size);
        let collection = heap.base.saturating_add(little_endian(address));
        let (number, len) = (little_endian(number) as usize, little_endian(len) as usize);
        (len > 0).then_some(Reference { collection, number, len, element })
    };
    raw.chunks_exact(8 + heap.offset_size).enumerate().filter_map(element).collect()
}

/// One collection of the heap.
#[derive(Default)]
struct Collection {
    bytes: Vec<u8>,
    /// Start and length of each text, by its number.
    texts: Vec<Option<(usize, usize)>>,
}

impl Collection {
    /// Reads the collection at `address`.
    fn read(&mut self, node: &Node, address: u64) -> Result<(), Error> {
        let file = &node.source.bytes;
        let width = node.source.heap.length_size;
        let damaged = |what: &str| node.damaged(format!("heap at {address}: {what}"));
        let mut head = [0; 16];
        let head = &mut head[..8 + width];
        if !file.has(address, head.len() as u64) {
            return Err(damaged("past the end of the file"));
        }
        file.read(address, head).map_err(|cause| node.io(cause))?;
        if !head.starts_with(b"GCOL\x01") {
            return Err(damaged("expected a collection of version 1"));
        }
        let len = little_endian(&head[8..]);
        if len < head.len() as u64 || !file.has(address, len) {
            return Err(damaged(&format!("a collection of {len} bytes")));
        }
        self.bytes.resize(usize::try_from(len).unwrap_or(usize::MAX), 0);
        file.read(address, &mut self.bytes).map_err(|cause| node.io(cause))?;
        self.list(width).ok_or_else(|| damaged("a text that goes on past its collection"))
    }

    /// Where texts are, from what stands before each; 0 in place of a number ends them. `None`: one is cut off.
    fn list(&mut self, width: usize) -> Option<()> {
        self.texts.clear();
        let mut at = 8 + width;
        while let Some(number) = self.bytes.get(at..at + 2).map(little_endian).filter(|&n| n != 0) {
            let number = number as usize;
            let start = at + 8 + width;
            let len = usize::try_from(little_endian(self.bytes.get(at + 8..start)?)).ok()?;
            self.bytes.get(start..start.checked_add(len)?)?;
            if self.texts.len() <= number {
                self.texts.resize(number + 1, None);
            }
            self.texts[number] = Some((start, len));
            at = start + len.next_multiple_of(8);
        }
        Some(())
    }

    fn text(&self, reference: &Reference) -> Option<Cow<'_, str>> {
        let (start, len) = (*self.texts.get(reference.number)?)?;
        let bytes = self.bytes.get(start..start + len)?.get(..reference.len)?;
        Some(String::from_utf8_lossy(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A collection with these texts, by number.
    fn collection(texts: &[(u16, &str)]) -> Collection {
        let mut bytes = vec![0; 16];
        for (number, text) in texts {
            bytes.extend(number.to_le_bytes());
            bytes.extend([0; 6]);
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(8), 0);
        }
        bytes.extend([0; 16]);
        Collection { bytes, texts: Vec::new() }
    }

    #[test]
    fn texts_are_found_by_number_and_never_past_their_end() {
        let mut found = collection(&[(2, "T-cell"), (1, "B"), (7, "naïve T")]);
        assert_eq!(found.list(8), Some(()));
        let text = |number, len| {
            let reference = Reference { collection: 0, number, len, element: 0 };
            found.text(&reference).map(Cow::into_owned)
        };
        assert_eq!(text(1, 1).as_deref(), Some("B"));
        assert_eq!(text(2, 6).as_deref(), Some("T-cell"));
        assert_eq!(text(7, 8).as_deref(), Some("naïve T"));
        assert_eq!((text(2, 7), text(3, 1), text(70_000, 1)), (None, None, None));
    }

    #[test]
    fn a_text_that_leaves_its_collection_is_refused() {
        for (at, byte) in [(31, 0x7f), (24, 0x40), (31, 0xff)] {
            let mut found = collection(&[(1, "B")]);
            found.bytes[at] = byte;
            assert_eq!(found.list(8), None, "byte {at}");
        }
    }
}
