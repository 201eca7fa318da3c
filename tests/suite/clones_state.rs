//! A cloned or pulled project in which an attacker prepared a `.synix`, a `cassettes` folder and golden files. Each
//! attack ends with a clear error or does nothing, and the user's own file is not changed (W2, W4, W5, W11, W12, W19).

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use synix_scripted_provider::Endpoint;

use crate::folders::{self, copy, pipe};
use crate::test_project::{Run, TEAM, TestProject, command_in};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/team-report");

/// The file that an attacker wants to replace, empty or read.
const USER_FILE_CONTENT: &str = "export PATH=/home/me/bin # nobody else's concern\n";

/// A file of the user, outside of any project.
struct UserFile {
    folder: tempfile::TempDir,
}

impl UserFile {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".bashrc"), USER_FILE_CONTENT).unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(".bashrc")
    }

    #[track_caller]
    fn assert_untouched(&self) {
        assert_eq!(fs::read_to_string(self.file()).unwrap(), USER_FILE_CONTENT);
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
    }
}

/// Commands that read a state.
const READING_COMMANDS: [&[&str]; 6] = [
    &["list"],
    &["plan"],
    &["runs"],
    &["show", "summary"],
    &["lineage", "summary"],
    &["batch-build", "status"],
];

/// A project with a state that this user built.
fn built_project() -> TestProject {
    let project = TestProject::team();
    project.ok(&["build"]);
    project
}

/// Puts a link in the place of whatever has the name in the project.
fn link(project: &TestProject, name: &str, target: &Path) {
    folders::link(&project.path(name), target);
}

#[track_caller]
fn assert_clear_error(run: &Run, message: &str) {
    assert!((1..=5).contains(&run.code), "{run:?}");
    assert!(run.says(message), "{message}: {run:?}");
    assert!(
        !run.says("panicked") && !run.says(USER_FILE_CONTENT.trim()),
        "{run:?}"
    );
}

/// Row 3: every command that reads used the name in `damage.json` as a path.
#[test]
fn a_forged_damage_marker_overwrites_no_file_of_the_user() {
    let user_file = UserFile::new();
    let absolute = user_file.file();
    let name = absolute.to_str().unwrap();
    let up = format!("../../../../../../../../../..{name}");
    for (set_aside, arguments) in [name, up.as_str()]
        .into_iter()
        .zip([READING_COMMANDS, READING_COMMANDS])
    {
        for arguments in arguments {
            let project = TestProject::team();
            project.write(".synix/state.sqlite3", "#!/bin/sh\nevil\n");
            let marker = serde_json::json!({
                "phase": "moving", "found": "x", "since": "s", "set_aside": set_aside,
                "held": {"builds": {"rows": 0, "whole": true}, "answers": {"rows": 0, "whole": true},
                         "submissions": {"rows": 0, "whole": true}, "live": []},
            });
            project.write(".synix/damage.json", &marker.to_string());
            assert_clear_error(&project.run(arguments), "error");
            user_file.assert_untouched();
        }
    }
}

/// Rows 16 and 17: synix truncated and wrote a lock through a link.
#[test]
fn a_state_lock_that_is_a_link_is_not_written() {
    let user_file = UserFile::new();
    let project = built_project();
    link(&project, ".synix/locks/build-2", &user_file.file());
    let run = project.run(&["build"]);
    assert_clear_error(&run, "symbolic link");
    user_file.assert_untouched();
    let project = built_project();
    link(&project, ".synix/locks/state", &user_file.file());
    project.write(".synix/state.sqlite3", "no database");
    for arguments in READING_COMMANDS {
        assert_clear_error(&project.run(arguments), "symbolic link");
        user_file.assert_untouched();
    }
}

/// Row 18: `gc` deletes only what synix wrote, and does not follow links.
#[test]
fn gc_deletes_nothing_outside_the_state() {
    let photos = tempfile::tempdir().unwrap();
    fs::create_dir_all(photos.path().join("ab")).unwrap();
    let name = "c".repeat(62);
    fs::write(photos.path().join("ab").join(&name), "photo").unwrap();
    let project = built_project();
    link(&project, ".synix/objects", photos.path());
    assert_clear_error(&project.run(&["gc"]), "symbolic link");
    fs::remove_file(project.path(".synix/objects")).unwrap();
    link(&project, ".synix/objects/ab", &photos.path().join("ab"));
    project.write(".synix/objects/ee/diary.txt", "mine");
    project.write(&format!(".synix/objects/dd/{name}/x"), "mine");
    project.ok(&["gc"]);
    assert_eq!(
        fs::read(photos.path().join("ab").join(&name)).unwrap(),
        b"photo"
    );
    for found in ["ee/diary.txt", &format!("dd/{name}/x")] {
        assert!(
            project.path(&format!(".synix/objects/{found}")).exists(),
            "{found}"
        );
    }
}

