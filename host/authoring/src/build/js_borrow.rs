//! Makes a reader in JavaScript drop the file that it borrows before its call ends.
//!
//! The interpreter of componentize-qjs 0.4.5 drops a borrowed handle in the function that the host calls after `read`.
//! By then the host has refused to end a call that still holds a handle. So this module changes the part of the
//! component that connects the interpreter with the contract: `read` drops the file after the interpreter has returned,
//! and the interpreter's own drop does nothing. In a component without such a part nothing changes.

use std::borrow::Cow;
use std::convert::Infallible;

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{
    CodeSection, CustomSection, Encode as _, ExportKind, ExportSection, Function, FunctionSection,
    Module,
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, Export, ExternalKind, FunctionSectionReader, Parser,
    Payload, TypeRef,
};

use super::BuildError;

/// The import that drops a file.
const DROP: &str = "[resource-drop]file";
/// The interface that it is imported from, without its version.
const INTERFACE: &str = "synix:plugin/reading@";
const READ: &str = "read";
/// The bytes before the sections of a module or a component.
const HEADER_BYTES: usize = 8;

/// Rewrites a component.
pub(super) fn drop_within_call(component: &[u8]) -> Result<Vec<u8>, BuildError> {
    rewrite(component).map_err(|error| BuildError::Encode {
        detail: format!("{error:#}"),
    })
}

/// Copies the sections of a component, and patches its modules and those of its nested components.
fn rewrite(component: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut written = component.get(..HEADER_BYTES).unwrap_or_default().to_vec();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload?;
        let section = payload.as_section().filter(|_| depth == 0);
        let is_module = matches!(payload, Payload::ModuleSection { .. });
        let is_component = matches!(payload, Payload::ComponentSection { .. });
        if is_module || is_component {
            depth += 1;
        } else if matches!(payload, Payload::End(_)) {
            depth = depth.saturating_sub(1);
        }
        let Some((id, range)) = section else {
            continue;
        };
        let content = component.get(range).unwrap_or_default();
        let content = if is_module {
            patch(content)?.map_or(Cow::Borrowed(content), Cow::Owned)
        } else if is_component {
            Cow::Owned(rewrite(content)?)
        } else {
            Cow::Borrowed(content)
        };
        written.push(id);
        content.encode(&mut written);
    }
    Ok(written)
}

/// Patches a module that exports `read` and imports the drop of a file.
fn patch(module: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(mut patch) = Patch::find(module)? else {
        return Ok(None);
    };
    let mut written = Module::new();
    patch.parse_core_module(&mut written, Parser::new(0), module)?;
    Ok(Some(written.finish()))
}

/// The functions of a module that are patched, by their indices.
struct Patch {
    drop: u32,
    drop_type: u32,
    read: u32,
    read_type: u32,
    /// How many functions the module has, with the imports. The new ones follow.
    count: u32,
}

impl Patch {
    fn find(module: &[u8]) -> anyhow::Result<Option<Self>> {
        // The type of each function, imports first.
        let mut types = Vec::new();
        let (mut drop, mut read) = (None, None);
        for payload in Parser::new(0).parse_all(module) {
            #[allow(
                clippy::wildcard_enum_match_arm,
                reason = "the other sections name no function"
            )]
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        let TypeRef::Func(ty) = import.ty else {
                            continue;
                        };
                        if import.name == DROP && import.module.starts_with(INTERFACE) {
                            drop = Some(types.len());
                        }
                        types.push(ty);
                    }
                }
                Payload::FunctionSection(section) => {
                    for ty in section {
                        types.push(ty?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if export.name == READ && export.kind == ExternalKind::Func {
                            read = Some(usize::try_from(export.index)?);
                        }
                    }
                }
                _ => {}
            }
        }
        let type_of = |at: usize| types.get(at).copied();
        let (Some(drop), Some(read)) = (drop, read) else {
            return Ok(None);
        };
        let (Some(drop_type), Some(read_type)) = (type_of(drop), type_of(read)) else {
            return Ok(None);
        };
        Ok(Some(Self {
            drop: u32::try_from(drop)?,
            drop_type,
            read: u32::try_from(read)?,
            read_type,
            count: u32::try_from(types.len())?,
        }))
    }

    /// The function that the interpreter calls in place of the drop.
    const fn no_drop(&self) -> u32 {
        self.count
    }

    /// The function that is exported in place of `read`.
    const fn read_and_drop(&self) -> u32 {
        self.count + 1
    }
}

