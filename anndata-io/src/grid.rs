//! Arrays stored as a grid of chunks, each at a place of its own and perhaps packed by gzip, shuffled before or not.
//!
//! The chunks that begin at one row make a slab, which is one piece of the array in C order; slabs can be read in any order.

use flate2::{Decompress, FlushDecompress, Status};
use hdf5_pure::Dataset;

use crate::bytes::Bytes;
use crate::numbers::Trouble;

/// Deflate shrinks at most 1032 to 1.
pub(crate) const MOST_DEFLATED: u64 = 1032;

const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;

/// A chunk in the file.
#[derive(Clone, Copy)]
struct Place {
    address: u64,
    len: u64,
    deflated: bool,
    shuffled: bool,
}

/// A grid that has all its chunks.
pub(crate) struct Grid {
    /// Bytes of an element.
    size: usize,
    /// Lengths of the axes; axes at the end that one chunk spans are one axis with the one before.
    shape: Vec<usize>,
    /// Those of a chunk.
    chunk: Vec<usize>,
    /// In C order of the grid.
    places: Vec<Place>,
}

/// What a thread keeps from one chunk to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    packed: Vec<u8>,
    shuffled: Vec<u8>,
    chunk: Vec<u8>,
    inflate: Option<Decompress>,
}

impl Grid {
    /// The grid of an array; `None` if it has holes, other filters, or anything odd: `hdf5-pure` reads it or says why not.
    pub(crate) fn of(
        array: &Dataset,
        file: &Bytes,
        shape: &[usize],
        chunk: &[u64],
        size: usize,
    ) -> Option<Grid> {
        let chunk: Vec<usize> =
            chunk.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<_>>()?;
        if chunk.len() != shape.len() || chunk.is_empty() || chunk.contains(&0) {
            return None;
        }
        let filters = array.filters();
        if !matches!(filters.as_slice(), [] | [DEFLATE] | [SHUFFLE] | [SHUFFLE, DEFLATE]) {
            return None;
        }
        let chunks: Vec<usize> = shape.iter().zip(&chunk).map(|(n, c)| n.div_ceil(*c)).collect();
        let count = chunks.iter().try_fold(1usize, |a, &n| a.checked_mul(n))?;
        let bytes = chunk.iter().try_fold(size, |a, &n| a.checked_mul(n))? as u64;
        // A grid without filters may have no index: what is listed then is what the header claims.
        if filters.is_empty() && bytes.checked_mul(count as u64).is_none_or(|n| n > file.len()) {
            return None;
        }
        let listed = array.chunks().ok()?;
        if listed.len() != count {
            return None;
        }
        let mut places = vec![None; count];
        for stored in listed {
            let mut at = 0;
            for ((offset, length), along) in stored.offset.iter().zip(&chunk).zip(&chunks) {
                let offset = usize::try_from(*offset).ok()?;
                if offset % length != 0 || offset / length >= *along {
                    return None;
                }
                at = at * along + offset / length;
            }
            let applied = |id: u16| {
                let bit = filters.iter().position(|&f| f == id);
                bit.is_some_and(|bit| stored.filter_mask >> bit & 1 == 0)
            };
            let place = Place {
                address: stored.address,
                len: stored.storage_size,
                deflated: applied(DEFLATE),
                shuffled: applied(SHUFFLE),
            };
            let plausible = match place.deflated {
                true => place.len.saturating_mul(MOST_DEFLATED) >= bytes,
                false => place.len == bytes,
            };
            let slot = places.get_mut(at)?;
            if slot.is_some() || !plausible || !file.has(place.address, place.len) {
                return None;
            }
            *slot = Some(place);
        }
        let places = places.into_iter().collect::<Option<_>>()?;
        let mut grid = Grid { size, shape: shape.to_vec(), chunk, places };
        grid.join_axes();
        Some(grid)
    }

    fn join_axes(&mut self) {
        while let ([.., _, n], [.., _, c]) = (self.shape.as_slice(), self.chunk.as_slice())
            && n == c
        {
            let joined = *n;
            for lengths in [&mut self.shape, &mut self.chunk] {
                lengths.pop();
                if let Some(last) = lengths.last_mut() {
                    *last *= joined;
                }
            }
        }
    }

    fn chunk_len(&self) -> usize {
        self.size * self.chunk.iter().product::<usize>()
    }

    /// Bytes of a slab that is not cut off by the end of the array.
    pub(crate) fn slab_len(&self) -> usize {
        let row = self.size * self.shape[1..].iter().product::<usize>();
        row.saturating_mul(self.chunk[0])
    }

