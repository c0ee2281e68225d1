//! `concord bench`

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use generators::sized::Shape;
use indicatif::{ProgressBar, ProgressStyle};
use reports::perf::{self, Contender, Fate, PERF_FORMAT, PerfLog, Settings, Workload, compare};
use serde_json::json;

use crate::bench::{
    Bounds, Generated, Inputs, LEAST_BLOCKS, Lab, MOST_BLOCKS, Monotonic, Subject, ceilings,
    machine,
};
use crate::file_case::{self, RealFile};
use crate::{Usage, clock};

const EXAMPLES: &str = "\
Examples:
  concord bench                              the reference beside itself: the noise of this machine
  concord bench squidpy --base squidpy --function co_occurrence --cells 500,1000,2000,4000
                                             the reference and squidpy over sizes, ratios to squidpy
  concord bench squidpy:n_jobs=1 squidpy:n_jobs=2 --function spatial_autocorr --perms 100
                                             one library with different arguments
  concord bench squidpy --data cells.h5ad    on your own cells
  concord bench --from out/perf.json --compare old/perf.json

Exit codes: 0 every answer was right, 1 a wrong one was found (and not timed), 2 usage, 3 infrastructure.";

/// Measures how fast right answers are: every answer is judged, before it is timed and again when it is.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Bench {
    /// Backends to measure (`concord list` shows the names); the host takes part anyway. A Python library may be followed by
    /// arguments where calls give none: squidpy:n_jobs=2,ligrec.n_jobs=2
    backends: Vec<String>,
    /// Whose answers the others are judged by
    #[arg(long, default_value = "reference", value_name = "NAME")]
    host: String,
    /// The backend that ratios are taken to; default: the host
    #[arg(long, value_name = "NAME")]
    base: Option<String>,
    /// Functions to measure; default: all
    #[arg(long = "function", value_name = "F", num_args = 1..)]
    functions: Vec<String>,
    /// Numbers of cells, small to large; of a file at most as many as it has
    #[arg(long, value_name = "N,N,...", value_delimiter = ',')]
    cells: Vec<usize>,
    /// Genes of generated inputs
    #[arg(long, default_value_t = 100, value_name = "N")]
    genes: usize,
    /// One value in so many of X is stored
    #[arg(long, default_value_t = 10, value_name = "N")]
    stored: u32,
    /// Clusters of generated inputs
    #[arg(long, default_value_t = 10, value_name = "N")]
    clusters: usize,
    /// Permutations of generated calls; default: none, 100 for ligrec, which needs them
    #[arg(long, value_name = "N")]
    perms: Option<u64>,
    /// Make the inputs from this .h5ad file
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Knobs of the cases made from the file, as `concord certify --data` names them: "graph=knn mode=geary"
    #[arg(long, default_value = "", value_name = "KNOBS", requires = "data")]
    case: String,
    /// Blocks of a workload at most
    #[arg(long, default_value_t = MOST_BLOCKS, value_name = "N")]
    blocks: usize,
    /// Seconds after which no further block of a workload begins
    #[arg(long, default_value_t = 60.0, value_name = "SECONDS")]
    budget: f64,
    /// Seconds that one call may take
    #[arg(long, default_value_t = 120.0, value_name = "SECONDS")]
    deadline: f64,
    /// MiB of address space that a process may use
    #[arg(long, value_name = "MIB")]
    memory: Option<u64>,
    /// Threads that libraries are told to use
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Ratios this near to 1 count as the same
    #[arg(long, default_value_t = 0.02, value_name = "SHARE")]
    band: f64,
    /// Other inputs and another order
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// perf.json of earlier runs to compare with; from eight runs on changes of level are looked for
    #[arg(long, value_name = "PERF.json", num_args = 1..)]
    compare: Vec<PathBuf>,
    /// Measure nothing: show a perf.json again
    #[arg(long, value_name = "PERF.json", conflicts_with = "backends")]
    from: Option<PathBuf>,
    /// The commit that was measured, for the export to asv
    #[arg(long, value_name = "HASH")]
    commit: Option<String>,
    /// Folder for perf.json, perf.html and exports/
    #[arg(long, default_value = "out", value_name = "DIR")]
    out: PathBuf,
    /// Print verdicts as JSON instead of text
    #[arg(long)]
    json: bool,
}

