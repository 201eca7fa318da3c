//! Makes an artifact of a row.

mod metadata;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::{Environment, ErrorKind, Expression, Value as Variables};
use serde_json::Value;
use synix_plugin::{Error, Output};
use synix_reading::label;

use crate::config::{Config, Content, Metadata};
use crate::row::{Row, text_of};
use crate::templates::{Fault, invalid, is_template};

/// The most bytes of the metadata of a row. The contract has it: an artifact with more fails its file.
const MAX_METADATA_BYTES: usize = 1 << 20;
/// Fields that an error names.
const SHOWN_FIELDS: usize = 12;

/// The file that rows come from.
#[derive(Debug)]
pub(crate) struct Origin {
    /// The path as JSON text.
    file: String,
    /// The start of the labels of rows that have none of their own.
    stem: String,
}

impl Origin {
    pub(crate) fn new(path: &str) -> Self {
        // A hyphen and the number of a line.
        const ENDING_CHARS: usize = 21;
        let stem = label::without_extension(crate::format::unpacked_name(path));
        Self {
            file: Value::from(path).to_string(),
            stem: label::with_room(stem, ENDING_CHARS),
        }
    }
}

/// What becomes of a row.
#[derive(Debug)]
pub(crate) enum Made {
    Output(Box<Output>),
    /// `where` leaves it out.
    Filtered,
    /// It has no content.
    Empty,
    /// It cannot be used, and why.
    Bad(String),
    /// No row can be used.
    Failed(Error),
}

/// Makes artifacts as the config says.
#[derive(Debug)]
pub(crate) struct Maker<'c> {
    config: &'c Config,
    environment: &'c Environment<'static>,
    condition: Option<Expression<'c, 'c>>,
    /// Whether a template or the condition reads the fields.
    needs_variables: bool,
    /// Fields that are in the content and so, by default, not in the metadata.
    in_content: BTreeSet<String>,
}

impl<'c> Maker<'c> {
    pub(crate) fn new(
        config: &'c Config,
        environment: &'c Environment<'static>,
    ) -> Result<Self, Error> {
        let condition = config
            .condition
            .as_deref()
            .map(|text| {
                environment
                    .compile_expression(text)
                    .map_err(|error| invalid("where", &error))
            })
            .transpose()?;
        let in_content = match &config.content {
            Content::Many(fields) if fields.is_empty() => {
                return Err(Error::InvalidConfig(
                    "`content` is an empty list: name at least one field".to_owned(),
                ));
            }
            Content::Many(fields) => fields.iter().cloned().collect(),
            Content::One(text) => match environment.get_template("content") {
                Ok(template) => {
                    let names = template.undeclared_variables(true);
                    let own = |name: String| match name.strip_prefix("row.") {
                        Some(field) => field.to_owned(),
                        None => name,
                    };
                    names.into_iter().map(own).collect()
                }
                Err(_) => BTreeSet::from([text.clone()]),
            },
        };
        if let Some(Metadata::Renamed(fields)) = &config.metadata {
            fields
                .keys()
                .try_for_each(|name| metadata::check_name(name))?;
        }
        let is_templated = |text: &String| is_template(text);
        let needs_variables = condition.is_some()
            || config.label.as_ref().is_some_and(is_templated)
            || matches!(&config.content, Content::One(text) if is_template(text));
        Ok(Self {
            config,
            environment,
            condition,
            needs_variables,
            in_content,
        })
    }

