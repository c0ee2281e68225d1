//! `concord serve`

use std::fs::File;

use anyhow::{Context, Result};
use clap::Args;
use dispatch::wire;

use crate::backends;

/// Answers calls for another process: speaks the worker protocol (`dispatch/PROTOCOL.md`) on standard input and output.
#[derive(Args)]
pub(super) struct Serve {
    /// The backend that answers (`concord list` shows the names)
    backend: String,
}

impl Serve {
    pub(super) fn run(&self) -> Result<u8> {
        // A backend that prints must not break the protocol: the stream is kept, and descriptor 1 becomes standard error.
        let output = rustix::io::dup(rustix::stdio::stdout()).context("keep standard output")?;
        rustix::stdio::dup2_stdout(rustix::stdio::stderr()).context("redirect standard output")?;
        let backend = backends::open(&self.backend)?.backend;
        // The caller has gone; whatever is being computed, nobody waits for it.
        let gone = || std::process::exit(0);
        wire::serve(backend.as_ref(), std::io::stdin(), File::from(output), gone)?;
        Ok(0)
    }
}
