//! Reads and writes AnnData files (`.h5ad`) as concord datasets.
//!
//! A test case must reach the host library and a person's notebook as the artefact both know, and a
//! person's data must reach the backends with the dtypes it has on disk. So this crate follows the
//! file format of Python's anndata 0.13 to the letter, in both directions, and needs neither Python
//! nor the HDF5 library. It knows nothing of functions or backends.
//!
//! ```
//! use dispatch::{Dataset, Dense, Value};
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("small.h5ad");
//! let mut data = Dataset::new();
//! data.set("X", Dense::new(vec![3, 2], vec![1f32, 0.0, 2.5, f32::NAN, 0.0, 4.0]).into());
//! data.set("uns/method", "moran".into());
//! anndata_io::write(&path, &data)?;
//!
//! let file = anndata_io::read(&path)?;
//! assert_eq!(file.data.get("X"), data.get("X"));
//! assert_eq!(file.data.obs_names(), ["0", "1", "2"], "as anndata numbers unnamed cells");
//! assert!(file.unread.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is kept
//! Everything that anndata 0.13 keeps, with dtypes and index dtypes: dense arrays of all integer
//! and float widths and bool, CSR and CSC as stored (unsorted, duplicates, explicit zeros), frames
//! with nullable, categorical and text columns, `raw`, nested `uns`. And as in anndata: a scalar
//! comes back as `int`, `float`, `bool` or `str` whatever dtype it had, a list as an array, an F-order
//! array in C order, a frame without the name of its column axis. Big-endian numbers become native.
//!
//! # What is not
//! Record arrays, complex numbers, bytes, `longdouble`, awkward arrays: they are listed in
//! [`File::unread`] and survive [`File::write_back`] where that is possible. Chunks compressed with
//! zstd, blosc or another plugin are an error that names the filter. A tuple, a MultiIndex and a
//! name with a slash are errors when written. AnnData 0.6 frames (compound arrays) are not read; those
//! of 0.7 (`__categories`) are. Soft and external links, which anndata never writes, are passed over
//! without a word, because hdf5-pure does not list them.

#![forbid(unsafe_code)]

mod align;
mod blocks;
mod bytes;
mod carry;
mod encoding;
mod error;
mod file;
mod grid;
mod node;
mod numbers;
mod parent;
mod read;
mod read_frame;
mod texts;
mod write;
mod write_array;
mod write_frame;

pub use error::Error;
pub use file::{Compression, File, Unread, WriteOptions, read, write, write_with};
