//! Concord killed in the middle of a run: nothing of it is left, and the same command goes on to the same bytes.
//!
//! The test program is the backend too: a process that answers a number of calls and then none, so that a run stands still
//! where the test wants it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use dispatch::{Backend, Call, Fault, Manifest, Reply, wire};
use harness::backends;
use libtest_mimic::{Arguments, Failed, Trial};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// The variable that turns this program into a backend: the number of calls that each process answers.
const ANSWERS: &str = "CONCORD_TEST_ANSWERS";
/// A backend that is wrong, so that failures are shrunk and capsules written.
const WRONG: &str = "mutant:cooc-annuli";
/// More calls than a process needs for a few cases, fewer than half of the run takes.
const SOME: usize = 150;
/// Long enough for any machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> ExitCode {
    if let Some(answers) = std::env::var_os(ANSWERS) {
        return serve(answers.to_str().unwrap().parse().unwrap());
    }
    let trials: [(&str, fn()); 3] = [
        ("a_killed_run_goes_on_to_the_same_bytes", killed),
        ("an_interrupted_run_leaves_no_process_and_no_file", interrupted),
        ("what_is_not_this_run_is_refused", refused),
    ];
    let guarded = |test: fn()| {
        let message = "panicked; the message stands above";
        std::panic::catch_unwind(test).map_err(|_| Failed::from(message))
    };
    let trials = trials.map(|(name, test)| Trial::test(name, move || guarded(test)));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

/// Answers calls, then parks for ever. It does not care that its standard input ends: somebody else has to end it.
fn serve(answers: usize) -> ExitCode {
    struct Sleepy(Arc<dyn Backend>, AtomicUsize);
    impl Backend for Sleepy {
        fn manifest(&self) -> &Manifest {
            self.0.manifest()
        }
        fn run(&self, call: &Call) -> Result<Reply, Fault> {
            if self
                .1
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
                .is_err()
            {
                std::fs::write(format!("asleep-{}", std::process::id()), "").unwrap();
                loop {
                    std::thread::park();
                }
            }
            self.0.run(call)
        }
    }
    let sleepy = Sleepy(backends::open(WRONG).unwrap().backend, AtomicUsize::new(answers));
    wire::serve(&sleepy, std::io::stdin(), std::io::stdout(), || ()).unwrap();
    ExitCode::SUCCESS
}

/// `concord certify` in a folder, with two processes that answer so many calls each.
fn certify(dir: &Path, answers: usize, more: &[&str]) -> Command {
    let program = std::env::current_exe().unwrap();
    let toml = format!(
        "[[backend]]\nname = 'sleepy'\ncommand = [{program:?}]\nenv = {{ {ANSWERS} = '{answers}' }}\n"
    );
    std::fs::write(dir.join("backends.toml"), toml).unwrap();
    std::fs::create_dir_all(dir.join("tmp")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_concord"));
    command.args([
        "certify",
        "sleepy",
        "--function",
        "co_occurrence",
        "--jobs",
        "2",
        "--out",
        "out",
    ]);
    command
        .args(more)
        .current_dir(dir)
        .env("CONCORD_BACKENDS", "backends.toml")
        .env("TMPDIR", dir.join("tmp"));
    command
}

/// Runs to the end, checks the exit code, and returns what was printed.
#[track_caller]
fn finish(mut command: Command, code: i32) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[track_caller]
fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::yield_now();
    }
}

/// The processes of the backend that are asleep.
fn asleep(dir: &Path) -> Vec<i32> {
    let names = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name());
    names.filter_map(|n| n.to_str()?.strip_prefix("asleep-")?.parse().ok()).collect()
}

fn is_running(pid: i32) -> bool {
    // A process that nobody has reaped yet runs no more.
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let zombie = state.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'));
    !zombie && test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

/// Whether this process, and so what it starts, ignores a signal.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw() - 1) & 1 == 1
}

