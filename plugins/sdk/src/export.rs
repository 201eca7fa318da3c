//! Exports a [`Transform`] as a component.

use std::marker::PhantomData;

use crate::bindings::Guest;
use crate::{Descriptor, Error, Header, Input, Output, Transform, Unit};

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

/// The exports of `T`.
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
        T::split(&inputs, &read_config::<T>(&config)?)
    }

    fn execute(unit: Unit, inputs: Vec<Input>, config: String) -> Result<Vec<Output>, Error> {
        report_panics();
        T::execute(&unit, &inputs, &read_config::<T>(&config)?)
    }
}

fn read_config<T: Transform>(config: &str) -> Result<T::Config, Error> {
    serde_json::from_str(config).map_err(|error| Error::InvalidConfig(error.to_string()))
}

/// A trap has no message, so the message of a panic is logged first.
fn report_panics() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        crate::log::write(crate::log::Level::Error, &panic.to_string());
    }));
}
