//! The page changes nothing, and shows what it can of a state that is absent, damaged, closed or foreign.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use synix_scripted_provider::{Reply, Rule, Script, StatusReply};

use super::{PAGES, built};
use crate::support::folders;
use crate::support::pipelines::{RESUME, TEAM, embedded_team};
use crate::support::test_project::{TestProject, text};
use crate::support::web_server::WebServer;

/// Returns the files of a project, without the index that `search` keeps beside the state.
fn files(project: &TestProject) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = folders::files(&project.path(""));
    let index = project.path(".synix/index");
    // A reader has an empty log and its index while it is open.
    let is_of_reader = |path: &PathBuf, bytes: &[u8]| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with("-shm") || (name.ends_with("-wal") && bytes.is_empty())
    };
    files.retain(|path, bytes| !path.starts_with(&index) && !is_of_reader(path, bytes));
    files
}

#[test]
fn no_page_changes_the_project() {
    let (project, server) = built();
    server.page("/search?q=things");
    let before = files(&project);
    for page in PAGES {
        server.page(page);
    }
    server.get("/artifact?layer=bios&label=nobody");
    server.get("/nothing");
    let after = files(&project);
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&before), names(&after));
    assert!(before == after, "a file has changed");
    assert_eq!(project.sent(), 4, "no page sends a request");
}

#[test]
fn a_passage_is_shown_with_its_spaces() {
    let (_project, server) = built();
    server.page_with("/search?q=write", "and I <mark>write</mark> things");
}

#[test]
fn each_failed_unit_is_on_a_page_of_its_layer() {
    let project = TestProject::team();
    let reply = Reply::Status(StatusReply::new(400));
    project.script(Script::new().rule(Rule::on("I am bela").reply(reply)));
    project.run(&["build"]).expect_code(3);
    let server = WebServer::start(&project);
    let address = "/failures?build=build-1&layer=styles";
    let build = server.page_with("/build?id=build-1", "/failures");
    assert!(build.contains(&address.replace('&', "&amp;")), "{build}");
    let page = server.page(address);
    assert!(page.contains("Failed units 1 to 1, by name"), "{page}");
    assert!(page.contains(">bela</th>"), "{page}");
    assert!(!page.contains(">amara</th>"), "{page}");
    let unknown = server.get("/failures?build=build-1&layer=style");
    assert_eq!(unknown.status, 404);
    let text = unknown.text();
    assert!(text.contains("did you mean <code>styles</code>?"), "{text}");
}

/// A layer may have a million failed units, so its page reads some of them and says so.
#[test]
fn the_causes_of_many_failures_are_those_of_the_first() {
    let project = TestProject::team();
    let reply = Reply::Status(StatusReply::new(400));
    project.script(Script::new().rule(Rule::on("I am bela").reply(reply)));
    project.run(&["build"]).expect_code(3);
    let server = WebServer::start(&project);
    let page = server.page_with("/layer?name=styles", "without a result");
    assert!(
        page.contains("1 unit") && !page.contains("The causes are"),
        "{page}"
    );
    project
        .database()
        .execute_batch(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
             INSERT INTO build_unit (build, layer, key, state, kind, message)
             SELECT 1, 1, 'unit-' || n, 2, 'guest', 'it is broken' FROM n",
        )
        .unwrap();
    let page = server.page_with("/layer?name=styles", "The causes are");
    assert!(page.contains("1\u{202f}501 units"), "{page}");
    assert!(page.contains("those of the first 1\u{202f}000."), "{page}");
    assert!(page.contains("<strong>999 × guest</strong>"), "{page}");
}

#[test]
fn a_search_by_meaning_is_offered_for_embeddings_alone() {
    let (_project, server) = built();
    let page = server.page("/search");
    assert!(page.contains("Search words"), "{page}");
    assert!(!page.contains("Search meaning"), "{page}");
    let project = embedded_team();
    project.ok(&["build"]);
    let page = WebServer::start(&project).page("/search");
    assert!(page.contains("Search meaning"), "{page}");
}

#[test]
fn a_project_without_a_state_has_pages() {
    let project = TestProject::team();
    let server = WebServer::start(&project);
    for page in PAGES {
        let reply = server.get(page);
        assert!(
            matches!(reply.status, 200 | 404),
            "{page}: {}",
            reply.text()
        );
    }
    server.page_with("/", "bios");
    assert!(!project.path(".synix").exists());
    // The same server shows the first build.
    project.ok(&["build"]);
    assert!(server.page("/layer?name=bios").contains("amara"));
}

