//! Runs the cases of a plan and turns each into a record.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dispatch::{Backend, Call, Device, Manifest, Reply};
use reports::{Called, FORMAT, Header, Log, Precision, Record, Source, Verdict, Witnessed};

use crate::capsule::Capsule;
use crate::causes::shrink_each_cause;
use crate::executor::Executor;
use crate::judge::{Judgement, Outcome, Peers, judge, note_warnings, witnessed};
use crate::laws::{self, Law, Trial};
use crate::plan::Plan;
use crate::shrink::Budget;
use crate::waivers::Waivers;
use crate::{Case, Profile, contract, deliver, domain, oracle, statistics, stream};

/// A host, a backend, and how they are examined.
#[derive(Clone)]
pub struct Examination {
    /// Who defines the right answer.
    pub host: Arc<dyn Backend>,
    /// Who is examined.
    pub backend: Arc<dyn Backend>,
    /// The class of arithmetic that is asked of the backend.
    pub precision: Precision,
    /// How long one call may take.
    pub deadline: Duration,
    /// How the host is named on the command line, for replay commands and capsules: a manifest says `squidpy` for every
    /// version of it.
    pub host_name: String,
    /// How the backend is named there.
    pub backend_name: String,
    /// Further arguments that a replay command needs, such as `--data FILE`.
    pub replay_args: String,
}

/// How a run is made, beyond its plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// Threads; 0 is taken for 1.
    pub jobs: usize,
    /// Differences that somebody decided to live with.
    pub waivers: Option<&'a Waivers>,
    /// Where capsules are going to be stored; without a place shrinking stops at what a recipe can say.
    pub capsules: Option<&'a str>,
}

/// What a run comes to.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The log.
    pub log: Log,
    /// One counterexample for each cause that was found, in the order of the log.
    pub capsules: Vec<Capsule>,
}

/// Host and backend, ready to be called from one thread.
pub struct Session<'a> {
    examination: &'a Examination,
    host: Executor,
    backend: Executor,
    /// Of the answers that the backend alone was asked for, since it was last taken.
    witness: Witnessed,
}

/// What both sides said to one call.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The call.
    pub call: Arc<Call>,
    /// What the host said.
    pub host: Outcome,
    /// What the backend said.
    pub backend: Outcome,
    /// What was concluded.
    pub judgement: Judgement,
}

impl Examination {
    /// A session; each thread takes its own.
    pub fn session(&self) -> Session<'_> {
        Session {
            examination: self,
            host: Executor::new(self.host.clone(), self.deadline),
            backend: Executor::new(self.backend.clone(), self.deadline),
            witness: Witnessed::NoAnswer,
        }
    }

    /// Runs every case on `jobs` threads, then shrinks one failure of each cause. `progress` is told of each case.
    pub fn run(
        &self,
        plan: &Plan,
        header: Header,
        jobs: usize,
        progress: impl Fn(&Record) + Sync,
    ) -> Log {
        self.examine(plan, header, Options { jobs, ..Options::default() }, progress).log
    }

    /// Runs every case, applies waivers, and shrinks one failure of each cause that is left.
    pub fn examine(
        &self,
        plan: &Plan,
        header: Header,
        options: Options<'_>,
        progress: impl Fn(&Record) + Sync,
    ) -> Examined {
        let records = self.records(plan, Vec::new(), options.jobs, progress);
        self.conclude(plan, header, options, records)
    }

    /// Applies waivers to the records of a plan, and shrinks one failure of each cause that is left.
    pub fn conclude(
        &self,
        plan: &Plan,
        mut header: Header,
        options: Options<'_>,
        mut records: Vec<Record>,
    ) -> Examined {
        // Before shrinking, so that waived failures cost no calls; after it, because some turn out to be flaky.
        let waive = |records: &mut [Record]| options.waivers.map(|w| w.apply(plan, records));
        waive(&mut records);
        let budget = Budget { capsules: options.capsules, ..Budget::default() };
        let capsules = shrink_each_cause(&mut self.session(), plan, &mut records, budget);
        header.waivers = waive(&mut records).unwrap_or_default();
        Examined { log: Log { header, records }, capsules }
    }

    /// One record per case, in the order of the plan; cases that are `judged` already are not run again. `progress` is told
    /// of each new record.
    ///
    /// The threads are plain ones and not rayon's: each waits for a backend, and a backend that uses rayon itself
    /// would wait for ever for threads that wait for it.
    pub fn records(
        &self,
        plan: &Plan,
        judged: Vec<Record>,
        jobs: usize,
        progress: impl Fn(&Record) + Sync,
    ) -> Vec<Record> {
        let known: BTreeSet<&str> = judged.iter().map(|record| record.case.as_str()).collect();
        let is_open = |(_, case): &&(Source, Case)| !known.contains(case.name().as_str());
        let open: Vec<&(Source, Case)> = plan.cases.iter().filter(is_open).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut session = self.session();
            let mut done = Vec::new();
            while let Some((source, case)) = open.get(next.fetch_add(1, Ordering::Relaxed)) {
                let record = session.record(*source, case);
                progress(&record);
                done.push(record);
            }
            done
        };
        let new: Vec<Record> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
            // A thread that panicked lost its records; the decision then finds cases without one.
            threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
        });
        let mut records = judged;
        records.extend(new);
        let place: BTreeMap<String, usize> =
            plan.cases.iter().enumerate().map(|(i, (_, case))| (case.name(), i)).collect();
        records.sort_by_key(|record| place.get(&record.case).copied());
        records
    }
}

