//! Describes a component. It runs only the function `describe`.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use wasmparser::{
    ComponentTypeRef, KnownCustom, Parser, Payload, ProducersField, ProducersFieldValue,
    ProducersSectionReader,
};

use super::{LoadedPlugin, PluginKind};
use synix_core::digest::Digest;
use synix_sandbox::{Sandbox, Shape};

/// The most producers per field, because a hostile component may have many.
const MAX_PRODUCERS: usize = 64;

/// Why a component cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The bytes are not valid WebAssembly.
    #[error("cannot read the component's sections")]
    Wasm(#[from] wasmparser::BinaryReaderError),
}

/// The description of a component.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The plugin's name.
    pub name: String,
    /// The plugin's version.
    pub version: String,
    /// The plugin's summary, in one line.
    pub summary: String,
    /// What it is: a transform or a reader.
    pub kind: PluginKind,
    /// How inputs become units; `None` for a reader, whose units are files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
    /// The capabilities that it declares.
    pub capabilities: Vec<String>,
    /// The contract of this host, which it implements.
    pub contract: &'static str,
    /// The interfaces it imports.
    pub imports: Vec<String>,
    /// The functions it exports.
    pub exports: Vec<String>,
    /// Whether it imports an interface of WASI.
    pub needs_wasi: bool,
    /// The JSON Schema of its config.
    pub config_schema: Value,
    /// The size of the component in bytes.
    pub size: usize,
    /// The SHA-256 of the component.
    pub digest: Digest,
    /// The languages and tools that made the component: field, name, version.
    pub producers: Producers,
    /// The same for its nested modules and components, such as the runtime of a language.
    pub parts: Producers,
}

/// Names and versions of languages, tools and SDKs, by field.
pub type Producers = BTreeMap<String, BTreeMap<String, String>>;

/// Describes the component that `plugin` was loaded from.
pub fn inspect(plugin: &LoadedPlugin, bytes: &[u8]) -> Result<Inspection, InspectError> {
    let sections = Sections::read(bytes)?;
    let descriptor = plugin.descriptor();
    Ok(Inspection {
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
        summary: descriptor.summary.clone(),
        kind: plugin.kind(),
        shape: match plugin.kind() {
            PluginKind::Transform => Some(descriptor.shape),
            PluginKind::Reader => None,
        },
        capabilities: descriptor.capabilities.iter().cloned().collect(),
        contract: Sandbox::contract(),
        needs_wasi: sections
            .imports
            .iter()
            .any(|name| name.starts_with("wasi:")),
        imports: sections.imports,
        exports: sections.exports,
        config_schema: descriptor.config_schema.clone(),
        size: bytes.len(),
        digest: plugin.digest(),
        producers: sections.producers,
        parts: sections.parts,
    })
}

/// Returns the names of the interfaces that a component imports.
pub(super) fn imports(bytes: &[u8]) -> Result<Vec<String>, InspectError> {
    Ok(Sections::read(bytes)?.imports)
}

#[derive(Default)]
struct Sections {
    imports: Vec<String>,
    exports: Vec<String>,
    producers: Producers,
    parts: Producers,
}

