//! Answers that depend on more than their call.

use dispatch::{Call, Digest, Fault, Reply, Rule, Value};

use super::form::each_number;
use super::{Caught, ContractMutant, HONEST, Seat, forced};

pub(super) const MUTANTS: &[ContractMutant] = &[
    ContractMutant {
        name: "contract-counts-calls",
        function: "co_occurrence",
        mistake: "adds to a workspace that it clears every second call only",
        origin: "a GPU buffer that is reused; each single call of a test is right",
        caught: Caught::Rule(Rule::C9),
        answer: |seat, call| {
            let second = {
                let mut memory = seat.memory();
                memory.calls += 1;
                memory.calls % 2 == 0
            };
            let mut reply = seat.answer(&call)?;
            if second {
                each_number(&mut reply, |x| x.next_up());
            }
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-option-sticks",
        function: "spatial_autocorr",
        mistake: "keeps `two_tailed=True` for all later calls",
        origin: "an option written to a global",
        caught: Caught::Rule(Rule::C9),
        answer: |seat, call| {
            if let Some(Value::Bool(true)) = call.param("two_tailed") {
                seat.memory().option = Some(Value::Bool(true));
            }
            let stuck = seat.memory().option.clone();
            seat.answer(&match stuck {
                Some(value) => forced(call, "two_tailed", value),
                None => call,
            })
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-caches-by-data",
        function: "ligrec",
        mistake: "answers from a cache that knows the AnnData but not the arguments",
        origin: "a cache key that forgets half of the call",
        caught: Caught::Rule(Rule::C9),
        answer: cached_by_data,
        ..HONEST
    },
    ContractMutant {
        name: "contract-counts-threads",
        function: "spatial_autocorr",
        mistake: "adds up in as many parts as there are threads",
        origin: "parallel sums without a fixed tree; on one machine every test agrees with itself",
        caught: Caught::Rule(Rule::C9),
        answer: |seat, call| {
            let parts = rayon::current_num_threads() as f64;
            let mut reply = seat.answer(&call)?;
            // About one rounding per part.
            each_number(&mut reply, |x| x * (1.0 + parts * f64::EPSILON));
            Ok(reply)
        },
        ..HONEST
    },
    ContractMutant {
        name: "contract-counts-jobs",
        function: "ligrec",
        mistake: "draws other permutations for another number of jobs",
        origin: "squidpy seeds each job with seed + its number",
        caught: Caught::Rule(Rule::C9),
        answer: |seat, call| {
            let jobs = match call.param("n_jobs") {
                Some(Value::Int(jobs)) => *jobs,
                _ => 1,
            };
            match call.param("seed") {
                Some(Value::Int(seed)) if *seed >= 0 && jobs > 1 => {
                    let other = seed + jobs;
                    seat.answer(&forced(call, "seed", other))
                }
                _ => seat.answer(&call),
            }
        },
        ..HONEST
    },
];

fn cached_by_data(seat: &Seat<'_>, call: Call) -> Result<Reply, Fault> {
    let key: Digest = call.data.digest();
    if let Some((known, reply)) = &seat.memory().answer
        && *known == key
    {
        return Ok(reply.clone());
    }
    let reply = seat.answer(&call)?;
    seat.memory().answer = Some((key, reply.clone()));
    Ok(reply)
}
