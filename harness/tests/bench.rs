//! The lab beside a simulated clock: what it says of equal backends, of a slower one, and of wrong ones.
//!
//! The noise is that of a busy machine: slow drift, neighbours in time alike, now and then a call that takes much longer,
//! and processes that differ a little for as long as they live.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dispatch::{Backend, Call, Fault, Manifest, Reply};
use generators::Random;
use generators::sized::{Shape, Storage, dataset};
use harness::bench::{Generated, Inputs, LEAST_BLOCKS, Lab, MOST_BLOCKS, Stopwatch, Subject};
use harness::file_case::{self, RealFile};
use harness::mutants;
use reports::Time;
use reports::perf::compare::{SpeedVerdict, comparisons, repeated};
use reports::perf::history::{Movement, series};
use reports::perf::scaling::sweeps;
use reports::perf::{Environment, Fate, PERF_FORMAT, PerfLog, Settings};

/// A clock that only calls move.
#[derive(Default)]
struct Simulated(AtomicU64);

impl Stopwatch for Simulated {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::SeqCst))
    }
}

/// What a machine does to times: the same for everybody on it.
struct Noise {
    random: Random,
    drift: f64,
    near: f64,
}

impl Noise {
    fn new(seed: u64) -> Arc<Mutex<Noise>> {
        Arc::new(Mutex::new(Noise { random: Random::new(seed, "noise"), drift: 0.0, near: 0.0 }))
    }

    /// The factor of the next call.
    fn next(&mut self) -> f64 {
        // A random walk that strays by some percent in a run.
        self.drift += 0.003 * self.random.normal();
        // Neighbours in time are alike (0.6), 2 % of scatter.
        self.near = 0.6 * self.near + 0.016 * self.random.normal();
        let own = 0.02 * self.random.normal();
        // One call in fifteen is interrupted: exponential, of mean 25 %.
        let interrupted = if self.random.unit() < 1.0 / 15.0 {
            -0.25 * (1.0 - self.random.unit()).ln()
        } else {
            0.0
        };
        (self.drift + self.near + own).exp() + interrupted
    }
}

/// The reference, or one that is wrong, whose calls take simulated time.
struct Timed {
    inner: Box<dyn Backend>,
    manifest: Manifest,
    clock: Arc<Simulated>,
    noise: Arc<Mutex<Noise>>,
    /// Nanoseconds of a call by its number of cells.
    cost: fn(f64) -> f64,
    factor: f64,
    remembers: bool,
    seen: Mutex<Vec<dispatch::Digest>>,
}

impl Backend for Timed {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        let mut factor = self.factor * self.noise.lock().unwrap().next();
        if self.remembers {
            let digest = call.digest();
            let mut seen = self.seen.lock().unwrap();
            if seen.contains(&digest) {
                factor /= 50.0;
            }
            seen.push(digest);
        }
        let ns = (self.cost)(call.data.n_obs() as f64) * factor;
        self.clock.0.fetch_add(ns as u64, Ordering::SeqCst);
        self.inner.run(call)
    }
}

/// A simulated machine.
struct Machine {
    clock: Arc<Simulated>,
    noise: Arc<Mutex<Noise>>,
    /// Processes started so far; each is a little faster or slower for as long as it lives.
    processes: Arc<AtomicU64>,
    seed: u64,
}

#[derive(Clone, Copy)]
struct Kind {
    cost: fn(f64) -> f64,
    factor: f64,
    mutant: Option<&'static str>,
    remembers: bool,
}

const EQUAL: Kind = Kind { cost: |n| 1e6 * n / 12.0, factor: 1.0, mutant: None, remembers: false };

impl Machine {
    fn new(seed: u64) -> Machine {
        let (clock, processes) = Default::default();
        Machine { clock, noise: Noise::new(seed), processes, seed }
    }

    fn subject(&self, name: &'static str, kind: Kind) -> Subject {
        let (clock, noise) = (self.clock.clone(), self.noise.clone());
        let (processes, seed) = (self.processes.clone(), self.seed);
        Subject::new(name, move || {
            let number = processes.fetch_add(1, Ordering::SeqCst);
            let own = (0.003 * Random::new(seed ^ number, "process").normal()).exp();
            let inner: Box<dyn Backend> = match kind.mutant {
                Some(mutant) => Box::new(mutants::backend(mutant).unwrap()),
                None => Box::new(reference::backend()),
            };
            let manifest = Manifest { name: name.to_owned(), ..inner.manifest().clone() };
            Ok(Arc::new(Timed {
                inner,
                manifest,
                clock: clock.clone(),
                noise: noise.clone(),
                cost: kind.cost,
                factor: kind.factor * own,
                remembers: kind.remembers,
                seen: Mutex::default(),
            }) as Arc<dyn Backend>)
        })
    }

