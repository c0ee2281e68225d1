//! Processes that misbehave in every way cost one call each and leave nothing behind.
//!
//! The test program is its own worker: started with [`FAKE`] set, it answers calls of `f` as their parameter `how` says.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use dispatch::worker::{Launch, Worker};
use dispatch::{Backend, Call, Dataset, Fault, Params, Reply, Value};
use libtest_mimic::{Arguments, Failed, Trial};

/// The variable that turns this program into a worker.
const FAKE: &str = "CONCORD_FAKE_WORKER";

/// Long enough for any machine; only what hangs on purpose waits for a deadline, and says which.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> std::process::ExitCode {
    if let Ok(manner) = std::env::var(FAKE) {
        return fake::run(&manner);
    }
    let trials: [(&str, fn()); 16] = [
        ("answers_are_the_backends", answers),
        ("a_crash_costs_one_call_and_names_the_signal", crash),
        ("exit_without_an_answer_is_a_crash", exit),
        ("a_hang_ends_at_the_deadline", hang),
        ("only_the_first_call_has_time_to_compile", compilation),
        ("a_process_that_reads_nothing_ends_at_the_deadline", deaf),
        ("garbage_is_a_protocol_fault", garbage),
        ("a_cut_frame_is_a_crash", cut),
        ("memory_is_limited", hog),
        ("what_an_earlier_call_broke_is_asked_again_alone", poisoned),
        ("a_worker_that_cannot_introduce_itself_is_an_error", introductions),
        ("no_process_is_left", nothing_left),
        ("one_in_twenty_faults_hits_its_own_call_only", many),
        ("a_seed_forks_processes_that_fail_alone", seed),
        ("a_spare_that_died_is_not_taken_for_the_fault_of_a_call", dead_spares),
        ("a_seed_that_does_not_load_says_why", bad_seed),
    ];
    let trials = trials.map(|(name, test)| Trial::test(name, move || guarded(test)));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn guarded(test: fn()) -> Result<(), Failed> {
    std::panic::catch_unwind(test).map_err(|_| "panicked; the message stands above".into())
}

fn launch(manner: &str) -> Launch {
    let mut launch = Launch::new(std::env::current_exe().unwrap());
    launch.env.push((FAKE.into(), manner.into()));
    launch
}

fn worker() -> Worker {
    Worker::start(launch("usual")).unwrap()
}

fn ask(worker: &Worker, how: &str) -> Result<Reply, Fault> {
    ask_within(worker, how, PATIENCE)
}

fn ask_within(worker: &Worker, how: &str, deadline: Duration) -> Result<Reply, Fault> {
    let params = Params::from([("how".to_owned(), Value::from(how))]);
    worker.run_within(&Call::new("f", Dataset::new(), params), deadline)
}

/// The process that answered.
fn pid(reply: &Reply) -> i64 {
    match reply.data.get("result") {
        Some(Value::Int(pid)) => *pid,
        other => panic!("{other:?}"),
    }
}

fn is_running(pid: i64) -> bool {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::test_kill_process(pid).is_ok()
}

fn answers() {
    let worker = worker();
    assert_eq!(worker.manifest().name, "fake");
    let first = ask(&worker, "answer").unwrap();
    assert_eq!(pid(&ask(&worker, "answer").unwrap()), pid(&first), "the process is kept warm");
    let refused = ask(&worker, "refuse").unwrap_err();
    assert!(matches!(refused, Fault::Rejected { ref bases, .. } if bases == &["ValueError"]));
    assert_eq!(pid(&ask(&worker, "answer").unwrap()), pid(&first), "a refusal costs nothing");
}

fn crash() {
    let worker = worker();
    let first = pid(&ask(&worker, "answer").unwrap());
    for (how, signal) in [("abort", "SIGABRT"), ("segfault", "SIGSEGV")] {
        let Fault::Crashed { status, stderr } = ask(&worker, how).unwrap_err() else { panic!() };
        assert!(status.contains(signal), "{status}");
        assert!(stderr.contains("about to die"), "{stderr}");
        let after = ask(&worker, "answer").unwrap();
        assert!(after.unsteady.is_none() && pid(&after) != first);
    }
}

fn exit() {
    let fault = ask(&worker(), "exit").unwrap_err();
    assert!(
        matches!(fault, Fault::Crashed { ref status, .. } if status.contains("without an answer")),
        "{fault}"
    );
}

