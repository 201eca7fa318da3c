//! Counts what a core module has.

use wasmparser::{
    CompositeInnerType, ElementItems, ElementSectionReader, FunctionSectionReader,
    ImportSectionReader, Payload, TypeRef, TypeSectionReader,
};

use super::function::{self, Signature};
use super::{Stop, Totals, count};
use crate::limits::TABLE_ELEMENTS;

/// Functions of all modules; each costs the compiler time even where it is empty.
const FUNCTIONS: u64 = 50_000;
/// Imports, exports and globals of all modules.
const ITEMS: u64 = 200_000;
/// Memories that all modules define: the compiler makes an image of each.
const MEMORIES: u64 = 16;
/// Tables that all modules define.
const TABLES: u64 = 256;
/// Entries of all element segments.
const ELEMENTS: u64 = 2_000_000;

/// What an instance of a module needs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Needs {
    pub(super) memories: u64,
    pub(super) tables: u64,
}

/// A core module that is being read.
#[derive(Default)]
pub(super) struct Module {
    types: Vec<Signature>,
    /// The types of all functions, imported ones first.
    functions: Vec<u32>,
    imported: usize,
    bodies: usize,
    needs: Needs,
}

impl Module {
    pub(super) fn needs(&self) -> Needs {
        self.needs
    }

    pub(super) fn take(&mut self, payload: &Payload<'_>, totals: &mut Totals) -> Result<(), Stop> {
        let items = |totals: &mut Totals, more: u32| {
            count(
                &mut totals.items,
                u64::from(more),
                ITEMS,
                "imports, exports and globals of modules",
            )
        };
        #[allow(
            clippy::wildcard_enum_match_arm,
            reason = "the other sections cost no more than their bytes"
        )]
        match payload {
            Payload::TypeSection(types) => self.types(types.clone())?,
            Payload::ImportSection(imports) => self.imports(imports.clone(), totals)?,
            Payload::FunctionSection(functions) => self.functions(functions.clone(), totals)?,
            Payload::TableSection(tables) => {
                let defined = u64::from(tables.count());
                count(&mut totals.tables, defined, TABLES, "tables")?;
                self.needs.tables += defined;
                for table in tables.clone() {
                    let mut elements = 0;
                    let initial = table?.ty.initial;
                    let limit = TABLE_ELEMENTS as u64;
                    count(&mut elements, initial, limit, "elements in one table")?;
                }
            }
            Payload::MemorySection(memories) => {
                let defined = u64::from(memories.count());
                count(&mut totals.memories, defined, MEMORIES, "memories")?;
                self.needs.memories += defined;
            }
            Payload::GlobalSection(globals) => items(totals, globals.count())?,
            Payload::TagSection(tags) => items(totals, tags.count())?,
            Payload::ExportSection(exports) => items(totals, exports.count())?,
            Payload::ElementSection(segments) => elements(segments.clone(), totals)?,
            Payload::CodeSectionEntry(body) => {
                let own = self.imported.saturating_add(self.bodies);
                self.bodies += 1;
                let signature = self.signature(own);
                function::weigh(body, signature, self, totals)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the signature of a function; one that is not there is for the compiler to complain of.
    pub(super) fn signature(&self, function: usize) -> Signature {
        let declared = self.functions.get(function);
        declared
            .map(|&index| self.signature_of(index))
            .unwrap_or_default()
    }

    /// Returns the signature with this index.
    pub(super) fn signature_of(&self, index: u32) -> Signature {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        self.types.get(index).copied().unwrap_or_default()
    }

    fn types(&mut self, types: TypeSectionReader<'_>) -> Result<(), Stop> {
        for group in types {
            for declared in group?.into_types() {
                self.types.push(match &declared.composite_type.inner {
                    CompositeInnerType::Func(function) => Signature {
                        params: function.params().len() as u64,
                        results: function.results().len() as u64,
                    },
                    CompositeInnerType::Array(_)
                    | CompositeInnerType::Struct(_)
                    | CompositeInnerType::Cont(_) => Signature::default(),
                });
            }
        }
        Ok(())
    }

    fn imports(
        &mut self,
        imports: ImportSectionReader<'_>,
        totals: &mut Totals,
    ) -> Result<(), Stop> {
        for import in imports.into_imports() {
            let import = import?;
            let what = "imports, exports and globals of modules";
            count(&mut totals.items, 1, ITEMS, what)?;
            if let TypeRef::Func(index) | TypeRef::FuncExact(index) = import.ty {
                self.functions.push(index);
                self.imported += 1;
            }
        }
        Ok(())
    }

    fn functions(
        &mut self,
        functions: FunctionSectionReader<'_>,
        totals: &mut Totals,
    ) -> Result<(), Stop> {
        let defined = u64::from(functions.count());
        count(&mut totals.functions, defined, FUNCTIONS, "functions")?;
        for index in functions {
            self.functions.push(index?);
        }
        Ok(())
    }
}

fn elements(segments: ElementSectionReader<'_>, totals: &mut Totals) -> Result<(), Stop> {
    for segment in segments {
        let entries = match segment?.items {
            ElementItems::Functions(listed) => listed.count(),
            ElementItems::Expressions(_, listed) => listed.count(),
        };
        let what = "entries of element segments";
        count(
            &mut totals.elements,
            u64::from(entries).max(1),
            ELEMENTS,
            what,
        )?;
    }
    Ok(())
}
