//! The tools of the server: what clients see of them, and how their arguments are read.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::library::{
    Library, LibraryError, LineageArguments, ListArguments, SearchArguments, ShowArguments,
};

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Search,
    Show,
    Lineage,
    List,
}

/// Why a call did not reach the library.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallError {
    /// The arguments do not fit the tool.
    Arguments(String),
    /// The library has no result.
    Library(LibraryError),
}

impl Name {
    pub(crate) const ALL: [Self; 4] = [Self::Search, Self::Show, Self::Lineage, Self::List];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Show => "show",
            Self::Lineage => "lineage",
            Self::List => "list",
        }
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.as_str() == name)
    }

    /// Describes the tool to clients.
    pub(crate) fn describe(self) -> Tool {
        let (title, description, properties, required) = match self {
            Self::Search => (
                "Search artifacts",
                "Finds artifacts by their words, or by their meaning if the pipeline made embeddings. Returns the best \
                 results first, each with its layer, label, a snippet, and the labels of the source artifacts behind it. \
                 Use show to read a result whole.",
                json!({
                    "query": {
                        "type": "string",
                        "description": "Words that must all occur; \"a phrase\" in quotation marks, a beginning*, -excluded",
                    },
                    "layer": { "type": "string", "description": "Only artifacts of this layer" },
                    "mode": {
                        "type": "string",
                        "enum": ["words", "meaning", "hybrid"],
                        "description": "How to search; without it hybrid if there are embeddings, otherwise words",
                    },
                    "limit": {
                        "type": "integer", "minimum": 1, "maximum": 100,
                        "description": "The maximum number of results (10 if absent)",
                    },
                }),
                json!(["query"]),
            ),
            Self::Show => (
                "Read an artifact",
                "Returns the content, metadata and provenance of one artifact. A long content comes in pieces: if \
                 next_offset is not null, call again with it as offset.",
                json!({
                    "label": { "type": "string", "description": "The label of the artifact, or its id" },
                    "layer": { "type": "string", "description": "Its layer, if several layers have the label" },
                    "offset": {
                        "type": "integer", "minimum": 0,
                        "description": "The number of characters of the content to skip (0 if absent)",
                    },
                }),
                json!(["label"]),
            ),
            Self::Lineage => (
                "Trace an artifact",
                "Returns what an artifact was made from (artifacts, source files, prompts, components, answers), what \
                 was made from it, or only the source files behind it.",
                json!({
                    "label": { "type": "string", "description": "The label of the artifact, or its id" },
                    "layer": { "type": "string", "description": "Its layer, if several layers have the label" },
                    "direction": {
                        "type": "string", "enum": ["up", "down", "roots"],
                        "description": "up (if absent): what it was made from; down: what was made from it; roots: its source files",
                    },
                    "depth": {
                        "type": "integer", "minimum": 1,
                        "description": "The number of steps from artifact to artifact (1 if absent); roots has none",
                    },
                }),
                json!(["label"]),
            ),
            Self::List => (
                "List artifacts",
                "Returns the layers with the number of their artifacts, and a page of the artifacts. If next_offset is \
                 not null, call again with it as offset.",
                json!({
                    "layer": { "type": "string", "description": "Only artifacts of this layer" },
                    "offset": {
                        "type": "integer", "minimum": 0,
                        "description": "The number of artifacts to skip (0 if absent)",
                    },
                    "limit": {
                        "type": "integer", "minimum": 1, "maximum": 1000,
                        "description": "The maximum number of artifacts (100 if absent)",
                    },
                }),
                json!([]),
            ),
        };
        let schema = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        let annotations = ToolAnnotations::with_title(title)
            .read_only(true)
            .destructive(false)
            .idempotent(true)
            .open_world(false);
        let mut tool = Tool::new(self.as_str(), description, Arc::new(object(schema)));
        tool.title = Some(title.to_owned());
        tool.annotations = Some(annotations);
        tool
    }

    /// Calls the library with the arguments of a client.
    pub(crate) fn call(
        self,
        library: &dyn Library,
        arguments: Option<JsonObject>,
    ) -> Result<Value, CallError> {
        let arguments = arguments.unwrap_or_default();
        let result = match self {
            Self::Search => library.search(&parse::<SearchArguments>(self, arguments)?),
            Self::Show => library.show(&parse::<ShowArguments>(self, arguments)?),
            Self::Lineage => library.lineage(&parse::<LineageArguments>(self, arguments)?),
            Self::List => library.list(&parse::<ListArguments>(self, arguments)?),
        };
        result.map_err(CallError::Library)
    }
}

fn parse<A: DeserializeOwned>(tool: Name, arguments: JsonObject) -> Result<A, CallError> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        CallError::Arguments(format!(
            "{} cannot use these arguments: {error}",
            tool.as_str()
        ))
    })
}

fn object(value: Value) -> JsonObject {
    match value {
        Value::Object(object) => object,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            JsonObject::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::Direction;

    #[test]
    fn the_schemas_name_exactly_the_arguments_that_are_read() {
        for (tool, filled) in [
            (
                Name::Search,
                json!({ "query": "a", "layer": "b", "mode": "words", "limit": 3 }),
            ),
            (
                Name::Show,
                json!({ "label": "a", "layer": "b", "offset": 3 }),
            ),
            (
                Name::Lineage,
                json!({ "label": "a", "layer": "b", "direction": "down", "depth": 3 }),
            ),
            (Name::List, json!({ "layer": "b", "offset": 3, "limit": 3 })),
        ] {
            let described = tool.describe().input_schema;
            let schema = described["properties"].as_object().unwrap();
            let filled = filled.as_object().unwrap();
            let named: Vec<&String> = schema.keys().collect();
            let mut given: Vec<&String> = filled.keys().collect();
            given.sort();
            assert!(given.iter().all(|name| named.contains(name)), "{tool:?}");
            assert_eq!(named.len(), given.len(), "{tool:?}");
            let parsed = match tool {
                Name::Search => parse::<SearchArguments>(tool, filled.clone()).map(drop),
                Name::Show => parse::<ShowArguments>(tool, filled.clone()).map(drop),
                Name::Lineage => parse::<LineageArguments>(tool, filled.clone()).map(drop),
                Name::List => parse::<ListArguments>(tool, filled.clone()).map(drop),
            };
            assert_eq!(parsed, Ok(()), "{tool:?}");
        }
    }

    #[test]
    fn an_unknown_argument_is_an_error_that_names_it() {
        let arguments = object(json!({ "label": "a", "colour": "red" }));
        let error = parse::<ShowArguments>(Name::Show, arguments).unwrap_err();
        let CallError::Arguments(message) = error else {
            panic!("{error:?}");
        };
        assert!(message.contains("colour"), "{message}");
    }

    #[test]
    fn a_lineage_goes_up_by_default() {
        let arguments = object(json!({ "label": "a" }));
        let lineage = parse::<LineageArguments>(Name::Lineage, arguments).unwrap();
        assert_eq!(lineage.direction, Direction::Up);
    }
}
