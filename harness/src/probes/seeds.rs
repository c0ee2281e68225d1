//! Seeds.

use dispatch::{Rule, Value};
use reports::Verdict;

use super::bench::Bench;
use super::{Conclusion, Findings, Probe};

/// Names under which libraries pass a seed.
pub(super) const NAMES: [&str; 4] = ["seed", "random_seed", "random_state", "rng"];

/// Seeds that are tried: one collision among few permutations is no evidence, eight are.
const SEEDS: std::ops::Range<i64> = 0..8;

pub(super) const SEED_MATTERS: Probe = Probe {
    name: "seed-matters",
    rule: Rule::C10,
    asks: "makes the same call with eight seeds on an input where the host's answer depends on the seed: the \
           backend's does too, and each seed gives the same bits twice",
    run: seed_matters,
};

fn seed_matters(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let Some(asked) = bench.inputs.random.map(|text| bench.recipe(text)) else {
        return Conclusion::NotApplicable("the function draws nothing".to_owned());
    };
    let seeded: Vec<_> = SEEDS.map(|seed| asked.with("seed", Value::Int(seed))).collect();
    let hosts: Vec<_> = seeded.iter().map(|asked| bench.ask_host(asked)).collect();
    let theirs: Vec<_> = seeded.iter().map(|asked| bench.ask(asked)).collect();
    let answers: Vec<_> = theirs.iter().flatten().collect();
    if answers.len() != seeded.len() {
        return Conclusion::NotApplicable("the backend does not answer every seed".to_owned());
    }
    for (asked, answer) in seeded.iter().zip(&answers) {
        findings.ask();
        if bench.ask(asked).is_ok_and(|again| again.data != answer.data) {
            findings.violate(Some("seed"), asked, "the same seed gave other bits");
        }
    }
    let hosts: Vec<_> = hosts.iter().flatten().collect();
    let varies = |answers: &[&dispatch::Reply]| answers.iter().any(|a| a.data != answers[0].data);
    if !hosts.is_empty() && varies(&hosts) && !varies(&answers) {
        let message = format!("{} seeds gave one answer; the host's changes", answers.len());
        findings.violate(Some("seed"), &asked, message);
    }
    findings.conclude("the function draws nothing")
}

pub(super) const SEED_AS_THE_HOST: Probe = Probe {
    name: "seed-as-the-host",
    rule: Rule::C10,
    asks: "where both sides can draw the same stream, judges the answers for several seeds: the permutations are \
           not those of another seed",
    run: seed_as_the_host,
};

fn seed_as_the_host(bench: &mut Bench) -> Conclusion {
    let mut findings = Findings::default();
    let Some(asked) = bench.inputs.random.map(|text| bench.recipe(text)) else {
        return Conclusion::NotApplicable("the function draws nothing".to_owned());
    };
    if !bench.streams.same {
        return Conclusion::NotApplicable(
            "host and backend draw different permutations".to_owned(),
        );
    }
    for seed in SEEDS {
        let asked = asked.with("seed", Value::Int(seed));
        let (host, backend) = (bench.ask_host(&asked), bench.ask(&asked));
        let judgement = bench.judge(&asked, &host, &backend);
        // Only the columns of permutations speak of the seed.
        let failed = judgement.failed_check().unwrap_or_default();
        let of_permutations = failed.contains("_sim") || failed.starts_with("pvalues: value");
        if judgement.verdict == Verdict::Pass {
            findings.ask();
        } else if of_permutations {
            // That it is the seed, and not the p-value, is shown by a seed whose permutations these are.
            let stand_in = (SEEDS.start..=SEEDS.end).find(|other| {
                let host = bench.ask_host(&asked.with("seed", Value::Int(*other)));
                bench.judge(&asked, &host, &backend).verdict == Verdict::Pass
            });
            if let Some(other) = stand_in {
                let message =
                    format!("seed {seed} draws the permutations of the host's seed {other}");
                findings.violate(Some("seed"), &asked, message);
            }
        }
    }
    findings.conclude("no answer agrees well enough to compare permutations")
}
