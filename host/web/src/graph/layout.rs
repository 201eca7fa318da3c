//! Where the boxes and edges of a graph are.
//!
//! A layer is one rank below its lowest input. An edge over several ranks passes each of them in a gap of its own, so
//! that it crosses no box. Within a rank, everything is near the average of what it is connected to.

use std::collections::HashMap;

use super::{Box, GAP_X, GAP_Y, HEIGHT, PASS, WIDTH};

/// How often the order within the ranks is improved, once down and once up.
const SWEEPS: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Point {
    pub(super) x: i64,
    pub(super) y: i64,
}

#[derive(Debug, Default)]
pub(super) struct Layout {
    /// The upper left corner of each box.
    pub(super) boxes: Vec<Point>,
    /// The points of each edge, from the input down.
    pub(super) edges: Vec<Vec<Point>>,
    pub(super) width: i64,
    pub(super) height: i64,
}

/// A box, or the place at which an edge passes a rank.
#[derive(Debug)]
struct Node {
    rank: usize,
    /// The number of the box; `None` if an edge passes.
    shown: Option<usize>,
    above: Vec<usize>,
    below: Vec<usize>,
    /// The left side.
    x: i64,
}

impl Node {
    const fn width(&self) -> i64 {
        if self.shown.is_some() { WIDTH } else { PASS }
    }
}

/// Returns the space between two nodes of a rank. Edges that pass beside each other need little.
const fn gap(has_box: bool) -> i64 {
    if has_box { GAP_X } else { 0 }
}

struct Ranks {
    nodes: Vec<Node>,
    /// The nodes of each rank, from left to right.
    ranks: Vec<Vec<usize>>,
    /// The nodes of each edge, from the input down.
    edges: Vec<Vec<usize>>,
}

impl Layout {
    pub(super) fn of(boxes: &[Box]) -> Self {
        let mut ranks = Ranks::of(boxes);
        for _ in 0..SWEEPS {
            ranks.order(|node| &node.above, true);
            ranks.order(|node| &node.below, false);
        }
        let width = ranks.place();
        let count = i64::try_from(ranks.ranks.len()).unwrap_or(0);
        let mut layout = Self {
            boxes: vec![Point::default(); boxes.len()],
            edges: Vec::new(),
            width,
            height: (count * (HEIGHT + GAP_Y) - GAP_Y).max(0),
        };
        for node in &ranks.nodes {
            if let Some(place) = node.shown.and_then(|shown| layout.boxes.get_mut(shown)) {
                *place = Point {
                    x: node.x,
                    y: top(node),
                };
            }
        }
        let edges = ranks.edges.iter().map(|edge| ranks.points(edge));
        layout.edges = edges.collect();
        layout
    }
}

fn top(node: &Node) -> i64 {
    i64::try_from(node.rank).unwrap_or(0) * (HEIGHT + GAP_Y)
}

impl Ranks {
    fn of(boxes: &[Box]) -> Self {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut ranks = Self {
            nodes: Vec::new(),
            ranks: Vec::new(),
            edges: Vec::new(),
        };
        for (number, shown) in boxes.iter().enumerate() {
            let known = |name: &String| places.get(name.as_str()).copied();
            let inputs: Vec<usize> = shown.inputs.iter().filter_map(known).collect();
            let above = inputs.iter().filter_map(|input| ranks.nodes.get(*input));
            let rank = above.map(|input| input.rank + 1).max().unwrap_or(0);
            let node = ranks.add(rank, Some(number));
            for input in inputs {
                ranks.connect(input, node);
            }
            places.insert(&shown.name, node);
        }
        ranks
    }

    fn add(&mut self, rank: usize, shown: Option<usize>) -> usize {
        let number = self.nodes.len();
        self.nodes.push(Node {
            rank,
            shown,
            above: Vec::new(),
            below: Vec::new(),
            x: 0,
        });
        while self.ranks.len() <= rank {
            self.ranks.push(Vec::new());
        }
        if let Some(nodes) = self.ranks.get_mut(rank) {
            nodes.push(number);
        }
        number
    }

