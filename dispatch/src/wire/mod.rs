//! The protocol of a backend in another process: frames, and the messages in them.
//!
//! Backends crash, and print, and hang; what they write is read as if an enemy had written it. Every length is
//! bounded before memory is taken for it, and whatever is not a message is a [`WireError`], never a panic and never
//! a wait for more. The text for authors of workers in other languages is `dispatch/PROTOCOL.md`.

mod frame;
mod message;
mod serve;

pub use frame::{Frame, Limits, MAGIC, WireError, read_frame, write_frame};
pub use message::{PROTOCOL, Request, Response};
pub use serve::serve;
