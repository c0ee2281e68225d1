//! Whose error a difference is.

use super::Number;

/// Who is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The host alone.
    Host,
    /// The backend alone.
    Backend,
    /// Both, whether or not they agree.
    Both,
    /// None of them: any difference is within the allowance.
    Neither,
    /// The oracle's own bound is too wide to tell.
    Unresolved,
}

/// Says who of two is further from the truth than allowed; `None` is the truth of what is undefined, which only NaN answers.
///
/// The comparison is exact: an answer at precisely the allowance is right, the next float beyond it is wrong.
pub fn verdict(truth: Option<&Number>, host: f64, backend: f64, allowance: f64) -> Blame {
    let wrong = |answer: f64| match truth {
        None => Some(!answer.is_nan()),
        Some(truth) => truth.differs(answer, allowance),
    };
    match (wrong(host), wrong(backend)) {
        (Some(true), Some(true)) => Blame::Both,
        (Some(true), Some(false)) => Blame::Host,
        (Some(false), Some(true)) => Blame::Backend,
        (Some(false), Some(false)) => Blame::Neither,
        (None, _) | (_, None) => Blame::Unresolved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exact::Ball;

    #[test]
    fn each_can_be_blamed() {
        let half = Number::ratio(1, 2).unwrap();
        let check = |host: f64, backend: f64| verdict(Some(&half), host, backend, 0.25);
        assert_eq!(check(0.25, 0.75), Blame::Neither);
        assert_eq!(check(0.25f64.next_down(), 0.5), Blame::Host);
        assert_eq!(check(0.5, 0.75f64.next_up()), Blame::Backend);
        assert_eq!(check(f64::NAN, f64::INFINITY), Blame::Both);
        // Both alike and both wrong.
        assert_eq!(check(0.0, 0.0), Blame::Both);
        assert_eq!(verdict(Some(&half), 0.5, 0.5, 0.0), Blame::Neither);
        assert_eq!(verdict(Some(&half), 0.5, 0.5, f64::NAN), Blame::Unresolved);
    }

    #[test]
    fn nan_is_the_answer_to_the_undefined() {
        assert_eq!(verdict(None, f64::NAN, f64::NAN, 0.0), Blame::Neither);
        assert_eq!(verdict(None, 1.0 / 51.0, f64::NAN, 1.0), Blame::Host);
        assert_eq!(verdict(None, f64::NAN, 0.0, 1.0), Blame::Backend);
    }

    #[test]
    fn a_wide_ball_blames_nobody() {
        let ball = Number::Ball(Ball::from(1.0).within(0.125));
        assert_eq!(verdict(Some(&ball), 1.0, 1.25, 0.25), Blame::Unresolved);
        assert_eq!(verdict(Some(&ball), 1.0, 1.5, 0.25), Blame::Backend);
        assert_eq!(verdict(Some(&ball), 1.0, 1.1, 0.25), Blame::Neither);
    }
}
