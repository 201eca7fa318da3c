//! Bindings in the repository that `wit-bindgen` generates.

use std::fs;
use std::path::Path;

use crate::support::plugin_tools::ROOT;

/// The header in the SDK is the one that is compiled.
#[test]
fn the_c_header_matches_the_generator() {
    let generator = wit_bindgen_c::Opts::default().build();
    assert_generated_file_is_current(generator, "transform.h", "plugins/sdk-c/transform.h");
}

/// The generator is compiled for this test, and not for each plugin.
#[test]
fn the_rust_bindings_match_the_generator() {
    let options = wit_bindgen_rust::Opts {
        format: true,
        additional_derive_attributes: vec!["PartialEq".to_owned()],
        default_bindings_module: Some("synix_plugin::bindings".to_owned()),
        export_macro_name: Some("export_world".to_owned()),
        pub_export_macro: true,
        runtime_path: Some("synix_plugin::bindings::rt".to_owned()),
        ..Default::default()
    };
    let generator = Box::new(options.build());
    assert_generated_file_is_current(generator, "transform.rs", "plugins/sdk/src/generated.rs");
}

/// Compares the output of a generator for `wit/` with the file in the repository.
fn assert_generated_file_is_current(
    mut generator: Box<dyn wit_bindgen_core::WorldGenerator>,
    name: &str,
    path: &str,
) {
    let mut files = wit_bindgen_core::Files::default();
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(format!("{ROOT}/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("transform")).unwrap();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    let (_, component) = files.iter().find(|(file, _)| *file == name).unwrap();
    let artifacts = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&artifacts, component).unwrap();
    assert!(
        fs::read(format!("{ROOT}/{path}")).unwrap() == component,
        "{path} is not what `wit-bindgen` makes of wit/; that is {}",
        artifacts.display()
    );
}
