//! Jinja templates over inputs.
//!
//! An unknown variable is an error, not an empty text. Values are looked up when a template names them, so that unused
//! metadata is never parsed.

mod fault;
mod filters;

use std::sync::{Arc, OnceLock};

use minijinja::value::{Enumerator, Object, Value};
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::{Error, Header, Input, MetadataEntry};

/// The maximum number of characters in a label.
pub(crate) const NAME_CHARS: usize = 512;

/// A template, with its name in errors.
#[derive(Debug, Clone, Copy)]
pub struct Template<'a> {
    /// The config property of the template.
    pub name: &'static str,
    /// The text of the template.
    pub source: &'a str,
}

impl Template<'_> {
    /// Renders the template. An invalid template is an invalid config; a missing value is an invalid input.
    pub fn render(self, variables: &Value) -> Result<String, Error> {
        if !self.source.contains('{') {
            return Ok(strip_line_break(self.source).to_owned());
        }
        // Most templates only name variables, and creating the tables of filters and tests takes longer than rendering
        // them.
        self.render_in(Environment::empty(), variables)
            .or_else(|_| self.render_in(filters::environment(), variables))
            .map_err(|error| self.explain(&error, variables))
    }

    /// Refuses a text that is not a template, and a template that names an unknown variable.
    pub(crate) fn check_names(self, variables: &Value) -> Result<(), Error> {
        let mut environment = filters::environment();
        let names = environment
            .add_template(self.name, self.source)
            .and_then(|()| environment.get_template(self.name))
            .map(|template| template.undeclared_variables(false))
            .map_err(|error| self.explain(&error, variables))?;
        let is_known = |name: &str| {
            let in_environment = environment.globals().any(|(known, _)| known == name);
            in_environment
                || variables
                    .get_attr(name)
                    .is_ok_and(|value| !value.is_undefined())
        };
        // A set has no order, but an error must be the same on every run.
        let mut unknown: Vec<String> = names.into_iter().filter(|name| !is_known(name)).collect();
        unknown.sort();
        match unknown.first() {
            None => Ok(()),
            Some(name) => Err(Error::InvalidConfig(format!(
                "`{}` names `{name}`; it can name {}",
                self.name,
                fault::keys_of(variables).join(", ")
            ))),
        }
    }

    /// Renders the label of an output, and refuses a label that the host would refuse, before a request is paid for.
    pub fn render_label(self, variables: &Value) -> Result<String, Error> {
        let label = self.render(variables)?;
        match fault_of_name(&label) {
            None => Ok(label),
            Some(rule) => {
                let shown: String = label.chars().take(80).collect();
                Err(Error::InvalidInput(format!("the label {shown:?} {rule}")))
            }
        }
    }

    /// Renders the template over a header. If a metadata value is missing, the inner `Err` names it.
    ///
    /// A variable that no header has is an error in the template, not a missing value.
    pub fn render_if_defined(self, header: &Header) -> Result<Result<String, String>, Error> {
        let unknown = Arc::new(OnceLock::new());
        let variables = Value::from_object(HeaderVariables {
            header: header.clone(),
            unknown: Arc::clone(&unknown),
        });
        match (
            self.render_in(filters::environment(), &variables),
            unknown.get(),
        ) {
            (Ok(text), _) => Ok(Ok(text)),
            (Err(error), None) if error.kind() == ErrorKind::UndefinedError => {
                Ok(Err(self.message(&error, &variables)))
            }
            (Err(error), Some(name)) if error.kind() == ErrorKind::UndefinedError => {
                Err(Error::InvalidConfig(format!(
                    "`{}` names `{name}`; it can name `label`, `kind` and `metadata`",
                    self.name
                )))
            }
            (Err(error), _) => Err(self.explain(&error, &variables)),
        }
    }

    fn render_in(
        self,
        mut environment: Environment<'_>,
        variables: &Value,
    ) -> Result<String, minijinja::Error> {
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        // The debug mode is slow, and only errors need it.
        environment.set_debug(false);
        environment.render_named_str(self.name, self.source, variables)
    }
}

/// Returns the engine with every filter that prompts have, for templates that are not about inputs.
///
/// An unknown variable is an error, and nothing is escaped.
pub fn environment() -> Environment<'static> {
    let mut environment = filters::environment();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment
}

