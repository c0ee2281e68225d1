//! Finds the smallest input on which a case still differs.
//!
//! First the same call again (a difference that goes away is flaky, and nothing else), then the
//! recipe, one knob at a time, then the data: runs of cells and genes are dropped while the same check
//! still fails. All within a budget of calls, because a backend may take seconds for each.

use std::sync::Arc;

use dispatch::Call;
use generators::Recipe;
use reports::Shrunk;

use crate::case::{Case, Input};
use crate::compare::{describe, shorten};
use crate::examine::{Examination, Session};
use crate::judge::Judgement;
use crate::laws::{self, Law};

/// How many calls of the backend shrinking may cost.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Calls of the backend.
    pub calls: u64,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { calls: 150 }
    }
}

struct Shrinker<'s, 'a> {
    session: &'s mut Session<'a>,
    witness: Witness,
    check: String,
    budget: Budget,
    calls: u64,
}

/// Whom the shrinker asks whether an input still fails.
enum Witness {
    /// The host, and where it has no objection the law that the check belongs to, if it does.
    Host(Option<&'static Law>),
    /// A law, without the host.
    Law(&'static Law),
}

/// A call, and what was concluded about it.
struct Exchange {
    call: Arc<Call>,
    judgement: Judgement,
}

/// Shrinks a case that fails `check`; `None` if it does not fail when called again.
pub fn shrink(
    session: &mut Session<'_>,
    case: &Case,
    check: &str,
    budget: Budget,
) -> Option<Shrunk> {
    shrink_before(session, Witness::Host(laws::of_check(check)), case, check, budget)
}

/// Shrinks a case on which `check` of a law fails, without the host; `None` if it does not fail when called again.
pub fn shrink_law(
    session: &mut Session<'_>,
    law: &'static Law,
    case: &Case,
    check: &str,
    budget: Budget,
) -> Option<Shrunk> {
    shrink_before(session, Witness::Law(law), case, check, budget)
}

fn shrink_before(
    session: &mut Session<'_>,
    witness: Witness,
    case: &Case,
    check: &str,
    budget: Budget,
) -> Option<Shrunk> {
    let mut shrinker = Shrinker { session, witness, check: check.to_owned(), budget, calls: 0 };
    let mut input = Input::whole(case.clone());
    let mut exchange = shrinker.still_fails(&input)?;
    if let Case::Recipe(recipe) = case
        && let Some((recipe, smaller)) = shrinker.lower_knobs(recipe)
    {
        (input.case, exchange) = (Case::Recipe(recipe), smaller);
    }
    shrinker.drop_genes(&mut input, &mut exchange);
    shrinker.drop_cells(&mut input, &mut exchange);
    Some(shrinker.describe(&input, &exchange))
}

impl Shrinker<'_, '_> {
    /// The exchange, if the same check still fails on this input and the budget is not spent.
    fn still_fails(&mut self, input: &Input) -> Option<Exchange> {
        if self.calls >= self.budget.calls {
            return None;
        }
        let call = input.build().ok()?;
        // A law asks the backend twice.
        self.calls += 1 + u64::from(laws::of_check(&self.check).is_some());
        let exchange = self.ask(call)?;
        (exchange.judgement.failed_check().as_deref() == Some(self.check.as_str()))
            .then_some(exchange)
    }

    fn ask(&mut self, call: Arc<Call>) -> Option<Exchange> {
        let judgement = match self.witness {
            Witness::Host(None) => self.session.exchange(call.clone()).judgement,
            Witness::Host(Some(law)) => {
                self.session.exchange_under(call.clone(), &[law], 1).judgement
            }
            Witness::Law(law) => {
                let reply = self.session.answer(&call).ok()?;
                laws::judgement(self.session.trials(&call, &reply, &[law], 1))
            }
        };
        Some(Exchange { call, judgement })
    }

    /// Lowers one knob after the other as long as that succeeds; at most half the budget, so that the data get theirs.
    fn lower_knobs(&mut self, recipe: &Recipe) -> Option<(Recipe, Exchange)> {
        let whole = self.budget;
        self.budget.calls /= 2;
        let mut best: Option<(Recipe, Exchange)> = None;
        loop {
            let current = best.as_ref().map_or(recipe, |(recipe, _)| recipe);
            let candidates: Vec<Recipe> = current.simpler().collect();
            let next = candidates.into_iter().find_map(|candidate| {
                let exchange = self.still_fails(&Input::whole(Case::Recipe(candidate.clone())))?;
                Some((candidate, exchange))
            });
            match next {
                Some(next) => best = Some(next),
                None => break,
            }
        }
        self.budget = whole;
        best
    }

    fn drop_genes(&mut self, input: &mut Input, exchange: &mut Exchange) {
        self.drop_runs(
            input,
            exchange,
            |input| &mut input.genes,
            |exchange| exchange.call.data.n_vars(),
        );
    }

    fn drop_cells(&mut self, input: &mut Input, exchange: &mut Exchange) {
        self.drop_runs(
            input,
            exchange,
            |input| &mut input.cells,
            |exchange| exchange.call.data.n_obs(),
        );
    }

    /// Delta debugging along one axis: drops runs of half, a quarter, ... of what is left.
    fn drop_runs(
        &mut self,
        input: &mut Input,
        exchange: &mut Exchange,
        axis: fn(&mut Input) -> &mut Option<Vec<usize>>,
        len: fn(&Exchange) -> usize,
    ) {
        let mut kept: Vec<usize> =
            axis(input).clone().unwrap_or_else(|| (0..len(exchange)).collect());
        let mut run = kept.len() / 2;
        while run > 0 {
            let mut start = 0;
            while start < kept.len() && kept.len() > 1 {
                let mut fewer = kept.clone();
                fewer.drain(start..(start + run).min(fewer.len()));
                let mut candidate = input.clone();
                *axis(&mut candidate) = Some(fewer.clone());
                match self.still_fails(&candidate) {
                    Some(smaller) if !fewer.is_empty() => {
                        (kept, *input, *exchange) = (fewer, candidate, smaller);
                    }
                    Some(_) | None => start += run,
                }
            }
            run /= 2;
        }
    }

    fn describe(&self, input: &Input, exchange: &Exchange) -> Shrunk {
        let examination = self.session.examination();
        let data = &exchange.call.data;
        let list = |kept: &[usize]| kept.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let (function, text) = (input.case.function(), input.case.text());
        let mut replay = replay_command(examination, function, &text);
        for (kept, flag) in [(&input.cells, "--cells"), (&input.genes, "--genes")] {
            if let Some(kept) = kept {
                replay += &format!(" {flag} {}", list(kept));
            }
        }
        replay += &examination.replay_args;
        if let Some(law) = laws::of_check(&self.check) {
            replay += &format!(" --law {}", law.id);
        }
        let findings = exchange.judgement.checks.iter().filter_map(|c| c.finding.clone()).collect();
        Shrunk {
            recipe: text,
            cells: input.cells.clone(),
            genes: input.genes.clone(),
            n_obs: data.n_obs(),
            n_vars: data.n_vars(),
            input: exchange.call.digest(),
            calls: self.calls,
            params: params(&exchange.call),
            findings,
            check: self.check.clone(),
            replay,
        }
    }
}

/// The command that runs a case again, without what restricts it to some of its data.
pub(crate) fn replay_command(examination: &Examination, function: &str, text: &str) -> String {
    let mut replay =
        format!("concord replay {function} \"{text}\" --backend {}", examination.backend_name);
    if examination.host.manifest().name != "reference" {
        replay += &format!(" --host {}", examination.host.manifest().name);
    }
    replay
}

/// The parameters of a call as `name=value`, in order of the names.
pub(crate) fn params(call: &Call) -> Vec<String> {
    let shown = |(name, value)| format!("{name}={}", shorten(&describe(value), 60));
    call.params.iter().map(shown).collect()
}
