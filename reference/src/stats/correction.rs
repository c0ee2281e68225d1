//! Correction of p-values for multiple testing, by the names of `statsmodels.stats.multitest.multipletests`.
//!
//! With p-values sorted ascending, `p_1 <= ... <= p_m`, the adjusted values are, each capped at 1:
//!
//! | method | adjusted value |
//! | --- | --- |
//! | `bonferroni` | `m p_i` |
//! | `sidak` | `1 - (1 - p_i)^m` |
//! | `holm` | `max_{j<=i} (m-j+1) p_j` |
//! | `holm-sidak` | `max_{j<=i} 1 - (1 - p_j)^(m-j+1)` |
//! | `simes-hochberg` | `min_{j>=i} (m-j+1) p_j` |
//! | `hommel` | closed testing with Simes' test (Hommel 1988, Wright's algorithm) |
//! | `fdr_bh` | `min_{j>=i} m p_j / j` (Benjamini and Hochberg 1995) |
//! | `fdr_by` | `fdr_bh` times `1 + 1/2 + ... + 1/m` (Benjamini and Yekutieli 2001) |
//! | `fdr_tsbh`, `fdr_tsbky` | `fdr_bh` scaled by the share of true hypotheses that a first stage at level 0.05 estimates; `tsbky` takes level `0.05/1.05` and multiplies by 1.05 (Benjamini, Krieger and Yekutieli 2006) |
//! | `fdr_gbs` | `max_{j<=i} (m+1-j)/j * p_j/(1-p_j)` (Gavrilov, Benjamini and Sarkar 2009) |
//!
//! **NaN**: an undefined p-value is left out. It stays NaN and `m` does not count it. The host passes it on to
//! statsmodels, where a single NaN can make the whole column NaN.

use dispatch::Fault;

use crate::args::value_error;

/// A method of correction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correction {
    /// `bonferroni`.
    Bonferroni,
    /// `sidak`.
    Sidak,
    /// `holm`.
    Holm,
    /// `holm-sidak`.
    HolmSidak,
    /// `simes-hochberg`.
    SimesHochberg,
    /// `hommel`; quadratic in the number of tests.
    Hommel,
    /// `fdr_bh`.
    BenjaminiHochberg,
    /// `fdr_by`.
    BenjaminiYekutieli,
    /// `fdr_tsbh`.
    TwoStageBenjaminiHochberg,
    /// `fdr_tsbky`.
    TwoStageBenjaminiKriegerYekutieli,
    /// `fdr_gbs`.
    GavrilovBenjaminiSarkar,
}

/// Every method with statsmodels' names for it, the usual one first.
const NAMES: &[(Correction, &[&str])] = &[
    (Correction::Bonferroni, &["bonferroni", "bonf", "b"]),
    (Correction::Sidak, &["sidak", "s"]),
    (Correction::Holm, &["holm", "h"]),
    (Correction::HolmSidak, &["holm-sidak", "hs"]),
    (Correction::SimesHochberg, &["simes-hochberg", "sh"]),
    (Correction::Hommel, &["hommel", "ho"]),
    (Correction::BenjaminiHochberg, &["fdr_bh", "fdr_i", "fdr_p", "fdri", "fdrp"]),
    (Correction::BenjaminiYekutieli, &["fdr_by", "fdr_n", "fdr_c", "fdrn", "fdrcorr"]),
    (Correction::TwoStageBenjaminiHochberg, &["fdr_tsbh", "fdr_2sbh"]),
    (Correction::TwoStageBenjaminiKriegerYekutieli, &["fdr_tsbky", "fdr_2sbky", "fdr_twostage"]),
    (Correction::GavrilovBenjaminiSarkar, &["fdr_gbs"]),
];

/// The level of the first stage of the two-stage methods unless a call says otherwise: statsmodels' default.
const ALPHA: f64 = 0.05;

impl Correction {
    /// Every method.
    pub fn all() -> impl Iterator<Item = Correction> {
        NAMES.iter().map(|(method, _)| *method)
    }

