//! One interface of WASI, as it is filled.
//!
//! Each way in, the end of a resource included, costs the guest fuel.

use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, Lift, LinkerInstance, Lower, Resource, ResourceType,
};

use super::Linker;
use crate::imports::State;

/// The newest version that is known; a component may ask for any patch of it.
const VERSION: &str = "0.2.12";

/// An interface that is being filled.
pub(super) struct Interface<'a>(LinkerInstance<'a, State>);

/// Begins the interface `name`, as in `io/poll`.
pub(super) fn instance<'a>(linker: &'a mut Linker, name: &str) -> wasmtime::Result<Interface<'a>> {
    linker
        .instance(&format!("wasi:{name}@{VERSION}"))
        .map(Interface)
}

impl Interface<'_> {
    /// Adds a function.
    pub(super) fn function<Params, Return>(
        &mut self,
        name: &str,
        act: impl Fn(&mut State, Params) -> wasmtime::Result<Return> + Send + Sync + 'static,
    ) -> wasmtime::Result<()>
    where
        Params: ComponentNamedList + Lift + 'static,
        Return: ComponentNamedList + Lower + 'static,
    {
        let act = move |mut store: StoreContextMut<'_, State>, params: Params| {
            act(store.data_mut().entered(), params)
        };
        self.0.func_wrap(name, act)
    }

    /// Adds a type of resource, which is taken from the table when the guest lets it go.
    pub(super) fn resource<T: Send + 'static>(&mut self, name: &str) -> wasmtime::Result<()> {
        self.0
            .resource(name, ResourceType::host::<T>(), |mut store, index| {
                let table = &mut store.data_mut().entered().wasi.open().table;
                table.delete(Resource::<T>::new_own(index))?;
                Ok(())
            })
    }

    /// Adds a type of resource that no guest is ever given, with its methods.
    pub(super) fn unfilled<T: Send + 'static>(
        &mut self,
        name: &str,
        methods: &[&str],
    ) -> wasmtime::Result<()> {
        self.resource::<T>(name)?;
        for method in methods {
            self.unreachable(&format!("[method]{name}.{method}"))?;
        }
        Ok(())
    }

    /// Adds a function that needs what no guest is ever given.
    pub(super) fn unreachable(&mut self, name: &str) -> wasmtime::Result<()> {
        self.0.func_new(name, |_, _, _, _| {
            Err(wasmtime::Error::msg("the host has nothing behind it"))
        })
    }
}
