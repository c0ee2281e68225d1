//! In what arithmetic a peer computes.
//!
//! An allowance is the sum of what the two sides may lose. What a side may lose follows from the
//! precision of each of its steps, and this is the only place where the harness knows anything about
//! a particular library.

use reports::Precision;

/// Unit roundoff of float64, 2^-53.
pub const U64: f64 = 1.110_223_024_625_156_5e-16;
/// Unit roundoff of float32, 2^-24.
pub const U32: f64 = 5.960_464_477_539_063e-8;

/// The arithmetic of a host or a backend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The class of arithmetic that is granted.
    pub precision: Precision,
    /// Whether a graph stored in float32 is row-normalised and summed (S0, S1, S2, variance) in float32.
    pub graph_in_f32: bool,
    /// Whether Geary's denominator on sparse data is expanded (sum x^2 - n mean^2), which cancels.
    pub expanded_geary: bool,
    /// Whether the distances behind an automatic interval are expanded (|x|^2 - 2xy + |y|^2), which cancels.
    pub expanded_distance: bool,
    /// Whether the known defects of squidpy 1.8.3 are forgiven (spec 0.1.4): inputs on which its answer means nothing.
    pub squidpy_defects: bool,
    /// Whether permutations are drawn from NumPy's stream as squidpy 1.8.3 does, and their statistics added up by several
    /// threads, so that a permutation that moves nothing need not tie with what was observed.
    pub numpy_stream: bool,
}

impl Profile {
    /// Everything in float64, centred before it is squared. What the reference does, and what is asked of
    /// a backend that declares nothing else.
    pub const FLOAT64: Profile = Profile {
        precision: Precision::P64,
        graph_in_f32: false,
        expanded_geary: false,
        expanded_distance: false,
        squidpy_defects: false,
        numpy_stream: false,
    };

    /// squidpy 1.8.3 with scanpy 1.12: see `golden/NOTES.md` of the corpus and the docs of `reference`.
    pub const SQUIDPY: Profile = Profile {
        precision: Precision::P64,
        graph_in_f32: true,
        expanded_geary: true,
        expanded_distance: true,
        squidpy_defects: true,
        numpy_stream: true,
    };

    /// The profile of a peer by the name in its manifest.
    pub fn of(name: &str) -> Profile {
        match name {
            "squidpy" | "recorded" => Profile::SQUIDPY,
            _ => Profile::FLOAT64,
        }
    }

    /// The profile by which a peer is examined against a host, both by the names in their manifests.
    ///
    /// What a host does is what it is, so the defects that are known of it are kept out of the comparison. A backend is
    /// asked for right answers, and its defects are found; unless the host has them too, as another version of it has.
    pub fn examined(name: &str, host: &str) -> Profile {
        let (own, host) = (Profile::of(name), Profile::of(host));
        if host.squidpy_defects { own } else { own.without_defects() }
    }

    /// This profile in another class of arithmetic.
    pub fn in_class(self, precision: Precision) -> Profile {
        Profile { precision, ..self }
    }

    /// This arithmetic without the defects that are known of it: what its owner may ask to be measured by.
    pub fn without_defects(self) -> Profile {
        Profile { expanded_geary: false, expanded_distance: false, squidpy_defects: false, ..self }
    }

    /// The unit roundoff of sums, products and quotients.
    pub fn unit(self) -> f64 {
        if self.precision == Precision::P32Acc { U32 } else { U64 }
    }

    /// What a result of one operation may lose by underflow: half the least subnormal.
    pub fn underflow(self) -> f64 {
        // 2^-150; that of float64 matters only where D itself is out of range.
        if self.precision == Precision::P32Acc { f64::from(f32::from_bits(1)) / 2.0 } else { 0.0 }
    }

    /// The largest number that the class of arithmetic holds: of sums, and of inputs.
    pub fn largest(self) -> [f64; 2] {
        let single = f64::from(f32::MAX);
        match self.precision {
            Precision::P64 => [f64::MAX; 2],
            Precision::P32In => [f64::MAX, single],
            Precision::P32Acc => [single; 2],
        }
    }

    /// The relative error of an input as it is taken in: 0 where it is taken as it is.
    pub fn cast(self) -> f64 {
        if self.precision == Precision::P64 { 0.0 } else { U32 }
    }
}