#[test]
fn a_damaged_state_is_reported_until_it_is_restored() {
    let (project, server) = built();
    let database = project.database();
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("no log");
    drop(database);
    let path = project.path(".synix/state.sqlite3");
    let whole = fs::read(&path).expect("the database");
    let half = whole.len() / 2;
    for damaged in [vec![0x55; whole.len()], whole[..half].to_vec(), Vec::new()] {
        fs::write(&path, &damaged).expect("a damaged database");
        for page in PAGES {
            let reply = server.get(page);
            assert!(reply.status >= 200, "{page}");
            assert!(!reply.text().contains("panicked"), "{page}");
        }
        let shown = server.get("/layer?name=bios");
        assert_ne!(shown.status, 200, "{}", shown.text());
        // Whatever finds the damage may set the database aside, but keeps each byte of it.
        let kept = files(&project);
        assert!(damaged.is_empty() || kept.values().any(|bytes| *bytes == damaged));
    }
    fs::write(&path, &whole).expect("the restored database");
    assert!(server.page("/layer?name=bios").contains("amara"));
}

/// A trigger or a view would run when a page is read.
#[test]
fn a_foreign_state_is_not_read() {
    let (project, server) = built();
    let database = project.database();
    let planted = "CREATE TRIGGER planted AFTER INSERT ON build BEGIN SELECT 1; END";
    database.execute_batch(planted).expect("a trigger");
    drop(database);
    let reply = server.get("/layer?name=bios");
    assert_ne!(reply.status, 200);
    assert!(reply.text().contains("trigger"), "{}", reply.text());
    assert!(!reply.text().contains("amara"), "{}", reply.text());
}

/// W12: an artifact that was changed is not shown.
#[test]
fn a_changed_artifact_is_not_shown() {
    let (project, server) = built();
    let changed = "UPDATE artifact_body SET content = 'evil words'";
    project.database().execute_batch(changed).expect("a change");
    let reply = server.get("/artifact?layer=bios&label=amara");
    assert_ne!(reply.status, 200);
    assert!(!reply.text().contains("evil words"), "{}", reply.text());
    let raw = server.get("/raw?layer=bios&label=amara");
    assert_ne!(raw.status, 200);
}

/// A state that only its owner can read.
#[cfg(unix)]
#[test]
fn a_closed_state_is_reported_with_its_owner() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    const OTHER_USER: u32 = 65534;
    let project = TestProject::team();
    project.ok(&["build"]);
    let mode = |path: PathBuf, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    };
    let home = tempfile::tempdir().expect("a folder");
    mode(home.path().to_owned(), 0o777);
    mode(project.path(".."), 0o755);
    mode(project.path(".synix"), 0o000);
    let owner = home.path().metadata().expect("a folder").uid();
    let mut command = project.command(&["view", "--port", "0", "--json"]);
    command
        .env("HOME", home.path())
        .env_remove("XDG_CACHE_HOME");
    let mut command = command.process();
    if owner == 0 {
        command.uid(OTHER_USER).gid(OTHER_USER);
    }
    let server = WebServer::of(command);
    let reply = server.get("/layer?name=bios");
    assert_ne!(reply.status, 200);
    assert!(reply.text().contains("it belongs to"), "{}", reply.text());
    mode(project.path(".synix"), 0o755);
}

/// What a page says about a build is what `--json` says, while it runs and after it.
#[test]
fn a_page_reads_beside_a_running_build() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let server = WebServer::start(&project);
    let status = project.status();
    let shown = server.page_with("/build?id=build-1", "submitted");
    let batch = text(&status["batches"][0]["id"]);
    assert!(shown.contains(&batch[..12]), "{shown}");
    server.page_with("/", "build-1");
    project.provider.finish_batches();
    project.ok(&RESUME);
    let shown = server.page_with("/build?id=build-1", "completed");
    let tokens = project.status()["tokens"]["input"].to_string();
    assert!(shown.contains(&tokens), "{shown}");
}

/// A mistake in the pipeline file does not hide what was built.
#[test]
fn a_wrong_pipeline_file_is_reported_beside_what_was_built() {
    let (project, server) = built();
    project.pipeline("synix.toml", &TEAM.replace("transform", "transfrom"));
    assert!(server.page("/layer?name=bios").contains("amara"));
    server.page_with("/", "transfrom");
}
