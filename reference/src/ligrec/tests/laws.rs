//! Laws that hold for every input.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_the_definition((x, labels) in counts()) {
        let task = read(&dataset(&x, &labels, &ABC), &[]);
        let observed = task.observed();
        let exceedances = task.exceedances(&observed, Some(0.0));
        let expected = by_definition(&task, &|p| concord(&task, p), 20);
        let defined = task.defined(&observed);
        for (at, defined) in defined.into_iter().enumerate() {
            let expected = if defined { expected[at] as u32 } else { 0 };
            prop_assert_eq!(exceedances.strict[at], expected);
            prop_assert_eq!(exceedances.low[at], expected);
            prop_assert!(exceedances.high[at] >= expected);
        }
        // Values so far apart that sums need 128 bits decide the same.
        let wide: Vec<Vec<f64>> = x.iter().map(|row| row.iter().map(|v| v * 2f64.powi(70)).collect()).collect();
        let mut wide = read(&dataset(&wide, &labels, &ABC), &[]);
        // A gene of its own, in no interaction, sets the scale.
        wide.columns.push(Column { cells: vec![0], values: vec![1.0] });
        let wide_observed = wide.observed();
        prop_assert!(wide_observed.fixed.exact && wide_observed.fixed.exponent == 0);
        prop_assert_eq!(wide.exceedances(&wide_observed, None).strict, exceedances.strict);
    }

    // L1: both sides swapped.
    #[test]
    fn swapping_genes_and_clusters_changes_nothing((x, labels) in counts()) {
        let tables = tables(&read(&dataset(&x, &labels, &ABC), &[]));
        for (s, t) in [(0, 1), (1, 2), (0, 2), (0, 0)] {
            for (c, d) in [(0, 1), (2, 1), (0, 0)] {
                let at = (s * 3 + t) * 9 + c * 3 + d;
                let swapped = (t * 3 + s) * 9 + d * 3 + c;
                prop_assert_eq!(tables.means[at].to_bits(), tables.means[swapped].to_bits());
                prop_assert_eq!(bits(&[tables.pvalues[at]]), bits(&[tables.pvalues[swapped]]));
            }
        }
    }

    // L2, L4, L8.
    #[test]
    fn scaling_and_renaming((x, labels) in counts(), power in -9i32..9) {
        let plain = tables(&read(&dataset(&x, &labels, &ABC), &[]));
        prop_assert!(plain.pvalues.iter().all(|p| p.is_nan() || (0..=20).any(|n| *p == f64::from(n) / 20.0)));
        let factor = 2f64.powi(power);
        let scaled: Vec<Vec<f64>> = x.iter().map(|row| row.iter().map(|v| v * factor).collect()).collect();
        let scaled = tables(&read(&dataset(&scaled, &labels, &ABC), &[]));
        prop_assert_eq!(bits(&scaled.pvalues), bits(&plain.pvalues));
        prop_assert!(scaled.means.iter().zip(&plain.means).all(|(s, p)| *s == p * factor));
        // The first category renamed to the last in text order: columns rotate.
        let renamed = tables(&read(&dataset(&x, &labels, &["z", "b", "c"]), &[]));
        let at = |tables: &Tables, row: usize, c: usize, d: usize| {
            let at = row * 9 + c * 3 + d;
            (tables.means[at].to_bits(), bits(&[tables.pvalues[at]]))
        };
        for row in 0..9 {
            for (c, d) in [(0, 0), (0, 1), (1, 2), (2, 0)] {
                let (moved_c, moved_d) = ((c + 2) % 3, (d + 2) % 3);
                prop_assert_eq!(at(&renamed, row, moved_c, moved_d), at(&plain, row, c, d));
            }
        }
    }

    // L6, L7.
    #[test]
    fn a_threshold_only_hides_p_values((x, labels) in counts(), threshold in 0f64..1.0) {
        let data = dataset(&x, &labels, &ABC);
        let (all, observed) = { let task = read(&data, &[]); (tables(&task), task.observed()) };
        let task = read(&data, &[("threshold", threshold.into())]);
        let some = tables(&task);
        prop_assert_eq!(&some.means, &all.means);
        let positive = task.entries(|s, t| observed.means[s] > 0.0 && observed.means[t] > 0.0, 3);
        let shown = task.entries(|s, t| observed.shares[s] >= threshold && observed.shares[t] >= threshold, 3);
        for at in 0..positive.len() {
            prop_assert_eq!(all.pvalues[at].is_nan(), !positive[at]);
            let expected = if shown[at] { all.pvalues[at] } else { f64::NAN };
            prop_assert_eq!(bits(&[some.pvalues[at]]), bits(&[expected]));
        }
    }

    // L9 for any constant, not only dyadic ones: ties are exact.
    #[test]
    fn a_constant_gene_never_exceeds_itself((_, labels) in counts(), value in 0.001f64..100.0) {
        let x = vec![vec![value, 1.0]; labels.len()];
        let task = read(&dataset(&x, &labels, &ABC), &[("interactions", texts(&["g0", "g1"]))]);
        let observed = task.observed();
        let u = f64::EPSILON / 2.0;
        let exceedances = task.exceedances(&observed, Some(4.0 * u * (labels.len() as f64 + 2.0)));
        prop_assert!(exceedances.strict.iter().all(|n| *n == 0));
        prop_assert!(exceedances.low.iter().all(|n| *n == 0));
        prop_assert!(exceedances.ties.iter().all(|n| *n == 20));
        // Sums of ones are exact, so g1 with itself ties without doubt; a sum with g0 is rounded as the order will have it.
        let rounded = !observed.fixed.adds_exactly(0);
        for (i, high) in exceedances.high.iter().enumerate() {
            let expected = if rounded && i / 9 < 3 { 20 } else { 0 };
            prop_assert_eq!(*high, expected, "interaction {}", i / 9);
        }
    }

    // What `>=` would count on exact data lies above the interval, unless different sums happen to tie.
    #[test]
    fn identical_sums_are_in_no_interval((x, labels) in counts(), power in -3i32..3) {
        let x: Vec<Vec<f64>> = x.iter().map(|row| row.iter().map(|v| v * 2f64.powi(power)).collect()).collect();
        let task = read(&dataset(&x, &labels, &ABC), &[]);
        let observed = task.observed();
        let band = task.exceedances(&observed, Some(1e-12));
        let mut expected = vec![0; band.high.len()];
        for p in 0..20 {
            let permuted = Task { labels: concord(&task, p), ..task.clone() }.observed();
            let tied = task.entries(|s, t| {
                let [s, t] = [s, t].map(|at| (permuted.means[at] - observed.means[at], permuted.sums[at] == observed.sums[at]));
                (s.0 + t.0).abs() < 1e-9 && !(s.1 && t.1)
            }, task.k());
            expected.iter_mut().zip(tied).for_each(|(n, tied)| *n += u32::from(tied));
        }
        for (at, defined) in task.defined(&observed).into_iter().enumerate() {
            if defined {
                prop_assert_eq!(band.high[at], band.strict[at] + expected[at]);
                prop_assert!(band.ties[at] >= expected[at]);
            }
        }
    }

    // L14, exact because the data are integers.
    #[test]
    fn sums_add_up((x, labels) in counts()) {
        let observed = read(&dataset(&x, &labels, &ABC), &[]).observed();
        for gene in 0..3 {
            let total: f64 = x.iter().map(|row| row[gene]).sum();
            prop_assert_eq!(observed.sums[gene * 3..][..3].iter().sum::<i128>(), total as i128);
            for c in 0..3 {
                let at = gene * 3 + c;
                prop_assert_eq!(observed.means[at], observed.sums[at] as f64 / observed.sizes[c] as f64);
            }
        }
    }
}
