//! Who is wrong where two answers differ: both are compared with exact arithmetic.
//!
//! Nothing is known of either side but its class of arithmetic. What a library is forgiven elsewhere, because its owners
//! know of it, is an error here.

mod null;

use dispatch::{Backend, Fault, Manifest};
use reports::{Blame, Finding, Precision, Ruling};

use crate::examine::Exchange;
use crate::judge::{Outcome, Peers, judge};
use crate::{Profile, contract, stream};

pub use null::{Deviations, deviations};

/// What exact arithmetic says about the two answers of an exchange between `[host, backend]`.
///
/// `None` where the oracle does not answer (large inputs, infinite values) or only one side was asked.
pub fn ruling(exchange: &Exchange, [host, backend]: [&Manifest; 2]) -> Option<Ruling> {
    let unasked = |outcome: &Outcome| matches!(outcome, Err(Fault::Unsupported(_)));
    if unasked(&exchange.host) || unasked(&exchange.backend) {
        return None;
    }
    let contract = contract(&exchange.call.function)?;
    let streams = stream::choose(host, backend, &exchange.call.function);
    let asked = stream::ask(&exchange.call, streams.host.or(streams.backend));
    let exact = reference::exact::backend().run(&asked);
    if unasked(&exact) {
        return None;
    }
    let wrong = |side: &Manifest, outcome: &Outcome| -> Option<Option<Finding>> {
        let peers = Peers {
            host: Profile::FLOAT64,
            backend: Profile::of(&side.name).without_defects().in_class(Precision::P64),
            same_stream: streams.same,
        };
        let judged = judge(contract, &asked, peers, &exact, outcome);
        let first = judged.checks.into_iter().find_map(|check| check.finding);
        judged.verdict.condemns().then_some(first)
    };
    let (of_host, of_backend) = (wrong(host, &exchange.host), wrong(backend, &exchange.backend));
    let blame = match (&of_host, &of_backend) {
        (Some(_), None) => Blame::Host,
        (None, Some(_)) => Blame::Backend,
        (Some(_), Some(_)) => Blame::Both,
        (None, None) => Blame::Neither,
    };
    Some(Ruling { blame, host: of_host.flatten(), backend: of_backend.flatten() })
}
