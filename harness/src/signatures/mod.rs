//! What may be handed over between two libraries, read from their signatures alone: `concord check`.
//!
//! - [`Library`] is a set of described functions: a stored dump (`squidpy@1.8.3`), a dump in a file, or
//!   the manifest of a backend that runs here. Dumps are written by `concord-signatures` (`python/`).
//! - [`semantics`] adds what no signature says: which parameters change the answer, and what probes of the host
//!   showed about defaults.
//! - [`Comparison`] pairs the functions and asks [`dispatch::dispatchable`] about each pair; [`text`] and
//!   [`sarif`] show it.

mod comparison;
mod library;
pub mod sarif;
mod semantics;
pub mod text;

pub use comparison::{Comparison, Place, Row, Summary};
pub use library::{Described, Library, STORED};
pub use semantics::semantics;

/// The last part of a dotted name: `sepal` of `gr.sepal`.
fn short(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, last)| last)
}
