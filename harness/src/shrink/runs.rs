//! Delta debugging: which of many things may go.

/// Drops runs of half, a quarter, ... of `len` things while `fails` says that what is kept still fails; keeps at
/// least `least`. Returns the positions kept.
///
/// If all may go, that is tried first. Each set is asked about at most once per length of run.
pub(super) fn drop_runs(
    len: usize,
    least: usize,
    mut fails: impl FnMut(&[usize]) -> bool,
) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..len).collect();
    let mut run = if least == 0 { len } else { len / 2 };
    while run > 0 {
        let mut start = 0;
        while start < kept.len() && kept.len() > least {
            let mut fewer = kept.clone();
            fewer.drain(start..(start + run).min(fewer.len()));
            if fewer.len() >= least && fails(&fewer) {
                kept = fewer;
            } else {
                start += run;
            }
        }
        run /= 2;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::drop_runs;

    #[test]
    fn only_what_is_needed_stays() {
        let mut calls = 0;
        let kept = drop_runs(64, 1, |kept| {
            calls += 1;
            [7, 40, 41].iter().all(|i| kept.contains(i))
        });
        assert_eq!(kept, [7, 40, 41]);
        assert!(calls <= 48, "{calls} calls");
    }

    #[test]
    fn all_may_go_only_if_nothing_must_stay() {
        assert!(drop_runs(5, 0, |_| true).is_empty());
        assert_eq!(drop_runs(5, 2, |_| true).len(), 2);
        assert_eq!(drop_runs(1, 0, |kept| !kept.is_empty()), [0]);
        assert_eq!(drop_runs(1, 1, |_| panic!("there is nothing to ask")), [0]);
        assert!(drop_runs(0, 0, |_| panic!("there is nothing to ask")).is_empty());
    }
}
