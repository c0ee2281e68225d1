//! Comparisons, each ending in a ratio of distance to allowance.
//!
//! A contract pushes one [`Check`] per question. A check knows how many elements it compared, how near
//! the worst came to its allowance, and, if that is past 1, the element that shows it.

use dispatch::{Dataset, Value};
use reports::{Check, Finding, Ratio};

/// How far an element may be from what is expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowance {
    /// Equal, NaN to NaN.
    Exact,
    /// At most this distance.
    Within(f64),
    /// Between these two, which enclose the expected value.
    Between(f64, f64),
    /// Not comparable on this input: the question has no answer here.
    Undefined,
}

impl Allowance {
    /// Distance over allowance; `None` if not comparable.
    pub fn ratio(self, expected: f64, actual: f64) -> Option<Ratio> {
        if self == Allowance::Undefined {
            return None;
        }
        if expected.is_nan() || actual.is_nan() {
            return Some(if expected.is_nan() && actual.is_nan() {
                Ratio::EXACT
            } else {
                Ratio::BROKEN
            });
        }
        if expected == actual {
            return Some(Ratio::EXACT);
        }
        let room = match self {
            Allowance::Exact | Allowance::Undefined => 0.0,
            Allowance::Within(distance) => distance,
            Allowance::Between(low, _) if actual < expected => expected - low,
            Allowance::Between(_, high) => high - expected,
        };
        let ratio = (actual - expected).abs() / room;
        // 0/0 cannot occur here (expected differs from actual); infinity over infinity may: it never agrees.
        Some(if ratio.is_nan() { Ratio::BROKEN } else { Ratio(ratio) })
    }

    fn text(self) -> String {
        match self {
            Allowance::Exact => "exact".to_owned(),
            Allowance::Within(distance) => format!("within {}", number(distance)),
            Allowance::Between(low, high) => {
                format!("between {} and {}", number(low), number(high))
            }
            Allowance::Undefined => "not comparable".to_owned(),
        }
    }
}

/// The checks made on one pair of answers.
#[derive(Debug, Default)]
pub struct Checks {
    /// In the order they were made.
    pub checks: Vec<Check>,
    /// Parts of the answer that were not compared, and why.
    pub skipped: Vec<String>,
}

impl Checks {
    /// Asks whether two things are equal; returns the answer.
    pub fn equal(&mut self, name: &str, slot: &str, expected: &str, actual: &str) -> bool {
        let equal = expected == actual;
        let finding = (!equal).then(|| Finding {
            slot: slot.to_owned(),
            at: String::new(),
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            allowance: "exact".to_owned(),
            ratio: Ratio::BROKEN,
        });
        self.push(name, 1, if equal { Ratio::EXACT } else { Ratio::BROKEN }, finding);
        equal
    }

    /// Asks whether a statement holds; returns the answer.
    pub fn holds(
        &mut self,
        name: &str,
        slot: &str,
        holds: bool,
        expected: &str,
        actual: impl FnOnce() -> String,
    ) -> bool {
        if holds {
            self.push(name, 1, Ratio::EXACT, None);
            return true;
        }
        self.equal(name, slot, expected, &actual())
    }

    /// Compares numbers one by one; `at` names an element, `allowance` says how far it may be.
    pub fn numbers(
        &mut self,
        name: &str,
        slot: &str,
        expected: &[f64],
        actual: &[f64],
        at: impl Fn(usize) -> String,
        allowance: impl Fn(usize) -> Allowance,
    ) {
        if expected.len() != actual.len() {
            let (e, a) =
                (format!("{} numbers", expected.len()), format!("{} numbers", actual.len()));
            self.equal(name, slot, &e, &a);
            return;
        }
        let (mut compared, mut worst, mut place) = (0, Ratio::EXACT, None);
        for (i, (&e, &a)) in expected.iter().zip(actual).enumerate() {
            let Some(ratio) = allowance(i).ratio(e, a) else { continue };
            compared += 1;
            if !ratio.agrees() && place.is_none_or(|_| !(ratio.0 <= worst.0)) {
                place = Some(i);
            }
            worst = worst.worse(ratio);
        }
        let finding = place.map(|i| Finding {
            slot: slot.to_owned(),
            at: at(i),
            expected: number(expected[i]),
            actual: number(actual[i]),
            allowance: allowance(i).text(),
            ratio: allowance(i).ratio(expected[i], actual[i]).unwrap_or(Ratio::BROKEN),
        });
        self.push(name, compared, worst, finding);
    }

