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
    serde_json::from_str::<Table>(include_str!("images.json")).map_or_else(
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
mod tests {
    use super::*;

    fn tokens(model: &str, width: u32, height: u32) -> u64 {
        let rule = find(&RULES, model).unwrap();
        rule.tokens(f64::from(width), f64::from(height))
    }

    /// The examples in the documents of both providers.
    #[test]
    fn the_examples_of_the_providers_come_out() {
        assert_eq!(tokens("gpt-4o", 1024, 1024), 765);
        assert_eq!(tokens("gpt-4o-2024-11-20", 2048, 4096), 1105);
        assert_eq!(tokens("gpt-4o-mini", 512, 512), 2833 + 5667);
        assert_eq!(
            tokens("gpt-4.1-mini", 1024, 1024),
            (1024 * 162_u64).div_ceil(100)
        );
        // 1800 by 2400 pixels become 1056 by 1408: 33 by 44 patches.
        assert_eq!(
            tokens("gpt-4.1-mini", 1800, 2400),
            (33 * 44 * 162_u64).div_ceil(100)
        );
        assert_eq!(tokens("claude-haiku-4-5", 200, 200), 64);
        assert_eq!(tokens("claude-haiku-4-5", 1092, 1092), 39 * 39);
    }

    /// Measured by others: <https://huggingface.co/datasets/JOHNISKING/image-token-cost>
    #[test]
    fn measured_pictures_come_out() {
        assert_eq!(tokens("gpt-6-sol", 4032, 3024), 14_364);
        assert_eq!(tokens("gpt-5.5", 3840, 2160), 9792);
        assert_eq!(tokens("gpt-5.5", 4032, 3024), 11_868);
        assert_eq!(tokens("gpt-5.5", 256, 256), 77);
        assert_eq!(tokens("gpt-5.4", 1920, 1080), 2448);
        assert_eq!(tokens("claude-opus-5-5", 1920, 1080), 69 * 39);
    }

    #[test]
    fn a_huge_or_narrow_picture_stays_within_the_limits() {
        for (width, height) in [(u32::MAX, u32::MAX), (u32::MAX, 1), (1, u32::MAX), (1, 1)] {
            for (model, max) in [
                ("claude-haiku-4-5", 1568),
                ("claude-opus-4-8", 4784),
                ("gpt-4.1-nano", 3779),
                ("gpt-4o", 85 + 170 * 8),
            ] {
                let counted = tokens(model, width, height);
                assert!(
                    (1..=max).contains(&counted),
                    "{model} {width} {height}: {counted}"
                );
            }
        }
        assert!(tokens("gpt-6-luna", u32::MAX, u32::MAX) > 1 << 50);
    }

    #[test]
    fn every_model_with_a_rule_has_a_price_and_one_rule() {
        let table: Table = serde_json::from_str(include_str!("images.json")).unwrap();
        let models: Vec<String> = table
            .rules
            .into_iter()
            .flat_map(|group| group.models)
            .collect();
        assert_eq!(models.len(), RULES.len());
        for model in &models {
            assert!(crate::Prices::default().get(model).is_ok(), "{model}");
        }
    }

    /// 1024 by 512 pixels in each format.
    #[test]
    fn the_size_of_each_format_is_read() {
        let gif = b"GIF89a\x00\x04\x00\x02\x00\x00\x00";
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x02\0\x08\x02\0\0\0";
        let jpeg =
            b"\xff\xd8\xff\xc0\0\x11\x08\x02\0\x04\0\x03\x01\x11\0\x02\x11\x01\x03\x11\x01\xff\xd9";
        let webp = b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\x03\0\xff\x01\0";
        for data in [&gif[..], png, jpeg, webp] {
            let counted = count_image_tokens("gpt-4o", &STANDARD.encode(data));
            // 1024 by 512 pixels are two tiles.
            assert_eq!(counted, Ok(85 + 2 * 170), "{data:?}");
        }
    }

    /// Cameras store a preview before the size.
    #[test]
    fn the_size_behind_a_large_preview_is_read() {
        let mut jpeg = b"\xff\xd8\xff\xe1\xff\xff".to_vec();
        jpeg.resize(2 + 2 + 0xffff, 0);
        jpeg.extend(
            b"\xff\xc0\0\x11\x08\x02\0\x04\0\x03\x01\x11\0\x02\x11\x01\x03\x11\x01\xff\xd9",
        );
        let counted = count_image_tokens("gpt-4o", &STANDARD.encode(jpeg));
        assert_eq!(counted, Ok(85 + 2 * 170));
    }

    #[test]
    fn what_cannot_be_counted_says_why() {
        let count = |model, data: &[u8]| count_image_tokens(model, &STANDARD.encode(data));
        assert_eq!(count("my-model", b"GIF89a"), Err(UncountedImage::NoRule));
        assert_eq!(count("gpt-4o", b"no picture"), Err(UncountedImage::NoSize));
        let empty = b"GIF89a\x00\x00\x00\x02\x00\x00\x00";
        assert_eq!(count("gpt-4o", empty), Err(UncountedImage::NoSize));
        assert_eq!(
            count_image_tokens("gpt-4o", "?"),
            Err(UncountedImage::NoSize)
        );
    }
}
