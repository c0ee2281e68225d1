//! What of a function's input space was tried, and how it went: the domain map.
//!
//! A certificate that says "conformant" is read as "for my data too". So every level of every knob, and every
//! pair of levels, has one of four words; what was not tried is listed and not left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Log, Record, Verdict};

/// What can be varied about the calls of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knobs {
    /// The knobs.
    pub knobs: Vec<KnobLevels>,
    /// Pairs `knob=level` of different knobs that exclude each other, beyond what edges and lone levels imply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<[String; 2]>,
}

/// One knob and its levels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnobLevels {
    /// Its name in the text of a case.
    pub name: String,
    /// The levels, simplest first; a case that does not name the knob has the first.
    pub levels: Vec<String>,
    /// Levels that hide what else a case tries: such a case shows only the pairs of that level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<String>,
    /// Levels that are tried only where every other knob has its first level.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lone: Vec<String>,
    /// Levels that are tried for themselves, and not with each level of each other knob: large sizes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub large: Vec<String>,
}

/// How a level or a pair of levels fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// At least one case passed and none failed.
    Verified,
    /// At least one case failed; waived failures count.
    Failed,
    /// There were cases, and none of them passed or failed: the host is undefined there, or the backend offers nothing.
    Undefined,
    /// There was no case.
    Untested,
}

/// The cases of one level or pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Cases that passed.
    pub passed: u64,
    /// Cases that failed.
    pub failed: u64,
    /// All other cases.
    pub other: u64,
}

impl Seen {
    /// The word for it.
    pub fn coverage(self) -> Coverage {
        match self {
            Seen { failed: 1.., .. } => Coverage::Failed,
            Seen { passed: 1.., .. } => Coverage::Verified,
            Seen { other: 1.., .. } => Coverage::Undefined,
            Seen { .. } => Coverage::Untested,
        }
    }

    fn add(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Pass | Verdict::QualityWarning => self.passed += 1,
            Verdict::Waived => self.failed += 1,
            other if other.condemns() => self.failed += 1,
            _ => self.other += 1,
        }
    }
}

/// The domain map of one function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The function.
    pub function: String,
    /// Every level, as `knob=level`, in the order of the knobs.
    pub levels: Vec<(String, Seen)>,
    /// Every pair of levels of different knobs that a case can have and show.
    pub pairs: Vec<([String; 2], Seen)>,
}

impl Domain {
    /// The maps of all functions whose knobs stand in the header.
    pub fn of(log: &Log) -> Vec<Domain> {
        let mut by_function: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in &log.records {
            by_function.entry(&record.function).or_default().push(record);
        }
        let mut records = |function: &str| by_function.remove(function).unwrap_or_default();
        log.header.knobs.iter().map(|(name, knobs)| map(name, knobs, &records(name))).collect()
    }

    /// Number of levels of each coverage.
    pub fn level_counts(&self) -> BTreeMap<Coverage, u64> {
        count(self.levels.iter().map(|(_, seen)| seen.coverage()))
    }

    /// Number of pairs of each coverage.
    pub fn pair_counts(&self) -> BTreeMap<Coverage, u64> {
        count(self.pairs.iter().map(|(_, seen)| seen.coverage()))
    }

    /// The levels of a coverage.
    pub fn levels_that_are(&self, coverage: Coverage) -> Vec<&str> {
        let found = self.levels.iter().filter(|(_, seen)| seen.coverage() == coverage);
        found.map(|(level, _)| level.as_str()).collect()
    }

    /// The pairs of a coverage.
    pub fn pairs_that_are(&self, coverage: Coverage) -> Vec<&[String; 2]> {
        let found = self.pairs.iter().filter(|(_, seen)| seen.coverage() == coverage);
        found.map(|(pair, _)| pair).collect()
    }

    /// Levels of which every case that means anything fails: where a person looks for the cause first.
    pub fn always_failing(&self) -> Vec<&str> {
        let found = self.levels.iter().filter(|(_, seen)| seen.failed > 0 && seen.passed == 0);
        found.map(|(level, _)| level.as_str()).collect()
    }
}

fn count(all: impl Iterator<Item = Coverage>) -> BTreeMap<Coverage, u64> {
    let mut counts = BTreeMap::new();
    all.for_each(|coverage| *counts.entry(coverage).or_default() += 1);
    counts
}

/// The levels of all knobs in one list, so that a case is a list of positions in it.
struct Space<'a> {
    knobs: &'a Knobs,
    names: Vec<String>,
    /// For each knob, the position of its first level.
    starts: Vec<usize>,
    edge: Vec<bool>,
    large: Vec<bool>,
    lone: Vec<bool>,
}

