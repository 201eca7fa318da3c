//! The wheel that `cargo xtask dist` packs: pip installs it, and its command replays a project.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::plugin_tools::{expect_success, tool_folder};

const PACK: &str = include_str!("../../xtask/src/dist/pack.py");
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[test]
fn a_wheel_installs_into_a_fresh_environment_and_runs_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let share = folder.path().join("share");
    let man = share.join("man/man1");
    fs::create_dir_all(&man).unwrap();
    let synix = env!("CARGO_BIN_EXE_synix");
    expect_success(Command::new(synix).args(["man", "--dir"]).arg(&man));
    let out = folder.path().join("dist");
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    // The tools of the languages include an interpreter of a known version.
    let python = tool_folder().with_file_name("python/bin/python");
    let mut pack_command = Command::new(&python);
    pack_command.args(["-c", PACK, VERSION, &target, synix]);
    pack_command.arg(&share).arg(&out);
    for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        pack_command.arg(Path::new(ROOT).join(file));
    }
    expect_success(&mut pack_command);

    let wheel = only_file(&out, ".whl");
    let unpacked = folder.path().join("unpacked");
    let checks: [&[&str]; 3] = [
        &["twine", "check", "--strict"],
        // W007: the wheel has a program and no Python library.
        &["check_wheel_contents", "--ignore", "W007"],
        // `wheel unpack` compares each file with RECORD.
        &["wheel", "unpack", "--dest", unpacked.to_str().unwrap()],
    ];
    for check in checks {
        let mut tool = Command::new(tool_folder().with_file_name("wheel/bin/python"));
        expect_success(tool.arg("-m").args(check).arg(out.join(&wheel)));
    }
    let environment = folder.path().join("environment");
    expect_success(Command::new(&python).args(["-m", "venv"]).arg(&environment));
    let pip = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"];
    expect_success(
        Command::new(environment.join("bin/python"))
            .args(pip)
            .arg(out.join(&wheel)),
    );
    let installed = environment.join("bin/synix");
    let version = expect_success(Command::new(&installed).arg("--version")).stdout;
    assert!(version.contains(VERSION), "{version}");
    let demo = expect_success(
        Command::new(&installed)
            .args(["test", "team-report"])
            .current_dir(format!("{ROOT}/templates"))
            .env("HOME", folder.path()),
    );
    assert!(demo.stdout.contains("same"), "{}", demo.stdout);
    assert!(!demo.stdout.contains("differ"), "{}", demo.stdout);
    let licenses = format!("lib/python*/site-packages/synix-{VERSION}.dist-info/licenses");
    let found = glob_one(&environment, &licenses).join("LICENSE-MIT");
    assert!(found.is_file(), "{}", found.display());

    let archive = only_file(&out, ".tar.gz");
    let list = expect_success(Command::new("tar").arg("-tzf").arg(out.join(archive))).stdout;
    for part in ["/synix\n", "/man/man1/synix-build.1\n", "/LICENSE-APACHE\n"] {
        assert!(list.contains(part), "{part} is not in {list}");
    }
}

fn only_file(folder: &Path, ending: &str) -> String {
    let names = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = names
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ending))
        .collect();
    assert_eq!(names.len(), 1, "{names:?}");
    names.remove(0)
}

/// Returns the path whose `*` is replaced by the only matching entry.
fn glob_one(root: &Path, pattern: &str) -> std::path::PathBuf {
    let (before, after) = pattern.split_once('*').unwrap();
    let (folder, start) = before.rsplit_once('/').unwrap();
    let folder = root.join(folder);
    let name = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.starts_with(start))
        .unwrap();
    folder.join(name).join(after.trim_start_matches('/'))
}
