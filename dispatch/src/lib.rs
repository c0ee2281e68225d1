//! The vocabulary of calls, and the dispatch of a call from a host to a backend.
//!
//! A **backend answers calls**: an AnnData and parameters in, the slots written out. This crate holds
//! the [`Value`]s that cross that boundary, the [`Dataset`] of named slots, the [`Signature`] of a
//! function, and the [`Backend`] trait. On them stands the machinery with which a **host** library offers its
//! functions to backends. It names no function and judges no answer.
//!
//! # Manual for the author of a host
//!
//! **1. One [`Dispatcher`] for your library.** It holds the names: backends you trust and how to install them,
//! names you reserve, and how to find what is installed. Finding happens at the first need.
//!
//! ```
//! use dispatch::{Dispatcher, Trusted};
//! let host = Dispatcher::builder("mylib")
//!     .trust(Trusted::new("fast", "pip install mylib-fast"))
//!     .reserve("gpu", "name the backend, not the device")
//!     .sink(|_event| {}) // the default writes to standard error
//!     .build()
//!     .unwrap();
//! let error = host.set_backend("fats").unwrap_err();
//! assert!(error.to_string().contains("did you mean `fast`?"));
//! let error = host.set_backend("fast").unwrap_err();
//! assert_eq!((error.kind(), error.to_string().contains("pip install mylib-fast")), ("ImportError", true));
//! ```
//!
//! **2. A [`Function`] for each function you offer.** Its [`Signature`] is what users see, its [`Semantics`] is what
//! no signature says: which parameters change the answer, so that a backend without them may not be asked.
//!
//! ```
//! use dispatch::{Function, Param, Reply, Semantics, Signature, Value};
//! let signature = Signature::new([Param::required("adata"), Param::optional("seed", Value::None)]);
//! let semantics = Semantics::new(["seed"]).neutral(["n_jobs"]);
//! let f = Function::new("f", signature, semantics, |call| Ok(Reply::returning(Value::Int(1)))).unwrap();
//! assert_eq!(f.name(), "f");
//! ```
//!
//! **3. Calls go through [`Dispatcher::call`].** Arguments are bound to *your* signature, whoever answers, and
//! travel by name. Who answers: the call's own choice, else the scope's, else the global one, else you. The
//! [`Answer`] says who it was and what was lost on the way.
//!
//! ```
//! # use std::sync::Arc;
//! # use dispatch::*;
//! # struct Fast(Manifest);
//! # impl Backend for Fast {
//! #     fn manifest(&self) -> &Manifest { &self.0 }
//! #     fn run(&self, call: &Call) -> Result<Reply, Fault> { Ok(Reply::returning(call.params["b"].clone())) }
//! # }
//! # let manifest = Manifest {
//! #     name: "fast".into(), version: "1".into(), summary: String::new(), device: Device::Cpu,
//! #     functions: [("f".into(), Signature::new(["adata", "b", "a"].map(Param::required)))].into(),
//! #     artifact: Digest::of_bytes(b""),
//! # };
//! # let host = Dispatcher::builder("mylib").sink(|_| {}).build().unwrap();
//! # host.register(Provider::loaded(Arc::new(Fast(manifest))));
//! let signature = Signature::new(["adata", "a", "b"].map(Param::required));
//! let f = Function::new("f", signature, Semantics::default(), |_| unreachable!()).unwrap();
//! let arguments = vec![Value::Data(Dataset::new().into()), Value::Int(1), Value::Int(2)];
//! let scope = host.use_backend("fast").unwrap(); // this thread, until `scope` is dropped
//! let answer = host.call(&f, arguments, Params::new(), None).unwrap();
//! assert_eq!(answer.by, "fast"); // whose signature is f(adata, b, a)
//! assert_eq!(answer.reply.data.get("result"), Some(&Value::Int(2)));
//! ```
//!
//! **4. Ask before you promise.** [`dispatchable`] says from two signatures whether calls may be handed over: yes,
//! with warnings, or no, with findings that each cite a [`Rule`] of the contract.
//!
//! The whole contract is `dispatch/CONTRACT.md`; `dispatch/examples/host.rs` is a host with two backends.
//!
//! # Manual for the author of a backend
//!
//! Implement [`Backend`], or fill a [`Table`] with [`Entry`]s. Take the host's parameter names and defaults; keep your
//! own parameters keyword-only; refuse bad input with [`Fault::rejected`] and the host's exception class; write
//! nothing but the slots in your [`Reply`]. If you call the host while you answer, you reach the host.
//!
//! A backend that may crash, or is written in Python, lives in a process of its own: [`worker::Worker`] is a backend made of
//! such processes, [`wire`] is what they speak.

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
pub mod wire;
pub mod worker;

pub use backend::{Backend, Device, Entry, Manifest, Table};
pub use bind::{BindError, Bound, bind, bind_open};
pub use buffer::{Buffer, Dtype};
pub use call::{Call, Params, Phase, Reply, Traffic, Warning, Witness};
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
