//! Output at a terminal: the prompt of `synix trust`, lines that are redrawn, escaped content.
//!
//! `script` of util-linux provides the terminal.

#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use synix_scripted_provider::{Rule, Script};

use crate::test_project::TestProject;

/// The exit code of a command at a terminal, and everything that was drawn.
struct Seen {
    code: i32,
    drawn: String,
}

/// Runs a command at a terminal of 100 columns. `typed` is typed as soon as the terminal shows `prompt`.
fn at_terminal(project: &TestProject, arguments: &[&str], asks: &str, typed: &str) -> Seen {
    let plain = project.command(arguments).process();
    let mut line = "stty cols 100 rows 30; exec".to_owned();
    for word in std::iter::once(plain.get_program()).chain(plain.get_args()) {
        let _ = write!(line, " '{}'", word.to_str().unwrap());
    }
    let mut script = Command::new("script");
    script
        .args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &line,
            "/dev/null",
        ])
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("TERM", "xterm"),
            ("SHELL", "/bin/sh"),
        ])
        .current_dir(plain.get_current_dir().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    // It stays open until the end, because `script` would type an end of file when it is closed.
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let (mut bytes, mut piece, mut has_typed) = (Vec::new(), [0; 4096], false);
    loop {
        let read = screen.read(&mut piece).unwrap();
        bytes.extend_from_slice(&piece[..read]);
        if read == 0 {
            break;
        }
        if !has_typed && !typed.is_empty() && String::from_utf8_lossy(&bytes).contains(asks) {
            keyboard.write_all(typed.as_bytes()).unwrap();
            has_typed = true;
        }
    }
    drop(keyboard);
    let code = child.wait().unwrap().code().unwrap_or(-1);
    let drawn = String::from_utf8(bytes).unwrap();
    assert_eq!(
        has_typed,
        !typed.is_empty(),
        "{asks} was not asked: {drawn}"
    );
    Seen { code, drawn }
}

fn seen(project: &TestProject, arguments: &[&str]) -> Seen {
    at_terminal(project, arguments, "", "")
}

/// A project that needs permission for a command.
fn with_a_command() -> TestProject {
    let project = TestProject::team();
    let file = std::fs::read_to_string(project.path("synix.toml")).unwrap();
    let name = "name = \"suite\"";
    project.write(
        "synix.toml",
        &file.replacen(name, &format!("{name}\non_done = \"true\""), 1),
    );
    project
}

/// `y` or `yes` grants. Anything else refuses, including an empty line and the end of the input.
#[test]
fn trust_prompts_at_a_terminal() {
    let question = "Do you grant all of these permissions, now and in later builds? [y/N] ";
    for (typed, code, answer) in [
        ("n\n", 5, "nothing was granted"),
        ("\n", 5, "nothing was granted"),
        ("maybe\n", 5, "nothing was granted"),
        ("\u{4}", 5, "nothing was granted"),
        ("y\n", 0, "run `synix trust revoke` to revoke it"),
        ("YES\n", 0, "run `synix trust revoke` to revoke it"),
    ] {
        let project = with_a_command();
        let seen = at_terminal(&project, &["trust"], question, typed);
        assert_eq!(seen.code, code, "{typed:?}: {}", seen.drawn);
        assert!(seen.drawn.contains(answer), "{typed:?}: {}", seen.drawn);
        // The permissions are listed before the prompt.
        let (asked, _) = seen.drawn.split_once(question).unwrap();
        assert!(
            asked.contains("run this command with your rights when a build ends: true"),
            "{asked}"
        );
        project.run(&["build"]).expect_code(code);
    }
}

/// There is no prompt if the answer is known, or if the output is a JSON document.
#[test]
fn trust_does_not_prompt_without_a_question() {
    let project = with_a_command();
    let document = seen(&project, &["trust", "--json"]);
    assert_eq!(document.code, 5, "{}", document.drawn);
    assert!(!document.drawn.contains("[y/N]"), "{}", document.drawn);
    assert_eq!(seen(&project, &["trust", "--yes"]).code, 0);
    let again = seen(&project, &["trust"]);
    assert_eq!(again.code, 0, "{}", again.drawn);
    assert!(!again.drawn.contains("[y/N]"), "{}", again.drawn);
}

/// Moves the cursor up, which only a terminal needs.
const UP: &str = "\u{1b}[1A";

/// A terminal has one line for each layer and batch, which is redrawn when it changes. A pipe and `--quiet` have none.
#[test]
fn progress_is_drawn_only_at_a_terminal() {
    for command in [
        &["build"][..],
        &["batch-build", "run", "--poll", "--poll-interval", "0"],
    ] {
        let project = TestProject::team();
        let seen = seen(&project, command);
        assert_eq!(seen.code, 0, "{}", seen.drawn);
        assert!(seen.drawn.contains(UP), "{:?}", seen.drawn);
        for line in ["styles: 3 made", "summary: 1 made", "build-1 completed"] {
            assert!(seen.drawn.contains(line), "{line}: {:?}", seen.drawn);
        }
        assert_eq!(
            seen.drawn.contains("batch batch"),
            command.len() > 1,
            "{:?}",
            seen.drawn
        );
        let project = TestProject::team();
        let piped = project.ok(command);
        assert!(!piped.says("\u{1b}"), "{piped:?}");
    }
    let project = TestProject::team();
    let quiet = seen(&project, &["build", "--quiet"]);
    assert!(
        // The result itself has colours.
        !quiet.drawn.contains(UP) && !quiet.drawn.contains("styles: "),
        "{:?}",
        quiet.drawn
    );
}

/// W16: `--raw` prints content without changes.
#[test]
fn content_is_escaped_at_a_terminal_without_raw() {
    let project = TestProject::team();
    let words = "first\u{1b}[2Jsecond\u{202e}third";
    project.script(Script::new().rule(Rule::any().text(words)));
    project.ok(&["build"]);
    let shown = seen(&project, &["show", "summary"]);
    assert_eq!(shown.code, 0, "{}", shown.drawn);
    assert!(
        shown.drawn.contains("first\\u{1b}[2Jsecond\\u{202e}third"),
        "{:?}",
        shown.drawn
    );
    assert!(!shown.drawn.contains('\u{1b}'), "{:?}", shown.drawn);
    let raw = seen(&project, &["show", "summary", "--raw"]);
    assert!(raw.drawn.contains(words), "{:?}", raw.drawn);
}