    /// Makes an artifact; `number` is the line or the element, for rows without a label.
    pub(crate) fn make(&self, row: &Arc<Row>, origin: &Origin, number: u64) -> Made {
        let variables = if self.needs_variables {
            row.variables()
        } else {
            Variables::UNDEFINED
        };
        match self
            .condition
            .as_ref()
            .map(|condition| condition.eval(&variables))
        {
            None => {}
            Some(Ok(value)) if value.is_true() => {}
            Some(Ok(_)) => return Made::Filtered,
            // A field that is not there is not what the condition asks for.
            Some(Err(error)) if error.kind() == ErrorKind::UndefinedError => {
                return Made::Filtered;
            }
            Some(Err(error)) => return Fault::of("where", &error).made(),
        }
        let content = match self.content(row, &variables) {
            Ok(content) => content,
            Err(fault) => return fault.made(),
        };
        if content.trim().is_empty() {
            return Made::Empty;
        }
        let label = match self.label(row, &variables, origin, number) {
            Ok(label) => label,
            Err(fault) => return fault.made(),
        };
        let mut output = Output::text(label, self.config.kind.clone(), content);
        output.metadata = self.metadata(row, origin);
        let bytes = output.metadata.iter();
        let bytes: usize = bytes.map(|entry| entry.key.len() + entry.value.len()).sum();
        if bytes > MAX_METADATA_BYTES {
            return Made::Bad(format!(
                "its metadata has more than {} KiB: name the fields that you need in `metadata`",
                MAX_METADATA_BYTES >> 10
            ));
        }
        Made::Output(Box::new(output))
    }

    /// Returns the fields that the condition names.
    pub(crate) fn condition_fields(&self) -> BTreeSet<String> {
        let names = self
            .condition
            .iter()
            .flat_map(|condition| condition.undeclared_variables(true));
        let globals: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let names = names.filter(|name| name != "row" && !globals.contains(name.as_str()));
        // What follows a dot may be a method of the value.
        let field = |name: String| {
            let own = name.strip_prefix("row.").unwrap_or(&name);
            own.split('.').next().unwrap_or(own).to_owned()
        };
        names.map(field).collect()
    }

    /// Says which fields there are, if the content or the label is a field that a row does not have.
    pub(crate) fn hint(&self, row: &Row) -> Option<String> {
        let content = match &self.config.content {
            Content::One(text) => vec![text],
            Content::Many(fields) => fields.iter().collect(),
        };
        let fields = content.into_iter().chain(&self.config.label);
        let mut fields = fields.filter(|text| !is_template(text));
        let missing = fields.find(|field| row.get(field).is_none())?;
        let names: Vec<String> = row
            .names()
            .take(SHOWN_FIELDS)
            .map(|name| format!("`{name}`"))
            .collect();
        let list = row.fields().find(|(_, value)| value.is_array());
        let pointer = list.map_or(String::new(), |(name, _)| {
            format!("; if the rows are in `{name}`, set `pointer = \"/{name}\"`")
        });
        Some(format!(
            "there is no field `{missing}`; there are {}{pointer}",
            names.join(", ")
        ))
    }

    fn content<'r>(&self, row: &'r Row, variables: &Variables) -> Result<Cow<'r, str>, Fault> {
        match &self.config.content {
            Content::One(text) if is_template(text) => {
                self.render("content", variables).map(Cow::Owned)
            }
            Content::One(field) => Ok(row.get(field).and_then(text_of).unwrap_or_default()),
            Content::Many(fields) => {
                let texts = fields
                    .iter()
                    .filter_map(|field| row.get(field).and_then(text_of));
                let texts: Vec<_> = texts.filter(|text| !text.trim().is_empty()).collect();
                Ok(texts.join("\n\n").into())
            }
        }
    }

    fn label(
        &self,
        row: &Row,
        variables: &Variables,
        origin: &Origin,
        number: u64,
    ) -> Result<String, Fault> {
        let Some(source) = &self.config.label else {
            return Ok(format!("{}-{number}", origin.stem));
        };
        let text = if is_template(source) {
            Cow::Owned(self.render("label", variables)?)
        } else {
            match row.get(source) {
                None => {
                    return Err(Fault::Row(format!(
                        "it has no field `{source}` for the label"
                    )));
                }
                Some(value @ (Value::Array(_) | Value::Object(_))) => {
                    let kind = if value.is_array() {
                        "a list"
                    } else {
                        "an object"
                    };
                    return Err(Fault::Row(format!(
                        "`{source}` is {kind}, which is no label"
                    )));
                }
                Some(value) => text_of(value).unwrap_or_default(),
            }
        };
        match text.trim() {
            "" => Err(Fault::Row("its label is empty".to_owned())),
            text => Ok(label::safe(text)),
        }
    }

    fn render(&self, name: &str, variables: &Variables) -> Result<String, Fault> {
        let template = self.environment.get_template(name);
        template
            .and_then(|template| template.render(variables))
            .map_err(|error| Fault::of(name, &error))
    }
}
