//! The building blocks of datasets: graphs, expression values, labels, coordinates, interactions.
//!
//! They take plain numbers and names and return the values that stand in an AnnData, so they can also be laid over a
//! real file: a star graph on its cells, an unused category among its labels.

pub mod annotated;
pub mod coordinates;
pub mod expression;
pub mod graph;
pub mod interactions;
pub mod labels;
mod triangulation;