/// Returns the rule that a text breaks as a label or unit key, if there is one.
pub fn fault_of_name(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.chars().any(char::is_control) {
        Some("has a control character")
    } else if text.chars().nth(NAME_CHARS).is_some() {
        Some("has more than 512 characters")
    } else {
        None
    }
}

/// Jinja removes the last line break of a template, so the same is done for a text without template syntax.
fn strip_line_break(source: &str) -> &str {
    let source = source.strip_suffix('\n').unwrap_or(source);
    source.strip_suffix('\r').unwrap_or(source)
}

/// Returns `label`, `kind`, `content` and `metadata` of a text input.
pub fn variables_of(input: &Input) -> Result<Value, Error> {
    Ok(input_variables(input, input.text()?))
}

/// Returns `inputs`: the variables of each text input, in order.
pub fn variables_of_all(inputs: &[&Input]) -> Result<Value, Error> {
    let inputs = variables_of_inputs(inputs, Input::text)?;
    Ok(Value::from_pairs([("inputs", inputs)]))
}

/// Returns the variables of an input whose `content` is given.
pub(crate) fn input_variables(input: &Input, content: &str) -> Value {
    Value::from_object(InputVariables {
        label: Value::from(input.header.label.as_str()),
        kind: Value::from(input.header.kind.as_str()),
        content: Value::from(content),
        metadata: Value::from_object(MetadataVariables(input.header.metadata.clone())),
    })
}

/// Returns the list of the variables of inputs, in order.
pub(crate) fn variables_of_inputs(
    inputs: &[&Input],
    content_of: impl for<'a> Fn(&'a Input) -> Result<&'a str, Error>,
) -> Result<Value, Error> {
    let variables = |input: &&Input| Ok(input_variables(input, content_of(input)?));
    let list: Result<Vec<Value>, Error> = inputs.iter().map(variables).collect();
    list.map(Value::from)
}

/// Returns `variables` with `item`, an element of an answer, and `number`, its position from 1.
pub(crate) fn with_item(variables: &Value, item: &serde_json::Value, number: u32) -> Value {
    Value::from_object(ItemVariables {
        others: variables.clone(),
        item: serde_json::from_value(item.clone()).unwrap_or_default(),
        number: Value::from(number),
    })
}

#[derive(Debug)]
struct ItemVariables {
    others: Value,
    item: Value,
    number: Value,
}

impl Object for ItemVariables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "item" => Some(self.item.clone()),
            "number" => Some(self.number.clone()),
            _ => {
                let value = self.others.get_item(key).ok()?;
                (!value.is_undefined()).then_some(value)
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut keys: Vec<Value> = self.others.try_iter().into_iter().flatten().collect();
        keys.extend(["item", "number"].map(Value::from));
        Enumerator::Values(keys)
    }
}

#[derive(Debug)]
struct InputVariables {
    label: Value,
    kind: Value,
    content: Value,
    metadata: Value,
}

impl Object for InputVariables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match key.as_str()? {
            "label" => Some(self.label.clone()),
            "kind" => Some(self.kind.clone()),
            "content" => Some(self.content.clone()),
            "metadata" => Some(self.metadata.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["content", "kind", "label", "metadata"])
    }
}

/// The variables of an input whose content is not known.
#[derive(Debug)]
struct HeaderVariables {
    header: Header,
    /// The first name that is neither a variable nor a function of Jinja.
    unknown: Arc<OnceLock<String>>,
}

impl Object for HeaderVariables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        match key {
            "label" => Some(Value::from(self.header.label.as_str())),
            "kind" => Some(Value::from(self.header.kind.as_str())),
            "metadata" => Some(Value::from_object(MetadataVariables(
                self.header.metadata.clone(),
            ))),
            _ => {
                if filters::environment()
                    .globals()
                    .all(|(name, _)| name != key)
                {
                    self.unknown.get_or_init(|| key.to_owned());
                }
                None
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["kind", "label", "metadata"])
    }
}

#[derive(Debug)]
struct MetadataVariables(Vec<MetadataEntry>);

impl Object for MetadataVariables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let key = key.as_str()?;
        let entry = self.0.iter().find(|entry| entry.key == key)?;
        serde_json::from_str(&entry.value).ok()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(
            self.0
                .iter()
                .map(|entry| Value::from(entry.key.as_str()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests;
