//! The addresses of pages. Every name is in the query, because browsers shorten paths that contain `.` or `..`.

use form_urlencoded::{Serializer, parse};

/// What a page is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The pipeline as a graph, and what runs.
    Overview,
    /// The builds, the newest first.
    Builds {
        /// Only builds before this number.
        before: Option<u64>,
    },
    /// One build.
    Build {
        /// Its id.
        id: String,
    },
    /// The failed units of a layer of a build.
    Failures {
        /// The id of the build.
        build: String,
        /// The name of the layer.
        layer: String,
        /// The key after which the page begins; empty for the first page.
        after: String,
    },
    /// The artifacts of a layer.
    Layer {
        /// Its name.
        name: String,
        /// Where the page begins, as the page before said.
        after: Option<String>,
    },
    /// One artifact.
    Artifact {
        /// Its layer.
        layer: String,
        /// Its label.
        label: String,
    },
    /// The content of an artifact as plain text or bytes.
    Raw {
        /// Its layer.
        layer: String,
        /// Its label.
        label: String,
    },
    /// A search.
    Search {
        /// The words to look for; empty for the form alone.
        query: String,
        /// `words`, `meaning` or `hybrid`; empty for `words`.
        mode: String,
        /// Only artifacts of this layer; empty for all.
        layer: String,
    },
    /// The snapshots.
    Snapshots,
    /// The difference between two snapshots.
    Diff {
        /// The first snapshot; empty for the one before the newest.
        before: String,
        /// The second snapshot; empty for the newest.
        after: String,
        /// Only this layer; empty for all.
        layer: String,
    },
    /// What was spent, by day, layer and model.
    Costs,
    /// The plugins of the pipeline.
    Plugins,
    /// The style sheet.
    Style,
    /// The script.
    Script,
    /// No page has this address.
    Unknown,
}

/// A page that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What the page is about.
    pub target: Target,
    /// The snapshot to read; `None`: the newest.
    pub snapshot: Option<String>,
    /// Whether only the part that changes while a build runs is wanted.
    pub is_update: bool,
    /// Whether the reader sent a form. Only then may a page cost money.
    pub is_sent: bool,
}

impl Request {
    /// Returns a request for a whole page of the newest snapshot.
    pub const fn new(target: Target) -> Self {
        Self {
            target,
            snapshot: None,
            is_update: false,
            is_sent: false,
        }
    }

    /// Reads the path and query of an address.
    pub fn parse(address: &str) -> Self {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let query = Query::parse(query);
        Self {
            target: target(path, &query),
            snapshot: query.filled("snapshot"),
            is_update: query.text("part") == UPDATE,
            is_sent: false,
        }
    }

    /// Reads the fields of a form that was sent to `path`.
    pub fn parse_form(path: &str, fields: &[u8]) -> Self {
        Self {
            is_sent: true,
            ..Self::parse(&format!("{path}?{}", String::from_utf8_lossy(fields)))
        }
    }
}

const UPDATE: &str = "update";

fn target(path: &str, query: &Query) -> Target {
    match path {
        "/" => Target::Overview,
        "/builds" => Target::Builds {
            before: query.text("before").parse().ok(),
        },
        "/build" => Target::Build {
            id: query.text("id"),
        },
        "/failures" => Target::Failures {
            build: query.text("build"),
            layer: query.text("layer"),
            after: query.text("after"),
        },
        "/layer" => Target::Layer {
            name: query.text("name"),
            after: query.filled("after"),
        },
        "/artifact" => Target::Artifact {
            layer: query.text("layer"),
            label: query.text("label"),
        },
        "/raw" => Target::Raw {
            layer: query.text("layer"),
            label: query.text("label"),
        },
        "/search" => Target::Search {
            query: query.text("q"),
            mode: query.text("mode"),
            layer: query.text("layer"),
        },
        "/snapshots" => Target::Snapshots,
        "/diff" => Target::Diff {
            before: query.text("before"),
            after: query.text("after"),
            layer: query.text("layer"),
        },
        "/costs" => Target::Costs,
        "/plugins" => Target::Plugins,
        "/style.css" => Target::Style,
        "/script.js" => Target::Script,
        _ => Target::Unknown,
    }
}

impl Target {
    /// Returns the path of the page without its query.
    pub(crate) const fn path(&self) -> &'static str {
        match self {
            Self::Overview | Self::Unknown => "/",
            Self::Builds { .. } => "/builds",
            Self::Build { .. } => "/build",
            Self::Failures { .. } => "/failures",
            Self::Layer { .. } => "/layer",
            Self::Artifact { .. } => "/artifact",
            Self::Raw { .. } => "/raw",
            Self::Search { .. } => "/search",
            Self::Snapshots => "/snapshots",
            Self::Diff { .. } => "/diff",
            Self::Costs => "/costs",
            Self::Plugins => "/plugins",
            Self::Style => "/style.css",
            Self::Script => "/script.js",
        }
    }

    /// Returns the names and values of the query. Empty values are left out.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        let fields = match self {
            Self::Builds { before } => {
                vec![(
                    "before",
                    before.map(|id| id.to_string()).unwrap_or_default(),
                )]
            }
            Self::Build { id } => vec![("id", id.clone())],
            Self::Failures {
                build,
                layer,
                after,
            } => vec![
                ("build", build.clone()),
                ("layer", layer.clone()),
                ("after", after.clone()),
            ],
            Self::Layer { name, after } => vec![
                ("name", name.clone()),
                ("after", after.clone().unwrap_or_default()),
            ],
            Self::Artifact { layer, label } | Self::Raw { layer, label } => {
                vec![("layer", layer.clone()), ("label", label.clone())]
            }
            Self::Search { query, mode, layer } => vec![
                ("q", query.clone()),
                ("mode", mode.clone()),
                ("layer", layer.clone()),
            ],
            Self::Diff {
                before,
                after,
                layer,
            } => vec![
                ("before", before.clone()),
                ("after", after.clone()),
                ("layer", layer.clone()),
            ],
            Self::Overview
            | Self::Snapshots
            | Self::Costs
            | Self::Plugins
            | Self::Style
            | Self::Script
            | Self::Unknown => Vec::new(),
        };
        fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect()
    }

    /// Returns whether the page reads one snapshot, so that its links name it.
    pub(crate) const fn is_of_snapshot(&self) -> bool {
        matches!(
            self,
            Self::Overview
                | Self::Layer { .. }
                | Self::Artifact { .. }
                | Self::Raw { .. }
                | Self::Search { .. }
        )
    }

    /// Returns the address of the page on the server.
    pub(crate) fn address(&self, snapshot: Option<&str>) -> String {
        let mut fields = Serializer::new(String::new());
        fields.extend_pairs(self.fields());
        if let Some(snapshot) = snapshot.filter(|_| self.is_of_snapshot()) {
            fields.append_pair("snapshot", snapshot);
        }
        match fields.finish() {
            query if query.is_empty() => self.path().to_owned(),
            query => format!("{}?{query}", self.path()),
        }
    }
}

/// The fields of a query. Of a field that is there twice, the first one counts.
struct Query(Vec<(String, String)>);

impl Query {
    fn parse(text: &str) -> Self {
        Self(parse(text.as_bytes()).into_owned().collect())
    }

    fn text(&self, name: &str) -> String {
        self.filled(name).unwrap_or_default()
    }

    fn filled(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.clone())
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests;