    /// Measures the base and another over some sizes.
    fn measure(&self, other: Kind, cells: &[usize]) -> PerfLog {
        self.over(self.subject("other", other), cells)
    }

    fn over(&self, other: Subject, cells: &[usize]) -> PerfLog {
        self.run(&[self.subject("base", EQUAL), other], cells, &*self.clock)
    }

    fn run(&self, subjects: &[Subject], cells: &[usize], clock: &dyn Stopwatch) -> PerfLog {
        let settings = Settings {
            band: 0.02,
            least_blocks: LEAST_BLOCKS,
            most_blocks: MOST_BLOCKS,
            half_width: 0.02f64.ln_1p() / 2.0,
            seed: self.seed,
            deadline_ms: 600_000,
            memory_bytes: None,
            base: "base".to_owned(),
        };
        let lab = Lab {
            host: &subjects[0],
            subjects,
            settings: settings.clone(),
            budget: Duration::from_secs(3600),
            clock,
        };
        let inputs = |&cells: &usize| {
            let shape = Shape { cells, genes: 2, clusters: 2, stored: 2 };
            Inputs::Generated(Generated {
                function: "spatial_autocorr".to_owned(),
                shape,
                n_perms: None,
            })
        };
        let sizes: Vec<Inputs> = cells.iter().map(inputs).collect();
        let (backends, workloads) = lab.sweep(&sizes, &|_| {}).unwrap();
        PerfLog {
            format: PERF_FORMAT,
            examiner: "test".to_owned(),
            started: Time::from_seconds(self.seed as i64),
            environment: Environment::default(),
            settings,
            backends,
            workloads,
        }
    }
}

fn verdict(log: &PerfLog) -> SpeedVerdict {
    comparisons(log)[0].verdict
}

/// How many of the measurements with these seeds end in a verdict.
fn count(kind: Kind, seeds: std::ops::Range<u64>, wanted: &[SpeedVerdict]) -> usize {
    seeds
        .filter(|&seed| wanted.contains(&verdict(&Machine::new(seed).measure(kind, &[12]))))
        .count()
}

#[test]
fn equal_backends_are_hardly_ever_called_different() {
    let wrong = count(EQUAL, 0..200, &[SpeedVerdict::Faster, SpeedVerdict::Slower]);
    assert!(wrong <= 2, "{wrong} false verdicts in 200 comparisons");
}

#[test]
fn equal_backends_are_mostly_called_the_same() {
    let same = count(EQUAL, 0..60, &[SpeedVerdict::Same]);
    assert!(same >= 40, "{same} of 60");
}

#[test]
fn a_slowdown_of_five_percent_is_found() {
    let slower = count(Kind { factor: 1.05, ..EQUAL }, 1000..1100, &[SpeedVerdict::Slower]);
    assert!(slower >= 90, "{slower} of 100");
}

#[test]
fn a_speedup_of_five_percent_is_found() {
    let faster = count(Kind { factor: 1.0 / 1.05, ..EQUAL }, 2000..2040, &[SpeedVerdict::Faster]);
    assert!(faster >= 36, "{faster} of 40");
}

#[test]
fn a_wrong_answer_is_never_timed() {
    for mutant in ["moran-values-not-centred", "moran-expects-minus-1-over-n"] {
        // However fast it is.
        let log =
            Machine::new(5).measure(Kind { mutant: Some(mutant), factor: 0.01, ..EQUAL }, &[12]);
        let lane = log.workloads[0].lane("other").unwrap();
        let Fate::WrongAnswer { why, .. } = &lane.fate else { panic!("{mutant}: {:?}", lane.fate) };
        assert!(why.contains("expected"), "{why}");
        assert!(lane.samples.is_empty() && comparisons(&log).is_empty());
        assert!(reports::perf::html(&log, &[]).contains("not timed: wrong answer"), "{mutant}");
        assert_eq!(reports::perf::export::bencher(&log).as_object().unwrap().len(), 1);
    }
}

/// Right on the first input it sees, and wrong on one of those that are timed.
struct WrongLater {
    right: Box<dyn Backend>,
    wrong: Box<dyn Backend>,
    calls: AtomicU64,
}