    /// The method of a name; letter case does not matter, statsmodels' short names are known.
    ///
    /// # Errors
    /// `ValueError` that lists the names.
    pub fn named(name: &str) -> Result<Correction, Fault> {
        let known = |names: &[&str]| names.iter().any(|n| n.eq_ignore_ascii_case(name));
        NAMES.iter().find(|(_, names)| known(names)).map(|(method, _)| *method).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(_, names)| names[0]).collect();
            value_error(format!("method `{name}` not recognized, expected one of {names:?}"))
        })
    }

    /// The usual name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(method, _)| *method == self).map_or("", |(_, names)| names[0])
    }

    /// The adjusted p-values, in the order given; NaN stays NaN and is not counted.
    pub fn adjust(self, p: &[f64]) -> Vec<f64> {
        self.adjust_at(p, ALPHA)
    }

    /// As [`Correction::adjust`] with the first stage of the two-stage methods at level `alpha`; no other method
    /// depends on it.
    pub fn adjust_at(self, p: &[f64], alpha: f64) -> Vec<f64> {
        let mut order: Vec<usize> = (0..p.len()).filter(|&i| !p[i].is_nan()).collect();
        order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
        let mut sorted: Vec<f64> = order.iter().map(|&i| p[i]).collect();
        self.adjust_sorted(&mut sorted, alpha);
        let mut adjusted = vec![f64::NAN; p.len()];
        for (&i, q) in order.iter().zip(sorted) {
            adjusted[i] = if q > 1.0 { 1.0 } else { q };
        }
        adjusted
    }

    fn adjust_sorted(self, p: &mut [f64], alpha: f64) {
        let m = p.len() as f64;
        // (m-j+1) for the 1-based rank j: how many hypotheses a step-down test has left.
        let left = |i: usize| m - i as f64;
        let sidak = |n: f64, p: f64| -(n * (-p).ln_1p()).exp_m1();
        match self {
            Correction::Bonferroni => p.iter_mut().for_each(|p| *p *= m),
            Correction::Sidak => p.iter_mut().for_each(|p| *p = sidak(m, *p)),
            Correction::Holm => step_down(p, |i, p| left(i) * p),
            Correction::HolmSidak => step_down(p, |i, p| sidak(left(i), p)),
            Correction::SimesHochberg => step_up(p, |i, p| left(i) * p),
            Correction::Hommel => hommel(p),
            Correction::BenjaminiHochberg => benjamini_hochberg(p),
            Correction::BenjaminiYekutieli => {
                let harmonic: f64 = (1..=p.len()).map(|j| 1.0 / j as f64).sum();
                step_up(p, |i, p| p / ((i + 1) as f64 / m / harmonic));
            }
            Correction::TwoStageBenjaminiHochberg => two_stage(p, alpha, 1.0),
            Correction::TwoStageBenjaminiKriegerYekutieli => two_stage(p, alpha, 1.0 + alpha),
            Correction::GavrilovBenjaminiSarkar => {
                step_down(p, |i, p| left(i) / (i + 1) as f64 * p / (1.0 - p));
            }
        }
    }
}

/// Replaces each value by the largest `f(rank, p)` up to it.
fn step_down(p: &mut [f64], f: impl Fn(usize, f64) -> f64) {
    let mut largest = f64::NEG_INFINITY;
    for (i, p) in p.iter_mut().enumerate() {
        let raw = f(i, *p);
        largest = if raw > largest { raw } else { largest };
        *p = largest;
    }
}

/// Replaces each value by the smallest `f(rank, p)` from it on.
fn step_up(p: &mut [f64], f: impl Fn(usize, f64) -> f64) {
    let mut smallest = f64::INFINITY;
    for (i, p) in p.iter_mut().enumerate().rev() {
        let raw = f(i, *p);
        smallest = if raw < smallest { raw } else { smallest };
        *p = smallest;
    }
}

fn benjamini_hochberg(p: &mut [f64]) {
    let m = p.len() as f64;
    // Divided by the rank's share, as statsmodels rounds it.
    step_up(p, |i, p| p / ((i + 1) as f64 / m));
}

fn two_stage(p: &mut [f64], alpha: f64, factor: f64) {
    let m = p.len() as f64;
    let level = alpha / factor;
    let passing = (0..p.len()).rev().find(|&i| p[i] <= (i + 1) as f64 / m * level);
    let rejected = passing.map_or(0.0, |last| (last + 1) as f64);
    let share_left = if rejected == m { 1.0 } else { (m - rejected) / m };
    benjamini_hochberg(p);
    // The first-stage correction is capped before it is scaled down.
    p.iter_mut().for_each(|q| *q = (if *q > 1.0 { 1.0 } else { *q }) * share_left * factor);
}

