//! The worlds of the contract: what a component can be.

use std::fmt;

use wasmtime::component::InstancePre;
use wasmtime::{Store, component::Component};

use super::imports::State;
use synix_contract::bindings::reader::{Reader, ReaderPre};
use synix_contract::bindings::synix::plugin::types::Descriptor;
use synix_contract::bindings::{Transform, TransformPre};

/// What a component is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum World {
    /// A function from inputs and answers to outputs.
    Transform,
    /// A function from a file to artifacts.
    Reader,
}

impl World {
    /// Returns the functions that a component of this world exports.
    pub const fn exports(self) -> &'static [&'static str] {
        match self {
            Self::Transform => &["describe", "split", "execute"],
            Self::Reader => &["describe", "read"],
        }
    }

    /// Returns the interfaces of the contract that a component of this world may import.
    pub(super) const fn imports(self) -> &'static [&'static str] {
        match self {
            Self::Transform => &["embedding", "llm", "log", "types"],
            Self::Reader => &["log", "reading", "types"],
        }
    }

    /// Returns the functions that a component of this world exports, as a text.
    pub(super) const fn export_list(self) -> &'static str {
        match self {
            Self::Transform => "describe, split and execute",
            Self::Reader => "describe and read",
        }
    }

    /// Returns the other world.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Transform => Self::Reader,
            Self::Reader => Self::Transform,
        }
    }

    /// Returns how a pipeline file names a plugin of this world.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Transform => "name it as the `transform` of a layer",
            Self::Reader => "name it as `read` in a layer with a `source`",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Transform => "transform",
            Self::Reader => "reader",
        })
    }
}

/// A component of one world, linked to the imports.
pub(super) trait Linked: Sized + Send + Sync {
    /// The world.
    const WORLD: World;
    /// An instance of the component.
    type Instance;

    /// Takes a component that is linked, and finds the exports of the world.
    fn new(linked: InstancePre<State>) -> wasmtime::Result<Self>;

    fn linked(&self) -> &InstancePre<State>;

    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Self::Instance>;

    fn describe(
        instance: &Self::Instance,
        store: &mut Store<State>,
    ) -> wasmtime::Result<Descriptor>;

    fn component(&self) -> &Component {
        self.linked().component()
    }
}

impl Linked for TransformPre<State> {
    const WORLD: World = World::Transform;
    type Instance = Transform;

    fn new(linked: InstancePre<State>) -> wasmtime::Result<Self> {
        Self::new(linked)
    }

    fn linked(&self) -> &InstancePre<State> {
        self.instance_pre()
    }

    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Transform> {
        self.instantiate(store)
    }

    fn describe(instance: &Transform, store: &mut Store<State>) -> wasmtime::Result<Descriptor> {
        instance.call_describe(store)
    }
}

impl Linked for ReaderPre<State> {
    const WORLD: World = World::Reader;
    type Instance = Reader;

    fn new(linked: InstancePre<State>) -> wasmtime::Result<Self> {
        Self::new(linked)
    }

    fn linked(&self) -> &InstancePre<State> {
        self.instance_pre()
    }

    fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<Reader> {
        self.instantiate(store)
    }

    fn describe(instance: &Reader, store: &mut Store<State>) -> wasmtime::Result<Descriptor> {
        instance.call_describe(store)
    }
}
