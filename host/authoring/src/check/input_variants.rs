//! Variants of the inputs: unusual contents, labels and metadata.

use serde_json::Value;

use super::sample_inputs::text;
use synix_core::artifact::{Artifact, Content};
use synix_core::ids::{Kind, Label};

const LONG_BYTES: usize = 256 << 10;
/// The number of inputs in the variant with many.
const MANY: usize = 200;

/// A set of unusual inputs, with a name for messages.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) name: String,
    pub(super) inputs: Vec<Artifact>,
    /// Whether outputs may get invalid names from these inputs, which the host refuses with a message.
    pub(super) may_break_names: bool,
}

/// Labels that are equal after normalization.
pub(super) const SIMILAR_LABELS: (&str, &[&str]) = (
    "similar labels",
    &[
        "Ünï-code ßtraße",
        "漢字/ノート",
        "\u{1f469}\u{200d}\u{1f466}",
        "a b",
        "a_b",
        "a-b",
        "A b",
        "caf\u{e9}",
        "cafe\u{301}",
        "one/note",
        "two/note",
        "note",
    ],
);
/// Labels that are equal after truncation.
pub(super) const LONG_LABELS: (&str, &[&str]) = (
    "long labels with the same beginning",
    &[
        concat!(
            "a-folder-with-a-long-name/another-folder-with-a-long-name/a-third-folder-with-a-long-name/",
            "a-fourth-folder-with-a-long-name/a-note-with-a-long-name-of-which-there-is-a-first-part"
        ),
        concat!(
            "a-folder-with-a-long-name/another-folder-with-a-long-name/a-third-folder-with-a-long-name/",
            "a-fourth-folder-with-a-long-name/a-note-with-a-long-name-of-which-there-is-a-second-part"
        ),
    ],
);
/// Metadata values instead of the usual strings.
const UNUSUAL_VALUES: [(&str, &str); 8] = [
    ("null", "null"),
    ("a number", "-7.5"),
    ("true", "true"),
    ("a list", "[\"a\", null]"),
    ("an object", "{\"a\": {}}"),
    ("an empty text", "\"\""),
    (
        "a text of unusual characters",
        "\"\u{1f600} \u{202e}ß\\n\\u0000\"",
    ),
    ("a date and time", "\"2024-02-29T23:59:60+14:00\""),
];

pub(super) fn variant(name: &str, inputs: Vec<Artifact>) -> Variant {
    Variant {
        name: name.to_owned(),
        inputs,
        may_break_names: false,
    }
}

