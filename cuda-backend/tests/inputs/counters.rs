//! A launch that counts further than any input of a test's size would.

use cuda_backend::context::Context;
use cuda_backend::driver::Grid;
use cuda_backend::emulated::Emulated;
use cuda_backend::session::Session;
use dispatch::Fault;

/// Counters that start at 2^32 - 1, and a label that one cell of another meets 66,000 times, in two tasks: what takes 93,000
/// cells of one label to count.
pub(crate) fn full_counters(device: Emulated) -> Result<Vec<u64>, Fault> {
    let mut context = Context::new(Box::new(device));
    let mut session = Session::new(&mut context);
    let cells = session.upload(&vec![0f32; 2 * 66_001])?;
    let tasks = session.upload(&[0u64, 1, 1, 65_025, 0, 0, 0, 1, 65_025, 66_001, 0, 0])?;
    let levels = session.upload(&[1f32])?;
    let mut before = vec![0; 65];
    before[0] = u64::from(u32::MAX);
    let counts = session.upload::<u64>(&before)?;
    let arguments = [cells.into(), tasks.into(), levels.into(), 1usize.into(), counts.into()];
    session.launch("cooc_count", Grid { across: 2, down: 1, block: 32 }, &arguments)?;
    session.download(counts)
}
