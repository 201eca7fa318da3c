//! Shows what the readers of sources left out.

use synix_core::skipped::SkippedCount;

use crate::lines::Lines;

/// Adds a heading for each layer that left something out, and a line for each reason.
pub(super) fn add<'a>(
    layers: impl Iterator<Item = (&'a str, &'a [SkippedCount])>,
    lines: &mut Lines,
) {
    for (layer, skipped) in layers.filter(|(_, skipped)| !skipped.is_empty()) {
        lines.heading(format!("left out in {layer}:"));
        lines.extend(skipped.iter().map(|skipped| {
            let SkippedCount {
                reason,
                count,
                examples,
            } = skipped;
            let reason = reason.replace('_', " ");
            match examples.first() {
                Some(example) => format!("  {count} {reason}, such as {example}"),
                None => format!("  {count} {reason}"),
            }
        }));
    }
}