fn hang() {
    let worker = worker();
    let short = Duration::from_millis(200);
    assert_eq!(ask_within(&worker, "hang", short), Err(Fault::TimedOut(short)));
    assert!(ask(&worker, "answer").unwrap().unsteady.is_none());
}

/// The first call of a function may compile; the second of the same process may not.
fn compilation() {
    let launch = Launch { compilation: PATIENCE, ..launch("usual") };
    let worker = Worker::start(launch).unwrap();
    let none = Duration::ZERO;
    assert!(ask_within(&worker, "answer", none).is_ok());
    assert_eq!(ask_within(&worker, "hang", none), Err(Fault::TimedOut(none)));
}

fn deaf() {
    let worker = Worker::start(launch("deaf")).unwrap();
    let mut data = Dataset::new();
    // More than any pipe holds, so that the write itself blocks.
    data.set("X", dispatch::Dense::vector(vec![0u8; 4 << 20]).into());
    let short = Duration::from_millis(200);
    let outcome = worker.run_within(&Call::new("f", data, Params::new()), short);
    assert_eq!(outcome, Err(Fault::TimedOut(short)));
}

fn garbage() {
    let worker = worker();
    for (how, says) in [
        ("noise", "Hello"),
        ("oversized", "at most"),
        ("not-json", "header"),
        ("wrong-id", "was asked"),
    ] {
        let fault = ask(&worker, how).unwrap_err();
        assert!(matches!(fault, Fault::Protocol(ref what) if what.contains(says)), "{fault}");
    }
}

fn cut() {
    let fault = ask(&worker(), "cut").unwrap_err();
    assert!(matches!(fault, Fault::Crashed { .. }), "{fault}");
}

fn hog() {
    let limited = Launch { memory: Some(512 << 20), ..launch("usual") };
    let worker = Worker::start(limited).unwrap();
    let fault = ask(&worker, "hog").unwrap_err();
    assert!(matches!(fault, Fault::OutOfMemory(_)), "{fault}");
    assert!(ask(&worker, "answer").is_ok());
}

fn poisoned() {
    let worker = worker();
    ask(&worker, "poison").unwrap();
    let innocent = ask(&worker, "answer").unwrap();
    let why = innocent.unsteady.unwrap();
    assert!(why.contains("had answered f ") && why.contains("SIGABRT"), "{why}");
    assert!(ask(&worker, "answer").unwrap().unsteady.is_none());
}

fn introductions() {
    let missing = Worker::start(Launch::new("/nowhere/at/all")).err().unwrap();
    assert!(
        matches!(missing, Fault::Failed(ref why) if why.contains("/nowhere/at/all")),
        "{missing}"
    );
    let silent = Launch { startup: Duration::from_millis(200), ..launch("silent") };
    assert!(matches!(Worker::start(silent).err().unwrap(), Fault::TimedOut(_)));
    let mute = Worker::start(launch("mute")).err().unwrap();
    assert!(
        matches!(mute, Fault::Crashed { ref stderr, .. } if stderr.contains("no such module")),
        "{mute}"
    );
    let newer = Worker::start(launch("newer")).err().unwrap();
    assert!(matches!(newer, Fault::Protocol(ref what) if what.contains("version 2")), "{newer}");
}

/// Also a child that the backend started, and also after a fault.
fn nothing_left() {
    let worker = worker();
    let process = pid(&ask(&worker, "answer").unwrap());
    let child = pid(&ask(&worker, "child").unwrap());
    assert!(is_running(process) && is_running(child));
    drop(worker);
    assert!(!is_running(process));
    // The child was killed too; who adopted it reaps it in its own time.
    let start = std::time::Instant::now();
    while is_running(child) {
        assert!(start.elapsed() < PATIENCE, "{child} lives");
        std::thread::yield_now();
    }
}

