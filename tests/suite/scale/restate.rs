//! Units on other machines, through the server of Restate.

use super::server;

const VARIABLE: &str = "SYNIX_RESTATE_SERVER";

#[test]
fn the_server_is_the_pinned_one() {
    let Some(program) = server(VARIABLE) else {
        return;
    };
    let version = std::process::Command::new(program)
        .arg("--version")
        .output()
        .unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert!(version.contains("1.7.12"), "{version}");
}