fn hommel(p: &mut [f64]) {
    let sorted = p.to_vec();
    for n in (2..=sorted.len()).rev() {
        let (low, high) = sorted.split_at(sorted.len() - n);
        let scaled = high.iter().enumerate().map(|(j, p)| n as f64 * p / (j + 1) as f64);
        let simes = scaled.fold(f64::INFINITY, |a, b| if b < a { b } else { a });
        for (a, &q) in p.iter_mut().zip(low) {
            let bound = (n as f64 * q).min(simes);
            *a = a.max(bound);
        }
        p[sorted.len() - n..].iter_mut().for_each(|a| *a = a.max(simes));
    }
}

#[cfg(test)]
mod tests {
    use approx::assert_relative_eq;

    use super::*;

    #[test]
    fn only_two_stage_methods_depend_on_the_level() {
        let p = [0.01, 0.04, 0.03, 0.005, 0.8];
        for method in Correction::all() {
            let differs = method.adjust_at(&p, 0.06) != method.adjust_at(&p, 0.01);
            let two_stage = method.name().starts_with("fdr_ts");
            assert_eq!(differs, two_stage, "{}", method.name());
        }
        // At 0.06 the first stage rejects four of five (bounds 0.012, 0.024, 0.036, 0.048): one fifth is left.
        let scaled = Correction::TwoStageBenjaminiHochberg.adjust_at(&p, 0.06);
        let plain = Correction::BenjaminiHochberg.adjust(&p);
        for (scaled, plain) in scaled.iter().zip(plain) {
            assert_relative_eq!(*scaled, plain / 5.0, max_relative = 4.0 * f64::EPSILON);
        }
    }

    #[rustfmt::skip]
    const FEW: &[f64] = &[0.01, 0.04, 0.03, 0.005, 0.8, 0.04, 1.0];
    #[rustfmt::skip]
    const MANY: &[f64] = &[0.000628, 0.01328, 0.514451, 0.197302, 0.000834, 0.081254, 0.109938, 0.004076, 0.39638, 0.001469, 0.059881, 0.13798, 0.0, 1e-20, 0.5, 0.5];