impl Backend for WrongLater {
    fn manifest(&self) -> &Manifest {
        self.right.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        // Judged once, repeated three times, then eleven right answers in the timed run.
        let right = self.calls.fetch_add(1, Ordering::SeqCst) < 15;
        if right { self.right.run(call) } else { self.wrong.run(call) }
    }
}

#[test]
fn a_wrong_answer_in_the_timed_run_takes_all_times_with_it() {
    let machine = Machine::new(3);
    let later = Subject::new("other", || {
        Ok(Arc::new(WrongLater {
            right: Box::new(reference::backend()),
            wrong: Box::new(mutants::backend("moran-values-not-centred").unwrap()),
            calls: AtomicU64::new(0),
        }) as Arc<dyn Backend>)
    });
    let log = machine.over(later, &[12]);
    let lane = log.workloads[0].lane("other").unwrap();
    assert!(matches!(lane.fate, Fate::WrongAnswer { .. }), "{:?}", lane.fate);
    assert_eq!((lane.samples.len(), lane.judged.timed), (0, 12));
    // The others go on.
    assert!(log.workloads[0].lane("base").unwrap().samples.len() > 100);
}

#[test]
fn a_backend_that_keeps_answers_shows() {
    let log = Machine::new(4).measure(Kind { remembers: true, ..EQUAL }, &[12]);
    let lane = |name| log.workloads[0].lane(name).unwrap();
    assert!(repeated(lane("other")).unwrap() > 20.0);
    assert!((0.3..1.3).contains(&repeated(lane("base")).unwrap()));
    // It is timed on inputs it has not seen.
    assert_ne!(verdict(&log), SpeedVerdict::Faster);
}

#[test]
fn exponent_and_crossover_hold_what_was_planted() {
    // Equal at 20 cells; of exponents 1 and 2.
    let square = Kind { cost: |n| 1e6 * (n / 12.0) * (n / 20.0), ..EQUAL };
    let log = Machine::new(6).measure(square, &[8, 12, 18, 27, 40]);
    let sweep = &sweeps(&log)[0];
    let exponents: Vec<_> = sweep.curves(1).iter().map(|c| c.exponent.unwrap()).collect();
    for (fitted, planted) in exponents.iter().zip([1.0, 2.0]) {
        assert!(fitted.low <= planted && planted <= fitted.high, "{fitted:?} {planted}");
        assert!((fitted.at - planted).abs() < 0.05, "{fitted:?}");
    }
    let crossing = &sweep.crossovers(&log.settings)[0];
    assert!(crossing.cells.low <= 20.0 && 20.0 <= crossing.cells.high, "{crossing:?}");
    assert!((crossing.cells.at - 20.0).abs() < 1.0 && !crossing.faster_above, "{crossing:?}");
}

#[test]
fn two_runs_of_the_same_report_no_change() {
    for seed in 0..20 {
        let (first, second) = (
            Machine::new(seed).measure(EQUAL, &[12]),
            Machine::new(seed + 500).measure(EQUAL, &[12]),
        );
        for one in series(&[&second, &first]) {
            assert_eq!(one.movement(), Movement::Held, "seed {seed}: {one:?}");
            assert!(one.changes.is_empty() && one.effects.len() == 2);
        }
        assert!(reports::perf::text(&second, &[first]).contains("no change"));
    }
}

#[test]
fn diff_says_what_is_slower_in_the_second_of_two_runs() {
    let dir = tempfile::tempdir().unwrap();
    let slower = Kind { factor: 1.3, ..EQUAL };
    for (name, seed, kind) in [("then", 1, EQUAL), ("again", 501, EQUAL), ("now", 502, slower)] {
        let log = Machine::new(seed).measure(kind, &[12]);
        std::fs::create_dir(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("perf.json"), log.to_json().unwrap()).unwrap();
    }
    let diff = |before: &str, after: &str| {
        let mut concord = std::process::Command::new(env!("CARGO_BIN_EXE_concord"));
        let output = concord.args(["diff", before, after]).current_dir(&dir).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).unwrap()
    };
    // Ratio and interval hold what was planted, whichever run comes first.
    for (before, after, word, planted) in
        [("then", "now", "slower", 1.3), ("now/perf.json", "then/perf.json", "faster", 1.0 / 1.3)]
    {
        let said = diff(before, after);
        assert!(said.trim_start().starts_with(word) && said.contains("measure again"), "{said}");
        let interval = said.split(['[', ']']).nth(1).unwrap();
        let (low, high) = interval.split_once(", ").unwrap();
        let (low, high): (f64, f64) = (low.parse().unwrap(), high.parse().unwrap());
        // Processes differ by 0.3 % for as long as they live, which no interval of one run sees; 0.005 is cut off in print.
        assert!(low - 0.02 < planted && planted < high + 0.02, "{said}");
    }
    assert_eq!(
        diff("then", "again"),
        "  no time changed by more than noise explains, of 1 that both have\n"
    );
}

