//! Which cases are run, decided before the first of them.
//!
//! The must-pass list is a pairwise covering array over the knobs of each function; after it come recipes
//! drawn at random, and last a ladder of sizes, on which tiles, narrow counters and large permutations show. Seeds derive from what is examined (suite, backend, host, an optional
//! challenge), so nobody picks them, and the seed of a case does not depend on order or sharding.

use std::collections::{BTreeMap, BTreeSet};

use dispatch::{Backend, Device, Digest, Manifest};
use generators::{Generator, Recipe};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use reports::{Header, Source};
use serde::{Deserialize, Serialize};

use crate::Case;
use crate::statistics::Budget;

/// How much is examined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Finds mistakes early; certifies nothing.
    Quick,
    /// What a certificate is based on.
    Standard,
    /// For releases.
    Full,
}

impl Tier {
    /// The name used in logs.
    pub fn name(self) -> &'static str {
        match self {
            Tier::Quick => "quick",
            Tier::Standard => "standard",
            Tier::Full => "full",
        }
    }

    /// How much is asked of random columns.
    pub fn budget(self) -> Budget {
        match self {
            Tier::Quick => Budget::Quick,
            Tier::Standard => Budget::Standard,
            Tier::Full => Budget::Full,
        }
    }

    /// How often the covering array is built with another seed.
    fn arrays(self) -> u64 {
        match self {
            Tier::Quick => 1,
            Tier::Standard => 4,
            Tier::Full => 16,
        }
    }

    /// Recipes drawn at random, per function.
    fn samples(self) -> u64 {
        match self {
            Tier::Quick => 200,
            Tier::Standard => 4_000,
            Tier::Full => 40_000,
        }
    }
}

/// The cases of a run, in order, each once.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The cases and where they come from.
    pub cases: Vec<(Source, Case)>,
}

impl Plan {
    /// The plan of a tier for some functions.
    pub fn generated(functions: &[&'static Generator], tier: Tier, seed: u64) -> Plan {
        let mut plan = Plan::sized(functions, tier.arrays(), tier.samples(), seed);
        for generator in functions {
            let seed = derive(seed, generator.function, "ladder", 0);
            let rungs = generators::plan::ladder(generator, tier != Tier::Quick, seed);
            plan.cases.extend(rungs.into_iter().map(|r| (Source::MustPass, Case::Recipe(r))));
        }
        plan
    }

    /// For each function `arrays` covering arrays and then `samples` recipes drawn at random.
    pub fn sized(functions: &[&'static Generator], arrays: u64, samples: u64, seed: u64) -> Plan {
        let mut plan = Plan::default();
        for generator in functions {
            let mut seen = BTreeSet::new();
            let must_pass = (0..arrays).flat_map(|k| {
                generators::plan::pairwise(generator, derive(seed, generator.function, "array", k))
            });
            let drawn = (0..samples)
                .map(|k| draw(generator, derive(seed, generator.function, "sample", k)));
            let all =
                must_pass.map(|r| (Source::MustPass, r)).chain(drawn.map(|r| (Source::Sampled, r)));
            for (source, recipe) in all {
                if seen.insert(recipe.to_string()) {
                    plan.cases.push((source, Case::Recipe(recipe)));
                }
            }
        }
        plan
    }

    /// Leaves the heavy sizes out where one of them would take longer than all other cases; returns a sentence for each.
    pub fn leave_out_heavy(&mut self, tier: Tier, peers: [&dyn Backend; 2]) -> Vec<String> {
        let emulated = peers.iter().any(|p| p.manifest().device == Device::Emulated);
        if !emulated || tier == Tier::Full {
            return Vec::new();
        }
        let why = "only the full tier asks an emulated device for the largest sizes";
        let is_heavy =
            |case: &Case| matches!(case, Case::Recipe(r) if generators::plan::is_heavy(r));
        let heavy = self.cases.iter().filter(|(_, case)| is_heavy(case));
        let said = heavy.map(|(_, case)| format!("{} was left out: {why}", case.name())).collect();
        self.cases.retain(|(_, case)| !is_heavy(case));
        said
    }

    /// Number of cases by function.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (_, case) in &self.cases {
            *counts.entry(case.function().to_owned()).or_default() += 1;
        }
        counts
    }

    /// Digest over the names of the cases, in order.
    pub fn digest(&self) -> Digest {
        let names: Vec<String> = self.cases.iter().map(|(_, case)| case.name()).collect();
        Header::digest_of(names.iter().map(String::as_str))
    }
}

/// The seed of a run: derived from who is examined, against whom, by which suite.
pub fn run_seed(backend: &Manifest, host: &Manifest, challenge: &str) -> u64 {
    let subject = |m: &Manifest| format!("{} {} {}", m.name, m.version, m.artifact);
    let text = format!(
        "concord suite {}\n{}\n{}\n{challenge}",
        env!("CARGO_PKG_VERSION"),
        subject(backend),
        subject(host)
    );
    first_u64(&Digest::of_bytes(text.as_bytes()))
}

/// The seed of one part of a run.
fn derive(seed: u64, function: &str, part: &str, k: u64) -> u64 {
    // 32 bits: the seed stands in every recipe text, and squidpy takes no larger one for `ligrec`.
    first_u64(&Digest::of_bytes(format!("{seed} {function} {part} {k}").as_bytes())) >> 32
}

fn first_u64(digest: &Digest) -> u64 {
    digest.bytes().iter().take(8).fold(0, |acc, &byte| acc << 8 | u64::from(byte))
}

/// One recipe drawn at random; the same for the same seed on every machine.
fn draw(generator: &'static Generator, seed: u64) -> Recipe {
    let bytes = *Digest::of_bytes(&seed.to_le_bytes()).bytes();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(fixed_config(), rng);
    match generators::strategy::recipes(generator).new_tree(&mut runner) {
        Ok(tree) => tree.current(),
        // The strategy rejects nothing; should it ever, the simplest recipe is a case too.
        Err(_) => Recipe::simplest(generator, seed),
    }
}

/// A configuration in which every field that could change what is drawn is set, so that `PROPTEST_*`
/// variables of the environment cannot change a run.
fn fixed_config() -> Config {
    Config {
        cases: 1,
        max_local_rejects: 65_536,
        max_global_rejects: 1_024,
        max_flat_map_regens: 1_000_000,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::ChaCha,
        ..Config::default()
    }
}