/// Row 19: recording wrote its lock, and could write the cassette, through links.
#[test]
fn a_cassette_is_not_recorded_behind_a_link() {
    let record: &[&str] = &["build", "--cassette-mode", "record"];
    let user_file = UserFile::new();
    for name in [".suite.json.lock", "suite.json"] {
        let project = TestProject::team();
        link(&project, &format!("cassettes/{name}"), &user_file.file());
        assert_clear_error(&project.run(record), "symbolic link");
        user_file.assert_untouched();
    }
    let project = TestProject::team();
    link(&project, "cassettes", user_file.folder.path());
    assert_clear_error(&project.run(record), "symbolic link");
    user_file.assert_untouched();
    assert_eq!(project.sent(), 0);
    // The user may name any folder, including a link.
    let project = TestProject::team();
    let folder = tempfile::tempdir().unwrap();
    link(&project, "recordings", folder.path());
    project.ok(&[record, &["--cassette-dir", "recordings"]].concat());
    assert!(folder.path().join("suite.json").exists());
}

/// Row 20: a state outside the project, and the database of another program.
#[test]
fn a_state_behind_a_link_is_not_used() {
    let elsewhere = tempfile::tempdir().unwrap();
    let project = TestProject::team();
    link(&project, ".synix", elsewhere.path());
    for arguments in [&["build"][..], &["list"], &["gc"]] {
        assert_clear_error(&project.run(arguments), "is a symbolic link");
    }
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    let foreign = elsewhere.path().join("photos.db");
    let database = rusqlite::Connection::open(&foreign).unwrap();
    database
        .execute_batch("CREATE TABLE photos (name)")
        .unwrap();
    drop(database);
    let before = fs::read(&foreign).unwrap();
    for name in [
        "state.sqlite3",
        "state.sqlite3-wal",
        "state.sqlite3-journal",
    ] {
        let project = built_project();
        link(&project, &format!(".synix/{name}"), &foreign);
        for arguments in [&["build"][..], &["list"]] {
            assert_clear_error(&project.run(arguments), "symbolic link");
        }
        assert_eq!(fs::read(&foreign).unwrap(), before);
    }
    // The same database as a plain file.
    let project = TestProject::team();
    project.write(".synix/.gitignore", "*\n");
    fs::copy(&foreign, project.path(".synix/state.sqlite3")).unwrap();
    assert_clear_error(&project.run(&["list"]), "the table photos");
    assert_ne!(project.run(&["build"]).code, 0);
    let after = fs::read(project.path(".synix/state.sqlite3")).unwrap();
    assert!(
        after == before,
        "the database of another program was written"
    );
}

/// Rows 28 and 29: endless files are not read.
#[test]
fn pipes_and_devices_are_not_read() {
    let replay: &[&str] = &["plan", "--cassette-mode", "replay"];
    let cases: [(&str, &[&str]); 5] = [
        ("synix.lock", &["plan"]),
        ("cassettes/suite.json", replay),
        (".synix/damage.json", &["list"]),
        (".synix/state.sqlite3", &["list"]),
        (".synix/locks/state", &["list"]),
    ];
    for (name, arguments) in cases {
        let project = TestProject::team();
        project.write(name, "");
        pipe(&project.path(name));
        assert_clear_error(&project.run(arguments), "regular file");
        link(&project, name, Path::new("/dev/zero"));
        assert_clear_error(&project.run(arguments), "symbolic link");
    }
}