type Outcome = Result<(), reencode::Error<Infallible>>;

impl Reencode for Patch {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, reencode::Error<Infallible>> {
        Ok(if function == self.drop {
            self.no_drop()
        } else {
            function
        })
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Outcome {
        utils::parse_function_section(self, functions, section)?;
        functions.function(self.drop_type);
        functions.function(self.read_type);
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Outcome {
        utils::parse_code_section(self, code, section)?;
        let mut no_drop = Function::new([]);
        no_drop.instructions().end();
        code.function(&no_drop);
        // The parameters are the file and the two of the config. The result, an address, stays on the stack.
        let mut read_and_drop = Function::new([]);
        read_and_drop
            .instructions()
            .local_get(0)
            .local_get(1)
            .local_get(2)
            .call(self.read)
            .local_get(0)
            .call(self.drop)
            .end();
        code.function(&read_and_drop);
        Ok(())
    }

    fn parse_export(&mut self, exports: &mut ExportSection, export: Export<'_>) -> Outcome {
        if export.name == READ && export.kind == ExternalKind::Func {
            exports.export(READ, ExportKind::Func, self.read_and_drop());
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }

    /// Names of functions keep their indices, which `function_index` would change.
    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Outcome {
        module.section(&CustomSection::from(section));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wasmparser::Validator;

    use super::*;

    /// A module as the tool makes it: the interpreter finds the drop in a table.
    const MODULE: &str = r#"(module
        (import "env" "call" (func $call (param i32 i32 i32) (result i32)))
        (import "synix:plugin/reading@0.1.1" "[resource-drop]file" (func $drop (param i32)))
        (table 2 funcref)
        (elem (i32.const 0) $call $drop)
        (func (export "describe") (result i32) (i32.const 7))
        (func (export "read") (param i32 i32 i32) (result i32)
            (call $call (local.get 0) (local.get 1) (local.get 2))))"#;

    fn elements(module: &[u8]) -> Vec<u32> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            let Payload::ElementSection(section) = payload.unwrap() else {
                continue;
            };
            for element in section {
                let wasmparser::ElementItems::Functions(items) = element.unwrap().items else {
                    panic!("functions")
                };
                found.extend(items.into_iter().map(Result::unwrap));
            }
        }
        found
    }

    #[test]
    fn read_drops_the_file_and_the_interpreters_drop_does_nothing() {
        let module = wat::parse_str(MODULE).unwrap();
        let patched = patch(&module).unwrap().unwrap();
        Validator::new().validate_all(&patched).unwrap();
        assert_eq!(elements(&module), [0, 1]);
        assert_eq!(elements(&patched), [0, 4]);
        let found = Patch::find(&patched).unwrap().unwrap();
        assert_eq!((found.drop, found.read, found.count), (1, 5, 6));
    }

    #[test]
    fn a_component_without_such_a_module_stays_as_it_is() {
        let module = MODULE.replace("\"read\"", "\"execute\"");
        let component = format!(
            "(component (core {module} (component (core {module}))",
            module = module.trim_start_matches('('),
        );
        let component = wat::parse_str(&component).unwrap();
        assert_eq!(rewrite(&component).unwrap(), component);
    }

    #[test]
    fn a_module_in_a_nested_component_is_patched() {
        let module = MODULE.trim_start_matches('(');
        let component = format!("(component (component (core {module}) (core module))");
        let component = wat::parse_str(&component).unwrap();
        let rewritten = rewrite(&component).unwrap();
        Validator::new().validate_all(&rewritten).unwrap();
        assert!(rewritten.len() > component.len());
    }
}
