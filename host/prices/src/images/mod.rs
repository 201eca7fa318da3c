//! The tokens of pictures, by the rules of their providers.
//!
//! A rule cuts a picture into squares and counts them: tiles of 512 pixels or small patches. `images.json` has the rule
//! of each model and where it is from. Providers change rules more often than tokenizers, so the result is an estimate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::PriceError;
use super::table::find;

#[derive(Debug, Deserialize)]
struct Table {
    rules: Vec<Group>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(flatten)]
    rule: Rule,
    models: Vec<String>,
}

/// How a model's provider counts a picture.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Rule {
    /// Tokens for each tile of 512 pixels, and some for the picture.
    Tiles { base: u64, tile: u64 },
    /// Tokens for each patch.
    Patches(Patches),
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Patches {
    /// The side of a patch in pixels.
    side: u32,
    /// The maximum number of patches; a larger picture is made smaller.
    max: Option<u32>,
    /// How much smaller.
    #[serde(default)]
    fit: Fit,
    /// The maximum length of the longer edge in pixels; a larger picture is made smaller.
    edge: Option<u32>,
    /// The tokens of 100 patches.
    percent: u64,
}

/// How a picture with too many patches is made smaller. The ratio of its edges stays.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fit {
    /// To the largest size that has no more patches, as Claude does.
    #[default]
    Largest,
    /// To the area of the patches, then until an edge is a whole number of patches, as OpenAI does.
    Whole,
}

/// The rules by model. A test parses them, so the fallback to an empty table never happens.
static RULES: LazyLock<BTreeMap<String, Rule>> = LazyLock::new(|| {
    serde_json::from_str::<Table>(include_str!("../images.json")).map_or_else(
        |_| BTreeMap::new(),
        |table| {
            let groups = table.rules.into_iter();
            groups
                .flat_map(|group| {
                    group
                        .models
                        .into_iter()
                        .map(move |model| (model, group.rule))
                })
                .collect()
        },
    )
});

/// Why the tokens of a picture are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UncountedImage {
    /// No rule is known for the model.
    NoRule,
    /// The width and the height of the picture cannot be read.
    NoSize,
}

impl UncountedImage {
    /// Returns the reason why the cost of a request to `model` is unknown.
    pub(super) fn of(self, model: &str) -> PriceError {
        match self {
            Self::NoRule => PriceError::NoImageRule(model.to_owned()),
            Self::NoSize => PriceError::NoImageSize(model.to_owned()),
        }
    }
}

/// Returns the tokens that a picture, in base64, takes in a request to a model.
pub(super) fn count_image_tokens(model: &str, base64: &str) -> Result<u64, UncountedImage> {
    let rule = find(&RULES, model).ok_or(UncountedImage::NoRule)?;
    // The size is near the start, except behind a large preview.
    let head = base64.get(..HEAD_CHARACTERS).and_then(size);
    let (width, height) = head
        .or_else(|| size(base64))
        .ok_or(UncountedImage::NoSize)?;
    Ok(rule.tokens(f64::from(width), f64::from(height)))
}

/// A multiple of four, so that it ends with a whole group of base64.
const HEAD_CHARACTERS: usize = 1 << 16;

/// Returns the width and the height of a picture in pixels.
fn size(base64: &str) -> Option<(u32, u32)> {
    let data = STANDARD.decode(base64).ok()?;
    let size = imagesize::blob_size(&data).ok()?;
    let pixels = |length| u32::try_from(length).ok().filter(|&length| length > 0);
    Some((pixels(size.width)?, pixels(size.height)?))
}

impl Rule {
    fn tokens(self, width: f64, height: f64) -> u64 {
        match self {
            Self::Tiles { base, tile } => base + tile * tiles(width, height),
            Self::Patches(patches) => {
                (patches.count(width, height) * patches.percent).div_ceil(100)
            }
        }
    }
}

/// OpenAI makes a picture fit into 2048 by 2048 pixels, then makes its shorter edge 768 pixels long at most.
fn tiles(width: f64, height: f64) -> u64 {
    let scale = (2048.0 / width.max(height)).min(1.0);
    let (width, height) = (width * scale, height * scale);
    let scale = (768.0 / width.min(height)).min(1.0);
    squares(width * scale, height * scale, 512.0)
}

impl Patches {
    /// Returns the patches of the picture in the largest size that the limits allow.
    fn count(self, width: f64, height: f64) -> u64 {
        let side = f64::from(self.side);
        let at = |scale: f64| squares(width * scale, height * scale, side);
        let edge = self.edge.map_or(f64::INFINITY, f64::from);
        let largest = (edge / width.max(height)).min(1.0);
        let Some(max) = self.max else {
            return at(largest);
        };
        if at(largest) <= u64::from(max) {
            return at(largest);
        }
        let smaller = match self.fit {
            Fit::Whole => whole_fit(width / side, height / side, f64::from(max)),
            Fit::Largest => largest_fit(largest, |scale| at(scale) <= u64::from(max)),
        };
        // A narrow picture has a patch at least in each direction.
        at(smaller).min(u64::from(max))
    }
}

/// Returns the scale at which a picture of these edges, in patches, has the area of `max` patches or a little less.
fn whole_fit(width: f64, height: f64, max: f64) -> f64 {
    let scale = (max / (width * height)).sqrt();
    let shrink = |edge: f64| (edge * scale).floor() / (edge * scale);
    scale * shrink(width).min(shrink(height))
}

/// Returns the largest scale up to `largest` that fits.
fn largest_fit(largest: f64, is_fit: impl Fn(f64) -> bool) -> f64 {
    let (mut fits, mut exceeds) = (0.0, largest);
    for _ in 0..BISECTIONS {
        let middle = f64::midpoint(fits, exceeds);
        if is_fit(middle) {
            fits = middle;
        } else {
            exceeds = middle;
        }
    }
    fits
}

/// Enough to tell the sizes of the largest pictures apart by less than a pixel.
const BISECTIONS: u32 = 32;

/// Returns the number of squares that cover an area.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the counts are integers from 0 to 2^32, and negative or larger ones are cut off"
)]
fn squares(width: f64, height: f64, side: f64) -> u64 {
    // A length that was divided and multiplied again is not a whole number of pixels.
    let along = |length: f64| ((length / side) - 1e-6).ceil().max(1.0) as u64;
    along(width).saturating_mul(along(height))
}

#[cfg(test)]
mod tests;
