//! A run in parts, on several machines, whose result is that of one run.
//!
//! A part only calls and judges: what depends on all cases (waivers, one shrunk input per cause) is done where the
//! parts are gathered, by the same code and in the same order as in one run, so the log has the same bytes. The log of a
//! part says what was planned as a whole; on its own it is an infrastructure error and never a pass.

use std::collections::BTreeMap;
use std::str::FromStr;

use reports::{Header, Log, Record};

use crate::plan::Plan;

/// One part of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    index: usize,
    /// How many there are.
    count: usize,
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
/// Names the part that belongs to another run, or a case that no part or more than one has.
pub fn gather(
    plan: &Plan,
    header: &Header,
    parts: Vec<(String, Log)>,
) -> Result<Vec<Record>, String> {
    let mut found: BTreeMap<String, (Record, String)> = BTreeMap::new();
    for (name, part) in parts {
        if part.header != *header {
            return Err(format!(
                "{name} belongs to another run: {}",
                foreign(&part.header, header)
            ));
        }
        for record in part.records {
            let case = record.case.clone();
            if let Some((_, other)) = found.insert(case.clone(), (record, name.clone())) {
                return Err(format!("{other} and {name} both have the case {case}"));
            }
        }
    }
    let take = |name: String| {
        let record = found.remove(&name).map(|(record, _)| record);
        record.ok_or_else(|| format!("no part has the case {name}: is one missing?"))
    };
    let records = plan.cases.iter().map(|(_, case)| case.name()).map(take);
    let records = records.collect::<Result<Vec<Record>, String>>()?;
    match found.into_values().next() {
        None => Ok(records),
        Some((record, name)) => {
            Err(format!("{name} has the case {}, which is not planned", record.case))
        }
    }
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
        (part.plan != whole.plan, "other cases"),
    ];
    differs.iter().find(|(differs, _)| *differs).map_or("another header", |(_, what)| what)
}
