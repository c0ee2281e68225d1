//! The names by which AnnData marks how an object is encoded.
//!
//! Every group and array of an `.h5ad` file carries `encoding-type` and `encoding-version`; files
//! written before AnnData 0.7 carry neither. The table is that of anndata 0.13
//! (`anndata/_io/specs/methods.py`, and the on-disk specification in its documentation).

/// How an object is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Anndata,
    Raw,
    Dict,
    Array,
    StringArray,
    NullableStringArray,
    NullableInteger,
    NullableBoolean,
    Csr,
    Csc,
    Frame,
    /// Frames of AnnData 0.7: categories in a group `__categories`.
    OldFrame,
    Categorical,
    NumericScalar,
    Text,
    Null,
    /// No mark at all: a plain group or array.
    Unmarked,
}

const TABLE: &[(Encoding, &str, &str)] = &[
    (Encoding::Anndata, "anndata", "0.1.0"),
    (Encoding::Raw, "raw", "0.1.0"),
    (Encoding::Dict, "dict", "0.1.0"),
    (Encoding::Array, "array", "0.2.0"),
    (Encoding::StringArray, "string-array", "0.2.0"),
    (Encoding::NullableStringArray, "nullable-string-array", "0.1.0"),
    (Encoding::NullableInteger, "nullable-integer", "0.1.0"),
    (Encoding::NullableBoolean, "nullable-boolean", "0.1.0"),
    (Encoding::Csr, "csr_matrix", "0.1.0"),
    (Encoding::Csc, "csc_matrix", "0.1.0"),
    (Encoding::Frame, "dataframe", "0.2.0"),
    (Encoding::OldFrame, "dataframe", "0.1.0"),
    (Encoding::Categorical, "categorical", "0.2.0"),
    (Encoding::NumericScalar, "numeric-scalar", "0.2.0"),
    (Encoding::Text, "string", "0.2.0"),
    (Encoding::Null, "null", "0.1.0"),
    (Encoding::Unmarked, "", ""),
];

impl Encoding {
    /// The encoding of a pair of marks; `None` if AnnData 0.13 or this crate has no such one.
    pub(crate) fn from_marks(name: &str, version: &str) -> Option<Encoding> {
        TABLE.iter().find(|row| row.1 == name && row.2 == version).map(|row| row.0)
    }

    /// `encoding-type` and `encoding-version`.
    pub(crate) fn marks(self) -> (&'static str, &'static str) {
        // Every variant has a row; the test below holds the table to that.
        TABLE.iter().find(|row| row.0 == self).map_or(("", ""), |row| (row.1, row.2))
    }
}

/// The top-level slots of an AnnData file, in the order in which they are written.
pub(crate) const SLOTS: &[&str] =
    &["X", "layers", "obs", "obsm", "obsp", "raw", "uns", "var", "varm", "varp"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_encodings_are_one_to_one() {
        for &(encoding, name, version) in TABLE {
            assert_eq!(Encoding::from_marks(name, version), Some(encoding));
            assert_eq!(encoding.marks(), (name, version));
        }
        assert_eq!(Encoding::from_marks("array", "0.1.0"), None);
    }
}
