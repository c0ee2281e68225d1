//! The clock of this machine, for the command line only: what is examined, and how, must not depend on one.

use std::time::SystemTime;

use reports::Time;

/// What time it is; `SOURCE_DATE_EPOCH` (seconds) stands for it where it is set, so that a certificate can be made again.
pub(crate) fn now() -> Time {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    if let Some(seconds) = set {
        return Time::from_seconds(seconds);
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time::from_seconds(since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX)))
}
