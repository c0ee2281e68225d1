//! Which gene a complex stands for where rounding decides.
//!
//! A complex is its component with the smallest mean over all cells. Two means may be equal, or as good as equal, in exact arithmetic;
//! each library then takes whichever its own rounding made smaller. Either is right, so an answer is judged by the choice it
//! shows in its rows: if the host chose otherwise, by the reference's answer for that choice. A sum of `n` values in any order
//! loses at most `n u` of the sum of their magnitudes, and values that float64 adds up exactly leave no choice.

use std::collections::BTreeMap;

use dispatch::{Call, Fault, Frame, Reply};
use reference::ligrec::{Task, near_ties};

use crate::profile::{Profile, U64};

/// Ways to choose that are tried; beyond that only the exact one is.
const MOST: usize = 64;

/// The call as the backend read it, and the answer to that where the host read it in another of the ways that rounding leaves open.
///
/// # Errors
/// When the call cannot be read.
pub(super) fn read(
    call: &Call,
    peers: [Profile; 2],
    expected: &Frame,
    actual: &Frame,
) -> Result<(Task, Option<Reply>), Fault> {
    let exact = Task::read(&call.data, &call.params)?;
    let (e, a) = (expected.index.labels(), actual.index.labels());
    if e == a && a == rows(&exact) {
        return Ok((exact, None));
    }
    let ways = ways(call, peers)?;
    let read = |way| Task::read_choosing(&call.data, &call.params, way);
    let tasks = ways.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let host = tasks.iter().any(|task| rows(task) == e);
    let Some(task) = tasks.into_iter().find(|task| rows(task) == a).filter(|_| host) else {
        return Ok((exact, None));
    };
    let instead = (e != a).then(|| {
        let observed = task.observed();
        task.reply(task.tables(&observed, &task.exceedances(&observed, None).strict))
    });
    Ok((task, instead))
}

fn rows(task: &Task) -> Vec<String> {
    task.metadata.index.labels()
}

/// Every choice for every complex that has one; the exact one is the first.
fn ways(call: &Call, peers: [Profile; 2]) -> Result<Vec<BTreeMap<String, String>>, Fault> {
    let relative = |exact: bool, cells: usize| {
        let lost = |p: &Profile| {
            let adds = !exact || p.unit() != U64;
            p.cast() + if adds { (cells as f64 + 4.0) * p.unit() } else { 0.0 }
        };
        peers.iter().map(lost).sum()
    };
    let complexes = near_ties(&call.data, &call.params, relative)?;
    let mut ways = vec![BTreeMap::new()];
    for (complex, genes) in complexes {
        if ways.len() * genes.len() > MOST {
            return Ok(vec![BTreeMap::new()]);
        }
        let chosen = |way: &BTreeMap<String, String>, gene: &String| {
            let mut way = way.clone();
            way.insert(complex.clone(), gene.clone());
            way
        };
        ways = genes
            .iter()
            .flat_map(|gene| ways.iter().map(move |way| (way, gene)))
            .map(|(way, gene)| chosen(way, gene))
            .collect();
    }
    Ok(ways)
}

#[cfg(test)]
mod tests {
    use dispatch::{Backend, Categorical, Dataset, Dense, Index, Params, Strings, Value};
    use reports::Verdict;

    use super::*;
    use crate::judge::{Peers, judge};

