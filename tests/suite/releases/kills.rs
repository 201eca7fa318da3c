//! A release that is killed at any point.

use super::{OUTPUTS, built_with, current, paths};
use crate::support::crashes::kill_at;

/// The crash points are before and after each file and each step of the switch.
#[test]
fn a_killed_release_leaves_current_whole_and_the_next_one_leaves_nothing_else() {
    let project = built_with(OUTPUTS);
    project.ok(&["release"]);
    project.write("notes/bob.md", "=1 more");
    project.ok(&["build"]);
    let mut killed = 0;
    let mut found = Vec::new();
    while kill_at(&project, &["release", "--keep", "1"], killed + 1) {
        killed += 1;
        let name = current(&project);
        let checked = project.run(&["release", "--check", "release"]);
        assert_eq!(checked.code, 0, "point {killed}: {checked:?}");
        found.push(name);
    }
    assert!(killed > 20, "{killed}");
    // First the old one, then the new one, and never anything else.
    let switched = found.iter().position(|name| name == "snapshot-2");
    let (old, new) = found.split_at(switched.expect("a kill after the switch"));
    assert!(old.iter().all(|name| name == "snapshot-1"), "{found:?}");
    assert!(new.iter().all(|name| name == "snapshot-2"), "{found:?}");
    project.ok(&["release", "--check", "release", "--all"]);
    let left = paths(&project.path("release"));
    let is_known = |path: &String| {
        path.starts_with("snapshot-2/") || path == "current" || path == ".synix-release"
    };
    assert!(left.iter().all(is_known), "{left:?}");
}

/// Other outputs of the same snapshot take the place of a folder that `current` leads to.
#[test]
fn a_killed_exchange_leaves_current_whole() {
    let project = built_with(OUTPUTS);
    project.ok(&["release"]);
    let pipeline = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    project.write("synix.toml", &pipeline.replace("memory.md", "other.md"));
    let mut killed = 0;
    while kill_at(&project, &["release"], killed + 1) {
        killed += 1;
        let checked = project.run(&["release", "--check", "release"]);
        assert_eq!(checked.code, 0, "point {killed}: {checked:?}");
    }
    assert!(killed > 20, "{killed}");
    assert!(project.path("release/current/other.md").is_file());
}
