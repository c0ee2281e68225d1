//! The run: sweep by sweep, size by size, block by block.

use std::sync::Arc;
use std::time::Duration;

use dispatch::{Call, Manifest};
use generators::Random;
use reports::perf::compare::settled;
use reports::perf::{Contender, Fate, Lane, Settings, Workload};

use super::judging::{self, Ruling};
use super::lane::{Runner, nanoseconds, note_peak, sample};
use super::{Inputs, Stopwatch, Subject, settings};
use crate::judge::Outcome;
use crate::stream::{self, Streams};

/// Calls on an input that was asked before.
const REPEATS: usize = 3;

/// Told what is being done, for a person who waits.
pub type Progress<'a> = &'a dyn Fn(&str);

/// Backends, a clock, and how they are measured.
pub struct Lab<'a> {
    /// Whose answers the others are judged by.
    pub host: &'a Subject,
    /// Everybody, the host and [`Settings::base`] among them.
    pub subjects: &'a [Subject],
    /// How it is measured.
    pub settings: Settings,
    /// The time after which no further block of a workload begins.
    pub budget: Duration,
    /// The clock.
    pub clock: &'a dyn Stopwatch,
}

/// One workload while it is measured.
struct Bench<'a, 'b> {
    lab: &'a Lab<'a>,
    inputs: &'a Inputs,
    runners: &'b mut [Runner],
    workload: Workload,
    host: usize,
    manifest: Manifest,
}

impl Lab<'_> {
    /// Measures inputs that differ in size alone, from small to large, in processes that live that long.
    ///
    /// # Errors
    /// An input could not be made.
    pub fn sweep(
        &self,
        sizes: &[Inputs],
        progress: Progress<'_>,
    ) -> Result<(Vec<Contender>, Vec<Workload>), String> {
        let mut runners = self.start(progress);
        let contender = |runner: &Runner| runner.contender(runner.name == self.host.name);
        let contenders = runners.iter().filter(|r| !r.again).filter_map(contender).collect();
        let mut workloads = Vec::new();
        for inputs in sizes {
            workloads.push(self.workload(inputs, &mut runners, progress)?);
        }
        Ok((contenders, workloads))
    }

    /// Every backend in a process, and the base in a second one. The host comes first.
    fn start(&self, progress: Progress<'_>) -> Vec<Runner> {
        let deadline = Duration::from_millis(self.settings.deadline_ms);
        let start = |subject: &Subject, again| {
            progress(&format!("starting {}", subject.name));
            Runner::start(subject, again, deadline, self.clock)
        };
        let others = self.subjects.iter().filter(|s| s.name != self.host.name);
        let mut runners = vec![start(self.host, false)];
        runners.extend(others.map(|subject| start(subject, false)));
        let base = self.subjects.iter().find(|s| s.name == self.settings.base);
        runners.extend(base.map(|base| start(base, true)));
        runners
    }

    fn workload(
        &self,
        inputs: &Inputs,
        runners: &mut [Runner],
        progress: Progress<'_>,
    ) -> Result<Workload, String> {
        let mut workload = Workload {
            function: inputs.function().to_owned(),
            case: inputs.case(),
            cells: inputs.cells() as u64,
            work: inputs.work(),
            lanes: runners.iter().map(Runner::lane).collect(),
        };
        let host = 0;
        let Some(manifest) = runners[host].manifest().cloned() else {
            without_host(&mut workload, host);
            return Ok(workload);
        };
        progress(&format!("{}: judging", workload.name()));
        let mut bench = Bench { lab: self, inputs, runners, workload, host, manifest };
        bench.judge_first()?;
        bench.measure(progress)?;
        let Bench { runners, workload, .. } = bench;
        for (runner, lane) in runners.iter_mut().zip(&workload.lanes) {
            runner.give_up_after(inputs.cells(), &lane.fate);
        }
        Ok(workload)
    }
}

/// Without the host's answers nothing can be judged, and so nothing timed.
fn without_host(workload: &mut Workload, host: usize) {
    let why =
        format!("the host gave no answer to judge by ({})", workload.lanes[host].fate.sentence());
    for lane in workload.lanes.iter_mut().filter(|lane| lane.fate == Fate::Timed) {
        lane.fate = Fate::NotJudged { why: why.clone() };
    }
}

impl Bench<'_, '_> {
    fn live(&self) -> Vec<usize> {
        let live = |&i: &usize| self.workload.lanes[i].fate == Fate::Timed;
        (0..self.workload.lanes.len()).filter(live).collect()
    }

    fn ask(&mut self, i: usize, call: &Arc<Call>) -> (Outcome, u64) {
        let asked = self.runners[i].ask(call, &self.manifest, self.lab.clock);
        note_peak(&mut self.workload.lanes[i], &asked.0);
        asked
    }

    /// The first call of everybody: it is judged, with permutations drawn from one stream where that is possible, and then
    /// asked again, which shows whether answers are kept.
    fn judge_first(&mut self) -> Result<(), String> {
        let call = self.inputs.fresh(self.lab.settings.seed, 0)?;
        let (host, ns) = self.ask(self.host, &call);
        self.workload.lanes[self.host].cold = Some(self.runners[self.host].cold(ns));
        if let Err(fault) = &host {
            self.workload.lanes[self.host].fate = judging::of_fault(fault);
            without_host(&mut self.workload, self.host);
            return Ok(());
        }
        for i in self.live() {
            if i != self.host {
                let (answer, ns) = self.ask(i, &call);
                self.workload.lanes[i].cold = Some(self.runners[i].cold(ns));
                self.judge_shared(i, &call, &host, answer);
            }
        }
        for _ in 0..REPEATS {
            for i in self.live() {
                let (answer, ns) = self.ask(i, &call);
                let alone = answer.ok().and_then(|reply| reply.elapsed).map(nanoseconds);
                self.workload.lanes[i].repeated_ns.push(alone.unwrap_or(ns));
            }
        }
        Ok(())
    }