    /// statsmodels 0.15.0: the adjusted values of `FEW` and of `MANY`.
    #[rustfmt::skip]
    const EXPECTED: &[(&str, &[f64], &[f64])] = &[
        ("bonferroni", &[0.07, 0.28, 0.21, 0.035, 1.0, 0.28, 1.0], &[0.010048, 0.21248, 1.0, 1.0, 0.013344, 1.0, 1.0, 0.065216, 1.0, 0.023504, 0.958096, 1.0, 0.0, 1.6e-19, 1.0, 1.0]),
        ("sidak", &[0.06793465209301, 0.24855252189184, 0.19201715521887, 0.0344793531905157, 0.9999872, 0.24855252189184, 1.0], &[0.010000812334310782, 0.1925736890374105, 0.9999904560309059, 0.9702946349186434, 0.01326085725372135, 0.7422923085641197, 0.8448598678603513, 0.06325977134629844, 0.9996893882101859, 0.02324681145946936, 0.6276723585552458, 0.9070439899271991, 0.0, 1.6e-19, 0.9999847412109375, 0.9999847412109375]),
        ("holm", &[0.06, 0.16, 0.15, 0.035, 1.0, 0.16, 1.0], &[0.008792, 0.1328, 1.0, 0.98651, 0.010842, 0.650032, 0.769566, 0.044836, 1.0, 0.017628, 0.538929, 0.82788, 0.0, 1.5e-19, 1.0, 1.0]),
        ("holm-sidak", &[0.058519850599, 0.15065344, 0.14126597429999999, 0.0344793531905157, 0.96, 0.15065344, 1.0], &[0.008756201053528416, 0.12513848820881748, 0.875, 0.6667571005719585, 0.01078791219340238, 0.49235081854111074, 0.5574709160824374, 0.04393332518077808, 0.8672439004732475, 0.01748626968413079, 0.4263520187492502, 0.5896976041917008, 0.0, 1.5e-19, 0.875, 0.875]),
        ("simes-hochberg", &[0.06, 0.12, 0.12, 0.035, 1.0, 0.12, 1.0], &[0.008792, 0.1328, 0.514451, 0.514451, 0.010842, 0.514451, 0.514451, 0.044836, 0.514451, 0.017628, 0.514451, 0.514451, 0.0, 1.5e-19, 0.514451, 0.514451]),
        ("hommel", &[0.06, 0.12, 0.09, 0.035, 1.0, 0.12, 1.0], &[0.008164, 0.1328, 0.514451, 0.514451, 0.010008, 0.48752400000000007, 0.514451, 0.044836, 0.514451, 0.017628, 0.41916699999999996, 0.514451, 0.0, 1.5e-19, 0.514451, 0.514451]),
        ("fdr_bh", &[0.035, 0.056, 0.056, 0.035, 0.9333333333333335, 0.056, 1.0], &[0.003336, 0.030354285714285716, 0.514451, 0.2630693333333333, 0.003336, 0.14445155555555556, 0.1759008, 0.010869333333333333, 0.4878523076923077, 0.0047008, 0.119762, 0.2006981818181818, 0.0, 8e-20, 0.514451, 0.514451]),
        ("fdr_by", &[0.09075, 0.14519999999999997, 0.14519999999999997, 0.09075, 1.0, 0.14519999999999997, 1.0], &[0.011278111921411921, 0.10261961378304237, 1.0, 0.8893661224294226, 0.011278111921411921, 0.48835156198369545, 0.5946729344921745, 0.03674627033707034, 1.0, 0.015892130851370853, 0.4048828656870907, 0.6785061621610713, 0.0, 2.7045831945831946e-19, 1.0, 1.0]),
        ("fdr_tsbh", &[0.025, 0.04, 0.04, 0.025, 0.6666666666666667, 0.04, 0.7142857142857143], &[0.0018765, 0.017074285714285715, 0.2893786875, 0.14797649999999998, 0.0018765, 0.08125399999999999, 0.0989442, 0.006114, 0.27441692307692306, 0.0026441999999999998, 0.067366125, 0.11289272727272727, 0.0, 4.4999999999999995e-20, 0.2893786875, 0.2893786875]),
        ("fdr_tsbky", &[0.026250000000000002, 0.042, 0.042, 0.026250000000000002, 0.7000000000000001, 0.042, 0.75], &[0.001970325, 0.017928000000000003, 0.30384762187500003, 0.15537532499999998, 0.001970325, 0.0853167, 0.10389141, 0.0064196999999999995, 0.2881377692307692, 0.00277641, 0.07073443125000001, 0.11853736363636364, 0.0, 4.725e-20, 0.30384762187500003, 0.30384762187500003]),
        ("fdr_gbs", &[0.03517587939698493, 0.051546391752577324, 0.051546391752577324, 0.03517587939698493, 1.0, 0.051546391752577324, 1.0], &[0.0029325082818676797, 0.01922675994347796, 0.21428571428571427, 0.10241606017040862, 0.0029325082818676797, 0.07861343372137433, 0.08646206668748917, 0.00750324991331333, 0.2020527433204283, 0.0035307867257000536, 0.0716570189518561, 0.08730866822326415, 0.0, 7.5e-20, 0.21428571428571427, 0.21428571428571427]),
    ];

    #[test]
    fn every_method_gives_statsmodels_values() {
        for (name, few, many) in EXPECTED {
            for (p, expected) in [(FEW, few), (MANY, many)] {
                let q = Correction::named(name).unwrap().adjust(p);
                for (q, e) in q.iter().zip(expected.iter()) {
                    // A handful of roundings each: products, quotients, log1p and expm1.
                    assert_relative_eq!(*q, *e, max_relative = 4e-15);
                }
            }
        }
        assert_eq!(EXPECTED.len(), Correction::all().count());
    }

    #[test]
    fn undefined_p_values_are_left_out() {
        let with_gaps: Vec<f64> = FEW.iter().flat_map(|&p| [f64::NAN, p]).collect();
        for method in Correction::all() {
            let adjusted = method.adjust(&with_gaps);
            assert!(adjusted.iter().step_by(2).all(|q| q.is_nan()));
            let rest: Vec<f64> = adjusted.into_iter().skip(1).step_by(2).collect();
            assert_eq!(rest, method.adjust(FEW), "{}", method.name());
            assert!(method.adjust(&[]).is_empty());
            assert!(method.adjust(&[f64::NAN])[0].is_nan());
        }
    }

    #[test]
    fn names_are_statsmodels_names() {
        assert_eq!(Correction::named("HS").unwrap(), Correction::HolmSidak);
        for method in Correction::all() {
            assert_eq!(Correction::named(method.name()).unwrap(), method);
        }
        let refusal = Correction::named("nope").unwrap_err().to_string();
        assert!(refusal.starts_with("ValueError: method `nope` not recognized"), "{refusal}");
    }
}
