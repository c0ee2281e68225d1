//! What the examples that measure workers have in common: how one is started, an input, and the processor time taken.

use std::time::Duration;

use dispatch::worker::Launch;
use dispatch::{Categorical, Dataset, Dense, Frame, Index, Sparse};

pub(crate) const CELLS: usize = 64;
pub(crate) const GENES: usize = 8;

/// `FUNCTION PROGRAM [ARGUMENT ...]`; a last argument `--forks` is not passed on but said to Concord.
pub(crate) fn arguments() -> (String, Launch) {
    let mut args = std::env::args().skip(1);
    let (Some(function), Some(program)) = (args.next(), args.next()) else {
        eprintln!("expected: FUNCTION PROGRAM [ARGUMENT ...] [--forks]");
        std::process::exit(2);
    };
    let mut launch = Launch::new(program);
    launch.args = args.map(Into::into).collect();
    launch.forks = launch.args.pop_if(|last| last == "--forks").is_some();
    (function, launch)
}

/// Processor time so far: of this process, and of all that it or they started and that live.
pub(crate) fn processor() -> [Duration; 2] {
    let me = std::process::id();
    let parents: Vec<(u32, u32)> =
        processes().filter_map(|pid| Some((pid, parent(pid)?.0))).collect();
    let mut below = vec![me];
    let mut at = 0;
    while let Some(&above) = below.get(at) {
        let children = parents.iter().filter(|(_, parent)| *parent == above);
        below.extend(children.map(|(pid, _)| pid));
        at += 1;
    }
    [spent(me), below[1..].iter().copied().map(spent).sum()]
}

/// Every process that is seen from here.
pub(crate) fn processes() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The parent of a process, and its state as one letter.
pub(crate) fn parent(pid: u32) -> Option<(u32, char)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit(')').next()?.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

/// Of all its threads and of the children that it has reaped; the kernel tells it in hundredths of a second.
fn spent(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // Fields 14 to 17 of the file, counted from 1; the third is the first behind the name.
    let ticks: u64 = fields.skip(11).take(4).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// 64 cells on a ring, 8 genes in float32, a graph with two neighbours a cell, and three clusters.
pub(crate) fn data() -> Dataset {
    let labels = |prefix: &str, n: usize| Index::text((0..n).map(|i| format!("{prefix}{i}")));
    let clusters = Categorical::new((0..CELLS as i32).map(|i| i % 3).collect(), ["a", "b", "c"]);
    let none: [(&str, dispatch::Value); 0] = [];
    let x: Vec<f32> = (0..CELLS * GENES).map(|i| ((i * 37 + i / 7) % 11) as f32).collect();
    let ring = |i: usize| [(i + CELLS - 1) % CELLS, (i + 1) % CELLS];
    let mut neighbours: Vec<i32> = Vec::new();
    for i in 0..CELLS {
        let mut both = ring(i).map(|j| j as i32);
        both.sort_unstable();
        neighbours.extend(both);
    }
    let starts = (0..=CELLS as i32).map(|i| 2 * i).collect();
    let graph = Sparse::csr((CELLS, CELLS), starts, neighbours, vec![1f32; 2 * CELLS]);
    let mut data = Dataset::new();
    data.set("X", Dense::new(vec![CELLS, GENES], x).into());
    data.set("obs", Frame::new(labels("cell", CELLS), [("cluster", clusters.into())]).into());
    data.set("var", Frame::new(labels("gene", GENES), none).into());
    data.set("obsp/spatial_connectivities", graph.into());
    data
}
