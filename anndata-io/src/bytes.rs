//! The bytes of a file, read where they are asked for.
//!
//! A matrix of gigabytes must not be in memory twice, so only the head of a file is held: there most writers put what
//! describes the rest, and small files are all head.

use std::fs::File;
use std::io::{ErrorKind, Read, Result};
use std::path::Path;

/// An open file whose bytes do not change.
pub(crate) struct Bytes {
    file: File,
    head: Vec<u8>,
    len: u64,
}

/// Bytes held of a file that can be read at any place; others are held whole.
const HEAD: u64 = if cfg!(unix) { 1 << 20 } else { u64::MAX };

impl Bytes {
    /// Opens a file and reads its head. Pipes are read to their end.
    pub(crate) fn open(path: &Path) -> Result<Bytes> {
        let mut file = File::open(path)?;
        let known = file.metadata()?;
        let mut head = Vec::new();
        if known.is_file() {
            head.reserve_exact(usize::try_from(known.len().min(HEAD)).unwrap_or_default());
            file.by_ref().take(HEAD).read_to_end(&mut head)?;
        } else {
            file.read_to_end(&mut head)?;
        }
        let len = if known.is_file() { known.len() } else { 0 }.max(head.len() as u64);
        Ok(Bytes { file, head, len })
    }

    /// Size of the file.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Whether the file has `len` bytes from `offset` on.
    pub(crate) fn has(&self, offset: u64, len: u64) -> bool {
        offset.checked_add(len).is_some_and(|end| end <= self.len)
    }

    /// Fills `out` from `offset` on.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedEof`] past the end of the file.
    pub(crate) fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        if !self.has(offset, out.len() as u64) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let held = usize::try_from(offset).ok().and_then(|start| {
            let end = start.checked_add(out.len())?;
            self.head.get(start..end)
        });
        match held {
            Some(held) => {
                out.copy_from_slice(held);
                Ok(())
            }
            None => self.read_past_head(offset, out),
        }
    }

    #[cfg(unix)]
    fn read_past_head(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, out, offset)
    }

    /// All is held but what was appended meanwhile.
    #[cfg(not(unix))]
    fn read_past_head(&self, _: u64, _: &mut [u8]) -> Result<()> {
        let _ = &self.file;
        Err(ErrorKind::UnexpectedEof.into())
    }
}
