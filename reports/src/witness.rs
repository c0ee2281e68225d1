//! What shows that the backend, and not the host, made the answers: of one case in the log, of a function in a certificate.
//!
//! A backend that hands its calls to the host agrees with it in every case. So whoever reads that a build agrees must also
//! read how that is known to be its own work.

use std::ops::Add;

use dispatch::Witness;
use serde::{Deserialize, Serialize};

use crate::Record;

/// The largest integer that readers which take JSON numbers for doubles read exactly; a sum stops there.
const MOST: u64 = (1 << 53) - 1;

/// What shows that the backend made the answer of a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Witnessed {
    /// The backend is a program of its own: there is no host in its process to fall back to. A line of the log leaves it out.
    #[default]
    OwnCode,
    /// Calls of its function were counted, at least one, while the host's was poisoned.
    Counted(Work),
    /// Nothing: there was an answer without a witness, or no call was counted.
    Unproven,
    /// There was no answer: the backend refused or declined the call, failed, or was not asked.
    NoAnswer,
}

/// The work that was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Calls of the backend's function.
    pub calls: u64,
    /// Kernel launches, where the device counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launches: Option<u64>,
    /// Bytes copied to the device and back, where it counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<u64>,
}

/// What shows that the backend made the answers of a function. The first four sum to the cases that have a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Witnesses {
    /// Cases answered by a program of its own.
    pub own_code: u64,
    /// Cases in which calls of the backend's function were counted.
    pub counted: u64,
    /// Cases in which nothing shows who made the answer.
    pub unproven: u64,
    /// Cases without an answer.
    pub no_answer: u64,
    /// What was counted in all cases together; of launches and bytes, what the device counts.
    #[serde(flatten)]
    pub work: Work,
}

impl Witnessed {
    /// Whether this is what a line of the log leaves out.
    pub(crate) fn is_own_code(&self) -> bool {
        *self == Witnessed::OwnCode
    }

    /// What shows it for the answers of a case that takes several: the weakest counts, and work adds up.
    #[must_use]
    pub fn and(self, other: Witnessed) -> Witnessed {
        use Witnessed::{Counted, NoAnswer, OwnCode, Unproven};
        match (self, other) {
            (Unproven, _) | (_, Unproven) => Unproven,
            (NoAnswer, known) | (known, NoAnswer) => known,
            (Counted(a), Counted(b)) => Counted(a + b),
            (Counted(work), OwnCode) | (OwnCode, Counted(work)) => Counted(work),
            (OwnCode, OwnCode) => OwnCode,
        }
    }
}

impl From<&Witness> for Witnessed {
    fn from(witness: &Witness) -> Witnessed {
        match witness {
            Witness::OwnCode => Witnessed::OwnCode,
            Witness::Unproven | Witness::Counted { calls: 0, .. } => Witnessed::Unproven,
            Witness::Counted { calls, launches, moved } => {
                let moved = moved.map(|m| sum(m.to_device, m.from_device));
                Witnessed::Counted(Work { calls: *calls, launches: *launches, moved })
            }
        }
    }
}

impl Witnesses {
    /// Sums up the records of a function.
    pub fn of(records: &[&Record]) -> Witnesses {
        let mut all = Witnesses::default();
        for record in records {
            match record.witness {
                Witnessed::OwnCode => all.own_code += 1,
                Witnessed::Unproven => all.unproven += 1,
                Witnessed::NoAnswer => all.no_answer += 1,
                Witnessed::Counted(work) => {
                    all.counted += 1;
                    all.work = all.work + work;
                }
            }
        }
        all
    }
}

impl Add for Work {
    type Output = Work;

    fn add(self, other: Work) -> Work {
        let known =
            |a: Option<u64>, b: Option<u64>| a.or(b).map(|_| sum(a.unwrap_or(0), b.unwrap_or(0)));
        Work {
            calls: sum(self.calls, other.calls),
            launches: known(self.launches, other.launches),
            moved: known(self.moved, other.moved),
        }
    }
}

fn sum(a: u64, b: u64) -> u64 {
    a.saturating_add(b).min(MOST)
}
