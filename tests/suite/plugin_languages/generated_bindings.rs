//! Bindings in the repository that `wit-bindgen` generates.

use std::fs;
use std::path::Path;

use crate::support::plugin_tools::ROOT;

/// The version of the contract in `wit/`.
const CONTRACT_VERSION: &str = "0.1.1";

/// The header in the SDK is the one that is compiled.
#[test]
fn the_c_header_matches_the_generator() {
    let generator = wit_bindgen_c::Opts::default().build();
    let header = ("transform.h", "plugins/sdk-c/transform.h");
    assert_generated_file_is_current(generator, "transform", header);
}

/// The generator is compiled for this test, and not for each plugin.
#[test]
fn the_rust_bindings_match_the_generator() {
    let transform = wit_bindgen_rust::Opts {
        format: true,
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        default_bindings_module: Some("synix_plugin::bindings".to_owned()),
        export_macro_name: Some("export_world".to_owned()),
        pub_export_macro: true,
        runtime_path: Some("synix_plugin::bindings::rt".to_owned()),
        ..Default::default()
    };
    // A reader shares its types and the log with transforms.
    let shared = |interface: &str| {
        let path = format!("synix_plugin::bindings::synix::plugin::{interface}");
        let name = format!("synix:plugin/{interface}@{CONTRACT_VERSION}");
        (name, wit_bindgen_rust::WithOption::Path(path))
    };
    let reader = wit_bindgen_rust::Opts {
        default_bindings_module: Some("synix_plugin::bindings::reader".to_owned()),
        export_macro_name: Some("export_reader_world".to_owned()),
        with: vec![shared("types"), shared("log")],
        ..transform.clone()
    };
    let (transform, reader) = (Box::new(transform.build()), Box::new(reader.build()));
    let file = ("transform.rs", "plugins/sdk/src/generated.rs");
    assert_generated_file_is_current(transform, "transform", file);
    let file = ("reader.rs", "plugins/sdk/src/generated_reader.rs");
    assert_generated_file_is_current(reader, "reader", file);
}

/// Compares the output of a generator for a world of `wit/` with the file in the repository.
fn assert_generated_file_is_current(
    mut generator: Box<dyn wit_bindgen_core::WorldGenerator>,
    world: &str,
    (name, path): (&str, &str),
) {
    let mut files = wit_bindgen_core::Files::default();
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(format!("{ROOT}/wit")).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    let (_, generated) = files.iter().find(|(file, _)| *file == name).unwrap();
    let mut generated = String::from_utf8(generated.to_vec()).unwrap();
    if name == "reader.rs" {
        remove_import_section(&mut generated);
    }
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&written, &generated).unwrap();
    assert!(
        fs::read_to_string(format!("{ROOT}/{path}")).unwrap() == generated,
        "{path} is not what `wit-bindgen` makes of wit/; that is {}",
        written.display()
    );
}

/// Removes the section by which every component that links the SDK would import what only a reader needs. The macro that
/// exports a reader has one of its own.
fn remove_import_section(generated: &mut String) {
    let start = generated
        .rfind("#[rustfmt::skip]\n#[cfg(target_arch = \"wasm32\")]\n#[unsafe(")
        .unwrap();
    let length = generated[start..].find("\";\n").unwrap() + "\";\n".len();
    generated.replace_range(start..start + length, "");
}
