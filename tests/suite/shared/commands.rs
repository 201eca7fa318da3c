//! `shared status`, `shared gc`, read-only access, and the permission.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use super::scenarios;
use crate::support::pipelines::TEAM;
use crate::support::team::{Team, ok};
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

/// The key of a request.
fn key(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// Writes an object of the store with a fixed time: so many minutes after the start of 2026.
fn put(team: &Team, path: &str, text: &str, minutes: u64) {
    let path = team.answers().join("v1/default").join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(start + Duration::from_secs(60 * minutes))
        .unwrap();
}

fn put_claim(team: &Team, digit: char, holder: &str, mode: &str, minutes: u64) {
    let key = key(digit);
    let text = format!(
        r#"{{"holder":"{holder}","key":"{key}","mode":"{mode}","nonce":"n","released":false,"schema":1}}"#
    );
    put(team, &format!("claims/{key}/00000001"), &text, minutes);
}

/// A team whose store has the claims of a live, a dead and an ended process and of a batch, and what is not of synix.
fn team_with_claims() -> Team {
    let team = Team::new();
    let holder = |label: &str| format!("{label}-0123456789abcdef0123456789abcdef");
    let (live, dead) = (
        holder("ann-laptop-process-7"),
        holder("ci-runner-process-9"),
    );
    put_claim(&team, 'a', &live, "call", 90);
    put_claim(&team, 'b', &dead, "call", 3);
    put_claim(&team, 'c', &holder("bob-process-5"), "call", 2);
    put_claim(&team, 'd', &holder("bob-process-4"), "batch", 1);
    for (holder, minutes) in [(live, 91), (dead, 4)] {
        let text = format!(r#"{{"holder":"{holder}","schema":1}}"#);
        put(&team, &format!("holders/{holder}/00000003"), &text, minutes);
    }
    put(
        &team,
        &format!("claims/{}/00000001", key('e')),
        "not JSON",
        5,
    );
    put(&team, "claims/README.txt", "What is this?", 5);
    put(&team, "answers/README.txt", "What is this?", 5);
    team
}

#[test]
fn the_status_tells_who_holds_what_and_when_that_ends() {
    let team = team_with_claims();
    let status = ok(&team.in_first(&["shared", "status"])).stdout;
    let expected = format!(
        "\
shared answers in {}, namespace default
damaged: v1/default/claims/{}/00000001: expected ident at line 1 column 2

claimed requests:
request       mode   holder                         since                 last heartbeat
dddddddddddd  batch  bob-process-4-01234567         2026-01-01T00:01:00Z  not needed
cccccccccccc  call   bob-process-5-01234567         2026-01-01T00:02:00Z  none
bbbbbbbbbbbb  call   ci-runner-process-9-01234567   2026-01-01T00:03:00Z  2026-01-01T00:04:00Z
eeeeeeeeeeee  batch  unknown                        2026-01-01T00:05:00Z  not needed
aaaaaaaaaaaa  call   ann-laptop-process-7-01234567  2026-01-01T01:30:00Z  2026-01-01T01:31:00Z

A claim of mode `call` ends 60 seconds after the last heartbeat of its holder.
A claim of mode `batch` ends with its batch, or 48 hours after it began.
A build that needs the request takes over a claim that has ended.
",
        team.store().url,
        key('e')
    );
    assert_eq!(status, expected);
}

#[test]
fn the_status_of_an_unused_or_absent_store_says_so() {
    let team = Team::new();
    let url = &team.store().url;
    let unused = ok(&team.in_first(&["shared", "status"])).stdout;
    let header = format!("shared answers in {url}, namespace default\n");
    assert_eq!(unused, format!("{header}no request is claimed\n"));
    fs::remove_dir(team.answers()).unwrap();
    let absent = ok(&team.in_first(&["shared", "status"])).stdout;
    let reason = absent.strip_prefix(&header).unwrap();
    assert!(reason.starts_with("unavailable: cannot list"), "{absent}");
    assert!(!reason.contains(url), "{absent}");
}

/// It leaves what decides who may send, and nothing of its own.
#[test]
fn gc_says_what_it_deleted_and_retained() {
    let team = team_with_claims();
    let before = team.store().contents();
    let collected = ok(&team.in_first(&["shared", "gc"])).stdout;
    let expected = "\
deleted 0 claims on answered requests and 2 heartbeats of processes that are gone
retained 5 claims on requests without an answer: they decide who may send
";
    assert_eq!(collected, expected);
    let mut after = before;
    after.retain(|path, _| !path.contains("/holders/"));
    assert_eq!(team.store().contents(), after);
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
