//! Adds the functions and resources of one WASI interface to the linker.
//!
//! Each call, including the drop of a resource, costs the guest fuel.

use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, Lift, LinkerInstance, Lower, Resource, ResourceType,
};

use super::Linker;
use crate::imports::State;

/// The newest known version; a component may import any patch version.
const VERSION: &str = "0.2.12";

/// An interface to which functions are added.
pub(super) struct Interface<'a>(LinkerInstance<'a, State>);

/// Returns the interface `name`, such as `io/poll`.
pub(super) fn instance<'a>(linker: &'a mut Linker, name: &str) -> wasmtime::Result<Interface<'a>> {
    linker
        .instance(&format!("wasi:{name}@{VERSION}"))
        .map(Interface)
}

impl Interface<'_> {
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
            act(store.data_mut().charge_call(), params)
        };
        self.0.func_wrap(name, act)
    }

    /// Adds a resource type. A resource is removed from the table when the guest drops it.
    pub(super) fn resource<T: Send + 'static>(&mut self, name: &str) -> wasmtime::Result<()> {
        self.0
            .resource(name, ResourceType::host::<T>(), |mut store, index| {
                let table = &mut store.data_mut().charge_call().wasi.resources().table;
                table.delete(Resource::<T>::new_own(index))?;
                Ok(())
            })
    }

    /// Adds a resource type of which no guest gets a resource, with its methods.
    pub(super) fn stub_resource<T: Send + 'static>(
        &mut self,
        name: &str,
        methods: &[&str],
    ) -> wasmtime::Result<()> {
        self.resource::<T>(name)?;
        for method in methods {
            self.stub_function(&format!("[method]{name}.{method}"))?;
        }
        Ok(())
    }

    /// Adds a function that fails, because its arguments are resources that no guest gets.
    pub(super) fn stub_function(&mut self, name: &str) -> wasmtime::Result<()> {
        self.0.func_new(name, |_, _, _, _| {
            Err(wasmtime::Error::msg(
                "the host does not implement this function",
            ))
        })
    }
}
