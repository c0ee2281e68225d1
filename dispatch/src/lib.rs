//! The vocabulary of calls: what a caller and a backend say to each other.
//!
//! A **backend answers calls**: an AnnData and parameters in, the slots written out. This crate holds
//! the [`Value`]s that cross that boundary, the [`Dataset`] of named slots, the [`Signature`] of a
//! function, and the [`Backend`] trait. It names no function and judges no answer.

#![forbid(unsafe_code)]

mod backend;
mod bind;
mod buffer;
mod call;
mod contract;
mod dataset;
mod defaults;
mod digest;
mod dispatcher;
mod equality;
mod error;
mod event;
mod fault;
mod frame;
mod function;
mod invoke;
pub mod json;
mod label;
mod provider;
mod registry;
mod route;
mod rule;
mod scope;
mod semantics;
mod signature;
mod sparse;
mod value;

pub use backend::{Backend, Device, Entry, Manifest, Table};
pub use bind::{BindError, Bound, bind, bind_open};
pub use buffer::{Buffer, Dtype};
pub use call::{Call, Params, Phase, Reply, Warning, Witness};
pub use contract::{Assessment, Finding, Severity, Verdict, dispatchable};
pub use dataset::Dataset;
pub use defaults::{Comparison, compare_defaults};
pub use digest::Digest;
pub use dispatcher::{Builder, Dispatcher, Offered};
pub use equality::python_equal;
pub use error::DispatchError;
pub use event::{Event, Sink, to_stderr};
pub use fault::Fault;
pub use frame::{Frame, Index};
pub use function::Function;
pub use invoke::{Answer, BACKEND_KWARGS, Notes, Prepared};
pub use provider::{Origin, Provider, Trusted};
pub use registry::HOST;
pub use route::{Defaulted, DropReason, Dropped, Plan, Routed, route};
pub use rule::Rule;
pub use scope::{Scope, Scoped};
pub use semantics::{Proof, Semantics};
pub use signature::{DefaultValue, Kind, Param, Signature};
pub use sparse::{Format, Indices, Sparse};
pub use value::{Categorical, Dense, Map, Masked, Order, Strings, Value, text_of};
