//! What faults cost: a thousand calls, then a thousand of which every twentieth misbehaves, in six ways in turn.
//!
//! ```sh
//! export PYTHONPATH=python/src
//! cargo run --release -p dispatch --example faults -- \
//!     faulty python3 -m concord_worker --adapter python/probes/faulty.py --forks
//! ```
//!
//! With `CONCORD_WORK=squidpy.gr:spatial_autocorr` each call is one of squidpy too. Fails if a fault is told of another call than its own, an
//! innocent call has no answer, or a process is left.

mod shared;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use dispatch::worker::Worker;
use dispatch::{Backend, Call, Dataset, Fault, Params, Reply, Value};

const CALLS: usize = 1000;
const THREADS: usize = 2;
const FAULTS: [&str; 6] = ["crash", "hang", "hog", "garbage", "noise", "exit"];
/// How long a call may take that answers, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one may take that hangs: it costs its whole deadline, whatever that is.
const HANG: Duration = Duration::from_millis(50);
/// The variable by which processes of this run are known.
const MARK: &str = "CONCORD_FAULTS_RUN";

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool, Fault> {
    let (function, mut launch) = shared::arguments();
    let mark = std::process::id().to_string();
    launch.env.push((MARK.into(), mark.clone().into()));
    launch.memory = Some(8 << 30);
    let worker = Worker::start(launch)?;
    println!("{}", worker.manifest().summary);
    let data = shared::data();
    let usual = |_: usize| "answer";
    let faulty = |i: usize| if i % 20 == 7 { FAULTS[i / 20 % FAULTS.len()] } else { "answer" };
    // The processes start and their caches fill before anything is measured.
    calls(&worker, &function, &data, 20, usual);
    let mut times = Vec::new();
    let mut wrong = 0;
    for (name, how) in
        [("clean", &usual as &(dyn Fn(usize) -> &'static str + Sync)), ("faults", &faulty)]
    {
        let (start, before) = (Instant::now(), shared::processor());
        let (outcomes, took): (Vec<_>, Vec<_>) =
            calls(&worker, &function, &data, CALLS, how).into_iter().unzip();
        let spent = |side: usize, after: [Duration; 2]| (after[side] - before[side]).as_secs_f64();
        let after = shared::processor();
        times.push([start.elapsed().as_secs_f64(), spent(0, after) + spent(1, after)]);
        let bad = outcomes.iter().enumerate().filter(|(i, outcome)| !is_right(how(*i), outcome));
        for (i, outcome) in bad {
            wrong += 1;
            println!("call {i}, {}: {:?}", how(i), outcome.as_ref().map(|reply| &reply.unsteady));
        }
        let answered = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let [wall, processor] = times[times.len() - 1];
        println!(
            "{name}: {CALLS} calls in {wall:.2} s, {processor:.2} s of processors; {answered} answered"
        );
        for kind in ["answer"].iter().chain(&FAULTS) {
            let times: Vec<_> = (0..CALLS).filter(|i| how(*i) == *kind).map(|i| took[i]).collect();
            if let Some(mean) = times.iter().sum::<Duration>().checked_div(times.len() as u32) {
                println!("  {} x {kind}: {:.1} ms each", times.len(), mean.as_secs_f64() * 1e3);
            }
        }
    }
    drop(worker);
    let left = left(&mark);
    let ratio = |of: usize| times[1][of] / times[0][of];
    println!("{:.2} times the clean run, {:.2} times its processor time", ratio(0), ratio(1));
    println!("{wrong} outcomes of the wrong call; processes left: {left:?}");
    Ok(wrong == 0 && left.is_empty())
}

/// The outcomes of so many calls, made on several threads, in order, and how long each took.
fn calls(
    worker: &Worker,
    function: &str,
    data: &Dataset,
    count: usize,
    how: impl Fn(usize) -> &'static str + Sync,
) -> Vec<(Result<Reply, Fault>, Duration)> {
    let ask = |i| {
        let params = Params::from([("how".to_owned(), Value::from(how(i)))]);
        let call = Call::new(function, data.clone(), params);
        let deadline = if how(i) == "hang" { HANG } else { PATIENCE };
        let start = Instant::now();
        (i, (worker.run_within(&call, deadline), start.elapsed()))
    };
    let share = |first: usize| (first..count).step_by(THREADS).map(ask).collect::<Vec<_>>();
    let mut outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || share(first))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect::<Vec<_>>()
    });
    outcomes.sort_by_key(|(i, _)| *i);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

fn is_right(how: &str, outcome: &Result<Reply, Fault>) -> bool {
    match (how, outcome) {
        ("answer" | "noise", Ok(reply)) => reply.unsteady.is_none(),
        ("hang", Err(Fault::TimedOut(_))) | ("hog", Err(Fault::OutOfMemory(_))) => true,
        ("garbage", Err(Fault::Protocol(_))) | ("crash" | "exit", Err(Fault::Crashed { .. })) => {
            true
        }
        _ => false,
    }
}

/// Processes of this run that live, and zombies of this process.
fn left(mark: &str) -> Vec<u32> {
    let marked = format!("{MARK}={mark}\0").into_bytes();
    let is_marked = |pid: u32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(marked.len()).any(|window| window == marked)
    };
    let is_zombie = |pid| shared::parent(pid) == Some((std::process::id(), 'Z'));
    shared::processes().filter(|&pid| is_marked(pid) || is_zombie(pid)).collect()
}
