//! A graph of layers as an SVG picture: one rank below the other, so that a long pipeline scrolls like text.
//!
//! `layout` decides where boxes and edges are. The numbers in the boxes are also in a table beside the picture.

mod layout;

use maud::{Markup, html};

use crate::html;
use layout::{Layout, Point};

const WIDTH: i64 = 196;
const HEIGHT: i64 = 74;
const GAP_X: i64 = 28;
const GAP_Y: i64 = 44;
/// The room for an edge that passes a rank.
const PASS: i64 = 12;
const MARGIN: i64 = 8;
/// The widest picture that is beside its table.
const MAX_BESIDE: i64 = 560;
/// The longest name and the longest other text in a box, in characters.
const MAX_NAME: usize = 22;
const MAX_TEXT: usize = 28;

/// A graph of layers in an order in which inputs come before what uses them.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    pub(crate) boxes: Vec<Box>,
}

/// A layer.
#[derive(Debug, Default)]
pub(crate) struct Box {
    pub(crate) name: String,
    /// Where the box leads.
    pub(crate) address: Option<String>,
    pub(crate) count: String,
    /// The style and text of each note.
    pub(crate) notes: Vec<(&'static str, String)>,
    /// The names of the input layers.
    pub(crate) inputs: Vec<String>,
}

/// Draws a graph. It is beside `table` if there is room for both.
pub(crate) fn draw_beside(graph: &Graph, table: &Markup) -> Markup {
    let layout = Layout::of(&graph.boxes);
    html! {
        div.beside[layout.width <= MAX_BESIDE] {
            (draw(graph, &layout))
            (table)
        }
    }
}

fn draw(graph: &Graph, layout: &Layout) -> Markup {
    let (width, height) = (layout.width + 2 * MARGIN, layout.height + 2 * MARGIN);
    html! {
        div.graph role="region" aria-label="The pipeline as a graph" tabindex="0" {
            svg role="group" aria-labelledby="graph-title graph-text"
                width=(width) height=(height)
                viewBox=(format!("{} {} {width} {height}", -MARGIN, -MARGIN)) {
                title #graph-title { "The layers of the pipeline" }
                desc #graph-text { (description(graph)) }
                g.edges aria-hidden="true" {
                    @for edge in &layout.edges { path d=(curve(edge)) {} }
                }
                @for (at, shown) in graph.boxes.iter().zip(&layout.boxes) .map(|(shown, at)| (at, shown)) {
                    (draw_box(*at, shown))
                }
            }
        }
    }
}

fn description(graph: &Graph) -> String {
    let edges = graph.boxes.iter().map(|one| {
        let name = html::name(&one.name);
        match one.inputs.len() {
            0 => format!("{name} is a source."),
            _ => format!(
                "{name} is made from {}.",
                html::name(&one.inputs.join(", "))
            ),
        }
    });
    edges.collect::<Vec<_>>().join(" ")
}

fn draw_box(at: Point, shown: &Box) -> Markup {
    let inner = html! {
        title { (html::name(&shown.name)) }
        rect x=(at.x) y=(at.y) width=(WIDTH) height=(HEIGHT) rx="6" {}
        text.name x=(at.x + 12) y=(at.y + 22) { (html::shortened(&shown.name, MAX_NAME)) }
        text x=(at.x + 12) y=(at.y + 42) { (html::shortened(&shown.count, MAX_TEXT)) }
        text x=(at.x + 12) y=(at.y + 61) {
            @for (number, (class, note)) in shown.notes.iter().enumerate() {
                tspan class=(class) {
                    @if number > 0 { " · " }
                    (html::shortened(note, MAX_TEXT))
                }
            }
        }
    };
    html! {
        @match &shown.address {
            Some(address) => a.box href=(address) { (inner) },
            None => g.box { (inner) },
        }
    }
}

/// Returns a smooth line through points that are one below the other.
fn curve(points: &[Point]) -> String {
    let mut path = String::new();
    let mut last: Option<Point> = None;
    for point in points {
        match last {
            None => path.push_str(&format!("M{} {}", point.x, point.y)),
            Some(from) => {
                let middle = i64::midpoint(from.y, point.y);
                path.push_str(&format!(
                    "C{} {middle} {} {middle} {} {}",
                    from.x, point.x, point.x, point.y
                ));
            }
        }
        last = Some(*point);
    }
    path
}

#[cfg(test)]
mod tests;
