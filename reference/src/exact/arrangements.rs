//! All distinct orders of some items, one after the other.

use num_bigint::BigUint;

use super::Beyond;

/// The number of distinct orders of items, at most `limit`.
pub(super) fn count(items: &[u32], limit: u64) -> Result<u64, Beyond> {
    let factorial = |n: usize| (1..=n).map(BigUint::from).product::<BigUint>();
    let mut sorted = items.to_vec();
    sorted.sort_unstable();
    let groups = sorted.chunk_by(|a, b| a == b).map(|group| factorial(group.len()));
    let needed = factorial(items.len()) / groups.product::<BigUint>();
    match u64::try_from(&needed) {
        Ok(count) if count <= limit => Ok(count),
        Ok(_) | Err(_) => Err(Beyond::Arrangements { needed, limit }),
    }
}

/// Calls `visit` with every distinct order of items, in lexicographic order.
pub(super) fn each(items: &[u32], mut visit: impl FnMut(&[u32])) {
    let mut order = items.to_vec();
    order.sort_unstable();
    visit(&order);
    // The longest falling tail has no successor; the item before it is raised as little as possible.
    while let Some(i) = (1..order.len()).rev().find(|&i| order[i - 1] < order[i]) {
        let j = order.iter().rposition(|item| *item > order[i - 1]).unwrap_or(i);
        order.swap(i - 1, j);
        order[i..].reverse();
        visit(&order);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_once() {
        for items in [vec![], vec![4], vec![0, 1, 2, 3], vec![2, 0, 1, 0, 2, 2], vec![1, 1, 1]] {
            let mut seen = std::collections::BTreeSet::new();
            each(&items, |order| assert!(seen.insert(order.to_vec())));
            assert_eq!(Ok(seen.len() as u64), count(&items, 1000), "{items:?}");
            let mut sorted = items.clone();
            sorted.sort_unstable();
            let same = |order: &Vec<u32>| {
                let mut order = order.clone();
                order.sort_unstable();
                order == sorted
            };
            assert!(seen.iter().all(same));
        }
    }

    #[test]
    fn too_many_are_refused_with_their_number() {
        let error = count(&(0..20).collect::<Vec<_>>(), 40_320).unwrap_err();
        let message = "enumerate 2432902008176640000 arrangements: the limit is 40320";
        assert_eq!(error.to_string(), message);
        assert!(count(&(0..60).collect::<Vec<_>>(), u64::MAX).is_err());
    }
}
