//! No check is blind: every column of every function has elements in which a small error is seen.

use harness::audit::audit;

#[test]
fn every_column_of_numbers_is_watched() {
    for generator in generators::GENERATORS {
        let columns = audit(generator, 1);
        assert!(!columns.is_empty(), "{}", generator.function);
        for (column, s) in columns {
            let name = format!("{}[{column}]: {s:?}", generator.function);
            // Rank p-values move in steps and near-constant genes leave few digits; the median element does not.
            assert!(s.quantile(0.5).is_some_and(|change| change < 1e-3), "{name}");
            // Where an input leaves no digit at all, nothing can be asked.
            assert!(s.blind * 10 <= s.tried, "{name}");
            assert!(s.nan_blind * 20 <= s.tried, "{name}");
        }
    }
}
