//! The kinds of plugins: a transform or a reader.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use wasmparser::{Parser, Payload};

use synix_core::digest::Digest;
use synix_sandbox::{Descriptor, Plugin, PluginError, ReaderPlugin, Sandbox, World};

/// What a plugin is: each kind is a world of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginKind {
    /// A function from inputs and answers to outputs.
    #[default]
    Transform,
    /// A function from a file to artifacts.
    Reader,
}

impl PluginKind {
    /// Every kind, in the order of the help.
    pub const ALL: [Self; 2] = [Self::Transform, Self::Reader];

    /// Returns its name in commands, which is that of its world.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Transform => "transform",
            Self::Reader => "reader",
        }
    }

    const fn world(self) -> World {
        match self {
            Self::Transform => World::Transform,
            Self::Reader => World::Reader,
        }
    }

    /// Returns the kind of a component by the names of its exports, without compiling it.
    ///
    /// Bytes that are no complete component of any world count as a transform: the sandbox then says what is wrong.
    pub fn of_component(bytes: &[u8]) -> Self {
        if has_exports(bytes, PluginKind::Reader) && !has_exports(bytes, PluginKind::Transform) {
            Self::Reader
        } else {
            Self::Transform
        }
    }
}

/// Returns whether a component exports every function of a kind. Stores no name, because a hostile component may have
/// millions.
fn has_exports(bytes: &[u8], kind: PluginKind) -> bool {
    let wanted = kind.world().exports();
    let mut found = vec![false; wanted.len()];
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(bytes) {
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "no other section has exports of the component"
        )]
        match payload {
            Ok(Payload::ModuleSection { .. } | Payload::ComponentSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(Payload::ComponentExportSection(section)) if depth == 0 => {
                for export in section.into_iter().flatten() {
                    for (name, is_found) in wanted.iter().zip(&mut found) {
                        *is_found |= *name == export.name.name;
                    }
                }
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    found.into_iter().all(|is_found| is_found)
}

impl fmt::Display for PluginKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The error of an unknown kind of plugin.
#[derive(Debug, thiserror::Error)]
#[error("a plugin is a `transform` or a `reader`")]
pub struct UnknownKind;

impl FromStr for PluginKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let mut kinds = Self::ALL.into_iter();
        kinds.find(|kind| kind.name() == text).ok_or(UnknownKind)
    }
}

/// A plugin of either kind that the sandbox has loaded.
#[derive(Debug, Clone)]
pub enum LoadedPlugin {
    /// A transform.
    Transform(Plugin),
    /// A reader.
    Reader(ReaderPlugin),
}

impl LoadedPlugin {
    /// Loads a component as what it is.
    pub fn load(sandbox: &Sandbox, name: &str, bytes: &[u8]) -> Result<Self, PluginError> {
        Ok(match PluginKind::of_component(bytes) {
            PluginKind::Transform => Self::Transform(sandbox.load(name, bytes)?),
            PluginKind::Reader => Self::Reader(sandbox.load_reader(name, bytes)?),
        })
    }

    /// Returns its kind.
    pub const fn kind(&self) -> PluginKind {
        match self {
            Self::Transform(_) => PluginKind::Transform,
            Self::Reader(_) => PluginKind::Reader,
        }
    }

    /// Returns the plugin's description of itself.
    pub fn descriptor(&self) -> &Descriptor {
        match self {
            Self::Transform(plugin) => plugin.descriptor(),
            Self::Reader(reader) => reader.descriptor(),
        }
    }

    /// Returns the digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Transform(plugin) => plugin.digest(),
            Self::Reader(reader) => reader.digest(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_parsed_from_its_displayed_name() {
        for kind in PluginKind::ALL {
            assert_eq!(kind.to_string().parse().ok(), Some(kind));
        }
        assert!("readers".parse::<PluginKind>().is_err());
    }

    #[test]
    fn the_kind_of_a_component_is_that_of_its_exports() {
        for (exports, kind) in [
            ("describe read", PluginKind::Reader),
            ("describe split execute", PluginKind::Transform),
            ("describe split execute read", PluginKind::Transform),
            ("describe", PluginKind::Transform),
        ] {
            let exports: Vec<String> = exports
                .split(' ')
                .map(|name| format!("(export \"{name}\" (func 0))"))
                .collect();
            let text = format!("(component (import \"f\" (func)) {})", exports.join(" "));
            let bytes = wat::parse_str(text).unwrap();
            assert_eq!(PluginKind::of_component(&bytes), kind, "{exports:?}");
            assert_eq!(
                PluginKind::of_component(&bytes[..bytes.len() - 2]),
                PluginKind::Transform
            );
        }
        assert_eq!(
            PluginKind::of_component(b"(component)"),
            PluginKind::Transform
        );
    }

    #[test]
    fn first_party_components_have_their_kinds() {
        for (name, kind) in [("map", PluginKind::Transform), ("rows", PluginKind::Reader)] {
            let bytes = synix_test_components::bytes(name);
            assert_eq!(PluginKind::of_component(&bytes), kind, "{name}");
        }
    }
}
