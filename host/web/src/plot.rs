//! Bars as an SVG picture. Whoever draws them also shows the numbers as a table.

use maud::{Markup, html};

/// The picture.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 150;
const AXIS: u64 = 22;
/// A bar is not wider than this, so that a plot of 2 bars does not look like a wall.
const MAX_BAR: u64 = 48;

/// A plot of bars, in their order.
#[derive(Debug)]
pub(crate) struct Bars {
    /// Unique on the page.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) label: String,
    pub(crate) value: u64,
    /// The value with its unit.
    pub(crate) text: String,
}

impl Bars {
    pub(crate) fn draw(&self) -> Markup {
        let count = self.bars.len() as u64;
        let highest = self.bars.iter().max_by_key(|bar| bar.value);
        let (Some(highest), Some(first), Some(last)) =
            (highest, self.bars.first(), self.bars.last())
        else {
            return html! {};
        };
        let room = (WIDTH / count).clamp(1, MAX_BAR);
        let bar_width = room.saturating_sub(room / 5).max(1);
        let height = |value: u64| {
            let scaled = u128::from(value) * u128::from(HEIGHT) / u128::from(highest.value.max(1));
            // Something is never shown as nothing.
            u64::try_from(scaled).unwrap_or(0).max(u64::from(value > 0))
        };
        let title = format!("{}-title", self.id);
        let text = format!("{}-text", self.id);
        let total_height = HEIGHT + AXIS + AXIS;
        html! {
            div.plot role="region" aria-label=(self.title) tabindex="0" {
                svg role="img" aria-labelledby=(format!("{title} {text}")) width=(WIDTH) height=(total_height)
                    viewBox=(format!("0 0 {WIDTH} {total_height}")) {
                    title id=(title) { (self.title) }
                    desc id=(text) {
                        "From " (first.label) " to " (last.label) "; the most is " (highest.text) " at "
                        (highest.label) ". The table has every number."
                    }
                    text.axis x="0" y="14" { "most: " (highest.text) }
                    line.axis x1="0" y1=(HEIGHT + AXIS) x2=(WIDTH) y2=(HEIGHT + AXIS) {}
                    @for (at, bar) in self.bars.iter().enumerate() {
                        rect.bar x=(at as u64 * room) y=(AXIS + HEIGHT - height(bar.value)) width=(bar_width)
                            height=(height(bar.value)) {
                            title { (bar.label) ": " (bar.text) }
                        }
                    }
                    text.axis x="0" y=(total_height - 6) { (first.label) }
                    @if count > 1 {
                        text.axis x=((count * room).min(WIDTH)) y=(total_height - 6) text-anchor="end"
                            { @if count * room > 320 { (last.label) } }
                    }
                }
            }
        }
    }
}
