//! What a component is, without running more of it than its description.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use wasmparser::{
    ComponentTypeRef, KnownCustom, Parser, Payload, ProducersField, ProducersFieldValue,
    ProducersSectionReader,
};

use crate::digest::Digest;
use crate::plugin::{Plugin, Sandbox, Shape};

/// Producers shown for one field, so that a hostile section stays small.
const MOST_PRODUCERS: usize = 64;

/// Why a component cannot be looked into.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The bytes are no WebAssembly.
    #[error("cannot read the component's sections")]
    Wasm(#[from] wasmparser::BinaryReaderError),
}

/// What a component is.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The plugin's name.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// One line for people.
    pub summary: String,
    /// How inputs become units.
    pub shape: Shape,
    /// What it declares to use.
    pub capabilities: Vec<String>,
    /// The contract of this host, which it fits.
    pub contract: &'static str,
    /// The interfaces it imports.
    pub imports: Vec<String>,
    /// The functions it exports.
    pub exports: Vec<String>,
    /// Whether it imports an interface of WASI.
    pub needs_wasi: bool,
    /// JSON Schema of its config.
    pub config_schema: Value,
    /// Bytes of the component.
    pub size: usize,
    /// SHA-256 of these bytes.
    pub digest: Digest,
    /// What it was made with: field, name, version.
    pub producers: BTreeMap<String, BTreeMap<String, String>>,
}

/// Looks into the component that `plugin` was loaded from.
pub fn inspect(plugin: &Plugin, bytes: &[u8]) -> Result<Inspection, InspectError> {
    let sections = Sections::read(bytes)?;
    let descriptor = plugin.descriptor();
    Ok(Inspection {
        name: descriptor.name.clone(),
        version: descriptor.version.clone(),
        summary: descriptor.summary.clone(),
        shape: descriptor.shape,
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
    producers: BTreeMap<String, BTreeMap<String, String>>,
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
        reason = "most sections say nothing of what a component needs"
    )]
    fn take(&mut self, payload: Payload<'_>, depth: &mut usize) -> Result<(), InspectError> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => *depth += 1,
            Payload::End(_) => *depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if *depth == 0 => {
                for import in section {
                    let import = import?;
                    // Types of the world itself are names for what an interface has.
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
                    self.add_producers(producers)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_producers(&mut self, section: ProducersSectionReader<'_>) -> Result<(), InspectError> {
        for field in section {
            let ProducersField { name, values } = field?;
            let known = self.producers.entry(name.to_owned()).or_default();
            for value in values {
                let ProducersFieldValue { name, version } = value?;
                if known.len() < MOST_PRODUCERS {
                    known.insert(name.to_owned(), version.to_owned());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspected(path: &str) -> Inspection {
        let bytes = crate::disk::read(path.as_ref()).unwrap();
        let plugin = Sandbox::new(1, None).unwrap().load("x", &bytes).unwrap();
        inspect(&plugin, &bytes).unwrap()
    }

    #[test]
    fn a_component_names_what_it_imports_and_what_made_it() {
        let found = inspected(synix_test_components::MAP);
        assert_eq!(found.name, "map");
        assert!(
            found
                .imports
                .iter()
                .any(|name| name == "synix:plugin/llm@0.1.0")
        );
        assert_eq!(found.exports, ["describe", "split", "execute"]);
        assert!(!found.needs_wasi);
        assert_eq!(found.summary, "Asks one question about each input");
        assert_eq!(found.version, "0.1.0");
        assert_eq!(found.contract, "synix:plugin@0.1.0");
        let bytes = crate::disk::read(synix_test_components::MAP.as_ref()).unwrap();
        assert_eq!(
            (found.size, found.digest),
            (bytes.len(), Digest::of(&bytes))
        );
        assert!(found.producers["processed-by"].contains_key("wit-component"));
    }

    #[test]
    fn bytes_that_are_no_wasm_are_an_error() {
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
    fn what_stands_inside_a_component_is_not_its_own() {
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