/// Gives each content to all inputs; if `mixed`, also to only the first of several.
fn with_contents(
    inputs: &[Artifact],
    contents: Vec<(&'static str, Content)>,
    mixed: bool,
) -> Vec<Variant> {
    let changed = |content: &Content, count: usize| -> Vec<Artifact> {
        let mut changed = inputs.to_vec();
        for one in changed.iter_mut().take(count) {
            one.content = content.clone();
        }
        changed
    };
    let mut variants = Vec::new();
    for (name, content) in contents {
        variants.push(variant(name, changed(&content, inputs.len())));
        if mixed && inputs.len() > 1 {
            let name = format!("{name} in one input");
            variants.push(variant(&name, changed(&content, 1)));
        }
    }
    variants
}

/// Inputs with empty texts.
pub(super) fn empty(inputs: &[Artifact]) -> Vec<Variant> {
    with_contents(inputs, vec![("an empty text", text(""))], true)
}

/// Inputs with texts that often cause bugs.
pub(super) fn unicode(inputs: &[Artifact]) -> Vec<Variant> {
    with_contents(inputs, unusual_texts(), false)
}

fn unusual_texts() -> Vec<(&'static str, Content)> {
    vec![
        (
            "emoji and joined characters",
            text("\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f466} na\u{308}ive \u{1f600}\u{1f600}"),
        ),
        ("one character of four bytes", text("\u{1f600}")),
        (
            "words of two and three bytes",
            text(&"Grüße 漢字 русский ".repeat(40)),
        ),
        ("right-to-left text", text("\u{202e}שלום\u{202c} مرحبا")),
        ("a zero byte", text("a\u{0}b")),
        (
            "a byte order mark and Windows line endings",
            text("\u{feff}one\r\ntwo\r\n"),
        ),
        ("only white space", text(" \n\t\u{a0}\u{2028} ")),
        (
            "quotes, braces and backslashes",
            text("\"{{ a }}\" {% b %} '\\\" \\u00 <c> %s ${d}"),
        ),
        ("one long word", text(&"ß".repeat(5000))),
    ]
}

/// Inputs with long texts and labels.
pub(super) fn long(inputs: &[Artifact]) -> Vec<Variant> {
    let lines = "A line of a long text with some words.\n";
    let texts = vec![
        (
            "a long text of many lines",
            text(&lines.repeat(LONG_BYTES / lines.len())),
        ),
        (
            "a long text of one line",
            text(&"word ".repeat(LONG_BYTES / 5)),
        ),
        (
            "brackets that are nested 4000 deep",
            text(&format!("{}{}", "[".repeat(4000), "]".repeat(4000))),
        ),
    ];
    let mut variants = with_contents(inputs, texts, false);
    variants.push(with_labels(inputs, LONG_LABELS));
    variants
}

/// As many inputs as in a small layer.
pub(super) fn many(inputs: &[Artifact]) -> Variant {
    let labels = (0..MANY).map(|number| format!("many/{number:03}"));
    variant(&format!("{MANY} inputs"), relabelled(inputs, labels))
}

/// Inputs that are not text.
pub(super) fn bytes(inputs: &[Artifact]) -> Vec<Variant> {
    let bytes = |media_type: &str, data: &[u8]| Content::Bytes {
        media_type: media_type.to_owned(),
        data: data.to_vec(),
    };
    let sorts = vec![
        (
            "bytes",
            bytes("application/octet-stream", &[0, 159, 146, 150, 255]),
        ),
        ("no bytes", bytes("image/png", &[])),
        ("text as bytes", bytes("text/plain", b"text")),
    ];
    with_contents(inputs, sorts, true)
}

/// Inputs with less, more or other metadata; `outputs` are those of the plugin.
pub(super) fn metadata(inputs: &[Artifact], outputs: &[Artifact]) -> Vec<Variant> {
    let changed = |name: &str, change: &dyn Fn(usize, &mut Artifact)| {
        let mut inputs = inputs.to_vec();
        for (position, one) in inputs.iter_mut().enumerate() {
            change(position, one);
        }
        variant(name, inputs)
    };
    let mut variants = vec![
        changed("no metadata", &|_, one| one.metadata.clear()),
        changed("no metadata in one input", &|position, one| {
            if position == 0 {
                one.metadata.clear();
            }
        }),
        changed("another kind", &|_, one| {
            one.kind = Kind::parse("another kind").unwrap_or_else(|_| one.kind.clone());
        }),
        changed("the metadata of the plugin's own outputs", &|_, one| {
            let own = outputs.iter().flat_map(|output| &output.metadata);
            one.metadata
                .extend(own.map(|(key, value)| (key.clone(), value.clone())));
        }),
    ];
    for (name, value) in UNUSUAL_VALUES {
        let value: Value = serde_json::from_str(value).unwrap_or_default();
        let unusual = changed(&format!("{name} as metadata"), &|_, one| {
            for known in one.metadata.values_mut() {
                known.clone_from(&value);
            }
        });
        variants.push(Variant {
            may_break_names: true,
            ..unusual
        });
    }
    variants
}

/// Inputs that all have the same text.
pub(super) fn equal_texts(inputs: &[Artifact]) -> Variant {
    let changed = with_text(inputs, "The same text everywhere, with some words.");
    variant("the same text in every input", changed)
}

/// Gives every input the same text.
pub(super) fn with_text(inputs: &[Artifact], same: &str) -> Vec<Artifact> {
    let mut changed = inputs.to_vec();
    for one in &mut changed {
        one.content = text(same);
    }
    changed
}

/// Inputs with these labels.
pub(super) fn with_labels(inputs: &[Artifact], (name, labels): (&str, &[&str])) -> Variant {
    let mut relabelled = relabelled(inputs, labels.iter());
    relabelled.sort_by(|left, right| left.label.cmp(&right.label));
    variant(name, relabelled)
}

/// Pairs labels with inputs, and repeats the inputs if there are more labels.
fn relabelled(inputs: &[Artifact], labels: impl Iterator<Item = impl AsRef<str>>) -> Vec<Artifact> {
    let pairs = inputs.iter().cycle().zip(labels);
    let relabelled = pairs.filter_map(|(input, label)| {
        Some(Artifact {
            label: Label::parse(label.as_ref()).ok()?,
            ..input.clone()
        })
    });
    relabelled.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::sample_inputs;
    use super::*;

    #[test]
    fn every_label_is_valid() {
        let inputs = sample_inputs::ordinary(&Map::new()).remove(0);
        for labels in [SIMILAR_LABELS, LONG_LABELS] {
            assert_eq!(with_labels(&inputs, labels).inputs.len(), labels.1.len());
        }
        assert_eq!(many(&inputs).inputs.len(), MANY);
    }

    #[test]
    fn every_metadata_value_is_valid_json() {
        for (name, value) in UNUSUAL_VALUES {
            assert!(serde_json::from_str::<Value>(value).is_ok(), "{name}");
        }
    }
}
