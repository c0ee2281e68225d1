//! What exact arithmetic says about two answers that differ.

use serde::{Deserialize, Serialize};

use crate::Finding;

/// Who is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The host alone.
    Host,
    /// The backend alone.
    Backend,
    /// Both, whether or not they agree.
    Both,
    /// None of them: each is within its allowance of the exact answer.
    Neither,
}

/// How two answers compare with the exact one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ruling {
    /// Who is wrong.
    pub blame: Blame,
    /// The first thing in which the host's answer is not the exact one, if that can be shown as values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Finding>,
    /// The same for the backend's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<Finding>,
}
