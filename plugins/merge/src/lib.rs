//! Merges near-duplicates without a model.
//!
//! `normal` owns the normal form of texts, `sets` their shingles, and `cluster` the search for similar texts. This
//! module owns the config and the merge.

mod cluster;
mod normal;
mod sets;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use synix_plugin::{Error, Input, Output, Shape, Transform, Unit, schema_of};

use sets::Sets;

struct Merge;

/// The config of a layer.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The similarity from which two texts are merged: the number of five-character sequences that both have, divided
    /// by the number that either has, without regard to case and white space. With 1, only equal texts are merged.
    #[serde(default = "four_fifths")]
    #[schemars(range(min = 0.1, max = 1.0))]
    similarity: f64,
    /// What to do with similar texts: keep the longest, keep the first in label order, or join all different ones in
    /// label order.
    #[serde(default)]
    keep: Keep,
    /// The text between joined texts.
    #[serde(default = "blank_line")]
    separator: String,
    /// The kind of the outputs.
    #[serde(default = "text")]
    #[schemars(length(min = 1, max = 128))]
    kind: String,
}

#[derive(Debug, Deserialize, Serialize, JsonSchema, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Keep {
    #[default]
    Longest,
    First,
    Join,
}

const fn four_fifths() -> f64 {
    0.8
}

fn blank_line() -> String {
    "\n\n".to_owned()
}

fn text() -> String {
    "text".to_owned()
}

impl Transform for Merge {
    const NAME: &'static str = "merge";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const SUMMARY: &'static str = "Makes near-duplicates one";
    const SHAPE: Shape = Shape::All;
    const CAPABILITIES: &'static [&'static str] = &[];
    type Config = Config;

    fn config_schema() -> String {
        schema_of::<Config>()
    }

    fn execute(_: &Unit, inputs: &[Input], config: &Config) -> Result<Vec<Output>, Error> {
        if !(0.1..=1.0).contains(&config.similarity) {
            return Err(Error::InvalidConfig(format!(
                "`similarity` is {}: write a number from 0.1 to 1",
                config.similarity
            )));
        }
        let mut found = Vec::with_capacity(inputs.len());
        for input in inputs {
            found.push((input, input.text()?));
        }
        let by_label = |(left, _): &(&Input, &str), (right, _): &(&Input, &str)| {
            let (left, right) = (&left.header, &right.header);
            left.label
                .cmp(&right.label)
                .then_with(|| left.digest.cmp(&right.digest))
        };
        found.sort_by(by_label);
        if config.keep == Keep::Longest {
            found.sort_by_cached_key(|(_, text)| std::cmp::Reverse(text.chars().count()));
        }
        let mut groups = groups(&found, config.similarity);
        for group in &mut groups {
            group.sort_by(|&left, &right| by_label(&found[left], &found[right]));
        }
        let mut outputs: Vec<Output> = groups
            .iter()
            .map(|group| output(&found, group, config))
            .collect();
        outputs.sort_by(|left, right| left.label.cmp(&right.label));
        Ok(outputs)
    }
}

synix_plugin::export!(Merge);

/// Returns the positions of similar texts. An earlier text is preferred, so the lowest position of each group is that
/// of its representative.
fn groups(found: &[(&Input, &str)], similarity: f64) -> Vec<Vec<usize>> {
    let normal: Vec<String> = found.iter().map(|(_, text)| normal::normal(text)).collect();
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|&left, &right| normal[left].cmp(&normal[right]).then(left.cmp(&right)));
    let mut equal: Vec<Vec<usize>> = order
        .chunk_by(|&left, &right| normal[left] == normal[right])
        .map(<[_]>::to_vec)
        .collect();
    equal.sort_by_key(|group| group[0]);
    if similarity >= 1.0 {
        return equal;
    }
    let texts = equal.iter().map(|group| normal[group[0]].as_str());
    let representatives = Sets::new(texts).representatives(similarity);
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); equal.len()];
    for (group, representative) in equal.into_iter().zip(representatives) {
        groups[representative].extend(group);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// Merges a group in label order.
fn output(found: &[(&Input, &str)], group: &[usize], config: &Config) -> Output {
    let kept = group.iter().min().copied().unwrap_or_default();
    let (input, text) = found[kept];
    let text = match config.keep {
        Keep::Longest | Keep::First => text.to_owned(),
        Keep::Join => {
            let mut seen = BTreeSet::new();
            let mut texts = Vec::new();
            for &member in group {
                if seen.insert(normal::normal(found[member].1)) {
                    texts.push(found[member].1);
                }
            }
            texts.join(&config.separator)
        }
    };
    let labels: Vec<&str> = group
        .iter()
        .map(|&member| found[member].0.header.label.as_str())
        .collect();
    Output::text(&input.header.label, &config.kind, text)
        .with_metadata_of(&input.header)
        .with_metadata("merged", &json!(labels))
}

#[cfg(test)]
mod tests;
