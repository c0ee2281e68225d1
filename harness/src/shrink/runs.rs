//! Delta debugging: which of many things may go.

/// What became of the question whether some things still fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// They do.
    Fails,
    /// They do not.
    Holds,
    /// It was not asked, and no other will be.
    NoMore,
}

/// Drops runs of half, a quarter, ... of `len` things while `ask` says that what is kept still fails; keeps at
/// least `least`. Returns the positions kept.
///
/// If all may go, that is tried first. Each set is asked about at most once per length of run.
pub(super) fn drop_runs(
    len: usize,
    least: usize,
    mut ask: impl FnMut(&[usize]) -> Asked,
) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..len).collect();
    let mut run = if least == 0 { len } else { len / 2 };
    while run > 0 {
        let mut start = 0;
        while start < kept.len() && kept.len() > least {
            let mut fewer = kept.clone();
            fewer.drain(start..(start + run).min(fewer.len()));
            let asked = if fewer.len() < least { Asked::Holds } else { ask(&fewer) };
            match asked {
                Asked::Fails => kept = fewer,
                Asked::Holds => start += run,
                Asked::NoMore => return kept,
            }
        }
        run /= 2;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{Asked, drop_runs};

    fn fails(so: bool) -> Asked {
        if so { Asked::Fails } else { Asked::Holds }
    }

    #[test]
    fn only_what_is_needed_stays() {
        let mut calls = 0;
        let kept = drop_runs(64, 1, |kept| {
            calls += 1;
            fails([7, 40, 41].iter().all(|i| kept.contains(i)))
        });
        assert_eq!(kept, [7, 40, 41]);
        assert!(calls <= 48, "{calls} calls");
    }

    #[test]
    fn all_may_go_only_if_nothing_must_stay() {
        assert!(drop_runs(5, 0, |_| Asked::Fails).is_empty());
        assert_eq!(drop_runs(5, 2, |_| Asked::Fails).len(), 2);
        assert_eq!(drop_runs(1, 0, |kept| fails(!kept.is_empty())), [0]);
        assert_eq!(drop_runs(1, 1, |_| panic!("there is nothing to ask")), [0]);
        assert!(drop_runs(0, 0, |_| panic!("there is nothing to ask")).is_empty());
    }

    #[test]
    fn who_may_not_ask_again_is_not_asked_again() {
        let mut asked = 0;
        let kept = drop_runs(64, 1, |_| {
            asked += 1;
            if asked == 1 { Asked::Fails } else { Asked::NoMore }
        });
        assert_eq!((kept.len(), asked), (32, 2));
    }
}