    /// Reads slab `number`, or what of it is in the array, into `out`.
    pub(crate) fn read_slab(
        &self,
        file: &Bytes,
        scratch: &mut Scratch,
        number: usize,
        out: &mut [u8],
    ) -> Result<(), Trouble> {
        let along: Vec<usize> =
            self.shape.iter().zip(&self.chunk).skip(1).map(|(n, c)| n.div_ceil(*c)).collect();
        let per_slab: usize = along.iter().product();
        let len = self.chunk_len();
        for (k, place) in self.places[number * per_slab..][..per_slab].iter().enumerate() {
            if self.shape.len() == 1 && out.len() == len {
                scratch.unpack(file, *place, self.size, out)?;
                continue;
            }
            let mut chunk = std::mem::take(&mut scratch.chunk);
            chunk.resize(len, 0);
            scratch.unpack(file, *place, self.size, &mut chunk)?;
            let mut start = vec![0; self.shape.len()];
            let mut rest = k;
            for (axis, along) in along.iter().enumerate().rev() {
                start[axis + 1] = rest % along * self.chunk[axis + 1];
                rest /= along;
            }
            self.put(0, &start, &chunk, out);
            scratch.chunk = chunk;
        }
        Ok(())
    }

    /// Copies what is in the array of a chunk, or of a part of one along `axis` and those after it, to its place.
    fn put(&self, axis: usize, start: &[usize], chunk: &[u8], out: &mut [u8]) {
        let step = |lengths: &[usize]| self.size * lengths[axis + 1..].iter().product::<usize>();
        let (from, to) = (step(&self.chunk), step(&self.shape));
        let out = &mut out[start[axis] * to..];
        if axis + 1 == self.shape.len() {
            let len = chunk.len().min(out.len());
            out[..len].copy_from_slice(&chunk[..len]);
        } else {
            for (chunk, out) in chunk.chunks_exact(from).zip(out.chunks_exact_mut(to)) {
                self.put(axis + 1, start, chunk, out);
            }
        }
    }
}

impl Scratch {
    /// The elements of a chunk, all of which are stored even where the array ends before.
    fn unpack(
        &mut self,
        file: &Bytes,
        place: Place,
        size: usize,
        out: &mut [u8],
    ) -> Result<(), Trouble> {
        if !place.deflated && !place.shuffled {
            return Ok(file.read(place.address, out)?);
        }
        self.packed.resize(usize::try_from(place.len).unwrap_or(usize::MAX), 0);
        file.read(place.address, &mut self.packed)?;
        if !place.deflated {
            unshuffle(&self.packed, size, out);
            return Ok(());
        }
        let inflate = self.inflate.get_or_insert_with(|| Decompress::new(true));
        if place.shuffled {
            self.shuffled.resize(out.len(), 0);
            inflated(inflate, &self.packed, &mut self.shuffled)
                .map_err(|what| damaged(place, &what))?;
            unshuffle(&self.shuffled, size, out);
            return Ok(());
        }
        inflated(inflate, &self.packed, out).map_err(|what| damaged(place, &what))
    }
}

fn damaged(place: Place, what: &str) -> Trouble {
    Trouble::Damaged(format!("the chunk of {} bytes at {}: {what}", place.len, place.address))
}

/// Unpacks a zlib stream that must fill `out` exactly.
fn inflated(inflate: &mut Decompress, packed: &[u8], out: &mut [u8]) -> Result<(), String> {
    inflate.reset(true);
    // Room for one more byte shows a stream that goes on.
    let mut more = [0];
    loop {
        let (read, written) = (inflate.total_in(), inflate.total_out());
        let input = usize::try_from(read).ok().and_then(|n| packed.get(n..)).unwrap_or_default();
        let full = written == out.len() as u64;
        let room = match full {
            true => &mut more[..],
            false => {
                usize::try_from(written).ok().and_then(|n| out.get_mut(n..)).unwrap_or_default()
            }
        };
        let status = inflate
            .decompress(input, room, FlushDecompress::Finish)
            .map_err(|error| error.to_string())?;
        let written_now = inflate.total_out();
        if written_now > out.len() as u64 {
            return Err(format!("unpacks to more than {} bytes", out.len()));
        }
        if matches!(status, Status::StreamEnd) {
            return match written_now == out.len() as u64 {
                true => Ok(()),
                false => Err(format!("unpacks to {written_now} bytes, expected {}", out.len())),
            };
        }
        if (inflate.total_in(), written_now) == (read, written) {
            return Err("the zlib stream is cut off".to_owned());
        }
    }
}

/// Undoes HDF5's shuffle, which stores the first bytes of all elements, then the second ones.
fn unshuffle(shuffled: &[u8], size: usize, out: &mut [u8]) {
    match size {
        2 => gather::<2>(shuffled, out),
        4 => gather::<4>(shuffled, out),
        8 => gather::<8>(shuffled, out),
        _ => out.copy_from_slice(shuffled),
    }
}

