//! `shared status`, `shared gc`, read-only access, and the permission.

use super::scenarios;
use crate::support::pipelines::TEAM;
use crate::support::team::Team;
use crate::support::test_project::TestProject;

#[test]
fn a_read_only_build_writes_nothing() {
    scenarios::read_only_build_writes_nothing(&Team::in_folder);
}

/// A clone must not choose who gets the answers and the credentials of its user.
#[test]
fn a_store_that_the_file_names_needs_permission() {
    let project = TestProject::team();
    let folder = project.path("planted");
    std::fs::create_dir_all(&folder).unwrap();
    let shared = format!("[shared]\nurl = \"file://{}\"\n", folder.display());
    project.pipeline("synix.toml", &format!("{TEAM}\n{shared}"));
    for arguments in [&["build"][..], &["shared", "status"], &["shared", "gc"]] {
        let refused = project.run(arguments);
        assert_eq!(refused.code, 5, "{refused:?}");
        assert!(
            refused.stderr.contains("use the shared answers"),
            "{refused:?}"
        );
    }
    assert_eq!(project.sent(), 0);
    assert!(folder.read_dir().unwrap().next().is_none());
    project.ok(&["build", "--trust"]);
    assert!(folder.read_dir().unwrap().next().is_some());
}

#[test]
fn the_status_names_who_has_claimed_what() {
    scenarios::status_names_holders(&Team::in_folder);
}

#[test]
fn an_invalid_url_is_a_usage_error_that_hides_it() {
    let project = TestProject::team();
    let mut command = project.command(&["build"]);
    let run = command
        .env("SYNIX_SHARED_URL", "s3://key:secret@bucket")
        .run();
    assert_eq!(run.code, 2, "{run:?}");
    assert!(!run.stderr.contains("secret"), "{run:?}");
}