    /// Compares texts one by one.
    pub fn texts(
        &mut self,
        name: &str,
        slot: &str,
        expected: &[String],
        actual: &[String],
    ) -> bool {
        if expected.len() != actual.len() {
            let show = |v: &[String]| format!("{} labels: {}", v.len(), shorten(&v.join(", "), 80));
            return self.equal(name, slot, &show(expected), &show(actual));
        }
        let differs = expected.iter().zip(actual).position(|(e, a)| e != a);
        let finding = differs.map(|i| Finding {
            slot: slot.to_owned(),
            at: format!("[{i}]"),
            expected: expected[i].clone(),
            actual: actual[i].clone(),
            allowance: "exact".to_owned(),
            ratio: Ratio::BROKEN,
        });
        let worst = if differs.is_some() { Ratio::BROKEN } else { Ratio::EXACT };
        self.push(name, expected.len() as u64, worst, finding);
        differs.is_none()
    }

    /// Asks whether the answer wrote exactly the slots that were expected; returns the answer.
    pub fn slots(&mut self, expected: &Dataset, actual: &Dataset) -> bool {
        let paths =
            |data: &Dataset| -> Vec<String> { data.leaves().into_iter().map(|(p, _)| p).collect() };
        let (e, a) = (paths(expected), paths(actual));
        self.equal("slots written", "", &e.join(", "), &a.join(", "))
    }

    /// Says that a part of the answer was not compared.
    pub fn skip(&mut self, why: impl Into<String>) {
        self.skipped.push(why.into());
    }

    /// The name of the first check that failed.
    pub fn failed(&self) -> Option<&str> {
        self.checks.iter().find(|c| c.finding.is_some()).map(|c| c.name.as_str())
    }

    fn push(&mut self, name: &str, compared: u64, worst: Ratio, finding: Option<Finding>) {
        self.checks.push(Check { name: name.to_owned(), compared, worst, finding, places: None });
    }
}

/// A number with all the digits that tell it from its neighbours.
pub fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        size if (1e-4..1e16).contains(&size) => format!("{x}"),
        _ => format!("{x:e}"),
    }
}

/// A text of at most `width` characters, with an ellipsis where it was cut.
pub fn shorten(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}

/// A value in a few words, for tables and messages.
pub fn describe(value: &Value) -> String {
    match value {
        Value::Text(t) => format!("'{t}'"),
        Value::Int(i) => i.to_string(),
        Value::Float(x) => number(*x),
        Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Value::None => "None".to_owned(),
        Value::List(v) => format!("[{}]", v.iter().map(describe).collect::<Vec<_>>().join(", ")),
        Value::Tuple(v) => format!("({})", v.iter().map(describe).collect::<Vec<_>>().join(", ")),
        Value::Dense(d) => {
            let values = d.to_f64().into_iter().map(number).collect::<Vec<_>>().join(", ");
            format!("{} {:?} [{}]", d.dtype().name(), d.shape, shorten(&values, 60))
        }
        Value::Frame(f) => format!("DataFrame {} x {}", f.index.len(), f.columns.len()),
        other => match other.len() {
            Some(n) => format!("{} of {n}", other.type_name()),
            None => other.type_name().to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(allowance: Allowance, expected: f64, actual: f64) -> f64 {
        allowance.ratio(expected, actual).unwrap().0
    }

    #[test]
    fn nan_agrees_only_with_nan() {
        assert_eq!(ratio(Allowance::Within(1.0), f64::NAN, f64::NAN), 0.0);
        assert_eq!(ratio(Allowance::Within(1e300), f64::NAN, 0.0), f64::INFINITY);
        assert_eq!(ratio(Allowance::Within(1e300), 0.0, f64::NAN), f64::INFINITY);
    }

    #[test]
    fn an_infinite_distance_never_agrees() {
        assert_eq!(ratio(Allowance::Within(f64::INFINITY), f64::INFINITY, 1.0), f64::INFINITY);
        assert_eq!(ratio(Allowance::Exact, f64::INFINITY, f64::INFINITY), 0.0);
    }

    #[test]
    fn an_interval_measures_each_side_by_its_own_room() {
        let between = Allowance::Between(1.0, 4.0);
        assert_eq!(ratio(between, 2.0, 3.0), 0.5);
        assert_eq!(ratio(between, 2.0, 0.0), 2.0);
        assert_eq!(ratio(Allowance::Between(2.0, 4.0), 2.0, 1.0), f64::INFINITY);
    }

    #[test]
    fn the_finding_shows_the_worst_element() {
        let mut checks = Checks::default();
        let at = |i: usize| format!("Gene{i}");
        checks.numbers("I: value", "uns/moranI[I]", &[1.0, 2.0, 3.0], &[1.5, 4.0, 3.0], at, |_| {
            Allowance::Within(0.1)
        });
        let finding = checks.checks[0].finding.as_ref().unwrap();
        assert_eq!((finding.at.as_str(), finding.actual.as_str()), ("Gene1", "4"));
        assert_eq!(checks.checks[0].compared, 3);
    }

    #[test]
    fn nothing_comparable_is_zero_comparisons() {
        let mut checks = Checks::default();
        checks.numbers("x", "x", &[1.0], &[2.0], |i| i.to_string(), |_| Allowance::Undefined);
        assert_eq!((checks.checks[0].compared, checks.failed()), (0, None));
    }
}
