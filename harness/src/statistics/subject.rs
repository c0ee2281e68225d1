//! A backend as something that can be asked for fresh permutations.

use std::sync::Arc;

use dispatch::{Call, Fault, Reply, Value};
use generators::Random;

use super::batch::Batch;
use crate::examine::Session;

/// How two calls come by different permutations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fresh {
    /// By their seeds.
    Seed,
    /// By themselves: the backend takes no seed and draws anew each time.
    State,
    /// The backend takes no seed and always draws the same, so the cells are put into another order: one fixed
    /// permutation then moves other cells. The answers by feature and cluster stay what they were.
    Order,
}

/// A backend and how to ask it.
pub(super) struct Subject<'s, 'a> {
    session: &'s mut Session<'a>,
    fresh: Option<Fresh>,
}

impl<'s, 'a> Subject<'s, 'a> {
    pub(super) fn new(session: &'s mut Session<'a>) -> Subject<'s, 'a> {
        Subject { session, fresh: None }
    }

    /// Whether the backend takes a seed.
    pub(super) fn takes_seed(&self, function: &str) -> bool {
        let functions = &self.session.examination().backend.manifest().functions;
        functions.get(function).is_some_and(|s| s.get("seed").is_some())
    }

    /// The answers to a batch of calls; `seed` says which permutations, `first` whether these are the first asked for.
    pub(super) fn batch(
        &mut self,
        call: &Call,
        batch: Batch,
        seed: u64,
        first: bool,
    ) -> Result<Vec<Reply>, Fault> {
        let fresh = self.fresh(call)?;
        (0..batch.runs)
            .map(|run| {
                let mut call = asked(call, batch.n_perms, seed + run as u64);
                if fresh != Fresh::Seed {
                    call.params.remove("seed");
                }
                if fresh == Fresh::Order && !(first && run == 0) {
                    call = reordered(&call, seed + run as u64);
                }
                self.session.answer(&Arc::new(call))
            })
            .collect()
    }

    /// Whether the backend takes no seed and draws the same each time.
    ///
    /// Under another order of the cells a permutation keeps its cycles, so the answers of several orders are not independent:
    /// they serve to confirm what a batch of one call has found, not to make up a batch.
    pub(super) fn repeats_itself(&mut self, call: &Call) -> Result<bool, Fault> {
        Ok(self.fresh(call)? == Fresh::Order)
    }

    fn fresh(&mut self, call: &Call) -> Result<Fresh, Fault> {
        if let Some(fresh) = self.fresh {
            return Ok(fresh);
        }
        let fresh = if self.takes_seed(&call.function) {
            Fresh::Seed
        } else {
            let mut call = asked(call, 99, 0);
            call.params.remove("seed");
            let call = Arc::new(call);
            let (once, twice) = (self.session.answer(&call)?, self.session.answer(&call)?);
            if once.data == twice.data { Fresh::Order } else { Fresh::State }
        };
        self.fresh = Some(fresh);
        Ok(fresh)
    }
}

/// The call with a number of permutations and a seed.
pub(super) fn asked(call: &Call, n_perms: usize, seed: u64) -> Call {
    let mut call = call.clone();
    call.params.insert("n_perms".to_owned(), Value::Int(n_perms as i64));
    call.params.insert("seed".to_owned(), Value::Int(seed as i64));
    call
}

/// The call with its cells in an order that depends on a seed.
fn reordered(call: &Call, seed: u64) -> Call {
    let mut order: Vec<usize> = (0..call.data.n_obs()).collect();
    Random::new(seed, "order of cells").shuffle(&mut order);
    Call::new(call.function.clone(), call.data.subset(Some(&order), None), call.params.clone())
}
