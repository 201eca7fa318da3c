//! The order of layers, their cycles and their dependants.
//!
//! Layers are numbers here: their positions in a list. What they do is for
//! others.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

/// Layers that feed each other, in the direction in which artifacts flow.
pub(super) type Cycle = Vec<usize>;

/// Returns an order in which every layer comes after its inputs; of those that could come next, the lowest number does.
///
/// `inputs[i]` are the inputs of layer `i`. Fails with every cycle, each
/// layer in one at most, starting with its lowest number.
pub(super) fn order(inputs: &[Vec<usize>]) -> Result<Vec<usize>, Vec<Cycle>> {
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
        let cycle = cycle_above(stuck, &waiting_for);
        // What hangs below the cycle is placed as if the cycle were not there,
        // so that a second one is found too.
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

/// Follows inputs upwards from a layer that waits until one comes round again.
fn cycle_above(start: usize, waiting_for: &[BTreeSet<usize>]) -> Cycle {
    let mut path = vec![start];
    let mut at = start;
    while let Some(input) = waiting_for[at].first().copied() {
        if let Some(round) = path.iter().position(|seen| *seen == input) {
            let mut cycle = path.split_off(round);
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
        at = input;
    }
    path
}

/// Returns every layer that takes `layer` in, directly or through others.
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
    fn of_layers_that_could_come_next_the_first_in_the_file_does() {
        assert_eq!(
            order(&[vec![2], vec![], vec![], vec![]]),
            Ok(vec![1, 2, 0, 3])
        );
    }

    #[test]
    fn every_cycle_is_found_and_what_hangs_below_one_is_not_in_it() {
        let inputs = [
            vec![1],
            vec![2],
            vec![0],
            vec![2],
            vec![3, 5],
            vec![6],
            vec![5],
        ];
        assert_eq!(order(&inputs), Err(vec![vec![0, 2, 1], vec![5, 6]]));
    }

    #[test]
    fn dependants_include_those_through_others() {
        let inputs = [vec![], vec![0], vec![1], vec![]];
        assert_eq!(dependants(&inputs, 0), BTreeSet::from([1, 2]));
    }

    proptest! {
        #[test]
        fn every_layer_comes_after_its_inputs(
            edges in proptest::collection::vec(proptest::collection::vec(0_usize..20, 0..4), 1..20),
        ) {
            // Each input's number is below its layer's, so there is no cycle.
            let inputs: Vec<Vec<usize>> = edges.iter().enumerate()
                .map(|(layer, inputs)| inputs.iter().copied().filter(|input| *input < layer).collect())
                .collect();
            let order = order(&inputs).unwrap();
            let place = |layer| order.iter().position(|placed| *placed == layer).unwrap();
            for (layer, inputs) in inputs.iter().enumerate() {
                for input in inputs {
                    prop_assert!(place(*input) < place(layer));
                }
            }
        }

        #[test]
        fn a_reported_cycle_is_one(
            inputs in proptest::collection::vec(proptest::collection::vec(0_usize..8, 0..3), 8),
        ) {
            if let Err(cycles) = order(&inputs) {
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
