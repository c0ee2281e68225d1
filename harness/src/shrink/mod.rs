//! Finds the smallest input on which a case still differs.
//!
//! First the same call again (a difference that goes away is flaky, and nothing else), then the
//! recipe, one knob at a time, then runs of cells and genes, and then what no recipe says: other slots,
//! interactions, permutations, clusters, edges, values. Each step is kept if the same check still fails. All within
//! a budget of calls, because a backend may take seconds for each.

mod edits;
mod runs;

use std::sync::Arc;

use dispatch::{Call, Fault};
use generators::Recipe;
use reports::{Ruling, Shrunk};

use crate::capsule::{self, Capsule};
use crate::case::{Case, Input};
use crate::compare::{describe, shorten};
use crate::examine::{Examination, Exchange, Session};
use crate::laws::{self, Law};
use crate::oracle;

use runs::{Asked, drop_runs};

/// What a call that ends its process costs beyond itself: the next one waits for imports, which take seconds.
const RESTART: u64 = 7;
/// What a call that the backend declines costs beyond itself: stored answers decline all but their own.
const DECLINED: u64 = 9;

/// How many calls of the backend shrinking may cost, and what it may come to.
#[derive(Clone, Copy, Debug)]
pub struct Budget<'a> {
    /// Calls of the backend.
    pub calls: u64,
    /// Cells of all these calls together, so that an input of 47,000 cells gets six calls and not a hundred; up to 2,000
    /// cells the number of calls is what ends shrinking.
    pub cells: usize,
    /// Where capsules are going to be stored, as a replay command names it. Without such a place the input stays
    /// a recipe with some of its cells and genes, which a line of text can name.
    pub capsules: Option<&'a str>,
}

impl Default for Budget<'_> {
    fn default() -> Self {
        Budget { calls: 150, cells: 300_000, capsules: None }
    }
}

/// What shrinking comes to.
#[derive(Clone, Debug)]
pub struct Counterexample {
    /// For the log.
    pub shrunk: Shrunk,
    /// The input and both answers.
    pub capsule: Capsule,
}

struct Shrinker<'s, 'a> {
    session: &'s mut Session<'a>,
    witness: Witness,
    check: String,
    limit: u64,
    calls: u64,
    /// Cells that may still be handed over; 0 once a call asked for more.
    cells: usize,
}

