//! Counts what one instance of a component needs, including all instances within it.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Instance, Payload,
};

use super::module::InstanceResources;
use super::{CountError, Frame, TooComplex, count};
use crate::engine::{CORE_INSTANCES, MEMORIES, TABLES};

/// The maximum number of instances of components, including nested ones.
const INSTANCES: u64 = 1000;
/// The maximum number of imports, exports, aliases, arguments and functions of components, counted for each instance.
const ITEMS: u64 = 200_000;

/// What one instance of a component needs.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    instances: u64,
    core_instances: u64,
    memories: u64,
    tables: u64,
    items: u64,
}

impl Cost {
    fn add(&mut self, other: Self) -> Result<(), CountError> {
        count(
            &mut self.instances,
            other.instances,
            INSTANCES,
            "instances of components",
        )?;
        count(
            &mut self.core_instances,
            other.core_instances,
            CORE_INSTANCES.into(),
            "instances of modules",
        )?;
        count(
            &mut self.memories,
            other.memories,
            MEMORIES.into(),
            "memories of all instances",
        )?;
        count(
            &mut self.tables,
            other.tables,
            TABLES.into(),
            "tables of all instances",
        )?;
        count(
            &mut self.items,
            other.items,
            ITEMS,
            "items of components, counted for each instance",
        )
    }
}

/// The index spaces and counts of a component that is being read.
#[derive(Default)]
pub(super) struct Scope {
    /// What an instance of each module in the index space needs.
    modules: Vec<InstanceResources>,
    components: Vec<Cost>,
    own: Cost,
}

impl Scope {
    pub(super) fn cost(&self) -> Cost {
        self.own
    }

    pub(super) fn add_module(&mut self, resources: InstanceResources) {
        self.modules.push(resources);
    }

    pub(super) fn add_component(&mut self, cost: Cost) {
        self.components.push(cost);
    }

    fn items(&mut self, items: u64) -> Result<(), CountError> {
        self.own.add(Cost {
            items,
            ..Cost::default()
        })
    }
}

/// Counts a section of the innermost frame, which is a component.
pub(super) fn count_section(frames: &mut [Frame], payload: &Payload<'_>) -> Result<(), CountError> {
    #[allow(
        clippy::wildcard_enum_match_arm,
        reason = "the cost of the other sections is proportional to their bytes"
    )]
    match payload {
        Payload::ComponentImportSection(imports) => {
            let scope = innermost(frames)?;
            scope.items(imports.count().into())?;
            for import in imports.clone() {
                match import?.ty {
                    ComponentTypeRef::Component(_) => return Err(component_as_value()),
                    // The module that is passed is counted where it is defined.
                    ComponentTypeRef::Module(_) => scope.add_module(InstanceResources::default()),
                    ComponentTypeRef::Func(_)
                    | ComponentTypeRef::Value(_)
                    | ComponentTypeRef::Type(_)
                    | ComponentTypeRef::Instance(_) => {}
                }
            }
        }
        Payload::ComponentExportSection(exports) => {
            let scope = innermost(frames)?;
            scope.items(exports.count().into())?;
            for export in exports.clone() {
                let export = export?;
                if export.kind == ComponentExternalKind::Component {
                    return Err(component_as_value());
                }
                // An export adds an item to the index space of its kind.
                if export.kind == ComponentExternalKind::Module {
                    let resources = module(scope, export.index);
                    scope.add_module(resources);
                }
            }
        }
        Payload::ComponentAliasSection(aliases) => {
            innermost(frames)?.items(aliases.count().into())?;
            for alias in aliases.clone() {
                self::alias(frames, &alias?)?;
            }
        }
        Payload::ComponentCanonicalSection(functions) => {
            innermost(frames)?.items(functions.count().into())?;
        }
        Payload::InstanceSection(instances) => {
            let scope = innermost(frames)?;
            for instance in instances.clone() {
                match instance? {
                    Instance::Instantiate { module_index, args } => {
                        let resources = module(scope, module_index);
                        scope.own.add(Cost {
                            core_instances: 1,
                            memories: resources.memories,
                            tables: resources.tables,
                            items: 1 + args.len() as u64,
                            ..Cost::default()
                        })?;
                    }
                    Instance::FromExports(exports) => scope.items(1 + exports.len() as u64)?,
                }
            }
        }
        Payload::ComponentInstanceSection(instances) => {
            let scope = innermost(frames)?;
            for instance in instances.clone() {
                match instance? {
                    ComponentInstance::Instantiate {
                        component_index,
                        args,
                    } => {
                        for arg in &args {
                            if arg.kind == ComponentExternalKind::Component {
                                return Err(component_as_value());
                            }
                        }
                        let index = usize::try_from(component_index).unwrap_or(usize::MAX);
                        let inner = scope.components.get(index).copied().unwrap_or_default();
                        scope.own.add(Cost {
                            instances: inner.instances.saturating_add(1),
                            items: inner.items.saturating_add(1 + args.len() as u64),
                            ..inner
                        })?;
                    }
                    ComponentInstance::FromExports(exports) => {
                        scope.items(1 + exports.len() as u64)?;
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn innermost(frames: &mut [Frame]) -> Result<&mut Scope, CountError> {
    match frames.last_mut() {
        Some(Frame::Component(scope)) => Ok(scope),
        // The caller has checked that the innermost frame is a component.
        Some(Frame::Module(_)) | None => Err(component_as_value()),
    }
}

fn module(scope: &Scope, index: u32) -> InstanceResources {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    scope.modules.get(index).copied().unwrap_or_default()
}

fn alias(frames: &mut [Frame], alias: &ComponentAlias<'_>) -> Result<(), CountError> {
    match alias {
        ComponentAlias::InstanceExport { kind, .. } => match kind {
            ComponentExternalKind::Component => return Err(component_as_value()),
            ComponentExternalKind::Module => {
                innermost(frames)?.add_module(InstanceResources::default());
            }
            ComponentExternalKind::Func
            | ComponentExternalKind::Value
            | ComponentExternalKind::Type
            | ComponentExternalKind::Instance => {}
        },
        ComponentAlias::CoreInstanceExport { .. } => {}
        ComponentAlias::Outer { kind, count, index } => {
            let depth = usize::try_from(*count).unwrap_or(usize::MAX);
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            let outer = match frames.iter().rev().nth(depth) {
                Some(Frame::Component(scope)) => Some(scope),
                Some(Frame::Module(_)) | None => None,
            };
            match kind {
                ComponentOuterAliasKind::CoreModule => {
                    let resources = outer.and_then(|scope| scope.modules.get(index).copied());
                    innermost(frames)?.add_module(resources.unwrap_or_default());
                }
                ComponentOuterAliasKind::Component => {
                    let cost = outer.and_then(|scope| scope.components.get(index).copied());
                    innermost(frames)?.add_component(cost.unwrap_or_default());
                }
                ComponentOuterAliasKind::CoreType | ComponentOuterAliasKind::Type => {}
            }
        }
    }
    Ok(())
}

/// Returns the error for a component that is used as a value: the bytes of the component that receives it do not show
/// what it costs.
fn component_as_value() -> CountError {
    CountError::Complex(TooComplex {
        what: "components that are imported, exported or passed as arguments",
        found: 1,
        limit: 0,
    })
}