impl Sections {
    fn read(bytes: &[u8]) -> Result<Self, InspectError> {
        let mut sections = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            sections.take(payload?, &mut depth)?;
        }
        Ok(sections)
    }

    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the other sections are not part of the description"
    )]
    fn take(&mut self, payload: Payload<'_>, depth: &mut usize) -> Result<(), InspectError> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => *depth += 1,
            Payload::End(_) => *depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if *depth == 0 => {
                for import in section {
                    let import = import?;
                    // Types of the world are aliases of types in its interfaces.
                    if !matches!(import.ty, ComponentTypeRef::Type(_)) {
                        self.imports.push(import.name.name.to_owned());
                    }
                }
            }
            Payload::ComponentExportSection(section) if *depth == 0 => {
                for export in section {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(producers) = section.as_known() {
                    let known = if *depth == 0 {
                        &mut self.producers
                    } else {
                        &mut self.parts
                    };
                    add_producers(known, producers)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn add_producers(
    known: &mut Producers,
    section: ProducersSectionReader<'_>,
) -> Result<(), InspectError> {
    for field in section {
        let ProducersField { name, values } = field?;
        let known = known.entry(name.to_owned()).or_default();
        for value in values {
            let ProducersFieldValue { name, version } = value?;
            if known.len() < MAX_PRODUCERS {
                known.insert(name.to_owned(), version.to_owned());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(path: &str) -> Inspection {
        let bytes = synix_disk::read(path.as_ref()).unwrap();
        let sandbox = Sandbox::new(1, None).unwrap();
        let plugin = LoadedPlugin::load(&sandbox, "x", &bytes).unwrap();
        inspect(&plugin, &bytes).unwrap()
    }

    #[test]
    fn a_component_is_described_with_its_imports_and_producers() {
        let found = inspected(synix_test_components::MAP);
        assert_eq!(found.name, "map");
        assert_eq!(
            (found.kind, found.shape),
            (PluginKind::Transform, Some(Shape::PerInput))
        );
        assert!(
            found
                .imports
                .iter()
                .any(|name| name == "synix:plugin/llm@0.1.1")
        );
        assert_eq!(found.exports, ["describe", "split", "execute"]);
        assert!(!found.needs_wasi);
        assert_eq!(found.summary, "Asks one question about each input");
        assert_eq!(found.version, "0.1.0");
        assert_eq!(found.contract, "synix:plugin@0.1.1");
        let bytes = synix_disk::read(synix_test_components::MAP.as_ref()).unwrap();
        assert_eq!(
            (found.size, found.digest),
            (bytes.len(), Digest::of(&bytes))
        );
        assert!(found.producers["processed-by"].contains_key("wit-component"));
    }

    #[test]
    fn a_reader_has_no_shape_and_no_capabilities() {
        let found = inspected(synix_test_components::ROWS);
        assert_eq!((found.kind, found.shape), (PluginKind::Reader, None));
        assert_eq!(found.capabilities, Vec::<String>::new());
        assert!(
            found
                .imports
                .contains(&"synix:plugin/reading@0.1.1".to_owned())
        );
    }

    /// The runtime in a Python component is written in Rust, but the component is not.
    #[test]
    fn the_language_of_a_nested_module_is_not_that_of_the_component() {
        let part = wat::parse_str("(module)").unwrap();
        let mut made_of = wasm_metadata::AddMetadata::default();
        made_of.language.push(("Rust".to_owned(), "1".to_owned()));
        let mut component = b"\0asm\x0d\0\x01\0".to_vec();
        let part = made_of.to_wasm(&part).unwrap();
        component.push(1);
        component.push(u8::try_from(part.len()).unwrap());
        component.extend(part);
        let sections = Sections::read(&component).unwrap();
        assert_eq!(sections.producers, Producers::new());
        assert_eq!(sections.parts["language"]["Rust"], "1");
        made_of.language[0].0 = "Python".to_owned();
        let sections = Sections::read(&made_of.to_wasm(&component).unwrap()).unwrap();
        let language = sections.producers["language"].keys().next().unwrap();
        assert_eq!(language, "Python");
    }

    #[test]
    fn bytes_that_are_not_wasm_are_an_error() {
        assert!(imports(b"(component)").is_err());
    }

    #[test]
    fn a_component_that_imports_wasi_needs_it() {
        let found = inspected(synix_test_components::WASI_PRINT);
        assert!(found.needs_wasi);
        assert!(
            found
                .imports
                .iter()
                .any(|name| name == "wasi:cli/stdout@0.2.0")
        );
    }

    #[test]
    fn imports_of_nested_components_are_excluded() {
        let nested = r#"(component
            (component (import "inner" (func)) (core module) (export "inner" (func 0)))
            (component (component))
            (import "outer" (func)) (export "outer" (func 0)))"#;
        let found = Sections::read(&wat::parse_str(nested).unwrap()).unwrap();
        assert_eq!(
            (found.imports, found.exports),
            (vec!["outer".to_owned()], vec!["outer".to_owned()])
        );
    }
}
