//! Groups failures by their cause, with what to do about each.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::status::FailureView;

/// The number of units that are named for each group.
const MAX_EXAMPLES: usize = 3;

/// Failed units that share a cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureGroup {
    /// The kind of failure.
    pub kind: String,
    /// The message of the first of them.
    pub message: String,
    /// How many there are.
    pub count: usize,
    /// The first three, as `layer/unit`.
    pub examples: Vec<String>,
    /// What to do.
    pub hint: Cow<'static, str>,
}

impl FailureGroup {
    /// Groups failures by kind and cause, the largest group first. Held back units come last.
    pub fn group(failures: &[FailureView]) -> Vec<Self> {
        let mut groups: Vec<(String, Self)> = Vec::new();
        let mut known = std::collections::HashMap::new();
        for failure in failures {
            let cause = cause(failure);
            let at = *known
                .entry((failure.kind.clone(), cause.clone()))
                .or_insert_with(|| {
                    groups.push((
                        cause,
                        Self {
                            kind: failure.kind.clone(),
                            message: failure.message.clone(),
                            count: 0,
                            examples: Vec::new(),
                            hint: hint_for(&failure.kind).into(),
                        },
                    ));
                    groups.len() - 1
                });
            let group = &mut groups[at].1;
            group.count += 1;
            if group.examples.len() < MAX_EXAMPLES {
                group
                    .examples
                    .push(format!("{}/{}", failure.layer, failure.unit));
            }
        }
        let mut groups: Vec<Self> = groups.into_iter().map(|(_, group)| group).collect();
        groups.sort_by_key(|group| (group.kind == HELD_BACK, std::cmp::Reverse(group.count)));
        groups
    }
}

const HELD_BACK: &str = "held_back";

/// Returns what failures with the same cause have in common: the message without the names of a unit or request.
fn cause(failure: &FailureView) -> String {
    if failure.kind == HELD_BACK {
        return String::new();
    }
    let message = replace_unit_name(&failure.message, &failure.unit);
    let words = message.split_whitespace().map(|word| {
        // Numbers, ids and times differ between requests.
        if word.contains(|one: char| one.is_ascii_digit()) {
            "#"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Replaces the name of a unit, but not inside a word: most words contain the name of a unit called `a`.
fn replace_unit_name(message: &str, unit: &str) -> String {
    let mut result = String::new();
    let mut rest = message;
    while let Some((before, after)) = rest.split_once(unit).filter(|_| !unit.is_empty()) {
        let is_part = |next: Option<char>| next.is_some_and(char::is_alphanumeric);
        let last = before
            .chars()
            .next_back()
            .or_else(|| result.chars().next_back());
        let inside = is_part(last) || is_part(after.chars().next());
        result.push_str(before);
        result.push_str(if inside { unit } else { "#" });
        rest = after;
    }
    result + rest
}

/// Returns what to do about a kind of failure.
pub fn hint_for(kind: &str) -> &'static str {
    match kind {
        "truncated" => {
            "raise max_tokens of the layer's model role, or set accept = [\"truncated\"] in the layer"
        }
        "refused" => "change the prompt, use another model, or retry with --retry-failed",
        "filtered" => "change the prompt or the input that the provider's filter blocks",
        "empty" => "change the prompt, or retry with --retry-failed",
        "unreadable" => {
            "check what the provider, or a proxy before it, sent; --retry-failed sends the request again"
        }
        "schema" => {
            "change the prompt or the schema, raise `repair` of the layer, or retry with --retry-failed"
        }
        "invalid" => "correct the setting that the provider names: model, options or prompt",
        "auth" => {
            "the provider refused the key: check that it is the right one, that it is valid and that it may use this model"
        }
        "quota" => "add credit or raise the quota of the account, then run the command again",
        "missing" => "run the command again to retry; for a replay, record the cassette again",
        "expired" => "run the command again to retry",
        "provider" => "check that the provider can be reached, then run the command again to retry",
        "guest" => "correct the layer's config, its inputs or its plugin",
        HELD_BACK => {
            "fix the failures above, or pass --allow-partial to build without the inputs that failed"
        }
        _ => "run the command again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(layer: &str, unit: &str, kind: &str, message: &str) -> FailureView {
        FailureView {
            layer: layer.to_owned(),
            unit: unit.to_owned(),
            kind: kind.to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn the_name_of_a_unit_is_not_replaced_inside_a_word() {
        let failures = ["a", "b"].map(|unit| {
            let message = format!("cannot reach it: {unit}, said/{unit}");
            failure("said", unit, "provider", &message)
        });
        let groups = FailureGroup::group(&failures);
        assert_eq!(groups.len(), 1, "{groups:?}");
        assert_eq!(replace_unit_name("aa a/a b-a", "a"), "aa #/# b-#");
        assert_eq!(replace_unit_name("as is", ""), "as is");
    }

    #[test]
    fn failures_with_one_cause_are_one_group() {
        let mut failures: Vec<_> = (0..60)
            .map(|number| {
                let message = format!("the key was refused (request req_{number}a)");
                failure("notes", &format!("n-{number}"), "auth", &message)
            })
            .collect();
        failures.insert(0, failure("all", "all", "held_back", "it needs notes/n-1"));
        failures.push(failure("all", "rest", "held_back", "it needs notes/n-2"));
        failures.push(failure("notes", "x", "auth", "the account is closed"));
        let groups = FailureGroup::group(&failures);
        let counts: Vec<_> = groups
            .iter()
            .map(|group| (group.kind.as_str(), group.count, group.examples.len()))
            .collect();
        assert_eq!(
            counts,
            [("auth", 60, 3), ("auth", 1, 1), ("held_back", 2, 2)]
        );
        assert_eq!(groups[0].examples, ["notes/n-0", "notes/n-1", "notes/n-2"]);
        assert_eq!(groups[0].message, "the key was refused (request req_0a)");
    }

    #[test]
    fn the_name_of_the_unit_does_not_split_a_group() {
        let failures = ["amara", "bela"].map(|unit| {
            let message = format!("unit {unit}: the label is empty");
            failure("notes", unit, "guest", &message)
        });
        assert_eq!(FailureGroup::group(&failures).len(), 1);
    }
}