/// Row 29: a file on the command line may be a link, but its size is limited too.
#[test]
fn files_named_on_the_command_line_have_a_size_limit() {
    let project = TestProject::team();
    pipe(&project.path("pipe"));
    for file in ["/dev/zero", "pipe"] {
        let config = format!("@{file}");
        let commands: [&[&str]; 3] = [
            &["plugin", "inspect", file],
            &[
                "plugin",
                "run",
                "map",
                "--config",
                &config,
                "--input",
                "bios/bela.md",
            ],
            &[
                "plugin",
                "run",
                "map",
                "--config",
                "{}",
                "--input",
                "bios/bela.md",
                "--replies",
                file,
            ],
        ];
        for arguments in commands {
            let run = project.run(arguments);
            assert!(
                run.code != 0 && run.says("regular file"),
                "{arguments:?}: {run:?}"
            );
        }
    }
    let large = fs::File::create(project.path("large")).unwrap();
    large.set_len(1 << 40).unwrap();
    let run = project.run(&["plugin", "inspect", "large"]);
    assert!(run.code != 0 && run.says("bytes"), "{run:?}");
}

/// Row 40: the content of a row was changed, but not its digest.
#[test]
fn an_artifact_that_does_not_match_its_digest_is_neither_shown_nor_used() {
    let project = built_project();
    project
        .database()
        .execute(
            "UPDATE artifact_body SET content = CAST('evil words' AS BLOB) WHERE artifact IN
             (SELECT a.id FROM artifact a JOIN unit u ON u.id = a.unit WHERE u.layer = 'styles')",
            [],
        )
        .unwrap();
    let run = project.run(&["show", "ws-bela"]);
    assert_clear_error(&run, "does not match its digest");
    assert!(!run.says("evil words"), "{run:?}");
    // The summary depends on it.
    let layers = TEAM.replace("Sum up:", "Sum this up:");
    project.pipeline("synix.toml", &layers);
    let sent = project.sent();
    let run = project.run(&["build"]);
    assert!(run.code != 0 && !run.says("evil words"), "{run:?}");
    assert_eq!(project.sent(), sent);
    // The advice in the message helps.
    project.ok(&["clean"]);
    project.ok(&["build"]);
    assert_eq!(project.sent(), sent + 1);
}

/// Row 41: they would act as soon as a row is read or written.
#[test]
fn triggers_and_views_planted_in_a_database_are_refused() {
    for (statements, message) in [
        ("CREATE TRIGGER t AFTER INSERT ON build BEGIN DELETE FROM answer_body; END", "trigger t"),
        ("DROP TABLE attempt_note; CREATE VIEW attempt_note AS WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL
          SELECT x FROM n) SELECT x AS attempt, 'k' AS kind, 'm' AS message FROM n", "view attempt_note"),
        ("CREATE VIRTUAL TABLE v USING fts5(x)", "table v"),
        ("ALTER TABLE build ADD COLUMN c AS (hex(zeroblob(100000000)))", "table build"),
    ] {
        let project = built_project();
        project.database().execute_batch(statements).unwrap();
        for arguments in READING_COMMANDS.into_iter().chain([&["build"][..], &["gc"]]) {
            assert_clear_error(&project.run(arguments), message);
        }
        let answers: i64 = project
            .database()
            .query_row("SELECT count(*) FROM answer_body", [], |row| row.get(0))
            .unwrap();
        assert_eq!((answers, project.sent()), (4, 4));
    }
}

/// Row 43: `damage.json` names a batch of the user that belongs to another project.
#[test]
fn a_reset_cancels_no_batch_of_another_project() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    let batch = project.ledger().batches[0].id.to_string();
    fs::remove_file(project.path(".synix/state.sqlite3")).unwrap();
    let marker = serde_json::json!({
        "phase": "aside", "found": "x", "since": "s", "set_aside": null,
        "held": {"builds": {"rows": 1, "whole": true}, "answers": {"rows": 0, "whole": true},
                 "submissions": {"rows": 1, "whole": true},
                 "live": [{"provider": "openai", "batch": batch, "token": "synix-00", "model": "m",
                           "layers": "l", "requests": 3, "state": "live"}]},
    });
    project.write(".synix/damage.json", &marker.to_string());
    let run = project.ok(&["batch-build", "run", "--reset-state"]);
    assert!(run.says("has another batch under this id"), "{run:?}");
    assert_eq!(project.ledger().calls(Endpoint::BatchesCancel), 0);
}

/// The state stores the name of the pipeline file, and `resume` opens it.
#[test]
fn a_build_whose_pipeline_file_is_outside_the_project_is_refused() {
    let project = TestProject::team();
    project.pause_batches();
    project.ok(&["batch-build", "run"]);
    for name in ["../evil.toml", "/proc/self/environ"] {
        project
            .database()
            .execute("UPDATE build SET pipeline = ?1", [name])
            .unwrap();
        let run = project.run(&["batch-build", "resume", "--latest"]);
        assert_clear_error(&run, "is not the name of a pipeline file");
    }
}

