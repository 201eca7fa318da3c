//! Sorts layers topologically and finds cycles.
//!
//! Layers are represented by their numbers.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// A cycle of layers: each layer is an input of the next one.
pub(super) type Cycle = Vec<usize>;

/// Returns the topological order of layers. If several layers could come next, the lowest number does.
///
/// `inputs[i]` are the inputs of layer `i`. On failure, returns all cycles. Each cycle starts with its lowest number, and
/// no layer is in two of them.
pub(super) fn sort(inputs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Cycle>> {
    let mut waiting_for: Vec<BTreeSet<usize>> = inputs
        .iter()
        .map(|inputs| inputs.iter().copied().collect())
        .collect();
    let mut dependants = vec![Vec::new(); inputs.len()];
    for (layer, inputs) in waiting_for.iter().enumerate() {
        for input in inputs {
            dependants[*input].push(layer);
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..inputs.len())
        .filter(|layer| waiting_for[*layer].is_empty())
        .map(Reverse)
        .collect();
    let mut placed = vec![false; inputs.len()];
    let mut order = Vec::with_capacity(inputs.len());
    let mut cycles = Vec::new();
    loop {
        while let Some(Reverse(layer)) = ready.pop() {
            placed[layer] = true;
            order.push(layer);
            for dependant in &dependants[layer] {
                if waiting_for[*dependant].remove(&layer) && waiting_for[*dependant].is_empty() {
                    ready.push(Reverse(*dependant));
                }
            }
        }
        let Some(stuck) = placed.iter().position(|placed| !placed) else {
            break;
        };
        let cycle = find_cycle(stuck, &waiting_for);
        // The dependants of the cycle are sorted as if it did not exist, so that further cycles are found too.
        for layer in &cycle {
            waiting_for[*layer].clear();
            ready.push(Reverse(*layer));
        }
        cycles.push(cycle);
    }
    if cycles.is_empty() {
        Ok(order)
    } else {
        Err(cycles)
    }
}

/// Follows the inputs of a waiting layer upstream until a layer occurs twice.
fn find_cycle(start: usize, waiting_for: &[BTreeSet<usize>]) -> Cycle {
    let mut path = vec![start];
    let mut current = start;
    while let Some(input) = waiting_for[current].first().copied() {
        if let Some(repeated) = path.iter().position(|seen| *seen == input) {
            let mut cycle = path.split_off(repeated);
            cycle.reverse();
            let lowest = cycle
                .iter()
                .enumerate()
                .min_by_key(|(_, layer)| **layer)
                .map_or(0, |(at, _)| at);
            cycle.rotate_left(lowest);
            return cycle;
        }
        path.push(input);
        current = input;
    }
    path
}

/// Returns all layers that depend on `layer`, directly or indirectly.
pub(super) fn dependants(inputs: &[Vec<usize>], layer: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut next = vec![layer];
    while let Some(current) = next.pop() {
        for (other, inputs) in inputs.iter().enumerate() {
            if inputs.contains(&current) && found.insert(other) {
                next.push(other);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn independent_layers_keep_their_order() {
        assert_eq!(
            sort(&[vec![2], vec![], vec![], vec![]]),
            Ok(vec![1, 2, 0, 3])
        );
    }

    #[test]
    fn every_cycle_is_found_without_its_dependants() {
        let inputs = [
            vec![1],
            vec![2],
            vec![0],
            vec![2],
            vec![3, 5],
            vec![6],
            vec![5],
        ];
        assert_eq!(sort(&inputs), Err(vec![vec![0, 2, 1], vec![5, 6]]));
    }

    #[test]
    fn dependants_include_indirect_ones() {
        let inputs = [vec![], vec![0], vec![1], vec![]];
        assert_eq!(dependants(&inputs, 0), BTreeSet::from([1, 2]));
    }

    proptest! {
        #[test]
        fn every_layer_comes_after_its_inputs(
            edges in proptest::collection::vec(proptest::collection::vec(0_usize..20, 0..4), 1..20),
        ) {
            // Each input has a lower number than its layer, so there is no cycle.
            let inputs: Vec<Vec<usize>> = edges.iter().enumerate()
                .map(|(layer, inputs)| inputs.iter().copied().filter(|input| *input < layer).collect())
                .collect();
            let order = sort(&inputs).unwrap();
            let position = |layer| order.iter().position(|placed| *placed == layer).unwrap();
            for (layer, inputs) in inputs.iter().enumerate() {
                for input in inputs {
                    prop_assert!(position(*input) < position(layer));
                }
            }
        }

        #[test]
        fn a_reported_cycle_is_a_cycle(
            inputs in proptest::collection::vec(proptest::collection::vec(0_usize..8, 0..3), 8),
        ) {
            if let Err(cycles) = sort(&inputs) {
                for cycle in cycles {
                    for (at, layer) in cycle.iter().enumerate() {
                        let next = cycle[(at + 1) % cycle.len()];
                        prop_assert!(inputs[next].contains(layer), "{cycle:?}");
                    }
                }
            }
        }
    }
}
