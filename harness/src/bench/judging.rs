//! Judges what lanes answered, and says what becomes of a lane that gave no right answer.

use std::sync::Arc;

use dispatch::{Call, Fault, Manifest};
use reports::perf::{Fate, Judged};
use reports::{Precision, Verdict};

use crate::judge::{Judgement, Outcome, Peers, judge};
use crate::stream::{self, Streams};
use crate::{Profile, contract};

/// What one answer came to.
pub(super) enum Ruling {
    /// It is right; whether it is the host's bit for bit.
    Right { identical: bool },
    /// It is not, or there is none.
    Out(Fate),
}

/// Whether nobody has to leave its own random stream for both to draw the same permutations. Asking for another one takes
/// time that users do not spend, so timed calls never do.
pub(super) fn native(streams: Streams) -> bool {
    let draws_numpy = |stream| stream == Some("numpy");
    !draws_numpy(streams.host) && !draws_numpy(streams.backend)
}

/// Judges one answer, and adds it to what is known of its lane.
pub(super) fn rule(
    call: &Arc<Call>,
    (host, expected): (&Manifest, &Outcome),
    (backend, actual): (&Manifest, &Outcome),
    streams: Streams,
    judged: &mut Judged,
) -> Ruling {
    let answer = match actual {
        Ok(answer) => answer,
        Err(fault) => return Ruling::Out(of_fault(fault)),
    };
    if let Ok(expected) = expected
        && answer.data.digest() == expected.data.digest()
        && answer.mutated.is_empty()
        && answer.unsteady.is_none()
        && answer.witness.proves()
    {
        return Ruling::Right { identical: true };
    }
    let Some(contract) = contract(&call.function) else {
        return Ruling::Out(Fate::NotJudged {
            why: format!("no contract for `{}`", call.function),
        });
    };
    let peers = Peers {
        host: Profile::of(&host.name),
        backend: Profile::of(&backend.name).in_class(Precision::P64),
        same_stream: streams.same,
    };
    let asked = stream::ask(call, streams.host.or(streams.backend));
    let judgement = judge(contract, &asked, peers, expected, actual);
    for check in &judgement.checks {
        judged.worst = judged.worst.worse(check.worst);
    }
    match judgement.verdict {
        Verdict::Pass | Verdict::QualityWarning => Ruling::Right { identical: false },
        Verdict::Fail | Verdict::Contract | Verdict::Flaky => {
            Ruling::Out(Fate::WrongAnswer { verdict: judgement.verdict, why: why(&judgement) })
        }
        verdict => Ruling::Out(Fate::NotJudged { why: format!("{verdict}: {}", judgement.reason) }),
    }
}

/// What becomes of a lane by a fault.
pub(super) fn of_fault(fault: &Fault) -> Fate {
    match fault {
        Fault::TimedOut(after) => Fate::TimedOut { after_ms: after.as_millis() as u64 },
        Fault::OutOfMemory(why) => Fate::OutOfMemory { why: last_line(why) },
        Fault::Unsupported(why) => Fate::NotJudged { why: why.clone() },
        Fault::Rejected { .. }
        | Fault::Failed(_)
        | Fault::Crashed { .. }
        | Fault::DeviceLost(_)
        | Fault::Protocol(_) => Fate::Failed { why: last_line(&fault.to_string()) },
    }
}

/// A back trace ends with what happened.
fn last_line(text: &str) -> String {
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}

fn why(judgement: &Judgement) -> String {
    let failed = judgement.checks.iter().find_map(|c| Some((&c.name, c.finding.as_ref()?)));
    match failed {
        Some((name, finding)) => {
            let at =
                if finding.at.is_empty() { String::new() } else { format!(" at {}", finding.at) };
            format!("{name}{at}: expected {}, got {}", finding.expected, finding.actual)
        }
        None => judgement.reason.clone(),
    }
}
