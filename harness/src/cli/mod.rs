//! The command line `concord`.

mod accelerators;
mod adequacy;
mod audit;
mod bench;
mod certify;
mod check;
mod conclude;
mod control;
mod diff;
mod environment;
mod golden;
mod index;
mod issue;
mod laws;
mod list;
mod merge;
mod probe;
mod python_env;
mod replay;
mod report;
mod reproduce;
mod request;
mod serve;
mod sign;
mod trust;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::Usage;

const EXAMPLES: &str = "\
Examples:
  concord certify reference                     examine the CPU reference against itself
  concord certify mutant:moran-without-n-over-s0
                                                see a wrong backend refused, and why
  concord certify reference --data cells.h5ad   examine it on your own data

Exit codes: 0 conformant, 1 not conformant, 2 usage, 3 infrastructure, 4 inconclusive,
5 invalid certificate.";

/// Certifies that an accelerated backend computes what its host library computes.
#[derive(Parser)]
#[command(name = "concord", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Shows functions, knobs and levels, laws, known backends, and the state of the device
    List(list::List),
    /// Checks the static contract: what may be handed to a backend, and which rules it breaks
    Check(check::Check),
    /// Asks what a backend does with a call, rule by rule of the dispatch contract
    Probe(probe::Probe),
    /// The main job: runs a backend against a host, judges every answer, shrinks failures, writes a report
    Certify(certify::Certify),
    /// Gathers the parts of a run that several machines made: `certify --shard`
    Merge(merge::Merge),
    /// Examines the examiner: runs every mutant and says which survive
    Adequacy(adequacy::Adequacy),
    /// Counts false alarms: examines a backend that is known to be right again and again
    Control(control::ControlRun),
    /// Compares a backend with stored answers of a real host
    Golden(golden::Golden),
    /// Asks a backend alone, without a host, whether its answers keep the laws that every right answer keeps
    Laws(laws::Laws),
    /// Runs one case again and shows both answers side by side
    Replay(replay::Replay),
    /// Measures how small an error each check sees
    Audit(audit::Audit),
    /// The lab: how fast right answers are beside another backend's
    Bench(bench::Bench),
    /// Renders the log of an earlier run again
    Report(report::Report),
    /// Makes a virtual environment with squidpy, for live runs
    PythonEnv(python_env::PythonEnv),
    /// Answers calls for another process, over the worker protocol
    Serve(serve::Serve),
    /// Signs a certificate or a trusted list with an SSH key
    Sign(sign::Sign),
    /// Checks a certificate: everything in it that can be computed is computed again
    Verify(verify::Verify),
    /// Runs cases of a certificate again and compares
    Reproduce(reproduce::Reproduce),
    /// Compares two runs and their certificates: what was gained, lost, newly waived
    Diff(diff::Diff),
    /// Writes a page of many certificates: backends, functions, history
    Index(index::Index),
    /// Makes and checks the list of trusted builds that a host library loads
    Trust(trust::TrustVerb),
}

/// Parses the command line, does what it says, and returns the exit code.
pub fn main() -> ExitCode {
    quiet_backend_panics();
    let cli = Cli::parse();
    let done = match cli.verb {
        Verb::List(list) => list.run(),
        Verb::Check(check) => check.run(),
        Verb::Probe(probe) => probe.run(),
        Verb::Certify(certify) => certify.run(),
        Verb::Merge(merge) => merge.run(),
        Verb::Adequacy(adequacy) => adequacy.run(),
        Verb::Control(control) => control.run(),
        Verb::Golden(golden) => golden.run(),
        Verb::Laws(laws) => laws.run(),
        Verb::Replay(replay) => replay.run(),
        Verb::Audit(audit) => audit.run(),
        Verb::Bench(bench) => bench.run(),
        Verb::Report(report) => report.run(),
        Verb::PythonEnv(env) => env.run(),
        Verb::Serve(serve) => serve.run(),
        Verb::Sign(sign) => sign.run(),
        Verb::Verify(verify) => verify.run(),
        Verb::Reproduce(reproduce) => reproduce.run(),
        Verb::Diff(diff) => diff.run(),
        Verb::Index(index) => index.run(),
        Verb::Trust(trust) => trust.run(),
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("concord: {error:#}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 3 })
        }
    }
}

/// A backend that panics is a finding with its message, not a back trace on the screen.
fn quiet_backend_panics() {
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().name() != Some(crate::executor::THREAD_NAME) {
            default(info);
        }
    }));
}

/// Prints to standard output; a closed pipe (`concord list | head`) is not an error.
fn print(text: &str) {
    use std::io::Write;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Whether to use colours: on a terminal, unless NO_COLOR is set.
fn colours() -> bool {
    use std::io::IsTerminal;
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// The functions asked for, or all of them.
fn functions(asked: &[String]) -> Result<Vec<String>, Usage> {
    let known = || crate::CONTRACTS.iter().map(|c| c.function);
    match asked.iter().find(|name| !known().any(|k| k == name.as_str())) {
        Some(unknown) => Err(Usage::unknown("function", unknown, known())),
        None if asked.is_empty() => Ok(known().map(str::to_owned).collect()),
        // In one order, so that the plan does not depend on how they were asked for.
        None => Ok(known().filter(|k| asked.iter().any(|a| a == k)).map(str::to_owned).collect()),
    }
}
