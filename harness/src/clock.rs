//! The clock of this machine, for the command line only: what is examined, and how, must not depend on one.

use std::time::SystemTime;

use reports::Time;

/// What time it is.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time::from_seconds(since.map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX)))
}
