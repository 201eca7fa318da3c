//! Components made without an SDK: a handwritten one, and one that a third party makes from the published contract.
//!
//! Both are made as `wasm-tools component embed` and `wasm-tools component new` do it, in this process.

use std::fs;
use std::path::Path;
use std::process::Command;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::support::pipelines::{MODES, guest_layers};
use crate::support::plugin_tools::{expect_success, tool};
use crate::support::test_project::{TestProject, command_in};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const SMALLEST: &str = include_str!("../../guests/by_hand/smallest.wat");

/// Does what `wasm-tools component embed` does: adds the published contract to a core module.
fn embed(module: &mut Vec<u8>) {
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(format!("{ROOT}/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("transform")).unwrap();
    embed_component_metadata(module, &resolve, world, StringEncoding::UTF8).unwrap();
}

/// Does what `wasm-tools component new` does.
fn encode(module: &[u8]) -> Vec<u8> {
    let mut encoder = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .unwrap();
    encoder.encode().unwrap()
}

fn smallest() -> Vec<u8> {
    let mut module = wat::parse_str(SMALLEST).unwrap();
    embed(&mut module);
    encode(&module)
}

fn project_with_component(name: &str, component: &[u8]) -> TestProject {
    let project = TestProject::with_layers(&guest_layers(name));
    let path = project.path(&format!("plugins/{name}.wasm"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, component).unwrap();
    project.write("texts/jan.md", "Call Ann.");
    project.write("texts/feb.md", "Pay the rent.");
    project
}

#[test]
fn a_handwritten_component_makes_the_same_artifacts_in_every_mode() {
    let component = smallest();
    assert!(component.len() < 8 << 10, "{} bytes", component.len());
    let artifacts: Vec<_> = MODES
        .map(|mode| {
            let project = project_with_component("smallest", &component);
            project.build_in(mode).expect_code(0);
            project.artifacts()
        })
        .into();
    assert_eq!(artifacts[0].len(), 4);
    assert!(
        artifacts.iter().all(|other| *other == artifacts[0]),
        "{artifacts:?}"
    );
}

/// The documents tell the reader to run this check.
#[test]
fn a_handwritten_component_passes_the_whole_check() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("smallest.wasm"), smallest()).unwrap();
    let arguments = ["plugin", "check", "smallest.wasm"];
    let run = command_in(folder.path(), &arguments).run().expect_code(0);
    assert!(run.says("smallest: 20 passed, 0 failed"), "{run:?}");
}

#[test]
fn a_component_made_from_the_contract_alone_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = wit_bindgen_core::Files::default();
    let mut resolve = wit_bindgen_core::wit_parser::Resolve::default();
    let (package, _) = resolve.push_path(format!("{ROOT}/wit")).unwrap();
    let world = resolve.select_world(&[package], Some("transform")).unwrap();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).unwrap();
    for (name, bytes) in files.iter() {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    let source = Path::new(ROOT).join("tests/guests/by_hand/third_party.c");
    // The object that `wit-bindgen` makes contains the contract, so nothing is embedded.
    let mut zig = Command::new(tool("zig"));
    zig.args([
        "cc",
        "-target",
        "wasm32-wasi",
        "-mexec-model=reactor",
        "-Os",
        "-s",
    ])
    .args(["-o", "module.wasm", "-I", "."])
    .arg(source)
    .args(["transform.c", "transform_component_type.o"])
    .current_dir(folder.path());
    expect_success(&mut zig);
    let component = encode(&fs::read(folder.path().join("module.wasm")).unwrap());

    let project = project_with_component("third-party", &component);
    project.ok(&["build"]);
    let answer = project.content("made/jan");
    assert!(answer.starts_with('[') && answer.ends_with(']'), "{answer}");
    assert_eq!(project.sent(), 2);
}
