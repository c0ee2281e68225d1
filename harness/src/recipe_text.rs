//! The text of a case as levels of knobs, for questions about many cases: which of them a waiver selects, which have
//! what a shrunk recipe still has.

use std::collections::BTreeMap;

/// Levels by knob. What is not named has the first level of its knob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    function: String,
    named: BTreeMap<String, String>,
}

impl Levels {
    /// The levels that a text names; words that are no `knob=level`, and the seed, are passed over.
    pub(crate) fn of(function: &str, text: &str) -> Levels {
        let words = text.split_whitespace().filter_map(|word| word.split_once('='));
        let named = words.filter(|(knob, _)| *knob != "seed");
        let named = named.map(|(knob, level)| (knob.to_owned(), level.to_owned())).collect();
        Levels { function: function.to_owned(), named }
    }

    /// The level of a knob; `None` if there is no such knob.
    pub(crate) fn level(&self, knob: &str) -> Option<&str> {
        let first = || {
            let generator = generators::generator(&self.function)?;
            generator.knobs.iter().find(|k| k.name == knob)?.levels.first().copied()
        };
        self.named.get(knob).map(String::as_str).or_else(first)
    }

    /// Whether a case with these levels has every level that the other names. A size has every smaller one, unless
    /// that is an edge: what fails with 8 cells fails with 33, but what fails with one cell may not.
    pub(crate) fn contain(&self, other: &Levels) -> bool {
        other.named.iter().all(|(knob, wanted)| {
            self.level(knob).is_some_and(|level| {
                let sizes = (level.parse::<usize>(), wanted.parse::<usize>());
                level == wanted
                    || matches!(sizes, (Ok(size), Ok(least)) if size >= least)
                        && !self.is_edge(knob, wanted)
            })
        })
    }

    fn is_edge(&self, knob: &str, level: &str) -> bool {
        let generator = generators::generator(&self.function);
        let knob = generator.and_then(|g| g.knobs.iter().find(|k| k.name == knob));
        knob.is_some_and(|k| k.edges.contains(&level))
    }
}

#[cfg(test)]
mod tests {
    use super::Levels;

    #[test]
    fn a_size_has_the_smaller_ones_and_an_absent_knob_its_first_level() {
        let of = |text: &str| Levels::of("spatial_autocorr", text);
        let case = of("cells=33 mode=geary seed=9");
        for (wanted, has) in [
            ("", true),
            ("cells=8 mode=geary seed=1", true),
            ("cells=64", false),
            ("mode=moran", false),
            ("transformation=true", true),
            ("transformation=false", false),
            // One cell is an edge: what happens there says nothing about 33.
            ("cells=1", false),
        ] {
            assert_eq!(case.contain(&of(wanted)), has, "{wanted}");
        }
        assert_eq!((case.level("dtype"), case.level("nonsense")), (Some("f64"), None));
    }
}