    /// Eight cells of two clusters; `A` and `B` have the same values in another order, `C` has larger ones, and `D` is in another
    /// interaction.
    fn call(scale: f64, complex: &str) -> Call {
        let a: [f64; 8] = [0.1, 0.7, 0.3, 0.2, 0.9, 0.4, 0.8, 0.6];
        let b = [0.6, 0.3, 0.9, 0.8, 0.1, 0.7, 0.2, 0.4];
        let d = [1.0, 2.0, 0.0, 1.0, 3.0, 0.0, 2.0, 1.0];
        let values = (0..8).flat_map(|i| [a[i], b[i], a[i] + 0.5, d[i]]);
        let values: Vec<f64> = values.map(|v| (v * 10.0).round() * scale).collect();
        let clusters = Categorical::new((0..8).map(|i| i % 2).collect(), ["x", "y"]);
        let cells = Index::text((0..8).map(|i| format!("cell{i}")));
        let none: [(&str, Value); 0] = [];
        let mut data = Dataset::new();
        data.set("X", Dense::new(vec![8, 4], values).into());
        data.set("obs", Frame::new(cells, [("cluster", clusters.into())]).into());
        data.set("var", Frame::new(Index::text(["A", "B", "C", "D"]), none).into());
        let both = |source: &str, target: &str| {
            let text = |name: &str| Value::from(Strings::new([name]));
            Value::Map(
                [("source", source), ("target", target)]
                    .map(|(k, v)| (k.to_owned(), text(v)))
                    .into(),
            )
        };
        let params = Params::from([
            ("cluster_key".to_owned(), Value::from("cluster")),
            ("interactions".to_owned(), both(complex, "D")),
            ("use_raw".to_owned(), Value::Bool(false)),
            ("copy".to_owned(), Value::Bool(true)),
            ("n_perms".to_owned(), Value::Int(20)),
            ("threshold".to_owned(), Value::Float(0.0)),
            ("seed".to_owned(), Value::Int(1)),
        ]);
        Call::new("ligrec", data, params)
    }

    /// What becomes of the answer to a call with `chosen` for the complex.
    fn verdict(scale: f64, complex: &str, chosen: &str) -> Verdict {
        let answer = |complex| reference::backend().run(&call(scale, complex));
        let peers = Peers { host: Profile::FLOAT64, backend: Profile::FLOAT64, same_stream: true };
        let contract = crate::contract("ligrec").unwrap();
        judge(contract, &call(scale, complex), peers, &answer(complex), &answer(chosen)).verdict
    }

    #[test]
    fn either_component_may_stand_for_a_complex_whose_means_rounding_cannot_tell_apart() {
        assert_eq!(verdict(0.1, "A_B", "A"), Verdict::Pass);
        assert_eq!(verdict(0.1, "A_B", "B"), Verdict::Pass);
        assert_eq!(verdict(0.1, "C_B_A", "A"), Verdict::Pass);
    }

    #[test]
    fn a_component_that_is_not_the_smallest_may_not() {
        assert_eq!(verdict(0.1, "A_C", "C"), Verdict::Contract);
        assert_eq!(verdict(0.1, "A_B", "C"), Verdict::Contract);
        assert_eq!(verdict(0.1, "A_B", "D"), Verdict::Contract);
    }

    #[test]
    fn where_sums_are_exact_the_first_of_equals_is_meant() {
        assert_eq!(verdict(1.0, "A_B", "A"), Verdict::Pass);
        assert_eq!(verdict(1.0, "A_B", "B"), Verdict::Contract);
    }

    #[test]
    fn the_other_choice_must_have_its_own_numbers() {
        let answer = |complex| reference::backend().run(&call(0.1, complex)).unwrap();
        let (host, right) = (answer("A_B"), answer("B"));
        let mut wrong = host.clone();
        // The numbers of A under the name of B.
        let Some(Value::Map(tables)) = right.data.root().get("result") else { panic!() };
        let Some(Value::Map(numbers)) = host.data.root().get("result") else { panic!() };
        let mut mixed = tables.clone();
        for (name, value) in numbers {
            if let (Value::Frame(of_a), Some(Value::Frame(of_b))) = (value, tables.get(name)) {
                let frame = Frame { index: of_b.index.clone(), ..of_a.clone() };
                mixed.insert(name.clone(), frame.into());
            }
        }
        wrong.data.set("result", Value::Map(mixed));
        let peers = Peers { host: Profile::FLOAT64, backend: Profile::FLOAT64, same_stream: true };
        let contract = crate::contract("ligrec").unwrap();
        let judgement = judge(contract, &call(0.1, "A_B"), peers, &Ok(host), &Ok(wrong));
        assert_eq!(judgement.verdict, Verdict::Fail, "{:?}", judgement.failed_check());
    }
}
