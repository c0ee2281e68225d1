//! The numbers of an array, from the file straight into the vector that keeps them.
//!
//! `hdf5-pure` reads on one thread, through blocks of its own. What large files are made of is read here instead: arrays
//! in one piece, and whole grids of chunks ([`crate::grid`]). Blocks of the vector are filled by several threads from the
//! places that `hdf5-pure` names. Whatever else there is, is left to it.

use bytemuck::Pod;
use hdf5_pure::{Dataset, Layout};

use crate::blocks;
use crate::error::Error;
use crate::grid::{Grid, Scratch};
use crate::node::Node;

/// What a thread can meet; the node that it belongs to is not theirs to use.
#[derive(Debug)]
pub(crate) enum Trouble {
    Io(std::io::Error),
    Damaged(String),
}

impl From<std::io::Error> for Trouble {
    fn from(cause: std::io::Error) -> Trouble {
        Trouble::Io(cause)
    }
}

/// Bytes of an array in one piece that are read at a time.
const BLOCK: usize = 1 << 22;

/// Where an array is in the file.
enum Stored {
    Piece(u64),
    Grid(Grid),
}

/// The elements of `array`, which [`Node::readable`] has let pass, in C order and native byte order.
///
/// `None`: its layout is none of those that this module reads.
///
/// # Errors
/// [`Error::Damaged`] where chunks do not unpack to what they should; [`Error::Io`].
pub(crate) fn read<T: Pod>(
    node: &Node,
    array: &Dataset,
    big_endian: bool,
) -> Result<Option<Vec<T>>, Error> {
    let size = size_of::<T>();
    let shape = node.shape()?;
    let count: usize = shape.iter().product();
    let Some(len) = count.checked_mul(size).filter(|&len| len > 0) else { return Ok(None) };
    let file = &node.source.bytes;
    let stored = match array.layout().map_err(|e| node.damaged(e))? {
        Layout::Contiguous { address: Some(address), size } if size == len as u64 => {
            if !file.has(address, size) {
                let end = file.len();
                return Err(node
                    .damaged(format!("{size} bytes at {address}, in a file that ends at {end}")));
            }
            Stored::Piece(address)
        }
        Layout::Chunked { chunk_shape, .. } => {
            match Grid::of(array, file, &shape, &chunk_shape, size) {
                Some(grid) => Stored::Grid(grid),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    let mut values = bytemuck::allocation::try_zeroed_vec::<T>(count)
        .map_err(|()| node.damaged(format!("no memory for an array of shape {shape:?}")))?;
    let block = match &stored {
        Stored::Piece(_) => BLOCK,
        Stored::Grid(grid) => grid.slab_len(),
    };
    let fill = |scratch: &mut Scratch, number: usize, out: &mut [u8]| {
        match &stored {
            Stored::Piece(address) => file.read(address + (number * BLOCK) as u64, out)?,
            Stored::Grid(grid) => grid.read_slab(file, scratch, number, out)?,
        }
        if big_endian != cfg!(target_endian = "big") {
            out.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        Ok(())
    };
    blocks::fill(bytemuck::cast_slice_mut(&mut values), block, fill).map_err(|trouble| {
        match trouble {
            Trouble::Damaged(what) => node.damaged(what),
            Trouble::Io(cause) => node.io(cause),
        }
    })?;
    Ok(Some(values))
}