#[test]
fn a_series_shows_a_planted_change_and_a_quiet_one_none() {
    let runs = |slower: f64| -> Vec<PerfLog> {
        let factor = |run: u64| if run < 6 { 1.0 } else { slower };
        (0..10)
            .map(|run| Machine::new(run).measure(Kind { factor: factor(run), ..EQUAL }, &[12]))
            .collect()
    };
    let changes = |runs: &[PerfLog]| series(&runs.iter().collect::<Vec<_>>())[0].changes.clone();
    assert!(changes(&runs(1.0)).is_empty());
    let found = changes(&runs(1.3));
    assert_eq!((found.len(), found[0].run), (1, 6), "{found:?}");
    assert!((found[0].factor / 1.3 - 1.0).abs() < 0.03, "{found:?}");
}

/// Answers up to so many cells, then takes for ever or all memory.
struct Limited {
    inner: Box<dyn Backend>,
    most: usize,
    fault: Fault,
}

impl Backend for Limited {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }

    fn run(&self, call: &Call) -> Result<Reply, Fault> {
        if call.data.n_obs() > self.most { Err(self.fault.clone()) } else { self.inner.run(call) }
    }
}

#[test]
fn what_has_no_answer_is_recorded_and_drawn_and_no_larger_input_is_asked() {
    for (fault, word) in [
        (Fault::TimedOut(Duration::from_secs(9)), "timeout"),
        (Fault::OutOfMemory("memory allocation of 9 bytes failed".to_owned()), "out of memory"),
    ] {
        let limited = Subject::new("other", move || {
            Ok(Arc::new(Limited {
                inner: Box::new(reference::backend()),
                most: 20,
                fault: fault.clone(),
            }) as Arc<dyn Backend>)
        });
        let log = Machine::new(8).over(limited, &[12, 16, 24, 32]);
        let fates: Vec<&Fate> =
            log.workloads.iter().map(|w| &w.lane("other").unwrap().fate).collect();
        assert_eq!((fates[0], fates[1]), (&Fate::Timed, &Fate::Timed));
        assert!(
            matches!(fates[2], Fate::TimedOut { .. } | Fate::OutOfMemory { .. }),
            "{:?}",
            fates[2]
        );
        assert!(fates[3].sentence().contains("not asked: at 24 cells"), "{:?}", fates[3]);
        let page = reports::perf::html(&log, &[]);
        assert!(page.contains(word) && page.contains("not asked"), "{word}");
    }
}

#[test]
fn a_log_survives_its_file_and_gives_the_same_page() {
    let log = Machine::new(9).measure(Kind { factor: 1.2, ..EQUAL }, &[12, 16, 24]);
    let text = log.to_json().unwrap();
    let back = PerfLog::from_json(&text).unwrap();
    assert_eq!(back, log);
    assert_eq!(reports::perf::html(&back, &[]), reports::perf::html(&log, &[]));
    let other = text.replacen("\"format\": 1", "\"format\": 9", 1);
    assert!(PerfLog::from_json(&other).unwrap_err().to_string().contains("format 9"));
}

#[test]
fn a_users_file_gives_inputs_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cells.h5ad");
    let shape = Shape { cells: 90, genes: 5, clusters: 3, stored: 2 };
    anndata_io::write(&path, &dataset(shape, Storage::CsrF32, 1)).unwrap();
    let file = RealFile::open(&path).unwrap();
    for (size, cells) in [("cells=37", 37), ("cells=all", 90)] {
        let text = format!("{size} genes=all graph=knn");
        let inputs = Inputs::File(file_case::parse(&file, "spatial_autocorr", &text).unwrap());
        let made = [0, 1].map(|number| inputs.fresh(1, number).unwrap());
        assert_eq!(inputs.cells(), cells);
        assert!(made.iter().all(|call| call.data.n_obs() == cells), "{size}");
        assert_ne!(made[0].digest(), made[1].digest(), "{size}");
        assert!(!inputs.case().contains("cells=") && inputs.case().contains("graph=knn"));
    }
    let refused = file_case::parse(&file, "spatial_autocorr", "cells=91").unwrap_err();
    assert!(refused.contains("cells"), "{refused}");
}
