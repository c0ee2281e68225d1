//! Everything that could have been drawn, for inputs so small that it can be listed.

/// Calls `visit` with each of the n! permutations of `0..n` (Heap's algorithm).
pub(super) fn permutations(n: usize, mut visit: impl FnMut(&[usize])) {
    let mut order: Vec<usize> = (0..n).collect();
    let mut counters = vec![0; n];
    visit(&order);
    let mut i = 1;
    while i < n {
        if counters[i] < i {
            order.swap(if i.is_multiple_of(2) { 0 } else { counters[i] }, i);
            visit(&order);
            counters[i] += 1;
            i = 1;
        } else {
            counters[i] = 0;
            i += 1;
        }
    }
}

/// Calls `visit` with each distinct order of some labels.
///
/// Uniform permutations give each of them equally often, so counting these is counting permutations.
pub(super) fn assignments(labels: &[u32], mut visit: impl FnMut(&[u32])) {
    let k = labels.iter().map(|&l| l as usize + 1).max().unwrap_or(0);
    let mut left = vec![0; k];
    labels.iter().for_each(|&l| left[l as usize] += 1);
    place(&mut Vec::with_capacity(labels.len()), labels.len(), &mut left, &mut visit);
}

fn place(done: &mut Vec<u32>, n: usize, left: &mut [usize], visit: &mut impl FnMut(&[u32])) {
    if done.len() == n {
        return visit(done);
    }
    for label in 0..left.len() {
        if left[label] > 0 {
            left[label] -= 1;
            done.push(label as u32);
            place(done, n, left, visit);
            done.pop();
            left[label] += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_permutation_once() {
        for (n, count) in [(0, 1), (1, 1), (2, 2), (4, 24), (6, 720)] {
            let (mut seen, mut visits) = (BTreeSet::new(), 0);
            permutations(n, |p| {
                visits += 1;
                seen.insert(p.to_vec());
            });
            assert_eq!((seen.len(), visits), (count, count), "n={n}");
        }
    }

    #[test]
    fn every_assignment_once() {
        let mut seen = BTreeSet::new();
        let mut visits = 0;
        assignments(&[0, 1, 2, 0, 1, 2, 0, 1], |l| {
            visits += 1;
            seen.insert(l.to_vec());
        });
        // 8!/(3! 3! 2!)
        assert_eq!((seen.len(), visits), (560, 560));
    }
}