impl<'a> Space<'a> {
    fn new(knobs: &'a Knobs) -> Space<'a> {
        let (mut names, mut starts) = (Vec::new(), Vec::new());
        let (mut edge, mut large, mut lone) = (Vec::new(), Vec::new(), Vec::new());
        for knob in &knobs.knobs {
            starts.push(names.len());
            names.extend(knob.levels.iter().map(|level| format!("{}={level}", knob.name)));
            edge.extend(knob.levels.iter().map(|level| knob.edges.contains(level)));
            lone.extend(knob.levels.iter().map(|level| knob.lone.contains(level)));
            large.extend(knob.levels.iter().map(|level| knob.large.contains(level)));
        }
        Space { knobs, names, starts, edge, large, lone }
    }

    /// The level that a case has of each knob; `None` if its text is not made of these knobs.
    fn chosen(&self, record: &Record) -> Option<Vec<usize>> {
        let text = record.case.strip_prefix(&record.function)?;
        if self.knobs.knobs.iter().any(|knob| knob.levels.is_empty()) {
            return None;
        }
        let mut chosen = self.starts.clone();
        for word in text.split_whitespace() {
            let (name, level) = word.split_once('=')?;
            if name != "seed" {
                let knob = self.knobs.knobs.iter().position(|k| k.name == name)?;
                let at = self.knobs.knobs[knob].levels.iter().position(|l| l == level)?;
                chosen[knob] = self.starts[knob] + at;
            }
        }
        Some(chosen)
    }

    /// Every pair that a case can have and show.
    fn pairs(&self) -> Vec<(usize, usize)> {
        let excluded: BTreeSet<[&str; 2]> = (self.knobs.excluded.iter())
            .flat_map(|[a, b]| [[a.as_str(), b.as_str()], [b.as_str(), a.as_str()]])
            .collect();
        let is_first = |at: usize| self.starts.contains(&at);
        let possible = |a: usize, b: usize| {
            let alone = |x: usize, other: usize| !self.lone[x] || is_first(other);
            let both_edges = self.edge[a] && self.edge[b];
            !(both_edges || self.large[a] || self.large[b])
                && alone(a, b)
                && alone(b, a)
                && !excluded.contains(&[self.names[a].as_str(), self.names[b].as_str()])
        };
        let mut pairs = Vec::new();
        for (k, &start) in self.starts.iter().enumerate() {
            let end = self.starts.get(k + 1).copied().unwrap_or(self.names.len());
            for a in start..end {
                pairs.extend((end..self.names.len()).filter(|&b| possible(a, b)).map(|b| (a, b)));
            }
        }
        pairs
    }
}

fn map(function: &str, knobs: &Knobs, records: &[&Record]) -> Domain {
    let space = Space::new(knobs);
    let n = space.names.len();
    let (mut levels, mut pairs) = (vec![Seen::default(); n], vec![Seen::default(); n * n]);
    for record in records {
        let Some(chosen) = space.chosen(record) else { continue };
        let edges = chosen.iter().filter(|&&at| space.edge[at]).count();
        // An edge hides everything that it is not part of.
        let shows = |parts: &[usize]| parts.iter().filter(|&&at| space.edge[at]).count() == edges;
        for (i, &a) in chosen.iter().enumerate() {
            // A large size is what it is, whatever else a case has; only given recipes have one.
            if shows(&[a]) || space.large[a] {
                levels[a].add(record.verdict);
            }
            for &b in &chosen[i + 1..] {
                if shows(&[a, b]) {
                    pairs[a * n + b].add(record.verdict);
                }
            }
        }
    }
    let name = |at: usize| space.names[at].clone();
    Domain {
        function: function.to_owned(),
        levels: levels.into_iter().enumerate().map(|(at, seen)| (name(at), seen)).collect(),
        pairs: (space.pairs().into_iter())
            .map(|(a, b)| ([name(a), name(b)], pairs[a * n + b]))
            .collect(),
    }
}

impl Coverage {
    /// Every coverage, best first.
    pub const ALL: [Coverage; 4] =
        [Coverage::Verified, Coverage::Failed, Coverage::Undefined, Coverage::Untested];

    /// The word used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Coverage::Verified => "verified",
            Coverage::Failed => "failed",
            Coverage::Undefined => "undefined",
            Coverage::Untested => "untested",
        }
    }
}
