//! `co_occurrence` on a device: exact counts of pairs by the kernel `cooc_count`, ratios as the reference takes them.

use dispatch::{Dataset, Fault, Params, Reply};
use reference::co_occurrence::{Counts, Task};

use crate::Gpu;
use crate::driver::Grid;
use crate::plan::Plan;
use crate::session::{Buffer, Session};

/// Levels that one launch can tell apart, and its slots.
const LEVELS: usize = 64;
const SLOTS: usize = LEVELS + 1;
/// Words of a task of the kernel.
const WORDS: usize = 6;
/// Threads of a block.
const THREADS: usize = 256;
/// Most cells that one thread meets in a task: its counters have 16 bits.
const REACH: usize = 65_024;
/// Most tasks of a launch.
const TASKS: usize = 1 << 20;

pub(crate) fn run(gpu: &Gpu, data: &Dataset, params: &Params) -> Result<Reply, Fault> {
    let task = Task::read(data, params)?;
    gpu.call(|session| Ok(task.reply(counts(session, &task)?.ratios())))
}

/// The ordered pairs within each threshold, as [`Task::counts`] of the reference defines them.
///
/// # Errors
/// Those of the device.
pub fn counts(session: &mut Session<'_>, task: &Task) -> Result<Counts, Fault> {
    let (k, bins) = (task.k, task.thresholds.len());
    let (cells, starts) = by_label(task);
    let most = starts.windows(2).map(|ends| ends[1] - ends[0]).max().unwrap_or(0);
    let block = Grid::block(most, THREADS);
    let tasks = tasks(&starts, block, REACH);
    let mut counts = Counts { k, bins, n: vec![0; k * k * bins] };
    if tasks.is_empty() {
        return Ok(counts);
    }
    let plan = Plan {
        function: "co_occurrence",
        throughout: &[("cells", size_of_val(&cells[..])), ("counts", 8 * k * k * SLOTS)],
        each: ("one task", 2 * 8 * WORDS),
    };
    let batch = WORDS * plan.batch(session)?.min(TASKS);
    let cells = session.upload(&cells)?;
    let slots = session.undefined(k * k * SLOTS)?;
    // Thresholds in ascending order, as many at a time as the kernel holds; NaN holds no pair.
    let mut order: Vec<usize> = (0..bins).filter(|r| !task.thresholds[*r].is_nan()).collect();
    order.sort_by(|a, b| task.thresholds[*a].total_cmp(&task.thresholds[*b]));
    for window in order.chunks(LEVELS) {
        let levels: Vec<f32> = window.iter().map(|r| task.thresholds[*r]).collect();
        session.scope(|session| {
            let levels = session.upload(&levels)?;
            session.clear(slots)?;
            session.pipeline(
                tasks.len().div_ceil(batch),
                |session, i| session.upload(&tasks[i * batch..tasks.len().min((i + 1) * batch)]),
                |session, _, tasks| pairs(session, block, cells, *tasks, levels, slots),
                |_, _, ()| Ok(()),
            )
        })?;
        merge(&mut counts, window, &session.download(slots)?);
    }
    Ok(counts)
}

/// Adds the pairs of some tasks to `slots`, by pair of labels and number of levels that a pair lies beyond.
fn pairs(
    session: &mut Session<'_>,
    block: usize,
    cells: Buffer<f32>,
    tasks: Buffer<u64>,
    levels: Buffer<f32>,
    slots: Buffer<u64>,
) -> Result<(), Fault> {
    let grid = Grid { across: (tasks.len() / WORDS) as u32, down: 1, block: block as u32 };
    let arguments = [cells.into(), tasks.into(), levels.into(), levels.len().into(), slots.into()];
    session.launch("cooc_count", grid, &arguments)
}

/// Positions as (x, y) in turn, sorted by label, and where each label starts.
fn by_label(task: &Task) -> (Vec<f32>, Vec<usize>) {
    let mut starts = vec![0; task.k + 1];
    task.labels.iter().for_each(|&label| starts[label as usize + 1] += 1);
    (0..task.k).for_each(|label| starts[label + 1] += starts[label]);
    let (mut next, mut cells) = (starts.clone(), vec![0.0; 2 * task.labels.len()]);
    for ((&label, &x), &y) in task.labels.iter().zip(&task.x).zip(&task.y) {
        let at = &mut next[label as usize];
        (cells[2 * *at], cells[2 * *at + 1]) = (x, y);
        *at += 1;
    }
    (cells, starts)
}

/// The kernel's tasks: every pair of labels a <= b, by blocks of cells of a and at most `reach` cells of b.
fn tasks(starts: &[usize], block: usize, reach: usize) -> Vec<u64> {
    let k = starts.len() - 1;
    let mut tasks = Vec::new();
    for a in 0..k {
        for b in a..k {
            for a0 in (starts[a]..starts[a + 1]).step_by(block) {
                let a1 = starts[a + 1].min(a0 + block);
                // Within a label a cell meets only those after it.
                let first = if a == b { a0 } else { starts[b] };
                for b0 in (first..starts[b + 1]).step_by(reach) {
                    let b1 = starts[b + 1].min(b0 + reach);
                    tasks
                        .extend([a0, a1, b0, b1, a * k + b, usize::from(a == b)].map(|w| w as u64));
                }
            }
        }
    }
    tasks
}

/// From pairs by slot to ordered pairs within each threshold of the window.
fn merge(counts: &mut Counts, window: &[usize], slots: &[u64]) {
    let (k, bins) = (counts.k, counts.bins);
    for a in 0..k {
        for b in a..k {
            // An unordered pair is two ordered ones, on the diagonal both in the same place.
            let weight = if a == b { 2 } else { 1 };
            let mut within = 0;
            for (slot, &r) in window.iter().enumerate() {
                within += weight * slots[(a * k + b) * SLOTS + slot];
                counts.n[(a * k + b) * bins + r] = within;
                counts.n[(b * k + a) * bins + r] = within;
            }
        }
    }
}
