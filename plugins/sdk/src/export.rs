//! Exports a [`Transform`] or a [`Reader`] as a component.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::{Guest, reader};
use crate::{Descriptor, Error, Header, Input, Output, Reader, Shape, Transform, Unit};

/// Exports a [`Transform`] as that of the component.
#[macro_export]
macro_rules! export {
    ($transform:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::Exported<$transform>;
    $crate::bindings::export_world!(Exported with_types_in $crate::bindings);
        };
        // Outside of WebAssembly nothing is exported, but the compiler checks that the type is a transform.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Descriptor = $crate::Exported::<$transform>::described;
    };
}

/// Makes a [`Reader`] the component's one.
#[macro_export]
macro_rules! export_reader {
    ($reader:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::ExportedReader<$reader>;
            $crate::bindings::reader::export_reader_world!(Exported with_types_in $crate::bindings::reader);
        };
        // Off WebAssembly nothing is exported; that the type is a reader is checked all the same.
        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Descriptor = $crate::ExportedReader::<$reader>::described;
    };
}

/// The exports of the transform `T`.
#[derive(Debug)]
pub struct Exported<T>(PhantomData<T>);

impl<T: Transform> Exported<T> {
    /// Returns the descriptor of `T`.
    pub fn described() -> Descriptor {
        <Self as Guest>::describe()
    }
}

impl<T: Transform> Guest for Exported<T> {
    fn describe() -> Descriptor {
        report_panics();
        Descriptor {
            name: T::NAME.to_owned(),
            version: T::VERSION.to_owned(),
            summary: T::SUMMARY.to_owned(),
            config_schema: T::config_schema(),
            capabilities: T::CAPABILITIES
                .iter()
                .map(|&name| name.to_owned())
                .collect(),
            shape: T::SHAPE,
        }
    }

    fn split(inputs: Vec<Header>, config: String) -> Result<Vec<Unit>, Error> {
        report_panics();
        T::split(&inputs, &read_config(&config)?)
    }

    fn execute(unit: Unit, inputs: Vec<Input>, config: String) -> Result<Vec<Output>, Error> {
        report_panics();
        T::execute(&unit, &inputs, &read_config(&config)?)
    }
}

/// The exports of the reader `R`.
#[derive(Debug)]
pub struct ExportedReader<R>(PhantomData<R>);

impl<R: Reader> ExportedReader<R> {
    /// Returns what `R` says of itself.
    pub fn described() -> Descriptor {
        report_panics();
        Descriptor {
            name: R::NAME.to_owned(),
            version: R::VERSION.to_owned(),
            summary: R::SUMMARY.to_owned(),
            config_schema: R::config_schema(),
            capabilities: Vec::new(),
            shape: Shape::PerInput,
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn run(file: &crate::reading::File<'_>, config: &str) -> Result<(), Error> {
        R::read(file, &read_config(config)?)
    }
}

impl<R: Reader> reader::Guest for ExportedReader<R> {
    fn describe() -> Descriptor {
        Self::described()
    }

    #[cfg(target_arch = "wasm32")]
    fn read(file: &reader::synix::plugin::reading::File, config: String) -> Result<(), Error> {
        report_panics();
        R::read(&crate::reading::File::new(file), &read_config(&config)?)
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn read(_: &reader::synix::plugin::reading::File, _: String) -> Result<(), Error> {
        unreachable!("a handle of the host exists in WebAssembly only")
    }
}

fn read_config<C: DeserializeOwned>(config: &str) -> Result<C, Error> {
    serde_json::from_str(config).map_err(|error| Error::InvalidConfig(error.to_string()))
}

/// A trap has no message, so the message of a panic is logged first.
fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        crate::log::write(crate::log::Level::Error, &panic.to_string());
    }));
}
