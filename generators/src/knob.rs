//! What can be varied about the calls of a function.

use std::fmt;

use dispatch::Call;

use crate::Recipe;

/// One thing that can be varied, and the levels it has.
#[derive(Clone, Copy, Debug)]
pub struct Knob {
    /// The name in the text of a recipe.
    pub name: &'static str,
    /// The levels from the simplest to the hardest; for a parameter the first is what most calls pass.
    pub levels: &'static [&'static str],
    /// The levels that leave little to compare: one cell, no edges, a call that must be refused.
    ///
    /// What else a recipe with such a level tries is hidden by it. So a plan gives each of them cases of its
    /// own and never counts a pair of other levels as tested there.
    pub edges: &'static [&'static str],
    /// The levels, all at the end, that no covering array and no draw takes, because they are large: only the
    /// [`Rung`]s of the generator and recipes written by hand have them.
    pub large: &'static [&'static str],
}

impl Knob {
    /// A knob without edge levels.
    pub const fn new(name: &'static str, levels: &'static [&'static str]) -> Knob {
        Knob { name, levels, edges: &[], large: &[] }
    }

    /// The same knob with some of its levels marked as edges.
    pub const fn edges(self, edges: &'static [&'static str]) -> Knob {
        Knob { edges, ..self }
    }

    /// The same knob with some of its levels, the last ones, marked as large.
    pub const fn large(self, large: &'static [&'static str]) -> Knob {
        Knob { large, ..self }
    }

    /// Number of levels that are not large.
    pub const fn ordinary(&self) -> usize {
        self.levels.len() - self.large.len()
    }

    /// Whether a level (by position) is an edge.
    pub fn is_edge(&self, level: usize) -> bool {
        self.levels.get(level).is_some_and(|name| self.edges.contains(name))
    }
}

/// One step of the ladder of sizes that a plan climbs after its small cases.
///
/// Blocks, tiles, 16-bit counters and permutations of many cells only show above some size; a size is tried for
/// itself, not with each level of each other knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rung {
    /// The recipe, without its seed.
    pub recipe: &'static str,
    /// Whether a call takes a second where it is fast, so that quick runs and slow devices leave it out.
    pub heavy: bool,
}

/// The recipes of one function.
pub struct Generator {
    /// The public name of the function.
    pub function: &'static str,
    /// What can be varied.
    pub knobs: &'static [Knob],
    /// The sizes tried beside the plan, smallest first.
    pub ladder: &'static [Rung],
    /// Builds the call; the recipe is valid and belongs to this generator.
    pub build: fn(&Recipe) -> Call,
    /// Whether the levels make sense together; the simplest recipe always does.
    pub valid: fn(&Recipe) -> bool,
}

impl Generator {
    /// The position of a knob.
    pub fn position(&self, knob: &str) -> Option<usize> {
        self.knobs.iter().position(|k| k.name == knob)
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generator({}, {} knobs)", self.function, self.knobs.len())
    }
}

/// An enum whose variants are the levels of a knob.
pub trait Levels: Copy + 'static {
    /// The variants, from the simplest to the hardest.
    const ALL: &'static [Self];
    /// Their names, in the same order.
    const NAMES: &'static [&'static str];

    /// The variant of a name; `None` if there is none.
    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|n| *n == name).map(|i| Self::ALL[i])
    }
}

/// Declares an enum and its names as [`Levels`].
macro_rules! levels {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $crate::Levels for $name {
            const ALL: &'static [$name] = &[$($name::$variant),*];
            const NAMES: &'static [&'static str] = &[$($text),*];
        }
    };
}
pub(crate) use levels;
