//! Small components and schemas that are costly: each command ends with a message, within 2 GB of address space and
//! without a process that keeps running, even if no rule of structure refuses them.
//!
//! Only Linux limits the address space of a process in this way.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;

use crate::support::costly_components::{costly_to_compile, module, nested_schema, with_schema};
use crate::support::invocation::Run;
use crate::support::pipelines::guest_layers;
use crate::support::processes::with_kernel_limits;
use crate::support::test_project::{TestProject, command_in};

/// Runs `plugin inspect` on a component, with an empty cache.
fn inspect(component: &[u8]) -> Run {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("p.wasm"), component).unwrap();
    let mut command = command_in(folder.path(), &["plugin", "inspect", "p.wasm"]);
    command.env("SYNIX_CACHE_DIR", folder.path().join("cache"));
    Run::of(&mut with_kernel_limits(&command))
}

/// W6: rows 53 to 56 of the attacks, and others of their kind.
#[test]
fn a_component_that_is_costly_to_compile_is_refused_with_a_message() {
    for (attack, component, message) in costly_to_compile() {
        let run = inspect(&component);
        assert_eq!(run.code, 1, "{attack}: {run:?}");
        assert!(
            run.says("cannot be compiled: it has") && run.says(message),
            "{attack}: {run:?}"
        );
    }
}

/// A component that passes the rules and is still costly ends with the process that compiles it.
#[test]
fn the_compiler_process_obeys_its_limits() {
    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;

    const SIGXCPU: i32 = 24;
    let body = "(i32.add (i32.const 1) (i32.const 2)) drop ".repeat(20);
    let component = module(&format!("(func {body})").repeat(40_000));
    let folder = tempfile::tempdir().unwrap();
    let compile = |bytes: &str, seconds: &str| {
        let mut command =
            command_in(folder.path(), &["__compile", "pool", bytes, seconds]).process();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // It may exit before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(&component);
        child.wait_with_output().unwrap()
    };
    let slow = compile("4000000000", "1");
    assert_eq!(slow.status.signal(), Some(SIGXCPU), "{:?}", slow.status);
    let large = compile("200000000", "600");
    assert!(!large.status.success(), "{:?}", large.status);
    assert!(large.stdout.is_empty());
    // No user types this command. If typed, it does nothing.
    let typed = command_in(folder.path(), &["__compile"]).run_process();
    assert_eq!(typed.code, 1, "{typed:?}");
}

fn project_with_component(component: &[u8], config: &str) -> TestProject {
    let layers = format!("{}[layers.made.config]\n{config}\n", guest_layers("bomb"));
    let project = TestProject::with_layers(&layers);
    let path = project.path("plugins/bomb.wasm");
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
    fs::write(path, component).unwrap();
    project.write("texts/one.md", "One.");
    project
}

/// W7: rows 58 and 59.
#[test]
fn a_schema_that_is_costly_to_check_is_refused_by_every_command() {
    for form in [
        r#"{"anyOf": [X, X]}"#,
        r#"{"allOf": [X, X]}"#,
        r#"{"if": X, "then": X, "else": X}"#,
        r#"{"dependentSchemas": {"x": X, "y": X}}"#,
    ] {
        let project = project_with_component(&with_schema(&nested_schema(form)), "a = 1");
        for command in [
            &["plan"][..],
            &["build"],
            &["plugin", "inspect", "plugins/bomb.wasm"],
            &["plugin", "check", "plugins/bomb.wasm"],
        ] {
            let run = Run::of(&mut with_kernel_limits(&project.command(command)));
            assert_ne!(run.code, 0, "{form} {command:?}: {run:?}");
            assert!(
                run.says("takes more than 10000 steps"),
                "{form} {command:?}: {run:?}"
            );
        }
    }
}

/// `plugin check` generates configs, so the cost of a schema may also grow with the depth of a value.
#[test]
fn a_schema_whose_cost_grows_with_config_depth_is_bounded() {
    let schema = r##"{"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}, "c": {"$ref": "#"}}, "required": ["a", "b", "c"]}"##;
    let project = project_with_component(&with_schema(schema), "a = 1");
    let run = Run::of(&mut with_kernel_limits(&project.command(&["plan"])));
    assert_eq!(run.code, 2, "{run:?}");
    let run = Run::of(&mut with_kernel_limits(&project.command(&[
        "plugin",
        "check",
        "plugins/bomb.wasm",
    ])));
    assert!(
        run.says("no valid config could be generated from the schema"),
        "{run:?}"
    );
    let doubling =
        r##"{"type": "object", "properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}"##;
    let nested = format!("a{} = 1", ".a".repeat(60));
    let project = project_with_component(&with_schema(doubling), &nested);
    let run = Run::of(&mut with_kernel_limits(&project.command(&["plan"])));
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.says("takes more than 2000000 steps"), "{run:?}");
}

/// X19: without enough address space for the memory pool, a project builds as usual.
#[test]
fn an_address_space_limit_does_not_change_the_artifacts() {
    let texts = [("one", "a b c"), ("two", "d")];
    let free = TestProject::guest("echo", &texts);
    free.run(&["build"]).expect_code(0);
    let bounded = TestProject::guest("echo", &texts);
    let run = Run::of(&mut with_kernel_limits(&bounded.command(&["build"])));
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(bounded.artifacts(), free.artifacts());
    let hoard = TestProject::guest("hoard_memory", &texts);
    let run = Run::of(&mut with_kernel_limits(&hoard.command(&["build"])));
    assert!(
        run.says("out of memory: needs more than 268435456 bytes"),
        "{run:?}"
    );
}
