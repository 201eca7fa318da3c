//! `shared status`, `shared gc`, read-only access, and the permission.

use super::{Team, ok};
use crate::support::pipelines::TEAM;
use crate::support::test_project::TestProject;

#[test]
fn a_read_only_build_writes_nothing() {
    let team = Team::new();
    ok(&team.in_first(&["build"]));
    team.first.write("bios/dora.md", "I am dora.");
    let before = team.objects();
    let mut read_only = team.in_first(&["build"]);
    ok(read_only.env("SYNIX_SHARED_READ_ONLY", "1"));
    assert_eq!(team.objects(), before);
    let mut refused = team.in_first(&["shared", "gc"]);
    let refused = refused.env("SYNIX_SHARED_READ_ONLY", "1").run();
    assert_eq!(refused.code, 2, "{refused:?}");
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
    let team = Team::new();
    let none = team.first.json(&["shared", "status"]);
    assert!(none["url"].is_null() && none["leases"] == serde_json::json!([]));
    team.first.pause_batches();
    team.in_first(&["batch-build", "run"]).run();
    let status = team.in_second(&["shared", "status", "--json"]).run().json();
    assert_eq!(status["url"], team.url());
    assert_eq!(
        (&status["reachable"], &status["read_only"]),
        (&true.into(), &false.into())
    );
    let leases = status["leases"].as_array().unwrap();
    assert_eq!(leases.len(), 3);
    assert_eq!(leases[0]["mode"], "batch");
    assert!(leases[0]["holder"].is_string());
    let text = ok(&team.in_second(&["shared", "status"]));
    assert!(text.stdout.contains("claimed requests:"), "{text:?}");
    // A claim without an answer decides who may send.
    let deleted = team.in_second(&["shared", "gc", "--json"]).run().json();
    assert_eq!(
        (&deleted["claims"], &deleted["retained"]),
        (&0.into(), &3.into())
    );
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
