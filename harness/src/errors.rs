//! When two refusals are the same refusal.
//!
//! Python programs catch exceptions by class, so a backend may raise the host's class or a subclass
//! of it, never something a caller's `except` would miss.

/// The bases of Python's built-in exceptions that occur here, nearest first.
fn bases(kind: &str) -> &'static [&'static str] {
    match kind {
        "KeyError" | "IndexError" => &["LookupError", "Exception"],
        "ZeroDivisionError" | "OverflowError" => &["ArithmeticError", "Exception"],
        "UnboundLocalError" => &["NameError", "Exception"],
        "NotImplementedError" | "RecursionError" => &["RuntimeError", "Exception"],
        "UnicodeDecodeError" => &["UnicodeError", "ValueError", "Exception"],
        "ModuleNotFoundError" => &["ImportError", "Exception"],
        _ => &["Exception"],
    }
}

/// Whether a caller that catches `expected` also catches `actual`, whose library told some of its bases.
pub(crate) fn alike(expected: &str, actual: &str, told: &[String]) -> bool {
    expected == actual || bases(actual).contains(&expected) || told.iter().any(|b| b == expected)
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn a_subclass_is_caught_and_a_superclass_is_not() {
        assert!(alike("KeyError", "KeyError", &[]));
        assert!(alike("LookupError", "KeyError", &[]));
        assert!(!alike("KeyError", "LookupError", &[]));
        assert!(!alike("ValueError", "TypeError", &[]));
    }

    #[test]
    fn a_class_of_a_library_is_caught_by_the_bases_that_were_told() {
        let told = ["ValueError".to_owned(), "Exception".to_owned()];
        assert!(alike("ValueError", "BadGraph", &told));
        assert!(!alike("KeyError", "BadGraph", &told));
        assert!(!alike("ValueError", "BadGraph", &[]));
    }
}