fn gather<const SIZE: usize>(shuffled: &[u8], out: &mut [u8]) {
    let count = out.len() / SIZE;
    let planes: [&[u8]; SIZE] = std::array::from_fn(|k| &shuffled[k * count..][..count]);
    for (i, element) in out.as_chunks_mut::<SIZE>().0.iter_mut().enumerate() {
        *element = std::array::from_fn(|k| planes[k][i]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdf5_pure::FileBuilder;
    use proptest::prelude::*;

    /// The file, and the array in it as `hdf5-pure` opens it.
    fn opened(builder: FileBuilder) -> (tempfile::NamedTempFile, Bytes, Dataset) {
        let file = tempfile::NamedTempFile::new().unwrap();
        builder.write(file.path()).unwrap();
        let array = hdf5_pure::File::open(file.path()).unwrap().dataset("x").unwrap();
        let bytes = Bytes::open(file.path()).unwrap();
        (file, bytes, array)
    }

    fn read(grid: &Grid, file: &Bytes, len: usize) -> Result<Vec<u8>, Trouble> {
        let (mut out, mut scratch) = (vec![0; len], Scratch::default());
        // From the last to the first: slabs do not depend on each other.
        for (number, slab) in out.chunks_mut(grid.slab_len()).enumerate().rev() {
            grid.read_slab(file, &mut scratch, number, slab)?;
        }
        Ok(out)
    }

    fn array(shape: &[usize], chunk: &[usize], filters: u8, wide: bool) -> (FileBuilder, usize) {
        let count: usize = shape.iter().product();
        let lengths = |of: &[usize]| of.iter().map(|&n| n as u64).collect::<Vec<_>>();
        let mut builder = FileBuilder::new();
        let made = builder.create_dataset("x");
        if wide {
            made.with_f64_data(&(0..count).map(|i| (i as f64).sqrt()).collect::<Vec<_>>());
        } else {
            made.with_i16_data(&(0..count).map(|i| (i * 7 % 300) as i16).collect::<Vec<_>>());
        }
        made.with_shape(&lengths(shape)).with_chunks(&lengths(chunk));
        if filters & 1 != 0 {
            made.with_shuffle();
        }
        if filters & 2 != 0 {
            made.with_deflate(4);
        }
        (builder, count * if wide { 8 } else { 2 })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Chunks that do not divide the array, that are larger than it, that span some of its axes.
        #[test]
        fn a_grid_is_read_as_hdf5_pure_reads_it(
            axes in prop::collection::vec((1usize..9, 1usize..11), 1..5),
            filters in 0u8..4,
            wide: bool,
        ) {
            let (shape, chunk): (Vec<usize>, Vec<usize>) =
                axes.iter().map(|&(n, c)| (n, c.min(n))).unzip();
            let (builder, len) = array(&shape, &chunk, filters, wide);
            let (_file, bytes, x) = opened(builder);
            let lengths: Vec<u64> = chunk.iter().map(|&n| n as u64).collect();
            let grid = Grid::of(&x, &bytes, &shape, &lengths, if wide { 8 } else { 2 });
            let grid = grid.expect("a whole grid");
            prop_assert_eq!(read(&grid, &bytes, len).unwrap(), x.read_raw().unwrap());
        }
    }

    #[test]
    fn other_filters_are_left_to_hdf5_pure() {
        let mut builder = FileBuilder::new();
        builder.create_dataset("x").with_i32_data(&[1; 100]).with_chunks(&[10]).with_fletcher32();
        let (_file, bytes, x) = opened(builder);
        assert!(Grid::of(&x, &bytes, &[100], &[10], 4).is_none());
    }

    #[test]
    fn a_stream_must_fill_its_chunk_exactly() {
        use std::io::Write;
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        packer.write_all(&[7; 5000]).unwrap();
        let packed = packer.finish().unwrap();
        let unpacked = |packed: &[u8], len| {
            let mut out = vec![0; len];
            inflated(&mut Decompress::new(true), packed, &mut out).map(|()| out)
        };
        assert_eq!(unpacked(&packed, 5000), Ok(vec![7; 5000]));
        assert_eq!(unpacked(&packed, 5001), Err("unpacks to 5000 bytes, expected 5001".to_owned()));
        for len in [0, 1, 4999] {
            assert_eq!(unpacked(&packed, len), Err(format!("unpacks to more than {len} bytes")));
        }
        for cut in 0..packed.len() {
            assert!(unpacked(&packed[..cut], 5000).is_err(), "cut to {cut} of {}", packed.len());
        }
        let mut wrong = packed.clone();
        *wrong.last_mut().unwrap() ^= 1;
        assert!(unpacked(&wrong, 5000).is_err(), "the checksum");
    }
}
