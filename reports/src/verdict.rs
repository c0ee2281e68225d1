//! What became of one case.

use serde::{Deserialize, Serialize};

/// What became of one case. Exactly one per planned case; none of them is "absent".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Both answered and every comparison was inside its allowance, or both refused alike.
    Pass,
    /// An answer differs by more than its allowance, or one side refused where the other answered.
    Fail,
    /// The numbers may be right, but the contract of the call is broken (a slot, a dtype, a side effect).
    Contract,
    /// Right, with something a maintainer should know.
    QualityWarning,
    /// The backend says that it does not offer this call.
    NotSupported,
    /// Differs, and a waiver in force covers it.
    Waived,
    /// Differs or not, from run to run on the same input.
    Flaky,
    /// Would pass, but nothing shows that the backend did the work.
    Unproven,
    /// The backend's process died.
    Crash,
    /// No answer within the deadline.
    Timeout,
    /// The accelerator was lost.
    DeviceLost,
    /// Something outside host and backend broke.
    Infra,
    /// Nothing could be concluded, for example because nothing was comparable.
    Inconclusive,
    /// The host's own answer means nothing on this input.
    HostUndefined,
    /// Planned, but not run.
    NotRun,
}

impl Verdict {
    /// Every verdict, best first.
    pub const ALL: [Verdict; 15] = [
        Verdict::Pass,
        Verdict::QualityWarning,
        Verdict::Waived,
        Verdict::HostUndefined,
        Verdict::NotSupported,
        Verdict::Unproven,
        Verdict::Inconclusive,
        Verdict::NotRun,
        Verdict::Infra,
        Verdict::Flaky,
        Verdict::Timeout,
        Verdict::DeviceLost,
        Verdict::Crash,
        Verdict::Contract,
        Verdict::Fail,
    ];

    /// The word used in logs and reports.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Contract => "contract",
            Verdict::QualityWarning => "quality-warning",
            Verdict::NotSupported => "not-supported",
            Verdict::Waived => "waived",
            Verdict::Flaky => "flaky",
            Verdict::Unproven => "unproven",
            Verdict::Crash => "crash",
            Verdict::Timeout => "timeout",
            Verdict::DeviceLost => "device-lost",
            Verdict::Infra => "infra",
            Verdict::Inconclusive => "inconclusive",
            Verdict::HostUndefined => "host-undefined",
            Verdict::NotRun => "not-run",
        }
    }

    /// Whether this verdict alone shows that the backend is not conformant.
    pub fn condemns(self) -> bool {
        match self {
            Verdict::Fail
            | Verdict::Contract
            | Verdict::Flaky
            | Verdict::Crash
            | Verdict::Timeout
            | Verdict::DeviceLost => true,
            Verdict::Pass
            | Verdict::QualityWarning
            | Verdict::NotSupported
            | Verdict::Waived
            | Verdict::Unproven
            | Verdict::Infra
            | Verdict::Inconclusive
            | Verdict::HostUndefined
            | Verdict::NotRun => false,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}