/// Row 51: prompts and answers are private.
#[test]
fn only_the_owner_can_read_the_state() {
    let project = TestProject::team();
    let mut build = project.command(&["build", "--cassette-mode", "record"]);
    build.env("SYNIX_CASSETTE_DIR", project.path("cassettes"));
    build.run().expect_code(0);
    let mut paths = vec![project.path(".synix")];
    while let Some(path) = paths.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            paths.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
        }
    }
}

/// A project that an attacker could publish, with the cassette of a template.
fn cloned_template() -> (tempfile::TempDir, PathBuf) {
    let temp = tempfile::tempdir().unwrap();
    let project = temp.path().join("project");
    copy(Path::new(TEMPLATE), &project);
    (temp, project)
}

/// A secret that is only in the environment.
const SECRET: &str = "the-secret-of-the-environment";

fn run_demo(project: &Path, more: &[&str]) -> Run {
    let mut command = command_in(project, &[&["demo", "run", "."], more].concat());
    command.env("MY_TOKEN", SECRET).run()
}

/// Row 10: the diff showed a golden file, whatever it linked to.
#[test]
fn golden_files_behind_links_are_not_read() {
    let user_file = UserFile::new();
    for target in [user_file.file(), PathBuf::from("/proc/self/environ")] {
        let (_temp, project) = cloned_template();
        let golden = project.join("golden/01-plan.txt");
        fs::remove_file(&golden).unwrap();
        symlink(target, golden).unwrap();
        let run = run_demo(&project, &[]);
        assert_clear_error(&run, "symbolic link");
        assert!(!run.says(SECRET), "{run:?}");
    }
    let (_temp, project) = cloned_template();
    fs::remove_dir_all(project.join("golden")).unwrap();
    symlink(user_file.folder.path(), project.join("golden")).unwrap();
    assert_clear_error(&run_demo(&project, &[]), "symbolic link");
}

/// Rows 11 and 15: the copy turned links that lead outside into plain files.
#[test]
fn a_demo_copies_nothing_from_outside_the_project() {
    let user_file = UserFile::new();
    for target in [
        Path::new("/proc/self/environ"),
        &user_file.file(),
        user_file.folder.path(),
        Path::new("../../.."),
    ] {
        let (_temp, project) = cloned_template();
        symlink(target, project.join("sources/bios/x.md")).unwrap();
        let run = run_demo(&project, &[]);
        assert_clear_error(&run, "which is not in the project");
        assert!(!run.says(SECRET), "{run:?}");
    }
}

