//! Recipes: one line of text that builds one call, the same bytes on every machine.
//!
//! A [`Generator`] is a function under test with its [`Knob`]s; a [`Recipe`] chooses one level of each knob and
//! a seed, and [`Recipe::build`] makes the AnnData and the arguments. The line of text is the name of the
//! case, its reproducer, and the thing that is shrunk. This crate knows what input is hard; it does not know
//! a single right answer, and it does not see the reference.
//!
//! ```
//! use generators::{Recipe, generator};
//! let moran = generator("spatial_autocorr").unwrap();
//! let recipe = Recipe::parse(moran, "cells=17 graph=delaunay isolated=last dtype=f32 seed=4").unwrap();
//! let call = recipe.build();
//! assert_eq!((call.data.n_obs(), call.data.n_vars()), (17, 2));
//! assert_eq!(recipe.build().digest(), call.digest());
//! ```
//!
//! Where recipes come from: [`plan::pairwise`] lists the few that together meet every pair of levels,
//! [`strategy::recipes`] draws them for proptest and shrinks them one knob at a time. [`parts`] are the building
//! blocks, of use on real files too; [`sized`] makes inputs of any size for measuring.

#![forbid(unsafe_code)]

mod co_occurrence;
mod knob;
mod ligrec;
pub mod parts;
pub mod plan;
mod random;
mod recipe;
pub mod sized;
mod spatial_autocorr;
pub mod strategy;

pub use co_occurrence::CO_OCCURRENCE;
pub use knob::{Generator, Knob, Levels, Rung};
pub use ligrec::LIGREC;
pub use random::{Poisson, Random};
pub use recipe::{Recipe, RecipeError};
pub use spatial_autocorr::SPATIAL_AUTOCORR;

/// Every function that recipes exist for.
pub const GENERATORS: &[&Generator] = &[&SPATIAL_AUTOCORR, &CO_OCCURRENCE, &LIGREC];

/// The generator of a function, by its public name.
pub fn generator(function: &str) -> Option<&'static Generator> {
    GENERATORS.iter().copied().find(|g| g.function == function)
}