/// Whom the shrinker asks whether an input still fails.
#[derive(Clone, Copy)]
enum Witness {
    /// The host, and where it has no objection the law that the check belongs to, if it does.
    Host(Option<&'static Law>),
    /// A law, without the host.
    Law(&'static Law),
}

/// The smallest failing input so far.
struct Best {
    input: Input,
    exchange: Exchange,
    /// What was done to the input beyond dropping cells and genes.
    edits: Vec<String>,
}

/// Shrinks a case that fails `check`; `None` if it does not fail when called again.
pub fn shrink(
    session: &mut Session<'_>,
    case: &Case,
    check: &str,
    budget: Budget<'_>,
) -> Option<Counterexample> {
    shrink_before(session, Witness::Host(laws::of_check(check)), case, check, budget)
}

/// Shrinks a case on which `check` of a law fails, without the host; `None` if it does not fail when called again.
pub fn shrink_law(
    session: &mut Session<'_>,
    law: &'static Law,
    case: &Case,
    check: &str,
    budget: Budget<'_>,
) -> Option<Shrunk> {
    shrink_before(session, Witness::Law(law), case, check, budget).map(|found| found.shrunk)
}

fn shrink_before(
    session: &mut Session<'_>,
    witness: Witness,
    case: &Case,
    check: &str,
    budget: Budget<'_>,
) -> Option<Counterexample> {
    let (check, limit, cells) = (check.to_owned(), budget.calls, budget.cells);
    let mut shrinker = Shrinker { session, witness, check, limit, calls: 0, cells };
    let input = Input::whole(case.clone());
    let exchange = shrinker.fails(input.build().ok()?)?;
    let mut best = Best { input, exchange, edits: Vec::new() };
    if let Case::Recipe(recipe) = case {
        shrinker.lower_knobs(recipe, &mut best);
    }
    shrinker.drop_from_case(&mut best, |input| &mut input.genes, |call| call.data.n_vars());
    shrinker.drop_from_case(&mut best, |input| &mut input.cells, |call| call.data.n_obs());
    if budget.capsules.is_some() {
        shrinker.edit(&mut best);
    }
    Some(shrinker.describe(&best, budget.capsules))
}

impl Shrinker<'_, '_> {
    /// Whether no further call may be made; asked before a call is built, which for many cells takes long too.
    fn is_spent(&self) -> bool {
        self.calls >= self.limit || self.cells == 0
    }

    /// The exchange, if the same check still fails on this call and the budget is not spent.
    fn fails(&mut self, call: Arc<Call>) -> Option<Exchange> {
        self.cells = self.cells.saturating_sub(call.data.n_obs());
        if self.is_spent() {
            return None;
        }
        // A law asks the backend twice.
        self.calls += 1 + u64::from(laws::of_check(&self.check).is_some());
        let exchange = self.ask(call)?;
        self.calls += match exchange.backend {
            Err(Fault::Crashed { .. } | Fault::TimedOut(_)) => RESTART,
            Err(Fault::Unsupported(_)) => DECLINED,
            Ok(_) | Err(_) => 0,
        };
        (exchange.judgement.failed_check().as_deref() == Some(self.check.as_str()))
            .then_some(exchange)
    }

    fn ask(&mut self, call: Arc<Call>) -> Option<Exchange> {
        match self.witness {
            Witness::Host(None) => Some(self.session.exchange(call)),
            Witness::Host(Some(law)) => Some(self.session.exchange_under(call, &[law], 1)),
            Witness::Law(law) => {
                let reply = self.session.answer(&call).ok()?;
                let judgement = laws::judgement(self.session.trials(&call, &reply, &[law], 1));
                let host = Err(Fault::Unsupported("the host was not asked".to_owned()));
                Some(Exchange { call, host, backend: Ok(reply), judgement })
            }
        }
    }

    /// Lowers one knob after the other as long as that succeeds; at most half the budget, so that the data get theirs.
    fn lower_knobs(&mut self, recipe: &Recipe, best: &mut Best) {
        let (calls, cells) = (self.limit, self.cells);
        (self.limit, self.cells) = (calls / 2, cells - cells / 2);
        let mut current = recipe.clone();
        loop {
            let candidates: Vec<Recipe> = current.simpler().collect();
            let next = candidates.into_iter().find_map(|candidate| {
                if self.is_spent() {
                    return None;
                }
                let exchange = self.fails(Arc::new(candidate.build()))?;
                Some((candidate, exchange))
            });
            let Some((recipe, exchange)) = next else { break };
            *best = Best {
                input: Input::whole(Case::Recipe(recipe.clone())),
                exchange,
                edits: Vec::new(),
            };
            current = recipe;
        }
        (self.limit, self.cells) = (calls, self.cells + cells / 2);
    }

    /// Drops cells or genes of the case.
    fn drop_from_case(
        &mut self,
        best: &mut Best,
        axis: fn(&mut Input) -> &mut Option<Vec<usize>>,
        len: fn(&Call) -> usize,
    ) {
        drop_runs(len(&best.exchange.call), 1, |kept| {
            if self.is_spent() {
                return Asked::NoMore;
            }
            let mut candidate = best.input.clone();
            *axis(&mut candidate) = Some(kept.to_vec());
            let Some(exchange) = candidate.build().ok().and_then(|call| self.fails(call)) else {
                return Asked::Holds;
            };
            (best.input, best.exchange) = (candidate, exchange);
            Asked::Fails
        });
    }

    /// What no recipe says, from what matters least to what matters most.
    fn edit(&mut self, best: &mut Best) {
        for find in edits::PARTS {
            // What there is to drop changes with every success, so it is found anew each time.
            for parts in find(&best.exchange.call) {
                self.thin(best, &parts);
            }
        }
        for find in edits::CANDIDATES {
            for choices in find(&best.exchange.call) {
                self.replace(best, choices);
            }
        }
        for find in edits::VALUES {
            for parts in find(&best.exchange.call) {
                self.thin(best, &parts);
            }
        }
        if !best.edits.is_empty() {
            for parts in edits::axes(&best.exchange.call) {
                self.thin(best, &parts);
            }
        }
    }

    /// Drops parts of the call while it still fails.
    fn thin(&mut self, best: &mut Best, parts: &edits::Parts) {
        let base = best.exchange.call.clone();
        let kept = drop_runs(parts.len, parts.least, |kept| {
            if self.is_spent() {
                return Asked::NoMore;
            }
            let call = (parts.keep)(&base, kept).map(Arc::new);
            match call.and_then(|call| self.fails(call)) {
                Some(exchange) => {
                    best.exchange = exchange;
                    Asked::Fails
                }
                None => Asked::Holds,
            }
        });
        if kept.len() < parts.len {
            best.edits.push(format!("{} ({} of {} kept)", parts.what, kept.len(), parts.len));
        }
    }

    /// Takes the first of some simpler calls that still fails.
    fn replace(&mut self, best: &mut Best, choices: edits::Choices) {
        let base = best.exchange.call.clone();
        for (what, change) in choices {
            if self.is_spent() {
                return;
            }
            let Some(call) = change(&base).filter(|call| *call != *base) else { continue };
            if let Some(exchange) = self.fails(Arc::new(call)) {
                best.exchange = exchange;
                best.edits.push(what);
                return;
            }
        }
    }

    fn describe(&self, best: &Best, capsules: Option<&str>) -> Counterexample {
        let Best { input, exchange, edits } = best;
        let data = &exchange.call.data;
        let text = input.case.text();
        let capsule = Capsule::of(self.session, exchange, &text, &self.check);
        let is_data = !edits.is_empty() || capsule::is_id(&text);
        let replay = match capsules {
            Some(dir) if is_data => self.replay_capsule(&capsule, dir),
            Some(_) | None => self.replay_case(input),
        };
        let findings = exchange.judgement.checks.iter().filter_map(|c| c.finding.clone()).collect();
        let shrunk = Shrunk {
            recipe: text,
            cells: input.cells.clone(),
            genes: input.genes.clone(),
            edits: edits.clone(),
            capsule: capsules.map(|_| capsule.id()),
            n_obs: data.n_obs(),
            n_vars: data.n_vars(),
            input: capsule.call.digest(),
            calls: self.calls,
            params: params(&exchange.call),
            findings,
            check: self.check.clone(),
            ruling: self.ruling(exchange),
            replay,
        };
        Counterexample { shrunk, capsule }
    }

    /// Who is wrong. Where a law is broken the two sides agree on the call itself, and nothing is to be ruled.
    fn ruling(&self, exchange: &Exchange) -> Option<Ruling> {
        match laws::of_check(&self.check) {
            Some(_) => None,
            None => oracle::ruling(exchange, self.session.manifests()),
        }
    }

    /// The command that builds the input from its case again.
    fn replay_case(&self, input: &Input) -> String {
        let examination = self.session.examination();
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
        replay
    }

    /// The command that reads the input from its capsule, which also knows who was called.
    fn replay_capsule(&self, capsule: &Capsule, dir: &str) -> String {
        let place =
            if dir == capsule::DEFAULT_DIR { String::new() } else { format!(" --dir {dir}") };
        format!("concord replay {}{place}", capsule.id())
    }
}

/// The command that runs a case again, without what restricts it to some of its data.
pub(crate) fn replay_command(examination: &Examination, function: &str, text: &str) -> String {
    let mut replay =
        format!("concord replay {function} \"{text}\" --backend {}", examination.backend_name);
    if examination.host_name != "reference" {
        replay += &format!(" --host {}", examination.host_name);
    }
    replay
}

/// The parameters of a call as `name=value`, in order of the names.
pub(crate) fn params(call: &Call) -> Vec<String> {
    let shown = |(name, value)| format!("{name}={}", shorten(&describe(value), 60));
    call.params.iter().map(shown).collect()
}