/// A thousand calls on four threads, each of six faults in turn at every twentieth.
fn many() {
    const FAULTS: [&str; 6] = ["abort", "hang", "hog", "noise", "cut", "exit"];
    let limited = Launch { memory: Some(512 << 20), ..launch("usual") };
    let worker = Arc::new(Worker::start(limited).unwrap());
    let how = |i: usize| if i % 20 == 7 { FAULTS[i / 20 % FAULTS.len()] } else { "answer" };
    let patience = |how| if how == "hang" { Duration::from_millis(100) } else { PATIENCE };
    let share = |quarter: usize| {
        let worker = worker.clone();
        let ask = move |i| (i, ask_within(&worker, how(i), patience(how(i))));
        move || (250 * quarter..250 * (quarter + 1)).map(ask).collect::<Vec<_>>()
    };
    let threads: Vec<_> = (0..4).map(|first| std::thread::spawn(share(first))).collect();
    let outcomes: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    assert_eq!(outcomes.len(), 1000);
    for (i, outcome) in outcomes {
        match (how(i), outcome) {
            ("answer", Ok(reply)) => assert_eq!(reply.unsteady, None),
            ("hang", Err(Fault::TimedOut(_))) | ("hog", Err(Fault::OutOfMemory(_))) => {}
            ("noise", Err(Fault::Protocol(_))) => {}
            ("abort" | "cut" | "exit", Err(Fault::Crashed { .. })) => {}
            (how, outcome) => panic!("call {i}, {how}: {outcome:?}"),
        }
    }
}

/// The worker of the standard library, if there is a Python that can be asked to fork.
fn forking(more: &[&str]) -> Option<Launch> {
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 9))";
    let python = std::process::Command::new("python3").args(["-c", new_enough]).status();
    if !python.is_ok_and(|status| status.success()) {
        println!("not run: there is no python3 from 3.9 on");
        return None;
    }
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/worker/forks.py");
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/../python/src");
    let args = [&[here, package], more].concat().into_iter().map(Into::into).collect();
    Some(Launch { args, forks: true, ..Launch::new("python3") })
}

fn seed() {
    let Some(launch) = forking(&[]) else { return };
    let worker = Worker::start(launch).unwrap();
    let loaded = worker.manifest().summary.clone();
    let by = |reply: &Reply| reply.data.get("loaded").and_then(Value::as_text).map(str::to_owned);
    let first = ask(&worker, "answer").unwrap();
    assert_eq!(by(&first), Some(loaded.clone()));
    let Fault::Crashed { status, stderr } = ask(&worker, "crash").unwrap_err() else { panic!() };
    assert!(status.contains("SIGSEGV") && stderr.contains("about to die"), "{status}: {stderr}");
    let Fault::Crashed { status, .. } = ask(&worker, "exit").unwrap_err() else { panic!() };
    assert!(status.contains("exit status: 0"), "{status}");
    let short = Duration::from_millis(200);
    assert_eq!(ask_within(&worker, "hang", short), Err(Fault::TimedOut(short)));
    let after = ask(&worker, "answer").unwrap();
    assert_ne!(pid(&after), pid(&first));
    assert_eq!(by(&after), Some(loaded.clone()), "nothing was loaded again");
    // Its seed is gone, the process answers on; the next one needs another seed.
    ask(&worker, "fell").unwrap();
    ask(&worker, "crash").unwrap_err();
    let after = ask(&worker, "answer").unwrap();
    assert!(after.unsteady.is_none() && by(&after).is_some_and(|by| by != loaded));
    drop(worker);
    for reply in [first, after] {
        assert!(!is_running(pid(&reply)));
    }
}

/// After a fault processes are kept ready; somebody ends them.
fn dead_spares() {
    let Some(launch) = forking(&[]) else { return };
    let worker = Worker::start(launch).unwrap();
    ask(&worker, "answer").unwrap();
    ask(&worker, "crash").unwrap_err();
    let start = std::time::Instant::now();
    // They are made while nobody waits for them.
    while pid(&ask(&worker, "alone").unwrap()) == 0 {
        assert!(start.elapsed() < PATIENCE, "no process is kept ready");
    }
    ask(&worker, "answer").unwrap();
    let Fault::Crashed { status, .. } = ask(&worker, "crash").unwrap_err() else { panic!() };
    assert!(status.contains("SIGSEGV"), "{status}");
    assert!(ask(&worker, "answer").unwrap().unsteady.is_none());
}

fn bad_seed() {
    let Some(launch) = forking(&["broken"]) else { return };
    let fault = Worker::start(launch).err().unwrap();
    assert!(fault.to_string().contains("no such module"), "{fault}");
}
