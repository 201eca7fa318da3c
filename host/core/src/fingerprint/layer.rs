//! The fingerprint of a layer: the digest of everything that decides which units it has, and whether they are fresh.
//!
//! If it is that of an earlier build in which every unit was made, the layer has the units of that build, and no unit
//! must be looked at. It covers the fingerprints of units rather than their parts, so it is as strict as they are: for a
//! source, those of all files; for a transform, that of a unit without inputs, which covers the settings of the layer,
//! and the units of the upstream layers.
//!
//! | part | included | reason |
//! | --- | --- | --- |
//! | version of synix | yes | another version may divide a layer in another way |
//! | of a source: the fingerprint of each file, in order | yes | |
//! | of a source: whether the newest of several artifacts with one label is used | yes | it decides which artifacts are used |
//! | of a transform: the fingerprint of a unit without inputs | yes | it covers the settings of the layer and the scheme |
//! | of a transform: name and units of each upstream layer, in order | yes | they name its units and decide their inputs |
//! | of a transform: where answers come from | yes | a unit of another answer origin is stale |
//! | of a transform: settings of all model roles | yes | a unit may have named any of them |
//! | which units are selected, limits of their number | no | such a build looks at each unit |

use super::UnitParts;
use crate::digest::{Digest, Encoder, Hasher};

/// Another version of synix looks at each unit once.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The parts of a source's fingerprint. Files are added in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct SourceLayerParts {
    files: Hasher,
    count: u64,
    /// Whether the newest of several artifacts with one label is used.
    newest: bool,
}

impl SourceLayerParts {
    /// Starts without files. `newest`: of several artifacts with one label, the newest is used.
    pub fn new(newest: bool) -> Self {
        Self {
            newest,
            ..Self::default()
        }
    }

    /// Adds the fingerprint of a file's unit.
    pub fn add(&mut self, file: Digest) {
        self.files.update(file.as_bytes());
        self.count = self.count.saturating_add(1);
    }

    /// Returns the fingerprint of the layer.
    pub fn finish(self) -> Digest {
        Encoder::new("synix.layer.source.v1")
            .text(VERSION)
            .number(self.newest.into())
            .number(self.count)
            .digest(self.files.finish())
            .finish()
    }
}

/// The parts of a transform's fingerprint.
#[derive(Debug)]
pub struct TransformLayerParts<'a> {
    /// The encoded parts that all its units share.
    pub layer: &'a Encoder,
    /// The digest of the cassette that answers come from; `None`: they come from providers.
    pub cassette: Option<Digest>,
    /// The settings of all model roles.
    pub roles: &'a str,
    /// The name of each upstream layer and the digest of its units, in order.
    pub inputs: Vec<(&'a str, Digest)>,
}

impl TransformLayerParts<'_> {
    /// Returns the fingerprint of the layer.
    pub fn fingerprint(&self) -> Digest {
        let unit = UnitParts {
            key: String::new(),
            config: None,
            inputs: Vec::new(),
            partial: false,
        };
        let mut encoder = Encoder::new("synix.layer.transform.v1")
            .text(VERSION)
            .digest(unit.fingerprint(self.layer));
        encoder = match self.cassette {
            Some(cassette) => encoder.digest(cassette),
            None => encoder.absent(),
        };
        encoder = encoder.text(self.roles).list(self.inputs.len());
        for (name, units) in &self.inputs {
            encoder = encoder.text(name).digest(*units);
        }
        encoder.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(newest: bool, files: &[&[u8]]) -> Digest {
        let mut parts = SourceLayerParts::new(newest);
        for file in files {
            parts.add(Digest::of(file));
        }
        parts.finish()
    }

    /// A change that no part covers would leave stale units in use.
    #[test]
    fn each_part_of_a_source_changes_its_fingerprint() {
        let base = source(false, &[b"one", b"two"]);
        assert_eq!(source(false, &[b"one", b"two"]), base);
        for other in [
            source(true, &[b"one", b"two"]),
            source(false, &[b"one"]),
            source(false, &[b"two", b"one"]),
            source(false, &[b"one", b"two", b"three"]),
            source(false, &[b"one", b"2"]),
            source(false, &[]),
        ] {
            assert_ne!(other, base);
        }
    }

    #[test]
    fn each_part_of_a_transform_changes_its_fingerprint() {
        let layer = |text: &str| Encoder::new("layer").text(text);
        let own = layer("a");
        let units = Digest::of(b"units");
        let parts = || TransformLayerParts {
            layer: &own,
            cassette: None,
            roles: "{}",
            inputs: vec![("notes", units), ("papers", units)],
        };
        let base = parts().fingerprint();
        assert_eq!(parts().fingerprint(), base);
        let other = layer("b");
        let changed = [
            TransformLayerParts {
                layer: &other,
                ..parts()
            },
            TransformLayerParts {
                cassette: Some(Digest::of(b"cassette")),
                ..parts()
            },
            TransformLayerParts {
                roles: "{\"judge\":null}",
                ..parts()
            },
            TransformLayerParts {
                inputs: vec![("notes", units)],
                ..parts()
            },
            TransformLayerParts {
                inputs: vec![("papers", units), ("notes", units)],
                ..parts()
            },
            TransformLayerParts {
                inputs: vec![("notes", units), ("papers", Digest::of(b"others"))],
                ..parts()
            },
        ];
        for changed in changed {
            assert_ne!(changed.fingerprint(), base, "{changed:?}");
        }
    }
}
