//! Completions and manual pages, which the command generates.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::invocation::Run;
use crate::support::test_project::command_in;

/// Runs `synix` in a folder. It must succeed.
fn synix(folder: &Path, arguments: &[&str]) -> Run {
    command_in(folder, arguments).run().expect_code(0)
}

/// Returns whether this machine has a program.
fn is_installed(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null());
    command.stderr(Stdio::null()).status().is_ok()
}

#[test]
fn each_shell_can_read_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, check) in [
        ("bash", &["-n"][..]),
        ("zsh", &["-n"]),
        ("fish", &["--no-execute"]),
    ] {
        let script = synix(folder.path(), &["completions", shell]).stdout;
        for word in ["batch-build", "status", "completions", "--budget"] {
            let word = if shell == "fish" {
                word.trim_start_matches('-')
            } else {
                word
            };
            assert!(script.contains(word), "{shell}: {word}");
        }
        if is_installed(shell) {
            let file = folder.path().join(format!("synix.{shell}"));
            fs::write(&file, script).unwrap();
            Run::of(Command::new(shell).args(check).arg(file)).expect_code(0);
        }
    }
    let wrong = command_in(folder.path(), &["completions", "tcsh"])
        .run()
        .expect_code(2);
    assert!(wrong.says("bash"), "{wrong:?}");
}

/// Bash calls the function that the script defines.
#[test]
fn bash_completes_commands_and_options() {
    if !is_installed("bash") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let script = synix(folder.path(), &["completions", "bash"]).stdout;
    let completions = |typed_words: &str, last: &str| {
        let count = typed_words.split(' ').count();
        let script_with_words = format!(
            "{script}\nCOMP_WORDS=({typed_words} {last:?})\nCOMP_CWORD={count}\n_synix synix {last:?} prev\n\
             printf '%s\\n' \"${{COMPREPLY[@]}}\"\n"
        );
        let file = folder.path().join("asked");
        fs::write(&file, script_with_words).unwrap();
        let run = Run::of(Command::new("bash").arg(&file)).expect_code(0);
        run.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completions("synix", "stat"), ["status"]);
    assert!(completions("synix batch-build", "").contains(&"resume".to_owned()));
    assert_eq!(completions("synix build", "--bud"), ["--budget"]);
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let written = synix(folder.path(), &["man", "--dir", "pages", "--json"]).json();
    let files: Vec<&str> = written["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file.as_str().unwrap())
        .collect();
    for name in [
        "synix.1",
        "synix-build.1",
        "synix-batch-build-resume.1",
        "synix-plugin-check.1",
        "synix-status.1",
    ] {
        let file = format!("pages/{name}");
        assert!(files.contains(&file.as_str()), "{files:?}");
    }
    assert!(
        !files
            .iter()
            .any(|file| file.contains("demo") || file.contains("help"))
    );
    let whole = fs::read_to_string(folder.path().join("pages/synix.1")).unwrap();
    assert_eq!(synix(folder.path(), &["man"]).stdout, whole);
    assert!(
        whole.contains("Exit codes: 0 did what was asked"),
        "{whole}"
    );
    let resume = folder.path().join("pages/synix-batch-build-resume.1");
    let text = fs::read_to_string(&resume).unwrap();
    for word in [
        r"\-\-allow\-pipeline\-mismatch",
        r"\-\-adopt",
        r"\-\-cassette\-mode",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    if is_installed("groff") {
        for file in files {
            let mut groff = Command::new("groff");
            groff.args(["-man", "-Tutf8", "-P-cbu", "-wall"]);
            let run = Run::of(groff.arg(folder.path().join(file))).expect_code(0);
            assert_eq!(run.stderr, "", "{file}");
            assert!(run.stdout.contains("SYNOPSIS"), "{file}");
        }
    }
}
