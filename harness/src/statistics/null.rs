//! Which permutation null a backend samples: told, not asked for.
//!
//! A permutation test of Moran's I relabels the cells, as Cliff and Ord and `esda` do. squidpy 1.8.3 permutes the rows of the
//! weights and leaves the values, and who stands in for squidpy has to do the same. Both nulls have exact moments, so the
//! variance that a backend reports says which one it samples ([`crate::oracle::deviations`]). The other null than the
//! textbook's is no difference from the host, so it is a warning and not a failure.

use std::sync::Arc;

use dispatch::Fault;
use reports::{Check, Finding, Ratio, Verdict};

use super::inquiry::Conclusion;
use super::subject::{Subject, asked};
use crate::examine::Session;
use crate::oracle::deviations;

/// Permutations of the call: on a triangulation the two variances are then some 25 standard errors apart.
pub(super) const PERMUTATIONS: usize = 4_999;
/// Standard errors that a variance of the right null keeps within; it is normal enough for one in 10^20 to be beyond.
const FAR: f64 = 10.0;

/// Compares the variance of many permutations with those of both nulls.
pub(super) fn measure(
    session: &mut Session<'_>,
    call: &dispatch::Call,
    seed: u64,
) -> Result<Conclusion, Fault> {
    let mut call = asked(call, PERMUTATIONS, seed);
    if !Subject::new(session).takes_seed(&call.function) {
        call.params.remove("seed");
    }
    let call = Arc::new(call);
    let reply = session.answer(&call)?;
    let Some(found) = deviations(&call, &reply) else {
        let reason = "the answer has no variance of permutations".to_owned();
        return Ok(Conclusion { verdict: Verdict::NotSupported, reason, checks: Vec::new() });
    };
    let (verdict, reason) = match found.objection() {
        Some(objection) => (Verdict::QualityWarning, objection),
        None => (Verdict::Pass, String::new()),
    };
    let finding = (verdict == Verdict::QualityWarning).then(|| Finding {
        slot: "result[var_sim]".to_owned(),
        at: String::new(),
        expected: "the variance over relabelled cells".to_owned(),
        actual: format!("{:.0} standard errors from it", found.labels),
        allowance: format!("{FAR} standard errors"),
        ratio: Ratio(found.labels / FAR),
    });
    let worst = finding.as_ref().map_or(Ratio(found.labels.min(found.rows) / FAR), |f| f.ratio);
    let name = "null of Cliff and Ord".to_owned();
    let check = Check { name, compared: 1, worst, finding, places: None };
    Ok(Conclusion { verdict, reason, checks: vec![check] })
}
