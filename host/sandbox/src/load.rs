//! From the bytes of a component to a plugin that can be called.

use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::Plugin;
use super::call;
use super::compile;
use super::convert;
use super::descriptor::Descriptor;
use super::engine::{CONTRACT, Core, MEMORIES, Sandbox, TABLES};
use super::error::{Fault, PluginError};
use super::form::{self, TooComplex};
use super::imports::State;
use super::limits::Limits;
use super::wasi;
use synix_contract::bindings::TransformPre;
use synix_core::digest::{Digest, Encoder};

const EXPORTS: [&str; 3] = ["describe", "split", "execute"];

/// A compiled plugin, linked to the imports.
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) descriptor: Descriptor,
    pub(super) transform: TransformPre<State>,
    /// Whether it imports WASI.
    pub(super) needs_wasi: bool,
    /// Keeps the clock of the wall limit running.
    pub(super) core: Arc<Core>,
}

impl Sandbox {
    /// Loads a component as the plugin `name`, which appears in its errors.
    ///
    /// Counts what compiling it would take and compiles it, unless the cache has it, and lets it describe itself once.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Plugin, PluginError> {
        let fails = |fault| PluginError::new(Some(name), fault);
        form::check(bytes).map_err(fails)?;
        let digest = Digest::of(bytes);
        let core = self.core();
        if let Some((component, descriptor)) = core
            .cache
            .as_ref()
            .and_then(|cache| cache.get(&core.engine, digest))
            && let Ok(transform) = link(core, &component)
        {
            return Ok(plugin(core, name, digest, descriptor, transform));
        }
        form::measure(bytes).map_err(fails)?;
        let component = compile::compile(core, bytes).map_err(fails)?;
        check_resources(&component).map_err(fails)?;
        check_world(core, &component).map_err(fails)?;
        let transform = link(core, &component).map_err(fails)?;
        let descriptor = describe(core, name, digest, &transform)?;
        if let Some(cache) = &core.cache {
            cache.put(digest, &component, &descriptor);
        }
        Ok(plugin(core, name, digest, descriptor, transform))
    }
}

fn plugin(
    core: &Arc<Core>,
    name: &str,
    digest: Digest,
    descriptor: Descriptor,
    transform: TransformPre<State>,
) -> Plugin {
    let name = name.to_owned();
    Plugin {
        loaded: Arc::new(Loaded {
            name,
            digest,
            descriptor,
            needs_wasi: needs_wasi(core, &transform),
            transform,
            core: Arc::clone(core),
        }),
    }
}

/// Refuses what the pool of memories would not hold, also where there is no pool.
fn check_resources(component: &Component) -> Result<(), Fault> {
    let Some(needed) = component.resources_required() else {
        return Ok(());
    };
    for (what, found, limit) in [
        ("memories of all instances", needed.num_memories, MEMORIES),
        ("tables of all instances", needed.num_tables, TABLES),
    ] {
        if found > limit {
            return Err(Fault::TooComplex(TooComplex {
                what,
                found: found.into(),
                limit: limit.into(),
            }));
        }
    }
    Ok(())
}

/// Compares the names of a component's imports and exports with the contract's.
fn check_world(core: &Core, component: &Component) -> Result<(), Fault> {
    let world = component.component_type();
    for (name, _) in world.imports(&core.engine) {
        if wasi::offers(name) {
            continue;
        }
        let Some((interface, version)) = in_contract(name) else {
            return Err(Fault::UnexpectedImport {
                name: name.to_owned(),
            });
        };
        let is_known = ["llm", "log", "types"].contains(&interface);
        if !is_compatible(version) || (!is_known && version != our_version()) {
            return Err(Fault::ContractVersion {
                found: name.to_owned(),
                offered: CONTRACT,
            });
        }
        if !is_known {
            return Err(Fault::UnexpectedImport {
                name: name.to_owned(),
            });
        }
    }
    for name in EXPORTS {
        let export = world.get_export(&core.engine, name);
        if !export.is_some_and(|export| matches!(export.ty, ComponentItem::ComponentFunc(_))) {
            return Err(Fault::MissingExport { name });
        }
    }
    Ok(())
}

/// Splits the name of one of the contract's interfaces from its version.
fn in_contract(import: &str) -> Option<(&str, &str)> {
    let interface = import.strip_prefix("synix:plugin/")?;
    Some(interface.split_once('@').unwrap_or((interface, "")))
}

fn our_version() -> &'static str {
    CONTRACT.rsplit_once('@').map_or("", |(_, version)| version)
}

/// Tells whether a version names the same contract: additions change only its last number.
fn is_compatible(version: &str) -> bool {
    let line = |version: &str| version.rsplit_once('.').map(|(line, _)| line.to_owned());
    line(version) == line(our_version())
}

fn link(core: &Core, component: &Component) -> Result<TransformPre<State>, Fault> {
    let linked = core
        .linker
        .instantiate_pre(component)
        .and_then(TransformPre::new);
    linked.map_err(|error| {
        // A compatible version may have a function that ours does not.
        let world = component.component_type();
        let other = world.imports(&core.engine).find_map(|(name, _)| {
            let (_, version) = in_contract(name)?;
            (version != our_version()).then(|| name.to_owned())
        });
        match other {
            Some(found) => Fault::ContractVersion {
                found,
                offered: CONTRACT,
            },
            None => Fault::WrongType {
                detail: format!("{error:#}"),
            },
        }
    })
}

fn needs_wasi(core: &Core, transform: &TransformPre<State>) -> bool {
    let world = transform.instance_pre().component().component_type();
    world
        .imports(&core.engine)
        .any(|(name, _)| wasi::is_wasi(name))
}

fn describe(
    core: &Core,
    name: &str,
    digest: Digest,
    transform: &TransformPre<State>,
) -> Result<Descriptor, PluginError> {
    let limits = Limits::default();
    let seed = Encoder::new("synix.describe.v1").digest(digest).finish();
    let entry = call::Entry {
        transform,
        interruption: &core.interruption,
        limits: &limits,
        seed,
    };
    let ended = entry.enter_aside(|transform, store| transform.call_describe(store));
    let settled = ended.settle(name, &limits, |claimed| {
        convert::claimed_descriptor(claimed)
            .check()
            .map_err(Fault::BadDescriptor)
    })?;
    Ok(settled.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compatible_when_only_its_last_number_differs() {
        assert!(is_compatible("0.1.0") && is_compatible("0.1.7"));
        for other in ["", "0", "0.2.0", "1.1.0", "0.1"] {
            assert!(!is_compatible(other), "{other:?}");
        }
    }
}
