//! The maximum number of requests of a unit, as far as the host can know it.
//!
//! Only the plugin knows whether a unit makes another request after an answer, and the contract cannot express
//! it. Two things limit the number: the limit of requests of a unit, which the host enforces, and, for
//! first-party transforms, their behaviour, which the suite tests.

use synix_manifest::{PluginRef, TransformLayer};

/// The maximum number of requests of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestsPerUnit {
    /// The limit of requests of a unit; 0 if it may make none.
    limit: u64,
    /// Whether the pipeline file sets that limit.
    is_configured: bool,
    /// The behaviour of the transform, if it is known.
    pattern: Option<RequestPattern>,
}

/// When a first-party transform makes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestPattern {
    Never,
    Once,
    OnceForEachInput,
}

impl RequestsPerUnit {
    /// Returns the numbers of a layer; `limit` is that of a unit's requests, 0 if it may make none.
    pub(super) fn new(transform: &TransformLayer, limit: u32) -> Self {
        let has = |key: &str| transform.config.contains_key(key);
        let pattern = match &transform.transform {
            PluginRef::FirstParty(name) => match name.as_str() {
                // The number of parts depends on the sizes of the inputs.
                "reduce" | "group" if has("max_input_tokens") => None,
                "embed" | "map" | "reduce" => Some(RequestPattern::Once),
                "group" if has("prompt") || has("prompt_file") => Some(RequestPattern::Once),
                "fold" => Some(RequestPattern::OnceForEachInput),
                "group" | "chunk" | "merge" => Some(RequestPattern::Never),
                _ => None,
            },
            PluginRef::File(_) | PluginRef::Url { .. } | PluginRef::Oci { .. } => None,
        };
        Self {
            limit: limit.into(),
            is_configured: transform.limits.requests.is_some(),
            pattern,
        }
    }

    /// Returns the maximum for a unit with this number of inputs.
    pub(super) fn max_for(self, inputs: usize) -> u64 {
        let by_pattern = match self.pattern {
            Some(RequestPattern::Never) => 0,
            Some(RequestPattern::Once) => 1,
            Some(RequestPattern::OnceForEachInput) => inputs as u64,
            None => u64::MAX,
        };
        by_pattern.min(self.limit)
    }

    /// Returns the maximum for any unit; `None` if only the host's default limit is known.
    pub(super) fn max_for_any_unit(self) -> Option<u64> {
        match self.pattern {
            Some(RequestPattern::Never) => Some(0),
            Some(RequestPattern::Once) => Some(self.limit.min(1)),
            Some(RequestPattern::OnceForEachInput) | None => {
                self.is_configured.then_some(self.limit)
            }
        }
    }

    /// Returns whether no unit makes a request.
    pub(super) fn is_zero(self) -> bool {
        self.limit == 0 || self.pattern == Some(RequestPattern::Never)
    }

    /// Returns whether more is known than the host's default limit.
    pub(super) const fn is_known(self) -> bool {
        self.limit == 0 || self.is_configured || self.pattern.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use synix_manifest::LayerBody;

    fn requests(layer: &str) -> RequestsPerUnit {
        let text = format!(
            "pipeline.name = \"p\"\nlayers.a.source = \"a/*\"\n[models.default]\nprovider = \"openai\"\nmodel = \"m\"\n\
             [layers.b]\ninputs = [\"a\"]\n{layer}"
        );
        let pipeline = synix_manifest::parse(&text).unwrap();
        let transform = pipeline.layers.iter().find_map(|layer| match &layer.body {
            LayerBody::Transform(transform) => Some(transform.as_ref()),
            LayerBody::Source(_) => None,
        });
        let transform = transform.unwrap();
        RequestsPerUnit::new(transform, transform.limits.requests.unwrap_or(1000))
    }

    #[test]
    fn the_requests_of_first_party_transforms_are_known() {
        for (layer, most) in [
            ("transform = \"map\"", 1),
            ("transform = \"reduce\"", 1),
            ("transform = \"fold\"", 60),
            ("transform = \"group\"", 0),
            ("transform = \"group\"\nconfig.prompt = \"q\"", 1),
            ("transform = \"chunk\"", 0),
            ("transform = \"fold\"\nlimits.requests = 5", 5),
        ] {
            let requests = requests(layer);
            assert_eq!(requests.max_for(60), most, "{layer}");
            assert!(requests.is_known(), "{layer}");
        }
    }

    /// The number of parts depends on the contents of the inputs.
    #[test]
    fn of_a_transform_that_asks_about_parts_only_the_limit_is_known() {
        for transform in ["reduce", "group"] {
            let layer = format!(
                "transform = \"{transform}\"\nconfig.prompt = \"q\"\nconfig.max_input_tokens = 4000"
            );
            let requests = requests(&layer);
            assert_eq!(
                (requests.max_for(60), requests.is_known()),
                (1000, false),
                "{layer}"
            );
        }
    }

    /// A component from a file is unknown, whatever its name is.
    #[test]
    fn of_other_plugins_only_the_limit_is_known() {
        let stranger = requests("transform = \"./map.wasm\"");
        assert_eq!((stranger.max_for(60), stranger.is_known()), (1000, false));
        let limited = requests("transform = \"./map.wasm\"\nlimits.requests = 1");
        assert_eq!((limited.max_for(60), limited.is_known()), (1, true));
    }
}
