//! A run in parts, on several machines, whose result is that of one run.
//!
//! A part only calls and judges: what depends on all cases (waivers, one shrunk input per cause) is done where the
//! parts are merged, by the same code and in the same order as in one run, so the log has the same bytes. The log of a
//! part says what was planned as a whole; on its own it is an infrastructure error and never a pass.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use reports::{Header, Log, Record};
use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// One part of several; written `2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// Which, from 1.
    index: usize,
    /// How many there are.
    count: usize,
}

/// One part of a run, as it was found.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where it was found.
    pub name: String,
    /// Which part it says it is.
    pub shard: Shard,
    /// Its log.
    pub log: Log,
}

/// Why parts are not one run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A part was made of something else.
    #[error("{name} belongs to another run: {what}")]
    Foreign {
        /// The part.
        name: String,
        /// What differs.
        what: String,
    },
    /// Two parts are the same part.
    #[error("part {shard} is there twice: {first} and {second}")]
    Duplicated {
        /// Which part.
        shard: Shard,
        /// The one given first.
        first: String,
        /// The other.
        second: String,
    },
    /// A part is not there.
    #[error("part {shard} is missing")]
    Missing {
        /// Which part.
        shard: Shard,
    },
    /// A part lacks a case of its own.
    #[error("{name} is cut short: it lacks the case {case}")]
    Incomplete {
        /// The part.
        name: String,
        /// The case.
        case: String,
    },
    /// A part has a case that is another part's, or nobody's, or its own once more.
    #[error("{name} has the case {case}, which is another part's or is there twice")]
    Unexpected {
        /// The part.
        name: String,
        /// The case.
        case: String,
    },
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parts =
            text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
        match parts {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Shard { index, count }),
            Some(_) | None => Err(format!("expected I/N with I from 1 to N, got `{text}`")),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Shard, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}

impl Shard {
    /// The cases of this part: every N-th, so that each part has some of the heavy ones.
    pub fn of(self, plan: &Plan) -> Plan {
        let cases = plan.cases.iter().skip(self.index - 1).step_by(self.count);
        Plan { cases: cases.cloned().collect() }
    }
}

/// The records of all parts, in the order of the plan.
///
/// # Errors
/// Names the part that belongs to another run, is there twice, or is not there; or a part whose log is not whole.
pub fn gather(plan: &Plan, header: &Header, parts: Vec<Part>) -> Result<Vec<Record>, MergeError> {
    let count = parts.first().map_or(1, |part| part.shard.count);
    let mut by_index: BTreeMap<usize, Part> = BTreeMap::new();
    for part in parts {
        if let Some(what) = stranger(&part, header, count) {
            return Err(MergeError::Foreign { name: part.name, what });
        }
        let (shard, second) = (part.shard, part.name.clone());
        if let Some(first) = by_index.insert(shard.index, part) {
            return Err(MergeError::Duplicated { shard, first: first.name, second });
        }
    }
    let mut records = BTreeMap::new();
    for index in 1..=count {
        let shard = Shard { index, count };
        let part = by_index.remove(&index).ok_or(MergeError::Missing { shard })?;
        whole(part, &shard.of(plan), &mut records)?;
    }
    // Each part was whole, so every case of the plan is there.
    Ok(plan.cases.iter().filter_map(|(_, case)| records.remove(&case.name())).collect())
}

/// Takes the records of a part, which must be those of its cases.
fn whole(
    part: Part,
    cases: &Plan,
    records: &mut BTreeMap<String, Record>,
) -> Result<(), MergeError> {
    let Part { name, log, .. } = part;
    let mut found: BTreeMap<String, Record> = BTreeMap::new();
    for record in log.records {
        let case = record.case.clone();
        if found.insert(case.clone(), record).is_some() {
            return Err(MergeError::Unexpected { name, case });
        }
    }
    for (_, case) in &cases.cases {
        let case = case.name();
        match found.remove(&case) {
            Some(record) => records.insert(case, record),
            None => return Err(MergeError::Incomplete { name, case }),
        };
    }
    match found.into_keys().next() {
        None => Ok(()),
        Some(case) => Err(MergeError::Unexpected { name, case }),
    }
}

/// What makes a part none of this run.
fn stranger(part: &Part, whole: &Header, count: usize) -> Option<String> {
    if part.shard.count != count {
        return Some(format!("it is part {} of a run in {} parts", part.shard, part.shard.count));
    }
    let header = &part.log.header;
    (header != whole).then(|| foreign(header, whole).to_owned())
}

/// The first thing in which two runs are not the same.
pub(crate) fn foreign(part: &Header, whole: &Header) -> &'static str {
    let differs = [
        (part.examiner != whole.examiner, "another version of the examiner"),
        (part.backend != whole.backend, "another backend, build or device"),
        (part.host != whole.host, "another host"),
        (part.tier != whole.tier, "another tier"),
        (part.seed != whole.seed, "another seed"),
        (part.precision != whole.precision, "another class of arithmetic"),
        (part.deadline_ms != whole.deadline_ms, "another deadline"),
        (part.plan != whole.plan, "other cases"),
    ];
    differs.iter().find(|(differs, _)| *differs).map_or("another header", |(_, what)| what)
}
