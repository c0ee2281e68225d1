//! Whole files: the public face of the crate.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use dispatch::Dataset;

use crate::bytes::Bytes;
use crate::carry::Carried;
use crate::error::Error;
use crate::node::Node;
use crate::write::Writer;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// Everything that was understood.
    pub data: Dataset,
    /// What was not. An entry that is removed is given up by [`File::write_back`].
    pub unread: Vec<Unread>,
    path: PathBuf,
    na: BTreeSet<String>,
}

/// A slot that has no [`dispatch::Value`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Path of the slot: `uns/rank_genes_groups/names`.
    pub path: String,
    /// What it is that cannot be read.
    pub why: String,
    /// For a column of a frame, its place among the columns.
    pub(crate) column: Option<usize>,
}

/// How arrays are packed. Text and scalars never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: the fastest to write and read.
    #[default]
    None,
    /// Deflate, from 0 (stored) to 9 (smallest); h5py's default is 4.
    Gzip(u8),
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// How arrays are packed.
    pub compression: Compression,
}

/// Reads an `.h5ad` file, which must not change meanwhile.
///
/// Takes little more memory than the data itself: arrays of numbers are read, and unpacked, straight into
/// the vectors that keep them, large ones by several threads.
///
/// # Errors
/// [`Error`] with file, path inside the file, what was expected and what was found. Slots that are
/// sound but unknown are no error; they are listed in [`File::unread`].
pub fn read(path: &Path) -> Result<File, Error> {
    let (data, reader) = guarded(path, || crate::read::root(&open(path)?))?;
    Ok(File { data, unread: reader.unread, path: path.to_owned(), na: reader.na })
}

/// Writes a dataset as anndata 0.13 would, uncompressed.
///
/// The slots must be those of AnnData and fit each other; cells or genes without a frame are numbered.
/// The file appears under its name only when it is complete.
///
/// # Errors
/// [`Error::Unstorable`] names the slot that AnnData cannot hold; [`Error::Io`].
pub fn write(path: &Path, data: &Dataset) -> Result<(), Error> {
    write_with(path, data, &WriteOptions::default())
}

/// [`write()`] with options.
///
/// # Errors
/// Those of [`write()`].
pub fn write_with(path: &Path, data: &Dataset, options: &WriteOptions) -> Result<(), Error> {
    store(path, data, options, &BTreeSet::new(), Carried::default())
}

impl File {
    /// Writes `data`, and copies the slots in `unread` from the file that was read. `path` may be that
    /// very file.
    ///
    /// # Errors
    /// [`Error::Uncopyable`] names the slots that would be lost: records with text of variable length,
    /// references, and slots whose group is no longer in `data`. Else those of [`write()`] and [`read`].
    pub fn write_back(&self, path: &Path) -> Result<(), Error> {
        guarded(path, || {
            let carried = match self.unread.as_slice() {
                [] => Carried::default(),
                unread => Carried::collect(&open(&self.path)?, unread, path)?,
            };
            store(path, &self.data, &WriteOptions::default(), &self.na, carried)
        })
    }
}

fn open(path: &Path) -> Result<Node, Error> {
    let bytes = Bytes::open(path).map_err(|cause| Error::Io {
        action: "read",
        file: path.to_owned(),
        cause,
    })?;
    Node::root(path.to_owned(), bytes)
}

fn store(
    path: &Path,
    data: &Dataset,
    options: &WriteOptions,
    na: &BTreeSet<String>,
    carried: Carried<'_>,
) -> Result<(), Error> {
    let failed = |cause| Error::Io { action: "write", file: path.to_owned(), cause };
    let mut writer = Writer { file: path, compression: options.compression, na, carried };
    let builder = writer.root(data.root())?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let written = builder.write(&partial).map_err(|e| match e {
        hdf5_pure::Error::Io(cause) => failed(cause),
        other => writer.unstorable("/", other.to_string()),
    });
    match written.and_then(|()| std::fs::rename(&partial, path).map_err(failed)) {
        Ok(()) => Ok(()),
        Err(error) => {
            // It may not exist; the first error is the one to report.
            let _ = std::fs::remove_file(&partial);
            Err(error)
        }
    }
}

/// A damaged file may take the HDF5 reader to places its authors did not think of.
fn guarded<T>(path: &Path, f: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panic");
        let (file, what) = (path.to_owned(), format!("the HDF5 reader gave up: {text}"));
        Err(Error::Damaged { file, at: "/".to_owned(), what })
    })
}
