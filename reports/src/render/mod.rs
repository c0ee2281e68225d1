//! The log as a person reads it: on a terminal ([`text`]), on a pull request ([`markdown`]), and
//! as a program reads it ([`json_summary`]).
//!
//! Each is a pure function of the log, so the same log gives the same bytes. All three show one
//! [`Tally`], so they cannot disagree. Nothing in a log is trusted: names and values may come from
//! the backend under examination, and are escaped for the place where they are shown.

mod badge;
mod github;
mod html;
mod json;
mod junit;
mod markdown;
mod page;
mod phrase;
mod tally;
mod text;

pub use badge::{badge_endpoint, badge_svg};
pub use github::annotations;
pub use html::{Listed, html, index};
pub(crate) use html::{brief, page};
pub use json::{SUMMARY_FORMAT, json_summary};
pub use junit::junit;
pub use markdown::markdown;
pub use phrase::ruling;
pub use tally::{Failure, FunctionTally, Note, Spread, Tally};
pub use text::{Style, text};
