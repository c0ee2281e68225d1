//! Ligand-receptor pairs, in each of the forms that squidpy accepts.

use dispatch::{Dense, Frame, Index, Map, Strings, Value};

use crate::Random;
use crate::knob::levels;

levels! {
    /// The form of the argument.
    Container {
        /// A list of tuples, never exactly two (see [`Container::TwoTuples`]).
        Tuples = "tuples",
        /// A data frame with columns of metadata.
        Frame = "frame",
        /// A dict of two lists.
        Dict = "dict",
        /// A list of names: each with each, itself included.
        Names = "names",
        /// A tuple of two lists: all sources, all targets.
        Sequences = "sequences",
        /// A list of exactly two tuples, which squidpy 1.8.3 reads as (sources, targets).
        TwoTuples = "two-tuples",
    }
}

levels! {
    /// What stands in the pairs.
    Content {
        /// Genes that exist.
        Plain = "plain",
        /// The same pair again, once in other letters.
        Duplicates = "duplicates",
        /// Names in lower and upper case.
        Case = "case",
        /// Names that no gene has, among others that exist.
        Unknown = "unknown",
        /// Complexes `A_B`, one of them with a part that no gene has.
        Complexes = "complexes",
    }
}

/// A pair of names.
pub type Pair = (String, String);

/// Between three and six pairs of `genes`, or one if there is a single gene; one pair is a gene with itself.
pub fn pairs(content: Content, genes: &[String], random: &mut Random) -> Vec<Pair> {
    let Some(last) = genes.last() else { return Vec::new() };
    let mut gene = || genes[random.below(genes.len())].clone();
    let mut pairs: Vec<Pair> = match genes {
        [only] => vec![(only.clone(), only.clone())],
        _ => vec![
            (genes[0].clone(), genes[1].clone()),
            (genes[0].clone(), genes[0].clone()),
            (gene(), gene()),
        ],
    };
    let first = pairs[0].clone();
    match content {
        Content::Plain => {}
        Content::Duplicates => {
            pairs.extend([first.clone(), (first.0.to_lowercase(), first.1.to_uppercase())]);
        }
        Content::Case => pairs.iter_mut().for_each(|pair| {
            *pair = (pair.0.to_lowercase(), pair.1.to_uppercase());
        }),
        Content::Unknown => pairs.extend([
            ("Nobody".to_owned(), first.0.clone()),
            (first.0.clone(), "Nobody".to_owned()),
        ]),
        Content::Complexes => pairs.extend([
            (format!("{}_{}", genes[0], last), first.1.clone()),
            (first.0.clone(), format!("{last}_{}", genes[0])),
            (format!("{}_Nobody", last), first.0.clone()),
        ]),
    }
    pairs
}

/// The pairs as the argument `interactions`.
pub fn argument(container: Container, pairs: &[Pair]) -> Value {
    let sources = || pairs.iter().map(|p| p.0.clone());
    let targets = || pairs.iter().map(|p| p.1.clone());
    let list =
        |names: &mut dyn Iterator<Item = String>| Value::List(names.map(Value::Text).collect());
    let tuple = |pair: &Pair| Value::Tuple(vec![pair.0.clone().into(), pair.1.clone().into()]);
    match container {
        Container::Tuples => {
            let extra = (pairs.len() == 2).then(|| pairs[0].clone());
            Value::List(pairs.iter().chain(extra.as_ref()).map(tuple).collect())
        }
        Container::TwoTuples => {
            let again = pairs.iter().chain(pairs.first());
            Value::List(again.take(2).map(tuple).collect())
        }
        Container::Names => {
            let mut names: Vec<String> = Vec::new();
            for name in sources().chain(targets()) {
                if !names.contains(&name) && names.len() < 4 {
                    names.push(name);
                }
            }
            list(&mut names.into_iter())
        }
        Container::Sequences => Value::Tuple(vec![list(&mut sources()), list(&mut targets())]),
        Container::Dict => Value::Map(Map::from([
            ("source".to_owned(), list(&mut sources())),
            ("target".to_owned(), list(&mut targets())),
        ])),
        Container::Frame => frame(sources().collect(), targets().collect()).into(),
    }
}

/// The two columns between two of metadata, on a range of row numbers as pandas makes them.
fn frame(sources: Vec<String>, targets: Vec<String>) -> Frame {
    let n = sources.len();
    let rows = Dense::vector((0..n as i64).collect::<Vec<_>>());
    let evidence = Dense::vector((0..n).map(|i| i as f64 / 4.0).collect::<Vec<_>>());
    Frame::new(
        Index { names: vec![None], levels: vec![rows.into()] },
        [
            ("database", Strings::new((0..n).map(|i| format!("db{}", i % 2))).into()),
            ("source", Strings::new(sources).into()),
            ("target", Strings::new(targets).into()),
            ("evidence", Value::from(evidence)),
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Levels;

    fn genes(n: usize) -> Vec<String> {
        crate::parts::annotated::genes(n)
    }

    #[test]
    fn a_list_of_tuples_never_has_two_and_two_tuples_always_do() {
        for n in 1..5 {
            for &content in Content::ALL {
                let pairs = pairs(content, &genes(n), &mut Random::new(n as u64, "pairs"));
                assert_ne!(argument(Container::Tuples, &pairs).len(), Some(2));
                assert_eq!(argument(Container::TwoTuples, &pairs).len(), Some(2));
                assert!(
                    pairs.iter().any(|(s, t)| s.eq_ignore_ascii_case(t)),
                    "no self pair in {pairs:?}"
                );
            }
        }
    }

    #[test]
    fn the_frame_keeps_rows_together() {
        let pairs = pairs(Content::Plain, &genes(3), &mut Random::new(0, "pairs"));
        let Value::Frame(frame) = argument(Container::Frame, &pairs) else { panic!("no frame") };
        assert_eq!(frame.column_names(), ["database", "source", "target", "evidence"]);
        assert!(frame.columns.iter().all(|c| c.len() == Some(pairs.len())));
        assert_eq!(dispatch::text_of(&frame.columns[1])[0], pairs[0].0);
    }

    #[test]
    fn no_genes_no_pairs() {
        assert!(pairs(Content::Complexes, &[], &mut Random::new(0, "")).is_empty());
    }
}
