//! What can go wrong, said so that the reader can act: which file, where inside it, what was
//! expected and what was found.

use std::path::PathBuf;

/// Why a file was not read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{action} {}: {cause}", file.display())]
    Io {
        /// `read` or `write`.
        action: &'static str,
        /// The file.
        file: PathBuf,
        /// What the operating system said; part of the message, so it is no source that would be printed again.
        cause: std::io::Error,
    },
    /// The file is not HDF5, or was cut off or damaged before its first object.
    #[error("read {}: expected an HDF5 file, got {got}", file.display())]
    NotHdf5 {
        /// The file.
        file: PathBuf,
        /// What was found instead.
        got: String,
    },
    /// The bytes of an object cannot be decoded: the file is truncated or damaged.
    #[error("read {} at `{at}`: damaged: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Path inside the file.
        at: String,
        /// What could not be decoded.
        what: String,
    },
    /// The object can be decoded but does not follow the AnnData format.
    #[error("read {} at `{at}`: expected {expected}, got {got}", file.display())]
    Unexpected {
        /// The file.
        file: PathBuf,
        /// Path inside the file.
        at: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        got: String,
    },
    /// The data is compressed in a way this crate cannot undo (zstd, blosc ...).
    #[error(
        "read {} at `{at}`: compressed with {filter} (HDF5 filter {id}); expected gzip, lzf or \
         none: write the file again with one of these",
        file.display()
    )]
    Filter {
        /// The file.
        file: PathBuf,
        /// Path inside the file.
        at: String,
        /// Name of the filter.
        filter: &'static str,
        /// Its registered number.
        id: u16,
    },
    /// AnnData has no form for a value, or the slots do not fit each other.
    #[error("write {} at `{at}`: {what}", file.display())]
    Unstorable {
        /// The file.
        file: PathBuf,
        /// Path of the slot.
        at: String,
        /// What cannot be stored and what can.
        what: String,
    },
    /// [`File::write_back`](crate::File::write_back) would lose slots that were not understood.
    #[error(
        "write back {}: {slots} would be lost; remove them from `unread` to give them up",
        file.display()
    )]
    Uncopyable {
        /// The file that would have been written.
        file: PathBuf,
        /// The slots, each with the reason.
        slots: String,
    },
}

/// Why the reader stopped at an object.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The object is sound but has no [`dispatch::Value`]; the slot is listed as unread.
    Unknown(String),
    /// The file is wrong.
    Broken(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Broken(error)
    }
}