impl Session<'_> {
    /// The examination this session belongs to.
    pub fn examination(&self) -> &Examination {
        self.examination
    }

    /// Runs one call on both sides and judges it.
    pub fn exchange(&mut self, call: Arc<Call>) -> Exchange {
        self.exchange_under(call, &[], 0)
    }

    /// Runs one call on both sides, judges it, and asks up to `most` of the laws that say something about it.
    ///
    /// Laws are asked only where the two sides agree: what the host contradicts needs no second witness.
    pub fn exchange_under(
        &mut self,
        call: Arc<Call>,
        laws: &[&'static Law],
        most: usize,
    ) -> Exchange {
        let mut exchange = self.ask_both(call);
        let agrees = exchange.judgement.checks.iter().all(|check| check.finding.is_none());
        let judged = exchange.judgement.verdict != Verdict::HostUndefined;
        // What the laws allow is for float64.
        let asked = self.examination.precision == Precision::P64;
        if let (Ok(reply), true) = (&exchange.backend, agrees && judged && asked) {
            for trial in self.trials(&exchange.call, reply, laws, most) {
                laws::add(trial, &mut exchange.judgement);
            }
        }
        note_warnings(&mut exchange.judgement, &exchange.host, &exchange.backend);
        exchange
    }

    /// Runs one call on both sides and judges the answers alone.
    fn ask_both(&mut self, call: Arc<Call>) -> Exchange {
        let Examination { host, backend, .. } = self.examination;
        let (host, backend) = (host.manifest(), backend.manifest());
        let streams = stream::choose(host, backend, &call.function);
        let outcome = |executor: &mut Executor, to: &Manifest, rng| {
            executor.run(&deliver::deliver(&stream::ask(&call, rng), host, to)?)
        };
        let host_outcome = outcome(&mut self.host, host, streams.host);
        let backend_outcome = outcome(&mut self.backend, backend, streams.backend);
        let precision = self.examination.precision;
        Exchange::judged(call, (host, host_outcome), (backend, backend_outcome), precision)
    }

    /// Asks the backend alone.
    pub fn answer(&mut self, call: &Arc<Call>) -> Outcome {
        let Examination { host, backend, .. } = self.examination;
        let (host, backend) = (host.manifest(), backend.manifest());
        let stream = stream::choose(host, backend, &call.function).backend;
        let outcome =
            self.backend.run(&deliver::deliver(&stream::ask(call, stream), host, backend)?);
        self.witness = self.witness.and(witnessed(&outcome));
        outcome
    }

    /// What shows that the backend made the answers that it alone was asked for, since this was last asked.
    pub(crate) fn take_witness(&mut self) -> Witnessed {
        std::mem::replace(&mut self.witness, Witnessed::NoAnswer)
    }

    /// Asks up to `most` of the laws about an answer of the backend; the host is not needed.
    pub fn trials(
        &mut self,
        call: &Arc<Call>,
        reply: &Reply,
        laws: &[&'static Law],
        most: usize,
    ) -> Vec<Trial> {
        let [host, backend] = self.manifests();
        let profile = Profile::examined(&backend.name, &host.name);
        let input = LazyCell::new(|| call.digest());
        let ask = |law: &&'static Law| {
            laws::ask(law, call, reply, profile, &input, |call| self.answer(call))
        };
        laws.iter().filter_map(ask).take(most).collect()
    }

    /// Who the two sides are, host first.
    pub fn manifests(&self) -> [&Manifest; 2] {
        [self.examination.host.manifest(), self.examination.backend.manifest()]
    }

    /// The finest class of arithmetic in which an answer agrees with the host's; `None` for one that passes in P64, and if
    /// there is none.
    fn precision(&self, exchange: &Exchange) -> Option<Precision> {
        let asked = self.examination.precision;
        let agrees = |judgement: &Judgement| !judgement.verdict.condemns();
        if exchange.judgement.checks.is_empty()
            || asked == Precision::P64 && agrees(&exchange.judgement)
        {
            return None;
        }
        let [host, backend] = self.manifests();
        Precision::ALL.into_iter().find(|&precision| {
            let Exchange { call, host: expected, backend: actual, .. } = exchange.clone();
            let judged = Exchange::judged(call, (host, expected), (backend, actual), precision);
            agrees(&judged.judgement)
        })
    }

    /// Runs one case and records what became of it.
    pub fn record(&mut self, source: Source, case: &Case) -> Record {
        if let Device::Absent { why } = &self.manifests()[1].device {
            return not_run(source, case, format!("no device: {why}"));
        }
        if let Case::Study(case) = case {
            return statistics::record(self, case);
        }
        let call = case.build();
        let input = call.digest();
        let (laws, most) = laws::chosen(&call, source, &input);
        let exchange = self.exchange_under(call, &laws, most);
        let (case, function) = (case.name(), case.function().to_owned());
        let precision = self.precision(&exchange);
        let undefined = exchange.judgement.verdict == Verdict::HostUndefined;
        let witness = witnessed(&exchange.backend);
        let ruling = undefined.then(|| oracle::ruling(&exchange, self.manifests())).flatten();
        let Judgement { verdict, reason, checks } = exchange.judgement;
        Record {
            case,
            function,
            source,
            input,
            verdict,
            reason,
            witness,
            checks,
            precision,
            ruling,
            shrunk: None,
            explained_by: None,
        }
    }
}

