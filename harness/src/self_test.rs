//! Whether the machine computes known answers: a broken processor or memory shows nothing about a backend.
//!
//! Exact arithmetic on rational numbers and the reference answer the same small calls. They share no arithmetic, and a right
//! machine finds them equal; `concord certify` asks before the first case and after the last.

use std::sync::Arc;
use std::time::Duration;

use generators::Recipe;
use reports::certificate::Answer;
use reports::{Precision, Verdict};

use crate::examine::Examination;

/// Calls of each function.
const CALLS: u64 = 4;

/// Asks both for the simplest call of each function, with some seeds.
pub fn self_test() -> Answer {
    let examination = Examination {
        host: Arc::new(reference::exact::backend()),
        backend: Arc::new(reference::backend()),
        precision: Precision::P64,
        deadline: Duration::from_secs(60),
        host_name: "exact".to_owned(),
        backend_name: "reference".to_owned(),
        replay_args: String::new(),
    };
    let mut session = examination.session();
    let mut is_right = |generator, seed| {
        let call = Arc::new(Recipe::simplest(generator, seed).build());
        let judgement = session.exchange(call).judgement;
        judgement.verdict == Verdict::Pass && judgement.checks.iter().any(|c| c.compared > 0)
    };
    let all = generators::GENERATORS.iter().all(|g| (1..=CALLS).all(|seed| is_right(g, seed)));
    if all { Answer::Pass } else { Answer::Fail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_knows_the_answers() {
        assert_eq!(self_test(), Answer::Pass);
    }
}
