//! Links, pipes and devices in the place of files that synix reads or writes.

#![cfg(unix)]

use std::fs;
use std::path::Path;

use crate::hostile_projects::user_file::{
    READING_COMMANDS, UserFile, assert_clear_error, built_project, link,
};
use crate::support::folders::pipe;
use crate::support::test_project::{TestProject, command_in};

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