impl Bench {
    pub(super) fn run(&self) -> Result<u8> {
        let before = self.compare.iter().map(|path| read(path)).collect::<Result<Vec<_>>>()?;
        let log = match &self.from {
            Some(path) => read(path)?,
            None => self.measure()?,
        };
        self.write(&log, &before)?;
        super::print(&if self.json {
            format!("{:#}\n", verdicts(&log))
        } else {
            format!("{}\n{}\n", perf::text(&log, &before), self.out.join("perf.html").display())
        });
        let lanes = log.workloads.iter().flat_map(|w| &w.lanes);
        let wrong = lanes.filter(|l| matches!(l.fate, Fate::WrongAnswer { .. })).count();
        Ok(u8::from(wrong > 0))
    }

    fn measure(&self) -> Result<PerfLog> {
        let settings = self.settings()?;
        let sweeps = self.sweeps()?;
        let bounds = Bounds { threads: self.threads, memory: self.memory.map(|mib| mib << 20) };
        let mut names = vec![self.host.clone()];
        for name in self.backends.iter().chain([&settings.base]) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let open = |name: &String| Subject::open(name, bounds);
        let subjects = names.iter().map(open).collect::<Result<Vec<_>>>()?;
        let [host, ..] = subjects.as_slice() else {
            return Err(Usage("no host".to_owned()).into());
        };
        let clock = Monotonic::start();
        let lab = Lab {
            host,
            subjects: &subjects,
            settings: settings.clone(),
            budget: Duration::from_secs_f64(self.budget),
            clock: &clock,
        };
        let mut environment = machine::describe(self.threads);
        let ceilings = || ceilings(environment.threads, environment.memory_bytes);
        let before = ceilings();
        let started = clock::now();
        let bar = self.bar();
        let mut backends: Vec<Contender> = Vec::new();
        let mut workloads: Vec<Workload> = Vec::new();
        for sweep in &sweeps {
            let tell = |what: &str| bar.set_message(what.to_owned());
            let (who, done) = lab.sweep(sweep, &tell).map_err(Usage)?;
            backends.extend(who.into_iter().filter(|c| !backends.contains(c)).collect::<Vec<_>>());
            workloads.extend(done);
        }
        bar.finish_and_clear();
        let highest = before.highest(ceilings());
        environment.load[1] = machine::load();
        environment.ceilings = highest;
        let examiner = env!("CARGO_PKG_VERSION").to_owned();
        Ok(PerfLog {
            format: PERF_FORMAT,
            examiner,
            started,
            environment,
            settings,
            backends,
            workloads,
        })
    }

    fn settings(&self) -> Result<Settings> {
        for (option, value) in
            [("--budget", self.budget), ("--deadline", self.deadline), ("--band", self.band)]
        {
            if !(value > 0.0 && value < 1e9) {
                return Err(Usage(format!("{option} {value}: expected a number above 0")).into());
            }
        }
        Ok(Settings {
            band: self.band,
            least_blocks: LEAST_BLOCKS.min(self.blocks),
            most_blocks: self.blocks,
            // An effect of twice the band is then found where the noise allows it.
            half_width: self.band.ln_1p() / 2.0,
            seed: self.seed,
            deadline_ms: (self.deadline * 1e3) as u64,
            memory_bytes: self.memory.map(|mib| mib << 20),
            base: self.base.clone().unwrap_or_else(|| self.host.clone()),
        })
    }

