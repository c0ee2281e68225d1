//! The vocabulary of calls: what a caller and a backend say to each other.
//!
//! A **backend answers calls**: an AnnData and parameters in, the slots written out. This crate holds
//! the [`Value`]s that cross that boundary, the [`Dataset`] of named slots, the [`Signature`] of a
//! function, and the [`Backend`] trait. It names no function and judges no answer.

#![forbid(unsafe_code)]

mod backend;
mod buffer;
mod call;
mod dataset;
mod digest;
mod fault;
mod frame;
pub mod json;
mod signature;
mod sparse;
mod value;

pub use backend::{Backend, Device, Entry, Manifest, Table};
pub use buffer::{Buffer, Dtype};
pub use call::{Call, Params, Phase, Reply, Warning, Witness};
pub use dataset::Dataset;
pub use digest::Digest;
pub use fault::Fault;
pub use frame::{Frame, Index};
pub use signature::{DefaultValue, Kind, Param, Signature};
pub use sparse::{Format, Indices, Sparse};
pub use value::{Categorical, Dense, Map, Masked, Order, Strings, Value, text_of};
