//! Cluster labels: a categorical column with the traps that real ones have.

use dispatch::{Categorical, Dense, Strings, Value};

use crate::Random;
use crate::knob::levels;

levels! {
    /// What the categories are called.
    Names {
        /// `A`, `B`, `C` ...
        Letters = "letters",
        /// Text `0`, `1`, ... `11`, in numeric order: sorted as text, `10` stands before `2`.
        Digits = "digits",
        /// Integers, not text.
        Integers = "integers",
        /// Text with spaces, commas and letters beyond ASCII.
        Phrases = "phrases",
    }
}

levels! {
    /// Where a category that no cell has stands among the others.
    Unused {
        /// There is none.
        None = "none",
        /// Before all others.
        First = "first",
        /// In the middle.
        Middle = "middle",
        /// After all others.
        Last = "last",
    }
}

levels! {
    /// How many cells the clusters have.
    Sizes {
        /// About equally many.
        Balanced = "balanced",
        /// One each, but for the first cluster.
        Singletons = "singletons",
    }
}

/// What a column of labels is like.
#[derive(Clone, Copy, Debug)]
pub struct Labels {
    /// Number of clusters that occur; at most the number of cells.
    pub clusters: usize,
    /// What they are called.
    pub names: Names,
    /// Whether the order of the categories is not that of their names.
    pub shuffled: bool,
    /// A category that does not occur.
    pub unused: Unused,
    /// How many cells they have.
    pub sizes: Sizes,
    /// Whether some cells have no label.
    pub missing: bool,
}

/// Three clusters of about the same size.
pub const PLAIN: Labels = Labels {
    clusters: 3,
    names: Names::Letters,
    shuffled: false,
    unused: Unused::None,
    sizes: Sizes::Balanced,
    missing: false,
};

/// The label column of `cells` cells. Each of the clusters occurs, as far as there are cells.
pub fn column(labels: Labels, cells: usize, random: &mut Random) -> Categorical {
    let total = labels.clusters + usize::from(labels.unused as usize > 0);
    let absent = match labels.unused {
        Unused::None => total,
        Unused::First => 0,
        Unused::Middle => total / 2,
        Unused::Last => total - 1,
    };
    let used: Vec<i32> = (0..total).filter(|&c| c != absent).map(|c| c as i32).collect();
    let mut codes = codes(labels, &used, cells, random);
    random.shuffle(&mut codes);
    if labels.missing {
        unlabel(&mut codes, random);
    }
    let mut order: Vec<usize> = (0..total).collect();
    if labels.shuffled {
        random.shuffle(&mut order);
        // A shuffle may happen to change nothing; a shuffled level never does.
        if order.is_sorted() {
            order.rotate_left(1);
        }
    }
    Categorical { codes, categories: Box::new(categories(labels.names, &order)), ordered: false }
}

fn codes(labels: Labels, used: &[i32], cells: usize, random: &mut Random) -> Vec<i32> {
    let Some(&first) = used.first() else { return vec![-1; cells] };
    let each_once = used.iter().copied().take(cells);
    let rest = cells.saturating_sub(used.len());
    each_once
        .chain((0..rest).map(|_| match labels.sizes {
            Sizes::Balanced => used[random.below(used.len())],
            Sizes::Singletons => first,
        }))
        .collect()
}

/// Takes the labels of about one cell in six, of at least one, and never the last of a cluster if another can be taken.
fn unlabel(codes: &mut [i32], random: &mut Random) {
    let mut taken = 0;
    for i in 0..codes.len() {
        let is_last = codes.iter().filter(|c| **c == codes[i]).count() == 1;
        if !is_last && (taken == 0 || random.below(6) == 0) {
            codes[i] = -1;
            taken += 1;
        }
    }
    if let (0, Some(first)) = (taken, codes.first_mut()) {
        *first = -1;
    }
}

fn categories(names: Names, order: &[usize]) -> Value {
    match names {
        Names::Letters => Strings::new(order.iter().map(|&c| letter(c))).into(),
        Names::Digits => Strings::new(order.iter().map(usize::to_string)).into(),
        Names::Integers => {
            Dense::vector(order.iter().map(|&c| c as i64).collect::<Vec<_>>()).into()
        }
        Names::Phrases => {
            Strings::new(order.iter().map(|&c| format!("γδ T cell, {}", letter(c)))).into()
        }
    }
}

/// `A` to `Z`, then `A1`, `B1` ...
fn letter(c: usize) -> String {
    let letter = char::from(b'A' + (c % 26) as u8);
    if c < 26 { letter.to_string() } else { format!("{letter}{}", c / 26) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: Labels) -> (Vec<usize>, Vec<String>) {
        let column = column(labels, 12, &mut Random::new(9, "labels"));
        let names = column.names();
        let count = |c| column.codes.iter().filter(|code| **code == c as i32).count();
        let counts = (0..names.len()).map(count).collect();
        (counts, names)
    }

    #[test]
    fn plain_labels_are_sorted_and_all_occur() {
        let (counts, names) = of(PLAIN);
        assert_eq!(names, ["A", "B", "C"]);
        assert!(counts.iter().all(|n| *n > 0) && counts.iter().sum::<usize>() == 12);
    }

    #[test]
    fn an_unused_category_stands_where_it_should() {
        for (unused, at) in [(Unused::First, 0), (Unused::Middle, 2), (Unused::Last, 3)] {
            let (counts, names) = of(Labels { unused, ..PLAIN });
            assert_eq!(names.len(), 4);
            let empty: Vec<usize> = (0..4).filter(|&c| counts[c] == 0).collect();
            assert_eq!(empty, [at], "{unused:?}");
        }
    }

    #[test]
    fn singletons_shuffles_and_missing_labels() {
        let (mut counts, _) = of(Labels { sizes: Sizes::Singletons, ..PLAIN });
        counts.sort_unstable();
        assert_eq!(counts, [1, 1, 10]);
        let (_, names) = of(Labels { shuffled: true, ..PLAIN });
        assert!(!names.is_sorted());
        let (counts, _) = of(Labels { missing: true, ..PLAIN });
        assert!(counts.iter().all(|n| *n > 0) && counts.iter().sum::<usize>() < 12);
        let (_, names) = of(Labels { names: Names::Digits, clusters: 12, ..PLAIN });
        assert_eq!(names[2], "2");
        assert!(!names.is_sorted());
    }

    #[test]
    fn one_category_cannot_be_shuffled_and_no_cells_have_no_labels() {
        let one = Labels { clusters: 1, shuffled: true, ..PLAIN };
        assert_eq!(of(one).1, ["A"]);
        assert!(column(PLAIN, 0, &mut Random::new(0, "")).codes.is_empty());
    }
}
