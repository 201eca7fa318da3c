//! The endpoints: their names in scripts and counters, and their routes.

use std::fmt;

use hyper::Method;
use serde::{Deserialize, Serialize};

/// Whose wire format an endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    OpenAi,
    Anthropic,
}

macro_rules! endpoints {
    ($($variant:ident $name:literal $wire:ident $method:ident [$($segment:tt)/+] $doc:literal;)+) => {
        /// An endpoint of either provider.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Endpoint {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl Endpoint {
            /// Every endpoint, in the order of its discriminant.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Returns the name used in scripts and counters.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            pub(crate) fn wire(self) -> Wire {
                match self {
                    $(Self::$variant => Wire::$wire,)+
                }
            }

            /// Finds the endpoint of a call and the id in its path.
            pub(crate) fn route<'p>(method: &Method, path: &'p str) -> Option<(Self, Option<&'p str>)> {
                let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
                match (method.as_str(), segments.as_slice()) {
                    $((stringify!($method), [$(endpoints!(@pattern $segment)),+]) => {
                        Some((Self::$variant, endpoints!(@id segments, $($segment)+)))
                    })+
                    _ => None,
                }
            }
        }
    };
    (@pattern ID) => { _ };
    (@pattern $text:literal) => { $text };
    (@id $segments:ident, $a:literal $b:literal ID $($rest:tt)*) => { Some($segments[2]) };
    (@id $segments:ident, $a:literal $b:literal $c:literal ID $($rest:tt)*) => { Some($segments[3]) };
    (@id $segments:ident, $a:literal ID $($rest:tt)*) => { Some($segments[1]) };
    (@id $segments:ident, $($rest:tt)*) => { None };
}

endpoints! {
    Chat "chat" OpenAi POST ["v1"/"chat"/"completions"] "`POST /v1/chat/completions`";
    Embeddings "embeddings" OpenAi POST ["v1"/"embeddings"] "`POST /v1/embeddings`";
    FilesUpload "files.upload" OpenAi POST ["v1"/"files"] "`POST /v1/files`";
    FilesList "files.list" OpenAi GET ["v1"/"files"] "`GET /v1/files`";
    FilesRetrieve "files.retrieve" OpenAi GET ["v1"/"files"/ID] "`GET /v1/files/{id}`";
    FilesDelete "files.delete" OpenAi DELETE ["v1"/"files"/ID] "`DELETE /v1/files/{id}`";
    FilesContent "files.content" OpenAi GET ["v1"/"files"/ID/"content"] "`GET /v1/files/{id}/content`";
    Elsewhere "elsewhere" OpenAi GET ["elsewhere"/ID] "`GET /elsewhere/{id}`: a file as another server has it, which refuses every key";
    BatchesCreate "batches.create" OpenAi POST ["v1"/"batches"] "`POST /v1/batches`";
    BatchesList "batches.list" OpenAi GET ["v1"/"batches"] "`GET /v1/batches`";
    BatchesRetrieve "batches.retrieve" OpenAi GET ["v1"/"batches"/ID] "`GET /v1/batches/{id}`";
    BatchesCancel "batches.cancel" OpenAi POST ["v1"/"batches"/ID/"cancel"] "`POST /v1/batches/{id}/cancel`";
    Messages "messages" Anthropic POST ["v1"/"messages"] "`POST /v1/messages`";
    MessageBatchesCreate "messages.batches.create" Anthropic POST ["v1"/"messages"/"batches"] "`POST /v1/messages/batches`";
    MessageBatchesList "messages.batches.list" Anthropic GET ["v1"/"messages"/"batches"] "`GET /v1/messages/batches`";
    MessageBatchesRetrieve "messages.batches.retrieve" Anthropic GET ["v1"/"messages"/"batches"/ID] "`GET /v1/messages/batches/{id}`";
    MessageBatchesResults "messages.batches.results" Anthropic GET ["v1"/"messages"/"batches"/ID/"results"] "`GET /v1/messages/batches/{id}/results`";
    MessageBatchesCancel "messages.batches.cancel" Anthropic POST ["v1"/"messages"/"batches"/ID/"cancel"] "`POST /v1/messages/batches/{id}/cancel`";
    MessageBatchesDelete "messages.batches.delete" Anthropic DELETE ["v1"/"messages"/"batches"/ID] "`DELETE /v1/messages/batches/{id}`";
}

impl Endpoint {
    /// Tells whether a call here runs the model once.
    pub(crate) fn is_completion(self) -> bool {
        matches!(self, Self::Chat | Self::Embeddings | Self::Messages)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_an_id_gives_the_endpoint_and_the_id() {
        let found = Endpoint::route(&Method::GET, "/v1/files/file-1/content");
        assert_eq!(found, Some((Endpoint::FilesContent, Some("file-1"))));
        let found = Endpoint::route(&Method::DELETE, "/v1/messages/batches/msgbatch_1");
        assert_eq!(
            found,
            Some((Endpoint::MessageBatchesDelete, Some("msgbatch_1")))
        );
    }

    #[test]
    fn a_method_without_an_endpoint_finds_none() {
        assert_eq!(Endpoint::route(&Method::PUT, "/v1/files"), None);
    }

    #[test]
    fn names_in_scripts_are_the_names_in_counters() {
        for endpoint in Endpoint::ALL {
            assert_eq!(serde_json::to_value(endpoint).unwrap(), endpoint.name());
        }
    }
}
