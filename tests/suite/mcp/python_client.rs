//! The official Python client from PyPI, which `cargo xtask setup --languages` installs.

use std::process::Command;

use crate::support::plugin_tools::{expect_success, tool_folder};
use crate::support::test_project::TestProject;

const SESSION: &str = include_str!("session.py");

#[test]
fn the_official_client_finds_reads_and_traces_an_artifact() {
    let project = TestProject::team();
    project.ok(&["build"]);
    let mut session = Command::new(tool_folder().with_file_name("mcp/bin/python"));
    let server = project.command(&["mcp"]).process();
    session.args(["-c", SESSION]).arg(server.get_program());
    session
        .args(server.get_args())
        .current_dir(project.path(""));
    for (name, value) in server.get_envs() {
        if let Some(value) = value {
            session.env(name, value);
        }
    }
    let run = expect_success(&mut session);
    assert!(run.stdout.ends_with("done\n"), "{run:?}");
}
