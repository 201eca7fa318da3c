//! Loads a component: compiles it, links it and gets its descriptor.

use std::sync::Arc;

use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use super::Plugin;
use super::compile;
use super::complexity::{self, TooComplex};
use super::convert;
use super::descriptor::Descriptor;
use super::engine::{CONTRACT, MEMORIES, Sandbox, Shared, TABLES};
use super::error::PluginError;
use super::fault::Fault;
use super::invocation::Invocation;
use super::limits::Limits;
use super::reader::ReaderPlugin;
use super::wasi;
use super::world::{Linked, World};
use synix_core::digest::{Digest, Encoder};

/// A compiled plugin, linked to the imports.
pub(super) struct Loaded<L> {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) descriptor: Descriptor,
    pub(super) linked: L,
    /// Whether it imports WASI.
    pub(super) needs_wasi: bool,
    /// Keeps the thread alive that checks the time limit.
    pub(super) shared: Arc<Shared>,
}

impl Sandbox {
    /// Loads a component as the transform `name`; errors contain the name.
    ///
    /// Takes the compiled component from the cache if possible. Otherwise checks its complexity, compiles it and calls
    /// its `describe`.
    pub fn load(&self, name: &str, bytes: &[u8]) -> Result<Plugin, PluginError> {
        let loaded = Arc::new(load(self.shared(), name, bytes)?);
        Ok(Plugin { loaded })
    }

    /// Loads a component as the reader `name`, like [`Sandbox::load`].
    pub fn load_reader(&self, name: &str, bytes: &[u8]) -> Result<ReaderPlugin, PluginError> {
        let loaded = Arc::new(load(self.shared(), name, bytes)?);
        Ok(ReaderPlugin { loaded })
    }
}

fn load<L: Linked>(
    shared: &Arc<Shared>,
    name: &str,
    bytes: &[u8],
) -> Result<Loaded<L>, PluginError> {
    let plugin_error = |fault| PluginError::new(Some(name), fault);
    complexity::check_header(bytes).map_err(plugin_error)?;
    let digest = Digest::of(bytes);
    let loaded = |linked: L, descriptor| Loaded {
        name: name.to_owned(),
        digest,
        descriptor,
        needs_wasi: needs_wasi(shared, linked.component()),
        linked,
        shared: Arc::clone(shared),
    };
    if let Some((component, descriptor)) = shared
        .cache
        .as_ref()
        .and_then(|cache| cache.get(&shared.engine, digest))
    {
        // A component of the other world may be in the cache too.
        check_world(shared, &component, L::WORLD).map_err(plugin_error)?;
        if let Ok(linked) = link(shared, &component) {
            return Ok(loaded(linked, descriptor));
        }
    }
    complexity::check_complexity(bytes).map_err(plugin_error)?;
    let component = compile::compile(shared, bytes).map_err(plugin_error)?;
    check_resources(&component).map_err(plugin_error)?;
    check_world(shared, &component, L::WORLD).map_err(plugin_error)?;
    let linked = link(shared, &component).map_err(plugin_error)?;
    let descriptor = describe(shared, name, digest, &linked)?;
    if let Some(cache) = &shared.cache {
        cache.put(digest, &component, &descriptor);
    }
    Ok(loaded(linked, descriptor))
}

/// Refuses a component that does not fit into the pool of memories, even if there is no pool.
fn check_resources(component: &Component) -> Result<(), Fault> {
    let Some(required) = component.resources_required() else {
        return Ok(());
    };
    for (what, found, limit) in [
        ("memories of all instances", required.num_memories, MEMORIES),
        ("tables of all instances", required.num_tables, TABLES),
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

/// Checks the names of a component's imports and exports against those of a world.
fn check_world(shared: &Shared, component: &Component, wanted: World) -> Result<(), Fault> {
    let types = component.component_type();
    let missing = |world: World| {
        world.exports().iter().copied().find(|name| {
            let export = types.get_export(&shared.engine, name);
            !export.is_some_and(|export| matches!(export.ty, ComponentItem::ComponentFunc(_)))
        })
    };
    let other = wanted.other();
    if missing(wanted).is_some() && missing(other).is_none() {
        return Err(Fault::WrongWorld { found: other });
    }
    for (name, import) in types.imports(&shared.engine) {
        // The world of readers imports the type of the file by its name. It is that of the interface.
        let is_file_type = wanted == World::Reader
            && name == "file"
            && matches!(
                import.ty,
                ComponentItem::Resource(_) | ComponentItem::Type(_)
            );
        if wasi::is_offered(name) || is_file_type {
            continue;
        }
        let Some((interface, version)) = parse_contract_import(name) else {
            return Err(Fault::UnexpectedImport {
                name: name.to_owned(),
            });
        };
        let is_known = wanted.imports().contains(&interface);
        if !is_compatible_version(version) || (!is_known && version != host_version()) {
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
    match missing(wanted) {
        Some(name) => Err(Fault::MissingExport {
            name,
            world: wanted,
        }),
        None => Ok(()),
    }
}

/// Splits an import of the contract into the interface and its version.
fn parse_contract_import(import: &str) -> Option<(&str, &str)> {
    let interface = import.strip_prefix("synix:plugin/")?;
    Some(interface.split_once('@').unwrap_or((interface, "")))
}

fn host_version() -> &'static str {
    CONTRACT.rsplit_once('@').map_or("", |(_, version)| version)
}

/// Returns whether a version of the contract is compatible: additions change only its last number.
fn is_compatible_version(version: &str) -> bool {
    let release = |version: &str| {
        version
            .rsplit_once('.')
            .map(|(release, _)| release.to_owned())
    };
    release(version) == release(host_version())
}

fn link<L: Linked>(shared: &Shared, component: &Component) -> Result<L, Fault> {
    let linked = shared.linker.instantiate_pre(component).and_then(L::new);
    linked.map_err(|error| {
        // A compatible version may have a function that this host does not have.
        let world = component.component_type();
        let other = world.imports(&shared.engine).find_map(|(name, _)| {
            let (_, version) = parse_contract_import(name)?;
            (version != host_version()).then(|| name.to_owned())
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

fn needs_wasi(shared: &Shared, component: &Component) -> bool {
    component
        .component_type()
        .imports(&shared.engine)
        .any(|(name, _)| wasi::is_wasi(name))
}

fn describe<L: Linked>(
    shared: &Shared,
    name: &str,
    digest: Digest,
    linked: &L,
) -> Result<Descriptor, PluginError> {
    let limits = Limits::default();
    let seed = Encoder::new("synix.describe.v1").digest(digest).finish();
    let invocation = Invocation {
        linked,
        interruption: &shared.interruption,
        limits: &limits,
        seed,
    };
    let call_result = invocation.invoke_on_new_thread(L::describe);
    let finished = call_result.finish(name, &limits, |raw| {
        convert::raw_descriptor(raw)
            .check()
            .map_err(Fault::InvalidDescriptor)
    })?;
    Ok(finished.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_compatible_when_only_its_last_number_differs() {
        assert!(is_compatible_version("0.1.0") && is_compatible_version("0.1.7"));
        for other in ["", "0", "0.2.0", "1.1.0", "0.1"] {
            assert!(!is_compatible_version(other), "{other:?}");
        }
    }
}
