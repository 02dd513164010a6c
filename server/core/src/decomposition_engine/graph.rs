//! Order in a directed graph, in time linear in its size (apart from the heap).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An order in which each node comes after those it needs, lowest index first where that leaves a
/// choice; or a cycle, each node needing the next and the last the first.
pub(super) fn order(needs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (node, list) in needs.iter().enumerate() {
        list.iter().for_each(|need| needed_by[*need].push(node));
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..needs.len()).filter(|node| open[*node] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(Reverse(node)) = ready.pop() {
        order.push(node);
        for next in &needed_by[node] {
            open[*next] -= 1;
            if open[*next] == 0 {
                ready.push(Reverse(*next));
            }
        }
    }
    if order.len() == needs.len() { Ok(order) } else { Err(cycle(needs, &open)) }
}

/// A cycle among the nodes that are still open: each of them needs another open one.
fn cycle(needs: &[Vec<usize>], open: &[usize]) -> Vec<usize> {
    let mut seen_at: Vec<Option<usize>> = vec![None; needs.len()];
    let mut path = Vec::new();
    let mut node = open.iter().position(|n| *n > 0).unwrap_or(0);
    loop {
        if let Some(start) = seen_at[node] {
            return path.split_off(start);
        }
        seen_at[node] = Some(path.len());
        path.push(node);
        match needs[node].iter().find(|need| open[**need] > 0) {
            Some(next) => node = *next,
            None => return path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cycle_is_named_without_what_only_hangs_on_it() {
        assert_eq!(order(&[vec![1], vec![2], vec![1], vec![]]), Err(vec![1, 2]));
        assert_eq!(order(&[vec![0]]), Err(vec![0]));
    }

    #[test]
    fn a_long_chain_is_no_burden() {
        // Quadratic work would be 10^11 steps here.
        let n = 300_000;
        let chain: Vec<Vec<usize>> = (0..n).map(|i| if i + 1 < n { vec![i + 1] } else { vec![] }).collect();
        assert_eq!(order(&chain).map(|o| (o[0], o.len())), Ok((n - 1, n)));
    }

    proptest! {
        #[test]
        fn an_order_respects_every_need_and_a_cycle_is_one(
            needs in prop::collection::vec(prop::collection::vec(0usize..12, 0..4), 12),
        ) {
            match order(&needs) {
                Ok(order) => {
                    let place = |n: usize| order.iter().position(|x| *x == n).unwrap();
                    for (node, list) in needs.iter().enumerate() {
                        prop_assert!(list.iter().all(|need| place(*need) < place(node)));
                    }
                }
                Err(cycle) => {
                    prop_assert!(!cycle.is_empty());
                    for (i, node) in cycle.iter().enumerate() {
                        prop_assert!(needs[*node].contains(&cycle[(i + 1) % cycle.len()]));
                    }
                }
            }
        }
    }
}
