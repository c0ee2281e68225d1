//! A frame: sixteen bytes, a JSON header, and a block of bytes that the header speaks of.

use std::io::{ErrorKind, Read, Write};

use serde_json::Value as Json;

use crate::Fault;

/// The first four bytes of a frame; anything else is somebody's `print`.
pub const MAGIC: [u8; 4] = *b"CNC1";

/// How long the parts of a frame may be, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the header.
    pub header: u32,
    /// Of the block.
    pub block: u64,
}

impl Default for Limits {
    /// 64 MiB and 4 GiB.
    fn default() -> Limits {
        Limits { header: 64 << 20, block: 4 << 30 }
    }
}

/// A header and its block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    /// What is said.
    pub header: Json,
    /// The numbers it speaks of.
    pub block: Vec<u8>,
}

/// Why bytes are not a message.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The stream ended between two frames.
    #[error("the stream ended")]
    Closed,
    /// The stream ended inside a frame.
    #[error("the stream ended after {got} of {want} bytes of {part}")]
    Truncated {
        /// The part of the frame.
        part: &'static str,
        /// Bytes that came.
        got: u64,
        /// Bytes announced.
        want: u64,
    },
    /// The bytes do not begin a frame.
    #[error("expected a frame, got {0:?}")]
    NotAFrame(String),
    /// A part is announced longer than is allowed.
    #[error("a {part} of {bytes} bytes is announced, at most {limit} are allowed")]
    TooLong {
        /// The part of the frame.
        part: &'static str,
        /// Bytes announced.
        bytes: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The header is not JSON, or not a message.
    #[error("header: {0}")]
    Header(String),
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl WireError {
    /// Something in a header that is not a message.
    pub(crate) fn header(what: impl std::fmt::Display) -> WireError {
        WireError::Header(what.to_string())
    }
}

impl From<WireError> for Fault {
    fn from(error: WireError) -> Fault {
        Fault::Protocol(error.to_string())
    }
}

/// Writes a frame and flushes.
///
/// # Errors
/// [`WireError::TooLong`] before anything is written; [`WireError::Io`] of the stream.
pub fn write_frame(out: &mut impl Write, frame: &Frame, limits: Limits) -> Result<(), WireError> {
    let header = serde_json::to_vec(&frame.header).map_err(WireError::header)?;
    let length = bounded("header", header.len() as u64, limits.header.into())?;
    let block = bounded("block", frame.block.len() as u64, limits.block)?;
    let mut start = Vec::with_capacity(16 + header.len());
    start.extend_from_slice(&MAGIC);
    start.extend_from_slice(&(length as u32).to_le_bytes());
    start.extend_from_slice(&block.to_le_bytes());
    start.extend_from_slice(&header);
    out.write_all(&start)?;
    out.write_all(&frame.block)?;
    Ok(out.flush()?)
}

/// Reads the next frame.
///
/// # Errors
/// [`WireError::Closed`] at the end of the stream, and the reason why what stands there is no frame.
pub fn read_frame(input: &mut impl Read, limits: Limits) -> Result<Frame, WireError> {
    let start = start(input)?;
    let (header, block) = start[MAGIC.len()..].split_at(4);
    let header = bounded("header", little_endian(header), limits.header.into())?;
    let block = bounded("block", little_endian(block), limits.block)?;
    let header = exactly(input, "the header", header)?;
    let header = serde_json::from_slice(&header).map_err(WireError::header)?;
    Ok(Frame { header, block: exactly(input, "the block", block)? })
}

fn bounded(part: &'static str, bytes: u64, limit: u64) -> Result<u64, WireError> {
    if bytes > limit { Err(WireError::TooLong { part, bytes, limit }) } else { Ok(bytes) }
}

fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte))
}

/// The sixteen bytes. Noise is told by its first byte, so that the reader never waits for more of it.
fn start(input: &mut impl Read) -> Result<[u8; 16], WireError> {
    let mut start = [0; 16];
    let mut got = 0;
    while got < start.len() {
        match input.read(&mut start[got..]) {
            Ok(0) if got == 0 => return Err(WireError::Closed),
            Ok(0) => {
                return Err(WireError::Truncated { part: "a frame", got: got as u64, want: 16 });
            }
            Ok(n) => got += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        let seen = got.min(MAGIC.len());
        if start[..seen] != MAGIC[..seen] {
            return Err(WireError::NotAFrame(String::from_utf8_lossy(&start[..got]).into_owned()));
        }
    }
    Ok(start)
}

/// Memory is taken as the bytes come, not as they are announced.
fn exactly(input: &mut impl Read, part: &'static str, want: u64) -> Result<Vec<u8>, WireError> {
    let mut bytes = Vec::new();
    let got = input.take(want).read_to_end(&mut bytes)? as u64;
    if got < want { Err(WireError::Truncated { part, got, want }) } else { Ok(bytes) }
}