    /// Adds an edge with a node on each rank that it passes.
    fn connect(&mut self, from: usize, to: usize) {
        let rank = |ranks: &Self, node: usize| ranks.nodes.get(node).map_or(0, |node| node.rank);
        let (first, last) = (rank(self, from), rank(self, to));
        let mut edge = vec![from];
        let mut before = from;
        for passed in first + 1..last {
            let node = self.add(passed, None);
            self.join(before, node);
            edge.push(node);
            before = node;
        }
        self.join(before, to);
        edge.push(to);
        self.edges.push(edge);
    }

    fn join(&mut self, upper: usize, lower: usize) {
        if let Some(node) = self.nodes.get_mut(upper) {
            node.below.push(lower);
        }
        if let Some(node) = self.nodes.get_mut(lower) {
            node.above.push(upper);
        }
    }

    /// Orders each rank by the average place of what its nodes are connected to on one side.
    fn order(&mut self, side: fn(&Node) -> &Vec<usize>, is_down: bool) {
        let count = self.ranks.len();
        for step in 0..count {
            let rank = if is_down { step } else { count - 1 - step };
            let places = self.places();
            let Some(nodes) = self.ranks.get(rank) else {
                continue;
            };
            // Multiplied, because averages of whole numbers would be equal too often.
            let average = |number: usize| {
                let own = places.get(&number).copied().unwrap_or(0) * 1_000;
                let Some(node) = self.nodes.get(number) else {
                    return own;
                };
                let others: Vec<usize> = side(node)
                    .iter()
                    .filter_map(|other| places.get(other).copied())
                    .collect();
                match others.len() {
                    0 => own,
                    count => others.iter().sum::<usize>() * 1_000 / count,
                }
            };
            let mut ordered: Vec<(usize, usize)> = nodes
                .iter()
                .map(|number| (average(*number), *number))
                .collect();
            ordered.sort_by_key(|(average, _)| *average);
            let ordered = ordered.into_iter().map(|(_, number)| number).collect();
            if let Some(nodes) = self.ranks.get_mut(rank) {
                *nodes = ordered;
            }
        }
    }

    /// Returns the place of each node within its rank.
    fn places(&self) -> HashMap<usize, usize> {
        let ranks = self.ranks.iter();
        ranks
            .flat_map(|rank| rank.iter().enumerate().map(|(at, node)| (*node, at)))
            .collect()
    }

    /// Places each rank in the middle of the picture; returns the width of the picture.
    fn place(&mut self) -> i64 {
        let widths: Vec<i64> = self
            .ranks
            .iter()
            .map(|rank| self.rank_width(rank))
            .collect();
        let width = widths.iter().copied().max().unwrap_or(0);
        for (rank, own) in self.ranks.iter().zip(widths) {
            let mut x = (width - own) / 2;
            let mut is_after_box = None;
            for number in rank {
                if let Some(node) = self.nodes.get_mut(*number) {
                    let is_box = node.shown.is_some();
                    x += is_after_box.map_or(0, |before: bool| gap(before || is_box));
                    node.x = x;
                    x += node.width();
                    is_after_box = Some(is_box);
                }
            }
        }
        width
    }

    fn rank_width(&self, rank: &[usize]) -> i64 {
        let nodes: Vec<&Node> = rank
            .iter()
            .filter_map(|number| self.nodes.get(*number))
            .collect();
        let widths: i64 = nodes.iter().map(|node| node.width()).sum();
        let gaps = nodes.windows(2).map(|pair| {
            let has_box = pair.iter().any(|node| node.shown.is_some());
            gap(has_box)
        });
        widths + gaps.sum::<i64>()
    }

    /// Returns the points of an edge. It goes straight down past a rank.
    fn points(&self, edge: &[usize]) -> Vec<Point> {
        let mut points = Vec::new();
        let nodes = edge.iter().filter_map(|number| self.nodes.get(*number));
        for (at, node) in nodes.enumerate() {
            let x = node.x + node.width() / 2;
            let point = |y| Point { x, y };
            if at > 0 {
                points.push(point(top(node)));
            }
            if at + 1 < edge.len() {
                points.push(point(top(node) + HEIGHT));
            }
        }
        points
    }
}