/// A source may be a link to another file of the project.
#[test]
fn a_demo_copies_links_within_the_project() {
    let (_temp, project) = cloned_template();
    let bio = fs::read_dir(project.join("sources/bios"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::create_dir(project.join("sources/texts")).unwrap();
    let moved = project.join("sources/texts").join(bio.file_name().unwrap());
    fs::rename(&bio, &moved).unwrap();
    symlink(Path::new("../texts").join(bio.file_name().unwrap()), &bio).unwrap();
    let run = run_demo(&project, &[]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// Row 12: golden files were deleted and written in the folder that `golden` linked to.
#[test]
fn golden_files_are_updated_only_inside_the_project() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("notes.txt"), USER_FILE_CONTENT).unwrap();
    fs::write(outside.path().join("01-plan.txt"), USER_FILE_CONTENT).unwrap();
    let (_temp, project) = cloned_template();
    fs::remove_dir_all(project.join("golden")).unwrap();
    symlink(outside.path(), project.join("golden")).unwrap();
    assert_clear_error(&run_demo(&project, &["--update-goldens"]), "symbolic link");
    for name in ["notes.txt", "01-plan.txt"] {
        assert_eq!(
            fs::read_to_string(outside.path().join(name)).unwrap(),
            USER_FILE_CONTENT
        );
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 2);
    // In a folder of the project, only files that the command would write are deleted, and a link itself is replaced.
    let (_temp, project) = cloned_template();
    let golden = project.join("golden");
    fs::write(golden.join("notes.txt"), USER_FILE_CONTENT).unwrap();
    fs::write(golden.join("99-gone.txt"), "old").unwrap();
    fs::remove_file(golden.join("01-plan.txt")).unwrap();
    symlink(outside.path().join("notes.txt"), golden.join("01-plan.txt")).unwrap();
    assert_eq!(run_demo(&project, &["--update-goldens"]).code, 0);
    assert_eq!(
        fs::read_to_string(golden.join("notes.txt")).unwrap(),
        USER_FILE_CONTENT
    );
    assert_eq!(
        fs::read_to_string(outside.path().join("notes.txt")).unwrap(),
        USER_FILE_CONTENT
    );
    assert!(!golden.join("99-gone.txt").exists());
    assert!(!golden.join("01-plan.txt").is_symlink());
    assert_eq!(run_demo(&project, &[]).code, 0);
}

/// Row 13: a pipe never ends.
#[test]
fn a_demo_names_a_pipe_in_the_project() {
    let (_temp, project) = cloned_template();
    pipe(&project.join("sources/bios/pipe"));
    assert_clear_error(
        &run_demo(&project, &[]),
        "bios/pipe is neither a file nor a folder",
    );
}

/// Row 14: with two links in each folder, every level doubled the size of the copy.
#[test]
fn a_demo_does_not_expand_links_to_folders() {
    let (_temp, project) = cloned_template();
    for level in 0..40 {
        let folder = project.join(format!("level{level}"));
        fs::create_dir(&folder).unwrap();
        if level > 0 {
            for name in ["one", "two"] {
                symlink(format!("../level{}", level - 1), folder.join(name)).unwrap();
            }
        }
    }
    let run = run_demo(&project, &[]);
    assert_eq!(run.code, 0, "{run:?}");
}

/// Row 9: a demo runs no `on_done`.
#[test]
fn a_demo_runs_no_command_of_the_project() {
    let (temp, project) = cloned_template();
    let trace = temp.path().join("trace");
    let file = project.join("synix.toml");
    let text = fs::read_to_string(&file).unwrap();
    let command = format!(
        "on_done = [\"touch\", {:?}]\non_done_in_replay = true\n",
        trace.to_str().unwrap()
    );
    let text = text.replacen("[pipeline]\n", &format!("[pipeline]\n{command}"), 1);
    assert!(text.contains("on_done"), "{text}");
    fs::write(&file, text).unwrap();
    run_demo(&project, &[]);
    assert!(!trace.exists());
}

/// Rows 1 and 49: compiled code of another user or another component is not used.
#[test]
fn planted_or_swapped_compiled_code_is_not_run() {
    let project = TestProject::guest("echo", &[("a", "x")]);
    let home = tempfile::tempdir().unwrap();
    let cache = home.path().join("cache");
    let plan = |config: &str| {
        let mut command = project.command(&["plan"]);
        command
            .env("SYNIX_CACHE_DIR", &cache)
            .env("SYNIX_CONFIG_DIR", home.path().join(config));
        command.run().expect_code(0)
    };
    let files = || {
        let mut files: Vec<(PathBuf, Vec<u8>)> = fs::read_dir(&cache)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "cwasm")
            })
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    plan("mine");
    let first = files();
    assert!(!first.is_empty());
    // Well formed, but sealed by another user.
    plan("another's");
    let second = files();
    assert!(
        first
            .iter()
            .zip(&second)
            .all(|(one, other)| one.0 == other.0 && one.1 != other.1)
    );
    plan("another's");
    assert!(files() == second, "a file of one's own is taken");
    let mode = fs::metadata(&cache).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

/// Row 1
#[test]
fn a_cache_folder_inside_the_project_is_not_used() {
    let project = TestProject::guest("echo", &[("a", "x")]);
    let mut plan = project.command(&["plan"]);
    plan.env("SYNIX_CACHE_DIR", "vendor/cache");
    plan.run().expect_code(0);
    let found = fs::read_dir(project.path("vendor/cache")).map_or(0, Iterator::count);
    assert_eq!(found, 0);
}

/// An existing folder may contain a link that leads anywhere.
#[test]
fn init_writes_nothing_behind_a_link() {
    let temp = tempfile::tempdir().unwrap();
    let elsewhere = temp.path().join("elsewhere");
    let project = temp.path().join("project");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::create_dir_all(&project).unwrap();
    std::os::unix::fs::symlink(&elsewhere, project.join("prompts")).unwrap();
    let run = command_in(&project, &["init", "."]).run();
    assert_ne!(run.code, 0, "{run:?}");
    assert!(run.says("prompts is a symbolic link"), "{run:?}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&project).unwrap().count(), 1);
}