/// Runs until both processes are asleep, then sends a signal to Concord; its processes must end with it.
fn end_early(dir: &Path, signal: Signal) -> Vec<u8> {
    let mut command = certify(dir, SOME, &["--resume"]);
    let mut concord: Child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("both processes are asleep", || asleep(dir).len() == 2);
    kill_process(Pid::from_raw(concord.id() as i32).unwrap(), signal).unwrap();
    assert_eq!(concord.wait().unwrap().code(), None, "ended by the signal");
    for pid in asleep(dir) {
        wait_for("the processes of the backend end", || !is_running(pid));
        std::fs::remove_file(dir.join(format!("asleep-{pid}"))).unwrap();
    }
    std::fs::read(dir.join("out/results.jsonl")).unwrap()
}

fn lines(log: &[u8]) -> usize {
    log.iter().filter(|&&byte| byte == b'\n').count()
}

/// Every file under a folder, with what it holds.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            let inside = files(&entry.path()).into_iter();
            found.extend(inside.map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            found.push((name, std::fs::read(entry.path()).unwrap()));
        }
    }
    found.sort();
    found
}

fn killed() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (whole, parts) = (whole.path(), parts.path());
    finish(certify(whole, usize::MAX, &["--resume"]), 1);

    // Twice, and the second time in the middle of a line.
    let first = end_early(parts, Signal::KILL);
    let second = end_early(parts, Signal::KILL);
    assert!(lines(&first) > 3 && lines(&second) > lines(&first), "each attempt gets further");
    assert!(second.starts_with(&first), "what was judged stays");
    let log = parts.join("out/results.jsonl");
    std::fs::write(&log, [&second, &br#"{"case":"co_occurrence cel"#[..]].concat()).unwrap();

    let report = Command::new(env!("CARGO_BIN_EXE_concord"))
        .args(["report", "out"])
        .current_dir(parts)
        .output();
    assert_eq!(report.unwrap().status.code(), Some(3), "an interrupted run shows nothing");
    let judged = lines(&second) - 1;
    let said = finish(certify(parts, usize::MAX, &["--resume"]), 1);
    assert!(said.contains(&format!("{judged} of")), "{said}");

    let (whole, parts) = (files(&whole.join("out")), files(&parts.join("out")));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|f| f.0.clone()).collect::<Vec<_>>();
    assert_eq!(names(&whole), names(&parts));
    assert!(names(&whole).iter().any(|name| name.starts_with("capsules/")), "something was shrunk");
    for (a, b) in whole.iter().zip(&parts) {
        assert!(a == b, "{} has other bytes", a.0);
    }
}

fn interrupted() {
    // What a shell starts in the background ignores the signal of Ctrl-C, and so do its children.
    let ignored = is_ignored(Signal::INT);
    let dir = tempfile::tempdir().unwrap();
    let log = end_early(dir.path(), if ignored { Signal::TERM } else { Signal::INT });
    assert!(lines(&log) > 3);
    let names: Vec<String> = files(dir.path()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        ["backends.toml", "out/results.jsonl"],
        "nothing in the temporary folder either"
    );
}

fn refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    end_early(dir, Signal::KILL);
    let refused = |more: &[&str], why: &str| {
        let text = finish(certify(dir, usize::MAX, &[&["--resume"], more].concat()), 2);
        assert!(text.contains(why), "`{why}` is not in {text}");
    };
    refused(&["--challenge", "00ff"], "something else: another seed");
    refused(&["--host", "exact"], "something else: another host");
    refused(&["--deadline", "61"], "something else: another deadline");
    refused(&["--tier", "standard"], "something else: another tier");
    refused(&["--shard", "1/2"], "or is not planned");
    // Nothing was lost by that, and a run that is finished stays as it is.
    finish(certify(dir, usize::MAX, &["--resume"]), 1);
    refused(&[], "the run is finished");
    std::fs::write(dir.join("out/results.jsonl"), "not a log\n").unwrap();
    refused(&[], "line 1 of the log");
}
