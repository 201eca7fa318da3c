//! Counts the parts of a core module.

use wasmparser::{
    CompositeInnerType, ElementItems, ElementSectionReader, FunctionSectionReader,
    ImportSectionReader, Payload, TypeRef, TypeSectionReader,
};

use super::function::{self, Signature};
use super::{CountError, Totals, count};
use crate::limits::TABLE_ELEMENTS;

/// The maximum number of functions of all modules; even an empty one costs time.
const FUNCTIONS: u64 = 50_000;
/// The maximum number of imports, exports and globals of all modules.
const ITEMS: u64 = 200_000;
/// The maximum number of memories of all modules: the compiler makes an image of each.
const MEMORIES: u64 = 16;
/// The maximum number of tables of all modules.
const TABLES: u64 = 256;
/// The maximum number of entries of all element segments.
const ELEMENTS: u64 = 2_000_000;

/// What an instance of a module needs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct InstanceResources {
    pub(super) memories: u64,
    pub(super) tables: u64,
}

/// The index spaces and counts of a core module that is being read.
#[derive(Default)]
pub(super) struct Module {
    types: Vec<Signature>,
    /// The type indexes of all functions; imported functions come first.
    functions: Vec<u32>,
    imported: usize,
    bodies: usize,
    resources: InstanceResources,
}

impl Module {
    pub(super) fn resources(&self) -> InstanceResources {
        self.resources
    }

    pub(super) fn count_section(
        &mut self,
        payload: &Payload<'_>,
        totals: &mut Totals,
    ) -> Result<(), CountError> {
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
            reason = "the cost of the other sections is proportional to their bytes"
        )]
        match payload {
            Payload::TypeSection(types) => self.types(types.clone())?,
            Payload::ImportSection(imports) => self.imports(imports.clone(), totals)?,
            Payload::FunctionSection(functions) => self.functions(functions.clone(), totals)?,
            Payload::TableSection(tables) => {
                let defined = u64::from(tables.count());
                count(&mut totals.tables, defined, TABLES, "tables")?;
                self.resources.tables += defined;
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
                self.resources.memories += defined;
            }
            Payload::GlobalSection(globals) => items(totals, globals.count())?,
            Payload::TagSection(tags) => items(totals, tags.count())?,
            Payload::ExportSection(exports) => items(totals, exports.count())?,
            Payload::ElementSection(segments) => elements(segments.clone(), totals)?,
            Payload::CodeSectionEntry(body) => {
                let own = self.imported.saturating_add(self.bodies);
                self.bodies += 1;
                let signature = self.signature(own);
                function::count_function(body, signature, self, totals)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Returns the signature of a function. The compiler reports an invalid index.
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

    fn types(&mut self, types: TypeSectionReader<'_>) -> Result<(), CountError> {
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
    ) -> Result<(), CountError> {
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
    ) -> Result<(), CountError> {
        let defined = u64::from(functions.count());
        count(&mut totals.functions, defined, FUNCTIONS, "functions")?;
        for index in functions {
            self.functions.push(index?);
        }
        Ok(())
    }
}

fn elements(segments: ElementSectionReader<'_>, totals: &mut Totals) -> Result<(), CountError> {
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
