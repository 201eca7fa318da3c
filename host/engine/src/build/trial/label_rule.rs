//! What is known about the labels that a unit will make, before it runs.
//!
//! A trial of some units of a layer should not pay for upstream units that make other inputs. First-party transforms
//! derive labels from their input's label or their group by a rule of their config. Of any other plugin nothing is known,
//! so all its units are needed.

use serde_json::{Map, Value};

/// A label or a unit key that is known completely or in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Exact(String),
    StartsWith(String),
}

impl Name {
    pub(super) fn exact(text: &str) -> Self {
        Self::Exact(text.to_owned())
    }

    fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::StartsWith(text) => text,
        }
    }

    /// Returns the name with a text before it.
    pub(super) fn after(&self, before: &str) -> Self {
        let text = format!("{before}{}", self.text());
        match self {
            Self::Exact(_) => Self::Exact(text),
            Self::StartsWith(_) => Self::StartsWith(text),
        }
    }
}

/// How the labels of a unit follow from the label of its input, or from its group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRule {
    /// The template of the label; `None`: the labels can be any.
    template: Option<String>,
    /// The variable of the template that is known.
    variable: &'static str,
    /// What follows the template, before a number or a name; `None` if nothing does.
    separator: Option<&'static str>,
}

impl LabelRule {
    /// The labels can be any.
    pub const UNKNOWN: Self = Self {
        template: None,
        variable: "",
        separator: None,
    };

    /// Returns the rule of a first-party transform with this config.
    pub fn of(transform: &str, config: &Map<String, Value>) -> Self {
        let variable = if transform == "group" {
            "group"
        } else {
            "label"
        };
        let own = config.get("label").and_then(Value::as_str);
        let separator = match (config.get("explode"), config.get("item_label")) {
            (None | Some(Value::Bool(false)), _) => None,
            (Some(_), None) => Some("-"),
            (Some(_), Some(_)) => Some("/"),
        };
        let (template, separator) = match transform {
            "map" | "group" => (own, separator),
            "embed" => (None, None),
            "chunk" => (None, Some("-")),
            _ => return Self::UNKNOWN,
        };
        let default = || format!("{{{{ {variable} }}}}");
        Self {
            template: Some(template.map_or_else(default, str::to_owned)),
            variable,
            separator,
        }
    }

    /// Returns the labels of the unit for an input with this label, or of the group with this name.
    pub(super) fn labels(&self, known: &Name) -> Name {
        let Some(template) = &self.template else {
            return Name::StartsWith(String::new());
        };
        let mut start = String::new();
        let mut rest = template.as_str();
        loop {
            // Other syntax of templates is not understood, and ends what is known.
            let Some(open) = rest.find('{') else {
                start.push_str(rest);
                break;
            };
            start.push_str(&rest[..open]);
            let expression = rest[open..]
                .strip_prefix("{{")
                .and_then(|inner| inner.split_once("}}"));
            match expression {
                Some((name, after)) if name.trim() == self.variable => {
                    start.push_str(known.text());
                    if matches!(known, Name::StartsWith(_)) {
                        return Name::StartsWith(start);
                    }
                    rest = after;
                }
                _ => return Name::StartsWith(start),
            }
        }
        match self.separator {
            Some(separator) => Name::StartsWith(format!("{start}{separator}")),
            None => Name::Exact(start),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn labels(transform: &str, config: &Value, known: &Name) -> Name {
        let config = config.as_object().unwrap();
        LabelRule::of(transform, config).labels(known)
    }

    #[test]
    fn the_label_of_a_first_party_unit_follows_from_its_config() {
        let starts = |text: &str| Name::StartsWith(text.to_owned());
        let input = Name::exact("amara");
        for (transform, config, expected) in [
            ("map", json!({}), Name::exact("amara")),
            (
                "map",
                json!({ "label": "ws-{{ label }}" }),
                Name::exact("ws-amara"),
            ),
            (
                "map",
                json!({ "label": "{{label}}-x" }),
                Name::exact("amara-x"),
            ),
            ("map", json!({ "explode": true }), starts("amara-")),
            (
                "map",
                json!({ "explode": "facts", "item_label": "{{ item }}" }),
                starts("amara/"),
            ),
            (
                "map",
                json!({ "label": "ws-{{ metadata.date }}" }),
                starts("ws-"),
            ),
            (
                "map",
                json!({ "label": "a{% if x %}b{% endif %}" }),
                starts("a"),
            ),
            ("map", json!({ "label": "{{ label | upper }}" }), starts("")),
            ("chunk", json!({}), starts("amara-")),
            ("embed", json!({}), Name::exact("amara")),
            (
                "group",
                json!({ "label": "day-{{ group }}" }),
                Name::exact("day-amara"),
            ),
            ("merge", json!({}), starts("")),
        ] {
            assert_eq!(
                labels(transform, &config, &input),
                expected,
                "{transform} {config}"
            );
        }
        let template = json!({ "label": "ws-{{ label }}-x" });
        assert_eq!(labels("map", &template, &starts("a")), starts("ws-a"));
        assert_eq!(LabelRule::UNKNOWN.labels(&input), starts(""));
    }
}
