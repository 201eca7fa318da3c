//! Rules, judged by the examples of the providers and by measurements.

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
    let table: Table = serde_json::from_str(include_str!("../images.json")).unwrap();
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
    jpeg.extend(b"\xff\xc0\0\x11\x08\x02\0\x04\0\x03\x01\x11\0\x02\x11\x01\x03\x11\x01\xff\xd9");
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
