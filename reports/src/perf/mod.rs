//! Speed: what was measured ([`PerfLog`], the file `perf.json`) and what follows from it.
//!
//! The log keeps raw samples and what became of each lane; everything else is a pure function of it, so that another
//! way to judge can be applied to old measurements. [`compare`](compare::comparisons) gives each ratio with an interval and a
//! verdict, [`scaling`] how time grows and where two backends cross, [`history`] what changed from run to run. A number is
//! printed only of answers that were judged right: a lane with a wrong answer has a [`Fate`] and no samples.

pub mod compare;
pub mod export;
pub mod history;
mod html;
mod interval;
mod log;
pub mod scaling;
mod text;

pub use html::html;
pub use interval::Interval;
pub use log::{
    Ceilings, Cold, Contender, Environment, Fate, Judged, Lane, PERF_FORMAT, PerfError, PerfLog,
    Sample, Settings, Work, Workload,
};
pub use text::text;