/// The record of a case that nobody was asked about.
fn not_run(source: Source, case: &Case, reason: String) -> Record {
    Record {
        case: case.name(),
        function: case.function().to_owned(),
        source,
        input: case.build().digest(),
        verdict: Verdict::NotRun,
        reason,
        checks: Vec::new(),
        precision: None,
        ruling: None,
        witness: Witnessed::NoAnswer,
        shrunk: None,
        explained_by: None,
    }
}

impl Exchange {
    /// Judges what two sides said to a call, now or earlier.
    pub fn judged(
        call: Arc<Call>,
        (host, expected): (&Manifest, Outcome),
        (backend, actual): (&Manifest, Outcome),
        precision: Precision,
    ) -> Exchange {
        let streams = stream::choose(host, backend, &call.function);
        let peers = Peers {
            host: Profile::of(&host.name),
            backend: Profile::examined(&backend.name, &host.name).in_class(precision),
            same_stream: streams.same,
        };
        // The allowances of random columns depend on which permutations were drawn.
        let asked = stream::ask(&call, streams.host.or(streams.backend));
        let judgement = match contract(&call.function) {
            Some(contract) => judge(contract, &asked, peers, &expected, &actual),
            None => Judgement {
                verdict: Verdict::Infra,
                reason: format!("no contract for the function `{}`", call.function),
                checks: Vec::new(),
            },
        };
        Exchange { call, host: expected, backend: actual, judgement }
    }
}

/// The first line of a log.
pub fn header(examination: &Examination, plan: &Plan, tier: &str, seed: u64) -> Header {
    let (host, backend) =
        (examination.host.manifest().clone(), examination.backend.manifest().clone());
    let mut limitations = Vec::new();
    for function in plan.counts().keys() {
        if !backend.functions.contains_key(function) {
            continue;
        }
        let random = host.functions.get(function).is_some_and(|s| s.get("n_perms").is_some());
        let studied = |(_, case): &(Source, Case)| matches!(case, Case::Study(study) if study.function == function);
        let same = stream::choose(&host, &backend, function).same;
        if random && !same && !plan.cases.iter().any(studied) {
            limitations.push(format!(
                "{function}: host and backend draw different permutations, so p-values of permutations were not compared."
            ));
        }
    }
    let called = |name: &String, own: &String| (name != own).then(|| name.clone());
    Header {
        format: FORMAT,
        examiner: env!("CARGO_PKG_VERSION").to_owned(),
        called: Called {
            host: called(&examination.host_name, &host.name),
            backend: called(&examination.backend_name, &backend.name),
        },
        backend,
        host,
        tier: tier.to_owned(),
        planned: plan.counts(),
        precision: examination.precision,
        deadline_ms: Some(examination.deadline.as_millis() as u64),
        plan: plan.digest(),
        seed: seed.to_string(),
        limitations,
        knobs: domain::knobs(plan),
        waivers: Vec::new(),
        witnessed: true,
        unfinished: false,
    }
}