    fn judge_shared(&mut self, i: usize, call: &Arc<Call>, host: &Outcome, answer: Outcome) {
        let Some(manifest) = self.runners[i].manifest().cloned() else { return };
        let streams = self.streams(i, &manifest, &call.function);
        let (expected, actual) = if judging::native(streams) {
            (host.clone(), answer)
        } else {
            let [jobs, of_host] = [i, self.host].map(|i| self.runners[i].jobs(&call.function));
            let asked = settings::in_jobs(&stream::ask(call, streams.host), streams.host, jobs);
            let expected = self.ask(self.host, &asked).0;
            let asked =
                settings::in_jobs(&stream::ask(call, streams.backend), streams.backend, of_host);
            (expected, self.ask(i, &asked).0)
        };
        let judged = &mut self.workload.lanes[i].judged;
        judged.before += 1;
        let (host, lane) = ((&self.manifest, &expected), (&manifest, &actual));
        if let Ruling::Out(fate) = judging::rule(call, host, lane, streams, judged) {
            self.workload.lanes[i].fate = fate;
        }
    }

    /// Who draws which permutations. Two that cannot choose draw the same only if they split them among as many jobs.
    fn streams(&self, i: usize, manifest: &Manifest, function: &str) -> Streams {
        let streams = stream::choose(&self.manifest, manifest, function);
        let [jobs, of_host] = [i, self.host].map(|i| self.runners[i].jobs(function));
        let own = streams.host.is_none() && streams.backend.is_none();
        Streams { same: streams.same && (!own || jobs == of_host), ..streams }
    }

    /// Blocks until the intervals are narrow, there are enough of them, or time is up. It is looked at them only now and then,
    /// and only at their width: stopping at a verdict would find one too often.
    fn measure(&mut self, progress: Progress<'_>) -> Result<(), String> {
        let Settings { least_blocks, most_blocks, .. } = self.lab.settings;
        let start = self.lab.clock.now();
        let mut look = least_blocks;
        for block in 0..most_blocks {
            if self.live().is_empty() || self.workload.lanes[self.host].fate != Fate::Timed {
                break;
            }
            if block > 0 && self.lab.clock.now() - start > self.lab.budget {
                break;
            }
            if block == look {
                if settled(&self.workload, &self.lab.settings) {
                    break;
                }
                look += (look / 2).max(1);
            }
            progress(&format!(
                "{}: block {} of at most {most_blocks}",
                self.workload.name(),
                block + 1
            ));
            self.block(block)?;
        }
        Ok(())
    }

    /// Everybody in one order on one input, then in the reverse order on another.
    fn block(&mut self, block: usize) -> Result<(), String> {
        let seed = self.lab.settings.seed;
        let mut order = self.live();
        Random::new(seed, &format!("order {} {block}", self.workload.name())).shuffle(&mut order);
        for half in 0..2 {
            let call = self.inputs.fresh(seed, (2 * block + half) as u64 + 1)?;
            let mut answers: Vec<(usize, usize, Outcome, u64)> = Vec::new();
            for (place, &i) in order.iter().enumerate() {
                let (answer, ns) = self.ask(i, &call);
                answers.push((i, place, answer, ns));
            }
            self.rule_on(block, half, &call, answers);
            order.reverse();
        }
        Ok(())
    }

    /// Judges the answers of half a block; only then do their times count.
    fn rule_on(
        &mut self,
        block: usize,
        half: usize,
        call: &Arc<Call>,
        answers: Vec<(usize, usize, Outcome, u64)>,
    ) {
        let Some(expected) = answers.iter().find(|a| a.0 == self.host).map(|a| a.2.clone()) else {
            return;
        };
        for (i, place, answer, ns) in answers {
            let fate = if i == self.host {
                answer.as_ref().err().map(judging::of_fault)
            } else {
                self.rule(i, call, &expected, &answer)
            };
            let lane = &mut self.workload.lanes[i];
            match (fate, sample((block, half, place), ns, &answer)) {
                (None, Some(sample)) => lane.samples.push(sample),
                (Some(fate), _) => drop_lane(lane, fate),
                (None, None) => {}
            }
        }
    }

    fn rule(
        &mut self,
        i: usize,
        call: &Arc<Call>,
        host: &Outcome,
        answer: &Outcome,
    ) -> Option<Fate> {
        let manifest = self.runners[i].manifest()?;
        let mut streams = self.streams(i, manifest, &call.function);
        if !judging::native(streams) {
            // Everybody draws from its own stream here, and random columns were compared before.
            streams = Streams { host: None, backend: None, same: false };
        }
        let judged = &mut self.workload.lanes[i].judged;
        let ruling =
            judging::rule(call, (&self.manifest, host), (manifest, answer), streams, judged);
        if answer.is_ok() {
            judged.timed += 1;
        }
        match ruling {
            Ruling::Right { identical } => {
                judged.identical += u64::from(identical);
                None
            }
            Ruling::Out(fate) => Some(fate),
        }
    }
}

/// One wrong answer takes the times of the right ones with it.
fn drop_lane(lane: &mut Lane, fate: Fate) {
    lane.samples.clear();
    lane.repeated_ns.clear();
    lane.fate = fate;
}
