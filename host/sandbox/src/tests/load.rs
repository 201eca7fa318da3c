//! Loading components, valid and invalid ones.

use proptest::prelude::*;
use synix_test_edits as edits;

use super::*;

#[test]
fn the_contract_is_the_one_in_wit() {
    let wit = include_str!("../../../../wit/world.wit");
    assert!(wit.contains(&format!("package {};", Sandbox::contract())));
}

#[test]
fn a_plugin_is_described_when_it_is_loaded() {
    let plugin = load(&Guest::default());
    let descriptor = plugin.descriptor();
    assert_eq!(
        (descriptor.name.as_str(), descriptor.version.as_str()),
        ("guest", "1.0.0")
    );
    assert_eq!(
        (descriptor.shape, descriptor.declares_llm()),
        (Shape::Grouped, true)
    );
}

fn load_fault(bytes: &[u8]) -> Fault {
    *sandbox().load("guest", bytes).unwrap_err().fault
}

#[test]
fn a_truncated_component_is_corrupt() {
    let component = Guest::default().component();
    assert!(matches!(
        load_fault(&component[..component.len() - 100]),
        Fault::Corrupt { .. }
    ));
}

#[test]
fn an_incompatible_world_is_named() {
    let fault = |text: &str| load_fault(&wat::parse_str(text).unwrap());
    assert!(matches!(
        fault("(component)"),
        Fault::MissingExport {
            name: "describe",
            world: World::Transform,
        }
    ));
    assert!(matches!(
        fault(r#"(component (import "wasi:http/types@0.2.0" (instance)))"#),
        Fault::UnexpectedImport { name } if name == "wasi:http/types@0.2.0"
    ));
    assert!(matches!(
        fault(r#"(component (import "synix:plugin/llm@0.2.0" (instance)))"#),
        Fault::ContractVersion { found, .. } if found == "synix:plugin/llm@0.2.0"
    ));
    let with = |import: &str| {
        format!(
            r#"(component {import}
                (core module $m (func (export "f") (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func $f (result u32) (canon lift (core func $i "f")))
                (export "describe" (func $f)) (export "split" (func $f)) (export "execute" (func $f)))"#
        )
    };
    assert!(matches!(fault(&with("")), Fault::WrongType { .. }));
    for newer in ["synix:plugin/search@0.1.9", "synix:plugin/log@0.1.9"] {
        let import = format!(r#"(import "{newer}" (instance (export "read" (func))))"#);
        assert!(matches!(
            fault(&with(&import)),
            Fault::ContractVersion { found, .. } if found == newer
        ));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_modified_component_is_loaded_or_refused_by_name(edits in edits::edits()) {
        let good = Guest::default().component();
        let bytes = edits::changed(&good, &edits);
        match sandbox().load("changed", &bytes) {
            Ok(plugin) => prop_assert!(plugin.descriptor().config_schema.is_object()),
            Err(error) => prop_assert!(error.to_string().starts_with("plugin changed: ")),
        }
    }
}

/// Compiling without limits must be an explicit choice.
#[test]
fn a_sandbox_without_a_compiler_reports_it() {
    let sandbox = Sandbox::with_compiler(1, None, Compiler::default()).unwrap();
    let error = sandbox
        .load("guest", &Guest::default().component())
        .unwrap_err();
    let Fault::NotCompiled(failure) = *error.fault else {
        panic!("{error:?}");
    };
    assert!(matches!(&failure, CompileFailure::Disabled { .. }));
    assert!(
        failure.to_string().contains("Options::compiler"),
        "{failure}"
    );
}