    /// For each function its inputs, from small to large.
    fn sweeps(&self) -> Result<Vec<Vec<Inputs>>> {
        let functions = super::functions(&self.functions)?;
        let mut cells = self.cells.clone();
        cells.sort_unstable();
        cells.dedup();
        let file = self.data.as_deref().map(RealFile::open).transpose()?;
        let sweep = |function: &String| match &file {
            Some(file) => {
                let sizes: Vec<String> = cells.iter().map(|n| format!("cells={n}")).collect();
                let sizes = if sizes.is_empty() { vec!["cells=all".to_owned()] } else { sizes };
                // Functions without a knob for genes use all of them anyway.
                let genes = if file.has_knob(function, "genes") { "genes=all " } else { "" };
                let of = |size: &String| {
                    file_case::parse(file, function, &format!("{genes}{} {size}", self.case))
                };
                sizes.iter().map(|size| Ok(Inputs::File(of(size).map_err(Usage)?))).collect()
            }
            None => {
                let cells = if cells.is_empty() { vec![2000] } else { cells.clone() };
                Ok(cells.into_iter().map(|n| self.generated(function, n)).collect())
            }
        };
        functions.iter().map(sweep).collect()
    }

    fn generated(&self, function: &str, cells: usize) -> Inputs {
        let Bench { genes, clusters, stored, .. } = *self;
        let shape =
            Shape { cells, genes: genes.max(1), clusters: clusters.max(1), stored: stored.max(1) };
        let n_perms =
            if function == "ligrec" { Some(self.perms.unwrap_or(100)) } else { self.perms };
        Inputs::Generated(Generated { function: function.to_owned(), shape, n_perms })
    }

    fn bar(&self) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::default_spinner());
        bar
    }

    fn write(&self, log: &PerfLog, before: &[PerfLog]) -> Result<()> {
        let exports = self.out.join("exports");
        let save = |path: PathBuf, text: String| {
            let folder = path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder)
                .with_context(|| format!("create {}", folder.display()))?;
            std::fs::write(&path, text).with_context(|| format!("write {}", path.display()))
        };
        let pretty = |value: &serde_json::Value| format!("{value:#}\n");
        save(self.out.join("perf.json"), log.to_json()?)?;
        save(self.out.join("perf.html"), perf::html(log, before))?;
        save(exports.join("bencher.json"), pretty(&perf::export::bencher(log)))?;
        let github = perf::export::github_action_benchmark(log);
        save(exports.join("github-action-benchmark.json"), pretty(&github))?;
        save(exports.join("libtest.txt"), perf::export::libtest(log))?;
        // What an earlier run left there is of other workloads.
        clear(&exports.join("criterion"))?;
        for (path, value) in perf::export::criterion(log) {
            save(exports.join("criterion").join(path), pretty(&value))?;
        }
        let asv = self.commit.as_ref().map(|commit| perf::export::asv(log, commit));
        for (path, value) in asv.into_iter().flatten() {
            save(exports.join("asv").join(path), pretty(&value))?;
        }
        Ok(())
    }
}

fn clear(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("remove {}", folder.display()))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

fn read(path: &Path) -> Result<PerfLog> {
    let path = if path.is_dir() { path.join("perf.json") } else { path.to_owned() };
    let text = std::fs::read_to_string(&path).with_context(|| {
        format!("read {}: `concord bench` writes one into its --out folder", path.display())
    })?;
    PerfLog::from_json(&text).with_context(|| format!("read {}", path.display()))
}

/// What follows from the log, for programs.
fn verdicts(log: &PerfLog) -> serde_json::Value {
    let of = |c: &compare::Comparison<'_>| {
        json!({
            "workload": c.workload.name(), "backend": c.lane.backend, "base": log.settings.base,
            "ratio": c.ratio().at, "ci_low": c.ratio().low, "ci_high": c.ratio().high, "coverage": 0.95,
            "noise_floor": c.noise.map(f64::exp_m1), "detectable": c.detectable(&log.settings),
            "blocks": c.blocks, "verdict": c.verdict.name(),
        })
    };
    let lanes = log.workloads.iter().flat_map(|w| w.lanes.iter().map(move |lane| (w, lane)));
    let missing = lanes.filter(|(_, l)| l.fate != Fate::Timed && !l.again);
    let missing: Vec<_> = missing
        .map(|(w, l)| json!({"workload": w.name(), "backend": l.backend, "why": l.fate.sentence()}))
        .collect();
    let compared: Vec<_> = compare::comparisons(log).iter().map(of).collect();
    json!({"format": 1, "compared": compared, "without_a_time": missing})
}
