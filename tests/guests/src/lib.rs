//! What the guests in `examples/` share.
//!
//! Each example is a transform that misbehaves in one way, or behaves in a way that only a test wants. A new file there
//! also needs its `[[example]]` in `Cargo.toml`; without one it does not compile.

pub mod wasi;

/// The config of a transform that has none.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}

impl NoConfig {
    /// Its JSON Schema.
    pub const SCHEMA: &'static str = r#"{"type": "object", "additionalProperties": false}"#;
}

/// Exports a transform without config that turns each input into outputs with one function; it declares `llm` unless told otherwise.
#[macro_export]
macro_rules! guest {
    ($name:literal, $run:path) => {
        $crate::guest!($name, $run, ["llm"]);
    };
    ($name:literal, $run:path, [$($capability:literal),*]) => {
        struct Guest;

        impl ::synix_plugin::Transform for Guest {
            const NAME: &'static str = $name;
            const VERSION: &'static str = "0.1.0";
            const SUMMARY: &'static str = "A guest for tests";
            const SHAPE: ::synix_plugin::Shape = ::synix_plugin::Shape::PerInput;
            const CAPABILITIES: &'static [&'static str] = &[$($capability),*];
            type Config = $crate::NoConfig;

            fn config_schema() -> String {
                $crate::NoConfig::SCHEMA.to_owned()
            }

            fn execute(
                _: &::synix_plugin::Unit,
                inputs: &[::synix_plugin::Input],
                _: &Self::Config,
            ) -> Result<Vec<::synix_plugin::Output>, ::synix_plugin::Error> {
                let mut outputs = Vec::new();
                for input in inputs {
                    outputs.extend($run(input)?);
                }
                Ok(outputs)
            }
        }

        ::synix_plugin::export!(Guest);
    };
}
